"""deploy/: rendered by Kustomize, valid by the API's schemas, and true to our own policy."""

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

from fashionmap.adapters.topology import GROWTH, QUEUES
from fashionmap.settings import Settings
from tests.policy import RULES, Document, containers, judge
from tests.servers import kustomize_command

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
OLDEST = "1.30"  # the first with preStop `sleep` on by default
COMPONENTS = {
    "gpu-embedding": ("keda", "gpu-embedding", "gpu"),
    "gpu-time-slicing": ("gpu", "gpu-time-slicing"),
    "gpu-mig": ("gpu-embedding", "gpu", "gpu-mig"),
    "weights": ("weights",),
}
VARIANTS = ("local", "cpu", "gpu", *COMPONENTS)


@cache
def render(variant: str) -> list[Document]:
    """An overlay, or `base` with the components of a name."""
    command = kustomize_command()
    if command is None:
        pytest.skip("not on this machine: Kustomize (`make tools`)")
    folder = DEPLOY / "overlays" / variant
    if folder.is_dir():
        return _build(command, folder)
    trial = DEPLOY / "overlays" / f".{variant}-{os.getpid()}"
    trial.mkdir()
    try:
        kustomization = {
            "resources": ["../../base"],
            "components": [f"../../components/{name}" for name in COMPONENTS[variant]],
            "transformers": ["../../namespace"],
        }
        (trial / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), "utf-8")
        return _build(command, trial)
    finally:
        shutil.rmtree(trial)


def _build(command: list[str], folder: Path) -> list[Document]:
    done = subprocess.run(
        [*command, str(folder)], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def find(documents: list[Document], kind: str, name: str) -> Document:
    return next(d for d in documents if (d["kind"], d["metadata"]["name"]) == (kind, name))


def validate(document: Document, version: str) -> None:
    """Raises where the document is not valid; variants share most documents, so once for each."""
    _validate(json.dumps(document), version)


@cache
def _validate(text: str, version: str) -> None:
    document = json.loads(text)
    own = _own_schema(document["kind"])
    if own is not None:
        own.validate(document)
    else:
        kubernetes_validate.validate(document, version, strict=True)


@cache
def _own_schema(kind: str) -> jsonschema.Draft202012Validator | None:
    path = DEPLOY / "schemas" / f"{kind}.json"
    if not path.exists():
        return None
    schema = json.loads(path.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("version", [OLDEST, "newest"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_given_a_variant_when_rendered_then_the_schemas_accept_it(
    variant: str, version: str
) -> None:
    documents = render(variant)
    newest = ".".join(kubernetes_validate.latest_version().split(".")[:2])
    for document in documents:
        validate(document, OLDEST if version == OLDEST else newest)
    names = [(d["kind"], d["metadata"]["name"]) for d in documents]
    assert len(set(names)) == len(names) > 20


@pytest.mark.parametrize(
    ("kind", "break_it"),
    [
        ("Deployment", lambda d: d["spec"].update(replica=1)),
        ("Service", lambda d: d["spec"]["ports"][0].update(port="grpc")),
        ("ScaledObject", lambda d: d["spec"].update(minReplicas=0)),
        ("ScaledObject", lambda d: d["spec"].pop("triggers")),
        ("TriggerAuthentication", lambda d: d["spec"]["secretTargetRef"][0].pop("key")),
        ("ServiceMonitor", lambda d: d["spec"]["endpoints"][0].update(interval="often")),
        ("PrometheusRule", lambda d: d["spec"]["groups"][0]["rules"][0].pop("expr")),
        ("RabbitmqCluster", lambda d: d["spec"].update(nodes=3)),
    ],
)
def test_given_a_broken_document_when_validated_then_the_schema_refuses_it(
    kind: str, break_it: Callable[[Document], object]
) -> None:
    document = copy.deepcopy(next(d for d in render("gpu") if d["kind"] == kind))
    break_it(document)
    with pytest.raises((kubernetes_validate.ValidationError, jsonschema.ValidationError)):
        validate(document, OLDEST)


@pytest.mark.parametrize("variant", VARIANTS)
def test_given_a_variant_when_judged_then_no_rule_is_broken(variant: str) -> None:
    assert judge(render(variant)) == {}


def _segmentation(documents: list[Document]) -> Document:
    return find(documents, "Deployment", "segmentation")


def _pod(documents: list[Document]) -> Document:
    return _segmentation(documents)["spec"]["template"]["spec"]


def _first(documents: list[Document]) -> Document:
    return _pod(documents)["containers"][0]


def _drop(documents: list[Document], kind: str, name: str) -> None:
    documents.remove(find(documents, kind, name))


def _add_init(documents: list[Document]) -> None:
    bare = {k: v for k, v in _first(documents).items() if k != "securityContext"}
    _pod(documents)["initContainers"] = [bare]


BREAKS: list[tuple[str, str, Callable[[list[Document]], object]]] = [
    ("requests", "no memory", lambda d: _first(d)["resources"]["requests"].pop("memory")),
    ("requests", "no cpu", lambda d: _first(d)["resources"]["requests"].pop("cpu")),
    ("limits", "no memory", lambda d: _first(d)["resources"]["limits"].pop("memory")),
    ("limits", "no cpu", lambda d: _first(d)["resources"]["limits"].pop("cpu")),
    ("probes", "no readiness", lambda d: _first(d).pop("readinessProbe")),
    ("probes", "no liveness", lambda d: _first(d).pop("livenessProbe")),
    ("probes", "no startup", lambda d: _first(d).pop("startupProbe")),
    ("non_root", "root in the pod", lambda d: _pod(d)["securityContext"].update(runAsUser=0)),
    ("non_root", "root in it", lambda d: _first(d)["securityContext"].update(runAsUser=0)),
    ("non_root", "unchecked", lambda d: _pod(d)["securityContext"].pop("runAsNonRoot")),
    (
        "read_only_root",
        "writable",
        lambda d: _first(d)["securityContext"].update(readOnlyRootFilesystem=False),
    ),
    (
        "read_only_root",
        "unsaid",
        lambda d: _first(d)["securityContext"].pop("readOnlyRootFilesystem"),
    ),
    ("restricted", "capabilities", lambda d: _first(d)["securityContext"].pop("capabilities")),
    (
        "restricted",
        "an added capability",
        lambda d: _first(d)["securityContext"]["capabilities"].update(add=["SYS_ADMIN"]),
    ),
    (
        "restricted",
        "escalation",
        lambda d: _first(d)["securityContext"].pop("allowPrivilegeEscalation"),
    ),
    ("restricted", "no seccomp", lambda d: _pod(d)["securityContext"].pop("seccompProfile")),
    ("restricted", "host network", lambda d: _pod(d).update(hostNetwork=True)),
    (
        "restricted",
        "host path",
        lambda d: _pod(d)["volumes"].append({"name": "x", "hostPath": {"path": "/"}}),
    ),
    ("no_token", "token", lambda d: _pod(d).pop("automountServiceAccountToken")),
    ("pinned_images", "latest", lambda d: _first(d).update(image="fashionmap/segmentation:latest")),
    ("pinned_images", "no tag", lambda d: _first(d).update(image="host:5000/fashionmap/ingest")),
    (
        "pinned_images",
        "broker of latest",
        lambda d: find(d, "RabbitmqCluster", "rabbitmq")["spec"].update(image="rabbitmq:latest"),
    ),
    (
        "gpu_together",
        "no limit",
        lambda d: _first(d)["resources"]["limits"].pop("nvidia.com/gpu"),
    ),
    ("gpu_together", "no selector", lambda d: _pod(d).pop("nodeSelector")),
    ("gpu_together", "no toleration", lambda d: _pod(d).pop("tolerations")),
    (
        "gpu_together",
        "device is the processor",
        lambda d: next(e for e in _first(d)["env"] if e["name"] == "FASHIONMAP_DEVICE").update(
            value="cpu"
        ),
    ),
    (
        "gpu_no_surge",
        "surge",
        lambda d: _segmentation(d)["spec"]["strategy"]["rollingUpdate"].update(maxSurge=1),
    ),
    ("gpu_no_surge", "default strategy", lambda d: _segmentation(d)["spec"].pop("strategy")),
    ("gpu_no_surge", "no priority", lambda d: _pod(d).pop("priorityClassName")),
    ("drains", "short grace", lambda d: _pod(d).update(terminationGracePeriodSeconds=20)),
    ("drains", "no preStop", lambda d: _first(d).pop("lifecycle")),
    ("companions", "no budget", lambda d: _drop(d, "PodDisruptionBudget", "embedding")),
    ("companions", "no account", lambda d: _drop(d, "ServiceAccount", "ingest")),
    ("companions", "no service", lambda d: _drop(d, "Service", "explorer")),
    (
        "no_secrets",
        "a secret",
        lambda d: d.append(
            {"kind": "Secret", "metadata": {"name": "x", "namespace": "fashionmap"}}
        ),
    ),
    (
        "no_secrets",
        "a value",
        lambda d: _first(d)["env"].append({"name": "FASHIONMAP_S3_SECRET_KEY", "value": "x"}),
    ),
    (
        "namespaces",
        "baseline",
        lambda d: find(d, "Namespace", "fashionmap")["metadata"]["labels"].update(
            {"pod-security.kubernetes.io/enforce": "baseline"}
        ),
    ),
    ("namespaces", "anywhere", lambda d: _segmentation(d)["metadata"].pop("namespace")),
    ("read_only_root", "in an init container", _add_init),
]


@pytest.mark.parametrize(
    ("rule", "break_it"), [(r, b) for r, _, b in BREAKS], ids=[f"{r}: {w}" for r, w, _ in BREAKS]
)
def test_given_a_rule_broken_on_purpose_when_judged_then_it_is_found(
    rule: str, break_it: Callable[[list[Document]], object]
) -> None:
    documents = copy.deepcopy(render("gpu"))
    break_it(documents)
    found = judge(documents)
    assert rule in found
    assert set(found) <= {rule, "restricted"} if rule == "read_only_root" else set(found) == {rule}


def test_given_the_rules_when_counted_then_each_is_broken_on_purpose_once_at_least() -> None:
    assert {rule for rule, _, _ in BREAKS} == set(RULES)


def _settings(documents: list[Document]) -> Iterator[tuple[str, str]]:
    for document in documents:
        if document["kind"] == "ConfigMap" and "settings" in document["metadata"]["name"]:
            yield from document["data"].items()
    for container in containers(documents):
        for entry in container.spec.get("env", []):
            if entry["name"].startswith("FASHIONMAP_"):
                yield entry["name"], entry.get("value", "")


@pytest.mark.parametrize("variant", VARIANTS)
def test_given_a_variant_when_its_settings_are_read_then_the_services_know_them(
    variant: str,
) -> None:
    for name, value in _settings(render(variant)):
        field = name.removeprefix("FASHIONMAP_").lower()
        assert field in Settings.model_fields, name
        if value:
            Settings(**{field: value})


@pytest.mark.parametrize("variant", VARIANTS)
def test_given_a_variant_when_its_references_are_followed_then_they_exist(variant: str) -> None:
    documents = render(variant)
    there = {(d["kind"], d["metadata"]["name"]) for d in documents}
    for container in containers(documents):
        for source in container.spec.get("envFrom", []):
            assert ("ConfigMap", source["configMapRef"]["name"]) in there
        volumes = {v["name"] for v in container.pod.get("volumes", [])} | {"data"}
        assert {m["name"] for m in container.spec["volumeMounts"]} <= volumes
        priority = container.pod.get("priorityClassName")
        assert priority is None or ("PriorityClass", priority) in there


def test_given_keda_when_rendered_then_every_queue_scales_its_stage() -> None:
    documents = render("gpu")
    scaled = [d for d in documents if d["kind"] == "ScaledObject"]
    watched = {
        trigger["metadata"]["queueName"]: d["spec"]["scaleTargetRef"]["name"]
        for d in scaled
        for trigger in d["spec"]["triggers"]
    }
    # the growth of collections is one consumer's work, however long its queue
    assert watched == {queue: queue.split(".")[0] for queue in QUEUES if queue != GROWTH}
    least = {d["metadata"]["name"]: d["spec"]["minReplicaCount"] for d in scaled}
    assert least == {"ingest": 1, "segmentation": 0, "embedding": 1, "projection": 1}
    for stage in least:
        assert "replicas" not in find(documents, "Deployment", stage)["spec"]


def test_given_the_broker_of_three_when_rendered_then_all_take_its_credentials() -> None:
    documents = render("cpu")
    assert find(documents, "RabbitmqCluster", "rabbitmq")["spec"]["replicas"] == 3
    for container in containers(documents):
        url = next(e for e in container.spec["env"] if e["name"] == "FASHIONMAP_AMQP_URL")
        assert url["valueFrom"]["secretKeyRef"]["name"] == "rabbitmq-default-user"
    trigger = find(documents, "TriggerAuthentication", "fashionmap-broker")
    assert trigger["spec"]["secretTargetRef"][0]["name"] == "rabbitmq-default-user"
