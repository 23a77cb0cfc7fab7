"""The report of a verification: numbered steps, facts that were verified, remarks, one verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from hub.proof.moment import Moment
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofReason, ReasonText, Verdict

FactValue: TypeAlias = "str | int | tuple[str, ...]"

# Whatever failed outweighs what could not be looked at, and that outweighs what holds.
_WORST_FIRST: Final = (Verdict.INVALID, Verdict.CANNOT_CHECK, Verdict.VALID)


class Kind(StrEnum):
    """What was verified, recognised by its content."""

    RECORD = "record seal"
    PRESENTATION = "presentation"
    RECEIPT = "receipt"
    ANSWER = "answer"
    PLAN = "plan"
    VERIFICATION = "verification"
    DOCUMENT = "document"
    CHECKPOINT = "checkpoint"
    STATUS_LIST = "status list"
    OFD = "OFD document"
    PDF = "PDF document"
    SEAL = "electronic seal"
    SEAL_SIGNATURE = "signature under a seal"
    FACE_CODE = "code on a face"


class StepName(StrEnum):
    """One step of a verification; the text for people hangs on it."""

    TRUST = "trust"
    LIMITS = "limits"
    ANSWER_FILE = "answer-file"
    RECEIPT = "receipt"
    LOGGED = "logged"
    ENTRY = "entry"
    REQUEST = "request"
    ANSWER = "answer"
    TIME = "time"
    CONTINUITY = "continuity"
    UPGRADES = "upgrades"
    LOGGED_FILE = "logged-file"
    SEAL = "seal"
    IDENTIFIER = "identifier"
    ASKED = "asked"
    ENTRY_MATCH = "entry-match"
    TWIN = "twin"
    REQUIRED_ALGORITHM = "required-algorithm"
    STATUS = "status"
    CHECKPOINT = "checkpoint"
    STATUS_LIST = "status-list"

    # Electronic seals (GB/T 38540 §6.3) and signatures under them (§7.3).
    SEAL_FORMAT = "seal-format"
    SEAL_SIGNATURE = "seal-signature"
    MAKER_CHAIN = "maker-chain"
    MAKER_STATUS = "maker-status"
    MAKER_KEY = "maker-key"
    SEAL_PERIOD = "seal-period"
    SIGNATURE_FORMAT = "signature-format"
    SIGNATURE_VALUE = "signature-value"
    SIGNER_LISTED = "signer-listed"
    SIGNER_CHAIN = "signer-chain"
    SIGNER_STATUS = "signer-status"
    SIGNER_KEY = "signer-key"
    SIGNING_TIME = "signing-time"
    TIME_STAMP = "time-stamp"
    CONTENT_DIGEST = "content-digest"

    # Sealed OFD and PDF documents.
    PACKAGE = "package"
    SIGNED = "signed"
    SIGNATURE_FILE = "signature-file"
    SIGNED_FILES = "signed-files"
    UNSIGNED_FILES = "unsigned-files"
    SCOPE = "scope"
    SEAL_COPY = "seal-copy"
    SIGNED_RANGE = "signed-range"
    LATER_CHANGES = "later-changes"
    REVOCATION = "revocation"

    # Faces of certificates, in OFD and PDF alike.
    FACE = "face"
    FACE_RECORD = "face-record"
    FACE_CODE = "face-code"

    # Codes on faces, scanned from paper.
    PICTURE = "picture"
    CODE = "code"
    CODE_DAYS = "code-days"


class FactName(StrEnum):
    """Something a step has proven, or the word that it was not."""

    CUSTODY = "custody"
    SEALED_FOR = "sealed_for"
    CONVERTED_BY = "converted_by"
    ISSUER = "issuer"
    IDENTIFIER = "identifier"
    VERSION = "version"
    TYPE = "type"
    SEALED_TIME = "sealed_time"
    FIELDS = "fields"
    STATE = "state"
    STATUS = "status"
    STATUS_TIME = "status_time"
    ORIGIN = "origin"
    SIZE = "size"
    ROOT = "root"
    INDEX = "index"
    GRADE = "grade"
    WITNESSES = "witnesses"
    ENTRY_KIND = "entry_kind"
    REQUEST_ID = "request_id"
    CALLER = "caller"
    OUTCOME = "outcome"
    LOGGED_TIME = "logged_time"
    MATERIALS = "materials"
    LIST = "list"
    ENTRIES = "entries"
    EXPIRES = "expires"
    SEAL_NUMBER = "seal_number"
    SEAL_NAME = "seal_name"
    SEAL_VERSION = "seal_version"
    SEAL_PERIOD = "seal_period"
    MAKER = "maker"
    SIGNER = "signer"
    ALGORITHM = "algorithm"
    SIGNED_TIME = "signed_time"
    STAMPED_TIME = "stamped_time"
    FACE = "face"
    COPY = "copy"
    PURPOSE = "purpose"
    RECIPIENT = "recipient"
    NAME = "name"
    NUMBER = "number"
    VALID_FROM = "valid_from"
    VALID_UNTIL = "valid_until"
    PINNED = "pinned"


class Remark(StrEnum):
    """What a reader must know beside the verdict."""

    NOT_AN_EXCHANGE = "NOT_AN_EXCHANGE"
    SEALED_BY_HUB = "SEALED_BY_HUB"
    ATTESTED = "ATTESTED"
    SCAN = "SCAN"
    STATUS_NOT_CHECKED = "STATUS_NOT_CHECKED"
    NO_FIELDS = "NO_FIELDS"
    ONLY_LOGGED = "ONLY_LOGGED"
    AN_ACT = "AN_ACT"
    MAKER_ENDED = "MAKER_ENDED"
    NAMES_DIFFER = "NAMES_DIFFER"
    COMPARE_WITH_PAPER = "COMPARE_WITH_PAPER"
    CODE_NOT_PINNED = "CODE_NOT_PINNED"


@dataclass(frozen=True, slots=True)
class Step:
    """One check. `part` counts from 1 where the file holds several certificates or signatures.

    `moment` is the time that it judged at, where it judged at one; `used_us` the microseconds that
    it took.
    """

    number: int
    name: StepName
    verdict: Verdict
    reason: ProofReason | None = None
    detail: str = ""
    part: int | None = None
    moment: Moment | None = None
    used_us: int = 0

    @property
    def title(self) -> ReasonText:
        """What is checked."""
        return STEP_TEXTS[self.name]

    @property
    def outcome(self) -> ReasonText | None:
        """Why the step does not hold; None where it does."""
        return None if self.reason is None else TEXTS[self.reason]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. It stands in a report only if the step that proves it holds."""

    name: FactName
    value: FactValue
    part: int | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file inside of the file, and whether it is as signature `part` sealed it."""

    path: str
    verdict: Verdict
    reason: ProofReason | None = None
    part: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one verification."""

    kind: Kind
    steps: tuple[Step, ...]
    facts: tuple[Fact, ...] = ()
    remarks: tuple[Remark, ...] = ()
    files: tuple[File, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of the steps: invalid, then cannot check, then valid."""
        found = {step.verdict for step in self.steps}
        return next((verdict for verdict in _WORST_FIRST if verdict in found), Verdict.CANNOT_CHECK)

    @property
    def reason(self) -> ProofReason | None:
        """The reason of the first step that has the report's verdict; None where valid."""
        return next((step.reason for step in self.steps if step.verdict is self.verdict), None)


STEP_TEXTS: Final[dict[StepName, ReasonText]] = {
    StepName.TRUST: ReasonText("a trust file is given", "已提供信任文件"),
    StepName.LIMITS: ReasonText(
        "the file can be read within the limits for files of strangers",
        "文件可在对外来文件的限制内读取",
    ),
    StepName.ANSWER_FILE: ReasonText("the answer is well formed", "答复格式正确"),
    StepName.RECEIPT: ReasonText("the receipt is well formed", "回执格式正确"),
    StepName.LOGGED: ReasonText(
        "the entry stands in the log under a signed checkpoint", "条目在已签名检查点的日志之中"
    ),
    StepName.ENTRY: ReasonText("the entry is of this hub and kind", "条目属于本枢纽且种类相符"),
    StepName.REQUEST: ReasonText("the entry answers my own request", "条目对应本系统的请求"),
    StepName.ANSWER: ReasonText("the answer is what was logged", "答复与日志一致"),
    StepName.TIME: ReasonText("it was logged when it was asked", "记录时间与请求时间相符"),
    StepName.CONTINUITY: ReasonText(
        "the log continues the head my request named, if it named one",
        "日志延续请求中所见的日志头（如有）",
    ),
    StepName.UPGRADES: ReasonText("later checkpoints hold it too", "后续检查点同样包含该条目"),
    StepName.LOGGED_FILE: ReasonText("the entry is about this very file", "该条目记载的正是本文件"),
    StepName.SEAL: ReasonText(
        "the record is sealed by an authority under a trusted chain",
        "数据由受信任证书链下的部门签章",
    ),
    StepName.IDENTIFIER: ReasonText("the version is the identifier's own", "版本与证照标识一致"),
    StepName.ASKED: ReasonText(
        "certificate, version, holder and fields are those asked for",
        "证照、版本、持证主体和字段与请求一致",
    ),
    StepName.ENTRY_MATCH: ReasonText(
        "the record is the one the entry names", "数据就是条目所记的那一份"
    ),
    StepName.TWIN: ReasonText(
        "the same record is sealed by the other algorithm too", "同一数据另以第二种算法签章"
    ),
    StepName.REQUIRED_ALGORITHM: ReasonText(
        "the record is sealed by the algorithm required", "数据以所要求的算法签章"
    ),
    StepName.STATUS: ReasonText("the record is in force", "数据处于有效状态"),
    StepName.CHECKPOINT: ReasonText("the log's checkpoint is signed", "日志检查点签名有效"),
    StepName.STATUS_LIST: ReasonText(
        "the status list is authentic and fresh", "状态列表真实且未过期"
    ),
    StepName.SEAL_FORMAT: ReasonText("the seal is well formed", "电子印章格式正确"),
    StepName.SEAL_SIGNATURE: ReasonText(
        "the seal is signed by its maker", "电子印章的制章者签名有效"
    ),
    StepName.MAKER_CHAIN: ReasonText(
        "the seal's maker is trusted, and was when it was made",
        "制章者受信任，且制章时其证书有效",
    ),
    StepName.MAKER_STATUS: ReasonText("the maker was not revoked", "制章者证书未被吊销"),
    StepName.MAKER_KEY: ReasonText(
        "the maker's key and algorithm were good when it was made", "制章时制章者密钥与算法可信"
    ),
    StepName.SEAL_PERIOD: ReasonText("the seal is within its validity", "电子印章在有效期内"),
    StepName.SIGNATURE_FORMAT: ReasonText("the signature is well formed", "签名格式正确"),
    StepName.SIGNATURE_VALUE: ReasonText(
        "the signature is by the signer named", "签名由所列签章者作出"
    ),
    StepName.SIGNER_LISTED: ReasonText(
        "the signer may use this seal", "签章者属于该电子印章的签章者名单"
    ),
    StepName.SIGNER_CHAIN: ReasonText(
        "the signer is trusted, and was when it signed", "签章者受信任，且签章时其证书有效"
    ),
    StepName.SIGNER_STATUS: ReasonText("the signer was not revoked", "签章者证书未被吊销"),
    StepName.SIGNER_KEY: ReasonText(
        "key and algorithm were good when it was signed", "签章时密钥与算法可信"
    ),
    StepName.SIGNING_TIME: ReasonText(
        "it was signed while seal and signer were in force", "签章时印章与签章者证书均有效"
    ),
    StepName.TIME_STAMP: ReasonText("the time stamp holds", "时间戳有效"),
    StepName.CONTENT_DIGEST: ReasonText("the content is what was signed", "内容与签名一致"),
    StepName.PACKAGE: ReasonText("the file is well formed", "文件格式正确"),
    StepName.SIGNED: ReasonText("the file is sealed or signed", "文件带有签章或签名"),
    StepName.SIGNATURE_FILE: ReasonText(
        "the signature is described as the standard wants it", "签名描述文件符合标准"
    ),
    StepName.SIGNED_FILES: ReasonText(
        "each file that was signed is unchanged", "被签名保护的文件均未改动"
    ),
    StepName.UNSIGNED_FILES: ReasonText(
        "no file stands beside those signed", "没有未受签名保护的文件"
    ),
    StepName.SCOPE: ReasonText(
        "the signature was made for this place in the document", "签章针对文档中的此处"
    ),
    StepName.SEAL_COPY: ReasonText(
        "the seal beside the signature is the one in it", "随附印章与签名中的印章一致"
    ),
    StepName.SIGNED_RANGE: ReasonText(
        "the signature covers the whole file as it was", "签名覆盖签章时的整个文件"
    ),
    StepName.LATER_CHANGES: ReasonText(
        "nothing but what the seal allows was added later", "签章后仅有印章允许的增补"
    ),
    StepName.REVOCATION: ReasonText(
        "the signer's certificate was not revoked when it signed", "签名时签名者证书未被吊销"
    ),
    StepName.FACE: ReasonText(
        "what it says of itself holds, and an annotated copy is still in its time",
        "所载信息完整；加注件在有效期内",
    ),
    StepName.FACE_RECORD: ReasonText(
        "the face and the record given are of the same certificate and version",
        "照面与所给数据记录属同一证照同一版本",
    ),
    StepName.FACE_CODE: ReasonText(
        "the code on it is of this certificate and says the same", "照面二维码属于本证照且内容一致"
    ),
    StepName.PICTURE: ReasonText(
        "a code of a hub can be read in the picture", "图片中可读出枢纽的二维码"
    ),
    StepName.CODE: ReasonText(
        "the code is signed by an issuer that is pinned here", "二维码由此处已固定的签发部门签名"
    ),
    StepName.CODE_DAYS: ReasonText(
        "the certificate is in force by the days in its code", "按二维码所载日期，证照在有效期内"
    ),
}

FACT_TEXTS: Final[dict[FactName, ReasonText]] = {
    FactName.CUSTODY: ReasonText("who kept the sealing key", "签章密钥保管方"),
    FactName.SEALED_FOR: ReasonText("delegation or attesting party", "委托编号或证明方"),
    FactName.CONVERTED_BY: ReasonText("who compared the scan with the paper", "扫描件核对人"),
    FactName.ISSUER: ReasonText("issuing authority", "签发部门"),
    FactName.IDENTIFIER: ReasonText("certificate identifier", "证照标识"),
    FactName.VERSION: ReasonText("version", "版本"),
    FactName.TYPE: ReasonText("certificate type", "证照类型"),
    FactName.SEALED_TIME: ReasonText("sealed at", "签章时间"),
    FactName.FIELDS: ReasonText("fields disclosed", "披露的字段"),
    FactName.STATE: ReasonText("state when it was given", "提供时的状态"),
    FactName.STATUS: ReasonText("status", "状态"),
    FactName.STATUS_TIME: ReasonText("status as of", "状态时间"),
    FactName.ORIGIN: ReasonText("hub", "枢纽"),
    FactName.SIZE: ReasonText("entries in the log", "日志条目数"),
    FactName.ROOT: ReasonText("root of the log", "日志根"),
    FactName.INDEX: ReasonText("index of the entry", "条目序号"),
    FactName.GRADE: ReasonText("grade", "等级"),
    FactName.WITNESSES: ReasonText("cosigned by", "见证方"),
    FactName.ENTRY_KIND: ReasonText("kind of the entry", "条目种类"),
    FactName.REQUEST_ID: ReasonText("request id", "请求编号"),
    FactName.CALLER: ReasonText("caller", "调用方"),
    FactName.OUTCOME: ReasonText("outcome", "结果"),
    FactName.LOGGED_TIME: ReasonText("logged at", "记录时间"),
    FactName.MATERIALS: ReasonText("materials planned", "规划的材料"),
    FactName.LIST: ReasonText("status list", "状态列表"),
    FactName.ENTRIES: ReasonText("places in the list", "列表位数"),
    FactName.EXPIRES: ReasonText("usable until", "有效至"),
    FactName.SEAL_NUMBER: ReasonText("number of the seal", "印章编号"),
    FactName.SEAL_NAME: ReasonText("name of the seal", "印章名称"),
    FactName.SEAL_VERSION: ReasonText("version of the seal's format", "印章格式版本"),
    FactName.SEAL_PERIOD: ReasonText("validity of the seal", "印章有效期"),
    FactName.MAKER: ReasonText("made by", "制章者"),
    FactName.SIGNER: ReasonText("signed by", "签章者"),
    FactName.ALGORITHM: ReasonText("algorithm", "算法"),
    FactName.SIGNED_TIME: ReasonText("signed at, by the signer's word", "签章者所称签章时间"),
    FactName.STAMPED_TIME: ReasonText("time stamp", "时间戳时间"),
    FactName.FACE: ReasonText("face template, or document copied", "样式模板或所依据的文件"),
    FactName.COPY: ReasonText("annotated copy", "加注件"),
    FactName.PURPOSE: ReasonText("made for", "制作事由"),
    FactName.RECIPIENT: ReasonText("given to", "提供给"),
    FactName.NAME: ReasonText("name on the paper", "纸面应载名称"),
    FactName.NUMBER: ReasonText("number on the paper", "纸面应载编号"),
    FactName.VALID_FROM: ReasonText("valid from", "有效期起"),
    FactName.VALID_UNTIL: ReasonText("valid until", "有效期止"),
    FactName.PINNED: ReasonText("pinned certificate (x5t#S256)", "已固定的数字证书（x5t#S256）"),
}

REMARK_TEXTS: Final[dict[Remark, ReasonText]] = {
    Remark.NOT_AN_EXCHANGE: ReasonText(
        "A genuine seal, not an exchange: only a receipt says what was asked and given, and fields"
        " may have been left out.",
        "签章真实，但不是数据交换的证明：只有回执能说明请求和提供的内容，字段可能被删减。",
    ),
    Remark.SEALED_BY_HUB: ReasonText(
        "Sealed by the hub by delegation, not with a key the department keeps itself.",
        "由枢纽受委托签章，密钥不由部门自行保管。",
    ),
    Remark.ATTESTED: ReasonText(
        "An older record that nobody sealed when it was issued; the party named attests to it.",
        "签发时无人签章的历史数据，由所列单位证明。",
    ),
    Remark.SCAN: ReasonText(
        "Made from scanned paper that a conversion officer compared with the original; it is not an"
        " original.",
        "由纸质证照扫描转换，转换员声明与原件核对无误；不是原件。",
    ),
    Remark.STATUS_NOT_CHECKED: ReasonText(
        "The status was not checked: the record may have been revoked or replaced since."
        " Give a current status list token with --status.",
        "未核实状态：该数据可能已被吊销或更换。请用 --status 提供最新的状态列表令牌。",
    ),
    Remark.NO_FIELDS: ReasonText(
        "The seal alone: no field is disclosed.", "仅有签章：未披露任何字段。"
    ),
    Remark.AN_ACT: ReasonText(
        "The entry is about an act, of the kind shown: it does not prove that data were given to"
        " anybody.",
        "该条目记载的是一项操作（种类见上），并不证明向任何人提供过数据。",
    ),
    Remark.MAKER_ENDED: ReasonText(
        "The certificate of the seal's maker was in force when the seal was made, and has ended"
        " since.",
        "制章时制章者证书有效，此后已到期。",
    ),
    Remark.NAMES_DIFFER: ReasonText(
        "Names of files inside the document differ from their references in the case of letters:"
        " other software may not find them.",
        "文档内文件名与引用的大小写不一致，其他软件可能找不到该文件。",
    ),
    Remark.COMPARE_WITH_PAPER: ReasonText(
        "Compare these with the paper: a genuine code can stand on a forged one.",
        "请与纸质证照逐项核对：真实的二维码也可能被印在伪造的证照上。",
    ),
    Remark.CODE_NOT_PINNED: ReasonText(
        "The code on the face says what the file says, for which its seal stands. The code's own"
        " signature was not checked: the trust file does not pin its issuer.",
        "照面二维码与文件内容一致，该内容由印章保证。二维码自身的签名未核验：信任文件未固定其签发部门。",
    ),
    Remark.ONLY_LOGGED: ReasonText(
        "Fewer witnesses cosigned the checkpoint than the trust file demands.",
        "见证方的联署数少于信任文件的要求。",
    ),
}
