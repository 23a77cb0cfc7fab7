"""SM2 step by step as GB/T 32918.2 writes it, on any curve, with any k: for tests, and slow.

Nothing here is constant in time and k is an argument: never sign with it outside of tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from hub.proof import sm2_comb
from hub.proof.sm2 import DEFAULT_ID, sm3

Point: TypeAlias = "tuple[int, int] | None"


@dataclass(frozen=True)
class Curve:
    """y² = x³ + ax + b mod p, with a base point of order n."""

    p: int
    a: int
    b: int
    n: int
    base: tuple[int, int]

    def add(self, one: Point, other: Point) -> Point:
        """GB/T 32918.1 §3.2.3.1."""
        if one is None or other is None:
            return other if one is None else one
        (x1, y1), (x2, y2) = one, other
        if x1 == x2 and (y1 + y2) % self.p == 0:
            return None
        if one == other:
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.p)
        x3 = (slope * slope - x1 - x2) % self.p
        return x3, (slope * (x1 - x3) - y1) % self.p

    def multiply(self, scalar: int, point: Point) -> Point:
        """By doubling and adding."""
        total: Point = None
        while scalar:
            if scalar & 1:
                total = self.add(total, point)
            point = self.add(point, point)
            scalar >>= 1
        return total

    def public(self, d: int) -> tuple[int, int]:
        """The key of the scalar `d`."""
        point = self.multiply(d, self.base)
        assert point is not None
        return point


SM2P256V1 = Curve(sm2_comb.P, sm2_comb.A, sm2_comb.B, sm2_comb.N, (sm2_comb.GX, sm2_comb.GY))

# The older curve of GM/T 0003.2, annex A.2, which only examples use.
EXAMPLE_CURVE = Curve(
    p=0x8542D69E4C044F18E8B92435BF6FF7DE457283915C45517D722EDB8B08F1DFC3,
    a=0x787968B4FA32C3FD2417842E73BBFEFF2F3C848B6831D7E0EC65228B3937E498,
    b=0x63E4C6D3B23B0C849CF84241484BFE48F61D59A5B16BA06E6E12D1DA27C5249A,
    n=0x8542D69E4C044F18E8B92435BF6FF7DD297720630485628D5AE74EE7C32E79B7,
    base=(
        0x421DEBD61B62EAB6746434EBC3CC315E32220B3BADD50BDC4C4E6C147FEDD43D,
        0x0680512BCBB42C07D47349D2153B70C4E5D7FDFCBFA36EA1A85841B9E46E09A2,
    ),
)


def entity(curve: Curve, public: tuple[int, int], id: bytes = DEFAULT_ID) -> bytes:
    """Z (§5.5)."""
    numbers = (curve.a, curve.b, *curve.base, *public)
    return sm3((8 * len(id)).to_bytes(2) + id + b"".join(item.to_bytes(32) for item in numbers))


def digest(curve: Curve, public: tuple[int, int], message: bytes, id: bytes = DEFAULT_ID) -> int:
    """e (§6.1, A1 and A2)."""
    return int.from_bytes(sm3(entity(curve, public, id) + message))


def sign_digest(curve: Curve, d: int, e: int, k: int) -> tuple[int, int]:
    """r and s over `e` with `k` (§6.1, A4 to A6)."""
    point = curve.multiply(k, curve.base)
    assert point is not None
    r = (e + point[0]) % curve.n
    assert r
    assert (r + k) % curve.n
    s = pow(1 + d, -1, curve.n) * (k - r * d) % curve.n
    assert s
    return r, s


def sign(
    d: int, message: bytes, k: int, *, id: bytes = DEFAULT_ID, curve: Curve = SM2P256V1
) -> tuple[int, int]:
    """r and s over a message."""
    return sign_digest(curve, d, digest(curve, curve.public(d), message, id), k)


def verifies(
    public: tuple[int, int],
    message: bytes,
    r: int,
    s: int,
    *,
    id: bytes = DEFAULT_ID,
    curve: Curve = SM2P256V1,
) -> bool:
    """§7.1."""
    if not (0 < r < curve.n and 0 < s < curve.n) or (r + s) % curve.n == 0:
        return False
    t = (r + s) % curve.n
    point = curve.add(curve.multiply(s, curve.base), curve.multiply(t, public))
    return point is not None and (digest(curve, public, message, id) + point[0]) % curve.n == r
