"""Who plays: departments with the files they hand over, and the numbers in those files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.sample import CSV_NAME, GB18030_NAME, write_sample
from hub.domain.identifier import organisation_check_character, uscc_check_character

ROOT: Final = Path(__file__).resolve().parent.parent.parent
DEPLOY: Final = ROOT / "deploy"
LICENCE: Final = "11100000MB0143028R001"
TOBACCO: Final = "119900009000000141003"
FIRE: Final = "119900009000000141008"
COMPANIES: Final = 600
_COLUMNS: Final = 9
_DEPENDENT_HEADER: Final = (
    "许可证号",
    "企业名称",
    "统一社会信用代码",
    "经营场所",
    "使用性质",
    "发证日期",
    "有效期至",
)


@dataclass(frozen=True)
class Department:
    """One issuing department, the type that it issues, and the file it hands over."""

    id: str
    title: str
    uscc: str
    region: str
    type_code: str
    manifest: Path
    file: Path
    # 3 is a city, 4 a district; a type says at which levels it is issued.
    level: int = 3


@dataclass(frozen=True)
class Company:
    """A company as a register lists it."""

    name: str
    code: str
    address: str


def uscc(head: str, organisation: str) -> str:
    """A credit code with both check characters."""
    seventeen = head + organisation + organisation_check_character(organisation)
    return seventeen + uscc_check_character(seventeen)


def registers(folder: Path, data: Path | None) -> tuple[Department, Department]:
    """Two registers of companies: real files out of `data`, or the generated sample."""
    if data is not None:
        files = (data / "hangzhou-2001.csv", data / "ningbo-2001.gb18030.txt")
        missing = [file for file in files if not file.is_file()]
        if missing:
            raise SystemExit(f"{missing[0]} is missing: --data names the folder that holds it")
    else:
        one = write_sample(folder / "files-1", companies=COMPANIES, seed=20260101)
        other = write_sample(folder / "files-2", companies=COMPANIES, first=5_000, seed=20260102)
        files = (one.csv, other.gb18030)
        assert (one.csv.name, other.gb18030.name) == (CSV_NAME, GB18030_NAME)
    return (
        Department(
            "hz-market",
            "杭州市市场监督管理局",
            uscc("11330100", "00251234"),
            "330100",
            LICENCE,
            second_version(folder, "business-licence-csv.yaml"),
            files[0].resolve(),
        ),
        Department(
            "nb-market",
            "宁波市市场监督管理局",
            uscc("11330200", "00292345"),
            "330200",
            LICENCE,
            second_version(folder, "business-licence-gb18030.yaml"),
            files[1].resolve(),
        ),
    )


def second_version(folder: Path, name: str) -> Path:
    """A shipped manifest, taken over to the second version of its type, which carries facts."""
    text = (DEPLOY / "connectors" / name).read_text(encoding="utf-8")
    type_file = DEPLOY / "catalogue" / "types" / "business-licence-2.json"
    for shipped, ours in (
        ("type_version: 1\n", "type_version: 2\n"),
        (
            "type_file: ../types/business-licence.json\n",
            f"type_file: {json.dumps(str(type_file))}\n",
        ),
    ):
        assert shipped in text, "the shipped manifest names its type in another way"
        text = text.replace(shipped, ours)
    manifest = folder / "manifests" / name
    manifest.parent.mkdir(exist_ok=True)
    manifest.write_text(text, encoding="utf-8")
    return manifest


def dependents(folder: Path, companies: Sequence[Company]) -> tuple[Department, Department]:
    """Two departments whose licences repeat what the register says of `companies`.

    The types carry demonstration codes: nobody holds such a licence because of this.
    """
    made = []
    for id_, title, region, level, organisation, type_code, manifest in (
        ("hz-tobacco", "杭州市烟草专卖局", "330100", 3, "00253456", TOBACCO, "tobacco-licence"),
        ("sc-fire", "杭州市上城区消防救援大队", "330102", 4, "00254567", FIRE, "fire-safety"),
    ):
        file = folder / f"{manifest}.csv"
        write_licences(file, type_code, companies)
        made.append(
            Department(
                id_,
                title,
                uscc(f"11{region}", organisation),
                region,
                type_code,
                DEPLOY / "connectors" / f"{manifest}.yaml",
                file,
                level,
            )
        )
    return made[0], made[1]


def write_licences(
    file: Path, type_code: str, companies: Sequence[Company], issued: str = "2024-06-01"
) -> None:
    """A dependent department's export: one licence for each company."""
    rows = [_DEPENDENT_HEADER]
    for company in companies:
        about = (f"{type_code[-3:]}-{company.code[-9:]}", company.name, company.code)
        rows.append((*about, company.address, "餐饮场所", issued, "2029-05-31"))
    file.write_text(written(rows), encoding="utf-8", newline="")


def listed(department: Department) -> list[Company]:
    """A few companies out of a register's own file, sound and with an address."""
    is_csv = department.file.suffix == ".csv"
    text = department.file.read_bytes().decode("utf-8-sig" if is_csv else "gb18030")
    found = []
    for line in text.splitlines()[1:8:3]:
        (cells,) = csv.reader([line]) if is_csv else (line.split("|"),)
        if len(cells) == _COLUMNS and is_good(cells[1]):
            found.append(Company(cells[0], cells[1], cells[8]))
    return found


def entry_of(department: Department, company: Company) -> list[str]:
    """What the register's CSV file says of a company, cell by cell."""
    text = department.file.read_bytes().decode("utf-8-sig")
    for cells in csv.reader(io.StringIO(text, newline="")):
        if len(cells) == _COLUMNS and cells[1] == company.code:
            return cells
    raise SystemExit(f"{department.file} does not list {company.code}")


def written(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a CSV text."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def is_good(code: str) -> bool:
    """Whether this is a credit code as it stands."""
    return len(code) == 18 and code.isupper() and uscc_check_character(code[:17]) == code[17]
