"""`sealway log`: checkpoints, proofs and the audit of everything that the log says."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from certs.files import PUBLIC
from connectors.heads import keep_checkpoint_head, kept_head, read_trust
from connectors.profile import read_bounded
from hub.cli import time_stamping
from hub.cli.serve import ConfigOption, find_config
from hub.cli.session import (
    JsonOption,
    ProfileOption,
    ReceiptOption,
    connected,
    in_folder,
    keep_receipt,
    next_step,
    save,
)
from hub.cli.terminal import ExitCode, Terminal
from hub.config import Config
from hub.ledger.v1 import ledger_pb2, ledger_pb2_grpc
from hub.proof.encoding import b64u
from hub.proof.jose import LogHead
from hub.proof.log.merkle import check_inclusion, leaf_hash
from hub.proof.log.note import Checkpoint, open_checkpoint
from hub.proof.log.receipt import (
    RECEIPT_BYTES_MAX,
    add_stamp,
    last_proof,
    parse_proof,
    parse_receipt,
)
from hub.proof.moment import iso_time
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.time_stamp import verify_token
from hub.proof.trust import Trust

if TYPE_CHECKING:
    from hub.ledger.audit import AuditReport

OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Store it here, byte for byte.")
]

app = typer.Typer(no_args_is_help=True, help="The log: checkpoints, proofs, audit.")


@app.command()
def checkpoint(
    out: OutOption = None, profile: ProfileOption = None, as_json: JsonOption = False
) -> None:
    """Get the newest checkpoint, verify it, and prove that it continues the last one seen here.

    Example: sealway log checkpoint --out checkpoint.txt
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        trust = read_trust(client.profile)
        before = kept_head(client.profile)
        stub = ledger_pb2_grpc.LedgerServiceStub(client.channel)
        answer: ledger_pb2.GetCheckpointResponse = client.call(
            stub.GetCheckpoint, ledger_pb2.GetCheckpointRequest()
        )
        opened = _open(answer.checkpoint, trust)
        head = LogHead(opened.origin, opened.size, b64u(opened.root))
        keep_checkpoint_head(client, before, head)
    if out is not None:
        save(out, answer.checkpoint.encode(), mode=PUBLIC)
    terminal.document({"checkpoint": answer.checkpoint, **head.claim()})
    terminal.say(
        f"{head.origin}: {head.size} entries, root {head.root}. Signature and continuity verified.",
        f"{head.origin}：{head.size} 个条目，根 {head.root}。签名与连续性已核验。",
    )
    if out is not None:
        trusted = in_folder(client.profile.trust)
        next_step(terminal, f"sealway verify {in_folder(out)} --trust {trusted}")


@app.command()
def prove(
    entry: Annotated[int, typer.Argument(min=0, help="Index of the entry, from 0.")],
    out: OutOption = None,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove that an entry stands in the log. What it says is opened to its caller and auditors.

    Example: sealway log prove 1207 --out entry.tlog-proof
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        trust = read_trust(client.profile)
        stub = ledger_pb2_grpc.LedgerServiceStub(client.channel)
        answer: ledger_pb2.GetInclusionProofResponse = client.call(
            stub.GetInclusionProof, ledger_pb2.GetInclusionProofRequest(entry=entry)
        )
    proof = parse_proof(answer.proof)
    opened = _open(proof.checkpoint, trust)
    if proof.index != entry:
        raise ProofError(ProofReason.LATER_INDEX, f"{proof.index} for {entry}")
    check_inclusion(leaf_hash(answer.entry), entry, opened.size, proof.path, opened.root)
    if out is not None:
        save(out, answer.proof.encode(), mode=PUBLIC)
    terminal.document(
        {
            "entry": entry,
            "size": opened.size,
            "proof": answer.proof,
            "receipt": answer.receipt.json or None,
        }
    )
    terminal.say(
        f"Entry {entry} is in the log of {opened.size} entries: verified.",
        f"条目 {entry} 在含 {opened.size} 个条目的日志中：已核验。",
    )
    if answer.receipt.json:
        keep_receipt(terminal, answer.receipt, receipt)
    if out is not None:
        terminal.say(
            f"Keep {in_folder(out)}: it is evidence without the hub.",
            f"请保存 {in_folder(out)}：脱离枢纽仍可作为证据。",
        )


@app.command()
def stamp(
    receipt: Annotated[Path, typer.Argument(help="A receipt, as --receipt keeps it.")],
    url: time_stamping.UrlOption,
    anchors: time_stamping.AnchorsOption,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the stamped receipt.")],
    policy: time_stamping.PolicyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Have a time stamp authority stamp the checkpoint of a receipt (RFC 3161).

    Whatever becomes of the hub's keys later: the entry stood in the log by then.

    Example: sealway log stamp receipt.json --tsa https://tsa.example --tsa-anchors tsa.pem --out
    stamped.json
    """
    terminal = Terminal(as_json)
    pinned = time_stamping.certificates(anchors)
    authority = time_stamping.service(url, pinned, policy)
    text = read_bounded(receipt, RECEIPT_BYTES_MAX, "receipt")
    stamped = parse_proof(last_proof(parse_receipt(text))).checkpoint.encode()
    token = authority.stamp(stamped)
    moment = iso_time(verify_token(token, stamped, pinned))
    save(out, add_stamp(text, token), mode=PUBLIC)
    terminal.document({"receipt": str(out), "stamped_time": moment})
    terminal.say(f"Stamped at {moment}: {out}", f"时间戳 {moment}：{out}")
    next_step(terminal, f"sealway verify {in_folder(out)} --trust TRUST")


@app.command()
def audit(config: ConfigOption = Path("hub.toml"), as_json: JsonOption = False) -> None:
    """Recompute everything: entries, tree, checkpoints, and every row that an entry wrote.

    Names table and key of whatever was changed. Exit code 0 clean, 1 findings. The hub may run.

    Example: sealway log audit --config HOME/hub.toml
    """
    terminal = Terminal(as_json)
    report = asyncio.run(_audit(terminal, find_config(config)))
    terminal.document(
        {
            "entries": report.entries,
            "epochs": report.epochs,
            "rows": report.rows,
            "erased": report.erased,
            "size": report.size,
            "root": b64u(report.root),
            "head_size": report.head_size,
            "findings": [asdict(finding) for finding in report.findings],
            "truncated": report.is_truncated,
        }
    )
    terminal.say(
        f"{report.entries} entries, {report.epochs} epochs and {report.rows} rows recomputed.",
        f"已重新计算 {report.entries} 个条目、{report.epochs} 个批次和 {report.rows} 行。",
    )
    if not report.findings:
        terminal.say("Clean: nothing was changed.", "完好：未发现改动。")
        return
    terminal.table(
        (("table", "表"), ("key", "键"), ("fault", "问题")),
        [(finding.table, finding.key, finding.fault) for finding in report.findings],
    )
    more = "+" if report.is_truncated else ""
    terminal.say(
        f"{len(report.findings)}{more} findings. Stop the hub, keep the database as it is as "
        "evidence, and restore from a backup that audits clean.",
        f"发现 {len(report.findings)}{more} 处问题。请停止枢纽，原样保留数据库作为证据，"
        "并从审计无误的备份恢复。",
    )
    raise typer.Exit(ExitCode.REFUSED)


async def _audit(terminal: Terminal, config: Config) -> AuditReport:
    # Only who opens data pays for loading server and storage.
    from hub import upkeep  # noqa: PLC0415
    from hub.ledger import audit as auditing  # noqa: PLC0415

    report = auditing.AuditReport()
    async with upkeep.open_ledger_for_audit(config) as opened:
        steps = auditing.audit(
            opened.database,
            opened.data_keys,
            metadata=opened.metadata,
            trust=opened.trust,
            external_head=opened.external_head,
            report=report,
        )
        with terminal.progress("audit", "审计", total=None) as bar:
            async for step in steps:
                bar.update(
                    bar.task_ids[0],
                    description=step.part,
                    completed=step.done,
                    total=step.total or None,
                )
    return report


def _open(note: str, trust: Trust) -> Checkpoint:
    return open_checkpoint(note, trust.origin, trust.log_keys, trust.witness_keys)
