"""The four services as processes, over the real RabbitMQ and the real MinIO."""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import grpc
import numpy as np
import pika
import pyarrow.parquet as pq
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from fashionmap.adapters.dead_letters import queue_depths
from fashionmap.adapters.units_table import units_from_bytes
from fashionmap.entrypoints.collection import count_stages, failures_of
from fashionmap.entrypoints.compose import broker, object_store, publisher
from fashionmap.ports import BlobStore
from fashionmap.projection.handler import request_of
from fashionmap.settings import Settings
from fashionmap.v1 import (
    embedding_service_pb2,
    embedding_service_pb2_grpc,
    events_pb2,
    ingest_service_pb2,
    ingest_service_pb2_grpc,
    masks_pb2,
    projection_service_pb2,
    projection_service_pb2_grpc,
    segmentation_service_pb2,
    segmentation_service_pb2_grpc,
)
from tests.pipeline import publish, wait_for
from tests.processes import ROOT, SERVICES, Cluster, cluster, until
from tests.servers import Servers

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def local(looks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same looks through the embedded form."""
    out = tmp_path_factory.mktemp("local") / "map"
    Cluster({}, out.parent).run("map", str(looks / "images"), "--out", str(out))
    return out


@pytest.fixture
def settings(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a virtual host and a bucket of their own."""
    for name, value in servers.fresh().items():
        monkeypatch.setenv(name, value)
    return Settings()


def environment(settings: Settings) -> dict[str, str]:
    wanted = ("amqp_url", "s3_endpoint", "s3_access_key", "s3_secret_key", "s3_bucket")
    return {f"FASHIONMAP_{name.upper()}": str(getattr(settings, name)) for name in wanted}


def same_as_local(blobs: BlobStore, local: Path) -> None:
    """Every masks document byte for byte, every vector too, nothing more and nothing less."""
    state = local / ".fashionmap" / "collections" / "local"
    for path in sorted(state.rglob("*.json")) + sorted(state.rglob("*.arrow")):
        key = f"collections/c/{path.relative_to(state).as_posix()}"
        ours, theirs = path.read_bytes(), blobs.get(key)
        if path.suffix == ".json":
            assert ours == theirs, key
            continue
        one, two = units_from_bytes(ours), units_from_bytes(theirs)
        assert one.equals(two), key
    names = {k.removeprefix("collections/c/") for k in blobs.keys("collections/c/photos/")}
    known = {p.relative_to(state).as_posix() for p in state.rglob("*") if p.is_file()}
    assert {n for n in names if not n.endswith("/original")} == known


def test_given_photos_when_published_then_all_is_as_in_the_embedded_form(
    settings: Settings, looks: Path, local: Path, tmp_path: Path
) -> None:
    with cluster(environment(settings), tmp_path) as services:
        told = services.run("publish", str(looks / "images"), "--collection", "c", "--follow")
        assert "is there; 0 photos refused" in told
        blobs = object_store(settings)
        same_as_local(blobs, local)
        version = count_stages(blobs, "c").newest_map
        prefix = f"collections/c/maps/{version}/"
        summary = json.loads(blobs.get(prefix + "map.json"))
        here = json.loads((local / "map.json").read_bytes())
        assert summary["counts"] == here["counts"]
        table = pq.read_table(io.BytesIO(blobs.get(prefix + "garments.parquet")))
        assert sorted(table["id"].to_pylist()) == sorted(
            pq.read_table(local / "garments.parquet")["id"].to_pylist()
        )
        assert "embedded" in services.run("status", "--collection", "c")
        _ask_over_grpc(services, looks, table["id"][0].as_py())


def _ask_over_grpc(services: Cluster, looks: Path, garment: str) -> None:
    """Every rpc once."""
    channels = {n: grpc.insecure_channel(f"127.0.0.1:{services.port(n)}") for n in SERVICES}
    for channel in channels.values():
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    projection = projection_service_pb2_grpc.ProjectionServiceStub(channels["projection"])
    pb = projection_service_pb2
    near = projection.FindNeighbours(
        pb.FindNeighboursRequest(collection="c", garment_id=garment, count=3)
    )
    assert len(near.neighbours) == 3
    assert near.neighbours[0].distance <= near.neighbours[2].distance
    first = projection.ListPoints(pb.ListPointsRequest(collection="c", page_size=5))
    second = projection.ListPoints(
        pb.ListPointsRequest(collection="c", page_size=5, page_token=first.next_page_token)
    )
    assert not {p.id for p in first.points} & {p.id for p in second.points}
    for name, channel in channels.items():
        assert f"fashionmap.v1.{name.capitalize()}Service" in _reflected(channel)
    _bad_calls(channels, projection, vectors=len(near.neighbours))
    _upload(channels, looks, projection)
    for channel in channels.values():
        channel.close()


def _reflected(channel: grpc.Channel) -> set[str]:
    """Services that a server's reflection names."""
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    answer = next(stub.ServerReflectionInfo(iter([request])))
    return {service.name for service in answer.list_services_response.service}


def _bad_calls(channels, projection, *, vectors: int) -> None:  # type: ignore[no-untyped-def]
    """Each bad call ends with the status that fits, and one sentence."""
    assert vectors
    pb, seg, emb = projection_service_pb2, segmentation_service_pb2, embedding_service_pb2
    ing = ingest_service_pb2
    segmentation = segmentation_service_pb2_grpc.SegmentationServiceStub(channels["segmentation"])
    embedding = embedding_service_pb2_grpc.EmbeddingServiceStub(channels["embedding"])
    ingest = ingest_service_pb2_grpc.IngestServiceStub(channels["ingest"])
    missing, bad = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT
    offer = ing.PutPhotoRequest(offer=events_pb2.PhotoOffered(collection="c", file_name="x"))
    junk = ing.PutPhotoRequest(chunk=b"no picture")
    unit = masks_pb2.Unit(id="a", bbox=[0, 0, 4, 4], counts="zzzzzz")
    masks = masks_pb2.Masks(width=8, height=8, units=[unit])
    nan = [float("nan")] * 3
    calls = [
        (projection.GetMap, pb.GetMapRequest(collection="nowhere"), missing),
        (projection.GetMap, pb.GetMapRequest(collection="c", version="no"), missing),
        (projection.GetMap, pb.GetMapRequest(collection="../c"), bad),
        (projection.RequestMap, pb.RequestMapRequest(collection="nowhere"), missing),
        (projection.RequestMap, pb.RequestMapRequest(collection="c", unit="hat"), bad),
        (projection.RequestMap, pb.RequestMapRequest(collection="c", perplexity=-1), bad),
        (projection.ListPoints, pb.ListPointsRequest(collection="c", page_token="²"), bad),
        (projection.FindNeighbours, pb.FindNeighboursRequest(collection="c"), bad),
        (projection.FindNeighbours, pb.FindNeighboursRequest(collection="c", vector=nan), bad),
        (
            projection.FindNeighbours,
            pb.FindNeighboursRequest(collection="c", garment_id="none"),
            missing,
        ),
        (segmentation.GetMasks, seg.GetMasksRequest(collection="c", photo_id="0" * 64), missing),
        (segmentation.GetMasks, seg.GetMasksRequest(collection="c", photo_id="../../x"), bad),
        (segmentation.SegmentPhoto, iter([]), bad),
        (embedding.EmbedPhoto, emb.EmbedPhotoRequest(collection="c", photo_id="0" * 64), missing),
        (embedding.EmbedUpload, iter([emb.EmbedUploadRequest(chunk=b"x")]), bad),
        (embedding.EmbedUpload, iter([emb.EmbedUploadRequest(masks=masks)]), bad),
        (ingest.PutPhoto, iter([junk]), bad),
        (ingest.PutPhoto, iter([offer, junk]), bad),
    ]
    for call, request, status in calls:
        with pytest.raises(grpc.RpcError) as caught:
            call(request, timeout=60)
        assert caught.value.code() == status, (request, caught.value.details())
        assert caught.value.details().endswith("."), caught.value.details()
        assert "\n" not in caught.value.details()


def _upload(channels, looks: Path, projection) -> None:  # type: ignore[no-untyped-def]
    """An uploaded photo: segmented, embedded, its neighbours found; then put for good."""
    data = (looks / "images" / "000003.jpg").read_bytes()
    chunks = [data[i : i + 65536] for i in range(0, len(data), 65536)]
    seg = segmentation_service_pb2
    segmentation = segmentation_service_pb2_grpc.SegmentationServiceStub(channels["segmentation"])
    masks = segmentation.SegmentPhoto(seg.SegmentPhotoRequest(chunk=c) for c in chunks).masks
    emb = embedding_service_pb2
    embedding = embedding_service_pb2_grpc.EmbeddingServiceStub(channels["embedding"])
    parts = [emb.EmbedUploadRequest(masks=masks)]
    parts += [emb.EmbedUploadRequest(chunk=c) for c in chunks]
    vectors = embedding.EmbedUpload(iter(parts)).vectors
    assert len(vectors) == len(masks.units) > 0
    stored = embedding.EmbedPhoto(
        emb.EmbedPhotoRequest(collection="c", photo_id=masks.photo_id)
    ).vectors
    for one, two in zip(vectors, stored, strict=True):
        np.testing.assert_allclose(one.values, two.values, atol=1e-5)
    near = projection.FindNeighbours(
        projection_service_pb2.FindNeighboursRequest(collection="c", vector=vectors[0].values)
    )
    assert near.neighbours[0].id == vectors[0].id
    ing = ingest_service_pb2
    offer = events_pb2.PhotoOffered(collection="d", file_name="again.jpg")
    put = [ing.PutPhotoRequest(offer=offer), *(ing.PutPhotoRequest(chunk=c) for c in chunks)]
    ingest = ingest_service_pb2_grpc.IngestServiceStub(channels["ingest"])
    assert ingest.PutPhoto(iter(put)).photo_id == masks.photo_id


def test_given_the_public_door_when_used_by_bare_pika_then_good_photos_pass_and_bad_ones_tell_why(
    settings: Settings, looks: Path, tmp_path: Path
) -> None:
    """The publisher is a process that knows nothing of this package but protos/."""
    (tmp_path / "junk").write_bytes(b"no picture")
    good = str(looks / "images" / "000001.jpg")
    with cluster(environment(settings), tmp_path) as services:
        until(lambda: "consuming" in services.log("ingest"), 60)
        offered = ["good.jpg", good, "good.jpg", good, "ünfug.jpg", str(tmp_path / "junk")]
        _as_a_stranger(tmp_path / "theirs", settings.amqp_url, *offered, "nowhere.jpg", "-")
        blobs = object_store(settings)
        until(lambda: len(list(failures_of(blobs, "c"))) == 4, 60)
        until(lambda: len(count_stages(blobs, "c").embedded) == 1, 120)
        reasons = {r["file_name"]: r["reason"] for r in failures_of(blobs, "c")}
        assert "no JPEG" in reasons["ünfug.jpg"]
        assert "neither bytes nor a key" in reasons["nowhere.jpg"]
        assert "no/such/key" in reasons["lost.jpg"]
        assert "another collection" in reasons["theirs.jpg"]
        with pika.BlockingConnection(pika.URLParameters(settings.amqp_url)) as connection:
            dead = _dead_letters(connection.channel(), 7)
        assert sum("Elephant" in reason for reason in dead) == 1
        assert sum("cannot be decoded" in reason for reason in dead) == 1
        assert sum("'../up' is not" in reason for reason in dead) == 1
        assert "ünfug.jpg" in services.run("failures", "--collection", "c")
        assert services.run("retry", "--collection", "c").startswith("4 messages")
        units = next(k for k in blobs.keys("collections/c/photos/") if k.endswith(".arrow"))
        metadata = units_from_bytes(blobs.get(units))["metadata"].to_pylist()
        assert all(json.loads(text) == {"season": "SS26", "price": 12.5} for text in metadata)
        until(lambda: queue_depths(broker(settings))["ingest.photos"] == (0, 4), 60)
        assert len(list(failures_of(blobs, "c"))) == 4


def _as_a_stranger(folder: Path, *arguments: str) -> None:
    """Generates the messages from protos/ and runs the stranger's program with them alone."""
    package = folder / "fashionmap" / "v1"
    package.mkdir(parents=True)
    for place in (package, package.parent):
        (place / "__init__.py").touch()
    protos = ["-I", "protos", f"--python_out={folder}", "protos/fashionmap/v1/events.proto"]
    program = str(ROOT / "tests" / "e2e" / "public_door.py")
    for command in (["-m", "grpc_tools.protoc", *protos], [program, *arguments]):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def _dead_letters(channel, count: int) -> list[str]:  # type: ignore[no-untyped-def]
    """Reasons of the dead letters of ingest."""
    reasons: list[str] = []

    def one() -> bool:
        method, properties, _ = channel.basic_get("ingest.photos.dead", auto_ack=True)
        if method is not None:
            reasons.append(properties.headers["x-reason"])
        return len(reasons) >= count

    until(one, 30, pause=0.05)
    return reasons


def test_given_projection_killed_while_it_builds_when_started_again_then_the_map_comes_once(
    settings: Settings, looks: Path, local: Path, tmp_path: Path
) -> None:
    with cluster(environment(settings), tmp_path) as services:
        wanted = publish(settings, looks / "images")
        wait_for(settings, wanted)
        bus, blobs = publisher(settings), object_store(settings)
        request = request_of(blobs, "c", unit="both", perplexity=0.0, seed=1)
        bus.publish([request])
        time.sleep(0.6)
        services.kill("projection")
        services.start("projection")
        until(lambda: count_stages(blobs, "c").newest_map == request.version, 120)
        bus.publish([request])
        bus.close()
        prefix = f"collections/c/maps/{request.version}/"
        counts = json.loads(blobs.get(prefix + "map.json"))["counts"]
        assert counts["photos"] == len(wanted)
        same_as_local(blobs, local)
