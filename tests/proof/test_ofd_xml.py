"""XML of a stranger: bounded, without document types, one namespace."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.proof.ofd.xml import (
    DEPTH_MAX,
    ELEMENTS_MAX,
    XML_BYTES_MAX,
    check_no_document_type,
    parse_xml,
)
from hub.proof.reasons import ProofError, ProofReason
from tests.proof.ofd_samples import NAMESPACE

XXE = b"""<?xml version="1.0"?><!DOCTYPE Res [<!ENTITY x SYSTEM "file:///etc/passwd">]><Res>&x;</Res>"""
LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE Res [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">\
<!ENTITY c "&b;&b;&b;&b;">]><Res>&c;</Res>"""
PARAMETER = b"""<!DOCTYPE Res [<!ENTITY % x SYSTEM "http://127.0.0.1/x">%x;]><Res/>"""
OUTSIDE = b"""<!DOCTYPE Res SYSTEM "x.dtd"><Res/>"""


def refused(data: bytes) -> ProofReason:
    """Why `data` is refused."""
    with pytest.raises(ProofError) as raised:
        parse_xml(data, "Res.xml", "Res")
    return raised.value.reason


@pytest.mark.parametrize("data", [XXE, LAUGHS, PARAMETER, OUTSIDE])
def test_a_document_type_is_refused(data: bytes) -> None:
    """Nothing is expanded and nothing fetched; also in files that only a viewer reads."""
    assert refused(data) is ProofReason.XML_DTD
    with pytest.raises(ProofError) as raised:
        check_no_document_type(data, "Res.xml")
    assert raised.value.reason is ProofReason.XML_DTD


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030"])
def test_a_document_type_in_another_encoding_is_refused(encoding: str) -> None:
    """A viewer may know more encodings than expat."""
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE 页 [<!ENTITY a "b">]><页>&a;</页>'

    with pytest.raises(ProofError) as raised:
        check_no_document_type(text.encode(encoding), "Content.xml")

    assert raised.value.reason is ProofReason.XML_DTD


def test_xml_that_nobody_needs_to_read_may_be_of_any_kind() -> None:
    """An attachment is data."""
    check_no_document_type(
        '<?xml version="1.0" encoding="gb18030"?><页/>'.encode("gb18030"), "a.xml"
    )
    check_no_document_type(b"no XML at all", "a.xml")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", ProofReason.XML_MALFORMED),
        (b"<Res>", ProofReason.XML_MALFORMED),
        (f"<ofd:Res {NAMESPACE}>&undefined;</ofd:Res>".encode(), ProofReason.XML_MALFORMED),
        (f"<ofd:Res {NAMESPACE}/>".encode() * 2, ProofReason.XML_MALFORMED),
        (b'<?xml version="1.0" encoding="klingon"?><Res/>', ProofReason.XML_MALFORMED),
        (b'<?xml version="1.0" encoding="rot13"?><Res/>', ProofReason.XML_MALFORMED),
        (b"<Res/>", ProofReason.OFD_STRUCTURE),
        (b'<Res xmlns="http://www.ofdspec.org/2017"/>', ProofReason.OFD_STRUCTURE),
        (f"<ofd:Page {NAMESPACE}/>".encode(), ProofReason.OFD_STRUCTURE),
        (bytes(XML_BYTES_MAX + 1), ProofReason.XML_TOO_LARGE),
        (b"<a>" * (DEPTH_MAX + 1), ProofReason.XML_TOO_LARGE),
        (b"<a>" + b"<b/>" * ELEMENTS_MAX, ProofReason.XML_TOO_LARGE),
    ],
)
def test_what_is_no_ofd_xml_is_refused(data: bytes, reason: ProofReason) -> None:
    """With its own reason."""
    assert refused(data) is reason


def test_elements_of_other_namespaces_are_passed_over_with_all_that_is_in_them() -> None:
    """Nothing of the document may hide in an extension that another reader skips."""
    data = f"""<ofd:Res {NAMESPACE} xmlns:x="urn:x"><x:Hide><ofd:Fonts>1</ofd:Fonts></x:Hide>\
<ofd:Fonts>2</ofd:Fonts></ofd:Res>""".encode()

    assert parse_xml(data, "Res.xml", "Res").one("Fonts").value() == "2"


def test_an_element_that_must_be_one_is_not_two() -> None:
    """Two readers would take two."""
    root = parse_xml(f"<ofd:Res {NAMESPACE}><ofd:A/><ofd:A/></ofd:Res>".encode(), "Res.xml", "Res")

    for name in ("A", "B"):
        with pytest.raises(ProofError) as raised:
            root.one(name)
        assert raised.value.reason is ProofReason.OFD_STRUCTURE


def test_text_in_many_pieces_is_put_together_in_linear_time() -> None:
    """Comments cut a text into as many pieces as somebody likes."""
    data = f"<ofd:Res {NAMESPACE}>".encode() + b"a<!---->" * 1_000_000 + b"</ofd:Res>"
    began = time.process_time()

    assert parse_xml(data, "Res.xml", "Res").text == "a" * 1_000_000
    assert time.process_time() - began < 10


@given(st.binary(max_size=100) | st.text(alphabet="<>/&;!?= '[]-a", max_size=60).map(str.encode))
def test_only_declared_errors_come_out(data: bytes) -> None:
    """Whatever the bytes are."""
    for body in (data, f"<ofd:Res {NAMESPACE}>".encode() + data + b"</ofd:Res>"):
        try:
            parse_xml(body, "Res.xml", "Res")
            check_no_document_type(body, "Res.xml")
        except ProofError as error:
            assert error.reason.value.startswith(("XML_", "OFD_"))
