"""Chapter 7: the face of a licence as an annotated copy (加注件), made on demand and sealed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from examples.demo.cast import LICENCE, ROOT
from examples.demo.exchange import BASIS, ITEM, answer_file
from examples.demo.preparation import add_grant, carry_out
from examples.demo.stage import Demo
from hub.clock import CHINA
from hub.errors import HubError
from hub.proof.encoding import b64u_decode
from hub.seal.faces.fonts import FaceFonts

FACE: Final = ROOT / "deploy" / "faces" / "business-licence.json"
PURPOSE: Final = "办理食品经营许可"


def copy(demo: Demo, font: str) -> None:
    """A face, a seal for documents, an intent that allows copies, one copy, and its verification.

    Without a Chinese font nothing is drawn: the chapter says so, and the report counts no copy.
    """
    demo.report["annotated_copies"] = 0
    with demo.chapter("7  A copy for one purpose, sealed again by whoever issued it"):
        try:
            FaceFonts.open(font, "")
        except HubError as error:
            demo.say(f"left out: {error} (--font FILE names one)")
            demo.say("`python -m tests.chinese_font` fetches one that `make demo` finds")
            return
        department = demo.departments[0]
        _allow(demo, department.id, department.title)
        add_grant(
            demo,
            "documents-to-window",
            recipient="window-1",
            item=ITEM,
            basis=BASIS,
            of=(LICENCE, ("@document",)),
        )
        file = demo.folder / "copy.pdf"
        until = datetime.now(CHINA).date() + timedelta(days=30)
        made = demo.command(
            "exchange document {file} --type {licence} --cert {cert} --item {item} "
            "--matter 330000-2026-000017 --basis {basis} --purpose {purpose} --until {until} "
            "--media-type application/pdf --profile {profile}",
            file=file,
            licence=LICENCE,
            cert=_identifier(answer_file(demo, 0)),
            item=ITEM,
            basis=BASIS,
            purpose=PURPOSE,
            until=until,
            profile=demo.profile("window-1"),
        )
        report = _verified(demo, file)
        facts = {fact["name"]: fact["value"] for fact in report["facts"]}
        demo.say(f"{made['annotated_copy']}: {facts['purpose']}, {facts['recipient']}")
        demo.say(f"sealed by {facts['signer']}, usable until {facts['expires']}")
    demo.report["annotated_copies"] = int(
        report["verdict"] == "valid" and facts["purpose"] == PURPOSE
    )


def _allow(demo: Demo, authority: str, title: str) -> None:
    """The approved face; a seal with a key for PDF; an intent that names annotated copies."""
    officer = demo.profile("zhao")
    drafted = demo.command(
        "face add {face} --type {licence} --profile {officer}",
        face=FACE,
        licence=LICENCE,
        officer=officer,
    )
    demo.command(
        "face approve {name} --digest {digest} --profile {other}",
        name=drafted["name"],
        digest=drafted["digest"],
        other=demo.profile("qian"),
    )
    applied = demo.command(
        "seal apply documents --authority {id} --title {title} --key pdf:ES256 "
        "--id {id}-documents --profile {officer}",
        show=False,
        id=authority,
        title=title,
        officer=officer,
    )
    carry_out(demo, applied["name"], show=False)
    made = demo.command(
        "seal make authorities/{id}/seals/documents --pki {home}/pki --id {id}-documents-made "
        "--profile {officer}",
        show=False,
        id=authority,
        home=demo.home,
        officer=officer,
    )
    carry_out(demo, made["name"], show=False)
    demo.command(
        "intent propose {id}-copies --seal authorities/{id}/seals/documents --type {licence} "
        "--document annotated-copy --from 2026-01-01 --until 2035-12-31 --uses-max 1000 "
        "--profile {officer}",
        id=authority,
        licence=LICENCE,
        officer=officer,
    )
    for other in ("qian", "sun"):
        demo.command(
            "intent approve {id}-copies --yes --profile {other}",
            show=False,
            id=authority,
            other=demo.profile(other),
        )


def _verified(demo: Demo, file: Path) -> dict[str, Any]:
    """The report on the file, with the revocation lists of the PKI as anybody gets them."""
    lists = sorted((demo.home / "pki" / "crl").glob("*.crl"))
    return demo.command(
        "verify {file} --trust {trust}",
        *[word for one in lists for word in ("--crl", str(one))],
        file=file,
        trust=demo.trust,
    )


def _identifier(answer: Path) -> str:
    """The identifier in the clear part of the record that was given."""
    presentation = json.loads(answer.read_bytes())["certificates"][0]["presentation"]
    return str(json.loads(b64u_decode(presentation.split(".")[1]))["cert"])
