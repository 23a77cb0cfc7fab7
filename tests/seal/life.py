"""The life of seals and keys in a whole hub: everything that can be done to them, once."""

from __future__ import annotations

import base64
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from certs.pki import Pki
from hub.proof import sm2
from hub.proof.ses import seal as ses
from hub.proof.x509.make_sm2 import make_request
from hub.seal.v1 import seal_pb2
from tests.simulator import Officer, Simulator, new_id

# A small PNG, all red.
PICTURE: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAYAAADED76LAAAAFklEQVR4nGN8xiD0nwEPYMInOXwU"
    "AAALBgIHUKlE0wAAAABJRU5ErkJggg=="
)


def outside_seal(number: str, pki: Pki, version: int = ses.V4) -> bytes:
    """An electronic seal that another maker made, whom the pinned root certifies; valid for a
    year."""
    now = datetime.now(UTC)
    key = sm2.PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Provincial seal system")])
    (certificate,) = pki.issue(
        "seal-maker",
        make_request(name, key.public, key.sign),
        now=now,
        common_name="Provincial seal system",
        organization="Province",
        organization_identifier="11330000002482023T",
    ).chain_der
    info = ses.seal_info(
        vendor="OTHER",
        number=number,
        type=1,
        name="浙江省专用章",
        signer_x509s=[certificate],
        create_time=now,
        valid_from_time=now - timedelta(hours=1),
        valid_to_time=now + timedelta(days=365),
        picture=ses.Picture("PNG", PICTURE, 40, 40),
    ).replace(b"ES\x02\x01\x04", bytes((*b"ES\x02\x01", version)), 1)
    return ses.assemble_seal(info, certificate, sm2.SM2_WITH_SM3, key.sign(info))


async def add_material(officer: Officer, data: bytes) -> str:
    """Put a picture or an electronic seal on file; its digest."""
    answer = await officer.call(
        officer.seal.AddSealMaterial,
        seal_pb2.AddSealMaterialRequest(request_id=new_id(), data=data),
    )
    return str(answer.digest)


async def maker_key(hub: Simulator, officer: Officer, authority: str) -> str:
    """A key of the hub's own that makes seals, in force."""
    wanted = {"authority": authority, "title": "制章", "use": "maker", "algorithm": "SM2"}
    made = await officer.carry_out("key.generate", wanted)
    chain = hub.chain_for(made)
    await officer.carry_out("key.activate", {"key": made["key"], "x509_chain": chain})
    return str(made["key"])


async def form(officer: Officer, maker: str) -> dict[str, Any]:
    """Members of `seal.make` and `seal.renew` about the electronic form."""
    now = int(time.time())
    return {
        "number": secrets.token_hex(8).upper(),
        "picture": await add_material(officer, PICTURE),
        "width_mm": 40,
        "height_mm": 40,
        "valid_from": now - 60,
        "valid_until": now + 365 * 86_400,
        "maker_key": maker,
    }


async def apply_and_make(
    hub: Simulator, officer: Officer, name: str, *uses: tuple[str, str], maker: str = ""
) -> list[dict[str, Any]]:
    """A seal in force with keys of these uses and algorithms; what was made for it."""
    wanted = [{"use": use, "algorithm": algorithm} for use, algorithm in uses]
    members = {"seal": name, "title": "印章", "seal_type": 1, "keys": wanted}
    keys: list[dict[str, Any]] = (await officer.carry_out("seal.apply", members))["keys"]
    certificates = [{"key": one["key"], "x509_chain": hub.chain_for(one)} for one in keys]
    more = await form(officer, maker) if maker else {}
    await officer.carry_out("seal.make", {"seal": name, "certificates": certificates} | more)
    return keys


async def live(hub: Simulator) -> None:
    """Every operation on seals and keys, on seals of their own."""
    zhao, authority = hub.officer(), "authorities/hz-market"
    name = f"{authority}/seals/lived"
    maker = await maker_key(hub, zhao, authority)
    (record, _) = await apply_and_make(
        hub, zhao, name, ("record", "ES256"), ("ofd", "SM2"), maker=maker
    )
    wanted = {"seal": name, "use": "ofd", "algorithm": "SM2"}
    fresh = await zhao.carry_out("key.generate", wanted)
    certificates = [{"key": fresh["key"], "x509_chain": hub.chain_for(fresh)}]
    renewed = {"seal": name, "certificates": certificates} | await form(zhao, maker)
    await zhao.carry_out("seal.renew", renewed)
    wanted = {"seal": name, "use": "record", "algorithm": "ES256"}
    fresh = await zhao.carry_out("key.generate", wanted)
    rotated = {"key": fresh["key"], "x509_chain": hub.chain_for(fresh)}
    await zhao.carry_out("key.rotate", rotated)
    await zhao.carry_out("key.destroy", {"key": record["key"], "cause": "rotated"})
    await zhao.carry_out("key.retire", {"key": fresh["key"], "cause": "over"})
    stolen = {"key": fresh["key"], "since": int(time.time()), "cause": "copied"}
    await zhao.carry_out("key.compromise", stolen)
    await zhao.propose_kind("anew", "key.reseal", {"key": fresh["key"]}, uses_max=10)
    for officer in ("qian", "sun"):
        await hub.officer(officer).approve("anew")
    await zhao.call(
        zhao.seal.ResealRecords,
        seal_pb2.ResealRecordsRequest(request_id=new_id(), intent="intents/anew"),
    )
    digest = await add_material(zhao, outside_seal("OUTSIDE-1", hub.pki))
    await zhao.carry_out("seal.import", {"seal": f"{authority}/seals/outside", "digest": digest})
    for verb in ("suspend", "resume", "revoke"):
        await zhao.carry_out(f"seal.{verb}", {"seal": name, "cause": "核查"})
    other = f"{authority}/seals/outside"
    await zhao.carry_out("seal.end", {"seal": other, "cause": "机构改革"})
