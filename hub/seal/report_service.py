"""gRPC ↔ domain for reports, and nothing else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from hub.errors import HubError, Reason
from hub.proof.jose import Algorithm
from hub.proof.reasons import Verdict
from hub.proof.reports.report import Fact, File, Report, Step
from hub.proof.reports.report_json import report_to_json
from hub.proof.reports.summary import summarise
from hub.proof.run import Evidence
from hub.seal.documents.verify_document import VerifyDocument
from hub.seal.v1 import reports_pb2 as pb

CHUNK_BYTES_MAX: Final = 1024 * 1024
_CRLS_MAX: Final = 16
_CRL_BYTES_MAX: Final = 4_000_000
_REQUESTS_MAX: Final = 16
_TEXT_MAX: Final = 65_536
_PROOF_BYTES_MAX: Final = 1_048_576
_TIME_MAX: Final = 253_402_300_799

_VERDICTS: Final = {
    Verdict.VALID: pb.Report.VERDICT_VALID,
    Verdict.INVALID: pb.Report.VERDICT_INVALID,
    Verdict.CANNOT_CHECK: pb.Report.VERDICT_CANNOT_CHECK,
}


@dataclass(frozen=True, slots=True)
class ReportService:
    """`hub.seal.v1.ReportService`."""

    verify: VerifyDocument

    async def VerifyDocument(
        self, requests: AsyncIterator[pb.VerifyDocumentRequest], _context: grpc.aio.ServicerContext
    ) -> pb.VerifyDocumentResponse:
        """Verify what the caller brings."""
        first = await anext(requests, None)
        if first is None or first.WhichOneof("part") != "header":
            raise _wrong("header", "the first message is the header")
        header = first.header
        report = await self.verify(_chunks(requests), _brought(header), as_of=_as_of(header))
        text = json.dumps(report_to_json(report), ensure_ascii=False)
        return pb.VerifyDocumentResponse(report=encode_report(report), json=text)


def encode_report(report: Report) -> pb.Report:
    """The message of a report."""
    summary = summarise(report)
    return pb.Report(
        kind=report.kind.value,
        verdict=_VERDICTS[report.verdict],
        reason="" if report.reason is None else report.reason.value,
        summary_en=summary.en,
        summary_zh=summary.zh,
        steps=[_step(step) for step in report.steps],
        facts=[_fact(fact) for fact in report.facts],
        files=[_file(file) for file in report.files],
        remarks=[remark.value for remark in report.remarks],
    )


def _step(step: Step) -> pb.Report.Step:
    moment = step.moment
    return pb.Report.Step(
        number=step.number,
        name=step.name.value,
        verdict=_VERDICTS[step.verdict],
        reason="" if step.reason is None else step.reason.value,
        detail=step.detail,
        part=step.part or 0,
        judged_time=None if moment is None else _timestamp(moment.time),
        judged_basis="" if moment is None else moment.basis.value,
        used_us=step.used_us,
    )


def _fact(fact: Fact) -> pb.Report.Fact:
    values = fact.value if isinstance(fact.value, tuple) else (str(fact.value),)
    return pb.Report.Fact(name=fact.name.value, values=values, part=fact.part or 0)


def _file(file: File) -> pb.Report.File:
    return pb.Report.File(
        path=file.path,
        verdict=_VERDICTS[file.verdict],
        reason="" if file.reason is None else file.reason.value,
        part=file.part or 0,
    )


def _timestamp(seconds: int) -> Timestamp:
    """Signers may claim times beyond the calendar of the message: they are cut to its ends."""
    return Timestamp(seconds=min(max(seconds, 0), _TIME_MAX))


def _brought(header: pb.VerifyDocumentRequest.Header) -> Evidence:
    """What the caller has besides the file; whose clock judges is said by `VerifyDocument`."""
    crls = tuple(header.revocation_lists)
    if len(crls) > _CRLS_MAX or sum(map(len, crls)) > _CRL_BYTES_MAX:
        raise _wrong(
            "revocation_lists", f"at most {_CRLS_MAX} lists of together {_CRL_BYTES_MAX} bytes"
        )
    if len(header.requests) > _REQUESTS_MAX:
        raise _wrong("requests", f"at most {_REQUESTS_MAX}")
    for name, texts in (("twin", [header.twin]), ("requests", header.requests)):
        if any(len(text) > _TEXT_MAX or not text.isascii() for text in texts):
            raise _wrong(name, f"at most {_TEXT_MAX} ASCII characters")
    for name in ("record", "receipt"):
        if len(getattr(header, name)) > _PROOF_BYTES_MAX:
            raise _wrong(name, f"at most {_PROOF_BYTES_MAX} bytes")
    if header.required_algorithm not in ("", *Algorithm.__members__):
        raise _wrong("required_algorithm", "ES256 or SM2")
    return Evidence(
        now=0,
        requests=tuple(header.requests),
        system=header.system or None,
        answer=header.answer or None,
        crls=crls,
        receipt=header.receipt or None,
        record=header.record or None,
        twin=header.twin or None,
        required=Algorithm[header.required_algorithm] if header.required_algorithm else None,
    )


def _wrong(field: str, rule: str) -> HubError:
    return HubError(Reason.FIELD_INVALID, field=field, rule=rule)


def _as_of(header: pb.VerifyDocumentRequest.Header) -> int | None:
    if not header.HasField("as_of_time"):
        return None
    if not 0 <= header.as_of_time.seconds <= _TIME_MAX:
        raise _wrong("as_of_time", "between 1970 and 9999")
    return int(header.as_of_time.seconds)


async def _chunks(requests: AsyncIterator[pb.VerifyDocumentRequest]) -> AsyncIterator[bytes]:
    async for request in requests:
        if request.WhichOneof("part") != "chunk":
            raise _wrong("chunk", "every message after the first is a chunk")
        if len(request.chunk) > CHUNK_BYTES_MAX:
            raise HubError(
                Reason.MESSAGE_TOO_LARGE, bytes=len(request.chunk), bytes_max=CHUNK_BYTES_MAX
            )
        yield request.chunk
