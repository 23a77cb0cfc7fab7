"""Proof texts and receipts out of the tree and the stored entries.

A receipt is made twice by the same functions: once when the entry is recorded, and again, byte for
byte, whenever its call is repeated.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import orjson

from hub.domain.entry import LogHead
from hub.errors import HubError, Reason
from hub.ledger.checkpoints import LogKey
from hub.ledger.epoch import entry_context
from hub.ledger.store import (
    COMMITMENTS_FROM,
    ENTRIES_FROM,
    FIND_ENTRY,
    FIND_EPOCH,
    FIND_TILE,
    READ_HEAD,
    STAMP_OF_ENTRY,
    TILES_FROM,
    WRITES_OF_ENTRY,
    decode_head,
)
from hub.ledger.tree import (
    TILE_LEVELS,
    TILE_WIDTH,
    TileMissing,
    Tree,
    restored,
    tile_nodes,
    tile_root,
)
from hub.proof.encoding import b64, b64u
from hub.proof.log.merkle import EMPTY_ROOT, HASH_BYTES, check_inclusion, leaf_hash
from hub.proof.log.note import Checkpoint
from hub.proof.log.receipt import SALT_BYTES, commit, entry_bytes
from hub.proof.reasons import ProofError
from hub.storage.database import ROWS_MAX, Database
from hub.storage.encryption import DataKeys
from hub.storage.statements import Row, blob, integer, text

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OpenedEntry:
    """An entry with its opening and the epoch it was recorded in."""

    index: int
    salt: bytes
    body: bytes
    caller: str
    seen_size: int | None
    epoch_size: int
    epoch_root: bytes


class Proofs:
    """The readable side of the log. Says nothing about which heads may leave the hub."""

    def __init__(self, database: Database, data_keys: DataKeys, key: LogKey) -> None:
        self.tree = Tree()
        self._database = database
        self._data_keys = data_keys
        self._key = key

    async def load(self) -> None:
        """Read the tree that the database holds. Raises HubError(DIGEST_MISMATCH)."""
        size, root = decode_head(await self._database.one(READ_HEAD, 1)) or (0, EMPTY_ROOT)
        tree = restored(await self._tile_roots(size), await self._last_leaves(size))
        if (tree.size, tree.root) != (size, root):
            raise HubError(Reason.DIGEST_MISMATCH, what=f"log of {size} entries")
        self.tree = tree

    async def catch_up(self) -> None:
        """Append what other processes have recorded since.

        Raises HubError: LOG_ROLLED_BACK where the database holds less than was read before,
        DIGEST_MISMATCH.
        """
        size, root = decode_head(await self._database.one(READ_HEAD, 1)) or (0, EMPTY_ROOT)
        missing = size - self.tree.size
        if missing < 0:
            raise HubError(Reason.LOG_ROLLED_BACK, head=self.tree.size, size=size)
        if missing > ROWS_MAX // 2:
            await self.load()
        elif missing:
            rows = await self._database.all(COMMITMENTS_FROM, self.tree.size)
            growth = self.tree.grow(_leaves(rows[:missing]))
            if (growth.size, growth.root) != (size, root):
                raise HubError(Reason.DIGEST_MISMATCH, what=f"log of {size} entries")
            self.tree.apply(growth)

    async def check_continues(self, head: Checkpoint) -> None:
        """That the log holds what `head` covers. Raises HubError(LOG_ROLLED_BACK)."""
        size = self.tree.size
        if size < head.size or await self.root_at(head.size) != head.root:
            raise HubError(Reason.LOG_ROLLED_BACK, head=head.size, size=size)

    async def root_at(self, size: int) -> bytes:
        """The root when the log had `size` entries."""
        if size == self.tree.size:
            return self.tree.root
        return await self._with_tiles(lambda: self.tree.range_root(0, size))

    async def path(self, index: int, size: int) -> list[bytes]:
        """The inclusion path of entry `index` in the log of `size`."""
        return await self._with_tiles(lambda: self.tree.path(index, size))

    async def consistency(self, old_size: int, size: int) -> list[bytes]:
        """The proof that the log of `size` continues that of `old_size`."""
        return await self._with_tiles(lambda: self.tree.consistency(old_size, size))

    async def entry(self, index: int) -> bytes:
        """The 49 public bytes of an entry. Raises HubError(ENTRY_NOT_FOUND)."""
        row = await self._database.one(FIND_ENTRY, index)
        if row is None:
            raise HubError(Reason.ENTRY_NOT_FOUND, entry=index)
        assert isinstance(row[0], bytes)
        return entry_bytes(row[0])

    async def writes(self, index: int) -> bytes:
        """What is kept beside the body of entry `index`, which has its digest.

        Raises HubError(ENTRY_NOT_FOUND).
        """
        row = await self._database.one(WRITES_OF_ENTRY, index)
        if row is None:
            raise HubError(Reason.ENTRY_NOT_FOUND, entry=index)
        return blob(row[0])

    async def opened(self, index: int) -> OpenedEntry:
        """The entry with its opening.

        Raises HubError: ENTRY_NOT_FOUND, KEY_UNAVAILABLE where it was erased, DIGEST_MISMATCH.
        """
        row = await self._database.one(FIND_ENTRY, index)
        epoch = decode_head(await self._database.one(FIND_EPOCH, index, 1))
        if row is None or epoch is None:
            raise HubError(Reason.ENTRY_NOT_FOUND, entry=index)
        _, sealed, data_key_id = row
        assert isinstance(sealed, bytes)
        assert isinstance(data_key_id, str)
        key = await self._data_keys.get(data_key_id)
        opening = key.open(sealed, entry_context(self._key.origin, index))
        salt, body = opening[:SALT_BYTES], opening[SALT_BYTES:]
        members = orjson.loads(body)
        seen = members.get("log_seen")
        return OpenedEntry(
            index=index,
            salt=salt,
            body=body,
            caller=members["caller"],
            seen_size=seen["size"] if seen is not None else None,
            epoch_size=epoch[0],
            epoch_root=epoch[1],
        )

    def covers(self, index: int) -> bool:
        """Whether the tree that is signed has entry `index`. One that was committed a moment ago
        has not: until its root is signed nobody is told of it."""
        return index < self.tree.size

    async def proven(self, index: int) -> OpenedEntry:
        """As `opened`, and the entry stands in the tree that the external head covers.

        What a database row says may have been written by anybody; what this returns was recorded.
        Raises as `opened`, and HubError(DIGEST_MISMATCH). `covers` it, or it cannot be asked.
        """
        entry = await self.opened(index)
        size, root = self.tree.size, self.tree.root
        leaf = leaf_hash(entry_bytes(commit(entry.salt, entry.body)))
        path = await self.path(index, size)
        try:
            check_inclusion(leaf, index, size, path, root)
        except ProofError as error:
            raise HubError(Reason.DIGEST_MISMATCH, what=f"entry {index}") from error
        return entry

    async def bodies(self, first: int) -> AsyncIterator[list[tuple[int, bytes]]]:
        """Number and body of every entry from `first` on, a tile at a time, as far as the tree
        reaches by then: each stands in it, and none is left out.

        Raises HubError: KEY_UNAVAILABLE where one was erased, DIGEST_MISMATCH.
        """
        while first < self.tree.size:
            bodies = await self._tile_bodies(first)
            first = bodies[-1][0] + 1
            yield bodies

    async def _tile_bodies(self, first: int) -> list[tuple[int, bytes]]:
        number = first // TILE_WIDTH
        start = number * TILE_WIDTH
        end = min(start + TILE_WIDTH, self.tree.size)
        # The last tile stands in the tree leaf by leaf now, and may be full after the question.
        is_full = end - start == TILE_WIDTH
        expected = [] if is_full else [self.tree.node(0, index) for index in range(start, end)]
        rows = await self._database.all(ENTRIES_FROM, start, end - start)
        leaves, bodies = [], []
        for row in rows:
            index, commitment = integer(row[0]), blob(row[1])
            if index >= first:
                key = await self._data_keys.get(text(row[3]))
                opening = key.open(blob(row[2]), entry_context(self._key.origin, index))
                commitment = commit(opening[:SALT_BYTES], opening[SALT_BYTES:])
                bodies.append((index, opening[SALT_BYTES:]))
            leaves.append(leaf_hash(entry_bytes(commitment)))
        if is_full:
            expected = [self.tree.node(TILE_LEVELS, number)]
            leaves = [tile_root(b"".join(leaves))] if len(leaves) == TILE_WIDTH else []
        if leaves != expected:
            raise HubError(Reason.DIGEST_MISMATCH, what=f"entries {start} to {end - 1} of the log")
        return bodies

    async def proof(self, index: int, size: int, root: bytes) -> str:
        """The proof text of entry `index` under the checkpoint at `size`."""
        path = await self.path(index, size)
        return proof_text(index, path_lines(path), self._key.sign(size, root))

    async def proven_receipt(self, index: int, size: int) -> str:
        """`upgraded_receipt` of an entry that is `proven`; raises as that."""
        return await self.upgraded_receipt(await self.proven(index), size)

    async def upgraded_receipt(self, entry: OpenedEntry, size: int) -> str:
        """The original receipt, its proof under the first checkpoint that was time stamped with
        the entry in it, and, where the log has grown to `size` since, its proof there."""
        receipt = await self.receipt(entry)
        reached, later = entry.epoch_size, []
        stamp = await self._database.one(STAMP_OF_ENTRY, entry.index, 1)
        if stamp is not None and integer(stamp[0]) <= size:
            stamped = integer(stamp[0])
            upgrade = await self._upgrade(entry.index, reached, stamped)
            later.append({**upgrade, "stamp": b64u(blob(stamp[1]))})
            reached = stamped
        if size > reached:
            later.append(await self._upgrade(entry.index, reached, size))
        if not later:
            return receipt
        return orjson.dumps({**orjson.loads(receipt), "later": later}).decode()

    async def _upgrade(self, index: int, old_size: int, size: int) -> dict[str, str | list[str]]:
        proof = await self.proof(index, size, await self.root_at(size))
        hashes = await self.consistency(old_size, size)
        return {"proof": proof, "consistency": [b64u(item) for item in hashes]}

    async def receipt(self, entry: OpenedEntry) -> str:
        """The receipt that was handed out when the entry was recorded, byte for byte."""
        size = entry.epoch_size
        consistency: Sequence[bytes] = ()
        if entry.seen_size is not None:
            consistency = await self.consistency(entry.seen_size, size)
        proof = await self.proof(entry.index, size, entry.epoch_root)
        return receipt_text(entry.body, entry.salt, proof, consistency)

    async def receipts_now(self, indexes: Sequence[int]) -> list[str]:
        """Receipts of entries, all under the newest checkpoint: that of one reads as the others'.

        Raises as `opened`.
        """
        size, root = self.tree.size, self.tree.root
        receipts = []
        for index in indexes:
            entry = await self.opened(index)
            proof = await self.proof(index, size, root)
            receipts.append(receipt_text(entry.body, entry.salt, proof, ()))
        return receipts

    async def _with_tiles(self, compute: Callable[[], T]) -> T:
        """`compute`, with the tiles that it turns out to need."""
        while True:
            try:
                return compute()
            except TileMissing as missing:
                row = await self._database.one(FIND_TILE, 0, missing.number)
                if row is None or not isinstance(row[0], bytes):
                    what = f"tile {missing.number} of the log"
                    raise HubError(Reason.DIGEST_MISMATCH, what=what) from missing
                self.tree.remember(missing.number, tile_nodes(row[0]))

    async def _tile_roots(self, size: int) -> bytes:
        """What stands for each full tile of leaves: from tiles one level up as far as they go."""
        count = size >> TILE_LEVELS
        roots = bytearray()
        async for rows in self._database.scan(TILES_FROM, 1, 0):
            roots += b"".join(hashes for _, hashes in rows if isinstance(hashes, bytes))
        first = len(roots) // HASH_BYTES
        async for rows in self._database.scan(TILES_FROM, 0, first):
            roots += b"".join(tile_root(hashes) for _, hashes in rows if isinstance(hashes, bytes))
        return bytes(roots[: count * HASH_BYTES])

    async def _last_leaves(self, size: int) -> list[bytes]:
        first = size // TILE_WIDTH * TILE_WIDTH
        rows = await self._database.all(COMMITMENTS_FROM, first)
        return _leaves(rows[: size - first])


def _leaves(rows: Sequence[Row]) -> list[bytes]:
    return [leaf_hash(entry_bytes(blob(row[0]))) for row in rows]


def path_lines(path: Sequence[bytes]) -> str:
    """The hashes of a path as a proof text carries them."""
    return "".join([f"{b64(item)}\n" for item in path])


class EpochPaths:
    """The path lines of one epoch's entries, all under the same root, as JSON carries them.

    Neighbours share their paths but for the lowest hashes, so each shared rest is made once.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._size = tree.size
        self._top = (tree.size - 1).bit_length()
        self._known: dict[tuple[int, int], str] = {}

    def lines(self, index: int) -> str:
        """`path_lines` of the path of `index` inside a JSON string. Raises TileMissing."""
        return self._above(0, index)

    def _above(self, height: int, position: int) -> str:
        if height == self._top:
            return ""
        known = self._known.get((height, position))
        if known is None:
            sibling = self._tree.sibling(height, position, self._size)
            rest = self._above(height + 1, position >> 1)
            known = rest if sibling is None else f"{b64(sibling)}\\n{rest}"
            self._known[height, position] = known
        return known


def proof_text(index: int, lines: str, checkpoint: str) -> str:
    """The C2SP proof text (formats-ledger.md §5) of entry `index`; `lines` are its path."""
    return f"c2sp.org/tlog-proof@v1\nindex {index}\n{lines}\n{checkpoint}"


def receipt_text(body: bytes, salt: bytes, proof: str, consistency: Sequence[bytes]) -> str:
    """As `hub.proof.log.receipt.make_receipt`, the same bytes at a fifth of the cost."""
    return orjson.dumps(
        {
            "v": 1,
            "body": b64u(body),
            "salt": b64u(salt),
            "proof": proof,
            "consistency": [b64u(item) for item in consistency],
        }
    ).decode()


def quoted(hashes: Sequence[bytes]) -> str:
    """Hashes as the elements of a JSON array: the same for all who have seen the same head."""
    return ",".join([f'"{b64u(item)}"' for item in hashes])


class EpochReceipts:
    """The receipts of one epoch's entries, all under the checkpoint `note`.

    The same bytes as `receipt_text`, for less: what is alike is made once, and
    base64 needs no escaping.
    """

    def __init__(self, tree: Tree, note: str) -> None:
        self._paths = EpochPaths(tree)
        self._end = f'\\n{orjson.dumps(note).decode()[1:-1]}","consistency":['

    def receipt(self, index: int, body: bytes, salt: bytes, consistency: str) -> str:
        """As `receipt_text`; `consistency` is `quoted`. Raises TileMissing."""
        return (
            f'{{"v":1,"body":"{b64u(body)}","salt":"{b64u(salt)}",'
            f'"proof":"c2sp.org/tlog-proof@v1\\nindex {index}\\n'
            f"{self._paths.lines(index)}{self._end}{consistency}]}}"
        )


def log_head(origin: str, size: int, root: bytes) -> LogHead:
    """A head as values."""
    return LogHead(origin, size, b64u(root))
