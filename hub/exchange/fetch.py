"""Fetch: disclose exactly what a grant allows, once it is on record.

The hot path of the hub (docs/architecture.md, "Life of a fetch").
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import orjson

from hub.clock import Clock
from hub.domain.caller import Caller
from hub.domain.certificate import State
from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.entry import Entry
from hub.domain.holder import is_area
from hub.domain.identifier import CertificateIdentifier
from hub.domain.objection import in_doubt
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.exchange.grants import Grant, find_grant
from hub.exchange.once import AnswerOnce, Observe, decided, entry_of, opened_signed
from hub.exchange.ports import (
    Access,
    Certificates,
    FoundCertificate,
    Recorder,
    Seals,
)
from hub.exchange.snapshot import GrantSnapshot
from hub.proof.encoding import digest
from hub.proof.exchange.request import RequestedCertificate, SignedRequest
from hub.proof.records.disclosure import Disclosure
from hub.proof.records.sd_jwt import present
from hub.storage.statements import Check

RPC: Final = "/hub.exchange.v1.ExchangeService/FetchCertificates"
_NUMBER: Final = "holder_number"
_HOLDERS: Final = "holders"
_HOLDER_CLAIMS: Final = ("holder_type", _NUMBER)


@dataclass(frozen=True, slots=True)
class Fetched:
    """One certificate of an answer; `presentation` is empty unless it is in force. Somebody objects
    to what `objected` names of it. `sm2_presentation` is its SM2 twin, where one was asked for."""

    state: State
    presentation: str
    objected: tuple[str, ...] = ()
    sm2_presentation: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a platform gets for one request."""

    request_id: str
    certificates: tuple[Fetched, ...]
    receipt: str
    entry: int


@dataclass(frozen=True, slots=True)
class _Decision:
    """What may leave if it is recorded, and the versions of everything it was based on."""

    certificates: tuple[Fetched, ...]
    members: dict[str, Json]
    checks: tuple[Check, ...]
    issuer: str
    # The identifiers of which values leave.
    disclosed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FetchCertificates:
    """Disclose the granted fields of up to 20 certificates of one matter.

    1. Verify the signed request against the caller, its token, this hub and this RPC.
    2. Find a grant for each certificate; one that is missing refuses the whole call.
    3. Read each certificate and judge its state now.
    4. Present the stored seal with the granted disclosures and no others.
    5. Record; nothing leaves before the entry is durable.
    6. Answer, or answer again what was answered before under this id.

    What a decision was based on is checked again inside the transaction; where it changed, it is
    decided once more, then refused as ABORTED.
    """

    origin: str
    region: str
    clock: Clock
    recorder: Recorder
    access: Access
    grants: GrantSnapshot
    certificates: Certificates
    seals: Seals
    keyed_digest: Callable[[str], str]
    identify: Callable[[], Awaitable[Caller]]
    observe: Observe

    async def __call__(
        self, caller: Caller, request_id: str, signed_request: str, *, with_sm2_twin: bool = False
    ) -> Answer:
        """The answer. Raises HubError; a refusal as to rights is already recorded by then.

        An SM2 twin is another signature over what is disclosed anyway, so asking for it stands
        outside of what is signed, and is no part of the entry (docs/adr/0049).
        """
        started = time.perf_counter()
        try:
            request = self._verify(caller, request_id, signed_request)
            answer, issuer = await decided(
                partial(self._answer, request, with_sm2_twin), caller, self.identify
            )
        except HubError as refusal:
            seconds = time.perf_counter() - started
            self.observe("fetch", refusal.reason.value, caller.authority, "", seconds)
            raise
        self.observe("fetch", "OK", caller.authority, issuer, time.perf_counter() - started)
        return answer

    def _verify(self, caller: Caller, request_id: str, signed_request: str) -> SignedRequest:
        """Step 1."""
        request = opened_signed(self, RPC, caller, request_id, signed_request)
        for wanted in request.certificates:
            if DOCUMENT_FIELD in wanted.fields:
                rule = f"names fields of the face; {DOCUMENT_FIELD} is for FetchDocument"
                raise HubError(Reason.FIELD_INVALID, field="certificates.fields", rule=rule)
            if wanted.cert is not None:
                # What is no identifier might be anything, a person's number too: it goes into no
                # entry. Those of other platforms are looked for like ours.
                CertificateIdentifier.parse(wanted.cert, lenient=True)
        return request

    async def _answer(
        self, request: SignedRequest, with_sm2_twin: bool, caller: Caller
    ) -> tuple[Answer, str]:
        """Steps 2 to 6 for one decision, and the issuing authority for the metrics."""
        checks = (self.access.check(caller), self.grants.check())
        content = self.keyed_digest(content_of(request))
        once = AnswerOnce(self.recorder, RPC)
        try:
            decision = await self._decide(request, with_sm2_twin, checks)
        except HubError as refusal:
            if refusal.reason in _REMEMBERED_REFUSALS:
                outcome: dict[str, Json] = {"outcome": "refused", "reason": refusal.reason.value}
                entry = _entry(caller, request, outcome)
                await once.refuse(request, entry, checks, content, refusal)
            raise
        receipt, index = await once.record(
            request,
            _entry(
                caller, request, {"outcome": "answered", **decision.members}, decision.disclosed
            ),
            decision.checks,
            content,
            orjson.dumps(decision.members),
        )
        answer = Answer(request.jti, decision.certificates, receipt, index)
        return answer, decision.issuer

    async def _decide(
        self, request: SignedRequest, with_sm2_twin: bool, checks: tuple[Check, ...]
    ) -> _Decision:
        """Steps 2 to 4."""
        now_us = self.clock()
        used = [self._grant(request, wanted, now_us) for wanted in request.certificates]
        found = [await self._find(wanted) for wanted in request.certificates]
        fetched: list[Fetched] = []
        members: list[Json] = []
        for wanted, certificate in zip(request.certificates, found, strict=True):
            presentation = sm2_presentation = ""
            objected: tuple[str, ...] = ()
            if certificate is not None and certificate.state is State.ACTIVE:
                shown, names = await self._shown(wanted, certificate)
                jws = await self.seals.record_seal(certificate.version_id)
                presentation = present(jws, shown, names)
                twin = with_sm2_twin and await self.seals.sm2_twin(certificate.version_id)
                sm2_presentation = present(twin, shown, names) if twin else ""
                objected = in_doubt(certificate.objected, wanted.fields)
            state = certificate.state if certificate is not None else State.ABSENT
            fetched.append(Fetched(state, presentation, objected, sm2_presentation))
            members.append(_member(wanted, certificate, fetched[-1]))
        grant_digests = sorted({grant.digest for grant in used})
        issuers = {certificate.authority for certificate in found if certificate is not None}
        return _Decision(
            tuple(fetched),
            {"grant_digest": _one_digest(grant_digests), "certificates": members},
            checks + tuple(certificate.check for certificate in found if certificate is not None),
            issuers.pop() if len(issuers) == 1 else "",
            tuple(
                dict.fromkeys(
                    certificate.identifier
                    for certificate, given in zip(found, fetched, strict=True)
                    if certificate is not None and given.presentation
                )
            ),
        )

    def _grant(self, request: SignedRequest, wanted: RequestedCertificate, now_us: int) -> Grant:
        """Step 2 for one certificate."""
        return find_grant(
            self.grants.of(request.iss),
            type_code=wanted.vct.rpartition("/")[2],
            service_item=request.service_item,
            fields=wanted.fields,
            now_us=now_us,
        )

    async def _find(self, wanted: RequestedCertificate) -> FoundCertificate | None:
        """Step 3: the certificate asked for, or None where nothing is on file.

        An identifier of another type than the one granted is answered as absent: the grant is for
        the type, and whether something else exists is nobody's business.
        """
        if wanted.cert is not None:
            certificate = await self.certificates.by_identifier(wanted.cert)
            return (
                certificate if certificate is not None and certificate.vct == wanted.vct else None
            )
        assert wanted.holder is not None, "the parser lets exactly one of both through"
        found = await self.certificates.by_holder(
            wanted.holder.type, wanted.holder.number, wanted.vct
        )
        active = [certificate for certificate in found if certificate.state is State.ACTIVE]
        if len(active) > 1:
            raise HubError(
                Reason.CERTIFICATE_AMBIGUOUS,
                identifiers=" ".join(certificate.identifier for certificate in active),
            )
        return active[0] if active else next(iter(found), None)

    async def _shown(
        self, wanted: RequestedCertificate, certificate: FoundCertificate
    ) -> tuple[Sequence[Disclosure], tuple[str, ...]]:
        """Of step 4: disclosures, and the names of those to be shown."""
        if certificate.is_linked:
            # Its seal names an identifier that the caller did not say and need not know.
            raise HubError(Reason.HOLDER_LINKED, identifiers=certificate.identifier)
        names = wanted.fields
        asked = names if wanted.holder is None else (*names, *_HOLDER_CLAIMS, _HOLDERS)
        disclosures = await certificate.disclosures(asked)
        sealed = {one.name for one in disclosures}
        if not sealed.issuperset(names):
            # The type got them in a later version.
            lacking = ", ".join(sorted(set(names) - sealed))
            raise HubError(
                Reason.FIELD_NOT_SEALED, identifier=certificate.identifier, fields=lacking
            )
        if wanted.holder is None:
            return disclosures, names
        if _NUMBER in sealed:
            return disclosures, names + _HOLDER_CLAIMS
        if is_area(wanted.holder.type):
            return disclosures, (*names, _HOLDERS)
        # Several holders are sealed as one value; to show one would show them all.
        raise HubError(Reason.SEVERAL_HOLDERS, identifier=certificate.identifier)


def _entry(
    caller: Caller,
    request: SignedRequest,
    outcome: dict[str, Json],
    disclosed: tuple[str, ...] = (),
) -> Entry:
    members: dict[str, Json] = {
        "service_item": request.service_item,
        "matter": request.matter,
        "basis": request.basis,
        **outcome,
    }
    if request.act is not None:
        members["act"] = request.act
    if request.consent is not None:
        members["consent_digest"] = digest(request.consent)
    return entry_of("fetch", caller, request, members, disclosed)


def content_of(request: SignedRequest) -> str:
    """One text for all that a retry repeats, whatever the order of its members."""
    return orjson.dumps(request.content, option=orjson.OPT_SORT_KEYS).decode()


_REMEMBERED_REFUSALS: Final = frozenset({Reason.GRANT_MISSING, Reason.FIELD_NOT_GRANTED})


def _one_digest(digests: Sequence[str]) -> str:
    """The grant's digest; of several grants, the digest of their sorted digests, one per line."""
    return digests[0] if len(digests) == 1 else digest("\n".join(digests))


def _member(
    wanted: RequestedCertificate, certificate: FoundCertificate | None, fetched: Fetched
) -> dict[str, Json]:
    """One of `certificates` in the entry's body; never the holder."""
    if certificate is None:
        # Who asked by identifier compares it, found or not.
        asked: dict[str, Json] = {} if wanted.cert is None else {"cert": wanted.cert}
        return {**asked, "vct": wanted.vct, "state": State.ABSENT.value, "fields": []}
    member: dict[str, Json] = {
        "cert": certificate.identifier,
        "version": certificate.version,
        "vct": certificate.vct,
        "state": certificate.state.value,
        "state_entry": certificate.state_entry,
        "fields": list(wanted.fields) if fetched.presentation else [],
    }
    if fetched.presentation:
        member["sd_hash"] = digest(fetched.presentation)
    if fetched.objected:
        member["objected"] = list(fetched.objected)
    return member
