import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hub.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Presence(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRESENCE_UNSPECIFIED: _ClassVar[Presence]
    PRESENCE_LISTED: _ClassVar[Presence]
    PRESENCE_GONE: _ClassVar[Presence]
PRESENCE_UNSPECIFIED: Presence
PRESENCE_LISTED: Presence
PRESENCE_GONE: Presence

class CreateCertificateTypeRequest(_message.Message):
    __slots__ = ("request_id", "metadata", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    metadata: bytes
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., metadata: _Optional[bytes] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CreateCertificateTypeResponse(_message.Message):
    __slots__ = ("certificate_type", "receipt")
    CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    certificate_type: CertificateType
    receipt: _common_pb2.Receipt
    def __init__(self, certificate_type: _Optional[_Union[CertificateType, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class GetCertificateTypeRequest(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class GetCertificateTypeResponse(_message.Message):
    __slots__ = ("certificate_type",)
    CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    certificate_type: CertificateType
    def __init__(self, certificate_type: _Optional[_Union[CertificateType, _Mapping]] = ...) -> None: ...

class ListCertificateTypesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCertificateTypesResponse(_message.Message):
    __slots__ = ("certificate_types", "next_page_token")
    CERTIFICATE_TYPES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    certificate_types: _containers.RepeatedCompositeFieldContainer[CertificateType]
    next_page_token: str
    def __init__(self, certificate_types: _Optional[_Iterable[_Union[CertificateType, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeprecateCertificateTypeRequest(_message.Message):
    __slots__ = ("request_id", "name", "cause")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    cause: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., cause: _Optional[str] = ...) -> None: ...

class DeprecateCertificateTypeResponse(_message.Message):
    __slots__ = ("certificate_type", "receipt")
    CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    certificate_type: CertificateType
    receipt: _common_pb2.Receipt
    def __init__(self, certificate_type: _Optional[_Union[CertificateType, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class RetireCertificateTypeRequest(_message.Message):
    __slots__ = ("request_id", "name", "cause")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    cause: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., cause: _Optional[str] = ...) -> None: ...

class RetireCertificateTypeResponse(_message.Message):
    __slots__ = ("certificate_type", "receipt")
    CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    certificate_type: CertificateType
    receipt: _common_pb2.Receipt
    def __init__(self, certificate_type: _Optional[_Union[CertificateType, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class IngestBatchesRequest(_message.Message):
    __slots__ = ("root_jws", "rows")
    ROOT_JWS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    root_jws: str
    rows: _containers.RepeatedCompositeFieldContainer[Row]
    def __init__(self, root_jws: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[Row, _Mapping]]] = ...) -> None: ...

class Row(_message.Message):
    __slots__ = ("salt", "row")
    SALT_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    salt: bytes
    row: bytes
    def __init__(self, salt: _Optional[bytes] = ..., row: _Optional[bytes] = ...) -> None: ...

class IngestBatchesResponse(_message.Message):
    __slots__ = ("batch", "seq", "results", "receipt")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    batch: str
    seq: int
    results: _containers.RepeatedCompositeFieldContainer[RowResult]
    receipt: _common_pb2.Receipt
    def __init__(self, batch: _Optional[str] = ..., seq: _Optional[int] = ..., results: _Optional[_Iterable[_Union[RowResult, _Mapping]]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class RowResult(_message.Message):
    __slots__ = ("outcome", "certificate", "identifier", "errors")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[RowResult.Outcome]
        OUTCOME_NEW: _ClassVar[RowResult.Outcome]
        OUTCOME_CHANGED: _ClassVar[RowResult.Outcome]
        OUTCOME_CORRECTED: _ClassVar[RowResult.Outcome]
        OUTCOME_UNCHANGED: _ClassVar[RowResult.Outcome]
        OUTCOME_REFUSED: _ClassVar[RowResult.Outcome]
    OUTCOME_UNSPECIFIED: RowResult.Outcome
    OUTCOME_NEW: RowResult.Outcome
    OUTCOME_CHANGED: RowResult.Outcome
    OUTCOME_CORRECTED: RowResult.Outcome
    OUTCOME_UNCHANGED: RowResult.Outcome
    OUTCOME_REFUSED: RowResult.Outcome
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    outcome: RowResult.Outcome
    certificate: str
    identifier: str
    errors: _containers.RepeatedCompositeFieldContainer[RowError]
    def __init__(self, outcome: _Optional[_Union[RowResult.Outcome, str]] = ..., certificate: _Optional[str] = ..., identifier: _Optional[str] = ..., errors: _Optional[_Iterable[_Union[RowError, _Mapping]]] = ...) -> None: ...

class RowError(_message.Message):
    __slots__ = ("field", "reason", "en", "zh")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EN_FIELD_NUMBER: _ClassVar[int]
    ZH_FIELD_NUMBER: _ClassVar[int]
    field: str
    reason: str
    en: str
    zh: str
    def __init__(self, field: _Optional[str] = ..., reason: _Optional[str] = ..., en: _Optional[str] = ..., zh: _Optional[str] = ...) -> None: ...

class GetCertificateRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetCertificateResponse(_message.Message):
    __slots__ = ("certificate",)
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    certificate: Certificate
    def __init__(self, certificate: _Optional[_Union[Certificate, _Mapping]] = ...) -> None: ...

class SearchCertificatesRequest(_message.Message):
    __slots__ = ("filter", "page_size", "page_token")
    class Filter(_message.Message):
        __slots__ = ("holder", "certificate_type", "number", "identifier", "authority", "associated")
        HOLDER_FIELD_NUMBER: _ClassVar[int]
        CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
        NUMBER_FIELD_NUMBER: _ClassVar[int]
        IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
        AUTHORITY_FIELD_NUMBER: _ClassVar[int]
        ASSOCIATED_FIELD_NUMBER: _ClassVar[int]
        holder: Holder
        certificate_type: str
        number: str
        identifier: str
        authority: str
        associated: str
        def __init__(self, holder: _Optional[_Union[Holder, _Mapping]] = ..., certificate_type: _Optional[str] = ..., number: _Optional[str] = ..., identifier: _Optional[str] = ..., authority: _Optional[str] = ..., associated: _Optional[str] = ...) -> None: ...
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    filter: SearchCertificatesRequest.Filter
    page_size: int
    page_token: str
    def __init__(self, filter: _Optional[_Union[SearchCertificatesRequest.Filter, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class SearchCertificatesResponse(_message.Message):
    __slots__ = ("certificates", "next_page_token")
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    certificates: _containers.RepeatedCompositeFieldContainer[Certificate]
    next_page_token: str
    def __init__(self, certificates: _Optional[_Iterable[_Union[Certificate, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListCertificateVersionsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCertificateVersionsResponse(_message.Message):
    __slots__ = ("certificates", "next_page_token")
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    certificates: _containers.RepeatedCompositeFieldContainer[Certificate]
    next_page_token: str
    def __init__(self, certificates: _Optional[_Iterable[_Union[Certificate, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Holder(_message.Message):
    __slots__ = ("type", "number")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    type: str
    number: str
    def __init__(self, type: _Optional[str] = ..., number: _Optional[str] = ...) -> None: ...

class CertificateType(_message.Message):
    __slots__ = ("name", "code", "version", "title", "title_en", "vct", "metadata", "create_time", "state", "state_entry", "cause")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[CertificateType.State]
        STATE_PUBLISHED: _ClassVar[CertificateType.State]
        STATE_DEPRECATED: _ClassVar[CertificateType.State]
        STATE_RETIRED: _ClassVar[CertificateType.State]
    STATE_UNSPECIFIED: CertificateType.State
    STATE_PUBLISHED: CertificateType.State
    STATE_DEPRECATED: CertificateType.State
    STATE_RETIRED: CertificateType.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TITLE_EN_FIELD_NUMBER: _ClassVar[int]
    VCT_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_ENTRY_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    name: str
    code: str
    version: int
    title: str
    title_en: str
    vct: str
    metadata: bytes
    create_time: _timestamp_pb2.Timestamp
    state: CertificateType.State
    state_entry: int
    cause: str
    def __init__(self, name: _Optional[str] = ..., code: _Optional[str] = ..., version: _Optional[int] = ..., title: _Optional[str] = ..., title_en: _Optional[str] = ..., vct: _Optional[str] = ..., metadata: _Optional[bytes] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[CertificateType.State, str]] = ..., state_entry: _Optional[int] = ..., cause: _Optional[str] = ...) -> None: ...

class Certificate(_message.Message):
    __slots__ = ("name", "identifier", "version", "certificate_type", "type_version", "number", "state", "state_entry", "issue_date", "valid_from", "valid_until", "custody", "trust_grade", "public_fields", "create_time", "etag", "presence", "confirm_time", "named_identifiers", "objected_fields", "origin", "converted_by", "holder_count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    TYPE_VERSION_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_ENTRY_FIELD_NUMBER: _ClassVar[int]
    ISSUE_DATE_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    CUSTODY_FIELD_NUMBER: _ClassVar[int]
    TRUST_GRADE_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_FIELDS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_TIME_FIELD_NUMBER: _ClassVar[int]
    NAMED_IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    OBJECTED_FIELDS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    CONVERTED_BY_FIELD_NUMBER: _ClassVar[int]
    HOLDER_COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    identifier: str
    version: int
    certificate_type: str
    type_version: int
    number: str
    state: _common_pb2.CertificateState
    state_entry: int
    issue_date: str
    valid_from: str
    valid_until: str
    custody: _common_pb2.Custody
    trust_grade: str
    public_fields: str
    create_time: _timestamp_pb2.Timestamp
    etag: str
    presence: Presence
    confirm_time: _timestamp_pb2.Timestamp
    named_identifiers: _containers.RepeatedCompositeFieldContainer[NamedIdentifier]
    objected_fields: _containers.RepeatedScalarFieldContainer[str]
    origin: _common_pb2.CertificateOrigin
    converted_by: str
    holder_count: int
    def __init__(self, name: _Optional[str] = ..., identifier: _Optional[str] = ..., version: _Optional[int] = ..., certificate_type: _Optional[str] = ..., type_version: _Optional[int] = ..., number: _Optional[str] = ..., state: _Optional[_Union[_common_pb2.CertificateState, str]] = ..., state_entry: _Optional[int] = ..., issue_date: _Optional[str] = ..., valid_from: _Optional[str] = ..., valid_until: _Optional[str] = ..., custody: _Optional[_Union[_common_pb2.Custody, str]] = ..., trust_grade: _Optional[str] = ..., public_fields: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., presence: _Optional[_Union[Presence, str]] = ..., confirm_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., named_identifiers: _Optional[_Iterable[_Union[NamedIdentifier, _Mapping]]] = ..., objected_fields: _Optional[_Iterable[str]] = ..., origin: _Optional[_Union[_common_pb2.CertificateOrigin, str]] = ..., converted_by: _Optional[str] = ..., holder_count: _Optional[int] = ...) -> None: ...

class NamedIdentifier(_message.Message):
    __slots__ = ("relation", "identifier", "fault")
    class Relation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        RELATION_UNSPECIFIED: _ClassVar[NamedIdentifier.Relation]
        RELATION_KNOWN_AS: _ClassVar[NamedIdentifier.Relation]
        RELATION_RENEWED_FROM: _ClassVar[NamedIdentifier.Relation]
        RELATION_CHANGES: _ClassVar[NamedIdentifier.Relation]
        RELATION_DERIVED_FROM: _ClassVar[NamedIdentifier.Relation]
    RELATION_UNSPECIFIED: NamedIdentifier.Relation
    RELATION_KNOWN_AS: NamedIdentifier.Relation
    RELATION_RENEWED_FROM: NamedIdentifier.Relation
    RELATION_CHANGES: NamedIdentifier.Relation
    RELATION_DERIVED_FROM: NamedIdentifier.Relation
    RELATION_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    relation: NamedIdentifier.Relation
    identifier: str
    fault: str
    def __init__(self, relation: _Optional[_Union[NamedIdentifier.Relation, str]] = ..., identifier: _Optional[str] = ..., fault: _Optional[str] = ...) -> None: ...
