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

class CreateFaceTemplateRequest(_message.Message):
    __slots__ = ("request_id", "parent", "template", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    parent: str
    template: bytes
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., parent: _Optional[str] = ..., template: _Optional[bytes] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CreateFaceTemplateResponse(_message.Message):
    __slots__ = ("face_template", "warnings", "receipt")
    FACE_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    face_template: FaceTemplate
    warnings: _containers.RepeatedCompositeFieldContainer[FaceWarning]
    receipt: _common_pb2.Receipt
    def __init__(self, face_template: _Optional[_Union[FaceTemplate, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[FaceWarning, _Mapping]]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class PreviewFaceRequest(_message.Message):
    __slots__ = ("face_template", "template", "values", "format")
    class Format(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FORMAT_UNSPECIFIED: _ClassVar[PreviewFaceRequest.Format]
        FORMAT_PDF: _ClassVar[PreviewFaceRequest.Format]
        FORMAT_OFD: _ClassVar[PreviewFaceRequest.Format]
        FORMAT_PNG: _ClassVar[PreviewFaceRequest.Format]
    FORMAT_UNSPECIFIED: PreviewFaceRequest.Format
    FORMAT_PDF: PreviewFaceRequest.Format
    FORMAT_OFD: PreviewFaceRequest.Format
    FORMAT_PNG: PreviewFaceRequest.Format
    FACE_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    face_template: str
    template: bytes
    values: bytes
    format: PreviewFaceRequest.Format
    def __init__(self, face_template: _Optional[str] = ..., template: _Optional[bytes] = ..., values: _Optional[bytes] = ..., format: _Optional[_Union[PreviewFaceRequest.Format, str]] = ...) -> None: ...

class PreviewFaceResponse(_message.Message):
    __slots__ = ("media_type", "content", "warnings")
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    media_type: str
    content: bytes
    warnings: _containers.RepeatedCompositeFieldContainer[FaceWarning]
    def __init__(self, media_type: _Optional[str] = ..., content: _Optional[bytes] = ..., warnings: _Optional[_Iterable[_Union[FaceWarning, _Mapping]]] = ...) -> None: ...

class ApproveFaceTemplateRequest(_message.Message):
    __slots__ = ("request_id", "name", "digest")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    digest: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...

class ApproveFaceTemplateResponse(_message.Message):
    __slots__ = ("face_template", "receipt")
    FACE_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    face_template: FaceTemplate
    receipt: _common_pb2.Receipt
    def __init__(self, face_template: _Optional[_Union[FaceTemplate, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class GetFaceTemplateRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetFaceTemplateResponse(_message.Message):
    __slots__ = ("face_template",)
    FACE_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    face_template: FaceTemplate
    def __init__(self, face_template: _Optional[_Union[FaceTemplate, _Mapping]] = ...) -> None: ...

class ListFaceTemplatesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFaceTemplatesResponse(_message.Message):
    __slots__ = ("face_templates", "next_page_token")
    FACE_TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    face_templates: _containers.RepeatedCompositeFieldContainer[FaceTemplate]
    next_page_token: str
    def __init__(self, face_templates: _Optional[_Iterable[_Union[FaceTemplate, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class FaceTemplate(_message.Message):
    __slots__ = ("name", "number", "type_version", "title", "state", "state_entry", "digest", "template", "drafter", "approver", "create_time", "approve_time")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[FaceTemplate.State]
        STATE_DRAFTED: _ClassVar[FaceTemplate.State]
        STATE_APPROVED: _ClassVar[FaceTemplate.State]
    STATE_UNSPECIFIED: FaceTemplate.State
    STATE_DRAFTED: FaceTemplate.State
    STATE_APPROVED: FaceTemplate.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TYPE_VERSION_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_ENTRY_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    DRAFTER_FIELD_NUMBER: _ClassVar[int]
    APPROVER_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    APPROVE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    number: int
    type_version: int
    title: str
    state: FaceTemplate.State
    state_entry: int
    digest: str
    template: bytes
    drafter: str
    approver: str
    create_time: _timestamp_pb2.Timestamp
    approve_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., number: _Optional[int] = ..., type_version: _Optional[int] = ..., title: _Optional[str] = ..., state: _Optional[_Union[FaceTemplate.State, str]] = ..., state_entry: _Optional[int] = ..., digest: _Optional[str] = ..., template: _Optional[bytes] = ..., drafter: _Optional[str] = ..., approver: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., approve_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FaceWarning(_message.Message):
    __slots__ = ("field", "rule", "en", "zh")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    EN_FIELD_NUMBER: _ClassVar[int]
    ZH_FIELD_NUMBER: _ClassVar[int]
    field: str
    rule: str
    en: str
    zh: str
    def __init__(self, field: _Optional[str] = ..., rule: _Optional[str] = ..., en: _Optional[str] = ..., zh: _Optional[str] = ...) -> None: ...
