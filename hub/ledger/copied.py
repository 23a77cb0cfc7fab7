"""The log inside a copy of the database: its tree, recomputed while the copy is read."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.errors import HubError, Reason
from hub.ledger.audit import GrowingRoot
from hub.ledger.store import decode_entry
from hub.proof.encoding import b64u
from hub.proof.log.merkle import EMPTY_ROOT, leaf_hash
from hub.proof.log.note import Checkpoint
from hub.proof.log.receipt import entry_bytes
from hub.storage.statements import Row


@dataclass(slots=True)
class CopiedLog:
    """Fed with every row of the entries in their order; `head` is the external head to find."""

    head: Checkpoint
    _tree: GrowingRoot = field(default_factory=GrowingRoot)
    _at_head: bytes = b""

    def watch(self, row: Row) -> None:
        """The next entry. Raises HubError(DIGEST_MISMATCH) where one is missing before it."""
        entry = decode_entry(row)
        if entry.index != self._tree.size:
            raise HubError(Reason.DIGEST_MISMATCH, what=f"log entry {self._tree.size}")
        self._tree.append(leaf_hash(entry_bytes(entry.commitment)))
        if self._tree.size == self.head.size:
            self._at_head = self._tree.root()

    @property
    def size(self) -> int:
        """Entries so far."""
        return self._tree.size

    def root(self) -> str:
        """The root over them."""
        return b64u(self._tree.root())

    def check_head(self, last_time: str) -> None:
        """That these entries continue the external head; `last_time` is that of the newest.

        Raises HubError: BACKUP_BEHIND_HEAD where they end before it, LOG_ROLLED_BACK where the
        head is of other entries.
        """
        if self.size < self.head.size:
            raise HubError(
                Reason.BACKUP_BEHIND_HEAD,
                head=self.head.size,
                size=self.size,
                missing=self.head.size - self.size,
                time=last_time,
            )
        if (self._at_head or EMPTY_ROOT) != self.head.root:
            raise HubError(Reason.LOG_ROLLED_BACK, head=self.head.size, size=self.size)
