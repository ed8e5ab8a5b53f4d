"""A map folder, served by ``fashionmap serve``, in a real browser."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from playwright.sync_api import Browser, Page

from tests.browser import chromium, tab
from tests.e2e.pages import make_folder
from tests.processes import ROOT, until
from tests.servers import free_port


@pytest.fixture(scope="session")
def folder(looks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(looks, tmp_path_factory.mktemp("page") / "map")


@pytest.fixture(scope="session")
def address(folder: Path) -> Iterator[str]:
    """The folder, served by ``fashionmap serve``."""
    yield from serve(folder)


def serve(folder: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "fashionmap", "serve", str(folder), "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "services")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as server:
        url = f"http://127.0.0.1:{port}/"

        def answers() -> bool:
            try:
                return urllib3.request("GET", url, retries=False, timeout=1.0).status == 200
            except urllib3.exceptions.HTTPError:
                return False

        until(answers, 60)
        assert urllib3.request("GET", url + ".fashionmap/files.json").status == 404
        yield url
        server.terminate()


@pytest.fixture(scope="module")  # Playwright keeps an event loop while it is open
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with tab(browser, address) as fresh:
        yield fresh
