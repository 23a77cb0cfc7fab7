"""Holders over the wire and at the terminal: linked identifiers, and what happens to them."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from hub.cli.main import run
from hub.domain.certificate_type import from_json, to_json
from hub.proof.encoding import b64u
from hub.registry.v1 import facts_pb2, facts_pb2_grpc, holders_pb2_grpc, registry_pb2
from hub.registry.v1 import holders_pb2 as pb
from tests.exchange.verifications import about, ask
from tests.fact_types import LISTING
from tests.simulator import (
    DEFINER,
    ORIGIN,
    PERMIT,
    PERMIT_VCT,
    ROOT,
    Refused,
    Simulator,
    by_holder,
    by_identifier,
    company,
    copy_home,
    licence,
    new_id,
    permit,
)

BASIS = "《公司法》第一百七十二条"
OLD_LICENCE = f"{DEFINER}009"
OLD_VCT = f"https://{ORIGIN}/vct/{OLD_LICENCE}"


def merger(certificate: str, number: int) -> pb.LinkHolderIdentifiersRequest:
    """That the holder of the certificate has taken over company `number`."""
    return pb.LinkHolderIdentifiersRequest(
        request_id=new_id(),
        certificate=certificate,
        former=registry_pb2.Holder(type="001", number=company(number)),
        kind=pb.HolderLink.KIND_MERGER,
        effective_date="2026-01-05",
        document_digest="A" * 43,
        legal_basis=BASIS,
    )


async def issue_unbound(hub: Simulator) -> registry_pb2.RowResult:
    """A licence of an old register of hz-market, whose line named no holder."""
    licence_type = from_json((ROOT / "deploy" / "types" / "business-licence.json").read_bytes())
    listing = dataclasses.replace(LISTING, may_be_unbound=True)
    old = dataclasses.replace(licence_type, code=OLD_LICENCE, listing=listing)
    await hub.officer().publish(to_json(old))
    await hub.officer().propose("hz-old", "authorities/hz-market/seals/main", OLD_LICENCE)
    for other in ("qian", "sun"):
        await hub.officer(other).approve("hz-old")
    answer = await hub.connector().deliver(
        [licence(601, number="OLD-601", holders=())], vct=OLD_VCT
    )
    (result,) = answer.results
    assert result.certificate, result.errors
    return result


async def befall_and_link(hub: Simulator, certificate: str) -> None:
    """Every entry that acts about holders leave; nothing else is concerned by them."""
    department = hub.system("hz-department")
    event = facts_pb2.AnnounceHolderEventRequest(
        request_id=new_id(),
        certificate=certificate,
        event=facts_pb2.AnnounceHolderEventRequest.EVENT_DISSOLUTION,
        document_digest="A" * 43,
        legal_basis=BASIS,
    )
    facts = facts_pb2_grpc.FactServiceStub(department.channel)
    await department.call(facts.AnnounceHolderEvent, event)
    unbound = (await issue_unbound(hub)).certificate
    binding = pb.BindCertificateRequest(
        request_id=new_id(), name=unbound, document_digest="A" * 43, legal_basis=BASIS
    )
    binding.holder.type, binding.holder.number = "001", company(999)
    holders = holders_pb2_grpc.HolderServiceStub(department.channel)
    await department.call(holders.BindCertificate, binding)
    taken_back = pb.UnbindCertificateRequest(
        request_id=new_id(), name=unbound, document_digest="A" * 43, legal_basis=BASIS
    )
    await department.call(holders.UnbindCertificate, taken_back)
    stub = holders_pb2_grpc.HolderServiceStub(department.channel)
    linked = await department.call(stub.LinkHolderIdentifiers, merger(certificate, 999))
    unlinking = pb.UnlinkHolderIdentifiersRequest(
        request_id=new_id(),
        name=linked.link.name,
        document_digest="A" * 43,
        legal_basis=BASIS,
    )
    await department.call(stub.UnlinkHolderIdentifiers, unlinking)


async def test_a_link_is_followed_and_discloses_no_other_identifier(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who asks by holder is told by which identifier to ask, and then gets what the seal says
    without its holder; values are confirmed at once; all of it until the link is taken back."""
    decision = tmp_path / "decision.pdf"
    decision.write_bytes(b"%PDF-1.7 merged")
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        answer = await hub.connector().deliver([licence(501), licence(502)])
        taken_over, successor = answer.results
        await hub.connector().deliver([licence(502, valid_until="2020-01-01")])
        window = hub.platform()

        async def sealway(*words: Any, expect: int = 0, system: str = "hz-department") -> Any:
            profile = str(hub.profile(f"systems/{system}"))
            arguments = ["holder", *map(str, words), "--json", "--profile", profile]
            code = await asyncio.to_thread(run, arguments)
            out = capsys.readouterr().out
            assert code == expect, out
            return json.loads(out)

        named = ("--holder", f"001:{company(501)}", "--kind", "merger", "--since", "2026-01-05")
        ended = await sealway("link", successor.certificate, *named, "--evidence", decision,
                              "--basis", BASIS, expect=1)  # fmt: skip
        await hub.connector().deliver([licence(502)])
        made = await sealway("link", successor.certificate, *named, "--evidence", decision,
                             "--basis", BASIS)  # fmt: skip
        await sealway("link", successor.certificate, "--kind", "merger", "--since", "2026-01-05",
                      "--basis", BASIS, expect=64)  # fmt: skip
        await sealway("links", expect=1, system="window-1")

        with pytest.raises(Refused) as both:
            await window.fetch(holder=company(502))
        await hub.connector().deliver([licence(502, valid_until="2020-01-01")])
        with pytest.raises(Refused) as linked:
            await window.fetch(holder=company(502))
        fetched = await window.fetch(by_identifier(linked.value.details["identifiers"]))
        confirmed = await ask(window, **about({"name": "杭州示例501有限公司"}, company(502)))
        unlinked = await sealway("unlink", made["name"], "--evidence", decision, "--basis", BASIS)
        (listed,) = (await sealway("links"))["links"]
        denied = await ask(window, **about({"name": "杭州示例501有限公司"}, company(502)))
        after = await window.fetch(holder=company(502))
        report = await hub.audit()

    assert ended["error"]["reason"] == "TRANSITION_NOT_ALLOWED"
    assert made["document_digest"] == b64u(hashlib.sha256(decision.read_bytes()).digest())
    assert both.value.reason == "CERTIFICATE_AMBIGUOUS"
    assert (linked.value.reason, linked.value.status) == ("HOLDER_LINKED", "FAILED_PRECONDITION")
    assert linked.value.details["identifiers"] == taken_over.identifier
    assert fetched.fields()["name"] == "杭州示例501有限公司"
    assert "holder_number" not in fetched.fields()
    assert (confirmed.result, denied.result) == ("in_force", "not_confirmed")
    assert unlinked["state"] == listed["state"] == "STATE_UNLINKED"
    assert after.states == ["expired"]
    assert not report.findings


async def test_only_departments_link_and_only_by_what_is_their_own(
    city: Path, tmp_path: Path
) -> None:
    """And a holder that is none is refused before anything is looked up, without its number."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        answer = await hub.connector().deliver([licence(501)])
        request = merger(answer.results[0].certificate, 502)
        for name, reason in (
            ("window-1", "ROLE_NOT_ALLOWED"),
            ("auditor-1", "ROLE_NOT_ALLOWED"),
            ("nb-department", "CERTIFICATE_NOT_FOUND"),
        ):
            member = hub.system(name)
            stub = holders_pb2_grpc.HolderServiceStub(member.channel)
            with pytest.raises(Refused) as caught:
                await member.call(stub.LinkHolderIdentifiers, request)
            assert caught.value.reason == reason
        member = hub.system("hz-department")
        stub = holders_pb2_grpc.HolderServiceStub(member.channel)
        request.former.number = "secret-1"
        with pytest.raises(Refused) as caught:
            await member.call(stub.LinkHolderIdentifiers, request)
        assert caught.value.reason == "USCC_INVALID"
        assert "secret" not in str(vars(caught.value))


async def test_who_announces_a_death_does_not_learn_what_the_person_had_elsewhere(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither from the answer nor from its list; the other department and an auditor see it."""
    document = tmp_path / "document.pdf"
    document.write_bytes(b"%PDF-1.7 shown")
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        await hub.officer().propose("nb-permit", "authorities/nb-market/seals/main", PERMIT)
        for other in ("qian", "sun"):
            await hub.officer(other).approve("nb-permit")
        mine, theirs = [
            (await hub.connector(name).deliver([permit(7)], vct=PERMIT_VCT)).results[0]
            for name in ("hz-connector", "nb-connector")
        ]

        async def sealway(system: str, *words: Any, expect: int = 0) -> Any:
            profile = str(hub.profile(f"systems/{system}"))
            arguments = [*map(str, words), "--json", "--profile", profile]
            code = await asyncio.to_thread(run, arguments)
            out = capsys.readouterr().out
            assert code == expect, out
            return json.loads(out)

        announcing = ("--evidence", document, "--basis", "《民法典》第十五条")
        made = await sealway("hz-department", "holder", "event", mine.certificate,
                             "--event", "death", *announcing)  # fmt: skip
        unknown = await sealway("hz-department", "holder", "event", mine.certificate,
                                "--event", "birth", *announcing, expect=64)  # fmt: skip
        seen = await sealway("hz-department", "fact", "list", made["name"])
        (told,) = (await sealway("nb-department", "fact", "list"))["follow_ups"]
        (audited,) = (await sealway("auditor-1", "fact", "list", made["name"]))["follow_ups"]
        shown = await sealway("nb-department", "certificate", "show", theirs.certificate)
        report = await hub.audit()

    assert (made["facts"], made["follow_ups"]) == (["holder.death"], 0)
    assert "guardianship-begun" in unknown["error"]["en"]
    assert seen["follow_ups"] == []
    assert (told["certificate"], told["facts"]) == (theirs.certificate, ["holder.death"])
    assert told["source_identifier"] == mine.identifier
    assert audited["state"] == told["state"] == "STATE_OPEN"
    assert shown["state"] == "CERTIFICATE_STATE_ACTIVE"
    assert not report.findings


async def test_an_unbound_certificate_is_bound_and_fetched_by_its_identifier(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Found by its number only, until its department says whose it is, and after it takes that
    back."""
    document = tmp_path / "archive.pdf"
    document.write_bytes(b"%PDF-1.7 archive")
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        unbound = await issue_unbound(hub)
        await hub.officer().grant("old", "window-1", ("name",), type_code=OLD_LICENCE)
        window = hub.platform()
        wanted = by_holder(company(601), ("name",), vct=OLD_VCT)

        async def sealway(*words: Any, expect: int = 0, system: str = "hz-department") -> Any:
            profile = str(hub.profile(f"systems/{system}"))
            arguments = [*map(str, words), "--json", "--profile", profile]
            code = await asyncio.to_thread(run, arguments)
            out = capsys.readouterr().out
            assert code == expect, out
            return json.loads(out)

        name, whose = unbound.certificate, ("--holder", f"001:{company(601)}")
        rest = ("--evidence", document, "--basis", BASIS)
        searched = ("certificate", "search", "--number", "OLD-601", "--type", OLD_LICENCE)
        (before,) = (await sealway(*searched))["certificates"]
        absent = await window.fetch(wanted)
        await sealway("holder", "bind", name, *rest, expect=64)
        foreign = await sealway("holder", "bind", name, *whose, *rest, expect=1,
                                system="nb-department")  # fmt: skip
        bound = await sealway("holder", "bind", name, *whose, *rest)
        (after,) = (await sealway(*searched))["certificates"]
        with pytest.raises(Refused) as linked:
            await window.fetch(wanted)
        cert = by_identifier(linked.value.details["identifiers"], ("name",), vct=OLD_VCT)
        fetched = await window.fetch(cert)
        again = await sealway("holder", "bind", name, *whose, *rest, expect=1)
        await sealway("holder", "unbind", name, *rest)
        gone = await window.fetch(wanted)
        report = await hub.audit()

    assert (before["holder_count"], after["holder_count"]) == (0, 1)
    assert (absent.states, gone.states) == (["absent"], ["absent"])
    assert foreign["error"]["reason"] == "CERTIFICATE_NOT_FOUND"
    assert bound["entry"] > 0
    assert linked.value.reason == "HOLDER_LINKED"
    assert linked.value.details["identifiers"] == unbound.identifier
    assert fetched.fields() == {"name": "杭州示例601有限公司"}
    assert again["error"]["reason"] == "TRANSITION_NOT_ALLOWED"
    assert not report.findings
