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

class CreateGrantRequest(_message.Message):
    __slots__ = ("request_id", "grant_id", "grant", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    grant_id: str
    grant: Grant
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., grant_id: _Optional[str] = ..., grant: _Optional[_Union[Grant, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CreateGrantResponse(_message.Message):
    __slots__ = ("grant", "receipt")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    grant: Grant
    receipt: _common_pb2.Receipt
    def __init__(self, grant: _Optional[_Union[Grant, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class GetGrantRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetGrantResponse(_message.Message):
    __slots__ = ("grant",)
    GRANT_FIELD_NUMBER: _ClassVar[int]
    grant: Grant
    def __init__(self, grant: _Optional[_Union[Grant, _Mapping]] = ...) -> None: ...

class ListGrantsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "filter")
    class Filter(_message.Message):
        __slots__ = ("recipient", "certificate_type")
        RECIPIENT_FIELD_NUMBER: _ClassVar[int]
        CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
        recipient: str
        certificate_type: str
        def __init__(self, recipient: _Optional[str] = ..., certificate_type: _Optional[str] = ...) -> None: ...
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    filter: ListGrantsRequest.Filter
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[_Union[ListGrantsRequest.Filter, _Mapping]] = ...) -> None: ...

class ListGrantsResponse(_message.Message):
    __slots__ = ("grants", "next_page_token")
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    grants: _containers.RepeatedCompositeFieldContainer[Grant]
    next_page_token: str
    def __init__(self, grants: _Optional[_Iterable[_Union[Grant, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RevokeGrantRequest(_message.Message):
    __slots__ = ("request_id", "name", "cause")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    cause: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., cause: _Optional[str] = ...) -> None: ...

class RevokeGrantResponse(_message.Message):
    __slots__ = ("grant", "receipt")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    grant: Grant
    receipt: _common_pb2.Receipt
    def __init__(self, grant: _Optional[_Union[Grant, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class FetchCertificatesRequest(_message.Message):
    __slots__ = ("request_id", "signed_request", "with_sm2_twin")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNED_REQUEST_FIELD_NUMBER: _ClassVar[int]
    WITH_SM2_TWIN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    signed_request: str
    with_sm2_twin: bool
    def __init__(self, request_id: _Optional[str] = ..., signed_request: _Optional[str] = ..., with_sm2_twin: _Optional[bool] = ...) -> None: ...

class FetchCertificatesResponse(_message.Message):
    __slots__ = ("request_id", "certificates", "receipt")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    certificates: _containers.RepeatedCompositeFieldContainer[FetchedCertificate]
    receipt: _common_pb2.Receipt
    def __init__(self, request_id: _Optional[str] = ..., certificates: _Optional[_Iterable[_Union[FetchedCertificate, _Mapping]]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class FetchedCertificate(_message.Message):
    __slots__ = ("state", "presentation", "objected_fields", "sm2_presentation")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[FetchedCertificate.State]
        STATE_ACTIVE: _ClassVar[FetchedCertificate.State]
        STATE_SUPERSEDED: _ClassVar[FetchedCertificate.State]
        STATE_EXPIRED: _ClassVar[FetchedCertificate.State]
        STATE_REVOKED: _ClassVar[FetchedCertificate.State]
        STATE_NOT_YET_IN_FORCE: _ClassVar[FetchedCertificate.State]
        STATE_ABSENT: _ClassVar[FetchedCertificate.State]
        STATE_SUSPENDED: _ClassVar[FetchedCertificate.State]
        STATE_WITHDRAWN: _ClassVar[FetchedCertificate.State]
        STATE_ANNULLED: _ClassVar[FetchedCertificate.State]
        STATE_DEREGISTERED: _ClassVar[FetchedCertificate.State]
    STATE_UNSPECIFIED: FetchedCertificate.State
    STATE_ACTIVE: FetchedCertificate.State
    STATE_SUPERSEDED: FetchedCertificate.State
    STATE_EXPIRED: FetchedCertificate.State
    STATE_REVOKED: FetchedCertificate.State
    STATE_NOT_YET_IN_FORCE: FetchedCertificate.State
    STATE_ABSENT: FetchedCertificate.State
    STATE_SUSPENDED: FetchedCertificate.State
    STATE_WITHDRAWN: FetchedCertificate.State
    STATE_ANNULLED: FetchedCertificate.State
    STATE_DEREGISTERED: FetchedCertificate.State
    STATE_FIELD_NUMBER: _ClassVar[int]
    PRESENTATION_FIELD_NUMBER: _ClassVar[int]
    OBJECTED_FIELDS_FIELD_NUMBER: _ClassVar[int]
    SM2_PRESENTATION_FIELD_NUMBER: _ClassVar[int]
    state: FetchedCertificate.State
    presentation: str
    objected_fields: _containers.RepeatedScalarFieldContainer[str]
    sm2_presentation: str
    def __init__(self, state: _Optional[_Union[FetchedCertificate.State, str]] = ..., presentation: _Optional[str] = ..., objected_fields: _Optional[_Iterable[str]] = ..., sm2_presentation: _Optional[str] = ...) -> None: ...

class Grant(_message.Message):
    __slots__ = ("name", "recipient", "certificate_type", "fields", "service_items", "legal_basis", "start_time", "expire_time", "consent_required", "calls_per_day_max", "state", "create_time", "revoke_time", "create_entry")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Grant.State]
        STATE_ACTIVE: _ClassVar[Grant.State]
        STATE_REVOKED: _ClassVar[Grant.State]
    STATE_UNSPECIFIED: Grant.State
    STATE_ACTIVE: Grant.State
    STATE_REVOKED: Grant.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_ITEMS_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    CONSENT_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    CALLS_PER_DAY_MAX_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVOKE_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATE_ENTRY_FIELD_NUMBER: _ClassVar[int]
    name: str
    recipient: str
    certificate_type: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    service_items: _containers.RepeatedScalarFieldContainer[str]
    legal_basis: str
    start_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    consent_required: bool
    calls_per_day_max: int
    state: Grant.State
    create_time: _timestamp_pb2.Timestamp
    revoke_time: _timestamp_pb2.Timestamp
    create_entry: int
    def __init__(self, name: _Optional[str] = ..., recipient: _Optional[str] = ..., certificate_type: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., service_items: _Optional[_Iterable[str]] = ..., legal_basis: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., consent_required: _Optional[bool] = ..., calls_per_day_max: _Optional[int] = ..., state: _Optional[_Union[Grant.State, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revoke_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., create_entry: _Optional[int] = ...) -> None: ...
