"""`sealway`: the command line's root. It sets the language, and turns every failure into an exit
code and a sentence that says what to do.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Final

import typer

from hub.cli import (
    authorities,
    catalogue,
    certificate_types,
    certificates,
    connect,
    database,
    documents,
    exchange,
    facade,
    facts,
    grants,
    holder_identifiers,
    intents,
    items,
    log,
    objections,
    officers,
    reorganize,
    seals,
    systems,
)
from hub.cli.doctor import doctor
from hub.cli.init import init
from hub.cli.plan import plan_materials
from hub.cli.serve import serve
from hub.cli.terminal import LANGUAGE, ExitCode, UsageError, report_error
from hub.cli.usage import usage_error
from hub.cli.verify import VerifyCommand, verify_command
from hub.cli.verify_information import verify_information
from hub.errors import HubError
from hub.proof.reasons import ProofError

LANGUAGES: Final = ("zh", "en")

app = typer.Typer(
    name="sealway",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Sealway: ask once, prove everywhere. 证照枢纽：只问一次，处处可证。",
    epilog=(
        "Exit codes: 0 done, 1 refused or invalid, 2 cannot check, 7 hub unavailable, 64 usage. "
        "Begin with: sealway init DIR"
    ),
)


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        typer.echo(f"sealway {version('sealway')}")
    except PackageNotFoundError:
        typer.echo("sealway, not installed")
    raise typer.Exit


@app.callback()
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


app.command()(init)
app.command()(serve)
app.command()(doctor)
app.add_typer(authorities.app, name="authority")
app.add_typer(systems.app, name="system")
app.add_typer(officers.app, name="officer")
app.add_typer(certificate_types.app, name="type")
app.add_typer(items.app, name="item")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(seals.app, name="seal")
app.add_typer(intents.app, name="intent")
app.add_typer(grants.app, name="grant")
app.add_typer(connect.app, name="connect")
app.add_typer(exchange.app, name="exchange")
exchange.app.command("verify")(verify_information)
exchange.app.command("plan")(plan_materials)
app.add_typer(reorganize.app, name="reorganize")
app.add_typer(facade.app, name="facade")
app.add_typer(certificates.app, name="certificate")
app.add_typer(documents.app, name="document")
app.add_typer(holder_identifiers.app, name="holder")
app.add_typer(facts.app, name="fact")
app.add_typer(objections.app, name="objection")
app.add_typer(log.app, name="log")
app.add_typer(database.app, name="db")
app.command("verify", cls=VerifyCommand)(verify_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code."""
    as_json = "--json" in arguments
    previous = LANGUAGE.set(language_of(arguments, os.environ))
    try:
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
    known = [command.name or "" for command in app.registered_commands]
    for group in app.registered_groups:
        assert group.typer_instance is not None, "registered with an app"
        known += [
            f"{group.name} {command.name or getattr(command.callback, '__name__', '')}"
            for command in group.typer_instance.registered_commands
        ]
    found = difflib.get_close_matches(" ".join(words[:2]), known, n=1)
    return found[0] if found else ""


if __name__ == "__main__":
    main()
