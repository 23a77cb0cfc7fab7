"""A window that plans, on a real database and log: signs requests and verifies what it is told."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hub.clock import legal_day, now_us
from hub.domain.caller import Caller, Role
from hub.domain.certificate import Grade
from hub.domain.document import Level
from hub.domain.entry import Entry
from hub.domain.service_item import Material, ServiceItem
from hub.domain.service_item import Role as HolderRole
from hub.exchange.grants import Grant
from hub.exchange.plan_materials import PlanAnswer, PlanMaterials, PlannedLine
from hub.exchange.plan_service import encode_plan
from hub.exchange.snapshot import GrantSnapshot
from hub.exchange.store import put_grant, put_version
from hub.exchange.v1 import plan_pb2
from hub.proof.encoding import digest
from hub.proof.exchange.answer_receipt import AnsweredMaterial, AnsweredPlan, verify_plan_receipt
from hub.proof.exchange.plan_request import PlanClaims, RoleHolder, sign_plan_request
from hub.proof.jose import REQUEST_TYP, Signer
from hub.proof.log.receipt import LogTrust, VerifiedReceipt
from hub.registry.on_file import OnFileReader
from hub.registry.store import TURN
from hub.storage.statements import Check
from tests.ledger.logs import KEY
from tests.registry.office import (
    LICENCE_TYPE,
    ORIGIN,
    PERMIT_TYPE,
    REGION,
    USCC,
    Office,
    open_office,
    uscc,
)

WINDOW: Final = "systems/window-1"
TOKEN_DIGEST: Final = digest("the access token")
ITEM: Final = "DEMO-RESTAURANT"
OTHER_ITEM: Final = "DEMO-TOBACCO"


def material(name: str, role: HolderRole, *types: str, **changes: Any) -> Material:
    """A material that nothing but the thing itself satisfies, unless `changes` say so."""
    values: dict[str, Any] = {
        "id": name,
        "name": f"材料{name}",
        "name_en": f"Material {name}",
        "role": role,
        "types": types,
        "grade_min": Grade.D,
        "fields": ("name",) if types else (),
        "age_days_max": None,
        "condition": None,
        "is_promisable": False,
        "deferrable_days": None,
    }
    return Material(**(values | changes))


def item(code: str, *materials: Material) -> ServiceItem:
    """Version 3 of an item."""
    return ServiceItem(
        code, 3, f"事项{code}", f"Item {code}", USCC, (Level.COUNTY,), 5, "", "law", materials
    )


@dataclass
class MemoryItems:
    """A catalogue of items in memory."""

    items: dict[str, ServiceItem] = field(default_factory=dict)

    def item(self, code: str) -> ServiceItem | None:
        return self.items.get(code)

    def check(self) -> Check:
        return Check(TURN, ("nobody", "nothing"), None)


@dataclass
class Window:
    """A platform that plans at an office."""

    office: Office
    plan: PlanMaterials
    signer: Signer
    items: MemoryItems

    @property
    def caller(self) -> Caller:
        return Caller(WINDOW, Role.PLATFORM, "authorities/hall", USCC, 7, TOKEN_DIGEST, 1)

    @property
    def today(self) -> datetime.date:
        return legal_day(now_us())

    def define(self, *items: ServiceItem) -> None:
        for one in items:
            self.items.items[one.code] = one

    async def grant(self, type_code: str, *fields: str, **changes: Any) -> Grant:
        """A grant of the window, in force for both items."""
        now = now_us()
        values: dict[str, Any] = {
            "id": f"g-{uuid.uuid4()}",
            "recipient": WINDOW,
            "type_code": type_code,
            "fields": fields,
            "service_items": (ITEM, OTHER_ITEM),
            "legal_basis": "law",
            "start_us": now - 1,
            "expire_us": now + 3_600_000_000,
            "consent_required": False,
            "calls_per_day_max": 0,
            "create_entry": 1,
            "create_us": now,
        }
        return await self.put(Grant(**(values | changes)))

    async def put(self, grant: Grant) -> Grant:
        """Store a grant as it shall stand."""
        grants = self.plan.grants
        entry = Entry("grant.created", WINDOW, 1, str(uuid.uuid4()), digest("x"), {"data": {}})
        writes = (put_grant(grant), put_version(grants.version + 1))
        await self.office.recorder.record(entry, writes, ())
        await grants.refresh()
        return grant

    def claims(self, *holders: tuple[str, str, str], **changes: Any) -> PlanClaims:
        """What a request for the restaurant says; `holders` are (role, type, number)."""
        now = now_us() // 1_000_000
        claims = PlanClaims(
            iss=WINDOW,
            aud=ORIGIN,
            region=REGION,
            jti=str(uuid.uuid4()),
            iat=now,
            exp=now + 120,
            ath=TOKEN_DIGEST,
            items=(ITEM,),
            holders=tuple(RoleHolder(*one) for one in holders or (company(1),)),
            decision_date=self.today.isoformat(),
            matter="330100-2026-000017",
            basis="行政许可法 第三十一条",
            clerk="clerks/7",
        )
        return dataclasses.replace(claims, **changes)

    async def ask(self, *holders: tuple[str, str, str], **changes: Any) -> PlanAnswer:
        """One plan, its receipt verified. Raises HubError and ProofError."""
        claims = self.claims(*holders, **changes)
        return await self.send(sign_plan_request(claims, self.signer), claims.jti)

    async def send(self, compact: str, request_id: str) -> PlanAnswer:
        """A signed request, whatever it says; the receipt of its answer verified."""
        answer = await self.plan(self.caller, request_id, compact)
        verify(answer, compact)
        return answer


def verify(answer: PlanAnswer, *requests: str) -> VerifiedReceipt:
    """The receipt, held against the answer as it goes over the wire."""
    return verify_plan_receipt(
        answer.receipt.encode(),
        requests,
        WINDOW,
        answered(encode_plan(answer)),
        LogTrust(ORIGIN, (KEY.verifier.text(),)),
    )


def answered(response: plan_pb2.PlanMaterialsResponse) -> AnsweredPlan:
    """What an answer says, as a receipt spells it."""
    outcome = plan_pb2.PlannedMaterial.Outcome.Name
    return AnsweredPlan(
        tuple(
            AnsweredMaterial(
                uses=tuple(f"{use.item}/{use.material}" for use in one.uses),
                outcome=outcome(one.outcome).removeprefix("OUTCOME_").lower(),
                holder=one.holder if one.HasField("holder") else None,
                cert=one.certificate.cert or None,
                due_date=one.due_date or None,
                obstacles=tuple(obstacle.code for obstacle in one.obstacles),
            )
            for one in response.materials
        ),
        response.notice.zh,
        response.notice.en,
    )


def company(number: int, role: str = "company") -> tuple[str, str, str]:
    """A company in a role."""
    return role, "001", uscc(number)


def by_material(answer: PlanAnswer) -> dict[str, PlannedLine]:
    """The lines of an answer by the material that they stand for."""
    return {one.planned.material.id: one for one in answer.lines}


def outcomes(answer: PlanAnswer) -> dict[str, str]:
    """What became of each material."""
    return {name: one.planned.outcome.value for name, one in by_material(answer).items()}


def obstacles(line: PlannedLine) -> Iterable[str]:
    """Why it is no better."""
    return [obstacle.value for obstacle in line.planned.obstacles]


@asynccontextmanager
async def open_window(url: str, folder: Path) -> AsyncIterator[Window]:
    """A window at a new office that takes licences and permits."""
    async with open_office(url, folder) as office:
        await office.open_for(LICENCE_TYPE, PERMIT_TYPE)
        grants = GrantSnapshot(office.database)
        await grants.refresh()
        items = MemoryItems()

        async def identify() -> Caller:
            await grants.refresh()
            return window.caller

        plan = PlanMaterials(
            origin=ORIGIN,
            region=REGION,
            clock=now_us,
            recorder=office.recorder,
            access=office.identities,  # type: ignore[arg-type]
            grants=grants,
            items=items,
            types=office.catalogue,
            on_file=OnFileReader(office.database, office.data_keys, office.reader.holder_keys),
            title=lambda name: f"the office of {name}",
            keyed_digest=lambda text: digest(f"keyed {text}"),
            identify=identify,
            observe=lambda *_: None,
        )
        window = Window(office, plan, office.identities.enrol(WINDOW, REQUEST_TYP), items)
        yield window
