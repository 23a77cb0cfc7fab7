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

class CreateSealRequest(_message.Message):
    __slots__ = ("request_id", "parent", "seal_id", "title")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    SEAL_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    parent: str
    seal_id: str
    title: str
    def __init__(self, request_id: _Optional[str] = ..., parent: _Optional[str] = ..., seal_id: _Optional[str] = ..., title: _Optional[str] = ...) -> None: ...

class CreateSealResponse(_message.Message):
    __slots__ = ("seal", "x509_request", "receipt")
    SEAL_FIELD_NUMBER: _ClassVar[int]
    X509_REQUEST_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    seal: Seal
    x509_request: bytes
    receipt: _common_pb2.Receipt
    def __init__(self, seal: _Optional[_Union[Seal, _Mapping]] = ..., x509_request: _Optional[bytes] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class ActivateSealRequest(_message.Message):
    __slots__ = ("request_id", "name", "x509_chain")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    X509_CHAIN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    x509_chain: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., x509_chain: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ActivateSealResponse(_message.Message):
    __slots__ = ("seal", "receipt")
    SEAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    seal: Seal
    receipt: _common_pb2.Receipt
    def __init__(self, seal: _Optional[_Union[Seal, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

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

class GetStatusListRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetStatusListResponse(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class Seal(_message.Message):
    __slots__ = ("name", "title", "state", "key_id", "algorithm", "custody", "x509_chain", "create_time", "expire_time")
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
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    CUSTODY_FIELD_NUMBER: _ClassVar[int]
    X509_CHAIN_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    state: Seal.State
    key_id: str
    algorithm: str
    custody: _common_pb2.Custody
    x509_chain: _containers.RepeatedScalarFieldContainer[bytes]
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., state: _Optional[_Union[Seal.State, str]] = ..., key_id: _Optional[str] = ..., algorithm: _Optional[str] = ..., custody: _Optional[_Union[_common_pb2.Custody, str]] = ..., x509_chain: _Optional[_Iterable[bytes]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
