"""Devices behind the national interface SDF (GM/T 0018): an extension point, tried on a fake only.

The hub loads none: no setting names such a device, and no real one was ever called. Here stands
what an adapter to one begins with: the functions that signing takes as ctypes calls them, what
their errors mean, and that a signature is verified before it is used.

As GM/T 0018-2012 describes it: every function returns 0 or an error number; handles are pointers;
keys are made by the device's own administration, known by an index, and opened in a session by a
PIN of their own; `SDF_InternalSign_ECC` takes e = SM3(Z ‖ M) of GB/T 32918.2 §6.1, 32 bytes, never
the message.

Not confirmed, to be tried on the device at hand: whether numbers have 64 bytes (as in the standard;
`number_bytes`) or 32 (as in headers of some vendors), and stand to the right of them; whether an
unknown index is SDR_KEYNOTEXIST or SDR_KEYERR (both are taken); whether a wrong PIN is SDR_PARDENY
or SDR_PRKRERR (both are taken) and how many of them lock a key (none is tried twice); whether a
session may be shared by threads (it is not).
"""

from __future__ import annotations

import ctypes
import threading
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from hub.domain.seal_key import KeyAlgorithm
from hub.errors import HubError, Reason
from hub.proof import sm2
from hub.proof.reasons import ProofError
from hub.seal.algorithms import PublicKey

# GM/T 0018-2012, Annex A.
SDR_BASE: Final = 0x01000000
SDR_PARDENY: Final = SDR_BASE + 0x07
SDR_KEYNOTEXIST: Final = SDR_BASE + 0x08
SDR_KEYERR: Final = SDR_BASE + 0x15
SDR_PRKRERR: Final = SDR_BASE + 0x18

NUMBER_BYTES: Final = 64
PIN_BYTES_MAX: Final = 256
_SM2_BYTES: Final = 32

_HANDLE: Final = ctypes.c_void_p
_INDEX: Final = ctypes.c_uint32
# Bytes with a length, which may hold zeros: no C text.
_BYTES: Final = ctypes.c_void_p
_HANDLE_OUT: Final = ctypes.POINTER(ctypes.c_void_p)

SIGNATURES: Final[dict[str, tuple[Any, ...]]] = {
    "SDF_OpenDevice": (_HANDLE_OUT,),
    "SDF_CloseDevice": (_HANDLE,),
    "SDF_OpenSession": (_HANDLE, _HANDLE_OUT),
    "SDF_CloseSession": (_HANDLE,),
    "SDF_GetPrivateKeyAccessRight": (_HANDLE, _INDEX, _BYTES, ctypes.c_uint32),
    "SDF_ReleasePrivateKeyAccessRight": (_HANDLE, _INDEX),
    # The last is an ECCrefPublicKey: bits (32 bits), x, y.
    "SDF_ExportSignPublicKey_ECC": (_HANDLE, _INDEX, ctypes.c_void_p),
    # e and its length; the last is an ECCSignature: r, s.
    "SDF_InternalSign_ECC": (
        _HANDLE,
        _INDEX,
        _BYTES,
        ctypes.c_uint32,
        ctypes.c_void_p,
    ),
}
"""The arguments of each function; all return `int`."""

RESULT: Final = ctypes.c_int


class SdfLibrary(Protocol):
    """A vendor's library: the functions of `SIGNATURES` by name."""

    def __getattr__(self, name: str) -> Any:
        """The function."""
        ...


def load(path: str) -> SdfLibrary:
    """The library at `path`, its functions declared. Raises HubError(KEY_UNAVAILABLE)."""
    try:
        library = ctypes.CDLL(path)
        for name, arguments in SIGNATURES.items():
            function = getattr(library, name)
            function.argtypes, function.restype = arguments, RESULT
    except (OSError, AttributeError) as error:
        raise HubError(Reason.KEY_UNAVAILABLE, key="of an SDF library") from error
    return library


@dataclass(slots=True)
class SdfDevice:
    """One device and a session on it, opened when it is first needed; one call at a time.

    Raises HubError: KEY_UNAVAILABLE, KEY_PIN_WRONG, KEY_SIGNATURE_WRONG where the device signed
    other than it was told.
    """

    library: SdfLibrary
    number_bytes: int = NUMBER_BYTES
    _device: ctypes.c_void_p = field(default_factory=ctypes.c_void_p)
    _session: ctypes.c_void_p = field(default_factory=ctypes.c_void_p)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def public_key(self, index: int) -> PublicKey:
        """The signing key at `index`."""
        with self._lock:
            return self._public_key(index)

    def sign(self, index: int, pin: bytes, message: bytes) -> bytes:
        """r ‖ s over `message`, verified. The PIN opens the key for this one call."""
        if not 0 < len(pin) <= PIN_BYTES_MAX:
            raise HubError(Reason.KEY_PIN_WRONG, token=f"SDF key {index}")
        with self._lock:
            public = self._public_key(index)
            self._call("SDF_GetPrivateKeyAccessRight", index, pin, len(pin))
            try:
                octets = self._signed(index, _e(public, message))
            finally:
                self.library.SDF_ReleasePrivateKeyAccessRight(self._session, index)
        public.verify(message, octets)
        return octets

    def close(self) -> None:
        """Let go of session and device; another call opens them again."""
        with self._lock:
            if self._session:
                self.library.SDF_CloseSession(self._session)
            if self._device:
                self.library.SDF_CloseDevice(self._device)
            self._session, self._device = ctypes.c_void_p(), ctypes.c_void_p()

    def _public_key(self, index: int) -> PublicKey:
        buffer = ctypes.create_string_buffer(4 + 2 * self.number_bytes)
        self._call("SDF_ExportSignPublicKey_ECC", index, ctypes.addressof(buffer))
        x, y = self._numbers(buffer.raw[4:])
        try:
            spki = sm2.PublicKey(b"\x04" + x + y).to_spki()
        except ProofError as error:
            raise self._unavailable(index) from error
        return PublicKey(KeyAlgorithm.SM2, spki)

    def _signed(self, index: int, e: bytes) -> bytes:
        buffer = ctypes.create_string_buffer(2 * self.number_bytes)
        self._call("SDF_InternalSign_ECC", index, e, len(e), ctypes.addressof(buffer))
        return b"".join(self._numbers(buffer.raw))

    def _call(self, name: str, index: int, *arguments: object) -> None:
        self._open(index)
        code = getattr(self.library, name)(self._session, index, *arguments) & 0xFFFFFFFF
        if code in (SDR_PARDENY, SDR_PRKRERR):
            raise HubError(Reason.KEY_PIN_WRONG, token=f"SDF key {index}")
        if code:
            raise self._unavailable(index)

    def _open(self, index: int) -> None:
        library = self.library
        if not self._device and library.SDF_OpenDevice(ctypes.byref(self._device)):
            raise self._unavailable(index)
        if not self._session and library.SDF_OpenSession(self._device, ctypes.byref(self._session)):
            raise self._unavailable(index)

    def _numbers(self, raw: bytes) -> tuple[bytes, bytes]:
        """Two numbers of 32 bytes, each to the right of its field."""
        size = self.number_bytes
        first, second = raw[:size], raw[size : 2 * size]
        zeros = bytes(size - _SM2_BYTES)
        if first[: len(zeros)] != zeros or second[: len(zeros)] != zeros:
            raise HubError(Reason.KEY_UNAVAILABLE, key="of a device with another layout")
        return first[-_SM2_BYTES:], second[-_SM2_BYTES:]

    def _unavailable(self, index: int) -> HubError:
        return HubError(Reason.KEY_UNAVAILABLE, key=f"{index} of an SDF device")


def _e(public: PublicKey, message: bytes) -> bytes:
    return sm2.signed_digest(sm2.PublicKey.from_spki(public.spki).point, message)
