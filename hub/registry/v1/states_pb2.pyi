import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hub.registry.v1 import registry_pb2 as _registry_pb2
from hub.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SuspendCertificateRequest(_message.Message):
    __slots__ = ("request_id", "name", "etag", "ruling")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    RULING_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    etag: str
    ruling: Ruling
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., etag: _Optional[str] = ..., ruling: _Optional[_Union[Ruling, _Mapping]] = ...) -> None: ...

class SuspendCertificateResponse(_message.Message):
    __slots__ = ("certificate", "receipt")
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    certificate: _registry_pb2.Certificate
    receipt: _common_pb2.Receipt
    def __init__(self, certificate: _Optional[_Union[_registry_pb2.Certificate, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class ResumeCertificateRequest(_message.Message):
    __slots__ = ("request_id", "name", "etag", "ruling")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    RULING_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    etag: str
    ruling: Ruling
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., etag: _Optional[str] = ..., ruling: _Optional[_Union[Ruling, _Mapping]] = ...) -> None: ...

class ResumeCertificateResponse(_message.Message):
    __slots__ = ("certificate", "receipt")
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    certificate: _registry_pb2.Certificate
    receipt: _common_pb2.Receipt
    def __init__(self, certificate: _Optional[_Union[_registry_pb2.Certificate, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class WithdrawCertificateRequest(_message.Message):
    __slots__ = ("request_id", "name", "etag", "ruling")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    RULING_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    etag: str
    ruling: Ruling
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., etag: _Optional[str] = ..., ruling: _Optional[_Union[Ruling, _Mapping]] = ...) -> None: ...

class WithdrawCertificateResponse(_message.Message):
    __slots__ = ("certificate", "receipt")
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    certificate: _registry_pb2.Certificate
    receipt: _common_pb2.Receipt
    def __init__(self, certificate: _Optional[_Union[_registry_pb2.Certificate, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class AnnulCertificateRequest(_message.Message):
    __slots__ = ("request_id", "name", "etag", "ruling")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    RULING_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    etag: str
    ruling: Ruling
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., etag: _Optional[str] = ..., ruling: _Optional[_Union[Ruling, _Mapping]] = ...) -> None: ...

class AnnulCertificateResponse(_message.Message):
    __slots__ = ("certificate", "receipt")
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    certificate: _registry_pb2.Certificate
    receipt: _common_pb2.Receipt
    def __init__(self, certificate: _Optional[_Union[_registry_pb2.Certificate, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class RevokeCertificateRequest(_message.Message):
    __slots__ = ("request_id", "name", "etag", "ruling")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    RULING_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    etag: str
    ruling: Ruling
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., etag: _Optional[str] = ..., ruling: _Optional[_Union[Ruling, _Mapping]] = ...) -> None: ...

class RevokeCertificateResponse(_message.Message):
    __slots__ = ("certificate", "receipt")
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    certificate: _registry_pb2.Certificate
    receipt: _common_pb2.Receipt
    def __init__(self, certificate: _Optional[_Union[_registry_pb2.Certificate, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class DeregisterCertificateRequest(_message.Message):
    __slots__ = ("request_id", "name", "etag", "ruling")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    RULING_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    etag: str
    ruling: Ruling
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., etag: _Optional[str] = ..., ruling: _Optional[_Union[Ruling, _Mapping]] = ...) -> None: ...

class DeregisterCertificateResponse(_message.Message):
    __slots__ = ("certificate", "receipt")
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    certificate: _registry_pb2.Certificate
    receipt: _common_pb2.Receipt
    def __init__(self, certificate: _Optional[_Union[_registry_pb2.Certificate, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class RestoreCertificateRequest(_message.Message):
    __slots__ = ("request_id", "name", "etag", "ruling")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    RULING_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    etag: str
    ruling: Ruling
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., etag: _Optional[str] = ..., ruling: _Optional[_Union[Ruling, _Mapping]] = ...) -> None: ...

class RestoreCertificateResponse(_message.Message):
    __slots__ = ("certificate", "receipt")
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    certificate: _registry_pb2.Certificate
    receipt: _common_pb2.Receipt
    def __init__(self, certificate: _Optional[_Union[_registry_pb2.Certificate, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class ConfirmCertificateRequest(_message.Message):
    __slots__ = ("request_id", "name", "presence")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    presence: _registry_pb2.Presence
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., presence: _Optional[_Union[_registry_pb2.Presence, str]] = ...) -> None: ...

class ConfirmCertificateResponse(_message.Message):
    __slots__ = ("receipt",)
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.Receipt
    def __init__(self, receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class ListCertificateTransitionsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCertificateTransitionsResponse(_message.Message):
    __slots__ = ("transitions", "next_page_token")
    TRANSITIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    transitions: _containers.RepeatedCompositeFieldContainer[Transition]
    next_page_token: str
    def __init__(self, transitions: _Optional[_Iterable[_Union[Transition, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Ruling(_message.Message):
    __slots__ = ("legal_basis", "document", "decision_date", "deciding_body", "cause")
    class Cause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CAUSE_UNSPECIFIED: _ClassVar[Ruling.Cause]
        CAUSE_EXPIRED: _ClassVar[Ruling.Cause]
        CAUSE_ENDED: _ClassVar[Ruling.Cause]
        CAUSE_DEATH: _ClassVar[Ruling.Cause]
        CAUSE_DISSOLUTION: _ClassVar[Ruling.Cause]
        CAUSE_FORCE_MAJEURE: _ClassVar[Ruling.Cause]
        CAUSE_HOLDER_REQUEST: _ClassVar[Ruling.Cause]
        CAUSE_OTHER: _ClassVar[Ruling.Cause]
    CAUSE_UNSPECIFIED: Ruling.Cause
    CAUSE_EXPIRED: Ruling.Cause
    CAUSE_ENDED: Ruling.Cause
    CAUSE_DEATH: Ruling.Cause
    CAUSE_DISSOLUTION: Ruling.Cause
    CAUSE_FORCE_MAJEURE: Ruling.Cause
    CAUSE_HOLDER_REQUEST: Ruling.Cause
    CAUSE_OTHER: Ruling.Cause
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    DECISION_DATE_FIELD_NUMBER: _ClassVar[int]
    DECIDING_BODY_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    legal_basis: str
    document: str
    decision_date: str
    deciding_body: str
    cause: Ruling.Cause
    def __init__(self, legal_basis: _Optional[str] = ..., document: _Optional[str] = ..., decision_date: _Optional[str] = ..., deciding_body: _Optional[str] = ..., cause: _Optional[_Union[Ruling.Cause, str]] = ...) -> None: ...

class Transition(_message.Message):
    __slots__ = ("identifier", "verb", "from_state", "to_state", "ruling", "authority", "system", "create_time", "entry")
    class Verb(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        VERB_UNSPECIFIED: _ClassVar[Transition.Verb]
        VERB_SUSPEND: _ClassVar[Transition.Verb]
        VERB_RESUME: _ClassVar[Transition.Verb]
        VERB_WITHDRAW: _ClassVar[Transition.Verb]
        VERB_ANNUL: _ClassVar[Transition.Verb]
        VERB_REVOKE: _ClassVar[Transition.Verb]
        VERB_DEREGISTER: _ClassVar[Transition.Verb]
        VERB_RESTORE: _ClassVar[Transition.Verb]
    VERB_UNSPECIFIED: Transition.Verb
    VERB_SUSPEND: Transition.Verb
    VERB_RESUME: Transition.Verb
    VERB_WITHDRAW: Transition.Verb
    VERB_ANNUL: Transition.Verb
    VERB_REVOKE: Transition.Verb
    VERB_DEREGISTER: Transition.Verb
    VERB_RESTORE: Transition.Verb
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    VERB_FIELD_NUMBER: _ClassVar[int]
    FROM_STATE_FIELD_NUMBER: _ClassVar[int]
    TO_STATE_FIELD_NUMBER: _ClassVar[int]
    RULING_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    identifier: str
    verb: Transition.Verb
    from_state: _common_pb2.CertificateState
    to_state: _common_pb2.CertificateState
    ruling: Ruling
    authority: str
    system: str
    create_time: _timestamp_pb2.Timestamp
    entry: int
    def __init__(self, identifier: _Optional[str] = ..., verb: _Optional[_Union[Transition.Verb, str]] = ..., from_state: _Optional[_Union[_common_pb2.CertificateState, str]] = ..., to_state: _Optional[_Union[_common_pb2.CertificateState, str]] = ..., ruling: _Optional[_Union[Ruling, _Mapping]] = ..., authority: _Optional[str] = ..., system: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., entry: _Optional[int] = ...) -> None: ...
