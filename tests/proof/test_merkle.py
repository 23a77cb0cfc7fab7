"""The Merkle tree against vectors, outside probes and random alterations."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.proof.log import merkle
from hub.proof.reasons import ProofError, ProofReason
from tests.proof.vectors import LEDGER, decoded, leaves

LEAVES = leaves()
TREE = [merkle.leaf_hash(bytes([number])) for number in range(70)]


def test_the_vectors_are_those_of_the_specification(shared_data: Path) -> None:
    """Our copy of the ledger vectors equals the outside file byte for byte."""
    copy = Path(__file__).parent.parent / "golden" / "ledger.json"

    assert copy.read_bytes() == (shared_data / "vectors" / "ledger.json").read_bytes()


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    """The root of no leaves is SHA-256 of nothing."""
    assert merkle.root([]) == decoded(LEDGER["empty_root"])


@pytest.mark.parametrize("tree", LEDGER["trees"], ids=lambda tree: str(tree["size"]))
def test_roots_equal_the_vectors(tree: dict[str, Any]) -> None:
    """The root over the first leaves is the one in the vectors, at every size given."""
    assert merkle.root(LEAVES[: tree["size"]]) == decoded(tree["root"])


def test_inclusion_paths_are_made_and_checked_as_in_the_vectors() -> None:
    """Every inclusion path of the vectors is reproduced and leads to its root."""
    assert len(LEDGER["inclusion"]) == 57
    for case in LEDGER["inclusion"]:
        tree, path = LEAVES[: case["size"]], [decoded(item) for item in case["path"]]

        assert merkle.inclusion_path(tree, case["index"]) == path
        merkle.check_inclusion(
            tree[case["index"]], case["index"], case["size"], path, merkle.root(tree)
        )


def test_consistency_paths_are_made_and_checked_as_in_the_vectors() -> None:
    """Every consistency path of the vectors is reproduced and joins its two roots."""
    assert len(LEDGER["consistency"]) == 44
    for case in LEDGER["consistency"]:
        old, new = LEAVES[: case["from"]], LEAVES[: case["to"]]
        path = [decoded(item) for item in case["path"]]

        assert merkle.consistency_path(new, case["from"]) == path
        merkle.check_consistency(len(old), merkle.root(old), len(new), merkle.root(new), path)


def test_leaves_hash_to_the_published_tiles() -> None:
    """Level 0 tiles hold the leaf hashes, level 1 the roots of full tiles."""
    expected = {item["path"]: item["sha256_hex"] for item in LEDGER["tiles"]["resources"]}
    full = [LEAVES[start : start + 256] for start in range(0, 768, 256)]
    tiles = {
        **{f"tile/0/{number:03}": b"".join(tile) for number, tile in enumerate(full)},
        "tile/0/003.p/232": b"".join(LEAVES[768:]),
        "tile/1/000.p/3": b"".join(merkle.root(tile) for tile in full),
    }

    for path, data in tiles.items():
        assert hashlib.sha256(data).hexdigest() == expected[path], path


def test_outside_inclusion_probes_are_judged_as_they_say(shared_data: Path) -> None:
    """Each inclusion probe of an outside implementation verifies or fails as it demands."""
    probes = sorted((shared_data / "merkle-probes" / "inclusion").rglob("*.json"))
    assert len(probes) > 50
    for file in probes:
        probe = json.loads(file.read_bytes())
        arguments = (
            _standard(probe["leafHash"]),
            probe["leafIdx"],
            probe["treeSize"],
            _proof(probe),
            _standard(probe["root"]),
        )
        assert _refuses(merkle.check_inclusion, arguments) is probe["wantErr"], probe["desc"]


def test_outside_consistency_probes_are_judged_as_they_say(shared_data: Path) -> None:
    """Each consistency probe of an outside implementation verifies or fails as it demands."""
    probes = sorted((shared_data / "merkle-probes" / "consistency").rglob("*.json"))
    assert len(probes) > 50
    for file in probes:
        probe = json.loads(file.read_bytes())
        arguments = (
            probe["size1"],
            _standard(probe["root1"]),
            probe["size2"],
            _standard(probe["root2"]),
            _proof(probe),
        )
        assert _refuses(merkle.check_consistency, arguments) is probe["wantErr"], probe["desc"]


def test_failures_name_their_reason() -> None:
    """Index, length and root failures are told apart, for both kinds of proof."""
    path = merkle.inclusion_path(TREE[:5], 3)
    old, new = merkle.root(TREE[:3]), merkle.root(TREE[:7])
    proof = merkle.consistency_path(TREE[:7], 3)
    inclusion, consistency = merkle.check_inclusion, merkle.check_consistency
    cases: list[tuple[ProofReason, Any, tuple[Any, ...]]] = [
        (ProofReason.INDEX_OUT_OF_RANGE, inclusion, (TREE[3], 5, 5, path, merkle.root(TREE[:5]))),
        (ProofReason.INDEX_OUT_OF_RANGE, inclusion, (TREE[3], -1, 5, path, merkle.root(TREE[:5]))),
        (ProofReason.PATH_LENGTH, inclusion, (TREE[3], 3, 5, path[:-1], merkle.root(TREE[:5]))),
        (ProofReason.PATH_LENGTH, inclusion, (TREE[3], 3, 5, [*path, old], new)),
        (ProofReason.ROOT_MISMATCH, inclusion, (TREE[2], 3, 5, path, merkle.root(TREE[:5]))),
        (ProofReason.LOG_WENT_BACK, consistency, (7, new, 3, old, proof)),
        (ProofReason.CONSISTENCY_LENGTH, consistency, (3, old, 7, new, [])),
        (ProofReason.CONSISTENCY_LENGTH, consistency, (3, old, 7, new, proof[:-1])),
        (ProofReason.CONSISTENCY_LENGTH, consistency, (3, old, 3, old, proof)),
        (ProofReason.CONSISTENCY_LENGTH, consistency, (0, old, 7, new, proof)),
        (ProofReason.CONSISTENCY_MISMATCH, consistency, (3, old, 3, new, [])),
        (ProofReason.CONSISTENCY_MISMATCH, consistency, (3, new, 7, new, proof)),
    ]
    for reason, check, arguments in cases:
        with pytest.raises(ProofError) as caught:
            check(*arguments)
        assert caught.value.reason is reason


def test_paths_are_not_made_beyond_the_tree() -> None:
    """A path for an index outside, or from a larger tree, is refused and not invented."""
    with pytest.raises(ProofError) as outside:
        merkle.inclusion_path(TREE[:5], 5)
    with pytest.raises(ProofError) as larger:
        merkle.consistency_path(TREE[:5], 6)

    assert outside.value.reason is ProofReason.INDEX_OUT_OF_RANGE
    assert larger.value.reason is ProofReason.LOG_WENT_BACK


@given(st.data())
def test_an_altered_inclusion_proof_never_verifies(data: st.DataObject) -> None:
    """One bit flipped in leaf, path or root, or another index, size or length: refused."""
    size = data.draw(st.integers(1, len(TREE)))
    index = data.draw(st.integers(0, size - 1))
    path, root = merkle.inclusion_path(TREE[:size], index), merkle.root(TREE[:size])
    merkle.check_inclusion(TREE[index], index, size, path, root)
    hashes = [TREE[index], root, *path]
    changed = _alter(data, hashes)

    leaf, altered_root, *altered_path = changed
    assert _refuses(merkle.check_inclusion, (leaf, index, size, altered_path, altered_root))
    other = data.draw(st.integers(0, size).filter(lambda number: number != index))
    assert _refuses(merkle.check_inclusion, (TREE[index], other, size, path, root))


@given(st.data())
def test_an_altered_consistency_proof_never_verifies(data: st.DataObject) -> None:
    """One bit flipped in either root or in the proof, or a hash more or less: refused."""
    new = data.draw(st.integers(2, len(TREE)))
    old = data.draw(st.integers(1, new - 1))
    roots = merkle.root(TREE[:old]), merkle.root(TREE[:new])
    path = merkle.consistency_path(TREE[:new], old)
    merkle.check_consistency(old, roots[0], new, roots[1], path)

    old_root, new_root, *altered = _alter(data, [*roots, *path])
    assert _refuses(merkle.check_consistency, (old, old_root, new, new_root, altered))


def _alter(data: st.DataObject, hashes: list[bytes]) -> list[bytes]:
    """`hashes` (two fixed ones, then a path) with one bit flipped, or a path hash more or less."""
    at = data.draw(st.integers(0, len(hashes) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = (int.from_bytes(hashes[at], "big") ^ (1 << bit)).to_bytes(32, "big")
    ways = [[*hashes[:at], flipped, *hashes[at + 1 :]], [*hashes, hashes[at]]]
    if at > 1:
        ways.append(hashes[:at] + hashes[at + 1 :])
    return data.draw(st.sampled_from(ways))


def _refuses(check: Any, arguments: tuple[Any, ...]) -> bool:
    try:
        check(*arguments)
    except ProofError:
        return True
    return False


def _standard(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _proof(probe: dict[str, Any]) -> list[bytes]:
    return [_standard(item) for item in probe["proof"] or []]
