"""The extension point for SDF devices (GM/T 0018), on a fake one behind the C calling convention.

The fake's functions are C callbacks, so structures and handles cross as they would to a vendor's
library; it signs by formulas of its own (`tests/seal/sm2_device.py`). No real device is claimed.
"""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hub.errors import HubError, Reason
from hub.seal.homes import sdf
from tests.seal import sm2_device
from tests.seal.sm2_device import SIGN_DIGEST, Device, Thing, multiply, octets

PIN = b"the PIN of key 3"
INDEX = 3


class FakeLibrary:
    """One key at index 3. `codes` are what functions answer instead of working."""

    def __init__(self, number_bytes: int = sdf.NUMBER_BYTES) -> None:
        self.secret, self.size = 0x1234567890ABCDEF, number_bytes
        self.codes: dict[str, int] = {}
        self.calls: list[str] = []
        self.is_open = False
        self.garbled = False
        for name, arguments in sdf.SIGNATURES.items():
            prototype = ctypes.CFUNCTYPE(sdf.RESULT, *arguments)
            setattr(self, name, prototype(self._function(name)))

    def _function(self, name: str) -> Any:
        def function(*arguments: Any) -> int:
            self.calls.append(name)
            return self.codes.get(name) or getattr(self, f"_{name.removeprefix('SDF_')}")(
                *arguments
            )

        return function

    def _OpenDevice(self, out: Any) -> int:
        out[0] = 0x7F0000000001
        return 0

    def _OpenSession(self, device: int, out: Any) -> int:
        assert device == 0x7F0000000001
        out[0] = 0x7F0000000002
        return 0

    def _CloseSession(self, _session: int) -> int:
        return 0

    _CloseDevice = _CloseSession

    def _GetPrivateKeyAccessRight(self, _s: int, _i: int, pin: int, length: int) -> int:
        self.is_open = ctypes.string_at(pin, length) == PIN
        return 0 if self.is_open else sdf.SDR_PARDENY

    def _ReleasePrivateKeyAccessRight(self, _session: int, _index: int) -> int:
        self.is_open = False
        return 0

    def _ExportSignPublicKey_ECC(self, session: int, index: int, out: int) -> int:
        assert session == 0x7F0000000002
        if index != INDEX:
            return sdf.SDR_KEYNOTEXIST
        numbers = [octets(one) for one in multiply(self.secret, sm2_device.G)]
        self._write(out, (256).to_bytes(4, "little"), *numbers)
        return 0

    def _InternalSign_ECC(self, _s: int, _i: int, e: int, length: int, out: int) -> int:
        if not self.is_open:
            return sdf.SDR_PRKRERR
        assert length == 32
        digest = bytes(32) if self.garbled else ctypes.string_at(e, 32)
        raw = Thing({}, Device(), self.secret).sign(digest, mechanism=SIGN_DIGEST)
        self._write(out, b"", raw[:32], raw[32:])
        return 0

    def _write(self, out: int, head: bytes, *numbers: bytes) -> None:
        data = head + b"".join(number.rjust(self.size, b"\0") for number in numbers)
        ctypes.memmove(out, data, len(data))


@pytest.mark.parametrize("number_bytes", [64, 32])
def test_a_device_signs_and_the_signature_is_verified(number_bytes: int) -> None:
    """In either layout; the PIN opens the key for the one call; session and device are let go."""
    library = FakeLibrary(number_bytes)
    device = sdf.SdfDevice(library, number_bytes)

    octets_ = device.sign(INDEX, PIN, b"exact bytes")

    device.public_key(INDEX).verify(b"exact bytes", octets_)
    assert not library.is_open
    assert library.calls.count("SDF_OpenSession") == 1
    device.close()
    assert library.calls[-2:] == ["SDF_CloseSession", "SDF_CloseDevice"]


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("SDF_OpenDevice", sdf.SDR_BASE + 5, Reason.KEY_UNAVAILABLE),
        ("SDF_OpenSession", sdf.SDR_BASE + 6, Reason.KEY_UNAVAILABLE),
        ("SDF_ExportSignPublicKey_ECC", sdf.SDR_KEYERR, Reason.KEY_UNAVAILABLE),
        ("SDF_GetPrivateKeyAccessRight", sdf.SDR_PRKRERR, Reason.KEY_PIN_WRONG),
        ("SDF_InternalSign_ECC", sdf.SDR_BASE + 3, Reason.KEY_UNAVAILABLE),
    ],
)
def test_what_a_device_answers_has_a_reason(name: str, code: int, reason: Reason) -> None:
    """And the key is closed again, whatever happened; it works once the fault is over."""
    library = FakeLibrary()
    library.codes[name] = code
    device = sdf.SdfDevice(library)

    with pytest.raises(HubError) as caught:
        device.sign(INDEX, PIN, b"data")

    assert caught.value.reason is reason
    assert not library.is_open
    library.codes.clear()
    assert len(device.sign(INDEX, PIN, b"data")) == 64


def test_a_wrong_pin_is_tried_once_and_an_unknown_key_is_unavailable() -> None:
    """Keys lock after a few."""
    library = FakeLibrary()
    device = sdf.SdfDevice(library)
    for index, pin, reason in (
        (INDEX, b"another", Reason.KEY_PIN_WRONG),
        (INDEX, b"", Reason.KEY_PIN_WRONG),
        (9, PIN, Reason.KEY_UNAVAILABLE),
    ):
        with pytest.raises(HubError) as caught:
            device.sign(index, pin, b"data")
        assert caught.value.reason is reason
        assert PIN.decode() not in caught.value.text("en")

    assert library.calls.count("SDF_GetPrivateKeyAccessRight") == 1


def test_a_device_that_signs_other_bytes_or_has_another_layout_is_refused() -> None:
    """A signature is verified before anybody has it."""
    library = FakeLibrary()
    library.garbled = True
    with pytest.raises(HubError) as caught:
        sdf.SdfDevice(library).sign(INDEX, PIN, b"data")
    assert caught.value.reason is Reason.KEY_SIGNATURE_WRONG

    with pytest.raises(HubError) as other:
        sdf.SdfDevice(FakeLibrary(32)).public_key(INDEX)
    assert other.value.reason is Reason.KEY_UNAVAILABLE


def test_threads_share_one_session_one_after_the_other() -> None:
    """Each signature is its own bytes'."""
    device = sdf.SdfDevice(FakeLibrary())
    public, texts = device.public_key(INDEX), [bytes([number]) for number in range(12)]

    with ThreadPoolExecutor(4) as pool:
        signatures = list(pool.map(lambda text: device.sign(INDEX, PIN, text), texts))

    for text, signature in zip(texts, signatures, strict=True):
        public.verify(text, signature)


def test_a_library_that_is_none_is_unavailable() -> None:
    """No such file, or one without the functions."""
    for path in ("/nowhere/libsdf.so", "libc.so.6"):
        with pytest.raises(HubError) as caught:
            sdf.load(path)
        assert caught.value.reason is Reason.KEY_UNAVAILABLE
