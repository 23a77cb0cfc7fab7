"""Verify information: say whether what somebody states about a certificate is true.

What a platform knows already it need not be given: it hears yes with a state, or no.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final

from hub.clock import Clock
from hub.domain.caller import Caller
from hub.domain.certificate import Grade, Origin, State
from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.entry import Entry
from hub.domain.identifier import CertificateIdentifier
from hub.domain.objection import in_doubt
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.exchange.fetch import content_of
from hub.exchange.grants import find_grant
from hub.exchange.guesses import Guesses
from hub.exchange.once import AnswerOnce, Observe, decided, entry_of, opened_signed
from hub.exchange.ports import (
    Access,
    Certificates,
    FoundCertificate,
    Recorder,
    SharedDocuments,
)
from hub.exchange.snapshot import GrantSnapshot
from hub.proof.encoding import b64u_decode, digest, parse_json
from hub.proof.exchange.request import SignedRequest
from hub.proof.records.disclosure import Disclosure

RPC: Final = "/hub.exchange.v1.VerificationService/VerifyInformation"

# A decision takes a whole number of these, so that nobody can tell by the clock whether there was
# something to compare with.
STEP_S: Final = 0.02


class Result(StrEnum):
    """What is answered; the values stand in entries and receipts (standards.md §1.8)."""

    IN_FORCE = "in_force"
    NOT_YET_IN_FORCE = "not_yet_in_force"
    SUSPENDED = "suspended"
    ENDED = "ended"
    INSUFFICIENT = "insufficient"
    NOT_CONFIRMED = "not_confirmed"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a platform hears."""

    request_id: str
    result: Result
    # Of the values that are right, those to which somebody objects.
    objected: tuple[str, ...]
    # Of the certificate whose values are right.
    trust: tuple[Grade, Origin] | None
    receipt: str
    entry: int


@dataclass(frozen=True, slots=True)
class VerifyInformation:
    """Confirm values of one certificate, and disclose nothing else.

    1. Verify the signed request: one certificate, one value for each field.
    2. Count a guess; more than a few that fail are refused.
    3. Find the grant that would allow a fetch of these fields for this matter.
    4. Compare every value with every certificate that may be meant, and judge.
    5. Record; nothing is said before the entry is durable.
    6. Answer, or answer again what was answered before under this id.

    The value of `@document` is the digest of a document, which is right where the certificate has
    one with it; stated alone, it names the certificate as well.

    That nothing is on file and that something else is on file is one answer, in the same time, and
    the entry does not tell them apart either: its receipt goes to whoever asked.
    """

    origin: str
    region: str
    clock: Clock
    recorder: Recorder
    access: Access
    grants: GrantSnapshot
    certificates: Certificates
    documents: SharedDocuments
    guesses: Guesses
    keyed_digest: Callable[[str], str]
    identify: Callable[[], Awaitable[Caller]]
    observe: Observe

    async def __call__(self, caller: Caller, request_id: str, signed_request: str) -> Confirmation:
        """The answer. Raises HubError."""
        started = time.perf_counter()
        try:
            request = self._verify(caller, request_id, signed_request)
            subject = self._subject(request)
            self.guesses.take(caller.name, subject)
            confirmed = True
            try:
                answer = await decided(partial(self._answer, request), caller, self.identify)
                confirmed = answer.result is not Result.NOT_CONFIRMED
            finally:
                if confirmed:
                    self.guesses.give_back(caller.name, subject)
        except HubError as refusal:
            seconds = time.perf_counter() - started
            self.observe("verify", refusal.reason.value, caller.authority, "", seconds)
            raise
        self.observe("verify", "OK", caller.authority, "", time.perf_counter() - started)
        return answer

    def _verify(self, caller: Caller, request_id: str, signed_request: str) -> SignedRequest:
        """Step 1."""
        request = opened_signed(self, RPC, caller, request_id, signed_request, takes_values=True)
        if request.certificates[0].cert is not None:
            CertificateIdentifier.parse(request.certificates[0].cert, lenient=True)
        stated = (request.values or {}).get(DOCUMENT_FIELD)
        if stated is not None and _DIGEST.fullmatch(str(stated)) is None:
            rule = "SHA-256 of the document in base64url without padding, 43 characters"
            raise HubError(Reason.FIELD_INVALID, field=f"values.{DOCUMENT_FIELD}", rule=rule)
        return request

    def _subject(self, request: SignedRequest) -> str:
        """Whom or what a guess is about; keyed, because it stays in memory for an hour."""
        wanted = request.certificates[0]
        if wanted.holder is not None:
            return self.keyed_digest(f"{wanted.vct} {wanted.holder.type} {wanted.holder.number}")
        if wanted.cert is not None:
            return self.keyed_digest(f"{wanted.vct} {wanted.cert}")
        return self.keyed_digest(f"{wanted.vct} {(request.values or {})[DOCUMENT_FIELD]}")

    async def _answer(self, request: SignedRequest, caller: Caller) -> Confirmation:
        """Steps 3 to 6 for one decision."""
        checks = (self.access.check(caller), self.grants.check())
        grant = find_grant(
            self.grants.of(request.iss),
            type_code=request.certificates[0].vct.rpartition("/")[2],
            service_item=request.service_item,
            fields=request.certificates[0].fields,
            now_us=self.clock(),
        )
        begun = time.perf_counter()
        found = await self._find(request)
        result, matched = judge(await self._right_ones(found, request.values or {}))
        objected = _objected(request, matched)
        trust = None if matched is None else await self.certificates.trust(matched.version_id)
        said = " ".join((result.value, *objected, *_scanned(trust)))
        await asyncio.sleep(STEP_S - (time.perf_counter() - begun) % STEP_S)
        receipt, index = await AnswerOnce(self.recorder, RPC).record(
            request,
            self._entry(caller, request, grant.digest, result=result, matched=matched, trust=trust),
            checks + tuple(certificate.check for certificate in found),
            self.keyed_digest(content_of(request)),
            said.encode(),
        )
        return Confirmation(request.jti, result, objected, trust, receipt, index)

    async def _find(self, request: SignedRequest) -> Sequence[FoundCertificate]:
        """Every certificate that may be meant, in whatever state."""
        wanted = request.certificates[0]
        if wanted.holder is not None:
            return await self.certificates.by_holder(
                wanted.holder.type, wanted.holder.number, wanted.vct
            )
        identifiers: Sequence[str] = (wanted.cert,) if wanted.cert is not None else ()
        if wanted.cert is None:
            stated = str((request.values or {})[DOCUMENT_FIELD])
            identifiers = await self.documents.identifiers_with(stated)
        found = [await self.certificates.by_identifier(one) for one in identifiers]
        # Of another type than the one granted: whether it exists is nobody's business.
        return [one for one in found if one is not None and one.vct == wanted.vct]

    async def _right_ones(
        self, found: Sequence[FoundCertificate], values: Mapping[str, Json]
    ) -> list[FoundCertificate]:
        """Those of which every value is right."""
        right = []
        for certificate in found:
            stored = {one.name: _value(one) for one in await certificate.disclosures(values)}
            if (stated := values.get(DOCUMENT_FIELD)) is not None:
                has_it = await self.documents.has(certificate.version_id, str(stated))
                stored[DOCUMENT_FIELD] = stated if has_it else None
            if same_values({name: stored.get(name) for name in values}, values):
                right.append(certificate)
        return right

    def _entry(
        self,
        caller: Caller,
        request: SignedRequest,
        grant_digest: str,
        *,
        result: Result,
        matched: FoundCertificate | None,
        trust: tuple[Grade, Origin] | None,
    ) -> Entry:
        wanted = request.certificates[0]
        data: dict[str, Json] = {
            "service_item": request.service_item,
            "matter": request.matter,
            "basis": request.basis,
            "grant_digest": grant_digest,
            "vct": wanted.vct,
            "fields": list(wanted.fields),
            "result": result.value,
        }
        if request.act is not None:
            data["act"] = request.act
        if request.consent is not None:
            data["consent_digest"] = digest(request.consent)
        if wanted.cert is not None:
            data["cert"] = wanted.cert
        if matched is not None:
            # Who asked by holder does not learn the identifier; the hub finds it again.
            data["cert_index"] = self.keyed_digest(matched.identifier)
            data["state_entry"] = matched.state_entry
        if objected := _objected(request, matched):
            data["objected"] = list(objected)
        for origin in _scanned(trust):
            data["origin"] = origin
        return entry_of(
            "verification",
            caller,
            request,
            {"data": data},
            # Who is told that a value is right has it as if it had been given.
            disclosed=() if matched is None else (matched.identifier,),
        )


def _scanned(trust: tuple[Grade, Origin] | None) -> tuple[str, ...]:
    """What else is said of a certificate: that it is a scan, where it is one."""
    return () if trust is None or trust[1] is Origin.SYSTEM else (trust[1].value,)


def _objected(request: SignedRequest, matched: FoundCertificate | None) -> tuple[str, ...]:
    """Of what is confirmed, what somebody objects to; of anything else nothing is said."""
    return () if matched is None else in_doubt(matched.objected, request.values or {})


def judge(right: Sequence[FoundCertificate]) -> tuple[Result, FoundCertificate | None]:
    """The answer where every value of each of `right` is right.

    One that is in force goes before those that are not; several of one kind cannot be told apart,
    unless all of them have ended in the same way.
    """
    if not right:
        return Result.NOT_CONFIRMED, None
    active = [one for one in right if one.state is State.ACTIVE]
    meant = active or list(right)
    if len(meant) == 1:
        return _RESULTS.get(meant[0].state.value, Result.ENDED), meant[0]
    results = {_RESULTS.get(one.state.value, Result.ENDED) for one in meant}
    if active or len(results) > 1:
        return Result.INSUFFICIENT, None
    return results.pop(), None


def same_values(stored: Mapping[str, Json], said: Mapping[str, Json]) -> bool:
    """Whether every value is right, in a time that does not depend on which one is wrong.

    Full-width letters and digits equal half-width ones, outer space does not count; nothing else is
    forgiven. What has no value is never right.
    """
    same = True
    for name, value in said.items():
        same &= hmac.compare_digest(_spelled(stored.get(name)), _spelled(value))
    return same


def _value(disclosure: Disclosure) -> Json:
    """What a disclosure says; our own are `[salt, name, value]`."""
    parts = parse_json(b64u_decode(disclosure.text))
    assert isinstance(parts, list), "made by the hub"
    return parts[2]


def _spelled(value: Json) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bool):
        return b"b:true" if value else b"b:false"
    if isinstance(value, int):
        return b"t:%d" % value
    # What people type as text may be a number on file.
    return b"t:" + str(value).translate(_HALF_WIDTH).strip().encode()


# A state that is not named has ended.
_RESULTS: Final[Mapping[str, Result]] = {
    State.ACTIVE.value: Result.IN_FORCE,
    State.NOT_YET_IN_FORCE.value: Result.NOT_YET_IN_FORCE,
    "suspended": Result.SUSPENDED,
}
_DIGEST: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_HALF_WIDTH: Final = {0x3000: " ", **{0xFF01 + i: chr(0x21 + i) for i in range(94)}}
