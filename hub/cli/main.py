"""`sealway`: the command line's root. It sets the language, and turns every failure into an exit
code and a sentence that says what to do.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Final

import typer

from hub.cli.terminal import LANGUAGE, ExitCode, UsageError, report_error
from hub.cli.usage import usage_error
from hub.errors import HubError
from hub.proof.reasons import ProofError

LANGUAGES: Final = ("zh", "en")

# Commands, and groups of commands with their modules, in the order of the help.
_COMMANDS: Final = ("init", "serve", "doctor", "verify")
_GROUPS: Final = {
    "authority": "authorities",
    "system": "systems",
    "officer": "officers",
    "quorum": "quorum",
    "type": "certificate_types",
    "item": "items",
    "catalogue": "catalogue",
    "face": "faces",
    "seal": "seals",
    "key": "seal_keys",
    "intent": "intents",
    "grant": "grants",
    "connect": "connect",
    "exchange": "exchange",
    "copy": "annotated_copies",
    "reorganize": "reorganize",
    "facade": "facade",
    "certificate": "certificates",
    "document": "documents",
    "holder": "holder_identifiers",
    "fact": "facts",
    "objection": "objections",
    "notice": "notices",
    "log": "log",
    "db": "database",
    "trust": "trust",
}


def command_line(arguments: Sequence[str] = ()) -> typer.Typer:
    """The command line with the command that `arguments` begin with; with all, where it is none.

    All modules with what they need would take more than half the time of a start.
    """
    app = typer.Typer(
        name="sealway",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        help="Sealway: ask once, prove everywhere. 证照枢纽：只问一次，处处可证。",
        epilog=(
            "Exit codes: 0 done, 1 refused or invalid, 2 cannot check, 7 hub unavailable, "
            "64 usage. Begin with: sealway init DIR"
        ),
    )
    app.callback()(root)
    word = _first_word(arguments)
    known = word in _COMMANDS or word in _GROUPS
    for name in _COMMANDS:
        if not known or name == word:
            app.add_typer(_app_of(name))
    for name, module in _GROUPS.items():
        if not known or name == word:
            app.add_typer(_app_of(module), name=name)
    return app


def commands(group: typer.Typer, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command of `group` as the words that call it, in the order of the help."""
    for command in group.registered_commands:
        function = getattr(command.callback, "__name__", "")
        yield (*words, command.name or function.replace("_", "-"))
    for inner in group.registered_groups:
        assert inner.typer_instance is not None, "registered with an app"
        name = (inner.name,) if isinstance(inner.name, str) else ()
        yield from commands(inner.typer_instance, (*words, *name))


def _app_of(module: str) -> typer.Typer:
    app: typer.Typer = importlib.import_module(f"hub.cli.{module}").app
    return app


def _first_word(arguments: Sequence[str]) -> str:
    """The first argument that is neither an option of the root nor its value."""
    before = ""
    for argument in arguments:
        if not argument.startswith("-") and before != "--lang":
            return argument
        before = argument
    return ""


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        typer.echo(f"sealway {version('sealway')}")
    except PackageNotFoundError:
        typer.echo("sealway, not installed")
    raise typer.Exit


def root(
    lang: Annotated[
        str | None,
        typer.Option("--lang", metavar="zh|en", help="Language of messages; otherwise as LANG."),
    ] = None,
    shown: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Everything a person does with a certificate-exchange hub, at a terminal."""
    if lang is not None and lang not in LANGUAGES:
        raise UsageError(f"--lang {lang}: write zh or en", f"--lang {lang}：应为 zh 或 en")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code."""
    as_json = "--json" in arguments
    previous = LANGUAGE.set(language_of(arguments, os.environ))
    try:
        app = command_line(arguments)
        result = app(list(arguments), prog_name="sealway", standalone_mode=False)
        return result if isinstance(result, int) else ExitCode.DONE
    except (UsageError, HubError, ProofError) as error:
        return report_error(error, as_json=as_json)
    except typer.TyperException as error:
        if not error.format_message():
            # Help was printed because nothing was asked.
            return ExitCode.USAGE
        return report_error(_usage(error, arguments), as_json=as_json)
    except (typer.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    finally:
        LANGUAGE.reset(previous)


def language_of(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """ "zh" or "en": as --lang says, else as the environment does.

    Read before the command line is parsed, so that its own faults are told in that language too.
    """
    for number, argument in enumerate(arguments):
        if argument == "--lang" and number + 1 < len(arguments):
            return "zh" if arguments[number + 1] == "zh" else "en"
        if argument.startswith("--lang="):
            return "zh" if argument == "--lang=zh" else "en"
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return "zh" if environment[name].lower().startswith("zh") else "en"
    return "en"


def _usage(error: typer.TyperException, arguments: Sequence[str]) -> UsageError:
    """What the parser says, with the command that was probably meant where there is one."""
    usage = usage_error(error)
    meant = _meant(arguments) if usage.en.startswith("No such command") else ""
    if not meant or "Did you mean" in usage.en:
        return usage
    return UsageError(
        f"{usage.en} Did you mean: sealway {meant}?",
        f"{usage.zh}您是否要用：sealway {meant}？",
        see=usage.see,
    )


def _meant(arguments: Sequence[str]) -> str:
    """The known command nearest to the words that were written, or nothing."""
    words = []
    for argument in arguments:
        if argument.startswith("-"):
            break
        words.append(argument)
    known = [" ".join(command) for command in commands(command_line())]
    found = difflib.get_close_matches(" ".join(words[:2]), known, n=1)
    return found[0] if found else ""


if __name__ == "__main__":
    main()
