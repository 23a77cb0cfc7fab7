"""Seals and signatures made with our own code, for tests of whatever reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub.proof.ses.seal import (
    Picture,
    assemble_seal,
    assemble_signature,
    seal_info,
    tbs_sign,
)
from hub.proof.sm2 import SM2_WITH_SM3, sm3
from tests.proof.sm2_pki import ENDS, STARTS, Member

GOLDEN = Path(__file__).parent.parent / "golden"
SIGN_TIME = datetime(2025, 6, 1, tzinfo=UTC)
CONTENT = b"<Signature/>"
PNG = bytes.fromhex("89504e470d0a1a0a") + bytes(8)
PROTECTED = "/Doc_0/Signs/Sign_0/Signature.xml"


def golden_seal() -> bytes:
    """The seal of the example key of GB/T 32918.5."""
    return (GOLDEN / "seal.esl").read_bytes()


def golden_signature() -> bytes:
    """A signature under it, over `message digest`."""
    return (GOLDEN / "signature.dat").read_bytes()


def seal_of(maker: Member, *signers: Member, **changes: Any) -> bytes:
    """A seal of version 4 for `signers`; `changes` go to `seal_info`."""
    members: dict[str, Any] = {
        "vendor": "Sealway",
        "number": "SEAL-1",
        "type": 1,
        "name": "测试专用章",
        "signer_x509s": [signer.der for signer in signers],
        "create_time": STARTS,
        "valid_from_time": STARTS,
        "valid_to_time": ENDS,
        "picture": Picture("PNG", PNG, 40, 40),
    }
    info = seal_info(**(members | changes))
    return assemble_seal(info, maker.der, SM2_WITH_SM3, maker.key.sign(info))


def signature_of(
    signer: Member,
    seal: bytes,
    *,
    content: bytes = CONTENT,
    sign_time: datetime = SIGN_TIME,
    time_stamp: bytes | None = None,
) -> bytes:
    """A signature of version 4 under `seal` over `content`."""
    tbs = tbs_sign(seal=seal, sign_time=sign_time, data_hash=sm3(content), protected=PROTECTED)
    return assemble_signature(tbs, signer.der, SM2_WITH_SM3, signer.key.sign(tbs), time_stamp)
