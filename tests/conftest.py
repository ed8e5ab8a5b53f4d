"""Shared fixtures: shared data, real servers, drawn looks."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Servers, missing, start_servers

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data, or a skip with a clear word."""
    folder = Path(os.environ.get("FASHIONMAP_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip("the shared data (../shared) is not on this machine")
    return folder


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The real RabbitMQ and the real MinIO."""
    lacking = [name for name in missing() if name.startswith(("RabbitMQ", "MinIO"))]
    if lacking:
        pytest.skip(f"not on this machine: {', '.join(lacking)}")
    running = start_servers(tmp_path_factory.mktemp("servers"))
    yield running
    running.rabbitmq.stop()
    running.minio.stop()


@pytest.fixture(scope="session")
def looks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve drawn looks with their ground truth."""
    from fashionmap.sample.dataset import write_looks

    folder = tmp_path_factory.mktemp("looks")
    write_looks(folder, count=12, seed=11)
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names what could not be had, at the end of the run."""
    if lacking := missing():
        terminalreporter.section("not on this machine")
        for name in lacking:
            terminalreporter.line(name)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails a run that had to have everything and had not."""
    if missing() and os.environ.get("FASHIONMAP_REQUIRE_SERVICES") == "1":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
