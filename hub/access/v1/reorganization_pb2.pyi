import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hub.access.v1 import access_pb2 as _access_pb2
from hub.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateReorganizationChallengeRequest(_message.Message):
    __slots__ = ("intent",)
    INTENT_FIELD_NUMBER: _ClassVar[int]
    intent: bytes
    def __init__(self, intent: _Optional[bytes] = ...) -> None: ...

class CreateReorganizationChallengeResponse(_message.Message):
    __slots__ = ("nonce", "expire_time", "key_entry")
    NONCE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    KEY_ENTRY_FIELD_NUMBER: _ClassVar[int]
    nonce: bytes
    expire_time: _timestamp_pb2.Timestamp
    key_entry: int
    def __init__(self, nonce: _Optional[bytes] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., key_entry: _Optional[int] = ...) -> None: ...

class ReorganizeAuthorityRequest(_message.Message):
    __slots__ = ("request_id", "intent", "approvals")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    intent: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_id: _Optional[str] = ..., intent: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ...) -> None: ...

class ReorganizeAuthorityResponse(_message.Message):
    __slots__ = ("authority", "receipt")
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    authority: _access_pb2.Authority
    receipt: _common_pb2.Receipt
    def __init__(self, authority: _Optional[_Union[_access_pb2.Authority, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...
