"""What a signer process does when it is asked: believe what proves itself, check, count, sign.

It believes nobody: the roster of officers is followed link by link from the statement that was
pinned first, departments' keys are those that the pinned log enrolled, and what may be signed is
said by one rule for each format (`rules.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from hub.clock import Clock
from hub.domain.seal_key import FORMATS, KeyAlgorithm, KeyUse, key_name
from hub.domain.seal_states import SealState
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.proof.exchange.enrolment import enrolled_key
from hub.proof.jose import RegisteredKey
from hub.proof.log.receipt import LogTrust
from hub.proof.officers.intent_kinds import KINDS
from hub.proof.officers.roster import Roster, parse_roster
from hub.proof.officers.roster_changes import Chain, Link, begin, follow
from hub.proof.reasons import ProofError
from hub.proof.sealing.records import ApprovedIntent, refused
from hub.proof.x509.sm2 import X509
from hub.seal.algorithms import AlgorithmTable, Subject
from hub.seal.keys import KeyHome, SigningKey
from hub.seal.signer import Signer
from hub.seal.signer_process.journal import Journal
from hub.seal.signer_process.rules import (
    Allowed,
    Signed,
    SigningRequest,
    allow_anew,
    allow_document,
    allow_face_code,
    allow_listing,
    allow_records,
    allow_seal,
    check_destroyed,
    check_ordered_key,
    read_notice,
)
from hub.seal.v1 import signer_pb2 as pb

# Home, thumbprint, and as what a key was opened.
_Place: TypeAlias = tuple[str, str, KeyAlgorithm, KeyUse, tuple[bytes, ...]]


@dataclass(slots=True)
class SignerDesk:
    """The homes of keys behind the checks. Any thread may call `answer`."""

    homes: Mapping[str, KeyHome]
    journal: Journal
    algorithms: AlgorithmTable
    clock: Clock
    # The anchors of those who make electronic seals; without any no OFD is sealed.
    makers: Sequence[X509] = ()
    # What a department's signer knows better: called once everything else was found to be allowed,
    # it raises HubError where what shall be signed is not its own.
    compare: Callable[[SigningRequest], None] = lambda _: None
    _opened: dict[_Place, SigningKey] = field(default_factory=dict)
    _keys: dict[str, RegisteredKey] = field(default_factory=dict)
    _chain: Chain | None = None
    _signer: Signer | None = None
    # An order is for one key, however often it comes.
    _making: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Follow again what was believed before. Raises ProofError where the journal was altered:
        then nothing is signed."""
        for link in self.journal.links():
            self._chain = self._next(link)
        for receipt in self.journal.receipts():
            key = enrolled_key(receipt, self._trust())
            self._keys[key.kid] = key

    def answer(self, call: pb.SignerCall) -> pb.SignerAnswer:
        """The answer; a refusal carries the reason."""
        answers: dict[str, Callable[[], pb.SignerAnswer]] = {
            "introduce": lambda: self._introduce(call.introduce),
            "make": lambda: self._make(call.make),
            "destroy": lambda: self._destroy(call.destroy),
            "open": lambda: self._open(call.open),
            "check": lambda: self._check(call.check),
            "sign": lambda: self._sign_records(call.sign),
            "sign_document": lambda: self._sign_document(call.sign_document),
            "sign_face_code": lambda: self._sign_face_code(call.sign_face_code),
            "sign_seal": lambda: self._sign_seal(call.sign_seal),
            "sign_anew": lambda: self._sign_anew(call.sign_anew),
            "sign_listing": lambda: self._sign_listing(call.sign_listing),
            "notice": lambda: self._notice(call.notice),
            "settle": lambda: self._settle(call.settle),
        }
        asked = call.WhichOneof("call")
        try:
            if asked is None:
                raise HubError(Reason.FIELD_INVALID, field="call", rule="one of the known ones")
            return answers[asked]()
        except HubError as error:
            details = {name: str(value) for name, value in error.details.items()}
            return pb.SignerAnswer(
                refused=pb.SignerRefusal(reason=error.reason.value, details=details)
            )

    # ---- what is believed ----

    def _introduce(self, said: pb.SignerIntroduction) -> pb.SignerAnswer:
        """Pin whose signer this is, and take in what proves itself under that."""
        for name in ("origin", "region", "log_key"):
            self.journal.pin(name, getattr(said, name))
        try:
            for one in said.links:
                self._follow(Link(one.statement, one.intent, tuple(one.approvals)))
        except ProofError as error:
            number = 0 if self._chain is None else self._chain.roster.number + 1
            raise HubError(Reason.ROSTER_BROKEN, number=number, rule=str(error)) from error
        for receipt in said.receipts:
            try:
                key = enrolled_key(receipt, self._trust())
            except ProofError as error:
                rule = f"the log does not prove a key: {error.reason.value}"
                raise HubError(Reason.FIELD_INVALID, field="receipts", rule=rule) from error
            if key.kid not in self._keys:
                self.journal.add_receipt(key.kid, receipt)
                self._keys[key.kid] = key
        return pb.SignerAnswer(
            known=pb.SignerKnowledge(
                roster_number=-1 if self._chain is None else self._chain.roster.number,
                roster_pin=self.journal.pinned("roster") or "",
                key_ids=sorted(self._keys),
            )
        )

    def _follow(self, link: Link) -> None:
        if self._chain is None:
            # Nothing says whose statement 0 is: the first that is shown is pinned.
            self.journal.pin("roster", digest(link.statement))
        elif parse_roster(link.statement).number <= self._chain.roster.number:
            return
        chain = self._next(link)
        roster = chain.roster
        if (roster.origin, roster.region) != (
            self.journal.pinned("origin"),
            self.journal.pinned("region"),
        ):
            raise HubError(Reason.SIGNER_PINNED, what="roster")
        self.journal.add_link(roster.number, link)
        self._chain = chain

    def _next(self, link: Link) -> Chain:
        if self._chain is None:
            return begin(link.statement, self.journal.pinned("roster") or "")
        return follow(self._chain, link, KINDS)

    def _trust(self) -> LogTrust:
        origin, key = self.journal.pinned("origin"), self.journal.pinned("log_key")
        return LogTrust(origin or "", (key or "",))

    def _roster(self) -> Roster:
        if self._chain is None:
            raise HubError(Reason.ROSTER_MISSING)
        return self._chain.roster

    # ---- keys ----

    def _home(self, name: str) -> KeyHome:
        home = self.homes.get(name)
        if home is None:
            raise HubError(Reason.KEY_UNAVAILABLE, key=f"home {name}")
        return home

    def _make(self, asked: pb.MakeSignerKey) -> pb.SignerAnswer:
        algorithm, use = _algorithm(asked.algorithm), _use(asked.use)
        now_us = self.clock()
        self.algorithms.check(algorithm, now_us)
        order = check_ordered_key(asked, self._roster(), now_us // 1_000_000)
        home = self._home(asked.home)
        subject = Subject(asked.common_name, asked.organization, asked.organization_identifier)
        with self._making:
            known = self.journal.made(order)
            if known is None:
                made = home.create(algorithm, use, subject)
                known = made.public.spki, made.x509_request
                self.journal.add_made(order, made.public.kid, *known)
        public_key, request = known
        return pb.SignerAnswer(made=pb.MadeSignerKey(public_key=public_key, x509_request=request))

    def _destroy(self, asked: pb.DestroySignerKey) -> pb.SignerAnswer:
        check_destroyed(asked, self._roster(), self.clock() // 1_000_000)
        for place in [place for place in self._opened if place[1] == asked.key_id]:
            del self._opened[place]
        self._home(asked.home).destroy(asked.key_id)
        return pb.SignerAnswer(done=pb.SignerDone())

    def _notice(self, asked: pb.SignerNotice) -> pb.SignerAnswer:
        notice = read_notice(asked, self._roster(), self.clock() // 1_000_000)
        self.journal.take_notice(notice.name, notice.state, notice.time)
        return pb.SignerAnswer(done=pb.SignerDone())

    def _open(self, asked: pb.SignerKey) -> pb.SignerAnswer:
        self._key(asked)
        return pb.SignerAnswer(done=pb.SignerDone())

    def _check(self, asked: pb.CheckSignerHome) -> pb.SignerAnswer:
        home = self._home(asked.home)
        here = home.health()
        return pb.SignerAnswer(
            home=pb.SignerHome(
                keys=here.count,
                key_ids=sorted(here.ids or ()),
                algorithms=sorted(home.algorithms),
                custody=home.custody.value,
            )
        )

    def _key(self, asked: pb.SignerKey) -> SigningKey:
        algorithm, use, chain = (
            _algorithm(asked.algorithm),
            _use(asked.use),
            tuple(asked.x509_chain),
        )
        place = (asked.home, asked.key_id, algorithm, use, chain)
        known = self._opened.get(place)
        if known is None:
            known = self._home(asked.home).open(asked.key_id, algorithm, use, chain)
            self._opened[place] = known
        return known

    # ---- signing ----

    def _sign_records(self, asked: pb.SignRecords) -> pb.SignerAnswer:
        def allow(key: SigningKey, now: int) -> Allowed:
            return allow_records(asked, self._approve(asked), key, self._keys.get, now)

        return self._signed(asked, (KeyUse.RECORD,), allow)

    def _sign_document(self, asked: pb.SignDocument) -> pb.SignerAnswer:
        def allow(key: SigningKey, now: int) -> Allowed:
            return allow_document(asked, self._approve(asked), key, self.makers, now)

        return self._signed(asked, (KeyUse.OFD, KeyUse.PDF), allow)

    def _sign_face_code(self, asked: pb.SignFaceCode) -> pb.SignerAnswer:
        def allow(key: SigningKey, now: int) -> Allowed:
            return allow_face_code(asked, self._approve(asked), key, now)

        return self._signed(asked, (KeyUse.FACE,), allow)

    def _sign_seal(self, asked: pb.SignSeal) -> pb.SignerAnswer:
        def allow(key: SigningKey, now: int) -> Allowed:
            return allow_seal(asked, self._roster(), key, now)

        return self._signed(asked, (KeyUse.MAKER,), allow)

    def _sign_anew(self, asked: pb.SignRecordsAnew) -> pb.SignerAnswer:
        def allow(key: SigningKey, now: int) -> Allowed:
            return allow_anew(asked, self._roster(), key, self._trust(), now)

        return self._signed(asked, (KeyUse.RECORD,), allow)

    def _sign_listing(self, asked: pb.SignRecordListing) -> pb.SignerAnswer:
        def allow(key: SigningKey, now: int) -> Allowed:
            approved, sealed = self._approve(asked), asked.document
            # Only the journal says what was sealed here.
            first = self.journal.answered(sealed.request_id, _content(sealed))
            if first is None:
                raise refused(approved.name, "the file is none that was sealed here")
            (signature,) = first
            signed = Signed(self._key(sealed.key), signature)
            return allow_listing(asked, approved, key, signed, log=self._trust(), now=now)

        return self._signed(asked, (KeyUse.RECORD,), allow)

    def _signed(
        self,
        asked: SigningRequest,
        uses: Sequence[KeyUse],
        allow: Callable[[SigningKey, int], Allowed],
    ) -> pb.SignerAnswer:
        """1. A request that was signed is answered alike. 2. The key is here, of one of these uses,
        and its algorithm may seal. 3. The rule of its format allows exactly these bytes, of the
        seal that the key was made for here, and so does whoever owns what they say. 4. The uses are
        counted, of the intent and of a key that was made here. 5. They are signed. 6. That is
        written down.
        """
        content = _content(asked)
        first = self.journal.answered(asked.request_id, content)
        if first is not None:
            return _signatures(first)
        if asked.key.use not in uses:
            raise HubError(Reason.KEY_USAGE_REFUSED, kid=asked.key.key_id)
        now_us = self.clock()
        self.algorithms.check(_algorithm(asked.key.algorithm), now_us)
        key = self._key(asked.key)
        allowed = allow(key, now_us // 1_000_000)
        seal = self.journal.seal_of(key.kid)
        if seal is not None and allowed.seal not in (None, seal):
            raise refused(allowed.name, "the key is another seal's")
        for name in (key_name(key.kid), allowed.seal or seal or ""):
            state = self.journal.state(name)
            if state not in (None, SealState.ACTIVE):
                raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state=state)
        self.compare(asked)
        self.journal.begin(
            asked.request_id,
            content,
            allowed.counter,
            allowed.count,
            uses_max=allowed.uses_max,
            name=allowed.name,
            key_id=key.kid,
        )
        signatures = self._sign_each(key, asked.request_id, allowed.inputs)
        self.journal.finish(asked.request_id, signatures)
        return _signatures(signatures)

    def _approve(
        self,
        asked: pb.SignRecords | pb.SignDocument | pb.SignFaceCode | pb.SignRecordListing,
    ) -> ApprovedIntent:
        """As the hub does, and remembered as there."""
        roster = self._roster()
        if self._signer is None:
            self._signer = Signer(
                roster.origin,
                roster.region,
                self.clock,
                self._roster,
                self._keys.get,
                # The log is the hub's: ended is what officers have rejected, as far as it is known
                # here; what is used up the journal counts.
                ended=self.journal.state,
            )
        return self._signer.approve(asked.intent_name, asked.intent, asked.approvals)

    def _sign_each(self, key: SigningKey, request_id: str, inputs: Sequence[bytes]) -> list[bytes]:
        signatures = list[bytes]()
        try:
            for one in inputs:
                signatures.append(key.sign(one, FORMATS[key.use]))
        except HubError:
            if signatures:
                self.journal.lose(request_id)
            else:
                self.journal.abandon(request_id, key.kid)
            raise
        return signatures

    def _settle(self, asked: pb.SettleSigning) -> pb.SignerAnswer:
        outcome = self.journal.settle(asked.request_id)
        return pb.SignerAnswer(settled=pb.SettledSigning(outcome=outcome))


def _content(asked: SigningRequest) -> str:
    """What tells a request from every other one under its id."""
    return digest(asked.SerializeToString(deterministic=True))


def _signatures(signatures: list[bytes]) -> pb.SignerAnswer:
    return pb.SignerAnswer(signatures=pb.Signatures(signatures=signatures))


def _algorithm(text: str) -> KeyAlgorithm:
    if text not in tuple(KeyAlgorithm):
        raise HubError(Reason.FIELD_INVALID, field="algorithm", rule="a known one")
    return KeyAlgorithm(text)


def _use(text: str) -> KeyUse:
    if text not in tuple(KeyUse):
        raise HubError(Reason.FIELD_INVALID, field="use", rule="a known one")
    return KeyUse(text)
