"""Exit codes, languages, and what a person is told to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.cli.main import language_of
from hub.errors import HubError, Reason, Violation
from tests.cli.conftest import Sealway
from tests.cli.loopback import Loopback


def test_an_unknown_command_ends_in_64_and_names_the_nearest(sealway: Sealway) -> None:
    """A typing error costs a second, not a search."""
    ran = sealway("autority", "list")

    assert ran.code == 64
    assert "authority" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("authority", "lst"),
        ("authority", "list", "--jsn"),
        ("grant", "add", "one"),
        ("log", "prove", "minus-one"),
        ("--lang", "fr", "type", "list"),
        ("certificate", "search"),
        ("exchange", "fetch"),
    ],
)
def test_wrong_usage_ends_in_64(sealway: Sealway, arguments: tuple[str, ...]) -> None:
    """64 is for the command line itself; nothing was asked of any hub."""
    ran = sealway(*arguments)

    assert ran.code == 64
    assert "usage" in ran.err


def test_wrong_usage_with_json_is_one_json_document(sealway: Sealway) -> None:
    """A program reads the error where it reads the answer."""
    ran = sealway("authority", "list", "--json", "--nonsense")

    assert ran.code == 64
    assert ran.document["error"]["reason"] == "USAGE"
    assert ran.document["error"]["exit_code"] == 64


def test_a_missing_profile_says_how_to_name_one(sealway: Sealway) -> None:
    """The first thing a newcomer forgets is answered with what to write."""
    ran = sealway("--lang", "zh", "authority", "list")

    assert ran.code == 64
    assert "SEALWAY_PROFILE" in ran.err
    assert "没有客户端配置" in ran.err


def test_a_refusal_shows_the_hubs_reason_texts_and_fields(hub: Loopback, sealway: Sealway) -> None:
    """Reason, text in the person's language, each field; exit 1."""
    profile = hub.profile("officer", "wang")
    broken = Violation("uscc", "uscc.check", "check digit does not match", "校验位不符")
    refusal = HubError(Reason.FIELD_INVALID, violations=(broken,), field="uscc", rule="uscc.check")
    hub.refuse("ListAuthorities", refusal, times=3)

    english = sealway("authority", "list", "--profile", profile)
    chinese = sealway("--lang", "zh", "authority", "list", "--profile", profile)
    document = sealway("authority", "list", "--profile", profile, "--json").document

    assert english.code == chinese.code == 1
    assert "FIELD_INVALID" in english.err
    assert "uscc is invalid: check digit does not match" in english.err
    assert english.err.count("check digit") == 1
    assert "字段 uscc 无效" in chinese.err
    assert "校验位不符" in chinese.err
    assert document["error"]["reason"] == "FIELD_INVALID"
    assert document["error"]["violations"][0]["zh"] == "校验位不符"


def test_a_hub_that_does_not_answer_ends_in_7(
    hub: Loopback, sealway: Sealway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unavailable is its own verdict, with what to check."""
    monkeypatch.setattr("connectors.client.PAUSES_S", (0.0, 0.0, 0.0))
    profile = hub.profile("officer", "wang")
    profile.write_text(profile.read_text().replace(f":{hub.port}", ":1"))

    ran = sealway("authority", "list", "--profile", profile)

    assert ran.code == 7
    assert "HUB_UNAVAILABLE" in ran.err
    assert "127.0.0.1:1" in ran.err


def test_a_profile_of_another_hub_is_refused(hub: Loopback, sealway: Sealway) -> None:
    """Whoever answers at the address must be the hub that was meant."""
    profile = hub.profile("officer", "wang")
    hub.origin = "hub.other.example"

    ran = sealway("authority", "list", "--profile", profile)

    assert ran.code == 1
    assert "hub.other.example" in ran.err


def test_a_key_that_others_can_read_is_refused(hub: Loopback, sealway: Sealway) -> None:
    """A leaked key is not used in silence."""
    profile = hub.profile("officer", "wang")
    (profile.parent / "client.key").chmod(0o644)

    ran = sealway("authority", "list", "--profile", profile)

    assert ran.code == 1
    assert "chmod 600" in ran.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense = 1\n", "[nonsense]"),
        ('[hub]\naddres = "x"\n[system]\nname = "y"\n', "addres"),
        ("[hub]\naddress = 1\n[system]\n", "address"),
        ("[hub\n", "TOML"),
    ],
)
def test_a_wrong_profile_names_the_member(
    sealway: Sealway, tmp_path: Path, text: str, said: str
) -> None:
    """Nothing of a profile is ignored."""
    (tmp_path / "client.toml").write_text(text)

    ran = sealway("authority", "list")

    assert ran.code == 1
    assert said in ran.err


@pytest.mark.parametrize(
    ("arguments", "environment", "language"),
    [
        ((), {"LANG": "zh_CN.UTF-8"}, "zh"),
        ((), {"LANG": "de_DE.UTF-8"}, "en"),
        ((), {}, "en"),
        ((), {"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        (("--lang", "zh"), {"LANG": "C"}, "zh"),
        (("--lang=en",), {"LANG": "zh_CN"}, "en"),
    ],
)
def test_the_language_is_what_was_said_else_the_environments(
    arguments: tuple[str, ...], environment: dict[str, str], language: str
) -> None:
    """Chinese where LANG is Chinese, English otherwise, --lang above both."""
    assert language_of(arguments, environment) == language


@pytest.mark.parametrize(
    ("arguments", "en", "zh"),
    [
        (("authority", "lst"), "Did you mean 'list'?", "没有命令“lst”。您是否要用：list？"),
        (("authority", "list", "--jsn"), "--json", "没有选项 --jsn（相近的选项：--json）"),
        (("grant", "add", "one"), "'--recipient'", "缺少选项 --recipient"),
        (("type", "show"), "'code'", "缺少参数 code"),
        (("type", "list", "more"), "(more)", "多余的参数：more"),
        (("type", "list", "--profile"), "'--profile'", "选项 --profile 需要一个值"),
        (("log", "prove", "x"), "write a whole number", "应为整数"),
        (("type", "show", "x", "--version", "-1"), "write 0 or more", "应不小于 0"),
        (("connect", "lint", "/nowhere"), "no file /nowhere", "没有文件 /nowhere"),
        (("connect", "run", "/"), "/ is a folder", "/ 是目录"),
        (("verify", "/nowhere"), "/nowhere cannot be read", "无法读取 /nowhere"),
        (("serve",), "--config FILE", "请用 --config FILE 指定"),
        (("log", "audit"), "sealway init DIR", "sealway init DIR 创建枢纽目录"),
    ],
)
def test_wrong_usage_is_told_in_both_languages(
    sealway: Sealway, arguments: tuple[str, ...], en: str, zh: str
) -> None:
    """What is wrong and what to write, never one language inside the other."""
    english, chinese = sealway(*arguments), sealway("--lang", "zh", *arguments)

    assert english.code == chinese.code == 64
    assert en in english.err
    assert zh in chinese.err


def test_wrong_usage_points_to_the_help_of_that_command(sealway: Sealway) -> None:
    """Not to the list of all commands."""
    assert "See: sealway grant add --help" in sealway("grant", "add", "one").err


def test_a_text_in_a_narrow_terminal_is_folded_and_not_cut(
    sealway: Sealway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty columns still say all."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERMINAL_WIDTH", "40")

    shown = sealway("intent", "--help").out

    assert "…" not in shown
    assert all(name in shown for name in ("propose", "approve", "list", "show"))
