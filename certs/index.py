"""The index of everything issued: one JSON line each, replaced as a whole in one step.

What is not in the index was never handed out; what is in it can be revoked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from cryptography import x509

from certs.files import PRIVATE, read_bounded, write_replacing
from certs.keys import thumbprint
from hub.errors import HubError, Reason

INDEX_BYTES_MAX: Final = 64 * 1024 * 1024

State = Literal["active", "expired", "revoked"]

_MEMBERS: Final = (
    "serial",
    "profile",
    "subject",
    "thumbprint",
    "key",
    "not_before",
    "not_after",
    "renews",
    "status",
    "revoke_time",
    "reason",
)


@dataclass(frozen=True, slots=True)
class IndexLine:
    """One issued X.509 certificate and what became of it.

    `serial` is 40 lower-case hexadecimal digits, `key` the digest of the public key, `renews` the
    serial of the predecessor.
    """

    serial: str
    profile: str
    subject: str
    thumbprint: str
    key: str
    not_before: datetime
    not_after: datetime
    renews: str | None = None
    revoke_time: datetime | None = None
    reason: str | None = None

    def state(self, now: datetime) -> State:
        """What this certificate is worth at `now`, in itself."""
        if self.revoke_time is not None:
            return "revoked"
        return "expired" if now > self.not_after else "active"

    def revoked(self, reason: str, revoke_time: datetime) -> IndexLine:
        """This line with its revocation; an earlier time stands."""
        return replace(self, reason=reason, revoke_time=self.revoke_time or revoke_time)


def read_index(path: Path) -> tuple[IndexLine, ...]:
    """All lines, oldest first. Raises HubError(PKI_INDEX_DAMAGED) with the line's number."""
    try:
        data = read_bounded(path, bytes_max=INDEX_BYTES_MAX, what="index")
    except HubError as error:
        rule = error.details["rule"]
        raise HubError(Reason.PKI_INDEX_DAMAGED, path=path, line=0, rule=rule) from error
    lines: list[IndexLine] = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            lines.append(_decode(line))
        except (ValueError, TypeError) as error:
            raise HubError(
                Reason.PKI_INDEX_DAMAGED, path=path, line=number, rule=str(error)
            ) from error
    if len({line.serial for line in lines}) != len(lines):
        rule = "a serial stands twice"
        raise HubError(Reason.PKI_INDEX_DAMAGED, path=path, line=0, rule=rule)
    return tuple(lines)


def write_index(path: Path, lines: Sequence[IndexLine]) -> None:
    """Replace the index; durable when it returns, and never half written."""
    data = b"".join(_encode(line) + b"\n" for line in lines)
    if len(data) > INDEX_BYTES_MAX:
        rule = f"it would pass {INDEX_BYTES_MAX} bytes"
        raise HubError(Reason.PKI_INDEX_DAMAGED, path=path, line=len(lines), rule=rule)
    write_replacing(path, data, mode=PRIVATE)


def write_time(time: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as X.509 keeps them."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _encode(line: IndexLine) -> bytes:
    members: dict[str, str | None] = {
        "serial": line.serial,
        "profile": line.profile,
        "subject": line.subject,
        "thumbprint": line.thumbprint,
        "key": line.key,
        "not_before": write_time(line.not_before),
        "not_after": write_time(line.not_after),
        "renews": line.renews,
        "status": "active" if line.revoke_time is None else "revoked",
        "revoke_time": None if line.revoke_time is None else write_time(line.revoke_time),
        "reason": line.reason,
    }
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def _decode(data: bytes) -> IndexLine:
    members = json.loads(data)
    if not isinstance(members, dict) or tuple(members) != _MEMBERS:
        raise ValueError("other members than " + ", ".join(_MEMBERS))
    for name, value in members.items():
        if not isinstance(value, str) and not (
            value is None and name in ("renews", "revoke_time", "reason")
        ):
            raise TypeError(f"{name} is not text")
    revoke_time = members["revoke_time"]
    if (members["status"] == "revoked") != (revoke_time is not None):
        raise ValueError("status contradicts revoke_time")
    if len(members["serial"]) != 40 or int(members["serial"], 16) <= 0:
        raise ValueError("serial is not 40 hexadecimal digits")
    return IndexLine(
        serial=members["serial"],
        profile=members["profile"],
        subject=members["subject"],
        thumbprint=members["thumbprint"],
        key=members["key"],
        not_before=_time(members["not_before"]),
        not_after=_time(members["not_after"]),
        renews=members["renews"],
        revoke_time=None if revoke_time is None else _time(revoke_time),
        reason=members["reason"],
    )


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


# -- what a line says about what comes after it


def check_in_force(line: IndexLine, now: datetime) -> None:
    """Raises HubError(X509_NOT_IN_FORCE)."""
    state = line.state(now)
    if state != "active":
        raise HubError(
            Reason.X509_NOT_IN_FORCE, serial=line.serial, profile=line.profile, state=state
        )


def line_of(certificate: x509.Certificate, lines: Sequence[IndexLine]) -> IndexLine:
    """The line of `certificate`. Raises HubError(X509_NOT_FOUND)."""
    print_ = thumbprint(certificate)
    line = next((line for line in lines if line.thumbprint == print_), None)
    if line is None:
        raise HubError(Reason.X509_NOT_FOUND, serial=f"{certificate.serial_number:040x}")
    return line


def check_key_free(
    lines: Sequence[IndexLine],
    profile: str,
    key: str,
    subject: str,
    now: datetime,
) -> None:
    """One key (its digest), one format: never a second profile, one subject in force at a time.

    Raises HubError(X509_KEY_REFUSED).
    """
    for line in lines:
        if line.key != key:
            continue
        rule = None
        if line.profile != profile:
            rule = f"it was certified as {line.profile}, and one key serves one purpose"
        elif line.reason == "key_compromise":
            rule = f"it was revoked as compromised (serial {line.serial})"
        elif line.state(now) == "active" and line.subject != subject:
            rule = f"it belongs to another subject (serial {line.serial})"
        if rule is not None:
            raise HubError(Reason.X509_KEY_REFUSED, profile=profile, rule=rule)
