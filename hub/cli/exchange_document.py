"""`sealway exchange document`: the document of a certificate, verified before the file appears."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from certs.files import PRIVATE
from connectors.documents import (
    FETCH_DOCUMENT_RPC,
    DocumentQuestion,
    document_of,
    fetch_document,
)
from connectors.heads import keep_receipt_head, kept_head, read_trust
from hub.cli.code_notes import tell_code
from hub.cli.documents import beside
from hub.cli.session import (
    JsonOption,
    ProfileOption,
    RequestIdOption,
    connected,
    in_folder,
    moment,
    next_step,
    request_id,
    save,
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
from hub.cli.terminal import ExitCode, Terminal
from hub.proof.encoding import Json, emit_json, parse_object
from hub.proof.exchange.request import CopyPurpose, RequestClaims, sign_request

_STATES: Final = {
    "active": ("in force", "有效"),
    "absent": ("not on file", "库中没有"),
    "suspended": ("suspended", "暂时失效"),
    "not_yet_in_force": ("not yet in force", "尚未生效"),
}


def exchange_document(
    file: Annotated[Path, typer.Argument(help="Where to put it.", dir_okay=False)],
    certificate_type: Annotated[str, typer.Option("--type", help="Type code, 21 characters.")],
    cert: Annotated[str, typer.Option(help="GB/T 36904 identifier.")],
    item: ItemOption,
    matter: MatterOption,
    basis: BasisOption,
    media_type: Annotated[
        str, typer.Option("--media-type", help="Only a document of this kind, as application/ofd.")
    ] = "",
    purpose: Annotated[
        str, typer.Option(help="Why a copy is wanted; it stands on it. No personal data.")
    ] = "",
    until: Annotated[
        str, typer.Option(help="Last day or moment of the copy's use, at most 366 days.")
    ] = "",
    clerk: ClerkOption = CLERK,
    out: OutOption = None,
    profile: ProfileOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch an annotated copy (加注件) of a certificate, where a grant names @document.

    Of a type without a face template the copy is the document on file, marked on every page;
    without --purpose that comes as it was filed. The receipt is verified
    over the bytes that came before the file appears; check the seals inside of it by sealway
    verify. Ends with 1 where the certificate is not in force or has no document.

    Example: sealway exchange document licence.pdf --type 11100000MB0143028R001
    --cert 1.2.156.3005.2.… --item 331022003000 --matter 330100-2026-000017
    --basis "行政许可法 第三十一条" --purpose "办理食品经营许可" --until 2026-12-31
    """
    if bool(purpose) != bool(until):
        raise typer.BadParameter(
            "--purpose and --until go together / --purpose 与 --until 须同时给出"
        )
    terminal, identifier = Terminal(as_json), request_id(repeat)
    with connected(profile) as client, beside(file) as (draft, path):
        trust = read_trust(client.profile)
        sent = SentRequests.beside(out, identifier)
        vct = f"https://{client.profile.origin}/vct/{certificate_type.upper()}"
        claims = RequestClaims(
            iss=client.profile.name,
            aud=client.profile.origin,
            region=client.profile.region,
            rpc=FETCH_DOCUMENT_RPC,
            jti=identifier,
            **NOT_YET_SIGNED,
            certificates=(document_of(vct, cert),),
            service_item=item,
            matter=matter,
            basis=basis,
            clerk=clerk,
            log=kept_head(client.profile),
            copy=_purpose(purpose, until),
        )
        sign = sent.signing(claims, sign_request, client.profile.signer())
        question = DocumentQuestion(identifier, sign, sent.texts, media_type)
        fetched = fetch_document(client, question, draft, trust.log)
        keep_receipt_head(client, fetched.verified)
        said = fetched.said
        if said.digest is not None:
            draft.flush()
            path.replace(file)
        told: dict[str, Json] = {
            "request_id": identifier,
            "state": said.state,
            "media_type": said.media_type,
            "size": said.size,
            "digest": said.digest,
            "origin": said.origin,
            "receipt": parse_object(fetched.receipt),
        }
        if out is not None:
            save(out, emit_json(told), mode=PRIVATE)
        kept_for = client.profile
    terminal.document(
        {
            **told,
            "size": fetched.came.size,
            "digest": fetched.came.digest,
            "resealed": parse_object(fetched.resealed) if fetched.resealed else None,
            "objected": list(fetched.objected),
            "trust_grade": fetched.trust_grade or None,
            "file": str(file) if said.digest is not None else None,
            "annotated_copy": fetched.copy or None,
            "verified": {"entry": fetched.verified.index, "grade": fetched.verified.grade.value},
        }
    )
    en, zh = _STATES.get(said.state, ("ended", "已失效"))
    terminal.say(f"The certificate is {en}.", f"证照状态：{zh}。")
    if said.origin is not None:
        terminal.say("Made from a scan: no original.", "由扫描件制成，非原件。")
    if fetched.resealed:
        terminal.say(
            "Sealed anew since it was handed out first; the log proves both files.",
            "首次提供后已重新用印；日志可证明前后两份文件。",
        )
    if fetched.objected:
        doubted = ", ".join(fetched.objected)
        terminal.say(
            f"Somebody objects to: {doubted}; have it confirmed.",
            f"存在异议的信息项：{doubted}，请核实后使用。",
        )
    terminal.say(
        f"Verified: receipt of log entry {fetched.verified.index}.",
        f"已核验：日志条目 {fetched.verified.index} 的回执。",
    )
    if said.digest is None:
        terminal.say("No document came.", "未取得文件。")
        raise typer.Exit(ExitCode.REFUSED)
    terminal.say(f"Document: {in_folder(file)}", f"文件：{in_folder(file)}")
    if fetched.copy:
        terminal.say(f"It is {fetched.copy}.", f"该文件为加注件 {fetched.copy}。")
        tell_code(terminal, fetched.verified.entry.data.get("code"))
        next_step(terminal, f"sealway verify {in_folder(file)} --trust trust.json")
    say_kept(terminal, out, sent, kept_for)


def _purpose(purpose: str, until: str) -> CopyPurpose | None:
    if not purpose:
        return None
    return CopyPurpose(purpose, moment(until, option="--until", end_of_day=True).seconds)
