"""The report as JSON (docs/formats/report.md), written, and read back strictly."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from hub.proof.encoding import Json, parse_object
from hub.proof.moment import Basis, Moment
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.reports.report import (
    REMARK_TEXTS,
    Fact,
    FactName,
    FactValue,
    File,
    Kind,
    Remark,
    Report,
    Step,
    StepName,
)
from hub.proof.reports.summary import summarise

_E = TypeVar("_E", bound=StrEnum)


def report_to_json(report: Report) -> dict[str, Json]:
    """The full report for machines; texts in both languages."""
    summary = summarise(report)
    return {
        "v": 2,
        "kind": report.kind.value,
        "verdict": report.verdict.value,
        "reason": None if report.reason is None else report.reason.value,
        "summary": {"en": summary.en, "zh": summary.zh},
        "steps": [_step(step) for step in report.steps],
        "facts": [_fact(fact) for fact in report.facts],
        "files": [_file(file) for file in report.files],
        "remarks": [
            {"remark": item.value, "en": REMARK_TEXTS[item].en, "zh": REMARK_TEXTS[item].zh}
            for item in report.remarks
        ],
    }


def parse_report(data: bytes) -> Report:
    """The report in `data`. Texts for people are not read: they follow from the names.

    Raises ProofError(JSON_MALFORMED) for what is no report of this program's own words.
    """
    members = parse_object(data)
    return Report(
        kind=_word(Kind, members.get("kind")),
        steps=tuple([_read_step(item) for item in _items(members, "steps")]),
        facts=tuple([_read_fact(item) for item in _items(members, "facts")]),
        remarks=tuple([_word(Remark, item.get("remark")) for item in _items(members, "remarks")]),
        files=tuple([_read_file(item) for item in _items(members, "files")]),
    )


def _step(step: Step) -> dict[str, Json]:
    members: dict[str, Json] = {
        "number": step.number,
        "name": step.name.value,
        "verdict": step.verdict.value,
        "en": step.title.en,
        "zh": step.title.zh,
        "used_us": step.used_us,
    }
    if step.part is not None:
        members["part"] = step.part
    if step.moment is not None:
        members["judged_at"] = {"time": step.moment.time, "basis": step.moment.basis.value}
    if step.reason is not None and step.outcome is not None:
        members |= {
            "reason": step.reason.value,
            "detail": step.detail,
            "reason_en": step.outcome.en,
            "reason_zh": step.outcome.zh,
        }
    return members


def _fact(fact: Fact) -> dict[str, Json]:
    value: Json = list(fact.value) if isinstance(fact.value, tuple) else fact.value
    members: dict[str, Json] = {"name": fact.name.value, "value": value}
    if fact.part is not None:
        members["part"] = fact.part
    return members


def _file(file: File) -> dict[str, Json]:
    members: dict[str, Json] = {"path": file.path, "verdict": file.verdict.value}
    if file.part is not None:
        members["part"] = file.part
    if file.reason is not None:
        members |= {
            "reason": file.reason.value,
            "reason_en": TEXTS[file.reason].en,
            "reason_zh": TEXTS[file.reason].zh,
        }
    return members


def _read_step(members: dict[str, Json]) -> Step:
    return Step(
        number=_number(members.get("number")),
        name=_word(StepName, members.get("name")),
        verdict=_word(Verdict, members.get("verdict")),
        reason=_reason(members),
        detail=_text(members.get("detail", "")),
        part=_part(members),
        moment=_moment(members.get("judged_at")),
        used_us=_number(members.get("used_us")),
    )


def _read_fact(members: dict[str, Json]) -> Fact:
    value: FactValue
    match members.get("value"):
        case str() | int() as plain if type(plain) is not bool:
            value = plain
        case list() as several:
            value = tuple([_text(item) for item in several])
        case _:
            raise _malformed("value")
    return Fact(_word(FactName, members.get("name")), value, _part(members))


def _read_file(members: dict[str, Json]) -> File:
    return File(
        _text(members.get("path")),
        _word(Verdict, members.get("verdict")),
        _reason(members),
        _part(members),
    )


def _reason(members: dict[str, Json]) -> ProofReason | None:
    return _word(ProofReason, members["reason"]) if "reason" in members else None


def _part(members: dict[str, Json]) -> int | None:
    return _number(members["part"]) if "part" in members else None


def _moment(value: Json) -> Moment | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _malformed("judged_at")
    return Moment(_number(value.get("time")), _word(Basis, value.get("basis")))


def _items(members: dict[str, Json], name: str) -> list[dict[str, Json]]:
    value = members.get(name)
    if not isinstance(value, list):
        raise _malformed(name)
    objects = [item for item in value if isinstance(item, dict)]
    if len(objects) != len(value):
        raise _malformed(name)
    return objects


def _word(words: type[_E], value: Json) -> _E:
    try:
        return words(_text(value))
    except ValueError as error:
        raise _malformed(words.__name__) from error


def _number(value: Json) -> int:
    if type(value) is not int:
        raise _malformed("number")
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise _malformed("text")
    return value


def _malformed(detail: str) -> ProofError:
    return ProofError(ProofReason.JSON_MALFORMED, detail)
