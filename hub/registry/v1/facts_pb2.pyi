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

class AnnounceFactChangeRequest(_message.Message):
    __slots__ = ("request_id", "certificate", "facts", "legal_basis")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    certificate: str
    facts: _containers.RepeatedScalarFieldContainer[str]
    legal_basis: str
    def __init__(self, request_id: _Optional[str] = ..., certificate: _Optional[str] = ..., facts: _Optional[_Iterable[str]] = ..., legal_basis: _Optional[str] = ...) -> None: ...

class AnnounceFactChangeResponse(_message.Message):
    __slots__ = ("fact_change", "receipt")
    FACT_CHANGE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    fact_change: FactChange
    receipt: _common_pb2.Receipt
    def __init__(self, fact_change: _Optional[_Union[FactChange, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class AnnounceHolderEventRequest(_message.Message):
    __slots__ = ("request_id", "certificate", "event", "document_digest", "legal_basis")
    class Event(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        EVENT_UNSPECIFIED: _ClassVar[AnnounceHolderEventRequest.Event]
        EVENT_DEATH: _ClassVar[AnnounceHolderEventRequest.Event]
        EVENT_DISSOLUTION: _ClassVar[AnnounceHolderEventRequest.Event]
        EVENT_GUARDIANSHIP_BEGUN: _ClassVar[AnnounceHolderEventRequest.Event]
        EVENT_GUARDIANSHIP_ENDED: _ClassVar[AnnounceHolderEventRequest.Event]
    EVENT_UNSPECIFIED: AnnounceHolderEventRequest.Event
    EVENT_DEATH: AnnounceHolderEventRequest.Event
    EVENT_DISSOLUTION: AnnounceHolderEventRequest.Event
    EVENT_GUARDIANSHIP_BEGUN: AnnounceHolderEventRequest.Event
    EVENT_GUARDIANSHIP_ENDED: AnnounceHolderEventRequest.Event
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    certificate: str
    event: AnnounceHolderEventRequest.Event
    document_digest: str
    legal_basis: str
    def __init__(self, request_id: _Optional[str] = ..., certificate: _Optional[str] = ..., event: _Optional[_Union[AnnounceHolderEventRequest.Event, str]] = ..., document_digest: _Optional[str] = ..., legal_basis: _Optional[str] = ...) -> None: ...

class AnnounceHolderEventResponse(_message.Message):
    __slots__ = ("fact_change", "receipt")
    FACT_CHANGE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    fact_change: FactChange
    receipt: _common_pb2.Receipt
    def __init__(self, fact_change: _Optional[_Union[FactChange, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class FactChange(_message.Message):
    __slots__ = ("name", "certificate", "identifier", "facts", "legal_basis", "announce_time", "follow_ups")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    ANNOUNCE_TIME_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_UPS_FIELD_NUMBER: _ClassVar[int]
    name: str
    certificate: str
    identifier: str
    facts: _containers.RepeatedScalarFieldContainer[str]
    legal_basis: str
    announce_time: _timestamp_pb2.Timestamp
    follow_ups: int
    def __init__(self, name: _Optional[str] = ..., certificate: _Optional[str] = ..., identifier: _Optional[str] = ..., facts: _Optional[_Iterable[str]] = ..., legal_basis: _Optional[str] = ..., announce_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., follow_ups: _Optional[int] = ...) -> None: ...

class ListFollowUpsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "fact_change")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FACT_CHANGE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    fact_change: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., fact_change: _Optional[str] = ...) -> None: ...

class ListFollowUpsResponse(_message.Message):
    __slots__ = ("follow_ups", "next_page_token")
    FOLLOW_UPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    follow_ups: _containers.RepeatedCompositeFieldContainer[FollowUp]
    next_page_token: str
    def __init__(self, follow_ups: _Optional[_Iterable[_Union[FollowUp, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class FollowUp(_message.Message):
    __slots__ = ("name", "authority", "certificate_type", "certificate", "facts", "source_identifier", "state", "decline_reason", "announce_time")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[FollowUp.State]
        STATE_OPEN: _ClassVar[FollowUp.State]
        STATE_DONE: _ClassVar[FollowUp.State]
        STATE_DECLINED: _ClassVar[FollowUp.State]
        STATE_ENDED: _ClassVar[FollowUp.State]
    STATE_UNSPECIFIED: FollowUp.State
    STATE_OPEN: FollowUp.State
    STATE_DONE: FollowUp.State
    STATE_DECLINED: FollowUp.State
    STATE_ENDED: FollowUp.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DECLINE_REASON_FIELD_NUMBER: _ClassVar[int]
    ANNOUNCE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    authority: str
    certificate_type: str
    certificate: str
    facts: _containers.RepeatedScalarFieldContainer[str]
    source_identifier: str
    state: FollowUp.State
    decline_reason: str
    announce_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., authority: _Optional[str] = ..., certificate_type: _Optional[str] = ..., certificate: _Optional[str] = ..., facts: _Optional[_Iterable[str]] = ..., source_identifier: _Optional[str] = ..., state: _Optional[_Union[FollowUp.State, str]] = ..., decline_reason: _Optional[str] = ..., announce_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DeclineFollowUpRequest(_message.Message):
    __slots__ = ("request_id", "name", "decline_reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DECLINE_REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    decline_reason: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., decline_reason: _Optional[str] = ...) -> None: ...

class DeclineFollowUpResponse(_message.Message):
    __slots__ = ("follow_up", "receipt")
    FOLLOW_UP_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    follow_up: FollowUp
    receipt: _common_pb2.Receipt
    def __init__(self, follow_up: _Optional[_Union[FollowUp, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...
