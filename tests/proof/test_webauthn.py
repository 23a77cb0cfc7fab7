"""Approvals by authenticators: what counts, and what an attacker would send instead."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.proof.encoding import b64u, b64u_decode, digest, emit_json
from hub.proof.jose import jwk
from hub.proof.officers.approval import (
    Approval,
    Decision,
    challenge,
    intent_digest,
    verify_approval,
)
from hub.proof.officers.intent import in_words, parse_intent
from hub.proof.officers.intent_kinds import KINDS
from hub.proof.officers.roster import Approved, Roster, parse_roster, verify_approved
from hub.proof.officers.roster_changes import changed
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.webauthn import (
    Credential,
    attested_key,
    check_counter,
    check_origin,
    verify_credential_proof,
)
from tests.authenticator import PAGE, RP_ID, Authenticator
from tests.proof.officers import DAY, NOW, ORIGIN, REGION, Bench, new_key, with_authenticators
from tests.proof.webauthn_vectors import FILE, make

R = ProofReason
SUSPEND = {"seal": "authorities/hz/seals/main", "cause": "inspection"}
END = {"officer": "officers/eve", "cause": "left"}


class Office(Bench):
    """Ann and Bob sign JWS; Cat, Dan and Eve have authenticators."""

    def __init__(self) -> None:
        super().__init__()
        self.keys["officers/eve"] = new_key()
        self.devices = {name: Authenticator() for name in ("cat", "dan", "eve")}

    def mixed(self) -> Roster:
        """Number 0, of all five."""
        return with_authenticators(self.founded(), self.devices)

    def by(self, name: str, intent: bytes, **changes: Any) -> str:
        """The approval of an officer with an authenticator."""
        return self.touched(name, intent, self.devices[name], **changes)


@pytest.fixture(scope="module")
def office() -> Office:
    return Office()


@pytest.fixture(scope="module")
def roster(office: Office) -> Roster:
    return office.mixed()


def refused(call: Any) -> ProofReason:
    with pytest.raises(ProofError) as caught:
        call()
    return caught.value.reason


def verify(text: str, intent: bytes, roster: Roster, now: int = NOW) -> Approval:
    return verify_approval(
        text,
        keys=roster.key,
        origin=ORIGIN,
        region=REGION,
        now=now,
        intent=intent,
        nonce=None,
    )


# ---- one approval ----


@pytest.mark.parametrize("high", [False, True])
def test_an_authenticator_approves(office: Office, roster: Roster, high: bool) -> None:
    """With either s: authenticators do not choose, and each officer counts once anyway."""
    intent = office.intent("seal.suspend", SUSPEND)

    said = verify(office.by("cat", intent, high_s=high), intent, roster)

    assert (said.officer, said.decision) == ("officers/cat", Decision.APPROVE)
    assert said.counter == office.devices["cat"].count
    assert not said.is_displayed


def test_browsers_may_say_more(office: Office, roster: Roster) -> None:
    """Other members, another order, spaces: nothing of it changes what is signed."""
    intent = office.intent("seal.suspend", SUSPEND)
    approval = office.said("cat", intent)
    client = {
        "origin": PAGE,
        "other_keys_can_be_added_here": "do not compare clientDataJSON against a template",
        "challenge": b64u(challenge(approval)),
        "type": "webauthn.get",
    }
    text = office.devices["cat"].approve(approval, client_data=json.dumps(client).encode())

    assert verify(text, intent, roster).officer == "officers/cat"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client": {"type": "webauthn.create"}}, R.WEBAUTHN_TYPE),
        ({"client": {"type": None}}, R.WEBAUTHN_TYPE),
        ({"client": {"challenge": b64u(bytes(32))}}, R.CHALLENGE_MISMATCH),
        ({"client": {"origin": "http://localhost:47444"}}, R.WEBAUTHN_ORIGIN),
        ({"client": {"origin": "https://localhost:47443"}}, R.WEBAUTHN_ORIGIN),
        ({"client": {"origin": "http://localhost:47443.example"}}, R.WEBAUTHN_ORIGIN),
        ({"client": {"crossOrigin": True}}, R.WEBAUTHN_CROSS_ORIGIN),
        ({"client": {"crossOrigin": None}}, R.WEBAUTHN_CROSS_ORIGIN),
        ({"client": {"topOrigin": "https://other.example"}}, R.WEBAUTHN_CROSS_ORIGIN),
        ({"rp_id": "hub.hangzhou.example"}, R.WEBAUTHN_RP),
        ({"flags": 0x04}, R.WEBAUTHN_USER),
        ({"flags": 0x01}, R.WEBAUTHN_USER),
        ({"flags": 0x1D}, R.WEBAUTHN_MALFORMED),
        ({"flags": 0x85, "extension": b"\xa0"}, R.WEBAUTHN_MALFORMED),
        ({"extension": b"\x00"}, R.WEBAUTHN_MALFORMED),
        ({"client_data": b"[]"}, R.JSON_MALFORMED),
        (
            {"client_data": b'{"type":"webauthn.get","type":"webauthn.get"}'},
            R.JSON_DUPLICATE_MEMBER,
        ),
        ({"client": {"more": "x" * 2048}}, R.TOO_LARGE),
    ],
)
def test_what_an_authenticator_must_not_have_signed(
    office: Office, roster: Roster, changes: dict[str, Any], reason: ProofReason
) -> None:
    """Genuine signatures over something else: each has its one reason."""
    intent = office.intent("seal.suspend", SUSPEND)

    assert refused(lambda: verify(office.by("cat", intent, **changes), intent, roster)) is reason


def test_the_text_around_the_signature_is_ours_alone(office: Office, roster: Roster) -> None:
    """Another intent, decision, end, officer, key, form or spelling of a genuine approval."""
    intent = office.intent("seal.suspend", SUSPEND)
    other = office.intent("seal.resume", SUSPEND)
    text = office.by("cat", intent, high_s=False)
    said = json.loads(text)
    signature = b64u_decode(said["signature"])

    def with_(**changes: Any) -> str:
        return emit_json({**said, **changes}).decode()

    cases = [
        (with_(decision="reject"), R.CHALLENGE_MISMATCH),
        (with_(not_after=said["not_after"] + 1), R.CHALLENGE_MISMATCH),
        (with_(nonce=b64u(bytes(32))), R.CHALLENGE_MISMATCH),
        (with_(intent=b64u(intent_digest(other))), R.INTENT_MISMATCH),
        (with_(officer="officers/dan"), R.OFFICER_MISMATCH),
        (with_(origin="hub.ningbo.example"), R.ORIGIN_WRONG),
        (with_(iat=NOW + 3600), R.IAT_FUTURE),
        (with_(not_after=NOW), R.EXPIRED),
        (with_(not_after=NOW + 31 * DAY), R.EXP_TOO_FAR),
        (with_(kid=office.devices["dan"].kid), R.KEY_UNKNOWN),
        (with_(kid="x"), R.KEY_UNKNOWN),
        (with_(kid=next(iter(roster.officers.values())).key_id), R.KEY_USAGE),
        (with_(credential_id=b64u(bytes(32))), R.KEY_UNKNOWN),
        (with_(typ="sealway-approval+jwt"), R.TYP_WRONG),
        (with_(v=2), R.FORMAT_VERSION),
        (with_(more=1), R.CLAIM_UNKNOWN),
        (with_(signature=b64u(signature[:-1] + bytes([signature[-1] ^ 1]))), R.SIGNATURE_INVALID),
        (with_(signature=b64u(signature + b"\0")), R.SIGNATURE_INVALID),
        (with_(signature=b64u(bytes(100))), R.SIGNATURE_LENGTH),
        (with_(signature=1), R.WEBAUTHN_MALFORMED),
        (text.replace('"v":1', '"v": 1'), R.WEBAUTHN_MALFORMED),
        (text + " " * 8192, R.TOO_LARGE),
        (text.replace('"v":1', '"v":1,"v":1'), R.JSON_DUPLICATE_MEMBER),
    ]
    for case, reason in cases:
        assert refused(lambda case=case: verify(case, intent, roster)) is reason, (case, reason)


def test_each_key_has_one_form(office: Office, roster: Roster) -> None:
    """A JWS by the key of an authenticator counts as little as an assertion by a key in a file."""
    intent = office.intent("seal.suspend", SUSPEND)
    office.keys["officers/cat"] = office.devices["cat"].key
    jws = office.approval("cat", intent)
    del office.keys["officers/cat"]
    file_key = Authenticator(key=office.keys["officers/bob"])

    assert refused(lambda: verify(jws, intent, roster)) is R.KEY_USAGE
    text = file_key.approve(office.said("bob", intent))
    assert refused(lambda: verify(text, intent, roster)) is R.KEY_USAGE


@pytest.mark.parametrize(
    ("now", "last", "holds"),
    [(1, 0, True), (5, 4, True), (0, 0, True), (4, 4, False), (3, 4, False), (0, 4, False)],
)
def test_a_counter_goes_on_or_never_began(now: int, last: int, holds: bool) -> None:
    if holds:
        check_counter(now, last)
    else:
        assert refused(lambda: check_counter(now, last)) is R.WEBAUTHN_COUNTER


# ---- enough of them ----


def test_browsers_alone_change_no_officer_quorum_or_key(office: Office, roster: Roster) -> None:
    """Two authenticators are enough to suspend a seal; with three of them no officer is ended,
    with one officer at the command line among them it is, as long as that approval lasts."""

    def enough(intent: bytes, approvals: list[str]) -> Approved:
        return verify_approved(intent, approvals, roster, KINDS, now=NOW)

    suspend = office.intent("seal.suspend", SUSPEND)
    two = [office.by(name, suspend) for name in ("cat", "dan")]
    assert enough(suspend, two).officers == ("officers/cat", "officers/dan")
    for kind, members in (
        ("officer.end", END),
        ("quorum.change", {"default": 2}),
        ("key.retire", {"key": "authorities/hz/seals/main/keys/1", "cause": "old"}),
    ):
        intent = office.intent(kind, members)
        three = [office.by(name, intent) for name in ("cat", "dan", "eve")]
        bob = office.approval("bob", intent, not_after=NOW + 60)

        assert refused(partial(enough, intent, three)) is R.DISPLAY_MISSING
        assert enough(intent, [*three, bob]).until == NOW + 60


def test_the_same_assertion_counts_once(office: Office, roster: Roster) -> None:
    """Mirrored and sent again: still one officer."""
    intent = office.intent("seal.suspend", SUSPEND)
    approval = office.said("cat", intent)
    device = office.devices["cat"]
    both = [device.approve(approval, high_s=high) for high in (False, True)]

    assert refused(lambda: verify_approved(intent, both, roster, KINDS, now=NOW)) is (
        R.QUORUM_NOT_REACHED
    )


def test_two_officers_always_remain_who_do_not_use_a_browser(
    office: Office, roster: Roster
) -> None:
    """Neither by leaving nor by taking an authenticator can Bob leave Ann alone."""
    end = office.intent("officer.end", {"officer": "officers/bob", "cause": "left"})
    device = Authenticator()
    keys = {
        "officer": "officers/bob",
        "x509_thumbprint": digest("bob's new"),
        "approval_key": jwk(device.key.public_key()),
        "webauthn": {
            "rp_id": RP_ID,
            "origin": PAGE,
            "credential_id": b64u(device.credential_id),
        },
        **dict.fromkeys(("x509_certificate", "x509_request", "signing_request"), b64u(b"proof")),
    }
    rotate = office.intent("officer.rotate-key", keys, requester="officers/bob")

    for intent, by in (
        (end, office.approval("bob", end)),
        (rotate, office.approval("ann", rotate)),
    ):
        approvals = [office.by("cat", intent), by]
        approved = verify_approved(intent, approvals, roster, KINDS, now=NOW)
        with pytest.raises(ProofError) as caught:
            changed(roster, approved, NOW)
        assert caught.value.detail == "officers.display"
    words = in_words(parse_intent(rotate, KINDS), "en")
    assert f"authenticator: {RP_ID} {PAGE} {b64u(device.credential_id)}" in words


def test_a_roster_says_where_a_key_lies(roster: Roster) -> None:
    """In exactly one spelling, as ever."""
    data = roster.to_bytes()

    assert parse_roster(data) == roster
    assert data.count(b'"webauthn":{"rp_id":"localhost","origin":"http://localhost:47443"') == 3
    moved = data.replace(b'"rp_id":"localhost",', b"", 1)
    assert refused(lambda: parse_roster(moved)) is R.ROSTER_INVALID


# ---- new credentials ----


def test_a_credential_is_proven_by_its_own_signature() -> None:
    device = Authenticator()

    proven = verify_credential_proof(device.proof("officers/cat"))

    assert proven.officer == "officers/cat"
    assert proven.public_key == device.key.public_key()
    assert proven.credential == Credential(RP_ID, PAGE, b64u(device.credential_id))


def test_a_proof_is_of_one_officer_and_one_key() -> None:
    """Another's name, another's key, another page, or a spelling that is not ours."""
    device, thief = Authenticator(), Authenticator()
    said = json.loads(device.proof("officers/cat"))

    def with_(**changes: Any) -> bytes:
        return emit_json({**said, **changes})

    cases = [
        (with_(officer="officers/dan"), R.CHALLENGE_MISMATCH),
        (with_(attested=b64u(thief.attested())), R.CHALLENGE_MISMATCH),
        (with_(origin="https://localhost:47443"), R.WEBAUTHN_ORIGIN),
        (with_(rp_id="example"), R.WEBAUTHN_ORIGIN),
        (with_(v=2), R.WEBAUTHN_MALFORMED),
        (with_(more="x"), R.WEBAUTHN_MALFORMED),
        (with_() + b" ", R.WEBAUTHN_MALFORMED),
        (
            with_(signature=json.loads(thief.proof("officers/cat"))["signature"]),
            R.SIGNATURE_INVALID,
        ),
        (b"[]", R.JSON_MALFORMED),
        (with_(officer="x" * 8192), R.TOO_LARGE),
    ]
    for case, reason in cases:
        assert refused(lambda case=case: verify_credential_proof(case)) is reason, reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rp_id": "sign-in.example"}, R.WEBAUTHN_RP),
        ({"flags": 0x44}, R.WEBAUTHN_USER),
        ({"flags": 0x41}, R.WEBAUTHN_USER),
        ({"flags": 0x05}, R.WEBAUTHN_USER),
        # A key that is, or may be, copied to other devices.
        ({"flags": 0x4D}, R.WEBAUTHN_MALFORMED),
        ({"flags": 0x5D}, R.WEBAUTHN_MALFORMED),
        ({"more": b"\x00"}, R.WEBAUTHN_MALFORMED),
        ({"identifier": b""}, R.WEBAUTHN_MALFORMED),
        ({"identifier": bytes(1024)}, R.WEBAUTHN_MALFORMED),
    ],
)
def test_authenticator_data_of_another_form(changes: dict[str, Any], reason: ProofReason) -> None:
    data = Authenticator().attested(**changes)

    assert refused(lambda: attested_key(data, RP_ID)) is reason


def test_a_key_has_one_encoding() -> None:
    """Another order, another length of an integer, another algorithm, bytes behind, a point off
    the curve."""
    device = Authenticator()
    cose = device.cose()
    swapped = cose[:1] + cose[3:5] + cose[1:3] + cose[5:]
    cases = [
        (swapped, R.WEBAUTHN_MALFORMED),
        (b"\xa5\x18\x01" + cose[2:], R.WEBAUTHN_MALFORMED),
        (cose.replace(b"\x03\x26", b"\x03\x27", 1), R.WEBAUTHN_MALFORMED),
        (b"\xbf" + cose[1:] + b"\xff", R.WEBAUTHN_MALFORMED),
        (b"\xa6" + cose[1:] + b"\x04\x00", R.WEBAUTHN_MALFORMED),
        (cose[:-1], R.WEBAUTHN_MALFORMED),
        (cose[:-32] + bytes(32), R.JWK_INVALID),
    ]
    for case, reason in cases:
        data = device.attested(cose=case)
        assert refused(lambda data=data: attested_key(data, RP_ID)) is reason


@pytest.mark.parametrize(
    ("origin", "rp_id", "fits"),
    [
        ("http://localhost:47443", "localhost", True),
        ("http://localhost", "localhost", True),
        ("https://seal.hz.example", "seal.hz.example", True),
        ("https://approve.seal.hz.example:8443", "seal.hz.example", True),
        ("https://evilseal.hz.example", "seal.hz.example", False),
        ("http://seal.hz.example", "seal.hz.example", False),
        ("http://localhost:47443/", "localhost", False),
        ("http://127.0.0.1:47443", "127.0.0.1", False),
        ("https://seal.hz.example", "", False),
        ("https://" + "a" * 300, "a" * 300, False),
    ],
)
def test_which_page_may_ask(origin: str, rp_id: str, fits: bool) -> None:
    if fits:
        check_origin(origin, rp_id)
    else:
        assert refused(lambda: check_origin(origin, rp_id)) is R.WEBAUTHN_ORIGIN


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=250))
def test_any_bytes_are_refused(data: bytes) -> None:
    """Nothing but declared errors."""
    for call in (
        lambda: attested_key(data, RP_ID),
        lambda: verify_credential_proof(data),
        lambda: verify_credential_proof(b"{" + data),
    ):
        with pytest.raises(ProofError):
            call()


# ---- the published vectors ----


def test_the_published_vectors_hold() -> None:
    """Made from nothing but names, and each text has its one verdict."""
    vectors = json.loads(FILE.read_bytes())
    roster = parse_roster(vectors["roster"].encode())
    intent = vectors["intent"].encode()

    def verdict(call: Any) -> ProofReason | None:
        try:
            call()
        except ProofError as error:
            return error.reason
        return None

    assert vectors == json.loads(json.dumps(make()))
    for one in vectors["approvals"]:
        assert (
            verdict(partial(verify, one["text"], intent, roster, vectors["now"])) == one["reason"]
        )
    for one in vectors["counted"]:
        said = vectors[one["intent"]].encode()
        call = partial(verify_approved, said, one["approvals"], roster, KINDS, now=vectors["now"])
        assert verdict(call) == one["reason"]
    for one in vectors["credentials"]:
        assert verdict(partial(verify_credential_proof, one["text"].encode())) == one["reason"]
