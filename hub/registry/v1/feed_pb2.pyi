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

class WatchChangesRequest(_message.Message):
    __slots__ = ("filter", "cursor", "start")
    class Start(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        START_UNSPECIFIED: _ClassVar[WatchChangesRequest.Start]
        START_NOW: _ClassVar[WatchChangesRequest.Start]
        START_BEGINNING: _ClassVar[WatchChangesRequest.Start]
    START_UNSPECIFIED: WatchChangesRequest.Start
    START_NOW: WatchChangesRequest.Start
    START_BEGINNING: WatchChangesRequest.Start
    class Filter(_message.Message):
        __slots__ = ("certificate_types", "authority")
        CERTIFICATE_TYPES_FIELD_NUMBER: _ClassVar[int]
        AUTHORITY_FIELD_NUMBER: _ClassVar[int]
        certificate_types: _containers.RepeatedScalarFieldContainer[str]
        authority: str
        def __init__(self, certificate_types: _Optional[_Iterable[str]] = ..., authority: _Optional[str] = ...) -> None: ...
    FILTER_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    filter: WatchChangesRequest.Filter
    cursor: str
    start: WatchChangesRequest.Start
    def __init__(self, filter: _Optional[_Union[WatchChangesRequest.Filter, _Mapping]] = ..., cursor: _Optional[str] = ..., start: _Optional[_Union[WatchChangesRequest.Start, str]] = ...) -> None: ...

class WatchChangesResponse(_message.Message):
    __slots__ = ("changes", "cursor", "through_time")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    THROUGH_TIME_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    cursor: str
    through_time: _timestamp_pb2.Timestamp
    def __init__(self, changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., cursor: _Optional[str] = ..., through_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("id", "kind", "authority", "certificate_type", "certificate", "identifier", "identifier_digest", "replaces_digest", "version", "state", "holders", "change_time", "reference")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Change.Kind]
        KIND_NEW: _ClassVar[Change.Kind]
        KIND_CHANGED: _ClassVar[Change.Kind]
        KIND_CORRECTED: _ClassVar[Change.Kind]
        KIND_STATE: _ClassVar[Change.Kind]
        KIND_EXPIRED: _ClassVar[Change.Kind]
        KIND_DOCUMENT: _ClassVar[Change.Kind]
        KIND_FACT: _ClassVar[Change.Kind]
        KIND_OBJECTION: _ClassVar[Change.Kind]
        KIND_NOTICE: _ClassVar[Change.Kind]
        KIND_HOLDER: _ClassVar[Change.Kind]
    KIND_UNSPECIFIED: Change.Kind
    KIND_NEW: Change.Kind
    KIND_CHANGED: Change.Kind
    KIND_CORRECTED: Change.Kind
    KIND_STATE: Change.Kind
    KIND_EXPIRED: Change.Kind
    KIND_DOCUMENT: Change.Kind
    KIND_FACT: Change.Kind
    KIND_OBJECTION: Change.Kind
    KIND_NOTICE: Change.Kind
    KIND_HOLDER: Change.Kind
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    REPLACES_DIGEST_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    HOLDERS_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: Change.Kind
    authority: str
    certificate_type: str
    certificate: str
    identifier: str
    identifier_digest: str
    replaces_digest: str
    version: int
    state: _common_pb2.CertificateState
    holders: _containers.RepeatedScalarFieldContainer[str]
    change_time: _timestamp_pb2.Timestamp
    reference: str
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[_Union[Change.Kind, str]] = ..., authority: _Optional[str] = ..., certificate_type: _Optional[str] = ..., certificate: _Optional[str] = ..., identifier: _Optional[str] = ..., identifier_digest: _Optional[str] = ..., replaces_digest: _Optional[str] = ..., version: _Optional[int] = ..., state: _Optional[_Union[_common_pb2.CertificateState, str]] = ..., holders: _Optional[_Iterable[str]] = ..., change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reference: _Optional[str] = ...) -> None: ...
