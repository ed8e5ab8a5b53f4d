"""Who may speak to whom, worked out from the rendered NetworkPolicies as Kubernetes does."""

from dataclasses import dataclass, field

import pytest

from tests.policy import Document
from tests.unit.test_deploy_manifests import render

OWN = {"kubernetes.io/metadata.name": "fashionmap"}


@dataclass(frozen=True)
class Peer:
    """A pod with the labels of it and of its namespace; without labels: outside the cluster."""

    pod: dict[str, str] = field(default_factory=dict)
    namespace: dict[str, str] = field(default_factory=lambda: OWN)


def service(name: str) -> Peer:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "fashionmap"}
    return Peer({**labels, "fashionmap/tier": "service"})


def server(name: str) -> Peer:
    return Peer({"app.kubernetes.io/name": name})


def stranger(**labels: str) -> Peer:
    return Peer({"app": "any"}, labels)


def _selects(selector: Document, labels: dict[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}, selector
    return selector.get("matchLabels", {}).items() <= labels.items()


def _names(entry: Document, peer: Peer) -> bool:
    if "ipBlock" in entry:
        return True
    if "namespaceSelector" in entry:
        space = _selects(entry["namespaceSelector"], peer.namespace)
    else:
        space = peer.namespace == OWN
    return space and _selects(entry.get("podSelector", {}), peer.pod)


def _lets(policies: list[Document], at: Peer, other: Peer, port: int, way: str) -> bool:
    if at.namespace != OWN:
        return True
    bound = [
        p["spec"]
        for p in policies
        if way.capitalize() in p["spec"]["policyTypes"]
        and _selects(p["spec"]["podSelector"], at.pod)
    ]
    side = "from" if way == "ingress" else "to"
    return not bound or any(
        (side not in rule or any(_names(entry, other) for entry in rule[side]))
        and ("ports" not in rule or port in [p["port"] for p in rule["ports"]])
        for spec in bound
        for rule in spec.get(way, [])
    )


def may_speak(source: Peer, target: Peer, port: int) -> bool:
    policies = [d for d in render("cpu") if d["kind"] == "NetworkPolicy"]
    return _lets(policies, source, target, port, "egress") and _lets(
        policies, target, source, port, "ingress"
    )


INGRESS = stranger(**{"fashionmap/ingress": "true"})
PROMETHEUS = stranger(**{"fashionmap/monitoring": "true"})
KEDA = stranger(**{"kubernetes.io/metadata.name": "keda"})
ANY = stranger(**{"kubernetes.io/metadata.name": "default"})
DNS = Peer({"k8s-app": "kube-dns"}, {"kubernetes.io/metadata.name": "kube-system"})


@pytest.mark.parametrize("stage", ["ingest", "segmentation", "embedding", "projection"])
def test_given_the_policies_when_a_stage_works_then_it_reaches_what_it_needs(stage: str) -> None:
    assert may_speak(service(stage), server("rabbitmq"), 5672)
    assert may_speak(service(stage), server("store"), 9000)
    assert may_speak(service(stage), DNS, 53)
    assert may_speak(service(stage), Peer({}, {}), 443)
    assert may_speak(service("explorer"), service(stage), 50051)
    assert may_speak(PROMETHEUS, service(stage), 9090)


def test_given_the_policies_when_the_rest_works_then_it_reaches_what_it_needs() -> None:
    assert may_speak(INGRESS, service("explorer"), 8080)
    assert may_speak(service("explorer"), server("store"), 9000)
    assert may_speak(KEDA, server("rabbitmq"), 5672)
    assert may_speak(PROMETHEUS, server("rabbitmq"), 15692)
    assert may_speak(server("rabbitmq"), server("rabbitmq"), 25672)
    assert may_speak(server("rabbitmq"), server("rabbitmq"), 4369)
    assert may_speak(server("rabbitmq"), Peer({}, {}), 6443)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        (ANY, service("segmentation"), 50051),
        (ANY, service("explorer"), 8080),
        (ANY, service("explorer"), 9090),
        (ANY, server("rabbitmq"), 5672),
        (ANY, server("store"), 9000),
        (INGRESS, service("ingest"), 50051),
        (INGRESS, server("rabbitmq"), 15672),
        (PROMETHEUS, server("rabbitmq"), 5672),
        (service("ingest"), service("segmentation"), 50051),
        (service("ingest"), ANY, 80),
        (server("store"), Peer({}, {}), 443),
        (service("ingest"), server("rabbitmq"), 15672),
    ],
)
def test_given_the_policies_when_somebody_has_no_business_then_he_is_kept_out(
    source: Peer, target: Peer, port: int
) -> None:
    assert not may_speak(source, target, port)
