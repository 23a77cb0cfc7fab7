"""Holders: the types of GB/T 36903 Annex A and the checks of their numbers."""

from __future__ import annotations

import pytest

from hub.domain.holder import HOLDER_TYPES, Holder, HolderKind, may_hold, normalise_holder
from hub.errors import HubError, Reason


def test_annex_a_is_complete() -> None:
    """Sixteen types, two of them organisations; and two of our own, for areas."""
    by_kind = {
        kind: [code for code, one in HOLDER_TYPES.items() if one.kind is kind]
        for kind in HolderKind
    }

    assert by_kind[HolderKind.ORGANISATION] == ["001", "099"]
    assert by_kind[HolderKind.AREA] == ["901", "902"]
    assert by_kind[HolderKind.ANY] == []
    assert len(HOLDER_TYPES) == 16 + 2


@pytest.mark.parametrize("kind", HolderKind)
def test_a_type_is_held_by_its_kind_and_any_kind_is_no_area(kind: HolderKind) -> None:
    """What an area holds serves many: it is never mistaken for what somebody holds."""
    may = {code for code in ("001", "111", "901", "902") if may_hold(kind, code)}

    assert (
        may
        == {
            HolderKind.PERSON: {"111"},
            HolderKind.ORGANISATION: {"001"},
            HolderKind.ANY: {"001", "111"},
            HolderKind.AREA: {"901", "902"},
        }[kind]
    )


def test_a_person_is_never_shown() -> None:
    """repr is what lands in logs and tracebacks."""
    assert "1949" not in repr(Holder("111", "11010519491231002X"))
    assert "E12345678" not in repr(Holder("414", "E12345678"))
    assert "91350100M000100Y43" in repr(Holder("001", "91350100M000100Y43"))


@pytest.mark.parametrize(
    ("type_code", "text", "number", "rules"),
    [
        ("001", "91350100m000100y43", "91350100M000100Y43", ("holder.upper",)),
        ("001", "９1350100M000100Y43　", "91350100M000100Y43", ("holder.width",)),
        ("111", "11010519491231002x", "11010519491231002X", ("holder.upper",)),
        ("111", "110105491231002", "11010519491231002X", ("citizen.from_15",)),
        ("114", "南字第（123）号", "南字第(123)号", ("holder.width",)),
        ("414", "E12345678", "E12345678", ()),
        ("901", "g330101", "G330101", ("holder.upper",)),
        ("902", "330106001002gb00003", "330106001002GB00003", ("holder.upper",)),
    ],
)
def test_normalisation_names_what_it_changed(
    type_code: str, text: str, number: str, rules: tuple[str, ...]
) -> None:
    """A changed number says by which rule; an unchanged one says nothing."""
    assert normalise_holder(type_code, text) == (Holder(type_code, number), rules)


@pytest.mark.parametrize(
    ("type_code", "number", "reason", "rule"),
    [
        ("001", "91350100M000100Y44", Reason.USCC_INVALID, "uscc.check"),
        ("111", "11010519491231002x", Reason.CITIZEN_NUMBER_INVALID, "citizen.digits"),
        ("112", "123", Reason.HOLDER_INVALID, "holder.type"),
        ("414", "E1", Reason.HOLDER_INVALID, "holder.form"),
        ("414", "E123\x00456", Reason.HOLDER_INVALID, "holder.form"),
        ("999", "A" * 65, Reason.HOLDER_INVALID, "holder.form"),
        ("901", "G33-0101", Reason.HOLDER_INVALID, "holder.zone"),
        ("902", "330106001002GB0000", Reason.HOLDER_INVALID, "holder.parcel"),
    ],
)
def test_a_wrong_holder_is_refused_without_its_number(
    type_code: str, number: str, reason: Reason, rule: str
) -> None:
    """Type and rule are named; the number is not repeated."""
    with pytest.raises(HubError) as refused:
        Holder(type_code, number)

    assert (refused.value.reason, refused.value.details["rule"]) == (reason, rule)
    assert number not in str(refused.value) + repr(refused.value.violations)
