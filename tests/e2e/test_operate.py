"""An operator's day: metrics, probes, one photo's trace, pause, dead letters, backup."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fashionmap.adapters.topology import GROWTH
from fashionmap.entrypoints.collection import count_stages, failures_of
from fashionmap.entrypoints.compose import object_store
from fashionmap.ports import BlobStore
from fashionmap.sample.dataset import write_looks
from fashionmap.settings import Settings
from tests.pipeline import dead_letters, publish, settings_of, wait_for, wait_until_idle
from tests.processes import SERVICES, Cluster, cluster, until
from tests.promql import queries
from tests.servers import Servers, free_port

pytestmark = [pytest.mark.services, pytest.mark.timeout(400)]


ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}


@dataclass
class Plant:
    """The services, watched, with a collection that has a map."""

    services: Cluster
    settings: Settings
    ports: dict[str, int]
    traces: Path
    photos: Path

    def ask(self, service: str, path: str) -> tuple[int, str]:
        """Status and text of a probe."""
        address = f"http://127.0.0.1:{self.ports[service]}{path}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except urllib.error.URLError as error:
            return 0, str(error)  # it does not listen yet

    def value(self, service: str, sample: str) -> float:
        """The sum of all samples of a metric whose line begins like that."""
        lines = self.ask(service, "/metrics")[1].splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(sample))


@pytest.fixture(scope="module")
def plant(
    servers: Servers, looks: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Plant]:
    fresh, folder = servers.fresh(), tmp_path_factory.mktemp("plant")
    ports = {name: free_port() for name in SERVICES}
    own = {name: {"FASHIONMAP_METRICS_PORT": str(port)} for name, port in ports.items()}
    traces = folder / "traces.jsonl"
    environment = {**fresh, "FASHIONMAP_TRACE_FILE": str(traces)}
    with cluster(environment, folder, own) as services:
        there = Plant(services, settings_of(fresh), ports, traces, looks / "images")
        services.run("publish", str(there.photos), "--collection", "c", "--follow")
        yield there


def test_given_services_at_work_when_scraped_then_metrics_and_probes_say_what_they_did(
    plant: Plant,
) -> None:
    wait_until_idle(plant.settings)
    photos = len(list(plant.photos.iterdir()))
    for stage in ("ingest", "segmentation", "embedding"):
        label = f'{{outcome="done",queue="{stage}.photos",stage="{stage}"}}'
        assert plant.value(stage, f"fashionmap_messages_total{label}") == photos
        assert plant.value(stage, "fashionmap_queue_wait_seconds_count") == photos
        assert plant.value(stage, "fashionmap_batch_size_sum") == photos
        assert plant.value(stage, "fashionmap_batch_seconds_count") >= 1
        assert plant.ask(stage, "/healthz") == (200, "ok\n")
    until(lambda: plant.ask("projection", "/readyz") == (200, "ok\n"), 30)
    assert plant.value("segmentation", "fashionmap_model_info") == 1
    assert 'name="garments-small"' in plant.ask("segmentation", "/metrics")[1]
    assert plant.ask("ingest", "/nothing")[0] == 404


def test_given_services_when_scraped_then_dashboard_and_alerts_ask_for_what_they_export(
    plant: Plant,
) -> None:
    labels: dict[str, set[str]] = {}
    values: dict[str, set[tuple[str, str]]] = {}
    for service in SERVICES:
        for family in text_string_to_metric_families(plant.ask(service, "/metrics")[1]):
            for ending in ENDINGS.get(family.type, ("",)):
                labels.setdefault(family.name + ending, set())
            for sample in family.samples:
                labels.setdefault(sample.name, set()).update(sample.labels)
                values.setdefault(sample.name, set()).update(sample.labels.items())
    for query in queries():
        left = set()
        for name, matchers in query.selectors():
            if name.startswith("rabbitmq_"):
                left.add("queue")  # tests/integration/test_watching.py
                continue
            assert name in labels, f"nobody exports {name}"
            if name in values:  # a counter of failures has none before the first
                assert matchers.keys() <= labels[name], query.text
                assert {m for m in matchers.items() if m[1]} <= values[name], query.text
            left |= labels[name] if name in values else query.grouped()
        assert query.grouped() <= left, query.text


def test_given_one_photo_when_it_travels_then_one_trace_follows_it_from_publish_to_the_map(
    plant: Plant, tmp_path: Path
) -> None:
    write_looks(tmp_path, count=1, seed=77)
    plant.services.run("publish", str(tmp_path / "images"), "--collection", "c")
    wanted = ["publish", *(f"{stage} " for stage in SERVICES)]

    def trace() -> list[dict]:
        spans = [json.loads(line) for line in plant.traces.read_text("utf-8").splitlines()]
        photo = [s for s in spans if s["name"] == "publish"][-1]
        trace_id, queue = photo["context"]["trace_id"], "messaging.destination.name"
        ours = [s for s in spans if s["context"]["trace_id"] == trace_id]
        ours = [s for s in ours if s["attributes"].get(queue) != GROWTH]  # beside the way
        return sorted(ours, key=lambda s: s["start_time"])

    until(lambda: len(trace()) >= len(wanted), 120)
    spans = trace()
    assert all(s["name"].startswith(w) for s, w in zip(spans, wanted, strict=True))
    for before, after in pairwise(spans):
        assert after["parent_id"] == before["context"]["span_id"]
    assert len({s["attributes"]["fashionmap.photo"] for s in spans}) == 1
    assert {s["resource"]["attributes"]["service.name"] for s in spans[1:]} == {
        f"fashionmap-{name}" for name in SERVICES
    }


def test_given_a_paused_stage_when_it_is_started_again_then_it_rests_until_it_is_resumed(
    plant: Plant, tmp_path: Path
) -> None:
    assert "embedding is paused" in plant.services.run("pause", "embedding")
    until(lambda: "consuming no more" in plant.services.log("embedding"), 30)
    plant.services.running["embedding"].terminate()
    assert plant.services.running["embedding"].wait(60) == 0
    plant.services.start("embedding")
    write_looks(tmp_path, count=2, seed=78)
    wanted = publish(plant.settings, tmp_path / "images", "resting")
    blobs = object_store(plant.settings)
    until(lambda: wanted <= count_stages(blobs, "resting").segmented, 120)
    until(lambda: plant.ask("embedding", "/readyz")[0] == 200, 120)
    assert plant.value("embedding", "fashionmap_paused") == 1
    told = plant.services.run("status", "--collection", "resting")
    row = next(line for line in told.splitlines() if line.startswith("embedding.photos"))
    assert row.split()[1:] == ["2", "0", "paused"]
    assert not count_stages(blobs, "resting").embedded
    assert "goes on" in plant.services.run("resume", "embedding")
    wait_for(plant.settings, wanted, "resting")


def test_given_a_dead_letter_when_requeued_or_retried_then_its_success_clears_the_failure(
    plant: Plant, tmp_path: Path
) -> None:
    blobs = object_store(plant.settings)
    photo = next(plant.photos.iterdir()).read_bytes()
    (tmp_path / "photo.jpg").write_bytes(photo)
    wanted = publish(plant.settings, tmp_path, "mended")
    key = f"collections/mended/photos/{next(iter(wanted))}/original"
    wait_for(plant.settings, wanted, "mended")
    wipe(blobs, "mended")
    blobs.put(key, b"damaged")
    publish_key(plant.settings, key)
    until(lambda: len(list(failures_of(blobs, "mended"))) == 1, 60)
    assert dead_letters(plant.settings) == {"ingest.photos": 1}
    assert plant.services.run("requeue", "ingest").startswith("1 dead letters")
    until(lambda: plant.value("ingest", "fashionmap_failures_total{") == 2, 60)
    blobs.put(key, photo)
    assert plant.services.run("retry", "--collection", "mended").startswith("1 messages")
    wait_for(plant.settings, wanted, "mended")
    until(lambda: not list(failures_of(blobs, "mended")), 30)
    assert "photo.jpg" not in plant.services.run("failures", "--collection", "mended")


def publish_key(settings: Settings, key: str) -> None:
    """Offers what lies under a key."""
    from fashionmap.domain.events import PhotoOffered
    from fashionmap.entrypoints.compose import publisher

    bus = publisher(settings)
    bus.publish([PhotoOffered("mended", "photo.jpg", key=key)])
    bus.close()


def wipe(blobs: BlobStore, collection: str) -> None:
    for key in list(blobs.keys(f"collections/{collection}/")):
        blobs.delete(key)


def test_given_a_backup_when_restored_elsewhere_then_every_object_is_equal(
    plant: Plant, servers: Servers, tmp_path: Path
) -> None:
    blobs, file = object_store(plant.settings), tmp_path / "c.tar"
    before = {key: blobs.get(key) for key in blobs.keys("collections/c/")}
    told = plant.services.run("backup", "--collection", "c", "--out", str(file))
    assert told.startswith(f"{len(before):,} objects of c")
    elsewhere = servers.fresh()
    other = Cluster(elsewhere, tmp_path)
    assert other.run("restore", str(file)).startswith(f"{len(before):,} objects of c")
    there = object_store(settings_of(elsewhere))
    assert {key: there.get(key) for key in there.keys("collections/")} == before
    wipe(blobs, "c")
    plant.services.run("restore", str(file))
    assert {key: blobs.get(key) for key in blobs.keys("collections/c/")} == before


def test_given_the_logs_when_read_then_they_are_json_that_names_photos_and_no_secret(
    plant: Plant,
) -> None:
    for stage in SERVICES:
        text = plant.services.log(stage)
        lines = [json.loads(line) for line in text.splitlines()]
        assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
        assert any(line.get("photos") and line.get("collections") for line in lines)
        for told in (text, plant.ask(stage, "/metrics")[1], plant.traces.read_text("utf-8")):
            assert plant.settings.s3_secret_key not in told
            assert plant.settings.s3_access_key not in told
            assert "guest:guest" not in told
