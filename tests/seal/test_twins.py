"""Twins: records sealed with ES256 and with SM2, as the hub makes and a verifier sees them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from sqlalchemy import Table, select
from typer.testing import CliRunner

from certs.pki import SM2_SEAL_CA
from hub.cli.exchange import _verify_twins
from hub.cli.verify import app
from hub.domain.certificate import Custody
from hub.domain.face import Listing
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.exchange.v1 import exchange_pb2
from hub.proof import sm2
from hub.proof.encoding import b64u, b64u_decode, digest, emit_json, parse_object
from hub.proof.jose import Algorithm
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.records.disclosure import make_disclosure
from hub.proof.records.sd_jwt import Presentation, open_record, present
from hub.proof.records.twin import check_same, check_twins
from hub.proof.reports.report import Kind, Report, StepName
from hub.proof.run import Evidence
from hub.proof.sealing.listing import file_entry
from hub.proof.sealing.records import Mandate
from hub.proof.trust import Compromise, Trust, trust_file
from hub.proof.verify import verify
from hub.seal.documents.list_files import Listed, ListFiles
from hub.seal.homes.files import KeyFiles
from hub.seal.reseal.logged_seals import LoggedSeals
from hub.seal.seal_store import Key
from hub.seal.store import PATHS, SIGNATURES
from hub.storage.statements import question
from tests.registry.office import (
    LICENCE_TYPE,
    OFFICERS,
    ORIGIN,
    REGION,
    Office,
    licence,
    open_office,
)
from tests.seal.test_compromise import batch
from tests.seal.test_seal_keys import fresh_key
from tests.seal.test_seals import refused

HALF_OF_SM2 = sm2.ORDER // 2


@dataclass
class Twins:
    """A record as two presentations of one field, and who vouches for either."""

    office: Office
    identifier: str
    es256: str
    sm2: str
    anchors: tuple[x509.Certificate, ...]

    @property
    def trust(self) -> Trust:
        """What a verifier pins."""
        return Trust(ORIGIN, REGION, seal_anchors=self.anchors)

    def open(self, text: str) -> Presentation:
        """P1 to P8."""
        return open_record(
            text,
            origin=ORIGIN,
            region=REGION,
            keys=None,
            anchors=self.anchors,
            now=self.office.ingest.clock() // 1_000_000,
        )

    def report(
        self, text: str, *, twin: str | None = None, required: Algorithm | None = None
    ) -> Report:
        """What the engine says."""
        now = self.office.ingest.clock() // 1_000_000
        evidence = Evidence(now, twin=twin, required=required)
        return verify(text.encode(), Kind.PRESENTATION, self.trust, evidence)

    def refused(self, text: str) -> ProofReason:
        """Why `text` does not open."""
        with pytest.raises(ProofError) as caught:
            self.open(text)
        return caught.value.reason


@pytest.fixture
async def office(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(sqlite_url, tmp_path) as opened:
        await opened.open_for(LICENCE_TYPE, sm2=True)
        yield opened


@pytest.fixture
async def either_office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    """As `office`, on each engine in turn."""
    async with open_office(database_url, tmp_path) as opened:
        await opened.open_for(LICENCE_TYPE, sm2=True)
        yield opened


@pytest.fixture
async def twins(office: Office) -> Twins:
    return (await delivered(office, 1))[0]


async def delivered(office: Office, count: int) -> list[Twins]:
    """So many records of one batch."""
    ingested = await office.deliver([licence(number) for number in range(1, count + 1)])
    anchors = (
        *office.anchors,
        *x509.load_pem_x509_certificates(office.pki.sm2_anchor_pem(SM2_SEAL_CA)),
    )
    return [await shown(office, one.identifier, anchors) for one in ingested.results]


async def shown(office: Office, identifier: str, anchors: tuple[x509.Certificate, ...]) -> Twins:
    """The twins of a certificate as they are on file now."""
    found = await office.reader.by_identifier(identifier)
    assert found is not None
    disclosures = await found.disclosures(("name",))
    es256 = await office.record_seals.record_seal(found.version_id)
    twin = await office.record_seals.sm2_twin(found.version_id)
    return Twins(
        office,
        identifier,
        present(es256, disclosures, ("name",)),
        present(twin, disclosures, ("name",)) if twin else "",
        anchors,
    )


def step(report: Report, name: StepName) -> tuple[Verdict, ProofReason | None]:
    (found,) = [one for one in report.steps if one.name is name]
    return found.verdict, found.reason


def resigned(text: str, signature: bytes) -> str:
    """`text` with another signature."""
    compact, tilde, shown = text.partition("~")
    return f"{compact.rpartition('.')[0]}.{b64u(signature)}{tilde}{shown}"


def signature_of(text: str) -> bytes:
    return b64u_decode(text.partition("~")[0].rpartition(".")[2])


# ---- as the hub makes them -----------------------------------------------------------------------


async def test_a_seal_with_an_sm2_key_seals_each_record_twice(twins: Twins) -> None:
    """One payload, two signatures by two keys; either verifies alone, and both together."""
    es256, other = twins.open(twins.es256), twins.open(twins.sm2)

    check_same(twins.es256, twins.sm2)
    check_twins(es256, other)
    assert es256.record == other.record
    assert es256.record.algs == ("ES256", "SM2")
    assert es256.disclosed == other.disclosed
    assert es256.kid != other.kid
    header = parse_object(b64u_decode(twins.sm2.partition(".")[0]))
    assert header.keys() == {"alg", "typ", "kid", "x5c"}
    assert header["alg"] == "urn:oid:1.2.156.10197.1.501"
    rows = await twins.office.database.all(
        question(
            "places",
            select(SIGNATURES.c.algorithm, SIGNATURES.c.status_place.is_not(None)).order_by(
                SIGNATURES.c.algorithm
            ),
        )
    )
    assert [(row[0], bool(row[1])) for row in rows] == [("ES256", True), ("SM2", False)]


async def test_twins_share_what_a_slow_key_folded(office: Office) -> None:
    """One of the two homes is slow: one signature of each algorithm for the batch, one path."""
    seals = dataclasses.replace(office.record_seals, slow_homes=frozenset({"files"}))
    office.ingest = dataclasses.replace(office.ingest, seals=seals)

    several = await delivered(office, 20)

    assert len({signature_of(one.es256) for one in several}) == 1
    assert len({signature_of(one.sm2) for one in several}) == 1
    assert len(await office.database.all(question("paths", PATHS.select()))) == 20
    for one in several:
        check_same(one.es256, one.sm2)
        assert one.open(one.es256).record == one.open(one.sm2).record


async def test_both_keys_are_counted_and_the_intent_once(office: Office) -> None:
    """Two records: each key signed twice, the intent was used twice."""
    await delivered(office, 2)

    uses = await office.database.all(question("uses", _table("seal_key_uses").select()))
    intents = await office.database.all(question("intents", _table("seal_intent_uses").select()))
    assert [row[1] for row in uses] == [2, 2]
    assert [row[1] for row in intents] == [2]


async def test_a_twin_key_that_may_not_sign_stops_the_batch(office: Office) -> None:
    """No record goes out without the twin that the seal promises."""
    keys = office.record_seals.keys
    (key,) = await keys.in_force("authorities/market/seals/main", KeyUse.RECORD, KeyAlgorithm.SM2)
    home = keys.homes["files"]
    assert isinstance(home, KeyFiles)
    home.destroy(key.kid)

    with pytest.raises(HubError) as refused:
        await delivered(office, 1)

    assert refused.value.reason is Reason.KEY_UNAVAILABLE
    assert await office.count("seal_signatures") == 0


async def test_keys_in_different_hands_make_no_twins(office: Office) -> None:
    """What both sign names one custody, which would be a lie about one of them."""
    keys = office.record_seals.keys
    (key,) = await keys.in_force("authorities/market/seals/main", KeyUse.RECORD, KeyAlgorithm.SM2)
    opened = await keys.open(key)
    keys._opened[key.kid] = dataclasses.replace(opened, custody=Custody.HUB_HSM)  # type: ignore[type-var]

    with pytest.raises(HubError) as refused:
        await delivered(office, 1)

    assert refused.value.reason is Reason.TWIN_CUSTODY
    assert refused.value.details["key"] == key.name


@pytest.mark.parametrize("slow", [(), ("files",)])
async def test_what_is_sealed_anew_has_new_twins(
    either_office: Office, slow: tuple[str, ...]
) -> None:
    """The ES256 key is stolen, twice: each time both seals are made again, and the pairs before are
    kept. Once the SM2 key is retired, what is sealed anew names ES256 alone and has no twin."""
    office = either_office
    made = await delivered(office, 3)
    keys, seal = office.record_seals.keys, "authorities/market/seals/main"
    seen = {one.sm2 for one in made}
    for number in range(3):
        if number == 2:
            (twin,) = await keys.in_force(seal, KeyUse.RECORD, KeyAlgorithm.SM2)
            await office.carry_out("key.retire", {"key": twin.name, "cause": "x"})
        (stolen,) = await keys.in_force(seal, KeyUse.RECORD, KeyAlgorithm.ES256)
        since = office.ingest.clock() // 1_000_000
        wanted = {"key": stolen.name, "since": since, "cause": "x"}
        await office.carry_out("key.compromise", wanted)
        await office.carry_out("key.activate", await fresh_key(office))
        name = f"anew-{number}"
        members = emit_json({"key": stolen.name})
        await office.propose(name, kind="key.reseal", members=members, uses_max=10)
        for officer in OFFICERS[1:]:
            await office.decide(officer, f"intents/{name}")

        assert (await batch(office, f"intents/{name}", "", *slow)).count == 3

        again = [await shown(office, one.identifier, one.anchors) for one in made]
        assert await office.count("seal_past_signatures") == 6 * (number + 1)
        for one in again:
            algs = one.open(one.es256).record.algs
            if number == 2:
                assert (one.sm2, algs) == ("", ("ES256",))
                continue
            check_same(one.es256, one.sm2)
            check_twins(one.open(one.es256), one.open(one.sm2))
            assert algs == ("ES256", "SM2")
            assert one.sm2 not in seen
            seen.add(one.sm2)


async def test_records_of_a_stolen_sm2_key_are_sealed_anew_by_both_keys(
    either_office: Office,
) -> None:
    """Once the seal has another SM2 key: the ES256 key in force signs the new payload too, and the
    pairs before are kept. Done again it finds nothing to do."""
    office = either_office
    made = await delivered(office, 3)
    stolen = await in_force(office, KeyAlgorithm.SM2)
    intent = await stolen_and_ordered(office, stolen)
    with refused(Reason.KEY_NOT_ACTIVE):
        await batch(office, intent)
    fresh = await fresh_key(office, algorithm="SM2")
    await office.carry_out("key.activate", fresh)

    assert (await batch(office, intent)).count == 3
    assert (await batch(office, intent)).count == 0

    assert await office.count("seal_past_signatures") == 6
    for before in made:
        now = await shown(office, before.identifier, before.anchors)
        check_same(now.es256, now.sm2)
        was, es256, other = now.open(before.es256), now.open(now.es256), now.open(now.sm2)
        check_twins(es256, other)
        assert es256.kid == was.kid
        assert other.kid == (await in_force(office, KeyAlgorithm.SM2)).kid != stolen.kid
        assert dataclasses.replace(es256.record, iat=0, delegation=None) == dataclasses.replace(
            was.record, iat=0, delegation=None
        )


async def test_both_keys_stolen_are_replaced_in_one_go(office: Office) -> None:
    """What is sealed anew after the one theft carries neither key any more."""
    made = await delivered(office, 2)
    thefts = [await in_force(office, one) for one in (KeyAlgorithm.ES256, KeyAlgorithm.SM2)]
    intents = [await stolen_and_ordered(office, one) for one in thefts]
    for one in thefts:
        wanted = await fresh_key(office, algorithm=one.algorithm.value)
        await office.carry_out("key.activate", wanted)

    assert [(await batch(office, intent)).count for intent in intents] == [2, 0]

    now = await shown(office, made[0].identifier, made[0].anchors)
    kids = {now.open(now.es256).kid, now.open(now.sm2).kid}
    assert not kids & {one.kid for one in thefts}


async def test_a_record_names_files_by_all_its_keys_or_not_at_all(office: Office) -> None:
    """Both twins are made anew and share the new payload; without an SM2 key, or by a stolen key,
    the record is left as it is."""
    (made,) = await delivered(office, 1)
    found = await office.reader.by_identifier(made.identifier)
    assert found is not None
    (before,) = await found.disclosures(("docs",))
    list_files = ListFiles(
        office.database,
        office.record_seals.keys,
        LoggedSeals(office.database, office.recorder.proofs),
        office.ingest.clock,
    )

    stored = office.recorder.head().size - 1
    mandate = Mandate("intents/x", b"", ())
    signed = SimpleNamespace(mandate=mandate, key=None)
    file = SimpleNamespace(
        seal="authorities/market/seals/main", media_type="a/b", data=b"", signed=signed
    )
    docs = (before.text, make_disclosure(bytes(16), "docs", [file_entry("a/b", b"")]).text)

    async def listing() -> Listed:
        return await list_files(
            found.version_id, stored, file, "name", docs, seal="authorities/market/seals/main"
        )

    listed = await listing()
    (es256, sm2_) = [
        row for one in listed.writes if one.statement.table == "seal_signatures" for row in one.rows
    ]
    payload = parse_object(bytes(es256[4] or b""))
    assert (listed.which, es256[4], es256[1], sm2_[1]) == (
        Listing.LISTED,
        sm2_[4],
        "ES256",
        "SM2",
    )
    was = parse_object(b64u_decode(made.es256.split(".")[1]))
    assert isinstance(payload["_sd"], list) and isinstance(was["_sd"], list)
    assert set(payload["_sd"]) - set(was["_sd"]) == {digest(docs[1])}
    stolen = await in_force(office, KeyAlgorithm.ES256)
    await office.database.define("UPDATE seal_keys SET authority_uscc = 'a successor'")
    assert await listing() == Listed(Listing.OTHER_ISSUER)
    await office.database.define(f"UPDATE seal_keys SET authority_uscc = '{stolen.authority_uscc}'")
    twin = await in_force(office, KeyAlgorithm.SM2)
    await office.carry_out("key.retire", {"key": twin.name, "cause": "x"})
    assert await listing() == Listed(Listing.NO_KEY)
    since = office.ingest.clock() // 1_000_000
    await office.carry_out("key.compromise", {"key": stolen.name, "since": since, "cause": "x"})
    assert await listing() == Listed(Listing.NO_KEY)
    await office.carry_out("key.activate", await fresh_key(office))
    assert await listing() == Listed(Listing.COMPROMISED)


async def in_force(office: Office, algorithm: KeyAlgorithm) -> Key:
    """The record key of this algorithm."""
    seal = "authorities/market/seals/main"
    (key,) = await office.record_seals.keys.in_force(seal, KeyUse.RECORD, algorithm)
    return key


async def stolen_and_ordered(office: Office, key: Key) -> str:
    """`key` declared stolen, and an approved intent to seal anew what it sealed."""
    since = office.ingest.clock() // 1_000_000
    await office.carry_out("key.compromise", {"key": key.name, "since": since, "cause": "x"})
    name = f"anew-{key.algorithm.value.lower()}"
    members = emit_json({"key": key.name})
    await office.propose(name, kind="key.reseal", members=members, uses_max=10)
    for officer in OFFICERS[1:]:
        await office.decide(officer, f"intents/{name}")
    return f"intents/{name}"


# ---- as a verifier sees them ---------------------------------------------------------------------


async def test_whoever_accepts_es256_needs_no_twin(twins: Twins) -> None:
    """Stripped of its twin the record holds, and for who requires SM2 it is not valid."""
    alone = twins.report(twins.es256)
    required = twins.report(twins.es256, required=Algorithm.SM2)

    assert step(alone, StepName.SEAL) == (Verdict.VALID, None)
    assert step(required, StepName.REQUIRED_ALGORITHM) == (
        Verdict.CANNOT_CHECK,
        ProofReason.TWIN_MISSING,
    )


async def test_twins_satisfy_whoever_requires_either(twins: Twins) -> None:
    """The pair, in both orders, and the SM2 text alone for who requires SM2."""
    for text, twin in ((twins.es256, twins.sm2), (twins.sm2, twins.es256)):
        for required in Algorithm:
            report = twins.report(text, twin=twin, required=required)
            assert step(report, StepName.TWIN) == (Verdict.VALID, None)
            assert step(report, StepName.REQUIRED_ALGORITHM) == (Verdict.VALID, None)
    report = twins.report(twins.sm2, required=Algorithm.SM2)
    assert step(report, StepName.REQUIRED_ALGORITHM) == (Verdict.VALID, None)


async def test_a_record_without_twin_is_invalid_for_who_requires_sm2(
    sqlite_url: str, tmp_path: Path
) -> None:
    """Nothing was stripped: its seal has no SM2 key."""
    async with open_office(sqlite_url, tmp_path) as office:
        await office.open_for(LICENCE_TYPE)
        result = (await office.deliver([licence(1)])).results[0]
        found = await office.reader.by_identifier(result.identifier)
        assert found is not None
        assert await office.record_seals.sm2_twin(found.version_id) == ""
        jws = await office.record_seals.record_seal(found.version_id)
        one = Twins(office, result.identifier, f"{jws}~", "", tuple(office.anchors))

        report = one.report(one.es256, required=Algorithm.SM2)

    assert step(report, StepName.REQUIRED_ALGORITHM) == (
        Verdict.INVALID,
        ProofReason.ALG_REQUIRED,
    )


async def test_a_twin_of_something_else_is_none(office: Office) -> None:
    """Another record's; one that shows more; the same text again; a stripped disclosure."""
    first, second = await delivered(office, 2)
    for twin in (second.sm2, f"{first.sm2}{second.sm2.split('~')[1]}~", first.sm2.split("~")[0]):
        report = first.report(first.es256, twin=twin)
        assert step(report, StepName.TWIN) == (Verdict.INVALID, ProofReason.TWIN_MISMATCH)
        assert report.verdict is Verdict.INVALID
    report = first.report(first.es256, twin=first.es256)
    assert step(report, StepName.TWIN) == (Verdict.INVALID, ProofReason.TWIN_MISMATCH)


async def test_an_sm2_header_names_its_own_key(twins: Twins) -> None:
    """Another kid, the ES256 twin's kid or chain, another `alg`, no chain at all."""
    header = parse_object(b64u_decode(twins.sm2.partition(".")[0]))
    es256 = parse_object(b64u_decode(twins.es256.partition(".")[0]))
    rest = twins.sm2.partition(".")[2]
    for changes, reason in (
        ({"kid": "x" * 43}, ProofReason.X5C_KEY_MISMATCH),
        ({"kid": es256["kid"]}, ProofReason.X5C_KEY_MISMATCH),
        ({"x5c": es256["x5c"]}, ProofReason.X5C_KEY_MISMATCH),
        ({"alg": "ES256"}, ProofReason.X5C_INVALID),
        ({"alg": "SM2"}, ProofReason.X5C_INVALID),
        ({"x5c": []}, ProofReason.X5C_INVALID),
        ({"x5c": None}, ProofReason.X5C_INVALID),
        ({"typ": "jwt"}, ProofReason.TYP_WRONG),
    ):
        changed = b64u(emit_json(header | changes))
        assert twins.refused(f"{changed}.{rest}") is reason, changes
    bare = {name: value for name, value in header.items() if name != "x5c"}
    assert twins.refused(f"{b64u(emit_json(bare))}.{rest}") is ProofReason.X5C_INVALID


async def test_edges_of_sm2_signatures(twins: Twins) -> None:
    """r and s from 1 to n - 1; the mirrored form is another signature, and a wrong one."""
    good = signature_of(twins.sm2)
    r, s = good[:32], good[32:]
    zero, order, top = bytes(32), sm2.ORDER.to_bytes(32), (sm2.ORDER - 1).to_bytes(32)
    mirrored = (sm2.ORDER - int.from_bytes(s)).to_bytes(32)
    # t = r + s must not be 0 modulo n (GB/T 32918.2 §7.1).
    sum_zero = (sm2.ORDER - int.from_bytes(r)).to_bytes(32)
    for wrong in (
        zero + s, r + zero, order + s, r + order, b"\xff" * 64, zero + zero,
        top + s, r + top, r + mirrored, r + sum_zero, s + r,
    ):  # fmt: skip
        assert twins.refused(resigned(twins.sm2, wrong)) is ProofReason.SIGNATURE_INVALID
    for wrong in (b"", good[:-1], good + b"\0", sm2.signature_from_raw(good)):
        expected = ProofReason.SIGNATURE_LENGTH if wrong else ProofReason.JWS_MALFORMED
        assert twins.refused(resigned(twins.sm2, wrong)) is expected


async def test_high_s_is_refused_of_es256_and_allowed_of_sm2(office: Office) -> None:
    """Of some thirty SM2 signatures about half have a high s, and all verify."""
    several = await delivered(office, 30)

    high = [one for one in several if int.from_bytes(signature_of(one.sm2)[32:]) > HALF_OF_SM2]
    assert high
    assert all(one.open(one.sm2).algorithm is Algorithm.SM2 for one in high)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    signature = signature_of(several[0].es256)
    mirrored = (order - int.from_bytes(signature[32:])).to_bytes(32)
    refused = several[0].refused(resigned(several[0].es256, signature[:32] + mirrored))
    assert refused is ProofReason.SIGNATURE_HIGH_S


async def test_who_vouches_for_sm2_is_an_sm2_anchor(twins: Twins) -> None:
    """Pinned for ES256 alone, the SM2 twin is not checked; under another SM2 CA it is invalid."""
    only_es256 = dataclasses.replace(twins, anchors=tuple(twins.office.anchors))
    with pytest.raises(ProofError) as caught:
        only_es256.open(twins.sm2)
    assert caught.value.reason is ProofReason.X5C_UNTRUSTED
    assert caught.value.verdict is Verdict.CANNOT_CHECK
    others = x509.load_pem_x509_certificates(twins.office.pki.sm2_anchor_pem("sm2-maker-ca"))
    with pytest.raises(ProofError) as caught:
        dataclasses.replace(twins, anchors=tuple(others)).open(twins.sm2)
    assert caught.value.reason is ProofReason.X5C_UNTRUSTED
    assert caught.value.verdict is Verdict.INVALID


async def test_each_twin_falls_with_its_own_key(twins: Twins) -> None:
    """The SM2 key in other hands says nothing against the ES256 text, and much against the pair."""
    kid = twins.open(twins.sm2).kid
    trust = dataclasses.replace(twins.trust, compromised=(Compromise(kid, 0),))
    now = twins.office.ingest.clock() // 1_000_000

    report = verify(twins.es256.encode(), Kind.PRESENTATION, trust, Evidence(now, twin=twins.sm2))

    assert step(report, StepName.SIGNER_KEY) == (Verdict.VALID, None)
    assert step(report, StepName.TWIN) == (Verdict.INVALID, ProofReason.KEY_COMPROMISED)


async def test_the_command_requires_what_its_reader_requires(twins: Twins, tmp_path: Path) -> None:
    """Reasons as the engine's; what is no record has no twin, and no other algorithm is known."""
    trust, es256, twin = tmp_path / "trust.json", tmp_path / "es256", tmp_path / "sm2"
    trust.write_bytes(trust_file(twins.trust))
    es256.write_text(twins.es256)
    twin.write_text(twins.sm2)

    def said(*options: str) -> tuple[int, str | None]:
        words = [str(es256), "--trust", str(trust), "--json", *options]
        ran = CliRunner().invoke(app, words)
        steps = json.loads(ran.stdout)["steps"] if ran.stdout.startswith("{") else []
        found = [one for one in steps if one["name"] == "required-algorithm"]
        return ran.exit_code, found[0].get("reason") if found else None

    # Nobody gave a status, so nothing is valid as a whole.
    assert said() == (2, None)
    assert said("--require", "SM2") == (2, "TWIN_MISSING")
    assert said("--require", "SM2", "--twin", str(twin)) == (2, None)
    assert said("--twin", str(es256)) == (1, None)
    assert said("--require", "RSA") == (64, None)
    es256.write_bytes(trust_file(twins.trust))
    assert said("--require", "SM2")[0] == 64


async def test_the_client_misses_a_twin_that_was_taken_away(office: Office) -> None:
    """And refuses one of another certificate; who did not ask for twins does not miss them."""
    first, second = await delivered(office, 2)
    opened = [first.open(first.es256)]
    for given, required, reason in (
        (first.sm2, True, None),
        ("", False, None),
        ("", True, ProofReason.TWIN_MISSING),
        (second.sm2, True, ProofReason.TWIN_MISMATCH),
        (second.sm2, False, ProofReason.TWIN_MISMATCH),
    ):
        one = exchange_pb2.FetchedCertificate(presentation=first.es256, sm2_presentation=given)
        answer = exchange_pb2.FetchCertificatesResponse(certificates=[one])
        found = None
        try:
            _verify_twins(answer, opened, first.trust, required=required)
        except ProofError as error:
            found = error.reason
        assert found is reason


def _table(name: str) -> Table:
    return SIGNATURES.metadata.tables[name]
