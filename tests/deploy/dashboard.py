"""The dashboard's panels and the questions that they ask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
FILE = DEPLOY / "grafana" / "dashboards" / "sealway.json"


@dataclass(frozen=True)
class Question:
    """One expression of one panel, as it stands in the file."""

    panel: str
    expression: str

    def filled(self, variables: Mapping[str, str]) -> str:
        """What Prometheus is asked when each `$name` has this value."""
        text = self.expression
        for name, value in variables.items():
            text = text.replace(f"${name}", value)
        assert "$" not in text, text
        return text


def questions() -> list[Question]:
    """Every question of the dashboard."""
    board = json.loads(FILE.read_text(encoding="utf-8"))
    return [
        Question(panel["title"], target["expr"])
        for panel in board["panels"]
        for target in panel.get("targets", ())
    ]
