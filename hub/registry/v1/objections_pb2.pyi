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

class RaiseObjectionRequest(_message.Message):
    __slots__ = ("request_id", "identifier", "fields", "party", "statement")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    identifier: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    party: Objection.Party
    statement: str
    def __init__(self, request_id: _Optional[str] = ..., identifier: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., party: _Optional[_Union[Objection.Party, str]] = ..., statement: _Optional[str] = ...) -> None: ...

class RaiseObjectionResponse(_message.Message):
    __slots__ = ("objection", "receipt")
    OBJECTION_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    objection: Objection
    receipt: _common_pb2.Receipt
    def __init__(self, objection: _Optional[_Union[Objection, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class Objection(_message.Message):
    __slots__ = ("name", "authority", "certificate_type", "identifier", "fields", "party", "raised_by", "state", "due_date", "statement", "answer", "correction", "raise_time", "answer_time")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Objection.State]
        STATE_RAISED: _ClassVar[Objection.State]
        STATE_ACCEPTED: _ClassVar[Objection.State]
        STATE_REJECTED: _ClassVar[Objection.State]
        STATE_CORRECTED: _ClassVar[Objection.State]
    STATE_UNSPECIFIED: Objection.State
    STATE_RAISED: Objection.State
    STATE_ACCEPTED: Objection.State
    STATE_REJECTED: Objection.State
    STATE_CORRECTED: Objection.State
    class Party(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        PARTY_UNSPECIFIED: _ClassVar[Objection.Party]
        PARTY_HOLDER: _ClassVar[Objection.Party]
        PARTY_AUTHORITY: _ClassVar[Objection.Party]
    PARTY_UNSPECIFIED: Objection.Party
    PARTY_HOLDER: Objection.Party
    PARTY_AUTHORITY: Objection.Party
    NAME_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    RAISED_BY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DUE_DATE_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    RAISE_TIME_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    authority: str
    certificate_type: str
    identifier: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    party: Objection.Party
    raised_by: str
    state: Objection.State
    due_date: str
    statement: str
    answer: str
    correction: str
    raise_time: _timestamp_pb2.Timestamp
    answer_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., authority: _Optional[str] = ..., certificate_type: _Optional[str] = ..., identifier: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., party: _Optional[_Union[Objection.Party, str]] = ..., raised_by: _Optional[str] = ..., state: _Optional[_Union[Objection.State, str]] = ..., due_date: _Optional[str] = ..., statement: _Optional[str] = ..., answer: _Optional[str] = ..., correction: _Optional[str] = ..., raise_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answer_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetObjectionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetObjectionResponse(_message.Message):
    __slots__ = ("objection",)
    OBJECTION_FIELD_NUMBER: _ClassVar[int]
    objection: Objection
    def __init__(self, objection: _Optional[_Union[Objection, _Mapping]] = ...) -> None: ...

class ListObjectionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "filter")
    class Filter(_message.Message):
        __slots__ = ("state", "overdue")
        STATE_FIELD_NUMBER: _ClassVar[int]
        OVERDUE_FIELD_NUMBER: _ClassVar[int]
        state: Objection.State
        overdue: bool
        def __init__(self, state: _Optional[_Union[Objection.State, str]] = ..., overdue: _Optional[bool] = ...) -> None: ...
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    filter: ListObjectionsRequest.Filter
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[_Union[ListObjectionsRequest.Filter, _Mapping]] = ...) -> None: ...

class ListObjectionsResponse(_message.Message):
    __slots__ = ("objections", "next_page_token")
    OBJECTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    objections: _containers.RepeatedCompositeFieldContainer[Objection]
    next_page_token: str
    def __init__(self, objections: _Optional[_Iterable[_Union[Objection, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AnswerObjectionRequest(_message.Message):
    __slots__ = ("request_id", "name", "decision", "answer")
    class Decision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DECISION_UNSPECIFIED: _ClassVar[AnswerObjectionRequest.Decision]
        DECISION_ACCEPTED: _ClassVar[AnswerObjectionRequest.Decision]
        DECISION_REJECTED: _ClassVar[AnswerObjectionRequest.Decision]
    DECISION_UNSPECIFIED: AnswerObjectionRequest.Decision
    DECISION_ACCEPTED: AnswerObjectionRequest.Decision
    DECISION_REJECTED: AnswerObjectionRequest.Decision
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    decision: AnswerObjectionRequest.Decision
    answer: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., decision: _Optional[_Union[AnswerObjectionRequest.Decision, str]] = ..., answer: _Optional[str] = ...) -> None: ...

class AnswerObjectionResponse(_message.Message):
    __slots__ = ("objection", "receipt")
    OBJECTION_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    objection: Objection
    receipt: _common_pb2.Receipt
    def __init__(self, objection: _Optional[_Union[Objection, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class Notice(_message.Message):
    __slots__ = ("name", "authority", "certificate_type", "received", "correction", "objection", "create_time", "acknowledge_time")
    class Received(_message.Message):
        __slots__ = ("identifier", "fields", "entries", "entries_n")
        IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
        FIELDS_FIELD_NUMBER: _ClassVar[int]
        ENTRIES_FIELD_NUMBER: _ClassVar[int]
        ENTRIES_N_FIELD_NUMBER: _ClassVar[int]
        identifier: str
        fields: _containers.RepeatedScalarFieldContainer[str]
        entries: _containers.RepeatedScalarFieldContainer[int]
        entries_n: int
        def __init__(self, identifier: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., entries: _Optional[_Iterable[int]] = ..., entries_n: _Optional[int] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    OBJECTION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    authority: str
    certificate_type: str
    received: _containers.RepeatedCompositeFieldContainer[Notice.Received]
    correction: str
    objection: str
    create_time: _timestamp_pb2.Timestamp
    acknowledge_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., authority: _Optional[str] = ..., certificate_type: _Optional[str] = ..., received: _Optional[_Iterable[_Union[Notice.Received, _Mapping]]] = ..., correction: _Optional[str] = ..., objection: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListNoticesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "filter")
    class Filter(_message.Message):
        __slots__ = ("unacknowledged",)
        UNACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
        unacknowledged: bool
        def __init__(self, unacknowledged: _Optional[bool] = ...) -> None: ...
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    filter: ListNoticesRequest.Filter
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[_Union[ListNoticesRequest.Filter, _Mapping]] = ...) -> None: ...

class ListNoticesResponse(_message.Message):
    __slots__ = ("notices", "next_page_token")
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    notices: _containers.RepeatedCompositeFieldContainer[Notice]
    next_page_token: str
    def __init__(self, notices: _Optional[_Iterable[_Union[Notice, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AcknowledgeNoticeRequest(_message.Message):
    __slots__ = ("request_id", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class AcknowledgeNoticeResponse(_message.Message):
    __slots__ = ("notice", "receipt")
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    notice: Notice
    receipt: _common_pb2.Receipt
    def __init__(self, notice: _Optional[_Union[Notice, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...
