"""`python -m certs.pki`: the PKI of a hub at a terminal. Each verb may be repeated safely."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NoReturn

from cryptography import x509

from certs.files import read_bounded, write_absent, write_replacing
from certs.index import IndexLine, write_time
from certs.issued import IssuedCertificate
from certs.keys import (
    CSR_BYTES_MAX,
    check_csr,
    key_digest,
    load_key,
    make_csr,
    new_key,
    read_crl,
    read_passphrase,
    save_key,
)
from certs.pki import Pki
from certs.signing import REASONS
from hub.errors import HubError, Reason

USAGE: Final = 64
REFUSED: Final = 1

_EXAMPLES: Final = """\
examples, in order:
  python -m certs.pki init --folder pki --name "Hangzhou Exchange Hub"
  python -m certs.pki request --key system.key --csr system.csr --common-name intake
  python -m certs.pki issue system-client --folder pki --csr system.csr \\
      --common-name intake --out system.pem
  python -m certs.pki issue seal --folder pki --csr seal.csr --common-name "market-1" \\
      --organization "杭州市市场监督管理局" --organization-identifier 113301000025123419 \\
      --out seal.pem
  python -m certs.pki renew system.pem --folder pki --out system.pem
  python -m certs.pki revoke system.pem --folder pki --reason key_compromise
  python -m certs.pki crl --folder pki
  python -m certs.pki list --folder pki --json

exit status: 0 done or already so, 1 refused (the reason is printed), 64 wrong usage
"""

Members = Mapping[str, object]


class _Report:
    """What a verb did: lines for a person, or one JSON object."""

    def __init__(self, members: Members, lines: Sequence[str], next_step: str) -> None:
        self.members = members
        self.lines = lines
        self.next_step = next_step


class _Parser(argparse.ArgumentParser):
    """Leaves with 64 on wrong usage, so that 1 and 2 keep their meaning."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}. See: {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit status."""
    options = _parser().parse_args(arguments)
    verb: Callable[[argparse.Namespace], _Report] = options.verb
    try:
        report = verb(options)
    except HubError as error:
        _print_error(error, options)
        return REFUSED
    except OSError as error:
        rule = error.strerror or "cannot be written"
        path = error.filename or "(unknown)"
        _print_error(HubError(Reason.FILE_UNREADABLE, what="a", path=path, rule=rule), options)
        return REFUSED
    if options.json:
        sys.stdout.write(json.dumps(dict(report.members), ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in report.lines))
        sys.stdout.write(f"next: {report.next_step}\n")
    return 0


def _init(options: argparse.Namespace) -> _Report:
    folder: Path = options.folder
    pki = Pki.init(
        folder, name=options.name, now=options.now, passphrase_file=options.passphrase_file
    )
    lines = [f"made {name}" for name in pki.made]
    return _Report(
        {"folder": str(folder), "changed": bool(pki.made), "made": list(pki.made)},
        lines or ["nothing to do: the PKI is complete"],
        f"keep {pki.passphrase_file} and {folder / 'ca'} apart and backed up; pin"
        f" {folder / 'trust' / 'tls.pem'} and {folder / 'trust' / 'seal.pem'};"
        " then request and issue",
    )


def _request(options: argparse.Namespace) -> _Report:
    passphrase = _passphrase(options)
    made = []
    if not options.key.exists():
        save_key(options.key, new_key(), passphrase)
        made.append(str(options.key))
    key = load_key(options.key, passphrase)
    csr = make_csr(key, options.common_name)
    if not write_absent(options.csr, csr):
        present = read_bounded(options.csr, bytes_max=CSR_BYTES_MAX, what="signing request")
        same_name = x509.load_pem_x509_csr(csr).subject == _csr_subject(present)
        if key_digest(check_csr(present)) != key_digest(key.public_key()) or not same_name:
            rule = "holds a request of another key or name"
            raise HubError(
                Reason.FILE_UNREADABLE, what="signing request", path=options.csr, rule=rule
            )
    else:
        made.append(str(options.csr))
    return _Report(
        {"key": str(options.key), "csr": str(options.csr), "changed": bool(made), "made": made},
        [f"made {name}" for name in made] or ["nothing to do: key and request are there"],
        f"send {options.csr} (never the key) to whoever runs the PKI",
    )


def _issue(options: argparse.Namespace) -> _Report:
    issued = _open(options).issue(
        options.profile,
        read_bounded(options.csr, bytes_max=CSR_BYTES_MAX, what="signing request"),
        now=options.now,
        common_name=options.common_name,
        organization=options.organization,
        organization_identifier=options.organization_identifier,
        dns_names=options.dns,
        ip_addresses=options.ip,
    )
    step = "hand over the file; enrol it at the hub by its thumbprint"
    return _issued(issued, options, step)


def _renew(options: argparse.Namespace) -> _Report:
    csr = None
    if options.csr is not None:
        csr = read_bounded(options.csr, bytes_max=CSR_BYTES_MAX, what="signing request")
    issued = _open(options).renew(_which(options), now=options.now, csr=csr)
    step = "enrol the new thumbprint, then revoke the predecessor as superseded"
    return _issued(issued, options, step)


def _revoke(options: argparse.Namespace) -> _Report:
    revocation = _open(options).revoke(_which(options), reason=options.reason, now=options.now)
    line = revocation.line
    said = "revoked" if revocation.changed else "nothing to do: already revoked"
    return _Report(
        {**_members(line, options.now), "changed": revocation.changed},
        [f"{said}: {line.serial} ({line.profile}, {line.reason})"],
        f"hand {options.folder / 'crl'} to every verifier, and end the enrolment at the hub",
    )


def _crl(options: argparse.Namespace) -> _Report:
    pki = _open(options)
    path = options.folder / "crl" / "all.pem"
    before = path.read_bytes() if path.exists() else b""
    changed = pki.crl(options.now) != before
    lists = _lists(options.folder)
    return _Report(
        {"folder": str(options.folder / "crl"), "changed": changed, "lists": lists},
        [
            "signed anew" if changed else "nothing to do: the lists are current",
            *(f"{name}: {size} revoked, until {until}" for name, (size, until) in lists.items()),
        ],
        f"publish {options.folder / 'crl'}; repeat daily, for instance from a timer",
    )


def _lists(folder: Path) -> dict[str, tuple[int, str]]:
    """Length and end of each revocation list in the folder of a PKI."""
    lists = {}
    for path in sorted((folder / "crl").glob("*.crl")):
        crl = read_crl(path)
        until = crl.next_update_utc
        lists[path.stem] = (len(crl), "" if until is None else write_time(until))
    return lists


def _list(options: argparse.Namespace) -> _Report:
    pki = _open(options)
    lines = [line for line in pki.list() if options.profile in (None, line.profile)]
    due = sum(_is_due(pki, line, options.now) for line in lines)
    return _Report(
        {"certificates": [_members(line, options.now) for line in lines], "due": due},
        [
            f"{line.serial}  {line.profile:<13}  {line.state(options.now):<7}"
            f"  {write_time(line.not_after)}  {line.thumbprint}  {line.subject}"
            for line in lines
        ],
        f"renew the {due} that are due" if due else "nothing is due",
    )


def _show(options: argparse.Namespace) -> _Report:
    pki = _open(options)
    line, issued = pki.find(_which(options))
    members = {**_members(line, options.now), "due": _is_due(pki, line, options.now)}
    return _Report(
        {**members, "chain_pem": issued.chain_pem.decode()},
        [*(f"{name}: {value}" for name, value in members.items() if value is not None)],
        f"openssl x509 -in {options.folder / 'issued' / line.serial}.pem -text shows every byte",
    )


def _issued(issued: IssuedCertificate, options: argparse.Namespace, next_step: str) -> _Report:
    changed = issued.created
    if options.out is not None:
        changed = write_replacing(options.out, issued.chain_pem) or changed
    said = "issued" if issued.created else "nothing to do: in force already"
    return _Report(
        {
            "serial": issued.serial,
            "thumbprint": issued.thumbprint,
            "not_after": write_time(issued.not_after),
            "changed": changed,
            "out": None if options.out is None else str(options.out),
            "chain_pem": issued.chain_pem.decode(),
        },
        [
            f"{said}: {issued.serial}, until {write_time(issued.not_after)}",
            f"thumbprint: {issued.thumbprint}",
            *([] if options.out is None else [f"chain: {options.out}"]),
        ],
        next_step,
    )


def _members(line: IndexLine, now: datetime) -> Members:
    return {
        "serial": line.serial,
        "profile": line.profile,
        "subject": line.subject,
        "thumbprint": line.thumbprint,
        "not_before": write_time(line.not_before),
        "not_after": write_time(line.not_after),
        "state": line.state(now),
        "renews": line.renews,
        "revoke_time": None if line.revoke_time is None else write_time(line.revoke_time),
        "reason": line.reason,
    }


def _is_due(pki: Pki, line: IndexLine, now: datetime) -> bool:
    days = pki.profiles[line.profile].renew_before_days
    return line.state(now) == "active" and now >= line.not_after - timedelta(days=days)


def _open(options: argparse.Namespace) -> Pki:
    return Pki.open(options.folder, passphrase_file=options.passphrase_file)


def _which(options: argparse.Namespace) -> str | Path:
    path = Path(options.which)
    return path if path.is_file() else str(options.which)


def _passphrase(options: argparse.Namespace) -> bytes | None:
    path: Path | None = options.passphrase_file
    return None if path is None else read_passphrase(path)


def _csr_subject(csr: bytes) -> x509.Name:
    try:
        return x509.load_pem_x509_csr(csr).subject
    except ValueError as error:
        raise HubError(Reason.CSR_INVALID, rule="not a PEM PKCS#10 request") from error


def _print_error(error: HubError, options: argparse.Namespace) -> None:
    text = error.text(options.language)
    if options.json:
        members = {"error": error.reason.value, "message": text, "details": dict(error.details)}
        text = json.dumps(members, ensure_ascii=False)
    sys.stderr.write(f"{text}\n")


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise argparse.ArgumentTypeError("give the zone, as in 2026-01-01T00:00:00Z")
    return time.astimezone(UTC)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m certs.pki",
        description="Make, renew and revoke the X.509 certificates of a hub and its members.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    verb = _verb(verbs, _init, "init", "make root, issuing CA and seal CA, as far as missing")
    verb.add_argument("--name", required=True, help="of the PKI; stands in the CAs' subjects")

    verb = _verb(verbs, _request, "request", "make key and signing request where the key is used")
    verb.add_argument("--key", type=Path, required=True, help="private key, made if absent (0600)")
    verb.add_argument("--csr", type=Path, required=True, help="where the request goes")
    verb.add_argument("--common-name", required=True, help="id of the system, officer or seal")

    verb = _verb(verbs, _issue, "issue", "issue an X.509 certificate for a signing request")
    verb.add_argument("profile", help="hub-server, system-client, officer, seal or one of yours")
    verb.add_argument("--csr", type=Path, required=True, help="signing request, PEM or DER")
    verb.add_argument("--common-name", required=True, help="id of the system, officer or seal")
    verb.add_argument("--organization", help="seal: name of the authority")
    verb.add_argument("--organization-identifier", help="seal: its 18-character credit code")
    verb.add_argument("--dns", action="append", default=[], help="DNS name of a server; repeatable")
    verb.add_argument("--ip", action="append", default=[], help="address of a server; repeatable")
    verb.add_argument("--out", type=Path, help="file for the chain, leaf first")

    verb = _verb(verbs, _renew, "renew", "issue a successor with the same subject and use")
    verb.add_argument("which", help="serial, or file of the X.509 certificate")
    verb.add_argument("--csr", type=Path, help="request of a new key; absent = the key stays")
    verb.add_argument("--out", type=Path, help="file for the chain, leaf first")

    verb = _verb(verbs, _revoke, "revoke", "revoke, and put it on the issuer's list")
    verb.add_argument("which", help="serial, or file of the X.509 certificate")
    verb.add_argument("--reason", choices=tuple(REASONS), default="unspecified")

    _verb(verbs, _crl, "crl", "bring the revocation lists up to date")

    verb = _verb(verbs, _list, "list", "list what was issued")
    verb.add_argument("--profile", help="only this profile")

    verb = _verb(verbs, _show, "show", "show one X.509 certificate and its state")
    verb.add_argument("which", help="serial, or file of the X.509 certificate")
    return parser


def _verb(
    verbs: argparse._SubParsersAction[_Parser],
    run: Callable[[argparse.Namespace], _Report],
    name: str,
    text: str,
) -> argparse.ArgumentParser:
    examples = _EXAMPLES.replace("examples, in order:", "examples:")
    verb = verbs.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.set_defaults(verb=run)
    verb.add_argument("--folder", type=Path, default=Path("pki"), help="of the PKI (default: pki)")
    verb.add_argument("--passphrase-file", type=Path, help="default: FOLDER/passphrase")
    verb.add_argument("--now", type=_time, default=datetime.now(UTC), help=argparse.SUPPRESS)
    verb.add_argument("--json", action="store_true", help="one JSON object instead of text")
    language = "zh" if os.environ.get("LANG", "").startswith("zh") else "en"
    verb.add_argument("--language", choices=("en", "zh"), default=language, help="of refusals")
    return verb
