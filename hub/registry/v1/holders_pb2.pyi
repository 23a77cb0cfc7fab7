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

class LinkHolderIdentifiersRequest(_message.Message):
    __slots__ = ("request_id", "certificate", "former", "kind", "effective_date", "document_digest", "legal_basis")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    FORMER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    certificate: str
    former: _registry_pb2.Holder
    kind: HolderLink.Kind
    effective_date: str
    document_digest: str
    legal_basis: str
    def __init__(self, request_id: _Optional[str] = ..., certificate: _Optional[str] = ..., former: _Optional[_Union[_registry_pb2.Holder, _Mapping]] = ..., kind: _Optional[_Union[HolderLink.Kind, str]] = ..., effective_date: _Optional[str] = ..., document_digest: _Optional[str] = ..., legal_basis: _Optional[str] = ...) -> None: ...

class LinkHolderIdentifiersResponse(_message.Message):
    __slots__ = ("link", "receipt")
    LINK_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    link: HolderLink
    receipt: _common_pb2.Receipt
    def __init__(self, link: _Optional[_Union[HolderLink, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class HolderLink(_message.Message):
    __slots__ = ("name", "kind", "state", "authority", "identifier", "effective_date", "document_digest", "legal_basis", "unlink_document_digest", "unlink_legal_basis", "create_time", "unlink_time")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[HolderLink.Kind]
        KIND_FIFTEEN_TO_EIGHTEEN: _ClassVar[HolderLink.Kind]
        KIND_RENEWED_DOCUMENT: _ClassVar[HolderLink.Kind]
        KIND_PERMIT: _ClassVar[HolderLink.Kind]
        KIND_RENAME: _ClassVar[HolderLink.Kind]
        KIND_MERGER: _ClassVar[HolderLink.Kind]
    KIND_UNSPECIFIED: HolderLink.Kind
    KIND_FIFTEEN_TO_EIGHTEEN: HolderLink.Kind
    KIND_RENEWED_DOCUMENT: HolderLink.Kind
    KIND_PERMIT: HolderLink.Kind
    KIND_RENAME: HolderLink.Kind
    KIND_MERGER: HolderLink.Kind
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[HolderLink.State]
        STATE_LINKED: _ClassVar[HolderLink.State]
        STATE_UNLINKED: _ClassVar[HolderLink.State]
    STATE_UNSPECIFIED: HolderLink.State
    STATE_LINKED: HolderLink.State
    STATE_UNLINKED: HolderLink.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    UNLINK_DOCUMENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    UNLINK_LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UNLINK_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: HolderLink.Kind
    state: HolderLink.State
    authority: str
    identifier: str
    effective_date: str
    document_digest: str
    legal_basis: str
    unlink_document_digest: str
    unlink_legal_basis: str
    create_time: _timestamp_pb2.Timestamp
    unlink_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[HolderLink.Kind, str]] = ..., state: _Optional[_Union[HolderLink.State, str]] = ..., authority: _Optional[str] = ..., identifier: _Optional[str] = ..., effective_date: _Optional[str] = ..., document_digest: _Optional[str] = ..., legal_basis: _Optional[str] = ..., unlink_document_digest: _Optional[str] = ..., unlink_legal_basis: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., unlink_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class UnlinkHolderIdentifiersRequest(_message.Message):
    __slots__ = ("request_id", "name", "document_digest", "legal_basis")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    document_digest: str
    legal_basis: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., document_digest: _Optional[str] = ..., legal_basis: _Optional[str] = ...) -> None: ...

class UnlinkHolderIdentifiersResponse(_message.Message):
    __slots__ = ("link", "receipt")
    LINK_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    link: HolderLink
    receipt: _common_pb2.Receipt
    def __init__(self, link: _Optional[_Union[HolderLink, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class BindCertificateRequest(_message.Message):
    __slots__ = ("request_id", "name", "holder", "document_digest", "legal_basis")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    holder: _registry_pb2.Holder
    document_digest: str
    legal_basis: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., holder: _Optional[_Union[_registry_pb2.Holder, _Mapping]] = ..., document_digest: _Optional[str] = ..., legal_basis: _Optional[str] = ...) -> None: ...

class BindCertificateResponse(_message.Message):
    __slots__ = ("receipt",)
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.Receipt
    def __init__(self, receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class UnbindCertificateRequest(_message.Message):
    __slots__ = ("request_id", "name", "document_digest", "legal_basis")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    document_digest: str
    legal_basis: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., document_digest: _Optional[str] = ..., legal_basis: _Optional[str] = ...) -> None: ...

class UnbindCertificateResponse(_message.Message):
    __slots__ = ("receipt",)
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.Receipt
    def __init__(self, receipt: _Optional[_Union[_common_pb2.Receipt, _Mapping]] = ...) -> None: ...

class ListHolderLinksRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListHolderLinksResponse(_message.Message):
    __slots__ = ("links", "next_page_token")
    LINKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    links: _containers.RepeatedCompositeFieldContainer[HolderLink]
    next_page_token: str
    def __init__(self, links: _Optional[_Iterable[_Union[HolderLink, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
