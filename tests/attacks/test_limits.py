"""Messages that are too large, or no messages at all."""

from __future__ import annotations

import pytest

from hub.exchange.v1 import exchange_pb2
from hub.registry.v1 import registry_pb2
from hub.rpc import MESSAGE_BYTES_MAX
from tests.attacks.refusals import refused
from tests.simulator import FETCH, Refused, Simulator, new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

GRPC_BYTES_MAX = 5 * 1024 * 1024


def _fetch_of(size: int) -> bytes:
    """A message of exactly `size` bytes that parses."""
    request = exchange_pb2.FetchCertificatesRequest(request_id=new_id(), signed_request="")
    head = len(request.SerializeToString())
    # The tag and the length of a field of this size take five bytes.
    request.signed_request = "A" * (size - head - 5)
    data: bytes = request.SerializeToString()
    assert len(data) == size
    return data


def _too_large(size: int) -> str:
    return f"the message has {size} bytes and may have {MESSAGE_BYTES_MAX}. Send smaller ones."


async def test_one_byte_over_the_limit_is_refused_and_logged(hub: Simulator) -> None:
    """4,000,001 bytes; the entry holds the digest, not the message."""
    size = MESSAGE_BYTES_MAX + 1
    await refused(
        hub,
        hub.platform().raw(FETCH, _fetch_of(size)),
        status="INVALID_ARGUMENT",
        reason="MESSAGE_TOO_LARGE",
        en=_too_large(size),
        caller="systems/window-1",
    )


async def test_at_the_limit_the_message_itself_is_judged(hub: Simulator) -> None:
    """4,000,000 bytes arrive; what is refused is the request in them."""
    refusal = await refused(
        hub,
        hub.platform().raw(FETCH, _fetch_of(MESSAGE_BYTES_MAX)),
        status="INVALID_ARGUMENT",
        reason="REQUEST_INVALID",
        en="the signed request is refused (TOO_LARGE): The text is larger than its format allows. "
        "Sign a new one under the same request id.",
        caller="systems/window-1",
    )
    assert refusal.details["rule"] == "TOO_LARGE"


async def test_a_large_message_of_nobody_is_refused_for_who_sends_it(hub: Simulator) -> None:
    """Without an identity nothing is written, however much was sent."""
    await refused(
        hub,
        hub.platform().raw(FETCH, _fetch_of(MESSAGE_BYTES_MAX + 1), token=""),
        status="UNAUTHENTICATED",
        reason="TOKEN_MISSING",
        en="there is no access token; call CreateToken and send authorization: Bearer.",
        caller=None,
    )


async def test_far_over_the_limit_grpc_itself_ends_the_call(hub: Simulator) -> None:
    """Above 5 MiB the message is not even read into memory."""
    before = await hub.state()

    with pytest.raises(Refused) as caught:
        await hub.platform().raw(FETCH, _fetch_of(GRPC_BYTES_MAX + 1))

    assert (caught.value.status, caught.value.reason) == ("RESOURCE_EXHAUSTED", "")
    assert await hub.state() == before


async def test_a_batch_over_the_limit_is_refused_whole(hub: Simulator) -> None:
    """The stream's messages have the same limit."""
    row = registry_pb2.Row(salt=bytes(32), row=b"x" * 60_000)
    data = registry_pb2.IngestBatchesRequest(root_jws="x", rows=[row] * 67).SerializeToString()
    assert MESSAGE_BYTES_MAX < len(data) < GRPC_BYTES_MAX

    await refused(
        hub,
        hub.connector().send_raw(data),
        status="INVALID_ARGUMENT",
        reason="MESSAGE_TOO_LARGE",
        en=_too_large(len(data)),
        caller="systems/hz-connector",
    )


MALFORMED = (
    "message is invalid: not a message of this method. "
    "Correct the field and send the request again."
)


@pytest.mark.parametrize("data", [b"\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x01\xff"])
async def test_bytes_that_are_no_message_are_refused_and_logged(
    hub: Simulator, data: bytes
) -> None:
    """Broken tags, lengths and UTF-8 of an authenticated caller leave an entry like all else."""
    await refused(
        hub,
        hub.platform().raw(FETCH, data),
        status="INVALID_ARGUMENT",
        reason="FIELD_INVALID",
        en=MALFORMED,
        caller="systems/window-1",
    )


async def test_bytes_that_are_no_batch_are_refused_and_logged(hub: Simulator) -> None:
    """The same on a stream."""
    await refused(
        hub,
        hub.connector().send_raw(b"\xff"),
        status="INVALID_ARGUMENT",
        reason="FIELD_INVALID",
        en=MALFORMED,
        caller="systems/hz-connector",
    )


async def test_bytes_that_are_no_message_of_nobody_only_move_the_counter(hub: Simulator) -> None:
    """Who has no token cannot fill the log."""
    await refused(
        hub,
        hub.platform().raw(FETCH, b"\xff", token=""),
        status="UNAUTHENTICATED",
        reason="TOKEN_MISSING",
        en="there is no access token; call CreateToken and send authorization: Bearer.",
        caller=None,
    )
