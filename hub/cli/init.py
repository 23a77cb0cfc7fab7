"""`sealway init`: a hub's home, made as far as it is missing and never overwritten.

hub.toml            configuration
trust.json          what others check this hub's proofs with: public, to be handed out
pki/                its PKI (see certs.pki)
tls/                server certificate and anchors
keys/               the hub's own keys, encrypted, and their passphrase
data/, head/        database; external head of the log
officers/NAME/      keys, certificate and profile of each first officer: hand it over, then
                    delete it here
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certs.files import make_private_folder, write_new, write_replacing
from certs.keys import make_csr
from certs.pki import SM2_MAKER_CA, SM2_SEAL_CA, Pki
from certs.server import server_key_and_cert
from connectors.profile import profile_text
from hub.cli.keys import own_key, own_passphrase
from hub.cli.session import JsonOption, in_folder, new_id, next_step
from hub.cli.terminal import Terminal, UsageError
from hub.config import Config, load, parse
from hub.domain.crypto import CryptoProfile
from hub.errors import HubError
from hub.proof.sm2 import PublicKey
from hub.proof.trust import Trust, trust_file

if TYPE_CHECKING:
    from hub.access.enrolment import Enrolment
    from hub.home import TwinKey

app = typer.Typer()

ORIGIN_DEFAULT: Final = "hub.localhost"
REGION_DEFAULT: Final = "330100"
PORT_DEFAULT: Final = 7443
HTTP_PORT_DEFAULT: Final = 7480
OFFICERS_DEFAULT: Final = ("officer-1", "officer-2", "officer-3")
PORT_MAX: Final = 65_535

# What is wrong where a field of the configuration to be written breaks its rule.
_WRONG: Final = {
    "hub.origin": (
        "--origin: write a DNS name, 3 to 255 ASCII characters without blanks and +",
        "--origin：应为 DNS 名称，3 至 255 个 ASCII 字符，不含空格和加号",
    ),
    "hub.region": (
        "--region: write the six digits of a division (GB/T 2260)",
        "--region：应为 GB/T 2260 的六位行政区划代码",
    ),
    "grpc.address": (
        "--host: write a DNS name, an IPv4 address, or an IPv6 address in brackets",
        "--host：应为 DNS 名称、IPv4 地址或带方括号的 IPv6 地址",
    ),
}


@dataclass(slots=True)
class Home:
    """A hub's home while it is being made; `made` names what was missing."""

    folder: Path
    config: Config
    pki: Pki
    now: datetime
    made: list[str] = field(default_factory=list)

    def file(self, name: str, data: bytes) -> None:
        """`name` holds `data`; written where it is absent or different."""
        if write_replacing(self.folder / name, data):
            self.made.append(name)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The hub's home.")],
    origin: Annotated[
        str | None, typer.Option(help=f"DNS name of the hub, for ever. Default {ORIGIN_DEFAULT}.")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(help=f"Six digits of GB/T 2260, for ever. Default {REGION_DEFAULT}."),
    ] = None,
    crypto: Annotated[
        CryptoProfile | None,
        typer.Option(
            help="Algorithms of stored data and tokens, for ever: international, or gm (SM2, SM3,"
            " SM4). Default international."
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the PKI.")] = "Sealway",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=PORT_MAX, help="gRPC port.")] = PORT_DEFAULT,
    http_port: Annotated[
        int, typer.Option(min=0, max=PORT_MAX, help="Port of status lists and metrics.")
    ] = HTTP_PORT_DEFAULT,
    officer: Annotated[
        list[str] | None,
        typer.Option(help="Id of a first officer; repeat, at least three. Default three."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a hub's home: PKI, keys, configuration, database, log and the first officers.

    Runs again safely: what is there is kept, what an interrupted run left out is made.

    Example: sealway init ./home --origin hub.hangzhou.example --region 330100
    --officer wang --officer zhao --officer chen
    """
    from hub.home import has_log, make_keys  # noqa: PLC0415 - loads the storage

    terminal = Terminal(as_json)
    names = _officers(folder, tuple(officer or ()))
    file, made = folder / "hub.toml", []
    if file.exists():
        config = load(file)
        _check_fixed(config, origin, region, crypto)
    else:
        text = _config_text(origin, region, host, port, http_port)
        text += f'\n[crypto]\nprofile = "{crypto or CryptoProfile.INTERNATIONAL}"\n'
        # A home that was begun with what no hub can run on could not be corrected by this command.
        config = _check_new(text, file)
        made.append(file.name)
    make_private_folder(folder)
    for each in names:
        make_private_folder(folder / "officers" / each)
    if made:
        write_new(file, text.encode())
    if not (folder / "pki").is_dir() and has_log(config):
        raise UsageError(
            f"{folder}/pki is missing, but the hub is in use: bring it back for this; another PKI "
            "would be trusted by nobody",
            f"{folder}/pki 缺失，但枢纽已在使用：请先将其放回；新建的 PKI 不会被任何一方信任",
        )
    pki = Pki.init(folder / "pki", name=name, now=datetime.now(UTC))
    home = Home(folder, config, pki, datetime.now(UTC), [*made, *(f"pki/{x}" for x in pki.made)])
    if make_keys(config):
        home.made.append("keys/")
    _make_tls(home)
    _make_trust(home)
    enrolments = {each: _make_officer(home, each) for each in names}
    _create(home, enrolments)
    _tell(terminal, home, names)


def _officers(folder: Path, given: tuple[str, ...]) -> tuple[str, ...]:
    """The first officers: those of an earlier run, else those given. Raises UsageError."""
    for name in given:
        new_id(name, option="--officer")
    known = tuple(sorted(path.name for path in (folder / "officers").glob("*") if path.is_dir()))
    if not known:
        names = given or OFFICERS_DEFAULT
        if len(set(names)) < len(OFFICERS_DEFAULT):
            raise UsageError(
                "name at least three officers: one proposes, two others approve",
                "请至少指定三名安全员：一人提出，另外两人审批",
            )
        return tuple(dict.fromkeys(names))
    if given and set(given) != set(known):
        raise UsageError(
            f"the first officers were {', '.join(known)}; they cannot be changed by init",
            f"首批安全员为 {', '.join(known)}，不能通过 init 更改",
        )
    return known


def _config_text(
    origin: str | None, region: str | None, host: str, port: int, http_port: int
) -> str:
    return f"""\
# Configuration of the hub; every field and its default: hub/config.py.

[hub]
origin = {json.dumps(origin or ORIGIN_DEFAULT)}
region = {json.dumps(region or REGION_DEFAULT)}

[grpc]
address = {json.dumps(f"{host}:{port}")}

[http]
address = {json.dumps(f"{host}:{http_port}")}

[database]
url = "sqlite:///data/hub.db"

[ledger]
head = "head/checkpoint"

[keys]
folder = "keys"
passphrase_file = "keys/passphrase"

[tls]
certificate = "tls/server.pem"
key = "tls/server.key"
client_ca = "tls/client-ca.pem"
seal_ca = "tls/seal-ca.pem"
sm2_seal_ca = "tls/sm2-seal-ca.pem"
sm2_maker_ca = "tls/sm2-maker-ca.pem"
"""


def _check_new(text: str, file: Path) -> Config:
    """The configuration to be written. Raises UsageError that names the option to correct."""
    try:
        return parse(text, file)
    except HubError as error:
        wrong = [_WRONG[each.field] for each in error.violations if each.field in _WRONG]
        if not wrong:
            raise
        en, zh = "; ".join(en for en, _ in wrong), "；".join(zh for _, zh in wrong)
        raise UsageError(en, zh, see="sealway init") from error


def _check_fixed(
    config: Config, origin: str | None, region: str | None, crypto: CryptoProfile | None
) -> None:
    """Origin and region stand in everything that was signed, and the keys are made for a profile; a
    second run cannot change them."""
    for option, given, fixed in (
        ("--origin", origin, config.hub.origin),
        ("--region", region, config.hub.region),
        ("--crypto", crypto, config.crypto.profile),
    ):
        if given is not None and given != fixed:
            raise UsageError(
                f"{option} is {fixed} for ever; make another home for {given}",
                f"{option} 已固定为 {fixed}；如需 {given}，请另建目录",
            )


def _make_tls(home: Home) -> None:
    host = home.config.grpc.address.rpartition(":")[0].strip("[]")
    names, addresses = [home.config.hub.origin, "localhost"], ["127.0.0.1"]
    if host.replace(".", "").isdigit() or ":" in host:
        addresses.append(host)
    else:
        names.append(host)
    folder = home.config.path(home.config.tls.key).parent
    make_private_folder(folder)
    credentials = server_key_and_cert(
        home.pki,
        folder,
        now=home.now,
        common_name=home.config.hub.origin,
        dns_names=tuple(dict.fromkeys(names)),
        ip_addresses=tuple(
            address
            for address in dict.fromkeys(addresses)
            if not ip_address(address).is_unspecified
        ),
    )
    if credentials.certificate.created:
        home.made.append("tls/server.pem")
    # Whoever is trusted as a client comes from the issuing CA, which the anchor vouches for.
    issuers = credentials.certificate.issuers
    pem = serialization.Encoding.PEM
    authorities = b"".join(issuer.public_bytes(pem) for issuer in issuers)
    home.file(str(home.config.tls.client_ca), authorities + home.pki.tls_anchor_pem)
    home.file(str(home.config.tls.seal_ca), home.pki.seal_anchor_pem)
    # Where libcrypto has no SM2 there are no such anchors.
    for path, ca in (
        (home.config.tls.sm2_seal_ca, SM2_SEAL_CA),
        (home.config.tls.sm2_maker_ca, SM2_MAKER_CA),
    ):
        if anchors := home.pki.sm2_anchor_pem(ca):
            home.file(str(path), anchors)


def _make_trust(home: Home) -> None:
    from hub.home import open_keys  # noqa: PLC0415 - loads the storage

    keys = open_keys(home.config)
    status_key = keys.status_key.public_key
    assert isinstance(status_key, ec.EllipticCurvePublicKey), "status keys are P-256"
    sm2_seals = _anchors(home.pki.sm2_anchor_pem(SM2_SEAL_CA))
    # One CA of each algorithm certifies a department's keys.
    seals = tuple(x509.load_pem_x509_certificates(home.pki.seal_anchor_pem))
    is_gm = home.config.crypto.profile is CryptoProfile.GM
    trust = Trust(
        origin=home.config.hub.origin,
        region=home.config.hub.region,
        log_keys=(keys.log.verifier.text(),),
        # A record may have its SM2 twin in every profile, a PDF is sealed with SM2 in `gm` alone.
        seal_anchors=seals + sm2_seals,
        maker_anchors=_anchors(home.pki.sm2_anchor_pem(SM2_MAKER_CA)),
        signer_anchors=sm2_seals,
        status_keys=(status_key, *_sm2_keys(keys.status_twin)),
        pdf_anchors=seals + sm2_seals if is_gm else seals,
    )
    home.file("trust.json", trust_file(trust))


def _sm2_keys(twin: TwinKey | None) -> tuple[PublicKey, ...]:
    key = None if twin is None else twin.key.public_key
    return (key,) if isinstance(key, PublicKey) else ()


def _anchors(pem: bytes) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(pem)) if pem else ()


def _make_officer(home: Home, name: str) -> Enrolment:
    """Keys, certificate and profile of one officer, and what proves the keys."""
    from hub.access.enrolment import Enrolment  # noqa: PLC0415 - loads the storage

    where = f"officers/{name}"
    folder = home.folder / where
    passphrase = own_passphrase(folder)
    client = own_key(folder / "client.key", passphrase)
    approval = own_key(folder / "approval.key", passphrase)
    requests = []
    for kind, key in (("client", client), ("approval", approval)):
        file = folder / f"{kind}.csr"
        if not file.exists():
            # Signed with randomness: written once, so that a second run enrols the same bytes.
            write_new(file, make_csr(key, name))
            home.made.append(f"{where}/{kind}.key")
        request = x509.load_pem_x509_csr(file.read_bytes())
        requests.append(request.public_bytes(serialization.Encoding.DER))
    kept = folder / "client.pem"
    if not kept.exists():
        # Once only: the hub knows the officer by it; a renewed one would be a stranger.
        issued = home.pki.issue("officer", requests[0], now=home.now, common_name=name)
        home.file(f"{where}/client.pem", issued.chain_pem)
    leaf = x509.load_pem_x509_certificates(kept.read_bytes())[0]
    home.file(f"{where}/ca.pem", home.pki.tls_anchor_pem)
    home.file(f"{where}/trust.json", (home.folder / "trust.json").read_bytes())
    profile = profile_text(
        {
            "address": home.config.grpc.address,
            "origin": home.config.hub.origin,
            "region": home.config.hub.region,
            "ca": "ca.pem",
            "certificate": "client.pem",
            "key": "client.key",
            "trust": "trust.json",
        },
        {
            "name": f"officers/{name}",
            "signing_key": "approval.key",
            "passphrase_file": "passphrase",
        },
    )
    home.file(f"{where}/client.toml", profile.encode())
    return Enrolment(leaf.public_bytes(serialization.Encoding.DER), requests[0], requests[1])


def _create(home: Home, enrolments: dict[str, Enrolment]) -> None:
    """Database, log and first officers, as far as they are missing."""
    from hub import upkeep  # noqa: PLC0415 - only who opens data pays for loading the server

    if asyncio.run(upkeep.create_home(home.config, enrolments)):
        home.made.append("database, log, officers")


def _tell(terminal: Terminal, home: Home, names: tuple[str, ...]) -> None:
    terminal.document(
        {
            "home": str(home.folder),
            "origin": home.config.hub.origin,
            "region": home.config.hub.region,
            "made": home.made,
            "officers": {each: str(home.folder / "officers" / each) for each in names},
        }
    )
    shown = in_folder(home.folder)
    if not home.made:
        terminal.say(f"{shown}: complete, nothing changed.", f"{shown}：已完整，未作任何更改。")
    else:
        terminal.say(f"Made in {shown}:", f"已在 {shown} 中创建：")
        for item in home.made:
            terminal.say(f"  {item}", f"  {item}")
        terminal.say(
            f"Hand {shown}/officers/NAME to each officer and {shown}/trust.json to everybody.",
            f"请将 {shown}/officers/姓名 交给各安全员，将 {shown}/trust.json 公开分发。",
        )
    next_step(terminal, f"sealway serve --config {shown}/hub.toml")
