"""Keys in a sealing service of somebody else, such as a province's seal system (ADR 48).

The contract is ours (docs/formats/sealing-service.md): JSON over HTTPS, to the configured address
alone. A service is believed nothing: its signature is verified over the bytes that were sent, by
the key that was registered, before anybody uses it; an answer to another request, by another key or
with another chain is refused, each with its own rule.
"""

from __future__ import annotations

import re
import ssl
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from hub.domain.certificate import Custody
from hub.domain.seal_key import FORMATS, KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof.encoding import Json, b64u, b64u_decode, digest, emit_json, parse_object
from hub.proof.jose import integer, string
from hub.proof.reasons import ProofError
from hub.proof.sealing.records import Mandate
from hub.seal.algorithms import PublicKey, Subject, in_der, octets_of_der
from hub.seal.keys import (
    AnewWork,
    CodeWork,
    DocumentWork,
    KeyOrder,
    KeysHere,
    ListingWork,
    MadeKey,
    RecordWork,
    SealKey,
    SealWork,
    check_private,
)

ANSWER_BYTES_MAX: Final = 64 * 1024
TRIES_MAX: Final = 2

_JSON: Final = "application/json"
# The ids of orders of keys are names in this space (RFC 9562 §5.5).
_ORDERS: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:sealway:key-order")
_KID: Final = re.compile(r"[A-Za-z0-9_-]{43}")
# What a refusal may call its reason; anything else is not repeated to anybody.
_CODE: Final = re.compile(r"[A-Z_]{1,40}")


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """Where a service is, what proves it and what proves the hub to it, as PEM files.

    `url` is https, or plain http to this machine (`hub.config`); files are None with the latter.
    """

    url: str
    ca: Path | None
    certificate: Path | None
    key: Path | None
    timeout_s: float


@dataclass(slots=True)
class ServiceHome:
    """A home of keys that a service keeps; as `KeyHome`.

    `custody` is what records say: the hub decides what is signed, and what holds the key it cannot
    see. A request that got no answer is repeated once under its own id, which the service signs
    once.
    """

    place: ServiceAddress
    name: str
    custody: Custody
    algorithms: frozenset[KeyAlgorithm] = frozenset(KeyAlgorithm)
    monotonic: Callable[[], float] = time.monotonic
    _client: httpx.Client | None = None

    def create(
        self, algorithm: KeyAlgorithm, use: KeyUse, subject: Subject, order: KeyOrder | None = None
    ) -> MadeKey:
        """As in `KeyHome`; the service is told the digest of the intent. One order is one request,
        which the service answers alike."""
        request_id, intent = uuid.uuid4(), ""
        if order is not None:
            intent = digest(order.mandate.intent)
            request_id = uuid.uuid5(_ORDERS, f"{intent} {order.number}")
        asked: dict[str, Json] = {
            "request_id": str(request_id),
            "intent": intent,
            "algorithm": algorithm.value,
            "use": use.value,
            "common_name": subject.common_name,
            "organization": subject.organization,
            "organization_identifier": subject.organization_identifier,
        }
        answer = self._ask("POST", "/v1/keys", asked)
        with _Reading(self.name):
            self._same(answer, "request_id", asked["request_id"])
            request = b64u_decode(string(answer, "x509_request"))
            return MadeKey(_public(answer, algorithm), request)

    def open(
        self, kid: str, algorithm: KeyAlgorithm, use: KeyUse, x509_chain: tuple[bytes, ...]
    ) -> ServiceKey:
        """As in `KeyHome`: the service has it, for this use and algorithm."""
        if not _KID.fullmatch(kid):
            raise HubError(Reason.KEY_UNAVAILABLE, key="whose thumbprint is none")
        try:
            answer = self._ask("GET", f"/v1/keys/{kid}")
        except HubError as error:
            if error.reason is Reason.SEALING_SERVICE_REFUSED:
                raise HubError(Reason.KEY_UNAVAILABLE, key=kid) from error
            raise
        with _Reading(self.name):
            if (answer.get("algorithm"), answer.get("use")) != (algorithm.value, use.value):
                raise HubError(Reason.KEY_UNAVAILABLE, key=kid)
            public = _public(answer, algorithm)
        if public.kid != kid:
            raise self._wrong("another key than was asked for")
        return ServiceKey(kid, algorithm, use, self.custody, x509_chain, public, self)

    def destroy(self, kid: str, _mandate: Mandate | None = None) -> None:
        """As in `KeyHome`."""
        if not _KID.fullmatch(kid):
            return
        try:
            self._ask("DELETE", f"/v1/keys/{kid}")
        except HubError as error:
            if error.details.get("rule") != "KEY_NOT_FOUND":
                raise

    def notice(self, _mandate: Mandate, _rejection: str = "") -> None:
        """As in `KeyHome`: its contract knows no states of keys."""

    def health(self) -> KeysHere:
        """As in `KeyHome`."""
        answer = self._ask("GET", "/v1/keys")
        with _Reading(self.name):
            return KeysHere(integer(answer, "count"), None)

    def close(self) -> None:
        """As in `KeyHome`."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def signature(self, key: ServiceKey, intent: str, data: bytes) -> bytes:
        """The octets of a signature over `data`, found to be `key`'s. Raises HubError:
        SEALING_SERVICE_UNAVAILABLE, SEALING_SERVICE_REFUSED, SEALING_SERVICE_WRONG."""
        asked: dict[str, Json] = {
            "request_id": str(uuid.uuid4()),
            "key_id": key.kid,
            "algorithm": key.algorithm.value,
            "format": FORMATS[key.use],
            "bytes": b64u(data),
            "intent": intent,
        }
        answer = self._ask("POST", "/v1/signatures", asked)
        with _Reading(self.name):
            self._same(answer, "request_id", asked["request_id"])
            self._same(answer, "key_id", key.kid)
            self._same(answer, "digest", digest(data))
            chain = answer.get("x509_chain")
            octets = b64u_decode(string(answer, "signature"))
        # An empty one leaves the chain to the hub, which verified it when the key was put in force.
        if chain not in ([], [b64u(der) for der in key.x509_chain]):
            raise self._wrong("another chain than the key's")
        try:
            key.public.verify(data, octets)
        except HubError as error:
            raise self._wrong("the signature is not this key's over these bytes") from error
        if key.algorithm in (KeyAlgorithm.ED25519, KeyAlgorithm.PS256):
            return octets
        # Low s, as every signature of ours: some devices give either half.
        return octets_of_der(key.algorithm, in_der(key.algorithm, octets))

    def _same(self, answer: Mapping[str, Json], member: str, expected: Json) -> None:
        if answer.get(member) != expected:
            raise self._wrong(f"an answer with another {member}")

    def _ask(self, method: str, path: str, asked: Mapping[str, Json] | None = None) -> _Answer:
        for left in reversed(range(TRIES_MAX)):
            try:
                return self._once(method, path, asked)
            except HubError as error:
                if error.reason is not Reason.SEALING_SERVICE_UNAVAILABLE or not left:
                    raise
        raise AssertionError("the last try returns or raises")

    def _once(self, method: str, path: str, asked: Mapping[str, Json] | None) -> _Answer:
        """One exchange: bounded in size and time, no redirects, no proxy from the environment."""
        headers = {"Accept": _JSON}
        if asked is not None:
            headers |= {"Content-Type": _JSON, "Idempotency-Key": str(asked["request_id"])}
        content = None if asked is None else emit_json(dict(asked))
        end = self.monotonic() + self.place.timeout_s
        body = bytearray()
        try:
            with self._opened().stream(
                method, self.place.url.rstrip("/") + path, content=content, headers=headers
            ) as answer:
                for part in answer.iter_raw(4096):
                    body += part
                    if len(body) > ANSWER_BYTES_MAX:
                        raise self._wrong("an answer that is too large")
                    if self.monotonic() > end:
                        raise self._away("too slow")
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._away(type(error).__name__) from error
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _LATER:
            raise self._away(f"status {status}")
        if httpx.codes.is_redirect(status):
            raise self._wrong("a redirect")
        if status == httpx.codes.NO_CONTENT:
            return {}
        with _Reading(self.name):
            said = parse_object(bytes(body))
        if status == httpx.codes.OK:
            return said
        code = said.get("error")
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise self._wrong(f"status {status} without a reason")
        raise HubError(Reason.SEALING_SERVICE_REFUSED, home=self.name, rule=code)

    def _opened(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(
                timeout=self.place.timeout_s,
                follow_redirects=False,
                trust_env=False,
                verify=self._tls(),
            )
        return self._client

    def _tls(self) -> ssl.SSLContext:
        """The configured anchors and no others; the hub's certificate where it has one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        place = self.place
        try:
            if place.ca is not None:
                context.load_verify_locations(place.ca)
            if place.certificate is not None and place.key is not None:
                check_private(place.key)
                context.load_cert_chain(place.certificate, place.key)
        except (OSError, ssl.SSLError) as error:
            raise self._away("its TLS files cannot be used") from error
        return context

    def _away(self, rule: str) -> HubError:
        return HubError(Reason.SEALING_SERVICE_UNAVAILABLE, home=self.name, rule=rule)

    def _wrong(self, rule: str) -> HubError:
        return HubError(Reason.SEALING_SERVICE_WRONG, home=self.name, rule=rule)


@dataclass(frozen=True, slots=True, repr=False)
class ServiceKey:
    """A key of a service; as `SigningKey`. Its one format is looked at here, as for every key."""

    kid: str
    algorithm: KeyAlgorithm
    use: KeyUse
    custody: Custody
    x509_chain: tuple[bytes, ...]
    public: PublicKey
    _home: ServiceHome
    _headers: set[bytes] = field(default_factory=set)

    def sign(self, signing_input: bytes, format: str) -> bytes:
        """As in `SigningKey`. The service is told of no intent: the caller has shown none."""
        return self._under("").sign(signing_input, format)

    def sign_seal(self, work: SealWork) -> bytes:
        """As in `SigningKey`; the service is told the digest of the intent."""
        return self._under(digest(work.mandate.intent)).sign_seal(work)

    def sign_document(self, work: DocumentWork) -> bytes:
        """As in `SigningKey`; the service is told the digest of the intent."""
        return self._under(digest(work.mandate.intent)).sign_document(work)

    def sign_anew(self, work: AnewWork) -> list[bytes]:
        """As in `SigningKey`; the service is told the digest of the intent."""
        return self._under(digest(work.mandate.intent)).sign_anew(work)

    def sign_listing(self, work: ListingWork) -> bytes:
        """As in `SigningKey`; the service is told the digest of the intent."""
        return self._under(digest(work.signed.mandate.intent)).sign_listing(work)

    def sign_face_code(self, work: CodeWork) -> bytes:
        """As in `SigningKey`; the service is told the digest of the intent."""
        return self._under(digest(work.mandate.intent)).sign_face_code(work)

    def sign_records(self, work: RecordWork) -> list[bytes]:
        """As in `SigningKey`; the service is told the digest of the intent."""
        return self._under(digest(work.mandate.intent)).sign_records(work)

    def _under(self, intent: str) -> SealKey:
        sign = partial(self._home.signature, self, intent)
        return SealKey(
            self.kid, self.algorithm, self.use, self.custody, self.x509_chain, sign, self._headers
        )

    def __repr__(self) -> str:
        return f"ServiceKey({self.kid!r}, {self.use.value})"


_Answer = dict[str, Json]

# Somebody who says so may be asked again.
_LATER: Final = (408, 425, 429)


def _public(answer: Mapping[str, Json], algorithm: KeyAlgorithm) -> PublicKey:
    public = PublicKey.from_spki(b64u_decode(string(answer, "public_key")))
    if public.algorithm is not algorithm:
        raise HubError(Reason.KEY_UNAVAILABLE, key="of another algorithm")
    return public


@dataclass(frozen=True, slots=True)
class _Reading:
    """Whatever cannot be read of an answer is wrong of the service."""

    home: str

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        is_bad_key = isinstance(error, HubError) and error.reason is Reason.PUBLIC_KEY_INVALID
        if is_bad_key or isinstance(error, ProofError | ValueError | KeyError):
            rule = "an answer that cannot be read"
            raise HubError(Reason.SEALING_SERVICE_WRONG, home=self.home, rule=rule) from error
