"""`sealway doctor`: is this hub fit to run, and what to do where it is not?

A check that could not be made is a fault, never a pass.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer
from cryptography import x509

from connectors.client import HubClient
from connectors.profile import load_profile, read_bounded
from hub.cli.serve import ConfigOption
from hub.cli.session import JsonOption
from hub.cli.terminal import ExitCode, Terminal
from hub.clock import legal_day, now_us
from hub.config import Config, load
from hub.domain.crypto import CryptoProfile
from hub.domain.seal_key import KeyAlgorithm
from hub.errors import HubError, Reason
from hub.proof import sm2
from hub.proof.moment import iso_time
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofError
from hub.storage.aead import has_sm4

if TYPE_CHECKING:
    from hub.storage.database import Database

_T = TypeVar("_T")

app = typer.Typer()

CERTIFICATE_BYTES_MAX: Final = 1024 * 1024
HEAD_BYTES_MAX: Final = 131_072
KEYS_NAMED_MAX: Final = 20
EXPIRY_WARNING: Final = timedelta(days=30)
ALGORITHM_WARNING: Final = timedelta(days=365)
FREE_BYTES_MIN: Final = 1024**3

# A clock behind what was already signed would sign receipts out of order.
CLOCK_BEHIND_MAX_S: Final = 60
CLOCK_LEAST: Final = datetime(2026, 1, 1, tzinfo=UTC)

_TOO_OPEN: Final = 0o037
_OWN_HOMES: Final = frozenset({"files", "pkcs11"})


class Mark(StrEnum):
    """How a check ended."""

    GOOD = "good"
    WARNING = "warning"
    FAULT = "fault"


_SIGNS: Final = {Mark.GOOD: "✔", Mark.WARNING: "!", Mark.FAULT: "✘"}


@dataclass(frozen=True, slots=True)
class Said:
    """A text in both languages."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and what to do where it is not good."""

    check: Said
    mark: Mark
    detail: Said
    remedy: Said = Said("", "")


@app.command()
def doctor(
    config: ConfigOption = Path("hub.toml"),
    profile: Annotated[
        Path | None,
        typer.Option(
            "--profile",
            help="Whose certificate asks whether the hub serves; otherwise the first officer's.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check configuration, keys, certificates, database, log, clock, disk and the running hub.

    Exit code 0 where nothing is at fault, else 1.

    Example: sealway doctor --config ./home/hub.toml
    """
    terminal = Terminal(as_json)
    findings = list(examine(config, profile))
    faults = [finding for finding in findings if finding.mark is Mark.FAULT]
    terminal.document(
        {
            "healthy": not faults,
            "checks": [
                {
                    "check": finding.check.en,
                    "mark": finding.mark.value,
                    "detail": {"en": finding.detail.en, "zh": finding.detail.zh},
                    "remedy": {"en": finding.remedy.en, "zh": finding.remedy.zh},
                }
                for finding in findings
            ],
        }
    )
    terminal.table(
        (("", ""), ("check", "检查项"), ("found", "结果"), ("what to do", "处理办法")),
        [
            (
                _SIGNS[finding.mark],
                terminal.choose(finding.check.en, finding.check.zh),
                terminal.choose(finding.detail.en, finding.detail.zh),
                terminal.choose(finding.remedy.en, finding.remedy.zh),
            )
            for finding in findings
        ],
    )
    if faults:
        terminal.say(f"{len(faults)} at fault.", f"{len(faults)} 项有问题。")
        raise typer.Exit(ExitCode.REFUSED)
    terminal.say("Nothing at fault.", "未发现问题。")


def examine(file: Path, profile: Path | None) -> Iterator[Finding]:
    """Every check in order; without a readable configuration there is nothing more to check."""
    check = Said("configuration", "配置")
    if not file.is_file():
        remedy = Said(
            "Name it: --config FILE; or make a hub's home: sealway init DIR",
            "请用 --config FILE 指定，或用 sealway init DIR 创建枢纽目录",
        )
        yield Finding(check, Mark.FAULT, Said(f"{file} is missing", f"没有 {file}"), remedy)
        return
    try:
        config = load(file)
    except HubError as error:
        yield _fault(check, error)
        return
    yield Finding(check, Mark.GOOD, _same(f"{config.hub.origin}, {config.hub.region}"))
    yield from _modes(config)
    yield from _certificates(config)
    yield _profile(config)
    yield _keys(config)
    homes, own_keys = _key_homes(config)
    yield from homes
    yield _algorithms(config)
    yield _national_algorithms()
    yield from _time_stamps(config)
    yield _fonts(config)
    log = _log(config)
    yield log
    if log.mark is not Mark.FAULT:
        for home, here in own_keys.items():
            yield from _recorded_keys(config, home, here)
        yield _seal_keys(config)
        if config.crypto.profile is CryptoProfile.GM:
            yield _national_keys(config)
        yield from _stamped_log(config)
    yield _clock(config)
    yield _disk(config)
    yield _serving(config, profile)


def _profile(config: Config) -> Finding:
    """What stored data is encrypted with, and whether that can be computed here."""
    check = Said("stored data", "存储加密")
    if config.crypto.profile is CryptoProfile.INTERNATIONAL:
        return Finding(check, Mark.GOOD, _same("international: AES-256-GCM, HMAC-SHA256"))
    if has_sm4():
        return Finding(check, Mark.GOOD, _same("gm: SM4-GCM, HMAC-SM3"))
    remedy = Said(
        "Install a cryptography whose OpenSSL has SM4",
        "请安装所带 OpenSSL 支持 SM4 的 cryptography",
    )
    return Finding(check, Mark.FAULT, Said("SM4 is missing", "缺少 SM4"), remedy)


def _modes(config: Config) -> Iterator[Finding]:
    """Secrets are reachable by their owner only."""
    check = Said("file modes", "文件权限")
    keys = config.path(config.keys.folder)
    files = [*sorted(keys.glob("*.key")), config.path(config.keys.passphrase_file)]
    files.append(config.path(config.tls.key))
    missing = [str(path) for path in files if not path.is_file()]
    open_ones = [str(path) for path in files if path.is_file() and path.stat().st_mode & _TOO_OPEN]
    if missing:
        remedy = Said(
            "Restore it from a backup, or run: sealway init", "请从备份恢复，或执行 sealway init"
        )
        names = ", ".join(missing)
        yield Finding(check, Mark.FAULT, Said(f"missing: {names}", f"缺失：{names}"), remedy)
    if open_ones:
        command = f"chmod 600 {' '.join(open_ones)}"
        yield Finding(
            check,
            Mark.FAULT,
            Said(f"reachable by others: {len(open_ones)}", f"他人可访问：{len(open_ones)}"),
            Said(f"Run: {command}", f"请执行：{command}"),
        )
    if not missing and not open_ones:
        yield Finding(check, Mark.GOOD, Said(f"{len(files)} files", f"{len(files)} 个文件"))


def _certificates(config: Config) -> Iterator[Finding]:
    for name, file in (
        (Said("server certificate", "服务器证书"), config.tls.certificate),
        (Said("client anchor", "客户端信任锚"), config.tls.client_ca),
        (Said("seal anchor", "印章信任锚"), config.tls.seal_ca),
    ):
        path = config.path(file)
        try:
            found = x509.load_pem_x509_certificates(
                read_bounded(path, CERTIFICATE_BYTES_MAX, "X.509 certificate")
            )
        except HubError as error:
            yield _fault(name, error)
            continue
        except ValueError:
            remedy = Said("Restore the file.", "请恢复该文件。")
            yield Finding(name, Mark.FAULT, Said(f"{path} is not PEM", f"{path} 不是 PEM"), remedy)
            continue
        yield _expiry(name, found)


def _expiry(check: Said, found: Sequence[x509.Certificate]) -> Finding:
    """The first certificate of a file is the one in use."""
    ends = found[0].not_valid_after_utc
    left = ends - datetime.now(UTC)
    day = f"{ends:%Y-%m-%d}"
    detail = Said(f"until {day}", f"有效期至 {day}")
    remedy = Said(
        "Renew it: python -m certs.pki renew; then restart the hub.",
        "请续期：python -m certs.pki renew，然后重启枢纽。",
    )
    if left <= timedelta():
        return Finding(check, Mark.FAULT, Said(f"ended {day}", f"已于 {day} 到期"), remedy)
    if left < EXPIRY_WARNING:
        return Finding(check, Mark.WARNING, detail, remedy)
    return Finding(check, Mark.GOOD, detail)


def _keys(config: Config) -> Finding:
    from hub.home import open_keys  # noqa: PLC0415 - loads the storage

    check = Said("hub's own keys", "枢纽密钥")
    try:
        keys = open_keys(config)
    except HubError as error:
        return _fault(check, error)
    key_id = keys.log.verifier.id.hex()
    return Finding(check, Mark.GOOD, Said(f"log key {key_id}", f"日志密钥 {key_id}"))


def _key_homes(config: Config) -> tuple[list[Finding], dict[str, frozenset[str]]]:
    """Each home of seals' keys can sign now; a token is logged in to, as sealing would. And which
    keys live in each that is the hub's alone: others may keep keys with a department or a service.
    """
    from hub.home import check_key_homes  # noqa: PLC0415 - loads the storage

    findings, own = list[Finding](), dict[str, frozenset[str]]()
    for name, look in check_key_homes(config).items():
        check = Said(f"seal keys in {name}", f"印章密钥（{name}）")
        try:
            keys = look()
        except HubError as error:
            findings.append(_fault(check, error))
            continue
        if name.startswith("remote-"):
            where = Said("the department's signer", "部门签名服务")
        elif name.startswith("service-"):
            where = Said("a sealing service", "签章服务")
        elif config.seal.signer == "process":
            where = Said("signer process", "签名进程")
        else:
            where = Said("inside the hub", "枢纽进程内")
        detail = Said(f"{keys.count} keys, {where.en}", f"{keys.count} 个密钥，{where.zh}")
        findings.append(Finding(check, Mark.GOOD, detail))
        if name in _OWN_HOMES and keys.ids is not None:
            own[name] = keys.ids
    return findings, own


def _recorded_keys(config: Config, home: str, here: frozenset[str]) -> Iterator[Finding]:
    """The keys that live in a home are those that the hub has recorded; nothing where they are."""
    from hub.seal.seals import compare_home  # noqa: PLC0415 - loads the storage

    check = Said(f"recorded keys in {home}", f"已记录密钥（{home}）")
    try:
        found = asyncio.run(_asked(config, partial(compare_home, home=home, here=here)))
    except HubError as error:
        yield _fault(check, error)
        return
    if found.gone:
        detail = _named(found.gone, "keys are recorded and not there", "个已记录的密钥不在其中")
        remedy = Said(
            "Restore them: the files USE-ID.key into the folder of seal keys, or the token. If "
            "they are lost, have others made and put in force: sealway key generate, sealway key "
            "rotate",
            "请恢复：将 USE-ID.key 文件放回印章密钥目录，或恢复密码设备。如已丢失，请生成新密钥"
            "并启用：sealway key generate，sealway key rotate",
        )
        yield Finding(check, Mark.FAULT, detail, remedy)
    if found.nobodys:
        detail = _named(found.nobodys, "keys that no record knows", "个密钥没有记录")
        remedy = Said(
            "The hub ended while it made or destroyed them; nothing is sealed with them. Execute "
            "the intent again where it is open, then remove them: the file USE-ID.key in the "
            "folder of seal keys, or the object with this id by the token's own tool",
            "枢纽在生成或销毁该密钥时中断，该密钥不会用于签章。如意图仍未执行请重新执行，"
            "然后删除：印章密钥目录中的 USE-ID.key 文件，或用密码设备自带工具删除该标识的对象",
        )
        yield Finding(check, Mark.WARNING, detail, remedy)


def _named(key_ids: Sequence[str], en: str, zh: str) -> Said:
    """How many keys, and which; not all of very many."""
    named = ", ".join(key_ids[:KEYS_NAMED_MAX])
    return Said(f"{len(key_ids)} {en}: {named}", f"{len(key_ids)} {zh}：{named}")


def _algorithms(config: Config) -> Finding:
    """From when to when each algorithm makes new seals; soon over is a warning."""
    check = Said("algorithms of seals", "签章算法")
    days = config.seal.algorithms.days
    today = legal_day(now_us())
    shown = _same(", ".join(f"{one.value} {days[one]}" for one in KeyAlgorithm))
    soon = [
        one.value
        for one, last in ((one, days[one].last) for one in KeyAlgorithm)
        if last is not None and today <= last < today + ALGORITHM_WARNING
    ]
    if not soon:
        return Finding(check, Mark.GOOD, shown)
    names = ", ".join(soon)
    remedy = Said(
        f"Rotate keys of {names} to another algorithm before its last day.",
        f"请在到期前将 {names} 密钥更换为其他算法。",
    )
    return Finding(check, Mark.WARNING, shown, remedy)


def _national_algorithms() -> Finding:
    """SM2 is the system's own; without it everything else goes on."""
    check = Said("national algorithms (SM2)", "国密算法（SM2）")
    try:
        return Finding(check, Mark.GOOD, _same(sm2.implementation()))
    except ProofError as error:
        remedy = Said(
            "Install OpenSSL 3.0 or newer with SM2, if keys or seals of SM2 are used.",
            "如使用 SM2 密钥或印章，请安装支持 SM2 的 OpenSSL 3.0 或更新版本。",
        )
        found = Said(error.detail, TEXTS[error.reason].zh)
        return Finding(check, Mark.WARNING, found, remedy)


def _time_stamps(config: Config) -> Iterator[Finding]:
    """One time stamp is asked for, as sealing would; nothing where none is configured."""
    if not config.seal.tsa_url:
        return
    from hub.home import open_time_stamps  # noqa: PLC0415 - loads the storage

    check = Said("time stamps", "时间戳")
    try:
        service = open_time_stamps(config)
        assert service is not None
        service.stamp(b"sealway doctor")
    except HubError as error:
        yield _fault(check, error)
        return
    yield Finding(check, Mark.GOOD, _same(config.seal.tsa_url))


def _fonts(config: Config) -> Finding:
    """The fonts open and may be embedded. Without them nothing but faces and drawn seals fails."""
    from hub.seal.faces.fonts import FaceFonts  # noqa: PLC0415 - loads the font libraries

    check = Said("fonts of faces", "证照样式字体")
    faces = config.faces
    try:
        fonts = FaceFonts.open(config.font_file, faces.font_face, config.more_font_files)
    except HubError as error:
        detail = Said(error.text("en"), error.text("zh"))
        remedy = Said(
            "No face is drawn until then; everything else works.",
            "在此之前无法绘制证照样式，其他功能不受影响。",
        )
        return Finding(check, Mark.WARNING, detail, remedy)
    return Finding(check, Mark.GOOD, _same(", ".join(one.name for one in fonts.files)))


def _log(config: Config) -> Finding:
    """The database answers and continues the external head, as the hub demands at its start."""
    check = Said("database and log", "数据库与日志")
    prefix = "sqlite:///"
    url = config.database_url
    if url.startswith(prefix) and not Path(url.removeprefix(prefix)).is_file():
        remedy = Said(
            "Restore it from a backup that is not older than the head, or run: sealway init",
            "请从不早于日志头的备份恢复，或执行 sealway init",
        )
        missing = Said("the database file is missing", "数据库文件缺失")
        return Finding(check, Mark.FAULT, missing, remedy)
    try:
        head, size = asyncio.run(_compare_head(config))
    except HubError as error:
        return _fault(check, error)
    counted = Said(f"{size} entries, {head} of them signed", f"{size} 个条目，已签名 {head} 个")
    return Finding(check, Mark.GOOD, counted)


def _seal_keys(config: Config) -> Finding:
    """Certificates of seal keys that end within 30 days, and keys whose uses are nearly gone."""
    from hub.seal.seals import keys_to_see_to  # noqa: PLC0415 - loads the storage

    check = Said("keys of seals", "印章密钥")
    try:
        found = asyncio.run(_asked(config, partial(keys_to_see_to, now_us=now_us())))
    except HubError as error:
        return _fault(check, error)
    if not found:
        return Finding(check, Mark.GOOD, Said("none ends soon", "无即将到期的密钥"))
    text = "; ".join(f"{name}: {', '.join(warned)}" for name, warned in found[:KEYS_NAMED_MAX])
    ended = any("ended" in warned for _, warned in found)
    remedy = Said(
        "See to them: sealway key list; then sealway key rotate or sealway seal renew",
        "请处理：sealway key list，然后 sealway key rotate 或 sealway seal renew",
    )
    return Finding(check, Mark.FAULT if ended else Mark.WARNING, _same(text), remedy)


def _national_keys(config: Config) -> Finding:
    """Under the profile `gm` a seal without a key of SM2 seals no records, or no PDF."""
    from hub.seal.seals import seals_without_sm2  # noqa: PLC0415 - loads the storage

    check = Said("keys of SM2", "国密印章密钥")
    try:
        missing = asyncio.run(_asked(config, seals_without_sm2))
    except HubError as error:
        return _fault(check, error)
    if not missing:
        return Finding(check, Mark.GOOD, Said("every seal has them", "各印章均已具备"))
    named = ", ".join(missing[:KEYS_NAMED_MAX])
    remedy = Said(
        "Until then it seals none of these: sealway key generate, sealway key activate",
        "在此之前无法加盖：请执行 sealway key generate，然后 sealway key activate",
    )
    return Finding(check, Mark.FAULT, Said(f"missing: {named}", f"缺少：{named}"), remedy)


def _stamped_log(config: Config) -> Iterator[Finding]:
    """How old the newest time stamp over a checkpoint is, and whether readers would believe it;
    nothing where the hub makes none."""
    every_s = config.ledger.stamp_every_s
    if not (config.seal.tsa_url and every_s):
        return
    check = Said("time stamps of the log", "日志时间戳")
    try:
        stamped_us = asyncio.run(_asked(config, _newest_stamp))
        is_pinned = _pins_stamps(config)
    except HubError as error:
        yield _fault(check, error)
        return
    if now_us() - stamped_us > 2 * every_s * 1_000_000:
        yield Finding(
            check,
            Mark.WARNING,
            Said(f"none for more than {2 * every_s} s", f"超过 {2 * every_s} 秒未取得"),
            Said(
                "A hub that runs asks for one every minute until it gets it: start it, and see to "
                "the service if that stands above at fault.",
                "运行中的枢纽会每分钟重试：请启动枢纽；若上文时间戳服务异常，请先处理。",
            ),
        )
    elif not is_pinned:
        trust, anchors = config.verification.trust, config.seal.tsa_anchors
        yield Finding(
            check,
            Mark.WARNING,
            Said(f"{trust} pins no anchor of the service", f"{trust} 未包含该服务的信任锚"),
            Said(
                f"Readers look at no stamp without: sealway trust pin {trust} --stamp {anchors}; "
                "then hand the file out.",
                f"缺少信任锚时读者不采信时间戳：sealway trust pin {trust} --stamp {anchors}，"
                "然后重新分发该文件。",
            ),
        )
    else:
        yield Finding(check, Mark.GOOD, _same(iso_time(stamped_us // 1_000_000)))


async def _newest_stamp(database: Database) -> int:
    """When it was asked for, in microseconds; 0 where there is none.

    Raises HubError(DATABASE_UNAVAILABLE).
    """
    from hub.ledger.store import LAST_STAMP  # noqa: PLC0415 - loads the storage
    from hub.storage.statements import integer  # noqa: PLC0415

    row = await database.one(LAST_STAMP, 1)
    return 0 if row is None else integer(row[1])


def _pins_stamps(config: Config) -> bool:
    """Whether the trust file that is handed out has an anchor of the service.

    Raises HubError: FILE_UNREADABLE, TRUST_UNAVAILABLE.
    """
    from hub.home import open_time_stamps  # noqa: PLC0415 - loads the storage
    from hub.seal.trust_pins import TrustPins  # noqa: PLC0415 - as above

    service = open_time_stamps(config)
    assert service is not None, "asked only where one is configured"
    pinned = TrustPins(config.path(config.verification.trust))().stamp_anchors
    return any(one in service.anchors for one in pinned)


async def _asked(config: Config, ask: Callable[[Database], Awaitable[_T]]) -> _T:
    """What `ask` finds in the hub's database. Raises HubError(DATABASE_UNAVAILABLE)."""
    # Only who opens data pays for loading the storage.
    from hub.storage.database import open_database  # noqa: PLC0415

    database = await open_database(config.database_url)
    try:
        return await ask(database)
    finally:
        await database.close()


async def _compare_head(config: Config) -> tuple[int, int]:
    """Size of the external head and of the stored log that continues it.

    Raises HubError: LOG_HEAD_MISSING, LOG_HEAD_INVALID, LOG_ROLLED_BACK, DATABASE_UNAVAILABLE.
    """
    # Only who opens data pays for loading the storage.
    from hub.home import open_head, open_keys  # noqa: PLC0415
    from hub.ledger.proofs import Proofs  # noqa: PLC0415
    from hub.storage.encryption import DataKeys  # noqa: PLC0415

    keys = open_keys(config)
    note = await open_head(config).read()
    if note is None:
        raise HubError(Reason.LOG_HEAD_MISSING)
    head = keys.log.verify(note)

    async def stored_size(database: Database) -> int:
        proofs = Proofs(database, DataKeys(database, keys.keyring, now_us), keys.log)
        await proofs.load()
        await proofs.check_continues(head)
        return proofs.tree.size

    return head.size, await _asked(config, stored_size)


def _clock(config: Config) -> Finding:
    """Later than the project, and not behind what this hub has already signed."""
    check = Said("clock", "时钟")
    remedy = Said("Synchronise the clock (NTP), then check again.", "请同步时钟（NTP）后重新检查。")
    now = datetime.now(UTC)
    if now < CLOCK_LEAST:
        minute = f"{now:%Y-%m-%d %H:%M}"
        past = Said(f"{minute} is in the past", f"{minute} 早于当前")
        return Finding(check, Mark.FAULT, past, remedy)
    head = config.head_file
    if (
        head is not None
        and head.is_file()
        and head.stat().st_mtime > time.time() + CLOCK_BEHIND_MAX_S
    ):
        return Finding(check, Mark.FAULT, Said("behind the log's head", "早于日志头"), remedy)
    return Finding(check, Mark.GOOD, _same(f"{now:%Y-%m-%d %H:%M:%S} UTC"))


def _disk(config: Config) -> Finding:
    check = Said("disk space", "磁盘空间")
    free = shutil.disk_usage(config.home).free
    size = f"{free / 1024**3:.1f} GiB"
    detail = Said(f"{size} free", f"可用 {size}")
    if free < FREE_BYTES_MIN:
        remedy = Said("Make room: a full disk stops the log.", "请清理空间：磁盘写满后日志将停止。")
        return Finding(check, Mark.FAULT, detail, remedy)
    return Finding(check, Mark.GOOD, detail)


def _serving(config: Config, profile: Path | None) -> Finding:
    """Asks the running hub over mutual TLS, as its clients do."""
    check = Said("hub answers", "枢纽应答")
    file = profile or next(iter(sorted(config.home.glob("officers/*/client.toml"))), None)
    if file is None:
        remedy = Said(
            "Name a profile whose certificate may ask: --profile FILE",
            "请用 --profile 指定可用于查询的客户端配置",
        )
        return Finding(check, Mark.FAULT, Said("not checked", "未检查"), remedy)
    try:
        with HubClient(load_profile(file)) as client:
            status = client.check_health()
    except HubError as error:
        return _fault(check, error)
    remedy = Said("Read the hub's log for the reason.", "请查看枢纽日志了解原因。")
    good = status == "SERVING"
    return Finding(
        check, Mark.GOOD if good else Mark.FAULT, _same(status), Said("", "") if good else remedy
    )


def _fault(check: Said, error: HubError) -> Finding:
    en = " ".join([error.text("en"), *(f"{one.field}: {one.en}." for one in error.violations)])
    zh = "".join([error.text("zh"), *(f"{one.field}：{one.zh}。" for one in error.violations)])
    return Finding(check, Mark.FAULT, _same(error.reason.value), Said(en, zh))


def _same(text: str) -> Said:
    """What needs no translation."""
    return Said(text, text)
