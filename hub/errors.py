"""One exception, one enum of reasons, one table of texts.

`Reason` values are public, machine-readable identifiers: never renamed, never reused. What a
person reads hangs on the reason, in English and in Chinese; whatever is dynamic stands in
`details` and is filled into both texts. Details never carry personal data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why something was refused. `rpc.STATUS` maps each to a gRPC status."""

    # The request is wrong by itself.
    FIELD_INVALID = "FIELD_INVALID"
    NAME_MALFORMED = "NAME_MALFORMED"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"
    CURSOR_INVALID = "CURSOR_INVALID"
    PAGE_SIZE_INVALID = "PAGE_SIZE_INVALID"
    REQUEST_ID_INVALID = "REQUEST_ID_INVALID"
    MESSAGE_TOO_LARGE = "MESSAGE_TOO_LARGE"
    IDENTIFIER_INVALID = "IDENTIFIER_INVALID"
    USCC_INVALID = "USCC_INVALID"
    CITIZEN_NUMBER_INVALID = "CITIZEN_NUMBER_INVALID"
    HOLDER_INVALID = "HOLDER_INVALID"
    ROW_INVALID = "ROW_INVALID"
    BATCH_INVALID = "BATCH_INVALID"
    APPROVAL_INVALID = "APPROVAL_INVALID"
    CSR_INVALID = "CSR_INVALID"
    PUBLIC_KEY_INVALID = "PUBLIC_KEY_INVALID"
    ALGORITHM_NOT_HERE = "ALGORITHM_NOT_HERE"
    DOCUMENT_TYPE_REFUSED = "DOCUMENT_TYPE_REFUSED"
    DOCUMENT_TOO_LARGE = "DOCUMENT_TOO_LARGE"
    DOCUMENT_INCOMPLETE = "DOCUMENT_INCOMPLETE"
    DOCUMENT_DIGEST_WRONG = "DOCUMENT_DIGEST_WRONG"
    PDF_REFUSED = "PDF_REFUSED"
    OFD_REFUSED = "OFD_REFUSED"
    CERTIFICATE_PROFILE_UNKNOWN = "CERTIFICATE_PROFILE_UNKNOWN"
    PICTURE_INVALID = "PICTURE_INVALID"
    FACE_OVERFLOW = "FACE_OVERFLOW"

    REQUEST_INVALID = "REQUEST_INVALID"
    FORWARD_NOT_SERVED = "FORWARD_NOT_SERVED"
    CONFIG_INVALID = "CONFIG_INVALID"
    LOG_SEEN_AHEAD = "LOG_SEEN_AHEAD"

    # No believable identity.
    PEER_UNKNOWN = "PEER_UNKNOWN"
    TOKEN_MISSING = "TOKEN_MISSING"
    TOKEN_INVALID = "TOKEN_INVALID"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"
    TOKEN_REVOKED = "TOKEN_REVOKED"
    FORWARDED_CERTIFICATE = "FORWARDED_CERTIFICATE"

    # Identity known, not allowed.
    ROLE_NOT_ALLOWED = "ROLE_NOT_ALLOWED"
    GRANT_MISSING = "GRANT_MISSING"
    FIELD_NOT_GRANTED = "FIELD_NOT_GRANTED"
    CHANGES_NOT_GRANTED = "CHANGES_NOT_GRANTED"
    AUTHORITY_NOT_ALLOWED = "AUTHORITY_NOT_ALLOWED"
    ISSUER_NOT_ALLOWED = "ISSUER_NOT_ALLOWED"
    APPROVER_REFUSED = "APPROVER_REFUSED"
    KEY_USAGE_REFUSED = "KEY_USAGE_REFUSED"

    # Visible to the caller, and not there.
    AUTHORITY_NOT_FOUND = "AUTHORITY_NOT_FOUND"
    SYSTEM_NOT_FOUND = "SYSTEM_NOT_FOUND"
    OFFICER_NOT_FOUND = "OFFICER_NOT_FOUND"
    CERTIFICATE_TYPE_NOT_FOUND = "CERTIFICATE_TYPE_NOT_FOUND"
    ITEM_NOT_FOUND = "ITEM_NOT_FOUND"
    CERTIFICATE_NOT_FOUND = "CERTIFICATE_NOT_FOUND"
    DOCUMENT_NOT_FOUND = "DOCUMENT_NOT_FOUND"
    GRANT_NOT_FOUND = "GRANT_NOT_FOUND"
    COPY_NOT_FOUND = "COPY_NOT_FOUND"
    FACE_TEMPLATE_NOT_FOUND = "FACE_TEMPLATE_NOT_FOUND"
    FACT_CHANGE_NOT_FOUND = "FACT_CHANGE_NOT_FOUND"
    OBJECTION_NOT_FOUND = "OBJECTION_NOT_FOUND"
    NOTICE_NOT_FOUND = "NOTICE_NOT_FOUND"
    HOLDER_LINK_NOT_FOUND = "HOLDER_LINK_NOT_FOUND"
    INTENT_NOT_FOUND = "INTENT_NOT_FOUND"
    SEAL_NOT_FOUND = "SEAL_NOT_FOUND"
    SEAL_KEY_NOT_FOUND = "SEAL_KEY_NOT_FOUND"
    MATERIAL_NOT_FOUND = "MATERIAL_NOT_FOUND"
    PKI_NOT_FOUND = "PKI_NOT_FOUND"
    X509_NOT_FOUND = "X509_NOT_FOUND"
    ENTRY_NOT_FOUND = "ENTRY_NOT_FOUND"
    ROSTER_NOT_FOUND = "ROSTER_NOT_FOUND"
    STATUS_LIST_NOT_FOUND = "STATUS_LIST_NOT_FOUND"

    # Same id, other content.
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    ALREADY_EXISTS = "ALREADY_EXISTS"

    # The state forbids it until somebody acts.
    ANSWER_STALE = "ANSWER_STALE"
    CERTIFICATE_AMBIGUOUS = "CERTIFICATE_AMBIGUOUS"
    CERTIFICATE_NOT_IN_FORCE = "CERTIFICATE_NOT_IN_FORCE"
    COPY_NOT_MADE = "COPY_NOT_MADE"
    SEVERAL_HOLDERS = "SEVERAL_HOLDERS"
    HOLDER_LINKED = "HOLDER_LINKED"
    FIELD_NOT_SEALED = "FIELD_NOT_SEALED"
    SEAL_NOT_USABLE = "SEAL_NOT_USABLE"
    INTENT_NOT_APPROVED = "INTENT_NOT_APPROVED"
    INTENT_EXHAUSTED = "INTENT_EXHAUSTED"
    ALGORITHM_RETIRED = "ALGORITHM_RETIRED"
    KEY_SIGNATURE_WRONG = "KEY_SIGNATURE_WRONG"
    KEY_PIN_WRONG = "KEY_PIN_WRONG"
    KEY_PIN_LOCKED = "KEY_PIN_LOCKED"
    SIGNER_PINNED = "SIGNER_PINNED"
    SIGNING_INDETERMINATE = "SIGNING_INDETERMINATE"
    OUTBOX_DIFFERS = "OUTBOX_DIFFERS"
    SEALING_SERVICE_REFUSED = "SEALING_SERVICE_REFUSED"
    SEALING_SERVICE_WRONG = "SEALING_SERVICE_WRONG"
    INTENT_CLOSED = "INTENT_CLOSED"
    SEAL_NOT_MADE = "SEAL_NOT_MADE"
    SEAL_SUSPENDED = "SEAL_SUSPENDED"
    SEAL_REVOKED = "SEAL_REVOKED"
    SEAL_ENDED = "SEAL_ENDED"
    KEY_NOT_ACTIVE = "KEY_NOT_ACTIVE"
    KEY_EXPIRED = "KEY_EXPIRED"
    KEY_EXHAUSTED = "KEY_EXHAUSTED"
    TWIN_CUSTODY = "TWIN_CUSTODY"
    ROSTER_MISSING = "ROSTER_MISSING"
    OFFICERS_TOO_FEW = "OFFICERS_TOO_FEW"
    TRANSITION_NOT_ALLOWED = "TRANSITION_NOT_ALLOWED"
    FONT_MISSING = "FONT_MISSING"
    FONT_NOT_EMBEDDABLE = "FONT_NOT_EMBEDDABLE"
    FONT_GLYPH_MISSING = "FONT_GLYPH_MISSING"
    X509_NOT_IN_FORCE = "X509_NOT_IN_FORCE"
    X509_UNTRUSTED = "X509_UNTRUSTED"
    ELECTRONIC_SEAL_INVALID = "ELECTRONIC_SEAL_INVALID"
    X509_KEY_REFUSED = "X509_KEY_REFUSED"
    KEY_FILE_EXISTS = "KEY_FILE_EXISTS"
    FILE_UNREADABLE = "FILE_UNREADABLE"
    MANIFEST_INVALID = "MANIFEST_INVALID"
    FACADE_INVALID = "FACADE_INVALID"
    SOURCE_UNREADABLE = "SOURCE_UNREADABLE"
    SOURCE_LAYOUT = "SOURCE_LAYOUT"
    SOURCE_CHANGED = "SOURCE_CHANGED"
    OUTBOX_LOCKED = "OUTBOX_LOCKED"
    OUTBOX_OTHER = "OUTBOX_OTHER"
    HUB_ANSWER_INVALID = "HUB_ANSWER_INVALID"
    RUN_BRAKED = "RUN_BRAKED"
    RUN_NOT_BALANCED = "RUN_NOT_BALANCED"
    PKI_PROFILES_INVALID = "PKI_PROFILES_INVALID"
    LOG_ROLLED_BACK = "LOG_ROLLED_BACK"
    LOG_HEAD_MISSING = "LOG_HEAD_MISSING"
    LOG_HEAD_INVALID = "LOG_HEAD_INVALID"
    BACKUP_INVALID = "BACKUP_INVALID"
    BACKUP_BEHIND_HEAD = "BACKUP_BEHIND_HEAD"
    BACKUP_UNWRITABLE = "BACKUP_UNWRITABLE"
    DATABASE_NOT_EMPTY = "DATABASE_NOT_EMPTY"
    DATABASE_IN_USE = "DATABASE_IN_USE"
    SCHEMA_OTHER = "SCHEMA_OTHER"

    # Lost a race.
    DECISION_STALE = "DECISION_STALE"
    ETAG_STALE = "ETAG_STALE"

    # Try later, same request id.
    RATE_LIMITED = "RATE_LIMITED"
    LOG_UNAVAILABLE = "LOG_UNAVAILABLE"
    KEY_UNAVAILABLE = "KEY_UNAVAILABLE"
    SIGNER_UNAVAILABLE = "SIGNER_UNAVAILABLE"
    REMOTE_SIGNER_UNAVAILABLE = "REMOTE_SIGNER_UNAVAILABLE"
    SEALING_SERVICE_UNAVAILABLE = "SEALING_SERVICE_UNAVAILABLE"
    TIME_STAMP_UNAVAILABLE = "TIME_STAMP_UNAVAILABLE"
    STAMPS_OVERDUE = "STAMPS_OVERDUE"
    TRUST_UNAVAILABLE = "TRUST_UNAVAILABLE"
    DATABASE_UNAVAILABLE = "DATABASE_UNAVAILABLE"
    BLOBS_UNAVAILABLE = "BLOBS_UNAVAILABLE"
    HUB_UNAVAILABLE = "HUB_UNAVAILABLE"

    # Stored data contradicts itself.
    DIGEST_MISMATCH = "DIGEST_MISMATCH"
    ROSTER_BROKEN = "ROSTER_BROKEN"
    BLOB_MISSING = "BLOB_MISSING"
    PKI_INDEX_DAMAGED = "PKI_INDEX_DAMAGED"

    # Refused on the way, before the hub could give a reason of its own.
    CALL_REFUSED = "CALL_REFUSED"

    # Ours.
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that breaks one rule, as `google.rpc.BadRequest` carries it."""

    field: str
    rule: str
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Text:
    """What a person reads: the fault and what to do about it. `{name}` takes a detail."""

    en: str
    zh: str


class HubError(Exception):
    """The one exception that is meant to cross an RPC or reach a person at a terminal."""

    def __init__(
        self,
        reason: Reason,
        *,
        violations: tuple[Violation, ...] = (),
        retry_after_s: float | None = None,
        receipt: str | None = None,
        recorded: bool = False,
        **details: object,
    ) -> None:
        """`receipt` is handed out with the refusal; `recorded` says that its entry exists."""
        self.reason = reason
        self.violations = violations
        self.retry_after_s = retry_after_s
        self.receipt = receipt
        self.recorded = recorded
        self.details: Mapping[str, str] = {name: str(value) for name, value in details.items()}
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """The sentence for a person in `language` ("en" or "zh"), details filled in.

        Where `rule` is the name of a violated rule, its words stand in its place.
        """
        text = TEXTS.get(self.reason)
        if text is None:
            return (
                f"{self.reason.value}: {dict(self.details)}" if self.details else self.reason.value
            )
        known = _Known(self.details)
        for broken in self.violations:
            if known.get("rule") == broken.rule:
                known["rule"] = broken.zh if language == "zh" else broken.en
        return (text.zh if language == "zh" else text.en).format_map(known)


class _Known(dict[str, str]):
    """Details for a template; one that was not given reads as a question mark, never an error."""

    def __missing__(self, key: str) -> str:
        return "?"


TEXTS: dict[Reason, Text] = {
    Reason.FIELD_INVALID: Text(
        "{field} is invalid: {rule}. Correct the field and send the request again.",
        "字段 {field} 无效：{rule}。请更正后重新发送。",
    ),
    Reason.NAME_MALFORMED: Text(
        "{name} is not a resource name of the form {form}; an id has 3 to 63 of a-z, 0-9 and "
        "hyphen.",
        "{name} 不是形如 {form} 的资源名称；其中标识为 3 至 63 个小写字母、数字或连字符。",
    ),
    Reason.REQUEST_ID_REUSED: Text(
        "request id {request_id} was used before with other content; use a new id.",
        "请求编号 {request_id} 已用于其他内容，请使用新的编号。",
    ),
    Reason.CSR_INVALID: Text(
        "the signing request is refused: {rule}. Make a new one on the system that holds the key.",
        "证书签名请求被拒绝：{rule}。请在持有私钥的系统上重新生成。",
    ),
    Reason.CERTIFICATE_PROFILE_UNKNOWN: Text(
        "there is no X.509 profile {profile} to issue from; known: {known}.",
        "没有可签发的 X.509 证书模板 {profile}；可用模板：{known}。",
    ),
    Reason.PICTURE_INVALID: Text(
        "the picture is not taken: {rule}. Correct it and upload it again.",
        "图片不被接受：{rule}。请更正后重新上传。",
    ),
    Reason.FACE_OVERFLOW: Text(
        "{characters} characters of {field} do not fit their box on the face. Let the template "
        "be given a larger box or a smaller size_min.",
        "{field} 的 {characters} 个字符放不进照面的框内。请加大模板中的框或减小其 size_min。",
    ),
    Reason.FONT_MISSING: Text(
        "the font {font} is not there or is no font that can be read. Install one with Chinese "
        "glyphs, for example fonts-noto-cjk, or name its file: --font of the command, faces.font "
        "in hub.toml.",
        "字体 {font} 不存在或无法读取。请安装含汉字的字体（例如 fonts-noto-cjk），"
        "或指定其文件：命令用 --font，枢纽用 hub.toml 的 faces.font。",
    ),
    Reason.FONT_NOT_EMBEDDABLE: Text(
        "the font {font} forbids that a part of it travels in documents (fsType {fs_type}). Name "
        "one with an open licence as faces.font in hub.toml.",
        "字体 {font} 的许可不允许在文件中嵌入其子集（fsType {fs_type}）。"
        "请在 hub.toml 的 faces.font 中指定开放许可的字体。",
    ),
    Reason.FONT_GLYPH_MISSING: Text(
        "the font {font} has no glyph for {characters}. Name a font with these characters among "
        "faces.more_fonts in hub.toml.",
        "字体 {font} 没有 {characters} 的字形。"
        "请在 hub.toml 的 faces.more_fonts 中加入含这些字的字体。",
    ),
    Reason.PKI_NOT_FOUND: Text(
        "{path} holds no PKI. Name the right folder, or make one there with init.",
        "{path} 中没有 PKI。请指定正确的目录，或先执行 init 创建。",
    ),
    Reason.X509_NOT_FOUND: Text(
        "the X.509 certificate {serial} was not issued here. The command list shows what was.",
        "X.509 证书 {serial} 不是由本 PKI 签发。可用 list 命令查看已签发证书。",
    ),
    Reason.X509_NOT_IN_FORCE: Text(
        "the X.509 certificate {serial} of profile {profile} is {state}. Issue a new one.",
        "模板 {profile} 的 X.509 证书 {serial} 当前状态为 {state}。请重新签发。",
    ),
    Reason.X509_UNTRUSTED: Text(
        "the X.509 certificate is not accepted as {profile}: {rule}. Present one of that profile.",
        "该 X.509 证书不能作为 {profile} 使用：{rule}。请出示该模板的证书。",
    ),
    Reason.X509_KEY_REFUSED: Text(
        "the key is refused for {profile}: {rule}. Make a new key and a new signing request.",
        "该密钥不能用于 {profile}：{rule}。请生成新的密钥和签名请求。",
    ),
    Reason.KEY_FILE_EXISTS: Text(
        "{path} exists and a key is never overwritten. Choose another file, or use that key.",
        "{path} 已存在，密钥文件不会被覆盖。请另选文件，或使用现有密钥。",
    ),
    Reason.MANIFEST_INVALID: Text(
        "{path}: {count} errors, first in line {line}: {rule}. Run `sealway connect lint`.",
        "{path}：共 {count} 处错误，首先是第 {line} 行：{rule}。请运行 sealway connect lint。",
    ),
    Reason.FACADE_INVALID: Text(
        "{file} cannot be used: {rule}. Correct it; docs/facade.md describes every field.",
        "{file} 无法使用：{rule}。请更正；各字段说明见 docs/facade.md。",
    ),
    Reason.SOURCE_UNREADABLE: Text(
        "source file {file}: {rule}. Check `source.path` and the permissions.",
        "来源文件 {file}：{rule}。请检查 source.path 和文件权限。",
    ),
    Reason.SOURCE_LAYOUT: Text(
        "source file {file} does not have the declared layout: {rule}. Nothing was read; compare "
        "the header with the manifest.",
        "来源文件 {file} 与声明的结构不符：{rule}。未读取任何数据，请核对表头与清单。",
    ),
    Reason.SOURCE_CHANGED: Text(
        "source file {file} changed while it was read. Run again when it is complete.",
        "来源文件 {file} 在读取过程中发生变化，请待文件完整后重新运行。",
    ),
    Reason.OUTBOX_LOCKED: Text(
        "another run uses {path}. Wait for its end.",
        "{path} 正被另一次运行使用，请等待其结束。",
    ),
    Reason.OUTBOX_OTHER: Text(
        "{path} belongs to {found}, not to {wanted}. Choose another state folder.",
        "{path} 属于 {found}，而不是 {wanted}，请另选状态目录。",
    ),
    Reason.RUN_BRAKED: Text(
        "{bad} of the last {read} rows are bad, more than the declared {ratio}: the layout may "
        "have changed. The run stopped in line {line} and the cursor did not move; compare "
        "`sealway connect preview` with the manifest.",
        "最近 {read} 行中有 {bad} 行不合格，超过声明的 {ratio}：文件结构可能已变化。"
        "运行停在第 {line} 行，游标未移动；请用 sealway connect preview 与清单核对。",
    ),
    Reason.RUN_NOT_BALANCED: Text(
        "the run does not balance: {read} rows read, {difference} ended nowhere, {bytes} bytes of "
        "the file unread. Do not trust it; keep the outbox and tell the operator.",
        "运行对账不一致：读取 {read} 行，{difference} 行去向不明，文件尚有 {bytes} 字节未读。"
        "请勿采信本次结果，保留发件箱并联系运维人员。",
    ),
    Reason.HUB_ANSWER_INVALID: Text(
        "the hub's answer to batch {batch} does not hold: {rule}. It was not accepted; tell the "
        "operator.",
        "枢纽对批次 {batch} 的答复无效：{rule}。该答复未被采信，请联系运维人员。",
    ),
    Reason.FILE_UNREADABLE: Text(
        "{what} file {path}: {rule}. Correct the file, its permissions or its path.",
        "{what} 文件 {path}：{rule}。请更正文件内容、权限或路径。",
    ),
    Reason.PKI_PROFILES_INVALID: Text(
        "{path}, table {table}: {rule}. Correct the table.",
        "{path} 的表 {table}：{rule}。请更正该表。",
    ),
    Reason.PKI_INDEX_DAMAGED: Text(
        "{path}, line {line}: {rule}. Nothing is issued until the index is restored from a backup.",
        "{path} 第 {line} 行：{rule}。在从备份恢复索引之前不会签发任何证书。",
    ),
    Reason.USCC_INVALID: Text(
        "{field} is not a valid unified social credit code ({rule}); compare with the licence.",
        "字段 {field} 不是有效的统一社会信用代码（{rule}），请核对证照原件。",
    ),
    Reason.CITIZEN_NUMBER_INVALID: Text(
        "{field} is not a valid citizen number ({rule}); compare with the document.",
        "字段 {field} 不是有效的公民身份号码（{rule}），请核对证件原件。",
    ),
    Reason.IDENTIFIER_INVALID: Text(
        "{field} is not a valid certificate identifier ({rule}); copy it from the certificate.",
        "字段 {field} 不是有效的电子证照标识（{rule}），请照证照原样填写。",
    ),
    Reason.HOLDER_INVALID: Text(
        "{field} is not valid ({rule}); correct the holder's type or number.",
        "字段 {field} 无效（{rule}），请更正持证主体的代码类型或代码。",
    ),
    Reason.ROW_INVALID: Text(
        "the row breaks {count} rules, first {rule} in {field}; correct it at the source.",
        "该行数据违反 {count} 条规则，首先是字段 {field} 的 {rule}；请在来源系统中更正。",
    ),
    Reason.HUB_UNAVAILABLE: Text(
        "the hub at {address} does not answer: {rule}. Check that it runs and that address and "
        "anchor in the client profile are right; then repeat the call.",
        "位于 {address} 的枢纽没有应答：{rule}。请确认其正在运行，且客户端配置中的地址和信任锚"
        "正确，然后重试。",
    ),
    Reason.CALL_REFUSED: Text(
        "the call to {address} was refused: {rule}. Check that the hub has the same version.",
        "对 {address} 的调用被拒绝：{rule}。请确认枢纽版本一致。",
    ),
    Reason.REQUEST_ID_INVALID: Text(
        "the request id is not a UUID of 36 lower-case characters; make a new one.",
        "请求编号不是36位小写 UUID，请重新生成。",
    ),
    Reason.ALREADY_EXISTS: Text(
        "{name} exists already; choose another id, or use what is there.",
        "{name} 已存在，请另选编号或使用已有资源。",
    ),
    Reason.AUTHORITY_NOT_FOUND: Text(
        "no authority {name} is registered here; list the authorities to find it.",
        "没有登记机构 {name}，请通过列表查找。",
    ),
    Reason.SYSTEM_NOT_FOUND: Text(
        "no system {name} is enrolled here; list the systems to find it.",
        "没有登记系统 {name}，请通过列表查找。",
    ),
    Reason.OFFICER_NOT_FOUND: Text(
        "no officer {name} is enrolled here; list the officers to find the name.",
        "没有登记安全员 {name}，请通过列表查找。",
    ),
    Reason.AUTHORITY_NOT_ALLOWED: Text(
        "what belongs to {authority} is not open to you; ask for what is your own authority's.",
        "无权访问 {authority} 的内容，只能访问本机构的内容。",
    ),
    Reason.ISSUER_NOT_ALLOWED: Text(
        "{authority} does not issue certificates of type {type}: {rule}.",
        "{authority} 不得颁发类型 {type} 的证照（{rule}），颁发机构及层级以类型目录为准。",
    ),
    Reason.TRANSITION_NOT_ALLOWED: Text(
        "{name} is {state}, which does not allow this. Look at its state first.",
        "{name} 当前状态为 {state}，不允许此操作。请先查看其状态。",
    ),
    Reason.PEER_UNKNOWN: Text(
        "the client certificate of this connection is not enrolled; ask a security officer.",
        "本连接的客户端证书未登记，请联系安全员。",
    ),
    Reason.TOKEN_MISSING: Text(
        "there is no access token; call CreateToken and send authorization: Bearer.",
        "缺少访问令牌，请先调用 CreateToken，并以 authorization: Bearer 发送。",
    ),
    Reason.TOKEN_INVALID: Text(
        "the access token is not one of this hub for this connection; call CreateToken.",
        "访问令牌不是本枢纽为本连接签发，请重新调用 CreateToken。",
    ),
    Reason.TOKEN_EXPIRED: Text(
        "the access token has expired; call CreateToken.",
        "访问令牌已过期，请重新调用 CreateToken。",
    ),
    Reason.TOKEN_REVOKED: Text(
        "the access token or the keys behind it have ended; call CreateToken, and where that is "
        "refused ask a security officer.",
        "访问令牌或其密钥已被终止，请重新调用 CreateToken；仍被拒绝时请联系安全员。",
    ),
    Reason.DECISION_STALE: Text(
        "what this was decided on has changed meanwhile; send the same request again.",
        "决定所依据的内容已发生变化，请重新发送同一请求。",
    ),
    Reason.BATCH_INVALID: Text(
        "the batch is refused ({rule}): {en} Nothing of it was stored.",
        "批次被拒绝（{rule}）：{zh}未保存任何内容。",
    ),
    Reason.MESSAGE_TOO_LARGE: Text(
        "the message has {bytes} bytes and may have {bytes_max}. Send smaller ones.",
        "消息有 {bytes} 字节，最多允许 {bytes_max} 字节。请分成较小的消息发送。",
    ),
    Reason.CERTIFICATE_TYPE_NOT_FOUND: Text(
        "there is no certificate type {name}. List those published with `sealway type list`.",
        "没有证照类型 {name}。可用 sealway type list 查看已发布的类型。",
    ),
    Reason.ITEM_NOT_FOUND: Text(
        "there is no service item {name}. List them with `sealway item list`.",
        "没有事项 {name}。可用 sealway item list 查看。",
    ),
    Reason.CERTIFICATE_NOT_FOUND: Text(
        "there is no certificate {name}. Find it with `sealway certificate search`.",
        "没有证照 {name}。可用 sealway certificate search 查找。",
    ),
    Reason.SEAL_NOT_FOUND: Text(
        "there is no seal {name}. List them with `sealway seal list`.",
        "没有电子印章 {name}。可用 sealway seal list 查看。",
    ),
    Reason.SEAL_KEY_NOT_FOUND: Text(
        "there is no key {name}. List them with `sealway key list`.",
        "没有密钥 {name}。可用 sealway key list 查看。",
    ),
    Reason.MATERIAL_NOT_FOUND: Text(
        "nothing is on file under the digest {name}. Put the picture or the electronic seal on "
        "file first.",
        "没有摘要为 {name} 的材料。请先提交图像或电子印章。",
    ),
    Reason.INTENT_NOT_FOUND: Text(
        "there is no intent {name}. List them with `sealway intent list`.",
        "没有意图 {name}。可用 sealway intent list 查看。",
    ),
    Reason.STATUS_LIST_NOT_FOUND: Text(
        "there is no status list {name}. Use the address that stands in the record.",
        "没有状态列表 {name}。请使用数据中所载的地址。",
    ),
    Reason.INTENT_NOT_APPROVED: Text(
        "the intent {intent} allows nothing: {rule}. Have officers approve one that fits.",
        "意图 {intent} 不可使用：{rule}。请由安全员批准相符的意图。",
    ),
    Reason.INTENT_EXHAUSTED: Text(
        "the intent {intent} has {left} uses left, fewer than needed. Propose a new one.",
        "意图 {intent} 剩余 {left} 次，不足本次使用。请提出新的意图。",
    ),
    Reason.INTENT_CLOSED: Text(
        "the intent {intent} is {state} and takes no further decisions. Propose a new one.",
        "意图 {intent} 当前为 {state}，不再接受审批。如有需要请另行提出。",
    ),
    Reason.ROSTER_NOT_FOUND: Text(
        "there is no roster number {number}; the newest is number {newest}.",
        "没有第 {number} 号名册；最新为第 {newest} 号。",
    ),
    Reason.ROSTER_MISSING: Text(
        "the roster of officers has not been founded. Run `sealway init` on this home again.",
        "尚未建立安全员名册。请对本目录再次运行 sealway init。",
    ),
    Reason.OFFICERS_TOO_FEW: Text(
        "the log proves {count} officers; a roster needs three: one proposes, two others approve.",
        "日志只能证明 {count} 名安全员；名册至少需要三名：一人提出，另外两人批准。",
    ),
    Reason.ROSTER_BROKEN: Text(
        "roster number {number} does not follow from what the log and the officers prove: {rule}. "
        "Nothing can be approved. Run `sealway log audit`.",
        "第 {number} 号名册与日志及安全员的签名不符：{rule}。"
        "目前不能审批。请运行 sealway log audit。",
    ),
    Reason.SEAL_NOT_MADE: Text(
        "the seal {name} is applied for and not made yet; it seals nothing. Make it: `sealway "
        "seal make`.",
        "印章 {name} 已申请但尚未制作，不能用印。请执行 sealway seal make。",
    ),
    Reason.SEAL_SUSPENDED: Text(
        "the seal {name} is suspended and seals nothing until it is resumed.",
        "印章 {name} 已暂停使用，恢复前不能用印。",
    ),
    Reason.SEAL_REVOKED: Text(
        "the seal {name} is revoked and seals nothing more. Apply for another.",
        "印章 {name} 已注销，不能再用印。请另行申请。",
    ),
    Reason.SEAL_ENDED: Text(
        "the seal {name} ended with its authority and seals nothing more. Use its successor's.",
        "印章 {name} 已随其所属部门终止，不能再用印。请使用承继部门的印章。",
    ),
    Reason.KEY_NOT_ACTIVE: Text(
        "the seal {seal} has no active key for {use} with {algorithm}. Generate and activate "
        "one: `sealway key generate`.",
        "印章 {seal} 没有可用于 {use}（{algorithm}）的有效密钥。请执行 sealway key generate "
        "生成并启用。",
    ),
    Reason.KEY_EXPIRED: Text(
        "the X.509 certificate of the key {key} is not in force now, so it signs nothing. "
        "Install a renewed one or rotate the key.",
        "密钥 {key} 的 X.509 证书当前不在有效期内，不能签署。请更新证书或轮换密钥。",
    ),
    Reason.TWIN_CUSTODY: Text(
        "the keys {key} and {other} of one seal are kept in different hands, and what they seal "
        "together can name only one. Rotate one of them into the other's home.",
        "同一印章的密钥 {key} 与 {other} 保管方式不同，而双算法签章只能注明一种保管方式。"
        "请将其中一个轮换到另一个所在的密钥库。",
    ),
    Reason.KEY_EXHAUSTED: Text(
        "the key {key} may sign {left} times more, fewer than needed. Rotate it: `sealway key "
        "rotate`.",
        "密钥 {key} 剩余可签署 {left} 次，不足本次使用。请执行 sealway key rotate 轮换。",
    ),
    Reason.ELECTRONIC_SEAL_INVALID: Text(
        "the electronic seal is not accepted ({rule}): {en}",
        "该电子印章不予接受（{rule}）：{zh}",
    ),
    Reason.APPROVER_REFUSED: Text(
        "the decision on {intent} is refused: {en}.",
        "对 {intent} 的审批被拒绝：{zh}。",
    ),
    Reason.APPROVAL_INVALID: Text(
        "the approval does not hold ({rule}): {en}",
        "审批无效（{rule}）：{zh}",
    ),
    Reason.KEY_USAGE_REFUSED: Text(
        "the key {kid} does not sign this format.",
        "密钥 {kid} 不用于签署此格式。",
    ),
    Reason.PUBLIC_KEY_INVALID: Text(
        "the public key cannot be used: {rule}.",
        "公钥不可用：{rule}。",
    ),
    Reason.ALGORITHM_NOT_HERE: Text(
        "the key home {home} makes no keys of {algorithm}. Choose another home or algorithm.",
        "密钥存放处 {home} 不能生成 {algorithm} 密钥。请改用其他存放处或算法。",
    ),
    Reason.ALGORITHM_RETIRED: Text(
        "{algorithm} may be used for new seals from {first} to {last} only. Use a key of another "
        "algorithm; what was sealed before stays valid.",
        "{algorithm} 仅可在 {first} 至 {last} 期间用于新的签章。请改用其他算法的密钥；"
        "此前的签章仍然有效。",
    ),
    Reason.KEY_SIGNATURE_WRONG: Text(
        "the key {kid} gave a signature that its public key does not verify. Check the mechanism "
        "numbers of the device.",
        "密钥 {kid} 给出的签名无法用其公钥验证。请检查密码设备的机制编号。",
    ),
    Reason.KEY_PIN_WRONG: Text(
        "the PIN of the token {token} is wrong. It is not tried again, so that the token does not "
        "lock: correct the PIN file.",
        "密码设备 {token} 的 PIN 不正确。为避免锁定不再重试，请更正 PIN 文件。",
    ),
    Reason.KEY_PIN_LOCKED: Text(
        "the PIN of the token {token} is locked. Its security officer has to set a new one.",
        "密码设备 {token} 的 PIN 已锁定，须由设备管理员重新设置。",
    ),
    Reason.SIGNER_PINNED: Text(
        "the signer process belongs to another hub: its {what} is not the one that it was first "
        "shown. Give each hub a signer of its own.",
        "签名进程属于另一枢纽：其 {what} 与首次登记的不一致。每个枢纽应使用自己的签名进程。",
    ),
    Reason.SIGNING_INDETERMINATE: Text(
        "whether {request_id} was signed cannot be known: the signer ended meanwhile. It is "
        "counted as used and never signed again; send it under a new id.",
        "无法确定请求 {request_id} 是否已签名：签名进程在此期间中断。已计入使用次数，不再重复签名，"
        "请使用新的编号重新提交。",
    ),
    Reason.SIGNER_UNAVAILABLE: Text(
        "the signer process does not answer. It is started again; repeat with the same request id.",
        "签名进程没有响应，正在重新启动。请使用相同的请求编号重试。",
    ),
    Reason.REMOTE_SIGNER_UNAVAILABLE: Text(
        "the signer {home} of the department does not answer ({rule}). Nothing was kept; repeat "
        "with the same request id when it is back.",
        "部门签名服务 {home} 没有响应（{rule}）。未保存任何数据，待其恢复后请使用相同的请求编号"
        "重试。",
    ),
    Reason.SEALING_SERVICE_UNAVAILABLE: Text(
        "the sealing service {home} does not answer ({rule}). Nothing was kept; repeat with the "
        "same request id.",
        "签章服务 {home} 没有响应（{rule}）。未保存任何数据，请使用相同的请求编号重试。",
    ),
    Reason.SEALING_SERVICE_REFUSED: Text(
        "the sealing service {home} refuses to sign: {rule}.",
        "签章服务 {home} 拒绝签名：{rule}。",
    ),
    Reason.SEALING_SERVICE_WRONG: Text(
        "the sealing service {home} gave an answer that does not hold: {rule}. It was not used.",
        "签章服务 {home} 的应答不可信：{rule}。该应答未被采用。",
    ),
    Reason.OUTBOX_DIFFERS: Text(
        "the department's signer does not find this in its own outbox: batch {batch}, row {row}: "
        "{rule}. Nothing was signed.",
        "部门签名服务在本部门发件箱中核对不符：批次 {batch}，第 {row} 行：{rule}。未签名。",
    ),
    Reason.KEY_UNAVAILABLE: Text(
        "the key {key} cannot be used now. Check its file, passphrase and permissions, then "
        "repeat.",
        "密钥 {key} 当前不可用。请检查密钥文件、口令和权限后重试。",
    ),
    Reason.TRUST_UNAVAILABLE: Text(
        "the hub's trust file is missing or damaged, so nothing can be verified. Repeat later; "
        "operators: see `[verification]` in hub.toml.",
        "枢纽的信任文件缺失或损坏，无法验证。请稍后重试；运维人员请检查 hub.toml 的 "
        "[verification]。",
    ),
    Reason.TIME_STAMP_UNAVAILABLE: Text(
        "no time stamp can be had now ({rule}), so nothing was sealed. Repeat later; operators: "
        "see `[seal]` in hub.toml.",
        "目前无法取得时间戳（{rule}），因此未签章。请稍后重试；运维人员请检查 hub.toml 的 [seal]。",
    ),
    Reason.STAMPS_OVERDUE: Text(
        "the log has had no time stamp for more than {limit} s, so nothing is sealed. Repeat "
        "later; operators: see `ledger.stamp_age_max_s` in hub.toml.",
        "日志已超过 {limit} 秒未取得时间戳，暂停签章。请稍后重试；运维人员请检查 hub.toml 的 "
        "ledger.stamp_age_max_s。",
    ),
    Reason.DIGEST_MISMATCH: Text(
        "stored data contradicts itself: {what}. Run `sealway log audit` and tell the operator.",
        "存储的数据自相矛盾：{what}。请运行 sealway log audit 并通知运维人员。",
    ),
    Reason.PAGE_TOKEN_INVALID: Text(
        "the page token does not belong to this list or is too old. Begin at the first page.",
        "分页令牌不属于此列表或已过期。请从第一页重新开始。",
    ),
    Reason.CURSOR_INVALID: Text(
        "the cursor is not one that this system was given for this filter. Use the cursor and the "
        "filter that belong together, or begin without one.",
        "游标不是本系统在此筛选条件下获得的。请使用相互对应的游标和筛选条件，或不带游标重新开始。",
    ),
    Reason.CHANGES_NOT_GRANTED: Text(
        "no grant in force lets you watch {types}; apply to the authority that defines the type, "
        "or leave it out of the filter.",
        "没有有效授权允许您订阅 {types} 的变更；请向该类型的定义机构申请，或从筛选条件中去掉。",
    ),
    Reason.PAGE_SIZE_INVALID: Text(
        "the page size {value} is negative. Give 0 (50 items) to 1,000.",
        "分页大小 {value} 为负数。应为 0（50 项）至 1,000。",
    ),
    Reason.FORWARD_NOT_SERVED: Text(
        "this hub serves no request forwarded by another hub; send it signed by your own system.",
        "本枢纽不受理其他枢纽转发的请求，请由本系统签名后直接发送。",
    ),
    Reason.LOG_ROLLED_BACK: Text(
        "the log's external head at {head} entries is not one of this database of {size}: "
        "the database is an older copy or another one. Restore the newest, never the head.",
        "日志外部头位于第 {head} 条，与本数据库（{size} 条）不一致：数据库是旧副本或其他库。"
        "请恢复最新的数据库，切勿回退外部头。",
    ),
    Reason.LOG_HEAD_MISSING: Text(
        "the log's external head is missing. Restore its file; a new one is made only by init.",
        "日志外部头缺失。请恢复该文件；只有 init 才会新建。",
    ),
    Reason.LOG_HEAD_INVALID: Text(
        "the log's external head is not of this log: {rule}. Correct the path or the key.",
        "日志外部头不是本日志的检查点：{rule}。请更正路径或密钥。",
    ),
    Reason.BACKUP_INVALID: Text(
        "the backup is not whole: {path}: {rule}. Use another backup; nothing was written.",
        "备份不完整：{path}：{rule}。请使用其他备份；未写入任何内容。",
    ),
    Reason.BACKUP_UNWRITABLE: Text(
        "the backup cannot be written: {path}: {rule}. Make room or name another folder; what was "
        "written so far is no backup and may be removed.",
        "备份无法写入：{path}：{rule}。请腾出空间或指定其他文件夹；已写入的部分不构成备份，可以"
        "删除。",
    ),
    Reason.BACKUP_BEHIND_HEAD: Text(
        "the external head says that this log has {head} entries, each of them acknowledged; the "
        "backup holds {size}, the newest of {time}. Restoring it would take back {missing} "
        "acknowledged entries, so nothing was written. Find the database itself or a newer backup; "
        "never put an older head in the place of this one.",
        "外部头表明本日志有 {head} 个条目，均已确认；备份只有 {size} 个，最新的时间为 {time}。"
        "恢复该备份会撤回 {missing} 个已确认的条目，因此未写入任何内容。"
        "请找回原数据库或更新的备份；切勿用较旧的外部头替换现有外部头。",
    ),
    Reason.DATABASE_NOT_EMPTY: Text(
        "the database holds data already, and nothing is ever written over it. Name a new, empty "
        "one.",
        "该数据库已有数据，不会被覆盖。请指定一个新的空数据库。",
    ),
    Reason.DATABASE_IN_USE: Text(
        "another process has the database open, or wrote to the log meanwhile. Stop every hub and "
        "command that uses it, empty the target if it was filled, then repeat.",
        "另有进程正在使用该数据库，或在此期间写入了日志。请停止所有使用它的枢纽和命令，"
        "如目标库已写入则先清空，然后重试。",
    ),
    Reason.SCHEMA_OTHER: Text(
        "the schema is of revision {found}, this program needs {expected}. Where it is older, run: "
        "sealway db migrate; where it is newer, use the program of that release.",
        "数据库结构版本为 {found}，本程序需要 {expected}。如较旧，请执行 sealway db migrate；"
        "如较新，请使用对应版本的程序。",
    ),
    Reason.LOG_SEEN_AHEAD: Text(
        "you saw this log with {seen} entries and it has {size}: keep the proof and report it.",
        "您见过的日志有 {seen} 条，而现在只有 {size} 条：请保留证明并报告。",
    ),
    Reason.LOG_UNAVAILABLE: Text(
        "the log cannot be written, so nothing is answered. Repeat with the same request id.",
        "日志暂时无法写入，因此不予应答。请用同一请求编号重试。",
    ),
    Reason.DOCUMENT_TYPE_REFUSED: Text(
        "the document's bytes are not of the type {media_type}, or that type is not accepted; "
        "accepted: {known}. Nothing of it was kept.",
        "文件内容不是 {media_type} 类型，或不接受该类型；可接受：{known}。未保存任何内容。",
    ),
    Reason.DOCUMENT_TOO_LARGE: Text(
        "the document has more than {bytes_max} bytes; nothing of it was kept. Send a smaller "
        "file.",
        "文件超过 {bytes_max} 字节，未保存任何内容。请发送较小的文件。",
    ),
    Reason.DOCUMENT_INCOMPLETE: Text(
        "the upload did not come to its end: {rule}. Nothing was kept; send it again.",
        "上传未完成：{rule}。未保存任何内容，请重新发送。",
    ),
    Reason.DOCUMENT_DIGEST_WRONG: Text(
        "the {bytes} bytes that came do not have the digest that was declared; nothing was kept. "
        "Read the file again and send it whole.",
        "收到的 {bytes} 字节与声明的摘要不符，未保存任何内容。请重新读取文件并完整发送。",
    ),
    Reason.PDF_REFUSED: Text(
        "the PDF cannot be sealed: {en}. Nothing was signed; send a PDF without this.",
        "该 PDF 无法签章：{zh}。未作任何签名，请更正文件后重新提交。",
    ),
    Reason.SEAL_NOT_USABLE: Text(
        "the seal cannot be used ({rule}): {en} Nothing was signed; an officer has to replace it.",
        "该印章不能使用（{rule}）：{zh}未作任何签名，请由印章管理人员更换。",
    ),
    Reason.OFD_REFUSED: Text(
        "the OFD cannot be sealed: {en} Nothing was signed; send a document without this.",
        "该 OFD 无法签章：{zh}未作任何签名，请更正文件后重新提交。",
    ),
    Reason.DOCUMENT_NOT_FOUND: Text(
        "there is no document {name}. List them with `sealway document list`.",
        "没有文件 {name}。可用 sealway document list 查看。",
    ),
    Reason.BLOBS_UNAVAILABLE: Text(
        "the store of documents cannot be used now ({rule}); send the same request again later.",
        "文件存储暂时不可用（{rule}），请稍后重新发送同一请求。",
    ),
    Reason.BLOB_MISSING: Text(
        "the stored bytes {digest} are gone from the store of documents; tell the operator.",
        "文件存储中缺少字节 {digest}，请联系运维人员。",
    ),
    Reason.DATABASE_UNAVAILABLE: Text(
        "the database cannot be reached now: {rule}. Repeat with the same request id.",
        "数据库暂时不可用：{rule}。请用同一请求编号重试。",
    ),
    Reason.ENTRY_NOT_FOUND: Text(
        "the log has no entry {entry}. Its newest checkpoint says how many there are.",
        "日志中没有第 {entry} 条。条目数见最新检查点。",
    ),
    Reason.REQUEST_INVALID: Text(
        "the signed request is refused ({rule}): {en} Sign a new one under the same request id.",
        "签名请求被拒绝（{rule}）：{zh}请用同一请求编号重新签名。",
    ),
    Reason.CONFIG_INVALID: Text(
        "{file} cannot be used: {rule}. Correct it; every field is described in hub/config.py.",
        "{file} 无法使用：{rule}。请更正；各字段说明见 hub/config.py。",
    ),
    Reason.ROLE_NOT_ALLOWED: Text(
        "a caller of role {role} may not call {rpc}; ask with a system or officer that may.",
        "角色 {role} 无权调用 {rpc}，请使用有权限的系统或安全员身份。",
    ),
    Reason.GRANT_MISSING: Text(
        "no grant in force gives you certificates of type {type} for the service item "
        "{service_item}; apply to the authority that defines the type.",
        "没有有效授权允许您为事项 {service_item} 获取类型 {type} 的证照，"
        "请向该类型的定义机构申请。",
    ),
    Reason.FIELD_NOT_GRANTED: Text(
        "no grant for type {type} and the service item {service_item} covers: {fields}. Ask "
        "without them under a new request id; nothing was disclosed.",
        "类型 {type}、事项 {service_item} 的授权不包含字段：{fields}。请去掉这些字段并使用新的"
        "请求编号；本次未披露任何内容。",
    ),
    Reason.COPY_NOT_FOUND: Text(
        "there is no annotated copy {name} that you may see. List them with `sealway copy list`.",
        "没有您可查看的加注件 {name}。可用 sealway copy list 查看。",
    ),
    Reason.FACE_TEMPLATE_NOT_FOUND: Text(
        "there is no face template {name}. List them with `sealway face list`.",
        "没有证照样式模板 {name}。可用 sealway face list 查看。",
    ),
    Reason.GRANT_NOT_FOUND: Text(
        "there is no grant {name} that you may see. List them with `sealway grant list`.",
        "没有您可查看的授权 {name}。可用 sealway grant list 查看。",
    ),
    Reason.FACT_CHANGE_NOT_FOUND: Text(
        "there is no announced change {name} that you may see. List what your own certificates "
        "have to follow with `sealway fact list`.",
        "没有您可查看的变更通告 {name}。可用 sealway fact list 查看本机构证照的待办。",
    ),
    Reason.OBJECTION_NOT_FOUND: Text(
        "there is no objection {name} that you may see. List them with `sealway objection list`.",
        "没有您可查看的异议 {name}。可用 sealway objection list 查看。",
    ),
    Reason.NOTICE_NOT_FOUND: Text(
        "there is no notice {name} to your system. List them with `sealway notice list`.",
        "没有发给您系统的通知 {name}。可用 sealway notice list 查看。",
    ),
    Reason.ANSWER_STALE: Text(
        "what request {request_id} was answered with would not be answered today; its original "
        "receipt is attached, without data. Ask again under a new request id.",
        "请求 {request_id} 当时的答复与现状不符；随附原回执，不含数据。请用新的请求编号重新请求。",
    ),
    Reason.CERTIFICATE_NOT_IN_FORCE: Text(
        "the certificate {identifier} is not in force now; fetch it again.",
        "证照 {identifier} 当前不处于有效状态，请重新调取。",
    ),
    Reason.COPY_NOT_MADE: Text(
        "no annotated copy can be made of the department's document ({rule}): {en}. Ask the "
        "department for another one.",
        "无法为部门文件制作加注件（{rule}）：{zh}。请联系发证部门更换文件。",
    ),
    Reason.CERTIFICATE_AMBIGUOUS: Text(
        "the holder has several certificates of this type in force; ask by identifier, one of: "
        "{identifiers}.",
        "该持证主体有多个此类型的有效证照，请按标识请求，可选：{identifiers}。",
    ),
    Reason.ETAG_STALE: Text(
        "{name} has changed since it was read; read it again, and decide on what it says now.",
        "{name} 在您读取之后已发生变化，请重新读取后再作决定。",
    ),
    Reason.RATE_LIMITED: Text(
        "too many calls of this kind are open; wait as long as the answer says, then repeat.",
        "此类调用过多，请按答复中的时间等待后重试。",
    ),
    Reason.SEVERAL_HOLDERS: Text(
        "certificate {identifier} names several holders and cannot be asked for by one of them; "
        "ask for it by its identifier.",
        "证照 {identifier} 有多个持证主体，不能按其中一个查询；请按证照标识查询。",
    ),
    Reason.FIELD_NOT_SEALED: Text(
        "certificate {identifier} was sealed when its type did not have: {fields}; ask for the "
        "other fields, or for a version issued since.",
        "证照 {identifier} 签章时其类型尚无：{fields}；请查询其他信息项，或此后签发的版本。",
    ),
    Reason.HOLDER_LINKED: Text(
        "the seal of the holder's certificate {identifiers} names another identifier of the "
        "holder, or none; ask for it by its own identifier.",
        "该持证主体的证照 {identifiers} 的印章载明的是其另一标识，或未载明标识；请按证照标识查询。",
    ),
    Reason.HOLDER_LINK_NOT_FOUND: Text(
        "there is no link {name} that you may see. List yours with `sealway holder links`.",
        "没有您可查看的标识关联 {name}。可用 sealway holder links 查看本机构的关联。",
    ),
    Reason.FORWARDED_CERTIFICATE: Text(
        "header {header} names a client certificate; present the certificate in the TLS handshake "
        "and leave the header out.",
        "请求头 {header} 转述了客户端证书；请在 TLS 握手中出示证书，并去掉该请求头。",
    ),
    Reason.INTERNAL: Text(
        "internal error {error_id}; give this id to the operator.",
        "内部错误 {error_id}，请将此编号告知运维人员。",
    ),
}
