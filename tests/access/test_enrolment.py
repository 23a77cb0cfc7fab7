"""Who is enrolled, with which proof, and what the log keeps of it."""

from __future__ import annotations

import asyncio
import datetime
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sqlalchemy import func, select

from hub.access.enrol_officer import enrol_officer
from hub.access.enrolment import Enrolment
from hub.access.identity import SystemState
from hub.access.store import ENROLMENT_BY_THUMBPRINT, ENROLMENTS
from hub.access.systems import WantedSystem, create_system, revoke_system, rotate_system_keys
from hub.domain.caller import Role
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, b64u_decode
from hub.proof.jose import APPROVAL_TYP, BATCH_ROOT_TYP, REQUEST_TYP, thumbprint
from hub.storage.statements import question
from tests.access.conftest import Register
from tests.access.members import DER, NOW, SERVER, Ca, Member, csr, csr_signed_by, new_key, subject

COUNT = question("test.enrolments", select(func.count()).select_from(ENROLMENTS))
NEW_ID = "5b1c7f52-0d5e-4a0b-8f0e-1f6f2f7a9c01"


async def _stored(register: Register) -> tuple[int, int]:
    """How many enrolments and log entries there are."""
    row = await register.database.one(COUNT)
    assert row is not None
    assert isinstance(row[0], int)
    return row[0], len(register.recorder.entries)


def _rules(error: HubError) -> set[tuple[str, str]]:
    return {(violation.field, violation.rule) for violation in error.violations}


async def test_the_entry_holds_the_proof_of_possession(register: Register) -> None:
    """Whoever is shown the entry can check that the owner held both keys."""
    member = Member(register.ca)

    outcome = await register.enrol("window", member)

    entry = register.recorder.entries[-1]
    data = entry.members["data"]
    assert isinstance(data, dict)
    officer = register.directory.officer("officers/first")
    assert (entry.kind, entry.caller) == ("system.enrolled", officer.name)
    assert entry.key_entry == officer.enrolment_entry
    assert data["system"] == "systems/window"
    assert data["x509_thumbprint"] == member.thumbprint
    assert b64u_decode(str(data["x509_certificate"])) == member.certificate
    request = x509.load_der_x509_csr(b64u_decode(str(data["signing_request"])))
    assert request.is_signature_valid
    assert request.public_key() == member.signing_key.public_key()
    assert x509.load_der_x509_csr(b64u_decode(str(data["x509_request"]))).is_signature_valid
    assert outcome.resource.x509_thumbprint == member.thumbprint


async def test_an_enrolment_knows_its_entry(register: Register) -> None:
    """Resource, answer and stored history name the entry in which the keys were enrolled."""
    member = Member(register.ca)

    outcome = await register.enrol("window", member)

    row = await register.database.one(ENROLMENT_BY_THUMBPRINT, member.thumbprint)
    assert row is not None
    assert row[9] == outcome.entry == outcome.resource.enrolment_entry
    assert register.directory.system("systems/window") == outcome.resource


@pytest.mark.parametrize(
    ("role", "use"),
    [
        (Role.DEPARTMENT, REQUEST_TYP),
        (Role.PLATFORM, REQUEST_TYP),
        (Role.CONNECTOR, BATCH_ROOT_TYP),
    ],
)
async def test_a_key_signs_what_its_owners_role_signs(
    register: Register, role: Role, use: str
) -> None:
    """One key, one format."""
    member = Member(register.ca)

    await register.enrol("signer", member, role)

    key = register.directory.key(thumbprint(member.signing_key.public_key()))
    assert key is not None
    assert (key.use, key.owner) == (use, "systems/signer")
    assert key.public_key == member.signing_key.public_key()


async def test_who_signs_nothing_enrols_no_signing_key(register: Register) -> None:
    """An auditor's enrolment has none, and is refused with one."""
    auditor = Member(register.ca)
    with pytest.raises(HubError) as caught:
        await register.enrol("auditor", auditor.enrolment(), Role.AUDITOR)
    assert _rules(caught.value) == {("enrolment.signing_request", "signing.unwanted")}

    system = (
        await register.enrol("auditor", auditor.enrolment(signs=False), Role.AUDITOR)
    ).resource

    assert system.signing_key_id == ""


def _foreign_ca(_: Register, member: Member) -> Enrolment:
    return replace(member, ca=Ca("Another CA"), certificate=b"").enrolment()


def _same_name_ca(register: Register, member: Member) -> Enrolment:
    """A CA of the trusted one's name with a key of its own."""
    return replace(member, ca=Ca(register.ca.name), certificate=b"").enrolment()


def _self_signed(_: Register, member: Member) -> Enrolment:
    own = Ca("member", member.client_key)
    return replace(member, ca=own, certificate=b"").enrolment()


def _server_certificate(register: Register, member: Member) -> Enrolment:
    certificate = register.ca.issue(member.client_key, usage=SERVER)
    return replace(member.enrolment(), x509_certificate=certificate)


def _ca_certificate(register: Register, member: Member) -> Enrolment:
    certificate = register.ca.issue(member.client_key, ca=True)
    return replace(member.enrolment(), x509_certificate=certificate)


def _not_yet(register: Register, member: Member) -> Enrolment:
    start = NOW + datetime.timedelta(days=2)
    return replace(
        member.enrolment(), x509_certificate=register.ca.issue(member.client_key, start=start)
    )


def _over(register: Register, member: Member) -> Enrolment:
    start = NOW - datetime.timedelta(days=2)
    certificate = register.ca.issue(member.client_key, start=start, days=1)
    return replace(member.enrolment(), x509_certificate=certificate)


def _damaged_certificate(_: Register, member: Member) -> Enrolment:
    return replace(member.enrolment(), x509_certificate=member.certificate[:-1])


def _certificate_of_version_11(_: Register, member: Member) -> Enrolment:
    version_11 = member.certificate.replace(
        bytes.fromhex("a003020102"), bytes.fromhex("a00302010a")
    )
    return replace(member.enrolment(), x509_certificate=version_11)


def _request_of_version_12(_: Register, member: Member) -> Enrolment:
    """PKCS#10 knows version 1, written 0, and stands at the beginning of what is signed."""
    request = member.enrolment().x509_request
    at = request.index(bytes.fromhex("020100"))
    return replace(member.enrolment(), x509_request=request[: at + 2] + b"\x0b" + request[at + 3 :])


def _large_certificate(_: Register, member: Member) -> Enrolment:
    return replace(member.enrolment(), x509_certificate=member.certificate + b"\0" * 8192)


def _request_of_another_key(_: Register, member: Member) -> Enrolment:
    return replace(member.enrolment(), x509_request=csr(new_key()))


def _request_signed_by_another_key(_: Register, member: Member) -> Enrolment:
    return replace(member.enrolment(), x509_request=csr_signed_by(new_key(), member.client_key))


def _no_request(_: Register, member: Member) -> Enrolment:
    return replace(member.enrolment(), x509_request=b"")


def _signing_request_signed_by_another_key(_: Register, member: Member) -> Enrolment:
    forged = csr_signed_by(new_key(), member.signing_key)
    return replace(member.enrolment(), signing_request=forged)


def _signing_key_missing(_: Register, member: Member) -> Enrolment:
    return replace(member.enrolment(), signing_request=b"")


def _one_key_for_both(_: Register, member: Member) -> Enrolment:
    return replace(member.enrolment(), signing_request=csr(member.client_key))


def _p384_signing_key(_: Register, member: Member) -> Enrolment:
    return replace(member.enrolment(), signing_request=csr(new_key(ec.SECP384R1())))


def _rsa_signing_key(_: Register, member: Member) -> Enrolment:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    request = x509.CertificateSigningRequestBuilder().subject_name(subject("member"))
    der = request.sign(key, hashes.SHA256()).public_bytes(DER)
    return replace(member.enrolment(), signing_request=der)


CERTIFICATE = "enrolment.x509_certificate"
REQUEST = "enrolment.x509_request"
SIGNING = "enrolment.signing_request"


@pytest.mark.parametrize(
    ("make", "field", "rule"),
    [
        (_foreign_ca, CERTIFICATE, "x509.untrusted"),
        (_same_name_ca, CERTIFICATE, "x509.untrusted"),
        (_self_signed, CERTIFICATE, "x509.untrusted"),
        (_server_certificate, CERTIFICATE, "x509.usage"),
        (_ca_certificate, CERTIFICATE, "x509.usage"),
        (_not_yet, CERTIFICATE, "x509.in_force"),
        (_over, CERTIFICATE, "x509.in_force"),
        (_damaged_certificate, CERTIFICATE, "x509.form"),
        (_certificate_of_version_11, CERTIFICATE, "x509.form"),
        (_large_certificate, CERTIFICATE, "x509.form"),
        (_request_of_another_key, REQUEST, "csr.other_key"),
        (_request_signed_by_another_key, REQUEST, "csr.signature"),
        (_no_request, REQUEST, "csr.form"),
        (_request_of_version_12, REQUEST, "csr.form"),
        (_signing_request_signed_by_another_key, SIGNING, "csr.signature"),
        (_signing_key_missing, SIGNING, "signing.required"),
        (_one_key_for_both, SIGNING, "signing.same_key"),
        (_p384_signing_key, SIGNING, "csr.form"),
        (_rsa_signing_key, SIGNING, "csr.form"),
    ],
)
async def test_an_enrolment_without_proof_is_refused(
    register: Register, make: object, field: str, rule: str
) -> None:
    """The field and the rule are named in two languages; nothing is stored, nothing logged."""
    assert callable(make)
    before = await _stored(register)

    with pytest.raises(HubError) as caught:
        await register.enrol("window", make(register, Member(register.ca)))

    error = caught.value
    assert error.reason is Reason.FIELD_INVALID
    assert (field, rule) in _rules(error)
    assert all(violation.en and violation.zh for violation in error.violations)
    assert await _stored(register) == before


async def test_everything_that_is_wrong_is_told_at_once(register: Register) -> None:
    """One answer lists the faults of all fields."""
    wanted = WantedSystem("authorities/nobody", None, "x" * 201)

    with pytest.raises(HubError) as caught:
        await create_system(
            register.registrar, register.call(), "A", wanted, Enrolment(b"", b"", b"")
        )

    assert _rules(caught.value) == {
        ("system_id", "id.form"),
        ("system.authority", "authority.known"),
        ("system.role", "role.known"),
        ("system.title", "value.length"),
        (CERTIFICATE, "x509.form"),
        (REQUEST, "csr.form"),
    }


@pytest.mark.parametrize("revoked", [False, True])
async def test_no_key_is_enrolled_twice(register: Register, revoked: bool) -> None:
    """Not for another owner, not for another use, not after its end."""
    first = Member(register.ca)
    await register.enrol("first", first)
    if revoked:
        await revoke_system(register.registrar, register.call(), "systems/first", "test")
    fresh = Member(register.ca)
    attempts = {
        CERTIFICATE: first.enrolment(),
        SIGNING: replace(fresh, signing_key=first.signing_key).enrolment(),
    }
    attempts_in_another_use = [
        (SIGNING, replace(fresh, signing_key=first.client_key).enrolment()),
        (CERTIFICATE, Member(register.ca, client_key=first.signing_key).enrolment()),
        (CERTIFICATE, Member(register.ca, client_key=first.client_key).enrolment()),
    ]

    for field, enrolment in [*attempts.items(), *attempts_in_another_use]:
        with pytest.raises(HubError) as caught:
            await register.enrol("second", enrolment)
        assert (field, "key.used") in _rules(caught.value)


async def test_of_two_enrolments_of_one_certificate_at_once_one_counts(register: Register) -> None:
    """The loser decides again on what the winner wrote and is refused for it."""
    member = Member(register.ca)
    other = replace(member, signing_key=new_key())
    before = await _stored(register)

    results = await asyncio.gather(
        register.enrol("one", member), register.enrol("two", other), return_exceptions=True
    )

    lost = [result for result in results if isinstance(result, HubError)]
    assert len(lost) == 1
    assert _rules(lost[0]) == {(CERTIFICATE, "key.used")}
    assert await _stored(register) == (before[0] + 1, before[1] + 1)
    assert len(register.directory.current.systems) == 1


async def test_the_same_call_gives_the_first_answer(register: Register) -> None:
    """Also after the system has changed; no second entry."""
    member = Member(register.ca)
    wanted = WantedSystem("authorities/market", Role.PLATFORM, "窗口")
    call = register.call("content", request_id=NEW_ID)

    first = await create_system(register.registrar, call, "window", wanted, member.enrolment())
    await revoke_system(register.registrar, register.call(), "systems/window", "test")
    before = await _stored(register)
    second = await create_system(register.registrar, call, "window", wanted, member.enrolment())

    assert second == first
    assert second.resource.state is SystemState.ACTIVE
    assert await _stored(register) == before


async def test_the_same_call_twice_at_once_has_one_effect(register: Register) -> None:
    """Both get the same answer."""
    member = Member(register.ca)
    wanted = WantedSystem("authorities/market", Role.PLATFORM, "")
    call = register.call("content", request_id=NEW_ID)
    enrolment = member.enrolment()
    before = await _stored(register)

    first, second = await asyncio.gather(
        create_system(register.registrar, call, "window", wanted, enrolment),
        create_system(register.registrar, call, "window", wanted, enrolment),
    )

    assert first == second
    assert await _stored(register) == (before[0] + 1, before[1] + 1)


async def test_a_request_id_with_other_content_is_refused(register: Register) -> None:
    """The method is part of what must be the same."""
    member = Member(register.ca)
    wanted = WantedSystem("authorities/market", Role.PLATFORM, "")
    await create_system(
        register.registrar,
        register.call("a", request_id=NEW_ID),
        "window",
        wanted,
        member.enrolment(),
    )

    for call in (
        register.call("b", request_id=NEW_ID),
        register.call("a", request_id=NEW_ID, method="/other"),
    ):
        with pytest.raises(HubError) as caught:
            await revoke_system(register.registrar, call, "systems/window", "test")
        assert caught.value.reason is Reason.REQUEST_ID_REUSED


async def test_a_mere_check_writes_nothing(register: Register) -> None:
    """`validate_only` answers what would be stored, or refuses like the real call."""
    member = Member(register.ca)
    wanted = WantedSystem("authorities/market", Role.PLATFORM, "")
    before = await _stored(register)

    outcome = await create_system(
        register.registrar,
        register.call(),
        "window",
        wanted,
        member.enrolment(),
        validate_only=True,
    )

    assert outcome.resource.x509_thumbprint == member.thumbprint
    assert (outcome.entry, outcome.receipt) == (None, None)
    assert await _stored(register) == before
    assert not register.directory.current.systems


async def test_an_id_is_given_once(register: Register) -> None:
    """Another system under the same id is refused."""
    await register.enrol("window", Member(register.ca))

    with pytest.raises(HubError) as caught:
        await register.enrol("window", Member(register.ca))

    assert caught.value.reason is Reason.ALREADY_EXISTS


async def test_a_rotation_names_what_it_follows_and_ends_it(register: Register) -> None:
    """Old keys sign no more; their history stays and says which entry ended them."""
    old, new = Member(register.ca), Member(register.ca)
    enrolled = await register.enrol("window", old)

    rotated = await rotate_system_keys(
        register.registrar, register.call(), "systems/window", new.enrolment()
    )

    entry = register.recorder.entries[-1]
    data = entry.members["data"]
    assert isinstance(data, dict)
    assert (entry.kind, data["follows"]) == ("system.rotated", enrolled.entry)
    assert data["x509_certificate"] == b64u(new.certificate)
    assert rotated.resource.enrolment_entry == rotated.entry
    assert register.directory.key(thumbprint(old.signing_key.public_key())) is None
    assert register.directory.key(thumbprint(new.signing_key.public_key())) is not None
    row = await register.database.one(ENROLMENT_BY_THUMBPRINT, old.thumbprint)
    assert row is not None
    assert row[2] == old.certificate
    assert row[9:13] == (enrolled.entry, register.clock(), rotated.entry, register.clock())


async def test_a_rotation_to_old_keys_is_refused(register: Register) -> None:
    """Going back to keys that ended would bring their signatures back."""
    old, new = Member(register.ca), Member(register.ca)
    await register.enrol("window", old)
    await rotate_system_keys(register.registrar, register.call(), "systems/window", new.enrolment())

    with pytest.raises(HubError) as caught:
        await rotate_system_keys(
            register.registrar, register.call(), "systems/window", old.enrolment()
        )

    assert {rule for _, rule in _rules(caught.value)} == {"key.used"}


async def test_a_revocation_names_enrolment_and_revoker(register: Register) -> None:
    """The entry says whose word ended which keys."""
    member = Member(register.ca)
    enrolled = await register.enrol("window", member)

    revoked = await revoke_system(
        register.registrar, register.call(), "systems/window", "lost machine"
    )

    entry = register.recorder.entries[-1]
    assert entry.kind == "system.revoked"
    assert entry.members["data"] == {
        "system": "systems/window",
        "enrolment": enrolled.entry,
        "x509_thumbprint": member.thumbprint,
        "signing_key_id": enrolled.resource.signing_key_id,
        "revoker": "officers/first",
        "cause": "lost machine",
    }
    assert revoked.resource.state is SystemState.REVOKED
    assert revoked.resource.revoke_time_us == register.clock()
    assert register.directory.key(enrolled.resource.signing_key_id) is None


@pytest.mark.parametrize("again", ["revoke", "rotate"])
async def test_a_revoked_system_stays_revoked(register: Register, again: str) -> None:
    """Nothing brings it back, and nothing ends it twice."""
    await register.enrol("window", Member(register.ca))
    await revoke_system(register.registrar, register.call(), "systems/window", "test")

    with pytest.raises(HubError) as caught:
        if again == "revoke":
            await revoke_system(register.registrar, register.call(), "systems/window", "test")
        else:
            enrolment = Member(register.ca).enrolment()
            await rotate_system_keys(
                register.registrar, register.call(), "systems/window", enrolment
            )

    assert caught.value.reason is Reason.TRANSITION_NOT_ALLOWED


@pytest.mark.parametrize("cause", ["", "x" * 401, "a\0b"])
async def test_a_revocation_has_a_cause(register: Register, cause: str) -> None:
    """Plain text of 1 to 400 characters."""
    await register.enrol("window", Member(register.ca))

    with pytest.raises(HubError) as caught:
        await revoke_system(register.registrar, register.call(), "systems/window", cause)

    assert {field for field, _ in _rules(caught.value)} == {"cause"}


async def test_a_caller_whose_keys_ended_changes_nothing(register: Register) -> None:
    """The identity is judged on the snapshot that is decided on, not when the call began."""
    call = register.call()
    call = replace(call, caller=replace(call.caller, name="systems/gone", enrolment_entry=1))

    with pytest.raises(HubError) as caught:
        await revoke_system(register.registrar, call, "systems/window", "test")

    assert caught.value.reason is Reason.TOKEN_REVOKED


async def test_an_officers_key_signs_approvals(register: Register) -> None:
    """The first officer is enrolled with proof, in an entry of `init`."""
    key = register.directory.key(thumbprint(register.officer.signing_key.public_key()))
    entry = register.recorder.entries[0]

    assert key is not None
    assert (key.use, key.owner) == (APPROVAL_TYP, "officers/first")
    assert (entry.kind, entry.caller) == ("officer.enrolled", "init")


async def test_init_enrols_nobody_once_the_hub_is_in_use(register: Register) -> None:
    """Later officers need the word of those who are there."""
    with pytest.raises(HubError) as caught:
        await enrol_officer(register.registrar, NEW_ID, "late", Member(register.ca).enrolment())

    assert caught.value.reason is Reason.TRANSITION_NOT_ALLOWED


async def test_no_private_key_is_kept(register: Register) -> None:
    """What is stored of an enrolment is what was handed in."""
    member = Member(register.ca)
    await register.enrol("window", member)
    secret = member.signing_key.private_numbers().private_value.to_bytes(32)

    row = await register.database.one(ENROLMENT_BY_THUMBPRINT, member.thumbprint)

    assert row is not None
    assert not any(isinstance(value, bytes) and secret in value for value in row)
