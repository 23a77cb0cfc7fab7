"""The kinds of intents about seals and their keys (docs/formats/intent-and-approval.md).

Everything that a seal will say stands in its intent, so that officers read it and whoever holds the
seal-maker's key can compare it with the bytes that are to be signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hub.domain.seal_states import KeyState, SealState
from hub.proof.officers.intent import (
    DIGEST,
    MOMENT,
    NAME,
    Integer,
    Kind,
    Member,
    Objects,
    Text,
    Texts,
)

KEYS_MAX: Final = 8
CHAIN_MAX: Final = 4
X509_TEXT_MAX: Final = 6_000
TITLE_MAX: Final = 200
NUMBER_MAX: Final = 64
CAUSE_MAX: Final = 400
SIDE_MM_MAX: Final = 300
SEAL_TYPE_MAX: Final = 2**31 - 1
KEY_USES_MAX: Final = 10**12

_SEAL: Final = Member("seal", NAME)
_KEY: Final = Member("key", NAME)
# Left out for the hub's own key, which makes seals.
_SEAL_OF_KEY: Final = Member("seal", NAME, optional=True, absent=("the hub itself", "枢纽自身"))
_CAUSE: Final = Member("cause", Text(CAUSE_MAX))
_AUTHORITY: Final = Member("authority", Text(18))
# X.509 chain, DER in base64url, leaf first, without the root.
_CHAIN: Final = Member("x509_chain", Texts(CHAIN_MAX, X509_TEXT_MAX))
_USE: Final = Member("use", Text(16))
_ALGORITHM: Final = Member("algorithm", Text(16))
_HOME: Final = Member("home", Text(64))
_USES_MAX: Final = Member("signatures_max", Integer(1, KEY_USES_MAX), optional=True)

_MAKING: Final = (
    _SEAL,
    _AUTHORITY,
    Member("title", Text(TITLE_MAX)),
    Member("certificates", Objects(KEYS_MAX, (_KEY, _CHAIN))),
    # The electronic form (GB/T 38540); all of these or none.
    Member("number", Text(NUMBER_MAX), optional=True),
    Member("seal_type", Integer(0, SEAL_TYPE_MAX), optional=True),
    Member("picture", DIGEST, optional=True),
    Member("width_mm", Integer(1, SIDE_MM_MAX), optional=True),
    Member("height_mm", Integer(1, SIDE_MM_MAX), optional=True),
    Member("valid_from", MOMENT, optional=True),
    Member("valid_until", MOMENT, optional=True),
    Member("maker_key", NAME, optional=True),
)

SEAL_APPLY: Final = Kind(
    "seal.apply",
    "Apply for the seal {seal} of {authority}, reading {title}, of type {seal_type}; keys to be "
    "made: {keys}.",
    "为 {authority} 申请印章 {seal}，印文 {title}，类型 {seal_type}；拟生成密钥：{keys}。",
    (
        _SEAL,
        _AUTHORITY,
        Member("title", Text(TITLE_MAX)),
        Member("seal_type", Integer(0, SEAL_TYPE_MAX)),
        Member("keys", Objects(KEYS_MAX, (_USE, _ALGORITHM, _HOME, _USES_MAX))),
    ),
    needs_display=True,
)
SEAL_MAKE: Final = Kind(
    "seal.make",
    "Make the seal {seal} of {authority}, reading {title}, and put it in force. Its electronic "
    "form: number {number}, type {seal_type}, picture {picture} ({width_mm} x {height_mm} mm), "
    "valid from {valid_from} until {valid_until}, made by {maker_key}.",
    "制作 {authority} 的印章 {seal}（印文 {title}）并启用。电子印章：编号 {number}，"
    "类型 {seal_type}，图像 {picture}（{width_mm}×{height_mm} 毫米），"
    "有效期 {valid_from} 至 {valid_until}，制章密钥 {maker_key}。",
    _MAKING,
    needs_display=True,
)
SEAL_RENEW: Final = Kind(
    "seal.renew",
    "Renew the seal {seal} of {authority}, reading {title}: new certificates, and its electronic "
    "form anew: number {number}, type {seal_type}, picture {picture} ({width_mm} x {height_mm} "
    "mm), valid from {valid_from} until {valid_until}, made by {maker_key}.",
    "更新 {authority} 的印章 {seal}（印文 {title}）：启用新证书，并重新制作电子印章："
    "编号 {number}，类型 {seal_type}，图像 {picture}（{width_mm}×{height_mm} 毫米），"
    "有效期 {valid_from} 至 {valid_until}，制章密钥 {maker_key}。",
    _MAKING,
    needs_display=True,
)
SEAL_IMPORT: Final = Kind(
    "seal.import",
    "Import the electronic seal number {number}, reading {title}, as {seal} of {authority}; its "
    "bytes have the SHA-256 {digest}, it is valid from {valid_from} until {valid_until}.",
    "将编号为 {number}、印文为 {title} 的电子印章导入为 {authority} 的 {seal}；其数据 SHA-256 为 "
    "{digest}，有效期 {valid_from} 至 {valid_until}。",
    (
        _SEAL,
        _AUTHORITY,
        Member("title", Text(TITLE_MAX)),
        Member("seal_type", Integer(0, SEAL_TYPE_MAX)),
        Member("number", Text(NUMBER_MAX)),
        Member("digest", DIGEST),
        Member("valid_from", MOMENT),
        Member("valid_until", MOMENT),
    ),
    needs_display=True,
)
SEAL_SUSPEND: Final = Kind(
    "seal.suspend",
    "Suspend the seal {seal}: it seals nothing until it is resumed. Cause: {cause}.",
    "暂停使用印章 {seal}，恢复前不得用印。原因：{cause}。",
    (_SEAL, _CAUSE),
)
SEAL_RESUME: Final = Kind(
    "seal.resume",
    "Resume the seal {seal}. Cause: {cause}.",
    "恢复使用印章 {seal}。原因：{cause}。",
    (_SEAL, _CAUSE),
)
SEAL_REVOKE: Final = Kind(
    "seal.revoke",
    "Revoke the seal {seal} for good. Cause: {cause}.",
    "注销印章 {seal}，不可恢复。原因：{cause}。",
    (_SEAL, _CAUSE),
)
SEAL_END: Final = Kind(
    "seal.end",
    "End the seal {seal}, whose authority was merged, split or renamed. Cause: {cause}.",
    "终止印章 {seal}：其所属部门已合并、拆分或更名。原因：{cause}。",
    (_SEAL, _CAUSE),
)

KEY_GENERATE: Final = Kind(
    "key.generate",
    "Generate a key with {algorithm} in {home}, for {use}, of {seal}; its certificate names "
    "{title} of {authority} ({authority_uscc}).",
    "在 {home} 中生成 {algorithm} 密钥，用途 {use}，所属印章 {seal}；证书主体为 {authority} "
    "（{authority_uscc}）的 {title}。",
    (
        _SEAL_OF_KEY,
        Member("authority", NAME),
        # Stated since a signer process demands it; older intents are still read.
        Member("authority_uscc", Text(18), optional=True),
        Member("title", Text(TITLE_MAX)),
        _USE,
        _ALGORITHM,
        _HOME,
        _USES_MAX,
    ),
    needs_display=True,
)
KEY_ACTIVATE: Final = Kind(
    "key.activate",
    "Install this X.509 chain for {key} ({use}, {algorithm}, of {seal}), which signs from then on.",
    "为 {key}（{use}，{algorithm}，所属 {seal}）安装该 X.509 证书链，此后可用于签署。",
    (_KEY, _SEAL_OF_KEY, _USE, _ALGORITHM, _CHAIN),
    needs_display=True,
)
KEY_ROTATE: Final = Kind(
    "key.rotate",
    "{key} ({use}, {algorithm}, of {seal}) with this X.509 chain takes over from {replaced}, which "
    "signs nothing more.",
    "由 {key}（{use}，{algorithm}，所属 {seal}）及该 X.509 证书链接替 {replaced}，后者不再签署。",
    (
        _KEY,
        _SEAL_OF_KEY,
        _USE,
        _ALGORITHM,
        Member("replaced", NAME),
        _CHAIN,
    ),
    needs_display=True,
)
KEY_RETIRE: Final = Kind(
    "key.retire",
    "Retire {key}: it signs nothing more. Cause: {cause}.",
    "停用 {key}，不再签署。原因：{cause}。",
    (_KEY, _CAUSE),
    needs_display=True,
)
KEY_DESTROY: Final = Kind(
    "key.destroy",
    "Destroy {key} for ever. Cause: {cause}.",
    "永久销毁 {key}。原因：{cause}。",
    (_KEY, _CAUSE),
    needs_display=True,
)
KEY_COMPROMISE: Final = Kind(
    "key.compromise",
    "Declare that {key} is in other hands since {since}: it signs nothing more, and what it signed "
    "since then, or cannot prove to be older, counts no longer. Cause: {cause}.",
    "宣布 {key} 自 {since} 起失密：不再签署，此后签署的、或无法证明早于该时间的，均不再有效。"
    "原因：{cause}。",
    (_KEY, Member("since", MOMENT), _CAUSE),
    needs_display=True,
)
KEY_RESEAL: Final = Kind(
    "key.reseal",
    "Seal anew, with the key of {seal} in force, every record or document in force that the "
    "compromised {key} has sealed.",
    "以 {seal} 的现用密钥，对失密的 {key} 签过的全部现行记录和文件重新用印。",
    (_KEY, Member("seal", NAME)),
    is_standing=True,
)

NEW_STATES: Final[Mapping[Kind, tuple[str, str]]] = MappingProxyType(
    {
        KEY_COMPROMISE: ("key", KeyState.COMPROMISED),
        KEY_RETIRE: ("key", KeyState.RETIRED),
        SEAL_END: ("seal", SealState.ENDED),
        SEAL_RESUME: ("seal", SealState.ACTIVE),
        SEAL_REVOKE: ("seal", SealState.REVOKED),
        SEAL_SUSPEND: ("seal", SealState.SUSPENDED),
    }
)
"""What ends a key or a seal, or resumes a seal: the member that names it, and its state since. Who
signs apart from the hub is told of these (docs/adr/0060)."""

SEAL_KINDS: Final = (
    SEAL_APPLY,
    SEAL_MAKE,
    SEAL_RENEW,
    SEAL_IMPORT,
    SEAL_SUSPEND,
    SEAL_RESUME,
    SEAL_REVOKE,
    SEAL_END,
    KEY_GENERATE,
    KEY_ACTIVATE,
    KEY_ROTATE,
    KEY_RETIRE,
    KEY_DESTROY,
    KEY_COMPROMISE,
    KEY_RESEAL,
)
