"""Verification of SM2 with tables of a key's multiples: for keys that verify again and again.

Only public numbers pass through here, so time may depend on them; nothing signs with this. Whoever
needs s·G + t·P (GB/T 32918.2 §7.1) finds the multiple for every few bits of s and t in a table and
adds up some sixty points, pairwise and level by level, as affine points: all divisions of a level
are one (Montgomery's trick), which makes an addition cost six multiplications.

With gmpy2 this takes a third of libcrypto's time, without it about as long: so without gmpy2 nobody
calls it. Every test run compares the two on the same signatures.
"""

from __future__ import annotations

import importlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, TypeAlias

# sm2p256v1 (GB/T 32918.5): y² = x³ + ax + b mod p, a base point G of order n.
P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC
B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
GX: Final = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY: Final = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123

# Tables take as long to make as some forty verifications by libcrypto.
HOT_AFTER: Final = 64
HOT_KEYS_MAX: Final = 32
COUNTED_KEYS_MAX: Final = 1024

# Bits per table: a key's 4,096 points take some 0.8 MB, the base point's 13,312 are made once.
KEY_BITS: Final = 8
BASE_BITS: Final = 10

# Affine; the point at infinity is None where it may occur.
Point: TypeAlias = tuple[Any, Any]


def _whole_numbers() -> tuple[Callable[[int], Any], Callable[[Any], Any], bool]:
    """Whole numbers, their inverse mod p, and whether they are the fast ones of gmpy2."""
    try:
        gmpy2 = importlib.import_module("gmpy2")
    except ImportError:
        return int, lambda value: pow(value, -1, P), False
    modulus = gmpy2.mpz(P)
    return gmpy2.mpz, lambda value: gmpy2.invert(value, modulus), True


_number, _inverse, FAST = _whole_numbers()
_P: Final = _number(P)


class Comb:
    """The multiples of one public key. Immutable; any thread may verify with it."""

    __slots__ = ("_tables",)

    def __init__(self, x: int, y: int) -> None:
        """Make the tables of the point (x, y), which is on the curve: some 10 ms."""
        self._tables = _tables(x, y, KEY_BITS)

    def accepts(self, e: int, r: int, s: int) -> bool:
        """Whether r, s (both in 1 … n-1) is a signature over the digest `e` by this key."""
        t = (r + s) % N
        if t == 0:
            return False
        points = _multiples(_base(), s, BASE_BITS) + _multiples(self._tables, t, KEY_BITS)
        total = _sum(points)
        return total is not None and (e + int(total[0])) % N == r


class HotKeys:
    """The tables of the keys that verified most lately; any thread may ask.

    A key is hot from its `HOT_AFTER`th use on, until `HOT_KEYS_MAX` others were used since.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._combs: OrderedDict[bytes, Comb] = OrderedDict()
        self._counts: OrderedDict[bytes, int] = OrderedDict()

    def comb(self, point: bytes) -> Comb | None:
        """The tables of a point 04 ‖ x ‖ y that is on the curve; None while it is not hot."""
        with self._lock:
            comb = self._combs.get(point)
            if comb is not None:
                self._combs.move_to_end(point)
                return comb
            count = self._counts.pop(point, 0) + 1
            self._counts[point] = count
            if len(self._counts) > COUNTED_KEYS_MAX:
                self._counts.popitem(last=False)
        if count != HOT_AFTER:
            # Above it another thread makes the tables just now.
            return None
        comb = Comb(int.from_bytes(point[1:33]), int.from_bytes(point[33:]))
        with self._lock:
            self._combs[point] = comb
            self._counts.pop(point, None)
            if len(self._combs) > HOT_KEYS_MAX:
                self._combs.popitem(last=False)
        return comb


@cache
def _base() -> list[list[Point]]:
    return _tables(GX, GY, BASE_BITS)


def _tables(x: int, y: int, bits: int) -> list[list[Point]]:
    """For each digit of a scalar the multiples 1 … 2^(bits-1) of (x, y), at the digit's place."""
    start = _number(x), _number(y)
    rows: list[list[Point]] = []
    for _ in range(_digits(bits)):
        rows.append([start])
        for _ in range(bits):
            start = _double(start)
    # All rows double their length together: few divisions for many points.
    while len(rows[0]) < 1 << (bits - 1):
        left = [point for row in rows for point in row[:-1]]
        right = [row[-1] for row in rows for _ in row[:-1]]
        sums = iter(_add_all(left, right))
        for row in rows:
            length = len(row)
            row.extend(next(sums) for _ in range(length - 1))
            row.append(_double(row[length - 1]))
    return rows


def _digits(bits: int) -> int:
    """How many digits a scalar below n has; the last takes the carry."""
    return N.bit_length() // bits + 1


def _multiples(rows: Sequence[Sequence[Point]], scalar: int, bits: int) -> list[Point]:
    """The points whose sum is the multiple by `scalar`: one for each digit that is not 0.

    Digits run from 1 - 2^(bits-1) to 2^(bits-1): what is negative is the mirrored point.
    """
    points: list[Point] = []
    half, mask = 1 << (bits - 1), (1 << bits) - 1
    for row in rows:
        digit = scalar & mask
        scalar >>= bits
        if digit > half:
            scalar += 1
            x, y = row[mask - digit]
            points.append((x, _P - y))
        elif digit:
            points.append(row[digit - 1])
    return points


def _sum(points: list[Point]) -> Point | None:
    """The sum of all, pairwise and level by level; None for the point at infinity."""
    while len(points) > 1:
        odd = [points.pop()] if len(points) % 2 else []
        points = _add_all(points[::2], points[1::2]) + odd
    return points[0] if points else None


def _add_all(left: Sequence[Point], right: Sequence[Point]) -> list[Point]:
    """The sums of the pairs, with one division for all; a sum at infinity is left out."""
    p = _P
    steps = [other[0] - one[0] for one, other in zip(left, right, strict=True)]
    product = _number(1)
    before = []
    for step in steps:
        before.append(product)
        product = product * step % p
    if not product:
        # Some pair has the same abscissa: twice the same point, or two that cancel.
        each = [_add(one, other) for one, other in zip(left, right, strict=True)]
        return [point for point in each if point is not None]
    inverse = _inverse(product)
    sums = []
    for index in range(len(steps) - 1, -1, -1):
        x1, y1 = left[index]
        x2, y2 = right[index]
        slope = (y2 - y1) * (inverse * before[index] % p) % p
        inverse = inverse * steps[index] % p
        x3 = (slope * slope - x1 - x2) % p
        sums.append((x3, (slope * (x1 - x3) - y1) % p))
    sums.reverse()
    return sums


def _add(one: Point, other: Point) -> Point | None:
    """The sum of any two points, with a division of its own."""
    if one[0] == other[0]:
        return None if (one[1] + other[1]) % _P == 0 else _double(one)
    return _add_all([one], [other])[0]


def _double(point: Point) -> Point:
    """Twice a point; none of this curve has order 2."""
    x, y = point
    slope = (3 * x * x + A) * _inverse(2 * y % _P) % _P
    doubled = (slope * slope - 2 * x) % _P
    return doubled, (slope * (x - doubled) - y) % _P
