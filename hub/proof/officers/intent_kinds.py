"""The kinds of intents there are: one table, for whoever writes, reads, signs or audits them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hub.domain.reorganization import ITEMS_MAX, SUCCESSORS_MAX, SYSTEMS_MAX, TYPES_MAX
from hub.proof.officers.intent import (
    DIGEST,
    MOMENT,
    NAME,
    QUORUM_MAX,
    QUORUM_MIN,
    Bytes,
    Day,
    Flag,
    Integer,
    Key,
    Kind,
    Member,
    Object,
    Objects,
    Text,
    Texts,
)
from hub.proof.officers.roster import CREDENTIAL
from hub.proof.officers.seal_kinds import SEAL_KINDS

DER_BYTES_MAX: Final = 8_192
ABSENT_DAYS_MAX: Final = 366

STANDING_SEAL: Final = Kind(
    "standing-seal",
    "Seal what {authority} submits for {vct}, version {type_version}, with {seal}; faces sealed as "
    "documents: {documents}.",
    "用 {seal} 对 {authority} 就 {vct} 第 {type_version} 版提交的数据用印；"
    "照面用印制成文件：{documents}。",
    (
        Member("seal", NAME),
        Member("authority", Text(18)),
        Member("vct", Text(400)),
        Member("type_version", Integer(1, 1_000_000)),
        Member("manifest", DIGEST, optional=True),
        # Which files are made of the certificates' faces: values of `hub.domain.face.FileKind`.
        Member("documents", Texts(3, 16), optional=True),
    ),
    is_standing=True,
)

# The new keys of an officer: what the roster keeps first, then the proofs of possession.
_KEYS: Final = (
    Member("x509_thumbprint", DIGEST),
    Member("approval_key", Key()),
    # Where the key lies in an authenticator that a browser asks.
    Member("webauthn", Object(CREDENTIAL), optional=True),
    Member("x509_certificate", Bytes(DER_BYTES_MAX)),
    Member("x509_request", Bytes(DER_BYTES_MAX)),
    Member("signing_request", Bytes(DER_BYTES_MAX)),
)

OFFICER_ENROL: Final = Kind(
    "officer.enrol",
    "Enrol {officer} as a security officer with the approval key {approval_key} and the client "
    "certificate {x509_thumbprint}; authenticator: {webauthn}; on standby: {standby}.",
    "登记 {officer} 为安全员，审批密钥 {approval_key}，客户端证书 {x509_thumbprint}；"
    "认证器：{webauthn}；候补：{standby}。",
    (Member("officer", NAME), Member("standby", Flag(), optional=True), *_KEYS),
    needs_display=True,
)
OFFICER_HAND_OVER: Final = Kind(
    "officer.hand-over",
    "Hand the office of {officer} to a new person with the approval key {approval_key} and the "
    "client certificate {x509_thumbprint}; authenticator: {webauthn}. The keys of the person "
    "before end.",
    "将 {officer} 的职责移交新任人员，审批密钥 {approval_key}，客户端证书 {x509_thumbprint}；"
    "认证器：{webauthn}。前任人员的密钥随即终止。",
    (Member("officer", NAME), *_KEYS),
    needs_display=True,
)
OFFICER_ROTATE_KEY: Final = Kind(
    "officer.rotate-key",
    "{officer} replaces its own keys: approval key {approval_key}, client certificate "
    "{x509_thumbprint}; authenticator: {webauthn}. The keys before end, and approvals made with "
    "them count no longer.",
    "{officer} 更换本人密钥：审批密钥 {approval_key}，客户端证书 {x509_thumbprint}；"
    "认证器：{webauthn}。原密钥随即终止，以其作出的审批不再计入。",
    (Member("officer", NAME), *_KEYS),
    needs_display=True,
)
OFFICER_END: Final = Kind(
    "officer.end",
    "End {officer} as a security officer. Approvals by it count no longer.",
    "终止 {officer} 的安全员职责，其审批不再计入。",
    (Member("officer", NAME), Member("cause", Text(400))),
    needs_display=True,
)
OFFICER_ABSENT: Final = Kind(
    "officer.absent",
    "{officer} is absent from {from} until before {until}; {substitute} acts instead.",
    "{officer} 自 {from} 起至 {until} 前缺席，由 {substitute} 代理。",
    (
        Member("officer", NAME),
        Member("from", MOMENT),
        Member("until", MOMENT),
        Member("substitute", NAME, optional=True),
    ),
    needs_display=True,
)
OFFICER_SUCCEED: Final = Kind(
    "officer.succeed",
    "{successor}, who is on standby, succeeds {officer}, whose office ends.",
    "候补安全员 {successor} 接任 {officer}，后者职责终止。",
    (Member("officer", NAME), Member("successor", NAME)),
    needs_display=True,
)
QUORUM_CHANGE: Final = Kind(
    "quorum.change",
    "From now on {default} officers besides the requester approve an intent; by kind: {kinds}.",
    "自此每项意图须由提出人以外的 {default} 名安全员批准；按种类：{kinds}。",
    (
        Member("default", Integer(QUORUM_MIN, QUORUM_MAX)),
        Member(
            "kinds",
            Objects(
                64,
                (
                    Member("kind", Text(64)),
                    Member("approvals", Integer(QUORUM_MIN, QUORUM_MAX)),
                ),
            ),
            optional=True,
        ),
    ),
    needs_display=True,
)

ROSTER_KINDS: Final = (
    OFFICER_ENROL,
    OFFICER_HAND_OVER,
    OFFICER_ROTATE_KEY,
    OFFICER_END,
    OFFICER_ABSENT,
    OFFICER_SUCCEED,
    QUORUM_CHANGE,
)
"""Those that change who approves, or how many must."""

AUTHORITY_REORGANIZE: Final = Kind(
    "authority.reorganize",
    "From {day} on {authority} is named {title} {title_en}, or is succeeded by (systems, types, "
    "items): {successors}. Its seals end with that.",
    "自 {day} 起 {authority} 更名为 {title} {title_en}，或由下列机构承继（系统、类型、事项数）："
    "{successors}。其现有印章随之终止。",
    (
        Member("authority", NAME),
        Member("day", Day()),
        Member("title", Text(200), optional=True),
        Member("title_en", Text(200), optional=True),
        Member(
            "successors",
            Objects(
                SUCCESSORS_MAX,
                (
                    Member("authority", Text(128)),
                    Member("systems", Texts(SYSTEMS_MAX, 128)),
                    Member("types", Texts(TYPES_MAX, 21)),
                    Member("items", Texts(ITEMS_MAX, 64)),
                ),
            ),
            optional=True,
        ),
    ),
)

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {kind.name: kind for kind in (STANDING_SEAL, *ROSTER_KINDS, AUTHORITY_REORGANIZE, *SEAL_KINDS)}
)
