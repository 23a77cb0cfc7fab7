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

class ImportItemsRequest(_message.Message):
    __slots__ = ("request_id", "items", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    items: _containers.RepeatedScalarFieldContainer[bytes]
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., items: _Optional[_Iterable[bytes]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ImportItemsResponse(_message.Message):
    __slots__ = ("changes", "receipt")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[ItemChange]
    receipt: _common_pb2.Receipt
    def __init__(self, changes: _Optional[_Iterable[_Union[ItemChange, _Mapping]]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class GetItemRequest(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class GetItemResponse(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: Item
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ...) -> None: ...

class ListItemsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "filter")
    class Filter(_message.Message):
        __slots__ = ("authority", "certificate_type")
        AUTHORITY_FIELD_NUMBER: _ClassVar[int]
        CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
        authority: str
        certificate_type: str
        def __init__(self, authority: _Optional[str] = ..., certificate_type: _Optional[str] = ...) -> None: ...
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    filter: ListItemsRequest.Filter
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[_Union[ListItemsRequest.Filter, _Mapping]] = ...) -> None: ...

class ListItemsResponse(_message.Message):
    __slots__ = ("items", "next_page_token")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Item]
    next_page_token: str
    def __init__(self, items: _Optional[_Iterable[_Union[Item, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RetireItemRequest(_message.Message):
    __slots__ = ("request_id", "name", "cause")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    cause: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., cause: _Optional[str] = ...) -> None: ...

class RetireItemResponse(_message.Message):
    __slots__ = ("item", "receipt")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    item: Item
    receipt: _common_pb2.Receipt
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class Item(_message.Message):
    __slots__ = ("name", "code", "version", "title", "title_en", "authority", "state", "state_entry", "cause", "document", "create_time")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Item.State]
        STATE_ACTIVE: _ClassVar[Item.State]
        STATE_RETIRED: _ClassVar[Item.State]
    STATE_UNSPECIFIED: Item.State
    STATE_ACTIVE: Item.State
    STATE_RETIRED: Item.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TITLE_EN_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_ENTRY_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    code: str
    version: int
    title: str
    title_en: str
    authority: str
    state: Item.State
    state_entry: int
    cause: str
    document: bytes
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., code: _Optional[str] = ..., version: _Optional[int] = ..., title: _Optional[str] = ..., title_en: _Optional[str] = ..., authority: _Optional[str] = ..., state: _Optional[_Union[Item.State, str]] = ..., state_entry: _Optional[int] = ..., cause: _Optional[str] = ..., document: _Optional[bytes] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ItemChange(_message.Message):
    __slots__ = ("name", "code", "title", "outcome", "version", "members")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[ItemChange.Outcome]
        OUTCOME_NEW: _ClassVar[ItemChange.Outcome]
        OUTCOME_CHANGED: _ClassVar[ItemChange.Outcome]
        OUTCOME_UNCHANGED: _ClassVar[ItemChange.Outcome]
    OUTCOME_UNSPECIFIED: ItemChange.Outcome
    OUTCOME_NEW: ItemChange.Outcome
    OUTCOME_CHANGED: ItemChange.Outcome
    OUTCOME_UNCHANGED: ItemChange.Outcome
    NAME_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    code: str
    title: str
    outcome: ItemChange.Outcome
    version: int
    members: _containers.RepeatedCompositeFieldContainer[MemberChange]
    def __init__(self, name: _Optional[str] = ..., code: _Optional[str] = ..., title: _Optional[str] = ..., outcome: _Optional[_Union[ItemChange.Outcome, str]] = ..., version: _Optional[int] = ..., members: _Optional[_Iterable[_Union[MemberChange, _Mapping]]] = ...) -> None: ...

class MemberChange(_message.Message):
    __slots__ = ("place", "before", "after")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    place: str
    before: str
    after: str
    def __init__(self, place: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...
