"""Rules of the JOSE formats that no golden vector shows alone."""

from __future__ import annotations

import base64
import datetime
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.proof.encoding import Json, b64u, emit_json
from hub.proof.exchange.batch import INGEST_LEAVES_MAX, Purpose, sign_batch_root, verify_batch_root
from hub.proof.exchange.request import SignedRequest, same_request, sign_request, verify_request
from hub.proof.exchange.token import check_token as check_token_again
from hub.proof.jose import (
    REQUEST_TYP,
    LogHead,
    RegisteredKey,
    Signer,
    es256_signer,
    jwk,
    open_jws,
    public_key_from_jwk,
    raw_signature,
)
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.records.sd_jwt import (
    Custody,
    Expectation,
    digests_of_type,
    draw_digests,
    present,
    record_payload,
    seal_record,
    verify_presentation,
)
from hub.proof.records.status_list import (
    LIST_BYTES_MIN,
    Status,
    StatusClaims,
    StatusList,
    read_status,
    sign_status_list,
    verify_status_list,
)
from tests.proof.jose_vectors import (
    CLIENT_DIGEST,
    NOW,
    ORIGIN,
    REGION,
    VECTORS,
    check_presentation,
    check_request,
    check_root,
    check_status_list,
    check_token,
    keys,
    private_key,
    signer,
)
from tests.proof.test_jose_vectors import record_claims, request_of

CLAIMS = record_claims(VECTORS["record_seal"]["claims"])
SEAL_X5C = tuple(VECTORS["record_seal"]["header"]["x5c"])
USCC = CLAIMS.iss


def refusal(call: Callable[[], object]) -> tuple[ProofReason, Verdict]:
    """Reason and verdict with which `call` is refused."""
    with pytest.raises(ProofError) as caught:
        call()
    return caught.value.reason, caught.value.verdict


def test_every_reason_has_both_texts() -> None:
    """Whoever is refused can read why, in English and Chinese."""
    silent = [reason for reason in ProofReason if reason not in TEXTS]
    assert not silent
    assert all(text.en and text.zh for text in TEXTS.values())


# -- Requests --------------------------------------------------------------------------------------


def request(**changes: Any) -> SignedRequest:
    """The second golden request with some claims changed, signed and verified."""
    claims = replace(request_of(VECTORS["requests"][1]["claims"]), **changes)
    return check_request(sign_request(claims, signer("system")), {})


def test_a_retry_may_renew_times_token_and_head() -> None:
    """`iat`, `exp` and `log` may differ between attempts of one request."""
    first = request()
    retry = request(iat=NOW - 1, exp=NOW + 60, log=LogHead(ORIGIN, 81_300, b64u(bytes(32))))
    assert first.digest != retry.digest
    assert same_request(first, retry)
    assert same_request(first, request(log=None))


@pytest.mark.parametrize(
    "change",
    [
        {"matter": "330100-2026-000018"},
        {"jti": "5b1c7f52-0d5e-4a0b-8f0e-1f6f2f7a9c03"},
        {"consent": None},
        {"clerk": "clerks/0043"},
        {"act": "delegations/1"},
    ],
)
def test_a_retry_must_say_the_same(change: dict[str, Any]) -> None:
    """Any other claim makes it another request."""
    assert not same_request(request(), request(**change))


def test_the_order_of_members_is_not_content() -> None:
    """A client that writes its members in another order has made the same request."""
    claims = VECTORS["requests"][1]["claims"]
    turned = dict(reversed(claims.items()))
    compact = signer("system").compact(REQUEST_TYP, emit_json(turned))
    assert same_request(request(), check_request(compact, {}))


def test_forwarded_request_is_compared_by_what_it_says() -> None:
    """A forwarded request that its system signed afresh is the same; another matter is not."""

    def inner(**changes: Any) -> str:
        claims = replace(request_of(VECTORS["requests"][0]["claims"]), **changes)
        return sign_request(claims, signer("system"))

    first = request(fwd=inner(), via=("hub.ningbo.example",))
    retry = request(fwd=inner(iat=NOW - 2, ath=b64u(bytes(32))), via=("hub.ningbo.example",))
    other = request(fwd=inner(matter="x"), via=("hub.ningbo.example",))
    assert same_request(first, retry)
    assert not same_request(first, other)


@pytest.mark.parametrize(
    "change",
    [
        {"fwd": "e30.e30.e30", "via": ()},
        {"fwd": "not a JWS", "via": ("hub.ningbo.example",)},
        {"fwd": "e30.e30.e30", "via": ("a", "b", "c", "d", "e")},
    ],
)
def test_forwarding_must_be_whole(change: dict[str, Any]) -> None:
    """An empty or long path, or a forwarded text that is no JWS, is refused."""
    assert refusal(lambda: request(**change))[0] is ProofReason.VIA_INVALID


def test_holder_is_never_in_a_repr() -> None:
    """A request in a log line shows no personal data."""
    shown = repr(request())
    assert "91330100MADEM0011P" not in shown
    assert VECTORS["requests"][1]["compact"][:40] not in shown


def test_true_is_not_one() -> None:
    """A boolean where an integer belongs is refused: in Python True equals 1."""
    claims = VECTORS["requests"][0]["claims"] | {"v": True}
    compact = signer("system").compact(REQUEST_TYP, emit_json(claims))
    assert refusal(lambda: check_request(compact, {}))[0] is ProofReason.FORMAT_VERSION


def test_request_with_another_systems_key_is_refused() -> None:
    """A key signs for its owner only, whatever the token says."""
    compact = VECTORS["requests"][0]["compact"]

    def other(kid: str) -> RegisteredKey | None:
        key = keys(kid)
        return replace(key, owner="systems/window-2") if key else None

    reason, _ = refusal(
        lambda: verify_request(
            compact,
            keys=other,
            origin=ORIGIN,
            region=REGION,
            rpc=VECTORS["rpc"],
            now=NOW,
            token_digest=VECTORS["tokens"][0]["digest"],
            token_subject="systems/window-1",
        )
    )
    assert reason is ProofReason.ISS_MISMATCH


# -- Tokens and keys -------------------------------------------------------------------------------


def test_a_verified_token_is_checked_again_at_each_call() -> None:
    """A cached token ends with its time, its connection, its generation and its revocation."""
    verified = check_token(VECTORS["tokens"][0]["compact"], {})
    good: dict[str, Any] = {
        "now": NOW,
        "certificate_digest": CLIENT_DIGEST,
        "generation": 4,
        "revoked": frozenset(),
    }
    check_token_again(verified, **good)
    for change, reason in (
        ({"now": verified.token.exp}, ProofReason.EXPIRED),
        ({"certificate_digest": "x"}, ProofReason.CNF_MISMATCH),
        ({"generation": 5}, ProofReason.TOKEN_REVOKED),
        ({"revoked": {verified.token.jti}}, ProofReason.TOKEN_REVOKED),
    ):
        assert refusal(lambda c=change: check_token_again(verified, **(good | c)))[0] is reason


def test_jwk_round_trip_and_point_off_the_curve() -> None:
    """A JWK gives its key back; coordinates that are no point are refused."""
    public = private_key("system").public_key()
    members: dict[str, Json] = dict(jwk(public))
    assert jwk(public_key_from_jwk(members)) == members
    off = members | {"y": members["x"]}
    assert refusal(lambda: public_key_from_jwk(off))[0] is ProofReason.JWK_INVALID
    assert refusal(lambda: public_key_from_jwk({"kty": "EC"}))[0] is ProofReason.JWK_INVALID


def test_a_signer_elsewhere_may_give_only_signatures() -> None:
    """The key may live in another process: what it needs is the signing input."""
    here = private_key("system")

    def elsewhere(signing_input: bytes) -> bytes:
        return raw_signature(here.sign(signing_input, ec.ECDSA(hashes.SHA256())))

    kid = VECTORS["keys"]["system"]["kid"]
    compact = Signer(kid, elsewhere).compact(REQUEST_TYP, b'{"v":1}')
    jws = open_jws(compact, typ=REQUEST_TYP, keys=keys, size_max=1000)
    assert jws.claims == {"v": 1}
    assert (
        refusal(lambda: open_jws(compact, typ=REQUEST_TYP, keys=keys, size_max=len(compact) - 1))[0]
        is ProofReason.TOO_LARGE
    )


# -- Batches and status ----------------------------------------------------------------------------


def test_connector_cannot_write_anothers_chain() -> None:
    """A root whose `iss` is not the key's owner is refused."""
    root = check_root(VECTORS["batch"]["compact"], {}).root
    forged = sign_batch_root(replace(root, iss="systems/connector-2"), signer("connector"))
    assert refusal(lambda: check_root(forged, {}))[0] is ProofReason.ISS_MISMATCH


@pytest.mark.parametrize("n", [0, INGEST_LEAVES_MAX + 1])
def test_batch_size_is_bounded(n: int) -> None:
    """A batch is never empty and never above the limit of its place."""
    root = check_root(VECTORS["batch"]["compact"], {}).root
    compact = sign_batch_root(replace(root, n=n), signer("connector"))
    reason, _ = refusal(
        lambda: verify_batch_root(
            compact,
            keys=keys,
            origin=ORIGIN,
            region=REGION,
            purpose=Purpose.ROW,
            now=NOW,
            leaves_max=INGEST_LEAVES_MAX,
        )
    )
    assert reason is ProofReason.BATCH_N


def status_token(lst: str) -> str:
    """A status token around any `lst`."""
    uri = VECTORS["status"]["reference"]["uri"]
    claims = StatusClaims(ORIGIN, uri, ORIGIN, REGION, NOW, NOW + 60, 60)
    return sign_status_list(claims, lst, signer("status"))


def test_status_three_and_small_lists_cannot_be_checked() -> None:
    """The value 3 has no meaning; a short list would tell whose status it holds."""
    full = b64u(zlib.compress(b"\xff" * LIST_BYTES_MIN))
    opened = check_status_list(status_token(full), {})
    assert refusal(lambda: read_status(opened, 0)) == (
        ProofReason.STATUS_VALUE,
        Verdict.CANNOT_CHECK,
    )
    small = b64u(zlib.compress(bytes(LIST_BYTES_MIN - 1)))
    assert refusal(lambda: check_status_list(status_token(small), {})) == (
        ProofReason.STATUS_TOO_SMALL,
        Verdict.CANNOT_CHECK,
    )


def test_status_list_keeps_each_place_apart() -> None:
    """Setting one place leaves its three neighbours in the byte as they were."""
    made = StatusList()
    for index, status in enumerate((Status.SUSPENDED, Status.INVALID, Status.SUSPENDED)):
        made.set(index, status)
    made.set(1, Status.VALID)
    assert [made.get(index) for index in range(4)] == [2, 0, 2, 0]
    assert refusal(lambda: made.get(len(made)))[0] is ProofReason.STATUS_INDEX
    assert refusal(lambda: StatusList(8))[0] is ProofReason.STATUS_INDEX


# -- Records ---------------------------------------------------------------------------------------


def test_every_record_of_a_type_has_as_many_digests() -> None:
    """The number of digests tells the type, not which fields or holders a record has."""
    assert digests_of_type(13) == 16
    many: dict[str, Json] = {f"f{number}": None for number in range(13)}
    assert len(draw_digests(many, 16).sd) == len(draw_digests({"f": 1}, 16).sd) == 16
    assert refusal(lambda: draw_digests(many, 8))[0] is ProofReason.SD_MALFORMED


@pytest.mark.parametrize("name", ["exp", "cert", "_sd", "...", "1st", "a b", "", "x" * 65])
def test_reserved_and_odd_field_names_are_never_sealed(name: str) -> None:
    """A field may not pose as a clear or registered claim."""
    assert refusal(lambda: draw_digests({name: 1}, 8))[0] is ProofReason.DISCLOSURE_RESERVED_NAME


@pytest.mark.parametrize(
    ("custody", "delegation", "attested_by"),
    [
        (Custody.HUB_HSM, None, None),
        (Custody.DEPARTMENT, "delegations/12", None),
        (Custody.ATTESTED, None, None),
        (Custody.DEPARTMENT, None, "officers/1"),
    ],
)
def test_custody_is_stated_consistently(
    custody: Custody, delegation: str | None, attested_by: str | None
) -> None:
    """The hub's word is never dressed up as the department's: refused when made."""
    claims = replace(CLAIMS, custody=custody, delegation=delegation, attested_by=attested_by)
    assert refusal(lambda: record_payload(claims, []))[0] is ProofReason.CUSTODY_INVALID


def test_attested_and_delegated_records_verify_and_say_so() -> None:
    """Each custody passes with exactly its companion claim, and the result carries it."""
    for change in (
        {"custody": Custody.HUB_FILE, "delegation": "delegations/12"},
        {"custody": Custody.ATTESTED, "attested_by": "officers/1"},
    ):
        claims = replace(CLAIMS, **change)  # type: ignore[arg-type]
        sealed = seal_record(claims, {"name": "x"}, digests_n=8, signer=signer("seal", SEAL_X5C))
        text = present(sealed.jws, sealed.disclosures, ["name"])
        got = check_presentation(text, {"vct": claims.vct, "fields": ["name"]})
        assert got.custody is change["custody"]
        assert got.record == claims


# -- X.509 chains ----------------------------------------------------------------------------------


def x509_certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[str, ec.EllipticCurvePrivateKey],
    *,
    ca: bool,
    path_length: int | None = None,
    digital_signature: bool = True,
    ends: int = 2035,
) -> x509.Certificate:
    """A small certificate in force from 2025 to `ends`."""
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if not ca:
        subject.append(x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, USCC))
    usage = x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer[0])]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(ends, 1, 1, tzinfo=datetime.UTC))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
        .add_extension(usage, critical=True)
        .sign(issuer[1], hashes.SHA256())
    )


class Pki:
    """Root, intermediate and leaf, each changeable."""

    def __init__(self, *, root: Any = None, middle: Any = None, leaf: Any = None) -> None:
        keys_ = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
        self.leaf_key = keys_[2]
        root_name, middle_name = ("root", keys_[0]), ("middle", keys_[1])
        self.root = x509_certificate("root", keys_[0], root_name, **{"ca": True, **(root or {})})
        self.middle = x509_certificate(
            "middle", keys_[1], root_name, **{"ca": True, **(middle or {})}
        )
        self.leaf = x509_certificate("leaf", keys_[2], middle_name, **{"ca": False, **(leaf or {})})

    def verdict(self, chain: list[x509.Certificate]) -> ProofReason | None:
        """Why a record sealed with the leaf under this `x5c` is refused; None if it verifies."""
        x5c = tuple(
            base64.b64encode(item.public_bytes(serialization.Encoding.DER)).decode()
            for item in chain
        )
        sealing = es256_signer(self.leaf_key, x5c)
        sealed = seal_record(CLAIMS, {"name": "x"}, digests_n=8, signer=sealing)
        text = present(sealed.jws, sealed.disclosures, ["name"])
        expected = Expectation(ORIGIN, REGION, CLAIMS.vct, frozenset({"name"}))
        try:
            verify_presentation(text, expected, keys=None, anchors=[self.root], now=NOW)
        except ProofError as error:
            return error.reason
        return None


def test_chain_with_an_intermediate_leads_to_the_anchor() -> None:
    """Leaf and intermediate in `x5c`, the root pinned."""
    pki = Pki()
    assert pki.verdict([pki.leaf, pki.middle]) is None


def test_chain_must_be_whole_and_without_the_root() -> None:
    """A missing or swapped link is untrusted; a root in the chain is refused."""
    pki = Pki()
    assert pki.verdict([pki.leaf]) is ProofReason.X5C_UNTRUSTED
    assert pki.verdict([pki.leaf, pki.middle, pki.root]) is ProofReason.X5C_INVALID
    assert pki.verdict([pki.middle, pki.leaf]) is ProofReason.X5C_KEY_MISMATCH


@pytest.mark.parametrize(
    "change",
    [
        {"middle": {"ca": False}},
        {"middle": {"ends": 2025 + 1}, "leaf": {"ends": 2026}},
        {"leaf": {"digital_signature": False}},
        {"root": {"path_length": 0}},
    ],
)
def test_chain_is_refused_where_a_link_may_not_do_what_it_does(change: dict[str, Any]) -> None:
    """No CA, out of force when sealed, wrong key usage, path too long."""
    pki = Pki(**change)
    assert pki.verdict([pki.leaf, pki.middle]) is ProofReason.X5C_UNTRUSTED


def test_empty_x5c_is_refused_without_a_registry() -> None:
    """Without registry and chain there is no key at all."""
    pki = Pki()
    assert pki.verdict([]) is ProofReason.HEADER_MEMBER


def test_status_list_failure_is_never_invalid() -> None:
    """Even a broken text says *cannot check*."""
    assert refusal(
        lambda: verify_status_list(
            "x", keys=keys, origin=ORIGIN, region=REGION, uri="u", now=NOW, highest_iat=None
        )
    ) == (ProofReason.JWS_MALFORMED, Verdict.CANNOT_CHECK)
