"""Officers of a whole hub: their keys, and every change of them from end to end."""

from __future__ import annotations

import base64
import time
from typing import Any

from hub.access.v1 import access_pb2
from tests.simulator import Simulator


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def proofs(enrolment: access_pb2.Enrolment) -> dict[str, str]:
    """The members of an intent that carry new keys."""
    return {
        "x509_certificate": b64u(enrolment.x509_certificate),
        "x509_request": b64u(enrolment.x509_request),
        "signing_request": b64u(enrolment.signing_request),
    }


def new_keys(hub: Simulator, officer: str, folder: str = "") -> dict[str, Any]:
    """Fresh keys of an officer in a folder of their own, as an intent names them."""
    enrolment = hub.equip(hub.home / "officers" / (folder or officer), officer, officer=True)
    return {"officer": f"officers/{officer}", **proofs(enrolment)}


async def change_officers(hub: Simulator) -> None:
    """Each kind of change once; zhao, qian and sun are in office before and after, qian absent."""
    zhao, now = hub.officer(), int(time.time())
    await zhao.carry_out("officer.enrol", {**new_keys(hub, "liu"), "standby": True})
    away = {"officer": "officers/qian", "from": now - 60, "until": now + 3600}
    await zhao.carry_out("officer.absent", {**away, "substitute": "officers/liu"})
    await zhao.carry_out("officer.enrol", new_keys(hub, "zhou"), by=("sun", "liu"))
    await zhao.carry_out(
        "officer.succeed",
        {"officer": "officers/zhou", "successor": "officers/liu"},
        by=("sun", "zhou"),
    )
    await zhao.carry_out("officer.hand-over", new_keys(hub, "liu", "liu-2"), by=("sun", "liu"))
    heir = hub.officer("liu", keys_of="officers/liu-2")
    await heir.carry_out("officer.rotate-key", new_keys(hub, "liu", "liu-3"), by=("sun", "zhao"))
    hub.officer("liu", keys_of="officers/liu-3")
    await zhao.carry_out("quorum.change", {"default": 2}, by=("sun", "liu"))
    await zhao.carry_out(
        "officer.end", {"officer": "officers/liu", "cause": "left"}, by=("sun", "liu")
    )
