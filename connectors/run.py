"""One run: everything in the source reaches the hub or is accounted for, whatever interrupts it.

Per page (at most 1,000 records):
1. read and map;
2. leave out rows whose bytes were accepted before;
3. salt, sign the batch root;
4. stage: rows, root, bad rows and counts in one transaction;
5. submit and verify the answer;
6. settle: receipt, results, known digests and cursor in one transaction.

A process that ends between 4 and 6 leaves one staged batch. The next run sends it again, byte for
byte, before it reads on. Without anything to send, step 4 moves the cursor and is the last.

Where the hub refuses a batch for what it says (another authority, a type that is not published, no
intent), step 4 is taken back: what was wrong is corrected in the manifest or the command, and the
rows are signed again.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Final

from connectors.attestations import read_attestations
from connectors.client import HubRefusedError
from connectors.faults import row_error
from connectors.manifest import LoadedManifest
from connectors.mapping import Mapped, RowMapper
from connectors.outbox import Counts, Outbox, OutboxRow, Page, RowOutcome, Run, StagedBatch
from connectors.quarantine import RAW_BYTES_MAX, BadRow
from connectors.sources.delimited import DelimitedFile, Position, Record
from connectors.submit import BatchAnswer, Submitter, check_answer
from hub.domain.row import ROW_BYTES_MAX, emit_row
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.proof.exchange.batch import SALT_BYTES, BatchRoot, Purpose, row_leaf, sign_batch_root
from hub.proof.jose import Signer
from hub.proof.log.merkle import root as merkle_root
from hub.proof.log.receipt import LogTrust

PAGE_RECORDS_MAX: Final = 1000
# Salt, and the tags and lengths around both, per row of a message.
ROW_OVERHEAD_BYTES: Final = SALT_BYTES + 16
# A page ends where one more row of full size might not fit the message (4,000,000 bytes).
PAGE_BYTES_MAX: Final = 4_000_000 - 16_384 - ROW_BYTES_MAX - ROW_OVERHEAD_BYTES
BRAKE_WINDOW_MIN: Final = 1000

Watch = Callable[[int, int], None]
"""Told after each page how many bytes of how many are behind the cursor."""


@dataclass(frozen=True, slots=True)
class Identity:
    """In whose name rows are signed, and which hub they are for."""

    system: str
    authority: str
    origin: str
    region: str
    signer: Signer
    trust: LogTrust

    @property
    def chain(self) -> str:
        """The name of the chain of batch roots: system and hub."""
        return f"{self.system} at {self.origin}"


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run came to. It balances, or there is no report."""

    run: str
    file: str
    sha256: str
    resumed: bool
    counts: Counts
    warnings: dict[str, int]
    receipts: int
    quarantine_open: int

    @property
    def exit_code(self) -> int:
        """0, or 6 where rows were quarantined or refused (connectors.md §3.6)."""
        return 6 if self.counts.quarantined or self.counts.refused else 0

    def members(self) -> dict[str, str | int | dict[str, int]]:
        """The report as JSON members; counts stand at the top."""
        members: dict[str, str | int | dict[str, int]] = asdict(self)
        del members["counts"]
        computed = {"accepted": self.counts.accepted, "exit_code": self.exit_code}
        return members | asdict(self.counts) | computed


@dataclass(slots=True)
class ConnectorRun:
    """A run of one manifest against one open file. Use it once."""

    loaded: LoadedManifest
    identity: Identity
    outbox: Outbox
    submitter: Submitter
    now_us: Callable[[], int]
    watch: Watch
    _window: deque[bool] = field(init=False)

    def __post_init__(self) -> None:
        size = max(self.loaded.manifest.brake.after, BRAKE_WINDOW_MIN)
        self._window = deque(maxlen=size)

    def __call__(self, source: DelimitedFile) -> RunReport:
        """Run to the end of `source`, after finishing what an earlier run left open.

        Raises HubError: RUN_BRAKED (cursor unmoved), RUN_NOT_BALANCED, SOURCE_CHANGED,
        HUB_ANSWER_INVALID, and what the submitter raises. What was staged stays in the outbox,
        unless the hub refused it for its content.
        """
        run, resumed = self._take_up(source)
        path = self.loaded.attestations_path
        attestations = None if path is None else read_attestations(path)
        mapper = RowMapper(self.loaded, source, attestations)
        records = source.records(run.cursor)
        end = run.cursor or source.first
        while page := self._page(mapper, records, end, source):
            self._check_brake(page)
            self.outbox.stage(run.id, page, self.now_us())
            if page.batch is not None:
                try:
                    self._deliver(run.id, page.batch, page.end, source.path.name)
                except HubRefusedError as refusal:
                    if _is_about_content(refusal):
                        self.outbox.withdraw(page.batch)
                    raise
            end = page.end
            self.watch(end.offset, source.size)
        source.check_unchanged()
        return self._finish(run, end, source, resumed)

    def _take_up(self, source: DelimitedFile) -> tuple[Run, bool]:
        """The run to continue, its staged batch delivered, or a new one."""
        name, manifest = source.path.name, self.loaded.digest
        left = self.outbox.open_run()
        if left is not None:
            waiting = self.outbox.unanswered(left.id)
            if waiting is not None:
                try:
                    self._deliver(left.id, waiting[0], waiting[1], left.file)
                except HubRefusedError as refusal:
                    if refusal.reason not in _NEVER_TAKEN:
                        raise
                    self.outbox.withdraw(waiting[0])
            if (left.file, left.sha256, left.manifest) == (name, source.sha256, manifest):
                continued = self.outbox.open_run()
                assert continued is not None
                return continued, True
            # File or manifest is another by now: what was sent is accounted for, the rest is read
            # again under the new run.
            self.outbox.finish_run(left.id, '{"superseded":true}', self.now_us())
        run = Run(secrets.token_hex(16), name, source.sha256, manifest, None, False)
        self.outbox.begin_run(run, self.now_us())
        return run, False

    def _page(
        self,
        mapper: RowMapper,
        records: Iterator[Record],
        start: Position,
        source: DelimitedFile,
    ) -> Page | None:
        """Steps 1 to 3: the next page, or None at the end of the file."""
        read = skipped = size = 0
        end, name = start, source.path.name
        bad: list[BadRow] = []
        warnings: list[str] = []
        rows: list[tuple[str, bytes, Record]] = []
        for record in islice(records, PAGE_RECORDS_MAX):
            read, end = read + 1, record.next
            mapped = _map(mapper, record)
            data = b"" if mapped.row is None else emit_row(mapped.row)
            if mapped.skipped is not None:
                skipped += 1
            elif mapped.row is None:
                bad.append(_bad_row(name, record, mapped))
            elif len(data) > ROW_BYTES_MAX:
                error = row_error("row", "row.size", limit=ROW_BYTES_MAX)
                bad.append(_bad_row(name, record, Mapped(None, None, (error,), None, ())))
            else:
                rows.append((mapped.row.source_key, data, record))
                warnings += [rule for _, rule in mapped.warnings]
                size += len(data) + ROW_OVERHEAD_BYTES
            self._window.append(mapped.row is None and mapped.skipped is None)
            if size > PAGE_BYTES_MAX:
                break
        if not read:
            return None
        news = self._news(rows)
        return Page(
            read=read,
            unchanged=len(rows) - len(news),
            skipped=skipped,
            bad=tuple(bad),
            passed=tuple({key for key, _, _ in rows} - {row.source_key for row in news}),
            warnings=tuple(warnings),
            batch=self._sign(news) if news else None,
            end=end,
        )

    def _news(self, rows: list[tuple[str, bytes, Record]]) -> list[OutboxRow]:
        """Step 2: rows whose bytes differ from what was accepted last under their key.

        A row repeated within the page counts as unchanged, too.
        """
        known = self.outbox.accepted_digests([key for key, _, _ in rows])
        salts = os.urandom(SALT_BYTES * len(rows))
        news: list[OutboxRow] = []
        for i, (key, data, record) in enumerate(rows):
            found = hashlib.sha256(data).digest()
            if known.get(key) == found:
                continue
            known[key] = found
            salt = salts[i * SALT_BYTES : (i + 1) * SALT_BYTES]
            news.append(OutboxRow(key, found, salt, data, record.line, record.offset))
        return news

    def _sign(self, rows: list[OutboxRow]) -> StagedBatch:
        """Step 3: the next root of the chain over these rows."""
        chain, connector = self.outbox.chain_end(), self.loaded.manifest.connector
        seq = chain.seq + 1
        name = f"{connector.id}-{seq:08d}"
        root = BatchRoot(
            purpose=Purpose.ROW,
            iss=self.identity.system,
            aud=self.identity.origin,
            region=self.identity.region,
            authority=self.identity.authority,
            connector=connector.id,
            batch=name,
            seq=seq,
            prev=chain.chain_digest,
            n=len(rows),
            root=merkle_root([row_leaf(row.salt, row.row) for row in rows]),
            vct=f"https://{self.identity.origin}/vct/{connector.type}",
            type_version=connector.type_version,
            manifest=self.loaded.digest,
            iat=self.now_us() // 1_000_000,
        )
        compact = sign_batch_root(root, self.identity.signer)
        return StagedBatch(seq, name, compact, digest(compact.rpartition(".")[0]), tuple(rows))

    def _deliver(self, run_id: str, batch: StagedBatch, end: Position, file: str) -> None:
        """Steps 5 and 6."""
        answer = self.submitter.submit(batch)
        check_answer(batch, answer, self.identity.system, self.identity.trust)
        outcomes = _outcomes(batch, answer, file)
        self.outbox.settle(
            run_id,
            batch,
            end=end,
            receipt=answer.receipt,
            outcomes=outcomes,
            now_us=self.now_us(),
        )

    def _check_brake(self, page: Page) -> None:
        brake, bad = self.loaded.manifest.brake, sum(self._window)
        if len(self._window) >= brake.after and bad > brake.ratio * len(self._window):
            raise HubError(
                Reason.RUN_BRAKED,
                bad=bad,
                read=len(self._window),
                ratio=f"{brake.ratio:.0%}",
                line=page.end.line,
            )

    def _finish(self, run: Run, end: Position, source: DelimitedFile, resumed: bool) -> RunReport:
        """The report, if and only if every row and every byte of the file is accounted for."""
        counts = self.outbox.counts(run.id)
        # A DOS end mark is the one byte that is no record.
        unread = source.size - end.offset
        if counts.difference or unread not in (0, 1):
            raise HubError(
                Reason.RUN_NOT_BALANCED,
                read=counts.read,
                difference=counts.difference,
                bytes=unread,
            )
        self.outbox.close_gone(run.id, run.file, self.now_us())
        report = RunReport(
            run=run.id,
            file=run.file,
            sha256=run.sha256,
            resumed=resumed,
            counts=counts,
            warnings=self.outbox.warnings(run.id),
            receipts=self.outbox.receipts(run.id),
            quarantine_open=self.outbox.open_quarantined(),
        )
        self.outbox.finish_run(run.id, json.dumps(report.members()), self.now_us())
        return report


def _map(mapper: RowMapper, record: Record) -> Mapped:
    if record.fault is not None:
        error = row_error("line", record.fault.rule, **record.fault.details)
        return Mapped(None, None, (error,), None, ())
    if record.cells is None:
        return Mapped(None, "blank line", (), None, ())
    return mapper.map(record.cells)


def _bad_row(file: str, record: Record, mapped: Mapped) -> BadRow:
    raw = record.raw
    return BadRow(
        key=mapped.source_key or hashlib.sha256(raw).hexdigest(),
        file=file,
        line=record.line,
        offset=record.offset,
        size=record.next.offset - record.offset,
        raw=raw[:RAW_BYTES_MAX],
        errors=mapped.errors,
    )


def _outcomes(batch: StagedBatch, answer: BatchAnswer, file: str) -> list[RowOutcome]:
    return [
        RowOutcome(
            result.outcome,
            result.certificate,
            result.identifier,
            BadRow(
                row.source_key,
                file,
                row.line,
                row.offset,
                len(row.row),
                row.row[:RAW_BYTES_MAX],
                result.errors,
            )
            if result.outcome == "refused"
            else None,
        )
        for row, result in zip(batch.rows, answer.results, strict=True)
    ]


# Refusals of what a batch says. Whoever is refused so has nothing of the batch on file at the hub,
# except where rights changed after an answer that was lost: so the first group counts for a batch
# that was not sent before, and only the second for any.
_NEVER_TAKEN: Final = frozenset(
    {Reason.CERTIFICATE_TYPE_NOT_FOUND, Reason.INTENT_NOT_APPROVED, Reason.INTENT_EXHAUSTED}
)
_NOT_TAKEN: Final = _NEVER_TAKEN | {
    Reason.AUTHORITY_NOT_ALLOWED,
    Reason.ISSUER_NOT_ALLOWED,
    Reason.BATCH_INVALID,
    Reason.MESSAGE_TOO_LARGE,
}


def _is_about_content(refusal: HubRefusedError) -> bool:
    """Whether a batch sent for the first time was refused for what it says.

    A root out of its place stays staged: the outbox is not the one that the hub knows.
    """
    is_misplaced = refusal.details.get("rule") in ("BATCH_SEQ", "BATCH_PREV")
    return refusal.reason in _NOT_TAKEN and not is_misplaced


def exit_code_of(error: HubError, status: str) -> int:
    """The exit code of a run that ended with `error` (connectors.md §3.6).

    `status` is the gRPC status of a refusal by the hub, empty for our own errors.
    """
    if status in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return 4
    if status:
        return 7
    return _EXIT_CODES.get(error.reason, 7)


_EXIT_CODES: Final = {
    Reason.MANIFEST_INVALID: 2,
    Reason.SOURCE_UNREADABLE: 3,
    Reason.SOURCE_CHANGED: 3,
    Reason.FILE_UNREADABLE: 4,
    Reason.SOURCE_LAYOUT: 5,
    Reason.OUTBOX_LOCKED: 7,
    Reason.OUTBOX_OTHER: 2,
    Reason.HUB_ANSWER_INVALID: 7,
    Reason.RUN_BRAKED: 8,
    Reason.RUN_NOT_BALANCED: 9,
}
