"""Training as real processes: killed at a random moment, and two at once."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from fashionmap.adapters.weights import read_weights
from fashionmap.training.datasets.plain_coco import convert_sample
from fashionmap.training.datasets.split import split_dataset
from tests.processes import ROOT, until

pytestmark = pytest.mark.timeout(900)
PLAN = ["--size", "128x96", "--batch", "2", "--no-amp", "--checkpoint-every", "1"]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT / "services"),
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
}


@pytest.fixture(scope="module")
def data(looks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten looks to learn from, two to validate."""
    folder = tmp_path_factory.mktemp("split") / "looks"
    convert_sample(looks, folder)
    split_dataset(folder, val_fraction=0.17, seed=1)
    return folder


def command(data: Path, out: Path, *more: str) -> list[str]:
    own = ["-m", "fashionmap", "train", "--data", str(data), "--out", str(out)]
    return [*own, "--threads", "1", "--device", "cpu", *PLAN, *more]


def run(arguments: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_given_a_training_process_when_killed_at_random_and_resumed_then_weights_are_bit_equal(
    data: Path, tmp_path: Path
) -> None:
    run(command(data, tmp_path / "unbroken", "--epochs", "2"))
    arguments = command(data, tmp_path / "broken", "--epochs", "2")
    seed = int(os.environ.get("FASHIONMAP_TEST_SEED", time.time_ns() % 10_000))
    wait = random.Random(seed).uniform(0.0, 3.0)
    checkpoint = tmp_path / "broken" / "checkpoint.pt"
    process = subprocess.Popen([sys.executable, *arguments], env=ENVIRONMENT)
    until(lambda: checkpoint.exists() or process.poll() is not None, 240, pause=0.02)
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    killed = torch.load(checkpoint, weights_only=True)["place"]
    told = run([*arguments, "--resume"])
    assert "going on at epoch" in told
    files = [tmp_path / name / "model.safetensors" for name in ("unbroken", "broken")]
    assert files[0].read_bytes() == files[1].read_bytes(), f"seed {seed}, killed at {killed}"
    lines = (tmp_path / "broken" / "log.jsonl").read_text("utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    assert [e["epoch"] for e in entries if "loss" in e] == [0, 1]
    assert [e["epoch"] for e in entries if "AP" in e] == [1, 2]


def test_given_two_processes_when_trained_by_torchrun_then_it_is_as_one_that_accumulates(
    data: Path, tmp_path: Path
) -> None:
    own = ("--epochs", "1", "--seed", "3")
    run(command(data, tmp_path / "one", *own, "--accumulate", "2"))
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    run([*torchrun, *command(data, tmp_path / "two", *own)])
    one, two = (read_weights(tmp_path / n / "model.safetensors").tensors for n in ("one", "two"))
    start = json.loads((tmp_path / "two" / "log.jsonl").read_text("utf-8").splitlines()[0])
    assert start["step"] > 1
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=2e-3, atol=2e-4)


def test_given_nothing_to_resume_when_asked_then_one_sentence_says_so(
    data: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, *command(data, tmp_path / "none", "--resume")],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "nothing to resume" in done.stderr
