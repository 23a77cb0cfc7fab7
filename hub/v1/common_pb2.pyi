from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class CertificateState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CERTIFICATE_STATE_UNSPECIFIED: _ClassVar[CertificateState]
    CERTIFICATE_STATE_ACTIVE: _ClassVar[CertificateState]
    CERTIFICATE_STATE_SUPERSEDED: _ClassVar[CertificateState]
    CERTIFICATE_STATE_EXPIRED: _ClassVar[CertificateState]
    CERTIFICATE_STATE_REVOKED: _ClassVar[CertificateState]
    CERTIFICATE_STATE_NOT_YET_IN_FORCE: _ClassVar[CertificateState]
    CERTIFICATE_STATE_SUSPENDED: _ClassVar[CertificateState]
    CERTIFICATE_STATE_WITHDRAWN: _ClassVar[CertificateState]
    CERTIFICATE_STATE_ANNULLED: _ClassVar[CertificateState]
    CERTIFICATE_STATE_DEREGISTERED: _ClassVar[CertificateState]

class CertificateOrigin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CERTIFICATE_ORIGIN_UNSPECIFIED: _ClassVar[CertificateOrigin]
    CERTIFICATE_ORIGIN_SYSTEM: _ClassVar[CertificateOrigin]
    CERTIFICATE_ORIGIN_SCAN: _ClassVar[CertificateOrigin]

class Custody(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CUSTODY_UNSPECIFIED: _ClassVar[Custody]
    CUSTODY_DEPARTMENT: _ClassVar[Custody]
    CUSTODY_HUB_HSM: _ClassVar[Custody]
    CUSTODY_HUB_FILE: _ClassVar[Custody]
    CUSTODY_ATTESTED: _ClassVar[Custody]
CERTIFICATE_STATE_UNSPECIFIED: CertificateState
CERTIFICATE_STATE_ACTIVE: CertificateState
CERTIFICATE_STATE_SUPERSEDED: CertificateState
CERTIFICATE_STATE_EXPIRED: CertificateState
CERTIFICATE_STATE_REVOKED: CertificateState
CERTIFICATE_STATE_NOT_YET_IN_FORCE: CertificateState
CERTIFICATE_STATE_SUSPENDED: CertificateState
CERTIFICATE_STATE_WITHDRAWN: CertificateState
CERTIFICATE_STATE_ANNULLED: CertificateState
CERTIFICATE_STATE_DEREGISTERED: CertificateState
CERTIFICATE_ORIGIN_UNSPECIFIED: CertificateOrigin
CERTIFICATE_ORIGIN_SYSTEM: CertificateOrigin
CERTIFICATE_ORIGIN_SCAN: CertificateOrigin
CUSTODY_UNSPECIFIED: Custody
CUSTODY_DEPARTMENT: Custody
CUSTODY_HUB_HSM: Custody
CUSTODY_HUB_FILE: Custody
CUSTODY_ATTESTED: Custody

class Receipt(_message.Message):
    __slots__ = ("json", "entry")
    JSON_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    json: str
    entry: int
    def __init__(self, json: _Optional[str] = ..., entry: _Optional[int] = ...) -> None: ...

class LogHead(_message.Message):
    __slots__ = ("origin", "size", "root")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    origin: str
    size: int
    root: str
    def __init__(self, origin: _Optional[str] = ..., size: _Optional[int] = ..., root: _Optional[str] = ...) -> None: ...
