"""The collector of one verification: what each kind of file writes its steps, facts and remarks to.

A kind is one module with one function of the shape `Verifier`, named in `hub.proof.verify`:

    def verify_seal(run: Run, data: bytes, trust: Trust, evidence: Evidence) -> None:
        seal = run.step(StepName.SEAL_FORMAT, lambda: ses.parse_seal(data))
        if seal is None:
            return                                        # Nothing further can be looked at.
        run.fact(FactName.SEAL_NAME, seal.name)           # After the step that proves it.
        run.check(StepName.MAKER_CHAIN, lambda: check_maker(run, seal, trust, evidence))

A check returns what it found or raises `ProofError(reason, detail, verdict=…)`; anything else that
escapes it is a bug. What follows from the rules of the house:

* A step that lacks an input is noted by `missing` or by an error with the verdict *cannot check*;
  the others go on. A step that fails ends what depends on it, and nothing else.
* A fact noted inside of a check that raises is dropped: it was not proven.
* A check that judges at a time says so with `run.judged_at(times.judged(evidence.reader))`; the
  report then names the time and whose word it is.
* Where a file holds several certificates or signatures, `with run.part(1): …` numbers them.
* Where it holds several files (OFD), `run.file(path, error)` says of each whether it is unchanged.

Details and facts come from strangers: they are printed escaped, and kept to 200 characters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar

from hub.proof.jose import Algorithm
from hub.proof.moment import Basis, Moment, Times
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.reports.report import (
    Fact,
    FactName,
    FactValue,
    File,
    Kind,
    Remark,
    Report,
    Step,
    StepName,
)
from hub.proof.trust import Trust

DETAIL_CHARACTERS_MAX: Final = 200
FILES_MAX: Final = 5_000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the reader knows besides the file: his clock (seconds), requests, answer, statuses.

    `requests` are the compact texts he sent under the request id, `system` is his system id (by
    default the one his first request names), `answer` the bytes of the answer file that a bare
    receipt belongs to, `status_tokens` current status list tokens, `crls` X.509 revocation lists
    (DER), `receipt` one of the log about the file itself, of an answer a later one than came with
    it, `record` the record seal or presentation that a face is held against. `as_of` says that
    `now` is a moment he asked about rather than his clock. `logged` is what the engine found in
    that receipt. `twin` is the other twin of a record,
    `required` the algorithm that it must be sealed with.
    """

    now: int
    requests: tuple[str, ...] = ()
    system: str | None = None
    answer: bytes | None = None
    status_tokens: tuple[str, ...] = ()
    crls: tuple[bytes, ...] = ()
    receipt: bytes | None = None
    record: bytes | None = None
    as_of: bool = False
    twin: str | None = None
    required: Algorithm | None = None
    logged: Times = field(default_factory=Times)

    @property
    def reader(self) -> Moment:
        """The moment of the reader."""
        return Moment(self.now, Basis.AS_OF if self.as_of else Basis.NOW)


class Run:
    """Steps, facts and remarks of one verification as they come about."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.steps: list[Step] = []
        self.facts: list[Fact] = []
        self.remarks: list[Remark] = []
        self.files: list[File] = []
        self._part: int | None = None
        self._moment: Moment | None = None
        self._began_ns = time.perf_counter_ns()

    def step(self, name: StepName, check: Callable[[], _T]) -> _T | None:
        """What `check` returns, noted as valid; None where it raised, noted with its reason."""
        noted = len(self.facts)
        self._begin()
        try:
            result = check()
        except ProofError as error:
            del self.facts[noted:]
            self._note(name, error.verdict, error.reason, error.detail)
            return None
        self._note(name, Verdict.VALID)
        return result

    def check(self, name: StepName, check: Callable[[], None]) -> bool:
        """Whether `check` passed."""

        def passed() -> bool:
            check()
            return True

        return self.step(name, passed) is not None

    def fail(self, name: StepName, error: ProofError) -> None:
        """Note a step that ended outside of a check."""
        self._begin()
        self._note(name, error.verdict, error.reason, error.detail)

    def missing(self, reason: ProofReason, *names: StepName) -> None:
        """Note steps that lack an input."""
        for name in names:
            self._begin()
            self._note(name, Verdict.CANNOT_CHECK, reason)

    def judged_at(self, moment: Moment) -> Moment:
        """Note that the step which runs now judges at `moment`, and return it."""
        self._moment = moment
        return moment

    def fact(self, name: FactName, value: FactValue) -> None:
        """Note what the step before, or the one that runs now, has proven."""
        self.facts.append(Fact(name, _bounded(value), self._part))

    def remark(self, remark: Remark) -> None:
        """Note once what a reader must know."""
        if remark not in self.remarks:
            self.remarks.append(remark)

    def file(self, path: str, error: ProofError | None = None) -> None:
        """Note of a file inside of the file that it is as sealed, or why it is not.

        A report lists so many; those that are not as sealed for longer than the others.
        """
        if len(self.files) >= (FILES_MAX if error is None else 2 * FILES_MAX):
            return
        if error is None:
            self.files.append(File(_bounded(path), Verdict.VALID, None, self._part))
        else:
            self.files.append(File(_bounded(path), error.verdict, error.reason, self._part))

    @contextmanager
    def part(self, number: int) -> Iterator[None]:
        """What is noted inside is about the certificate or signature of this number, from 1."""
        self._part = number
        try:
            yield
        finally:
            self._part = None

    def report(self) -> Report:
        """What was noted so far."""
        return Report(
            self.kind,
            tuple(self.steps),
            tuple(self.facts),
            tuple(self.remarks),
            tuple(self.files),
        )

    def _begin(self) -> None:
        self._began_ns = time.perf_counter_ns()
        self._moment = None

    def _note(
        self,
        name: StepName,
        verdict: Verdict,
        reason: ProofReason | None = None,
        detail: str = "",
    ) -> None:
        number = len(self.steps) + 1
        used_us = (time.perf_counter_ns() - self._began_ns) // 1000
        step = Step(
            number, name, verdict, reason, _bounded(detail), self._part, self._moment, used_us
        )
        self.steps.append(step)


Verifier: TypeAlias = Callable[[Run, bytes, Trust, Evidence], None]
"""How a kind is verified: notes steps on the run, raises nothing, whatever the bytes are."""


def _bounded(value: _T) -> _T:
    if isinstance(value, str) and len(value) > DETAIL_CHARACTERS_MAX:
        return f"{value[:DETAIL_CHARACTERS_MAX]}…"  # type: ignore[return-value]
    return value
