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

class GetSealRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetSealResponse(_message.Message):
    __slots__ = ("seal",)
    SEAL_FIELD_NUMBER: _ClassVar[int]
    seal: Seal
    def __init__(self, seal: _Optional[_Union[Seal, _Mapping]] = ...) -> None: ...

class ListSealsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSealsResponse(_message.Message):
    __slots__ = ("seals", "next_page_token")
    SEALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    seals: _containers.RepeatedCompositeFieldContainer[Seal]
    next_page_token: str
    def __init__(self, seals: _Optional[_Iterable[_Union[Seal, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ExportSealRequest(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class ExportSealResponse(_message.Message):
    __slots__ = ("seal_der", "electronic_seal")
    SEAL_DER_FIELD_NUMBER: _ClassVar[int]
    ELECTRONIC_SEAL_FIELD_NUMBER: _ClassVar[int]
    seal_der: bytes
    electronic_seal: ElectronicSeal
    def __init__(self, seal_der: _Optional[bytes] = ..., electronic_seal: _Optional[_Union[ElectronicSeal, _Mapping]] = ...) -> None: ...

class GetKeyRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetKeyResponse(_message.Message):
    __slots__ = ("key",)
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: Key
    def __init__(self, key: _Optional[_Union[Key, _Mapping]] = ...) -> None: ...

class ListKeysRequest(_message.Message):
    __slots__ = ("seal", "page_size", "page_token")
    SEAL_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    seal: str
    page_size: int
    page_token: str
    def __init__(self, seal: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListKeysResponse(_message.Message):
    __slots__ = ("keys", "next_page_token")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedCompositeFieldContainer[Key]
    next_page_token: str
    def __init__(self, keys: _Optional[_Iterable[_Union[Key, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListKeyStatementsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListKeyStatementsResponse(_message.Message):
    __slots__ = ("receipts", "next_page_token")
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    receipts: _containers.RepeatedCompositeFieldContainer[_common_pb2.Receipt]
    next_page_token: str
    def __init__(self, receipts: _Optional[_Iterable[_Union[_common_pb2.Receipt, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AddSealMaterialRequest(_message.Message):
    __slots__ = ("request_id", "data")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    data: bytes
    def __init__(self, request_id: _Optional[str] = ..., data: _Optional[bytes] = ...) -> None: ...

class AddSealMaterialResponse(_message.Message):
    __slots__ = ("digest", "format", "receipt")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    digest: str
    format: str
    receipt: _common_pb2.Receipt
    def __init__(self, digest: _Optional[str] = ..., format: _Optional[str] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class ResealRecordsRequest(_message.Message):
    __slots__ = ("request_id", "intent", "page_token")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    intent: str
    page_token: str
    def __init__(self, request_id: _Optional[str] = ..., intent: _Optional[str] = ..., page_token: _Optional[str] = ...) -> None: ...

class ResealRecordsResponse(_message.Message):
    __slots__ = ("records", "next_page_token", "receipt", "documents", "left")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    records: int
    next_page_token: str
    receipt: _common_pb2.Receipt
    documents: int
    left: DocumentLeft
    def __init__(self, records: _Optional[int] = ..., next_page_token: _Optional[str] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ..., documents: _Optional[int] = ..., left: _Optional[_Union[DocumentLeft, _Mapping]] = ...) -> None: ...

class DocumentLeft(_message.Message):
    __slots__ = ("certificate_identifier", "version", "media_type", "copy", "reason")
    CERTIFICATE_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    COPY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    certificate_identifier: str
    version: int
    media_type: str
    copy: str
    reason: str
    def __init__(self, certificate_identifier: _Optional[str] = ..., version: _Optional[int] = ..., media_type: _Optional[str] = ..., copy: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class GetSealMaterialRequest(_message.Message):
    __slots__ = ("digest",)
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    digest: str
    def __init__(self, digest: _Optional[str] = ...) -> None: ...

class GetSealMaterialResponse(_message.Message):
    __slots__ = ("data", "format")
    DATA_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    format: str
    def __init__(self, data: _Optional[bytes] = ..., format: _Optional[str] = ...) -> None: ...

class GetStatusListRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetStatusListResponse(_message.Message):
    __slots__ = ("token", "sm2_token")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    SM2_TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    sm2_token: str
    def __init__(self, token: _Optional[str] = ..., sm2_token: _Optional[str] = ...) -> None: ...

class Seal(_message.Message):
    __slots__ = ("name", "title", "state", "create_time", "seal_type", "keys", "electronic_seal")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Seal.State]
        STATE_APPLIED: _ClassVar[Seal.State]
        STATE_ACTIVE: _ClassVar[Seal.State]
        STATE_SUSPENDED: _ClassVar[Seal.State]
        STATE_REVOKED: _ClassVar[Seal.State]
        STATE_ENDED: _ClassVar[Seal.State]
    STATE_UNSPECIFIED: Seal.State
    STATE_APPLIED: Seal.State
    STATE_ACTIVE: Seal.State
    STATE_SUSPENDED: Seal.State
    STATE_REVOKED: Seal.State
    STATE_ENDED: Seal.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    SEAL_TYPE_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    ELECTRONIC_SEAL_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    state: Seal.State
    create_time: _timestamp_pb2.Timestamp
    seal_type: int
    keys: _containers.RepeatedCompositeFieldContainer[Key]
    electronic_seal: ElectronicSeal
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., state: _Optional[_Union[Seal.State, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., seal_type: _Optional[int] = ..., keys: _Optional[_Iterable[_Union[Key, _Mapping]]] = ..., electronic_seal: _Optional[_Union[ElectronicSeal, _Mapping]] = ...) -> None: ...

class ElectronicSeal(_message.Message):
    __slots__ = ("version", "number", "origin", "format_version", "start_time", "expire_time", "picture", "maker_key", "create_time")
    class Origin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ORIGIN_UNSPECIFIED: _ClassVar[ElectronicSeal.Origin]
        ORIGIN_MADE_HERE: _ClassVar[ElectronicSeal.Origin]
        ORIGIN_IMPORTED: _ClassVar[ElectronicSeal.Origin]
    ORIGIN_UNSPECIFIED: ElectronicSeal.Origin
    ORIGIN_MADE_HERE: ElectronicSeal.Origin
    ORIGIN_IMPORTED: ElectronicSeal.Origin
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    FORMAT_VERSION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    MAKER_KEY_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    version: int
    number: str
    origin: ElectronicSeal.Origin
    format_version: int
    start_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    picture: str
    maker_key: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, version: _Optional[int] = ..., number: _Optional[str] = ..., origin: _Optional[_Union[ElectronicSeal.Origin, str]] = ..., format_version: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., picture: _Optional[str] = ..., maker_key: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Key(_message.Message):
    __slots__ = ("name", "seal", "use", "algorithm", "home", "custody", "key_id", "state", "uses", "uses_max", "x509_request", "x509_chain", "expire_time", "create_time", "activate_time", "retire_time", "destroy_time", "warnings", "compromise_time")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Key.State]
        STATE_REQUESTED: _ClassVar[Key.State]
        STATE_ACTIVE: _ClassVar[Key.State]
        STATE_RETIRED: _ClassVar[Key.State]
        STATE_DESTROYED: _ClassVar[Key.State]
        STATE_COMPROMISED: _ClassVar[Key.State]
    STATE_UNSPECIFIED: Key.State
    STATE_REQUESTED: Key.State
    STATE_ACTIVE: Key.State
    STATE_RETIRED: Key.State
    STATE_DESTROYED: Key.State
    STATE_COMPROMISED: Key.State
    class Warning(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        WARNING_UNSPECIFIED: _ClassVar[Key.Warning]
        WARNING_ENDS_IN_30_DAYS: _ClassVar[Key.Warning]
        WARNING_ENDS_IN_7_DAYS: _ClassVar[Key.Warning]
        WARNING_ENDS_IN_1_DAY: _ClassVar[Key.Warning]
        WARNING_ENDED: _ClassVar[Key.Warning]
        WARNING_NEARLY_USED_UP: _ClassVar[Key.Warning]
    WARNING_UNSPECIFIED: Key.Warning
    WARNING_ENDS_IN_30_DAYS: Key.Warning
    WARNING_ENDS_IN_7_DAYS: Key.Warning
    WARNING_ENDS_IN_1_DAY: Key.Warning
    WARNING_ENDED: Key.Warning
    WARNING_NEARLY_USED_UP: Key.Warning
    NAME_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    USE_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    HOME_FIELD_NUMBER: _ClassVar[int]
    CUSTODY_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    USES_MAX_FIELD_NUMBER: _ClassVar[int]
    X509_REQUEST_FIELD_NUMBER: _ClassVar[int]
    X509_CHAIN_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ACTIVATE_TIME_FIELD_NUMBER: _ClassVar[int]
    RETIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    DESTROY_TIME_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    COMPROMISE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    seal: str
    use: str
    algorithm: str
    home: str
    custody: _common_pb2.Custody
    key_id: str
    state: Key.State
    uses: int
    uses_max: int
    x509_request: bytes
    x509_chain: _containers.RepeatedScalarFieldContainer[bytes]
    expire_time: _timestamp_pb2.Timestamp
    create_time: _timestamp_pb2.Timestamp
    activate_time: _timestamp_pb2.Timestamp
    retire_time: _timestamp_pb2.Timestamp
    destroy_time: _timestamp_pb2.Timestamp
    warnings: _containers.RepeatedScalarFieldContainer[Key.Warning]
    compromise_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., seal: _Optional[str] = ..., use: _Optional[str] = ..., algorithm: _Optional[str] = ..., home: _Optional[str] = ..., custody: _Optional[_Union[_common_pb2.Custody, str]] = ..., key_id: _Optional[str] = ..., state: _Optional[_Union[Key.State, str]] = ..., uses: _Optional[int] = ..., uses_max: _Optional[int] = ..., x509_request: _Optional[bytes] = ..., x509_chain: _Optional[_Iterable[bytes]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., activate_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., retire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., destroy_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[Key.Warning, str]]] = ..., compromise_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
