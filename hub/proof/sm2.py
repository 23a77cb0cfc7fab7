"""SM2 signatures with SM3 (GB/T 32918.2, GB/T 32905): keys, signing, verifying.

`cryptography` knows SM3 but no SM2, so SM2 is libcrypto's own, called through ctypes: its EVP
interface of OpenSSL 3.0 or newer, as the system keeps it patched. All signing is libcrypto's, and
all verifying but that of keys in hot use, where gmpy2 is installed (`hub.proof.sm2_comb`).

The id of a signer is always the default of GB/T 35276 §10, set explicitly; there is no other here.
Signatures are DER `SEQUENCE { r INTEGER, s INTEGER }` (GB/T 35276 §7.4). Both halves of the range
are valid for `s`: SM2 knows no low-s rule.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final, NoReturn

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.sm2_comb import FAST, GX, GY, A, B, HotKeys, N

SM2_WITH_SM3: Final = "1.2.156.10197.1.501"
SM3_OID: Final = "1.2.156.10197.1.401"
DEFAULT_ID: Final = b"1234567812345678"

ORDER: Final = N
"""The order of the curve's base point: r and s of a signature lie below it."""
POINT_BYTES: Final = 65
SCALAR_BYTES: Final = 32
PKCS8_BYTES_MAX: Final = 4096
SIGNATURE_BYTES_MAX: Final = 72

# SubjectPublicKeyInfo up to its point: id-ecPublicKey on 1.2.156.10197.1.301.
_SPKI_HEAD: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")

# What stands before the point in the bytes of Z (GB/T 32918.2 §5.5): id, curve and base point.
_Z_HEAD: Final = (
    (8 * len(DEFAULT_ID)).to_bytes(2)
    + DEFAULT_ID
    + b"".join(number.to_bytes(SCALAR_BYTES) for number in (A, B, GX, GY))
)
_HOT_KEYS: Final = HotKeys()

# scrypt (RFC 7914) for key files, as `openssl pkcs8 -scrypt` writes them: 16 MiB, about 50 ms.
_SCRYPT_N: Final = 1 << 14
_SCRYPT_R: Final = 8
_SCRYPT_P: Final = 1

# id-sm4-CBC, 1.2.156.10197.1.104.2 (GM/T 0006), in the parameters of PBES2, which come first.
_SM4_CBC: Final = bytes.fromhex("06082a811ccf55016802")
_PBES2_BYTES_MAX: Final = 160
_SM4_FUNCTION: Final = "EVP_sm4_cbc"

_OPENSSL_3: Final = 0x3000_0000


def sm3(data: bytes) -> bytes:
    """The SM3 digest of `data`, 32 bytes (GB/T 32905)."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def implementation() -> str:
    """The libcrypto that computes SM2, as it names itself. Raises ProofError(SM2_UNAVAILABLE)."""
    text: bytes = _libcrypto().OpenSSL_version(0)
    return text.decode()


def signature_to_raw(der: bytes) -> bytes:
    """r ‖ s, 64 bytes. Raises ProofError(SIGNATURE_INVALID) unless strict DER and in range."""
    r, s = _scalars(der)
    return r.to_bytes(SCALAR_BYTES) + s.to_bytes(SCALAR_BYTES)


def signature_from_raw(raw: bytes) -> bytes:
    """The DER of r ‖ s, which some devices give.

    Raises ProofError(SIGNATURE_LENGTH), (SIGNATURE_INVALID).
    """
    if len(raw) != 2 * SCALAR_BYTES:
        raise ProofError(ProofReason.SIGNATURE_LENGTH)
    r, s = int.from_bytes(raw[:SCALAR_BYTES]), int.from_bytes(raw[SCALAR_BYTES:])
    _check_range(r, s)
    return encode_dss_signature(r, s)


class PublicKey:
    """A point of the curve. Any thread may verify with it; equal points are equal keys."""

    __slots__ = ("__weakref__", "_key", "point")

    def __init__(self, point: bytes) -> None:
        """Take 04 ‖ x ‖ y. Raises ProofError(SM2_KEY_INVALID): not a point of the curve."""
        if len(point) != POINT_BYTES or point[0] != 4:
            raise ProofError(ProofReason.SM2_KEY_INVALID, "not an uncompressed point")
        self.point: Final = bytes(point)
        self._key: Final = _load_spki(_SPKI_HEAD + self.point)
        _free_with(self, self._key)

    @classmethod
    def from_spki(cls, der: bytes) -> PublicKey:
        """The key of a SubjectPublicKeyInfo, whose one accepted form names the curve."""
        if not der.startswith(_SPKI_HEAD):
            raise ProofError(ProofReason.SM2_KEY_INVALID, "not an SM2 SubjectPublicKeyInfo")
        return cls(der[len(_SPKI_HEAD) :])

    def to_spki(self) -> bytes:
        """DER of its SubjectPublicKeyInfo (RFC 5480)."""
        return _SPKI_HEAD + self.point

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` (strict DER) was made over exactly `message` by this key.

        Raises ProofError(SM2_UNAVAILABLE) as *cannot check*.
        """
        try:
            r, s = _scalars(signature)
        except ProofError:
            return False
        comb = _HOT_KEYS.comb(self.point) if FAST else None
        if comb is not None:
            return comb.accepts(_digest(self.point, message), r, s)
        library = _libcrypto()
        with _digest_context(library.EVP_DigestVerifyInit, self._key) as context:
            verdict = library.EVP_DigestVerify(
                context, signature, len(signature), message, len(message)
            )
        if verdict != 1:
            library.ERR_clear_error()
        return bool(verdict == 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and other.point == self.point

    def __hash__(self) -> int:
        return hash(self.point)

    def __reduce__(self) -> tuple[type[PublicKey], tuple[bytes]]:
        # A copy has a handle of its own.
        return PublicKey, (self.point,)

    def __repr__(self) -> str:
        return f"PublicKey({self.point.hex()})"


class PrivateKey:
    """A signing key. Any thread may sign with it; it shows itself nowhere."""

    __slots__ = ("__weakref__", "_key", "public")

    def __init__(self, key: int) -> None:
        """Own the EVP_PKEY at `key`; made by `generate` and `from_pkcs8` alone."""
        _free_with(self, key)
        self._key: Final = key
        self.public: Final = PublicKey.from_spki(_written(_libcrypto().i2d_PUBKEY, key))

    @classmethod
    def generate(cls) -> PrivateKey:
        """A fresh key from libcrypto's generator."""
        library = _libcrypto()
        return cls(library.EVP_PKEY_Q_keygen(None, None, b"SM2") or _failed("key generation"))

    @classmethod
    def from_pkcs8(cls, der: bytes, passphrase: bytes | None = None) -> PrivateKey:
        """The key of a PrivateKeyInfo, or with `passphrase` of an EncryptedPrivateKeyInfo.

        Raises ProofError(SM2_KEY_INVALID): damaged, another passphrase, not SM2, scalar out of
        1 … n-2, or a public half that is not its own.
        """
        if len(der) > PKCS8_BYTES_MAX:
            raise ProofError(ProofReason.SM2_KEY_INVALID, "too large")
        library = _libcrypto()
        with _freeing(library.PKCS8_PRIV_KEY_INFO_free, _read_pkcs8(der, passphrase)) as info:
            key = library.EVP_PKCS82PKEY(info) or _refused("not a private key")
        return cls(_owned_sm2(key))

    def to_pkcs8(self, passphrase: bytes | None = None, *, sm4: bool = False) -> bytes:
        """DER of the PrivateKeyInfo; with `passphrase` encrypted (PBES2: scrypt, AES-256-CBC, or
        with `sm4` SM4-CBC). Raises ProofError(SM2_UNAVAILABLE)."""
        library = _libcrypto()
        info = library.EVP_PKEY2PKCS8(self._key) or _failed("key export")
        with _freeing(library.PKCS8_PRIV_KEY_INFO_free, info):
            if passphrase is None:
                return _written(library.i2d_PKCS8_PRIV_KEY_INFO, info)
            return _encrypted(info, passphrase, sm4=sm4)

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`, DER. Raises ProofError(SM2_UNAVAILABLE)."""
        library = _libcrypto()
        signature = ctypes.create_string_buffer(SIGNATURE_BYTES_MAX)
        length = ctypes.c_size_t(SIGNATURE_BYTES_MAX)
        with _digest_context(library.EVP_DigestSignInit, self._key) as context:
            if (
                library.EVP_DigestSign(
                    context, signature, ctypes.byref(length), message, len(message)
                )
                != 1
            ):
                _failed("signing")
        return signature.raw[: length.value]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is not copied")

    def __repr__(self) -> str:
        return f"PrivateKey(of {self.public!r})"


def encrypted_by_sm4(pkcs8: bytes, passphrase: bytes) -> bytes:
    """The PrivateKeyInfo of any algorithm as EncryptedPrivateKeyInfo (PBES2: scrypt, SM4-CBC),
    which `cryptography` does not write.

    Raises ProofError(SM2_UNAVAILABLE), (SM2_KEY_INVALID).
    """
    with _freeing(_libcrypto().PKCS8_PRIV_KEY_INFO_free, _read_pkcs8(pkcs8, None)) as info:
        return _encrypted(info, passphrase, sm4=True)


def is_by_sm4(pkcs8: bytes) -> bool:
    """Whether an EncryptedPrivateKeyInfo is of the kind that `encrypted_by_sm4` writes."""
    return _SM4_CBC in pkcs8[:_PBES2_BYTES_MAX]


def decrypted(pkcs8: bytes, passphrase: bytes) -> bytes:
    """The PrivateKeyInfo in an EncryptedPrivateKeyInfo. Raises ProofError(SM2_KEY_INVALID)."""
    library = _libcrypto()
    with _freeing(library.PKCS8_PRIV_KEY_INFO_free, _read_pkcs8(pkcs8, passphrase)) as info:
        return _written(library.i2d_PKCS8_PRIV_KEY_INFO, info)


def _scalars(der: bytes) -> tuple[int, int]:
    try:
        r, s = decode_dss_signature(der)
    except ValueError as error:
        raise ProofError(ProofReason.SIGNATURE_INVALID, "not DER") from error
    _check_range(r, s)
    return r, s


def signed_digest(point: bytes, message: bytes) -> bytes:
    """e = SM3(Z ‖ M) of GB/T 32918.2 §6.1: what devices sign that take no message."""
    return sm3(sm3(_Z_HEAD + point[1:]) + message)


def _digest(point: bytes, message: bytes) -> int:
    return int.from_bytes(signed_digest(point, message))


def _check_range(r: int, s: int) -> None:
    if not (0 < r < ORDER and 0 < s < ORDER):
        raise ProofError(ProofReason.SIGNATURE_INVALID, "out of range")


# ---- libcrypto ------------------------------------------------------------------------------


@cache
def _libcrypto() -> ctypes.CDLL:
    """The system's libcrypto. Raises ProofError(SM2_UNAVAILABLE) below OpenSSL 3.0.

    Its errors are cleared and never quoted: they may tell of keys.
    """
    library = _open_library()
    try:
        library.OpenSSL_version_num.restype = ctypes.c_ulong
        library.OpenSSL_version.restype = ctypes.c_char_p
        number, text = library.OpenSSL_version_num(), library.OpenSSL_version(0).decode()
    except AttributeError as error:
        raise _unavailable("libcrypto does not tell its version") from error
    if number < _OPENSSL_3:
        raise _unavailable(f"libcrypto is {text}; OpenSSL 3.0 or newer is needed")
    try:
        _declare(library)
    except AttributeError as error:
        raise _unavailable(f"libcrypto is {text} and lacks SM2") from error
    # Some distributions leave the curve out: no key could be read, and each would look wrong.
    key = library.EVP_PKEY_Q_keygen(None, None, b"SM2")
    library.ERR_clear_error()
    if not key:
        raise _unavailable(f"libcrypto is {text}, built without SM2")
    library.EVP_PKEY_free(key)
    return library


def _open_library() -> ctypes.CDLL:
    for name in ("libcrypto.so.3", "libcrypto.so.4", "libcrypto.3.dylib", None):
        path = name or ctypes.util.find_library("crypto")
        try:
            if path is not None:
                return ctypes.CDLL(path)
        except OSError:
            continue
    raise _unavailable("no libcrypto is installed; OpenSSL 3.0 or newer is needed")


def _declare(library: ctypes.CDLL) -> None:
    """Argument and result types: without them ctypes would cut pointers to 32 bits."""
    pointer, text, size, number = (
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_int,
    )
    into = ctypes.POINTER(ctypes.c_void_p)
    long = ctypes.c_long
    scrypt = (pointer, text, number, pointer, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64)
    for name, result, arguments in (
        ("ERR_clear_error", None, ()),
        ("EVP_sm3", pointer, ()),
        ("EVP_aes_256_cbc", pointer, ()),
        ("EVP_MD_CTX_new", pointer, ()),
        ("EVP_MD_CTX_free", None, (pointer,)),
        ("EVP_PKEY_CTX_set1_id", number, (pointer, text, number)),
        ("EVP_DigestSignInit", number, (pointer, into, pointer, pointer, pointer)),
        ("EVP_DigestSign", number, (pointer, text, ctypes.POINTER(size), text, size)),
        ("EVP_DigestVerifyInit", number, (pointer, into, pointer, pointer, pointer)),
        ("EVP_DigestVerify", number, (pointer, text, size, text, size)),
        ("EVP_PKEY_Q_keygen", pointer, (pointer, text, text)),
        ("EVP_PKEY_free", None, (pointer,)),
        ("EVP_PKEY_is_a", number, (pointer, text)),
        ("EVP_PKEY_CTX_new", pointer, (pointer, pointer)),
        ("EVP_PKEY_CTX_free", None, (pointer,)),
        ("EVP_PKEY_check", number, (pointer,)),
        ("d2i_PUBKEY", pointer, (pointer, into, long)),
        ("i2d_PUBKEY", number, (pointer, into)),
        ("EVP_PKCS82PKEY", pointer, (pointer,)),
        ("EVP_PKEY2PKCS8", pointer, (pointer,)),
        ("PKCS8_PRIV_KEY_INFO_free", None, (pointer,)),
        ("d2i_PKCS8_PRIV_KEY_INFO", pointer, (pointer, into, long)),
        ("i2d_PKCS8_PRIV_KEY_INFO", number, (pointer, into)),
        ("PKCS8_decrypt", pointer, (pointer, text, number)),
        ("PKCS8_set0_pbe", pointer, (text, number, pointer, pointer)),
        ("PKCS5_pbe2_set_scrypt", pointer, scrypt),
        ("X509_ALGOR_free", None, (pointer,)),
        ("X509_SIG_free", None, (pointer,)),
        ("d2i_X509_SIG", pointer, (pointer, into, long)),
        ("i2d_X509_SIG", number, (pointer, into)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    if hasattr(library, _SM4_FUNCTION):
        getattr(library, _SM4_FUNCTION).restype = pointer


def _free_with(owner: object, key: int) -> None:
    """Free the EVP_PKEY at `key` when `owner` is gone; at the end of the process leave it be."""
    # A daemon thread may sign until the very end.
    weakref.finalize(owner, _libcrypto().EVP_PKEY_free, key).atexit = False


@contextmanager
def _freeing(free: Callable[[int], object], pointer: int) -> Iterator[int]:
    try:
        yield pointer
    finally:
        free(pointer)


@contextmanager
def _digest_context(start: Callable[..., int], key: int) -> Iterator[int]:
    """A context that hashes Z (of the default id) before the message (GB/T 32918.2 §5.5)."""
    library = _libcrypto()
    context = library.EVP_MD_CTX_new() or _failed("memory")
    with _freeing(library.EVP_MD_CTX_free, context):
        # The context owns what is put into `owned`.
        owned = ctypes.c_void_p()
        if start(context, ctypes.byref(owned), library.EVP_sm3(), None, key) != 1:
            _failed("SM2 with SM3")
        if library.EVP_PKEY_CTX_set1_id(owned, DEFAULT_ID, len(DEFAULT_ID)) <= 0:
            _failed("the id of the signer")
        yield context


def _load_spki(der: bytes) -> int:
    key = _read(_libcrypto().d2i_PUBKEY, der) or _refused("not on the curve")
    return _owned_sm2(key, check=False)


def _owned_sm2(key: int, *, check: bool = True) -> int:
    """`key`, freed here if it is not an SM2 key or (`check`) does not hold together."""
    library = _libcrypto()
    if library.EVP_PKEY_is_a(key, b"SM2") != 1 or (check and not _holds_together(key)):
        library.EVP_PKEY_free(key)
        _refused("not an SM2 key")
    return key


def _holds_together(key: int) -> bool:
    """The scalar is in 1 … n-2, the point on the curve, and one belongs to the other."""
    library = _libcrypto()
    context = library.EVP_PKEY_CTX_new(key, None) or _failed("memory")
    with _freeing(library.EVP_PKEY_CTX_free, context):
        return bool(library.EVP_PKEY_check(context) == 1)


def _read_pkcs8(der: bytes, passphrase: bytes | None) -> int:
    library = _libcrypto()
    if passphrase is None:
        return _read(library.d2i_PKCS8_PRIV_KEY_INFO, der) or _refused("not PKCS#8")
    wrapped = _read(library.d2i_X509_SIG, der) or _refused("not an encrypted PKCS#8")
    with _freeing(library.X509_SIG_free, wrapped):
        info: int | None = library.PKCS8_decrypt(wrapped, passphrase, len(passphrase))
    return info or _refused("damaged, or another passphrase")


def _encrypted(info: int, passphrase: bytes, *, sm4: bool) -> bytes:
    library = _libcrypto()
    if sm4 and not hasattr(library, _SM4_FUNCTION):
        raise _unavailable("libcrypto was built without SM4")
    cipher = getattr(library, _SM4_FUNCTION if sm4 else "EVP_aes_256_cbc")()
    # No salt and no IV given: libcrypto draws both.
    scheme = library.PKCS5_pbe2_set_scrypt(
        cipher, None, 0, None, _SCRYPT_N, _SCRYPT_R, _SCRYPT_P
    ) or _failed("key encryption")
    wrapped = library.PKCS8_set0_pbe(passphrase, len(passphrase), info, scheme)
    if not wrapped:
        library.X509_ALGOR_free(scheme)
        _failed("key encryption")
    with _freeing(library.X509_SIG_free, wrapped):
        return _written(library.i2d_X509_SIG, wrapped)


def _read(function: Callable[..., int | None], der: bytes) -> int | None:
    """What a `d2i` function makes of the beginning of `der`; None if it refuses."""
    start = ctypes.create_string_buffer(der, len(der))
    position = ctypes.c_void_p(ctypes.addressof(start))
    return function(None, ctypes.byref(position), len(der))


def _written(function: Callable[..., int], pointer: int) -> bytes:
    """What an `i2d` function writes."""
    length = function(pointer, None)
    if length <= 0:
        _failed("encoding")
    buffer = ctypes.create_string_buffer(length)
    position = ctypes.c_void_p(ctypes.addressof(buffer))
    function(pointer, ctypes.byref(position))
    return buffer.raw


def _refused(detail: str) -> NoReturn:
    _libcrypto().ERR_clear_error()
    raise ProofError(ProofReason.SM2_KEY_INVALID, detail)


def _failed(what: str) -> NoReturn:
    _libcrypto().ERR_clear_error()
    raise _unavailable(f"libcrypto refused {what}")


def _unavailable(detail: str) -> ProofError:
    return ProofError(ProofReason.SM2_UNAVAILABLE, detail, verdict=Verdict.CANNOT_CHECK)
