"""`sealway document preserve`: what keeps a sealed PDF verifiable for years, behind its seals."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs.files import PUBLIC
from connectors.profile import read_bounded
from hub.cli import time_stamping
from hub.cli.session import JsonOption, in_folder, next_step, save
from hub.cli.terminal import Terminal, UsageError
from hub.clock import now_us
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.reports.report import Kind
from hub.proof.run import Evidence
from hub.proof.worker import FILE_BYTES_MAX, Verifiers

_LIST_BYTES_MAX = 4_194_304


def preserve(
    file: Annotated[Path, typer.Argument(help="A sealed PDF.", exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it.")],
    crl: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Revocation list (X.509, DER) of an authority of the signer or of the time"
            " stamps; repeatable.",
        ),
    ] = None,
    chain: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Certificates of these authorities, PEM; repeatable."),
    ] = None,
    url: time_stamping.UrlOption = "",
    anchors: Annotated[
        Path | None,
        typer.Option("--tsa-anchors", metavar="FILE", help="Anchors of its chain, PEM; kept too."),
    ] = None,
    policy: time_stamping.PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Keep a sealed PDF verifiable: revocation lists and certificates are put behind its seals
    (PAdES B-LT), and with --tsa a time stamp over everything (B-LTA).

    Nothing under a seal changes. Lists that are current now prove in years that nobody was revoked
    when it was sealed, if a time stamp says when that was. Before a time stamp's authority ends,
    add another one.

    Example: sealway document preserve original.pdf --crl seal-ca.crl --chain seal.pem
    --tsa https://tsa.example --tsa-anchors tsa.pem --out kept.pdf
    """
    terminal = Terminal(as_json)
    if not crl and not url:
        raise UsageError("give --crl, --tsa, or both", "请用 --crl 或 --tsa，也可同时使用")
    if bool(url) != (anchors is not None):
        raise UsageError("--tsa and --tsa-anchors go together", "--tsa 与 --tsa-anchors 须同时使用")
    pinned = () if anchors is None else time_stamping.certificates(anchors)
    stamps = time_stamping.service(url, pinned, policy) if url else None
    kept = [*pinned, *(one for each in chain or () for one in time_stamping.certificates(each))]
    lists = [_list(each) for each in crl or ()]
    document = read_bounded(file, FILE_BYTES_MAX, "document")
    _check(document)
    # Only who adds to documents pays for loading pyHanko.
    from hub.seal.documents.pdf_archive import add_document_stamp, add_evidence  # noqa: PLC0415

    if lists:
        document = add_evidence(document, [one.public_bytes(Encoding.DER) for one in kept], lists)
    if stamps is not None:
        document = add_document_stamp(document, stamps)
    _check(document)
    save(out, document, mode=PUBLIC)
    terminal.document({"document": str(out)})
    terminal.say(f"Kept: {in_folder(out)}", f"已写入：{in_folder(out)}")
    next_step(terminal, f"sealway verify {in_folder(out)} --trust TRUST")


def _list(file: Path) -> bytes:
    data = read_bounded(file, _LIST_BYTES_MAX, "revocation list")
    try:
        x509.load_der_x509_crl(data)
    except ValueError as error:
        raise UsageError(
            f"{file}: no revocation list in DER", f"{file}：不是 DER 格式的吊销列表"
        ) from error
    return data


def _check(document: bytes) -> None:
    """A PDF of which nothing is invalid, as far as it can be judged without trust; read where
    it can be killed. Raises ProofError."""
    with closing(Verifiers()) as verifiers:
        report = verifiers.verify(document, None, Evidence(now=now_us() // 1_000_000))
    if report is None or report.kind is not Kind.PDF:
        raise ProofError(ProofReason.PDF_MALFORMED)
    for step in report.steps:
        if step.verdict is Verdict.INVALID or step.reason is ProofReason.PDF_NOT_SEALED:
            assert step.reason is not None
            raise ProofError(step.reason, step.detail or "")
