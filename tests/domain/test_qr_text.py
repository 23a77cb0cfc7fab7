"""The text of a code: what is written is read again, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.identifier import CertificateIdentifier
from hub.domain.qr_text import SCHEME, QrText
from hub.errors import HubError, Reason

ORIGIN = "hub.hangzhou.example"
IDENTIFIER = str(
    CertificateIdentifier.make(
        "11100000MB0143028R001", "113301000025123419", "0144B1DEFCF7561087015F8D830D65B1", 1
    )
)
ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


@given(number=st.integers(0, 999_999_999), place=st.integers(0, 9_999_999_999))
def test_a_code_is_read_as_it_was_written(number: int, place: int) -> None:
    """In the letters that a code takes half the room for."""
    uri = f"https://{ORIGIN}/status/{number}"
    code = QrText.of_status(ORIGIN, IDENTIFIER, uri, place)

    assert QrText.parse(str(code), ORIGIN) == code
    assert set(str(code)) <= ALPHANUMERIC


@given(text=st.text(max_size=80))
def test_other_texts_are_refused_with_their_rule(text: str) -> None:
    """Whatever follows the scheme: a reason, never a failure of the reader."""
    with pytest.raises(HubError) as refused:
        QrText.parse(SCHEME + text, ORIGIN)

    assert refused.value.reason in (Reason.FIELD_INVALID, Reason.IDENTIFIER_INVALID)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text[:-1] + "٣", Reason.FIELD_INVALID),
        (lambda text: text + "\n", Reason.FIELD_INVALID),
        (lambda text: text.lower(), Reason.FIELD_INVALID),
        (lambda text: text.replace(":12:", ":012:"), Reason.FIELD_INVALID),
        (lambda text: text.replace(ORIGIN.upper(), "OTHER.EXAMPLE"), Reason.FIELD_INVALID),
        (lambda text: text.replace("0144B1", "0144B2"), Reason.IDENTIFIER_INVALID),
    ],
)
def test_one_certificate_has_one_code(change: object, reason: Reason) -> None:
    """No second spelling, no other hub, no wrong check character."""
    text = str(QrText(ORIGIN, IDENTIFIER, 12, 3456))
    assert callable(change)

    with pytest.raises(HubError) as refused:
        QrText.parse(change(text), ORIGIN)

    assert refused.value.reason is reason
