"""`sealway exchange fetch`: ask, verify everything, and only then show.

1. Keep the signed request before it is sent. 2. Call. 3. The receipt must prove that this answer to
this request is in the log. 4. Every presentation must be the authority's genuine seal on what was
asked for: type, identifier or holder, fields. 5. Keep the log's head. 6. Store, then show.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from certs.files import PRIVATE
from connectors.client import HubClient
from connectors.heads import keep_receipt_head, kept_head, read_trust
from hub.cli.exchange_document import exchange_document
from hub.cli.holders import HolderFileOption, HolderOption, read_holder
from hub.cli.plan import plan_materials
from hub.cli.session import (
    JsonOption,
    ProfileOption,
    RequestIdOption,
    connected,
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
from hub.cli.terminal import Document, Terminal, UsageError
from hub.cli.verify_information import verify_information
from hub.domain.certificate import Origin
from hub.domain.holder import Holder as DomainHolder
from hub.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from hub.proof.encoding import Json, emit_json, parse_object
from hub.proof.exchange.request import (
    CERTIFICATES_MAX,
    Holder,
    RequestClaims,
    RequestedCertificate,
    sign_request,
)
from hub.proof.jose import Algorithm
from hub.proof.log.receipt import Answered, LoggedCertificate, VerifiedReceipt, verify_receipt
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.records.sd_jwt import Expectation, Presentation, open_record, verify_presentation
from hub.proof.records.twin import check_same, check_sealed_with, check_twins
from hub.proof.trust import Trust

FETCH_RPC: Final = "/hub.exchange.v1.ExchangeService/FetchCertificates"

app = typer.Typer(no_args_is_help=True, help="Ask for fields of certificates.")


@app.callback()
def exchange() -> None:
    """Ask for fields of certificates."""


@app.command()
def fetch(
    certificate_type: Annotated[str, typer.Option("--type", help="Type code, 21 characters.")],
    wanted_field: Annotated[
        list[str], typer.Option("--field", help="Field asked for; repeat. Only granted ones.")
    ],
    item: ItemOption,
    matter: MatterOption,
    basis: BasisOption,
    cert: Annotated[
        list[str] | None, typer.Option(help="GB/T 36904 identifier; repeat, up to 20.")
    ] = None,
    holder: HolderOption = None,
    holder_file: HolderFileOption = None,
    clerk: ClerkOption = CLERK,
    sm2: Annotated[
        bool, typer.Option("--sm2", help="Ask for the SM2 twins too, of records that have them.")
    ] = False,
    out: OutOption = None,
    profile: ProfileOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch the granted fields of up to 20 certificates, by identifier or by holder.

    Seals and receipt are verified before anything is shown; an answer that does not verify is not
    shown at all (exit 1, or 2 where it cannot be checked).

    Example: sealway exchange fetch --holder 001:91330100MA2XXXXX1A --type 11100000MB0143028R001
    --field name --field scope --item 331022003000 --matter 330100-2026-000017
    --basis "行政许可法 第三十一条" --out answer.json
    """
    terminal = Terminal(as_json)
    identifier = request_id(repeat)
    with connected(profile) as client:
        who = read_holder(holder, holder_file)
        vct = f"https://{client.profile.origin}/vct/{certificate_type.upper()}"
        asked = _asked(vct, tuple(wanted_field), tuple(cert or ()), who)
        trust = read_trust(client.profile)
        sent = SentRequests.beside(out, identifier)
        claims = RequestClaims(
            iss=client.profile.name,
            aud=client.profile.origin,
            region=client.profile.region,
            rpc=FETCH_RPC,
            jti=identifier,
            **NOT_YET_SIGNED,
            certificates=asked,
            service_item=item,
            matter=matter,
            basis=basis,
            clerk=clerk,
            log=kept_head(client.profile),
        )
        answer = _ask(terminal, client, claims, sent, with_sm2_twin=sm2)
        verified, presentations = _verify(answer, asked, sent, client, trust)
        _verify_twins(answer, presentations, trust, required=sm2)
        keep_receipt_head(client, verified)
    document = _document(answer)
    if out is not None:
        save(out, emit_json(document), mode=PRIVATE)
    _show(terminal, document, verified, presentations, answer.certificates)
    say_kept(terminal, out, sent, client.profile)


app.command("verify")(verify_information)
app.command("plan")(plan_materials)
app.command("document")(exchange_document)


def _asked(
    vct: str, fields: tuple[str, ...], certs: tuple[str, ...], holder: DomainHolder | None
) -> tuple[RequestedCertificate, ...]:
    if (holder is None) == (not certs):
        raise UsageError(
            "name the certificates by --cert, or their holder by --holder or --holder-file",
            "请用 --cert 指定证照，或用 --holder、--holder-file 指定持证主体（二选一）",
        )
    if len(certs) > CERTIFICATES_MAX:
        raise UsageError(
            f"one request names at most {CERTIFICATES_MAX} certificates",
            f"一次请求最多 {CERTIFICATES_MAX} 个证照",
        )
    if holder is not None:
        return (RequestedCertificate(vct, fields, holder=Holder(holder.type, holder.number)),)
    return tuple(RequestedCertificate(vct, fields, cert=cert) for cert in certs)


def _ask(
    terminal: Terminal,
    client: HubClient,
    claims: RequestClaims,
    sent: SentRequests,
    *,
    with_sm2_twin: bool,
) -> exchange_pb2.FetchCertificatesResponse:
    signed = sent.signing(claims, sign_request, client.profile.signer())
    stub = exchange_pb2_grpc.ExchangeServiceStub(client.channel)
    answer: exchange_pb2.FetchCertificatesResponse = write_signed(
        terminal,
        client,
        stub.FetchCertificates,
        lambda token: exchange_pb2.FetchCertificatesRequest(
            request_id=claims.jti, signed_request=signed(token), with_sm2_twin=with_sm2_twin
        ),
        claims.jti,
    )
    return answer


def _verify(
    answer: exchange_pb2.FetchCertificatesResponse,
    wanted: tuple[RequestedCertificate, ...],
    sent: SentRequests,
    client: HubClient,
    trust: Trust,
) -> tuple[VerifiedReceipt, list[Presentation | None]]:
    """The receipt, then each presentation. Raises ProofError with the first reason that fails."""
    verified = verify_receipt(
        answer.receipt.json.encode(),
        sent.texts,
        client.profile.name,
        [
            Answered(shown_enum(given, "state"), given.presentation or None)
            for given in answer.certificates
        ],
        trust.log,
    )
    if verified.request.certificates != wanted:
        # A request kept from another run under this id asked for something else.
        raise ProofError(ProofReason.REQUEST_NOT_MINE, "the answer is to another question")
    now = int(time.time())
    presentations = []
    triples = zip(answer.certificates, wanted, verified.entry.certificates, strict=True)
    for given, asked, logged in triples:
        if bool(given.presentation) != (
            given.state == exchange_pb2.FetchedCertificate.STATE_ACTIVE
        ):
            raise ProofError(ProofReason.STATE_DIFFERS, "data only, and always, while in force")
        presentations.append(
            _verify_presentation(given.presentation, asked, logged, trust, now)
            if given.presentation
            else None
        )
    return verified, presentations


def _verify_twins(
    answer: exchange_pb2.FetchCertificatesResponse,
    presentations: Sequence[Presentation | None],
    trust: Trust,
    *,
    required: bool,
) -> None:
    """Each SM2 twin, and that there is one wherever the record names one. Raises ProofError."""
    now = int(time.time())
    for given, presentation in zip(answer.certificates, presentations, strict=True):
        if presentation is None:
            continue
        if given.sm2_presentation:
            check_same(given.presentation, given.sm2_presentation)
            twin = open_record(
                given.sm2_presentation,
                origin=trust.origin,
                region=trust.region,
                keys=None,
                anchors=trust.seal_anchors,
                now=now,
            )
            check_twins(presentation, twin)
        elif required and Algorithm.SM2.name in presentation.record.algs:
            check_sealed_with(Algorithm.SM2, presentation, {presentation.algorithm})


def _verify_presentation(
    text: str, asked: RequestedCertificate, logged: LoggedCertificate, trust: Trust, now: int
) -> Presentation:
    expected = Expectation(
        origin=trust.origin,
        region=trust.region,
        vct=asked.vct,
        fields=frozenset(asked.fields),
        cert=logged.cert,
        holder=(asked.holder.type, asked.holder.number) if asked.holder else None,
        version=logged.version,
    )
    return verify_presentation(text, expected, keys=None, anchors=trust.seal_anchors, now=now)


def _document(answer: exchange_pb2.FetchCertificatesResponse) -> dict[str, Json]:
    """The answer as it is stored and as `sealway verify` reads it."""
    certificates: list[Json] = []
    for given in answer.certificates:
        members: dict[str, Json] = {"state": shown_enum(given, "state")}
        if given.presentation:
            members["presentation"] = given.presentation
        if given.sm2_presentation:
            members["sm2_presentation"] = given.sm2_presentation
        certificates.append(members)
    return {
        "request_id": answer.request_id,
        "certificates": certificates,
        "receipt": parse_object(answer.receipt.json.encode()),
    }


def _not_an_original(terminal: Terminal) -> str:
    return terminal.choose(
        "compared with the original by a conversion officer; not an original",
        "经转换员与原件核对无误；不是原件",
    )


def _show(
    terminal: Terminal,
    document: dict[str, Json],
    verified: VerifiedReceipt,
    presentations: Sequence[Presentation | None],
    answered: Sequence[exchange_pb2.FetchedCertificate],
) -> None:
    found: list[Document] = []
    rows: list[tuple[str, str, str]] = []
    logged = verified.entry.certificates
    for entry, shown, given in zip(logged, presentations, answered, strict=True):
        found.append(
            {
                "cert": entry.cert,
                "state": entry.state,
                "fields": dict(shown.disclosed) if shown else {},
                "custody": shown.custody.value if shown else None,
                "origin": shown.origin.value if shown else None,
                "trust_grade": shown.grade.value if shown else None,
                "objected": list(given.objected_fields),
            }
        )
        rows.append((entry.cert or "", terminal.choose("state", "状态"), entry.state))
        if shown is not None:
            no_value = terminal.choose("(no value)", "（无值）")
            rows += [
                ("", name, no_value if value is None else str(value))
                for name, value in shown.disclosed.items()
            ]
            rows.append(("", terminal.choose("custody", "保管"), shown.custody.value))
            rows.append(("", terminal.choose("trust grade", "可信等级"), shown.grade.value))
            if shown.origin is Origin.SCAN:
                rows.append(("", terminal.choose("scan", "扫描件"), _not_an_original(terminal)))
    for entry, given in zip(logged, answered, strict=True):
        if given.objected_fields:
            doubted = ", ".join(given.objected_fields)
            terminal.say(
                f"Somebody objects to {doubted} of {entry.cert}; have it confirmed.",
                f"{entry.cert} 的 {doubted} 存在异议，请核实后使用。",
            )
    terminal.document(
        {
            **document,
            "verified": {"entry": verified.index, "grade": verified.grade.value, "found": found},
        }
    )
    terminal.table((("certificate", "证照"), ("field", "字段"), ("value", "值")), rows)
    terminal.say(
        f"Verified: seals, and receipt of log entry {verified.index} ({verified.grade.value}).",
        f"已核验：电子印章，及日志条目 {verified.index} 的回执（{verified.grade.value}）。",
    )
