"""What the documents say is what the code does."""

import re
from pathlib import Path

from fashionmap.settings import Settings

ROOT = Path(__file__).parent.parent.parent


def test_given_the_settings_table_when_compared_then_it_is_the_settings_class() -> None:
    text = (ROOT / "docs" / "services.md").read_text("utf-8")
    rows = re.findall(r"^\| `FASHIONMAP_(\w+)` \| (?:`([^`]*)`)? ?\| (.*) \|$", text, re.M)
    fields = [
        (name.upper(), "" if field.default is None else str(field.default), field.description)
        for name, field in Settings.model_fields.items()
    ]
    assert rows == fields


def test_given_the_metrics_table_when_compared_then_it_is_what_the_code_tells() -> None:
    from fashionmap.adapters.metrics import METRICS, ModelCollector
    from fashionmap.domain.photo import ModelStamp

    text = (ROOT / "docs" / "operate.md").read_text("utf-8")
    rows = re.findall(r"^\| `(fashionmap_\w+)` \| (\w+) \| (.*) \| (.*) \|$", text, re.M)
    told = {
        name: (kind, re.findall(r"`(\w+)`", labels), about) for name, kind, labels, about in rows
    }
    known = {}
    for metric in METRICS:
        (family,) = metric.collect()
        name = family.name + ("_total" if family.type == "counter" else "")
        known[name] = (family.type, list(metric._labelnames), family.documentation)
    collector = ModelCollector("s", lambda: [ModelStamp("n", "1", "f" * 64)])
    for family in collector.collect():
        labels = list(family.samples[0].labels)
        known[family.name] = (family.type, labels, family.documentation)
    assert told == known


def test_given_the_readme_when_compared_then_every_command_exists() -> None:
    from typer.main import get_command

    from fashionmap.cli.app import build_app

    text = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"fashionmap ([a-z-]+)", text)) | {"failures", "retry", "request-map"}
    commands = set(get_command(build_app()).commands)  # type: ignore[attr-defined]
    assert named - {"map"} <= commands
    assert "map" in commands


def test_given_a_request_for_help_when_answered_then_no_model_library_was_loaded() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from fashionmap.cli.app import build_app; build_app(); "
        "print([m for m in ('torch', 'openTSNE', 'sklearn', 'grpc', 'pika') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "services"), "PATH": "/usr/bin:/bin"},
    )
    assert done.stdout.strip() == "[]"
