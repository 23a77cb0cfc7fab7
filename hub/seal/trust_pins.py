"""The trust file that the hub itself judges by: the one that it hands out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hub.errors import HubError, Reason
from hub.proof.reasons import ProofError
from hub.proof.trust import TRUST_BYTES_MAX, Trust, parse_trust


@dataclass(slots=True)
class TrustPins:
    """What is pinned in `file`, read again when that changes: a compromised key counts at once."""

    file: Path
    _seen: tuple[int, int, int] | None = None
    _trust: Trust | None = field(default=None, repr=False)

    def __call__(self) -> Trust:
        """What is pinned now. Raises HubError(TRUST_UNAVAILABLE); what was read before is void."""
        try:
            found = self.file.stat()
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if self._trust is None or seen != self._seen:
                self._trust = None
                with self.file.open("rb") as stream:
                    self._trust = parse_trust(stream.read(TRUST_BYTES_MAX + 1))
                self._seen = seen
        except (OSError, ProofError) as error:
            raise HubError(Reason.TRUST_UNAVAILABLE) from error
        return self._trust
