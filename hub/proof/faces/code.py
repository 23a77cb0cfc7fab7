"""The signed code on the face of a certificate (docs/formats/qr-code.md, version 2).

A JWS without its dispensable bytes: key id, signature and payload in binary, written in Base45
(RFC 9285) so that a QR code takes it in its alphanumeric mode. Header and base64 follow from the
rest, so there is one text for one code.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field
from typing import Final

from hub.domain.identifier import CertificateIdentifier
from hub.errors import HubError
from hub.proof.encoding import Json, b64u, b64u_decode, emit_json, parse_object
from hub.proof.jose import (
    FACE_TYP,
    FORMAT_VERSION,
    Keys,
    Signer,
    check_equal,
    check_issued,
    check_members,
    header_segment,
    integer,
    open_jws,
    optional_string,
    string,
)
from hub.proof.reasons import ProofError, ProofReason, Verdict

PREFIX: Final = "SEALWAY:2:"
FACE_CODE_SIZE_MAX: Final = 1_000
"""Characters of the text. Longer ones are not read from paper any more."""

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_KID_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REQUIRED: Final = frozenset(
    ["v", "origin", "region", "type_version", "cert", "name", "list", "place", "iat"]
)
_OPTIONAL: Final = frozenset({"number", "from", "until"})


@dataclass(frozen=True, slots=True)
class FaceCode:
    """What a code says. `name` and `number` are as printed, the number "" where none is; days are
    `YYYY-MM-DD`, `valid_from` "" where no first day is known, `valid_until` "" for long term;
    `status_list` and `status_place` say where its status stands; `iat` in seconds.
    """

    origin: str
    region: str
    identifier: str
    type_version: int
    name: str = field(repr=False)
    number: str = field(repr=False)
    valid_from: str
    valid_until: str
    status_list: int
    status_place: int
    iat: int

    @property
    def issuer(self) -> str:
        """Credit code of the issuing authority, a segment of the identifier."""
        return CertificateIdentifier.parse(self.identifier).issuer

    def is_valid_on(self, day: datetime.date) -> bool:
        """Whether its own days hold `day`; its status says more."""
        until = self.valid_until or "9999-12-31"
        return self.valid_from <= day.isoformat() <= until


def sign_face_code(code: FaceCode, signer: Signer) -> str:
    """The text of the code under an ES256 key. Raises ProofError(TOO_LARGE), before it signs."""
    payload = code_payload(code)
    unsigned_text(code)
    _, _, signature = signer.compact(FACE_TYP, payload).split(".")
    return _text(signer.kid, b64u_decode(signature), payload)


def unsigned_text(code: FaceCode) -> str:
    """As long as the text of the code will be, and of nobody's key: whether it fits a box is known
    before it is signed. Raises ProofError(TOO_LARGE)."""
    return _text(b64u(bytes(_KID_BYTES)), bytes(_SIGNATURE_BYTES), code_payload(code))


def code_payload(code: FaceCode) -> bytes:
    """What is signed of a code; there is one encoding of it."""
    claims: dict[str, Json] = {
        "v": FORMAT_VERSION,
        "origin": code.origin,
        "region": code.region,
        "type_version": code.type_version,
        "cert": code.identifier,
        "name": code.name,
    }
    if code.number:
        claims["number"] = code.number
    if code.valid_from:
        claims["from"] = code.valid_from
    if code.valid_until:
        claims["until"] = code.valid_until
    claims |= {"list": code.status_list, "place": code.status_place, "iat": code.iat}
    return emit_json(claims)


def _text(kid: str, signature: bytes, payload: bytes) -> str:
    text = PREFIX + base45(b64u_decode(kid) + signature + payload)
    if len(text) > FACE_CODE_SIZE_MAX:
        raise ProofError(ProofReason.TOO_LARGE)
    return text


def verify_face_code(text: str, *, keys: Keys, origin: str, region: str, now: int) -> FaceCode:
    """What an authentic code says. Raises ProofError with the reason of the first failing step.

    `keys` knows keys of pinned certificates by their thumbprint; the owner of each is its
    authority's credit code. Whether the paper says the same is for whoever holds it, and whether
    the certificate is still in force its status list.
    """
    kid, signature, payload = _unpacked(text)
    if keys(kid) is None:
        # An issuer that nobody pinned here is no forger.
        raise ProofError(ProofReason.KEY_UNKNOWN, verdict=Verdict.CANNOT_CHECK)
    header = header_segment(FACE_TYP, kid)
    compact = f"{header}.{b64u(payload)}.{b64u(signature)}"
    jws = open_jws(compact, typ=FACE_TYP, keys=keys, size_max=2 * FACE_CODE_SIZE_MAX)
    code = _code(jws.claims)
    check_equal(
        jws.claims,
        {
            "origin": (origin, ProofReason.ORIGIN_WRONG),
            "region": (region, ProofReason.REGION_WRONG),
        },
    )
    if code.issuer != jws.key.owner:
        raise ProofError(ProofReason.ISSUER_MISMATCH)
    check_issued(code.iat, now)
    return code


def read_face_code(text: str) -> FaceCode:
    """What a code claims, its signature not looked at. Raises ProofError as `verify_face_code`."""
    return read_payload(_unpacked(text)[2])


def face_code_key(text: str) -> str:
    """The thumbprint of the key that a code names. Raises ProofError as `verify_face_code`."""
    return _unpacked(text)[0]


def read_payload(payload: bytes) -> FaceCode:
    """What is signed of a code, read. Raises ProofError."""
    return _code(parse_object(payload))


def _unpacked(text: str) -> tuple[str, bytes, bytes]:
    """Key id, signature and payload."""
    if len(text) > FACE_CODE_SIZE_MAX:
        raise ProofError(ProofReason.TOO_LARGE)
    if not text.startswith(PREFIX):
        raise ProofError(ProofReason.CODE_MALFORMED)
    packed = base45_decode(text[len(PREFIX) :])
    signed = _KID_BYTES + _SIGNATURE_BYTES
    if len(packed) <= signed:
        raise ProofError(ProofReason.CODE_MALFORMED)
    return b64u(packed[:_KID_BYTES]), packed[_KID_BYTES:signed], packed[signed:]


def _code(claims: dict[str, Json]) -> FaceCode:
    check_members(claims, _REQUIRED, _OPTIONAL)
    try:
        identifier = str(CertificateIdentifier.parse(string(claims, "cert")))
    except HubError as error:
        raise ProofError(ProofReason.CLAIM_INVALID, "cert") from error
    days = {name: optional_string(claims, name) for name in ("from", "until")}
    for name, day in days.items():
        if day is not None and not _DAY.fullmatch(day):
            raise ProofError(ProofReason.CLAIM_INVALID, name)
    return FaceCode(
        origin=string(claims, "origin"),
        region=string(claims, "region"),
        identifier=identifier,
        type_version=integer(claims, "type_version", least=1),
        name=string(claims, "name"),
        number=optional_string(claims, "number") or "",
        valid_from=days["from"] or "",
        valid_until=days["until"] or "",
        status_list=integer(claims, "list"),
        status_place=integer(claims, "place"),
        iat=integer(claims, "iat"),
    )


def base45(data: bytes) -> str:
    """RFC 9285: two bytes become three characters, a last single one two."""
    written = []
    for at in range(0, len(data), 2):
        pair = data[at : at + 2]
        value = int.from_bytes(pair)
        for _ in range(len(pair) + 1):
            value, character = divmod(value, 45)
            written.append(_ALPHABET[character])
    return "".join(written)


def base45_decode(text: str) -> bytes:
    """The bytes of which `text` is the Base45. Raises ProofError(CODE_MALFORMED) for any other
    character, for what is cut off, and for a group that is more than its bytes."""
    data = bytearray()
    for at in range(0, len(text), 3):
        group = text[at : at + 3]
        try:
            value = sum(_VALUES[one] * 45**place for place, one in enumerate(group))
            data += value.to_bytes(len(group) - 1)
        except (KeyError, OverflowError) as error:
            raise ProofError(ProofReason.CODE_MALFORMED) from error
        if len(group) == 1:
            raise ProofError(ProofReason.CODE_MALFORMED)
    return bytes(data)
