"""A hub whose certificates have faces: their template, their seal, what allows files of them."""

from __future__ import annotations

from typing import Final

from hub.proof.encoding import digest as digest_of_text
from hub.seal.v1 import faces_pb2, faces_pb2_grpc
from tests.seal import life
from tests.simulator import LICENCE, Simulator, new_id

SEAL: Final = "authorities/hz-market/seals/documents"
KEYS: Final = (("record", "ES256"), ("ofd", "SM2"), ("pdf", "ES256"), ("face", "ES256"))


async def make_seal(hub: Simulator) -> None:
    """SEAL in its electronic form, with a key for each kind of document and for codes."""
    zhao = hub.officer()
    maker = await life.maker_key(hub, zhao, "authorities/hz-market")
    await life.apply_and_make(hub, zhao, SEAL, *KEYS, maker=maker)


async def add_face(hub: Simulator, template: bytes, type_code: str = LICENCE) -> None:
    """Draft a face by one officer and approve it by another."""
    zhao, qian = hub.officer("zhao"), hub.officer("qian")
    made = await zhao.call(
        faces_pb2_grpc.FaceServiceStub(zhao.channel).CreateFaceTemplate,
        faces_pb2.CreateFaceTemplateRequest(
            request_id=new_id(),
            parent=f"certificateTypes/{type_code.lower()}",
            template=template,
        ),
    )
    await qian.call(
        faces_pb2_grpc.FaceServiceStub(qian.channel).ApproveFaceTemplate,
        faces_pb2.ApproveFaceTemplateRequest(
            request_id=new_id(),
            name=made.face_template.name,
            digest=digest_of_text(template),
        ),
    )


async def allow(
    hub: Simulator,
    intent: str,
    documents: list[str],
    uses_max: int = 1000,
    type_code: str = LICENCE,
) -> None:
    """A standing intent for certificates of a type under SEAL, approved."""
    members = {
        "seal": SEAL,
        "certificate_type": f"certificateTypes/{type_code.lower()}",
        "documents": documents,
    }
    await hub.officer().propose_kind(intent, "standing-seal", members, uses_max=uses_max)
    for name in ("qian", "sun"):
        await hub.officer(name).approve(intent)
