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

class ProposeIntentRequest(_message.Message):
    __slots__ = ("request_id", "intent_id", "kind", "members", "start_time", "expire_time", "uses_max", "replaces")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INTENT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    USES_MAX_FIELD_NUMBER: _ClassVar[int]
    REPLACES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    intent_id: str
    kind: str
    members: bytes
    start_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    uses_max: int
    replaces: str
    def __init__(self, request_id: _Optional[str] = ..., intent_id: _Optional[str] = ..., kind: _Optional[str] = ..., members: _Optional[bytes] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., uses_max: _Optional[int] = ..., replaces: _Optional[str] = ...) -> None: ...

class ProposeIntentResponse(_message.Message):
    __slots__ = ("intent", "receipt")
    INTENT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    intent: Intent
    receipt: _common_pb2.Receipt
    def __init__(self, intent: _Optional[_Union[Intent, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class CreateApprovalChallengeRequest(_message.Message):
    __slots__ = ("intent",)
    INTENT_FIELD_NUMBER: _ClassVar[int]
    intent: str
    def __init__(self, intent: _Optional[str] = ...) -> None: ...

class CreateApprovalChallengeResponse(_message.Message):
    __slots__ = ("intent_bytes", "nonce", "expire_time", "key_entry")
    INTENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    KEY_ENTRY_FIELD_NUMBER: _ClassVar[int]
    intent_bytes: bytes
    nonce: bytes
    expire_time: _timestamp_pb2.Timestamp
    key_entry: int
    def __init__(self, intent_bytes: _Optional[bytes] = ..., nonce: _Optional[bytes] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., key_entry: _Optional[int] = ...) -> None: ...

class ApproveIntentRequest(_message.Message):
    __slots__ = ("request_id", "name", "approval")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    approval: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., approval: _Optional[str] = ...) -> None: ...

class ApproveIntentResponse(_message.Message):
    __slots__ = ("intent", "receipt")
    INTENT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    intent: Intent
    receipt: _common_pb2.Receipt
    def __init__(self, intent: _Optional[_Union[Intent, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class WithdrawIntentRequest(_message.Message):
    __slots__ = ("request_id", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class WithdrawIntentResponse(_message.Message):
    __slots__ = ("intent", "receipt")
    INTENT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    intent: Intent
    receipt: _common_pb2.Receipt
    def __init__(self, intent: _Optional[_Union[Intent, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class ExecuteIntentRequest(_message.Message):
    __slots__ = ("request_id", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ExecuteIntentResponse(_message.Message):
    __slots__ = ("intent", "result", "receipt")
    INTENT_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    intent: Intent
    result: bytes
    receipt: _common_pb2.Receipt
    def __init__(self, intent: _Optional[_Union[Intent, _Mapping]] = ..., result: _Optional[bytes] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class GetIntentRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetIntentResponse(_message.Message):
    __slots__ = ("intent",)
    INTENT_FIELD_NUMBER: _ClassVar[int]
    intent: Intent
    def __init__(self, intent: _Optional[_Union[Intent, _Mapping]] = ...) -> None: ...

class ListIntentsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListIntentsResponse(_message.Message):
    __slots__ = ("intents", "next_page_token")
    INTENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    intents: _containers.RepeatedCompositeFieldContainer[Intent]
    next_page_token: str
    def __init__(self, intents: _Optional[_Iterable[_Union[Intent, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Intent(_message.Message):
    __slots__ = ("name", "state", "intent_bytes", "digest", "requester", "approvals", "uses", "create_time", "kind", "quorum", "counting")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Intent.State]
        STATE_PROPOSED: _ClassVar[Intent.State]
        STATE_APPROVED: _ClassVar[Intent.State]
        STATE_REJECTED: _ClassVar[Intent.State]
        STATE_WITHDRAWN: _ClassVar[Intent.State]
        STATE_REPLACED: _ClassVar[Intent.State]
        STATE_EXECUTED: _ClassVar[Intent.State]
    STATE_UNSPECIFIED: Intent.State
    STATE_PROPOSED: Intent.State
    STATE_APPROVED: Intent.State
    STATE_REJECTED: Intent.State
    STATE_WITHDRAWN: Intent.State
    STATE_REPLACED: Intent.State
    STATE_EXECUTED: Intent.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    INTENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    QUORUM_FIELD_NUMBER: _ClassVar[int]
    COUNTING_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: Intent.State
    intent_bytes: bytes
    digest: str
    requester: str
    approvals: _containers.RepeatedCompositeFieldContainer[Approval]
    uses: int
    create_time: _timestamp_pb2.Timestamp
    kind: str
    quorum: int
    counting: int
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[Intent.State, str]] = ..., intent_bytes: _Optional[bytes] = ..., digest: _Optional[str] = ..., requester: _Optional[str] = ..., approvals: _Optional[_Iterable[_Union[Approval, _Mapping]]] = ..., uses: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[str] = ..., quorum: _Optional[int] = ..., counting: _Optional[int] = ...) -> None: ...

class Approval(_message.Message):
    __slots__ = ("officer", "decision", "approval", "create_time")
    class Decision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DECISION_UNSPECIFIED: _ClassVar[Approval.Decision]
        DECISION_APPROVED: _ClassVar[Approval.Decision]
        DECISION_REJECTED: _ClassVar[Approval.Decision]
    DECISION_UNSPECIFIED: Approval.Decision
    DECISION_APPROVED: Approval.Decision
    DECISION_REJECTED: Approval.Decision
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    officer: str
    decision: Approval.Decision
    approval: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, officer: _Optional[str] = ..., decision: _Optional[_Union[Approval.Decision, str]] = ..., approval: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
