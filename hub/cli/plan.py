"""`sealway exchange plan`: what must the applicant still bring; the receipt is checked first."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from google.protobuf.json_format import MessageToDict

from certs.files import PRIVATE
from connectors.client import HubClient
from connectors.heads import keep_receipt_head, kept_head, read_trust
from connectors.profile import read_bounded
from hub.cli.notice_page import NoticePage, PageText, Section
from hub.cli.session import (
    JsonOption,
    ProfileOption,
    RequestIdOption,
    connected,
    in_folder,
    next_step,
    request_id,
    save,
    shown_enum,
    write_signed,
)
from hub.cli.signed_requests import (
    CLERK,
    NOT_YET_SIGNED,
    BasisOption,
    ClerkOption,
    MatterOption,
    OutOption,
    SentRequests,
    say_kept,
)
from hub.cli.terminal import Terminal, UsageError
from hub.clock import legal_day, now_us
from hub.domain.holder import HOLDER_TYPES, normalise_holder
from hub.exchange.v1 import plan_pb2, plan_pb2_grpc
from hub.proof.encoding import Json, digest, emit_json, parse_object
from hub.proof.exchange.answer_receipt import AnsweredMaterial, AnsweredPlan, verify_plan_receipt
from hub.proof.exchange.plan_request import (
    HOLDERS_MAX,
    PlanClaims,
    RoleHolder,
    StatedMandate,
    sign_plan_request,
)
from hub.proof.log.receipt import VerifiedReceipt
from hub.proof.reasons import ProofError
from hub.v1 import common_pb2

HOLDERS_BYTES_MAX: Final = 8_192
MANDATE_BYTES_MAX: Final = 8_192

# What becomes of a material, in the order in which an applicant wants to know.
_OUTCOMES: Final = {
    "ask": PageText("需您提交", "Please bring"),
    "deferrable": PageText("可后补（容缺）", "To be delivered later"),
    "commitment": PageText("告知承诺", "A commitment stands for it"),
    "obtainable": PageText("部门核实", "Confirmed by the department"),
    "on_file": PageText("库中已有", "On file"),
}


def plan_materials(
    item: Annotated[list[str], typer.Option(help="Code of a service item (事项); repeat.")],
    matter: MatterOption,
    basis: BasisOption,
    holder: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=TYPE:NUMBER",
            help="An organisation in a role, as company=001:CODE; repeat. People only by "
            "--holder-file.",
        ),
    ] = None,
    holder_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File of lines ROLE=TYPE:NUMBER, such as applicant=111:…; - reads standard input.",
        ),
    ] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="A fact of the matter: true, false, number or text; repeat."
        ),
    ] = None,
    decision_date: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Expected decision; today if absent.")
    ] = None,
    mandate: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help='The agent\'s authorisation: JSON {"id", "items", "from", "until"}.',
        ),
    ] = None,
    consent: Annotated[
        str | None, typer.Option(help="Id or digest of the holder's consent record.")
    ] = None,
    clerk: ClerkOption = CLERK,
    notice: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Write the one-time notice (一次性告知) to print."),
    ] = None,
    out: OutOption = None,
    profile: ProfileOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say of each material of a matter whether the applicant must bring it.

    The receipt is verified before anything is shown. No field of a certificate is disclosed: a
    fetch does that.

    Example: sealway exchange plan --item DEMO-RESTAURANT --holder company=001:91330100MA2XXXXX1A
    --holder-file people.txt --fact premises_m2=80 --decision-date 2026-12-03
    --matter 330100-2026-000017 --basis "行政许可法 第三十一条" --notice notice.html
    """
    terminal = Terminal(as_json)
    identifier = request_id(repeat)
    holders = _holders(holder or (), holder_file)
    with connected(profile) as client:
        trust = read_trust(client.profile)
        sent = SentRequests.beside(out, identifier)
        claims = PlanClaims(
            iss=client.profile.name,
            aud=client.profile.origin,
            region=client.profile.region,
            jti=identifier,
            **NOT_YET_SIGNED,
            items=tuple(item),
            holders=holders,
            decision_date=decision_date or legal_day(now_us()).isoformat(),
            matter=matter,
            basis=basis,
            clerk=clerk,
            facts=_facts(fact or ()),
            mandate=None if mandate is None else _mandate(mandate),
            consent=consent,
            log=kept_head(client.profile),
        )
        answer = _ask(terminal, client, claims, sent)
        verified = verify_plan_receipt(
            answer.receipt.json.encode(),
            sent.texts,
            client.profile.name,
            _answered(answer),
            trust.log,
        )
        keep_receipt_head(client, verified)
    if out is not None:
        save(out, emit_json(_document(answer)), mode=PRIVATE)
    if notice is not None:
        page = _page(answer, claims, verified).html()
        save(notice, page.encode(), mode=PRIVATE)
    _show(terminal, answer, verified)
    say_kept(terminal, out, sent, client.profile)
    _say_next(terminal, answer, notice)


def _holders(texts: Sequence[str], file: Path | None) -> tuple[RoleHolder, ...]:
    """Everybody named in either way. Raises UsageError, HubError for a number of another form."""
    lines = [(text, False) for text in texts]
    if file is not None:
        if str(file) == "-":
            text = sys.stdin.read(HOLDERS_BYTES_MAX)
        else:
            text = read_bounded(file, HOLDERS_BYTES_MAX, "holders").decode("utf-8", "replace")
        lines += [(line.strip(), True) for line in text.splitlines() if line.strip()]
    if not 1 <= len(lines) <= HOLDERS_MAX:
        raise UsageError(
            f"name 1 to {HOLDERS_MAX} holders by --holder and --holder-file",
            f"请用 --holder、--holder-file 指定 1 至 {HOLDERS_MAX} 个持证主体",
        )
    return tuple([_holder(line, is_private=is_private) for line, is_private in lines])


def _holder(line: str, *, is_private: bool) -> RoleHolder:
    role, equals, rest = line.partition("=")
    kind, colon, number = rest.partition(":")
    if not equals or not colon:
        raise UsageError(
            "a holder is written ROLE=TYPE:NUMBER, such as company=001:CODE",
            "持证主体的写法为“角色=类型:号码”，例如 company=001:代码",
        )
    known = HOLDER_TYPES.get(kind)
    if not is_private and (known is None or known.natural):
        raise UsageError(
            "--holder takes organisations and areas only (company=001:CODE, area=901:CODE): "
            "arguments can be read by everybody on this machine. Write people into a file and use "
            "--holder-file FILE, or --holder-file - to type them.",
            "--holder 仅用于组织机构和区域（company=001:代码、area=901:代码）：命令行参数对本机所有"
            "用户可见。自然人"
            "请将“角色=类型:号码”写入文件并使用 --holder-file 文件，或用 --holder-file - 从标准输入"
            "读取。",
        )
    found, _ = normalise_holder(kind, number)
    return RoleHolder(role, found.type, found.number)


def _facts(texts: Sequence[str]) -> dict[str, bool | int | str]:
    facts: dict[str, bool | int | str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals or not value:
            raise UsageError(
                f"--fact {text}: write NAME=VALUE, such as premises_m2=80",
                f"--fact {text}：应为“名称=值”，例如 premises_m2=80",
            )
        if value in ("true", "false"):
            facts[name] = value == "true"
        else:
            facts[name] = int(value) if re.fullmatch(r"-?[0-9]{1,15}", value) else value
    return facts


def _mandate(file: Path) -> StatedMandate:
    try:
        said = parse_object(read_bounded(file, MANDATE_BYTES_MAX, "mandate"))
        items = said["items"]
        if said.keys() != {"id", "items", "from", "until"} or not isinstance(items, list):
            raise ValueError
    except (ProofError, KeyError, ValueError) as error:
        raise UsageError(
            f'--mandate {file}: write {{"id": "…", "items": ["…"], "from": "YYYY-MM-DD", '
            '"until": "YYYY-MM-DD"}',
            f'--mandate {file}：应为 {{"id": "…", "items": ["…"], "from": "年-月-日", '
            '"until": "年-月-日"}',
        ) from error
    return StatedMandate(
        str(said["id"]),
        tuple([str(one) for one in items]),
        str(said["from"]),
        str(said["until"]),
    )


def _ask(
    terminal: Terminal, client: HubClient, claims: PlanClaims, sent: SentRequests
) -> plan_pb2.PlanMaterialsResponse:
    signed = sent.signing(claims, sign_plan_request, client.profile.signer())
    stub = plan_pb2_grpc.PlanServiceStub(client.channel)
    answer: plan_pb2.PlanMaterialsResponse = write_signed(
        terminal,
        client,
        stub.PlanMaterials,
        lambda token: plan_pb2.PlanMaterialsRequest(
            request_id=claims.jti, signed_request=signed(token)
        ),
        claims.jti,
    )
    return answer


def _answered(answer: plan_pb2.PlanMaterialsResponse) -> AnsweredPlan:
    return AnsweredPlan(
        tuple(
            [
                AnsweredMaterial(
                    uses=tuple([f"{use.item}/{use.material}" for use in one.uses]),
                    outcome=shown_enum(one, "outcome"),
                    holder=one.holder if one.HasField("holder") else None,
                    cert=one.certificate.cert or None,
                    due_date=one.due_date or None,
                    obstacles=tuple([obstacle.code for obstacle in one.obstacles]),
                )
                for one in answer.materials
            ]
        ),
        answer.notice.zh,
        answer.notice.en,
    )


def _document(answer: plan_pb2.PlanMaterialsResponse) -> dict[str, Json]:
    """The answer as it is stored and shown; names as in the API."""
    materials: list[Json] = [
        {
            **MessageToDict(one, preserving_proto_field_name=True),
            "outcome": shown_enum(one, "outcome"),
        }
        for one in answer.materials
    ]
    return {
        "request_id": answer.request_id,
        "items": [MessageToDict(item) for item in answer.items],
        "materials": materials,
        "notice": {"zh": answer.notice.zh, "en": answer.notice.en},
        "receipt": parse_object(answer.receipt.json.encode()),
    }


def _page(
    answer: plan_pb2.PlanMaterialsResponse, claims: PlanClaims, verified: VerifiedReceipt
) -> NoticePage:
    lines: dict[str, list[PageText]] = {outcome: [] for outcome in _OUTCOMES}
    for one in answer.materials:
        lines[shown_enum(one, "outcome")].append(PageText(one.line.zh, one.line.en))
    return NoticePage(
        items=[PageText(f"{item.name.zh}（{item.code}）", item.name.en) for item in answer.items],
        matter=claims.matter,
        decision_date=claims.decision_date,
        sections=[
            Section(heading, lines[outcome], is_brought=outcome == "ask")
            for outcome, heading in _OUTCOMES.items()
        ],
        origin=claims.aud,
        entry=verified.index,
        notice_digest=digest(f"{answer.notice.zh}\n{answer.notice.en}"),
    )


def _found(terminal: Terminal, certificate: plan_pb2.PlannedMaterial.Certificate) -> str:
    """The identifier of a certificate on file; of a scan, that it is one."""
    if certificate.origin != common_pb2.CERTIFICATE_ORIGIN_SCAN:
        return certificate.cert
    scan = terminal.choose("a scan, no original, grade", "扫描件，非原件，可信等级")
    return f"{certificate.cert} ({scan} {certificate.grade})"


def _show(
    terminal: Terminal, answer: plan_pb2.PlanMaterialsResponse, verified: VerifiedReceipt
) -> None:
    terminal.document(
        {
            **_document(answer),
            "verified": {"entry": verified.index, "grade": verified.grade.value},
        }
    )
    rows = []
    counts = dict.fromkeys(_OUTCOMES, 0)
    for one in answer.materials:
        outcome = shown_enum(one, "outcome")
        counts[outcome] += 1
        said = _OUTCOMES[outcome]
        why = one.due_date or " ".join(
            [terminal.choose(each.text.en, each.text.zh) for each in one.obstacles]
        )
        rows.append(
            (
                terminal.choose(one.name.en, one.name.zh),
                one.role,
                terminal.choose(said.en, said.zh),
                _found(terminal, one.certificate) or why,
            )
        )
    terminal.table(
        (("material", "材料"), ("role", "角色"), ("outcome", "处理"), ("why, or which", "说明")),
        rows,
    )
    n = counts
    terminal.say(
        f"{len(rows)} materials: {n['on_file']} on file, {n['obtainable']} obtainable, "
        f"{n['commitment']} by commitment, {n['deferrable']} later, {n['ask']} to be brought.",
        f"共 {len(rows)} 项材料：库中已有 {n['on_file']} 项，部门核实 {n['obtainable']} 项，"
        f"告知承诺 {n['commitment']} 项，容缺后补 {n['deferrable']} 项，需提交 {n['ask']} 项。",
    )
    terminal.say(
        f"Verified: receipt of log entry {verified.index} ({verified.grade.value}).",
        f"已核验：日志条目 {verified.index} 的回执（{verified.grade.value}）。",
    )


def _say_next(
    terminal: Terminal,
    answer: plan_pb2.PlanMaterialsResponse,
    notice: Path | None,
) -> None:
    """Where the notice was written, and what follows from the plan."""
    if notice is not None:
        terminal.say(
            f"Notice to print: {in_folder(notice)}", f"告知书（可打印）：{in_folder(notice)}"
        )
    found = [one for one in answer.materials if shown_enum(one, "outcome") == "on_file"]
    if found:
        first = found[0]
        code = first.certificate.certificate_type.rpartition("/")[2].upper()
        next_step(
            terminal,
            f"sealway exchange fetch --cert {first.certificate.cert} --type {code} "
            f"--item {first.uses[0].item} --field …",
        )
