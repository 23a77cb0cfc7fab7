"""What officers do at the terminal: intents, systems, seals, proofs of the log."""

from __future__ import annotations

import io
import json
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509

from certs.keys import load_key, new_key, read_passphrase
from connectors.client import HubClient
from connectors.profile import load_profile
from hub.cli.proposals import after_decision
from hub.cli.terminal import Terminal
from hub.proof.encoding import b64u_decode, emit_json
from hub.proof.jose import APPROVAL_TYP, Algorithm, RegisteredKey, thumbprint
from hub.proof.officers.approval import Decision, intent_digest, verify_approval
from hub.proof.x509.chain import organisation
from hub.seal.v1 import intents_pb2
from tests.cli.conftest import Ran, Sealway
from tests.cli.loopback import ISSUER, ORIGIN, REGION, Loopback

INTENT = {
    "v": 1,
    "kind": "standing-seal",
    "origin": ORIGIN,
    "region": REGION,
    "seal": "authorities/market/seals/main",
    "authority": ISSUER,
    "vct": f"https://{ORIGIN}/vct/11100000MB0143028R001",
    "type_version": 1,
    "not_before": int(time.time()) - 600,
    "not_after": int(time.time()) + 600,
    "uses_max": 100,
    "requester": "officers/chen",
}


@pytest.fixture
def approve(hub: Loopback, sealway: Sealway) -> Callable[..., Ran]:
    """Approves one intent as `officers/wang`."""
    profile = hub.profile("officer", "wang")
    hub.intent = emit_json(INTENT)
    return lambda *more, verb="approve": sealway(
        "intent", verb, "licences", "--profile", profile, *more
    )


@pytest.mark.parametrize(
    ("verb", "decision"), [("approve", Decision.APPROVE), ("reject", Decision.REJECT)]
)
def test_the_decision_is_signed_over_the_digest_of_what_was_shown(
    hub: Loopback, approve: Callable[..., Ran], verb: str, decision: Decision
) -> None:
    """The hub can check it with the officer's registered key and nothing else."""
    ran = approve("--yes", verb=verb)

    assert ran.code == 0, ran.err
    folder = hub.folder / "wang"
    key = load_key(folder / "signing.key", read_passphrase(folder / "passphrase")).public_key()
    approval = verify_approval(
        hub.approvals[0],
        keys=lambda kid: RegisteredKey(
            thumbprint(key), Algorithm.ES256, APPROVAL_TYP, "officers/wang", key
        ),
        origin=ORIGIN,
        region=REGION,
        now=int(time.time()),
        intent=hub.intent,
        nonce=b"\x07" * 32,
    )
    assert approval.decision is decision
    assert approval.intent == intent_digest(hub.intent)
    assert approval.not_after == INTENT["not_after"]


def test_every_member_of_the_intent_is_shown(hub: Loopback, approve: Callable[..., Ran]) -> None:
    """Nobody approves what was not on the screen."""
    ran = approve("--yes")

    for member, value in INTENT.items():
        assert member in ran.out
        assert str(value) in ran.out


def test_an_override_in_a_value_is_shown_and_not_obeyed(
    hub: Loopback, approve: Callable[..., Ran]
) -> None:
    """A text that turns its own direction cannot dress up an intent."""
    hub.intent = emit_json({**INTENT, "seal": "a\u202eb"})

    ran = approve("--yes")

    assert "\u202e" not in ran.out
    assert "\\u202e" in ran.out


def test_an_intent_changed_after_it_was_shown_is_not_signed(
    hub: Loopback, approve: Callable[..., Ran]
) -> None:
    """What is signed is what was read."""
    hub.challenge_intent = emit_json({**INTENT, "uses_max": 1_000_000})

    ran = approve("--yes", "--json")

    assert ran.code == 1
    assert ran.document["error"]["reason"] == "INTENT_MISMATCH"
    assert not hub.approvals


def test_an_intent_of_another_hub_is_not_signed(hub: Loopback, approve: Callable[..., Ran]) -> None:
    """An approval cannot be carried to another hub, nor from one."""
    hub.intent = emit_json({**INTENT, "origin": "hub.other.example"})

    ran = approve("--yes", "--json")

    assert ran.code == 1
    assert ran.document["error"]["reason"] == "ORIGIN_WRONG"
    assert not hub.approvals


def test_the_list_names_intents_that_have_lost_approvals(hub: Loopback, sealway: Sealway) -> None:
    """Only those that are approved, not over, and short of one that counts."""
    over = emit_json({**INTENT, "not_after": int(time.time()) - 60})
    states = intents_pb2.Intent
    for name, state, counting, data in (
        ("whole", states.STATE_APPROVED, 2, emit_json(INTENT)),
        ("short", states.STATE_APPROVED, 1, emit_json(INTENT)),
        ("over", states.STATE_APPROVED, 0, over),
        ("waiting", states.STATE_PROPOSED, 1, emit_json(INTENT)),
    ):
        hub.listed.append(
            intents_pb2.Intent(
                name=f"intents/{name}",
                state=state,
                quorum=2,
                counting=counting,
                intent_bytes=data,
            )
        )

    ran = sealway("intent", "list", "--profile", hub.profile("officer", "wang"))

    assert ran.code == 0, ran.err
    warned = [line for line in ran.out.splitlines() if "approvals count now" in line]
    assert len(warned) == 1 and warned[0].startswith("intents/short: only 1 of 2")


def test_without_yes_and_without_an_answer_nothing_is_signed(
    hub: Loopback, approve: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence is not consent; and a program must say --yes."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    asked, as_json = approve(), approve("--json")

    assert asked.code == 130
    assert as_json.code == 64
    assert not hub.approvals


def test_a_system_is_enrolled_without_its_keys_leaving_its_folder(
    hub: Loopback, sealway: Sealway
) -> None:
    """Keys are encrypted, 0600, and in no other file; the profile made there works."""
    officer = hub.profile("officer", "wang")
    folder = hub.folder / "window"

    assert sealway("system", "request", folder, "--name", "window-1").code == 0
    ran = _add_system(hub, sealway, officer, folder)

    assert ran.code == 0, ran.err
    for name in ("client.key", "signing.key", "passphrase"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert b"ENCRYPTED" in (folder / "client.key").read_bytes()
    sent = hub.calls["CreateSystem"][0].enrolment
    assert x509.load_der_x509_csr(sent.x509_request).is_signature_valid
    assert x509.load_der_x509_csr(sent.signing_request).is_signature_valid
    with HubClient(load_profile(folder / "client.toml")) as client:
        assert client.token().text


def test_asking_and_adding_again_keep_key_request_and_certificate(
    hub: Loopback, sealway: Sealway
) -> None:
    """A repeated step neither replaces a key nor issues a second certificate."""
    officer = hub.profile("officer", "wang")
    folder = hub.folder / "window"
    sealway("system", "request", folder, "--name", "window-1")
    _add_system(hub, sealway, officer, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    sealway("system", "request", folder, "--name", "window-1")
    _add_system(hub, sealway, officer, folder)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_role_that_does_not_exist_is_wrong_usage(hub: Loopback, sealway: Sealway) -> None:
    """The known roles are named."""
    officer = hub.profile("officer", "wang")

    ran = _add_system(hub, sealway, officer, hub.folder / "window", role="king")

    assert ran.code == 64
    assert "platform" in ran.err


def test_a_seal_is_proposed_with_the_certificates_of_its_keys(
    hub: Loopback, sealway: Sealway
) -> None:
    """The chain that is proposed names what the request names and ends at the seal anchor; a key
    without a certificate is wrong usage, and the next step is another officer's."""
    hub.seal_key, hub.intent = new_key(), emit_json(INTENT)
    officer, name = hub.profile("officer", "wang"), "authorities/market/seals/main"
    make = ("seal", "make", name, "--profile", officer)

    ran = sealway(*make, "--pki", hub.folder / "pki")
    bare = sealway(*make)

    assert ran.code == 0, ran.err
    assert "sealway intent approve" in ran.out
    proposed = json.loads(hub.calls["ProposeIntent"][0].members)
    (certificate,) = proposed["certificates"]
    leaf = x509.load_der_x509_certificate(b64u_decode(certificate["x509_chain"][0]))
    assert (proposed["seal"], certificate["key"]) == (name, "keys/k-1")
    assert organisation(leaf) == ISSUER
    assert leaf.public_key() == hub.seal_key.public_key()
    (anchor,) = x509.load_pem_x509_certificates(hub.pki.seal_anchor_pem)
    leaf.verify_directly_issued_by(anchor)
    assert bare.code == 64
    assert "--chain k-1=FILE" in bare.err


def test_a_checkpoint_is_verified_kept_and_never_goes_back(hub: Loopback, sealway: Sealway) -> None:
    """A smaller log than the one seen before is named, and the kept head stays."""
    officer = hub.profile("officer", "wang")
    for n in range(3):
        hub.log({"v": 1, "kind": "heartbeat", "n": n})

    first = sealway("log", "checkpoint", "--profile", officer, "--json")
    hub.log({"v": 1, "kind": "heartbeat", "n": 3})
    second = sealway("log", "checkpoint", "--profile", officer, "--json")
    del hub.leaves[2:]
    third = sealway("log", "checkpoint", "--profile", officer, "--json")

    assert [first.document["size"], second.document["size"]] == [3, 4]
    assert third.code == 1
    assert third.document["error"]["reason"] == "LOG_WENT_BACK"


def test_an_entry_is_proved_and_a_wrong_proof_refused(hub: Loopback, sealway: Sealway) -> None:
    """The proof is verified here, then stored byte for byte."""
    officer = hub.profile("officer", "wang")
    for n in range(5):
        hub.log({"v": 1, "kind": "heartbeat", "n": n})
    file = hub.folder / "entry.tlog-proof"

    ran = sealway("log", "prove", "3", "--profile", officer, "--out", file)
    hub.entries[3] = hub.entries[2]
    wrong = sealway("log", "prove", "3", "--profile", officer, "--json")

    assert ran.code == 0, ran.err
    assert file.read_text().startswith("c2sp.org/tlog-proof@v1\nindex 3\n")
    assert wrong.code == 1
    assert wrong.document["error"]["reason"] == "ROOT_MISMATCH"


def _add_system(
    hub: Loopback, sealway: Sealway, officer: Path, folder: Path, role: str = "platform"
) -> Ran:
    return sealway(
        *("system", "add", "window-1", "--authority", "window", "--role", role),
        *("--request", folder, "--pki", hub.folder / "pki", "--profile", officer),
    )


@pytest.mark.parametrize(
    ("counting", "who"),
    [(1, "1 more officers other than the proposer"), (2, "who does not use --browser")],
)
def test_whoever_decided_is_told_who_must_decide_next(
    capsys: pytest.CaptureFixture[str], counting: int, who: str
) -> None:
    """Enough approvals that are not enough: then all of them came from browsers."""
    proposed = intents_pb2.Intent.STATE_PROPOSED
    intent = intents_pb2.Intent(name="intents/x", state=proposed, quorum=2, counting=counting)

    after_decision(Terminal(False), intent)

    assert who in capsys.readouterr().out
