"""What the dashboard and the alerts ask Prometheus for."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

MONITORING = Path(__file__).parent.parent / "deploy" / "components" / "monitoring"


@dataclass(frozen=True)
class Query:
    """An expression, and the labels that its legend or its annotations show.

    Attributes:
        text: PromQL.
        shown: Labels named outside of it.
    """

    text: str
    shown: frozenset[str]

    def selectors(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Each metric with its matchers: label to value, ``""`` where it is not one value."""
        for name, inside in re.findall(r"\b((?:fashionmap|rabbitmq)_\w+)(?:{([^}]*)})?", self.text):
            matchers = re.findall(r'(\w+)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"', inside)
            yield name, {label: value if sign == "=" else "" for label, sign, value in matchers}

    def grouped(self) -> set[str]:
        """Labels that it groups or joins by."""
        lists = re.findall(r"\b(?:by|on|without|ignoring) *\(([^)]*)\)", self.text)
        return {label.strip() for names in lists for label in names.split(",")}


def queries() -> list[Query]:
    """Of every panel and every alert."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text("utf-8"))
    targets = [target for panel in dashboard["panels"] for target in panel.get("targets", [])]
    legend = re.compile(r"{{ *(\w+) *}}")
    panels = [Query(t["expr"], _all(legend, t.get("legendFormat", ""))) for t in targets]
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))
    words = re.compile(r"\$labels\.(\w+)")
    alerts = [
        Query(rule["expr"], _all(words, json.dumps(rule["annotations"])))
        for group in rules["spec"]["groups"]
        for rule in group["rules"]
    ]
    return panels + alerts


def _all(pattern: re.Pattern[str], text: str) -> frozenset[str]:
    return frozenset(pattern.findall(text))
