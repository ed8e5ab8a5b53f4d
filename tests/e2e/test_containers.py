"""The whole thing in real containers, from a clean clone: `make test-containers`."""

import json
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import urllib3

from fashionmap.sample.dataset import write_looks
from tests.servers import ROOT, free_port

pytestmark = [
    pytest.mark.containers,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(
        os.environ.get("FASHIONMAP_CONTAINERS") != "1",
        reason="builds and runs containers for many minutes: make test-containers",
    ),
]
WEIGHTS = Path("services", "fashionmap", "weights")
LOOKS = 50


@dataclass
class Clone:
    """A clean clone with a Compose project of its own."""

    folder: Path
    environment: dict[str, str]
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, *command: str, check: bool = True) -> str:
        """Runs a command in the clone; returns its output."""
        began = time.monotonic()
        done = subprocess.run(
            command,
            check=False,
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.seconds[" ".join(command)[:60]] = round(time.monotonic() - began, 1)
        assert not check or done.returncode == 0, done.stdout[-5000:]
        return done.stdout

    def left_over(self) -> list[str]:
        """Containers, volumes and networks of the project that are there."""
        label = f"label=com.docker.compose.project={self.environment['COMPOSE_PROJECT_NAME']}"
        found = []
        for kind, every in (("container", ["--all"]), ("volume", []), ("network", [])):
            names = self.run("docker", kind, "ls", *every, "--quiet", "--filter", label)
            found += [f"{kind} {name}" for name in names.split()]
        return found

    def containers(self) -> list[dict[str, str]]:
        """State of each container that runs."""
        lines = self.run("docker", "compose", "ps", "--format", "json").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture
def clone(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Clone]:
    """A clean clone; whatever happens, its containers and volumes are removed."""
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    for file in (ROOT / WEIGHTS).iterdir():
        if not (folder / WEIGHTS / file.name).exists():
            shutil.copy(file, folder / WEIGHTS)
    project = {"COMPOSE_PROJECT_NAME": f"fmtest{uuid.uuid4().hex[:8]}", "PORT": str(free_port())}
    made = Clone(folder, {**project, "STORE": getattr(request, "param", "minio")})
    yield made
    made.run("make", "down", check=False)


@pytest.mark.parametrize("clone", ["minio", "versitygw"], indirect=True)
def test_given_a_clean_clone_when_brought_up_with_photos_then_a_map_comes_out_and_nothing_stays(
    clone: Clone, tmp_path: Path
) -> None:
    write_looks(tmp_path / "looks", count=LOOKS, seed=5)

    said = clone.run("make", "up", f"PHOTOS={tmp_path / 'looks' / 'images'}", "COLLECTION=spring")

    address = f"http://127.0.0.1:{clone.environment['PORT']}/"
    assert said.rstrip().endswith(f"The map: {address}")
    running = clone.containers()
    expected = {"rabbitmq", "store", "ingest", "segmentation", "embedding", "projection"}
    assert {c["Service"] for c in running} == {*expected, "explorer"}
    assert {c["Health"] for c in running} == {"healthy"}

    census = clone.run(
        "docker", "compose", "run", "--rm", "cli", "status", "--collection", "spring"
    )
    counts = dict(line.rsplit(maxsplit=1) for line in census.splitlines() if "  " in line)
    assert counts["embedded"] == str(LOOKS)
    assert counts["failed"] == "0"
    assert counts["newest map"] != "yet"

    for path in ("", "healthz", "readyz"):
        assert urllib3.request("GET", address + path, timeout=20, retries=False).status == 200
    _assert_hardened(clone, running)

    clone.run("make", "down")
    assert clone.left_over() == []
    print(json.dumps(clone.seconds, indent=1))


def _assert_hardened(clone: Clone, running: list[dict[str, str]]) -> None:
    for container in running:
        name = container["Service"]
        (state,) = json.loads(clone.run("docker", "inspect", container["ID"]))
        assert state["HostConfig"]["ReadonlyRootfs"], name
        assert state["HostConfig"]["Memory"] > 0, name
        user = clone.run("docker", "compose", "exec", "--no-TTY", name, "id", "-u")
        assert int(user) > 0, name
        write = ("sh", "-c", "touch /usr/x 2>/dev/null || echo refused")
        assert "refused" in clone.run("docker", "compose", "exec", "--no-TTY", name, *write), name
        compiler = ("sh", "-c", "command -v gcc cc go g++ || echo none")
        if name != "rabbitmq":
            assert "none" in clone.run("docker", "compose", "exec", "--no-TTY", name, *compiler)


def test_given_another_program_on_the_port_when_brought_up_then_it_says_so(clone: Clone) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(clone.environment["PORT"])))
        taken.listen()
        said = clone.run("make", "up", check=False)
    assert "address already in use" in said
