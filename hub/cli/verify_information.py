"""`sealway exchange verify`: ask whether what somebody states is true, and check the receipt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from certs.files import PRIVATE
from connectors.client import HubClient
from connectors.heads import keep_receipt_head, kept_head, read_trust
from connectors.profile import read_bounded
from hub.cli.holders import HolderFileOption, HolderOption, read_holder
from hub.cli.session import (
    JsonOption,
    ProfileOption,
    RequestIdOption,
    connected,
    digest_of,
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
    ItemOption,
    MatterOption,
    OutOption,
    SentRequests,
    say_kept,
)
from hub.cli.terminal import Terminal, UsageError
from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.exchange.v1 import verification_pb2, verification_pb2_grpc
from hub.proof.encoding import Json, emit_json, parse_object
from hub.proof.exchange.answer_receipt import verify_verification_receipt
from hub.proof.exchange.request import (
    Holder,
    RequestClaims,
    RequestedCertificate,
    sign_request,
)
from hub.proof.reasons import ProofError

VERIFY_RPC: Final = "/hub.exchange.v1.VerificationService/VerifyInformation"
VALUES_BYTES_MAX: Final = 32_768

_SAID: Final = {
    "in_force": ("Right, and in force.", "信息正确且有效。"),
    "not_yet_in_force": ("Right, and not yet in force.", "信息正确且未激活。"),
    "suspended": ("Right, and suspended.", "信息正确且证照暂时失效。"),
    "ended": ("Right, and ended.", "信息正确且证照已失效。"),
    "insufficient": (
        "Not enough to tell several certificates apart.",
        "信息不全，无法区分多个证照。",
    ),
    "not_confirmed": ("Nothing on file has these values.", "查无此信息。"),
}


def verify_information(
    certificate_type: Annotated[str, typer.Option("--type", help="Type code, 21 characters.")],
    item: ItemOption,
    matter: MatterOption,
    basis: BasisOption,
    values: Annotated[
        Path | None,
        typer.Option(
            "--values", metavar="FILE", help='JSON such as {"name": "…"}; - reads standard input.'
        ),
    ] = None,
    document: Annotated[
        Path | None,
        typer.Option(
            "--document",
            metavar="FILE",
            help="A document that somebody showed: is it the one on file, byte for byte? Alone it "
            "needs neither --cert nor --holder.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    cert: Annotated[str | None, typer.Option(help="GB/T 36904 identifier.")] = None,
    holder: HolderOption = None,
    holder_file: HolderFileOption = None,
    clerk: ClerkOption = CLERK,
    out: OutOption = None,
    profile: ProfileOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask whether values of one certificate are right. Nothing else of it is disclosed.

    Of a document its bytes are compared with those on file; seals inside of it are not checked.
    The receipt is verified before anything is shown. Ends with 0 where the values are right, in
    whatever state the certificate is, and with 1 where they are not confirmed.

    Example: sealway exchange verify --holder 001:91330100MA2XXXXX1A --type 11100000MB0143028R001
    --values values.json --item 331022003000 --matter 330100-2026-000017
    --basis "行政许可法 第三十一条"
    """
    terminal = Terminal(as_json)
    identifier = request_id(repeat)
    stated = _stated(values, document)
    with connected(profile) as client:
        wanted = _wanted(client, certificate_type, tuple(stated), cert, holder, holder_file)
        trust = read_trust(client.profile)
        sent = SentRequests.beside(out, identifier)
        claims = RequestClaims(
            iss=client.profile.name,
            aud=client.profile.origin,
            region=client.profile.region,
            rpc=VERIFY_RPC,
            jti=identifier,
            **NOT_YET_SIGNED,
            certificates=(wanted,),
            service_item=item,
            matter=matter,
            basis=basis,
            clerk=clerk,
            log=kept_head(client.profile),
            values=stated,
        )
        answer = _ask(terminal, client, claims, sent)
        result = shown_enum(answer, "result")
        verified = verify_verification_receipt(
            answer.receipt.json.encode(), sent.texts, client.profile.name, result, trust.log
        )
        keep_receipt_head(client, verified)
    told: dict[str, Json] = {
        "request_id": answer.request_id,
        "result": result,
        "receipt": parse_object(answer.receipt.json.encode()),
    }
    if out is not None:
        save(out, emit_json(told), mode=PRIVATE)
    terminal.document(
        {
            **told,
            "objected": list(answer.objected_fields),
            "trust_grade": answer.trust_grade or None,
            "origin": shown_enum(answer, "origin") if answer.origin else None,
            "verified": {"entry": verified.index, "grade": verified.grade.value},
        }
    )
    terminal.say(*_SAID[result])
    if shown_enum(answer, "origin") == "scan":
        terminal.say(
            f"It is a scan of trust grade {answer.trust_grade}, not an original.",
            f"该证照为扫描件（可信等级 {answer.trust_grade}），不是原件。",
        )
    if answer.objected_fields:
        doubted = ", ".join(answer.objected_fields)
        terminal.say(
            f"Somebody objects to: {doubted}; have it confirmed.",
            f"存在异议的信息项：{doubted}，请核实后使用。",
        )
    terminal.say(
        f"Verified: receipt of log entry {verified.index} ({verified.grade.value}).",
        f"已核验：日志条目 {verified.index} 的回执（{verified.grade.value}）。",
    )
    say_kept(terminal, out, sent, client.profile)
    if result == "not_confirmed":
        raise typer.Exit(1)


def _wanted(
    client: HubClient,
    certificate_type: str,
    fields: tuple[str, ...],
    cert: str | None,
    holder: str | None,
    holder_file: Path | None,
) -> RequestedCertificate:
    who = read_holder(holder, holder_file)
    names_itself = fields == (DOCUMENT_FIELD,) and who is None and cert is None
    if (who is None) == (cert is None) and not names_itself:
        raise UsageError(
            "name the certificate by --cert, or its holder by --holder or --holder-file",
            "请用 --cert 指定证照，或用 --holder、--holder-file 指定持证主体（二选一）",
        )
    vct = f"https://{client.profile.origin}/vct/{certificate_type.upper()}"
    named = Holder(who.type, who.number) if who is not None else None
    return RequestedCertificate(vct, fields, cert=cert, holder=named)


def _ask(
    terminal: Terminal, client: HubClient, claims: RequestClaims, sent: SentRequests
) -> verification_pb2.VerifyInformationResponse:
    signed = sent.signing(claims, sign_request, client.profile.signer())
    stub = verification_pb2_grpc.VerificationServiceStub(client.channel)
    answer: verification_pb2.VerifyInformationResponse = write_signed(
        terminal,
        client,
        stub.VerifyInformation,
        lambda token: verification_pb2.VerifyInformationRequest(
            request_id=claims.jti, signed_request=signed(token)
        ),
        claims.jti,
    )
    return answer


def _stated(values: Path | None, document: Path | None) -> dict[str, Json]:
    """What is to be confirmed. Raises UsageError where that is nothing."""
    if values is None and document is None:
        raise UsageError(
            "name what is to be confirmed by --values or --document",
            "请用 --values 或 --document 说明需核验的内容",
        )
    stated = _read_values(values) if values is not None else {}
    if document is not None:
        stated[DOCUMENT_FIELD] = digest_of(document)
    return stated


def _read_values(file: Path) -> dict[str, Json]:
    """The values of a file, never of arguments: others can read those. Raises UsageError."""
    if str(file) == "-":
        data = sys.stdin.buffer.read(VALUES_BYTES_MAX + 1)[:VALUES_BYTES_MAX]
    else:
        data = read_bounded(file, VALUES_BYTES_MAX, "values")
    try:
        stated = parse_object(data)
    except ProofError as error:
        raise UsageError(
            f'--values {file}: write one JSON object such as {{"name": "…"}}',
            f'--values {file}：应为一个 JSON 对象，例如 {{"name": "…"}}',
        ) from error
    if not stated:
        raise UsageError("--values names no field", "--values 中没有字段")
    return stated
