"""The rules of authorities, systems and enrolments, and what a person reads when one is broken."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hub.domain import names
from hub.errors import HubError, Reason, Text, Violation


def broken(field: str, rule: str) -> Violation:
    """`rule` as broken by `field`."""
    text = RULES[rule]
    return Violation(field, rule, text.en, text.zh)


def refuse(found: Iterable[Violation | None]) -> None:
    """Raise HubError(FIELD_INVALID) with everything found; return where nothing was."""
    violations = tuple([violation for violation in found if violation is not None])
    if violations:
        first = violations[0]
        raise HubError(
            Reason.FIELD_INVALID, violations=violations, field=first.field, rule=first.rule
        )


def id_violation(field: str, value: str) -> Violation | None:
    """Whether `value` can be the id of a resource."""
    try:
        names.check_id(value, field=field)
    except HubError as error:
        return error.violations[0]
    return None


RULES: Final = {
    "names.count": Text(
        "an authority has 1 to 50 names; give at least the present one",
        "机构名称应为1至50个，至少应有现行名称",
    ),
    "names.present": Text(
        "exactly one name has no last day: the present one",
        "应有且仅有一个名称没有截止日期，即现行名称",
    ),
    "names.order": Text(
        "the last day of a name lies before its first day",
        "名称的截止日期早于起始日期",
    ),
    "uscc.taken": Text(
        "another authority has this credit code; use that authority",
        "该统一社会信用代码已属于另一机构，请使用已有机构",
    ),
    "region.form": Text(
        "a region has six digits (GB/T 2260)",
        "行政区划代码应为六位数字（GB/T 2260）",
    ),
    "level.range": Text(
        "a level is 1 national, 2 provincial, 3 city, 4 county or 5 other (GB/T 36902)",
        "机构层级应为1国家、2省、3市、4县、5其他（GB/T 36902）",
    ),
    "successors.known": Text(
        "a successor is another authority that is registered here",
        "承继机构应为已登记的其他机构",
    ),
    "successors.count": Text(
        "there are at most 20 successors, each once",
        "承继机构最多20个且不重复",
    ),
    "successors.live": Text(
        "a successor is another registered authority that has no successor itself, named once",
        "承继机构应为已登记、自身未被承继的其他机构，且只列一次",
    ),
    "authority.ended": Text(
        "the authority has been succeeded by others; turn to its successors",
        "该机构已被承继，请改用承继机构",
    ),
    "reorganization.either": Text(
        "an authority gets either a new name or successors",
        "应为更名或由其他机构承继，二者择一",
    ),
    "day.order": Text(
        "the day lies after the first day of the present name, and not after today",
        "日期应晚于现行名称的起始日期，且不晚于今天",
    ),
    "systems.whole": Text(
        "every active system of the authority goes to exactly one successor",
        "该机构的每个有效系统都应归入且只归入一个承继机构",
    ),
    "types.whole": Text(
        "every type and service item that the authority answers for goes to exactly one successor, "
        "and of a split every type of which it has issued certificates too",
        "该机构负责的每个证照类型和事项都应归入且只归入一个承继机构；分立时其颁发过证照的类型亦同",
    ),
    "authority.known": Text(
        "no authority of this name is registered; register it first",
        "没有登记该名称的机构，请先登记机构",
    ),
    "role.known": Text(
        "a role is department, platform, connector, converter, auditor or monitor",
        "角色应为部门系统、平台、连接器、转换员、审计或监控之一",
    ),
    "x509.form": Text(
        "not an X.509 certificate in DER with a P-256 key, of at most 8192 bytes",
        "不是不超过8192字节、密钥为 P-256 的 DER 格式 X.509 证书",
    ),
    "x509.untrusted": Text(
        "the X.509 certificate does not chain to a client authority that this hub trusts",
        "该 X.509 证书不能追溯到本枢纽信任的客户端证书机构",
    ),
    "x509.in_force": Text(
        "the X.509 certificate is not in force today; have a new one issued",
        "该 X.509 证书当前不在有效期内，请重新签发",
    ),
    "x509.usage": Text(
        "the X.509 certificate is not for TLS clients (extended key usage clientAuth, no CA)",
        "该 X.509 证书不是 TLS 客户端证书（扩展密钥用途应含 clientAuth，且非 CA）",
    ),
    "csr.form": Text(
        "not a PKCS#10 request in DER with a P-256 key, of at most 8192 bytes",
        "不是不超过8192字节、密钥为 P-256 的 DER 格式 PKCS#10 请求",
    ),
    "csr.signature": Text(
        "the request is not signed by the key in it; make it where the private key is",
        "该请求不是由其中的密钥签名，请在持有私钥的系统上重新生成",
    ),
    "csr.other_key": Text(
        "the request was made with another key than the X.509 certificate holds",
        "该请求所用密钥与 X.509 证书中的密钥不同",
    ),
    "credential.proof": Text(
        "the proof of the authenticator's credential does not hold, or is another officer's; make "
        "it anew with an authenticator that verifies its user and keeps the key to itself",
        "认证器凭据的证明不成立或属于他人；请使用核验使用者且密钥不可复制的认证器重新制作",
    ),
    "signing.required": Text(
        "systems of this role sign; add a request made with the signing key",
        "该角色的系统须签名，请提供以签名密钥生成的请求",
    ),
    "signing.unwanted": Text(
        "systems of this role sign nothing; leave the signing request empty",
        "该角色的系统不签名，签名密钥请求应为空",
    ),
    "signing.same_key": Text(
        "the signing key must not be the key of the X.509 certificate; make two keys",
        "签名密钥不得与 X.509 证书密钥相同，请使用两把密钥",
    ),
    "key.used": Text(
        "this key or X.509 certificate was enrolled before; make a new one",
        "该密钥或 X.509 证书曾经登记，请生成新的密钥",
    ),
    "officer.known": Text(
        "an officer of this name is enrolled; hand the office over, or choose another name",
        "已有该名称的安全员，请办理移交或另选名称",
    ),
    "officer.unknown": Text(
        "the roster has no officer of this name; see `sealway officer list`",
        "名册中没有该安全员，可用 sealway officer list 查看",
    ),
    "officer.own_key": Text(
        "officers rotate their own keys; for a new person hand the office over",
        "安全员只能更换本人密钥；人员变动请办理移交",
    ),
    "officers.too_few": Text(
        "too few officers would remain: one proposes, and as many others as the quorum approve; "
        "enrol another one first, or lower the quorum",
        "剩余安全员过少：一人提出，其余须达到法定人数；请先登记其他安全员或降低法定人数",
    ),
    "officers.display": Text(
        "fewer than two officers would remain whose keys are not asked by a browser; officers, "
        "quorum and keys are changed with the approval of one of them",
        "以非浏览器方式审批的安全员将少于两名；变更安全员、法定人数和密钥须有其中一名批准",
    ),
    "officers.too_many": Text("a roster has at most 64 officers", "名册最多64名安全员"),
    "absence.order": Text(
        "an absence ends after it begins and after now, and lasts at most 366 days",
        "缺席的截止时间应晚于起始时间和当前时间，且最长366天",
    ),
    "substitute.standby": Text(
        "a substitute or successor is another officer who is enrolled on standby",
        "代理人或接任人应为另一名候补安全员",
    ),
}
