"""Numbers with a check of their own, against the vectors of the standards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.identifier import (
    USCC_ALPHABET,
    CertificateIdentifier,
    check_uscc,
    citizen_check_character,
    citizen_number_fault,
    mod_37_36_check,
    organisation_check_character,
    organisation_code_fault,
    organisation_code_of,
    parse_citizen_number,
    uscc_check_character,
    uscc_fault,
)
from hub.errors import HubError, Reason

USCC_VECTORS = [
    ("91350100M000100Y43", "M000100Y4"),
    ("11100000000013338W", "000013338"),
    ("11100000MB03271699", "MB0327169"),
    ("11430000006122244L", "006122244"),
    ("11330105002500287C", "002500287"),
    ("11110000000021135M", "000021135"),
    ("113700000045046442", "004504644"),
    ("113700000045030270", "004503027"),
    ("11100000MB0341032Y", "MB0341032"),
    ("11100000000019713D", "000019713"),
]

IDENTIFIERS = [
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.002.S",
    "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    "1.2.156.3005.2.11100000000013338W087.11370800MB28559184.37080001202411010001.001.3",
    "1.2.156.3005.2.11100000000013338W001.11110000000021135M.20250101000001.001.4",
    "1.2.156.3005.2.11100000000013338W001.11110000000021135M.20250101000001.002.2",
    "1.2.156.3005.2.11100000MB0143028R001.113301000025123419"
    ".0144B1DEFCF7561087015F8D830D65B1.001.O",
]


@pytest.mark.parametrize(("code", "organisation"), USCC_VECTORS)
def test_credit_codes_of_the_standard_are_valid(code: str, organisation: str) -> None:
    """GB 32100 with the organisation code of GB 11714 inside."""
    assert uscc_fault(code) is None
    assert uscc_check_character(code[:17]) == code[17]
    assert organisation_code_of(code) == organisation
    assert organisation_code_fault(organisation) is None


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("11100000000013338X", "uscc.check"),
        ("91350100M000100Y4Z", "uscc.alphabet"),
        ("91350211M0000XUF46", "uscc.check"),
        ("91350100M0001TGQXM", "uscc.check"),
        ("9135010OM000100Y43", "uscc.alphabet"),
        ("91350100m000100Y43", "uscc.alphabet"),
        ("91350100M000100Y4", "uscc.length"),
        ("", "uscc.length"),
        ("９1350100M000100Y43", "uscc.alphabet"),
    ],
)
def test_a_wrong_credit_code_names_its_rule(code: str, rule: str) -> None:
    """The first broken rule of GB 32100; lower case and look-alikes are not repaired."""
    assert uscc_fault(code) == rule
    with pytest.raises(HubError) as refused:
        check_uscc(code)
    assert refused.value.reason is Reason.USCC_INVALID
    assert refused.value.violations[0].rule == rule


@given(
    st.text(USCC_ALPHABET, min_size=8, max_size=8), st.text("0123456789", min_size=8, max_size=8)
)
def test_a_made_credit_code_is_valid_and_no_other_last_character_is(head: str, org: str) -> None:
    """The check is a function of the other characters."""
    body = head + org + organisation_check_character(org)
    valid = [end for end in USCC_ALPHABET if uscc_fault(body + end) is None]

    # X is a character of both alphabets, so every made body is legal.
    assert valid == [uscc_check_character(body)]


def test_organisation_code_examples_of_the_standard() -> None:
    """GB 11714: D2143569-X and 00250028-7."""
    assert organisation_check_character("D2143569") == "X"
    assert organisation_check_character("00250028") == "7"
    assert organisation_code_fault("D21435691") == "organisation_code.check"
    assert organisation_code_fault("D2143569-X") == "organisation_code.form"


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_citizen_numbers_of_the_standard_are_valid(number: str) -> None:
    """GB 11643's own examples."""
    assert citizen_number_fault(number) is None
    assert parse_citizen_number(number.lower()).number == number


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("110105194912310021", "citizen.check"),
        ("330299199002300010", "citizen.date"),
        ("3302**********1234", "citizen.digits"),
        ("33029919900101", "citizen.length"),
        ("３30299199001010017", "citizen.digits"),
    ],
)
def test_a_wrong_citizen_number_names_its_rule_and_not_the_number(number: str, rule: str) -> None:
    """The error reaches logs and terminals, so no part of the number may stand in it."""
    with pytest.raises(HubError) as refused:
        parse_citizen_number(number)

    assert refused.value.reason is Reason.CITIZEN_NUMBER_INVALID
    assert refused.value.details["rule"] == rule
    shown = f"{refused.value} {refused.value.details} {refused.value.violations}"
    assert number not in shown
    assert number not in refused.value.text("zh")


def test_an_old_citizen_number_is_converted_and_says_so() -> None:
    """15 digits: the 20th century and a computed check character."""
    converted = parse_citizen_number("110105491231002")

    assert (converted.number, converted.converted) == ("11010519491231002X", True)
    assert not parse_citizen_number("11010519491231002X").converted
    assert "110105" not in repr(converted)
    with pytest.raises(HubError):
        parse_citizen_number("110105493231002")


@given(st.text("0123456789", min_size=17, max_size=17))
def test_citizen_check_fits_exactly_one_last_character(first17: str) -> None:
    """ISO 7064 MOD 11-2: a number with another last character is refused."""
    ends = [end for end in "0123456789X" if citizen_number_fault(first17 + end) is None]

    assert ends in ([], [citizen_check_character(first17)])


@pytest.mark.parametrize("text", IDENTIFIERS)
def test_identifiers_seen_in_the_field_parse_and_print_unchanged(text: str) -> None:
    """GB/T 36904: parse and print are inverse."""
    assert str(CertificateIdentifier.parse(text)) == text


@pytest.mark.parametrize("text", IDENTIFIERS[:1])
def test_every_wrong_character_in_an_identifier_is_noticed(text: str) -> None:
    """Single substitutions and adjacent swaps in serial, version and check character."""
    start = text.index("20230000403")
    for position in range(start, len(text)):
        if text[position] == ".":
            continue
        for other in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            changed = text[:position] + other + text[position + 1 :]
            if changed != text:
                with pytest.raises(HubError):
                    CertificateIdentifier.parse(changed)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (
            "1.2.156.3005.2.11100000000013661B006.113700000045046442"
            ".209FA4E88F9E4C878F3E9BED2CE7EA49.001.M",
            "identifier.check",
        ),
        (
            "1.2.156.3005.2.11100000000013338W050.91610800064834709T.2023000001.001.X",
            "identifier.check",
        ),
        ("1.2.156.3005.3.x", "identifier.root"),
        ("1.2.156.3005.2.11100000000013338W011.11430000006122244L.1.001", "identifier.form"),
        (
            "1.2.156.3005.2.11100000000013338W000.11430000006122244L.1.001.0",
            "identifier.type_code",
        ),
        ("1.2.156.3005.2.11100000000013338W011.11430000006122244L..001.0", "identifier.serial"),
        ("1.2.156.3005.2.11100000000013338W011.11430000006122244L.a.001.0", "identifier.serial"),
        ("1.2.156.3005.2.11100000000013338W011.11430000006122244L.1.000.0", "identifier.version"),
    ],
)
def test_a_wrong_identifier_names_its_rule(text: str, rule: str) -> None:
    """Illustrations of other platforms whose check character was never computed are refused."""
    with pytest.raises(HubError) as refused:
        CertificateIdentifier.parse(text, lenient=True)

    assert refused.value.reason is Reason.IDENTIFIER_INVALID
    assert refused.value.details["rule"] == rule


def test_a_region_code_as_issuer_passes_in_lenient_mode_only() -> None:
    """A deployed real-estate identifier with issuer 340100."""
    text = "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9"

    assert str(CertificateIdentifier.parse(text, lenient=True)) == text
    with pytest.raises(HubError) as refused:
        CertificateIdentifier.parse(text)
    assert refused.value.details["rule"] == "identifier.issuer"


def test_the_next_version_keeps_type_issuer_and_serial() -> None:
    """A change raises the version and nothing else, up to 999."""
    first = CertificateIdentifier.parse(IDENTIFIERS[0])

    assert str(first.next_version()) == IDENTIFIERS[1]
    last = CertificateIdentifier.make(first.type_code, first.issuer, first.serial, 999)
    with pytest.raises(HubError):
        last.next_version()


def test_independent_mod_37_36_vector() -> None:
    """A vector from outside the certificate world."""
    assert mod_37_36_check("A12425GABC1234002") == "M"
