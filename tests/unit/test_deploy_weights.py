"""The init container's script: weights by address, kept only if their hash is right."""

import functools
import hashlib
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "deploy" / "components" / "weights" / "fetch.py"
WEIGHTS = b"weights" * 1000


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A server with one file of weights."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "w.safetensors").write_bytes(WEIGHTS)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/w.safetensors"
        server.shutdown()


def fetch(address: str, path: Path, sha256: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(path)],
        env={**os.environ, "WEIGHTS_URL": address, "WEIGHTS_SHA256": sha256},
        check=False,
        capture_output=True,
        text=True,
    )


def test_given_the_right_hash_when_fetched_then_the_file_is_there_and_is_not_fetched_again(
    address: str, tmp_path: Path
) -> None:
    path, digest = tmp_path / "w.safetensors", hashlib.sha256(WEIGHTS).hexdigest()
    assert fetch(address, path, digest).returncode == 0
    assert path.read_bytes() == WEIGHTS
    assert fetch("http://127.0.0.1:9/away", path, digest).returncode == 0


def test_given_a_wrong_hash_when_fetched_then_nothing_is_kept(address: str, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    done = fetch(address, path, "0" * 64)
    assert done.returncode == 1
    assert "not 000000000000" in done.stderr
    assert not list(tmp_path.glob("w.*"))


def test_given_no_server_when_fetched_then_one_sentence_says_so(tmp_path: Path) -> None:
    done = fetch("http://127.0.0.1:9/away", tmp_path / "w", "0" * 64)
    assert done.returncode == 1
    assert done.stderr.startswith("The weights at http://127.0.0.1:9/away cannot be fetched")
    assert done.stderr.count("\n") == 1
