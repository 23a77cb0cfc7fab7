"""An answer file taken apart: what the hub said, and the receipt that came with it."""

from __future__ import annotations

from dataclasses import dataclass

from hub.proof.encoding import Json, emit_json, parse_object
from hub.proof.exchange.answer_receipt import AnsweredDocument, AnsweredMaterial, AnsweredPlan
from hub.proof.log.receipt import Answered, ExchangeKind
from hub.proof.reasons import ProofError, ProofReason


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer file taken apart; `receipt` is its receipt's text, nothing verified.

    `said` are the certificates of a fetch, the plan, the result of a verification, or what was said
    of a document.
    """

    request_id: str | None
    said: tuple[Answered, ...] | AnsweredPlan | AnsweredDocument | str
    receipt: bytes | None

    @property
    def kind(self) -> ExchangeKind:
        """The kind of the entry that must say the same."""
        match self.said:
            case AnsweredPlan():
                return ExchangeKind.PLAN
            case AnsweredDocument():
                return ExchangeKind.DOCUMENT
            case str():
                return ExchangeKind.VERIFICATION
            case _:
                return ExchangeKind.FETCH


def parse_answer(data: bytes) -> Answer:
    """The answer file in `data`. Raises ProofError(ANSWER_MALFORMED)."""
    try:
        members = parse_object(data)
    except ProofError as error:
        raise ProofError(ProofReason.ANSWER_MALFORMED, error.reason.value) from error
    request_id, receipt = members.get("request_id"), members.get("receipt")
    said = _said(members)
    if not isinstance(request_id, str | None):
        raise ProofError(ProofReason.ANSWER_MALFORMED, "request_id")
    return Answer(
        request_id,
        said,
        # Strictly parsed once already; hashes and signatures are over strings inside.
        None if receipt is None else emit_json(receipt),
    )


def _said(
    members: dict[str, Json],
) -> tuple[Answered, ...] | AnsweredPlan | AnsweredDocument | str:
    if "certificates" in members:
        return tuple([_answered(item) for item in _list(members, "certificates")])
    if "materials" in members:
        notice = _object(members.get("notice"), "notice")
        return AnsweredPlan(
            tuple([_material(item) for item in _list(members, "materials")]),
            _text(notice, "zh"),
            _text(notice, "en"),
        )
    if "media_type" in members:
        return _document(members)
    return _text(members, "result")


def _document(members: dict[str, Json]) -> AnsweredDocument:
    """Facts of the bytes are null where none came."""
    names = ("media_type", "size", "digest", "origin")
    media_type, size, digest, origin = (members.get(name) for name in names)
    if not isinstance(media_type, str | None) or not isinstance(digest, str | None):
        raise ProofError(ProofReason.ANSWER_MALFORMED, "media_type or digest")
    if not isinstance(origin, str | None):
        raise ProofError(ProofReason.ANSWER_MALFORMED, "origin")
    if type(size) not in (int, type(None)):
        raise ProofError(ProofReason.ANSWER_MALFORMED, "size")
    return AnsweredDocument(
        _text(members, "state"),
        media_type,
        size if isinstance(size, int) else None,
        digest,
        origin,
    )


def _answered(value: Json) -> Answered:
    members = _object(value, "certificates")
    state, presentation = members.get("state"), members.get("presentation")
    twin = members.get("sm2_presentation")
    if not isinstance(state, str) or not isinstance(presentation, str | None):
        raise ProofError(ProofReason.ANSWER_MALFORMED, "certificates")
    if not isinstance(twin, str | None) or (twin is not None and presentation is None):
        raise ProofError(ProofReason.ANSWER_MALFORMED, "sm2_presentation")
    return Answered(state, presentation, twin)


def _material(value: Json) -> AnsweredMaterial:
    """What the entry names of a material; its texts stand in the notice."""
    members = _object(value, "materials")
    uses = [_object(item, "uses") for item in _list(members, "uses")]
    obstacles = [_object(item, "obstacles") for item in _list(members, "obstacles", absent=True)]
    certificate = members.get("certificate")
    holder = members.get("holder")
    return AnsweredMaterial(
        uses=tuple([f"{_text(use, 'item')}/{_text(use, 'material')}" for use in uses]),
        outcome=_text(members, "outcome"),
        holder=holder if type(holder) is int else None,
        cert=None if certificate is None else _text(_object(certificate, "certificate"), "cert"),
        due_date=_text(members, "due_date") if "due_date" in members else None,
        obstacles=tuple([_text(obstacle, "code") for obstacle in obstacles]),
    )


def _object(value: Json, name: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise ProofError(ProofReason.ANSWER_MALFORMED, name)
    return value


def _list(members: dict[str, Json], name: str, *, absent: bool = False) -> list[Json]:
    value = members.get(name, [] if absent else None)
    if not isinstance(value, list):
        raise ProofError(ProofReason.ANSWER_MALFORMED, name)
    return value


def _text(members: dict[str, Json], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise ProofError(ProofReason.ANSWER_MALFORMED, name)
    return value
