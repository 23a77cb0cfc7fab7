from hub.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VerifyInformationRequest(_message.Message):
    __slots__ = ("request_id", "signed_request")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNED_REQUEST_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    signed_request: str
    def __init__(self, request_id: _Optional[str] = ..., signed_request: _Optional[str] = ...) -> None: ...

class VerifyInformationResponse(_message.Message):
    __slots__ = ("request_id", "result", "receipt", "objected_fields", "trust_grade", "origin")
    class Result(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        RESULT_UNSPECIFIED: _ClassVar[VerifyInformationResponse.Result]
        RESULT_IN_FORCE: _ClassVar[VerifyInformationResponse.Result]
        RESULT_NOT_YET_IN_FORCE: _ClassVar[VerifyInformationResponse.Result]
        RESULT_SUSPENDED: _ClassVar[VerifyInformationResponse.Result]
        RESULT_ENDED: _ClassVar[VerifyInformationResponse.Result]
        RESULT_INSUFFICIENT: _ClassVar[VerifyInformationResponse.Result]
        RESULT_NOT_CONFIRMED: _ClassVar[VerifyInformationResponse.Result]
    RESULT_UNSPECIFIED: VerifyInformationResponse.Result
    RESULT_IN_FORCE: VerifyInformationResponse.Result
    RESULT_NOT_YET_IN_FORCE: VerifyInformationResponse.Result
    RESULT_SUSPENDED: VerifyInformationResponse.Result
    RESULT_ENDED: VerifyInformationResponse.Result
    RESULT_INSUFFICIENT: VerifyInformationResponse.Result
    RESULT_NOT_CONFIRMED: VerifyInformationResponse.Result
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    OBJECTED_FIELDS_FIELD_NUMBER: _ClassVar[int]
    TRUST_GRADE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    result: VerifyInformationResponse.Result
    receipt: _common_pb2.Receipt
    objected_fields: _containers.RepeatedScalarFieldContainer[str]
    trust_grade: str
    origin: _common_pb2.CertificateOrigin
    def __init__(self, request_id: _Optional[str] = ..., result: _Optional[_Union[VerifyInformationResponse.Result, str]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ..., objected_fields: _Optional[_Iterable[str]] = ..., trust_grade: _Optional[str] = ..., origin: _Optional[_Union[_common_pb2.CertificateOrigin, str]] = ...) -> None: ...
