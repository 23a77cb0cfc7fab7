"""Every rule that data can break, with what a person reads about it.

A rule's name is public and machine-readable: it stands in violations, in quarantine reports and in
the `rules` of a signed row, and is never renamed. A text names no value: data may be personal.
"""

from __future__ import annotations

from typing import Final

from hub.errors import Text, Violation


def violation(field: str, rule: str, **details: str | int) -> Violation:
    """`rule` as broken by `field`, both texts filled in with `details`."""
    text = RULES[rule]
    return Violation(
        field=field, rule=rule, en=text.en.format_map(details), zh=text.zh.format_map(details)
    )


RULES: Final[dict[str, Text]] = {
    "id.form": Text(
        "an id has 3 to 63 of a-z, 0-9 and hyphen and does not begin with a hyphen",
        "编号应为3至63位小写字母、数字或连字符，且不以连字符开头",
    ),
    "uscc.length": Text(
        "a unified social credit code has 18 characters (GB 32100); complete it",
        "统一社会信用代码应为18位（GB 32100），请补全",
    ),
    "uscc.alphabet": Text(
        "a character does not occur in credit codes (GB 32100: digits and capitals without "
        "I O S V Z); often O stands for 0 or I for 1",
        "含有统一社会信用代码不使用的字符（GB 32100：数字及除 I O S V Z 外的大写字母），"
        "常见为将 0 误写作 O、1 误写作 I",
    ),
    "uscc.organisation_check": Text(
        "positions 9 to 17 are not a valid organisation code (GB 11714); compare with the licence",
        "第9至17位主体标识码校验不通过（GB 11714），请核对证照原件",
    ),
    "uscc.check": Text(
        "the last character does not fit the others (GB 32100); compare with the licence",
        "统一社会信用代码校验位不符（GB 32100），请核对证照原件",
    ),
    "organisation_code.form": Text(
        "an organisation code has 8 digits or capitals and one check character (GB 11714)",
        "组织机构代码应为8位数字或大写字母加1位校验码（GB 11714）",
    ),
    "organisation_code.check": Text(
        "the last character does not fit the others (GB 11714); compare with the original",
        "组织机构代码校验码不符（GB 11714），请核对原件",
    ),
    "citizen.length": Text(
        "a citizen number has 18 characters, an old one 15 (GB 11643); complete it",
        "公民身份号码应为18位，旧号码为15位（GB 11643），请补全",
    ),
    "citizen.digits": Text(
        "a citizen number holds digits only, X at most as its last character (GB 11643); "
        "a masked number cannot be used",
        "公民身份号码只能由数字组成，末位可为 X（GB 11643）；不接受打码的号码",
    ),
    "citizen.date": Text(
        "the birth date inside the citizen number does not exist (GB 11643)",
        "公民身份号码中的出生日期不存在（GB 11643）",
    ),
    "citizen.check": Text(
        "the last character does not fit the others (GB 11643); compare with the document",
        "公民身份号码校验码不符（GB 11643），请核对证件原件",
    ),
    "identifier.form": Text(
        "a certificate identifier has six parts after its root: "
        "1.2.156.3005.2.type.issuer.serial.version.check (GB/T 36904)",
        "电子证照标识应为“1.2.156.3005.2.类型.颁发机构.流水号.版本.校验位”（GB/T 36904）",
    ),
    "identifier.root": Text(
        "a certificate identifier begins with 1.2.156.3005.2 (GB/T 36904)",
        "电子证照标识应以 1.2.156.3005.2 开头（GB/T 36904）",
    ),
    "identifier.type_code": Text(
        "the type code is a credit code and three digits from 001 to 999 (GB/T 36904)",
        "证照类型代码应为统一社会信用代码加 001 至 999 的三位顺序号（GB/T 36904）",
    ),
    "identifier.issuer": Text(
        "the issuer is not a valid credit code (GB/T 36904)",
        "证照颁发机构代码不是有效的统一社会信用代码（GB/T 36904）",
    ),
    "identifier.serial": Text(
        "the serial has 1 to 64 digits or capital letters (GB/T 36904)",
        "流水号应为1至64位数字或大写字母（GB/T 36904）",
    ),
    "identifier.version": Text(
        "the version has three digits from 001 to 999 (GB/T 36904)",
        "版本号应为 001 至 999 的三位数字（GB/T 36904）",
    ),
    "identifier.check": Text(
        "the check character does not fit the rest (ISO 7064 MOD 37,36)",
        "校验位不符（ISO 7064 MOD 37,36）",
    ),
    "identifier.other_type": Text(
        "the identifier is one of another certificate type than the certificate's own",
        "该标识属于其他证照类型，与本证照类型不符",
    ),
    "holder.type": Text(
        "the holder's type is neither in Annex A of GB/T 36903 nor an area (901, 902)",
        "持证主体代码类型既不在 GB/T 36903 附录A 中，也不是区域（901、902）",
    ),
    "holder.form": Text(
        "a holder's number has 3 to 64 letters, digits, hyphens, brackets or middle dots",
        "持证主体代码应为3至64位字母、数字、汉字、连字符、括号或间隔号",
    ),
    "holder.zone": Text(
        "the code of an area has 4 to 24 digits or capital letters, as its list writes it",
        "区域代码应为4至24位数字或大写字母，以其目录为准",
    ),
    "holder.parcel": Text(
        "the code of a parcel has 12 digits, two capital letters and 5 digits (GB/T 37346)",
        "宗地代码应为12位数字、2位大写字母和5位数字（GB/T 37346）",
    ),
    "holder.kind": Text(
        "this certificate type is held by {kind} only",
        "该证照类型的持证主体只能是 {kind}（person 自然人、organisation 组织、area 区域）",
    ),
    "holder.missing": Text(
        "the row names no holder, and this certificate type allows no certificate without one",
        "该行没有持证主体，而该证照类型不允许没有持证主体的证照",
    ),
    "link.self": Text(
        "the two identifiers are the same; name the other one",
        "两个标识相同，请填写另一个标识",
    ),
    "link.fifteen_to_eighteen": Text(
        "the old number is of type 999 and has 15 digits, and the certificate's holder is the "
        "citizen number that GB 11643 makes of it; compare both with the documents",
        "旧号码的类型应为 999 且为15位数字，证照持证主体应为其按 GB 11643 升位所得的公民身份号码，"
        "请核对证件原件",
    ),
    "link.renewed_document": Text(
        "a renewed document has a number of the same type as before, and is no citizen number",
        "换发证件的新旧号码类型应相同，且不得为公民身份号码",
    ),
    "link.permit": Text(
        "one of the two is a permit (511 or 516), the other one another document of that person",
        "两个标识之一应为港澳台居民通行证（511 或 516），另一个应为该人的其他证件",
    ),
    "link.rename": Text(
        "both identifiers are those of organisations", "两个标识均应为法人或其他组织的代码"
    ),
    "link.merger": Text(
        "both identifiers are those of organisations", "两个标识均应为法人或其他组织的代码"
    ),
    "link.too_many": Text(
        "at most {limit} identifiers hang together; take back a link that is not needed",
        "相互关联的标识最多 {limit} 个，请先解除不需要的关联",
    ),
    "link.one_holder": Text(
        "the seal of this certificate names one holder; name another certificate of yours",
        "该证照的印章应只载明一个持证主体，请指定本机构的另一证照",
    ),
    "event.holder": Text(
        "this happens to a holder of the kind {kind} only; the certificate's holder is another",
        "该事件只适用于 {kind} 类持证主体，与该证照的持证主体不符",
    ),
    "value.digest": Text(
        "the value should be a SHA-256 digest: 43 characters of base64url without padding",
        "值应为 SHA-256 摘要：43位 base64url，不含填充",
    ),
    "value.base64": Text(
        "the value should be base64url without padding, of at most {limit} bytes",
        "值应为不含填充的 base64url，最多 {limit} 字节",
    ),
    "value.key": Text(
        "the value should be a P-256 public key as JWK with exactly kty, crv, x and y",
        "值应为 P-256 公钥（JWK），且仅含 kty、crv、x、y",
    ),
    "value.future": Text("the day is not one to come", "日期不得晚于今天"),
    "type.code": Text(
        "a type code is the defining authority's credit code and three digits from 001 to 999",
        "证照类型代码应为定义机构的统一社会信用代码加 001 至 999 的三位顺序号",
    ),
    "type.authority": Text(
        "the type code does not begin with the defining authority's credit code",
        "证照类型代码的前18位与定义机构代码不一致",
    ),
    "type.format": Text("the format version is 1 or 2", "格式版本应为 1 或 2"),
    "type.issuer": Text(
        "issuing authorities are valid credit codes; without any, issuing levels are named",
        "颁发机构应为有效的统一社会信用代码；未列出颁发机构时应列出颁发机构级别",
    ),
    "type.successor": Text(
        "successors are type codes of 21 characters other than its own",
        "承继类型应为21位证照类型代码，且不为其自身",
    ),
    "type.validity": Text(
        "validity names years, months or days, or allows long term",
        "有效期限范围应列出年、月或天数，或允许长期",
    ),
    "type.retention": Text(
        "the retention class is a name of lower-case letters, digits and hyphens",
        "保管期限类别应由小写字母、数字和连字符组成",
    ),
    "field.count": Text("a certificate type has 1 to 64 fields", "证照类型应有 1 至 64 个字段"),
    "field.name": Text(
        "a field name is a letter, then at most 63 letters, digits or underscores",
        "字段名应以字母开头，其后最多63位字母、数字或下划线",
    ),
    "field.reserved": Text(
        "this name has a meaning in the seal's format; choose another",
        "该名称为印章格式保留，请另选",
    ),
    "field.duplicate": Text("this name occurs twice", "字段名重复"),
    "field.order": Text(
        "fields stand in the order of their order numbers, each once",
        "字段应按顺序号排列且不重复",
    ),
    "field.short_name": Text(
        "a short name is a capital letter, then at most 31 capitals, digits or underscores",
        "短名应以大写字母开头，其后最多31位大写字母、数字或下划线",
    ),
    "field.pattern": Text(
        "the rule is neither a known checker nor a pattern of at most 256 characters",
        "规则既不是已知校验名，也不是不超过256字符的有效正则表达式",
    ),
    "member.unknown": Text("this member is not known", "未知的成员"),
    "member.missing": Text("this member is missing", "缺少该成员"),
    "member.kind": Text("the value should be {kind}", "值的类型应为 {kind}"),
    "member.list": Text(
        "the value should be a list of at most {most}", "值应为至多 {most} 项的列表"
    ),
    "member.repeated": Text("the list names something twice", "列表中有重复项"),
    "value.range": Text(
        "the value should be an integer from {least} to {most}", "值应为 {least} 至 {most} 的整数"
    ),
    "item.code": Text(
        "a service item's code has 3 to 63 digits, capital letters or hyphens and begins with no "
        "hyphen",
        "事项编码应为3至63位数字、大写字母或连字符，且不以连字符开头",
    ),
    "item.stale": Text(
        "version {edited} was edited, and version {newest} is on file; export the item again and "
        "edit that",
        "所编辑的是第 {edited} 版，而库中已是第 {newest} 版；请重新导出后再编辑",
    ),
    "item.repeated": Text("this item occurs twice in the import", "导入内容中该事项重复"),
    "item.retired": Text(
        "this item is retired and takes no new version", "该事项已废止，不再接受新版本"
    ),
    "item.type_unknown": Text(
        "no certificate type {code} is published; publish it first",
        "证照类型 {code} 尚未发布，请先发布",
    ),
    "item.field_unknown": Text(
        "certificate type {code} has no face field {name}",
        "证照类型 {code} 没有照面字段 {name}",
    ),
    "item.material_id": Text(
        "a material's id has 1 to 32 lower-case letters, digits or hyphens, once per item",
        "材料标识应为1至32位小写字母、数字或连字符，且在同一事项内不重复",
    ),
    "item.type": Text(
        "a certificate type code has 21 characters: credit code and number (GB/T 36904)",
        "证照类型代码应为21位：统一社会信用代码加3位顺序号（GB/T 36904）",
    ),
    "item.condition": Text(
        "a condition is one of fact with equals, in or at_least; all; any; not; 32 parts and 4 "
        "levels at most",
        "条件应为 fact 加 equals、in 或 at_least 之一，或 all、any、not；最多32个部分、4层",
    ),
    "face.size": Text(
        "a face template has at most {limit} bytes; make its pictures smaller",
        "证照样式模板最多 {limit} 字节，请缩小其中的图片",
    ),
    "face.format": Text("the format version of a template is 1", "模板格式版本应为 1"),
    "face.page": Text(
        "a page is 10 to {most} mm wide and high", "版面宽高应在 10 至 {most} 毫米之间"
    ),
    "face.lengths": Text(
        "write {count} lengths in millimetres with at most two decimals, parted by one space",
        "应为以一个空格分隔的 {count} 个毫米长度，最多两位小数",
    ),
    "face.range": Text("the length is {least} to {most} mm", "长度应在 {least} 至 {most} 毫米之间"),
    "face.box": Text("a box is wider and higher than nothing", "框的宽和高应大于零"),
    "face.outside": Text("it does not lie on the page; move it", "超出版面，请移动位置"),
    "face.colour": Text("a colour is written #rrggbb", "颜色应写作 #rrggbb"),
    "face.size_min": Text("the smallest size is not larger than the size", "最小字号不得大于字号"),
    "face.picture": Text(
        "the picture is no PNG or SVG in base64 that would be taken for a seal; check it alone",
        "图片应为 base64 编码的 PNG 或 SVG，且符合印章图片的要求",
    ),
    "face.type": Text("the template is of another type than {code}", "模板不属于证照类型 {code}"),
    "face.type_version": Text(
        "the template is not of version {version} of its type; compare its fields and raise it",
        "模板不是该类型第 {version} 版的，请核对字段后更新版本号",
    ),
    "face.unknown_field": Text(
        "the type has no such field, and no face value is called so; correct the name",
        "该类型没有此照面字段，也没有此照面要素，请更正名称",
    ),
    "face.field_missing": Text(
        "{name} must stand on the face; place it", "照面必须载明 {name}，请为其安排位置"
    ),
    "face.way": Text(
        "values of this field are not written in this way; name another or none",
        "该字段的值不能用此写法，请改用其他写法或不填",
    ),
    "face.text_overflow": Text(
        "the text does not fit its box; make the box larger or the size smaller",
        "文字放不进框内，请加大框或减小字号",
    ),
    "face.overlap": Text("it lies over {other}; move one of them", "与 {other} 重叠，请移动其一"),
    "face.code_small": Text(
        "the place of the code is {least} mm or more on each side, or paper copies are not read",
        "二维码位置边长不得小于 {least} 毫米，否则纸件无法识读",
    ),
    "face.may_overflow": Text(
        "{capacity} wide characters of {name} fit, and the type allows {longest}; a longer value "
        "is refused when it comes",
        "{name} 可容纳 {capacity} 个汉字，而类型允许 {longest} 个；更长的值届时会被拒绝",
    ),
    "picture.size": Text(
        "a picture has at most {limit} bytes; save it smaller", "图片最多 {limit} 字节，请缩小"
    ),
    "picture.kind": Text(
        "a picture is PNG or SVG; save it as one of them", "图片应为 PNG 或 SVG，请另存"
    ),
    "picture.side": Text(
        "a picture has at most {limit} pixels on each side; save it smaller",
        "图片每边最多 {limit} 像素，请缩小",
    ),
    "picture.pixels": Text(
        "a picture has at most {limit} pixels; save it smaller", "图片最多 {limit} 像素，请缩小"
    ),
    "picture.png": Text(
        "the PNG is damaged or cut off; save it anew", "PNG 已损坏或不完整，请重新保存"
    ),
    "picture.animated": Text(
        "the PNG is animated; save one frame of it", "PNG 为动画，请保存其中一帧"
    ),
    "picture.trailing": Text(
        "something follows the PNG in its file; save it anew", "PNG 文件末尾有多余内容，请重新保存"
    ),
    "picture.svg": Text(
        "the SVG is no plain, well-formed SVG in UTF-8 that can be drawn; export it as plain SVG",
        "SVG 不是可绘制的规范 UTF-8 纯 SVG，请导出为纯 SVG",
    ),
    "picture.svg_element": Text(
        "the SVG holds something other than shapes; turn text into outlines, remove scripts, "
        "styles, links and pictures, and export it as plain SVG",
        "SVG 含有图形以外的内容；请将文字转为轮廓，去除脚本、样式、链接和位图后导出为纯 SVG",
    ),
    "picture.svg_attribute": Text(
        "the SVG has an attribute beyond shapes and colours; export it as plain SVG",
        "SVG 含有图形和颜色以外的属性，请导出为纯 SVG",
    ),
    "picture.svg_size": Text(
        "width and height of the SVG are written in mm, 1mm to {most}mm, such as 40mm",
        "SVG 的宽高应以 mm 书写，1mm 至 {most}mm，例如 40mm",
    ),
    "picture.svg_large": Text(
        "the SVG has more than {limit} elements or is nested too deep; simplify it",
        "SVG 元素超过 {limit} 个或嵌套过深，请简化",
    ),
    "picture.limits": Text(
        "reading or drawing the picture takes too much time or memory; make it simpler",
        "读取或绘制该图片耗时或占用内存过多，请简化",
    ),
    "picture.nothing": Text("the picture shows nothing", "图片中没有可见内容"),
    "json.malformed": Text("not strict JSON: {detail}", "不是严格的 JSON：{detail}"),
    "ruling.future": Text("the decision is not of a day to come", "决定日期不得晚于今天"),
    "ruling.body": Text(
        "to restore a certificate, name the review body or court that decided",
        "恢复证照须填写作出决定的复议机关或法院",
    ),
    "ruling.cause": Text(
        "a cause is named to deregister a certificate, and for nothing else",
        "注销证照须填写注销原因，其他操作不填",
    ),
    "row.size": Text("a row has at most {limit} bytes", "一行数据最多 {limit} 字节"),
    "row.version": Text("the format version is 1", "格式版本应为 1"),
    "row.op": Text("the operation is one of {known}", "操作应为 {known} 之一"),
    "row.relation": Text("a relation is one of {known}", "关联关系应为 {known} 之一"),
    "row.association_self": Text(
        "the certificate names itself; an association names another one or an earlier version",
        "证照关联了自身，关联标识应为其他证照或较早版本",
    ),
    "row.association_cycle": Text(
        "the certificate would go back to itself over those it names; correct the relation in the "
        "source",
        "沿关联标识追溯会回到该证照自身，请在来源系统中更正关联关系",
    ),
    "row.association_chain": Text(
        "the certificates that it goes back to are more than can be followed; name the last one "
        "of the chain only",
        "可追溯的关联证照过多，请只关联链条中的最后一个",
    ),
    "row.origin": Text(
        "the origin is scan, or absent for what the authority's own system says",
        "来源形式应为 scan（扫描件），系统数据不填",
    ),
    "row.attestation_missing": Text(
        "a scan carries the attestation of a conversion officer who compared it with the original "
        "(与原件核对无误); have it attested with `sealway connect attest`",
        "扫描件须附转换员“与原件核对无误”的签名声明，请使用 sealway connect attest 签署",
    ),
    "row.attestation_unwanted": Text(
        "only a scan carries an attestation; say so by its origin, or leave it out",
        "仅扫描件附核对声明；请填写来源形式 scan，或去掉声明",
    ),
    "row.attestation": Text(
        "the attestation of the scan does not hold: {en} Have it attested again.",
        "扫描件的核对声明无效：{zh}请重新核对签署。",
    ),
    "row.attestation_officer": Text(
        "who attests is no conversion officer of the authority whose row it is",
        "签署人不是该机构的转换员",
    ),
    "row.count": Text("there are at most {limit} of these", "最多 {limit} 个"),
    "row.serial": Text(
        "a serial has 1 to 64 digits or capital letters",
        "流水号应为1至64位数字或大写字母",
    ),
    "row.validity": Text("the validity ends before it begins", "有效期截止日期早于起始日期"),
    "row.source_time": Text(
        "the source's time is ISO 8601 with a zone, such as 2026-01-31T08:00:00+08:00",
        "来源时间应为带时区的 ISO 8601，例如 2026-01-31T08:00:00+08:00",
    ),
    "row.rules": Text(
        "each is [field, rule], both short texts", "每项应为 [字段, 规则] 两个短文本"
    ),
    "type.next_version": Text(
        "the next version of this type is {next}; versions follow one another",
        "该类型的下一个版本应为 {next}，版本号应连续",
    ),
    "row.serial_taken": Text(
        "another certificate of this type has this serial; compare both in the source",
        "该流水号已被同类型的另一证照使用，请在来源系统中核对",
    ),
    "row.serial_other": Text(
        "the certificate with this number is on file under another serial; a serial never changes",
        "该编号的证照已以另一流水号入库，流水号不得变更",
    ),
    "row.stale": Text(
        "a later state of this certificate is on file already; nothing to do",
        "库中已有该证照更新的状态，无需处理",
    ),
    "row.ended": Text(
        "the certificate is revoked, withdrawn, annulled or deregistered and takes no change",
        "该证照已终止（吊销、撤回、撤销或注销），不接受变更",
    ),
    "row.suspended": Text(
        "the certificate is suspended and takes no change before it is resumed",
        "该证照处于暂扣状态，发还前不接受变更",
    ),
    "row.type_retired": Text(
        "this certificate type is retired and nothing new is issued under it; use its successor",
        "该证照类型已废止，不再签发新证照，请使用其承继类型",
    ),
    "row.objection": Text(
        "a correction may name the objection that it answers, objections/{{objection}}; nothing "
        "else does",
        "更正数据可注明所答复的异议（objections/{{objection}}），其他操作不得注明",
    ),
    "row.objection_open": Text(
        "no open objection to this certificate has this name; list them and correct without it, or "
        "name the right one",
        "该证照没有此名称的待处理异议；请查询异议后更正名称，或不注明异议",
    ),
    "row.objection_unmet": Text(
        "the row says the same as before of everything that the objection is about; correct that, "
        "or answer the objection instead",
        "该行对异议所涉各项与原数据一致；请更正相应内容，或直接答复该异议",
    ),
    "row.ruling": Text(
        "a revocation carries its ruling: legal_basis, document and decision_date; nothing else "
        "does",
        "吊销须附决定：法律依据、文号和决定日期；其他操作不附",
    ),
    "row.predecessors": Text(
        "several of the authorities that yours has succeeded issued a certificate of this type "
        "with this number, so it cannot be told which is meant; change each by its name instead",
        "贵机构承继的多个机构都曾颁发过此类型、此编号的证照，无法确定所指；请按证照名称分别办理",
    ),
    "row.not_on_file": Text(
        "no certificate with this number is on file, so there is nothing to revoke",
        "库中没有该编号的证照，无可吊销",
    ),
    "row.versions": Text(
        "the certificate has reached version 999, the last one (GB/T 36904)",
        "该证照已达到最大版本号 999（GB/T 36904）",
    ),
    "value.unknown_field": Text("the certificate type has no such field", "该证照类型没有此字段"),
    "value.required": Text("this field is required and has no value", "必填字段没有值"),
    "value.length": Text("the text has more than {limit} characters", "文本超过 {limit} 个字符"),
    "value.control": Text(
        "the text holds a NUL or another control character; remove it at the source",
        "文本含有 NUL 或其他控制字符，请在来源系统中清除",
    ),
    "value.empty": Text("the text is empty", "文本为空"),
    "value.text": Text("the value should be a text", "值应为文本"),
    "value.date": Text(
        "the value should be a date that exists, as YYYY-MM-DD",
        "值应为真实存在的日期，格式 YYYY-MM-DD",
    ),
    "value.integer": Text("the value should be an integer", "值应为整数"),
    "value.amount": Text(
        "the value should be a decimal number and a currency, such as 500000.00 CNY",
        "值应为十进制数和币种，例如 500000.00 CNY",
    ),
    "value.boolean": Text("the value should be true or false", "值应为 true 或 false"),
    "value.code": Text(
        "a code has 1 to 128 characters without spaces", "代码应为1至128个字符，不含空格"
    ),
    "value.pattern": Text(
        "the value does not have the form that the certificate type demands",
        "值不符合该证照类型规定的格式",
    ),
}
