"""PlanService: messages in, a plan out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.domain.caller import Caller
from hub.domain.on_file import OnFile
from hub.errors import Text
from hub.exchange.plan import OBSTACLES, Outcome
from hub.exchange.plan_materials import PlanAnswer, PlanMaterials, PlannedLine
from hub.exchange.v1 import plan_pb2 as pb
from hub.exchange.verification_service import ORIGINS
from hub.v1 import common_pb2

_OUTCOMES: Final = {
    Outcome.ON_FILE: pb.PlannedMaterial.OUTCOME_ON_FILE,
    Outcome.OBTAINABLE: pb.PlannedMaterial.OUTCOME_OBTAINABLE,
    Outcome.COMMITMENT: pb.PlannedMaterial.OUTCOME_COMMITMENT,
    Outcome.DEFERRABLE: pb.PlannedMaterial.OUTCOME_DEFERRABLE,
    Outcome.ASK: pb.PlannedMaterial.OUTCOME_ASK,
}


@dataclass(frozen=True, slots=True)
class PlanService:
    """`hub.exchange.v1.PlanService`."""

    plan: PlanMaterials
    current_caller: Callable[[], Caller]

    async def PlanMaterials(
        self, request: pb.PlanMaterialsRequest, _context: object
    ) -> pb.PlanMaterialsResponse:
        """What must the applicant still bring."""
        return encode_plan(
            await self.plan(self.current_caller(), request.request_id, request.signed_request)
        )


def encode_plan(answer: PlanAnswer) -> pb.PlanMaterialsResponse:
    """`answer` as the API shows it."""
    return pb.PlanMaterialsResponse(
        request_id=answer.request_id,
        items=[
            pb.PlannedItem(
                code=item.code,
                version=item.version,
                name=pb.PlanText(en=item.name_en, zh=item.name),
            )
            for item in answer.items
        ],
        materials=[_encode_line(one) for one in answer.lines],
        notice=_encode_text(answer.notice),
        receipt=common_pb2.Receipt(json=answer.receipt, entry=answer.entry),
    )


def _encode_line(one: PlannedLine) -> pb.PlannedMaterial:
    planned, material = one.planned, one.planned.material
    return pb.PlannedMaterial(
        uses=[pb.PlannedMaterial.Use(item=use.item, material=use.material) for use in planned.uses],
        name=pb.PlanText(en=material.name_en, zh=material.name),
        role=material.role.value,
        holder=one.holder,
        outcome=_OUTCOMES[planned.outcome],
        certificate=None if planned.certificate is None else _encode_on_file(planned.certificate),
        working_days=planned.working_days or 0,
        due_date="" if planned.due is None else planned.due.isoformat(),
        obstacles=[
            pb.PlannedMaterial.Obstacle(code=obstacle.value, text=_encode_text(OBSTACLES[obstacle]))
            for obstacle in planned.obstacles
        ],
        line=_encode_text(one.text),
    )


def _encode_on_file(certificate: OnFile) -> pb.PlannedMaterial.Certificate:
    return pb.PlannedMaterial.Certificate(
        cert=certificate.identifier,
        certificate_type=f"certificateTypes/{certificate.type_code.lower()}",
        authority=certificate.authority,
        grade=certificate.grade.value,
        issue_date=certificate.issue_date,
        valid_until=certificate.valid_until,
        origin=ORIGINS[certificate.origin],
    )


def _encode_text(text: Text) -> pb.PlanText:
    return pb.PlanText(en=text.en, zh=text.zh)
