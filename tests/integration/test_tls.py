"""Certificates: RabbitMQ and MinIO over TLS, gRPC with mutual TLS, by real servers."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.adapters.broker import Broker
from fashionmap.adapters.peers_grpc import GrpcPeers, channel_credentials
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher
from fashionmap.adapters.rpc_server import RpcServer
from fashionmap.domain.events import Event, PhotoIngested
from fashionmap.entrypoints.compose import object_store
from fashionmap.errors import (
    BlobNotFound,
    BrokerUnavailable,
    ServiceUnavailable,
    StoreUnavailable,
    UsageError,
)
from fashionmap.projection.open_map import MapCache
from fashionmap.projection.rpc import ProjectionServicer
from fashionmap.settings import Settings
from fashionmap.v1 import projection_service_pb2_grpc
from tests.papers import Papers
from tests.servers import Servers, start_servers

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture(scope="module")
def tls(
    servers: Servers, papers: Papers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    """Both servers anew, speaking TLS alone; the broker asks clients for certificates."""
    del servers  # skips where there are none
    folder = tmp_path_factory.mktemp("tls")
    running = start_servers(folder, papers=(papers.ca, *papers.of("server")))
    yield running
    running.rabbitmq.stop()
    running.minio.stop()


def test_given_a_broker_over_tls_when_published_then_papers_decide(
    tls: Servers, papers: Papers
) -> None:
    url = f"amqps://guest:guest@localhost:{tls.amqp_port}/%2F"
    cert, key = papers.of("client")
    bus = RabbitPublisher(Broker(url, 5, ca=papers.ca, cert=cert, key=key), patience=10)
    bus.publish([PhotoIngested("c", "0" * 64)])
    bus.close()
    for bad in (Broker(url, 5), Broker(url, 5, ca=papers.ca)):
        with pytest.raises(BrokerUnavailable) as caught:
            RabbitPublisher(bad, patience=0).publish([PhotoIngested("c", "0" * 64)])
        assert "guest:guest" not in str(caught.value)
    with pytest.raises(UsageError, match="certificates make no sense"):
        Broker(url, 5, ca=Path("/no/such/file")).parameters(heartbeat=5)


def test_given_a_store_over_tls_when_used_then_its_certificate_is_checked(
    tls: Servers, papers: Papers
) -> None:
    common = {
        "s3_endpoint": f"localhost:{tls.s3_port}",
        "s3_access_key": "testaccess",
        "s3_secret_key": "testsecret123",
        "s3_secure": True,
        "store_patience": 0,
    }
    store = object_store(Settings(**common, s3_ca=papers.ca))
    store.put("a", b"b")
    assert store.get("a") == b"b"
    with pytest.raises(StoreUnavailable, match="certificate"):
        object_store(Settings(**common)).get("a")


def test_given_mutual_tls_when_called_then_only_who_has_papers_is_answered(papers: Papers) -> None:
    cert, key = papers.of("server")
    server = RpcServer("fashionmap.v1.IngestService", lambda _: None)
    port = server.start("localhost:0", cert=cert, key=key, ca=papers.ca)
    server.say(serving=True)
    ca, (own_cert, own_key) = papers.ca.read_bytes(), papers.of("client")
    known = grpc.ssl_channel_credentials(ca, own_key.read_bytes(), own_cert.read_bytes())
    assert _status(port, known) == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.RpcError) as caught:
        _status(port, grpc.ssl_channel_credentials(ca))
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    server.stop(1)
    with pytest.raises(UsageError, match="needs FASHIONMAP_GRPC_KEY"):
        RpcServer("x", lambda _: None).start("localhost:0", cert=cert, key=None, ca=None)


def _status(port: int, credentials: grpc.ChannelCredentials) -> int:
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        status: int = stub.Check(health_pb2.HealthCheckRequest(), timeout=10).status
        return status


def test_given_services_with_mutual_tls_when_the_explorer_asks_then_its_papers_decide(
    papers: Papers, tmp_path: Path
) -> None:
    cert, key = papers.of("server")
    blobs = FilesystemBlobStore(tmp_path)
    maps = MapCache(blobs)
    servicer = ProjectionServicer(blobs=blobs, publisher=Nobody(), maps=maps)
    add = projection_service_pb2_grpc.add_ProjectionServiceServicer_to_server
    server = RpcServer("fashionmap.v1.ProjectionService", lambda s: add(servicer, s))
    port = server.start("localhost:0", cert=cert, key=key, ca=papers.ca)
    own_cert, own_key = papers.of("client")
    known = channel_credentials(ca=papers.ca, cert=own_cert, key=own_key)
    with closing(peers(port, known)) as own, pytest.raises(BlobNotFound, match="has no map"):
        own.neighbours("c", "", [1.0], count=1)
    (tmp_path / "other").mkdir()
    other_ca = Papers(tmp_path / "other").ca
    unknown = channel_credentials(ca=other_ca, cert=own_cert, key=own_key)
    with closing(peers(port, unknown)) as own, pytest.raises(ServiceUnavailable, match="GRPC_CA"):
        own.neighbours("c", "", [1.0], count=1)
    for stranger in (None, channel_credentials(ca=papers.ca, cert=None, key=None)):
        with closing(peers(port, stranger)) as other, pytest.raises(ServiceUnavailable):
            other.neighbours("c", "", [1.0], count=1)
    server.stop(1)
    with pytest.raises(UsageError, match="needs FASHIONMAP_GRPC_KEY and FASHIONMAP_GRPC_CA"):
        channel_credentials(ca=None, cert=own_cert, key=own_key)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"ca": "ca.crt", "cert": "server.crt"}, "needs FASHIONMAP_GRPC_KEY"),
        ({"ca": "ca.crt", "cert": "server.crt", "key": "client.key"}, "make no sense"),
        ({"ca": "names"}, "make no sense"),
        ({"ca": "nothing"}, "cannot be read"),
    ],
)
def test_given_papers_that_make_no_sense_when_the_explorer_starts_then_it_says_why(
    given: dict[str, str], sentence: str, papers: Papers
) -> None:
    parts = ("ca", "cert", "key")
    shown = {part: papers.folder / given[part] if part in given else None for part in parts}
    with pytest.raises(UsageError, match=sentence):
        channel_credentials(**shown)


def peers(port: int, credentials: grpc.ChannelCredentials | None) -> GrpcPeers:
    at = dict.fromkeys(("ingest", "segmentation", "embedding", "projection"), f"localhost:{port}")
    return GrpcPeers(**at, credentials=credentials)


class Nobody:
    """Nothing is published by questions."""

    def publish(self, events: Sequence[Event]) -> None:
        raise AssertionError(events)
