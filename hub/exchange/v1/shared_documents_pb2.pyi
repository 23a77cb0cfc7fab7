import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hub.exchange.v1 import exchange_pb2 as _exchange_pb2
from hub.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FetchDocumentRequest(_message.Message):
    __slots__ = ("request_id", "signed_request", "media_type")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNED_REQUEST_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    signed_request: str
    media_type: str
    def __init__(self, request_id: _Optional[str] = ..., signed_request: _Optional[str] = ..., media_type: _Optional[str] = ...) -> None: ...

class FetchDocumentResponse(_message.Message):
    __slots__ = ("header", "chunk")
    class Header(_message.Message):
        __slots__ = ("state", "media_type", "size", "digest", "objected_fields", "receipt", "trust_grade", "origin", "annotated_copy", "expire_time", "resealed")
        STATE_FIELD_NUMBER: _ClassVar[int]
        MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
        SIZE_FIELD_NUMBER: _ClassVar[int]
        DIGEST_FIELD_NUMBER: _ClassVar[int]
        OBJECTED_FIELDS_FIELD_NUMBER: _ClassVar[int]
        RECEIPT_FIELD_NUMBER: _ClassVar[int]
        TRUST_GRADE_FIELD_NUMBER: _ClassVar[int]
        ORIGIN_FIELD_NUMBER: _ClassVar[int]
        ANNOTATED_COPY_FIELD_NUMBER: _ClassVar[int]
        EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
        RESEALED_FIELD_NUMBER: _ClassVar[int]
        state: _exchange_pb2.FetchedCertificate.State
        media_type: str
        size: int
        digest: str
        objected_fields: _containers.RepeatedScalarFieldContainer[str]
        receipt: _common_pb2.Receipt
        trust_grade: str
        origin: _common_pb2.CertificateOrigin
        annotated_copy: str
        expire_time: _timestamp_pb2.Timestamp
        resealed: _common_pb2.Receipt
        def __init__(self, state: _Optional[_Union[_exchange_pb2.FetchedCertificate.State, str]] = ..., media_type: _Optional[str] = ..., size: _Optional[int] = ..., digest: _Optional[str] = ..., objected_fields: _Optional[_Iterable[str]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ..., trust_grade: _Optional[str] = ..., origin: _Optional[_Union[_common_pb2.CertificateOrigin, str]] = ..., annotated_copy: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resealed: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: FetchDocumentResponse.Header
    chunk: bytes
    def __init__(self, header: _Optional[_Union[FetchDocumentResponse.Header, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...
