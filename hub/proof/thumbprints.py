"""What a seal's key is called, whatever its algorithm: the thumbprint of its public half.

RFC 7638; RFC 8037 for Ed25519, and `crv: SM2` for SM2 (formats.md §4).
"""

from __future__ import annotations

from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from hub.proof import sm2
from hub.proof.encoding import b64u, digest, emit_json
from hub.proof.jose import jwk, sm2_jwk

PublicHalf: TypeAlias = (
    ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey | sm2.PublicKey
)


def key_thumbprint(key: PublicHalf) -> str:
    """SHA-256 over the required members of the key's JWK, base64url; of elliptic curves P-256 and
    P-384 are known. Raises ValueError for another."""
    return digest(emit_json(dict(sorted(_jwk(key).items()))))


def _jwk(key: PublicHalf) -> dict[str, str]:
    match key:
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            return jwk(key)
        case ec.EllipticCurvePublicKey(curve=ec.SECP384R1()):
            numbers = key.public_numbers()
            x, y = numbers.x.to_bytes(48), numbers.y.to_bytes(48)
            return {"kty": "EC", "crv": "P-384", "x": b64u(x), "y": b64u(y)}
        case ed25519.Ed25519PublicKey():
            return {"kty": "OKP", "crv": "Ed25519", "x": b64u(key.public_bytes_raw())}
        case rsa.RSAPublicKey():
            modulus = key.public_numbers()
            return {"kty": "RSA", "n": b64u(_unsigned(modulus.n)), "e": b64u(_unsigned(modulus.e))}
        case sm2.PublicKey():
            return sm2_jwk(key)
    raise ValueError("a key of another kind")


def _unsigned(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)
