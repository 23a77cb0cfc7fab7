"""The signer process, `python -m hub.seal.signer_process.process`: started by the hub, not forked.

What it may use stands on its standard input as one line of JSON (`Settings`): names of files, no
secret. It then says `ready` and answers calls on its Unix socket until the input closes, which it
does when the hub ends, however that happens. It listens to no network. Only processes of the same
user are answered; core dumps are off, and no other process may look into its memory.

The same settings can be given by an operator who runs it apart from the hub.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import resource
import socket
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from google.protobuf.message import DecodeError

from hub.clock import now_us
from hub.domain.crypto import CryptoProfile
from hub.domain.seal_key import KeyAlgorithm, SealingDays
from hub.proof.x509.chain import read_x509_bundle
from hub.proof.x509.sm2 import X509
from hub.seal.algorithms import AlgorithmTable
from hub.seal.homes.files import KeyFiles
from hub.seal.keys import KeyHome
from hub.seal.signer_process.desk import SignerDesk
from hub.seal.signer_process.journal import Journal
from hub.seal.signer_process.socket import listen, peer_uid, receive, send
from hub.seal.v1 import signer_pb2 as pb

READY: Final = b"ready\n"
CONNECTIONS_MAX: Final = 64

_LOG: Final = logging.getLogger("sealway.signer")
_PR_SET_DUMPABLE: Final = 4


@dataclass(frozen=True, slots=True)
class Settings:
    """What a signer process is given. `folder` (0700) holds its socket and its journal.

    Relative paths in `token_uri` hang on `base`; it is empty without a token; of the SM2 mechanisms
    of its vendor, 0 is none. `maker_ca` holds the anchors of seal-makers (PEM); it may be absent.
    """

    folder: str
    keys_folder: str
    passphrase_file: str
    algorithms: Mapping[str, str]
    maker_ca: str = ""
    base: str = ""
    token_uri: str = ""
    sm2_generate: int = 0
    sm2_sign: int = 0
    sm2_signs: str = "message"
    profile: str = CryptoProfile.INTERNATIONAL.value

    def line(self) -> bytes:
        """The settings as the process reads them."""
        return json.dumps(asdict(self)).encode() + b"\n"

    def files(self) -> KeyFiles:
        """The home of encrypted files."""
        return KeyFiles(
            Path(self.keys_folder),
            Path(self.passphrase_file),
            profile=CryptoProfile(self.profile),
        )

    def homes(self) -> dict[str, KeyHome]:
        """The homes of keys. PKCS#11 is loaded here and nowhere else."""
        files = self.files()
        homes: dict[str, KeyHome] = {files.name: files}
        if self.token_uri:
            from hub.seal.homes.pkcs11 import (  # noqa: PLC0415 - only with a token
                Pkcs11Keys,
                TokenUri,
                sm2_mechanisms,
            )

            mechanisms = sm2_mechanisms(self.sm2_generate, self.sm2_sign, self.sm2_signs)
            token = Pkcs11Keys(TokenUri.parse(self.token_uri, Path(self.base)), mechanisms)
            homes[token.name] = token
        return homes

    def makers(self) -> tuple[X509, ...]:
        """Who is believed to certify makers of electronic seals. Raises OSError, ValueError,
        ProofError for a file that holds something else."""
        path = Path(self.maker_ca)
        return read_x509_bundle(path.read_bytes()) if path.is_file() else ()

    def table(self) -> AlgorithmTable:
        """From when to when each algorithm seals."""
        return AlgorithmTable(
            {KeyAlgorithm(name): SealingDays.parse(days) for name, days in self.algorithms.items()}
        )


def main() -> None:
    """Run until the input closes."""
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    close_to_others()
    settings = Settings(**json.loads(sys.stdin.buffer.readline()))
    folder = Path(settings.folder)
    listener = listen(folder)
    journal = Journal.open(folder / "journal.db")
    desk = SignerDesk(settings.homes(), journal, settings.table(), now_us, settings.makers())
    desk.start()
    threading.Thread(target=_end_with_input, daemon=True).start()
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    serve(listener, desk)


def serve(listener: socket.socket, desk: SignerDesk) -> None:
    """Answer every connection of this user's processes, each in a thread of its own."""
    places = threading.BoundedSemaphore(CONNECTIONS_MAX)
    while True:
        connection, _ = listener.accept()
        if peer_uid(connection) != os.getuid():
            _LOG.error('{"event":"signer_refused_peer"}')
            connection.close()
        elif places.acquire(blocking=False):
            threading.Thread(target=_talk, args=(connection, desk, places), daemon=True).start()
        else:
            connection.close()


def _talk(connection: socket.socket, desk: SignerDesk, places: threading.BoundedSemaphore) -> None:
    """Whoever sends what is no call is not answered; a fault of ours closes the connection too."""
    try:
        with connection, contextlib.suppress(OSError, DecodeError):
            while (message := receive(connection)) is not None:
                answer = desk.answer(pb.SignerCall.FromString(message))
                send(connection, answer.SerializeToString())
    finally:
        places.release()


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    # A signature that is being made is counted already; nothing has to be tidied up.
    os._exit(0)


def close_to_others() -> None:
    """No core dumps, and no debugger or reader of memory under the same user."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


if __name__ == "__main__":
    main()
