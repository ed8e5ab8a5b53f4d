"""No secret in what services say, least of all while their credentials are refused."""

import http.client
import urllib.error
import urllib.request
from pathlib import Path

import grpc
import pytest

from fashionmap.v1 import projection_service_pb2, projection_service_pb2_grpc
from tests.processes import SERVICES, Cluster, until
from tests.servers import Servers, free_port

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]
BROKER, STORE, ACCESS = "broker-secret-7f3a", "store-secret-91bc", "store-access-55d0"
TOKEN = "explorer-token-c2e8"
SECRETS = (BROKER, STORE, ACCESS, TOKEN, "testsecret123", "guest:guest")


def test_given_refused_credentials_when_services_run_then_no_secret_is_logged_or_told(
    servers: Servers, tmp_path: Path
) -> None:
    fresh, web = servers.fresh(), free_port()
    ports = {name: free_port() for name in SERVICES}
    url = fresh["FASHIONMAP_AMQP_URL"].replace("guest:guest", f"watcher:{BROKER}")
    no_broker = {"FASHIONMAP_AMQP_URL": url}
    no_store = {"FASHIONMAP_S3_ACCESS_KEY": ACCESS, "FASHIONMAP_S3_SECRET_KEY": STORE}
    own = {
        name: {
            **(no_store if name in ("embedding", "projection") else no_broker),
            "FASHIONMAP_METRICS_PORT": str(ports[name]),
        }
        for name in SERVICES
    }
    token = {"FASHIONMAP_EXPLORER_TOKEN": TOKEN, "FASHIONMAP_HTTP_PORT": str(web)}
    traces = {"FASHIONMAP_TRACE_FILE": str(tmp_path / "traces.jsonl")}
    environment = {**fresh, **traces, "FASHIONMAP_LOG_LEVEL": "DEBUG"}
    services = Cluster(environment, tmp_path, {**own, "explorer": {**no_broker, **token}})
    try:
        for name in (*SERVICES, "explorer"):
            services.start(name)
        for name in ("ingest", "segmentation", "explorer"):
            until(lambda name=name: "broker away" in services.log(name), 200)
        until(lambda: "serving" in services.log("embedding"), 120)
        told = [_map_of(services.port("projection")), *_page_says(web)]
        told += [_get(port, path) for port in ports.values() for path in ("/metrics", "/readyz")]
    finally:
        services.stop()
    told += [file.read_text("utf-8") for file in tmp_path.iterdir()]
    assert "ACCESS_REFUSED" in services.log("ingest")
    assert "The object store refuses" in told[0]
    for text in told:
        assert not [secret for secret in SECRETS if secret in text]


def _map_of(port: int) -> str:
    """What the projection answers whose store refuses it."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = projection_service_pb2_grpc.ProjectionServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.GetMap(projection_service_pb2.GetMapRequest(collection="c"), timeout=100)
    return f"{caught.value.details()}"


def _page_says(port: int) -> list[str]:
    """What the explorer answers to a reader, to a stranger who writes, and to a writer."""
    retry = "/api/collections/c/retry"
    shown = {"Authorization": f"Bearer {TOKEN}"}
    return [
        _get(port, "/readyz"),
        _get(port, "/api/collections/c/operations"),
        _get(port, retry, method="POST"),
        _get(port, retry, method="POST", headers=shown),
        _get(port, "/api/collections/c/maps", method="POST", headers=shown),
    ]


def _get(port: int, path: str, **how: object) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", **how)  # type: ignore[arg-type]
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(answer.headers) + answer.read().decode()
    except urllib.error.HTTPError as error:
        return str(error.headers) + error.read().decode()
    except (urllib.error.URLError, http.client.HTTPException) as error:
        return str(error)
