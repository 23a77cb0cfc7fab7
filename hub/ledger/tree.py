"""The log's Merkle tree in memory: what a proof needs, and no more.

Of the leaves only the last tile of 256 and a few recently used ones are held; from there upwards
every node of a complete subtree is (about 2.5 MB for ten million entries). A tree is never changed
by what might not be kept: `grow` computes, `apply` takes over after the commit.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hub.proof.log.merkle import EMPTY_ROOT, HASH_BYTES

TILE_WIDTH: Final = 256
TILE_LEVELS: Final = 8  # Binary levels in one tile.

_TILES_CACHED: Final = 64

# A copy that has taken the prefix of `hub.proof.log.merkle.node_hash` costs less than a new hash.
_NODE: Final = hashlib.sha256(b"\x01")

Nodes = list[list[bytes]]
"""The nodes of one tile of leaves: `nodes[height][position]`, complete subtrees only."""


@dataclass(frozen=True, slots=True)
class FullTile:
    """256 hashes that will never change: `tile/<level>/<number>` (formats-ledger.md §7)."""

    level: int
    number: int
    hashes: bytes


@dataclass(frozen=True, slots=True)
class Growth:
    """What appending leaves does to a tree of `old_size`: new nodes by height, root, full tiles."""

    old_size: int
    size: int
    root: bytes
    nodes: Nodes
    tiles: tuple[FullTile, ...]


class TileMissing(Exception):
    """Leaves are needed that are not in memory: `Tree.remember` tile `number` and ask again."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"tile {number}")


class Tree:
    """A Merkle tree of RFC 9162 that only grows."""

    def __init__(self) -> None:
        self.size = 0
        self.root = EMPTY_ROOT
        # Heights from TILE_LEVELS up, packed; heights below live in tiles.
        self._upper: list[bytearray] = [bytearray()]
        self._last: Nodes = _no_nodes()
        self._tiles: OrderedDict[int, Nodes] = OrderedDict()

    def grow(self, leaves: Sequence[bytes]) -> Growth:
        """What the tree becomes with `leaves` appended. Changes nothing."""
        size = self.size + len(leaves)
        nodes: Nodes = [list(leaves)]
        while added := self._parents(len(nodes) - 1, nodes[-1], size):
            nodes.append(added)
        root = self._grown_root(size, nodes)
        return Growth(self.size, size, root, nodes, self._full_tiles(size, nodes))

    def apply(self, growth: Growth) -> None:
        """Become what `grow` computed."""
        assert growth.old_size == self.size, "grown from another tree"
        for height, added in enumerate(growth.nodes[TILE_LEVELS:]):
            if height == len(self._upper):
                self._upper.append(bytearray())
            self._upper[height] += b"".join(added)
        first = self.size >> TILE_LEVELS
        last = growth.size >> TILE_LEVELS
        if first == last:
            for held, added in zip(self._last, growth.nodes, strict=False):
                held.extend(added)
        else:
            self._apply_across(growth, first, last)
        self.size, self.root = growth.size, growth.root

    def adopt(self, size: int, nodes: Nodes) -> None:
        """Become the tree of `size`, a multiple of 256, whose nodes above the tiles are `nodes`."""
        assert self.size == 0, "only an empty tree adopts"
        self._upper = [bytearray(b"".join(row)) for row in nodes[TILE_LEVELS:]] or [bytearray()]
        self.size = size

    def remember(self, number: int, nodes: Nodes) -> None:
        """Keep the nodes of a full tile for a while."""
        self._tiles[number] = nodes
        self._tiles.move_to_end(number)
        if len(self._tiles) > _TILES_CACHED:
            self._tiles.popitem(last=False)

    def node(self, height: int, position: int) -> bytes:
        """The root of the complete subtree of 2^height leaves. Raises TileMissing."""
        if height >= TILE_LEVELS:
            start = position * HASH_BYTES
            return bytes(self._upper[height - TILE_LEVELS][start : start + HASH_BYTES])
        number = position >> (TILE_LEVELS - height)
        inside = position & ((TILE_WIDTH >> height) - 1)
        if number == self.size >> TILE_LEVELS:
            return self._last[height][inside]
        nodes = self._tiles.get(number)
        if nodes is None:
            raise TileMissing(number)
        self._tiles.move_to_end(number)
        return nodes[height][inside]

    def range_root(self, start: int, end: int) -> bytes:
        """The root over leaves `start` to `end` - 1, where `start` is aligned. Raises TileMissing.

        Aligned: a multiple of the smallest power of two that is not below `end` - `start`.
        """
        if start == end:
            return EMPTY_ROOT
        result, position = b"", end
        while position > start:
            # The lone right-hand parts are folded from the right, smallest first.
            height = (position & -position).bit_length() - 1
            while start + (1 << height) > position:
                height -= 1
            part = self.node(height, (position - 1) >> height)
            result = _node(part, result) if result else part
            position -= 1 << height
        return result

    def path(self, index: int, size: int) -> list[bytes]:
        """The inclusion path of leaf `index` in the tree of `size`. Raises TileMissing."""
        assert 0 <= index < size <= self.size, f"no path of {index} in {size}"
        siblings = [
            self.sibling(height, index >> height, size) for height in range((size - 1).bit_length())
        ]
        return [sibling for sibling in siblings if sibling is not None]

    def sibling(self, height: int, position: int, size: int) -> bytes | None:
        """What a path of the tree of `size` holds beside this node; None beside a lone one.

        Raises TileMissing.
        """
        start = (position ^ 1) << height
        if start + (1 << height) <= size:
            return self.node(height, position ^ 1)
        return self.range_root(start, size) if start < size else None

    def consistency(self, old_size: int, size: int) -> list[bytes]:
        """The proof that the tree of `size` continues that of `old_size`. Raises TileMissing."""
        assert 0 <= old_size <= size <= self.size, f"no proof from {old_size} to {size}"
        if old_size in (0, size):
            return []
        hashes = []
        start, end = 0, size
        while end != old_size:
            middle = start + (1 << ((end - start - 1).bit_length() - 1))
            if old_size <= middle:
                hashes.append(self.range_root(middle, end))
                end = middle
            else:
                hashes.append(self.range_root(start, middle))
                start = middle
        if start > 0:
            hashes.append(self.range_root(start, end))
        hashes.reverse()
        return hashes

    def _apply_across(self, growth: Growth, first: int, last: int) -> None:
        """Take over what belongs into tiles `first` to `last`; all but the last become full."""
        for number in range(first, last + 1):
            for height, added in enumerate(growth.nodes[:TILE_LEVELS]):
                start = self.size >> height
                low = max((number << TILE_LEVELS >> height) - start, 0)
                high = max((number + 1 << TILE_LEVELS >> height) - start, 0)
                self._last[height] += added[low:high]
            if number < last:
                self.remember(number, self._last)
                self._last = _no_nodes()

    def _parents(self, height: int, added: list[bytes], size: int) -> list[bytes]:
        """The new complete nodes one above `height`, of whose nodes `added` are new."""
        known = self.size >> height
        first, end = known >> 1, size >> height >> 1
        if first == end:
            return []
        if known & 1:
            added = [self.node(height, known - 1), *added]
        return [_node(added[i], added[i + 1]) for i in range(0, 2 * (end - first), 2)]

    def _grown_root(self, size: int, nodes: Nodes) -> bytes:
        result, left = b"", size
        while left:
            height = (left & -left).bit_length() - 1
            position = (size >> height) - 1
            known = self.size >> height
            if position >= known:
                part = nodes[height][position - known]
            else:
                part = self.node(height, position)
            result = _node(part, result) if result else part
            left &= left - 1
        return result or EMPTY_ROOT

    def _full_tiles(self, size: int, nodes: Nodes) -> tuple[FullTile, ...]:
        tiles = []
        for level, height in enumerate(range(0, len(nodes), TILE_LEVELS)):
            known = self.size >> height
            first, end = known // TILE_WIDTH, (size >> height) // TILE_WIDTH
            for number in range(first, end):
                start = number * TILE_WIDTH
                held = [self.node(height, i) for i in range(start, min(known, start + TILE_WIDTH))]
                low = max(start - known, 0)
                fresh = nodes[height][low : start + TILE_WIDTH - known]
                tiles.append(FullTile(level, number, b"".join(held + fresh)))
        return tuple(tiles)


def restored(tile_roots: bytes, last_leaves: Sequence[bytes]) -> Tree:
    """The tree with full tiles of these roots, followed by `last_leaves`."""
    tree = Tree()
    size = len(tile_roots) // HASH_BYTES * TILE_WIDTH
    row = [tile_roots[i : i + HASH_BYTES] for i in range(0, len(tile_roots), HASH_BYTES)]
    nodes: Nodes = [[] for _ in range(TILE_LEVELS)]
    while row:
        nodes.append(row)
        row = [_node(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
    tree.adopt(size, nodes)
    tree.apply(tree.grow(last_leaves))
    return tree


def tile_nodes(hashes: bytes) -> Nodes:
    """The nodes of a full tile of leaves."""
    assert len(hashes) == TILE_WIDTH * HASH_BYTES, "a tile that is not full"
    nodes = [[hashes[i : i + HASH_BYTES] for i in range(0, len(hashes), HASH_BYTES)]]
    while len(nodes) <= TILE_LEVELS:
        below = nodes[-1]
        nodes.append([_node(below[i], below[i + 1]) for i in range(0, len(below), 2)])
    return nodes


def tile_root(hashes: bytes) -> bytes:
    """The hash that stands for a full tile in the tile above."""
    return tile_nodes(hashes)[TILE_LEVELS][0]


def _node(left: bytes, right: bytes) -> bytes:
    """As `hub.proof.log.merkle.node_hash`."""
    node = _NODE.copy()
    node.update(left + right)
    return node.digest()


def _no_nodes() -> Nodes:
    return [[] for _ in range(TILE_LEVELS)]
