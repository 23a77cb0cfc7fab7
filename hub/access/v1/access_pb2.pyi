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

class CreateTokenRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CreateTokenResponse(_message.Message):
    __slots__ = ("access_token", "expire_time", "caller", "origin", "region", "sm2_access_token")
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SM2_ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    expire_time: _timestamp_pb2.Timestamp
    caller: str
    origin: str
    region: str
    sm2_access_token: str
    def __init__(self, access_token: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., caller: _Optional[str] = ..., origin: _Optional[str] = ..., region: _Optional[str] = ..., sm2_access_token: _Optional[str] = ...) -> None: ...

class CreateAuthorityRequest(_message.Message):
    __slots__ = ("request_id", "authority_id", "authority", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    authority_id: str
    authority: Authority
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., authority_id: _Optional[str] = ..., authority: _Optional[_Union[Authority, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CreateAuthorityResponse(_message.Message):
    __slots__ = ("authority", "receipt")
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    authority: Authority
    receipt: _common_pb2.Receipt
    def __init__(self, authority: _Optional[_Union[Authority, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class GetAuthorityRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetAuthorityResponse(_message.Message):
    __slots__ = ("authority",)
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    authority: Authority
    def __init__(self, authority: _Optional[_Union[Authority, _Mapping]] = ...) -> None: ...

class ListAuthoritiesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAuthoritiesResponse(_message.Message):
    __slots__ = ("authorities", "next_page_token")
    AUTHORITIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    authorities: _containers.RepeatedCompositeFieldContainer[Authority]
    next_page_token: str
    def __init__(self, authorities: _Optional[_Iterable[_Union[Authority, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateSystemRequest(_message.Message):
    __slots__ = ("request_id", "system_id", "system", "enrolment", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_ID_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    system_id: str
    system: System
    enrolment: Enrolment
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., system_id: _Optional[str] = ..., system: _Optional[_Union[System, _Mapping]] = ..., enrolment: _Optional[_Union[Enrolment, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CreateSystemResponse(_message.Message):
    __slots__ = ("system", "receipt")
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    system: System
    receipt: _common_pb2.Receipt
    def __init__(self, system: _Optional[_Union[System, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class GetSystemRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetSystemResponse(_message.Message):
    __slots__ = ("system",)
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    system: System
    def __init__(self, system: _Optional[_Union[System, _Mapping]] = ...) -> None: ...

class ListSystemsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "filter")
    class Filter(_message.Message):
        __slots__ = ("authority",)
        AUTHORITY_FIELD_NUMBER: _ClassVar[int]
        authority: str
        def __init__(self, authority: _Optional[str] = ...) -> None: ...
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    filter: ListSystemsRequest.Filter
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[_Union[ListSystemsRequest.Filter, _Mapping]] = ...) -> None: ...

class ListSystemsResponse(_message.Message):
    __slots__ = ("systems", "next_page_token")
    SYSTEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    systems: _containers.RepeatedCompositeFieldContainer[System]
    next_page_token: str
    def __init__(self, systems: _Optional[_Iterable[_Union[System, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RotateSystemKeysRequest(_message.Message):
    __slots__ = ("request_id", "name", "enrolment")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    enrolment: Enrolment
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., enrolment: _Optional[_Union[Enrolment, _Mapping]] = ...) -> None: ...

class RotateSystemKeysResponse(_message.Message):
    __slots__ = ("system", "receipt")
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    system: System
    receipt: _common_pb2.Receipt
    def __init__(self, system: _Optional[_Union[System, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class RevokeSystemRequest(_message.Message):
    __slots__ = ("request_id", "name", "cause")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    cause: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., cause: _Optional[str] = ...) -> None: ...

class RevokeSystemResponse(_message.Message):
    __slots__ = ("system", "receipt")
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    system: System
    receipt: _common_pb2.Receipt
    def __init__(self, system: _Optional[_Union[System, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class GetOfficerRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetOfficerResponse(_message.Message):
    __slots__ = ("officer",)
    OFFICER_FIELD_NUMBER: _ClassVar[int]
    officer: Officer
    def __init__(self, officer: _Optional[_Union[Officer, _Mapping]] = ...) -> None: ...

class ListOfficersRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListOfficersResponse(_message.Message):
    __slots__ = ("officers", "next_page_token")
    OFFICERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    officers: _containers.RepeatedCompositeFieldContainer[Officer]
    next_page_token: str
    def __init__(self, officers: _Optional[_Iterable[_Union[Officer, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetRosterRequest(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class GetRosterResponse(_message.Message):
    __slots__ = ("roster",)
    ROSTER_FIELD_NUMBER: _ClassVar[int]
    roster: Roster
    def __init__(self, roster: _Optional[_Union[Roster, _Mapping]] = ...) -> None: ...

class Authority(_message.Message):
    __slots__ = ("name", "uscc", "names", "region", "level", "successors", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    USCC_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    SUCCESSORS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    uscc: str
    names: _containers.RepeatedCompositeFieldContainer[DatedName]
    region: str
    level: int
    successors: _containers.RepeatedScalarFieldContainer[str]
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., uscc: _Optional[str] = ..., names: _Optional[_Iterable[_Union[DatedName, _Mapping]]] = ..., region: _Optional[str] = ..., level: _Optional[int] = ..., successors: _Optional[_Iterable[str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DatedName(_message.Message):
    __slots__ = ("title", "title_en", "from_date", "to_date")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TITLE_EN_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    title: str
    title_en: str
    from_date: str
    to_date: str
    def __init__(self, title: _Optional[str] = ..., title_en: _Optional[str] = ..., from_date: _Optional[str] = ..., to_date: _Optional[str] = ...) -> None: ...

class Enrolment(_message.Message):
    __slots__ = ("x509_certificate", "x509_request", "signing_request")
    X509_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    X509_REQUEST_FIELD_NUMBER: _ClassVar[int]
    SIGNING_REQUEST_FIELD_NUMBER: _ClassVar[int]
    x509_certificate: bytes
    x509_request: bytes
    signing_request: bytes
    def __init__(self, x509_certificate: _Optional[bytes] = ..., x509_request: _Optional[bytes] = ..., signing_request: _Optional[bytes] = ...) -> None: ...

class System(_message.Message):
    __slots__ = ("name", "authority", "role", "title", "state", "x509_thumbprint", "signing_key_id", "enrolment_entry", "create_time", "revoke_time", "x509_expire_time")
    class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ROLE_UNSPECIFIED: _ClassVar[System.Role]
        ROLE_DEPARTMENT: _ClassVar[System.Role]
        ROLE_PLATFORM: _ClassVar[System.Role]
        ROLE_CONNECTOR: _ClassVar[System.Role]
        ROLE_AUDITOR: _ClassVar[System.Role]
        ROLE_MONITOR: _ClassVar[System.Role]
        ROLE_CONVERTER: _ClassVar[System.Role]
    ROLE_UNSPECIFIED: System.Role
    ROLE_DEPARTMENT: System.Role
    ROLE_PLATFORM: System.Role
    ROLE_CONNECTOR: System.Role
    ROLE_AUDITOR: System.Role
    ROLE_MONITOR: System.Role
    ROLE_CONVERTER: System.Role
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[System.State]
        STATE_ACTIVE: _ClassVar[System.State]
        STATE_REVOKED: _ClassVar[System.State]
    STATE_UNSPECIFIED: System.State
    STATE_ACTIVE: System.State
    STATE_REVOKED: System.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    X509_THUMBPRINT_FIELD_NUMBER: _ClassVar[int]
    SIGNING_KEY_ID_FIELD_NUMBER: _ClassVar[int]
    ENROLMENT_ENTRY_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVOKE_TIME_FIELD_NUMBER: _ClassVar[int]
    X509_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    authority: str
    role: System.Role
    title: str
    state: System.State
    x509_thumbprint: str
    signing_key_id: str
    enrolment_entry: int
    create_time: _timestamp_pb2.Timestamp
    revoke_time: _timestamp_pb2.Timestamp
    x509_expire_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., authority: _Optional[str] = ..., role: _Optional[_Union[System.Role, str]] = ..., title: _Optional[str] = ..., state: _Optional[_Union[System.State, str]] = ..., x509_thumbprint: _Optional[str] = ..., signing_key_id: _Optional[str] = ..., enrolment_entry: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revoke_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., x509_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Officer(_message.Message):
    __slots__ = ("name", "approval_key_id", "x509_thumbprint", "enrolment_entry", "create_time", "end_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_KEY_ID_FIELD_NUMBER: _ClassVar[int]
    X509_THUMBPRINT_FIELD_NUMBER: _ClassVar[int]
    ENROLMENT_ENTRY_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    approval_key_id: str
    x509_thumbprint: str
    enrolment_entry: int
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., approval_key_id: _Optional[str] = ..., x509_thumbprint: _Optional[str] = ..., enrolment_entry: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Roster(_message.Message):
    __slots__ = ("number", "digest", "statement", "intent_bytes", "approvals", "entry")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    INTENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    APPROVALS_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    number: int
    digest: str
    statement: bytes
    intent_bytes: bytes
    approvals: _containers.RepeatedScalarFieldContainer[str]
    entry: int
    def __init__(self, number: _Optional[int] = ..., digest: _Optional[str] = ..., statement: _Optional[bytes] = ..., intent_bytes: _Optional[bytes] = ..., approvals: _Optional[_Iterable[str]] = ..., entry: _Optional[int] = ...) -> None: ...
