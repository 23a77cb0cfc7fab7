"""The closing scoreboard: what was promised, and the figure of this run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from examples.demo.stage import Demo

STREAM_MS_GOAL: Final = 2_000
SECONDS_GOAL: Final = 90


@dataclass(frozen=True)
class Line:
    """One promise in Chinese and English, the figure, and whether it was kept."""

    zh: str
    en: str
    figure: str
    is_kept: bool


def lines(report: Mapping[str, int | float]) -> list[Line]:
    """Every promise of the story, judged by the figures of the report and nothing else."""
    r = report
    materials = sum(int(value) for name, value in r.items() if name.startswith("plan_"))
    spared = materials - int(r["plan_ask"])
    parts = [str(r[f"plan_{one}"]) for one in ("on_file", "obtainable", "commitment", "deferrable")]
    bad = r["quarantined"] + r["refused"]
    return [
        Line(
            "部门数据逐行有着落（已签章入库 + 隔离或退回 = 读入）",
            "every row accounted for (sealed + set aside = read)",
            f"{r['accepted']} + {bad} = {r['rows_read']}",
            r["accepted"] + r["unchanged"] + bad + r["skipped"] == r["rows_read"] > 0,
        ),
        Line(
            "超出授权的请求被拒（多要一个字段、没有授权）",
            "requests beyond a grant refused (a field too many, no grant)",
            f"{r['refused_requests']} / 2",
            r["refused_requests"] == 2,
        ),
        Line(
            "答复离线核验通过",
            "answers verified offline",
            f"{r['verified_offline']} / {r['fetched']}",
            r["verified_offline"] == r["receipts_verified"] == r["fetched"] > 0,
        ),
        Line(
            "新证照进入税务局变更流（目标 2 秒内）",
            f"a new licence on the tax bureau's stream (goal {STREAM_MS_GOAL} ms)",
            f"{r['stream_ms']} ms",
            r["stream_ms"] <= STREAM_MS_GOAL,
        ),
        Line(
            "开餐饮店：不必提交的材料（库中+核实+承诺+容缺）",
            "open a restaurant: materials not to be brought now",
            f"{spared} / {materials} ({'+'.join(parts)})",
            r["plan_on_file"] > 0,
        ),
        Line(
            "地址变更后，旧答复的公开状态失效",
            "an old answer's public status flipped by the move",
            f"{r['status_flipped']} / 1",
            r["status_flipped"] == 1,
        ),
        Line(
            "受影响部门收到提醒；其中已跟进、待跟进",
            "dependent departments alerted; followed, still open",
            f"{r['alerted']} / {r['follow_ups']}; {r['follow_ups_done']}, {r['follow_ups_open']}",
            r["alerted"] == r["follow_ups"] == r["follow_ups_done"] + r["follow_ups_open"] > 0,
        ),
        Line(
            "数据库被改一个字节，审计指出该行",
            "one byte edited, the row named by the audit",
            f"{r['tamper_detected']} / 1",
            r["tamper_detected"] == 1,
        ),
        Line(
            "全程用时（目标 90 秒内，不含安装）",
            f"the whole story, installs apart (goal {SECONDS_GOAL} s)",
            f"{r['seconds']} s",
            r["seconds"] <= SECONDS_GOAL,
        ),
    ]


def show(demo: Demo) -> None:
    """How long each chapter took, every figure, and the scoreboard."""
    demo.console.rule("[bold]What was done", align="left")
    chapters = Table("chapter", "seconds", box=None)
    for title, seconds in demo.timings:
        chapters.add_row(title, f"{seconds:.1f}")
    demo.console.print(chapters)
    figures = Table("figure", "value", box=None)
    for name, value in demo.report.items():
        figures.add_row(name, str(value))
    demo.console.print(figures)
    demo.console.rule("[bold]记分牌 Scoreboard", align="left")
    board = Table("", "承诺 promise", "本次 this run", box=None)
    for line in lines(demo.report):
        mark = "[green]✔[/green]" if line.is_kept else "[red]✘[/red]"
        board.add_row(mark, f"{line.zh}\n{line.en}", line.figure)
    demo.console.print(board)
    demo.console.print(
        "Report: .demo/report.json. Look next: docs/walk-through.md, "
        "`.venv/bin/sealway --help`, `make test`.",
        highlight=False,
    )
