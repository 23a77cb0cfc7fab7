import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VerifyDocumentRequest(_message.Message):
    __slots__ = ("header", "chunk")
    class Header(_message.Message):
        __slots__ = ("as_of_time", "revocation_lists", "twin", "required_algorithm", "record", "receipt", "requests", "system", "answer")
        AS_OF_TIME_FIELD_NUMBER: _ClassVar[int]
        REVOCATION_LISTS_FIELD_NUMBER: _ClassVar[int]
        TWIN_FIELD_NUMBER: _ClassVar[int]
        REQUIRED_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
        RECORD_FIELD_NUMBER: _ClassVar[int]
        RECEIPT_FIELD_NUMBER: _ClassVar[int]
        REQUESTS_FIELD_NUMBER: _ClassVar[int]
        SYSTEM_FIELD_NUMBER: _ClassVar[int]
        ANSWER_FIELD_NUMBER: _ClassVar[int]
        as_of_time: _timestamp_pb2.Timestamp
        revocation_lists: _containers.RepeatedScalarFieldContainer[bytes]
        twin: str
        required_algorithm: str
        record: bytes
        receipt: bytes
        requests: _containers.RepeatedScalarFieldContainer[str]
        system: str
        answer: bytes
        def __init__(self, as_of_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revocation_lists: _Optional[_Iterable[bytes]] = ..., twin: _Optional[str] = ..., required_algorithm: _Optional[str] = ..., record: _Optional[bytes] = ..., receipt: _Optional[bytes] = ..., requests: _Optional[_Iterable[str]] = ..., system: _Optional[str] = ..., answer: _Optional[bytes] = ...) -> None: ...
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: VerifyDocumentRequest.Header
    chunk: bytes
    def __init__(self, header: _Optional[_Union[VerifyDocumentRequest.Header, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class VerifyDocumentResponse(_message.Message):
    __slots__ = ("report", "json")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    report: Report
    json: str
    def __init__(self, report: _Optional[_Union[Report, _Mapping]] = ..., json: _Optional[str] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("kind", "verdict", "reason", "summary_en", "summary_zh", "steps", "facts", "files", "remarks")
    class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        VERDICT_UNSPECIFIED: _ClassVar[Report.Verdict]
        VERDICT_VALID: _ClassVar[Report.Verdict]
        VERDICT_INVALID: _ClassVar[Report.Verdict]
        VERDICT_CANNOT_CHECK: _ClassVar[Report.Verdict]
    VERDICT_UNSPECIFIED: Report.Verdict
    VERDICT_VALID: Report.Verdict
    VERDICT_INVALID: Report.Verdict
    VERDICT_CANNOT_CHECK: Report.Verdict
    class Step(_message.Message):
        __slots__ = ("number", "name", "verdict", "reason", "detail", "part", "judged_time", "judged_basis", "used_us")
        NUMBER_FIELD_NUMBER: _ClassVar[int]
        NAME_FIELD_NUMBER: _ClassVar[int]
        VERDICT_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        DETAIL_FIELD_NUMBER: _ClassVar[int]
        PART_FIELD_NUMBER: _ClassVar[int]
        JUDGED_TIME_FIELD_NUMBER: _ClassVar[int]
        JUDGED_BASIS_FIELD_NUMBER: _ClassVar[int]
        USED_US_FIELD_NUMBER: _ClassVar[int]
        number: int
        name: str
        verdict: Report.Verdict
        reason: str
        detail: str
        part: int
        judged_time: _timestamp_pb2.Timestamp
        judged_basis: str
        used_us: int
        def __init__(self, number: _Optional[int] = ..., name: _Optional[str] = ..., verdict: _Optional[_Union[Report.Verdict, str]] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ..., part: _Optional[int] = ..., judged_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., judged_basis: _Optional[str] = ..., used_us: _Optional[int] = ...) -> None: ...
    class Fact(_message.Message):
        __slots__ = ("name", "values", "part")
        NAME_FIELD_NUMBER: _ClassVar[int]
        VALUES_FIELD_NUMBER: _ClassVar[int]
        PART_FIELD_NUMBER: _ClassVar[int]
        name: str
        values: _containers.RepeatedScalarFieldContainer[str]
        part: int
        def __init__(self, name: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ..., part: _Optional[int] = ...) -> None: ...
    class File(_message.Message):
        __slots__ = ("path", "verdict", "reason", "part")
        PATH_FIELD_NUMBER: _ClassVar[int]
        VERDICT_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        PART_FIELD_NUMBER: _ClassVar[int]
        path: str
        verdict: Report.Verdict
        reason: str
        part: int
        def __init__(self, path: _Optional[str] = ..., verdict: _Optional[_Union[Report.Verdict, str]] = ..., reason: _Optional[str] = ..., part: _Optional[int] = ...) -> None: ...
    KIND_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_EN_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_ZH_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    REMARKS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    verdict: Report.Verdict
    reason: str
    summary_en: str
    summary_zh: str
    steps: _containers.RepeatedCompositeFieldContainer[Report.Step]
    facts: _containers.RepeatedCompositeFieldContainer[Report.Fact]
    files: _containers.RepeatedCompositeFieldContainer[Report.File]
    remarks: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, kind: _Optional[str] = ..., verdict: _Optional[_Union[Report.Verdict, str]] = ..., reason: _Optional[str] = ..., summary_en: _Optional[str] = ..., summary_zh: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[Report.Step, _Mapping]]] = ..., facts: _Optional[_Iterable[_Union[Report.Fact, _Mapping]]] = ..., files: _Optional[_Iterable[_Union[Report.File, _Mapping]]] = ..., remarks: _Optional[_Iterable[str]] = ...) -> None: ...
