"""How a signed batch reaches the hub, and when its answer is believed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from connectors.client import HubClient, HubRefusedError
from connectors.faults import RowError, from_hub
from connectors.outbox import StagedBatch
from hub.errors import HubError, Reason
from hub.proof.encoding import digest, parse_object
from hub.proof.log.receipt import LogTrust, open_proof, parse_receipt
from hub.proof.reasons import ProofError
from hub.registry.v1 import registry_pb2 as pb
from hub.registry.v1 import registry_pb2_grpc

BATCH_DEADLINE_S: Final = 120.0
ATTEMPTS_MAX: Final = 5
PAUSE_MAX_S: Final = 30.0

OUTCOMES: Final = frozenset({"new", "changed", "corrected", "unchanged", "refused"})


@dataclass(frozen=True, slots=True)
class RowResult:
    """The hub's word on one row; `outcome` is one of `OUTCOMES`, errors stand with `refused`."""

    outcome: str
    certificate: str
    identifier: str
    errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """The hub's answer to one batch; `receipt` is kept byte for byte."""

    batch: str
    seq: int
    results: tuple[RowResult, ...]
    receipt: str


class Submitter(Protocol):
    """Sends one batch and returns the hub's answer, not yet verified.

    Sending the same batch again is harmless: the hub answers from what it stored. Raises HubError;
    HubRefusedError where the hub decided, or could not be reached after bounded repetition.
    """

    def submit(self, batch: StagedBatch) -> BatchAnswer:
        """The answer to `batch`."""
        ...


class GrpcSubmitter:
    """Batches over `IngestBatches`, one stream each: a batch is answered before the next is cut."""

    def __init__(self, client: HubClient) -> None:
        self._client = client
        self._stub = registry_pb2_grpc.RegistryServiceStub(client.channel)

    def submit(self, batch: StagedBatch) -> BatchAnswer:
        """See `Submitter`."""
        request = pb.IngestBatchesRequest(
            root_jws=batch.root_jws,
            rows=[pb.Row(salt=row.salt, row=row.row) for row in batch.rows],
        )
        attempt = 0
        while True:
            try:
                return self._send(batch, request)
            except HubRefusedError as refusal:
                waits = refusal.is_unavailable or refusal.retry_after_s is not None
                attempt += 1
                if not waits or attempt >= ATTEMPTS_MAX:
                    raise
                time.sleep(min(refusal.retry_after_s or 0.2 * 4**attempt, PAUSE_MAX_S))

    def _send(self, batch: StagedBatch, request: pb.IngestBatchesRequest) -> BatchAnswer:
        method = partial(self._stub.IngestBatches, timeout=BATCH_DEADLINE_S)
        answers: Iterable[pb.IngestBatchesResponse] = self._client.stream(method, [request])
        found = list(answers)
        if len(found) != 1:
            raise _invalid(batch, f"{len(found)} answers to one batch")
        answer = found[0]
        return BatchAnswer(
            answer.batch,
            answer.seq,
            tuple(_decode_result(one) for one in answer.results),
            answer.receipt.json,
        )


def check_answer(batch: StagedBatch, answer: BatchAnswer, system: str, trust: LogTrust) -> None:
    """The answer is to this batch, complete, and logged under a head signed with a pinned key.

    The receipt's entry must be of kind `ingest`, name this system as caller and the digest of this
    batch root. Raises HubError(HUB_ANSWER_INVALID) with the first rule broken.
    """
    if (answer.batch, answer.seq) != (batch.batch, batch.seq):
        raise _invalid(batch, "it names another batch")
    if len(answer.results) != len(batch.rows):
        raise _invalid(batch, f"{len(answer.results)} results for {len(batch.rows)} rows")
    if any(one.outcome not in OUTCOMES for one in answer.results):
        raise _invalid(batch, "a row has no known outcome")
    if any((one.outcome == "refused") is not bool(one.errors) for one in answer.results):
        raise _invalid(batch, "errors stand with exactly the refused rows")
    try:
        receipt = parse_receipt(answer.receipt.encode())
        open_proof(receipt, receipt.proof, trust)
        body = parse_object(receipt.body)
    except (ProofError, UnicodeEncodeError) as error:
        raise _invalid(batch, f"receipt: {error}") from error
    expected = {
        "v": 1,
        "kind": "ingest",
        "origin": trust.origin,
        "caller": system,
        "request_digest": digest(batch.root_jws),
    }
    for member, value in expected.items():
        if body.get(member) != value:
            raise _invalid(batch, f"receipt: the entry has another {member}")


def _decode_result(result: pb.RowResult) -> RowResult:
    name = pb.RowResult.Outcome.Name(result.outcome).removeprefix("OUTCOME_").lower()
    errors = tuple(from_hub(one.field, one.reason, one.en, one.zh) for one in result.errors)
    return RowResult(name, result.certificate, result.identifier, errors)


def _invalid(batch: StagedBatch, rule: str) -> HubError:
    return HubError(Reason.HUB_ANSWER_INVALID, batch=batch.batch, rule=rule)
