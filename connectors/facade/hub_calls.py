"""The facade as a client of the hub: signed requests out, verified answers back.

An answer that does not verify is not handed on. One `HubCalls` serves one thread at a time; what
they share (the log's head, the types) is `Shared`.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import IO, Final

from connectors.client import AccessToken, HubClient
from connectors.documents import (
    FETCH_DOCUMENT_RPC,
    DocumentQuestion,
    FetchedDocument,
    fetch_document,
)
from connectors.heads import keep_proven_head, kept_head
from connectors.profile import Profile
from hub.domain.certificate_type import CertificateType, from_json
from hub.exchange.v1 import (
    exchange_pb2,
    exchange_pb2_grpc,
    verification_pb2,
    verification_pb2_grpc,
)
from hub.proof.encoding import Json, digest, parse_object
from hub.proof.exchange.answer_receipt import verify_verification_receipt
from hub.proof.exchange.request import (
    REQUEST_LIFE_MAX_S,
    CopyPurpose,
    RequestClaims,
    RequestedCertificate,
    sign_request,
)
from hub.proof.jose import LogHead, Signer
from hub.proof.log.receipt import Answered, VerifiedReceipt, verify_receipt
from hub.proof.records.sd_jwt import Expectation, Presentation, verify_presentation
from hub.proof.trust import Trust
from hub.registry.v1 import registry_pb2, registry_pb2_grpc

FETCH: Final = "/hub.exchange.v1.ExchangeService/FetchCertificates"
VERIFY: Final = "/hub.exchange.v1.VerificationService/VerifyInformation"
TYPES_MAX: Final = 512
TYPE_AGE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, for which matter, and for whom."""

    certificates: tuple[RequestedCertificate, ...]
    service_item: str
    matter: str
    basis: str
    clerk: str
    act: str


@dataclass(frozen=True, slots=True)
class Found:
    """One certificate of a verified answer; the identifier is absent where nothing was found."""

    state: str
    identifier: str | None
    presentation: Presentation | None
    # Fields to which somebody objects.
    objected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """What the caller keeps: enough to check the answer offline, without hub and facade."""

    request: str = field(repr=False)
    answer: dict[str, Json] = field(repr=False)
    entry: int


@dataclass(slots=True)
class Shared:
    """What all connections share.

    The head of the log never goes back, not by a restart either: it is kept beside the profile and
    read again, so that a hub whose log was rolled back meanwhile is found out by the next answer.
    """

    profile: Profile
    trust: Trust
    _head: LogHead | None = None
    _types: OrderedDict[tuple[str, int], tuple[float, CertificateType]] = field(
        default_factory=OrderedDict
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._head = kept_head(self.profile)

    def head(self) -> LogHead | None:
        """The newest head that was proven to follow those before."""
        with self._lock:
            return self._head

    def keep_head(self, verified: VerifiedReceipt) -> None:
        """Take over the head of an answer where it provably follows; durable on return."""
        with self._lock:
            self._head = keep_proven_head(self.profile, verified)

    def known_type(self, code: str, version: int) -> CertificateType | None:
        """A type that was read before; the newest version (0) is read again after a minute."""
        with self._lock:
            read_s, known = self._types.get((code, version), (0.0, None))
        return None if version == 0 and time.monotonic() - read_s > TYPE_AGE_S else known

    def keep_type(self, code: str, version: int, certificate_type: CertificateType) -> None:
        with self._lock:
            self._types[code, version] = (time.monotonic(), certificate_type)
            if len(self._types) > TYPES_MAX:
                self._types.popitem(last=False)


@dataclass(slots=True)
class HubCalls:
    """One connection to the hub."""

    client: HubClient
    signer: Signer
    shared: Shared

    @classmethod
    def of(cls, profile: Profile, shared: Shared) -> HubCalls:
        """Raises HubError(FILE_UNREADABLE)."""
        return cls(HubClient(profile), profile.signer(), shared)

    @property
    def origin(self) -> str:
        return self.client.profile.origin

    @property
    def trust(self) -> Trust:
        """What the facade has pinned about the hub."""
        return self.shared.trust

    def certificate_type(self, code: str, version: int = 0) -> CertificateType:
        """A version of a type, 0 for the newest. Raises HubRefusedError."""
        known = self.shared.known_type(code, version)
        if known is not None:
            return known
        stub = registry_pb2_grpc.RegistryServiceStub(self.client.channel)
        answer: registry_pb2.GetCertificateTypeResponse = self.client.call(
            stub.GetCertificateType,
            registry_pb2.GetCertificateTypeRequest(
                name=f"certificateTypes/{code.lower()}", version=version
            ),
        )
        certificate_type = from_json(answer.certificate_type.metadata)
        self.shared.keep_type(code, version, certificate_type)
        return certificate_type

    def fetch(self, question: Question) -> tuple[list[Found], Proof]:
        """What the hub discloses, verified. Raises HubRefusedError and ProofError."""
        claims = self._claims(question, FETCH)
        sent: list[str] = []

        def make(token: AccessToken) -> exchange_pb2.FetchCertificatesRequest:
            compact = self._signed(claims, token, sent)
            return exchange_pb2.FetchCertificatesRequest(
                request_id=claims.jti, signed_request=compact
            )

        stub = exchange_pb2_grpc.ExchangeServiceStub(self.client.channel)
        answer: exchange_pb2.FetchCertificatesResponse = self.client.call_signed(
            stub.FetchCertificates, make
        )
        given = [
            Answered(_word(item, item.state, "STATE_"), item.presentation or None)
            for item in answer.certificates
        ]
        verified = verify_receipt(
            answer.receipt.json.encode(), sent, claims.iss, given, self.shared.trust.log
        )
        found = [
            replace(one, objected=tuple(message.objected_fields))
            for one, message in zip(
                self._verified(given, question.certificates, verified),
                answer.certificates,
                strict=True,
            )
        ]
        self.shared.keep_head(verified)
        certificates: list[Json] = [
            {"state": one.state, **({"presentation": one.presentation} if one.presentation else {})}
            for one in given
        ]
        return found, _proof(answer, verified, {"certificates": certificates})

    def fetch_document(
        self, question: Question, media_type: str, into: IO[bytes], purpose: CopyPurpose
    ) -> tuple[FetchedDocument, Proof]:
        """A copy of the question's certificate for `purpose`, its bytes in `into`; verified. Of a
        type without a face the document on file.

        Raises HubRefusedError, ProofError, HubError(DOCUMENT_TOO_LARGE).
        """
        claims = replace(self._claims(question, FETCH_DOCUMENT_RPC), copy=purpose)
        sent: list[str] = []
        asked = DocumentQuestion(
            claims.jti, lambda token: self._signed(claims, token, sent), sent, media_type
        )
        fetched = fetch_document(self.client, asked, into, self.shared.trust.log)
        self.shared.keep_head(fetched.verified)
        said = fetched.said
        document: dict[str, Json] = {
            "request_id": claims.jti,
            "state": said.state,
            "media_type": said.media_type,
            "size": said.size,
            "digest": said.digest,
            "origin": said.origin,
            "receipt": parse_object(fetched.receipt),
        }
        return fetched, Proof(fetched.compact, document, fetched.verified.index)

    def verify(self, question: Question, values: dict[str, Json]) -> tuple[str, Proof]:
        """The result in lower case, its receipt verified. Raises HubRefusedError, ProofError."""
        claims = replace(self._claims(question, VERIFY), values=values)
        sent: list[str] = []

        def make(token: AccessToken) -> verification_pb2.VerifyInformationRequest:
            compact = self._signed(claims, token, sent)
            return verification_pb2.VerifyInformationRequest(
                request_id=claims.jti, signed_request=compact
            )

        stub = verification_pb2_grpc.VerificationServiceStub(self.client.channel)
        answer: verification_pb2.VerifyInformationResponse = self.client.call_signed(
            stub.VerifyInformation, make
        )
        result = _word(answer, answer.result, "RESULT_")
        verified = verify_verification_receipt(
            answer.receipt.json.encode(), sent, claims.iss, result, self.shared.trust.log
        )
        self.shared.keep_head(verified)
        return result, _proof(answer, verified, {"result": result})

    def _verified(
        self,
        given: Sequence[Answered],
        asked: Sequence[RequestedCertificate],
        verified: VerifiedReceipt,
    ) -> list[Found]:
        """Each presentation is the genuine seal on what was asked for. Raises ProofError."""
        found = []
        for one, wanted, logged in zip(given, asked, verified.entry.certificates, strict=True):
            presentation = None
            if one.presentation is not None:
                expected = Expectation(
                    origin=self.shared.trust.origin,
                    region=self.shared.trust.region,
                    vct=wanted.vct,
                    fields=frozenset(wanted.fields),
                    cert=logged.cert,
                    holder=(wanted.holder.type, wanted.holder.number) if wanted.holder else None,
                    version=logged.version,
                )
                presentation = verify_presentation(
                    one.presentation,
                    expected,
                    keys=None,
                    anchors=self.shared.trust.seal_anchors,
                    now=int(time.time()),
                )
            found.append(Found(one.state, logged.cert, presentation))
        return found

    def _claims(self, question: Question, rpc: str) -> RequestClaims:
        """All but times and token, which each attempt has of its own."""
        profile = self.client.profile
        return RequestClaims(
            iss=profile.name,
            aud=profile.origin,
            region=profile.region,
            rpc=rpc,
            jti=str(uuid.uuid4()),
            iat=0,
            exp=0,
            ath="",
            certificates=question.certificates,
            service_item=question.service_item,
            matter=question.matter,
            basis=question.basis,
            clerk=question.clerk,
            act=question.act,
            log=self.shared.head(),
        )

    def _signed(self, claims: RequestClaims, token: AccessToken, sent: list[str]) -> str:
        now = int(time.time())
        signed = replace(claims, iat=now, exp=now + REQUEST_LIFE_MAX_S, ath=digest(token.text))
        compact = sign_request(signed, self.signer)
        sent.append(compact)
        return compact


def _proof(
    answer: exchange_pb2.FetchCertificatesResponse | verification_pb2.VerifyInformationResponse,
    verified: VerifiedReceipt,
    members: dict[str, Json],
) -> Proof:
    receipt = parse_object(answer.receipt.json.encode())
    document: dict[str, Json] = {"request_id": answer.request_id, **members, "receipt": receipt}
    return Proof(verified.request.compact, document, verified.index)


def _word(
    message: exchange_pb2.FetchedCertificate | verification_pb2.VerifyInformationResponse,
    number: int,
    prefix: str,
) -> str:
    """The value of the message's one enum, in lower case without its prefix."""
    enum = message.DESCRIPTOR.enum_types[0]
    return enum.values_by_number[number].name.removeprefix(prefix).lower()
