"""The ledger vectors as tests read them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from hub.proof.log.receipt import Answered, LogTrust

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
LEDGER: dict[str, Any] = json.loads((GOLDEN / "ledger.json").read_bytes())


def decoded(text: str) -> bytes:
    """Bytes of unpadded base64url, by another way than the product's."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def leaves() -> list[bytes]:
    return [decoded(text) for text in LEDGER["leaves"]]


def receipt_cases() -> list[dict[str, Any]]:
    """Every receipt case with its context merged in as `known`."""
    cases = LEDGER["receipts"]
    return [
        {**case, "known": LEDGER["contexts"][case["context"]] | case["override"]} for case in cases
    ]


def log_trust(trust: dict[str, Any]) -> LogTrust:
    return LogTrust(
        trust["origin"], tuple(trust["log_keys"]), tuple(trust["witnesses"]), trust["k"]
    )


def answered(items: list[dict[str, str]]) -> list[Answered]:
    return [Answered(item["state"], item.get("presentation")) for item in items]
