"""The report: one paragraph for people, JSON for programs, both languages."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from hub.proof.moment import Basis, Moment
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.records.status_list import Status
from hub.proof.reports.report import Fact, FactName, File, Kind, Remark, Report, Step, StepName
from hub.proof.reports.report_json import parse_report, report_to_json
from hub.proof.reports.summary import KIND_TEXTS, NEXT_TEXTS, advice, custodies, summarise
from tests.proof.test_verify_command import (
    NOW,
    REQUEST,
    TWO_FIELDS,
    Save,
    hub_trust,
    run,
    save,
    saved_answer,
    status_token,
)

__all__ = ["save"]

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "report.json"
PAGE = (Path(__file__).resolve().parents[2] / "docs/formats/report.md").read_text(encoding="utf-8")
REPORT = Report(
    Kind.OFD,
    (
        Step(1, StepName.PACKAGE, Verdict.VALID, used_us=12),
        Step(
            2,
            StepName.SIGNER_KEY,
            Verdict.CANNOT_CHECK,
            ProofReason.COMPROMISE_OPEN,
            "2026-01-01T00:00:00Z",
            part=1,
            moment=Moment(1_767_225_599, Basis.SIGNED),
            used_us=3,
        ),
    ),
    (
        Fact(FactName.SIGNER, "CN=杭州市市场监督管理局", 1),
        Fact(FactName.SIGNED_TIME, "2025-12-31T23:59:59Z", 1),
        Fact(FactName.FIELDS, ("name", "scope")),
        Fact(FactName.SIZE, 7),
    ),
    (Remark.SEALED_BY_HUB,),
    (
        File("Doc_0/Document.xml", Verdict.VALID, None, 1),
        File("Doc_0/x.xml", Verdict.INVALID, ProofReason.SIGNATURE_INVALID),
    ),
)


def test_golden_report_of_a_whole_answer(save: Save) -> None:
    """Programs of others read this; a change of the form is a change of `v`."""
    arguments = (
        save("answer.json", json.dumps(saved_answer(), ensure_ascii=False)),
        *("--trust", save("trust.json", hub_trust()), "--as-of", str(NOW)),
        *("--request", save("request", REQUEST)),
        *("--status", save("status", status_token(Status.VALID))),
        "--json",
    )
    printed = json.loads(run(*arguments).stdout)
    for step in printed["steps"]:
        step["used_us"] = 0
    # The receipt of this answer is made anew in every run.
    for fact in printed["facts"]:
        fact["value"] = "…" if fact["name"] == "root" else fact["value"]
    text = json.dumps(printed, ensure_ascii=False, indent=1) + "\n"

    if os.environ.get("SEALWAY_GOLDEN") == "write":
        GOLDEN.write_text(text, encoding="utf-8")

    assert text == GOLDEN.read_text(encoding="utf-8")


def test_a_report_reads_back_as_it_was_written() -> None:
    """JSON and back loses nothing."""
    assert parse_report(json.dumps(report_to_json(REPORT)).encode()) == REPORT


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "letter"},
        {"steps": None},
        {"steps": ["trust"]},
        {"steps": [{"number": 1, "name": "trust", "verdict": "fine", "used_us": 0}]},
        {"steps": [{"number": "1", "name": "trust", "verdict": "valid", "used_us": 0}]},
        {"facts": [{"name": "issuer", "value": None}]},
        {"facts": [{"name": "issuer", "value": True}]},
        {"facts": [{"name": "issuer", "value": [1]}]},
        {"files": [{"path": 7, "verdict": "valid"}]},
        {"remarks": [{"remark": "HELLO"}]},
    ],
)
def test_a_report_of_other_words_is_refused(change: dict[str, Any]) -> None:
    """It came from a process that may have been taken over."""
    with pytest.raises(ProofError) as refused:
        parse_report(json.dumps(dict(report_to_json(REPORT)) | change).encode())

    assert refused.value.reason is ProofReason.JSON_MALFORMED


def test_the_page_names_every_kind_basis_and_member() -> None:
    """Whoever reads reports by program finds each word on the page."""
    for kind in Kind:
        assert f"`{kind.value}`" in PAGE
    for basis in Basis:
        assert f"| `{basis.value}` |" in PAGE
    for member in report_to_json(REPORT):
        assert re.search(rf"^\| `{member}(\[\])?` \|", PAGE, re.MULTILINE), member


def test_the_simple_report_says_verdict_by_whom_when_whose_word_custody_and_what_to_do() -> None:
    """In one paragraph per language."""
    text = summarise(REPORT)

    assert text.en == (
        "OFD document: CANNOT CHECK. The key was declared compromised, and no time stamp or witness"
        " proves that this is older. (COMPROMISE_OPEN) It names CN=杭州市市场监督管理局,"
        " 2025-12-31T23:59:59Z. Judged at 2025-12-31T23:59:59Z (the signer's own word). Sealing"
        " key: not stated in the file. Neither genuine nor false so far. Supply what the steps"
        " marked ? ask for, and verify again."
    )
    assert text.zh == (
        "OFD 文件：无法验证。密钥已被宣布失密，且没有时间戳或见证能证明该签名在此之前作出。"
        "（COMPROMISE_OPEN）自称出具方：CN=杭州市市场监督管理局，时间：2025-12-31T23:59:59Z。"
        "判定时间：2025-12-31T23:59:59Z（签章者自称）。签章密钥：文件未载明。"
        "目前无法判定真伪。请补充标有 ? 的步骤所需的材料后重新验证。"
    )


@pytest.mark.parametrize("custody", ["department", "hub-hsm", "hub-file", "attested", "unverified"])
def test_every_custody_has_words_of_its_own(custody: str) -> None:
    """The hub's word is never dressed up as the department's."""
    report = Report(Kind.RECORD, (), (Fact(FactName.CUSTODY, custody),))

    (text,) = custodies(report)

    assert text != custodies(Report(Kind.RECORD, ()))[0]
    assert text.en in summarise(report).en
    assert text.zh in summarise(report).zh


def test_what_is_over_and_not_false_is_asked_for_anew() -> None:
    """Nobody is told to look into an annotated copy whose time is over, unless more is wrong."""
    over = Step(1, StepName.FACE, Verdict.INVALID, ProofReason.COPY_EXPIRED)
    false = Step(2, StepName.CONTENT_DIGEST, Verdict.INVALID, ProofReason.CONTENT_DIGEST_MISMATCH)

    assert advice(Report(Kind.PDF, (over,))).en.endswith("ask for a new one.")
    assert advice(Report(Kind.PDF, (over, false))) == NEXT_TEXTS[Verdict.INVALID]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_simple_report(kind: Kind) -> None:
    """Also where nothing is known."""
    text = summarise(Report(kind, ()))

    assert text.en.startswith(f"{KIND_TEXTS[kind].en}: CANNOT CHECK.")
    assert text.zh.startswith(f"{KIND_TEXTS[kind].zh}：无法验证。")


@pytest.mark.parametrize(
    ("options", "shown", "hidden"),
    [
        ((), ["签章密钥保管方", "who kept the sealing key"], []),
        (("--lang", "zh"), ["签章密钥保管方", "无法验证"], ["who kept", "CANNOT CHECK"]),
        (("--lang", "en"), ["who kept the sealing key"], ["签章密钥保管方", "无法验证"]),
        (("--simple",), ["Sealing key: kept by", "签章密钥：由部门自行保管"], ["1. "]),
        (("--simple", "--lang", "zh"), ["签章密钥：由部门自行保管"], ["Sealing key"]),
    ],
)
def test_a_report_is_simple_or_whole_in_one_language_or_both(
    save: Save, options: tuple[str, ...], shown: list[str], hidden: list[str]
) -> None:
    """As asked for; the exit code is the same."""
    result = run(
        save("presentation", TWO_FIELDS),
        *("--trust", save("trust.json", hub_trust()), "--as-of", str(NOW), *options),
    )

    assert result.exit_code == 2
    assert all(text in result.stdout for text in shown)
    assert not any(text in result.stdout for text in hidden)


def test_the_moment_asked_about_is_named_in_the_report(save: Save) -> None:
    """A verdict of a past moment never reads as one of today."""
    result = run(
        save("answer.json", json.dumps(saved_answer())),
        *("--trust", save("trust.json", hub_trust()), "--as-of", str(NOW)),
        *("--status", save("status", status_token(Status.VALID))),
    )

    assert "(the moment asked about 所询问的时刻)]" in result.stdout
    assert "(now)" not in result.stdout
