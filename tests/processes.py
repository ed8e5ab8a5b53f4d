"""The services as real processes for tests."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
SERVICES = ("ingest", "segmentation", "embedding", "projection")


@dataclass
class Cluster:
    """The four services as processes with one environment, and what is a service's own."""

    environment: dict[str, str]
    folder: Path
    own: dict[str, dict[str, str]] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Starts a service."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "fashionmap", "serve", name],
                env={**self.full_environment(), **self.own.get(name, {})},
                stdout=log,
                stderr=log,
            )

    def full_environment(self) -> dict[str, str]:
        """The environment of every process."""
        path = str(ROOT / "services")
        return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "2", **self.environment}

    def kill(self, name: str) -> None:
        """kill -9."""
        self.running[name].send_signal(signal.SIGKILL)
        self.running[name].wait(10)

    def stop(self) -> None:
        """SIGTERM to all; they must end by themselves."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(60)

    def port(self, name: str) -> int:
        """The gRPC port that the service logged last."""
        until(lambda: "grpc_port" in self.log(name), 120)
        lines = [json.loads(line) for line in self.log(name).splitlines() if "grpc_port" in line]
        port: int = lines[-1]["grpc_port"]
        return port

    def log(self, name: str) -> str:
        """Everything the service wrote."""
        return (self.folder / f"{name}.log").read_text("utf-8")

    def run(self, *arguments: str, timeout: float = 240) -> str:
        """A command of ours in the cluster's environment; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "fashionmap", *arguments],
            env=self.full_environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def cluster(
    environment: dict[str, str], folder: Path, own: dict[str, dict[str, str]] | None = None
) -> Iterator[Cluster]:
    """All four services, ended when the test ends, whatever happens."""
    services = Cluster(environment, folder, own or {})
    try:
        for name in SERVICES:
            services.start(name)
        yield services
        services.stop()
    finally:
        for process in services.running.values():
            if process.poll() is None:
                process.kill()
                process.wait(10)


def until(true: Callable[[], bool], seconds: float, *, pause: float = 0.2) -> None:
    """Waits until something holds; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(pause)
