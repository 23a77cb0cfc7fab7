"""The fast lane for hot keys says what libcrypto says, of every signature."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.proof import sm2, sm2_comb
from hub.proof.sm2_comb import GX, GY, HOT_AFTER, HOT_KEYS_MAX, A, B, Comb, HotKeys, N, P
from tests.proof.test_sm2 import MESSAGE, POINT, R, S

KEY = sm2.PrivateKey.from_pkcs8(sm2.PrivateKey.generate().to_pkcs8())
EDGES = (1, 2, 3, 127, 128, 129, 255, 256, 512, 513, N // 2, N // 2 + 1, N - 2, N - 1)


def comb_of(point: bytes) -> Comb:
    return Comb(int.from_bytes(point[1:33]), int.from_bytes(point[33:]))


COMB = comb_of(KEY.public.point)


def evp(message: bytes, r: int, s: int) -> bool:
    """libcrypto's answer; the key is fresh, so it is not hot."""
    return sm2.PublicKey(KEY.public.point).verify(message, encode_dss_signature(r, s))


@pytest.fixture(autouse=True)
def _nothing_is_hot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sm2, "FAST", False)


def multiple(scalar: int) -> tuple[int, int] | None:
    """scalar·G by doubling and adding: slow, and obviously right."""
    total, step = None, (GX, GY)
    while scalar:
        if scalar & 1:
            total = step if total is None else sm2_comb._add(total, step)
        step = sm2_comb._double(step)
        scalar >>= 1
    return total


def test_the_curve_is_that_of_the_standard() -> None:
    """The base point is on it, and of order n."""
    assert (GY * GY - GX**3 - A * GX - B) % P == 0
    x, y = multiple(N - 1)  # type: ignore[misc]
    assert (x, (y + GY) % P) == (GX, 0)


@given(st.one_of(st.sampled_from(EDGES), st.integers(1, N - 1)))
@settings(max_examples=40, deadline=None)
def test_tables_give_the_multiple(scalar: int) -> None:
    """Every digit, carry and sign."""
    for bits, tables in ((sm2_comb.BASE_BITS, sm2_comb._base()), (4, sm2_comb._tables(GX, GY, 4))):
        assert sm2_comb._sum(sm2_comb._multiples(tables, scalar, bits)) == multiple(scalar)


def test_the_standards_signature_is_accepted() -> None:
    """GB/T 32918.5, annex A.2."""
    e = sm2._digest(POINT, MESSAGE)

    assert e == 0xF0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640
    assert comb_of(POINT).accepts(e, R, S)
    assert not comb_of(POINT).accepts(e + 1, R, S)


@given(message=st.binary(max_size=200), change=st.integers(0, 3), by=st.integers(1, N - 1))
@settings(max_examples=100, deadline=None)
def test_both_say_the_same(message: bytes, change: int, by: int) -> None:
    """Of good signatures, and of such with another r, s or message."""
    raw = sm2.signature_to_raw(KEY.sign(message))
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    if change == 1:
        r = by
    elif change == 2:
        s = by
    elif change == 3:
        message += b"."

    answer = COMB.accepts(sm2._digest(KEY.public.point, message), r, s)

    assert answer is evp(message, r, s)
    assert answer or change


@pytest.mark.parametrize("r", EDGES)
@pytest.mark.parametrize("s", EDGES)
def test_both_say_the_same_at_the_edges(r: int, s: int) -> None:
    """r and s of one, n-1, around the windows; r + s = n."""
    assert COMB.accepts(sm2._digest(KEY.public.point, b""), r, s) is evp(b"", r, s)


def test_sums_that_meet_or_cancel_are_right() -> None:
    """The key is G itself, its mirror or a small multiple, so that additions are doublings."""
    for scalar in (1, 2, N - 1):
        x, y = multiple(scalar)  # type: ignore[misc]
        comb = Comb(int(x), int(y))
        for s, r in ((1, 1), (2, N - 4), (N // 2, N // 2), (5, N - 10)):
            t = (r + s) % N
            expected = multiple((s + t * scalar) % N)
            e = 0 if expected is None else (r - int(expected[0])) % N
            assert comb.accepts(e, r, s) is (t != 0 and expected is not None)


def test_a_key_becomes_hot_and_cools_down() -> None:
    """From its HOT_AFTERth use on; the least lately used one goes."""
    hot = HotKeys()
    point = KEY.public.point

    assert [hot.comb(point) is None for _ in range(HOT_AFTER)] == [True] * (HOT_AFTER - 1) + [False]
    for _ in range(HOT_KEYS_MAX):
        other = sm2.PrivateKey.generate().public.point
        for _ in range(HOT_AFTER):
            hot.comb(other)

    assert hot.comb(point) is None
    assert hot.comb(other) is not None


def test_a_hot_key_verifies_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the front door, by many threads."""
    monkeypatch.setattr(sm2, "FAST", True)
    key = sm2.PrivateKey.generate()
    good = key.sign(MESSAGE)
    bad = encode_dss_signature(secrets.randbelow(N - 1) + 1, S)

    def work(_: int) -> tuple[bool, bool, bool]:
        verify = key.public.verify
        return verify(MESSAGE, good), verify(MESSAGE + b".", good), verify(MESSAGE, bad)

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(work, range(2 * HOT_AFTER)))

    assert answers == {(True, False, False)}
    assert key.public.point in sm2._HOT_KEYS._combs
