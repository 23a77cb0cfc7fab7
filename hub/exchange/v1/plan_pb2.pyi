from hub.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlanMaterialsRequest(_message.Message):
    __slots__ = ("request_id", "signed_request")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNED_REQUEST_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    signed_request: str
    def __init__(self, request_id: _Optional[str] = ..., signed_request: _Optional[str] = ...) -> None: ...

class PlanMaterialsResponse(_message.Message):
    __slots__ = ("request_id", "items", "materials", "notice", "receipt")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    MATERIALS_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    items: _containers.RepeatedCompositeFieldContainer[PlannedItem]
    materials: _containers.RepeatedCompositeFieldContainer[PlannedMaterial]
    notice: PlanText
    receipt: _common_pb2.Receipt
    def __init__(self, request_id: _Optional[str] = ..., items: _Optional[_Iterable[_Union[PlannedItem, _Mapping]]] = ..., materials: _Optional[_Iterable[_Union[PlannedMaterial, _Mapping]]] = ..., notice: _Optional[_Union[PlanText, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class PlannedItem(_message.Message):
    __slots__ = ("code", "version", "name")
    CODE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    code: str
    version: int
    name: PlanText
    def __init__(self, code: _Optional[str] = ..., version: _Optional[int] = ..., name: _Optional[_Union[PlanText, _Mapping]] = ...) -> None: ...

class PlanText(_message.Message):
    __slots__ = ("en", "zh")
    EN_FIELD_NUMBER: _ClassVar[int]
    ZH_FIELD_NUMBER: _ClassVar[int]
    en: str
    zh: str
    def __init__(self, en: _Optional[str] = ..., zh: _Optional[str] = ...) -> None: ...

class PlannedMaterial(_message.Message):
    __slots__ = ("uses", "name", "role", "holder", "outcome", "certificate", "working_days", "due_date", "obstacles", "line")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[PlannedMaterial.Outcome]
        OUTCOME_ON_FILE: _ClassVar[PlannedMaterial.Outcome]
        OUTCOME_OBTAINABLE: _ClassVar[PlannedMaterial.Outcome]
        OUTCOME_COMMITMENT: _ClassVar[PlannedMaterial.Outcome]
        OUTCOME_DEFERRABLE: _ClassVar[PlannedMaterial.Outcome]
        OUTCOME_ASK: _ClassVar[PlannedMaterial.Outcome]
    OUTCOME_UNSPECIFIED: PlannedMaterial.Outcome
    OUTCOME_ON_FILE: PlannedMaterial.Outcome
    OUTCOME_OBTAINABLE: PlannedMaterial.Outcome
    OUTCOME_COMMITMENT: PlannedMaterial.Outcome
    OUTCOME_DEFERRABLE: PlannedMaterial.Outcome
    OUTCOME_ASK: PlannedMaterial.Outcome
    class Use(_message.Message):
        __slots__ = ("item", "material")
        ITEM_FIELD_NUMBER: _ClassVar[int]
        MATERIAL_FIELD_NUMBER: _ClassVar[int]
        item: str
        material: str
        def __init__(self, item: _Optional[str] = ..., material: _Optional[str] = ...) -> None: ...
    class Obstacle(_message.Message):
        __slots__ = ("code", "text")
        CODE_FIELD_NUMBER: _ClassVar[int]
        TEXT_FIELD_NUMBER: _ClassVar[int]
        code: str
        text: PlanText
        def __init__(self, code: _Optional[str] = ..., text: _Optional[_Union[PlanText, _Mapping]] = ...) -> None: ...
    class Certificate(_message.Message):
        __slots__ = ("cert", "certificate_type", "authority", "grade", "issue_date", "valid_until", "origin")
        CERT_FIELD_NUMBER: _ClassVar[int]
        CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
        AUTHORITY_FIELD_NUMBER: _ClassVar[int]
        GRADE_FIELD_NUMBER: _ClassVar[int]
        ISSUE_DATE_FIELD_NUMBER: _ClassVar[int]
        VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
        ORIGIN_FIELD_NUMBER: _ClassVar[int]
        cert: str
        certificate_type: str
        authority: str
        grade: str
        issue_date: str
        valid_until: str
        origin: _common_pb2.CertificateOrigin
        def __init__(self, cert: _Optional[str] = ..., certificate_type: _Optional[str] = ..., authority: _Optional[str] = ..., grade: _Optional[str] = ..., issue_date: _Optional[str] = ..., valid_until: _Optional[str] = ..., origin: _Optional[_Union[_common_pb2.CertificateOrigin, str]] = ...) -> None: ...
    USES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    WORKING_DAYS_FIELD_NUMBER: _ClassVar[int]
    DUE_DATE_FIELD_NUMBER: _ClassVar[int]
    OBSTACLES_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    uses: _containers.RepeatedCompositeFieldContainer[PlannedMaterial.Use]
    name: PlanText
    role: str
    holder: int
    outcome: PlannedMaterial.Outcome
    certificate: PlannedMaterial.Certificate
    working_days: int
    due_date: str
    obstacles: _containers.RepeatedCompositeFieldContainer[PlannedMaterial.Obstacle]
    line: PlanText
    def __init__(self, uses: _Optional[_Iterable[_Union[PlannedMaterial.Use, _Mapping]]] = ..., name: _Optional[_Union[PlanText, _Mapping]] = ..., role: _Optional[str] = ..., holder: _Optional[int] = ..., outcome: _Optional[_Union[PlannedMaterial.Outcome, str]] = ..., certificate: _Optional[_Union[PlannedMaterial.Certificate, _Mapping]] = ..., working_days: _Optional[int] = ..., due_date: _Optional[str] = ..., obstacles: _Optional[_Iterable[_Union[PlannedMaterial.Obstacle, _Mapping]]] = ..., line: _Optional[_Union[PlanText, _Mapping]] = ...) -> None: ...
