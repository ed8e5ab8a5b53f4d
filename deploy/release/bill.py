"""The bill of materials (CycloneDX) of what the images install beside Debian's packages."""

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import distribution, version
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from deploy.images.lock import PINNED_BY_TORCH, closure
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

IMAGES = Path(__file__).parent.parent / "images"
SAID_ELSEWHERE = {
    "hnswlib": "Apache-2.0",
    "cuda-toolkit": "LicenseRef-NVIDIA-Proprietary",  # as of all the packages that it stands for
    "github.com/grpc-ecosystem/grpc-health-probe": "Apache-2.0",
    "github.com/minio/minio": "AGPL-3.0-or-later",
    "github.com/versity/versitygw": "Apache-2.0",
}
"""Licences by the file in their repository, where no metadata name one."""
LONGEST_NAME = 60
"""Characters: longer ones are the licence's text, not its name."""


def locked() -> dict[str, str]:
    """The Python packages that the images install, with their versions."""
    texts = [file.read_text("utf-8") for file in sorted(IMAGES.glob("requirements*.txt"))]
    return dict(re.findall(r"^([^#=\s]+)==(\S+)$", "\n".join(texts), re.M))


def licence_of(name: str) -> str:
    """An installed package's licence in its own words, an SPDX expression where it gives one.

    Raises:
        SystemExit: It gives none.
    """
    about = distribution(name).metadata
    if expression := (about.get("License-Expression") or "").strip():
        return str(expression)
    classifiers = [c for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    words = (
        about.get("License") or "",
        *(c.rpartition(" :: ")[2] for c in classifiers),
        SAID_ELSEWHERE.get(name, ""),
    )
    for word in words:
        if 0 < len(word.strip()) <= LONGEST_NAME:
            return str(word.strip())
    raise SystemExit(f"{name} names no licence: look it up and add it to SAID_ELSEWHERE.")


def write_bill(file: Path) -> None:
    """Writes the bill; ``SystemExit`` where a locked package is not installed to be asked."""
    bill = Bom()
    root = _python("fashionmap", version("fashionmap"), kind=ComponentType.APPLICATION)
    bill.metadata.component = root
    parts = {name: _python(name, pinned) for name, pinned in locked().items()}
    parts |= {name: _python(name, version(name), optional=True) for name in _with_cuda()}
    bill.components.update(parts.values())
    bill.components.update(_programs())
    for name, part in {"fashionmap": root, **parts}.items():
        needs = _needs(name, extra="services" if part is root else "")
        bill.register_dependency(part, [parts[need] for need in needs if need in parts])
    file.write_text(JsonV1Dot6(bill).output_as_string(indent=1) + "\n", "utf-8")


def _python(
    name: str,
    pinned: str,
    *,
    kind: ComponentType = ComponentType.LIBRARY,
    optional: bool = False,
) -> Component:
    asked = version(name).partition("+")[0]
    other = [] if asked == pinned else [Property(name="licence:of-version", value=asked)]
    return Component(
        name=name,
        version=pinned,
        type=kind,
        scope=ComponentScope.OPTIONAL if optional else None,
        purl=PackageURL("pypi", name=name, version=pinned),
        bom_ref=f"{name}=={pinned}",
        licenses=[LicenseFactory().make_from_string(licence_of(name))],
        properties=other,
    )


def _with_cuda() -> Iterator[str]:
    """What torch brings along where it is not of the index of processors alone."""
    return (n for n in sorted(closure(["torch"], without=set())) if n.startswith(PINNED_BY_TORCH))


def _needs(name: str, *, extra: str) -> set[str]:
    needs = [Requirement(text) for text in distribution(name).requires or []]
    return {
        str(canonicalize_name(need.name))
        for need in needs
        if need.marker is None or need.marker.evaluate({"extra": extra})
    }


def _programs() -> Iterator[Component]:
    """The programs that the Dockerfile builds from Go's sources."""
    text = (IMAGES / "Dockerfile").read_text("utf-8")
    versions: Mapping[str, str] = dict(re.findall(r"^ARG (\w+)=(\S+)$", text, re.M))
    for path, argument in re.findall(r"(github\.com/\S+)@\$\{(\w+)\}", text):
        module = re.sub(r"/cmd/\w+$", "", path)
        namespace, _, name = module.rpartition("/")
        yield Component(
            name=name,
            group=namespace,
            version=versions[argument],
            type=ComponentType.APPLICATION,
            purl=PackageURL("golang", namespace, name, versions[argument]),
            bom_ref=f"{module}@{versions[argument]}",
            licenses=[LicenseFactory().make_from_string(SAID_ELSEWHERE[module])],
        )
