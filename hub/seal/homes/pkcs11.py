"""Keys inside a PKCS#11 token: made there, never out of it. Custody: the hub's, in hardware.

Only the signer process builds this home (docs/adr/0040): PKCS#11 does not survive a fork. The
library initialises a module without locks of its own (`C_Initialize` without arguments promises one
thread at a time), so one session serves all, one call after the other.

A session that is lost is opened again, with a growing pause where that fails. A wrong PIN is never
tried twice, and never where the token says that it is the last try: a token locks.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias, TypeVar, cast
from urllib.parse import unquote

import pkcs11
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, TokenFlag
from pkcs11.util.ec import encode_named_curve_parameters

from hub.domain.certificate import Custody
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof import sm2
from hub.proof.encoding import b64u, b64u_decode
from hub.proof.reasons import ProofError
from hub.proof.sealing.records import Mandate
from hub.seal.algorithms import (
    RSA_BITS,
    PublicKey,
    Subject,
    certificate_request,
    octets_of_pair,
    request_info,
)
from hub.seal.keys import KeyOrder, KeysHere, MadeKey, SealKey, check_private

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib as Module  # noqa: N812 - a class by another name

PIN_BYTES_MAX: Final = 256
URI_BYTES_MAX: Final = 2048
PAUSE_LEAST_S: Final = 0.1
PAUSE_MOST_S: Final = 30.0

_T = TypeVar("_T")
_ANSWERS: Final = frozenset(KeyAlgorithm) - {KeyAlgorithm.SM2}
_CURVES: Final = {
    KeyAlgorithm.ES256: "1.2.840.10045.3.1.7",
    KeyAlgorithm.ES384: "1.3.132.0.34",
    KeyAlgorithm.ED25519: "1.3.101.112",
    KeyAlgorithm.SM2: "1.2.156.10197.1.301",
}
_SHA256_PSS: Final = (Mechanism.SHA256, pkcs11.MGF.SHA256, 32)
_PRIVATE: Final[dict[Attribute, object]] = {
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
}


@dataclass(frozen=True, slots=True)
class TokenUri:
    """A token as RFC 7512 names it: which module, which token, where its PIN is read."""

    module: Path
    pin_file: Path
    label: str | None
    serial: bytes | None

    @classmethod
    def parse(cls, text: str, home: Path) -> TokenUri:
        """The token of `pkcs11:token=…;serial=…?module-path=…&pin-source=…`; relative paths hang on
        `home`.

        Raises ValueError: another scheme, an attribute that names no token, one twice, a PIN in the
        text (`pin-value`), no module or no PIN file.
        """
        if len(text) > URI_BYTES_MAX or not text.startswith("pkcs11:"):
            raise ValueError("begins with pkcs11:")
        path, _, query = text.removeprefix("pkcs11:").partition("?")
        named = _attributes(path, ";", frozenset({"token", "serial"}))
        asked = _attributes(query, "&", frozenset({"module-path", "pin-source"}))
        if not named or asked.keys() != {"module-path", "pin-source"}:
            raise ValueError("needs token or serial, module-path and pin-source")
        serial = named.get("serial")
        return cls(
            module=home / asked["module-path"],
            pin_file=home / asked["pin-source"].removeprefix("file:"),
            label=named.get("token"),
            serial=None if serial is None else serial.encode(),
        )

    @property
    def name(self) -> str:
        """How people call the token."""
        return self.label or (self.serial or b"").decode()


def _attributes(text: str, separator: str, known: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if name not in known or not equals or not value or name in found:
            raise ValueError(f"{name} is not an attribute that belongs here once")
        found[name] = unquote(value, errors="strict")
    return found


@dataclass(frozen=True, slots=True)
class Sm2Mechanisms:
    """The numbers by which a vendor's module makes SM2 keys and signs; the standard has none.

    `signs` says what the mechanism is given: the message (the device hashes with Z of the default
    id) or the digest e = SM3(Z ‖ M), GB/T 32918.2 §6.1.
    """

    generate: int
    sign: int
    signs: Literal["message", "digest"]


def sm2_mechanisms(generate: int, sign: int, signs: str) -> Sm2Mechanisms | None:
    """The mechanisms of these numbers; None where one is 0."""
    if not generate or not sign:
        return None
    return Sm2Mechanisms(generate, sign, "digest" if signs == "digest" else "message")


_Session: TypeAlias = pkcs11.Session


class _Private(Protocol):
    """The private half of a key in a session."""

    def sign(self, data: bytes, *, mechanism: Mechanism, mechanism_param: object = None) -> bytes:
        """The signature as the mechanism gives it."""
        ...

    def destroy(self) -> None:
        """Destroy it in the token."""
        ...

    def __setitem__(self, key: Attribute, value: object) -> None: ...


@dataclass(slots=True, repr=False)
class Pkcs11Keys:
    """The keys of one token. Any thread may call; one at a time is served."""

    token: TokenUri
    sm2_mechanisms: Sm2Mechanisms | None = None
    # As in `KeyHome`.
    name: str = "pkcs11"
    custody: Custody = Custody.HUB_HSM
    # Tests hand in a module that fails on command.
    load: Callable[[str], Module] = pkcs11.lib
    monotonic: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _session: _Session | None = None
    _objects: dict[str, _Private] = field(default_factory=dict)
    _pause_s: float = 0.0
    _not_before: float = 0.0
    _refusal: Reason | None = None
    _refused_pin: tuple[int, int, int] | None = None

    @property
    def algorithms(self) -> frozenset[KeyAlgorithm]:
        """As in `KeyHome`; a token that lacks one of them says so when a key is made."""
        return _ANSWERS if self.sm2_mechanisms is None else frozenset(KeyAlgorithm)

    def create(
        self, algorithm: KeyAlgorithm, use: KeyUse, subject: Subject, _order: KeyOrder | None = None
    ) -> MadeKey:
        """As in `KeyHome`."""
        if algorithm not in self.algorithms:
            raise self._not_here(algorithm)

        def make(session: _Session) -> MadeKey:
            try:
                public, private = self._generate(session, algorithm, use)
            except (pkcs11.MechanismInvalid, pkcs11.DomainParamsInvalid) as error:
                raise self._not_here(algorithm) from error
            try:
                made = _public_key(algorithm, public)
                info = request_info(made, subject)
                octets = self._signature(algorithm, private, made, info)
                request = certificate_request(made, info, octets)
            except HubError:
                # It would never verify: nothing of it stays.
                public.destroy()
                private.destroy()
                raise
            for half in (public, private):
                half[Attribute.ID] = b64u_decode(made.kid)
            return MadeKey(made, request)

        return self._run(make)

    def open(
        self, kid: str, algorithm: KeyAlgorithm, use: KeyUse, x509_chain: tuple[bytes, ...]
    ) -> SealKey:
        """As in `KeyHome`."""

        def look(session: _Session) -> PublicKey:
            private = _find(session, kid, use)
            public = _public_key(algorithm, _find_public(session, kid, use))
            if public.kid != kid:
                raise HubError(Reason.KEY_UNAVAILABLE, key=kid)
            self._objects[kid] = private
            return public

        public = self._run(look)

        def sign(data: bytes) -> bytes:
            def once(session: _Session) -> bytes:
                private = self._objects.get(kid)
                if private is None:
                    private = self._objects[kid] = _find(session, kid, use)
                return self._signature(algorithm, private, public, data)

            return self._run(once)

        return SealKey(kid, algorithm, use, self.custody, x509_chain, sign)

    def destroy(self, kid: str, _mandate: Mandate | None = None) -> None:
        """As in `KeyHome`."""

        def end(session: _Session) -> None:
            self._objects.pop(kid, None)
            with suppress(ProofError):
                for found in list(session.get_objects({Attribute.ID: b64u_decode(kid)})):
                    found.destroy()

        self._run(end)

    def notice(self, _mandate: Mandate, _rejection: str = "") -> None:
        """As in `KeyHome`: whoever opens its keys knows."""

    def health(self) -> KeysHere:
        """As in `KeyHome`; a key whose making was cut short has an id that is no thumbprint."""

        def look(session: _Session) -> KeysHere:
            ids = [
                b64u(found[Attribute.ID])
                for use in KeyUse
                for found in session.get_objects(_template(use, ObjectClass.PRIVATE_KEY))
            ]
            return KeysHere(len(ids), frozenset(ids))

        return self._run(look)

    def close(self) -> None:
        """As in `KeyHome`."""
        with self._lock:
            self._drop()

    def _run(self, task: Callable[[_Session], _T]) -> _T:
        """What `task` makes of the session, on a new one where this one is lost."""
        with self._lock:
            if self._session is not None:
                try:
                    return task(self._session)
                except pkcs11.PKCS11Error:
                    self._drop()
            session = self._connect()
            try:
                return task(session)
            except pkcs11.PKCS11Error as error:
                self._drop()
                raise self._unavailable() from error

    def _connect(self) -> _Session:
        """Log in anew. Raises HubError(KEY_UNAVAILABLE), (KEY_PIN_WRONG), (KEY_PIN_LOCKED)."""
        if self.monotonic() < self._not_before:
            raise HubError(Reason.KEY_UNAVAILABLE, key=f"token {self.token.name}")
        pin, seen = self._pin()
        if self._refusal is not None and seen == self._refused_pin:
            raise HubError(self._refusal, token=self.token.name)
        try:
            module = self.load(str(self.token.module))
            # What was initialised before a token was removed or a module restarted knows nothing
            # of what came back.
            module.reinitialize()
            token = module.get_token(token_label=self.token.label, token_serial=self.token.serial)
            if TokenFlag.USER_PIN_LOCKED in token.flags:
                raise pkcs11.PinLocked
            if TokenFlag.USER_PIN_FINAL_TRY in token.flags:
                raise pkcs11.PinIncorrect
            self._session = token.open(rw=True, user_pin=pin)
        except pkcs11.PinLocked as error:
            raise self._refused(Reason.KEY_PIN_LOCKED, seen) from error
        except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange) as error:
            raise self._refused(Reason.KEY_PIN_WRONG, seen) from error
        except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
            raise self._unavailable() from error
        self._pause_s, self._not_before, self._refusal = 0.0, 0.0, None
        return self._session

    def _refused(self, reason: Reason, seen: tuple[int, int, int]) -> HubError:
        self._refusal, self._refused_pin = reason, seen
        return HubError(reason, token=self.token.name)

    def _unavailable(self) -> HubError:
        self._pause_s = min(max(2 * self._pause_s, PAUSE_LEAST_S), PAUSE_MOST_S)
        self._not_before = self.monotonic() + self._pause_s
        return HubError(Reason.KEY_UNAVAILABLE, key=f"token {self.token.name}")

    def _drop(self) -> None:
        self._objects.clear()
        session, self._session = self._session, None
        if session is not None:
            with suppress(pkcs11.PKCS11Error):
                session.close()

    def _pin(self) -> tuple[str, tuple[int, int, int]]:
        """The PIN, and which writing of its file it is from."""
        try:
            check_private(self.token.pin_file)
            status = self.token.pin_file.stat()
            with self.token.pin_file.open("rb") as file:
                pin = file.read(PIN_BYTES_MAX).strip().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise HubError(Reason.KEY_UNAVAILABLE, key=f"PIN of {self.token.name}") from error
        return pin, (status.st_mtime_ns, status.st_ino, status.st_size)

    def _generate(
        self, session: _Session, algorithm: KeyAlgorithm, use: KeyUse
    ) -> tuple[pkcs11.PublicKey, _Private]:
        """Both halves, stored, under an id that is nobody's until the public half is read."""
        label, id = _label(use), secrets.token_bytes(32)
        if algorithm is KeyAlgorithm.PS256:
            return _halves(
                session.generate_keypair(
                    KeyType.RSA, RSA_BITS, id=id, label=label, store=True, private_template=_PRIVATE
                )
            )
        kind = KeyType.EC_EDWARDS if algorithm is KeyAlgorithm.ED25519 else KeyType.EC
        parameters = encode_named_curve_parameters(_CURVES[algorithm])
        mechanism = None
        if algorithm is KeyAlgorithm.SM2:
            assert self.sm2_mechanisms is not None, "create refused it"
            mechanism = _mechanism(self.sm2_mechanisms.generate)
        domain = session.create_domain_parameters(
            kind, {Attribute.EC_PARAMS: parameters}, local=True
        )
        return _halves(
            domain.generate_keypair(
                id=id, label=label, store=True, mechanism=mechanism, private_template=_PRIVATE
            )
        )

    def _signature(
        self, algorithm: KeyAlgorithm, key: _Private, public: PublicKey, data: bytes
    ) -> bytes:
        """The octets of a signature over `data`; the bytes are hashed here or in the device, never
        by whoever asks."""
        match algorithm:
            case KeyAlgorithm.ED25519:
                return key.sign(data, mechanism=Mechanism.EDDSA)
            case KeyAlgorithm.PS256:
                return key.sign(
                    data, mechanism=Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=_SHA256_PSS
                )
            case KeyAlgorithm.ES256:
                raw = key.sign(hashlib.sha256(data).digest(), mechanism=Mechanism.ECDSA)
            case KeyAlgorithm.ES384:
                raw = key.sign(hashlib.sha384(data).digest(), mechanism=Mechanism.ECDSA)
            case KeyAlgorithm.SM2:
                assert self.sm2_mechanisms is not None, "opened by its algorithm"
                if self.sm2_mechanisms.signs == "digest":
                    point = sm2.PublicKey.from_spki(public.spki).point
                    data = sm2.signed_digest(point, data)
                raw = key.sign(data, mechanism=_mechanism(self.sm2_mechanisms.sign))
        half = len(raw) // 2
        r, s = int.from_bytes(raw[:half]), int.from_bytes(raw[half:])
        return octets_of_pair(algorithm, r, s)

    def _not_here(self, algorithm: KeyAlgorithm) -> HubError:
        return HubError(
            Reason.ALGORITHM_NOT_HERE, home=f"pkcs11 {self.token.name}", algorithm=algorithm.value
        )


def _halves(
    pair: tuple[pkcs11.PublicKey, pkcs11.PrivateKey],
) -> tuple[pkcs11.PublicKey, _Private]:
    # The library's classes for keys that sign are made at run time.
    return pair[0], cast(_Private, pair[1])


def _label(use: KeyUse) -> str:
    """The use stands in the token, so that no row of a database can change it."""
    return f"sealway {use.value}"


def _template(use: KeyUse, kind: ObjectClass) -> dict[Attribute, object]:
    return {Attribute.CLASS: kind, Attribute.LABEL: _label(use)}


def _find(session: _Session, kid: str, use: KeyUse) -> _Private:
    return cast(_Private, _object(session, kid, use, ObjectClass.PRIVATE_KEY))


def _find_public(session: _Session, kid: str, use: KeyUse) -> pkcs11.PublicKey:
    return cast(pkcs11.PublicKey, _object(session, kid, use, ObjectClass.PUBLIC_KEY))


def _object(session: _Session, kid: str, use: KeyUse, kind: ObjectClass) -> pkcs11.Object:
    """The one object. Raises HubError(KEY_UNAVAILABLE)."""
    try:
        id = b64u_decode(kid)
    except (ProofError, ValueError) as error:
        raise HubError(Reason.KEY_UNAVAILABLE, key="whose thumbprint is none") from error
    found = list(session.get_objects({**_template(use, kind), Attribute.ID: id})) if id else []
    if len(found) != 1:
        raise HubError(Reason.KEY_UNAVAILABLE, key=kid)
    return found[0]


def _public_key(algorithm: KeyAlgorithm, half: pkcs11.PublicKey) -> PublicKey:
    """The public key that the token tells. Raises HubError(KEY_UNAVAILABLE): of another kind."""
    try:
        return PublicKey.from_spki(_spki(algorithm, half))
    except (pkcs11.AttributeTypeInvalid, ValueError, ProofError, HubError) as error:
        raise HubError(Reason.KEY_UNAVAILABLE, key=f"not of {algorithm.value}") from error


def _spki(algorithm: KeyAlgorithm, half: pkcs11.PublicKey) -> bytes:
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if algorithm is KeyAlgorithm.PS256:
        numbers = rsa.RSAPublicNumbers(
            e=int.from_bytes(half[Attribute.PUBLIC_EXPONENT]),
            n=int.from_bytes(half[Attribute.MODULUS]),
        )
        return numbers.public_key().public_bytes(*form)
    point = _point(half[Attribute.EC_POINT])
    match algorithm:
        case KeyAlgorithm.ED25519:
            return ed25519.Ed25519PublicKey.from_public_bytes(point).public_bytes(*form)
        case KeyAlgorithm.SM2:
            return sm2.PublicKey(point).to_spki()
        case KeyAlgorithm.ES256:
            curve: ec.EllipticCurve = ec.SECP256R1()
        case KeyAlgorithm.ES384:
            curve = ec.SECP384R1()
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, point).public_bytes(*form)


def _point(value: bytes) -> bytes:
    """The point in a DER OCTET STRING, as PKCS#11 §2.3.3 wants it; some modules leave it bare."""
    if len(value) > 2 and value[0] == 0x04 and value[1] == len(value) - 2:
        return value[2:]
    return value


def _mechanism(number: int) -> Mechanism:
    """A vendor's mechanism: the library takes members of its enumeration only."""
    try:
        return Mechanism(number)
    except ValueError:
        member = int.__new__(Mechanism, number)
        member._name_, member._value_ = f"VENDOR_{number:#010x}", number
        return member
