"""Asking a hub for a plan, the way a platform does it."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any, Final

from hub.clock import legal_day, now_us
from hub.exchange.v1 import plan_pb2
from hub.proof.encoding import digest
from hub.proof.exchange.answer_receipt import verify_plan_receipt
from hub.proof.exchange.plan_request import PLAN_RPC, PlanClaims, RoleHolder, sign_plan_request
from tests.exchange.planning import answered
from tests.simulator import (
    BASIS,
    LICENCE,
    MATTER,
    ORIGIN,
    REGION,
    USCC,
    Platform,
    Simulator,
    company,
    new_id,
)

RESTAURANT: Final = "DEMO-RESTAURANT"


def document(code: str = RESTAURANT, **licence: Any) -> bytes:
    """An item that needs the company's licence and a form, and from 50 m² on a floor plan."""
    paper: dict[str, Any] = {"types": [], "grade_min": "D", "fields": []}
    needed = {
        "id": "licence",
        "name": "营业执照",
        "name_en": "Business licence",
        "role": "company",
        "types": [LICENCE],
        "grade_min": "C",
        "fields": ["name", "scope"],
    }
    floor = {
        "id": "floor-plan",
        "name": "平面图",
        "name_en": "Floor plan",
        "role": "applicant",
        "condition": {"fact": "premises_m2", "at_least": 50},
        "deferrable_days": 10,
    }
    form = {"id": "form", "name": "申请表", "name_en": "Form", "role": "applicant"}
    item = {
        "v": 1,
        "code": code,
        "name": "开办餐饮店",
        "name_en": "Open a restaurant",
        "authority": USCC["hz-market"],
        "levels": ["county"],
        "working_days": 5,
        "legal_basis": "《中华人民共和国食品安全法》第三十五条",
        "materials": [needed | licence, paper | form, paper | floor],
    }
    return json.dumps(item, ensure_ascii=False).encode()


async def furnish_items(hub: Simulator) -> None:
    """The restaurant in the catalogue, and the window's grant for its licence."""
    await hub.officer().import_items(document())
    await hub.officer().grant(
        "licence-for-restaurant", "window-1", ("name", "scope"), items=(RESTAURANT,)
    )


async def claims(platform: Platform, *holders: tuple[str, str, str], **changes: Any) -> PlanClaims:
    """What a request for the restaurant of company 1 says; `holders` are (role, type, number)."""
    now = int(time.time())
    people = holders or (("company", "001", company(1)), ("applicant", "001", company(1)))
    made = PlanClaims(
        iss=platform.name,
        aud=ORIGIN,
        region=REGION,
        jti=new_id(),
        iat=now,
        exp=now + 120,
        ath=digest(await platform.token()),
        items=(RESTAURANT,),
        holders=tuple(RoleHolder(*one) for one in people),
        decision_date=legal_day(now_us()).isoformat(),
        matter=MATTER,
        basis=BASIS,
        clerk="clerks/7",
        facts={"premises_m2": 80},
    )
    return dataclasses.replace(made, **changes)


async def ask(
    platform: Platform, *holders: tuple[str, str, str], **changes: Any
) -> plan_pb2.PlanMaterialsResponse:
    """One plan, its receipt verified. Raises Refused and ProofError."""
    made = await claims(platform, *holders, **changes)
    compact = sign_plan_request(made, platform.signer)
    response = await send(platform, compact, made.jti)
    verify_plan_receipt(
        response.receipt.json.encode(),
        [compact],
        platform.name,
        answered(response),
        platform.hub.trust.log,
    )
    return response


async def send(platform: Platform, compact: str, request_id: str) -> plan_pb2.PlanMaterialsResponse:
    """A signed request, whatever it says; nothing is verified."""
    request = plan_pb2.PlanMaterialsRequest(request_id=request_id, signed_request=compact)
    data = await platform.raw(PLAN_RPC, request.SerializeToString())
    return plan_pb2.PlanMaterialsResponse.FromString(data)


def outcomes(response: plan_pb2.PlanMaterialsResponse) -> dict[str, str]:
    """What became of each material, by its first use."""
    name = plan_pb2.PlannedMaterial.Outcome.Name
    return {
        one.uses[0].material: name(one.outcome).removeprefix("OUTCOME_").lower()
        for one in response.materials
    }
