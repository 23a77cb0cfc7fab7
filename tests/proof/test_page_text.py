"""The text of a first page, as people read it and never as a terminal would take it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import pytest

from hub.proof.reasons import ProofError, ProofReason
from hub.proof.reports.page_text import CHARACTERS_MAX, LINES_MAX, text_of
from hub.proof.reports.report import Kind
from hub.proof.reports.shown import Shown, parse_shown, shown_to_json
from hub.proof.worker import Verifiers
from tests.pdf_documents import page
from tests.proof.ofd_samples import changed
from tests.proof.test_ofd_verify import SEALED
from tests.proof.test_verify_command import Save, run, save

__all__ = ["save"]

CONTENT = next(name for name in SEALED.files if name.endswith("Content.xml"))


@pytest.fixture(scope="module")
def verifiers() -> Iterator[Verifiers]:
    verifiers = Verifiers()
    yield verifiers
    verifiers.close()


def shows(commands: str) -> bytes:
    """A PDF whose page shows this between BT and ET."""
    whole = page("x" * 200)
    start, end = whole.index(b"BT"), whole.index(b"ET")
    drawn = f"BT /F 10 Tf {commands} ".encode()
    return whole[:start] + drawn.ljust(end - start) + whole[end:]


def ofd(*objects: str) -> bytes:
    namespace = "http://www.ofdspec.org/2016"
    body = "".join(objects)
    xml = (
        f'<ofd:Page xmlns:ofd="{namespace}"><ofd:Content><ofd:Layer ID="2">{body}</ofd:Layer>'
        "</ofd:Content></ofd:Page>"
    )
    return changed(SEALED, CONTENT, xml.encode()).to_bytes()


def text_object(text: str, x: float, y: float, size: float = 4) -> str:
    return (
        f'<ofd:TextObject ID="9" Boundary="{x} {y} 50 5" Font="1" Size="{size}">'
        f'<ofd:TextCode X="0" Y="4">{text}</ofd:TextCode></ofd:TextObject>'
    )


def test_lines_of_ofd_stand_in_the_order_in_which_they_are_read() -> None:
    """From above and from the left, whatever the order in the file; blocks are looked into."""
    block = f"<ofd:PageBlock ID='7'>{text_object('名称', 10, 20)}</ofd:PageBlock>"

    data = ofd(text_object("某公司", 40, 20.5), text_object("营业执照", 10, 5), block)

    assert text_of(data, Kind.OFD) == ("营业执照", "名称  某公司")


@pytest.mark.parametrize(
    ("commands", "lines"),
    [
        ("1 0 0 1 10 50 Tm (low) Tj 1 0 0 1 10 90 Tm (high) Tj", ("high", "low")),
        ("10 90 Td (a) Tj 0 -20 Td (b) Tj", ("a", "b")),
        ("12 TL 10 90 Td (a) Tj T* (b) Tj (c) '", ("a", "b", "c")),
        ("10 90 Td [(a) -250 (b)] TJ", ("ab",)),
        (r"10 90 Td (\(a\)) Tj", ("(a)",)),
        ("10 90 Td <6162> Tj", ("ab",)),
        ("10 Td (a) Tj", ()),
    ],
)
def test_lines_of_pdf_follow_the_operators(commands: str, lines: tuple[str, ...]) -> None:
    assert text_of(shows(commands), Kind.PDF) == lines


def test_more_than_a_screen_is_cut() -> None:
    # What packs as well as a bomb is no document.
    texts = [secrets.token_hex(CHARACTERS_MAX) for _ in range(LINES_MAX + 5)]
    long = [text_object(text, 1, 10 * number) for number, text in enumerate(texts)]

    lines = text_of(ofd(*long), Kind.OFD)

    assert (len(lines), len(lines[0])) == (LINES_MAX, CHARACTERS_MAX)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"PK\x03\x04", Kind.OFD),
        (b"%PDF-1.7", Kind.PDF),
        (ofd("<ofd:TextObject ID='1' Boundary='x'/>"), Kind.OFD),
        (b"", Kind.SEAL),
    ],
)
def test_what_cannot_be_read_has_no_text(data: bytes, kind: Kind) -> None:
    assert text_of(data, kind) == ()


def test_show_prints_the_text_with_nothing_that_a_terminal_obeys(save: Save) -> None:
    """Escapes and marks that turn the direction of writing are shown, not sent."""
    objects = (text_object("营业\u202e执照", 10, 5), text_object("&#x9b;2J", 10, 20))
    file = save("page.ofd", ofd(*objects))

    shown = run(file, "--show", "--simple", "--lang", "en").stdout

    heading = "Text of the first page, which proves nothing:"
    assert f"{heading}\n  营业\\u202e执照\n  \\u009b2J\n" in shown


def test_the_worker_hands_out_what_it_read(verifiers: Verifiers) -> None:
    assert verifiers.show(page("Business")).text == ("Business",)
    assert verifiers.show(b"GIF89a") == Shown(None, ())


@pytest.mark.parametrize(
    "change",
    [
        {"text": None},
        {"text": [1]},
        {"text": ["x" * (CHARACTERS_MAX + 1)]},
        {"text": ["x"] * (LINES_MAX + 1)},
        {"picture": 1},
        {"more": 1},
    ],
)
def test_a_worker_that_lies_is_refused(change: dict[str, object]) -> None:
    members = {"picture": None, "text": ["x"]}
    assert parse_shown(json.dumps(members).encode()) == Shown(None, ("x",))
    assert shown_to_json(Shown(None, ("x",))) == members

    with pytest.raises(ProofError) as refused:
        parse_shown(json.dumps(members | change).encode())

    assert refused.value.reason is ProofReason.JSON_MALFORMED
