"""Homes of keys that a signer keeps, near or far: the hub asks, the signer checks and signs.

What a signer is asked and what it answers is the same for the process of the hub (`process.py`) and
for one that a department runs (`remote.py`).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from hub.domain.certificate import Custody
from hub.domain.seal_key import FORMATS, KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof.sealing.anew import RecordAnew
from hub.proof.sealing.documents import Document, DocumentOrder, OfdFile, PdfFile
from hub.proof.sealing.records import CertifiedKey, Mandate
from hub.seal.algorithms import PublicKey, Subject
from hub.seal.keys import (
    AnewWork,
    CodeWork,
    DocumentWork,
    KeyOrder,
    KeysHere,
    ListingWork,
    MadeKey,
    RecordWork,
    SealWork,
    SigningKey,
)
from hub.seal.signer_process.rules import SigningRequest
from hub.seal.v1 import signer_pb2 as pb


class AskedSigner(Protocol):
    """A signer and the way to it. Any thread may call."""

    def ask(self, call: pb.SignerCall) -> pb.SignerAnswer:
        """The answer. Raises HubError: that there is none, and what the signer refuses with."""
        ...

    def order(self, call: pb.SignerCall) -> pb.SignerAnswer:
        """As `ask`, of what officers have ordered: the signer is shown first who they are."""
        ...

    def sign(self, request: SigningRequest) -> list[bytes]:
        """The signatures of `request`, as `Conversation.sign`. Raises as `ask`."""
        ...

    def close(self) -> None:
        """Let go of it; another call comes back."""
        ...


def keys_here(home: pb.SignerHome) -> KeysHere:
    """The keys of a home as its signer tells them, which may be more than it can name."""
    is_whole = len(home.key_ids) == home.keys
    return KeysHere(home.keys, frozenset(home.key_ids) if is_whole else None)


def read_answer(answer: pb.SignerAnswer) -> pb.SignerAnswer:
    """`answer`. Raises HubError with what it refuses by; SIGNER_UNAVAILABLE for what no signer of
    this release would say."""
    if answer.WhichOneof("answer") == "refused":
        if answer.refused.reason not in tuple(Reason):
            raise HubError(Reason.SIGNER_UNAVAILABLE)
        details: dict[str, Any] = dict(answer.refused.details)
        raise HubError(Reason(answer.refused.reason), **details)
    return answer


@dataclass(frozen=True, slots=True)
class SignerHome:
    """A home of keys that a signer keeps; as `KeyHome`.

    `called` is what the signer calls this home, where that is not `name`.
    """

    signer: AskedSigner
    name: str
    custody: Custody
    algorithms: frozenset[KeyAlgorithm]
    called: str = ""

    @property
    def name_there(self) -> str:
        """What the signer calls it."""
        return self.called or self.name

    def create(
        self, algorithm: KeyAlgorithm, use: KeyUse, subject: Subject, order: KeyOrder | None = None
    ) -> MadeKey:
        """As in `KeyHome`."""
        asked = pb.MakeSignerKey(
            home=self.name_there,
            algorithm=algorithm.value,
            use=use.value,
            common_name=subject.common_name,
            organization=subject.organization,
            organization_identifier=subject.organization_identifier,
        )
        if order is not None:
            asked.number = order.number
            _show(asked, order.mandate)
        made = self.signer.order(pb.SignerCall(make=asked)).made
        return MadeKey(PublicKey.from_spki(made.public_key), made.x509_request)

    def open(
        self, kid: str, algorithm: KeyAlgorithm, use: KeyUse, x509_chain: tuple[bytes, ...]
    ) -> SigningKey:
        """As in `KeyHome`."""
        key = SignerHomeKey(kid, algorithm, use, self.custody, x509_chain, self)
        self.signer.ask(pb.SignerCall(open=key.message()))
        return key

    def destroy(self, kid: str, mandate: Mandate | None = None) -> None:
        """As in `KeyHome`."""
        asked = pb.DestroySignerKey(home=self.name_there, key_id=kid)
        if mandate is not None:
            _show(asked, mandate)
        self.signer.order(pb.SignerCall(destroy=asked))

    def notice(self, mandate: Mandate, rejection: str = "") -> None:
        """As in `KeyHome`."""
        asked = pb.SignerNotice(rejection=rejection)
        _show(asked, mandate)
        self.signer.order(pb.SignerCall(notice=asked))

    def health(self) -> KeysHere:
        """As in `KeyHome`."""
        asked = pb.CheckSignerHome(home=self.name_there)
        return keys_here(self.signer.ask(pb.SignerCall(check=asked)).home)

    def close(self) -> None:
        """As in `KeyHome`."""
        self.signer.close()


@dataclass(frozen=True, slots=True, repr=False)
class SignerHomeKey:
    """A key of such a home; as `SigningKey`. It signs under a mandate alone."""

    kid: str
    algorithm: KeyAlgorithm
    use: KeyUse
    custody: Custody
    x509_chain: tuple[bytes, ...]
    _home: SignerHome

    def sign(self, signing_input: bytes, format: str) -> bytes:
        """Refused: without a mandate nothing is signed."""
        raise HubError(Reason.KEY_USAGE_REFUSED, kid=self.kid)

    def sign_seal(self, work: SealWork) -> bytes:
        """As in `SigningKey`."""
        (signature,) = self._home.signer.sign(
            pb.SignSeal(
                **self._begun(work.mandate),
                to_sign=work.info,
            )
        )
        return signature

    def sign_document(self, work: DocumentWork) -> bytes:
        """As in `SigningKey`."""
        asked = self._document(work.request_id, work.mandate, work.document)
        (signature,) = self._home.signer.sign(asked)
        return signature

    def _document(self, request_id: str, mandate: Mandate, document: Document) -> pb.SignDocument:
        asked = pb.SignDocument(
            **self._begun(mandate, request_id),
            format=FORMATS[self.use],
            to_sign=document.to_sign,
            order=_face_order(document.order),
        )
        match document.file:
            case OfdFile(files, value_file, seal):
                ofd = pb.UnsealedOfd(files=files, value_file=value_file, seal=seal)
                asked.ofd.CopyFrom(ofd)
            case PdfFile(data):
                asked.pdf = data
        return asked

    def sign_face_code(self, work: CodeWork) -> bytes:
        """As in `SigningKey`."""
        (signature,) = self._home.signer.sign(
            pb.SignFaceCode(
                **self._begun(work.mandate),
                to_sign=work.to_sign,
                order=_face_order(work.order),
            )
        )
        return signature

    def sign_records(self, work: RecordWork) -> list[bytes]:
        """As in `SigningKey`."""
        order = work.order
        return self._home.signer.sign(
            pb.SignRecords(
                **self._begun(work.mandate),
                batch=pb.SignedBatch(
                    root_jws=order.root_jws,
                    rows=[pb.BatchRow(salt=salt, row=row) for salt, row in order.rows],
                    authority=order.authority_uscc,
                    type_code=order.type_code,
                    vct=order.vct,
                    type_version=order.type_version,
                    integrity=order.integrity,
                    manifest=order.manifest,
                    batch=order.batch,
                ),
                records=[
                    pb.RecordBytes(
                        row_index=one.record.row_index,
                        payload=one.payload,
                        disclosures=[text for _, text in orjson.loads(one.disclosures)],
                        decoys=one.decoys,
                    )
                    for one in work.records
                ],
                seed=b"" if work.fold is None else work.fold.seed,
            )
        )

    def sign_anew(self, work: AnewWork) -> list[bytes]:
        """As in `SigningKey`."""
        headers = _headers(work.records)
        return self._home.signer.sign(
            pb.SignRecordsAnew(
                **self._begun(work.mandate),
                declaration=work.evidence.declaration,
                entries=list(map(_entry, work.evidence.recordings)),
                headers=list(headers),
                records=[_record_anew(one, headers) for one in work.records],
                seed=b"" if work.fold is None else work.fold.seed,
            )
        )

    def sign_listing(self, work: ListingWork) -> bytes:
        """As in `SigningKey`. Raises HubError(KEY_USAGE_REFUSED) where the file was signed
        elsewhere (`keeps`)."""
        signed, signer = work.signed, work.signed.key
        if not isinstance(signer, SignerHomeKey) or not self.keeps(signer):
            raise HubError(Reason.KEY_USAGE_REFUSED, kid=self.kid)
        headers = _headers([work.record])
        (signature,) = self._home.signer.sign(
            pb.SignRecordListing(
                **self._begun(signed.mandate),
                entry=_entry(work.recording),
                headers=list(headers),
                record=_record_anew(work.record, headers),
                docs_before=work.docs[0],
                docs=work.docs[1],
                document=signer._document(signed.request_id, signed.mandate, signed.document),
                time_stamp=signed.time_stamp,
            )
        )
        return signature

    def keeps(self, key: CertifiedKey) -> bool:
        """Whether whoever keeps this key keeps `key` too, and knows what it has signed."""
        return isinstance(key, SignerHomeKey) and key._home.signer is self._home.signer

    def _begun(self, mandate: Mandate, request_id: str = "") -> dict[str, Any]:
        """What each request begins with: an id of its own, the key, and what allows it."""
        return {
            "request_id": request_id or str(uuid.uuid4()),
            "key": self.message(),
            "intent_name": mandate.name,
            "intent": mandate.intent,
            "approvals": mandate.approvals,
        }

    def message(self) -> pb.SignerKey:
        """How the signer is told which key."""
        return pb.SignerKey(
            home=self._home.name_there,
            key_id=self.kid,
            algorithm=self.algorithm.value,
            use=self.use.value,
            x509_chain=self.x509_chain,
        )

    def __repr__(self) -> str:
        return f"SignerHomeKey({self.kid!r}, {self.use.value})"


def _show(
    asked: pb.MakeSignerKey | pb.DestroySignerKey | pb.SignerNotice, mandate: Mandate
) -> None:
    asked.intent_name, asked.intent = mandate.name, mandate.intent
    asked.approvals.extend(mandate.approvals)


def _headers(records: Sequence[RecordAnew]) -> dict[str, int]:
    """The headers of the seals before, each once, and its place."""
    headers: dict[str, int] = {}
    for record in records:
        for header, _ in record.before.seals:
            headers.setdefault(header, len(headers))
    return headers


def _entry(recording: tuple[str, bytes]) -> pb.RecordingEntry:
    receipt, writes = recording
    return pb.RecordingEntry(receipt=receipt, writes=writes)


def _record_anew(record: RecordAnew, headers: Mapping[str, int]) -> pb.RecordAnew:
    return pb.RecordAnew(
        entry=record.recording,
        version_id=record.version_id,
        before=record.before.payload,
        path=record.before.path,
        seals=[
            pb.SealBefore(header=headers[header], signature=signature)
            for header, signature in record.before.seals
        ],
        status_list=record.status_list,
        status_place=record.status_place,
        retention_class=record.retention_class,
        payload=record.payload,
    )


def _face_order(order: DocumentOrder) -> pb.FaceOrder:
    asked = pb.FaceOrder(
        authority=order.authority_uscc,
        vct=order.vct,
        type_version=order.type_version,
        identifier=order.identifier,
        face=order.face,
        further=order.is_further,
    )
    terms = order.terms
    if terms is not None:
        asked.copy.CopyFrom(
            pb.FaceCopyTerms(
                name=terms.name,
                purpose=terms.purpose,
                recipient=terms.recipient,
                maker=terms.maker,
                made_time_us=terms.made_time_us,
                expire_time_us=terms.expire_time_us,
            )
        )
    return asked
