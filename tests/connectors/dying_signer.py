"""A department's signer that is killed when its first signature is made and nobody has it yet."""

from __future__ import annotations

import os
import signal

from connectors import signer
from hub.seal import keys

_sign = keys.SealKey.sign


def _sign_and_die(key: keys.SealKey, signing_input: bytes, format: str) -> bytes:
    _sign(key, signing_input, format)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nothing comes after")


if __name__ == "__main__":
    keys.SealKey.sign = _sign_and_die  # type: ignore[method-assign]
    signer.main()
