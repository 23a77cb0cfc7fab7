"""Making annotated copies, the way a platform does it."""

from __future__ import annotations

import time
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from hub.exchange.v1 import copies_pb2 as pb
from hub.exchange.v1 import copies_pb2_grpc
from tests.simulator import Platform, by_identifier, new_id

PURPOSE = "办理食品经营许可"


def wanted(fetch_request_id: str, /, **changes: Any) -> pb.CreateAnnotatedCopyRequest:
    """A request for a copy that lasts a day."""
    values: dict[str, Any] = {
        "request_id": new_id(),
        "fetch_request_id": fetch_request_id,
        "purpose": PURPOSE,
        "expire_time": Timestamp(seconds=int(time.time()) + 86_400),
    }
    return pb.CreateAnnotatedCopyRequest(**(values | changes))


async def make(
    platform: Platform, request: pb.CreateAnnotatedCopyRequest
) -> pb.CreateAnnotatedCopyResponse:
    """One copy. Raises Refused."""
    stub = copies_pb2_grpc.CopyServiceStub(platform.channel)
    answer: pb.CreateAnnotatedCopyResponse = await platform.call(stub.CreateAnnotatedCopy, request)
    return answer


async def annotate(platform: Platform, identifier: str) -> pb.AnnotatedCopy:
    """Fetch a certificate and make a copy of it."""
    fetched = await platform.fetch(by_identifier(identifier))
    answer = await make(platform, wanted(fetched.response.request_id))
    return answer.annotated_copy
