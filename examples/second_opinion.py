"""What software that is not ours says of our seals: the `sd-jwt` package and `openssl`."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier

from hub.proof.encoding import b64_decode, b64u_decode, parse_object
from hub.proof.records.disclosure import process


@dataclass
class Opinions:
    """Counts agreements; any disagreement ends the program."""

    folder: Path
    sd_jwt: int = 0
    openssl: int = 0
    agreed: int = 0
    _openssl: str | None = field(default_factory=lambda: shutil.which("openssl"))

    def check(self, presentation: str, trust: str) -> None:
        """One presentation: payload by `sd-jwt`, chain and signature by `openssl`."""
        jws, *disclosures = presentation.split("~")[:-1]
        header, payload, signature = jws.split(".")
        leaf = x509.load_der_x509_certificate(b64_decode(json.loads(b64u_decode(header))["x5c"][0]))
        key = leaf.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        theirs = SDJWTVerifier(
            presentation, lambda _issuer, _header: JWK.from_pem(key)
        ).get_verified_payload()
        ours = process(parse_object(b64u_decode(payload)), disclosures)
        if theirs != ours:
            raise SystemExit("sd-jwt reads another payload than we do")
        self.sd_jwt += 1
        if self._openssl is not None:
            self._check_openssl(leaf, key, f"{header}.{payload}".encode(), signature, trust)
            self.openssl += 1
        self.agreed += 1

    def lines(self) -> list[str]:
        """What to tell a person."""
        told = [f"sd-jwt (independent implementation): {self.sd_jwt} payloads equal"]
        if self._openssl is None:
            return [
                *told,
                "openssl is not on this machine: chains and signatures not checked by it",
            ]
        return [*told, f"openssl: {self.openssl} chains and signatures good"]

    def _check_openssl(
        self, leaf: x509.Certificate, key: bytes, signed: bytes, signature: str, trust: str
    ) -> None:
        folder = self.folder / "openssl"
        folder.mkdir(exist_ok=True)
        anchors = json.loads(Path(trust).read_bytes())["seal_anchors"]
        raw = b64u_decode(signature)
        numbers = (int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        files = {
            "anchors.pem": b"".join(
                b"-----BEGIN CERTIFICATE-----\n"
                + base64.encodebytes(b64_decode(anchor))
                + b"-----END CERTIFICATE-----\n"
                for anchor in anchors
            ),
            "leaf.pem": leaf.public_bytes(Encoding.PEM),
            "key.pem": key,
            "signed": signed,
            "signature": encode_dss_signature(*numbers),
        }
        for name, data in files.items():
            (folder / name).write_bytes(data)
        self._run(folder, "verify", "-x509_strict", "-CAfile", "anchors.pem", "leaf.pem")
        self._run(
            folder, "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "signed"
        )

    def _run(self, folder: Path, *arguments: str) -> None:
        assert self._openssl is not None
        ended = subprocess.run(
            [self._openssl, *arguments], cwd=folder, capture_output=True, text=True
        )
        if ended.returncode:
            raise SystemExit(f"openssl {arguments[0]} disagrees: {ended.stdout}{ended.stderr}")
