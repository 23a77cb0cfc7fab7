"""SM2 certificates, requests, chains and revocation lists; OpenSSL is the second opinion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.proof.der import element, write_der
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.x509 import asn1 as x509_asn1
from hub.proof.x509.make_sm2 import check_request, make_crl, make_request
from hub.proof.x509.sm2 import (
    X509,
    check_chain,
    check_not_revoked,
    parse_crl,
    parse_x509,
)
from tests.proof.openssl import openssl
from tests.proof.sm2_pki import CA, ENDS, SIGNER, STARTS, Member, issue, name, root, usage

AT = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
ROOT = root()
LEAF = ROOT.issue("签章者")


def parsed(*members: Member) -> list[X509]:
    return [parse_x509(member.der) for member in members]


def reason_of(leaf: Member, *others: Member, anchors: tuple[Member, ...] = (ROOT,)) -> ProofReason:
    with pytest.raises(ProofError) as caught:
        check_chain(parse_x509(leaf.der), parsed(*others), parsed(*anchors), at=AT)
    return caught.value.reason


def test_a_certificate_says_what_was_put_into_it() -> None:
    """Names, times, usage and key survive."""
    leaf = parse_x509(LEAF.der)

    assert leaf.common_name == "签章者"
    assert leaf.title == "测试部门 / 签章者"
    assert parse_x509(ROOT.issue("测试部门").der).title == "测试部门"
    assert leaf.organization_identifier == "11110000000021135M"
    assert leaf.key == LEAF.key.public
    assert leaf.may_sign
    assert not leaf.may_issue
    assert (leaf.not_before, leaf.not_after) == (STARTS.timestamp(), ENDS.timestamp())


def test_a_chain_leads_over_issuing_cas_to_the_anchor() -> None:
    """Others may come in any order; what does not belong is passed by."""
    middle = ROOT.issue("中级", CA)
    leaf = middle.issue("签章者")

    chain = check_chain(parse_x509(leaf.der), parsed(LEAF, middle), parsed(root(), ROOT), at=AT)

    assert chain == tuple(parsed(leaf, middle, ROOT))
    assert reason_of(leaf) is ProofReason.X509_UNTRUSTED


def test_a_pinned_issuing_ca_is_enough() -> None:
    """An anchor need not sign itself."""
    middle = ROOT.issue("中级", CA)
    leaf = middle.issue("签章者")

    assert len(check_chain(parse_x509(leaf.der), [], parsed(middle), at=AT)) == 2


def test_a_pinned_certificate_is_trusted_for_itself_alone() -> None:
    """Its key issues nothing."""
    below = LEAF.issue("下级")

    assert check_chain(parse_x509(LEAF.der), [], parsed(LEAF), at=AT) == tuple(parsed(LEAF))
    assert reason_of(below, anchors=(LEAF,)) is ProofReason.X509_UNTRUSTED


def test_without_an_anchor_nothing_is_said_of_the_chain() -> None:
    """*Cannot check*, after what can be said of the leaf alone."""
    with pytest.raises(ProofError) as caught:
        check_chain(parse_x509(LEAF.der), [], [], at=AT)

    assert caught.value.reason is ProofReason.NO_SEAL_ANCHOR
    assert caught.value.verdict is Verdict.CANNOT_CHECK
    expired = ROOT.issue("签章者", ends=datetime(2025, 6, 1, tzinfo=UTC))
    assert reason_of(expired, anchors=()) is ProofReason.X509_EXPIRED


def test_each_rule_of_a_chain_ends_in_its_reason() -> None:
    """Validity, usage, criticals, issuers that may not issue, forged issuers."""
    early = datetime(2025, 6, 1, tzinfo=UTC)
    late = datetime(2026, 6, 1, tzinfo=UTC)
    foreign = (x509.NameConstraints([x509.DNSName("a")], None), True)
    short = ((x509.BasicConstraints(ca=True, path_length=0), True), CA[1])
    not_a_ca = ROOT.issue("中级", ((usage("key_cert_sign"), True),))
    no_usage = ROOT.issue("中级", (CA[0],))
    strict = ROOT.issue("中级", (*CA, foreign))
    ended = ROOT.issue("中级", CA, ends=early)
    two = ROOT.issue("一级", short).issue("二级", CA)
    impostor = issue(None, "测试根", CA)

    assert reason_of(ROOT.issue("签章者", ends=early)) is ProofReason.X509_EXPIRED
    assert reason_of(ROOT.issue("签章者", starts=late)) is ProofReason.X509_NOT_YET_VALID
    assert reason_of(ROOT.issue("签章者", ())) is ProofReason.X509_USAGE
    assert reason_of(ROOT.issue("加密", ((usage("key_agreement"), True),))) is (
        ProofReason.X509_USAGE
    )
    assert reason_of(ROOT.issue("签章者", (*SIGNER, foreign))) is ProofReason.X509_USAGE
    assert reason_of(impostor.issue("签章者")) is ProofReason.X509_UNTRUSTED
    for middle in (not_a_ca, no_usage, strict, ended):
        assert reason_of(middle.issue("签章者"), middle) is ProofReason.X509_UNTRUSTED
    assert reason_of(two.issue("签章者"), two) is ProofReason.X509_UNTRUSTED


def test_path_length_counts_the_cas_below() -> None:
    """Zero allows leaves and no further CA."""
    one = ROOT.issue("一级", ((x509.BasicConstraints(ca=True, path_length=0), True), CA[1]))
    two = one.issue("二级", CA)

    assert check_chain(parse_x509(one.issue("签章者").der), parsed(one), parsed(ROOT), at=AT)
    assert reason_of(two.issue("签章者"), one, two) is ProofReason.X509_UNTRUSTED


def test_cas_that_vouch_for_each_other_are_no_way_to_an_anchor() -> None:
    """The search ends."""
    first, second = issue(None, "甲", CA), issue(None, "乙", CA)
    ring = [
        Member(first.key, first.subject, second.issue("甲", CA).der),
        Member(second.key, second.subject, first.issue("乙", CA).der),
    ]

    assert reason_of(first.issue("签章者"), first, second, *ring) is ProofReason.X509_UNTRUSTED


def crl(revoked: dict[int, datetime], *, by: Member = ROOT, days: int = 730) -> bytes:
    return make_crl(
        issuer=by.subject,
        this_update=STARTS,
        next_update=STARTS + timedelta(days=days),
        revoked=revoked,
        sign=by.key.sign,
    )


def test_a_revoked_certificate_is_refused_from_then_on() -> None:
    """Judged at the time of use; before it the certificate was good."""
    leaf = parse_x509(ROOT.issue("签章者", serial=77).der)
    chain = (leaf, parse_x509(ROOT.der))
    since = datetime(2025, 9, 1, tzinfo=UTC)
    lists = [parse_crl(crl({5: STARTS, 77: since}))]

    check_not_revoked(chain, lists, at=AT, by=int(since.timestamp()) - 1)
    with pytest.raises(ProofError) as caught:
        check_not_revoked(chain, lists, at=AT, by=AT)

    assert caught.value.reason is ProofReason.X509_REVOKED


@pytest.mark.parametrize(
    "lists",
    [
        [],
        [crl({}, days=30)],
        [crl({}, by=issue(None, "测试根", CA))],
        [crl({}, by=issue(None, "别的根", CA))],
    ],
)
def test_without_a_current_list_of_the_issuer_revocation_cannot_be_judged(
    lists: list[bytes],
) -> None:
    """None, an old one, one of an impostor, another's."""
    with pytest.raises(ProofError) as caught:
        check_not_revoked(
            tuple(parsed(LEAF, ROOT)), [parse_crl(item) for item in lists], at=AT, by=AT
        )

    assert caught.value.reason is ProofReason.NO_CRL
    assert caught.value.verdict is Verdict.CANNOT_CHECK


def p256_crl(*extensions: x509.ExtensionType) -> bytes:
    """A list by a P-256 key, for one revoked certificate."""
    entry = x509.RevokedCertificateBuilder(7, STARTS).build()
    built = x509.CertificateRevocationListBuilder(ROOT.subject, STARTS, ENDS, [], [entry])
    for extension in extensions:
        built = built.add_extension(extension, critical=True)
    signed = built.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def test_a_list_of_another_kind_cannot_be_used() -> None:
    """Of another algorithm, and what says of itself in a critical extension that it is no whole."""
    tbs = asn1.decode_der(x509_asn1.Signed, crl({5: STARTS}))
    outer = asn1.decode_der(x509_asn1.TbsCrl, write_der(tbs.tbs))
    critical = x509_asn1.Extension(oid=x509.ObjectIdentifier("2.5.29.27"), critical=True, value=b"")
    entry = x509_asn1.Revoked(serial=5, time=asn1.UTCTime(STARTS), extensions=[critical])

    def spoilt(**changes: object) -> bytes:
        members = {name: getattr(outer, name) for name in x509_asn1.TbsCrl.__annotations__}
        tbs.tbs = element(write_der(x509_asn1.TbsCrl(**(members | changes))))
        return write_der(tbs)

    for der, detail in (
        (p256_crl(), "not signed with SM2"),
        (spoilt(extensions=[critical]), "not a whole list"),
        (spoilt(revoked=[entry]), "extension of an entry"),
    ):
        with pytest.raises(ProofError, match=detail) as caught:
            parse_crl(der)
        assert caught.value.verdict is Verdict.CANNOT_CHECK


def test_a_certificate_that_contradicts_itself_is_malformed() -> None:
    """Two algorithms, an extension twice, a key off the curve."""
    outer = asn1.decode_der(x509_asn1.Signed, LEAF.der)
    twice = ROOT.issue("签章者", (*SIGNER, *SIGNER))
    point = LEAF.key.public.point
    off_the_curve = LEAF.der.replace(point, point[:-1] + bytes([point[-1] ^ 1]))
    outer.algorithm = element(bytes.fromhex("300c06082a811ccf550183750500"))

    for der, detail in (
        (write_der(outer), "two signature algorithms"),
        (twice.der, "stands twice"),
        (off_the_curve, "not on the curve"),
    ):
        with pytest.raises(ProofError, match=detail) as caught:
            parse_x509(der)
        assert caught.value.reason is ProofReason.X509_MALFORMED


def test_a_chain_has_a_length() -> None:
    """Six certificates below the anchor, no more."""
    cas = [ROOT]
    for number in range(6):
        cas.append(cas[-1].issue(f"{number} 级", CA))

    assert len(check_chain(parse_x509(cas[5].issue("末").der), parsed(*cas), parsed(ROOT), at=AT))
    assert reason_of(cas[6].issue("末"), *cas) is ProofReason.X509_UNTRUSTED


def test_a_request_proves_possession_and_openssl_agrees(tmp_path: Path) -> None:
    """`openssl req -verify` with the default id."""
    der = make_request(name("签章者"), LEAF.key.public, LEAF.key.sign)
    (tmp_path / "csr").write_bytes(der)

    checked = openssl(
        *("req", "-verify", "-inform", "DER", "-in", "csr", "-noout", "-subject", "-sm3"),
        *("-vfyopt", "distid:1234567812345678"),
        folder=tmp_path,
    )

    assert check_request(der) == (LEAF.key.public, name("签章者").public_bytes())
    assert checked.returncode == 0
    assert "verify OK" in checked.stderr
    assert x509.load_der_x509_csr(der).subject == name("签章者")
    with pytest.raises(ProofError) as caught:
        check_request(make_request(name("签章者"), ROOT.key.public, LEAF.key.sign))
    assert caught.value.reason is ProofReason.SIGNATURE_INVALID
    foreign = x509.CertificateSigningRequestBuilder(name("签章者")).sign(
        ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()
    )
    for wrong in (der + b"\x00", foreign.public_bytes(serialization.Encoding.DER)):
        with pytest.raises(ProofError) as caught:
            check_request(wrong)
        assert caught.value.reason is ProofReason.CSR_MALFORMED


def test_openssl_accepts_the_chain_and_the_revocation_list(tmp_path: Path) -> None:
    """`openssl verify` of a root, an issuing CA and a leaf; `openssl crl` reads the list."""
    middle = ROOT.issue("中级", CA)
    leaf = middle.issue("签章者", serial=77)
    for file, der in (("root", ROOT.der), ("middle", middle.der), ("leaf", leaf.der)):
        (tmp_path / f"{file}.der").write_bytes(der)
        openssl("x509", "-inform", "DER", "-in", f"{file}.der", "-out", file, folder=tmp_path)
    (tmp_path / "crl.der").write_bytes(crl({77: STARTS}, by=middle, days=3650))

    # OpenSSL 3.0 hands the id to the certificate in question only: link by link, then.
    links = [
        openssl(
            *("verify", "-partial_chain", "-CAfile", issuer, "-attime", str(AT)),
            *("-vfyopt", "distid:1234567812345678", file),
            folder=tmp_path,
        )
        for issuer, file in (("middle", "leaf"), ("root", "middle"), ("root", "root"))
    ]
    listed = openssl(
        *("crl", "-inform", "DER", "-in", "crl.der", "-noout", "-text"), folder=tmp_path
    )

    assert [link.stdout.strip() for link in links] == ["leaf: OK", "middle: OK", "root: OK"]
    assert "Serial Number: 4D" in listed.stdout


def test_openssls_own_sm2_certificate_is_read(tmp_path: Path) -> None:
    """One that we did not make."""
    made = openssl(
        *("req", "-x509", "-newkey", "sm2", "-sm3", "-nodes", "-keyout", "key", "-days", "30"),
        *("-subj", "/C=CN/O=Other/CN=Theirs", "-outform", "DER", "-out", "cert"),
        *("-sigopt", "distid:1234567812345678"),
        folder=tmp_path,
    )
    assert made.returncode == 0, made.stderr
    theirs = parse_x509((tmp_path / "cert").read_bytes())

    assert theirs.common_name == "Theirs"
    assert theirs.ca
    assert theirs.key is not None
    assert theirs.signature is not None
    assert theirs.key.verify(theirs.signed_bytes, theirs.signature)


def test_a_certificate_of_another_algorithm_is_read_and_vouches_for_nothing() -> None:
    """Anchors of other kinds may stand in the same trust file."""
    key = ec.generate_private_key(ec.SECP256R1())
    built = (
        x509.CertificateBuilder(name("测试根"), name("测试根"), key.public_key(), 7, STARTS, ENDS)
        .add_extension(*CA[0])
        .add_extension(*CA[1])
        .sign(key, hashes.SHA256())
    )
    other = parse_x509(built.public_bytes(serialization.Encoding.DER))

    assert other.key is None
    assert other.signature is None
    assert len(check_chain(parse_x509(LEAF.der), [], [other, parse_x509(ROOT.der)], at=AT)) == 2
    with pytest.raises(ProofError, match="X509_UNTRUSTED"):
        check_chain(parse_x509(LEAF.der), [], [other], at=AT)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_certificate_ends_in_a_declared_error(data: st.DataObject) -> None:
    """Any byte changed, cut or repeated: read, or X509_MALFORMED."""
    der = bytearray(LEAF.der)
    index = data.draw(st.integers(0, len(der) - 1))
    der[index] = data.draw(st.integers(0, 255))
    cut = bytes(der[: data.draw(st.integers(0, len(der)))])
    for damaged in (bytes(der), cut):
        try:
            x = parse_x509(damaged)
            assert isinstance(x.common_name, str)
        except ProofError as error:
            assert error.reason is ProofReason.X509_MALFORMED
        try:
            parse_crl(damaged)
        except ProofError as error:
            assert error.reason is ProofReason.CRL_MALFORMED
