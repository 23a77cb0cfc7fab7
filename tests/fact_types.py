"""Types whose fields say which facts they carry, and a city where two departments issue them."""

from __future__ import annotations

import dataclasses
from typing import Final

from hub.domain.certificate_type import (
    CertificateType,
    Kind,
    Listing,
    Sharing,
    from_json,
    to_json,
)
from hub.domain.document import Level
from tests.simulator import DEFINER, ORIGIN, ROOT, Simulator, licence

LISTING: Final = Listing(
    kind=Kind.LICENCE,
    is_demonstration=True,
    defining_authority_name="市场监管总局",
    defining_level=Level.NATION,
    issuing_levels=(Level.CITY,),
    issuing_authorities=(),
    items=(),
    sharing=Sharing.CONDITIONAL,
    sharing_basis="《国务院关于在线政务服务的若干规定》第十条",
    evidence_days=3,
    successors=(),
)
REGISTER: Final = f"{DEFINER}003"
TRADE: Final = f"{DEFINER}004"


def carrying(certificate_type: CertificateType, code: str, *names: str) -> CertificateType:
    """The type under another code, with fields that carry the fact of their name."""
    fields = tuple(
        dataclasses.replace(field, fact=field.name if field.name in names else "")
        for field in certificate_type.fields
    )
    return dataclasses.replace(certificate_type, code=code, fields=fields, listing=LISTING)


async def issue_both(hub: Simulator) -> tuple[str, str]:
    """Names of two certificates of one company: hz-market registers it, nb-market lets it trade."""
    licence_type = from_json((ROOT / "deploy" / "types" / "business-licence.json").read_bytes())
    certificates = []
    for code, city in ((REGISTER, "hz"), (TRADE, "nb")):
        await hub.officer().publish(to_json(carrying(licence_type, code, "address", "name")))
        intent = f"{city}-{code[-3:]}"
        await hub.officer().propose(intent, f"authorities/{city}-market/seals/main", code)
        for other in ("qian", "sun"):
            await hub.officer(other).approve(intent)
        answer = await hub.connector(f"{city}-connector").deliver(
            [licence(1)], vct=f"https://{ORIGIN}/vct/{code}"
        )
        (result,) = answer.results
        assert result.certificate, result.errors
        certificates.append(result.certificate)
    return certificates[0], certificates[1]
