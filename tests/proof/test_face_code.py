"""The signed code of a face: what is read is what was signed, or a reason."""

from __future__ import annotations

import dataclasses
import datetime
import json
from typing import Any

import pytest
import segno
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from hub.proof.encoding import b64u, b64u_decode, emit_json
from hub.proof.faces.code import (
    FACE_CODE_SIZE_MAX,
    PREFIX,
    FaceCode,
    base45,
    base45_decode,
    sign_face_code,
    verify_face_code,
)
from hub.proof.jose import FACE_TYP, STATUS_TYP, Algorithm, RegisteredKey, es256_signer
from hub.proof.reasons import ProofError, ProofReason, Verdict

KEY = ec.generate_private_key(ec.SECP256R1())
SIGNER = es256_signer(KEY)
ISSUER = "113301000025123419"
NOW = 1_769_817_700
CODE = FaceCode(
    origin="hub.hangzhou.example",
    region="330100",
    identifier="1.2.156.3005.2.11100000MB0143028R001.113301000025123419"
    ".0144B1DEFCF7561087015F8D830D65B1.001.O",
    type_version=2,
    name="杭州示例科技有限公司",
    number="91330100000000001X",
    valid_from="2026-01-31",
    valid_until="2046-01-30",
    status_list=12,
    status_place=34567,
    iat=NOW - 100,
)
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def keys(owner: str = ISSUER, use: str = FACE_TYP) -> Any:
    """The one pinned issuer."""
    pinned = RegisteredKey(SIGNER.kid, Algorithm.ES256, use, owner, KEY.public_key())
    return lambda kid: pinned if kid == SIGNER.kid else None


def verified(text: str, **changes: Any) -> FaceCode:
    """The code in a text, as a verifier reads it who pinned this hub and issuer."""
    given = {"keys": keys(), "origin": CODE.origin, "region": CODE.region, "now": NOW, **changes}
    return verify_face_code(text, **given)


def reason(text: str, **changes: Any) -> ProofReason:
    """Why a text is refused."""
    with pytest.raises(ProofError) as refused:
        verified(text, **changes)
    return refused.value.reason


def packed(text: str) -> tuple[bytes, bytes, bytes]:
    """Key id, signature and payload in a text."""
    data = base45_decode(text.removeprefix(PREFIX))
    return data[:32], data[32:96], data[96:]


def signed(**claims: Any) -> str:
    """A code with other claims, properly signed; None takes one out."""
    _, _, payload = packed(sign_face_code(CODE, SIGNER))
    members = {**json.loads(payload), **claims}
    return signed_payload(
        emit_json({name: value for name, value in members.items() if value is not None})
    )


def signed_payload(body: bytes) -> str:
    """Whatever bytes, properly signed."""
    signature = b64u_decode(SIGNER.compact(FACE_TYP, body).split(".")[2])
    return PREFIX + base45(b64u_decode(SIGNER.kid) + signature + body)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"AB", "BB8"),
        (b"Hello!!", "%69 VD92EX0"),
        (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
    ],
)
def test_base45_is_that_of_its_standard(data: bytes, text: str) -> None:
    """The examples of RFC 9285 §4.3 and §4.4."""
    assert base45(data) == text
    assert base45_decode(text) == data


@given(st.binary(max_size=200))
def test_base45_has_one_text_for_some_bytes(data: bytes) -> None:
    """Back and forth, and nothing at an end that a scanner would cut off."""
    assert base45_decode(base45(data)) == data
    assert not base45(data).endswith(" ")


@pytest.mark.parametrize("text", ["A", "::", ":::", "GGW", "abc", "BB8A", "字"])
def test_what_is_no_base45_is_refused(text: str) -> None:
    """Cut off, more than its bytes, other characters."""
    with pytest.raises(ProofError) as refused:
        base45_decode(text)

    assert refused.value.reason is ProofReason.CODE_MALFORMED


@pytest.mark.parametrize("until", ["2046-01-30", ""])
@pytest.mark.parametrize("since", ["2026-01-31", ""])
def test_what_was_signed_is_read(since: str, until: str) -> None:
    """Every member, long term, and where no first day is known."""
    code = dataclasses.replace(CODE, valid_from=since, valid_until=until)

    assert verified(sign_face_code(code, SIGNER)) == code
    assert code.is_valid_on(datetime.date(2030, 1, 1))
    assert code.is_valid_on(datetime.date(2026, 1, 30)) is (since == "")
    assert code.is_valid_on(datetime.date(2050, 1, 1)) is (until == "")


def test_a_qr_code_takes_it_in_its_alphanumeric_mode() -> None:
    """In version 16 with error correction M: 34 mm on paper are read at 150 dots per inch."""
    text = sign_face_code(CODE, SIGNER)

    code = segno.make_qr(text, error="m", boost_error=False)

    assert (code.mode, code.designator) == ("alphanumeric", "16-M")
    assert verified(text).name not in repr(verified(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ProofReason.CODE_MALFORMED),
        ("SEALWAY:1:HUB:1.2:1:1", ProofReason.CODE_MALFORMED),
        (PREFIX + base45(bytes(96)), ProofReason.CODE_MALFORMED),
        (PREFIX + base45(bytes(97)), ProofReason.KEY_UNKNOWN),
        (PREFIX + "0" * FACE_CODE_SIZE_MAX, ProofReason.TOO_LARGE),
        (signed(v=2), ProofReason.FORMAT_VERSION),
        (signed(origin="other.example"), ProofReason.ORIGIN_WRONG),
        (signed(region="330200"), ProofReason.REGION_WRONG),
        (signed(name=None), ProofReason.CLAIM_MISSING),
        (signed(phone="1"), ProofReason.CLAIM_UNKNOWN),
        (signed(until=None, list="12"), ProofReason.CLAIM_INVALID),
        (signed(until="31.1.2026"), ProofReason.CLAIM_INVALID),
        (signed(**{"from": ""}), ProofReason.CLAIM_INVALID),
        (signed(cert=CODE.identifier[:-1] + "1"), ProofReason.CLAIM_INVALID),
        (signed(iat=NOW + 31), ProofReason.IAT_FUTURE),
    ],
)
def test_a_text_that_does_not_hold_is_refused(text: str, expected: ProofReason) -> None:
    """Each step with its reason."""
    assert reason(text) is expected


def test_an_issuer_signs_for_its_own_certificates_only() -> None:
    """A pinned key of one department makes no codes of another's certificates."""
    assert reason(sign_face_code(CODE, SIGNER), keys=keys("11330105002500287C")) is (
        ProofReason.ISSUER_MISMATCH
    )


def test_an_unknown_issuer_is_cannot_check_and_a_key_of_another_use_is_refused() -> None:
    """Who pinned nothing learns nothing; a status key makes no code."""
    text = sign_face_code(CODE, SIGNER)

    with pytest.raises(ProofError) as refused:
        verified(text, keys=lambda kid: None)
    assert refused.value.verdict is Verdict.CANNOT_CHECK
    assert reason(text, keys=keys(use=STATUS_TYP)) is ProofReason.KEY_USAGE


def test_a_changed_bit_and_a_mirrored_signature_are_refused() -> None:
    """There is one text for one code."""
    text = sign_face_code(CODE, SIGNER)
    kid, signature, payload = packed(text)
    s = int.from_bytes(signature[32:])

    changed = payload.replace(b"2046", b"2096")
    assert reason(PREFIX + base45(kid + signature + changed)) is ProofReason.SIGNATURE_INVALID
    mirrored = signature[:32] + (N - s).to_bytes(32)
    assert reason(PREFIX + base45(kid + mirrored + payload)) is ProofReason.SIGNATURE_HIGH_S


def test_a_name_too_long_for_paper_is_refused_when_signed() -> None:
    """Rather than a code that nobody can scan."""
    with pytest.raises(ProofError) as refused:
        sign_face_code(dataclasses.replace(CODE, name="名" * 200), SIGNER)

    assert refused.value.reason is ProofReason.TOO_LARGE


@given(st.text(alphabet="0123456789ABCXYZ $%*+-./:", max_size=300))
def test_any_text_is_refused_as_declared(tail: str) -> None:
    """Nothing but ProofError comes out."""
    with pytest.raises(ProofError):
        verified(PREFIX + tail)


def test_the_compact_jws_is_what_any_library_verifies() -> None:
    """Header and base64 put back, PyJWT reads it."""
    import jwt

    kid, signature, payload = packed(sign_face_code(CODE, SIGNER))
    header = emit_json({"alg": "ES256", "typ": FACE_TYP, "kid": b64u(kid)})
    compact = f"{b64u(header)}.{b64u(payload)}.{b64u(signature)}"

    assert jwt.decode(compact, KEY.public_key(), ["ES256"])["cert"] == CODE.identifier
