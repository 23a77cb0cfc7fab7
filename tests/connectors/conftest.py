"""A connector under test: manifest, file, outbox and a small hub in one folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.manifest import load_manifest
from connectors.outbox import open_outbox
from connectors.run import ConnectorRun, RunReport
from connectors.sources.delimited import open_delimited
from connectors.submit import Submitter
from tests.connectors.small_hub import SmallHub, identity, now_us

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"

HEADER = "企业名称,统一社会信用代码,注册日期,企业类型,注册资金,经营范围,所在省份,地区,注册地址"
GOOD = (
    "甲有限公司（演示）,91350100M000100Y43,2001-01-01,N/A,50(万元人民币),零售,浙江,宁波,演示路1号"
)
OTHER = "乙有限公司（演示）,11100000MB03271699,2001-01-02,N/A,N/A,零售,浙江,宁波,演示路2号"


@dataclass(frozen=True)
class Bench:
    """A folder with manifest and type; `run` runs it once, in the shipped code's own way."""

    folder: Path
    manifest: Path
    hub: SmallHub

    @property
    def file(self) -> Path:
        """The source file."""
        return load_manifest(self.manifest).source_path

    def write(self, *lines: str, charset: str = "utf-8", end: str = "\r\n") -> None:
        """Write the source file: the usual header and these lines."""
        text = "".join(line + end for line in (HEADER, *lines))
        self.file.write_bytes(text.encode(charset))

    def run(self, submitter: Submitter | None = None, file: Path | None = None) -> RunReport:
        """One run to its end."""
        loaded = load_manifest(self.manifest)
        with open_outbox(self.folder / "state", loaded.manifest.connector.id, "test") as outbox:
            run = ConnectorRun(
                loaded, identity(), outbox, submitter or self.hub, now_us, lambda _done, _all: None
            )
            return run(open_delimited(file or loaded.source_path, loaded.format))

    def outbox(self):
        """The outbox, to look into."""
        loaded = load_manifest(self.manifest)
        return open_outbox(self.folder / "state", loaded.manifest.connector.id, "test")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """The shipped CSV manifest beside an empty folder."""
    return make_bench(tmp_path, "business-licence-csv.yaml")


@pytest.fixture
def gb_bench(tmp_path: Path) -> Bench:
    """The shipped GB18030 manifest."""
    return make_bench(tmp_path, "business-licence-gb18030.yaml")


@pytest.fixture
def change_manifest(bench: Bench) -> Callable[[str, str], None]:
    """Replace a text in the manifest of `bench`."""

    def change(old: str, new: str) -> None:
        text = bench.manifest.read_text()
        assert old in text
        bench.manifest.write_text(text.replace(old, new))

    return change


def make_bench(folder: Path, name: str) -> Bench:
    """A copy of a shipped manifest with its type in `folder`."""
    (folder / "connectors").mkdir()
    (folder / "types").mkdir()
    shutil.copy(DEPLOY / "connectors" / name, folder / "connectors" / name)
    shutil.copy(
        DEPLOY / "types" / "business-licence.json", folder / "types" / "business-licence.json"
    )
    return Bench(folder, folder / "connectors" / name, SmallHub(folder / "hub.json"))
