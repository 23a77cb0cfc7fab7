"""Characters: space, width, invisible and private-use characters, mojibake.

NFKC is not used: it rewrites names (`①` to `1`, `㎡` to `m2`) and leaves zero-width characters
alone (connectors.md §2.1).
"""

from __future__ import annotations

import re
from typing import Final

from connectors.faults import CellFaultError

_HALF_WIDTH: Final = {0x3000: " ", **{0xFF01 + i: chr(0x21 + i) for i in range(94)}}
# DEL is here because terminals of the nineties left it in registers; it prints as nothing.
_INVISIBLE: Final = re.compile("[\x7f\u200b\u200c\u200d\u2060\ufeff]")
_PRIVATE: Final = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
_LATIN: Final = re.compile("[\u00a1-\u00ff]{4,}")
# A shorter text may be both by chance: 联通 in GB18030 is famous for being UTF-8 as well.
_MOJIBAKE_LENGTH_MIN: Final = 8


def half_width(text: str) -> str:
    """Full-width ASCII and the ideographic space as their half-width forms."""
    return text if text.isascii() else text.translate(_HALF_WIDTH)


def clean(text: str, rules: list[str]) -> str:
    """`text` without outer space (`text.strip`) and invisible characters (`text.invisible`)."""
    # isprintable is False for any of them, and costs a tenth of the search.
    if not text.isprintable() and _INVISIBLE.search(text):
        text = _INVISIBLE.sub("", text)
        rules.append("text.invisible")
    stripped = text.strip()
    if len(stripped) != len(text):
        rules.append("text.strip")
    return stripped


def without_footnote(text: str, marks: str, rules: list[str]) -> str:
    """`text` without the declared marks at its end, such as `**` (`text.footnote`)."""
    stripped = text.rstrip(marks)
    if len(stripped) != len(text):
        rules.append("text.footnote")
        return stripped.rstrip()
    return text


def has_private_use(text: str) -> bool:
    """Whether a character is private use: kept as it is, shown with a warning."""
    return not text.isprintable() and _PRIVATE.search(text) is not None


def check_decoded(text: str) -> None:
    """A line that was decoded without error and still is not what its author wrote.

    Raises CellFaultError: `encoding.replacement` for U+FFFD and its GBK shadow,
    `encoding.mojibake` for UTF-8 read as GB18030 and for GB18030 read as Latin-1.
    """
    if text.isascii():
        return
    if "\ufffd" in text or "锟斤拷" in text:
        raise CellFaultError("encoding.replacement")
    if _LATIN.search(text) and _decodes(text, "latin-1", "gb18030"):
        raise CellFaultError("encoding.mojibake")
    if _decodes(text, "gb18030", "utf-8"):
        raise CellFaultError("encoding.mojibake")


def _decodes(text: str, written: str, meant: str) -> bool:
    try:
        data = text.encode(written)
        once = data.decode(meant)
    except UnicodeError:
        return False
    return sum(byte > 127 for byte in data) >= _MOJIBAKE_LENGTH_MIN and once != text
