"""What the hub has said to one signer, wherever that runs: what it was shown, what is unsettled."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from hub.errors import HubError, Reason
from hub.proof.officers.roster_changes import Link
from hub.seal.signer_process.rules import SigningRequest
from hub.seal.v1 import signer_pb2 as pb

# Nobody can know what became of a request whose answer was lost by these.
_LOST: Final = (Reason.SIGNER_UNAVAILABLE, Reason.REMOTE_SIGNER_UNAVAILABLE)

_LOG: Final = logging.getLogger("sealway.signer")


class Evidence(Protocol):
    """What the signer is shown, so that it need not believe the hub. Any thread may ask."""

    def links(self, after: int) -> Sequence[Link]:
        """The statements of the roster after number `after`, in order."""
        ...

    def receipts(self) -> Mapping[str, str]:
        """By key id, the receipt of the entry that enrolled a system's key."""
        ...


class NoEvidence:
    """For a signer that is asked nothing that it would have to believe."""

    def links(self, after: int) -> Sequence[Link]:
        """As in `Evidence`."""
        return ()

    def receipts(self) -> Mapping[str, str]:
        """As in `Evidence`."""
        return {}


@dataclass(slots=True)
class Conversation:
    """Requests to one signer over `exchange`, which raises HubError. Any thread may call.

    `lock` is that of the way to the signer: one who holds it may be asked for an answer.
    """

    origin: str
    region: str
    log_key: str
    evidence: Evidence
    exchange: Callable[[pb.SignerCall], pb.SignerAnswer]
    lock: threading.RLock = field(default_factory=threading.RLock)
    unsettled: set[str] = field(default_factory=set)
    _known: set[str] = field(default_factory=set)
    _roster: int = -1

    def order(self, call: pb.SignerCall) -> pb.SignerAnswer:
        """The answer to `call`, once the signer was shown everything new. Raises what `exchange`
        raises."""
        self._introduce()
        return self.exchange(call)

    def sign(self, request: SigningRequest) -> list[bytes]:
        """The signatures of `request`, once the signer was shown everything new.

        Where the answer is lost, nobody may send the same again under another id. Raises what
        `exchange` raises.
        """
        self._introduce()
        try:
            answer = self.exchange(_call(request))
        except HubError as error:
            if error.reason in _LOST:
                with self.lock:
                    self.unsettled.add(request.request_id)
            raise
        return list(answer.signatures.signatures)

    def settle(self) -> None:
        """Close every request whose answer was lost."""
        with self.lock:
            for request_id in sorted(self.unsettled):
                self._settle(request_id)

    def forget(self) -> None:
        """It may be another signer that answers next, which was shown nothing yet."""
        with self.lock:
            self._known, self._roster = set(), -1

    def _settle(self, request_id: str) -> None:
        call = pb.SignerCall(settle=pb.SettleSigning(request_id=request_id))
        outcome = self.exchange(call).settled.outcome
        if outcome == "signing":
            return
        self.unsettled.discard(request_id)
        _LOG.warning(
            '{"event":"signing_settled","request_id":"%s","outcome":"%s"}', request_id, outcome
        )

    def _introduce(self) -> None:
        """Show what is new since the last time. Raises HubError as the signer refuses."""
        with self.lock:
            receipts = self.evidence.receipts()
            if self._roster < 0:
                # It remembers more than this process of the hub has shown it.
                self._learn((), ())
            links = self.evidence.links(self._roster)
            new = [text for kid, text in receipts.items() if kid not in self._known]
            if links or new:
                self._learn(links, new)

    def _learn(self, links: Sequence[Link], receipts: Sequence[str]) -> None:
        said = pb.SignerIntroduction(
            origin=self.origin,
            region=self.region,
            log_key=self.log_key,
            links=[
                pb.RosterLink(statement=one.statement, intent=one.intent, approvals=one.approvals)
                for one in links
            ],
            receipts=receipts,
        )
        known = self.exchange(pb.SignerCall(introduce=said)).known
        self._known, self._roster = set(known.key_ids), known.roster_number


def _call(request: SigningRequest) -> pb.SignerCall:
    match request:
        case pb.SignRecords():
            return pb.SignerCall(sign=request)
        case pb.SignDocument():
            return pb.SignerCall(sign_document=request)
        case pb.SignFaceCode():
            return pb.SignerCall(sign_face_code=request)
        case pb.SignSeal():
            return pb.SignerCall(sign_seal=request)
        case pb.SignRecordsAnew():
            return pb.SignerCall(sign_anew=request)
        case pb.SignRecordListing():
            return pb.SignerCall(sign_listing=request)
