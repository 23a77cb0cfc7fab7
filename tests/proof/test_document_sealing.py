"""What a signer compares before it seals a face as a document: each difference is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from hub.domain.face import CopyTerms, FileKind
from hub.errors import HubError, Reason
from hub.proof.document_sealing import (
    DocumentOrder,
    check_document_order,
    check_facts,
    check_ofd_bytes,
)
from hub.proof.face_facts import CopyFacts, FaceFacts, read_facts
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.sealing import ApprovedIntent, StandingIntent
from hub.proof.ses import tbs_sign
from hub.proof.sm2 import sm3
from tests.ofd_sealing import PLACE, TIME, Office
from tests.proof import ofd_samples

NOW = int(TIME.timestamp())
USCC = "11330100002512346Y"
VCT = "https://hub.test.example/vct/11100000MB0143028R001"
FACE = "certificateTypes/x/faceTemplates/v001 digest"
TERMS = CopyTerms(
    "annotatedCopies/c1",
    "办理许可",
    "服务中心",
    "服务中心",
    NOW * 1_000_000,
    (NOW + 60) * 1_000_000,
)
COPY = CopyFacts("annotatedCopies/c1", "办理许可", "服务中心", NOW, NOW + 60)
ORDER = DocumentOrder(USCC, VCT, 1, "1.2.156.3005.2.X.Y.Z.001.O", FACE, TERMS)
ITEMS = {
    "ZZBS": ORDER.identifier,
    "SEALWAY_FACE": FACE,
    "SEALWAY_COPY": "annotatedCopies/c1",
    "SEALWAY_RECIPIENT": "服务中心",
    "JZJZZSJ": "20261127090203",
    "JZJZZZ": "服务中心",
    "JZJZZSY": "办理许可",
    "JZJYXQJZSJ": "20261127090303",
}


def approved(*documents: str) -> ApprovedIntent:
    intent = StandingIntent(
        origin="hub.test.example",
        region="330000",
        seal="authorities/a/seals/s",
        authority=USCC,
        vct=VCT,
        type_version=1,
        manifest=None,
        not_before=NOW - 10,
        not_after=NOW + 1000,
        uses_max=10,
        requester="officers/zhao",
        documents=documents or (FileKind.COPY.value,),
    )
    return ApprovedIntent("intents/i", intent, "digest", NOW + 1000)


def refused(act: Callable[[], None]) -> str:
    """The rule by which `act` is refused."""
    with pytest.raises(HubError) as caught:
        act()
    assert caught.value.reason is Reason.INTENT_NOT_APPROVED
    return str(caught.value.details["rule"])


def test_what_was_approved_passes() -> None:
    check_document_order(approved(), ORDER, now=NOW)
    check_facts(approved(), ORDER, FaceFacts(ORDER.identifier, FACE, COPY, {}))
    original = dataclasses.replace(ORDER, terms=None)
    check_document_order(approved("original"), original, now=NOW)
    check_facts(approved("original"), original, FaceFacts(ORDER.identifier, FACE, None, {}))


@pytest.mark.parametrize(
    ("order", "documents", "now", "rule"),
    [
        ({}, ("original",), NOW, "no file of the kind"),
        ({"terms": None}, ("annotated-copy",), NOW, "no file of the kind"),
        ({"authority_uscc": "x"}, (), NOW, "authority, type"),
        ({"vct": VCT + "x"}, (), NOW, "authority, type"),
        ({"type_version": 2}, (), NOW, "authority, type"),
        ({}, (), NOW + 60, "time is over"),
        ({}, (), NOW + 1000, "not in force"),
        ({}, (), NOW - 11, "not in force"),
    ],
)
def test_an_order_beyond_the_intent_is_refused(
    order: Mapping[str, Any], documents: tuple[str, ...], now: int, rule: str
) -> None:
    changed = dataclasses.replace(ORDER, **order)

    assert rule in refused(lambda: check_document_order(approved(*documents), changed, now=now))


@pytest.mark.parametrize(
    "facts",
    [
        None,
        FaceFacts("another", FACE, COPY, {}),
        FaceFacts(ORDER.identifier, "another template", COPY, {}),
        FaceFacts(ORDER.identifier, FACE, None, {}),
        *[
            FaceFacts(ORDER.identifier, FACE, dataclasses.replace(COPY, **change), {})
            for change in (
                {"name": "annotatedCopies/c2"},
                {"purpose": "其他"},
                {"recipient": "他人"},
                {"made": NOW - 1},
                {"expires": NOW + 61},
            )
        ],
    ],
)
def test_a_file_that_says_something_else_is_refused(facts: FaceFacts | None) -> None:
    assert refused(lambda: check_facts(approved(), ORDER, facts))


def test_a_copy_passes_for_no_original() -> None:
    original = dataclasses.replace(ORDER, terms=None)

    rule = refused(
        lambda: check_facts(approved(), original, FaceFacts(ORDER.identifier, FACE, COPY, {}))
    )

    assert "is a copy" in rule


def test_the_metadata_of_a_copy_is_read_whole() -> None:
    facts = read_facts(ITEMS)

    assert facts is not None
    assert (facts.identifier, facts.copy) == (ORDER.identifier, COPY)
    assert read_facts({"ZZBS": "x"}) is None


@pytest.mark.parametrize(
    "items",
    [
        *[{k: v for k, v in ITEMS.items() if k != name} for name in ("JZJZZSY", "JZJYXQJZSJ")],
        {k: v for k, v in ITEMS.items() if k not in {"JZJZZSY", "JZJZZSJ", "JZJYXQJZSJ"}},
        {**ITEMS, "JZJYXQJZSJ": "20261332000000"},
        {**ITEMS, "ZZBS": ""},
    ],
)
def test_a_copy_that_lacks_an_element_is_none(items: dict[str, str]) -> None:
    """Nor is it an original: it would be one without its expiry."""
    with pytest.raises(ProofError) as caught:
        read_facts(items)

    assert caught.value.reason is ProofReason.FACE_METADATA


def test_the_bytes_are_those_over_this_file_this_seal_and_this_moment() -> None:
    office = Office.open()
    prepared = office.sealer().prepare(ofd_samples.package(), [PLACE], TIME, closing=True)
    files, xml = (
        dict(prepared.files),
        prepared.value_file.replace("SignedValue.dat", "Signature.xml"),
    )

    def check(to_sign: bytes = prepared.to_sign, **changes: Any) -> None:
        given: dict[str, Any] = {
            "seal": office.seal,
            "files": files,
            "value_file": prepared.value_file,
            "now": NOW,
            **changes,
        }
        check_ofd_bytes(approved(), to_sign, **given)

    def signed(**changes: Any) -> bytes:
        given: dict[str, Any] = {
            "seal": office.seal,
            "sign_time": TIME,
            "data_hash": sm3(files[xml]),
            "protected": f"/{xml}",
            **changes,
        }
        return tbs_sign(**given)

    check()
    assert signed() == prepared.to_sign
    page = next(name for name in files if name.endswith("Content.xml"))
    for attempt, rule in (
        (lambda: check(signed(data_hash=sm3(b"other"))), "another file"),
        (lambda: check(signed(sign_time=TIME + timedelta(seconds=31))), "another time"),
        (lambda: check(now=NOW + 31), "another time"),
        (lambda: check(signed(seal=Office.open().seal)), "another seal"),
        (lambda: check(seal=Office.open().seal), "another seal"),
        (lambda: check(prepared.to_sign + b"\x00"), "no seal over this file"),
        (lambda: check(prepared.to_sign[:-1]), "no seal over this file"),
        (lambda: check(files={**files, page: files[page] + b" "}), "no seal over this file"),
        (lambda: check(files={**files, "Doc_0/extra.xml": b"<x/>"}), "no seal over this file"),
    ):
        assert rule in refused(attempt)
