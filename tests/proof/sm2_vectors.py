"""Our vectors for verifiers of SM2 with SM3, in the form of Wycheproof.

`python -m tests.proof.sm2_vectors` writes `docs/vectors/sm2_sm3_test.json`; everything in it
follows from the constants here, so that the file is the same each time.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.proof.sm2 import DEFAULT_ID, sm3
from tests.proof.sm2_by_the_book import SM2P256V1, digest, sign, sign_digest

FILE = Path(__file__).parent.parent.parent / "docs" / "vectors" / "sm2_sm3_test.json"
CURVE = SM2P256V1
N = CURVE.n
MESSAGE = b"message digest"
OTHER_ID = b"ALICE123@YAHOO.COM"
SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")

# GB/T 32918.5, annex A.2: its key and its k.
D = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
K = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21

NOTES = {
    "Standard": ("BASIC", "The example of GB/T 32918.5, annex A.2."),
    "HighS": ("FUNCTIONALITY", "SM2 has no low-s rule: s above n/2 is as good as below."),
    "ShortScalar": ("EDGE_CASE", "r or s has leading zero bytes, which DER leaves out."),
    "EdgeNonce": ("EDGE_CASE", "k is at an end of its range: the point is ±G, ±2G."),
    "EdgeKey": ("EDGE_CASE", "The key is G or a small multiple of it, so additions are doublings."),
    "MessageLength": ("EDGE_CASE", "The message ends around a block of SM3, or is empty."),
    "OtherId": ("FUNCTIONALITY", "The id of the signer is the group's, not the default."),
    "WrongId": ("AUTH_BYPASS", "Z was made with another id, or with its length in bytes."),
    "WrongDigest": ("AUTH_BYPASS", "e is not SM3(Z ‖ M), but a digest without Z, or another one."),
    "WrongAlgorithm": ("AUTH_BYPASS", "An ECDSA signature over e by the same key."),
    "Modified": ("AUTH_BYPASS", "Message, r or s is not what was signed."),
    "Range": ("CAN_OF_WORMS", "r or s is not in 1 … n-1, or r + s is n."),
    "Infinity": ("AUTH_BYPASS", "sG + tP is the point at infinity; its x is not 0."),
    "Ber": ("SIGNATURE_MALLEABILITY", "BER that is not DER: a second form of one signature."),
    "Malformed": ("BASIC", "Not a SEQUENCE of two INTEGERs, or with something beside it."),
    "InvalidKey": (
        "AUTH_BYPASS",
        "The key is no point of the curve, or its numbers are not below p.",
    ),
}


@dataclass(frozen=True)
class Case:
    comment: str
    flag: str
    message: bytes
    signature: bytes
    valid: bool


def integer(value: int) -> bytes:
    """A DER INTEGER."""
    length = (value.bit_length() if value >= 0 else (~value).bit_length()) // 8 + 1
    return tlv(0x02, value.to_bytes(length, signed=True))


def tlv(tag: int, content: bytes) -> bytes:
    """An element of less than 128 bytes."""
    assert len(content) < 128
    return bytes([tag, len(content)]) + content


def der(r: int, s: int) -> bytes:
    """A signature."""
    return tlv(0x30, integer(r) + integer(s))


def good(comment: str, flag: str, message: bytes, r: int, s: int) -> Case:
    return Case(comment, flag, message, der(r, s), valid=True)


def bad(comment: str, flag: str, signature: bytes, message: bytes = MESSAGE) -> Case:
    return Case(comment, flag, message, signature, valid=False)


def first(d: int, message: bytes, holds: Callable[[int, int], bool]) -> tuple[int, int]:
    """The signature with the lowest k above 2 whose r and s are as wanted."""
    e = digest(CURVE, CURVE.public(d), message)
    inverse = pow(1 + d, -1, N)
    point = CURVE.multiply(2, CURVE.base)
    for k in range(3, 10_000):
        point = CURVE.add(point, CURVE.base)
        assert point is not None
        r = (e + point[0]) % N
        s = inverse * (k - r * d) % N
        if holds(r, s):
            return r, s
    raise AssertionError("none")


def valid_cases() -> Iterator[Case]:
    r, s = sign(D, MESSAGE, K)
    yield good("the standard's example", "Standard", MESSAGE, r, s)
    for comment, holds in (
        ("s above n/2", lambda r, s: s > N // 2),
        ("s below n/2", lambda r, s: s <= N // 2),
    ):
        yield good(comment, "HighS", MESSAGE, *first(D, MESSAGE, holds))
    for comment, holds in (
        ("r of 31 bytes", lambda r, s: r < 1 << 248),
        ("s of 31 bytes", lambda r, s: s < 1 << 248),
        ("r without its highest bit", lambda r, s: r < 1 << 255),
        ("s without its highest bit", lambda r, s: s < 1 << 255),
    ):
        yield good(comment, "ShortScalar", MESSAGE, *first(D, MESSAGE, holds))
    for comment, k in (("k = 1", 1), ("k = 2", 2), ("k = n-1", N - 1), ("k = n-2", N - 2)):
        yield good(comment, "EdgeNonce", MESSAGE, *sign(D, MESSAGE, k))
    # Z takes 32 bytes of the first block, 64 bytes long.
    for length in (0, 1, 22, 23, 24, 31, 32, 33, 64, 1000):
        message = bytes(index % 251 for index in range(length))
        yield good(f"{length} bytes", "MessageLength", message, *sign(D, message, K))


def wrong_cases() -> Iterator[Case]:
    """Signatures over something else, and by another rule."""
    public = CURVE.public(D)
    coordinates = b"".join(item.to_bytes(32) for item in public)
    curve = b"".join(item.to_bytes(32) for item in (CURVE.a, CURVE.b, *CURVE.base))
    r, s = sign(D, MESSAGE, K)
    e = digest(CURVE, public, MESSAGE)
    for id in (OTHER_ID, b"", DEFAULT_ID[:-1], DEFAULT_ID + b"\x00"):
        yield bad(f"id {id.decode()!r}", "WrongId", der(*sign(D, MESSAGE, K, id=id)))
    bytes_long = sm3(b"\x00\x10" + DEFAULT_ID + curve + coordinates)
    no_curve = sm3(b"\x00\x80" + DEFAULT_ID + coordinates)
    for comment, flag, wrong in (
        ("length of the id in bytes", "WrongId", sm3(bytes_long + MESSAGE)),
        ("Z without the curve", "WrongId", sm3(no_curve + MESSAGE)),
        ("no Z", "WrongDigest", sm3(MESSAGE)),
        ("SHA-256 without Z", "WrongDigest", hashlib.sha256(MESSAGE).digest()),
        ("SM3 of e", "WrongDigest", sm3(e.to_bytes(32))),
    ):
        yield bad(comment, flag, der(*sign_digest(CURVE, D, int.from_bytes(wrong), K)))
    x = CURVE.public(K)[0] % N
    yield bad("ECDSA over e", "WrongAlgorithm", der(x, pow(K, -1, N) * (e + x * D) % N))
    yield bad("another message", "Modified", der(r, s), MESSAGE + b".")
    yield bad("an empty message", "Modified", der(r, s), b"")
    yield bad("by another key", "Modified", der(*sign(D + 1, MESSAGE, K)))
    yield bad("r and s exchanged", "Modified", der(s, r))
    yield bad("s mirrored", "Modified", der(r, N - s))
    yield bad("r mirrored", "Modified", der(N - r, s))
    for bit in (0, 1, 128, 254):
        yield bad(f"bit {bit} of r", "Modified", der(r ^ 1 << bit, s))
        yield bad(f"bit {bit} of s", "Modified", der(r, s ^ 1 << bit))
    for comment, r2, s2 in (
        ("r = 0", 0, s),
        ("s = 0", r, 0),
        ("r = s = 0", 0, 0),
        ("r = n", N, s),
        ("s = n", r, N),
        ("r + n", r + N, s),
        ("s + n", r, s + N),
        ("r - n", r - N, s),
        ("s - n", r, s - N),
        ("-r", -r, s),
        ("-s", r, -s),
        ("r = p", CURVE.p, s),
        ("r of 2^256", r + (1 << 256), s),
        ("s of 2^512", r, s + (1 << 512)),
        ("r + s = n", r, N - r),
        ("r = 1, s = n-1", 1, N - 1),
        ("r = n-1, s = 1", N - 1, 1),
    ):
        yield bad(comment, "Range", der(r2, s2))
    for r2, s2 in ((1, 1), (1, 2), (2, 1), (N - 1, N - 1), (N - 1, 2), (e % N, 1)):
        yield bad(f"r = {r2:x}, s = {s2:x}", "Modified", der(r2, s2))
    yield bad("r = e", "Infinity", der(e % N, -e * D * pow(1 + D, -1, N) % N))


def encoding_cases() -> Iterator[Case]:
    """The standard's signature in every form but the right one."""
    r, s = sign(D, MESSAGE, K)
    right = der(r, s)
    content = right[2:]
    for comment, signature in (
        ("length of the SEQUENCE in two bytes", b"\x30\x81" + right[1:]),
        ("length of the SEQUENCE in three bytes", b"\x30\x82\x00" + right[1:]),
        ("indefinite length", b"\x30\x80" + content + b"\x00\x00"),
        ("length of r in two bytes", tlv(0x30, b"\x02\x81" + integer(r)[1:] + integer(s))),
        ("length of s in two bytes", tlv(0x30, integer(r) + b"\x02\x81" + integer(s)[1:])),
        ("a zero before r", tlv(0x30, tlv(2, bytes(1) + integer(r)[2:]) + integer(s))),
        ("a zero before s", tlv(0x30, integer(r) + tlv(2, bytes(1) + integer(s)[2:]))),
        ("r in parts", tlv(0x30, tlv(0x22, integer(r)) + integer(s))),
    ):
        yield bad(comment, "Ber", signature)
    for comment, signature in (
        ("empty", b""),
        ("an empty SEQUENCE", b"\x30\x00"),
        ("r alone", tlv(0x30, integer(r))),
        ("three numbers", tlv(0x30, content + integer(0))),
        ("NULL after s", tlv(0x30, content + b"\x05\x00")),
        ("NULL before r", tlv(0x30, b"\x05\x00" + content)),
        ("a byte after the end", right + b"\x00"),
        ("twice", right + right),
        ("a byte missing", right[:-1]),
        ("a length of one more", b"\x30" + bytes([right[1] + 1]) + content),
        ("a length of one less", b"\x30" + bytes([right[1] - 1]) + content),
        ("a length of 2^32", b"\x30\x85\x01\x00\x00\x00\x00" + content),
        (
            "no zero before r, which is negative then",
            tlv(0x30, tlv(2, r.to_bytes(32)) + integer(s)),
        ),
        (
            "no zero before s, which is negative then",
            tlv(0x30, integer(r) + tlv(2, s.to_bytes(32))),
        ),
        ("r without bytes", tlv(0x30, b"\x02\x00" + integer(s))),
        ("s without bytes", tlv(0x30, integer(r) + b"\x02\x00")),
        ("a SET", b"\x31" + right[1:]),
        ("r as BIT STRING", tlv(0x30, b"\x03" + integer(r)[1:] + integer(s))),
        ("s as OCTET STRING", tlv(0x30, integer(r) + b"\x04" + integer(s)[1:])),
        ("in an OCTET STRING", tlv(0x04, right)),
        ("in a SEQUENCE", tlv(0x30, right)),
        ("the contents without the SEQUENCE", content),
        ("r ‖ s", r.to_bytes(32) + s.to_bytes(32)),
        ("as hexadecimal text", right.hex().encode()),
    ):
        yield bad(comment, "Malformed", signature)


def edge_keys() -> Iterator[tuple[int, list[Case]]]:
    for d in (1, 2, 3, N // 2, N - 3, N - 2):
        r, s = sign(d, MESSAGE, K)
        yield (
            d,
            [
                good("signed", "EdgeKey", MESSAGE, r, s),
                good("k = 1", "EdgeKey", MESSAGE, *sign(d, MESSAGE, 1)),
                bad("s + 1", "Modified", der(r, s + 1)),
            ],
        )


def invalid_keys() -> Iterator[tuple[str, bytes]]:
    x, y = CURVE.public(D)
    wide = 1 << 256
    # The lowest x below 2^256 - p that has a y: x + p is the same number modulo p.
    small, root = next(
        (candidate, root)
        for candidate in range(1, 1000)
        if (root := square_root(candidate**3 + CURVE.a * candidate + CURVE.b)) is not None
    )
    assert small + CURVE.p < wide
    point = (4).to_bytes(1)
    yield "y + 1", point + x.to_bytes(32) + (y + 1).to_bytes(32)
    yield "x and y exchanged", point + y.to_bytes(32) + x.to_bytes(32)
    yield "0, 0", point + bytes(64)
    yield "p, p", point + CURVE.p.to_bytes(32) * 2
    yield "x + p", point + (small + CURVE.p).to_bytes(32) + root.to_bytes(32)
    yield "all ones", point + b"\xff" * 64


def square_root(value: int) -> int | None:
    """Of a number modulo p, which is 3 modulo 4."""
    root = pow(value, (CURVE.p + 1) // 4, CURVE.p)
    return root if root * root % CURVE.p == value % CURVE.p else None


def encoded(x: int, y: int) -> bytes:
    return b"\x04" + x.to_bytes(32) + y.to_bytes(32)


def vectors() -> dict[str, Any]:
    """The whole file."""
    groups: list[tuple[bytes, bytes, list[Case]]] = [
        (
            encoded(*CURVE.public(D)),
            DEFAULT_ID,
            [*valid_cases(), *wrong_cases(), *encoding_cases()],
        )
    ]
    groups += [(encoded(*CURVE.public(d)), DEFAULT_ID, cases) for d, cases in edge_keys()]
    groups.append(
        (
            encoded(*CURVE.public(D)),
            OTHER_ID,
            [
                good("signed", "OtherId", MESSAGE, *sign(D, MESSAGE, K, id=OTHER_ID)),
                bad("the default id", "WrongId", der(*sign(D, MESSAGE, K))),
            ],
        )
    )
    signature = der(*sign(D, MESSAGE, K))
    groups += [
        (point, DEFAULT_ID, [bad(comment, "InvalidKey", signature)])
        for comment, point in invalid_keys()
    ]
    number = 0
    members = []
    for point, id, cases in groups:
        tests = []
        for case in cases:
            number += 1
            tests.append(
                {
                    "tcId": number,
                    "comment": case.comment,
                    "flags": [case.flag],
                    "msg": case.message.hex(),
                    "sig": case.signature.hex(),
                    "result": "valid" if case.valid else "invalid",
                }
            )
        members.append(group(point, id, tests))
    return {
        "algorithm": "SM2",
        "schema": "ecdsa_verify_schema_v1.json",
        "numberOfTests": number,
        "header": [
            "Signatures of SM2 with SM3 (GB/T 32918.2) on sm2p256v1, in DER (GB/T 35276).",
            "The form is Wycheproof's for ECDSA; a group also has the id of the signer.",
        ],
        "notes": {
            flag: {"bugType": bug, "description": text} for flag, (bug, text) in NOTES.items()
        },
        "testGroups": members,
    }


def group(point: bytes, id: bytes, tests: list[dict[str, Any]]) -> dict[str, Any]:
    spki = SPKI_HEAD + point
    text = base64.b64encode(spki).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return {
        "type": "EcdsaVerify",
        "source": {"name": "sealway", "version": "1"},
        "publicKey": {
            "type": "EcPublicKey",
            "curve": "sm2p256v1",
            "keySize": 256,
            "uncompressed": point.hex(),
            "wx": point[1:33].hex(),
            "wy": point[33:].hex(),
        },
        "publicKeyDer": spki.hex(),
        "publicKeyPem": "\n".join(
            ["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""]
        ),
        "sha": "SM3",
        "id": id.hex(),
        "tests": tests,
    }


def text() -> str:
    """The bytes of the file."""
    return json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
