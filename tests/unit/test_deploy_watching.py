"""What is watched: dashboard, alerts and scrapes name what the code exports."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from fashionmap.adapters import metrics
from tests.promql import MONITORING, queries
from tests.servers import promtool_binary

ROOT = Path(__file__).parent.parent.parent
SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
}
OF_RABBITMQ = {"rabbitmq_detailed_queue_messages_ready"}


def exported() -> dict[str, set[str]]:
    """Labels by the names of samples that the services export."""
    names: dict[str, set[str]] = {
        metrics.MODEL_INFO: {"stage", "name", "version", "sha256"},
        metrics.GPU_MEMORY: {"stage"},
    }
    for metric in metrics.METRICS:
        (family,) = metric.describe()
        for suffix in SUFFIXES[family.type]:
            names[family.name + suffix] = {*metric._labelnames, "le"}
    return names


def expressions() -> list[str]:
    """Every PromQL expression of the dashboard and the alerts."""
    return [query.text for query in queries()]


def test_given_all_expressions_when_read_then_they_name_what_is_exported() -> None:
    known = exported()
    named = set()
    for expression in expressions():
        for name in re.findall(r"\b(?:fashionmap|rabbitmq)_\w+", expression):
            assert name in known or name in OF_RABBITMQ, name
            named.add(name)
    families = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in known}
    shown = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in named}
    assert families <= shown


def test_given_all_expressions_when_grouped_then_by_labels_that_their_metrics_have() -> None:
    known = {**exported(), **{name: {"queue"} for name in OF_RABBITMQ}}
    for expression in expressions():
        names = re.findall(r"\b(?:fashionmap|rabbitmq)_\w+", expression)
        labels = set.union(*(known[name] for name in names))
        for group in re.findall(r"by \(([^)]*)\)", expression):
            assert {label.strip() for label in group.split(",")} <= labels, expression


def test_given_legends_and_annotations_when_read_then_they_show_labels_that_are_left() -> None:
    for query in queries():
        assert query.shown <= query.grouped(), query.text


def test_given_the_dashboard_when_read_then_no_panel_lies_on_another() -> None:
    dashboard = json.loads((MONITORING / "dashboard.json").read_text("utf-8"))
    taken = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def _promtool(*arguments: str, cwd: Path) -> None:
    tool = promtool_binary()
    if tool is None:
        pytest.skip("not on this machine: promtool (`make tools`)")
    done = subprocess.run(
        [tool, *arguments], check=False, cwd=cwd, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_given_the_scrapes_when_prometheus_reads_them_then_it_accepts_them() -> None:
    _promtool("check", "config", "prometheus.yml", cwd=ROOT / "deploy" / "observability")


def test_given_the_alerts_when_prometheus_runs_them_then_they_fire_when_they_should(
    tmp_path: Path,
) -> None:
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))["spec"]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules), "utf-8")
    (tmp_path / "test.yml").write_text(yaml.safe_dump(_ALERT_TESTS), "utf-8")
    _promtool("check", "rules", "rules.yml", cwd=tmp_path)
    _promtool("test", "rules", "test.yml", cwd=tmp_path)


def test_given_the_dashboard_when_prometheus_parses_it_then_every_expression_is_promql(
    tmp_path: Path,
) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": e.replace("$__rate_interval", "1m")}
        for number, e in enumerate(expressions())
    ]
    groups = {"groups": [{"name": "dashboard", "rules": rules}]}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(groups), "utf-8")
    _promtool("check", "rules", "rules.yml", cwd=tmp_path)


def _series(name: str, values: str, **labels: str) -> dict[str, str]:
    inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return {"series": f"{name}{{{inside}}}", "values": values}


QUEUE = {"stage": "segmentation", "queue": "segmentation.photos"}
READY = "rabbitmq_detailed_queue_messages_ready"
_TROUBLE = [
    _series("fashionmap_connected", "0x60", **QUEUE),
    _series(READY, "5x60", queue="segmentation.photos"),
    _series(READY, "2x60", queue="segmentation.photos.dead"),
    _series("fashionmap_messages_total", "100x60", **QUEUE, outcome="done"),
    _series("fashionmap_messages_total", "0+10x60", stage="ingest", queue="i", outcome="refused"),
    _series("fashionmap_waits_total", "0+3x60", **QUEUE, on="StoreUnavailable"),
    _series("fashionmap_queue_wait_seconds_bucket", "0x60", queue="i", stage="ingest", le="3600"),
    _series(
        "fashionmap_queue_wait_seconds_bucket", "0+9x60", queue="i", stage="ingest", le="14400"
    ),
    _series("fashionmap_queue_wait_seconds_bucket", "0+9x60", queue="i", stage="ingest", le="+Inf"),
    _series("fashionmap_http_seconds_count", "0+9x60", route="/", status="200"),
    _series("fashionmap_http_seconds_count", "0+1x60", route="/", status="503"),
]
_WELL = [
    _series("fashionmap_connected", "1x60", **QUEUE),
    _series(READY, "5x60", queue="segmentation.photos"),
    _series(READY, "0x60", queue="segmentation.photos.dead"),
    _series("fashionmap_messages_total", "0+10x60", **QUEUE, outcome="done"),
    _series("fashionmap_waits_total", "0x60", **QUEUE, on="StoreUnavailable"),
    _series("fashionmap_http_seconds_count", "0+9x60", route="/", status="200"),
    _series("fashionmap_http_seconds_count", "0+9x60", route="/", status="404"),
]


def _case(series: list[dict[str, str]], *, fires: bool) -> dict[str, object]:
    names = (
        *("FashionmapStageAway", "FashionmapStandsStill", "FashionmapDeadLetters"),
        *("FashionmapRefusesMuch", "FashionmapWaits", "FashionmapQueueWaitsLong"),
        "FashionmapPageFails",
    )
    return {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}})',
                "eval_time": "59m",
                "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
            }
            for name in names
        ],
    }


_ALERT_TESTS = {
    "rule_files": ["rules.yml"],
    "evaluation_interval": "1m",
    "tests": [_case(_TROUBLE, fires=True), _case(_WELL, fires=False)],
}
