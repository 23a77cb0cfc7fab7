"""Sealing keys: what signs, and the contract of the homes in which such keys live.

A key is made in its home and never leaves it. It signs one format for life: `SealKey.sign` looks
into the bytes it is given and refuses any other, so a seal key signs no approval and no token.
Whether these bytes may be signed at all is the signer's to say (`signer.py`).
"""

from __future__ import annotations

import stat
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from hub.domain.certificate import Custody
from hub.domain.record import Record, SealingOrder
from hub.domain.seal_key import FORMATS, SIGNED_BYTES_MAX, KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof import jose
from hub.proof.encoding import Json, b64, b64u, emit_json
from hub.proof.jose import FACE_TYP, SEAL_TYP
from hub.proof.records.batch import FoldedRecords
from hub.proof.sealing.anew import RecordAnew
from hub.proof.sealing.documents import Document, DocumentOrder, SignedDocument
from hub.proof.sealing.records import Mandate
from hub.seal.algorithms import JOSE_NAMES, PublicKey, Subject, in_format

_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_GENERALIZED_TIME: Final = 0x18
_SET: Final = 0x31


class SigningKey(Protocol):
    """A key of a seal, wherever it lives. Any thread may sign."""

    @property
    def kid(self) -> str:
        """RFC 7638 thumbprint of the public key."""
        ...

    @property
    def algorithm(self) -> KeyAlgorithm:
        """The one algorithm of this key."""
        ...

    @property
    def use(self) -> KeyUse:
        """What the key was made for, and signs."""
        ...

    @property
    def custody(self) -> Custody:
        """In whose hands the key is."""
        ...

    @property
    def x509_chain(self) -> tuple[bytes, ...]:
        """DER, leaf first, without the root."""
        ...

    def sign(self, signing_input: bytes, format: str) -> bytes:
        """The signature over the exact bytes, which must be of `format`, the key's one. Never a
        digest. In the form of the format: JOSE octets for `dc+sd-jwt`, else DER.

        Raises HubError(KEY_USAGE_REFUSED), and what the key's home raises.
        """
        ...

    def sign_seal(self, work: SealWork) -> bytes:
        """The signature of a seal's maker over the exact bytes in `work`, which whoever asks has
        composed from the intent (`hub.proof.sealing.seals`).

        A key that lives elsewhere makes them there again. Raises HubError as `sign_records` does.
        """
        ...

    def sign_document(self, work: DocumentWork) -> bytes:
        """The signature over the exact bytes of the document in `work`, which whoever asks has
        compared with the intent (`hub.proof.sealing.documents`).

        A key that lives elsewhere compares there again. Raises HubError as `sign_records` does, and
        there DOCUMENT_TOO_LARGE.
        """
        ...

    def sign_face_code(self, work: CodeWork) -> bytes:
        """The signature over the code of a face, which whoever asks has compared with certificate
        and intent (`hub.proof.sealing.codes`).

        A key that lives elsewhere compares there with the intent again. Raises HubError as
        `sign_records` does.
        """
        ...

    def sign_records(self, work: RecordWork) -> list[bytes]:
        """The signature of each record of `work`, in order, over its header and payload; of records
        that are folded the one over the folded payload.

        A key that lives elsewhere checks there, by `hub.proof.sealing.records`, what `work` brings
        with it. Raises HubError as `sign` does, and there INTENT_NOT_APPROVED, INTENT_EXHAUSTED.
        """
        ...

    def sign_anew(self, work: AnewWork) -> list[bytes]:
        """As `sign_records`, of records that a stolen key has sealed (`hub.proof.sealing.anew`).

        Raises HubError as `sign_records` does.
        """
        ...

    def sign_listing(self, work: ListingWork) -> bytes:
        """The signature over a record that names a file sealed a moment ago
        (`hub.proof.sealing.listing`).

        A key that lives elsewhere checks there what `work` brings with it. Raises HubError as
        `sign_records` does.
        """
        ...


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """What orders a key: an approved intent, and which of its keys, from 0."""

    mandate: Mandate
    number: int


@dataclass(frozen=True, slots=True)
class SealWork:
    """An electronic seal to be made: SES_SealInfo (DER), and the intent that orders it."""

    mandate: Mandate
    info: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DocumentWork:
    """A document to be sealed, with everything that shows that it may be."""

    mandate: Mandate
    document: Document
    # By which whoever has signed it knows it again.
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class CodeWork:
    """The code of a face: header and payload of its JWS, and the file that it stands on."""

    mandate: Mandate
    order: DocumentOrder
    to_sign: bytes = field(repr=False)


@dataclass(slots=True)  # Freezing would multiply the cost of making one.
class Composed:
    """A record and the bytes that seal it; `disclosures` as they are stored: a JSON array of
    [name, text] in the order of their digests; `decoys` is what the other digests hash."""

    record: Record
    payload: bytes = field(repr=False)
    disclosures: bytes = field(repr=False)
    decoys: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fold:
    """All records of a work under one signature; whoever has the seed folds them to the same."""

    seed: bytes = field(repr=False)
    folded: FoldedRecords

    @property
    def paths(self) -> list[str]:
        """What leads to each record, `~` before each disclosure."""
        return ["~" + "~".join(path) for path in self.folded.paths]


def _payloads(records: Iterable[Composed | RecordAnew], fold: Fold | None) -> list[bytes]:
    """Each record's, or the one that all of them are folded into."""
    return [one.payload for one in records] if fold is None else [fold.folded.payload]


@dataclass(frozen=True, slots=True)
class RecordWork:
    """Records of one batch to be signed, with everything that shows that they may be."""

    mandate: Mandate
    order: SealingOrder
    records: Sequence[Composed]
    fold: Fold | None = None

    @property
    def payloads(self) -> list[bytes]:
        """What is signed."""
        return _payloads(self.records, self.fold)


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """What of the log shows that seals were made before their key was declared stolen: receipts
    under one checkpoint, of the declaration and of each entry with the digests of its rows."""

    declaration: str = field(repr=False)
    recordings: Sequence[tuple[str, bytes]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class AnewWork:
    """Records to be sealed anew, with everything that shows that they may be."""

    mandate: Mandate
    evidence: LogEvidence
    records: Sequence[RecordAnew]
    fold: Fold | None = None

    @property
    def payloads(self) -> list[bytes]:
        """What is signed."""
        return _payloads(self.records, self.fold)


@dataclass(frozen=True, slots=True)
class ListingWork:
    """A record that shall name a file, with everything that shows that it may: the entry that
    recorded its seal before, as in `LogEvidence`; the disclosures of `docs`, before and now; and
    what was signed of the file, whose mandate is the record's too."""

    recording: tuple[str, bytes] = field(repr=False)
    record: RecordAnew
    docs: tuple[str, str] = field(repr=False)
    signed: SignedDocument


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that a home has just made. `x509_request` is its PKCS#10 (DER)."""

    public: PublicKey
    x509_request: bytes


@dataclass(frozen=True, slots=True)
class KeysHere:
    """How many keys live in a home, and their ids; None where the home does not tell them."""

    count: int
    ids: frozenset[str] | None


class KeyHome(Protocol):
    """Where keys live. Any thread may call; every call may wait for a device.

    All raise HubError(KEY_UNAVAILABLE) where the home cannot be reached now, (KEY_PIN_WRONG) and
    (KEY_PIN_LOCKED) where it does not let us in.
    """

    @property
    def name(self) -> str:
        """What rows of keys and configuration call this home."""
        ...

    @property
    def custody(self) -> Custody:
        """In whose hands its keys are."""
        ...

    @property
    def algorithms(self) -> frozenset[KeyAlgorithm]:
        """What keys can be made here."""
        ...

    def create(
        self, algorithm: KeyAlgorithm, use: KeyUse, subject: Subject, order: KeyOrder | None = None
    ) -> MadeKey:
        """Make a key; it is durable on return.

        A key that lives elsewhere is made there for nobody who shows no `order`, and once for each:
        asked again, it is the same. Raises HubError(ALGORITHM_NOT_HERE), and as
        `SigningKey.sign_records` does.
        """
        ...

    def open(
        self, kid: str, algorithm: KeyAlgorithm, use: KeyUse, x509_chain: tuple[bytes, ...]
    ) -> SigningKey:
        """The key `kid`, made here as `algorithm` for `use`. Raises HubError(KEY_UNAVAILABLE)."""
        ...

    def destroy(self, kid: str, mandate: Mandate | None = None) -> None:
        """Destroy the key `kid` for ever, as the intent of `mandate` orders; no such key is no
        error. A key that lives elsewhere is destroyed there for nobody who shows none. Raises
        HubError as `SigningKey.sign_records` does."""
        ...

    def notice(self, mandate: Mandate, rejection: str = "") -> None:
        """Tell whoever keeps its keys elsewhere what officers have decided: the intent of `mandate`
        ends a key or a seal, or resumes a seal; with `rejection` an officer has ended the intent.

        Raises HubError as `SigningKey.sign_records` does.
        """
        ...

    def health(self) -> KeysHere:
        """Which keys live here, after a look that needs everything that signing needs."""
        ...

    def close(self) -> None:
        """Let go of what is open; another call opens it again."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class SealKey:
    """A key that a home has opened."""

    kid: str
    algorithm: KeyAlgorithm
    use: KeyUse
    custody: Custody
    x509_chain: tuple[bytes, ...]
    # The octets of a signature (`algorithms.py`) over data.
    _sign: Callable[[bytes], bytes]
    _headers: set[bytes] = field(default_factory=set)

    def sign(self, signing_input: bytes, format: str) -> bytes:
        """As `SigningKey.sign`."""
        if format != FORMATS[self.use] or len(signing_input) > SIGNED_BYTES_MAX:
            raise HubError(Reason.KEY_USAGE_REFUSED, kid=self.kid)
        if self.use in (KeyUse.RECORD, KeyUse.FACE):
            self._check_header(signing_input.partition(b".")[0])
        elif not _has_form(self.use, signing_input):
            raise HubError(Reason.KEY_USAGE_REFUSED, kid=self.kid)
        return in_format(format, self.algorithm, self._sign(signing_input))

    def sign_seal(self, work: SealWork) -> bytes:
        """As `SigningKey.sign_seal`."""
        return self.sign(work.info, FORMATS[KeyUse.MAKER])

    def sign_document(self, work: DocumentWork) -> bytes:
        """As `SigningKey.sign_document`."""
        return self.sign(work.document.to_sign, FORMATS[self.use])

    def sign_face_code(self, work: CodeWork) -> bytes:
        """As `SigningKey.sign_face_code`."""
        return self.sign(work.to_sign, FORMATS[KeyUse.FACE])

    def sign_records(self, work: RecordWork) -> list[bytes]:
        """As `SigningKey.sign_records`: whoever composed `work` here has checked it here."""
        return self._sign_payloads(work.payloads)

    def sign_anew(self, work: AnewWork) -> list[bytes]:
        """As `SigningKey.sign_anew`: whoever composed `work` here has checked it here."""
        return self._sign_payloads(work.payloads)

    def sign_listing(self, work: ListingWork) -> bytes:
        """As `SigningKey.sign_listing`: whoever composed `work` here has checked it here."""
        (signature,) = self._sign_payloads([work.record.payload])
        return signature

    def _sign_payloads(self, payloads: Sequence[bytes]) -> list[bytes]:
        header = header_segment(self)
        return [self.sign(f"{header}.{b64u(payload)}".encode(), SEAL_TYP) for payload in payloads]

    def _check_header(self, segment: bytes) -> None:
        """The header is exactly this key's; there is one such text for each chain."""
        if segment in self._headers:
            return
        known = header_segment(self)
        if self.use is KeyUse.FACE:
            # Whoever scans a code knows one algorithm: the browsers of the world have no other.
            if self.algorithm is not KeyAlgorithm.ES256:
                raise HubError(Reason.KEY_USAGE_REFUSED, kid=self.kid)
            known = jose.header_segment(FACE_TYP, self.kid)
        if segment != known.encode():
            raise HubError(Reason.KEY_USAGE_REFUSED, kid=self.kid)
        self._headers.add(segment)

    def __repr__(self) -> str:
        return f"SealKey({self.kid!r}, {self.use.value})"


def header_segment(key: SigningKey) -> str:
    """The protected header of every record that `key` seals, as it stands in the JWS."""
    header: dict[str, Json] = {
        "alg": JOSE_NAMES[key.algorithm],
        "typ": SEAL_TYP,
        "kid": key.kid,
        "x5c": [b64(der) for der in key.x509_chain],
    }
    return b64u(emit_json(header))


def check_private(path: Path) -> None:
    """Refuse a secret that others may read or change. Raises OSError."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise PermissionError(f"{path.name} is open to others")


def _has_form(use: KeyUse, data: bytes) -> bool:
    """Whether `data` has the outline of the format of `use`, which no other format shares.

    A seal is a SEQUENCE that begins with its header, a SEQUENCE; TBS_Sign one of version, seal and
    time (GB/T 38540 §6.2, §7.2: so it is no certificate and no request either); attributes are a
    SET (RFC 5652 §5.4).
    """
    tags = _outline(data)
    match use:
        case KeyUse.MAKER:
            return tags[:2] == [_SEQUENCE, _SEQUENCE]
        case KeyUse.OFD:
            return tags[:4] == [_SEQUENCE, _INTEGER, _SEQUENCE, _GENERALIZED_TIME]
        case KeyUse.PDF:
            return bool(tags) and set(tags[1:]) == {_SEQUENCE} and tags[0] == _SET
        case KeyUse.RECORD | KeyUse.FACE:
            return False


def _outline(data: bytes) -> list[int]:
    """The tag of the one value in `data`, then those of its members; empty where it is no DER."""
    whole = _value(data, 0)
    if whole is None or whole[1] != len(data):
        return []
    tags, (at, end) = [data[0]], whole
    while at < end:
        tags.append(data[at])
        member = _value(data, at)
        if member is None or member[1] > end:
            return []
        at = member[1]
    return tags


def _value(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the content of the value at `at` begins and ends; minimal definite lengths only."""
    if at + 2 > len(data):
        return None
    length, begin = data[at + 1], at + 2
    if length >= 0x80:
        begin += length & 0x7F
        octets = data[at + 2 : begin]
        length = int.from_bytes(octets)
        if not octets or octets[0] == 0 or length < 0x80 or begin > len(data):
            return None
    return (begin, begin + length) if begin + length <= len(data) else None
