"""What an intent to make or renew a seal says: keys, certificates, and the electronic form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from connectors.client import HubClient
from connectors.profile import read_bounded
from hub.cli.seal_keys import all_keys
from hub.cli.session import moment, request_id, resource_name, write
from hub.cli.terminal import Terminal, UsageError
from hub.cli.x509_of_keys import issue_chain, read_chain
from hub.proof.encoding import Json, b64u_decode
from hub.seal.v1 import seal_pb2, seal_pb2_grpc

MATERIAL_BYTES_MAX: Final = 1_048_576
_KEY_PARTS_MAX: Final = 4
_IN_USE: Final = (seal_pb2.Key.STATE_REQUESTED, seal_pb2.Key.STATE_ACTIVE)


def wanted_key(text: str) -> Json:
    """A key as USE:ALGORITHM[:HOME[:USES]]. Raises UsageError."""
    parts = text.split(":")
    counts = len(parts) == _KEY_PARTS_MAX
    if not 2 <= len(parts) <= _KEY_PARTS_MAX or (counts and not parts[3].isdigit()):
        raise UsageError(
            f"--key {text}: write USE:ALGORITHM[:HOME[:USES]], as in record:ES256",
            f"--key {text}：格式为 用途:算法[:存放处[:次数]]，例如 record:ES256",
        )
    wanted: dict[str, Json] = {"use": parts[0], "algorithm": parts[1], "home": "files"}
    if len(parts) > 2 and parts[2]:
        wanted["home"] = parts[2]
    if counts:
        wanted["signatures_max"] = int(parts[3])
    return wanted


def certificates_of(
    seal: seal_pb2.Seal, keys: list[seal_pb2.Key], pki: Path | None, chains: list[str]
) -> dict[str, Json]:
    """The members `seal` and `certificates`: each key's chain from a file, else from the PKI."""
    files = dict(text.rpartition("=")[::2] for text in chains)
    named = {resource_name("keys", name): Path(file) for name, file in files.items()}
    certificates: list[Json] = []
    for key in keys:
        if key.name in named:
            chain = read_chain(named[key.name])
        elif pki is not None:
            chain = issue_chain(pki, key)
        else:
            raise UsageError(
                f"{key.name} ({key.use}, {key.algorithm}) needs a certificate: give --pki, or "
                f"--chain {key.name.removeprefix('keys/')}=FILE",
                f"{key.name}（{key.use}，{key.algorithm}）需要证书：请用 --pki，或 "
                f"--chain {key.name.removeprefix('keys/')}=文件",
            )
        certificates.append({"key": key.name, "x509_chain": chain})
    if not certificates:
        raise UsageError(
            f"{seal.name} has no key that waits for a certificate: sealway key generate",
            f"{seal.name} 没有等待证书的密钥；请先执行 sealway key generate",
        )
    return {"seal": seal.name, "certificates": certificates}


@dataclass(frozen=True, slots=True)
class SealForm:
    """What was said of the electronic form; None where it follows from something else."""

    picture: Path | None
    size: str
    number: str | None
    valid_until: str | None
    maker_key: str | None

    def members(
        self, terminal: Terminal, client: HubClient, seal: seal_pb2.Seal, leaf: x509.Certificate
    ) -> dict[str, Json]:
        """The members about the electronic form; `leaf` is the signer's certificate."""
        (code,) = leaf.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_IDENTIFIER)
        # From the certificate, so that a repetition says the same.
        version = seal.electronic_seal.version + 1
        made_up = f"{code.value!s}-{leaf.serial_number % 16**8:08X}-{version}"
        ends = int(leaf.not_valid_after_utc.timestamp())
        if self.valid_until is not None:
            stamp = moment(self.valid_until, option="--valid-until", end_of_day=True)
            ends = stamp.seconds
        width, height = self._size()
        return {
            "number": self.number or made_up,
            "picture": self._picture(terminal, client, seal.electronic_seal.picture),
            "width_mm": width,
            "height_mm": height,
            "valid_from": int(leaf.not_valid_before_utc.timestamp()),
            "valid_until": ends,
            "maker_key": self._maker(client),
        }

    def _size(self) -> tuple[int, int]:
        width, _, height = self.size.partition("x")
        if not width.isdigit() or not height.isdigit():
            raise UsageError(
                f"--size {self.size}: write whole millimetres, as in 40x40",
                f"--size {self.size}：请写整毫米数，例如 40x40",
            )
        return int(width), int(height)

    def _picture(self, terminal: Terminal, client: HubClient, kept: str) -> str:
        if self.picture is not None:
            return upload(terminal, client, self.picture)
        if not kept:
            raise UsageError(
                "an electronic seal needs its picture: --picture seal.png",
                "电子印章需要印章图像：请用 --picture 指定",
            )
        return kept

    def _maker(self, client: HubClient) -> str:
        if self.maker_key is not None:
            return resource_name("keys", self.maker_key)
        makers = [
            key.name
            for key in all_keys(client, "")
            if key.use == "maker" and key.state == seal_pb2.Key.STATE_ACTIVE
        ]
        if len(makers) != 1:
            raise UsageError(
                f"the hub has {len(makers)} keys that make seals: name one with --maker-key, or "
                "have one generated: sealway key generate --use maker",
                f"枢纽有 {len(makers)} 个制章密钥：请用 --maker-key 指定，"
                "或执行 sealway key generate --use maker",
            )
        return makers[0]


def leaf_of_ofd(keys: Sequence[seal_pb2.Key], members: dict[str, Json]) -> x509.Certificate | None:
    """The signer's certificate that the intent brings, else the one in force; None without OFD."""
    ofd = [key for key in keys if key.use == "ofd" and key.state in _IN_USE]
    if not ofd:
        return None
    names = {key.name for key in ofd}
    certificates = members["certificates"]
    assert isinstance(certificates, list), "made so"
    for one in certificates:
        assert isinstance(one, dict), "made so"
        chain = one["x509_chain"]
        if one["key"] in names and isinstance(chain, list):
            return x509.load_der_x509_certificate(b64u_decode(str(chain[0])))
    (active,) = [key for key in ofd if key.state == seal_pb2.Key.STATE_ACTIVE]
    return x509.load_der_x509_certificate(active.x509_chain[0])


def upload(terminal: Terminal, client: HubClient, file: Path) -> str:
    """Put a picture or an electronic seal on file; its digest."""
    data = read_bounded(file, MATERIAL_BYTES_MAX, "picture or electronic seal")
    stub = seal_pb2_grpc.SealServiceStub(client.channel)
    answer: seal_pb2.AddSealMaterialResponse = write(
        terminal,
        client,
        stub.AddSealMaterial,
        seal_pb2.AddSealMaterialRequest(request_id=request_id(None), data=data),
    )
    return answer.digest
