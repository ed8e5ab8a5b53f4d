"""What RabbitMQ tells Prometheus is what the dashboard, the alerts and the scrapes ask for."""

import os
import re
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from fashionmap.adapters.broker import Broker
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher
from fashionmap.adapters.topology import QUEUES
from fashionmap.domain.events import PhotoIngested
from tests.processes import until
from tests.promql import queries
from tests.servers import Servers, free_port

pytestmark = pytest.mark.services
READY = "rabbitmq_detailed_queue_messages_ready"
SCRAPES = Path(__file__).parent.parent.parent / "deploy" / "observability" / "prometheus.yml"


@pytest.fixture
def exporter(servers: Servers) -> int:
    """The port of RabbitMQ's exporter, which the test's node has not enabled."""
    port = free_port()

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [f"/usr/lib/rabbitmq/bin/{program}", "-q", *arguments],
            env={**os.environ, **servers.rabbitmq.environment},
            check=True,
            capture_output=True,
            timeout=120,
        )

    here = f'[{{port, {port}}}, {{ip, "127.0.0.1"}}]'
    run("rabbitmqctl", "eval", f"application:set_env(rabbitmq_prometheus, tcp_config, {here}).")
    run("rabbitmq-plugins", "enable", "rabbitmq_prometheus")
    return port


def scrape(port: int) -> dict[str, list[dict[str, str]]]:
    """Labels of all samples by name, asked for as prometheus.yml does."""
    jobs = {
        job["job_name"]: job for job in yaml.safe_load(SCRAPES.read_text("utf-8"))["scrape_configs"]
    }
    asked = urllib.parse.urlencode(jobs["rabbitmq"]["params"], doseq=True)
    address = f"http://127.0.0.1:{port}{jobs['rabbitmq']['metrics_path']}?{asked}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    samples = [sample for family in families for sample in family.samples]
    found: dict[str, list[dict[str, str]]] = {}
    for sample in samples:
        found.setdefault(sample.name, []).append(dict(sample.labels))
    return found


def test_given_the_broker_when_scraped_then_dashboard_and_alerts_ask_for_what_it_exports(
    servers: Servers, exporter: int
) -> None:
    url = servers.fresh()["FASHIONMAP_AMQP_URL"]
    bus = RabbitPublisher(Broker(url, 20))
    bus.publish([PhotoIngested("c", "0" * 64)])
    bus.close()
    asked = {
        name: matchers
        for query in queries()
        for name, matchers in query.selectors()
        if name.startswith("rabbitmq_")
    }
    assert asked
    host, told = url.rpartition("/")[2], scrape(exporter)

    def all_are_there() -> bool:
        """A node counts its queues every few seconds."""
        told.update(scrape(exporter))
        seen = {labels["queue"] for labels in told.get(READY, []) if labels["vhost"] == host}
        return seen >= set(QUEUES)

    until(all_are_there, 60)
    for name, matchers in asked.items():
        assert name in told, f"RabbitMQ does not export {name}"
        assert all(matchers.keys() <= set(labels) for labels in told[name])


def test_given_queues_when_matched_then_the_expressions_mean_all_stages_and_all_dead() -> None:
    patterns = {
        pattern.replace("\\\\", "\\")
        for query in queries()
        for pattern in re.findall(r'queue=~"([^"]*)"', query.text)
    }
    names = [*QUEUES, *(queue.dead for queue in QUEUES.values())]
    meant = {frozenset(n for n in names if re.fullmatch(p, n)) for p in patterns}
    assert meant == {frozenset(QUEUES), frozenset(queue.dead for queue in QUEUES.values())}
