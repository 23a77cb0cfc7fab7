"""The standards' own numbers, and our published vectors as five verifiers judge them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import gmalg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from tongsuopy.crypto import hashes as tongsuo_hashes
from tongsuopy.crypto import serialization as tongsuo_keys
from tongsuopy.crypto.asymciphers import ec as tongsuo_ec

from hub.proof import sm2, sm2_comb
from hub.proof.reasons import ProofError
from hub.proof.ses.seal import (
    Picture,
    assemble_seal,
    assemble_signature,
    parse_seal,
    seal_info,
    tbs_sign,
)
from hub.proof.sm2 import DEFAULT_ID, SM2_WITH_SM3, PublicKey, sm3
from hub.proof.x509.make_sm2 import make_certificate
from tests.proof import sm2_vectors
from tests.proof.openssl import openssl
from tests.proof.seals import golden_seal, golden_signature
from tests.proof.sm2_by_the_book import (
    EXAMPLE_CURVE,
    SM2P256V1,
    digest,
    entity,
    sign,
    verifies,
)
from tests.proof.sm2_vectors import MESSAGE, D, K

Case = tuple[dict[str, Any], dict[str, Any]]


@cache
def published() -> dict[str, Any]:
    members = json.loads(sm2_vectors.FILE.read_text(encoding="utf-8"))
    assert isinstance(members, dict)
    return members


def cases(*, default_id: bool | None = None) -> Iterator[Case]:
    for group in published()["testGroups"]:
        if default_id is None or default_id == (group["id"] == DEFAULT_ID.hex()):
            for test in group["tests"]:
                yield group, test


# ---- the standards ------------------------------------------------------------------------------


def test_gb_t_32918_5_step_by_step() -> None:
    """Annex A.2: Z, e, r and s on the curve that is used."""
    public = SM2P256V1.public(D)
    z = "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"

    assert entity(SM2P256V1, public).hex() == z
    assert digest(SM2P256V1, public, MESSAGE) == (
        0xF0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640
    )
    r, s = sign(D, MESSAGE, K)
    assert (r, s) == (
        0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3,
        0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA,
    )
    assert verifies(public, MESSAGE, r, s)


def test_gm_t_0003_2_step_by_step() -> None:
    """The older curve and another id: what is written out by the book holds there too."""
    d = 0x128B2FA8BD433C6C068C8D803DFF79792A519A55171B1B650C23661D15897263
    k = 0x6CB28D99385C175C94F94E934817663FC176D925DD72B727260DBAAE1FB2F96F
    id = b"ALICE123@YAHOO.COM"
    public = EXAMPLE_CURVE.public(d)

    assert public == (
        0x0AE4C7798AA0F119471BEE11825BE46202BB79E2A5844495E97C04FF4DF2548A,
        0x7C0240F88F1CD4E16352A73C17B7F16F07353E53A176D684A9FE0C6BB798E857,
    )
    z = "f4a38489e32b45b6f876e3ac2168ca392362dc8f23459c1d1146fc3dbfb7bc9a"
    assert entity(EXAMPLE_CURVE, public, id).hex() == z
    assert digest(EXAMPLE_CURVE, public, MESSAGE, id) == (
        0xB524F552CD82B8B028476E005C377FB19A87E6FC682D48BB5D42E3D9B9EFFE76
    )
    r, s = sign(d, MESSAGE, k, id=id, curve=EXAMPLE_CURVE)
    assert (r, s) == (
        0x40F1EC59F793D9F49E09DCEF49130D4194F79FB1EED2CAA55BACDB49C4E755D1,
        0x6FC6DAC32C5D5CF10C77DFB20F7C2EB667A457872FB09EC56327A67EC7DEEBE7,
    )
    assert verifies(public, MESSAGE, r, s, id=id, curve=EXAMPLE_CURVE)
    assert not verifies(public, MESSAGE, r, s, curve=EXAMPLE_CURVE)


def test_hmac_with_sm3() -> None:
    """What holders are hashed with where the national algorithms are used."""
    mac = hmac.HMAC(b"key", hashes.SM3())
    mac.update(b"The quick brown fox jumps over the lazy dog")

    assert mac.finalize().hex() == (
        "bd4a34077888162b210645b8ebf74b9af357303789357a27c7fc457244ebd398"
    )


def test_sm4_gives_the_blocks_of_the_standard() -> None:
    """GB/T 32907, annex A: one round, and the same block a million times."""
    block = bytes.fromhex("0123456789abcdeffedcba9876543210")
    encrypt = Cipher(algorithms.SM4(block), modes.ECB()).encryptor().update

    assert encrypt(block).hex() == "681edf34d206965e86b3e94f536e4246"
    for _ in range(1_000_000):
        block = encrypt(block)
    assert block.hex() == "595298c7c6fd271f0402f804c33d3f66"


def test_the_golden_seal_follows_from_its_key() -> None:
    """Everything in it is made anew here, with the k of each signature: the same bytes."""
    starts, ends = datetime(2025, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)
    key = PublicKey(sm2_vectors.encoded(*SM2P256V1.public(D)))

    def signer(k: int) -> Any:
        return lambda data: encode_dss_signature(*sign(D, data, k))

    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, "TEST"),
        ]
    )
    certificate = make_certificate(
        subject=name,
        key=key,
        issuer=name,
        not_before=starts,
        not_after=ends,
        extensions=(),
        sign=signer(0x1111),
        serial=1,
    )
    png = parse_seal(golden_seal()).picture.data
    info = seal_info(
        vendor="TEST",
        number="TEST-SEAL-0001",
        type=1,
        name="测试专用章",
        signer_x509s=[certificate],
        create_time=starts,
        valid_from_time=starts,
        valid_to_time=ends,
        picture=Picture("PNG", png, 40, 40),
    )
    seal = assemble_seal(info, certificate, SM2_WITH_SM3, signer(0x2222)(info))
    tbs = tbs_sign(
        seal=seal,
        sign_time=datetime(2025, 6, 1, tzinfo=UTC),
        data_hash=sm3(MESSAGE),
        protected="/Doc_0/Signs/Sign_0/Signature.xml",
    )
    signature = assemble_signature(tbs, certificate, SM2_WITH_SM3, signer(0x3333)(tbs))

    assert seal == golden_seal()
    assert signature == golden_signature()


# ---- our vectors --------------------------------------------------------------------------------


def test_the_published_file_is_what_the_script_writes() -> None:
    """Numbers, flags and texts follow from the script alone."""
    assert sm2_vectors.FILE.read_text(encoding="utf-8") == sm2_vectors.text()
    used = {flag for _, test in cases() for flag in test["flags"]}
    assert used == published()["notes"].keys()


@pytest.mark.parametrize("fast", [False, True])
def test_we_judge_each_as_published(*, fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By libcrypto and by tables; what another id signed is refused here."""
    monkeypatch.setattr(sm2, "FAST", fast)
    monkeypatch.setattr(sm2_comb, "HOT_AFTER", 1)
    monkeypatch.setattr(sm2, "_HOT_KEYS", sm2_comb.HotKeys())
    verdicts = {True: 0, False: 0}
    for group, test in cases():
        try:
            key = PublicKey.from_spki(bytes.fromhex(group["publicKeyDer"]))
            verdict = key.verify(bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
        except ProofError:
            verdict = False
        expected = test["result"] == "valid"
        if group["id"] != DEFAULT_ID.hex():
            expected = not expected
        assert verdict is expected, test
        verdicts[verdict] += 1
    assert verdicts[True] == 34
    assert verdicts[False] > 90


def test_tongsuo_judges_each_as_published() -> None:
    """Another branch of OpenSSL, with the default id."""
    for group, test in cases(default_id=True):
        try:
            key = tongsuo_keys.load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
            key.verify(
                bytes.fromhex(test["sig"]),
                bytes.fromhex(test["msg"]),
                tongsuo_ec.ECDSA(tongsuo_hashes.SM3()),
            )
            verdict = "valid"
        except Exception:  # It has no one error for what it refuses.
            verdict = "invalid"
        assert verdict == test["result"], test


def test_gmalg_judges_each_as_published() -> None:
    """Written from the standard in Python; it takes numbers, so what is no DER is left out."""
    judged = 0
    for group, test in cases():
        if {"InvalidKey", "Ber", "Malformed"} & set(test["flags"]):
            continue
        try:
            r, s = decode_dss_signature(bytes.fromhex(test["sig"]))
        except ValueError:  # A negative number.
            continue
        key = gmalg.SM2(
            uid=bytes.fromhex(group["id"]),
            pk=bytes.fromhex(group["publicKey"]["uncompressed"]),
        )
        # The class takes 32 bytes for each number; the function beneath takes numbers.
        verdict = key._core.verify(bytes.fromhex(test["msg"]), r, s, key._uid, key._pk)
        assert verdict is (test["result"] == "valid"), test
        judged += 1
    assert judged > 80


def test_openssl_judges_each_as_published(tmp_path: Path) -> None:
    """The command, with the id of the group (`dgst` would cut signatures after 72 bytes)."""
    for group, test in cases():
        (tmp_path / "key").write_text(group["publicKeyPem"])
        (tmp_path / "msg").write_bytes(bytes.fromhex(test["msg"]))
        (tmp_path / "sig").write_bytes(bytes.fromhex(test["sig"]))
        done = openssl(
            *("pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin", "-digest", "sm3"),
            *("-in", "msg", "-sigfile", "sig", "-pkeyopt", f"hexdistid:{group['id']}"),
            folder=tmp_path,
        )
        assert (done.returncode == 0) is (test["result"] == "valid"), test
