"""What a person reads when a step does not hold, in English and Chinese."""

from __future__ import annotations

from hub.proof.reasons import ProofReason, ReasonText

TEXTS: dict[ProofReason, ReasonText] = {
    # Encoding.
    ProofReason.TOO_LARGE: ReasonText(
        "The text is larger than its format allows.",
        "文本超过该格式允许的大小。",
    ),
    ProofReason.BASE64_ALPHABET: ReasonText(
        "A base64url part has padding, white space or a foreign character.",
        "base64url 部分含有填充、空白或非法字符。",
    ),
    ProofReason.BASE64_NON_CANONICAL: ReasonText(
        "A base64url part is not written in its one canonical form.",
        "base64url 部分不是唯一的规范写法。",
    ),
    ProofReason.BASE64_NOT_CANONICAL: ReasonText(
        "A base64 value is not written in its one canonical form.",
        "base64 值不是唯一的规范写法。",
    ),
    ProofReason.JSON_MALFORMED: ReasonText(
        "The JSON is not well formed.",
        "JSON 格式不正确。",
    ),
    ProofReason.JSON_DUPLICATE_MEMBER: ReasonText(
        "A JSON member stands twice.",
        "JSON 成员重复出现。",
    ),
    ProofReason.JSON_NUMBER: ReasonText(
        "A JSON number is not an integer below 2^53.",
        "JSON 数字不是小于 2^53 的整数。",
    ),
    ProofReason.JSON_DEPTH: ReasonText(
        "The JSON nests deeper than 16 levels.",
        "JSON 嵌套超过 16 层。",
    ),
    # Verification as a whole.
    ProofReason.TRUST_MALFORMED: ReasonText(
        "The trust file is damaged or incomplete; get it again from the hub's operator.",
        "信任文件已损坏或不完整；请向枢纽运营方重新获取。",
    ),
    ProofReason.NO_TRUST: ReasonText(
        "No trust file is given, so no key is known; name the hub's file with --trust.",
        "未提供信任文件，无法确认枢纽的密钥；请用 --trust 指定。",
    ),
    ProofReason.NO_SEAL_ANCHOR: ReasonText(
        "No root certificate for seals is pinned: name a trust file that has one with --trust.",
        "未固定签章根证书；请用 --trust 指定包含该证书的信任文件。",
    ),
    ProofReason.LIMIT_SIZE: ReasonText(
        "The file is larger than is read of strangers: 33,554,432 bytes.",
        "文件超过对外来文件的大小限制(33,554,432 字节)。",
    ),
    ProofReason.LIMIT_TIME: ReasonText(
        "Reading the file took longer than 2 seconds, and was ended.",
        "读取文件超过 2 秒，已终止。",
    ),
    ProofReason.LIMIT_MEMORY: ReasonText(
        "Reading the file took more memory than 256 MiB, and was ended.",
        "读取文件所需内存超过 256 MiB，已终止。",
    ),
    ProofReason.LIMIT_CRASH: ReasonText(
        "The process that read the file ended unexpectedly; repeat it once, then report the file"
        " to the makers of this program.",
        "读取文件的进程意外终止；请重试一次，如仍出现请将该文件报告给本程序的开发者。",
    ),
    ProofReason.RECEIPT_OTHER_FILE: ReasonText(
        "The receipt is about another file, or about no file; give the one that came with this"
        " file.",
        "回执所记载的不是本文件；请提供随本文件一同收到的回执。",
    ),
    ProofReason.SIGNED_LATER: ReasonText(
        "The signing time lies after the moment that the file is judged at.",
        "签名时间晚于验证所依据的时间。",
    ),
    ProofReason.KEY_COMPROMISED: ReasonText(
        "Signed after the key was declared compromised: it may be anybody's.",
        "签名时间在密钥被宣布失密之后，可能出自他人之手。",
    ),
    ProofReason.COMPROMISE_OPEN: ReasonText(
        "The key was declared compromised, and no time stamp or witness proves that this is older.",
        "密钥已被宣布失密，且没有时间戳或见证能证明该签名在此之前作出。",
    ),
    ProofReason.ALGORITHM_ENDED: ReasonText(
        "Signed after the end of its algorithm.", "签名时间在该算法停用之后。"
    ),
    ProofReason.ALGORITHM_END_OPEN: ReasonText(
        "The algorithm has ended, and no time stamp or witness proves that this is older.",
        "该算法已停用，且没有时间戳或见证能证明该签名在此之前作出。",
    ),
    ProofReason.NO_STATUS_KEY: ReasonText(
        "The trust file names no key for status lists; get one that does.",
        "信任文件没有状态列表密钥；请获取包含该密钥的信任文件。",
    ),
    ProofReason.NO_FACE_PIN: ReasonText(
        "The trust file pins no issuer of codes; add its certificate: sealway trust pin --face.",
        "信任文件未固定任何二维码签发部门；请用 sealway trust pin --face 添加其数字证书。",
    ),
    ProofReason.NO_STATUS: ReasonText(
        "No status list token is given; name a current one with --status.",
        "未提供状态列表令牌；请用 --status 指定最新令牌。",
    ),
    ProofReason.NO_REQUEST: ReasonText(
        "The request is not given; name each one sent under this id with --request.",
        "未提供请求；请用 --request 指定该编号下发出的每个请求文件。",
    ),
    ProofReason.NO_ANSWER: ReasonText(
        "The answer is not given; name its file with --answer.",
        "未提供答复；请用 --answer 指定答复文件。",
    ),
    ProofReason.NO_RECEIPT: ReasonText(
        "The answer carries no receipt, so nothing shows what was exchanged.",
        "答复没有回执，无法证明交换的内容。",
    ),
    ProofReason.ANSWER_MALFORMED: ReasonText(
        "The answer is not well formed.",
        "答复格式不正确。",
    ),
    ProofReason.STATUS_REVOKED: ReasonText(
        "The record is no longer in force: it was revoked or replaced.",
        "该数据已失效：已被吊销或更换。",
    ),
    ProofReason.STATUS_SUSPENDED: ReasonText(
        "The record is suspended at present.",
        "该数据目前处于暂扣状态。",
    ),
    # National algorithms and seals.
    ProofReason.SM2_UNAVAILABLE: ReasonText(
        "SM2 cannot be computed here; install OpenSSL 3.0 or newer.",
        "此处无法计算 SM2；请安装 OpenSSL 3.0 或更新版本。",
    ),
    ProofReason.SM2_KEY_INVALID: ReasonText(
        "The key is not an SM2 key in the form that this place accepts.",
        "不是此处接受格式的 SM2 密钥。",
    ),
    ProofReason.SEAL_MALFORMED: ReasonText(
        "The electronic seal, or the signature under it, is not well formed.",
        "电子印章或其签章数据格式不正确。",
    ),
    ProofReason.SEAL_VERSION: ReasonText(
        "The seal has a version that this program does not know.",
        "印章版本未知。",
    ),
    ProofReason.SEAL_SIGNATURE_INVALID: ReasonText(
        "The seal is not signed by the maker named in it, or was altered since.",
        "印章的制章者签名无效，或印章在制作后被改动。",
    ),
    ProofReason.SEAL_NOT_YET_VALID: ReasonText(
        "The seal was not yet valid at the time that counts.",
        "在判定时间，印章尚未生效。",
    ),
    ProofReason.FACE_METADATA: ReasonText(
        "What the file says of itself in its metadata contradicts itself.",
        "文件元数据自相矛盾。",
    ),
    ProofReason.COPY_EXPIRED: ReasonText(
        "The annotated copy's time is over; ask for a new one.",
        "加注件已过有效期，请重新获取。",
    ),
    ProofReason.FACE_DIFFERS: ReasonText(
        "The file shows another certificate or version than the record.",
        "文件所示证照或版本与数据记录不符。",
    ),
    ProofReason.FILE_NOT_LISTED: ReasonText(
        "The file is none of the sealed files that the record names.",
        "该文件不在数据记录所列的用印文件之中。",
    ),
    ProofReason.FACE_CODE_DIFFERS: ReasonText(
        "The code on the face says something else than the file around it.",
        "照面二维码与文件所载内容不一致。",
    ),
    ProofReason.SEAL_EXPIRED: ReasonText(
        "The seal had expired at the time that counts.",
        "在判定时间，印章已过期。",
    ),
    ProofReason.SIGNER_NOT_IN_SEAL: ReasonText(
        "The signer's certificate is none of those the seal was made for; a renewed one needs a new"
        " seal.",
        "签章者证书不在印章的签章者名单内；证书更新后须重新制章。",
    ),
    ProofReason.SIGNER_DIGEST_UNKNOWN: ReasonText(
        "The seal lists its signers by a digest that is not known here.",
        "印章以此处未知的杂凑算法列出签章者。",
    ),
    ProofReason.SIGNING_TIME_UNKNOWN: ReasonText(
        "The signature does not say when it was made in a way that can be read here.",
        "签章数据没有此处可读的签章时间。",
    ),
    ProofReason.CONTENT_DIGEST_MISMATCH: ReasonText(
        "The content is not what was signed.",
        "内容与签名时不同。",
    ),
    ProofReason.NO_CONTENT: ReasonText(
        "The content that was signed is not given; verify the whole document instead.",
        "未提供被签名的内容；请验证整个文档。",
    ),
    ProofReason.TIME_STAMP_MALFORMED: ReasonText(
        "The time stamp is not a time stamp token.",
        "时间戳不是有效的时间戳令牌。",
    ),
    ProofReason.TIME_STAMP_NOT_CHECKED: ReasonText(
        "The time stamp is not checked by this program.",
        "本程序不核验该时间戳。",
    ),
    ProofReason.X509_MALFORMED: ReasonText(
        "An X.509 certificate is not well formed.",
        "数字证书格式不正确。",
    ),
    ProofReason.X509_NOT_YET_VALID: ReasonText(
        "An X.509 certificate was not yet valid at the time that counts.",
        "在判定时间，数字证书尚未生效。",
    ),
    ProofReason.X509_EXPIRED: ReasonText(
        "An X.509 certificate had expired at the time that counts.",
        "在判定时间，数字证书已过期。",
    ),
    ProofReason.X509_USAGE: ReasonText(
        "An X.509 certificate may not be used for this.",
        "数字证书不得用于此用途。",
    ),
    ProofReason.X509_UNTRUSTED: ReasonText(
        "The certificate chain does not lead to a pinned anchor.",
        "证书链不能追溯到受信任的根证书。",
    ),
    ProofReason.X509_REVOKED: ReasonText(
        "An X.509 certificate had been revoked.",
        "数字证书已被吊销。",
    ),
    ProofReason.CSR_MALFORMED: ReasonText(
        "The certificate request is not well formed.",
        "证书请求格式不正确。",
    ),
    ProofReason.CRL_MALFORMED: ReasonText(
        "A revocation list is not one that can be read here.",
        "无法读取证书吊销列表。",
    ),
    ProofReason.NO_CRL: ReasonText(
        "No current revocation list of the issuer is given.",
        "未提供签发者当前有效的证书吊销列表。",
    ),
    # Ledger formats.
    ProofReason.INDEX_OUT_OF_RANGE: ReasonText(
        "The entry's index is not below the size of the log.",
        "条目序号不小于日志大小。",
    ),
    ProofReason.PATH_LENGTH: ReasonText(
        "The inclusion path does not have the length that index and size demand.",
        "包含证明路径的长度与序号和大小不符。",
    ),
    ProofReason.ROOT_MISMATCH: ReasonText(
        "The inclusion path does not lead to the signed root: entry, salt or path was altered.",
        "包含证明路径得不到已签名的根：条目、盐值或路径被改动。",
    ),
    ProofReason.LOG_WENT_BACK: ReasonText(
        "The log is smaller than a head it has shown before; keep both heads as evidence.",
        "日志比先前出示的更小；请保留两个日志头作为证据。",
    ),
    ProofReason.CONSISTENCY_LENGTH: ReasonText(
        "The consistency proof does not have the length that the two sizes demand.",
        "一致性证明的长度与两个大小不符。",
    ),
    ProofReason.CONSISTENCY_MISMATCH: ReasonText(
        "The log does not continue the head it has shown before; keep both heads as evidence.",
        "日志与先前出示的日志头不连续；请保留两个日志头作为证据。",
    ),
    ProofReason.NO_LOG_KEY: ReasonText(
        "No key of this log is trusted; add its verifier key to the trust file.",
        "没有信任该日志的密钥；请把其验证密钥加入信任文件。",
    ),
    ProofReason.VKEY_MALFORMED: ReasonText(
        "A trusted verifier key is damaged or belongs to another name; correct the trust file.",
        "信任的验证密钥已损坏或名称不符；请更正信任文件。",
    ),
    ProofReason.NOTE_MALFORMED: ReasonText(
        "The signed note is not well formed.",
        "签名文本格式不正确。",
    ),
    ProofReason.NOTE_SIGNATURE: ReasonText(
        "A signature line of a known key does not verify.",
        "已知密钥的签名行验证失败。",
    ),
    ProofReason.NOTE_NOT_SIGNED: ReasonText(
        "No signature line is by the trusted key of this log.",
        "没有该日志受信任密钥的签名行。",
    ),
    ProofReason.CHECKPOINT_MALFORMED: ReasonText(
        "The checkpoint is not exactly origin, size and root.",
        "检查点不是来源、大小、根三行。",
    ),
    ProofReason.ORIGIN_WRONG: ReasonText(
        "This comes from another hub than the trusted one.",
        "来源不是受信任的枢纽。",
    ),
    ProofReason.PROOF_MALFORMED: ReasonText(
        "The proof text is not well formed.",
        "证明文本格式不正确。",
    ),
    ProofReason.RECEIPT_MALFORMED: ReasonText(
        "The receipt is not well formed.",
        "回执格式不正确。",
    ),
    ProofReason.RECEIPT_VERSION: ReasonText(
        "The receipt has a version that this program does not know; use a newer one.",
        "回执版本未知；请使用更新的程序。",
    ),
    ProofReason.SALT_LENGTH: ReasonText(
        "The salt is not 32 bytes.",
        "盐值不是 32 字节。",
    ),
    ProofReason.BODY_MALFORMED: ReasonText(
        "The logged entry is not well formed.",
        "日志条目格式不正确。",
    ),
    ProofReason.BODY_VERSION: ReasonText(
        "The logged entry has a version that this program does not know.",
        "日志条目版本未知。",
    ),
    ProofReason.BODY_KIND: ReasonText(
        "The logged entry is not an exchange of this kind.",
        "日志条目不是此类数据交换。",
    ),
    ProofReason.BODY_ORIGIN: ReasonText(
        "The logged entry names another hub.",
        "日志条目属于另一个枢纽。",
    ),
    ProofReason.CALLER_NOT_ME: ReasonText(
        "The entry names another system as the caller; this receipt is not yours.",
        "条目中的调用方是另一个系统；这不是您的回执。",
    ),
    ProofReason.REQUEST_NOT_MINE: ReasonText(
        "The entry answers none of the requests given; give every request sent under this id.",
        "条目不对应所给的任何请求；请提供该编号下发出的全部请求。",
    ),
    ProofReason.CERTIFICATES_DIFFER: ReasonText(
        "The entry is about other certificates, or another number of them.",
        "条目中的证照或其数量不同。",
    ),
    ProofReason.STATE_DIFFERS: ReasonText(
        "A state or result in the answer is not the logged one.",
        "答复中的状态或核验结果与日志不同。",
    ),
    ProofReason.PLAN_DIFFERS: ReasonText(
        "The plan in the answer is not the one that was logged.",
        "答复中的材料规划与日志不同。",
    ),
    ProofReason.SD_HASH_MISMATCH: ReasonText(
        "A presentation in the answer is not the one that was logged.",
        "答复中的出示内容与日志不同。",
    ),
    ProofReason.TIME_OUT_OF_WINDOW: ReasonText(
        "The entry was logged more than 120 s from the request.",
        "条目记录时间与请求相差超过 120 秒。",
    ),
    ProofReason.LATER_INDEX: ReasonText(
        "A later proof is about another entry.",
        "后续证明针对另一条目。",
    ),
}

# JOSE formats (formats-jose.md).
TEXTS.update(
    {
        ProofReason.JWS_MALFORMED: ReasonText(
            "The text is not a JWS of three parts.",
            "文本不是由三段组成的 JWS。",
        ),
        ProofReason.TYP_MISSING: ReasonText(
            "The header names no type.",
            "头部没有写明类型(typ)。",
        ),
        ProofReason.TYP_WRONG: ReasonText(
            "The text is of another type than this place accepts.",
            "类型(typ)与此处要求的不符。",
        ),
        ProofReason.HEADER_MEMBER: ReasonText(
            "The header has a member too many or too few.",
            "头部成员多余或缺少。",
        ),
        ProofReason.KEY_UNKNOWN: ReasonText(
            "No registered key has this key identifier.",
            "密钥标识(kid)未登记。",
        ),
        ProofReason.KEY_USAGE: ReasonText(
            "The key is not registered for this type.",
            "该密钥未登记用于此类型。",
        ),
        ProofReason.ALG_MISMATCH: ReasonText(
            "The algorithm is not the one registered for the key.",
            "算法与密钥登记的算法不一致。",
        ),
        ProofReason.ALG_NOT_CHECKED: ReasonText(
            "The algorithm is recognised but cannot be checked here.",
            "算法可以识别，但此处无法核验。",
        ),
        ProofReason.ALG_REQUIRED: ReasonText(
            "The record has no seal by the algorithm that is required.",
            "数据没有以所要求的算法签章。",
        ),
        ProofReason.TWIN_MISMATCH: ReasonText(
            "The two are not twins: they say different things, or are by one algorithm.",
            "两份签章并非同一数据的双算法签章：内容不同，或算法相同。",
        ),
        ProofReason.TWIN_MISSING: ReasonText(
            "The record also has a seal by the algorithm that is required, which was not given.",
            "数据另有以所要求算法作出的签章，但未提供。",
        ),
        ProofReason.JWK_INVALID: ReasonText(
            "The key is not a P-256 public key in JWK form.",
            "不是 JWK 格式的 P-256 公钥。",
        ),
        ProofReason.SIGNATURE_LENGTH: ReasonText(
            "The signature is not 64 bytes long.",
            "签名长度不是 64 字节。",
        ),
        ProofReason.SIGNATURE_HIGH_S: ReasonText(
            "The signature is the mirrored form, which is not accepted here.",
            "签名为镜像(高 s)形式，此处不接受。",
        ),
        ProofReason.SIGNATURE_INVALID: ReasonText(
            "The signature does not match the content.",
            "签名与内容不符。",
        ),
        ProofReason.CLAIM_MISSING: ReasonText(
            "A required claim is absent.",
            "缺少必需的声明项。",
        ),
        ProofReason.CLAIM_UNKNOWN: ReasonText(
            "A claim is not part of the format.",
            "含有格式以外的声明项。",
        ),
        ProofReason.CLAIM_INVALID: ReasonText(
            "A claim has a value that is not allowed.",
            "声明项的值不合规定。",
        ),
        ProofReason.FORMAT_VERSION: ReasonText(
            "The version of the format is not supported.",
            "格式版本不受支持。",
        ),
        ProofReason.AUD_WRONG: ReasonText(
            "The text is addressed to another hub.",
            "接收方(aud)是另一个枢纽。",
        ),
        ProofReason.ORIGIN_WRONG: ReasonText(
            "The text comes from another log or hub.",
            "来源(origin)是另一个日志或枢纽。",
        ),
        ProofReason.REGION_WRONG: ReasonText(
            "The text belongs to another region.",
            "所属地区(region)不符。",
        ),
        ProofReason.RPC_WRONG: ReasonText(
            "The request was signed for another method.",
            "请求是为另一个方法签署的。",
        ),
        ProofReason.IAT_FUTURE: ReasonText(
            "The time of issue lies in the future; compare the clocks.",
            "签发时间在未来，请核对时钟。",
        ),
        ProofReason.EXP_TOO_FAR: ReasonText(
            "The period of validity is longer than allowed, or not positive.",
            "有效期超过上限或不为正。",
        ),
        ProofReason.EXPIRED: ReasonText(
            "The period of validity has ended.",
            "有效期已过。",
        ),
        ProofReason.CNF_MISMATCH: ReasonText(
            "The token was issued to another connection certificate.",
            "令牌绑定的是另一张连接证书。",
        ),
        ProofReason.TOKEN_REVOKED: ReasonText(
            "The token has been revoked.",
            "令牌已被吊销。",
        ),
        ProofReason.ATH_MISMATCH: ReasonText(
            "The request was signed for another access token.",
            "请求绑定的是另一个访问令牌。",
        ),
        ProofReason.ISS_MISMATCH: ReasonText(
            "Signer, token and key do not name the same system.",
            "签发方、令牌与密钥不属于同一系统。",
        ),
        ProofReason.CERTIFICATES_COUNT: ReasonText(
            "A request names 1 to 20 certificates.",
            "一次请求应为 1 至 20 个证照。",
        ),
        ProofReason.CERTIFICATES_SHAPE: ReasonText(
            "A requested certificate is not described as the format says.",
            "所请求证照的描述不合格式。",
        ),
        ProofReason.FIELDS_EMPTY: ReasonText(
            "No fields are named for a certificate.",
            "证照未列出任何字段。",
        ),
        ProofReason.FIELDS_DUPLICATE: ReasonText(
            "A field is named twice for a certificate.",
            "同一字段重复列出。",
        ),
        ProofReason.VIA_INVALID: ReasonText(
            "The forwarding path is incomplete, too long or runs in a circle.",
            "转发路径不完整、过长或成环。",
        ),
        ProofReason.PLAN_SHAPE: ReasonText(
            "What is to be planned is not described as the format says.",
            "所规划的内容不合格式。",
        ),
        ProofReason.NOT_SD_JWT: ReasonText(
            "The text is not an SD-JWT that ends in a tilde.",
            "文本不是以波浪号结尾的 SD-JWT。",
        ),
        ProofReason.KEY_BINDING_UNEXPECTED: ReasonText(
            "A key binding stands where none belongs.",
            "出现了不应有的密钥绑定。",
        ),
        ProofReason.SD_ALG: ReasonText(
            "The digests are not made with SHA-256.",
            "摘要算法不是 SHA-256。",
        ),
        ProofReason.SD_MALFORMED: ReasonText(
            "The list of digests is malformed.",
            "摘要列表格式错误。",
        ),
        ProofReason.X5C_INVALID: ReasonText(
            "The certificate chain cannot be read.",
            "证书链无法读取。",
        ),
        ProofReason.X5C_KEY_MISMATCH: ReasonText(
            "The certificate holds another key than the one named.",
            "证书中的密钥与所标识的密钥不同。",
        ),
        ProofReason.X5C_UNTRUSTED: ReasonText(
            "The certificate chain does not lead to a trusted root.",
            "证书链不能追溯到受信任的根。",
        ),
        ProofReason.ISSUER_MISMATCH: ReasonText(
            "The authority named is not the organisation in the certificate.",
            "签发机关与证书中的机构不一致。",
        ),
        ProofReason.CUSTODY_INVALID: ReasonText(
            "The record does not say consistently who kept the sealing key.",
            "印章密钥由谁保管的说明不一致。",
        ),
        ProofReason.DISCLOSURE_REPEATED: ReasonText(
            "The same disclosure stands in the text twice.",
            "同一披露项出现两次。",
        ),
        ProofReason.DIGEST_DUPLICATE: ReasonText(
            "The same digest stands in the record twice.",
            "同一摘要出现两次。",
        ),
        ProofReason.DISCLOSURE_SHAPE: ReasonText(
            "A disclosure does not have the expected elements.",
            "披露项的组成不符。",
        ),
        ProofReason.DISCLOSURE_RESERVED_NAME: ReasonText(
            "A disclosure uses a reserved name.",
            "披露项使用了保留名称。",
        ),
        ProofReason.DISCLOSURE_NAME_CLASH: ReasonText(
            "A disclosure repeats a name that is already there.",
            "披露项名称与已有名称重复。",
        ),
        ProofReason.SD_NESTED: ReasonText(
            "Digests are nested where the record must be flat.",
            "记录应为平面结构，却含嵌套摘要。",
        ),
        ProofReason.DISCLOSURE_UNREFERENCED: ReasonText(
            "A disclosure was altered or does not belong to this record.",
            "披露项被改动或不属于本记录。",
        ),
        ProofReason.DISCLOSURE_NONE: ReasonText(
            "Nothing is disclosed.",
            "没有任何披露项。",
        ),
        ProofReason.VCT_MISMATCH: ReasonText(
            "The record is of another certificate type.",
            "证照类型不符。",
        ),
        ProofReason.CERT_MISMATCH: ReasonText(
            "The record belongs to another certificate.",
            "证照标识不符。",
        ),
        ProofReason.VERSION_MISMATCH: ReasonText(
            "The record is of another version of the certificate.",
            "证照版本不符。",
        ),
        ProofReason.HOLDER_NOT_DISCLOSED: ReasonText(
            "The holder was asked for but is not disclosed.",
            "按持证主体查询，但未披露持证主体。",
        ),
        ProofReason.HOLDER_MISMATCH: ReasonText(
            "The record belongs to another holder.",
            "持证主体不符。",
        ),
        ProofReason.FIELD_MISSING: ReasonText(
            "A field that was asked for is absent.",
            "缺少所请求的字段。",
        ),
        ProofReason.FIELD_UNEXPECTED: ReasonText(
            "A field is disclosed that was not asked for.",
            "披露了未请求的字段。",
        ),
        ProofReason.STATUS_URI_MISMATCH: ReasonText(
            "The status list is not the one the record names.",
            "状态列表不是记录所指的列表。",
        ),
        ProofReason.STATUS_ROLLBACK: ReasonText(
            "The status list is older than one already seen.",
            "状态列表早于已见过的版本。",
        ),
        ProofReason.STATUS_ENCODING: ReasonText(
            "The status list cannot be unpacked.",
            "状态列表无法解包。",
        ),
        ProofReason.STATUS_BITS: ReasonText(
            "The status list does not use two bits for a status.",
            "状态列表不是每项两位。",
        ),
        ProofReason.STATUS_TOO_LARGE: ReasonText(
            "The status list is larger than allowed.",
            "状态列表超过上限。",
        ),
        ProofReason.STATUS_TOO_SMALL: ReasonText(
            "The status list is smaller than allowed.",
            "状态列表小于下限。",
        ),
        ProofReason.STATUS_INDEX: ReasonText(
            "The status list has no such position.",
            "状态列表没有该位置。",
        ),
        ProofReason.STATUS_VALUE: ReasonText(
            "The status has no meaning here.",
            "状态值在此没有含义。",
        ),
        ProofReason.BATCH_PURPOSE: ReasonText(
            "The batch serves another purpose.",
            "批次用途不符。",
        ),
        ProofReason.BATCH_N: ReasonText(
            "The number of items is out of range or differs from the signed one.",
            "批次条数超限或与签署的条数不同。",
        ),
        ProofReason.BATCH_SEQ: ReasonText(
            "The batch is not the next one in its sequence.",
            "批次序号不连续。",
        ),
        ProofReason.BATCH_PREV: ReasonText(
            "The batch does not follow the previous one.",
            "批次与上一批次不衔接。",
        ),
        ProofReason.PROOF_INVALID: ReasonText(
            "The item is not part of the signed batch at this position.",
            "该条目不在所签批次的此位置。",
        ),
        ProofReason.INTENT_MISMATCH: ReasonText(
            "The approval is for another intent.",
            "批准针对的是另一项意图。",
        ),
        ProofReason.NONCE_MISMATCH: ReasonText(
            "The approval answers another question.",
            "批准回应的不是本次询问。",
        ),
        ProofReason.INTENT_INVALID: ReasonText(
            "The bytes are not an intent of a known kind.",
            "该内容不是已知种类的意图。",
        ),
        ProofReason.INTENT_NOT_IN_FORCE: ReasonText(
            "The intent is not in force at this time.",
            "该意图此时不在有效期内。",
        ),
        ProofReason.INTENT_REJECTED: ReasonText(
            "An officer rejected the intent.",
            "有安全员驳回了该意图。",
        ),
        ProofReason.APPROVER_NOT_COUNTED: ReasonText(
            "The officer's decision does not count: it proposed the intent, is absent or not in "
            "office.",
            "该安全员的决定不计入：其为提出人、缺席或不在任。",
        ),
        ProofReason.QUORUM_NOT_REACHED: ReasonText(
            "Too few officers have approved it.",
            "批准的安全员人数不足。",
        ),
        ProofReason.DISPLAY_MISSING: ReasonText(
            "A browser does not show what it signs: one officer has to approve this from the "
            "command line.",
            "浏览器不显示所签内容：此类意图须至少有一名安全员通过命令行批准。",
        ),
        ProofReason.WEBAUTHN_MALFORMED: ReasonText(
            "The authenticator's data are not of the form that is accepted here.",
            "认证器数据不是此处接受的形式。",
        ),
        ProofReason.WEBAUTHN_TYPE: ReasonText(
            "The authenticator was asked for something else than a signature.",
            "认证器所作的不是签名操作。",
        ),
        ProofReason.WEBAUTHN_ORIGIN: ReasonText(
            "The page that asked the authenticator is not the one the credential was enrolled for.",
            "请求认证器的网页不是登记凭据时的网页。",
        ),
        ProofReason.WEBAUTHN_CROSS_ORIGIN: ReasonText(
            "The page that asked the authenticator stood within another page.",
            "请求认证器的网页被嵌入其他网页。",
        ),
        ProofReason.WEBAUTHN_RP: ReasonText(
            "The credential is another relying party's; approvals have their own.",
            "凭据属于其他依赖方；审批使用专用凭据。",
        ),
        ProofReason.WEBAUTHN_USER: ReasonText(
            "The authenticator did not see that the officer was present, or did not verify who it "
            "was.",
            "认证器未确认安全员在场，或未核验其身份。",
        ),
        ProofReason.WEBAUTHN_COUNTER: ReasonText(
            "The authenticator's counter did not go on: somebody may have a copy. Have the officer "
            "enrol another credential.",
            "认证器计数未递增，凭据可能已被复制。请该安全员另行登记凭据。",
        ),
        ProofReason.ROSTER_INVALID: ReasonText(
            "The bytes are not a roster of officers.",
            "该内容不是有效的安全员名册。",
        ),
        ProofReason.ROSTER_BROKEN: ReasonText(
            "The roster does not follow from the one before it.",
            "该名册不能由前一名册推出。",
        ),
        ProofReason.ROSTER_CHANGE_REFUSED: ReasonText(
            "The officers or the quorum cannot be changed in this way.",
            "不能如此变更安全员或法定人数。",
        ),
        ProofReason.OFFICER_MISMATCH: ReasonText(
            "The key does not belong to the officer named.",
            "密钥不属于所写明的人员。",
        ),
        ProofReason.CHALLENGE_MISMATCH: ReasonText(
            "The approval was changed after it was given.",
            "批准内容与所签挑战值不符。",
        ),
        ProofReason.CODE_NOT_FOUND: ReasonText(
            "Not exactly one code of a hub can be read in the picture; scan it again, closer.",
            "图片中未能读出唯一的枢纽二维码；请靠近后重新扫描。",
        ),
        ProofReason.PICTURE_UNREADABLE: ReasonText(
            "The picture is damaged or too large.",
            "图片已损坏或过大。",
        ),
        ProofReason.SCANNER_MISSING: ReasonText(
            "Pictures are not read here; install the extra `scan`, or give the text of the code.",
            "此处无法读取图片；请安装附加组件 scan，或直接提供二维码文本。",
        ),
        ProofReason.CODE_PREVIEW: ReasonText(
            "This is the code of a sample; no certificate has it.",
            "这是样张的二维码，不属于任何证照。",
        ),
        ProofReason.CODE_UNSIGNED: ReasonText(
            "The code is not signed: it names a certificate, proves nothing; ask the hub for it.",
            "该二维码未签名，仅指明证照，不能证明任何内容；请向枢纽查询。",
        ),
        ProofReason.CODE_DAYS: ReasonText(
            "By the days in its code the certificate is not in force.",
            "按二维码所载日期，证照不在有效期内。",
        ),
        ProofReason.CODE_MALFORMED: ReasonText(
            "The text is not that of a signed code.", "该文本不是带签名的二维码文本。"
        ),
        ProofReason.ATTESTATION_MISMATCH: ReasonText(
            "The attestation is about another row, type or authority.",
            "核对声明针对的是另一行数据、证照类型或机构。",
        ),
        # Sealed PDF documents.
        ProofReason.PDF_MALFORMED: ReasonText(
            "The PDF cannot be read, or can be read in two ways.",
            "PDF 无法读取，或可作两种解读。",
        ),
        ProofReason.PDF_ENCRYPTED: ReasonText(
            "The PDF is encrypted; its owner can write it out without a password.",
            "PDF 已加密；请由所有者另存为无密码文件。",
        ),
        ProofReason.PDF_NOT_SEALED: ReasonText(
            "The PDF carries no seal.",
            "PDF 没有电子印章。",
        ),
        ProofReason.PDF_RANGE: ReasonText(
            "The signature leaves out more of the file than itself.",
            "签名未覆盖除其自身以外的整个文件。",
        ),
        ProofReason.PDF_CHANGED: ReasonText(
            "The PDF was changed after it was sealed.",
            "PDF 在盖章后被改动。",
        ),
        ProofReason.PDF_UNDECLARED: ReasonText(
            "A signature was added later in a place that the seal did not declare.",
            "盖章后在未预留的位置增加了签名。",
        ),
        ProofReason.CMS_MALFORMED: ReasonText(
            "The signature is not one CMS in its one encoding.",
            "签名不是规范编码的 CMS 结构。",
        ),
        ProofReason.CMS_ATTRIBUTES: ReasonText(
            "The signed attributes do not bind this document to this certificate.",
            "签名属性未将该文件与该证书绑定。",
        ),
        ProofReason.CMS_ALGORITHM: ReasonText(
            "The signature uses a digest that can be forged or is not known.",
            "签名所用摘要算法可被伪造或未知。",
        ),
        ProofReason.CMS_FORM_UNKNOWN: ReasonText(
            "The signature is of a form that is not checked here.",
            "此处无法核验该形式的签名。",
        ),
        ProofReason.TIME_STAMP_INVALID: ReasonText(
            "The time stamp is of something else, or of nobody who is trusted.",
            "时间戳针对其他内容，或签发者不受信任。",
        ),
        ProofReason.X509_REVOKED_SINCE: ReasonText(
            "The certificate was revoked since, and only the signer says that it signed before.",
            "证书其后已被吊销，除签名者自述外无法证明签名在此之前作出。",
        ),
        ProofReason.NO_PDF_ANCHOR: ReasonText(
            "No root certificate for PDF signers is pinned: name a trust file that has one with"
            " --trust.",
            "未固定 PDF 签名者的根证书；请用 --trust 指定包含该证书的信任文件。",
        ),
        ProofReason.NO_STAMP_ANCHOR: ReasonText(
            "No root certificate for time stamps is pinned: name a trust file that has one with"
            " --trust.",
            "未固定时间戳的根证书；请用 --trust 指定包含该证书的信任文件。",
        ),
        # ZIP archives, XML and OFD documents.
        ProofReason.ZIP_MALFORMED: ReasonText(
            "The file is not a ZIP archive that can be read in one way only.",
            "文件不是可唯一解读的 ZIP 压缩包。",
        ),
        ProofReason.ZIP_TOO_LARGE: ReasonText(
            "The archive is larger, or holds more files, than allowed.",
            "压缩包大小或文件数超过上限。",
        ),
        ProofReason.ZIP_BOMB: ReasonText(
            "An entry of the archive unpacks to far more than allowed.",
            "压缩包内文件解压后远超上限。",
        ),
        ProofReason.ZIP_DUPLICATE_NAME: ReasonText(
            "Two entries of the archive have one name.",
            "压缩包内有同名文件。",
        ),
        ProofReason.ZIP_NAME: ReasonText(
            "The name of an entry is not a plain file name.",
            "压缩包内文件名不合规。",
        ),
        ProofReason.ZIP_PATH_ABSOLUTE: ReasonText(
            "The name of an entry begins at a root or a drive.",
            "压缩包内文件名为绝对路径或含盘符。",
        ),
        ProofReason.ZIP_PATH_TRAVERSAL: ReasonText(
            "The name of an entry leads out of the archive.",
            "压缩包内文件名指向包外(路径穿越)。",
        ),
        ProofReason.ZIP_LINK: ReasonText(
            "An entry of the archive is a link and not a file.",
            "压缩包内含链接，不是普通文件。",
        ),
        ProofReason.ZIP_ENCRYPTED: ReasonText(
            "An entry of the archive is encrypted.",
            "压缩包内文件已加密。",
        ),
        ProofReason.ZIP_HEADERS_DIFFER: ReasonText(
            "An entry says of itself another thing than the archive's directory.",
            "压缩包目录与文件头信息不一致。",
        ),
        ProofReason.ZIP_OVERLAP: ReasonText(
            "Entries of the archive overlap.",
            "压缩包内文件相互重叠。",
        ),
        ProofReason.ZIP_GAP: ReasonText(
            "The archive holds bytes that belong to no entry.",
            "压缩包内有不属于任何文件的字节。",
        ),
        ProofReason.ZIP_PREPENDED: ReasonText(
            "Something stands before the archive.",
            "压缩包之前有多余内容。",
        ),
        ProofReason.ZIP_TRAILING: ReasonText(
            "Something stands after the archive.",
            "压缩包之后有多余内容。",
        ),
        ProofReason.ZIP_DAMAGED: ReasonText(
            "An entry of the archive does not unpack to what the directory says.",
            "压缩包内文件已损坏。",
        ),
        ProofReason.XML_DTD: ReasonText(
            "An XML file has a document type, which could bring in other content.",
            "XML 文件含有文档类型声明(DTD)。",
        ),
        ProofReason.XML_TOO_LARGE: ReasonText(
            "An XML file is larger or nests deeper than allowed.",
            "XML 文件过大或嵌套过深。",
        ),
        ProofReason.XML_MALFORMED: ReasonText(
            "An XML file is not well formed.",
            "XML 文件格式不正确。",
        ),
        ProofReason.OFD_STRUCTURE: ReasonText(
            "The document lacks what an OFD document must have, or has it twice.",
            "OFD 文档结构缺失或重复。",
        ),
        ProofReason.OFD_LOCATION: ReasonText(
            "A reference inside the document leads out of it.",
            "OFD 文档内的引用指向包外。",
        ),
        ProofReason.OFD_SEVERAL_DOCUMENTS: ReasonText(
            "The package holds several documents; only one is read.",
            "OFD 包内含多个文档，此处只核验单个文档。",
        ),
        ProofReason.OFD_NOT_SEALED: ReasonText(
            "The document carries no seal.",
            "文档没有电子印章。",
        ),
        ProofReason.OFD_SIGNATURE_LIST: ReasonText(
            "The list of signatures names one signature twice.",
            "签名列表重复登记同一签名。",
        ),
        ProofReason.OFD_DIGEST_BROKEN: ReasonText(
            "The files are protected by MD5 or SHA-1, which can be forged.",
            "文件摘要采用 MD5 或 SHA-1,可被伪造。",
        ),
        ProofReason.OFD_METHOD_UNKNOWN: ReasonText(
            "The method of the digests or of the signature is not computed here.",
            "摘要或签名算法此处无法核验。",
        ),
        ProofReason.OFD_METHOD_DIFFERS: ReasonText(
            "The signature is of another method than the document names.",
            "签名算法与文档所写不符。",
        ),
        ProofReason.OFD_FILE_MISSING: ReasonText(
            "A file that the document refers to is not there.",
            "文档引用的文件不存在。",
        ),
        ProofReason.OFD_FILE_CHANGED: ReasonText(
            "A file was changed after it was sealed.",
            "文件在盖章后被改动。",
        ),
        ProofReason.OFD_FILE_UNLISTED: ReasonText(
            "A file was added that the seal does not protect.",
            "含有未受印章保护的文件。",
        ),
        ProofReason.OFD_FILE_LISTED_TWICE: ReasonText(
            "A file is protected twice.",
            "同一文件被重复列入保护范围。",
        ),
        ProofReason.OFD_BARE_SIGNATURE: ReasonText(
            "The document carries a signature without a seal, and its key is not known.",
            "文档仅有数字签名而无印章，且签名密钥未知。",
        ),
        ProofReason.OFD_SEAL_DIFFERS: ReasonText(
            "The seal that is shown is not the one that sealed.",
            "所示印章与签章中的印章不一致。",
        ),
        ProofReason.OFD_SCOPE_DIFFERS: ReasonText(
            "The signature was made for another place in a document.",
            "签章所声明的保护范围与其位置不符。",
        ),
        ProofReason.OFD_SCOPE_UNKNOWN: ReasonText(
            "The signature does not name the place in a document that it was made for.",
            "签章未写明其所针对的文档位置。",
        ),
        ProofReason.OFD_STAMP: ReasonText(
            "The seal is shown where there is no page or no box.",
            "印章显示位置无效。",
        ),
    }
)
