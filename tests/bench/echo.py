"""The yardsticks: a bare gRPC echo (A), and the same plus one P-256 verification per call (B).

`python -m tests.bench.echo --kind a|b --answer-bytes N --certificate … --key … --client-ca …`
prints its port and serves until it is ended. Yardstick B also takes `--signer`, the public key
(PEM) of the requests' signer.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import grpc
import uvloop
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from google.protobuf import wrappers_pb2

from hub.exchange.v1 import exchange_pb2
from hub.proof.encoding import b64u_decode

PATH: Final = "/bench.Echo/Call"
_ES256: Final = ec.ECDSA(hashes.SHA256())
Behaviour = Callable[[object, grpc.aio.ServicerContext], Awaitable[wrappers_pb2.BytesValue]]


def _plain(answer: bytes) -> Behaviour:
    async def call(request: object, context: grpc.aio.ServicerContext) -> wrappers_pb2.BytesValue:
        return wrappers_pb2.BytesValue(value=answer)

    return call


def _verifying(answer: bytes, key: ec.EllipticCurvePublicKey) -> Behaviour:
    """What any signed request costs at least: one verification with a key at hand."""

    async def call(request: object, context: grpc.aio.ServicerContext) -> wrappers_pb2.BytesValue:
        assert isinstance(request, exchange_pb2.FetchCertificatesRequest)
        signing_input, _, segment = request.signed_request.rpartition(".")
        raw = b64u_decode(segment)
        der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        key.verify(der, signing_input.encode(), _ES256)  # Raises InvalidSignature.
        return wrappers_pb2.BytesValue(value=answer)

    return call


def _handler(arguments: argparse.Namespace) -> grpc.RpcMethodHandler:
    answer = bytes(arguments.answer_bytes)
    if arguments.kind == "a":
        behaviour, message = _plain(answer), wrappers_pb2.BytesValue
    else:
        key = serialization.load_pem_public_key(Path(arguments.signer).read_bytes())
        assert isinstance(key, ec.EllipticCurvePublicKey)
        behaviour, message = _verifying(answer, key), exchange_pb2.FetchCertificatesRequest
    return grpc.unary_unary_rpc_method_handler(
        behaviour,
        request_deserializer=message.FromString,
        response_serializer=wrappers_pb2.BytesValue.SerializeToString,
    )


def _credentials(arguments: argparse.Namespace) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials(
        [(Path(arguments.key).read_bytes(), Path(arguments.certificate).read_bytes())],
        root_certificates=Path(arguments.client_ca).read_bytes(),
        require_client_auth=True,
    )


async def _serve(handler: grpc.RpcMethodHandler, credentials: grpc.ServerCredentials) -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("bench.Echo", {"Call": handler}),)
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=("a", "b"), required=True)
    parser.add_argument("--answer-bytes", type=int, required=True)
    for name in ("certificate", "key", "client-ca"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--signer", default="")
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(_handler(arguments), _credentials(arguments)))


if __name__ == "__main__":
    main()
