"""SM2 and SM3 through libcrypto, against the standard's own numbers and OpenSSL's command."""

from __future__ import annotations

import copy
import gc
import pickle
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.proof import sm2
from hub.proof.reasons import ProofError, ProofReason, Verdict
from tests.proof.openssl import openssl

# GB/T 32918.5, annex A.2: the key, the message and its signature.
SCALAR = "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8"
POINT = bytes.fromhex(
    "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
MESSAGE = b"message digest"
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
PASSPHRASE = b"sixteen or more bytes"


def pkcs8(scalar: str, point: bytes = POINT) -> bytes:
    """A PrivateKeyInfo (RFC 5208) around an ECPrivateKey (RFC 5915)."""
    head = "308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420"
    return bytes.fromhex(head + scalar + "a144034200") + point


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (b"", "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"),
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
        (MESSAGE, "c522a942e89bd80d97dd666e7a5531b36188c9817149e9b258dfe51ece98ed77"),
    ],
)
def test_sm3_gives_the_digests_of_the_standard(text: bytes, digest: str) -> None:
    """GB/T 32905, annex A, and two more."""
    assert sm2.sm3(text).hex() == digest


def test_the_standards_signature_verifies_and_no_other_message_does() -> None:
    """GB/T 32918.5 with the default id."""
    key = sm2.PublicKey(POINT)
    signature = encode_dss_signature(R, S)

    assert key.verify(MESSAGE, signature)
    assert not key.verify(MESSAGE + b".", signature)
    assert not sm2.PrivateKey.generate().public.verify(MESSAGE, signature)


def test_what_is_signed_verifies_with_either_form_of_s() -> None:
    """SM2 has no low-s rule: about half of all signatures have a high s."""
    key = sm2.PrivateKey.generate()

    signatures = [key.sign(MESSAGE) for _ in range(32)]

    assert all(key.public.verify(MESSAGE, signature) for signature in signatures)
    high = [one for one in signatures if sm2.signature_to_raw(one)[32] >= 0x80]
    assert 0 < len(high) < 32


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        encode_dss_signature(R, S) + b"\x00",
        encode_dss_signature(R, S)[:-1],
        encode_dss_signature(0, S),
        encode_dss_signature(R, 0),
        encode_dss_signature(R, sm2.ORDER - R),
        encode_dss_signature(R, sm2.ORDER),
        encode_dss_signature(R, S + sm2.ORDER),
        # Length in two bytes where one is enough.
        b"\x30\x81" + encode_dss_signature(R, S)[1:],
    ],
)
def test_a_signature_out_of_range_or_form_never_verifies(signature: bytes) -> None:
    """Strict DER, r and s in 1 … n-1, r + s not n."""
    assert not sm2.PublicKey(POINT).verify(MESSAGE, signature)


def test_raw_and_der_signatures_are_turned_into_each_other() -> None:
    """Devices that give r ‖ s are understood."""
    der = encode_dss_signature(R, S)
    raw = R.to_bytes(32) + S.to_bytes(32)

    assert sm2.signature_to_raw(der) == raw
    assert sm2.signature_from_raw(raw) == der
    for wrong in (raw[:-1], bytes(64), raw[:32] + sm2.ORDER.to_bytes(32)):
        with pytest.raises(ProofError):
            sm2.signature_from_raw(wrong)


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_a_key_survives_its_file(passphrase: bytes | None) -> None:
    """PKCS#8, plain and encrypted, gives back the same key."""
    key = sm2.PrivateKey.generate()

    again = sm2.PrivateKey.from_pkcs8(key.to_pkcs8(passphrase), passphrase)

    assert again.public == key.public
    assert key.public.verify(MESSAGE, again.sign(MESSAGE))
    assert sm2.PublicKey.from_spki(key.public.to_spki()) == key.public
    assert len({key.public, again.public}) == 1


def test_the_key_of_the_standard_is_read() -> None:
    """Its public half is the standard's too."""
    assert sm2.PrivateKey.from_pkcs8(pkcs8(SCALAR)).public.point == POINT


def p256_pkcs8() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("der", "passphrase"),
    [
        (b"", None),
        (b"\x30\x00", None),
        (p256_pkcs8(), None),
        # Another key's public half; scalars 0, n-1 and n.
        (pkcs8(f"{1:064x}"), None),
        (pkcs8(f"{0:064x}"), None),
        (pkcs8(f"{sm2.ORDER - 1:064x}"), None),
        (pkcs8(f"{sm2.ORDER:064x}"), None),
        (pkcs8(SCALAR), PASSPHRASE),
        (sm2.PrivateKey.generate().to_pkcs8(PASSPHRASE), b"another passphrase"),
        (bytes(sm2.PKCS8_BYTES_MAX + 1), None),
    ],
)
def test_what_is_not_a_whole_sm2_key_is_refused(der: bytes, passphrase: bytes | None) -> None:
    """Another curve, a scalar out of range, halves that do not belong together, damage."""
    with pytest.raises(ProofError) as caught:
        sm2.PrivateKey.from_pkcs8(der, passphrase)

    assert caught.value.reason is ProofReason.SM2_KEY_INVALID


@pytest.mark.parametrize(
    "point",
    [POINT[:-1] + b"\x00", b"\x02" + POINT[1:33], b"\x00", b"\x06" + POINT[1:], bytes(65)],
)
def test_what_is_not_an_uncompressed_point_of_the_curve_is_no_key(point: bytes) -> None:
    """Off the curve, compressed, hybrid, infinity."""
    with pytest.raises(ProofError) as caught:
        sm2.PublicKey(point)

    assert caught.value.reason is ProofReason.SM2_KEY_INVALID


class _Function:
    """A function of a library, as ctypes shows it: its result type can be set."""

    def __init__(self, result: object) -> None:
        self.result = result

    def __call__(self, *_: object) -> object:
        return self.result


class _Library:
    """A libcrypto of `version` whose other functions all answer with 0."""

    def __init__(self, version: int) -> None:
        self.OpenSSL_version_num = _Function(version)
        self.OpenSSL_version = _Function(b"OpenSSL test")

    def __getattr__(self, name: str) -> object:
        return _Function(0)


@pytest.mark.parametrize(
    ("library", "says"),
    [
        (_Library(0x1010_1010), "libcrypto is OpenSSL test; OpenSSL 3.0 or newer is needed"),
        (_Library(0x3000_0000), "libcrypto is OpenSSL test, built without SM2"),
        (SimpleNamespace(), "libcrypto does not tell its version"),
        (
            SimpleNamespace(
                OpenSSL_version_num=_Function(0x3000_0000),
                OpenSSL_version=_Function(b"OpenSSL test"),
            ),
            "libcrypto is OpenSSL test and lacks SM2",
        ),
    ],
)
def test_without_sm2_it_says_which_library_it_found(
    library: object, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """*Cannot check*, never invalid, and the reader learns what to install."""
    monkeypatch.setattr(sm2, "_open_library", lambda: library)
    with pytest.raises(ProofError) as caught:
        sm2._libcrypto.__wrapped__()

    assert caught.value.reason is ProofReason.SM2_UNAVAILABLE
    assert caught.value.verdict is Verdict.CANNOT_CHECK
    assert caught.value.detail == says


def test_without_any_library_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name is tried."""

    def missing(name: str) -> object:
        raise OSError(name)

    monkeypatch.setattr(sm2.ctypes, "CDLL", missing)
    with pytest.raises(ProofError, match="no libcrypto is installed"):
        sm2._open_library()


def test_many_threads_share_one_key() -> None:
    """A key and its public half carry no state from call to call."""
    key = sm2.PrivateKey.generate()

    def work(index: int) -> bool:
        message = index.to_bytes(4)
        return key.public.verify(message, key.sign(message))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))


def test_nothing_is_left_in_memory() -> None:
    """400 keys, signatures and refusals: the process does not grow by a kilobyte for each."""
    der = sm2.PrivateKey.generate().to_pkcs8()

    def use(rounds: int) -> int:
        for _ in range(rounds):
            key = sm2.PrivateKey.from_pkcs8(der)
            key.public.verify(MESSAGE, key.sign(MESSAGE))
            with pytest.raises(ProofError):
                sm2.PublicKey(bytes(65))
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = use(100)

    assert use(400) - before < 400


def test_a_key_shows_itself_nowhere() -> None:
    """Neither its repr nor its errors hold the scalar."""
    key = sm2.PrivateKey.from_pkcs8(pkcs8(SCALAR))

    assert SCALAR.lower() not in repr(key).lower()


def test_a_copy_lives_on_when_its_original_is_gone() -> None:
    """A public key is copied with a handle of its own; a private one is not copied at all."""
    key = sm2.PrivateKey.generate()
    signature = key.sign(MESSAGE)
    copies = [copy.copy(key.public), copy.deepcopy(key.public)]
    copies.append(pickle.loads(pickle.dumps(key.public)))
    for refused in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="not copied"):
            refused(key)  # type: ignore[operator]

    del key
    gc.collect()

    assert all(one.verify(MESSAGE, signature) for one in copies)


def test_openssl_and_we_accept_each_others_keys_and_signatures(tmp_path: Path) -> None:
    """`openssl dgst -sm3` with the default id, key files in both directions."""
    identity = ("-sigopt", "distid:1234567812345678")
    (tmp_path / "message").write_bytes(MESSAGE)
    key = sm2.PrivateKey.generate()
    (tmp_path / "ours.der").write_bytes(key.to_pkcs8(PASSPHRASE))
    (tmp_path / "ours.pub").write_bytes(key.public.to_spki())
    (tmp_path / "ours.sig").write_bytes(key.sign(MESSAGE))
    (tmp_path / "passphrase").write_bytes(PASSPHRASE)

    verified = openssl(
        *("dgst", "-sm3", "-verify", "ours.pub", "-keyform", "DER"),
        *("-signature", "ours.sig", *identity, "message"),
        folder=tmp_path,
        check=True,
    )
    openssl(
        *("dgst", "-sm3", "-sign", "ours.der", "-keyform", "DER", "-passin", "file:passphrase"),
        *("-out", "theirs.sig", *identity, "message"),
        folder=tmp_path,
        check=True,
    )
    openssl("genpkey", "-algorithm", "SM2", "-out", "their.pem", folder=tmp_path, check=True)
    openssl(
        *("pkcs8", "-topk8", "-nocrypt", "-in", "their.pem"),
        *("-outform", "DER", "-out", "their.key"),
        folder=tmp_path,
        check=True,
    )
    theirs = sm2.PrivateKey.from_pkcs8((tmp_path / "their.key").read_bytes())

    assert verified.stdout.strip() == "Verified OK"
    assert key.public.verify(MESSAGE, (tmp_path / "theirs.sig").read_bytes())
    assert theirs.public.verify(MESSAGE, theirs.sign(MESSAGE))
