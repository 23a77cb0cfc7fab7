"""Reports on seals and signatures: each check with its verdict, reason and judging time."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from hub.domain.certificate import Custody
from hub.proof.key_checks import key_digest
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.recognise import recognise
from hub.proof.reports.report import FactName, Kind, Remark, Report, StepName
from hub.proof.run import Evidence, Run
from hub.proof.ses.checks import check_listed
from hub.proof.ses.seal import (
    CertDigest,
    assemble_seal,
    assemble_signature,
    parse_seal,
    parse_signature,
)
from hub.proof.ses.verify import _Judge, verify_under_seal
from hub.proof.sm2 import sm3
from hub.proof.time_stamp import TOKEN_BYTES_MAX
from hub.proof.trust import AlgorithmEnd, Compromise, KeyCustody, Trust
from hub.proof.verify import verify
from hub.proof.worker import Verifiers
from hub.proof.x509.make_sm2 import make_crl
from hub.proof.x509.sm2 import parse_x509
from tests.pdf_documents import Ca
from tests.proof.seals import (
    CONTENT,
    SIGN_TIME,
    golden_seal,
    golden_signature,
    seal_of,
    signature_of,
)
from tests.proof.sm2_pki import ENDS, STARTS, Member, root

ROOT = root()
MAKER = ROOT.issue("制章者")
SIGNER = ROOT.issue("签章者", serial=77)
SEAL = seal_of(MAKER, SIGNER)
SIGNATURE = signature_of(SIGNER, SEAL)
NOW = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


def crl(revoked: dict[int, datetime]) -> bytes:
    return make_crl(
        issuer=ROOT.subject,
        this_update=STARTS,
        next_update=ENDS,
        revoked=revoked,
        sign=ROOT.key.sign,
    )


def international_crl() -> bytes:
    """A list of an authority with ECDSA."""
    built = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")]))
        .last_update(STARTS)
        .next_update(ENDS)
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    return built.public_bytes(Encoding.DER)


EVIDENCE = Evidence(now=NOW, crls=(crl({}),))


def trusting(*members: Member) -> Trust:
    anchors = tuple(x509.load_der_x509_certificate(member.der) for member in members)
    return Trust(origin="o", region="r", maker_anchors=anchors, signer_anchors=anchors)


TRUST = trusting(ROOT)


def report_on(data: bytes, trust: Trust = TRUST, evidence: Evidence = EVIDENCE) -> Report:
    kind = recognise(data)
    assert kind is not None
    return verify(data, kind, trust, evidence)


def with_content(
    data: bytes, trust: Trust = TRUST, evidence: Evidence = EVIDENCE, content: bytes = CONTENT
) -> Report:
    run = Run(Kind.SEAL_SIGNATURE)
    verify_under_seal(run, data, trust, evidence, content=content)
    return run.report()


def failures(report: Report) -> dict[str, str]:
    """Reason by step, of those that do not hold."""
    return {step.name: step.reason for step in report.steps if step.reason is not None}


def test_a_seal_under_pinned_makers_is_valid() -> None:
    """Every check holds; facts say what was proven."""
    report = report_on(SEAL)
    facts = {fact.name: fact.value for fact in report.facts}

    assert report.kind is Kind.SEAL
    assert report.verdict is Verdict.VALID, failures(report)
    assert [step.name for step in report.steps] == [
        StepName.SEAL_FORMAT,
        StepName.SEAL_SIGNATURE,
        StepName.MAKER_CHAIN,
        StepName.MAKER_STATUS,
        StepName.MAKER_KEY,
        StepName.SEAL_PERIOD,
    ]
    assert facts == {
        FactName.CUSTODY: "unverified",
        FactName.SEAL_NUMBER: "SEAL-1",
        FactName.SEAL_NAME: "测试专用章",
        FactName.SEAL_VERSION: 4,
        FactName.SEAL_PERIOD: "2025-01-01T00:00:00Z – 2035-01-01T00:00:00Z",
        FactName.MAKER: "测试部门 / 制章者",
    }


@pytest.mark.parametrize("custody", [Custody.DEPARTMENT, Custody.HUB_HSM])
def test_the_custody_of_a_key_of_ours_is_said(custody: Custody) -> None:
    """Of a signature that of its signer, of a seal that of its maker: each by its own key."""
    signer, maker = [key_digest(one.key.public.to_spki()) for one in (SIGNER, MAKER)]
    ours = (KeyCustody(signer, custody), KeyCustody(maker, Custody.HUB_FILE))
    trust = replace(TRUST, custodies=ours)

    signature, seal = report_on(SIGNATURE, trust), report_on(SEAL, trust)

    assert [fact.value for fact in signature.facts if fact.name is FactName.CUSTODY] == [custody]
    assert [fact.value for fact in seal.facts if fact.name is FactName.CUSTODY] == ["hub-file"]
    assert (Remark.SEALED_BY_HUB in signature.remarks) is (custody is Custody.HUB_HSM)


def test_a_signature_under_a_seal_is_valid_with_its_content() -> None:
    """Alone it lacks the content, and nothing else."""
    whole, alone = with_content(SIGNATURE), report_on(SIGNATURE)
    facts = {fact.name: fact.value for fact in whole.facts}

    assert whole.verdict is Verdict.VALID, failures(whole)
    assert facts[FactName.SIGNER] == "测试部门 / 签章者"
    assert facts[FactName.SIGNED_TIME] == "2025-06-01T00:00:00Z"
    assert alone.verdict is Verdict.CANNOT_CHECK
    assert failures(alone) == {StepName.CONTENT_DIGEST: ProofReason.NO_CONTENT}


def test_without_trust_the_chains_cannot_be_checked() -> None:
    """What stands in the file is checked all the same."""
    report = with_content(SIGNATURE, Trust(origin="o", region="r"))

    assert report.verdict is Verdict.CANNOT_CHECK
    assert failures(report) == {
        StepName.MAKER_CHAIN: ProofReason.NO_SEAL_ANCHOR,
        StepName.SIGNER_CHAIN: ProofReason.NO_SEAL_ANCHOR,
    }


def test_other_content_is_not_what_was_signed() -> None:
    """The signature itself holds."""
    assert failures(with_content(SIGNATURE, content=CONTENT + b" ")) == {
        StepName.CONTENT_DIGEST: ProofReason.CONTENT_DIGEST_MISMATCH
    }


def test_a_byte_of_the_seal_changed_breaks_both_signatures() -> None:
    """The seal is verified inside of the signature too."""
    seal = SEAL.replace("测试专用章".encode(), "测试公用章".encode())
    inside = SIGNATURE.replace("测试专用章".encode(), "测试公用章".encode())

    assert failures(report_on(seal)) == {
        StepName.SEAL_SIGNATURE: ProofReason.SEAL_SIGNATURE_INVALID
    }
    assert failures(with_content(inside)) == {
        StepName.SIGNATURE_VALUE: ProofReason.SIGNATURE_INVALID,
        StepName.SEAL_SIGNATURE: ProofReason.SEAL_SIGNATURE_INVALID,
    }
    assert {fact.name for fact in report_on(seal).facts} == {FactName.CUSTODY}


def test_another_certificate_of_the_same_authority_may_not_use_the_seal() -> None:
    """A renewed certificate needs a new seal."""
    renewed = ROOT.issue("签章者")

    assert failures(with_content(signature_of(renewed, SEAL))) == {
        StepName.SIGNER_LISTED: ProofReason.SIGNER_NOT_IN_SEAL
    }


def test_a_signer_listed_by_digest_is_found_or_cannot_be_judged() -> None:
    """Plain SM3 over the DER is known; whatever else a seal uses is not."""
    seal = replace(parse_seal(SEAL), signer_x509s=())
    ours = CertDigest("SM3", sm3(SIGNER.der))
    theirs = CertDigest("SM3withZ", bytes(32))

    check_listed(replace(seal, signer_digests=(theirs, ours)), SIGNER.der)
    for digests, reason in (
        ((CertDigest("SM3", bytes(32)),), "SIGNER_NOT_IN_SEAL"),
        ((theirs,), "SIGNER_DIGEST_UNKNOWN"),
    ):
        with pytest.raises(Exception, match=reason):
            check_listed(replace(seal, signer_digests=digests), SIGNER.der)


def test_expired_when_it_signed_is_never_a_wrong_signature() -> None:
    """Certificate or seal or both: each has its own reason, the signature value holds."""
    early = SIGN_TIME - timedelta(days=1)
    short = ROOT.issue("签章者", ends=early)
    old = seal_of(MAKER, short, valid_to_time=early)
    fresh = seal_of(MAKER, short)

    assert failures(with_content(signature_of(short, fresh))) == {
        StepName.SIGNER_CHAIN: ProofReason.X509_EXPIRED,
        StepName.SIGNING_TIME: ProofReason.X509_EXPIRED,
    }
    assert failures(with_content(signature_of(short, old))) == {
        StepName.SEAL_PERIOD: ProofReason.SEAL_EXPIRED,
        StepName.SIGNER_CHAIN: ProofReason.X509_EXPIRED,
        StepName.SIGNING_TIME: ProofReason.X509_EXPIRED,
    }
    late = seal_of(MAKER, SIGNER, valid_from_time=SIGN_TIME + timedelta(days=1))
    assert failures(with_content(signature_of(SIGNER, late))) == {
        StepName.SEAL_PERIOD: ProofReason.SEAL_NOT_YET_VALID,
        StepName.SIGNING_TIME: ProofReason.SEAL_NOT_YET_VALID,
    }


def test_what_expired_after_it_signed_is_still_good() -> None:
    """Judged when it was signed, by the signer's word."""
    ends = SIGN_TIME + timedelta(days=1)
    maker, signer = ROOT.issue("制章者", ends=ends), ROOT.issue("签章者", ends=ends)
    seal = seal_of(maker, signer, valid_to_time=ends)
    report = with_content(signature_of(signer, seal))

    assert report.verdict is Verdict.VALID, failures(report)
    moments = {step.name: str(step.moment) for step in report.steps if step.moment}
    assert moments[StepName.SIGNER_CHAIN] == "2025-06-01T00:00:00Z (signing time)"
    assert failures(report_on(seal)) == {
        StepName.MAKER_CHAIN: ProofReason.X509_EXPIRED,
        StepName.SEAL_PERIOD: ProofReason.SEAL_EXPIRED,
    }


def test_a_signing_time_to_come_is_refused() -> None:
    """It is no reason to judge in the future."""
    report = with_content(signature_of(SIGNER, SEAL, sign_time=datetime(2030, 1, 1, tzinfo=UTC)))

    assert failures(report) == {StepName.SIGNING_TIME: ProofReason.SIGNED_LATER}


def test_makers_and_signers_of_others_are_not_trusted() -> None:
    """One anchor does not stand for the other."""
    other = root()
    mixed = replace(TRUST, maker_anchors=trusting(other).maker_anchors)

    assert failures(with_content(SIGNATURE, trusting(other))) == {
        StepName.MAKER_CHAIN: ProofReason.X509_UNTRUSTED,
        StepName.SIGNER_CHAIN: ProofReason.X509_UNTRUSTED,
    }
    assert failures(with_content(SIGNATURE, mixed)) == {
        StepName.MAKER_CHAIN: ProofReason.X509_UNTRUSTED
    }


def test_revocation_is_judged_and_its_absence_is_said() -> None:
    """Revoked before it signed, since, and by nobody knows whom."""
    before, since = SIGN_TIME - timedelta(days=1), SIGN_TIME + timedelta(days=1)

    def by(*crls: bytes) -> Report:
        return with_content(SIGNATURE, evidence=replace(EVIDENCE, crls=crls))

    assert failures(by(crl({77: before}))) == {StepName.SIGNER_STATUS: ProofReason.X509_REVOKED}
    # A list of another algorithm is of another authority.
    assert failures(by(international_crl(), crl({}))) == {}
    for report, reasons in (
        (by(crl({77: since})), {"signer-status": "X509_REVOKED_SINCE"}),
        (by(), {"maker-status": "NO_CRL", "signer-status": "NO_CRL"}),
        (by(b"\x30\x00"), {"maker-status": "CRL_MALFORMED", "signer-status": "CRL_MALFORMED"}),
    ):
        assert report.verdict is Verdict.CANNOT_CHECK
        assert failures(report) == reasons


def test_compromised_keys_and_ended_algorithms_are_named() -> None:
    """The signer's word does not help against whoever has its key."""
    key = key_digest(SIGNER.key.public.to_spki())
    trust = replace(TRUST, compromised=(Compromise(key, int(SIGN_TIME.timestamp()) - 1),))
    later = replace(TRUST, compromised=(Compromise(key, int(SIGN_TIME.timestamp()) + 1),))
    ended = replace(TRUST, algorithms=(AlgorithmEnd("SM2", int(STARTS.timestamp())),))

    assert failures(with_content(SIGNATURE, trust)) == {
        StepName.SIGNER_KEY: ProofReason.KEY_COMPROMISED
    }
    assert failures(with_content(SIGNATURE, later)) == {
        StepName.SIGNER_KEY: ProofReason.COMPROMISE_OPEN
    }
    assert failures(with_content(SIGNATURE, ended)) == {
        StepName.MAKER_KEY: ProofReason.ALGORITHM_ENDED,
        StepName.SIGNER_KEY: ProofReason.ALGORITHM_ENDED,
    }


class StampAuthority:
    """A time stamp authority of its own; the stamper of pyHanko's tests knows RSA only."""

    def __init__(self) -> None:
        self.ca = Ca("时间戳 CA")
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        starts, ends = STARTS - timedelta(days=1), ENDS
        self.x509 = self.ca.issue(
            self.key, "时间戳服务", begins=starts, ends=ends, time_stamping=True
        )

    def token(self, stamped: bytes, time: datetime) -> bytes:
        """A token (DER) over `stamped`."""
        stamper = DummyTimeStamper(
            asn1_x509.Certificate.load(self.x509.public_bytes(Encoding.DER)),
            asn1_keys.PrivateKeyInfo.load(
                self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            ),
            fixed_dt=time,
        )
        digest = hashlib.sha256(stamped).digest()
        return bytes(asyncio.run(stamper.async_timestamp(digest, "sha256")).dump())


TSA = StampAuthority()
STAMPED = replace(TRUST, stamp_anchors=(TSA.ca.root,))


def stamped(seal: bytes, signer: Member, time: datetime) -> bytes:
    """A signature under `seal` with a token over its value."""
    bare = parse_signature(signature_of(signer, seal))
    return assemble_signature(
        bare.signed_bytes,
        bare.signer_x509,
        bare.algorithm,
        bare.signature,
        TSA.token(bare.signature, time),
    )


def test_a_time_stamp_vouches_for_the_time() -> None:
    """It is shown, it judges, and it outlives a revocation or a compromise that came later."""
    time = SIGN_TIME + timedelta(seconds=20)
    data = stamped(SEAL, SIGNER, time)
    later = SIGN_TIME + timedelta(days=1)
    key = key_digest(SIGNER.key.public.to_spki())
    trust = replace(STAMPED, compromised=(Compromise(key, int(later.timestamp())),))
    report = with_content(data, trust, replace(EVIDENCE, crls=(crl({77: later}),)))
    facts = {fact.name: fact.value for fact in report.facts}

    assert report.verdict is Verdict.VALID, failures(report)
    assert facts[FactName.STAMPED_TIME] == "2025-06-01T00:00:20Z"
    chain = next(step for step in report.steps if step.name is StepName.SIGNER_CHAIN)
    assert str(chain.moment) == "2025-06-01T00:00:20Z (time stamp)"


def test_a_worker_that_has_loaded_nothing_yet_verifies_the_same() -> None:
    """What a library knows of types must not hang on who else has loaded it."""
    time = SIGN_TIME + timedelta(seconds=20)
    with contextlib.closing(Verifiers()) as verifiers:
        report = verifiers.verify(stamped(SEAL, SIGNER, time), STAMPED, EVIDENCE)

    assert report is not None
    assert failures(report) == {StepName.CONTENT_DIGEST: ProofReason.NO_CONTENT}
    assert FactName.STAMPED_TIME in {fact.name for fact in report.facts}


def test_a_time_stamp_that_does_not_hold_vouches_for_nothing() -> None:
    """Of other bytes, of another authority, older than what it stamps, or none at all."""
    other = StampAuthority().token(b"", SIGN_TIME)
    early = stamped(SEAL, SIGNER, SIGN_TIME - timedelta(minutes=1))
    good = stamped(SEAL, SIGNER, SIGN_TIME)
    of_other_bytes = signature_of(SIGNER, SEAL, time_stamp=TSA.token(b"other", SIGN_TIME))

    data_not_signed = bytes.fromhex("300f06092a864886f70d010701a002 0400")

    def with_token(token: bytes) -> bytes:
        return signature_of(SIGNER, SEAL, time_stamp=token)

    for data, trust, reason in (
        (of_other_bytes, STAMPED, ProofReason.TIME_STAMP_INVALID),
        (with_token(other), STAMPED, ProofReason.TIME_STAMP_INVALID),
        (early, STAMPED, ProofReason.TIME_STAMP_INVALID),
        (with_token(b"abc"), STAMPED, ProofReason.TIME_STAMP_MALFORMED),
        (with_token(bytes(TOKEN_BYTES_MAX + 1)), STAMPED, ProofReason.TIME_STAMP_MALFORMED),
        (with_token(data_not_signed), STAMPED, ProofReason.TIME_STAMP_MALFORMED),
        (good, replace(TRUST, stamp_anchors=(Ca().root,)), ProofReason.TIME_STAMP_INVALID),
        (good, TRUST, ProofReason.NO_STAMP_ANCHOR),
    ):
        report = with_content(data, trust)

        assert failures(report) == {StepName.TIME_STAMP: reason}
        assert FactName.STAMPED_TIME not in {fact.name for fact in report.facts}


def test_a_time_stamp_with_national_algorithms_cannot_be_checked() -> None:
    """SignedData of GB/T 35275 instead of CMS, or an imprint by SM3: known, and not judged."""
    gm_content = bytes.fromhex("301206 0a2a811ccf550601040202 a004 3002a000")
    sha256, sm3_unkeyed = "0609608648016503040201", "06092a811ccf5501831101"
    by_sm3 = TSA.token(b"", SIGN_TIME).replace(bytes.fromhex(sha256), bytes.fromhex(sm3_unkeyed))

    for token in (gm_content, by_sm3):
        report = with_content(signature_of(SIGNER, SEAL, time_stamp=token), STAMPED)

        assert failures(report) == {StepName.TIME_STAMP: ProofReason.TIME_STAMP_NOT_CHECKED}
        assert report.verdict is Verdict.CANNOT_CHECK


def test_another_algorithm_is_never_guessed() -> None:
    """RSA with SM3 cannot be checked; SM2 under a key that is none is invalid."""
    rsa = bytes.fromhex("06082a811ccf55018375"), bytes.fromhex("06082a811ccf55018378")
    report = report_on(SEAL[:-90] + SEAL[-90:].replace(*rsa))

    assert failures(report) == {StepName.SEAL_SIGNATURE: ProofReason.ALG_NOT_CHECKED}
    assert report.verdict is Verdict.CANNOT_CHECK


def test_a_key_that_is_none_of_sm2_signs_no_seal() -> None:
    """The certificate says what the key is; the algorithm beside it is only a claim."""
    ca = Ca()
    other = ca.issue(TSA.key, "制章者").public_bytes(Encoding.DER)
    seal = parse_seal(SEAL)
    data = assemble_seal(seal.signed_bytes, other, seal.algorithm, seal.signature)

    assert failures(report_on(data)) == {StepName.SEAL_SIGNATURE: ProofReason.ALG_MISMATCH}


def test_a_signature_without_a_time_that_can_be_read_is_judged_now() -> None:
    """Version 1 may carry a token in its place."""
    signature = replace(parse_signature(SIGNATURE), sign_time=None)
    run = Run(Kind.SEAL_SIGNATURE)
    _Judge(run, TRUST, EVIDENCE).signature(signature)

    assert failures(run.report()) == {StepName.SIGNING_TIME: ProofReason.SIGNING_TIME_UNKNOWN}
    assert FactName.SIGNED_TIME not in {fact.name for fact in run.facts}


def test_what_is_no_seal_ends_with_its_form() -> None:
    """Nothing further can be looked at."""
    for data, step in ((SEAL, StepName.SEAL_FORMAT), (SIGNATURE, StepName.SIGNATURE_FORMAT)):
        report = report_on(data + b"\x00")

        assert [item.name for item in report.steps] == [step]
        assert report.reason is ProofReason.SEAL_MALFORMED


def at(year: int) -> Evidence:
    return Evidence(now=int(datetime(year, 11, 1, tzinfo=UTC).timestamp()), as_of=True)


@pytest.mark.parametrize(
    ("name", "year", "expected"),
    [
        ("UserV4.esl", 2021, {"maker-chain": "NO_SEAL_ANCHOR"}),
        ("UserV1.esl", 2021, {"maker-chain": "NO_SEAL_ANCHOR"}),
        ("UserV4.esl", 2026, {"maker-chain": "X509_EXPIRED", "seal-period": "SEAL_EXPIRED"}),
        ("UserV1.esl", 2026, {"maker-chain": "X509_EXPIRED", "seal-period": "SEAL_EXPIRED"}),
        # Made in 2026 under a certificate that ended in 2022.
        ("UserV5.esl", 2026, {"maker-chain": "X509_EXPIRED"}),
        (
            "SESealData.DER",
            2026,
            {"seal-signature": "SEAL_SIGNATURE_INVALID", "seal-period": "SEAL_EXPIRED"},
        ),
        (
            "SignedValueV4.dat",
            2026,
            {
                "maker-chain": "NO_SEAL_ANCHOR",
                "signer-chain": "NO_SEAL_ANCHOR",
                "content-digest": "NO_CONTENT",
            },
        ),
    ],
)
def test_what_others_made_gets_the_right_reason(
    name: str, year: int, expected: dict[str, Any], shared_data: Path
) -> None:
    """Signatures hold where they should, and time and trust have reasons of their own."""
    report = report_on(
        (shared_data / "seals" / name).read_bytes(), Trust(origin="o", region="r"), at(year)
    )

    assert failures(report) == expected


def test_a_version_5_seal_outlives_its_makers_certificate(shared_data: Path) -> None:
    """Judged when it was made; that the certificate ended since is a remark."""
    made = parse_seal((shared_data / "seals" / "UserV5.esl").read_bytes())
    assert made.version == 5
    ends = parse_x509(made.maker_x509).not_after
    earlier = replace(made, create_time=datetime.fromtimestamp(ends - 60, UTC))
    run = Run(Kind.SEAL)
    _Judge(run, Trust(origin="o", region="r"), at(2026)).seal(earlier, at(2026).reader)

    assert failures(run.report())[StepName.MAKER_CHAIN] == ProofReason.NO_SEAL_ANCHOR
    assert run.report().remarks == (Remark.MAKER_ENDED,)


@pytest.mark.parametrize(
    ("version", "made_ahead_s", "reason"),
    [(5, 31, ProofReason.SIGNED_LATER), (5, 30, None), (4, 31, None)],
)
def test_a_version_5_seal_was_made_before_it_is_used(
    version: int, made_ahead_s: int, reason: ProofReason | None
) -> None:
    """Clocks may differ by 30 s. Version 4 does not ask (standards.md §2.3)."""
    made = datetime.fromtimestamp(NOW + made_ahead_s, UTC)
    seal = replace(parse_seal(SEAL), version=version, create_time=made)
    run = Run(Kind.SEAL)

    _Judge(run, TRUST, EVIDENCE).seal(seal, EVIDENCE.reader)

    assert failures(run.report()).get(StepName.SEAL_PERIOD) == reason


def test_the_golden_seal_and_signature_hold() -> None:
    """Their certificate does not say what its key is for: pinned or not, the chain stays open."""
    pinned = x509.load_der_x509_certificate(parse_seal(golden_seal()).maker_x509)
    for trust, reason in (
        (Trust(origin="o", region="r"), ProofReason.NO_SEAL_ANCHOR),
        (replace(TRUST, maker_anchors=(pinned,), signer_anchors=(pinned,)), ProofReason.X509_USAGE),
        (TRUST, ProofReason.X509_UNTRUSTED),
    ):
        seal = report_on(golden_seal(), trust)
        signature = with_content(golden_signature(), trust, content=b"message digest")

        assert failures(seal) == {StepName.MAKER_CHAIN: reason}
        assert failures(signature) == {
            StepName.MAKER_CHAIN: reason,
            StepName.SIGNER_CHAIN: reason,
        }
        untrusted = reason is ProofReason.X509_UNTRUSTED
        expected = Verdict.INVALID if untrusted else Verdict.CANNOT_CHECK
        assert (seal.verdict, signature.verdict) == (expected, expected)
    assert parse_signature(golden_signature()).protected == "/Doc_0/Signs/Sign_0/Signature.xml"


def test_the_command_line_verifies_seals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`sealway verify seal.esl --crl …` without any hub."""
    from typer.testing import CliRunner

    from hub.cli.verify import app

    (tmp_path / "seal.esl").write_bytes(SEAL)
    (tmp_path / "list.crl").write_bytes(crl({}))
    result = CliRunner().invoke(
        app, [str(tmp_path / "seal.esl"), "--crl", str(tmp_path / "list.crl"), "--at", str(NOW)]
    )

    assert result.exit_code == 2, result.output
    assert "SEAL-1" in result.output
    assert "NO_SEAL_ANCHOR" in result.output
