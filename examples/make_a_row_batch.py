"""What a department sends: salted rows, one signed batch root, and the proof of a single row.

Run with `python -m examples.make_a_row_batch`. The key is made here and thrown away; a connector's
stays on its machine and is enrolled (docs/access.md). Formats: docs/formats/row.md and batch.md.
"""

from __future__ import annotations

import json
import os

from cryptography.hazmat.primitives.asymmetric import ec

from hub.domain.holder import Holder
from hub.domain.row import Op, Row, emit_row
from hub.proof.encoding import b64u, digest
from hub.proof.exchange import batch
from hub.proof.jose import BATCH_ROOT_TYP, Algorithm, RegisteredKey, es256_signer
from hub.proof.log.merkle import root as merkle_root

ORIGIN, REGION, SYSTEM, NOW = "hub.hangzhou.example", "330100", "systems/connector-1", 1767229200
TYPE = f"https://{ORIGIN}/vct/11100000MB0143028R001"


def licence(code: str, name: str) -> bytes:
    """The bytes of one row. They are written once: salt and signature cover exactly these."""
    fields = {"name": name, "credit_code": code, "establish_date": "2019-06-18"}
    holder = (Holder("001", code),)
    return emit_row(Row(Op.ISSUE, code, code, None, "2019-06-18", None, None, holder, fields))


def main() -> None:
    """Make a batch of two rows and check one of them as its receiver would."""
    rows = [licence("91350100M000100Y43", "甲公司"), licence("91330100MADEM0011P", "乙公司")]
    salts = [os.urandom(batch.SALT_BYTES) for _ in rows]
    leaves = [batch.row_leaf(salt, row) for salt, row in zip(salts, rows, strict=True)]

    private = ec.generate_private_key(ec.SECP256R1())
    signer = es256_signer(private)
    said = batch.BatchRoot(
        purpose=batch.Purpose.ROW, iss=SYSTEM, aud=ORIGIN, region=REGION,
        authority="113301000025123419", connector="scjg-licences", batch="2026-01-01-0001",
        seq=1, prev=None, n=len(rows), root=merkle_root(leaves), vct=TYPE, type_version=1,
        manifest=digest("the bytes of the manifest"), iat=NOW,
    )  # fmt: skip
    proof = batch.leaf_proof(leaves, 1, batch.sign_batch_root(said, signer))
    print(json.dumps({"salt": b64u(salts[1]), "row": rows[1].decode(), "proof": proof.emit()}))

    key = RegisteredKey(signer.kid, Algorithm.ES256, BATCH_ROOT_TYP, SYSTEM, private.public_key())
    checked = batch.verify_batch_root(
        proof.root_jws, keys={signer.kid: key}.get, origin=ORIGIN, region=REGION,
        purpose=batch.Purpose.ROW, now=NOW,
    )  # fmt: skip
    batch.verify_row(checked.root, proof, salt=salts[1], row=rows[1])
    print(f"row {proof.i} is signed by {checked.root.iss}; next prev: {checked.chain_digest}")


if __name__ == "__main__":
    main()
