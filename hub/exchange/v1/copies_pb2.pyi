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

class CreateAnnotatedCopyRequest(_message.Message):
    __slots__ = ("request_id", "fetch_request_id", "certificate", "purpose", "expire_time")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FETCH_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    fetch_request_id: str
    certificate: int
    purpose: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., fetch_request_id: _Optional[str] = ..., certificate: _Optional[int] = ..., purpose: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateAnnotatedCopyResponse(_message.Message):
    __slots__ = ("annotated_copy", "receipt")
    ANNOTATED_COPY_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    annotated_copy: AnnotatedCopy
    receipt: _common_pb2.Receipt
    def __init__(self, annotated_copy: _Optional[_Union[AnnotatedCopy, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class GetAnnotatedCopyRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetAnnotatedCopyResponse(_message.Message):
    __slots__ = ("annotated_copy",)
    ANNOTATED_COPY_FIELD_NUMBER: _ClassVar[int]
    annotated_copy: AnnotatedCopy
    def __init__(self, annotated_copy: _Optional[_Union[AnnotatedCopy, _Mapping]] = ...) -> None: ...

class ListAnnotatedCopiesRequest(_message.Message):
    __slots__ = ("identifier", "page_size", "page_token")
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    identifier: str
    page_size: int
    page_token: str
    def __init__(self, identifier: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAnnotatedCopiesResponse(_message.Message):
    __slots__ = ("annotated_copies", "next_page_token")
    ANNOTATED_COPIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    annotated_copies: _containers.RepeatedCompositeFieldContainer[AnnotatedCopy]
    next_page_token: str
    def __init__(self, annotated_copies: _Optional[_Iterable[_Union[AnnotatedCopy, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AnnotatedCopy(_message.Message):
    __slots__ = ("name", "identifier", "certificate_type", "authority", "fields", "sd_hash", "purpose", "maker", "maker_authority", "create_time", "expire_time", "state", "fetch_entry", "create_entry")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[AnnotatedCopy.State]
        STATE_IN_FORCE: _ClassVar[AnnotatedCopy.State]
        STATE_EXPIRED: _ClassVar[AnnotatedCopy.State]
        STATE_ORIGINAL_ENDED: _ClassVar[AnnotatedCopy.State]
    STATE_UNSPECIFIED: AnnotatedCopy.State
    STATE_IN_FORCE: AnnotatedCopy.State
    STATE_EXPIRED: AnnotatedCopy.State
    STATE_ORIGINAL_ENDED: AnnotatedCopy.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    SD_HASH_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    MAKER_FIELD_NUMBER: _ClassVar[int]
    MAKER_AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FETCH_ENTRY_FIELD_NUMBER: _ClassVar[int]
    CREATE_ENTRY_FIELD_NUMBER: _ClassVar[int]
    name: str
    identifier: str
    certificate_type: str
    authority: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    sd_hash: str
    purpose: str
    maker: str
    maker_authority: str
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    state: AnnotatedCopy.State
    fetch_entry: int
    create_entry: int
    def __init__(self, name: _Optional[str] = ..., identifier: _Optional[str] = ..., certificate_type: _Optional[str] = ..., authority: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., sd_hash: _Optional[str] = ..., purpose: _Optional[str] = ..., maker: _Optional[str] = ..., maker_authority: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[AnnotatedCopy.State, str]] = ..., fetch_entry: _Optional[int] = ..., create_entry: _Optional[int] = ...) -> None: ...
