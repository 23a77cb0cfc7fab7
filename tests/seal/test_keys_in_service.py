"""Keys of a hub that runs, behind its signer process: rotated while traffic runs, and ended between
approval and seal."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from certs.keys import load_key, read_passphrase
from certs.pki import SEAL_CA
from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.seal_key import KeyUse
from hub.proof.encoding import b64u, b64u_decode
from hub.registry.v1 import registry_pb2
from hub.seal.seal_keys import SealKeys
from tests.chinese_font import needs_font
from tests.exchange.faced import SEAL, add_face, allow
from tests.exchange.handed import fetch
from tests.exchange.test_made_copies import PDF_TYPE, wanted
from tests.seal import life
from tests.seal.faces.samples import early_licence
from tests.seal.test_signer_process import with_process
from tests.simulator import GRANTED, Refused, Simulator, company, copy_home, licence

MAIN = "authorities/hz-market/seals/main"
LIFE_S = 4


async def test_a_key_rotates_under_traffic_and_not_one_call_fails(
    city: Path, tmp_path: Path
) -> None:
    """Batches and fetches go on all the while; what was sealed before carries the old key, what
    came after the new one, and the process is the same."""
    async with Simulator(with_process(copy_home(city, tmp_path / "home"))) as hub:
        zhao, connector, platform = hub.officer(), hub.connector(), hub.platform()
        await connector.deliver([licence(1)])
        (old,) = [key for key in await hub.hub.seals.keys.of_seal(MAIN) if key.use is KeyUse.RECORD]
        made = await zhao.carry_out(
            "key.generate", {"seal": MAIN, "use": "record", "algorithm": "ES256"}
        )
        rotation = {"key": made["key"], "x509_chain": hub.chain_for(made)}
        rotated = asyncio.Event()
        outcomes, states = [], []

        async def deliver() -> None:
            number, after = 2, 0
            # The batch that is under way when the keys change may still carry the old one.
            while after < 3:
                after += rotated.is_set()
                answer = await connector.deliver([licence(number)])
                outcomes.extend(row.outcome for row in answer.results)
                number += 1

        async def fetch_all() -> None:
            while not rotated.is_set():
                states.extend((await platform.fetch(holder=company(1))).states)

        running = asyncio.gather(deliver(), fetch_all())
        await asyncio.sleep(0.2)
        before = len(outcomes)
        await zhao.carry_out("key.rotate", rotation)
        during = len(outcomes)
        rotated.set()
        await running

        uses = [(await hub.hub.seals.key(name)).uses for name in (old.name, made["key"])]
        audit = await hub.audit()
    assert 0 < before < during < len(outcomes)
    assert set(outcomes) == {registry_pb2.RowResult.OUTCOME_NEW}
    assert set(states) == {"active"}
    assert uses[0] > before
    assert uses[1] > 0
    assert sum(uses) == len(outcomes) + 1
    assert audit.findings == []


async def test_a_certificate_that_ends_between_approval_and_seal(
    city: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Approved and put in force while it was valid; afterwards nothing is sealed by it, nothing
    half done is left, no use is counted. The next key seals what is sent again."""
    needs_font()
    async with Simulator(with_process(copy_home(city, tmp_path / "home"))) as hub:
        zhao = hub.officer()
        delivered = await hub.connector().deliver([licence(1)])
        identifier = delivered.results[0].identifier
        await life.apply_and_make(hub, zhao, SEAL, ("record", "ES256"), ("pdf", "ES256"))
        await add_face(hub, early_licence())
        await allow(hub, "hz-documents", ["annotated-copy"])
        await zhao.grant("documents", "window-1", (*GRANTED, DOCUMENT_FIELD))
        wanted_keys = [
            {"seal": seal, "use": use, "algorithm": "ES256"}
            for seal, use in ((MAIN, "record"), (SEAL, "record"), (SEAL, "pdf"))
        ]
        made = [await zhao.carry_out("key.generate", one) for one in wanted_keys]
        ends = int(time.time()) + LIFE_S
        for key in made:
            chain = ending_chain(hub, key, ends)
            await zhao.carry_out("key.rotate", {"key": key["key"], "x509_chain": chain})
        await hub.hub.look_after_keys()
        await asyncio.sleep(max(0.0, ends + 1.1 - time.time()))
        for _ in range(2):
            await hub.hub.look_after_keys()

        async def record() -> object:
            return await hub.connector().deliver([licence(2)])

        async def document() -> object:
            return await fetch(hub.platform(), identifier, media_type=PDF_TYPE, copy=wanted())

        async def uses() -> list[int]:
            return [(await hub.hub.seals.key(key["key"])).uses for key in made]

        # Officers were told when each mark was passed, and once.
        told = [json.loads(one.message) for one in caplog.records if "key_warning" in one.message]
        assert Counter(one["warning"] for one in told) == {"ends-in-1-day": 3, "ended": 3}
        assert hub.metrics()['sealway_seal_keys_warned{warning="ended"}'] == 3
        before = await hub.state()
        for attempt in (record, document):
            with pytest.raises(Refused) as refused:
                await attempt()
            assert refused.value.reason == "KEY_EXPIRED"
            assert refused.value.status == "FAILED_PRECONDITION"
        # And where the hub itself does not look, the process does.
        with monkeypatch.context() as patch:
            patch.setattr(SealKeys, "_check_time", lambda *_: None)
            for attempt in (record, document):
                with pytest.raises(Refused) as refused:
                    await attempt()
                assert refused.value.reason == "KEY_EXPIRED"
        after = await hub.state()
        assert await uses() == [0, 0, 0]
        changed = {name for name in after.tables if after.tables[name] != before.tables[name]}
        assert changed <= LOGGED

        for one in wanted_keys:
            fresh = await zhao.carry_out("key.generate", one)
            chain = hub.chain_for(fresh)
            await zhao.carry_out("key.rotate", {"key": fresh["key"], "x509_chain": chain})
        await record()
        await document()
        assert (await hub.audit()).findings == []


LOGGED = frozenset(
    {"ledger_entries", "ledger_epochs", "ledger_head", "ledger_tiles", "ledger_requests"}
)
"""What a refusal leaves: that it happened."""


def ending_chain(hub: Simulator, key: Mapping[str, Any], ends: int) -> list[str]:
    """The chain that the PKI issues for a key, made to end at `ends` (seconds)."""
    (issued,) = hub.chain_for(key)
    leaf = x509.load_der_x509_certificate(b64u_decode(issued))
    builder = (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .subject_name(leaf.subject)
        .issuer_name(leaf.issuer)
        .public_key(leaf.public_key())
        .not_valid_before(leaf.not_valid_before_utc - timedelta(seconds=1))
        .not_valid_after(datetime.fromtimestamp(ends, UTC))
    )
    for extension in leaf.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    pki = hub.home / "pki"
    ca = load_key(pki / "ca" / f"{SEAL_CA}.key", read_passphrase(pki / "passphrase"))
    return [b64u(builder.sign(ca, SHA256()).public_bytes(Encoding.DER))]
