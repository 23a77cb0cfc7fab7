"""The whole way on PostgreSQL: the same hub, the same answers, the same log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.domain.row import Op
from hub.proof.exchange.request import sign_request
from tests.attacks.refusals import refused
from tests.simulator import (
    ITEM,
    LICENCE,
    PERMIT_VCT,
    Refused,
    Simulator,
    company,
    furnish,
    licence,
    make_home,
    move_to,
    permit,
)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with PKI and keys, to be moved to another database."""
    folder = tmp_path_factory.mktemp("bare") / "home"
    with ThreadPoolExecutor(1) as pool:
        pool.submit(make_home, folder).result()
    return folder


async def test_from_the_first_officer_to_a_stale_answer_on_postgresql(
    bare: Path, postgresql_url: str
) -> None:
    """Enrolment, dual control, ingest, fetch, refusal, retry, revocation, a restart between."""
    await move_to(bare, postgresql_url)
    async with Simulator(bare) as hub:
        assert hub.hub.database.engine == "postgresql"
        await furnish(hub)
        await hub.connector().deliver([licence(1), licence(2, issue_date="2001-02-30")])
        await hub.connector().deliver([permit(1)], vct=PERMIT_VCT)
        platform = hub.platform()
        claims = await platform.claims()
        compact = sign_request(claims, platform.signer)
        first = await platform.send_raw(compact, claims.jti)
        fetched = platform.verify(first, claims.jti)
        size = hub.size

    async with Simulator(bare) as hub:
        assert hub.size == size
        platform = hub.platform()
        claims_again = await platform.claims(jti=claims.jti, log=None)
        again = await platform.send_raw(sign_request(claims_again, platform.signer), claims.jti)
        other = hub.platform("window-2")
        unallowed = await other.claims()
        await refused(
            hub,
            other.send(sign_request(unallowed, other.signer), unallowed.jti),
            status="PERMISSION_DENIED",
            reason="GRANT_MISSING",
            en=f"no grant in force gives you certificates of type {LICENCE} for the service item "
            f"{ITEM}; apply to the authority that defines the type.",
            caller="systems/window-2",
            kind="fetch",
        )
        await hub.connector().deliver([licence(1, Op.REVOKE)])
        with pytest.raises(Refused) as caught:
            await platform.send(sign_request(claims_again, platform.signer), claims.jti)
        revoked = await platform.fetch(holder=company(1))
        report = await hub.audit()

    assert fetched.fields()["name"] == "杭州示例1有限公司"
    assert again == first
    assert caught.value.reason == "ANSWER_STALE"
    assert caught.value.receipt == fetched.response.receipt.json
    assert revoked.states == ["revoked"]
    assert report.findings == []
