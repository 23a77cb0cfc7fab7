"""An OFD package as its files, and the one way in which they become an archive.

What renders a face gives such a value, sealing adds files to it, and nothing else is between them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hub.proof.ofd.document import ENTRY_FILE, open_package
from hub.proof.ses.seal import assemble_signature
from hub.proof.sm2 import SM2_WITH_SM3

# The first moment that ZIP knows: the same files are the same bytes at any time.
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o100644 << 16
# Packed by their own format already.
_STORED: Final = (".png", ".jpg", ".jpeg", ".otf", ".esl", ".dat")


@dataclass(frozen=True, slots=True)
class OfdPackage:
    """The files of one OFD document by their path from the package's root, no leading slash."""

    files: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def from_bytes(cls, data: bytes) -> OfdPackage:
        """The package in `data`, whoever wrote it. Raises as `open_package` does."""
        return cls(open_package(data).files)

    def with_value(
        self, value_file: str, to_sign: bytes, leaf: bytes, value: bytes, time_stamp: bytes | None
    ) -> OfdPackage:
        """With the signature of a seal in its place: `value` by SM2 over `to_sign`, of the signer
        whose certificate (DER) is `leaf`."""
        signature = assemble_signature(to_sign, leaf, SM2_WITH_SM3, value, time_stamp)
        return OfdPackage({**self.files, value_file: signature})

    def to_bytes(self) -> bytes:
        """The archive: `OFD.xml` first, then by name. The same files give the same bytes."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name in sorted(self.files, key=lambda name: (name != ENTRY_FILE, name)):
                entry = zipfile.ZipInfo(name, _TIME)
                entry.create_system = 3
                entry.external_attr = _MODE
                stored = name.lower().endswith(_STORED)
                entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
                archive.writestr(entry, self.files[name])
        return buffer.getvalue()
