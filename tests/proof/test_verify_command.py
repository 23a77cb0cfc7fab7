"""`sealway verify` over every vector and over whole answers: exit code and reason of the report."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from hub.cli.report_text import printable
from hub.cli.verify import VerifyCommand, verify_command
from hub.proof.encoding import b64u, digest
from hub.proof.jose import public_key_from_jwk
from hub.proof.log import merkle, note
from hub.proof.log.receipt import entry_leaf, make_receipt, proof_text
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.recognise import recognise
from hub.proof.records.status_list import Status, StatusClaims, StatusList, sign_status_list
from hub.proof.reports.report import (
    FACT_TEXTS,
    REMARK_TEXTS,
    STEP_TEXTS,
    FactName,
    Remark,
    StepName,
)
from hub.proof.run import Evidence
from hub.proof.trust import Trust, parse_trust, trust_file
from hub.proof.verify import verify
from tests.proof.jose_vectors import NOW, ORIGIN, REGION, VECTORS, signer
from tests.proof.seals import golden_seal
from tests.proof.vectors import LEDGER, leaves, receipt_cases

EXIT = {"valid": 0, "invalid": 1, "cannot check": 2}
RECEIPTS = {case["name"]: case for case in receipt_cases()}
PRESENTATIONS = {case["name"]: case for case in VECTORS["presentations"]}
REFUSED = {case["name"]: case for case in VECTORS["negative"] if case["check"] == "presentation"}
# These four need what the command has not: another reference, or a memory of tokens seen.
STATUS_REFUSED = {
    case["name"]: case
    for case in VECTORS["negative"]
    if case["check"] == "status"
    and case["name"] != "list of another URI"
    and not ({"ref", "highest_iat"} & case.get("given", {}).keys())
    and case["reason"] != "TYP_WRONG"
}
LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG_VKEY = note.VerifierKey(ORIGIN, note.KeyType.LOG, LOG_KEY.public_key().public_bytes_raw())
REQUEST = VECTORS["requests"][0]["compact"]
RECORD_CERT = VECTORS["record_seal"]["claims"]["cert"]
VCT = VECTORS["record_seal"]["claims"]["vct"]
TWO_FIELDS = PRESENTATIONS["two fields, by identifier"]["text"]

Save = Callable[[str, str | bytes], str]

app = typer.Typer(add_completion=False)
app.command(cls=VerifyCommand)(verify_command)


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write a file and return its path."""

    def write(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def report(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = run(*arguments, "--json")
    return result.exit_code, json.loads(result.stdout)


def fact(document: dict[str, Any], name: str) -> Any:
    return next(item["value"] for item in document["facts"] if item["name"] == name)


def ledger_trust(trust: dict[str, Any]) -> bytes:
    return trust_file(
        Trust(
            origin=trust["origin"],
            region="330100",
            log_keys=tuple(trust["log_keys"]),
            witness_keys=tuple(trust["witnesses"]),
            witnesses_min=trust["k"],
        )
    )


def hub_trust(*, anchors: bool = True, status_keys: bool = True) -> bytes:
    """The trust file of the hub in the JOSE vectors, with a log key of our own."""
    roots = [
        x509.load_der_x509_certificate(base64.b64decode(item)) for item in VECTORS["trust_anchors"]
    ]
    key = public_key_from_jwk(VECTORS["keys"]["status"]["jwk"])
    return trust_file(
        Trust(
            origin=ORIGIN,
            region=REGION,
            log_keys=(LOG_VKEY.text(),),
            seal_anchors=tuple(roots) if anchors else (),
            status_keys=(key,) if status_keys else (),
        )
    )


def request_for(expect: dict[str, Any]) -> str:
    """A request that asks for what a vector expects; only its claims are read."""
    asked = {name: expect[name] for name in ("cert", "holder", "vct", "fields") if name in expect}
    if "cert" in asked and "holder" in asked:
        del asked["cert"]
    claims = {"iss": "systems/a", "jti": "1", "iat": NOW, "certificates": [asked]}
    return f"e30.{b64u(json.dumps(claims).encode())}.c2ln"


def status_token(status: Status) -> str:
    """A current list in which the record of the vectors has `status`."""
    reference = VECTORS["status"]["reference"]
    entries = StatusList()
    entries.set(reference["idx"], status)
    claims = StatusClaims(ORIGIN, reference["uri"], ORIGIN, REGION, NOW - 10, NOW + 200, 60)
    return sign_status_list(claims, entries.compress(), signer("status"))


# -- The vectors of the ledger ---------------------------------------------------------------------


@pytest.mark.parametrize("name", RECEIPTS)
def test_each_receipt_vector_ends_with_its_verdict_and_reason(name: str, save: Save) -> None:
    """Exit code and reason of the command are those of the vectors, and so are grade and head."""
    case = RECEIPTS[name]
    known, expected = case["known"], case["expected"]
    requests = [save(f"request-{i}", text + "\n") for i, text in enumerate(known["requests"])]

    code, document = report(
        save("receipt.json", case["receipt"]),
        *("--trust", save("trust.json", ledger_trust(known["trust"]))),
        *(item for path in requests for item in ("--request", path)),
        *("--answer", save("answer.json", json.dumps({"certificates": known["answer"]}))),
        *("--as", known["me"]),
    )

    assert (code, document["verdict"]) == (EXIT[expected["verdict"]], expected["verdict"])
    assert document["reason"] == expected.get("reason")
    if code == 0:
        found = [fact(document, item) for item in ("grade", "index", "size", "root")]
        assert found == [expected[item] for item in ("grade", "index", "size", "root")]


@pytest.mark.parametrize(
    ("left_out", "reason"),
    [("--request", "NO_REQUEST"), ("--answer", "NO_ANSWER"), ("--trust", "NO_TRUST")],
)
def test_a_receipt_without_an_input_cannot_be_checked(
    left_out: str, reason: str, save: Save
) -> None:
    """What was not compared is never called valid; the report says what to supply."""
    known = RECEIPTS["receipt-5"]["known"]
    given = {
        "--trust": save("trust.json", ledger_trust(known["trust"])),
        "--request": save("request", known["requests"][0]),
        "--answer": save("answer.json", json.dumps({"certificates": known["answer"]})),
    }
    del given[left_out]

    code, document = report(
        save("receipt.json", RECEIPTS["receipt-5"]["receipt"]),
        *(part for item in given.items() for part in item),
    )

    assert (code, document["reason"]) == (2, reason)


@pytest.mark.parametrize(
    "case", LEDGER["checkpoints"], ids=lambda case: f"{case['size']}-{'cosigned' in case}"
)
def test_each_checkpoint_vector_is_valid(case: dict[str, Any], save: Save) -> None:
    """Every checkpoint of the vectors opens, with its size and its witnesses."""
    trust = save("trust.json", ledger_trust(RECEIPTS["receipt-5"]["known"]["trust"]))

    code, document = report(save("checkpoint", case["note_text"]), "--trust", trust)

    assert (code, fact(document, "size")) == (0, case["size"])
    assert fact(document, "witnesses") == (["witness.example/w1"] if "cosigned" in case else [])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace("\n5\n", "\n6\n"), "NOTE_SIGNATURE"),
        (lambda text: text.replace("hub.example", "hub.other"), "ORIGIN_WRONG"),
        (lambda text: text.rstrip("\n"), "NOTE_MALFORMED"),
        (lambda text: text.replace("\u2014 ", "- "), "NOTE_MALFORMED"),
        (lambda text: text.replace("\n", "\r\n"), "NOTE_MALFORMED"),
        (lambda text: text.replace("\u2014 hub.example/sealway", "\u2014 x"), "NOTE_NOT_SIGNED"),
    ],
)
def test_an_altered_checkpoint_is_invalid(
    change: Callable[[str], str], reason: str, save: Save
) -> None:
    """Size, origin, signature line or line ends altered: exit code 1 with the exact reason."""
    text = next(item["note_text"] for item in LEDGER["checkpoints"] if item["size"] == 5)
    trust = save("trust.json", ledger_trust(RECEIPTS["receipt-5"]["known"]["trust"]))

    code, document = report(save("checkpoint", change(text)), "--trust", trust)

    assert (code, document["reason"]) == (1, reason)


# -- The vectors of record seals and status lists --------------------------------------------------


@pytest.mark.parametrize("name", PRESENTATIONS)
def test_each_presentation_vector_is_valid_with_its_status(name: str, save: Save) -> None:
    """Against its request and a current status list, every presentation is valid."""
    case = PRESENTATIONS[name]

    code, document = report(
        save("presentation", case["text"]),
        *("--trust", save("trust.json", hub_trust())),
        *("--request", save("request", request_for(case["expect"]))),
        *("--status", save("status", VECTORS["status"]["compact"])),
        *("--at", str(NOW)),
    )

    assert (code, document["verdict"]) == (0, "valid")
    assert fact(document, "custody") == "department"
    assert fact(document, "fields") == sorted(case["expect"]["fields"])
    assert "NOT_AN_EXCHANGE" in [item["remark"] for item in document["remarks"]]


@pytest.mark.parametrize("name", REFUSED)
def test_each_refused_presentation_vector_is_invalid_for_its_reason(name: str, save: Save) -> None:
    """The command refuses what the vectors refuse, with the same reason."""
    case = REFUSED[name]

    code, document = report(
        save("presentation", case["input"]),
        *("--trust", save("trust.json", hub_trust())),
        *("--request", save("request", request_for(case["expect"]))),
        *("--status", save("status", VECTORS["status"]["compact"])),
        *("--at", str(NOW)),
    )

    assert (code, document["reason"]) == (1, case["reason"])


def test_the_status_list_vector_is_valid(save: Save) -> None:
    """The token of the vectors is authentic and fresh, with its number of places."""
    code, document = report(
        save("status", VECTORS["status"]["compact"]),
        *("--trust", save("trust.json", hub_trust())),
        *("--at", "2026-01-01T10:00:00+08:00"),
    )

    assert (code, fact(document, "entries")) == (0, VECTORS["status"]["entries"])


@pytest.mark.parametrize("name", STATUS_REFUSED)
def test_each_refused_status_vector_cannot_be_checked_for_its_reason(name: str, save: Save) -> None:
    """A status list that fails says nothing: *cannot check* with the reason of the vectors."""
    case = STATUS_REFUSED[name]

    code, document = report(
        save("status", case["input"]),
        *("--trust", save("trust.json", hub_trust())),
        *("--at", str(case.get("given", {}).get("now", NOW))),
    )

    assert (code, document["reason"]) == (2, case["reason"])


@pytest.mark.parametrize("name", ["list of another URI", "request as status list"])
def test_a_wrong_status_token_leaves_a_record_unchecked(name: str, save: Save) -> None:
    """Another list or another kind of token is no status of this record."""
    case = next(item for item in VECTORS["negative"] if item["name"] == name)

    code, document = report(
        save("presentation", TWO_FIELDS),
        *("--trust", save("trust.json", hub_trust())),
        *("--status", save("status", case["input"])),
        *("--at", str(NOW)),
    )

    assert (code, document["reason"]) == (2, case["reason"])


def test_a_status_list_needs_a_pinned_key(save: Save) -> None:
    """Without a status key in the trust file a token proves nothing."""
    code, document = report(
        save("status", VECTORS["status"]["compact"]),
        *("--trust", save("trust.json", hub_trust(status_keys=False))),
        *("--at", str(NOW)),
    )

    assert (code, document["reason"]) == (2, "NO_STATUS_KEY")


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (Status.VALID, 0, None),
        (Status.INVALID, 1, "STATUS_REVOKED"),
        (Status.SUSPENDED, 1, "STATUS_SUSPENDED"),
        (None, 2, "NO_STATUS"),
    ],
)
def test_the_status_decides_about_a_genuine_seal(
    status: Status | None, code: int, reason: str | None, save: Save
) -> None:
    """In force: valid. Revoked or suspended: invalid. Not supplied: cannot check, and said so."""
    given = () if status is None else ("--status", save("status", status_token(status)))

    found, document = report(
        save("presentation", TWO_FIELDS + "\n"),
        *("--trust", save("trust.json", hub_trust()), "--at", str(NOW), *given),
    )

    remarks = [item["remark"] for item in document["remarks"]]
    assert (found, document["reason"]) == (code, reason)
    assert ("STATUS_NOT_CHECKED" in remarks) is (status is None)


@pytest.mark.parametrize("suffix", ["", "~"])
def test_a_seal_alone_is_a_record_seal(suffix: str, save: Save) -> None:
    """The sealed record without any disclosure verifies, and the report says that it is bare."""
    code, document = report(
        save("record", VECTORS["record_seal"]["compact"].split("~")[0] + suffix),
        *("--trust", save("trust.json", hub_trust()), "--at", str(NOW)),
        *("--status", save("status", status_token(Status.VALID))),
    )

    assert (code, document["kind"], fact(document, "fields")) == (0, "record seal", [])
    assert [item["remark"] for item in document["remarks"]] == ["NO_FIELDS"]


@pytest.mark.parametrize(("anchors", "reason"), [(False, "NO_SEAL_ANCHOR"), (None, "NO_TRUST")])
def test_without_an_anchor_a_seal_is_never_valid(
    anchors: bool | None, reason: str, save: Save
) -> None:
    """No anchor, or no trust file: *cannot check*, with the custody shown as unverified."""
    trust = () if anchors is None else ("--trust", save("trust.json", hub_trust(anchors=False)))

    code, document = report(save("presentation", TWO_FIELDS), *trust, "--at", str(NOW))

    assert (code, document["reason"]) == (2, reason)
    assert fact(document, "custody") == "unverified"


# -- Whole answers ---------------------------------------------------------------------------------


def saved_answer(
    presentation: str | None = TWO_FIELDS,
    *,
    logged: dict[str, Any] | None = None,
    request: str = REQUEST,
    shown: str | None = None,
) -> dict[str, Any]:
    """An answer as it is saved, with a receipt from a log of our own.

    `presentation` is what was logged; `shown` is what the answer then carries instead.
    """
    claims = json.loads(base64.urlsafe_b64decode(request.split(".")[1] + "=="))
    entry = {"cert": RECORD_CERT, "version": 1, "vct": VCT, "state": "active", "fields": []}
    if presentation is not None:
        entry["sd_hash"] = digest(presentation)
    body = json.dumps(
        {
            "v": 1,
            "kind": "fetch",
            "origin": ORIGIN,
            "region": REGION,
            "time_us": claims["iat"] * 1_000_000,
            "request_id": claims["jti"],
            "caller": claims["iss"],
            "request_digest": digest(request),
            "outcome": "answered",
            "certificates": [entry | (logged or {})],
        }
    ).encode()
    shown = shown or presentation
    return {
        "request_id": claims["jti"],
        "certificates": [{"state": "active"} | ({} if shown is None else {"presentation": shown})],
        "receipt": receipt_of(body),
    }


def receipt_of(body: bytes) -> dict[str, Any]:
    """The receipt of an entry in a log of our own."""
    tree = [*leaves()[:4], entry_leaf(bytes(32), body)]
    head = note.sign_checkpoint(ORIGIN, 5, merkle.root(tree), LOG_KEY)
    proof = proof_text(4, merkle.inclusion_path(tree, 4), head)
    receipt: dict[str, Any] = json.loads(make_receipt(body, bytes(32), proof, []))
    return receipt


def verify_answer(save: Save, answer: dict[str, Any], *more: str) -> tuple[int, dict[str, Any]]:
    return report(
        save("answer.json", json.dumps(answer, ensure_ascii=False)),
        *("--trust", save("trust.json", hub_trust()), "--at", str(NOW), *more),
    )


def test_a_whole_answer_is_valid(save: Save) -> None:
    """Receipt, seal, request, entry and status all hold: exit code 0 and every step valid."""
    code, document = verify_answer(
        save,
        saved_answer(),
        *("--request", save("request", REQUEST)),
        *("--status", save("status", status_token(Status.VALID))),
    )

    assert code == 0
    assert [step["name"] for step in document["steps"]] == [
        *("answer-file", "receipt", "logged", "entry", "request", "answer", "time", "continuity"),
        *("seal", "signer-key", "asked", "entry-match", "status-list", "status"),
    ]
    assert fact(document, "caller") == "systems/window-1"
    assert "NOT_AN_EXCHANGE" not in [item["remark"] for item in document["remarks"]]


def test_an_answer_without_data_is_valid_as_far_as_it_goes(save: Save) -> None:
    """A certificate that was answered by its state alone needs no seal and no status."""
    code, document = verify_answer(save, saved_answer(None), "--request", save("r", REQUEST))

    assert (code, fact(document, "state")) == (0, "active")


OTHER_FIELDS = PRESENTATIONS["three fields, by holder"]["text"]
STRIPPED = next(
    case["input"] for case in REFUSED.values() if case["name"] == "requested field stripped"
)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (saved_answer(shown=OTHER_FIELDS), "SD_HASH_MISMATCH"),
        (saved_answer(OTHER_FIELDS), "FIELD_MISSING"),
        (saved_answer(STRIPPED), "FIELD_MISSING"),
        (saved_answer(logged={"version": 2}), "VERSION_MISMATCH"),
        (saved_answer(logged={"vct": VCT + "x"}), "CERTIFICATES_DIFFER"),
        (saved_answer(logged={"state": "revoked"}), "STATE_DIFFERS"),
        (saved_answer() | {"request_id": "other"}, "REQUEST_NOT_MINE"),
        (saved_answer() | {"certificates": []}, "CERTIFICATES_DIFFER"),
        (saved_answer() | {"certificates": 1}, "ANSWER_MALFORMED"),
        (saved_answer() | {"certificates": [{"state": 7}]}, "ANSWER_MALFORMED"),
        (saved_answer() | {"receipt": {}}, "RECEIPT_MALFORMED"),
    ],
)
def test_a_hub_that_cheats_is_noticed(answer: dict[str, Any], reason: str, save: Save) -> None:
    """Genuine seals in the wrong place, even when logged so, do not pass."""
    code, document = verify_answer(save, answer, "--request", save("request", REQUEST))

    assert (code, document["reason"]) == (1, reason)


def test_another_holders_genuine_certificate_is_noticed(save: Save) -> None:
    """Asked by holder, answered and logged with another holder's genuine record: invalid."""
    asked = REFUSED["another firm's record"]
    request = request_for(asked["expect"])

    code, document = verify_answer(
        save, saved_answer(asked["input"], request=request), "--request", save("r", request)
    )

    assert (code, document["reason"]) == (1, "HOLDER_MISMATCH")


@pytest.mark.parametrize("missing", ["receipt", "request"])
def test_an_answer_without_receipt_or_request_cannot_be_checked(missing: str, save: Save) -> None:
    """The seal is verified, what was exchanged is not: *cannot check*."""
    answer = saved_answer()
    request = () if missing == "request" else ("--request", save("request", REQUEST))
    if missing == "receipt":
        del answer["receipt"]

    code, document = verify_answer(
        save, answer, *request, "--status", save("status", status_token(Status.VALID))
    )

    assert (code, document["reason"]) == (2, f"NO_{missing.upper()}")
    assert fact(document, "custody") == "department"


SOUND = {
    TWO_FIELDS.encode(),
    status_token(Status.VALID).encode(),
    json.dumps(saved_answer()).encode(),
    note.sign_checkpoint(ORIGIN, 5, merkle.root(leaves()[:5]), LOG_KEY).encode(),
}


def _same_text(raw: bytes, original: bytes) -> bool:
    """Whether both are JSON of the same value, but for members that nobody reads."""
    try:
        old, new = json.loads(original), json.loads(raw)
    except ValueError:
        return False
    names = ("certificates", "receipt")
    return bool([old[name] for name in names] == [new.get(name) for name in names])


# -- Usage and reading -----------------------------------------------------------------------------


def test_the_report_for_people_shows_marks_facts_and_the_verdict_in_both_languages(
    save: Save,
) -> None:
    """Steps with marks, the custody, what to do next, and a last line in English and Chinese."""
    trust = save("trust.json", hub_trust())

    result = run(save("presentation", TWO_FIELDS), "--trust", trust, "--at", str(NOW))

    lines = result.stdout.strip().splitlines()
    assert result.exit_code == 2
    assert any(line.startswith("✔ 1. ") for line in lines)
    assert any(line.startswith("? 4. ") for line in lines)
    assert any("签章密钥保管方" in line and "department" in line for line in lines)
    assert "--status" in result.stdout
    assert lines[-1] == "? CANNOT CHECK 无法验证 (NO_STATUS)"


def test_no_value_of_a_field_stands_in_a_report(save: Save) -> None:
    """Reports are passed on: they name the fields disclosed and never what these say."""
    arguments = (
        save("presentation", PRESENTATIONS["everything"]["text"]),
        *("--trust", save("trust.json", hub_trust()), "--at", str(NOW)),
    )

    printed = run(*arguments).stdout + run(*arguments, "--json").stdout

    assert "legal_representative" in printed
    for value in ("测试甲", "91330100MADEM0011P", "杭州示例乙有限公司"):
        assert value not in printed


def test_control_characters_of_a_file_never_reach_the_terminal(save: Save) -> None:
    """What a stranger wrote into a file cannot steer the reader's terminal."""
    answer = saved_answer()
    answer["certificates"][0]["state"] = "\x1b[2Jactive\u202e"

    result = run(
        save("answer.json", json.dumps(answer)),
        *("--trust", save("trust.json", hub_trust()), "--request", save("r", REQUEST)),
        *("--at", str(NOW)),
    )

    assert "STATE_DIFFERS" in result.stdout
    assert "\x1b[2J" not in result.stdout
    assert "\u202e" not in result.stdout


def test_the_wide_space_of_chinese_texts_stays_a_space() -> None:
    assert printable("名\u3000称\u2028\u200b") == "名\u3000称\\u2028\\u200b"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damaged_file_is_valid_or_raises(data: st.DataObject) -> None:
    """A byte of a valid file replaced, put in or taken out: a report, and never *valid*."""
    original = data.draw(st.sampled_from(sorted(SOUND)))
    raw = bytearray(original)
    at = data.draw(st.integers(0, len(raw) - 1))
    byte = data.draw(st.integers(33, 126))
    change = data.draw(st.sampled_from(["replace", "insert", "delete"]))
    if change != "insert":
        del raw[at]
    if change != "delete":
        raw.insert(at, byte)
    kind = recognise(bytes(raw))
    if kind is None or bytes(raw).strip() == original.strip():
        return
    evidence = Evidence(NOW, (REQUEST,), None, None, (status_token(Status.VALID),))

    found = verify(bytes(raw), kind, parse_trust(hub_trust()), evidence)

    assert found.verdict is not Verdict.VALID or _same_text(bytes(raw), original)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["absent-file"],
        ["{file}", "--no-such-option"],
        ["{file}", "--at", "yesterday"],
        ["{file}", "--at", "2026-01-01T10:00:00"],
        ["{file}", "--as-of", "2026-13-01"],
        ["{file}", "--crl", "{binary}"],
        ["{file}", "--record", "{file}"],
        ["{file}", "--receipt", "{json}"],
        ["{sealed}", "--crl", "{binary}"],
        ["{sealed}", "--receipt", "{json}"],
        ["{file}", "--answer", "{json}"],
        ["{file}", "--trust", "absent-file"],
        ["{file}", "--trust", "{file}"],
        ["{file}", "--request", "absent-file"],
        ["{file}", "--request", "{chinese}"],
        ["{chinese}"],
        ["{binary}"],
        ["{request}"],
        ["{json}"],
        ["{large}"],
        ["{head}"],
    ],
)
def test_wrong_usage_ends_in_64(arguments: list[str], save: Save) -> None:
    """Unreadable or unknown files and wrong options are no verdict."""
    files = {
        "file": save("presentation", TWO_FIELDS),
        "chinese": save("text", "中文"),
        "binary": save("binary", b"\xff\xfe\x00"),
        "request": save("request", REQUEST),
        "json": save("json", '{"a":1}'),
        "sealed": save("seal.esl", golden_seal()),
        "large": save("large", b"a" * (4_194_304 + 1)),
        # A hub's own file is no proof, and no forgery either.
        "head": save("checkpoint", f"7 {digest('x')}\n{LEDGER['checkpoints'][0]['note_text']}\n"),
    }

    result = run(*(argument.format(**files) for argument in arguments))

    assert result.exit_code == 64
    assert "Traceback" not in result.output


def test_verifying_needs_no_server_software() -> None:
    """An auditor runs the command without gRPC, database or fast JSON libraries."""
    heavy = {"grpc", "google.protobuf", "sqlalchemy", "asyncpg", "orjson", "pydantic", "starlette"}
    program = f"import sys, hub.cli.verify; print({heavy!r} & sys.modules.keys())"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert done.stdout.decode().strip() == "set()"


def test_a_trust_file_reads_back_as_it_was_written() -> None:
    """Writing and reading a trust file lose nothing."""
    data = hub_trust()

    assert trust_file(parse_trust(data)) == data


def test_a_trust_file_of_version_1_is_read() -> None:
    """Files that were handed out before keep their meaning, and pin nothing new."""
    members = json.loads(hub_trust())
    old = dict(list(members.items())[:8]) | {"v": 1}

    trust = parse_trust(json.dumps(old).encode())

    assert trust == parse_trust(hub_trust())
    assert (trust.maker_anchors, trust.compromised) == ((), ())


@pytest.mark.parametrize(
    "change",
    [
        {"v": 1},
        {"v": 2},
        {"v": 4},
        {"v": True},
        {"origin": ""},
        {"origin": "a b"},
        {"region": 330100},
        {"log_keys": "x"},
        {"log_keys": [1]},
        {"witnesses_min": -1},
        {"seal_anchors": ["AAAA"]},
        # A certificate of version 11.
        {
            "seal_anchors": [
                base64.b64encode(
                    base64.b64decode(VECTORS["trust_anchors"][0]).replace(
                        bytes.fromhex("a003020102"), bytes.fromhex("a00302010a")
                    )
                ).decode()
            ]
        },
        {"status_keys": [{"kty": "RSA"}]},
        {"maker_anchors": ["AAAA"]},
        {"stamp_anchors": None},
        {"compromised": [{"key": "short", "from": 1}]},
        {"compromised": [{"key": "A" * 43, "from": -1}]},
        {"compromised": [{"key": "A" * 43}]},
        {"compromised": ["A" * 43]},
        {"algorithms": [{"algorithm": "", "until": 1}]},
        {"algorithms": [{"algorithm": "SM2", "until": "2030"}]},
        {"algorithms": [{"algorithm": "SM2", "until": 1, "why": ""}]},
        {"custodies": [{"key": "short", "custody": "hub-file"}]},
        {"custodies": [{"key": "A" * 43, "custody": "attested"}]},
        {"custodies": [{"key": "A" * 43}]},
        {"custodies": [{"key": "A" * 43, "custody": word} for word in ("hub-file", "hub-hsm")]},
        {"more": 1},
    ],
)
def test_a_damaged_trust_file_is_refused(change: dict[str, Any]) -> None:
    """Every member of a trust file is checked; a damaged one says nothing about anything."""
    members = json.loads(hub_trust()) | change

    with pytest.raises(ProofError) as caught:
        parse_trust(json.dumps(members).encode())

    assert caught.value.reason is ProofReason.TRUST_MALFORMED
    assert caught.value.verdict is Verdict.CANNOT_CHECK


def test_every_word_of_a_report_exists_in_both_languages() -> None:
    """Steps, facts, remarks and reasons all have an English and a Chinese text."""
    tables: list[tuple[Any, Any]] = [
        (StepName, STEP_TEXTS),
        (FactName, FACT_TEXTS),
        (Remark, REMARK_TEXTS),
        (ProofReason, TEXTS),
    ]
    for names, texts in tables:
        for name in names:
            assert texts[name].en
            assert texts[name].zh
