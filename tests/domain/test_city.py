"""The generated city of the benchmarks is lawful, and the same each time."""

from __future__ import annotations

import itertools

from hub.domain.identifier import citizen_number_fault, type_code_fault, uscc_fault
from tests.bench.city import REGION, certificates, citizen, company

COUNT = 5000


def test_every_holder_and_type_passes_the_rules_of_the_hub() -> None:
    """Check digits hold, and nobody real can be meant."""
    for one in itertools.chain(certificates(COUNT), certificates(50, 9_999_950)):
        fault = citizen_number_fault if one.is_personal else uscc_fault
        assert fault(one.holder) is None, one
        assert type_code_fault(one.type_code) is None
        assert REGION in one.holder


def test_a_larger_city_begins_with_the_smaller_one() -> None:
    """So figures of two sizes are about the same certificates."""
    assert list(certificates(100)) == list(certificates(COUNT))[:100]
    assert list(certificates(50, 50)) == list(certificates(100))[50:]


def test_the_mix_is_that_of_a_city() -> None:
    """Most holders have a few certificates, some have many; no holder is another's."""
    city = list(certificates(COUNT))

    assert 0.6 < sum(one.is_personal for one in city) / COUNT < 0.8
    assert len({one.type_code for one in city}) == 13
    assert len({one.authority for one in city}) == 40
    assert len({one.certificate_number for one in city}) == COUNT
    assert COUNT / 4 < len({one.holder for one in city}) < COUNT
    assert len({citizen(number) for number in range(60_000)}) == 60_000
    assert len({company(number) for number in range(1000)}) == 1000
