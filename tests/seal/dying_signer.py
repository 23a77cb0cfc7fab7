"""A signer process that is killed when its first signature is made and nobody has it yet; with
arguments, the first by a key of these uses."""

from __future__ import annotations

import os
import signal
import sys

from hub.seal import keys
from hub.seal.signer_process import process as signer_process

_sign = keys.SealKey.sign


def _sign_and_die(key: keys.SealKey, signing_input: bytes, format: str) -> bytes:
    signature = _sign(key, signing_input, format)
    if sys.argv[1:] and key.use not in sys.argv[1:]:
        return signature
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nothing comes after")


if __name__ == "__main__":
    keys.SealKey.sign = _sign_and_die  # type: ignore[method-assign]
    signer_process.main()
