"""Files over the facade: inline, by an address that leads there once, shown and recognised."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import re
import sqlite3
import time
import urllib.error
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from connectors.facade import app
from connectors.facade.addresses import ADDRESSES_PER_ACCOUNT_MAX, Addresses
from connectors.facade.codes import FacadeRefusedError
from hub.proof.encoding import b64u
from hub.proof.faces.facts import ofd_facts, pdf_facts
from hub.proof.ofd.document import open_package
from hub.proof.reasons import Verdict
from hub.proof.reports.report import Kind as ProofKind
from hub.proof.run import Evidence
from hub.proof.trust import parse_trust
from hub.proof.verify import verify
from tests.chinese_font import needs_font
from tests.facade.conftest import CAUSE, OFD, FacadeProcess, Portal, document
from tests.facade.test_accounts import account
from tests.facade.test_facade import body_of, identifier_of
from tests.hub_process import HubProcess
from tests.simulator import LICENCE

pytestmark = pytest.mark.xdist_group("facade")

ME = "systems/window-1"
CHINA = timezone(timedelta(hours=8))


@pytest.fixture(autouse=True, scope="module")
def font() -> None:
    """Files are copies, and those are marked in Chinese."""
    needs_font()


@pytest.fixture(scope="module")
def identifiers(facade: FacadeProcess) -> dict[int, str]:
    """Of the licences that are asked for; 11 was revoked, so it is asked for by name only."""
    portal = Portal(facade)
    return {number: identifier_of(portal, number) for number in (1, 2, 3, 4)}


def content_of(answer: dict[str, Any]) -> bytes:
    assert answer["head"]["status"] == 0, answer["head"]
    assert answer["data"]["contentType"] == "base64"
    return b64decode(answer["data"]["content"], validate=True)


def is_copy(data: bytes, brought: bytes) -> bool:
    """Whether it is an annotated copy of what the department brought, for the cause of the call."""
    if brought == OFD:
        facts = ofd_facts(open_package(data))
    else:
        facts = pdf_facts(PdfFileReader(io.BytesIO(data)))
    digest = b64u(hashlib.sha256(brought).digest())
    return (
        facts is not None
        and facts.copy is not None
        and facts.copy.purpose == CAUSE["certificateCopyCause"]
        and facts.face == f"document {digest}"
        and brought[:400] not in data
    )


def taken(address: str, method: str = "GET") -> tuple[int, bytes, Any]:
    """HTTP status, body and headers of an address."""
    request = urllib.request.Request(address, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def reason_of(body: bytes) -> str:
    return str(json.loads(body)["head"]["reason"])


# -- File ------------------------------------------------------------------------------------------


def test_a_file_comes_inside_its_envelope_with_its_proof(
    portal: Portal, hub_process: HubProcess, identifiers: dict[int, str]
) -> None:
    """A copy for the cause that was named; who asked for which account is in the log, and verifies
    offline."""
    answer = portal.call("downloadFile", certIdentifier=identifiers[1], businessCode="B-2026-31")

    data = answer["data"]
    content = content_of(answer)
    assert is_copy(content, document(1))
    assert (data["mediaType"], data["size"]) == ("application/pdf", len(content))
    assert (data["annotated"], data["signatureChecked"]) == (True, False)
    assert answer["head"]["onBehalfOf"] == "accounts/portal"
    entry = body_of(answer)
    assert (entry["kind"], entry["caller"]) == ("document.fetched", ME)
    assert entry["data"]["act"].startswith("accounts/portal/causes/")
    assert (entry["data"]["matter"], entry["data"]["digest"]) == ("B-2026-31", data["digest"])
    proof = data["proof"]
    trust = parse_trust((hub_process.home / "trust.json").read_bytes())
    evidence = Evidence(now=int(time.time()), requests=(proof["request"],), system=ME)
    report = verify(json.dumps(proof["answer"]).encode(), ProofKind.DOCUMENT, trust, evidence)
    assert {step.verdict for step in report.steps} == {Verdict.VALID}


@pytest.mark.parametrize(("kind", "data"), [("ofd", OFD), ("PDF", document(2)), ("", OFD)])
def test_a_file_of_the_kind_asked_for_comes(
    portal: Portal, identifiers: dict[int, str], kind: str, data: bytes
) -> None:
    """The newest where nothing is said; two megabytes come as whole as two hundred bytes."""
    asked = {"certIdentifier": identifiers[2], **({"fileType": kind} if kind else {})}

    assert is_copy(content_of(portal.call("downloadFile", **asked)), data)
    assert is_copy(content_of(portal.call("/zzgx/zzxxxz", **asked)), data)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"certIdentifier": 4}, 10, "DOCUMENT_NOT_ON_FILE"),
        ({"certIdentifier": 1, "fileType": "png"}, 10, "DOCUMENT_NOT_ON_FILE"),
        ({"certIdentifier": 1, "fileType": "exe"}, 102, "FIELD_INVALID"),
        ({"certIdentifier": 1, "fileType": 7}, 102, "FIELD_INVALID"),
        ({"certIdentifier": "1.2.156.3005.2.X"}, 102, "FIELD_INVALID"),
        ({}, 12, "FIELD_MISSING"),
    ],
)
def test_what_is_no_file_is_said_to_be_none(
    portal: Portal,
    identifiers: dict[int, str],
    changes: dict[str, Any],
    status: int,
    reason: str,
) -> None:
    """Never an empty file that looks like one."""
    asked = {**changes}
    if isinstance(asked.get("certIdentifier"), int):
        asked["certIdentifier"] = identifiers[asked["certIdentifier"]]

    answer = portal.call("downloadFile", **asked)

    assert (answer["head"]["status"], answer["head"]["reason"]) == (status, reason)
    assert answer["head"]["message"] and answer["data"] == {}


def test_the_file_of_a_certificate_that_has_ended_does_not_come(
    portal: Portal, hub_process: HubProcess, facade: FacadeProcess
) -> None:
    """Its document is on file; its state is told instead, by file and by address."""
    (identifier,) = ended_identifiers(hub_process)

    by_file = portal.call("downloadFile", certIdentifier=identifier)
    address = portal.call("downloadUrl", certIdentifier=identifier)["data"]["content"]
    code, body, _ = taken(address)

    assert (by_file["head"]["status"], by_file["head"]["reason"]) == (21, "CERTIFICATE_REVOKED")
    assert (code, reason_of(body)) == (403, "CERTIFICATE_REVOKED")


def ended_identifiers(hub_process: HubProcess) -> list[str]:
    with sqlite3.connect(f"file:{hub_process.home}/data/hub.db?mode=ro", uri=True) as database:
        rows = database.execute(
            "SELECT identifier FROM registry_versions WHERE state = 'revoked'"
        ).fetchall()
    return [row[0] for row in rows]


def test_an_account_without_documents_gets_none(
    facade: FacadeProcess, identifiers: dict[int, str]
) -> None:
    """Although the system that signs for it may have them."""
    narrow = Portal(facade, "narrow")

    for operation in ("downloadFile", "downloadUrl"):
        answer = narrow.call(operation, certIdentifier=identifiers[1])
        assert (answer["head"]["status"], answer["head"]["reason"]) == (100, "DOCUMENT_NOT_ALLOWED")


# -- Address ---------------------------------------------------------------------------------------


def test_an_address_leads_to_the_file_once(
    portal: Portal, hub_process: HubProcess, identifiers: dict[int, str]
) -> None:
    """Bytes with their digest, a name and the entry of the log; then it is gone."""
    answer = portal.call("downloadUrl", certIdentifier=identifiers[3])
    data = answer["data"]

    assert "logEntry" not in answer["head"]
    code, body, headers = taken(data["content"])
    again = taken(data["content"])

    assert (data["contentType"], data["expiresIn"]) == ("http", 120)
    assert code == 200 and is_copy(body, document(3))
    assert headers["content-type"] == "application/pdf"
    assert headers["content-disposition"] == f'attachment; filename="{identifiers[3]}.pdf"'
    digest = b64encode(hashlib.sha256(body).digest()).decode()
    assert headers["repr-digest"] == f"sha-256=:{digest}:"
    assert int(headers["sealway-log-entry"]) > 0
    assert headers["cache-control"] == "no-store"
    assert (again[0], reason_of(again[1])) == (404, "ADDRESS_ENDED")


def test_asking_what_an_address_leads_to_does_not_use_it_up(
    portal: Portal, identifiers: dict[int, str]
) -> None:
    """A link preview looks with HEAD; whatever is not GET is told so."""
    address = portal.call("/zzdzxz", certIdentifier=identifiers[1])["data"]["content"]

    assert taken(address, "HEAD")[0] == 405
    assert taken(address, "POST")[0] == 405
    assert is_copy(taken(address)[1], document(1))


def test_a_guessed_address_leads_nowhere(facade: FacadeProcess) -> None:
    """As one that has ended."""
    code, body, _ = taken(f"http://127.0.0.1:{facade.port}/documents/{'A' * 43}")

    assert (code, reason_of(body)) == (404, "ADDRESS_ENDED")


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (timedelta(seconds=-5), "FIELD_INVALID"),
        ("tomorrow", "FIELD_INVALID"),
        (timedelta(seconds=40), "OK"),
        (timedelta(days=1), "OK"),
    ],
)
def test_an_address_lives_as_long_as_asked_within_the_limit(
    portal: Portal, identifiers: dict[int, str], end: Any, reason: str
) -> None:
    """A time that has passed is refused; one far away means the longest."""
    text = end
    if isinstance(end, timedelta):
        text = (datetime.now(CHINA) + end).strftime("%Y%m%d%H%M%S")

    answer = portal.call("downloadUrl", certIdentifier=identifiers[1], expiryTime=text)

    assert answer["head"]["reason"] == reason
    if reason == "OK":
        assert 30 < answer["data"]["expiresIn"] <= (40 if end < timedelta(hours=1) else 120)


def test_addresses_end_by_the_clock_belong_to_their_caller_and_are_bounded() -> None:
    """On a clock that the test moves."""
    now = [0.0]
    addresses, mine = Addresses(lambda: now[0]), account()
    first = addresses.make(mine, "127.0.0.1", {}, 10)
    for peer in ("127.0.0.2", ""):
        with pytest.raises(FacadeRefusedError):
            addresses.take(first, peer)
    promised = addresses.take(first, "127.0.0.1")
    with pytest.raises(FacadeRefusedError):
        addresses.take(first, "127.0.0.1")
    addresses.put_back(first, promised)
    now[0] = 10
    with pytest.raises(FacadeRefusedError) as ended:
        addresses.take(first, "127.0.0.1")
    oldest = addresses.make(mine, "127.0.0.1", {}, 10)
    for _ in range(ADDRESSES_PER_ACCOUNT_MAX):
        addresses.make(mine, "127.0.0.1", {}, 10)

    assert ended.value.reason == "ADDRESS_ENDED"
    with pytest.raises(FacadeRefusedError):
        addresses.take(oldest, "127.0.0.1")
    assert len(addresses._promised) == ADDRESSES_PER_ACCOUNT_MAX
    assert first not in repr(addresses)


async def test_a_document_that_is_read_too_slowly_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it held is let go, whether anything was sent or not."""
    monkeypatch.setattr(app, "DOCUMENT_S_MAX", 0.05)
    released: list[str] = []
    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}

    async def content() -> AsyncIterator[bytes]:
        yield b"x"

    async def never(*_: Any) -> Any:
        await asyncio.Event().wait()

    slow = app._Bounded(content(), "application/pdf", lambda: released.append("slow"))
    with pytest.raises(TimeoutError):
        await slow(scope, never, never)

    assert released == ["slow"]


# -- Verify file -----------------------------------------------------------------------------------


def shown(data: bytes, **more: Any) -> dict[str, Any]:
    """What a caller sends to have a file verified."""
    content = b64encode(data).decode()
    return {"certTypeCode": LICENCE, "contentType": "base64", "content": content, **more}


def test_a_file_on_file_is_recognised_and_another_is_not(
    portal: Portal, identifiers: dict[int, str]
) -> None:
    """0 for the very bytes of a certificate in force; what is not on file cannot be checked, and
    that its own seals were not looked at is said each time."""
    right = portal.call("verifyFile", **shown(document(1)))
    large = portal.call("/zzwjyz", **shown(OFD))
    ended = portal.call("verifyFile", **shown(document(11)))
    unknown = portal.call("verifyFile", **shown(document(1) + b"\n"))
    named = portal.call("verifyFile", **shown(document(1), certIdentifier=identifiers[1]))
    another = portal.call("verifyFile", **shown(document(1), certIdentifier=identifiers[2]))

    results = [one["data"]["result"] for one in (right, large, ended, unknown, named, another)]
    assert results == [0, 0, 913, 910, 0, 910]
    assert "签章未核验" in unknown["data"]["resultMessage"]
    assert right["data"]["signatureChecked"] is False
    assert body_of(right)["data"]["fields"] == ["@document"]
    digest = b64u(hashlib.sha256(document(1)).digest())
    assert digest not in json.dumps(body_of(right))


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"content": "no base64!"}, 102, "FIELD_INVALID"),
        ({"content": ""}, 12, "FIELD_MISSING"),
        ({"content": ["x"]}, 12, "FIELD_MISSING"),
        ({"contentType": "http"}, 102, "FIELD_INVALID"),
        ({"certTypeCode": "X"}, 113, "TYPE_CODE_INVALID"),
        ({"certTypeCode": LICENCE[:18] + "009"}, 100, "TYPE_NOT_ALLOWED"),
    ],
)
def test_what_cannot_be_verified_is_refused(
    portal: Portal, changes: dict[str, Any], status: int, reason: str
) -> None:
    """Which member, which rule."""
    answer = portal.call("verifyFile", **{**shown(b"%PDF-"), **changes})

    assert (answer["head"]["status"], answer["head"]["reason"]) == (status, reason)
    assert answer["data"] == {}


def test_a_file_beyond_the_limit_is_not_read(facade: FacadeProcess) -> None:
    """413, and the facade goes on serving."""
    status, answer = facade.post("/verifyFile", b" " * 13_500_000)

    assert (status, answer["head"]["reason"]) == (413, "MESSAGE_TOO_LARGE")
    assert facade.post("/downloadFile", b" " * 70_000)[0] == 413


# -- Codes -----------------------------------------------------------------------------------------


def test_the_code_of_a_certificate_leads_back_to_it(
    portal: Portal, identifiers: dict[int, str]
) -> None:
    """The data name the code for the face; scanned again it is verified against the seal."""
    (data,) = portal.call("queryCertInfo", certIdentifier=identifiers[1])["data"]["certData"]
    code = data["qrcode"]

    scanned = portal.call("queryCertInfoByQRcode", qrcode=code)

    assert re.fullmatch(r"SEALWAY:1:HUB\.TEST\.EXAMPLE:[0-9A-Z.]+:[0-9]+:[0-9]+", code)
    assert scanned["data"]["qrcodeVerified"] is True
    assert scanned["data"]["certData"][0]["certificateIdentifier"] == identifiers[1]


def test_a_code_that_somebody_made_up_is_found_out(
    portal: Portal, identifiers: dict[int, str]
) -> None:
    """The place of another certificate, another hub, another form; nothing of the data comes."""
    (data,) = portal.call("queryCertInfo", certIdentifier=identifiers[1])["data"]["certData"]
    code, _, place = data["qrcode"].rpartition(":")

    for text, reason in (
        (f"{code}:{int(place) + 1}", "QRCODE_DIFFERS"),
        (data["qrcode"].replace("HUB.TEST.EXAMPLE", "HUB.ELSEWHERE.EXAMPLE"), "FIELD_INVALID"),
        (f"{code}:", "FIELD_INVALID"),
        (data["qrcode"].replace(":1:", ":2:", 1), "FIELD_INVALID"),
    ):
        answer = portal.call("queryCertInfoByQRcode", qrcode=text)
        assert (answer["head"]["reason"], answer["data"]) == (reason, {}), text
