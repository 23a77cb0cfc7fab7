from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SignerCall(_message.Message):
    __slots__ = ("introduce", "make", "destroy", "open", "check", "sign", "settle", "sign_document", "sign_seal", "sign_anew", "sign_face_code", "sign_listing", "notice")
    INTRODUCE_FIELD_NUMBER: _ClassVar[int]
    MAKE_FIELD_NUMBER: _ClassVar[int]
    DESTROY_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    SIGN_FIELD_NUMBER: _ClassVar[int]
    SETTLE_FIELD_NUMBER: _ClassVar[int]
    SIGN_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    SIGN_SEAL_FIELD_NUMBER: _ClassVar[int]
    SIGN_ANEW_FIELD_NUMBER: _ClassVar[int]
    SIGN_FACE_CODE_FIELD_NUMBER: _ClassVar[int]
    SIGN_LISTING_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    introduce: SignerIntroduction
    make: MakeSignerKey
    destroy: DestroySignerKey
    open: SignerKey
    check: CheckSignerHome
    sign: SignRecords
    settle: SettleSigning
    sign_document: SignDocument
    sign_seal: SignSeal
    sign_anew: SignRecordsAnew
    sign_face_code: SignFaceCode
    sign_listing: SignRecordListing
    notice: SignerNotice
    def __init__(self, introduce: _Optional[_Union[SignerIntroduction, _Mapping]] = ..., make: _Optional[_Union[MakeSignerKey, _Mapping]] = ..., destroy: _Optional[_Union[DestroySignerKey, _Mapping]] = ..., open: _Optional[_Union[SignerKey, _Mapping]] = ..., check: _Optional[_Union[CheckSignerHome, _Mapping]] = ..., sign: _Optional[_Union[SignRecords, _Mapping]] = ..., settle: _Optional[_Union[SettleSigning, _Mapping]] = ..., sign_document: _Optional[_Union[SignDocument, _Mapping]] = ..., sign_seal: _Optional[_Union[SignSeal, _Mapping]] = ..., sign_anew: _Optional[_Union[SignRecordsAnew, _Mapping]] = ..., sign_face_code: _Optional[_Union[SignFaceCode, _Mapping]] = ..., sign_listing: _Optional[_Union[SignRecordListing, _Mapping]] = ..., notice: _Optional[_Union[SignerNotice, _Mapping]] = ...) -> None: ...

class SignerAnswer(_message.Message):
    __slots__ = ("refused", "known", "made", "done", "home", "signatures", "settled")
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    MADE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    HOME_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    refused: SignerRefusal
    known: SignerKnowledge
    made: MadeSignerKey
    done: SignerDone
    home: SignerHome
    signatures: Signatures
    settled: SettledSigning
    def __init__(self, refused: _Optional[_Union[SignerRefusal, _Mapping]] = ..., known: _Optional[_Union[SignerKnowledge, _Mapping]] = ..., made: _Optional[_Union[MadeSignerKey, _Mapping]] = ..., done: _Optional[_Union[SignerDone, _Mapping]] = ..., home: _Optional[_Union[SignerHome, _Mapping]] = ..., signatures: _Optional[_Union[Signatures, _Mapping]] = ..., settled: _Optional[_Union[SettledSigning, _Mapping]] = ...) -> None: ...

class SignerIntroduction(_message.Message):
    __slots__ = ("origin", "region", "log_key", "links", "receipts")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    LOG_KEY_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    origin: str
    region: str
    log_key: str
    links: _containers.RepeatedCompositeFieldContainer[RosterLink]
    receipts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, origin: _Optional[str] = ..., region: _Optional[str] = ..., log_key: _Optional[str] = ..., links: _Optional[_Iterable[_Union[RosterLink, _Mapping]]] = ..., receipts: _Optional[_Iterable[str]] = ...) -> None: ...

class RosterLink(_message.Message):
    __slots__ = ("statement", "intent", "approvals")
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    statement: bytes
    intent: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, statement: _Optional[bytes] = ..., intent: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ...) -> None: ...

class SignerKnowledge(_message.Message):
    __slots__ = ("roster_number", "roster_pin", "key_ids")
    ROSTER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ROSTER_PIN_FIELD_NUMBER: _ClassVar[int]
    KEY_IDS_FIELD_NUMBER: _ClassVar[int]
    roster_number: int
    roster_pin: str
    key_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, roster_number: _Optional[int] = ..., roster_pin: _Optional[str] = ..., key_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class SignerKey(_message.Message):
    __slots__ = ("home", "key_id", "algorithm", "use", "x509_chain")
    HOME_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    USE_FIELD_NUMBER: _ClassVar[int]
    X509_CHAIN_FIELD_NUMBER: _ClassVar[int]
    home: str
    key_id: str
    algorithm: str
    use: str
    x509_chain: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, home: _Optional[str] = ..., key_id: _Optional[str] = ..., algorithm: _Optional[str] = ..., use: _Optional[str] = ..., x509_chain: _Optional[_Iterable[bytes]] = ...) -> None: ...

class MakeSignerKey(_message.Message):
    __slots__ = ("home", "algorithm", "use", "common_name", "organization", "organization_identifier", "intent_name", "intent", "approvals", "number")
    HOME_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    USE_FIELD_NUMBER: _ClassVar[int]
    COMMON_NAME_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    INTENT_NAME_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    home: str
    algorithm: str
    use: str
    common_name: str
    organization: str
    organization_identifier: str
    intent_name: str
    intent: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    number: int
    def __init__(self, home: _Optional[str] = ..., algorithm: _Optional[str] = ..., use: _Optional[str] = ..., common_name: _Optional[str] = ..., organization: _Optional[str] = ..., organization_identifier: _Optional[str] = ..., intent_name: _Optional[str] = ..., intent: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ..., number: _Optional[int] = ...) -> None: ...

class MadeSignerKey(_message.Message):
    __slots__ = ("public_key", "x509_request")
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    X509_REQUEST_FIELD_NUMBER: _ClassVar[int]
    public_key: bytes
    x509_request: bytes
    def __init__(self, public_key: _Optional[bytes] = ..., x509_request: _Optional[bytes] = ...) -> None: ...

class DestroySignerKey(_message.Message):
    __slots__ = ("home", "key_id", "intent_name", "intent", "approvals")
    HOME_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    INTENT_NAME_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    home: str
    key_id: str
    intent_name: str
    intent: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, home: _Optional[str] = ..., key_id: _Optional[str] = ..., intent_name: _Optional[str] = ..., intent: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ...) -> None: ...

class SignerNotice(_message.Message):
    __slots__ = ("intent_name", "intent", "approvals", "rejection")
    INTENT_NAME_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    REJECTION_FIELD_NUMBER: _ClassVar[int]
    intent_name: str
    intent: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    rejection: str
    def __init__(self, intent_name: _Optional[str] = ..., intent: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ..., rejection: _Optional[str] = ...) -> None: ...

class CheckSignerHome(_message.Message):
    __slots__ = ("home",)
    HOME_FIELD_NUMBER: _ClassVar[int]
    home: str
    def __init__(self, home: _Optional[str] = ...) -> None: ...

class SignerHome(_message.Message):
    __slots__ = ("keys", "algorithms", "custody", "key_ids")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    CUSTODY_FIELD_NUMBER: _ClassVar[int]
    KEY_IDS_FIELD_NUMBER: _ClassVar[int]
    keys: int
    algorithms: _containers.RepeatedScalarFieldContainer[str]
    custody: str
    key_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, keys: _Optional[int] = ..., algorithms: _Optional[_Iterable[str]] = ..., custody: _Optional[str] = ..., key_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class SignerDone(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SignRecords(_message.Message):
    __slots__ = ("request_id", "key", "intent_name", "intent", "approvals", "batch", "records", "seed")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    INTENT_NAME_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    key: SignerKey
    intent_name: str
    intent: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    batch: SignedBatch
    records: _containers.RepeatedCompositeFieldContainer[RecordBytes]
    seed: bytes
    def __init__(self, request_id: _Optional[str] = ..., key: _Optional[_Union[SignerKey, _Mapping]] = ..., intent_name: _Optional[str] = ..., intent: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ..., batch: _Optional[_Union[SignedBatch, _Mapping]] = ..., records: _Optional[_Iterable[_Union[RecordBytes, _Mapping]]] = ..., seed: _Optional[bytes] = ...) -> None: ...

class SignedBatch(_message.Message):
    __slots__ = ("root_jws", "rows", "authority", "type_code", "vct", "type_version", "integrity", "manifest", "batch")
    ROOT_JWS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    TYPE_CODE_FIELD_NUMBER: _ClassVar[int]
    VCT_FIELD_NUMBER: _ClassVar[int]
    TYPE_VERSION_FIELD_NUMBER: _ClassVar[int]
    INTEGRITY_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    root_jws: str
    rows: _containers.RepeatedCompositeFieldContainer[BatchRow]
    authority: str
    type_code: str
    vct: str
    type_version: int
    integrity: str
    manifest: str
    batch: str
    def __init__(self, root_jws: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[BatchRow, _Mapping]]] = ..., authority: _Optional[str] = ..., type_code: _Optional[str] = ..., vct: _Optional[str] = ..., type_version: _Optional[int] = ..., integrity: _Optional[str] = ..., manifest: _Optional[str] = ..., batch: _Optional[str] = ...) -> None: ...

class BatchRow(_message.Message):
    __slots__ = ("salt", "row")
    SALT_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    salt: bytes
    row: bytes
    def __init__(self, salt: _Optional[bytes] = ..., row: _Optional[bytes] = ...) -> None: ...

class RecordBytes(_message.Message):
    __slots__ = ("row_index", "payload", "disclosures", "decoys")
    ROW_INDEX_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    DISCLOSURES_FIELD_NUMBER: _ClassVar[int]
    DECOYS_FIELD_NUMBER: _ClassVar[int]
    row_index: int
    payload: bytes
    disclosures: _containers.RepeatedScalarFieldContainer[str]
    decoys: bytes
    def __init__(self, row_index: _Optional[int] = ..., payload: _Optional[bytes] = ..., disclosures: _Optional[_Iterable[str]] = ..., decoys: _Optional[bytes] = ...) -> None: ...

class SignDocument(_message.Message):
    __slots__ = ("request_id", "key", "intent_name", "intent", "approvals", "format", "to_sign", "order", "ofd", "pdf")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    INTENT_NAME_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    TO_SIGN_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    OFD_FIELD_NUMBER: _ClassVar[int]
    PDF_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    key: SignerKey
    intent_name: str
    intent: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    format: str
    to_sign: bytes
    order: FaceOrder
    ofd: UnsealedOfd
    pdf: bytes
    def __init__(self, request_id: _Optional[str] = ..., key: _Optional[_Union[SignerKey, _Mapping]] = ..., intent_name: _Optional[str] = ..., intent: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ..., format: _Optional[str] = ..., to_sign: _Optional[bytes] = ..., order: _Optional[_Union[FaceOrder, _Mapping]] = ..., ofd: _Optional[_Union[UnsealedOfd, _Mapping]] = ..., pdf: _Optional[bytes] = ...) -> None: ...

class FaceOrder(_message.Message):
    __slots__ = ("authority", "vct", "type_version", "identifier", "face", "copy", "further")
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    VCT_FIELD_NUMBER: _ClassVar[int]
    TYPE_VERSION_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    FACE_FIELD_NUMBER: _ClassVar[int]
    COPY_FIELD_NUMBER: _ClassVar[int]
    FURTHER_FIELD_NUMBER: _ClassVar[int]
    authority: str
    vct: str
    type_version: int
    identifier: str
    face: str
    copy: FaceCopyTerms
    further: bool
    def __init__(self, authority: _Optional[str] = ..., vct: _Optional[str] = ..., type_version: _Optional[int] = ..., identifier: _Optional[str] = ..., face: _Optional[str] = ..., copy: _Optional[_Union[FaceCopyTerms, _Mapping]] = ..., further: _Optional[bool] = ...) -> None: ...

class FaceCopyTerms(_message.Message):
    __slots__ = ("name", "purpose", "recipient", "maker", "made_time_us", "expire_time_us")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    MAKER_FIELD_NUMBER: _ClassVar[int]
    MADE_TIME_US_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_US_FIELD_NUMBER: _ClassVar[int]
    name: str
    purpose: str
    recipient: str
    maker: str
    made_time_us: int
    expire_time_us: int
    def __init__(self, name: _Optional[str] = ..., purpose: _Optional[str] = ..., recipient: _Optional[str] = ..., maker: _Optional[str] = ..., made_time_us: _Optional[int] = ..., expire_time_us: _Optional[int] = ...) -> None: ...

class UnsealedOfd(_message.Message):
    __slots__ = ("files", "value_file", "seal")
    class FilesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    FILES_FIELD_NUMBER: _ClassVar[int]
    VALUE_FILE_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    files: _containers.ScalarMap[str, bytes]
    value_file: str
    seal: bytes
    def __init__(self, files: _Optional[_Mapping[str, bytes]] = ..., value_file: _Optional[str] = ..., seal: _Optional[bytes] = ...) -> None: ...

class SignFaceCode(_message.Message):
    __slots__ = ("request_id", "key", "intent_name", "intent", "approvals", "to_sign", "order")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    INTENT_NAME_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    TO_SIGN_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    key: SignerKey
    intent_name: str
    intent: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    to_sign: bytes
    order: FaceOrder
    def __init__(self, request_id: _Optional[str] = ..., key: _Optional[_Union[SignerKey, _Mapping]] = ..., intent_name: _Optional[str] = ..., intent: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ..., to_sign: _Optional[bytes] = ..., order: _Optional[_Union[FaceOrder, _Mapping]] = ...) -> None: ...

class SignSeal(_message.Message):
    __slots__ = ("request_id", "key", "intent_name", "intent", "approvals", "to_sign")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    INTENT_NAME_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    TO_SIGN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    key: SignerKey
    intent_name: str
    intent: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    to_sign: bytes
    def __init__(self, request_id: _Optional[str] = ..., key: _Optional[_Union[SignerKey, _Mapping]] = ..., intent_name: _Optional[str] = ..., intent: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ..., to_sign: _Optional[bytes] = ...) -> None: ...

class SignRecordsAnew(_message.Message):
    __slots__ = ("request_id", "key", "intent_name", "intent", "approvals", "declaration", "entries", "headers", "records", "seed")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    INTENT_NAME_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    DECLARATION_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    key: SignerKey
    intent_name: str
    intent: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    declaration: str
    entries: _containers.RepeatedCompositeFieldContainer[RecordingEntry]
    headers: _containers.RepeatedScalarFieldContainer[str]
    records: _containers.RepeatedCompositeFieldContainer[RecordAnew]
    seed: bytes
    def __init__(self, request_id: _Optional[str] = ..., key: _Optional[_Union[SignerKey, _Mapping]] = ..., intent_name: _Optional[str] = ..., intent: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ..., declaration: _Optional[str] = ..., entries: _Optional[_Iterable[_Union[RecordingEntry, _Mapping]]] = ..., headers: _Optional[_Iterable[str]] = ..., records: _Optional[_Iterable[_Union[RecordAnew, _Mapping]]] = ..., seed: _Optional[bytes] = ...) -> None: ...

class RecordingEntry(_message.Message):
    __slots__ = ("receipt", "writes")
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    WRITES_FIELD_NUMBER: _ClassVar[int]
    receipt: str
    writes: bytes
    def __init__(self, receipt: _Optional[str] = ..., writes: _Optional[bytes] = ...) -> None: ...

class RecordAnew(_message.Message):
    __slots__ = ("entry", "version_id", "before", "path", "seals", "status_list", "status_place", "retention_class", "payload")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SEALS_FIELD_NUMBER: _ClassVar[int]
    STATUS_LIST_FIELD_NUMBER: _ClassVar[int]
    STATUS_PLACE_FIELD_NUMBER: _ClassVar[int]
    RETENTION_CLASS_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    entry: int
    version_id: str
    before: bytes
    path: str
    seals: _containers.RepeatedCompositeFieldContainer[SealBefore]
    status_list: int
    status_place: int
    retention_class: str
    payload: bytes
    def __init__(self, entry: _Optional[int] = ..., version_id: _Optional[str] = ..., before: _Optional[bytes] = ..., path: _Optional[str] = ..., seals: _Optional[_Iterable[_Union[SealBefore, _Mapping]]] = ..., status_list: _Optional[int] = ..., status_place: _Optional[int] = ..., retention_class: _Optional[str] = ..., payload: _Optional[bytes] = ...) -> None: ...

class SealBefore(_message.Message):
    __slots__ = ("header", "signature")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    header: int
    signature: bytes
    def __init__(self, header: _Optional[int] = ..., signature: _Optional[bytes] = ...) -> None: ...

class SignRecordListing(_message.Message):
    __slots__ = ("request_id", "key", "intent_name", "intent", "approvals", "entry", "headers", "record", "docs_before", "docs", "document", "time_stamp")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    INTENT_NAME_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    DOCS_BEFORE_FIELD_NUMBER: _ClassVar[int]
    DOCS_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    TIME_STAMP_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    key: SignerKey
    intent_name: str
    intent: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    entry: RecordingEntry
    headers: _containers.RepeatedScalarFieldContainer[str]
    record: RecordAnew
    docs_before: str
    docs: str
    document: SignDocument
    time_stamp: bytes
    def __init__(self, request_id: _Optional[str] = ..., key: _Optional[_Union[SignerKey, _Mapping]] = ..., intent_name: _Optional[str] = ..., intent: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ..., entry: _Optional[_Union[RecordingEntry, _Mapping]] = ..., headers: _Optional[_Iterable[str]] = ..., record: _Optional[_Union[RecordAnew, _Mapping]] = ..., docs_before: _Optional[str] = ..., docs: _Optional[str] = ..., document: _Optional[_Union[SignDocument, _Mapping]] = ..., time_stamp: _Optional[bytes] = ...) -> None: ...

class Signatures(_message.Message):
    __slots__ = ("signatures",)
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    signatures: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, signatures: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SettleSigning(_message.Message):
    __slots__ = ("request_id",)
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    def __init__(self, request_id: _Optional[str] = ...) -> None: ...

class SettledSigning(_message.Message):
    __slots__ = ("outcome",)
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    outcome: str
    def __init__(self, outcome: _Optional[str] = ...) -> None: ...

class SignerRefusal(_message.Message):
    __slots__ = ("reason", "details")
    class DetailsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    reason: str
    details: _containers.ScalarMap[str, str]
    def __init__(self, reason: _Optional[str] = ..., details: _Optional[_Mapping[str, str]] = ...) -> None: ...
