"""Which role may call which RPC: the whole table, deny by default.

A call that stands in neither table is refused, and a service with such a method does not start.
What a caller may see *within* an RPC (its own authority's systems, its own grants) is decided by
the operation. docs/access.md shows the same table to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hub.domain.caller import Role

OPEN: Final = frozenset(
    {
        # Whoever has no token yet is known by its client certificate.
        "/hub.access.v1.AccessService/CreateToken",
        # Probes and tools come with a client certificate as well, and learn nothing of anybody.
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    }
)
"""RPCs that need a client certificate and no token."""

_OFFICER: Final = frozenset({Role.OFFICER})
_STEWARD: Final = frozenset({Role.OFFICER, Role.DEPARTMENT})
_OVERSIGHT: Final = frozenset({Role.OFFICER, Role.AUDITOR})
_DEPARTMENT_SIDE: Final = frozenset({Role.OFFICER, Role.DEPARTMENT, Role.AUDITOR})
_BOTH_SIDES: Final = _DEPARTMENT_SIDE | {Role.PLATFORM}
_MEMBERS: Final = _BOTH_SIDES | {Role.CONNECTOR}
_WATCHERS: Final = frozenset({Role.DEPARTMENT, Role.PLATFORM, Role.AUDITOR})
_OBJECTORS: Final = frozenset({Role.DEPARTMENT, Role.PLATFORM})
_ISSUER: Final = frozenset({Role.DEPARTMENT})
_RECORD_READERS: Final = frozenset({Role.DEPARTMENT, Role.AUDITOR})

_ACCESS: Final = "/hub.access.v1.AccessService/"
_REGISTRY: Final = "/hub.registry.v1.RegistryService/"
_ITEMS: Final = "/hub.registry.v1.ItemService/"
_FACTS: Final = "/hub.registry.v1.FactService/"
_OBJECTIONS: Final = "/hub.registry.v1.ObjectionService/"
_HOLDERS: Final = "/hub.registry.v1.HolderService/"
_FEED: Final = "/hub.registry.v1.FeedService/"
_DOCUMENTS: Final = "/hub.registry.v1.DocumentService/"
_STATES: Final = "/hub.registry.v1.CertificateStateService/"
_SEAL: Final = "/hub.seal.v1.SealService/"
_INTENTS: Final = "/hub.seal.v1.IntentService/"
_REPORTS: Final = "/hub.seal.v1.ReportService/"
_FACES: Final = "/hub.seal.v1.FaceService/"
_EXCHANGE: Final = "/hub.exchange.v1.ExchangeService/"
_VERIFICATION: Final = "/hub.exchange.v1.VerificationService/"
_PLAN: Final = "/hub.exchange.v1.PlanService/"
_SHARED_DOCUMENTS: Final = "/hub.exchange.v1.SharedDocumentService/"
_COPIES: Final = "/hub.exchange.v1.CopyService/"
_LEDGER: Final = "/hub.ledger.v1.LedgerService/"

POLICY: Final[Mapping[str, frozenset[Role]]] = MappingProxyType(
    {
        _ACCESS + "CreateAuthority": _OFFICER,
        _ACCESS + "GetAuthority": _BOTH_SIDES,
        _ACCESS + "ListAuthorities": _BOTH_SIDES,
        _ACCESS + "CreateSystem": _OFFICER,
        _ACCESS + "GetSystem": _DEPARTMENT_SIDE,
        _ACCESS + "ListSystems": _DEPARTMENT_SIDE,
        _ACCESS + "RotateSystemKeys": _OFFICER,
        _ACCESS + "RevokeSystem": _OFFICER,
        _ACCESS + "GetOfficer": _OVERSIGHT,
        _ACCESS + "ListOfficers": _OVERSIGHT,
        _ACCESS + "GetRoster": _OVERSIGHT,
        _REGISTRY + "CreateCertificateType": _STEWARD,
        _REGISTRY + "GetCertificateType": _MEMBERS,
        _REGISTRY + "ListCertificateTypes": _MEMBERS,
        _REGISTRY + "DeprecateCertificateType": _STEWARD,
        _REGISTRY + "RetireCertificateType": _STEWARD,
        _REGISTRY + "IngestBatches": frozenset({Role.CONNECTOR}),
        _REGISTRY + "GetCertificate": _RECORD_READERS,
        _REGISTRY + "SearchCertificates": _RECORD_READERS,
        _REGISTRY + "ListCertificateVersions": _RECORD_READERS,
        _ITEMS + "ImportItems": _STEWARD,
        _ITEMS + "GetItem": _BOTH_SIDES,
        _ITEMS + "ListItems": _BOTH_SIDES,
        _ITEMS + "RetireItem": _STEWARD,
        _FACTS + "AnnounceFactChange": frozenset({Role.DEPARTMENT}),
        _FACTS + "AnnounceHolderEvent": _ISSUER,
        _FACTS + "ListFollowUps": _RECORD_READERS,
        _FACTS + "DeclineFollowUp": frozenset({Role.DEPARTMENT}),
        _OBJECTIONS + "RaiseObjection": _OBJECTORS,
        _OBJECTIONS + "GetObjection": _WATCHERS,
        _OBJECTIONS + "ListObjections": _WATCHERS,
        _OBJECTIONS + "AnswerObjection": _ISSUER,
        _OBJECTIONS + "ListNotices": _WATCHERS,
        _OBJECTIONS + "AcknowledgeNotice": frozenset({Role.PLATFORM}),
        _HOLDERS + "LinkHolderIdentifiers": _ISSUER,
        _HOLDERS + "UnlinkHolderIdentifiers": _ISSUER,
        _HOLDERS + "BindCertificate": _ISSUER,
        _HOLDERS + "UnbindCertificate": _ISSUER,
        _HOLDERS + "ListHolderLinks": _RECORD_READERS,
        _FEED + "WatchChanges": _WATCHERS,
        _DOCUMENTS + "UploadDocument": frozenset({Role.DEPARTMENT}),
        _DOCUMENTS + "SealDocument": frozenset({Role.DEPARTMENT}),
        _DOCUMENTS + "DownloadDocument": _RECORD_READERS,
        _DOCUMENTS + "ListDocuments": _RECORD_READERS,
        _STATES + "SuspendCertificate": _ISSUER,
        _STATES + "ResumeCertificate": _ISSUER,
        _STATES + "WithdrawCertificate": _ISSUER,
        _STATES + "AnnulCertificate": _ISSUER,
        _STATES + "RevokeCertificate": _ISSUER,
        _STATES + "DeregisterCertificate": _ISSUER,
        _STATES + "RestoreCertificate": _ISSUER,
        _STATES + "ConfirmCertificate": _ISSUER | {Role.CONNECTOR},
        _STATES + "ListCertificateTransitions": _RECORD_READERS,
        _SEAL + "GetSeal": _DEPARTMENT_SIDE,
        _SEAL + "ListSeals": _DEPARTMENT_SIDE,
        _SEAL + "ExportSeal": _DEPARTMENT_SIDE,
        _SEAL + "GetKey": _OVERSIGHT,
        _SEAL + "ListKeys": _OVERSIGHT,
        _SEAL + "ListKeyStatements": _BOTH_SIDES,
        _SEAL + "AddSealMaterial": _OFFICER,
        _SEAL + "GetSealMaterial": _OVERSIGHT,
        _SEAL + "ResealRecords": _OFFICER,
        _INTENTS + "ProposeIntent": _OFFICER,
        _INTENTS + "CreateApprovalChallenge": _OFFICER,
        _INTENTS + "ApproveIntent": _OFFICER,
        _INTENTS + "WithdrawIntent": _OFFICER,
        _INTENTS + "ExecuteIntent": _OFFICER,
        _INTENTS + "GetIntent": _OVERSIGHT,
        _INTENTS + "ListIntents": _OVERSIGHT,
        _SEAL + "GetStatusList": _BOTH_SIDES,
        _REPORTS + "VerifyDocument": _BOTH_SIDES,
        _FACES + "CreateFaceTemplate": _STEWARD,
        _FACES + "PreviewFace": _STEWARD,
        _FACES + "ApproveFaceTemplate": _STEWARD,
        _FACES + "GetFaceTemplate": _BOTH_SIDES,
        _FACES + "ListFaceTemplates": _BOTH_SIDES,
        _EXCHANGE + "CreateGrant": _STEWARD,
        _EXCHANGE + "GetGrant": _BOTH_SIDES,
        _EXCHANGE + "ListGrants": _BOTH_SIDES,
        _EXCHANGE + "RevokeGrant": _STEWARD,
        _EXCHANGE + "FetchCertificates": frozenset({Role.PLATFORM}),
        _VERIFICATION + "VerifyInformation": frozenset({Role.PLATFORM}),
        _PLAN + "PlanMaterials": frozenset({Role.PLATFORM}),
        _SHARED_DOCUMENTS + "FetchDocument": frozenset({Role.PLATFORM}),
        _COPIES + "CreateAnnotatedCopy": frozenset({Role.PLATFORM}),
        _COPIES + "GetAnnotatedCopy": _WATCHERS,
        _COPIES + "ListAnnotatedCopies": _WATCHERS,
        _LEDGER + "GetCheckpoint": frozenset(Role),
        _LEDGER + "GetInclusionProof": _MEMBERS,
        _LEDGER + "GetConsistencyProof": frozenset(Role),
    }
)
