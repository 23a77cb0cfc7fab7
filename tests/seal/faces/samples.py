"""The faces that are shipped, the business licence and a demonstration type, with values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.domain.certificate_type import CertificateType, from_json
from hub.domain.strict_json import Json
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.layout import Face, Issuance, Overlay
from hub.seal.faces.metadata import Metadata, metadata
from hub.seal.faces.page import Page
from hub.seal.faces.template import FaceTemplate, parse_template

ROOT = Path(__file__).resolve().parents[3]
IDENTIFIER = (
    "1.2.156.3005.2.11100000MB0143028R001.113301000025123419.0144B1DEFCF7561087015F8D830D65B1.001.O"
)
CODE = f"SEALWAY:1:HUB.HANGZHOU.EXAMPLE:{IDENTIFIER}:12:3456"
VALUES: dict[str, Json] = {
    "name": "杭州示例科技有限公司",
    "credit_code": "91330100000000001X",
    "kind": "有限责任公司(自然人投资或控股)",
    "capital": "壹仟万元整",
    "establish_date": "2001-01-01",
    "scope": "软件开发；信息技术咨询服务；批发、零售：机械设备，五金交电。",
    "address": "浙江省杭州市示例路1号",
    "legal_representative": "王示例",
    "category": "餐饮服务经营者（含网络经营）",
}
ISSUANCE = Issuance(
    identifier=IDENTIFIER,
    number="JY13301000000123",
    authority_title="杭州市示例市场监督管理局",
    authority_uscc="113301000025123419",
    holders=(("001", "91330100000000001X"),),
    issue_date="2026-01-31",
    valid_from="2026-01-31",
    valid_until="",
)
SHIPPED = {
    "business-licence": "business-licence-2",
    "demo-food-licence": "demo-food-licence",
}


def members(name: str = "business-licence") -> dict[str, Any]:
    """A shipped template, to be changed."""
    found: dict[str, Any] = json.loads((ROOT / f"deploy/faces/{name}.json").read_bytes())
    return found


def template(name: str = "business-licence", **changes: Any) -> FaceTemplate:
    """A shipped template, with other members."""
    return parse_template(json.dumps({**members(name), **changes}).encode())


def early_licence() -> bytes:
    """A template of the business licence as its first version has it (`deploy/types`)."""
    known = members()
    fields = [one for one in known["fields"] if one["field"] != "legal_representative"]
    return json.dumps({**known, "type_version": 1, "fields": fields}).encode()


def plain_face(code: str) -> bytes:
    """A template of version 1 of any type with a field `name`, in a box for twenty characters."""
    boxes = {"name": 20, "@identifier": 40, "@authority": 60, "@issue_date": 80}
    fields = [
        {"field": field, "box": f"20 {y} 160 6", "size": "4", "size_min": "1"}
        if field.startswith("@")
        else {"field": field, "box": f"20 {y} 100 6", "size": "5"}
        for field, y in boxes.items()
    ]
    places = {"seal": "100 200 42 42", "code": "20 200 40 40"}
    watermark = {"box": "20 100 160 90", "size": "12", "angle": 30}
    head = {"v": 1, "type": code, "type_version": 1, "title": "证", "page": "210 297"}
    return json.dumps({**head, "fields": fields, **places, "watermark": watermark}).encode()


def certificate_type(name: str = "business-licence") -> CertificateType:
    """The type of a shipped template."""
    file = ROOT / f"deploy/catalogue/types/{SHIPPED[name]}.json"
    return from_json(file.read_bytes())


@dataclass(frozen=True)
class Sample:
    """A certificate set into a shipped template."""

    page: Page
    metadata: Metadata


def sample(
    fonts: FaceFonts,
    name: str = "business-licence",
    /,
    *,
    overlay: Overlay | None = None,
    **values: Json,
) -> Sample:
    """The business licence of a company, with other values."""
    kind, fields = certificate_type(name), {**VALUES, **values}
    page = Face(template(name), kind, fonts).page(fields, ISSUANCE, CODE, overlay=overlay)
    return Sample(
        page,
        metadata(kind, fields, ISSUANCE, code=CODE, face="face/1 sha256", created=1_769_817_600),
    )
