"""docker-compose.yml and the images: consistent with the code, limited, and nothing secret."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fashionmap import __version__
from fashionmap.settings import Settings

ROOT = Path(__file__).parent.parent.parent
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")
DOCKERFILE = (ROOT / "deploy" / "images" / "Dockerfile").read_text("utf-8")
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
OURS = ("ingest", "segmentation", "embedding", "projection", "explorer")
SECRET = re.compile(r"PASS|SECRET|ACCESS_KEY|TOKEN|MINIO_ROOT_USER|AMQP_URL")


def stages() -> dict[str, str]:
    """Text of each stage of the Dockerfile by its name, with that of the stages it stands on."""
    found: dict[str, str] = {}
    for part in re.split(r"(?m)^FROM ", DOCKERFILE)[1:]:
        head, _, body = part.partition("\n")
        parent, _, name = head.partition(" AS ")
        found[name.strip()] = found.get(parent.strip(), "") + body
    return found


def compose_config(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What Compose makes of the file; no engine is needed."""
    docker = ("docker", "compose")
    if not shutil.which("docker") or subprocess.call([*docker, "version"], stdout=DEVNULL):
        pytest.skip("not on this machine: Docker Compose v2")
    return subprocess.run(
        [*docker, "--env-file", "/dev/null", "config", "--format", "json"],
        check=False,
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("name", SERVICES)
def test_given_a_container_when_read_then_it_is_limited_and_can_write_nowhere_else(
    name: str,
) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    if name != "cli":
        assert service["cpus"] > 0
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"])


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"cli", "jaeger"}))
def test_given_a_container_when_read_then_its_health_is_checked(name: str) -> None:
    service = SERVICES[name]
    target = service.get("build", {}).get("target", "").replace("${STORE:-minio}", "minio")
    assert "healthcheck" in service or "HEALTHCHECK" in stages()[target]


@pytest.mark.parametrize("name", SERVICES)
def test_given_a_container_when_read_then_its_secrets_have_no_default(name: str) -> None:
    for key, value in SERVICES[name].get("environment", {}).items():
        if SECRET.search(key):
            assert re.search(r"\$\{\w+:\?", str(value)), key
            assert not re.search(r"\$\{\w*(PASS|KEY)\w*:?-", str(value)), key


def test_given_the_example_of_settings_when_read_then_it_names_every_needed_one() -> None:
    needed = set(re.findall(r"\$\{(\w+):\?", COMPOSE))
    given = dict(re.findall(r"(?m)^(\w+)=(.*)$", EXAMPLE))
    assert needed <= set(given)
    assert all(not value for name, value in given.items() if SECRET.search(name))


def test_given_no_settings_when_made_then_the_secrets_are_random_and_private(
    tmp_path: Path,
) -> None:
    made = []
    for number in "ab":
        folder = tmp_path / number
        folder.mkdir()
        shutil.copy(ROOT / "Makefile", folder)
        shutil.copy(ROOT / ".env.example", folder)
        subprocess.run(["make", ".env"], cwd=folder, check=True, capture_output=True)
        assert (folder / ".env").stat().st_mode & 0o077 == 0
        made.append(dict(re.findall(r"(?m)^(\w+)=(.*)$", (folder / ".env").read_text("utf-8"))))
    secrets = [name for name in made[0] if SECRET.search(name)]
    assert len(secrets) >= 4
    for name in secrets:
        assert len(made[0][name]) == 36
        assert made[0][name] != made[1][name]


@pytest.mark.parametrize("name", OURS)
def test_given_a_service_when_its_settings_are_read_then_the_code_knows_them(name: str) -> None:
    in_image = dict(re.findall(r"\b(FASHIONMAP_\w+)=(\S+)", stages()[name]))
    for key in {**in_image, **SERVICES[name]["environment"]}:
        assert key.removeprefix("FASHIONMAP_").lower() in Settings.model_fields, key


@pytest.mark.parametrize("name", OURS)
def test_given_a_service_when_its_image_is_read_then_it_is_no_root_and_has_no_compiler(
    name: str,
) -> None:
    text = stages()[name]
    assert re.findall(r"(?m)^USER (\S+)", text)[-1] == "10001:10001"
    assert re.findall(r"(?m)^ENTRYPOINT (.*)$", text)[-1] == '["tini", "--", "fashionmap"]'
    assert f'CMD ["serve", "{name}"]' in text
    assert not re.search(r"g\+\+|gcc|build-essential|python3-dev", text)


def test_given_all_images_when_read_then_none_is_whatever_is_newest() -> None:
    images = [s["image"] for s in SERVICES.values()]
    images += re.findall(r"(?m)^ARG \w+_IMAGE=(\S+)", DOCKERFILE)
    for image in images:
        tag = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", image).partition(":")[2]
        assert tag
        assert "latest" not in tag
        if image.startswith("fashionmap/"):
            assert tag.startswith(__version__)


def test_given_our_images_when_built_then_each_is_labelled_once() -> None:
    for name in OURS:
        labels = re.findall(r"org\.opencontainers\.image\.(\w+)=", stages()[name])
        assert sorted(labels) == ["licenses", "title"]
    builds = [service["build"] for service in SERVICES.values() if "build" in service]
    version, revision = "org.opencontainers.image.version", "org.opencontainers.image.revision"
    for build in builds:
        assert build["labels"] == {
            version: f"${{VERSION:-{__version__}}}",
            revision: "${REVISION:-unknown}",
        }


def test_given_the_pins_of_images_when_compared_then_they_satisfy_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pins = {}
    for name in ("requirements.txt", "requirements-torch.txt"):
        text = (ROOT / "deploy" / "images" / name).read_text("utf-8")
        for package, version in re.findall(r"(?m)^([^#=\s]+)==(\S+)$", text):
            assert pins.setdefault(package, version) == version, package
    for line in project["dependencies"] + project["optional-dependencies"]["services"]:
        need = Requirement(line)
        pin = pins.get(canonicalize_name(need.name))
        assert pin, f"{need.name} is not pinned: make lock"
        assert need.specifier.contains(pin, prereleases=True), f"{line}, pinned {pin}: make lock"


@pytest.mark.parametrize("profiles", ["cpu,store", "gpu,store", "cpu", "cpu,store,observability"])
def test_given_profiles_when_compose_reads_them_then_the_model_is_whole(profiles: str) -> None:
    secrets = dict.fromkeys(re.findall(r"\$\{(\w+):\?", COMPOSE), "x")
    done = compose_config({**os.environ, **secrets, "COMPOSE_PROFILES": profiles})
    assert done.returncode == 0, done.stderr
    running = json.loads(done.stdout)["services"]
    gpu = "-gpu" if "gpu" in profiles else ""
    assert {f"segmentation{gpu}", f"embedding{gpu}"} <= set(running)
    assert ("store" in running) == ("store" in profiles)
    assert ("grafana" in running) == ("observability" in profiles)
    assert all(p["host_ip"] == "127.0.0.1" for s in running.values() for p in s.get("ports", []))


def test_given_missing_secrets_when_compose_reads_it_then_it_says_which() -> None:
    environment = {k: v for k, v in os.environ.items() if not SECRET.search(k)}
    done = compose_config({**environment, "RABBITMQ_USER": "x"})
    assert done.returncode != 0
    assert "set it in .env, or run make up" in done.stderr
