"""The documents tell the truth: codes, limits and examples are those of the code, links resolve."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from connectors.normalise.dates import DateForm
from hub.cli.main import command_line
from hub.domain.certificate import State
from hub.domain.certificate_type import FieldType, Kind, Sharing, from_json
from hub.domain.document import Level
from hub.domain.holder import HOLDER_TYPES
from hub.domain.row import ROW_BYTES_MAX, Op, emit_row, parse_row
from hub.domain.rules import RULES
from hub.domain.service_item import ITEM_BYTES_MAX, Role
from hub.domain.service_item import from_json as item_from_json
from hub.domain.service_item import to_json as item_to_json
from hub.domain.strict_json import emit, parse_object
from hub.proof import jose
from hub.proof.encoding import Json, b64u, b64u_decode, digest, parse_json
from hub.proof.exchange import batch, plan_request, request, token
from hub.proof.faces.code import FACE_CODE_SIZE_MAX
from hub.proof.log import note, receipt
from hub.proof.log.receipt import Grade
from hub.proof.officers import approval
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofReason
from hub.proof.records import sd_jwt, status_list
from hub.proof.records.disclosure import DISCLOSURES_MAX
from hub.proof.records.sd_jwt import Custody
from hub.proof.trust import TRUST_BYTES_MAX, parse_trust
from hub.seal.faces.template import PAGE_MAX_MM, TEMPLATE_BYTES_MAX, parse_template
from hub.seal.faces.writing import Way
from hub.seal.picture_file import PICTURE_BYTES_MAX, PIXELS_MAX, SIDE_PIXELS_MAX

ROOT = Path(__file__).resolve().parent.parent
FORMATS = ROOT / "docs" / "formats"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FORMATS.glob("*.md"))}
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TYPES = [
    jose.ACCESS_TYP,
    jose.REQUEST_TYP,
    jose.SEAL_TYP,
    jose.STATUS_TYP,
    jose.BATCH_ROOT_TYP,
    jose.APPROVAL_TYP,
    jose.FACE_TYP,
]
JOSE: dict[str, Any] = json.loads((ROOT / "tests/golden/jose.json").read_bytes())
LEDGER: dict[str, Any] = json.loads((ROOT / "tests/golden/ledger.json").read_bytes())

_BLOCK = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_NAMED = re.compile(r"docs/[\w./-]+\.md")


def examples(page: str) -> list[str]:
    """The complete JSON examples of a page."""
    return _BLOCK.findall(PAGES[page])


def intent_digest() -> str:
    """I of the golden intent, computed without the product."""
    intent = b"sealway/intent/v1\x00" + JOSE["approval"]["intent"].encode()
    return base64.urlsafe_b64encode(hashlib.sha256(intent).digest()).rstrip(b"=").decode()


# -- Codes, names, limits --------------------------------------------------------------------------


@pytest.mark.parametrize("reason", list(ProofReason))
def test_a_reason_is_listed_with_its_texts_and_a_page_that_explains_it(reason: ProofReason) -> None:
    """Whoever meets a code finds what it means in both languages, and in which step it arises."""
    lines = [line for line in PAGES["reasons"].splitlines() if line.startswith(f"| `{reason}` |")]
    assert len(lines) == 1
    _, code, en, zh, pages, _ = [cell.strip() for cell in lines[0].split("|")]

    assert (code, en, zh) == (f"`{reason}`", TEXTS[reason].en, TEXTS[reason].zh)
    linked = _LINK.findall(pages)
    assert linked
    assert all(f"`{reason}`" in PAGES[page.removesuffix(".md")] for page in linked)


def test_the_list_of_reasons_holds_no_code_that_nothing_raises() -> None:
    """A code that was removed from the product goes from the page as well."""
    listed = re.findall(r"^\| `([A-Z0-9_]+)` \|", PAGES["reasons"], re.MULTILINE)

    assert set(listed) == {reason.value for reason in ProofReason}


@pytest.mark.parametrize("typ", TYPES)
def test_a_signed_format_is_indexed_and_has_its_page(typ: str) -> None:
    """Index and the format's own page both name the exact `typ`."""
    holders = [page for page, text in PAGES.items() if f"`typ: {typ}`" in text]

    assert f"`{typ}`" in PAGES["README"]
    assert len(holders) == 1


@pytest.mark.parametrize("rule", list(RULES))
def test_a_rule_of_rows_types_and_identifiers_is_named(rule: str) -> None:
    """A quarantine report's rule can be looked up."""
    assert any(f"`{rule}`" in text for text in PAGES.values())


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("row", [*Op, *HOLDER_TYPES, *(f"date.{form}" for form in DateForm)]),
        ("certificate-type", [*FieldType, *Kind, *Sharing, *Level]),
        ("service-item", [*Role, *Level]),
        ("face-template", list(Way)),
        ("record-seal", list(Custody)),
        ("receipt", [*Grade, *State]),
    ],
)
def test_a_page_explains_every_value_of_its_choices(page: str, names: list[str]) -> None:
    """No value of an enumeration is known to the code alone."""
    assert [name for name in names if f"`{name}`" not in PAGES[page]] == []


@pytest.mark.parametrize(
    ("page", "limit"),
    [
        ("qr-code", FACE_CODE_SIZE_MAX),
        ("access-token", token.TOKEN_SIZE_MAX),
        ("access-token", token.TOKEN_LIFE_MAX_S),
        ("request", request.REQUEST_SIZE_MAX),
        ("request", request.REQUEST_LIFE_MAX_S),
        ("request", request.CERTIFICATES_MAX),
        ("request", request.FIELDS_MAX),
        ("request", plan_request.ITEMS_MAX),
        ("request", plan_request.HOLDERS_MAX),
        ("request", plan_request.FACTS_MAX),
        ("request", plan_request.TEXT_LENGTH_MAX),
        ("record-seal", sd_jwt.PRESENTATION_SIZE_MAX),
        ("record-seal", sd_jwt.SD_MAX),
        ("record-seal", DISCLOSURES_MAX),
        ("status-list", status_list.TOKEN_SIZE_MAX),
        ("status-list", status_list.LIST_BYTES_MIN),
        ("status-list", status_list.TOKEN_LIFE_MAX_S),
        ("batch", batch.ROOT_SIZE_MAX),
        ("batch", batch.LEAVES_MAX),
        ("batch", batch.INGEST_LEAVES_MAX),
        ("intent-and-approval", approval.APPROVAL_SIZE_MAX),
        ("ledger", receipt.BODY_BYTES_MAX),
        ("ledger", note.NOTE_BYTES_MAX),
        ("ledger", note.SIGNATURE_LINES_MAX),
        ("receipt", receipt.RECEIPT_BYTES_MAX),
        ("receipt", receipt.TIME_WINDOW_US),
        ("trust-file", TRUST_BYTES_MAX),
        ("row", ROW_BYTES_MAX),
        ("service-item", ITEM_BYTES_MAX),
        ("face-template", TEMPLATE_BYTES_MAX),
        ("face-template", int(PAGE_MAX_MM)),
        ("face-template", PICTURE_BYTES_MAX),
        ("face-template", SIDE_PIXELS_MAX),
        ("face-template", PIXELS_MAX),
        ("README", jose.SKEW_S),
    ],
)
def test_a_limit_on_a_page_is_the_one_enforced(page: str, limit: int) -> None:
    """The number of the code stands on the page, written with thousands separators."""
    assert re.search(rf"(?<!\d)(?<!\d,){limit:,}(?!,?\d)", PAGES[page])


# -- Examples --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", list(PAGES))
def test_a_complete_example_is_strict_json(page: str) -> None:
    """What is marked as complete parses under the rules that the pages state."""
    for block in examples(page):
        parse_json(block.encode())


@pytest.mark.parametrize(
    ("page", "number", "claims"),
    [
        ("jws", 0, JOSE["requests"][0]["header"]),
        ("access-token", 0, JOSE["tokens"][0]["claims"]),
        ("request", 0, JOSE["requests"][0]["claims"]),
        ("request", 1, JOSE["requests"][1]["claims"]["certificates"][0]),
        ("status-list", 0, JOSE["status"]["claims"]),
        ("batch", 0, JOSE["batch"]["claims"]),
        ("intent-and-approval", 0, json.loads(JOSE["approval"]["intent"])),
        ("intent-and-approval", 1, JOSE["approval"]["claims"]),
        ("ledger", 0, json.loads(b64u_decode(LEDGER["entries"][3]["body"]))),
    ],
)
def test_an_example_is_the_golden_vector(page: str, number: int, claims: Json) -> None:
    """Members, values and their order are those of a text that the tests verify."""
    shown = json.loads(examples(page)[number])

    assert json.dumps(shown) == json.dumps(claims)


def test_the_row_on_its_page_is_exactly_what_we_write_and_gives_the_leaf_shown() -> None:
    """Byte for byte, so that another implementation can compare its leaf."""
    data = examples("row")[0].rstrip("\n").encode()

    assert emit_row(parse_row(data)) == data
    assert b64u(batch.row_leaf(bytes(range(32)), data)) in PAGES["row"]


def test_the_type_on_its_page_is_accepted() -> None:
    """The short type is a whole one."""
    assert from_json(examples("certificate-type")[0].encode()).code == "11100000MB0143028R001"


def test_the_face_template_on_its_page_is_accepted() -> None:
    """The short template is a whole one."""
    assert parse_template(examples("face-template")[0].encode()).title == "营业执照"


def test_the_item_on_its_page_is_accepted_and_is_its_own_text() -> None:
    """Member for member what the hub writes."""
    shown = examples("service-item")[0].encode()

    assert item_to_json(item_from_json(shown)) == emit(parse_object(shown))


def test_the_trust_file_on_its_page_is_accepted() -> None:
    """It pins the log key of the vectors."""
    trust = parse_trust(examples("trust-file")[0].encode())

    assert trust.log_keys == (LEDGER["keys"]["log"]["vkey"],)


def test_the_disclosure_on_its_page_has_the_text_and_digest_shown() -> None:
    """JSON, text and digest belong together."""
    elements = json.loads(examples("record-seal")[0])
    golden = JOSE["record_seal"]["disclosures"]["name"]

    assert elements == [golden["salt"], "name", golden["value"]]
    assert golden["disclosure"] in PAGES["record-seal"]
    assert digest(golden["disclosure"]) in PAGES["record-seal"]


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("access-token", lambda: digest(JOSE["tokens"][0]["compact"])),
        ("request", lambda: digest(JOSE["requests"][0]["compact"])),
        ("record-seal", lambda: digest(JOSE["presentations"][0]["text"])),
        ("record-seal", lambda: digest(JOSE["presentations"][1]["text"])),
        ("batch", lambda: digest(JOSE["batch"]["compact"].rpartition(".")[0])),
        ("batch", lambda: JOSE["batch"]["rows"][1]["proof"]["path"][2]),
        ("intent-and-approval", intent_digest),
        ("ledger", lambda: LEDGER["entries"][3]["leaf_hex"]),
        ("ledger", lambda: b64u_decode(LEDGER["trees"][3]["root"]).hex()),
        ("ledger", lambda: LEDGER["keys"]["log"]["vkey"]),
        ("ledger", lambda: LEDGER["proof_texts"][1]["proof_text"]),
        ("receipt", lambda: LEDGER["entries"][3]["salt"]),
    ],
)
def test_a_value_shown_is_recomputed_or_that_of_the_vectors(
    page: str, shown: Callable[[], str]
) -> None:
    """No figure on a page was typed by hand."""
    assert shown() in PAGES[page]


# -- Links -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_between_documents_resolves(document: Path) -> None:
    """Every relative link of a document leads to a file or folder of the project."""
    prose = _FENCED.sub("", document.read_text(encoding="utf-8"))
    targets = [link.partition("#")[0] for link in _LINK.findall(prose) if "://" not in link]

    missing = [target for target in targets if not (document.parent / target).exists()]

    assert missing == []


def test_an_example_that_a_page_names_can_be_run() -> None:
    """Readers are sent to programs that are there."""
    named = {name for text in PAGES.values() for name in re.findall(r"-m examples\.(\w+)", text)}

    assert named == {"make_a_row_batch", "verify_receipt_offline"}
    assert all((ROOT / "examples" / f"{name}.py").is_file() for name in named)


_COMMANDS = [
    pytest.param(line, id=f"{document.name}: {line[:40]}")
    for document in DOCUMENTS
    for block in _FENCED.findall(document.read_text(encoding="utf-8"))
    for line in re.findall(r"(?m)^sealway .+$", block.replace("\\\n", " "))
]


@functools.cache
def _sealway() -> Any:
    """The command line; making it takes longer than a test."""
    return typer.main.get_command(command_line())


@pytest.mark.parametrize("line", _COMMANDS)
def test_a_command_that_a_page_shows_can_be_typed(line: str) -> None:
    """Command and options are there; what a command does is tested where it is built."""
    words = shlex.split(line, comments=True)[1:]
    command = _sealway()
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    known = {option for one in command.params for option in one.opts}

    assert not hasattr(command, "commands"), "a group alone does nothing"
    assert [word for word in words if word.startswith("--") and word not in known] == []


def test_a_page_that_the_code_names_exists() -> None:
    """Comments of the API and of the code send readers to pages that are there."""
    sources = [
        path
        for folder in ("proto", "hub", "connectors", "certs", "examples")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".proto", ".py")
    ]

    named = {name for path in sources for name in _NAMED.findall(path.read_text(encoding="utf-8"))}

    assert {"docs/formats/receipt.md", "docs/formats/row.md", "docs/access.md"} <= named
    assert sorted(name for name in named if not (ROOT / name).is_file()) == []
