"""Attestations of scans, kept beside the source: one compact text per line.

A conversion officer compares a scan's data with the paper and signs the row that the manifest makes
of it (`sealway connect attest`); the connector finds the attestation by the row's digest. Where the
data changed since, nothing is found and the row waits in quarantine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from hub.errors import HubError, Reason
from hub.proof.encoding import b64u_decode, parse_object
from hub.proof.exchange.attestation import ATTESTATION_SIZE_MAX
from hub.proof.reasons import ProofError

FILE_BYTES_MAX: Final = 256 * 1024 * 1024


def read_attestations(path: Path) -> Mapping[str, str]:
    """The attestations in `path` by the digest of the row they are about; a later one counts.

    A file that is not there holds none. Raises HubError(FILE_UNREADABLE) naming the line.
    """
    if not path.exists():
        return {}
    found: dict[str, str] = {}
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise _unreadable(path, f"has more than {FILE_BYTES_MAX} bytes")
        with path.open(encoding="ascii") as stream:
            for number, line in enumerate(stream, start=1):
                compact = line.strip()
                if compact:
                    found[_row_of(path, number, compact)] = compact
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, "cannot be read") from error
    return found


def append_attestations(path: Path, attestations: Sequence[str]) -> None:
    """Add lines. Raises HubError(FILE_UNREADABLE)."""
    try:
        with path.open("a", encoding="ascii") as stream:
            stream.writelines(f"{one}\n" for one in attestations)
    except OSError as error:
        raise _unreadable(path, error.strerror or "cannot be written") from error


def _row_of(path: Path, number: int, compact: str) -> str:
    """The row that an attestation is about. Whether it holds is for the hub to say."""
    try:
        if len(compact) > ATTESTATION_SIZE_MAX:
            raise ValueError
        row = parse_object(b64u_decode(compact.split(".")[1]))["row"]
        if not isinstance(row, str):
            raise TypeError
    except (ProofError, LookupError, ValueError, TypeError) as error:
        raise _unreadable(path, f"line {number} is no attestation") from error
    return row


def _unreadable(path: Path, rule: str) -> HubError:
    return HubError(Reason.FILE_UNREADABLE, what="attestations", path=path.name, rule=rule)
