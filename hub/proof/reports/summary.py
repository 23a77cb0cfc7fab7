"""The simple report: one paragraph for whoever must decide, in English and Chinese.

It says the verdict, by whom and when, which time judged, in whose custody the sealing key was, and
what to do. It holds nothing that the detailed report does not prove.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hub.proof.moment import Basis, Moment, iso_time
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofReason, ReasonText, Verdict
from hub.proof.reports.report import FactName, Kind, Report, StepName

VERDICT_TEXTS: Final[Mapping[Verdict, ReasonText]] = MappingProxyType(
    {
        Verdict.VALID: ReasonText("VALID", "验证通过"),
        Verdict.INVALID: ReasonText("INVALID", "验证不通过"),
        Verdict.CANNOT_CHECK: ReasonText("CANNOT CHECK", "无法验证"),
    }
)
NEXT_TEXTS: Final[Mapping[Verdict, ReasonText]] = MappingProxyType(
    {
        Verdict.VALID: ReasonText(
            "Keep the file; it can be verified again at any time.", "请保存该文件，可随时再次验证。"
        ),
        Verdict.INVALID: ReasonText(
            "Do not rely on this file. Keep it as it is and give it, with this report, to the hub's"
            " operator.",
            "请勿采信该文件。请原样保存，并连同本报告交给枢纽运营方。",
        ),
        Verdict.CANNOT_CHECK: ReasonText(
            "Neither genuine nor false so far. Supply what the steps marked ? ask for, and verify"
            " again.",
            "目前无法判定真伪。请补充标有 ? 的步骤所需的材料后重新验证。",
        ),
    }
)
"""What to do, by verdict."""

# A genuine code can stand on a forged paper: of a code nothing is ever called valid.
_OF_CODES: Final = ReasonText("COMPARE THESE WITH THE PAPER", "请与纸质证照逐项核对")
_NEXT_OF_CODES: Final = ReasonText(
    "The code is its issuer's. Rely on the paper only where it says the same; look at its seal.",
    "二维码出自签发部门。仅当纸面内容与此一致时方可采信，并请查看印章。",
)

# What was genuine and has ended: nobody has to look into it.
_OVER: Final = frozenset({ProofReason.COPY_EXPIRED, ProofReason.STATUS_REVOKED})
_NEXT_OF_OVER: Final = ReasonText(
    "Do not rely on this file any more; ask for a new one.",
    "该文件已失效，请勿再采信，并请重新获取。",
)

KIND_TEXTS: Final[Mapping[Kind, ReasonText]] = MappingProxyType(
    {
        Kind.RECORD: ReasonText("Record seal", "数据签章"),
        Kind.PRESENTATION: ReasonText("Presentation of a sealed record", "签章数据的出示"),
        Kind.RECEIPT: ReasonText("Receipt", "回执"),
        Kind.ANSWER: ReasonText("Answer of a fetch", "取数答复"),
        Kind.PLAN: ReasonText("Answer of a plan", "材料规划答复"),
        Kind.VERIFICATION: ReasonText("Answer of a verification", "信息核验答复"),
        Kind.DOCUMENT: ReasonText("Answer about a document", "文件答复"),
        Kind.CHECKPOINT: ReasonText("Checkpoint of the log", "日志检查点"),
        Kind.STATUS_LIST: ReasonText("Status list", "状态列表"),
        Kind.OFD: ReasonText("OFD document", "OFD 文件"),
        Kind.PDF: ReasonText("PDF document", "PDF 文件"),
        Kind.SEAL: ReasonText("Electronic seal", "电子印章"),
        Kind.SEAL_SIGNATURE: ReasonText("Signature under a seal", "电子签章数据"),
        Kind.FACE_CODE: ReasonText("Code on a face", "照面二维码"),
    }
)

_CUSTODY_TEXTS: Final[Mapping[str, ReasonText]] = MappingProxyType(
    {
        "department": ReasonText("kept by the department itself", "由部门自行保管"),
        "hub-hsm": ReasonText(
            "kept by the hub in hardware, by delegation", "受委托由枢纽以硬件保管"
        ),
        "hub-file": ReasonText(
            "kept by the hub as a file, by delegation", "受委托由枢纽以文件保管"
        ),
        "attested": ReasonText(
            "not used when it was issued: the record is attested", "签发时未使用，该数据系事后证明"
        ),
        "unverified": ReasonText("not verified", "未能核实"),
    }
)
_CUSTODY_UNKNOWN: Final = ReasonText("not stated in the file", "文件未载明")
BASIS_TEXTS: Final[Mapping[Basis, ReasonText]] = MappingProxyType(
    {
        Basis.STAMPED: ReasonText("time stamp", "时间戳"),
        Basis.WITNESSED: ReasonText("witnesses of the log", "日志见证"),
        Basis.LOGGED: ReasonText("log entry", "日志记录"),
        Basis.SIGNED: ReasonText("the signer's own word", "签章者自称"),
        Basis.AS_OF: ReasonText("the moment asked about", "所询问的时刻"),
        Basis.NOW: ReasonText("now", "当前时刻"),
    }
)
# These say nothing that a seal of a department would be needed for.
_WITHOUT_SEAL: Final = (
    Kind.RECEIPT,
    Kind.PLAN,
    Kind.VERIFICATION,
    Kind.CHECKPOINT,
    Kind.STATUS_LIST,
)
_BY: Final = (
    FactName.SIGNER,
    FactName.ISSUER,
    FactName.SEAL_NAME,
    FactName.CALLER,
    FactName.ORIGIN,
)
_OF_SIGNER: Final = (StepName.SIGNER_CHAIN, StepName.SIGNER_KEY)
_WHEN: Final = (
    FactName.STAMPED_TIME,
    FactName.SIGNED_TIME,
    FactName.SEALED_TIME,
    FactName.LOGGED_TIME,
    FactName.STATUS_TIME,
)


def verdict_text(report: Report) -> ReasonText:
    """The verdict in words."""
    if report.kind is Kind.FACE_CODE and report.verdict is Verdict.VALID:
        return _OF_CODES
    return VERDICT_TEXTS[report.verdict]


def advice(report: Report) -> ReasonText:
    """What to do."""
    if report.kind is Kind.FACE_CODE and report.verdict is Verdict.VALID:
        return _NEXT_OF_CODES
    invalid = {step.reason for step in report.steps if step.verdict is Verdict.INVALID}
    if invalid and invalid <= _OVER:
        return _NEXT_OF_OVER
    return NEXT_TEXTS[report.verdict]


def summarise(report: Report) -> ReasonText:
    """The paragraph in both languages. What strangers wrote in it is not escaped."""
    verdict, kind = verdict_text(report), KIND_TEXTS[report.kind]
    en = [f"{kind.en}: {verdict.en}."]
    zh = [f"{kind.zh}：{verdict.zh}。"]
    if report.reason is not None:
        reason = TEXTS[report.reason]
        en.append(f"{reason.en} ({report.reason.value})")
        zh.append(f"{reason.zh}（{report.reason.value}）")
    by = _first(report, _BY)
    when = _first(report, _WHEN)
    if by:
        proven = report.verdict is Verdict.VALID
        en.append(f"{'By' if proven else 'It names'} {by}{f', {when}' if when else ''}.")
        zh.append(
            f"{'出具方' if proven else '自称出具方'}：{by}{f'，时间：{when}' if when else ''}。"
        )
    moment = _moment(report)
    if moment is not None:
        basis = BASIS_TEXTS[moment.basis]
        en.append(f"Judged at {iso_time(moment.time)} ({basis.en}).")
        zh.append(f"判定时间：{iso_time(moment.time)}（{basis.zh}）。")
    if report.kind not in _WITHOUT_SEAL:
        custody = custodies(report)
        en.append(f"Sealing key: {'; '.join(item.en for item in custody)}.")
        zh.append(f"签章密钥：{'；'.join(item.zh for item in custody)}。")
    to_do = advice(report)
    return ReasonText(" ".join([*en, to_do.en]), "".join([*zh, to_do.zh]))


def custodies(report: Report) -> tuple[ReasonText, ...]:
    """Who kept the sealing keys, each once: said in every report about something sealed."""
    named = [str(fact.value) for fact in report.facts if fact.name is FactName.CUSTODY]
    found = [custody_text(name) for name in dict.fromkeys(named)]
    return tuple(found) or (_CUSTODY_UNKNOWN,)


def custody_text(custody: str) -> ReasonText:
    """The value of a fact `custody` in words."""
    return _CUSTODY_TEXTS.get(custody, _CUSTODY_UNKNOWN)


def _first(report: Report, names: tuple[FactName, ...]) -> str:
    """The values of the first of `names` that the report has, each once."""
    for name in names:
        values = [str(fact.value) for fact in report.facts if fact.name is name]
        if values:
            return "; ".join(dict.fromkeys(values))
    return ""


def _moment(report: Report) -> Moment | None:
    """The moment that the signer was judged at; for what has no signer, the first one."""
    moments = [step.moment for step in report.steps if step.name in _OF_SIGNER]
    moments += [step.moment for step in report.steps]
    return next((moment for moment in moments if moment is not None), None)
