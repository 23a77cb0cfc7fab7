"""The Merkle tree of RFC 9162 §2.1: roots, inclusion and consistency (formats-ledger.md §3).

Leaves are leaf hashes already; only `leaf_hash` sees data. A lone right-hand node moves up
unchanged and is never doubled, so a tree has one root and one shape for its size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from hub.proof.reasons import ProofError, ProofReason

HASH_BYTES: Final = 32
PATH_MAX: Final = 63
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The leaf of `data`; the prefix 00 keeps a leaf from passing as an inner node."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The parent of two nodes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root of the tree over `leaves` in their order; of none, SHA-256 of nothing."""
    if not leaves:
        return EMPTY_ROOT
    # Pairing level by level, a lone last node moving up, gives the same tree as the recursion.
    level = list(leaves)
    while len(level) > 1:
        pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The path of leaf `index`, from the leaf upwards. Raises ProofError(INDEX_OUT_OF_RANGE)."""
    if not 0 <= index < len(leaves):
        raise ProofError(ProofReason.INDEX_OUT_OF_RANGE, f"index {index}, size {len(leaves)}")
    path: list[bytes] = []
    level, position = list(leaves), index
    while len(level) > 1:
        sibling = position ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
        position //= 2
    return path


def consistency_path(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """The proof that the tree over `leaves` continues the one over the first `old_size`.

    Empty where nothing can be or need be proven: from size 0 and between equal sizes.
    Raises ProofError(LOG_WENT_BACK) where `old_size` is larger than the tree.
    """
    if old_size > len(leaves):
        raise ProofError(ProofReason.LOG_WENT_BACK, f"from {old_size} to {len(leaves)}")
    if old_size in (0, len(leaves)):
        return []
    path: list[bytes] = []
    start, end = 0, len(leaves)
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(root(leaves[middle:end]))
            end = middle
        else:
            path.append(root(leaves[start:middle]))
            start = middle
    if start > 0:
        path.append(root(leaves[start:end]))
    path.reverse()
    return path


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root to which `path` leads from `leaf` (formats-ledger.md §3.1, steps 1 to 4).

    Raises ProofError with INDEX_OUT_OF_RANGE, or PATH_LENGTH where the path does not have exactly
    the length that index and size demand.
    """
    if not 0 <= index < size:
        raise ProofError(ProofReason.INDEX_OUT_OF_RANGE, f"index {index}, size {size}")
    first, last, result = index, size - 1, leaf
    for sibling in path:
        if last == 0 or len(sibling) != HASH_BYTES:
            raise ProofError(ProofReason.PATH_LENGTH, f"{len(path)} hashes")
        if first & 1 or first == last:
            result = node_hash(sibling, result)
            first, last = _up_while_even(first, last)
        else:
            result = node_hash(result, sibling)
        first, last = first >> 1, last >> 1
    if last != 0:
        raise ProofError(ProofReason.PATH_LENGTH, f"{len(path)} hashes")
    return result


def check_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root_hash: bytes
) -> None:
    """`leaf` is entry `index` of the tree of `size` with `root_hash`.

    Raises ProofError with INDEX_OUT_OF_RANGE, PATH_LENGTH or ROOT_MISMATCH.
    """
    result = root_from_path(leaf, index, size, path)
    if len(leaf) != HASH_BYTES or result != root_hash:
        raise ProofError(ProofReason.ROOT_MISMATCH, f"index {index}, size {size}")


def check_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    """The tree of `new_size` begins with the whole tree of `old_size` (formats-ledger.md §3.2).

    From size 0 nothing is proven; only an empty `path` is accepted there.
    Raises ProofError with LOG_WENT_BACK, CONSISTENCY_LENGTH or CONSISTENCY_MISMATCH.
    """
    if not len(old_root) == len(new_root) == HASH_BYTES:
        raise ProofError(ProofReason.CONSISTENCY_MISMATCH, "a root that is not 32 bytes")
    if not 0 <= old_size <= new_size:
        raise ProofError(ProofReason.LOG_WENT_BACK, f"from {old_size} to {new_size}")
    if old_size in (0, new_size):
        if path:
            raise ProofError(ProofReason.CONSISTENCY_LENGTH, "must be empty")
        if old_size == new_size and old_root != new_root:
            raise ProofError(ProofReason.CONSISTENCY_MISMATCH, "same size, other root")
        return
    if _roots_from_path(old_size, old_root, new_size, path) != (old_root, new_root):
        raise ProofError(ProofReason.CONSISTENCY_MISMATCH, f"from {old_size} to {new_size}")


def _roots_from_path(
    old_size: int, old_root: bytes, new_size: int, path: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """The old and the new root to which the proof leads; 0 < old_size < new_size."""
    if not path:
        raise ProofError(ProofReason.CONSISTENCY_LENGTH, "empty")
    first, last = old_size - 1, new_size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    # A power of two is one full subtree: its root is known and therefore not in the proof.
    whole = old_size & (old_size - 1) == 0
    hashes: Sequence[bytes] = [old_root, *path] if whole else path
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0 or len(sibling) != HASH_BYTES:
            raise ProofError(ProofReason.CONSISTENCY_LENGTH, f"{len(path)} hashes")
        if first & 1 or first == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            first, last = _up_while_even(first, last)
        else:
            new = node_hash(new, sibling)
        first, last = first >> 1, last >> 1
    if last != 0:
        raise ProofError(ProofReason.CONSISTENCY_LENGTH, f"{len(path)} hashes")
    return old, new


def _up_while_even(first: int, last: int) -> tuple[int, int]:
    """Skip the levels at which the node is a lone right-hand one and moves up unchanged."""
    while first != 0 and not first & 1:
        first, last = first >> 1, last >> 1
    return first, last


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (size > 1)."""
    return 1 << ((size - 1).bit_length() - 1)
