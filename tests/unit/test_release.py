"""What accompanies a release: bills of materials, licences, notes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from deploy.release.bill import licence_of, locked
from deploy.release.text import ROOT, licence_words, notes_of

from fashionmap import __version__


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that ``make release`` writes."""
    if shutil.which("npm") is None:
        pytest.skip("not on this machine: npm")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "deploy.release", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    return folder


def bill(release: Path, part: str) -> dict[str, Any]:
    """A bill that holds to CycloneDX's schema."""
    text = (release / f"fashionmap-{__version__}-{part}.cdx.json").read_text("utf-8")
    written: dict[str, Any] = json.loads(text)
    schema = SchemaVersion.from_version(written["specVersion"])
    assert JsonStrictValidator(schema).validate_str(text) is None
    return written


def test_given_the_bill_of_the_images_when_read_then_every_locked_package_has_a_licence(
    release: Path,
) -> None:
    parts = {p["bom-ref"]: p for p in bill(release, "images")["components"]}
    assert len(locked()) > 60
    for name, version in locked().items():
        part = parts[f"{name}=={version}"]
        assert (part["name"], part["version"]) == (name, version)
        assert part["purl"] == f"pkg:pypi/{name}@{version}"
        assert licence_words(part)


def test_given_the_bill_of_the_images_when_read_then_programs_and_needs_are_named(
    release: Path,
) -> None:
    written = bill(release, "images")
    programs = {p["name"]: licence_words(p) for p in written["components"] if "group" in p}
    assert programs == {
        "grpc-health-probe": "Apache-2.0",
        "minio": "AGPL-3.0-or-later",
        "versitygw": "Apache-2.0",
    }
    needs = {d["ref"]: d.get("dependsOn", []) for d in written["dependencies"]}
    (root,) = (ref for ref in needs if ref.startswith("fashionmap=="))
    assert {need.partition("==")[0] for need in needs[root]} >= {"torch", "pika", "minio"}


def test_given_the_bill_of_the_page_when_read_then_it_is_what_the_lock_file_installs(
    release: Path,
) -> None:
    written = bill(release, "page")
    web = ROOT / "services" / "web"
    direct = json.loads((web / "package.json").read_text("utf-8"))["dependencies"]
    lock = json.loads((web / "package-lock.json").read_text("utf-8"))["packages"]
    shipped = {(name, lock[f"node_modules/{name}"]["version"]) for name in direct}
    named = {
        ("/".join(filter(None, (p.get("group"), p["name"]))), p["version"])
        for p in written["components"]
    }
    assert shipped <= named
    assert not any(name.startswith("vite") for name, _ in named)
    assert all(licence_words(p) for p in written["components"])
    assert written["metadata"]["component"]["version"] == __version__


def test_given_the_list_of_licences_when_read_then_every_component_stands_in_it(
    release: Path,
) -> None:
    text = (release / f"fashionmap-{__version__}-licences.md").read_text("utf-8")
    for part in ("images", "page"):
        for component in bill(release, part)["components"]:
            row = f"| {component['name']} | {component['version']} | {licence_words(component)} |"
            assert row in text


def test_given_a_package_without_a_licence_when_asked_then_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "nameless-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nameless\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SystemExit, match="nameless names no licence"):
        licence_of("nameless")


def test_given_the_changelog_when_notes_are_made_then_they_are_the_versions_section() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    notes = notes_of(__version__)
    title, _, body = notes.partition("\n\n")
    assert title.startswith(f"# fashionMap {__version__}")
    assert body.strip() in changelog
    assert len(body) > 200
    assert "\n## " not in body
