"""The document of a certificate for a platform: granted by itself, on record, whole, and confirmed
to whoever shows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.identifier import CertificateIdentifier
from hub.domain.row import Op
from hub.proof.encoding import b64u_decode
from hub.proof.exchange.answer_receipt import AnsweredDocument, verify_document_receipt
from hub.proof.exchange.request import Holder, RequestedCertificate, sign_request
from hub.proof.reasons import ProofError, ProofReason
from hub.storage.statements import Statement
from tests.exchange.handed import RPC, digest_of, fetch, send
from tests.exchange.verifications import ask
from tests.registry.clerk import PDF, Clerk
from tests.simulator import (
    GRANTED,
    ITEM,
    LICENCE_VCT,
    PERMIT,
    PERMIT_VCT,
    Refused,
    Simulator,
    company,
    copy_home,
    licence,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

OFD = b"PK\x03\x04" + bytes(range(256)) * 500
COUNT = 4
FIRST = Statement(
    "the first document's blob", *["SELECT blob FROM registry_documents ORDER BY entry LIMIT 1"] * 2
)


def pdf(number: int) -> bytes:
    """The document of company `number`'s licence."""
    return PDF + b"%d" % number


@dataclass
class City:
    """A hub with licences that have documents; names of certificates by company."""

    hub: Simulator
    identifiers: dict[int, str]
    names: dict[int, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city_with_documents(
    city: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[City]:
    """1 and 2 have a PDF, 2 an OFD as well and 3 nothing; 4 was revoked. window-1 may have
    documents of licences, window-2 may have their fields."""
    home = copy_home(city, tmp_path_factory.mktemp("shared") / "home")
    async with Simulator(home) as hub:
        answer = await hub.connector().deliver([licence(one) for one in range(1, COUNT + 1)])
        found = City(
            hub,
            {one: row.identifier for one, row in enumerate(answer.results, 1)},
            {one: row.certificate for one, row in enumerate(answer.results, 1)},
        )
        clerk = Clerk(hub.system("hz-department"))
        for one in (1, 2, 4):
            await clerk.upload(found.names[one], [pdf(one)])
        await clerk.upload(found.names[2], [OFD], media_type="application/ofd")
        await hub.connector().deliver([licence(4, Op.REVOKE)])
        await hub.officer().grant("documents", "window-1", (*GRANTED, DOCUMENT_FIELD))
        await hub.officer().grant("fields", "window-2", GRANTED)
        yield found
        assert (await hub.audit()).findings == []


# ---- handing out ----


async def test_a_document_comes_with_a_receipt_over_its_bytes(city_with_documents: City) -> None:
    """One entry, which names state, purpose and digest, and who asked."""
    hub, size = city_with_documents.hub, city_with_documents.hub.size

    came = await fetch(hub.platform(), city_with_documents.identifiers[1])

    assert came.data == pdf(1)
    assert (came.header.media_type, came.header.size) == ("application/pdf", len(pdf(1)))
    (entry,) = await hub.entries(size)
    assert (entry["kind"], entry["caller"]) == ("document.fetched", "systems/window-1")
    said = entry["data"]
    assert said["cert"] == city_with_documents.identifiers[1]
    assert (said["state"], said["service_item"]) == ("active", ITEM)
    assert said["digest"] == digest_of(pdf(1))
    assert came.receipt.entry.outcome == "active"


async def test_of_several_documents_the_newest_or_the_kind_asked_for_comes(
    city_with_documents: City,
) -> None:
    """And of a kind that is not there the state alone."""
    platform, identifier = city_with_documents.hub.platform(), city_with_documents.identifiers[2]

    newest = await fetch(platform, identifier)
    older = await fetch(platform, identifier, media_type="application/pdf")
    none = await fetch(platform, identifier, media_type="image/png")

    assert (newest.data, newest.header.media_type) == (OFD, "application/ofd")
    assert older.data == pdf(2)
    assert (none.data, none.header.digest, none.receipt.entry.outcome) == (b"", "", "active")


@pytest.mark.parametrize(("number", "state"), [(3, "active"), (4, "revoked"), (0, "absent")])
async def test_what_has_no_document_or_is_not_in_force_comes_as_its_state(
    city_with_documents: City, number: int, state: str
) -> None:
    """Nothing of a certificate that has ended is shown, although its document is on file."""
    identifiers = city_with_documents.identifiers
    asked = identifiers[number] if number else _other(identifiers[1])

    came = await fetch(city_with_documents.hub.platform(), asked)

    assert (came.data, came.header.digest) == (b"", "")
    assert came.receipt.entry.outcome == state


def _other(identifier: str) -> str:
    """An identifier of the same form that nobody has."""
    one = CertificateIdentifier.parse(identifier)
    return str(CertificateIdentifier.make(one.type_code, one.issuer, "0" * 32, 1))


async def test_the_same_request_gives_the_same_receipt_and_the_bytes_again(
    city_with_documents: City,
) -> None:
    """One entry; at once or in turn. Under the id, another kind of document is another request."""
    hub, platform = city_with_documents.hub, city_with_documents.hub.platform()
    wanted = RequestedCertificate(
        LICENCE_VCT, (DOCUMENT_FIELD,), cert=city_with_documents.identifiers[2]
    )
    claims = await platform.claims(rpc=RPC, certificates=(wanted,))
    compact, size = sign_request(claims, platform.signer), hub.size

    first, second = await asyncio.gather(
        send(platform, compact, claims.jti), send(platform, compact, claims.jti)
    )
    third = await send(platform, compact, claims.jti)

    assert first.header == second.header == third.header
    assert first.data == second.data == third.data == OFD
    assert hub.size == size + 1
    with pytest.raises(Refused) as reused:
        await send(platform, compact, claims.jti, "application/pdf")
    assert reused.value.reason == "REQUEST_ID_REUSED"


# ---- refused ----


async def test_no_list_of_fields_allows_a_document(city_with_documents: City) -> None:
    """A document shows more than fields; its grant names it by itself, for this item."""
    hub, identifier = city_with_documents.hub, city_with_documents.identifiers[1]

    with pytest.raises(Refused) as fields_only:
        await fetch(hub.platform("window-2"), identifier)
    with pytest.raises(Refused) as other_item:
        await fetch(hub.platform(), identifier, service_item="999999999999")
    with pytest.raises(Refused) as other_type:
        wanted = RequestedCertificate(PERMIT_VCT, (DOCUMENT_FIELD,), cert=identifier)
        await fetch(hub.platform(), identifier, certificates=(wanted,))

    assert (fields_only.value.status, fields_only.value.reason) == (
        "PERMISSION_DENIED",
        "FIELD_NOT_GRANTED",
    )
    assert other_item.value.reason == other_type.value.reason == "GRANT_MISSING"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"fields": (DOCUMENT_FIELD, "name")}, "only field"),
        ({"fields": ("name",)}, "only field"),
        ({"holder": True}, "by the identifier"),
        ({"twice": True}, "only field"),
    ],
)
async def test_a_request_for_something_else_is_refused(
    city_with_documents: City, changes: dict[str, Any], rule: str
) -> None:
    """One certificate, by its identifier, and the document alone."""
    fields = changes.get("fields", (DOCUMENT_FIELD,))
    one = RequestedCertificate(LICENCE_VCT, fields, cert=city_with_documents.identifiers[1])
    if "holder" in changes:
        one = RequestedCertificate(LICENCE_VCT, fields, holder=Holder("001", company(1)))
    certificates = (one, one) if "twice" in changes else (one,)

    with pytest.raises(Refused) as refused:
        await fetch(city_with_documents.hub.platform(), "", certificates=certificates)

    assert (refused.value.status, refused.value.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert rule in refused.value.message


async def test_a_fetch_of_fields_never_names_the_document(city_with_documents: City) -> None:
    """However it is granted: fields and document have each their own method."""
    identifier = city_with_documents.identifiers[1]
    wanted = RequestedCertificate(LICENCE_VCT, ("name", DOCUMENT_FIELD), cert=identifier)

    with pytest.raises(Refused) as refused:
        await city_with_documents.hub.platform().fetch(wanted)

    assert refused.value.reason == "FIELD_INVALID"
    assert "FetchDocument" in refused.value.message


async def test_a_receipt_of_other_bytes_does_not_hold(city_with_documents: City) -> None:
    """Another document, another state, another question: each is found out."""
    hub, platform = city_with_documents.hub, city_with_documents.hub.platform()
    came = await fetch(platform, city_with_documents.identifiers[1])
    receipt, trust = came.header.receipt.json.encode(), hub.trust.log
    said = AnsweredDocument("active", "application/pdf", len(came.data), digest_of(came.data))
    requests = [came.receipt.request.compact]

    for other in (
        AnsweredDocument(said.state, said.media_type, said.size, digest_of(b"another")),
        AnsweredDocument(said.state, said.media_type, 1, said.digest),
        AnsweredDocument(said.state, "application/ofd", said.size, said.digest),
        AnsweredDocument("revoked"),
        AnsweredDocument("active"),
    ):
        with pytest.raises(ProofError) as differs:
            verify_document_receipt(receipt, requests, platform.name, other, trust)
        assert differs.value.reason is ProofReason.STATE_DIFFERS
    assert verify_document_receipt(receipt, requests, platform.name, said, trust).index > 0


async def test_damaged_bytes_break_off_and_the_store_may_come_back(
    city_with_documents: City,
) -> None:
    """DATA_LOSS, and no whole answer; with the right bytes the same request is answered."""
    hub, platform = city_with_documents.hub, city_with_documents.hub.platform()
    wanted = RequestedCertificate(
        LICENCE_VCT, (DOCUMENT_FIELD,), cert=city_with_documents.identifiers[1]
    )
    claims = await platform.claims(rpc=RPC, certificates=(wanted,))
    compact = sign_request(claims, platform.signer)
    (stored,) = await hub.hub.database.all(FIRST)
    name = b64u_decode(str(stored[0])).hex()
    blob = hub.home / "data" / "documents" / name[:2] / name
    whole = blob.read_bytes()
    blob.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        with pytest.raises(Refused) as broken:
            await send(platform, compact, claims.jti)
    finally:
        blob.write_bytes(whole)

    assert (broken.value.status, broken.value.reason) == ("DATA_LOSS", "DIGEST_MISMATCH")
    assert (await send(platform, compact, claims.jti)).data == pdf(1)


# ---- confirming ----


def about_document(
    data: bytes, *, identifier: str | None = None, vct: str = LICENCE_VCT
) -> dict[str, Any]:
    """The claims of a question whether `data` are a document on file."""
    wanted = RequestedCertificate(vct, (DOCUMENT_FIELD,), cert=identifier)
    return {"certificates": (wanted,), "values": {DOCUMENT_FIELD: digest_of(data)}}


async def test_a_document_on_file_is_confirmed_with_the_state_of_its_certificate(
    city_with_documents: City,
) -> None:
    """Shown alone it names its certificate; nobody needs to type an identifier."""
    platform = city_with_documents.hub.platform()

    results = [
        (await ask(platform, **about_document(data))).result
        for data in (pdf(1), OFD, pdf(4), pdf(1) + b"x")
    ]

    assert results == ["in_force", "in_force", "ended", "not_confirmed"]


async def test_a_document_of_one_certificate_is_not_confirmed_of_another(
    city_with_documents: City,
) -> None:
    """By identifier, together with fields, and by type."""
    hub, identifiers = city_with_documents.hub, city_with_documents.identifiers
    await hub.officer().grant("p-documents", "window-1", (DOCUMENT_FIELD,), type_code=PERMIT)
    platform = hub.platform()

    mine = await ask(platform, **about_document(pdf(1), identifier=identifiers[1]))
    others = await ask(platform, **about_document(pdf(1), identifier=identifiers[2]))
    other_type = await ask(platform, **about_document(pdf(1), vct=PERMIT_VCT))
    together = {"name": "杭州示例1有限公司", DOCUMENT_FIELD: digest_of(pdf(1))}
    wanted = RequestedCertificate(LICENCE_VCT, tuple(together), cert=identifiers[1])
    both = await ask(platform, certificates=(wanted,), values=together)
    wrong = {**together, "name": "杭州示例2有限公司"}
    one_wrong = await ask(platform, certificates=(wanted,), values=wrong)

    assert (mine.result, both.result) == ("in_force", "in_force")
    assert (others.result, other_type.result, one_wrong.result) == ("not_confirmed",) * 3


async def test_a_document_that_is_on_file_twice_is_not_told_apart(
    city_with_documents: City,
) -> None:
    """One scan attached to two certificates in force: more is needed to say which is meant."""
    hub = city_with_documents.hub
    answer = await hub.connector().deliver([licence(21), licence(22)])
    clerk = Clerk(hub.system("hz-department"))
    for row in answer.results:
        await clerk.upload(row.certificate, [PDF + b"twice"])

    heard = await ask(hub.platform(), **about_document(PDF + b"twice"))
    named = about_document(PDF + b"twice", identifier=answer.results[0].identifier)

    assert heard.result == "insufficient"
    assert (await ask(hub.platform(), **named)).result == "in_force"


@pytest.mark.parametrize(
    ("certificates", "values", "reason"),
    [
        (RequestedCertificate(LICENCE_VCT, ("name",)), {"name": "x"}, "REQUEST_INVALID"),
        (
            RequestedCertificate(LICENCE_VCT, (DOCUMENT_FIELD, "name")),
            {DOCUMENT_FIELD: "A" * 43, "name": "x"},
            "REQUEST_INVALID",
        ),
        (
            RequestedCertificate(LICENCE_VCT, (DOCUMENT_FIELD,)),
            {DOCUMENT_FIELD: "no digest"},
            "FIELD_INVALID",
        ),
    ],
)
async def test_only_a_document_alone_may_name_no_certificate(
    city_with_documents: City,
    certificates: RequestedCertificate,
    values: dict[str, Any],
    reason: str,
) -> None:
    """A name alone would search the whole register, and a digest has its form."""
    with pytest.raises(Refused) as refused:
        await ask(city_with_documents.hub.platform(), certificates=(certificates,), values=values)

    assert (refused.value.status, refused.value.reason) == ("INVALID_ARGUMENT", reason)


async def test_a_fetch_always_names_its_certificate(city_with_documents: City) -> None:
    """The form without a name is for confirming only."""
    wanted = RequestedCertificate(LICENCE_VCT, (DOCUMENT_FIELD,))

    with pytest.raises(Refused) as refused:
        await fetch(city_with_documents.hub.platform(), "", certificates=(wanted,))

    assert refused.value.reason == "REQUEST_INVALID"
    assert refused.value.details["rule"] == "CERTIFICATES_SHAPE"
