"""Weights as safetensors with metadata; nothing pickled is ever read."""

import hashlib
import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor, nn

from fashionmap.errors import WeightsRejected

SHIPPED = Path(__file__).parent.parent / "weights"
"""Folder of the weights that come with the package, with their ``SHA256SUMS``."""


@dataclass(frozen=True)
class Weights:
    """A weights file that was read and checked.

    Attributes:
        path: Where it lay.
        sha256: Hash of the file.
        metadata: What its maker wrote into it.
        tensors: By name; float32.
    """

    path: Path
    sha256: str
    metadata: Mapping[str, str]
    tensors: dict[str, Tensor]


def read_weights(path: Path, *, sha256: str | None = None) -> Weights:
    """Reads a safetensors file; ``WeightsRejected`` if missing, broken or not ``sha256``."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsRejected(f"There are no weights at {path}.") from error
    digest = hashlib.sha256(data).hexdigest()
    if sha256 is not None and digest != sha256:
        raise WeightsRejected(
            f"The weights at {path} have the hash {digest[:12]}…, not the expected {sha256[:12]}…."
        )
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
        tensors = load(data)
    except (SafetensorError, ValueError) as error:
        raise WeightsRejected(f"{path} is no safetensors file: {error}.") from error
    floats = {k: t.float() if t.is_floating_point() else t for k, t in tensors.items()}
    return Weights(path, digest, metadata, floats)


def write_weights(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """Writes tensors in half precision, whole or not at all; returns the file's SHA-256."""
    halves = {k: t.detach().half().contiguous().cpu() for k, t in tensors.items()}
    data = _canonical(save(halves, metadata=dict(metadata)))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)
    return hashlib.sha256(data).hexdigest()


def load_fitting(network: nn.Module, tensors: Mapping[str, Tensor]) -> int:
    """Loads the tensors whose names and shapes a network has; returns how many."""
    own = network.state_dict()
    fitting = {k: v for k, v in tensors.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict({**own, **fitting})
    return len(fitting)


def averaged(one: Weights, two: Weights, *, share: float) -> dict[str, Tensor]:
    """Tensors of two weights of one model, averaged with ``share`` (0 to 1) of the second.

    Raises:
        WeightsRejected: They are not of one model.
    """
    shapes = [{k: t.shape for k, t in w.tensors.items()} for w in (one, two)]
    if shapes[0] != shapes[1]:
        raise WeightsRejected(f"{one.path} and {two.path} are not of one model.")
    return {k: (1 - share) * one.tensors[k] + share * t for k, t in two.tensors.items()}


def download_weights(url: str) -> Weights:
    """torchvision's weights by their address: kept in torch's own cache, checked by their name.

    The file is one of torch's, of which only tensors are read.

    Raises:
        WeightsRejected: There is no network, or the file does not fit the hash in its name.
    """
    try:
        tensors: dict[str, Tensor] = torch.hub.load_state_dict_from_url(
            url, progress=False, check_hash=True, weights_only=True, map_location="cpu"
        )
    except OSError as error:
        raise WeightsRejected(f"The weights at {url} cannot be downloaded; give a file.") from error
    except (RuntimeError, pickle.UnpicklingError) as error:
        raise WeightsRejected(f"What lies at {url} does not fit the hash in its name.") from error
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
    return Weights(path, hashlib.sha256(path.read_bytes()).hexdigest(), {}, tensors)


def read_torch_file(path: Path) -> Weights:
    """One of torchvision's files under its own name, which ends in the beginning of its hash.

    Of the file only tensors are read, and only where the hash fits: it is checked first.

    Raises:
        WeightsRejected: It is missing, has no hash in its name, or another hash.
    """
    named = path.stem.rpartition("-")[2].lower()
    if len(named) < 8 or not set(named) <= set("0123456789abcdef"):
        raise WeightsRejected(
            f"{path} has no hash in its name, as torchvision's files have; safetensors need none."
        )
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if not digest.startswith(named):
            raise WeightsRejected(f"{path} does not fit the hash in its name.")
        tensors: dict[str, Tensor] = torch.load(path, weights_only=True, map_location="cpu")
    except OSError as error:
        raise WeightsRejected(f"There are no weights at {path}.") from error
    except (RuntimeError, pickle.UnpicklingError) as error:
        raise WeightsRejected(f"{path} holds more than tensors, or is damaged.") from error
    return Weights(path, digest, {}, tensors)


def _canonical(data: bytes) -> bytes:
    """The same file with its header's keys in order: the library leaves that to chance.

    Format: https://huggingface.co/docs/safetensors, 8 bytes of length, JSON, tensors.
    """
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def shipped_weights(name: str, folder: Path | None = None) -> Weights:
    """Weights of a model that comes with the package, checked against ``SHA256SUMS``."""
    folder = folder or SHIPPED
    path = folder / f"{name}.safetensors"
    return read_weights(path, sha256=_pinned(folder).get(path.name))


def _pinned(folder: Path) -> dict[str, str]:
    sums = folder / "SHA256SUMS"
    if not sums.exists():
        return {}
    lines = (line.split() for line in sums.read_text("utf-8").splitlines() if line.strip())
    return {name.lstrip("*"): digest for digest, name in lines}
