"""`sealway trust`: what a verifier has pinned, shown and changed, in one file.

All of it is offline but `update`, which believes the hub nothing that its log does not prove.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certs.files import write_replacing
from certs.keys import read_certificate
from connectors.client import HubClient
from connectors.heads import keep_checkpoint_head, kept_head
from connectors.profile import read_bounded
from hub.cli.session import JsonOption, ProfileOption, all_pages, connected, moment
from hub.cli.terminal import Document, Terminal, UsageError
from hub.domain.seal_key import KeyAlgorithm
from hub.proof.jose import thumbprint
from hub.proof.key_checks import key_digest
from hub.proof.key_statements import (
    proven_statements,
    with_statements,
)
from hub.proof.moment import iso_time
from hub.proof.reasons import ProofError
from hub.proof.trust import (
    TRUST_BYTES_MAX,
    AlgorithmEnd,
    Compromise,
    Trust,
    parse_trust,
    trust_file,
)
from hub.proof.x509.sm2 import parse_x509
from hub.seal.v1 import seal_pb2, seal_pb2_grpc
from hub.v1 import common_pb2

app = typer.Typer(no_args_is_help=True, help="Trust files: what a verifier has pinned.")

_FileArgument = Annotated[Path, typer.Argument(help="The trust file.", metavar="TRUST.JSON")]
_AnchorOption = Annotated[list[Path] | None, typer.Option(metavar="FILE")]
_USES: Final = ("seal", "maker", "signer", "pdf", "stamp")


@app.command()
def show(file: _FileArgument, as_json: JsonOption = False) -> None:
    """Show what is pinned: anchors by use, compromised keys, algorithms that end.

    Example: sealway trust show trust.json
    """
    _show(Terminal(as_json), _read(file))


@app.command()
def pin(
    file: _FileArgument,
    seal: _AnchorOption = None,
    maker: _AnchorOption = None,
    signer: _AnchorOption = None,
    pdf: _AnchorOption = None,
    stamp: _AnchorOption = None,
    face: _AnchorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add anchors (X.509, PEM or DER), each for its use alone.

    Uses: record seals, makers of electronic seals, signers under them, signers of PDF, time stamp
    authorities. --face is no anchor, but the certificate of the very key with which an authority
    signs codes on faces. What is pinned already stays.

    Example: sealway trust pin trust.json --maker makers-ca.pem --signer signers-ca.pem
    """
    trust = _read(file)
    if not any((seal, maker, signer, pdf, stamp, face)):
        raise UsageError(
            "nothing to pin: name a file with --seal, --maker, --signer, --pdf, --stamp or --face",
            "没有要添加的信任锚：请用 --seal、--maker、--signer、--pdf、--stamp 或 --face 指定文件",
            see="sealway trust pin",
        )
    pinned = replace(
        trust,
        seal_anchors=_with(trust.seal_anchors, seal),
        maker_anchors=_with(trust.maker_anchors, maker),
        signer_anchors=_with(trust.signer_anchors, signer),
        pdf_anchors=_with(trust.pdf_anchors, pdf),
        stamp_anchors=_with(trust.stamp_anchors, stamp),
        face_certificates=_with(trust.face_certificates, face),
    )
    _write(Terminal(as_json), file, pinned)


@app.command()
def compromised(
    file: _FileArgument,
    since: Annotated[str, typer.Option(help="Since when the key is in other hands: day or time.")],
    certificate: Annotated[
        Path | None, typer.Option(help="X.509 certificate of the key (PEM or DER).")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Or its digest, as `trust show` names it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Declare a key compromised: what was signed since is invalid, and what was signed before
    counts only where a time stamp or witnesses prove it.

    Example: sealway trust compromised trust.json --certificate seal.pem --since 2026-11-01
    """
    if (certificate is None) is (key is None):
        raise UsageError(
            "name the key by --certificate or by --key, and not by both",
            "请用 --certificate 或 --key 之一指明密钥",
            see="sealway trust compromised",
        )
    trust = _read(file)
    keys = [key] if key is not None else _keys(certificate) if certificate is not None else []
    from_s = moment(since, option="--since").seconds
    declared = [Compromise(item, from_s) for item in keys]
    both = tuple(dict.fromkeys([*trust.compromised, *declared]))
    _write(Terminal(as_json), file, replace(trust, compromised=both))


@app.command()
def end(
    file: _FileArgument,
    algorithm: Annotated[str, typer.Argument(help="As a report names it: SM2, ES256, …")],
    until: Annotated[str, typer.Option(help="From when it counts for nothing new: day or time.")],
    as_json: JsonOption = False,
) -> None:
    """Let an algorithm end: what was signed with it before counts as proven from outside only.

    Example: sealway trust end trust.json ES256 --until 2035-12-31
    """
    known = [item.value for item in KeyAlgorithm]
    if algorithm not in known:
        raise UsageError(
            f"{algorithm} is none of {', '.join(known)}",
            f"{algorithm} 不是 {'、'.join(known)} 之一",
        )
    trust = _read(file)
    ends = AlgorithmEnd(algorithm, moment(until, option="--until").seconds)
    others = [item for item in trust.algorithms if item.algorithm != algorithm]
    _write(Terminal(as_json), file, replace(trust, algorithms=(*others, ends)))


@app.command()
def update(file: _FileArgument, profile: ProfileOption = None, as_json: JsonOption = False) -> None:
    """Take over what the hub's log proves of its keys: in whose custody each is, which are
    compromised, and the certificates of those that sign codes on faces, where they lead to an
    anchor for record seals that is pinned. Anchors and log keys stay as they are.

    Each entry must stand in the log under the key that the file pins, and the log must continue
    the head that was last seen here; else nothing changes. A compromise only ever begins earlier.

    Example: sealway trust update trust.json --profile member/client.toml
    """
    terminal, trust = Terminal(as_json), _read(file)
    with connected(profile) as client:
        if trust.origin != client.profile.origin:
            raise UsageError(
                f"{file} is of {trust.origin}, the profile of {client.profile.origin}",
                f"{file} 属于 {trust.origin}，而客户端配置属于 {client.profile.origin}",
            )
        before = kept_head(client.profile)
        proven = [proven_statements(receipt.json, trust.log) for receipt in _statements(client)]
        for head in sorted({head for _, head in proven}, key=lambda head: head.size):
            keep_checkpoint_head(client, before, head)
            before = head
    updated = with_statements(trust, [said for said, _ in proven], int(time.time()))
    changes = _changes(trust, updated)
    if changes:
        _store(file, updated)
        terminal.table([("key", "密钥"), ("was", "原为"), ("is", "现为")], changes)
    else:
        terminal.say("Nothing is new.", "没有变化。")
    names = ("key", "was", "is")
    terminal.document(
        {
            "entries": len(proven),
            "changes": [dict(zip(names, change, strict=True)) for change in changes],
        }
    )


def _statements(client: HubClient) -> list[common_pb2.Receipt]:
    """Receipts of every entry about keys of seals."""
    stub = seal_pb2_grpc.SealServiceStub(client.channel)

    def page(token: str) -> tuple[Sequence[common_pb2.Receipt], str]:
        answer: seal_pb2.ListKeyStatementsResponse = client.call(
            stub.ListKeyStatements, seal_pb2.ListKeyStatementsRequest(page_token=token)
        )
        return answer.receipts, answer.next_page_token

    return all_pages(page)


def _changes(before: Trust, after: Trust) -> list[tuple[str, str, str]]:
    """What is said of keys now and was not before: key, what it was, what it is."""
    changes = []
    for custody in after.custodies:
        if before.custody_of(custody.key) is None:
            changes.append((custody.key, "", custody.custody.value))
    for item in after.compromised:
        known = before.compromised_from(item.key)
        if known is None or item.since < known:
            was = "" if known is None else _compromised_since(known)
            changes.append((item.key, was, _compromised_since(item.since)))
    for one in after.face_certificates:
        if one not in before.face_certificates:
            name = one.subject.rfc4514_string()
            changes.append((_keys_of(one)[0], "", f"face: {name}"))
    return changes


def _compromised_since(since: int) -> str:
    return f"compromised {iso_time(since)}"


def _with(
    pinned: Sequence[x509.Certificate], files: Sequence[Path] | None
) -> tuple[x509.Certificate, ...]:
    added = [read_certificate(file) for file in files or ()]
    return tuple(dict.fromkeys([*pinned, *added]))


def _read(file: Path) -> Trust:
    try:
        return parse_trust(read_bounded(file, TRUST_BYTES_MAX, "trust file"))
    except ProofError as error:
        raise UsageError(
            f"{file} is not a trust file ({error.detail})",
            f"信任文件 {file} 无效（{error.detail}）",
        ) from error


def _write(terminal: Terminal, file: Path, trust: Trust) -> None:
    _store(file, trust)
    _show(terminal, trust)


def _store(file: Path, trust: Trust) -> None:
    """In one step, and only what reads back as it was meant."""
    data = trust_file(trust)
    try:
        parse_trust(data)
    except ProofError as error:
        raise UsageError(
            f"the file would not be valid ({error.detail})", f"更改后的文件无效（{error.detail}）"
        ) from error
    write_replacing(file, data)


def _show(terminal: Terminal, trust: Trust) -> None:
    rows = [
        (use, anchor.subject.rfc4514_string(), _day(anchor), ", ".join(_keys_of(anchor)))
        for use in _USES
        for anchor in getattr(trust, f"{use}_anchors")
    ] + [
        ("face", one.subject.rfc4514_string(), _day(one), ", ".join(_keys_of(one)))
        for one in trust.face_certificates
    ]
    terminal.table(
        [("anchor for", "用途"), ("name", "名称"), ("until", "有效至"), ("key", "密钥")], rows
    )
    ends = [("key", item.key, iso_time(item.since)) for item in trust.compromised]
    ends += [("algorithm", item.algorithm, iso_time(item.until)) for item in trust.algorithms]
    if ends:
        terminal.table([("ended", "已停用"), ("which", "名称"), ("from", "自")], ends)
    if trust.custodies:
        kept = [(item.key, item.custody.value) for item in trust.custodies]
        terminal.table([("key", "密钥"), ("custody", "保管")], kept)
    terminal.document(_document(trust, rows))


def _document(trust: Trust, anchors: Sequence[tuple[str, str, str, str]]) -> Document:
    names = ("use", "name", "until", "keys")
    return {
        "origin": trust.origin,
        "region": trust.region,
        "anchors": [dict(zip(names, row, strict=True)) for row in anchors],
        "compromised": [
            {"key": item.key, "from": iso_time(item.since)} for item in trust.compromised
        ],
        "algorithms": [
            {"algorithm": item.algorithm, "until": iso_time(item.until)}
            for item in trust.algorithms
        ],
        "custodies": [{"key": item.key, "custody": item.custody.value} for item in trust.custodies],
    }


def _keys(file: Path) -> list[str]:
    return _keys_of(read_certificate(file))


def _keys_of(certificate: x509.Certificate) -> list[str]:
    """What trust files may call the certificate's key. A P-256 key has two names: a record seal's
    is known by its thumbprint, a document's by its digest, and no key makes both."""
    try:
        sm2 = parse_x509(certificate.public_bytes(Encoding.DER)).key
    except ProofError:
        sm2 = None
    if sm2 is not None:
        return [key_digest(sm2.to_spki())]
    key = certificate.public_key()
    spki = key_digest(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return [spki, thumbprint(key)]
    return [spki]


def _day(certificate: x509.Certificate) -> str:
    return iso_time(int(certificate.not_valid_after_utc.timestamp()))
