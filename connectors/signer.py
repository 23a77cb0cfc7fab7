"""A department's signer: `python -m connectors.signer signer.toml`, beside its connector.

    [signer]
    address = "0.0.0.0:7453"
    certificate = "server.pem"      # TLS chain of this signer, leaf first
    key = "server.key"              # mode 0600
    client_ca = "hub-ca.pem"        # anchors of the hub's certificate
    hub_keys = ["…"]                # RFC 7638 thumbprints of the TLS keys that are answered
    folder = "signer"               # journal: uses, requests, what is believed; never restored
    keys = "keys"                   # encrypted key files
    passphrase_file = "passphrase"  # mode 0600
    maker_ca = "maker-ca.pem"       # anchors of seal-makers; without it no OFD is sealed
    token_uri = ""                  # or a PKCS#11 token (RFC 7512) in place of the files

    [hub]                           # what is believed; nothing that the hub says can change it
    origin = "hub.hangzhou.example"
    region = "330100"
    log_key = "…"                   # verifier key of the hub's log
    roster = "…"                    # digest of the roster's statement 0; empty: the first one shown

    [outbox]
    folder = "outbox"
    connectors = ["business-licence-csv"]

It is the hub's signer process (docs/adr/0040) behind another door, with one more check: a record,
file or code of a face is compared with the outbox before it is signed (`own_rows.py`). Keys are
made when the hub asks and stay here; the hub cannot have one destroyed. Paths are relative to the
file's folder.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import tomllib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import grpc
from cryptography import x509

from connectors.own_rows import OwnRows
from connectors.profile import read_bounded
from hub.clock import now_us
from hub.domain.certificate import Custody
from hub.domain.seal_key import SEALING_DAYS
from hub.errors import HubError, Reason
from hub.proof.jose import thumbprint
from hub.proof.reasons import ProofError
from hub.proof.x509.chain import UNREADABLE, leaf_public_key, read_x509_bundle
from hub.proof.x509.sm2 import X509
from hub.seal.algorithms import AlgorithmTable
from hub.seal.homes.files import KeyFiles
from hub.seal.keys import KeyHome, check_private
from hub.seal.signer_process.desk import SignerDesk
from hub.seal.signer_process.journal import Journal
from hub.seal.signer_process.process import close_to_others
from hub.seal.v1 import remote_signer_pb2 as pb_remote
from hub.seal.v1 import remote_signer_pb2_grpc
from hub.seal.v1 import signer_pb2 as pb

HOME: Final = "remote"
"""What hubs call the one home of keys here."""
MESSAGE_BYTES_MAX: Final = 64 * 1024 * 1024
SETTINGS_BYTES_MAX: Final = 64 * 1024
PEM_BYTES_MAX: Final = 64 * 1024
CALLS_MAX: Final = 8

_SIGNER: Final = {
    "address": str,
    "certificate": str,
    "key": str,
    "client_ca": str,
    "hub_keys": list,
    "folder": str,
    "keys": str,
    "passphrase_file": str,
}
_HUB: Final = {"origin": str, "region": str, "log_key": str}
_OUTBOX: Final = {"folder": str, "connectors": list}

_LOG: Final = logging.getLogger("sealway.signer")


@dataclass(frozen=True, slots=True)
class SignerSettings:
    """The file above with its paths resolved; no secret is in it."""

    address: str
    certificate: Path
    key: Path
    client_ca: Path
    hub_keys: frozenset[str]
    folder: Path
    keys: Path
    passphrase_file: Path
    maker_ca: Path | None
    token_uri: str
    base: Path
    origin: str
    region: str
    log_key: str
    roster: str
    outbox: Path
    connectors: tuple[str, ...]

    @classmethod
    def load(cls, path: Path) -> Self:
        """The settings in `path`. Raises HubError(FILE_UNREADABLE) naming what is wrong."""
        try:
            document = tomllib.loads(read_bounded(path, SETTINGS_BYTES_MAX, _WHAT).decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise _unreadable(path, f"is not TOML ({error})") from error
        optional = {"maker_ca": str, "token_uri": str}
        signer = _table(document, "signer", _SIGNER, optional, path)
        hub = _table(document, "hub", _HUB, {"roster": str}, path)
        outbox = _table(document, "outbox", _OUTBOX, {}, path)
        base = path.parent
        return cls(
            address=str(signer["address"]),
            certificate=base / str(signer["certificate"]),
            key=base / str(signer["key"]),
            client_ca=base / str(signer["client_ca"]),
            hub_keys=frozenset(_texts(signer["hub_keys"], "hub_keys", path)),
            folder=base / str(signer["folder"]),
            keys=base / str(signer["keys"]),
            passphrase_file=base / str(signer["passphrase_file"]),
            maker_ca=base / str(signer["maker_ca"]) if "maker_ca" in signer else None,
            token_uri=str(signer.get("token_uri", "")),
            base=base,
            origin=str(hub["origin"]),
            region=str(hub["region"]),
            log_key=str(hub["log_key"]),
            roster=str(hub.get("roster", "")),
            outbox=base / str(outbox["folder"]),
            connectors=_texts(outbox["connectors"], "connectors", path),
        )

    def home(self) -> KeyHome:
        """The home of keys; custody is the department's, whatever holds them."""
        if not self.token_uri:
            return KeyFiles(self.keys, self.passphrase_file, HOME, Custody.DEPARTMENT)
        # PKCS#11 is loaded only where there is a token.
        from hub.seal.homes.pkcs11 import Pkcs11Keys, TokenUri  # noqa: PLC0415

        token = TokenUri.parse(self.token_uri, self.base)
        return Pkcs11Keys(token, name=HOME, custody=Custody.DEPARTMENT)

    def makers(self) -> tuple[X509, ...]:
        """Who is believed to certify makers of electronic seals. Raises
        HubError(FILE_UNREADABLE)."""
        if self.maker_ca is None:
            return ()
        try:
            return read_x509_bundle(read_bounded(self.maker_ca, PEM_BYTES_MAX, "X.509 certificate"))
        except (ProofError, ValueError) as error:
            raise _unreadable(self.maker_ca, "is no PEM bundle of certificates") from error

    def desk(self) -> SignerDesk:
        """The checks and the keys behind them. Raises HubError(SIGNER_PINNED), and where the
        journal was altered ProofError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        journal = Journal.open(self.folder / "journal.db")
        pins = {"origin": self.origin, "region": self.region, "log_key": self.log_key}
        if self.roster:
            pins["roster"] = self.roster
        for name, value in pins.items():
            journal.pin(name, value)
        own = OwnRows(self.outbox, self.connectors)
        desk = SignerDesk(
            {HOME: self.home()},
            journal,
            AlgorithmTable(SEALING_DAYS),
            now_us,
            self.makers(),
            own.check,
        )
        desk.start()
        return desk


@dataclass(frozen=True, slots=True)
class Answers(remote_signer_pb2_grpc.RemoteSignerServiceServicer):
    """The service: who asks is the hub, and what is asked is answered by the desk."""

    desk: SignerDesk
    hub_keys: frozenset[str]

    def Answer(  # noqa: N802 - the method's name in the protocol
        self, request: pb_remote.AnswerRequest, context: grpc.ServicerContext
    ) -> pb_remote.AnswerResponse:
        """1. The caller's certificate, which TLS has verified, is the hub's. 2. A key is destroyed
        by its department only. 3. The desk answers.
        """
        kid = _peer(context)
        if kid not in self.hub_keys:
            _LOG.error('{"event":"signer_refused_peer","key_id":"%s"}', kid)
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "the caller is not the hub")
        if request.call.WhichOneof("call") == "destroy":
            refusal = pb.SignerRefusal(
                reason=Reason.KEY_USAGE_REFUSED.value,
                details={"kid": request.call.destroy.key_id},
            )
            return pb_remote.AnswerResponse(answer=pb.SignerAnswer(refused=refusal))
        return pb_remote.AnswerResponse(answer=self.desk.answer(request.call))


def start(settings: SignerSettings) -> tuple[grpc.Server, int]:
    """Serve. Returns the server and its port. Raises HubError(FILE_UNREADABLE), and as `desk`."""
    answers = Answers(settings.desk(), settings.hub_keys)
    try:
        check_private(settings.key)
    except OSError as error:
        raise _unreadable(settings.key, f"{error}; run: chmod 600") from error
    pems = [
        read_bounded(path, PEM_BYTES_MAX, "X.509 certificate")
        for path in (settings.key, settings.certificate, settings.client_ca)
    ]
    credentials = grpc.ssl_server_credentials(
        [(pems[0], pems[1])], root_certificates=pems[2], require_client_auth=True
    )
    server = grpc.server(
        ThreadPoolExecutor(CALLS_MAX, "signer"),
        maximum_concurrent_rpcs=4 * CALLS_MAX,
        options=(
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
            # Two on one port would count for themselves.
            ("grpc.so_reuseport", 0),
        ),
    )
    remote_signer_pb2_grpc.add_RemoteSignerServiceServicer_to_server(answers, server)
    try:
        port = server.add_secure_port(settings.address, credentials)
    except RuntimeError as error:
        raise _unreadable(settings.certificate, f"cannot serve {settings.address}") from error
    server.start()
    return server, port


def serve(
    settings: SignerSettings,
    ended: threading.Event,
    started: Callable[[int], None] = lambda _: None,
) -> None:
    """Serve until `ended` is set, then finish what is being signed. `started` is told the port.

    Raises as `start`.
    """
    close_to_others()
    server, port = start(settings)
    _LOG.info('{"event":"signer_started","port":%d}', port)
    started(port)
    ended.wait()
    server.stop(grace=10.0).wait()


def main() -> None:
    """Serve until the process is told to end; also `sealway connect sign-serve`."""
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    serve(SignerSettings.load(Path(sys.argv[1])), ended)


def _peer(context: grpc.ServicerContext) -> str:
    """The thumbprint of the caller's TLS key; empty where it is none that hubs have.

    A key and no name: the authority that certifies the hub may certify others under any name, and
    a renewed certificate keeps its key.
    """
    pems = context.auth_context().get("x509_pem_cert", ())
    try:
        return thumbprint(leaf_public_key([x509.load_pem_x509_certificate(pem) for pem in pems]))
    except (ProofError, IndexError, *UNREADABLE):
        return ""


def _table(
    document: Mapping[str, object],
    name: str,
    required: Mapping[str, type],
    optional: Mapping[str, type],
    path: Path,
) -> Mapping[str, object]:
    table = document.get(name)
    if not isinstance(table, dict):
        raise _unreadable(path, f"the table [{name}] is missing")
    known = {**required, **optional}
    if unknown := sorted(table.keys() - known.keys()):
        raise _unreadable(path, f"[{name}] {unknown[0]} is none of {', '.join(known)}")
    for member, kind in known.items():
        if member not in table and member in optional:
            continue
        if not isinstance(table.get(member), kind) or (member in required and not table[member]):
            raise _unreadable(path, f"[{name}] {member} is missing or of another type")
    return table


def _texts(value: object, member: str, path: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise _unreadable(path, f"{member} is not a list of texts")
    return tuple(value)


_WHAT: Final = "settings of the signer"


def _unreadable(path: Path, rule: str) -> HubError:
    return HubError(Reason.FILE_UNREADABLE, what=_WHAT, path=path, rule=rule)


if __name__ == "__main__":
    main()
