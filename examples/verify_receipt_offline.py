"""Verify a receipt without the hub: what was asked, what was given, and that the log holds it.

Everything comes from the golden vectors: a platform would bring its own files instead. Run with
`python -m examples.verify_receipt_offline` in the project's folder; needs `hub.proof` only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from hub.proof.log.receipt import Answered, LogTrust, VerifiedReceipt, verify_receipt
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofError

VECTORS: Final = Path(__file__).resolve().parent.parent / "tests" / "golden" / "ledger.json"


def verified(receipt: bytes) -> VerifiedReceipt:
    """The receipt of the vectors' second exchange, every step checked. Raises ProofError."""
    known = json.loads(VECTORS.read_bytes())["contexts"]["b"]
    trust = LogTrust(
        origin=known["trust"]["origin"],
        log_keys=tuple(known["trust"]["log_keys"]),
        witness_keys=tuple(known["trust"]["witnesses"]),
        witnesses_min=known["trust"]["k"],
    )
    answer = [Answered(item["state"], item.get("presentation")) for item in known["answer"]]
    return verify_receipt(receipt, known["requests"], known["me"], answer, trust)


def main() -> None:
    """Verify one genuine receipt, then the same with one character of its proof changed."""
    cases = json.loads(VECTORS.read_bytes())["receipts"]
    genuine: str = next(case["receipt"] for case in cases if case["name"] == "receipt-1000")
    for receipt in (genuine, genuine.replace("index 700", "index 701")):
        try:
            found = verified(receipt.encode())
        except ProofError as error:
            # The verdict tells "does not hold" from "could not be checked".
            print(f"{error.verdict}: {error.reason}. {TEXTS[error.reason].en}")
            continue
        print(f"valid ({found.grade}): entry {found.index} of {found.head.size}")
        for certificate in found.entry.certificates:
            given = "given" if certificate.sd_hash else "not given"
            print(f"  {certificate.cert} is {certificate.state}: {given}")


if __name__ == "__main__":
    main()
