"""The tree against the plain algorithms of hub.proof.log.merkle."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ledger.tree import TileMissing, Tree, restored, tile_nodes, tile_root
from hub.proof.log import merkle

LEAVES = [hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(1400)]


def grown(sizes: list[int]) -> tuple[Tree, dict[tuple[int, int], bytes]]:
    """A tree grown in steps of these sizes, and the full tiles that came out."""
    tree, tiles = Tree(), {}
    for size in sizes:
        growth = tree.grow(LEAVES[tree.size : tree.size + size])
        tiles |= {(tile.level, tile.number): tile.hashes for tile in growth.tiles}
        tree.apply(growth)
    return tree, tiles


STEPS = st.lists(st.integers(0, 300), min_size=1, max_size=8).filter(lambda s: sum(s) <= 1400)


@settings(deadline=None, max_examples=60)
@given(STEPS, st.data())
def test_roots_and_proofs_are_those_of_the_plain_algorithms(
    steps: list[int], data: st.DataObject
) -> None:
    """However the tree was grown: root, paths and consistency at any size."""
    tree, tiles = grown(steps)
    assert tree.root == merkle.root(LEAVES[: tree.size])
    if tree.size == 0:
        return
    size = data.draw(st.integers(1, tree.size))
    index = data.draw(st.integers(0, size - 1))
    old_size = data.draw(st.integers(0, size))
    for number in range(tree.size >> 8):
        tree.remember(number, tile_nodes(tiles[0, number]))

    assert tree.range_root(0, size) == merkle.root(LEAVES[:size])
    assert tree.path(index, size) == merkle.inclusion_path(LEAVES[:size], index)
    assert tree.consistency(old_size, size) == merkle.consistency_path(LEAVES[:size], old_size)


@settings(deadline=None, max_examples=40)
@given(STEPS)
def test_a_restored_tree_is_the_same(steps: list[int]) -> None:
    """From the roots of full tiles and the last leaves alone."""
    tree, tiles = grown(steps)
    roots = b"".join(tile_root(tiles[0, number]) for number in range(tree.size >> 8))

    again = restored(roots, LEAVES[tree.size >> 8 << 8 : tree.size])

    assert (again.size, again.root) == (tree.size, tree.root)
    more = LEAVES[tree.size : tree.size + 300]
    assert again.grow(more).root == tree.grow(more).root


def test_a_second_level_tile_holds_the_roots_of_the_first() -> None:
    """256 full tiles make one of the level above."""
    leaves = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(65_536)]
    tree = Tree()

    tiles = {(tile.level, tile.number): tile for tile in tree.grow(leaves).tiles}

    assert len(tiles) == 257
    expected = b"".join(tile_root(tiles[0, number].hashes) for number in range(256))
    assert tiles[1, 0].hashes == expected


def test_growing_changes_nothing_until_it_is_applied() -> None:
    """A transaction that is rolled back leaves the tree as it was."""
    tree, _ = grown([300])
    root = tree.root

    tree.grow(LEAVES[300:900])

    assert (tree.size, tree.root) == (300, root)


def test_leaves_that_are_not_in_memory_are_asked_for() -> None:
    """The tile to load is named."""
    tree, _ = grown([256] * 5)
    roots = b"".join(merkle.root(LEAVES[n * 256 : n * 256 + 256]) for n in range(5))
    again = restored(roots, [])

    with pytest.raises(TileMissing) as missing:
        again.path(300, tree.size)

    assert missing.value.number == 1


def test_ten_million_entries_fit_in_fifty_megabytes() -> None:
    """What is held grows with the tiles, not with the leaves."""
    import tracemalloc

    tiles = 10_000_000 >> 8
    roots = hashlib.sha256(b"tile").digest() * tiles
    tracemalloc.start()
    tree = restored(roots, LEAVES[:255])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert tree.size == (tiles << 8) + 255
    assert held < 50_000_000
