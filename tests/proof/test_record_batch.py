"""Many records under one signature: each is shown alone, and read as if it were sealed alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.proof.encoding import Json, b64u_decode, digest, emit_json, parse_json, parse_object
from hub.proof.jose import SEAL_TYP
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.records.batch import RECORDS_MAX, FoldedRecords, fold_records
from hub.proof.records.disclosure import Disclosure, make_disclosure
from hub.proof.records.sd_jwt import RecordClaims, draw_digests, present, record_payload
from tests.proof.jose_vectors import check_presentation
from tests.proof.test_sd_jwt_oracle import CLAIMS, SEAL_SIGNER, theirs

SEED = bytes(range(32))
Folded = tuple[FoldedRecords, list[tuple[Disclosure, ...]], list[RecordClaims]]


def record(number: int) -> RecordClaims:
    """The record at a place of a batch."""
    status = dataclasses.replace(CLAIMS.status, idx=number)
    return dataclasses.replace(CLAIMS, status=status, src=dataclasses.replace(CLAIMS.src, i=number))


def folded(count: int) -> Folded:
    """So many records, folded; the disclosures and the claims of each."""
    claims = [record(number) for number in range(count)]
    digests = [draw_digests({"name": f"某{n}", "scope": None}, 8) for n in range(count)]
    payloads = [record_payload(one, d.sd) for one, d in zip(claims, digests, strict=True)]
    return fold_records(payloads, SEED), [one.disclosures for one in digests], claims


def shown(whole: Folded, place: int, *names: str) -> str:
    """The presentation of a record's fields."""
    batch, disclosures, _ = whole
    stem = "~".join((SEAL_SIGNER.compact(SEAL_TYP, batch.payload), *batch.paths[place]))
    return present(stem, disclosures[place], names)


def expect(*fields: str) -> dict[str, Any]:
    return {"vct": CLAIMS.vct, "fields": fields, "cert": CLAIMS.cert}


@pytest.mark.parametrize("count", [1, 2, 16, 17, 256, 257, 600])
def test_each_record_is_shown_alone_and_reads_as_if_sealed_alone(count: int) -> None:
    """At every depth, and at the edges where a level is full."""
    whole = folded(count)

    for place in {0, count // 2, count - 1}:
        got = check_presentation(shown(whole, place, "name"), expect("name"))

        assert got.record == whole[2][place]
        assert got.disclosed == {"name": f"某{place}"}


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.data())
def test_an_unmodified_library_reads_the_same(count: int, data: st.DataObject) -> None:
    """`sd-jwt` finds one record in the tree, with the claims and the fields that we find."""
    whole = folded(count)
    place = data.draw(st.integers(0, count - 1))
    text = shown(whole, place, "name", "scope")

    ours = check_presentation(text, expect("name", "scope"))
    payload = theirs(text)
    leaf = payload.pop("records")
    while len(leaf) == 1:
        (leaf,) = leaf.values()

    assert payload | leaf == ours.claims


def test_a_full_batch_is_4096_records_and_one_shown_is_small() -> None:
    """One signature for them; one record with one field takes less than six kilobytes."""
    whole = folded(RECORDS_MAX)

    assert len(shown(whole, 4095, "name")) < 6_000
    assert check_presentation(shown(whole, 4095, "name"), expect("name")).record.src.i == 4095


@pytest.mark.parametrize("count", [0, RECORDS_MAX + 1])
def test_no_batch_is_empty_or_larger(count: int) -> None:
    """Three levels of sixteen are what a reader follows."""
    payload = record_payload(CLAIMS, draw_digests({"name": "x"}, 8).sd)

    with pytest.raises(ProofError) as caught:
        fold_records([payload] * count, SEED)

    assert caught.value.reason is ProofReason.BATCH_N


def test_what_a_batch_shares_is_the_same_in_every_record() -> None:
    """Nothing is said of a record that it does not say itself."""
    sd = draw_digests({"name": "x"}, 8).sd
    other = dataclasses.replace(CLAIMS, type_version=CLAIMS.type_version + 1)

    with pytest.raises(ProofError) as caught:
        fold_records([record_payload(CLAIMS, sd), record_payload(other, sd)], SEED)

    assert caught.value.reason is ProofReason.CLAIM_INVALID


def refusal(text: str) -> ProofReason:
    with pytest.raises(ProofError) as caught:
        check_presentation(text, expect("name"))
    return caught.value.reason


def test_records_of_a_batch_cannot_be_mixed() -> None:
    """A field of one under another, two at once, none, a branch left out or in another order."""
    whole = folded(40)
    batch, disclosures, _ = whole
    jws = SEAL_SIGNER.compact(SEAL_TYP, batch.payload)
    first, second = batch.paths[0], batch.paths[20]
    name = next(one.text for one in disclosures[0] if one.name == "name")

    def said(*texts: str) -> ProofReason:
        return refusal("~".join((jws, *texts, "")))

    assert said(*second, name) is ProofReason.DISCLOSURE_UNREFERENCED
    assert said(*first, *second, name) is ProofReason.DISCLOSURE_UNREFERENCED
    assert said(*first, name, *second) is ProofReason.DISCLOSURE_UNREFERENCED
    assert said() is ProofReason.FIELD_MISSING
    assert said(first[0]) is ProofReason.FIELD_MISSING
    assert said(first[1], name) is ProofReason.DISCLOSURE_UNREFERENCED
    assert said(name, *first) is ProofReason.DISCLOSURE_UNREFERENCED
    assert said(*first) is ProofReason.DISCLOSURE_NONE


def _sealed(tree: Json, *texts: str, **changes: Json) -> str:
    """A batch whose tree is not as we make it, under a genuine signature."""
    payload = parse_object(fold_records([record_payload(CLAIMS, ["A" * 43])], SEED).payload)
    members = {**payload, "records": tree, **changes}
    return "~".join((SEAL_SIGNER.compact(SEAL_TYP, emit_json(members)), *texts, ""))


def test_a_tree_of_another_form_is_refused() -> None:
    """Also under a genuine signature: what is read has one form only."""
    digests = draw_digests({"name": "x"}, 8)
    own = parse_object(record_payload(CLAIMS, digests.sd))
    (path,) = fold_records([emit_json(own)], SEED).paths
    leaf = parse_json(b64u_decode(path[-1]))
    assert isinstance(leaf, list)
    assert isinstance(leaf[2], dict)
    field = digests.disclosures[0].text

    def branch(name: str, value: Json) -> tuple[Json, str]:
        text = make_disclosure(b"s" * 16, name, value).text
        return {"_sd": [digest(text)]}, text

    def said(name: str, value: Json) -> ProofReason:
        tree, text = branch(name, value)
        return refusal(_sealed(tree, text, field))

    assert said("10", leaf[2]) is ProofReason.SD_MALFORMED
    assert said("g", leaf[2]) is ProofReason.SD_MALFORMED
    assert said("0", "text") is ProofReason.SD_MALFORMED
    assert said("0", {"_sd": []}) is ProofReason.SD_MALFORMED
    assert said("0", {**leaf[2], "iss": "another"}) is ProofReason.DISCLOSURE_NAME_CLASH
    assert said("0", {**leaf[2], "_sd_alg": "sha-256"}) is ProofReason.DISCLOSURE_NAME_CLASH
    assert (
        said("0", {**leaf[2], "records": {"_sd": ["A" * 43]}}) is ProofReason.DISCLOSURE_NAME_CLASH
    )
    tree, text = branch("0", leaf[2])
    assert isinstance(tree, dict)
    assert refusal(_sealed({**tree, "x": 1}, text, field)) is ProofReason.SD_MALFORMED
    assert refusal(_sealed([], text, field)) is ProofReason.SD_MALFORMED
    assert (
        refusal(_sealed({"_sd": [digest(text)] * 2}, text, field)) is ProofReason.DIGEST_DUPLICATE
    )
    assert refusal(_sealed({"_sd": [1]}, text, field)) is ProofReason.SD_MALFORMED
    assert refusal(_sealed({"_sd": ["A" * 43] * 17}, text, field)) is ProofReason.SD_MALFORMED
    for _ in range(3):  # A fourth level.
        tree, above = branch("0", tree)
        text = f"{above}~{text}"
    assert refusal(_sealed(tree, text, field)) is ProofReason.SD_MALFORMED
    tree, text = branch("0", leaf[2])
    assert refusal(_sealed(tree, text, field, cert="x")) is ProofReason.CLAIM_UNKNOWN
