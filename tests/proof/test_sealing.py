"""Which bytes a signer signs: those that follow from intent, batch, row and what is left free."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from hub.clock import now_us
from hub.domain.record import SealingOrder
from hub.domain.seal_key import KeyAlgorithm
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, digest, emit_json, parse_object
from hub.proof.sealing.records import ApprovedIntent, CheckedBatch, open_batch
from hub.seal.keys import RecordWork, SealKey
from tests.registry.office import LICENCE_TYPE, OFFICERS, Office, licence, open_office


@dataclass
class Sealed:
    """A batch that was sealed, as a signer elsewhere would be given it."""

    office: Office
    approved: ApprovedIntent
    key: SealKey
    work: RecordWork

    def batch(self, key: Any = None, now_s: int | None = None, **changes: Any) -> CheckedBatch:
        """The batch opened as a signer does, with members of the order changed."""
        order: SealingOrder = dataclasses.replace(self.work.order, **changes)
        now = now_us() // 1_000_000 if now_s is None else now_s
        return open_batch(
            self.approved, order, key=key or self.key, keys=self.office.identities.key, now=now
        )

    def texts(self, number: int = 0) -> list[str]:
        """The disclosures of a record."""
        return [text for _, text in orjson.loads(self.work.records[number].disclosures)]

    @property
    def decoys(self) -> bytes:
        """What the other digests of the first record hash."""
        return self.work.records[0].decoys

    @property
    def payload(self) -> bytes:
        """The payload of the first record."""
        return self.work.records[0].payload


@pytest.fixture
async def sealed(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Sealed]:
    seen: list[tuple[SealKey, RecordWork]] = []
    sign = SealKey.sign_records

    def keep(key: SealKey, work: RecordWork) -> list[bytes]:
        seen.append((key, work))
        return sign(key, work)

    monkeypatch.setattr(SealKey, "sign_records", keep)
    async with open_office(sqlite_url, tmp_path) as office:
        await office.publish_type(LICENCE_TYPE)
        await office.make_seal()
        await office.propose()
        for officer in OFFICERS[1:]:
            await office.decide(officer, "intents/licences")
        await office.deliver([licence(one, issue_date="2020-01-01") for one in (1, 2)])
        ((key, work),) = seen
        approved = office.record_seals.signer.approve(
            work.mandate.name, work.mandate.intent, work.mandate.approvals
        )
        yield Sealed(office, approved, key, work)


def refusal(attempt: Callable[[], object]) -> str:
    with pytest.raises(HubError) as caught:
        attempt()
    assert caught.value.reason is Reason.INTENT_NOT_APPROVED
    return str(caught.value.details["rule"])


async def test_what_the_hub_composed_is_what_may_be_signed(sealed: Sealed) -> None:
    """Made again from what was read, byte for byte, for each record and its own row only."""
    batch = sealed.batch()

    for number, one in enumerate(sealed.work.records):
        batch.check_bytes(one.payload, sealed.texts(number), one.decoys, one.record.row_index)

    for row, rule in ((1, "other than the row"), (2, "names no row"), (-1, "names no row")):
        assert rule in refusal(
            partial(batch.check_bytes, sealed.payload, sealed.texts(), sealed.decoys, row)
        )  # type: ignore[misc]


@pytest.mark.parametrize(
    ("member", "value", "rule"),
    [
        ("origin", "hub.ningbo.example", "not approved"),
        ("region", "330200", "not approved"),
        ("iss", "91330100MADEM0011P", "not approved"),
        ("vct", "https://other/vct/1", "not approved"),
        ("vct#integrity", "sha256-x", "not approved"),
        ("type_version", 2, "not approved"),
        ("iat", 1, "another time"),
        ("cert", "1.2.156.3005.2.91330100MADEM0022M002", "another type or version"),
        ("version", 2, "another type or version"),
        ("custody", "department", "not a record: CUSTODY_INVALID"),
        ("custody", "hub-hsm", "not approved"),
        ("custody", "attested", "not a record: CUSTODY_INVALID"),
        ("delegation", "intents/other", "not approved"),
        ("src", {"batch": "b", "i": 1, "n": 2, "row": b64u(bytes(32))}, "not approved"),
        ("conversion", {"officer": "officers/x", "attestation": b64u(bytes(32))}, "not approved"),
        ("algs", ["SM2"], "not a record: CLAIM_INVALID"),
        ("status", {"status_list": {"idx": 1}}, "not a record: CLAIM_INVALID"),
        ("_sd", [b64u(bytes(32))], "not a record: DISCLOSURE_UNREFERENCED"),
        ("_sd_alg", "sha-512", "not a record: SD_ALG"),
        ("v", 2, "not a record: FORMAT_VERSION"),
        ("exp", 1, "not a record: CLAIM_UNKNOWN"),
    ],
)
async def test_a_claim_that_says_otherwise_is_not_signed(
    sealed: Sealed, member: str, value: Any, rule: str
) -> None:
    """Every clear claim follows from what was approved, or is bounded."""
    changed = emit_json(parse_object(sealed.payload) | {member: value})

    assert rule in refusal(
        partial(sealed.batch().check_bytes, changed, sealed.texts(), sealed.decoys, 0)
    )


async def test_a_key_seals_only_what_names_its_algorithm(sealed: Sealed) -> None:
    """A record that a twin will stand beside says so; what does not is not signed with SM2."""
    both = emit_json(parse_object(sealed.payload) | {"algs": ["ES256", "SM2"]})
    twin = dataclasses.replace(sealed.batch(), algorithm=KeyAlgorithm.SM2)

    for batch in (sealed.batch(), twin):
        batch.check_bytes(both, sealed.texts(), sealed.decoys, 0)

    assert "does not name the algorithm" in refusal(
        partial(twin.check_bytes, sealed.payload, sealed.texts(), sealed.decoys, 0)
    )


async def test_another_spelling_of_the_same_claims_is_not_signed(sealed: Sealed) -> None:
    """Reordered members, white space, a member twice."""
    members = parse_object(sealed.payload)
    for changed, rule in (
        (emit_json(dict(reversed(members.items()))), "was not approved"),
        (sealed.payload + b" ", "was not approved"),
        (b'{"v":1,' + sealed.payload[1:], "JSON_DUPLICATE_MEMBER"),
        (b"", "JSON_MALFORMED"),
        (bytes(32), "JSON_MALFORMED"),
    ):
        assert rule in refusal(
            partial(sealed.batch().check_bytes, changed, sealed.texts(), sealed.decoys, 0)
        )


async def test_disclosures_that_are_not_those_of_the_row_are_not_signed(sealed: Sealed) -> None:
    """One left out, one twice, one of another record, one that no digest names."""
    texts, other = sealed.texts(), sealed.texts(1)
    for changed, rule in (
        (texts[1:], "SD_MALFORMED"),
        ([], "SD_MALFORMED"),
        ([*texts, texts[0]], "DISCLOSURE_REPEATED"),
        ([*texts[1:], other[0]], "DISCLOSURE_UNREFERENCED"),
        ([*texts, b64u(b"[]")], "DISCLOSURE_SHAPE"),
        ([*texts, "=="], "BASE64_ALPHABET"),
    ):
        assert rule in refusal(
            partial(sealed.batch().check_bytes, sealed.payload, changed, sealed.decoys, 0)
        )  # type: ignore[misc]


async def test_no_digest_hides_a_claim_behind_a_decoy(sealed: Sealed) -> None:
    """A second value of a field, kept back to be shown instead of the true one, looks like a decoy
    until it has to be shown."""
    claims = parse_object(sealed.payload)
    digests = claims["_sd"]
    assert isinstance(digests, list)
    lie = b64u(emit_json([b64u(bytes(16)), "name", "另一公司"]))
    decoy = b64u(sha256(sealed.decoys[:32]).digest())
    place = digests.index(decoy)
    hidden = [*digests[:place], digest(lie), *digests[place + 1 :]]
    changed = emit_json(claims | {"_sd": hidden})
    short = lie.encode()[:32]
    for decoys in (
        sealed.decoys,
        sealed.decoys[32:],
        lie.encode() + sealed.decoys[32:],
        short + sealed.decoys[32:],
        sealed.decoys[:-1],
    ):
        said = refusal(partial(sealed.batch().check_bytes, changed, sealed.texts(), decoys, 0))
        assert "not a record: SD_MALFORMED" in said


async def test_a_batch_that_the_department_did_not_sign_is_not_opened(sealed: Sealed) -> None:
    """Rows changed, dropped or added; another batch, authority, type, version or manifest."""
    rows = list(sealed.work.order.rows)
    changed = [(rows[0][0], rows[0][1].replace(b"1", b"2", 1)), rows[1]]
    for changes, rule in (
        ({"rows": changed}, "not those that the department signed"),
        ({"rows": rows[:1]}, "not those that the department signed"),
        ({"rows": [*rows, rows[0]]}, "not those that the department signed"),
        ({"rows": rows[::-1]}, "not those that the department signed"),
        ({"batch": "other"}, "not what the department signed"),
        ({"rows_n": 3}, "not what the department signed"),
        ({"manifest": "other"}, "not what the department signed"),
        ({"authority_uscc": "91330100MADEM0011P"}, "authority, type or type version"),
        ({"type_version": 2}, "authority, type or type version"),
        ({"vct": "https://x/vct/y"}, "authority, type or type version"),
        ({"root_jws": sealed.work.order.root_jws[:-2]}, "does not verify"),
    ):
        assert rule in refusal(lambda changes=changes: sealed.batch(**changes))  # type: ignore[misc]


@dataclass
class OtherKey:
    """A key as the check sees it."""

    kid: str
    custody: Any
    x509_chain: tuple[bytes, ...]
    algorithm: KeyAlgorithm = KeyAlgorithm.ES256


async def test_a_key_that_is_not_certified_for_the_authority_seals_nothing(sealed: Sealed) -> None:
    """Another key under the chain, no chain, a chain of nonsense, a certificate that has ended."""
    chain = sealed.key.x509_chain
    for kid, given in (("x" * 43, chain), (sealed.key.kid, ()), (sealed.key.kid, (b"\x30",))):
        key = OtherKey(kid, sealed.key.custody, given)
        assert "not certified" in refusal(lambda key=key: sealed.batch(key=key))  # type: ignore[misc]

    late = 4_102_444_800
    intent = dataclasses.replace(sealed.approved.intent, not_after=late + 1)
    lasting = dataclasses.replace(sealed.approved, intent=intent, until=late + 1)
    with pytest.raises(HubError) as caught:
        dataclasses.replace(sealed, approved=lasting).batch(now_s=late)
    assert caught.value.reason is Reason.KEY_EXPIRED


async def test_nothing_is_sealed_outside_the_time_of_the_intent(sealed: Sealed) -> None:
    """Before its first second and from its end on."""
    for moment in (sealed.approved.intent.not_before - 1, sealed.approved.until):
        assert "not in force" in refusal(lambda at=moment: sealed.batch(now_s=at))  # type: ignore[misc]
