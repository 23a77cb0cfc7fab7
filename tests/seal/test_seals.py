"""The life of a seal and of its electronic form, as operations that officers approved."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.domain.seal_states import KeyState, SealState
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, digest
from hub.proof.officers.intent import parse_intent
from hub.proof.officers.intent_kinds import KINDS
from hub.proof.sealing.seals import check_made, moment_of
from hub.proof.ses.checks import check_listed, check_seal_signature, check_signature_value
from hub.proof.ses.seal import (
    SesSignature,
    assemble_signature,
    parse_seal,
    parse_signature,
    tbs_sign,
)
from hub.proof.sm2 import SM2_WITH_SM3, sm3
from hub.seal.seal_store import ElectronicSeal, SealOrigin
from tests.proof import seals, sm2_pki
from tests.registry.office import (
    AUTHORITY,
    LICENCE_TYPE,
    OFFICERS,
    PICTURE,
    USCC,
    Office,
    licence,
)
from tests.seal.life import outside_seal

MAIN = f"{AUTHORITY}/seals/main"
OFD = f"{AUTHORITY}/seals/ofd"


def refused(reason: Reason) -> pytest.RaisesExc[HubError]:
    return pytest.RaisesExc(HubError, check=lambda error: error.reason is reason)


def not_taken(rule: str) -> pytest.RaisesExc[HubError]:
    return pytest.RaisesExc(
        HubError,
        check=lambda error: (
            error.reason is Reason.ELECTRONIC_SEAL_INVALID and error.details["rule"] == rule
        ),
    )


async def importing(
    office: Office, data: bytes, name: str = f"{AUTHORITY}/seals/outside"
) -> dict[str, str]:
    """Members of an intent to import `data` as `name`, which was approved."""
    added = await office.materials.add(office.call(), data, lambda one: one.digest.encode())
    members = {"seal": name, "digest": added.answer.decode()}
    await office.approved("seal.import", members)
    return members


async def electronic(office: Office, name: str) -> ElectronicSeal:
    made = (await office.seals.get(name)).electronic
    assert made is not None
    return made


async def test_a_seal_is_applied_for_made_and_active(office: Office) -> None:
    """Its key waits for the certificate until the seal is made; then it signs."""
    name = f"{AUTHORITY}/seals/second"
    keys = [{"use": "record", "algorithm": "ES256", "signatures_max": 7}]
    members = {"seal": name, "title": "章", "seal_type": 3, "keys": keys}

    applied = await office.carry_out("seal.apply", members)

    before = await office.seals.get(name)
    assert (before.seal.state, before.seal.seal_type) == (SealState.APPLIED, 3)
    assert [(one.key.state, one.key.uses_max) for one in before.keys] == [(KeyState.REQUESTED, 7)]
    with refused(Reason.SEAL_NOT_MADE):
        await office.record_seals.keys.usable(name, KeyUse.RECORD, KeyAlgorithm.ES256, 1)
    (key,) = applied["keys"]
    chain = office.chain_for(key)
    await office.carry_out(
        "seal.make",
        {"seal": name, "certificates": [{"key": key["key"], "x509_chain": chain}]},
    )
    after = await office.seals.get(name)
    assert after.seal.state is SealState.ACTIVE
    assert [one.key.state for one in after.keys] == [KeyState.ACTIVE]
    usable = await office.record_seals.keys.usable(name, KeyUse.RECORD, KeyAlgorithm.ES256, 7)
    assert usable.key.kid == key["key_id"]
    with refused(Reason.KEY_EXHAUSTED):
        await office.record_seals.keys.usable(name, KeyUse.RECORD, KeyAlgorithm.ES256, 8)


async def test_a_name_is_taken_once(office: Office) -> None:
    """Also where two intents for it were approved before either was executed."""
    members = {
        "seal": f"{AUTHORITY}/seals/twice",
        "title": "章",
        "seal_type": 1,
        "keys": [{"use": "record", "algorithm": "ES256"}],
    }
    first, second = [await office.approved("seal.apply", members | {"title": t}) for t in "甲乙"]

    await office.execute(first)

    with refused(Reason.ALREADY_EXISTS):
        await office.execute(second)
    with refused(Reason.ALREADY_EXISTS):
        await office.approved("seal.apply", members)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seal": "authorities/none/seals/main"}, Reason.AUTHORITY_NOT_FOUND),
        ({"seal": "seals/main"}, Reason.NAME_MALFORMED),
        ({"title": "a\u202eb"}, Reason.FIELD_INVALID),
        ({"keys": []}, Reason.FIELD_INVALID),
        ({"seal_type": 5}, Reason.FIELD_INVALID),
        ({"keys": [{"use": "maker", "algorithm": "SM2"}]}, Reason.FIELD_INVALID),
        ({"keys": [{"use": "ofd", "algorithm": "ES256"}]}, Reason.FIELD_INVALID),
        ({"keys": [{"use": "record", "algorithm": "ES256"}] * 2}, Reason.FIELD_INVALID),
        ({"keys": [{"use": "record", "algorithm": "ES256", "home": "x"}]}, Reason.FIELD_INVALID),
        ({"more": 1}, Reason.FIELD_INVALID),
    ],
)
async def test_what_could_not_be_executed_is_not_proposed(
    office: Office, changes: dict[str, Any], reason: Reason
) -> None:
    """Errors come before anybody approves."""
    members = {
        "seal": f"{AUTHORITY}/seals/other",
        "title": "章",
        "seal_type": 1,
        "keys": [{"use": "record", "algorithm": "ES256"}],
    }

    with refused(reason):
        await office.approved("seal.apply", members | changes)


async def test_an_electronic_seal_says_what_was_approved_and_verifies(office: Office) -> None:
    """Its maker's signature holds, its signer is the seal's OFD key, and officers read its number,
    validity and picture before."""
    view = await office.make_seal("ofd", ofd=True)

    made = await electronic(office, OFD)
    read = parse_seal(made.der)
    maker = check_seal_signature(read)
    (ofd,) = [one.key for one in view.keys if one.key.use is KeyUse.OFD]
    (own,) = [one for one in await office.seals.key_page("", "", 99) if not one.key.seal]
    assert made.origin is SealOrigin.MADE
    assert (made.version, made.format_version, made.maker_key) == (1, 4, own.key.name)
    assert (read.version, read.number, read.name) == (4, f"{USCC}-ofd", "电子印章")
    assert read.picture.data == PICTURE
    assert read.signer_x509s == (ofd.x509_chain[0],)
    assert (maker.der, maker.organization_identifier) == (own.key.x509_chain[0], USCC)
    assert own.uses == 1


async def test_the_seals_key_signs_under_it_and_the_signature_verifies(office: Office) -> None:
    """A TBS_Sign goes to the key of use ofd; its signer is in the seal's list."""
    await office.make_seal("ofd", ofd=True)
    made = await electronic(office, OFD)
    usable = await office.record_seals.keys.usable(OFD, KeyUse.OFD, KeyAlgorithm.SM2, 1)
    tbs = tbs_sign(
        seal=made.der,
        sign_time=moment_of(made.valid_from_us // 1_000_000 + 61),
        data_hash=sm3(b"Signature.xml"),
        protected="/Doc_0/Signs/Sign_0/Signature.xml",
    )

    value = usable.signing.sign(tbs, "ses-signature")

    whole = assemble_signature(tbs, usable.key.x509_chain[0], SM2_WITH_SM3, value)
    signature: SesSignature = parse_signature(whole)
    check_signature_value(signature)
    check_listed(signature.seal, signature.signer_x509)
    with refused(Reason.KEY_USAGE_REFUSED):
        usable.signing.sign(tbs, "ses-seal")


async def test_whoever_holds_the_makers_key_makes_the_bytes_again(office: Office) -> None:
    """SES_SealInfo of another number, name, picture, signer, maker, moment or validity than
    approved, or with anything beside, is refused by its rule."""
    await office.make_seal("ofd", ofd=True)
    made = parse_seal((await electronic(office, OFD)).der)
    info, now = made.signed_bytes, int(made.create_time.timestamp())
    members: dict[str, Any] = {
        "seal": OFD,
        "title": made.name,
        "certificates": [{"key": "keys/o", "x509_chain": [b64u(made.signer_x509s[0])]}],
        "number": made.number,
        "seal_type": made.type,
        "picture": (await electronic(office, OFD)).picture,
        "width_mm": 40,
        "height_mm": 40,
        "valid_from": int(made.valid_from_time.timestamp()),
        "valid_until": int(made.valid_to_time.timestamp()),
        "maker_key": "keys/k",
    }

    def rule(said: bytes = info, key: str = "keys/k", at: int = now, **changes: Any) -> str:
        with pytest.raises(HubError) as caught:
            check_made("intents/i", members | changes, said, maker_key=key, now=at)
        assert caught.value.reason is Reason.INTENT_NOT_APPROVED
        return str(caught.value.details["rule"])

    check_made("intents/i", members, info, maker_key="keys/k", now=now)

    for name, value in (("title", "别的"), ("number", "X"), ("width_mm", 41), ("valid_until", 1)):
        assert rule(**{name: value}) == "the seal says something that was not approved"
    assert rule(info.replace(b"SEALWAY", b"ANOTHER")).endswith("was not approved")
    assert rule(picture=digest(b"other")) == "the seal shows another picture"
    assert rule(certificates=[]).endswith("certificate that was not approved")
    assert rule(key="keys/other") == "another key shall make the seal"
    assert rule(at=now + 31) == "the seal is of another time"
    assert rule(info[:-1]) == "the bytes are no electronic seal"
    members.pop("number")
    assert rule() == "it orders no electronic seal"


async def test_a_new_signers_certificate_comes_with_a_new_electronic_seal(office: Office) -> None:
    """Renewing retires the key before and makes version 2; a key of use ofd has no other way in."""
    await office.make_seal("ofd", ofd=True)
    before = await electronic(office, OFD)
    wanted = {"seal": OFD, "use": "ofd", "algorithm": "SM2"}
    fresh = await office.carry_out("key.generate", wanted)
    installed = {"key": fresh["key"], "x509_chain": office.chain_for(fresh)}
    for kind in ("key.activate", "key.rotate"):
        with refused(Reason.FIELD_INVALID):
            await office.approved(kind, installed)
    with refused(Reason.FIELD_INVALID):
        await office.approved("seal.renew", {"seal": OFD, "certificates": [installed]})

    form = await office.electronic(f"{USCC}-renewed")
    await office.carry_out("seal.renew", {"seal": OFD, "certificates": [installed], **form})

    view, after = await office.seals.get(OFD), await electronic(office, OFD)
    states = {one.key.name: one.key.state for one in view.keys if one.key.use is KeyUse.OFD}
    assert states.pop(fresh["key"]) is KeyState.ACTIVE
    assert list(states.values()) == [KeyState.RETIRED]
    assert (before.version, after.version) == (1, 2)
    leaf = view.keys[[one.key.name for one in view.keys].index(fresh["key"])].key.x509_chain[0]
    assert parse_seal(after.der).signer_x509s == (leaf,)
    assert (await office.seals.electronic(OFD, 1)).der == before.der
    assert (await office.seals.electronic(OFD, 0)).der == after.der


async def test_a_key_that_stays_in_a_renewed_seal_is_approved_again(office: Office) -> None:
    """The new form names its certificate, so the intent does: nothing in a seal is unapproved."""
    await office.make_seal("ofd", ofd=True)
    (stays,) = [one for one in (await office.seals.get(OFD)).keys if one.key.use is KeyUse.OFD]
    wanted = {"seal": OFD, "use": "pdf", "algorithm": "ES256"}
    fresh = await office.carry_out("key.generate", wanted)
    installed = {"key": fresh["key"], "x509_chain": office.chain_for(fresh)}
    form = await office.electronic(f"{USCC}-renewed")

    intent = await office.approved("seal.renew", {"seal": OFD, "certificates": [installed], **form})
    await office.execute(intent)

    stored = (await office.intents.get(intent)).stored
    named = parse_intent(stored.bytes, KINDS).members["certificates"]
    assert named == [
        installed,
        {"key": stays.key.name, "x509_chain": [b64u(der) for der in stays.key.x509_chain]},
    ]
    assert parse_seal((await electronic(office, OFD)).der).signer_x509s == (
        stays.key.x509_chain[0],
    )


async def test_a_number_is_given_once(office: Office) -> None:
    """Two electronic seals never share one."""
    await office.make_seal("ofd", ofd=True)
    name = f"{AUTHORITY}/seals/next"
    members = {"seal": name, "title": "章", "seal_type": 1}
    keys = [{"use": "ofd", "algorithm": "SM2"}]
    (key,) = (await office.carry_out("seal.apply", members | {"keys": keys}))["keys"]
    certificates = [{"key": key["key"], "x509_chain": office.chain_for(key)}]

    with refused(Reason.ALREADY_EXISTS):
        form = await office.electronic(f"{USCC}-ofd")
        await office.approved("seal.make", {"seal": name, "certificates": certificates, **form})


async def test_a_makers_certificate_is_no_signers_and_the_other_way_round(office: Office) -> None:
    """Each leads to its own anchor only."""
    maker = {"authority": AUTHORITY, "title": "制章", "use": "maker", "algorithm": "SM2"}
    made = await office.carry_out("key.generate", maker)

    with refused(Reason.X509_UNTRUSTED):
        chain = office.chain_for(made | {"use": "ofd"})
        await office.approved("key.activate", {"key": made["key"], "x509_chain": chain})


@pytest.mark.parametrize(
    ("verb", "state", "reason"),
    [
        ("suspend", SealState.SUSPENDED, Reason.SEAL_SUSPENDED),
        ("revoke", SealState.REVOKED, Reason.SEAL_REVOKED),
        ("end", SealState.ENDED, Reason.SEAL_ENDED),
    ],
)
async def test_a_seal_that_is_not_active_seals_nothing(
    office: Office, verb: str, state: SealState, reason: Reason
) -> None:
    """Each state has its own reason; a batch is refused whole; only suspended comes back."""
    await office.open_type(dataclasses.replace(LICENCE_TYPE, version=2), "licences-2")
    await office.deliver([licence(1)], type_version=2)

    await office.carry_out(f"seal.{verb}", {"seal": MAIN, "cause": "核查"})

    assert (await office.seals.get(MAIN)).seal.state is state
    with refused(reason):
        await office.deliver([licence(2)], type_version=2)
    resume = {"seal": MAIN, "cause": "核查完毕"}
    if state is not SealState.SUSPENDED:
        keys = [one.key.state for one in (await office.seals.get(MAIN)).keys]
        assert keys == [KeyState.RETIRED]
        with refused(Reason.TRANSITION_NOT_ALLOWED):
            await office.approved("seal.resume", resume)
        return
    await office.carry_out("seal.resume", resume)
    assert (await office.deliver([licence(2)], type_version=2)).receipt


async def test_state_changed_after_approval_is_seen_at_execution(office: Office) -> None:
    """A seal revoked meanwhile is not suspended."""
    cause = {"seal": MAIN, "cause": "x"}
    suspend = await office.approved("seal.suspend", cause)
    await office.carry_out("seal.revoke", cause)

    with refused(Reason.TRANSITION_NOT_ALLOWED):
        await office.execute(suspend)


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("UserV1.esl", "X509_EXPIRED"),
        ("UserV4.esl", "X509_EXPIRED"),
        ("UserV5.esl", "X509_EXPIRED"),
        ("SESealData.DER", "SEAL_SIGNATURE_INVALID"),
    ],
)
async def test_a_seal_that_is_not_valid_is_not_imported(
    office: Office, shared_data: Path, file: str, reason: str
) -> None:
    """Expired is not "bad signature"; a wrong signature does not even come on file."""
    with not_taken(reason):
        await importing(office, (shared_data / "seals" / file).read_bytes())


async def test_a_seal_of_a_maker_that_nobody_vouches_for_is_not_imported(office: Office) -> None:
    """Anybody can make one with a key and a picture of his own."""
    stranger, signer = sm2_pki.root().issue("制章者"), sm2_pki.root().issue("签章者")
    for data, reason in (
        (seals.seal_of(stranger, signer), "X509_UNTRUSTED"),
        (seals.golden_seal(), "X509_UNTRUSTED"),
    ):
        with not_taken(reason):
            await importing(office, data)


@pytest.mark.parametrize("version", [4, 5])
async def test_a_lawful_seal_is_imported_byte_for_byte_and_marked(
    office: Office, version: int
) -> None:
    """It is never passed off as made here, takes the place of none made here, and comes once."""
    data = outside_seal("OUTSIDE-1", office.pki, version)
    members = await importing(office, data)

    await office.carry_out("seal.import", members)

    kept = await electronic(office, members["seal"])
    assert kept.der == data
    assert (kept.origin, kept.format_version, kept.maker_key) == (SealOrigin.IMPORTED, version, "")
    with refused(Reason.ALREADY_EXISTS):
        await office.approved("seal.import", members)
    with refused(Reason.KEY_NOT_ACTIVE):
        await office.record_seals.keys.usable(members["seal"], KeyUse.OFD, KeyAlgorithm.SM2, 1)


async def test_what_was_made_here_is_not_replaced_from_outside(office: Office) -> None:
    """Neither a seal with an electronic form of its own, nor one for records only."""
    data = outside_seal("OUTSIDE-1", office.pki)

    for name in (MAIN, (await office.make_seal("ofd", ofd=True)).seal.name):
        with refused(Reason.TRANSITION_NOT_ALLOWED):
            await importing(office, data, name)


async def test_executing_again_under_the_same_id_gives_the_same_answer(office: Office) -> None:
    """One seal, one set of keys; another caller's repetition finds the intent executed."""
    keys = [{"use": "record", "algorithm": "ES256"}]
    members = {"seal": f"{AUTHORITY}/seals/once", "title": "章", "seal_type": 1, "keys": keys}
    approved = await office.approved("seal.apply", members)
    call = office.call()

    first = await office.execute(approved, call)

    assert await office.execute(approved, call) == first
    assert await office.count("seal_keys") == 2
    with refused(Reason.INTENT_CLOSED):
        await office.execute(approved, office.call(OFFICERS[1]))


async def test_officers_read_every_member_in_both_languages(office: Office) -> None:
    """What `seal.make` will do stands in its intent as a sentence."""
    await office.make_seal("ofd", ofd=True)
    fresh = await office.carry_out("key.generate", {"seal": OFD, "use": "ofd", "algorithm": "SM2"})
    form = await office.electronic("NUMBER-7")
    certificates = [{"key": fresh["key"], "x509_chain": office.chain_for(fresh)}]
    name = await office.approved("seal.renew", {"seal": OFD, "certificates": certificates, **form})

    stored = (await office.intents.get(name)).stored
    intent = parse_intent(stored.bytes, KINDS)

    assert intent.text("title") == "电子印章"
    assert intent.members["seal_type"] == 1
    assert stored.bytes.decode().count("NUMBER-7") == 1
