"""Numbers that carry their own check: credit codes, citizen numbers, certificate identifiers.

GB 32100 (unified social credit code), GB 11714 (organisation code), GB 11643 (citizen number) and
GB/T 36904 (certificate identifier with an ISO 7064 MOD 37,36 check). `*_fault` functions name the
first broken rule or give None; `check_*` functions raise. No error ever holds a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import mul
from typing import Final

from hub.domain.rules import violation
from hub.errors import HubError, Reason

USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
IDENTIFIER_ROOT: Final = "1.2.156.3005.2"
SERIAL_LENGTH_MAX: Final = 64
VERSION_MAX: Final = 999


# Unified social credit code, GB 32100.


# One code stands in several members of a row, and in the rows around it: few are worth keeping.
@lru_cache(maxsize=64)
def uscc_fault(code: str) -> str | None:
    """The first rule of GB 32100 that `code` breaks; capitals only, no separators."""
    if len(code) != 18:
        return "uscc.length"
    try:
        total = sum(map(mul, map(_USCC_VALUES.__getitem__, code), _USCC_WEIGHTS))
    except KeyError:
        return "uscc.alphabet"
    # The check character itself has weight 1: the whole sum is a multiple of 31.
    if total % 31:
        return "uscc.check"
    if organisation_code_fault(code[8:17]) is not None:
        return "uscc.organisation_check"
    return None


def check_uscc(code: str, *, field: str = "credit_code") -> str:
    """`code` as it is. Raises HubError(USCC_INVALID) with the broken rule."""
    rule = uscc_fault(code)
    if rule is not None:
        raise _refused(Reason.USCC_INVALID, field, rule)
    return code


def uscc_check_character(first17: str) -> str:
    """The 18th character for 17 characters of the alphabet (GB 32100, 6)."""
    total = sum(
        _USCC_VALUES[character] * weight
        for character, weight in zip(first17, _USCC_WEIGHTS, strict=False)
    )
    return USCC_ALPHABET[-total % 31]


def organisation_code_of(uscc: str) -> str:
    """The organisation code inside a valid credit code, without hyphen."""
    return uscc[8:17]


# Organisation code, GB 11714.


def organisation_code_fault(code: str) -> str | None:
    """The first rule of GB 11714 that `code` breaks: nine characters, no hyphen."""
    if not _ORGANISATION_CODE.fullmatch(code):
        return "organisation_code.form"
    if organisation_check_character(code[:8]) != code[8]:
        return "organisation_code.check"
    return None


def organisation_check_character(first8: str) -> str:
    """The 9th character for eight digits or capitals (GB 11714, 3.3)."""
    total = sum(map(mul, map(_BASE36_VALUES.__getitem__, first8), _ORGANISATION_WEIGHTS))
    return "0X987654321"[total % 11]


# Citizen number, GB 11643.


@dataclass(frozen=True, slots=True, repr=False)
class CitizenNumber:
    """A valid citizen number of 18 characters; `converted` if the source held an old one of 15."""

    number: str
    converted: bool

    def __repr__(self) -> str:
        return f"CitizenNumber(***, converted={self.converted})"


def citizen_number_fault(number: str) -> str | None:
    """The first rule of GB 11643 that an 18-character `number` breaks (capital X only)."""
    if len(number) != 18:
        return "citizen.length"
    if not _CITIZEN_NUMBER.fullmatch(number):
        return "citizen.digits"
    if not _real_date(f"{number[6:10]}-{number[10:12]}-{number[12:14]}"):
        return "citizen.date"
    if citizen_check_character(number[:17]) != number[17]:
        return "citizen.check"
    return None


def parse_citizen_number(text: str, *, field: str = "number") -> CitizenNumber:
    """The number in `text`: 18 characters (`x` allowed), or 15 digits, which are converted.

    An old number of 15 digits carries no check of its own; its century is the 20th and its check
    character is computed. Raises HubError(CITIZEN_NUMBER_INVALID), without the number.
    """
    converted = len(text) == 15
    number = text.upper()
    if converted:
        if not (text.isascii() and text.isdigit()):
            raise _refused(Reason.CITIZEN_NUMBER_INVALID, field, "citizen.digits")
        number = f"{text[:6]}19{text[6:]}"
        number += citizen_check_character(number)
    rule = citizen_number_fault(number)
    if rule is not None:
        raise _refused(Reason.CITIZEN_NUMBER_INVALID, field, rule)
    return CitizenNumber(number, converted)


def citizen_check_character(first17: str) -> str:
    """The 18th character for 17 digits (GB 11643; ISO 7064 MOD 11-2)."""
    total = sum(
        int(digit) * weight for digit, weight in zip(first17, _CITIZEN_WEIGHTS, strict=True)
    )
    return "10X98765432"[total % 11]


# Certificate identifier, GB/T 36904.


@dataclass(frozen=True, slots=True)
class CertificateIdentifier:
    """One version of one certificate, worldwide: type, issuer, serial and version.

    `str()` gives the text with root and check character. Build it with `make` or `parse`.
    """

    type_code: str
    issuer: str
    serial: str
    version: int

    @classmethod
    def make(cls, type_code: str, issuer: str, serial: str, version: int) -> CertificateIdentifier:
        """The identifier of these parts. Raises HubError(IDENTIFIER_INVALID) for a wrong part."""
        rule = _parts_fault(type_code, issuer, serial, f"{version:03d}", lenient=False)
        if rule is not None:
            raise _refused(Reason.IDENTIFIER_INVALID, "identifier", rule)
        return cls(type_code, issuer, serial, version)

    @classmethod
    def parse(cls, text: str, *, lenient: bool = False) -> CertificateIdentifier:
        """The identifier that `text` writes out.

        `lenient` also takes what other platforms issued with a region code of six digits in place
        of the issuer's credit code; the check character must fit all the same.
        Raises HubError(IDENTIFIER_INVALID).
        """
        rule = _text_fault(text, lenient=lenient)
        if rule is not None:
            raise _refused(Reason.IDENTIFIER_INVALID, "identifier", rule)
        type_code, issuer, serial, version, _ = text[len(IDENTIFIER_ROOT) + 1 :].split(".")
        return cls(type_code, issuer, serial, int(version))

    def next_version(self) -> CertificateIdentifier:
        """The same certificate, changed. Raises HubError(IDENTIFIER_INVALID) after version 999."""
        return CertificateIdentifier.make(
            self.type_code, self.issuer, self.serial, self.version + 1
        )

    def first(self) -> CertificateIdentifier:
        """The first version of the same certificate: one text for all its versions."""
        return CertificateIdentifier(self.type_code, self.issuer, self.serial, 1)

    def __str__(self) -> str:
        version = f"{self.version:03d}"
        check = mod_37_36_check(self.type_code + self.issuer + self.serial + version)
        return ".".join((IDENTIFIER_ROOT, self.type_code, self.issuer, self.serial, version, check))


def identifier_fault(text: str) -> str | None:
    """The first rule of GB/T 36904 that an identifier breaks, strictly read."""
    return _text_fault(text, lenient=False)


def type_code_fault(code: str) -> str | None:
    """The rule that a 21-character type code breaks (GB/T 36904: credit code, 001 to 999)."""
    if len(code) != 21 or uscc_fault(code[:18]) is not None or not _VERSION.fullmatch(code[18:]):
        return "identifier.type_code"
    return None


def serial_fault(serial: str) -> str | None:
    """The rule that a serial breaks: 1 to 64 digits or capital letters."""
    return None if _SERIAL.fullmatch(serial) else "identifier.serial"


def mod_37_36_check(text: str) -> str:
    """The check character of digits and capitals (ISO/IEC 7064 MOD 37,36)."""
    after = _MOD_37_36[36]
    for character in text:
        after = _MOD_37_36[after[character]]
    return _BASE36[(37 - after[""]) % 36]


def _text_fault(text: str, *, lenient: bool) -> str | None:
    if not text.startswith(IDENTIFIER_ROOT + "."):
        return "identifier.root"
    parts = text[len(IDENTIFIER_ROOT) + 1 :].split(".")
    if len(parts) != 5:
        return "identifier.form"
    type_code, issuer, serial, version, check = parts
    rule = _parts_fault(type_code, issuer, serial, version, lenient=lenient)
    if rule is not None:
        return rule
    if mod_37_36_check(type_code + issuer + serial + version) != check:
        return "identifier.check"
    return None


def _parts_fault(
    type_code: str, issuer: str, serial: str, version: str, *, lenient: bool
) -> str | None:
    if type_code_fault(type_code) is not None:
        return "identifier.type_code"
    region = lenient and _REGION.fullmatch(issuer) is not None
    if not region and uscc_fault(issuer) is not None:
        return "identifier.issuer"
    if serial_fault(serial) is not None:
        return "identifier.serial"
    if not _VERSION.fullmatch(version):
        return "identifier.version"
    return None


def _real_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _refused(reason: Reason, field: str, rule: str) -> HubError:
    return HubError(reason, violations=(violation(field, rule),), field=field, rule=rule)


_BASE36: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE36_VALUES: Final = {character: value for value, character in enumerate(_BASE36)}
# The product after each product and character; under "" the product itself.
_MOD_37_36: Final = tuple(
    {"": product}
    | {
        character: ((product + value) % 36 or 36) * 2 % 37
        for character, value in _BASE36_VALUES.items()
    }
    for product in range(37)
)
_USCC_VALUES: Final = {character: value for value, character in enumerate(USCC_ALPHABET)}
_USCC_WEIGHTS: Final = (*(pow(3, exponent, 31) for exponent in range(17)), 1)
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_WEIGHTS: Final = tuple(pow(2, 17 - position, 11) for position in range(17))

_ORGANISATION_CODE: Final = re.compile(r"[0-9A-Z]{8}[0-9X]")
_CITIZEN_NUMBER: Final = re.compile(r"[0-9]{17}[0-9X]")
_SERIAL: Final = re.compile(rf"[0-9A-Z]{{1,{SERIAL_LENGTH_MAX}}}")
_VERSION: Final = re.compile(r"(?!000)[0-9]{3}")
_REGION: Final = re.compile(r"[0-9]{6}")
