"""A new version of the segmenter is pushed while photos flow: real RabbitMQ, real MinIO."""

import json
from pathlib import Path

import pytest

from fashionmap.adapters.weights import shipped_weights, write_weights
from fashionmap.domain.documents import masks_from_bytes
from fashionmap.entrypoints.collection import count_stages, failures_of, publish_files
from fashionmap.entrypoints.compose import object_store, publisher
from fashionmap.entrypoints.photos_on_disk import find_photos
from fashionmap.projection.handler import embedding_keys
from fashionmap.settings import Settings
from tests.processes import Cluster, cluster, until
from tests.servers import Servers

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]


def test_given_photos_in_flow_when_a_version_is_pushed_then_none_is_lost_and_masks_tell_it(
    servers: Servers, looks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {
        **servers.fresh(),
        "FASHIONMAP_SEGMENTER": "garments-small@latest",
        "FASHIONMAP_MODEL_CACHE": str(tmp_path / "cache"),
        "FASHIONMAP_MODEL_WATCH": "0.1",
        "FASHIONMAP_BATCH": "2",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    shipped = shipped_weights("garments-small")
    changed = {k: v * 1.001 if v.is_floating_point() else v for k, v in shipped.tensors.items()}
    second = tmp_path / "second.safetensors"
    digest = write_weights(second, changed, {**shipped.metadata, "version": "2.0"})
    paths = sorted((looks / "images").iterdir())
    Cluster(environment, tmp_path).run("model", "push", str(shipped.path), "--version", "1.0")
    with cluster(environment, tmp_path) as services:
        blobs, bus = object_store(settings), publisher(settings)

        def publish(some: list[Path]) -> set[str]:
            files = find_photos([str(p) for p in some])
            published, unread = publish_files(
                files, "c", blobs=blobs, bus=bus, metadata={}, advance=lambda _: None
            )
            assert not unread
            return published

        wanted = publish(paths[:7])
        until(lambda: len(count_stages(blobs, "c").segmented) >= 2, 240, pause=0.05)
        told = services.run("model", "push", str(second), "--licence", "CC0")
        assert "garments-small@2.0 is in the store" in told
        later = publish(paths[7:])
        until(lambda: wanted | later <= count_stages(blobs, "c").embedded, 240)
        bus.close()
        assert not list(failures_of(blobs, "c"))
        listed = services.run("model", "list")
        assert listed.index("@1.0") < listed.index("@2.0")
        assert '"licence": "CC0"' in services.run("model", "show", "garments-small@latest")
        assert "model changed" in services.log("segmentation")
        stamps: dict[str, set[str]] = {}
        for key in blobs.keys("collections/c/photos/"):
            if "/masks/" in key:
                document = masks_from_bytes(blobs.get(key))
                stamps.setdefault(document.photo.id, set()).add(document.segmenter.version)
                if document.segmenter.version == "2.0":
                    assert document.segmenter.sha256 == digest
        assert set(stamps) == wanted | later
        assert all(stamps[photo] == {"2.0"} for photo in later)
        assert sum("1.0" in versions for versions in stamps.values()) >= 2
        assert len(embedding_keys(blobs, "c")) == len(wanted | later)
        pulled = tmp_path / "pulled.safetensors"
        services.run("model", "pull", "garments-small@2.0", "--out", str(pulled))
        assert pulled.read_bytes() == second.read_bytes()
        lines = [json.loads(x) for x in services.log("segmentation").splitlines() if x[:1] == "{"]
        assert sum(x["event"] == "model changed" for x in lines) == 1
