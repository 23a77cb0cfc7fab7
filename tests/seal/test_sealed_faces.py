"""Which key of a seal signs a face."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from hub.clock import legal_day, now_us
from hub.domain.face import FaceFormat
from hub.domain.seal_key import SEALING_DAYS, KeyAlgorithm, KeyUse, SealingDays
from hub.errors import HubError, Reason
from hub.seal.algorithms import AlgorithmTable
from hub.seal.documents.sealed_faces import SealedFaces


class Keys:
    """A seal with keys of these algorithms in force, under the real table of algorithms."""

    def __init__(self, *in_force: KeyAlgorithm, demands_sm2: bool = False) -> None:
        self.demands_sm2 = demands_sm2
        self.days = dict(SEALING_DAYS)
        self.algorithms = AlgorithmTable(self.days)
        self.clock = now_us
        self._in_force = in_force

    async def in_force(self, _seal: str, _use: KeyUse, algorithm: KeyAlgorithm) -> bool:
        return algorithm in self._in_force

    async def usable(self, _seal: str, _use: KeyUse, algorithm: KeyAlgorithm, _count: int) -> Any:
        self.algorithms.check(algorithm, self.clock())
        return algorithm


async def chosen(keys: Keys) -> Any:
    """The algorithm by which a PDF face would be sealed now."""
    faces: Any = SimpleNamespace(keys=keys)
    return await SealedFaces._key(faces, "seals/a", FaceFormat.PDF)


async def test_a_pdf_of_the_profile_gm_is_sealed_with_sm2_and_of_the_other_never() -> None:
    """Whatever else is in force; where the one that is meant is not, it is the one asked for."""
    both = (KeyAlgorithm.ES256, KeyAlgorithm.SM2)

    for in_force in (both, both[:1], both[1:]):
        assert await chosen(Keys(*in_force, demands_sm2=True)) is KeyAlgorithm.SM2
        assert await chosen(Keys(*in_force)) is KeyAlgorithm.ES256


async def test_an_algorithm_past_its_last_day_gives_way_to_the_next_in_force() -> None:
    """From one call to the next, without a restart; where there is no other, it is refused."""
    keys, alone = Keys(KeyAlgorithm.ES256, KeyAlgorithm.ES384), Keys(KeyAlgorithm.ES256)
    assert await chosen(keys) is KeyAlgorithm.ES256

    yesterday = legal_day(now_us()) - datetime.timedelta(days=1)
    for one in (keys, alone):
        one.days[KeyAlgorithm.ES256] = SealingDays(datetime.date(2020, 1, 1), yesterday)

    assert await chosen(keys) is KeyAlgorithm.ES384
    with pytest.raises(HubError) as caught:
        await chosen(alone)
    assert caught.value.reason is Reason.ALGORITHM_RETIRED
