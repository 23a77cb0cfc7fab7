"""Checkpoints: made byte for byte as in the vectors, and opened only as the profile allows."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.proof.encoding import b64, b64_decode
from hub.proof.log import merkle, note
from hub.proof.reasons import ProofError, ProofReason, Verdict
from tests.proof.vectors import LEDGER, leaves

KEYS = LEDGER["keys"]
ORIGIN = KEYS["log"]["name"]
VKEY, WITNESS_VKEY = KEYS["log"]["vkey"], KEYS["witness"]["vkey"]
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
LEAVES = leaves()


def seed(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(KEYS[name]["seed_hex"]))


def checkpoint(size: int = 5) -> str:
    return note.sign_checkpoint(ORIGIN, size, merkle.root(LEAVES[:size]), seed("log"))


def with_line(name: str, signature: bytes, key_id: bytes, size: int = 5) -> str:
    return f"{checkpoint(size)}\u2014 {name} {b64(key_id + signature)}\n"


def cosigned(size: int, time_s: int) -> str:
    text = note.checkpoint_text(ORIGIN, size, merkle.root(LEAVES[:size]))
    key = note.parse_verifier_key(WITNESS_VKEY, note.KeyType.WITNESS)
    signature = seed("witness").sign(note.cosigned_bytes(text, time_s))
    return checkpoint(size) + note.signature_line(key, time_s.to_bytes(8, "big") + signature)


@pytest.mark.parametrize("name", ["log", "other", "witness"])
def test_verifier_keys_equal_the_vectors(name: str) -> None:
    """From a seed, the key's id and its text come out as the vectors say."""
    given = KEYS[name]
    key = note.VerifierKey(
        given["name"], note.KeyType(given["type"]), seed(name).public_key().public_bytes_raw()
    )

    assert key.text() == given["vkey"]
    assert note.parse_verifier_key(given["vkey"], key.type) == key


@pytest.mark.parametrize("case", LEDGER["checkpoints"], ids=lambda case: str(case["size"]))
def test_checkpoints_equal_the_vectors_byte_for_byte(case: dict[str, Any]) -> None:
    """The note made from the seed is the note of the vectors, and opens to size and root."""
    made = cosigned(case["size"], 1790000065) if "cosigned" in case else checkpoint(case["size"])

    opened = note.open_checkpoint(case["note_text"], ORIGIN, [VKEY], [WITNESS_VKEY])

    assert made == case["note_text"]
    assert opened.size == case["size"]
    assert opened.root == merkle.root(LEAVES[: case["size"]])
    assert [item.time_s for item in opened.cosignatures] == (
        [1790000065] if "cosigned" in case else []
    )


def test_our_checkpoint_opens_in_another_implementation() -> None:
    """The reference implementation of signed notes accepts our note under our verifier key."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("the Go tool chain is absent: no second implementation of notes to ask")
    folder = Path(__file__).parent / "notes_go"
    module = subprocess.run(
        [go, "mod", "download"], cwd=folder, check=False, capture_output=True, timeout=120
    )
    if module.returncode != 0:
        pytest.skip("the Go module golang.org/x/mod cannot be had here")

    def opened(text: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [go, "run", ".", VKEY],
            cwd=folder,
            check=False,
            input=text.encode(),
            capture_output=True,
            timeout=300,
            env={**os.environ, "GOFLAGS": "-mod=readonly"},
        )

    accepted, refused = opened(cosigned(100, 1790000065)), opened(checkpoint().replace("5", "6", 1))

    assert accepted.stdout.decode() == checkpoint(100).partition("\n\n")[0] + "\n"
    assert accepted.returncode == 0
    assert refused.returncode != 0


@pytest.mark.parametrize(
    ("pinned", "reason"),
    [
        ([], ProofReason.NO_LOG_KEY),
        ([VKEY.replace("30f3a3a8", "30F3A3A8")], ProofReason.VKEY_MALFORMED),
        ([VKEY.replace("30f3a3a8", "00000000")], ProofReason.VKEY_MALFORMED),
        ([VKEY[:-4]], ProofReason.VKEY_MALFORMED),
        (["nonsense"], ProofReason.VKEY_MALFORMED),
        ([WITNESS_VKEY], ProofReason.VKEY_MALFORMED),
        ([VKEY, "other.example" + VKEY.removeprefix(ORIGIN)], ProofReason.VKEY_MALFORMED),
    ],
)
def test_without_a_sound_log_key_nothing_can_be_checked(
    pinned: list[str], reason: ProofReason
) -> None:
    """A missing or broken pin gives *cannot check*: it says nothing about the checkpoint."""
    with pytest.raises(ProofError) as caught:
        note.open_checkpoint(checkpoint(), ORIGIN, pinned)

    assert (caught.value.reason, caught.value.verdict) == (reason, Verdict.CANNOT_CHECK)


def test_a_key_of_another_name_is_no_key_of_this_log() -> None:
    """A sound verifier key under another name than the origin is a broken pin."""
    other = note.VerifierKey(
        "other.example", note.KeyType.LOG, seed("log").public_key().public_bytes_raw()
    )

    with pytest.raises(ProofError) as caught:
        note.open_checkpoint(checkpoint(), ORIGIN, [VKEY, other.text()])

    assert caught.value.reason is ProofReason.VKEY_MALFORMED


def high_scalar(text: str) -> str:
    """The log's signature with the group order added to its scalar: the same point equation."""
    head, _, encoded = text.rpartition(" ")
    blob = b64_decode(encoded.strip())
    scalar = int.from_bytes(blob[-32:], "little") + GROUP_ORDER
    return f"{head} {b64(blob[:-32] + scalar.to_bytes(32, 'little'))}\n"


LOG_ID = bytes.fromhex(KEYS["log"]["key_id_hex"])
WITNESS_ID = bytes.fromhex(KEYS["witness"]["key_id_hex"])
REFUSED = {
    "a known pair with a short signature": (
        with_line(ORIGIN, b"\x00" * 63, LOG_ID),
        ProofReason.NOTE_SIGNATURE,
    ),
    "a cosignature without its time": (
        with_line("witness.example/w1", b"\x00" * 64, WITNESS_ID),
        ProofReason.NOTE_SIGNATURE,
    ),
    "a scalar not below the group order": (
        high_scalar(checkpoint()),
        ProofReason.NOTE_SIGNATURE,
    ),
    "a repeated line is verified too": (
        checkpoint() + checkpoint(7).rpartition("\n\n")[2],
        ProofReason.NOTE_SIGNATURE,
    ),
    "an empty signature": (with_line("x.example", b"", LOG_ID), ProofReason.NOTE_MALFORMED),
    "a key name with a plus sign": (
        with_line("x+y", b"\x00" * 8, LOG_ID),
        ProofReason.NOTE_MALFORMED,
    ),
    "a key name with a wide blank": (
        with_line("x\u3000y", b"\x00" * 8, LOG_ID),
        ProofReason.NOTE_MALFORMED,
    ),
    "65 signature lines": (
        checkpoint() + f"\u2014 x {b64(bytes(8))}\n" * 64,
        ProofReason.NOTE_MALFORMED,
    ),
    "more bytes than allowed": ("a" * note.NOTE_BYTES_MAX + "\n", ProofReason.NOTE_MALFORMED),
    "a tabulator": (checkpoint().replace("\n5", "\t\n5"), ProofReason.NOTE_MALFORMED),
    "a size with a leading zero": (
        checkpoint().replace("\n5\n", "\n05\n"),
        ProofReason.CHECKPOINT_MALFORMED,
    ),
    "a size in other digits": (
        checkpoint().replace("\n5\n", "\n\u0665\n"),
        ProofReason.CHECKPOINT_MALFORMED,
    ),
    "a size above 2^53 - 1": (
        checkpoint().replace("\n5\n", "\n9007199254740992\n"),
        ProofReason.CHECKPOINT_MALFORMED,
    ),
    "a root of 31 bytes": (
        f"{ORIGIN}\n5\n{b64(bytes(31))}\n" + checkpoint()[66:],
        ProofReason.CHECKPOINT_MALFORMED,
    ),
    "another size than was signed": (
        checkpoint().replace("\n5\n", "\n6\n"),
        ProofReason.NOTE_SIGNATURE,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_note_outside_the_profile_is_refused(name: str) -> None:
    """Each departure from the note profile is refused with its own reason."""
    text, reason = REFUSED[name]

    with pytest.raises(ProofError) as caught:
        note.open_checkpoint(text, ORIGIN, [VKEY], [WITNESS_VKEY])

    assert caught.value.reason is reason


def test_unknown_lines_are_ignored_and_sixty_four_are_read() -> None:
    """Lines of unknown pairs neither help nor hurt."""
    text = checkpoint() + f"\u2014 x.example {b64(bytes(3000))}\n" * 20

    assert note.open_checkpoint(text, ORIGIN, [VKEY]).size == 5


def test_the_log_is_not_a_witness_of_itself() -> None:
    """A cosignature by the log's own key is verified and not counted."""
    own = seed("log").public_key().public_bytes_raw()
    key = note.VerifierKey("witness.example/own", note.KeyType.WITNESS, own)
    text = note.checkpoint_text(ORIGIN, 5, merkle.root(LEAVES[:5]))
    signature = seed("log").sign(note.cosigned_bytes(text, 9))
    line = note.signature_line(key, (9).to_bytes(8, "big") + signature)

    opened = note.open_checkpoint(checkpoint() + line, ORIGIN, [VKEY], [key.text()])

    assert opened.cosignatures == ()


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "x" * 256, "中"])
def test_no_checkpoint_is_signed_under_an_impossible_origin(origin: str) -> None:
    """An origin that no verifier key can carry is refused before anything is signed."""
    with pytest.raises(ProofError) as caught:
        note.sign_checkpoint(origin, 1, bytes(32), seed("log"))

    assert caught.value.reason is ProofReason.CHECKPOINT_MALFORMED
