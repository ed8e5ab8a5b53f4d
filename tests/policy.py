"""What every rendered manifest must keep to. A rule takes all documents, returns its findings."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
Rule = Callable[[Sequence[Document]], list[str]]
SERVICES = ("ingest", "segmentation", "embedding", "projection", "explorer")
PODS = ("Deployment", "StatefulSet", "DaemonSet", "Job")
HARMLESS_VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"),
    *("persistentVolumeClaim", "projected", "secret"),
}


@dataclass(frozen=True)
class Container:
    """A container in its pod.

    Attributes:
        where: Words for a finding.
        spec: Of the container.
        pod: Of its pod.
        starts: Whether it is an init container.
    """

    where: str
    spec: Document
    pod: Document
    starts: bool


def pods(documents: Sequence[Document]) -> Iterator[tuple[str, Document, Document]]:
    """Words, workload and pod of everything that runs."""
    for document in documents:
        if document["kind"] in PODS:
            where = f"{document['kind']} {document['metadata']['name']}"
            yield where, document, document["spec"]["template"]["spec"]


def containers(documents: Sequence[Document]) -> Iterator[Container]:
    """Every container, those that start a pod too."""
    for where, _, pod in pods(documents):
        for key, starts in (("initContainers", True), ("containers", False)):
            for spec in pod.get(key, []):
                yield Container(f"{where}/{spec['name']}", spec, pod, starts)


def requests(documents: Sequence[Document]) -> list[str]:
    """Every container asks for CPU and memory."""
    return _lacking(documents, "requests")


def limits(documents: Sequence[Document]) -> list[str]:
    """Every container has a limit of CPU and memory."""
    return _lacking(documents, "limits")


def _lacking(documents: Sequence[Document], key: str) -> list[str]:
    return [
        f"{c.where} has no {key} of {resource}"
        for c in containers(documents)
        for resource in ("cpu", "memory")
        if resource not in c.spec.get("resources", {}).get(key, {})
    ]


def probes(documents: Sequence[Document]) -> list[str]:
    """Every container that stays has a startup, a readiness and a liveness probe."""
    return [
        f"{c.where} has no {probe}"
        for c in containers(documents)
        for probe in ("startupProbe", "readinessProbe", "livenessProbe")
        if not c.starts and probe not in c.spec
    ]


def non_root(documents: Sequence[Document]) -> list[str]:
    """No container runs as root, and the kubelet checks it."""
    findings = []
    for c in containers(documents):
        context = {**c.pod.get("securityContext", {}), **c.spec.get("securityContext", {})}
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            findings.append(f"{c.where} may run as root")
    return findings


def read_only_root(documents: Sequence[Document]) -> list[str]:
    """Every container's root file system is read-only."""
    return [
        f"{c.where} may write its root file system"
        for c in containers(documents)
        if c.spec.get("securityContext", {}).get("readOnlyRootFilesystem") is not True
    ]


def restricted(documents: Sequence[Document]) -> list[str]:
    """The rest of the pod security standard "restricted".

    Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
    """
    findings = []
    for c in containers(documents):
        own = c.spec.get("securityContext", {})
        seccomp = {**c.pod.get("securityContext", {}), **own}.get("seccompProfile", {})
        if own.get("allowPrivilegeEscalation") is not False:
            findings.append(f"{c.where} may gain privileges")
        if own.get("capabilities", {}).get("drop") != ["ALL"] or own["capabilities"].get("add"):
            findings.append(f"{c.where} has capabilities")
        if seccomp.get("type") not in ("RuntimeDefault", "Localhost"):
            findings.append(f"{c.where} has no seccomp profile")
        if own.get("privileged") or any("hostPort" in p for p in c.spec.get("ports", [])):
            findings.append(f"{c.where} reaches the host")
    return findings + _host(documents)


def _host(documents: Sequence[Document]) -> list[str]:
    findings = []
    for where, _, pod in pods(documents):
        if any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
            findings.append(f"{where} shares a namespace of the host")
        for volume in pod.get("volumes", []):
            if not set(volume) - {"name"} <= HARMLESS_VOLUMES:
                findings.append(f"{where} mounts a volume of a forbidden kind")
    return findings


def no_token(documents: Sequence[Document]) -> list[str]:
    """No pod gets a token for the API server: none of them speaks to it."""
    return [
        f"{where} gets a token"
        for where, _, pod in pods(documents)
        if pod.get("automountServiceAccountToken") is not False
    ]


def pinned_images(documents: Sequence[Document]) -> list[str]:
    """Every image has a tag or a digest, and none is `latest`."""
    named = [(c.where, c.spec.get("image", "")) for c in containers(documents)]
    named += [
        (f"{d['kind']} {d['metadata']['name']}", d["spec"].get("image", ""))
        for d in documents
        if d["kind"] == "RabbitmqCluster"
    ]
    findings = []
    for where, image in named:
        tag = image.rpartition("/")[2].partition(":")[2]
        if "@sha256:" not in image and tag in ("", "latest"):
            findings.append(f"{where} runs whatever {image or 'image'} is today")
    return findings


def gpu_together(documents: Sequence[Document]) -> list[str]:
    """A pod that is for a GPU in one respect is so in all: limit, selector, toleration, device."""
    findings = []
    for where, _, pod in pods(documents):
        signs = _gpu_signs(pod)
        if any(signs.values()) and not all(signs.values()):
            lacking = ", ".join(name for name, there in signs.items() if not there)
            findings.append(f"{where} is for a GPU but has no {lacking}")
    return findings


def _gpu_signs(pod: Document) -> dict[str, bool]:
    specs = pod["containers"]
    limits = {key for c in specs for key in c.get("resources", {}).get("limits", {})}
    environment = [(e["name"], e.get("value")) for c in specs for e in c.get("env", [])]
    return {
        "limit": any(key.startswith("nvidia.com/") for key in limits),
        "node selector": any(key.startswith("nvidia.com/") for key in pod.get("nodeSelector", {})),
        "toleration": any(t.get("key") == "nvidia.com/gpu" for t in pod.get("tolerations", [])),
        "device": ("FASHIONMAP_DEVICE", "cuda") in environment,
    }


def gpu_no_surge(documents: Sequence[Document]) -> list[str]:
    """A rollout of a GPU pod asks for no second GPU, and the pod has a priority."""
    findings = []
    for where, workload, pod in pods(documents):
        if not _gpu_signs(pod)["limit"]:
            continue
        surge = workload["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxSurge")
        if surge != 0:
            findings.append(f"{where} needs a second GPU to roll out")
        if "priorityClassName" not in pod:
            findings.append(f"{where} has no priority")
    return findings


def drains(documents: Sequence[Document]) -> list[str]:
    """Every pod has time to finish: preStop of services, and a grace well beyond it."""
    findings = []
    for where, workload, pod in pods(documents):
        if pod.get("terminationGracePeriodSeconds", 30) < 60:
            findings.append(f"{where} has less than a minute to finish")
        labels = workload["spec"]["template"]["metadata"]["labels"]
        hooks = [c.get("lifecycle", {}).get("preStop") for c in pod["containers"]]
        if labels.get("fashionmap/tier") == "service" and not all(hooks):
            findings.append(f"{where} leaves before its address is forgotten")
    return findings


def companions(documents: Sequence[Document]) -> list[str]:
    """Every service has its Deployment, Service, ServiceAccount and PodDisruptionBudget."""
    there = {(d["kind"], d["metadata"]["name"]) for d in documents}
    kinds = ("Deployment", "Service", "ServiceAccount", "PodDisruptionBudget")
    return [f"{s} has no {kind}" for s in SERVICES for kind in kinds if (kind, s) not in there]


def no_secrets(documents: Sequence[Document]) -> list[str]:
    """No secret's value is in a manifest."""
    findings = [f"Secret {d['metadata']['name']}" for d in documents if d["kind"] == "Secret"]
    for c in containers(documents):
        for entry in c.spec.get("env", []):
            secret = any(word in entry["name"] for word in ("SECRET", "PASS", "TOKEN", "_KEY"))
            if secret and "value" in entry:
                findings.append(f"{c.where} has {entry['name']} in plain words")
    return findings


def namespaces(documents: Sequence[Document]) -> list[str]:
    """There is a namespace that enforces "restricted", and nothing lies in `default`."""
    label = "pod-security.kubernetes.io/enforce"
    spaces = [d for d in documents if d["kind"] == "Namespace"]
    findings = [
        f"the namespace {d['metadata']['name']} does not enforce `restricted`"
        for d in spaces
        if d["metadata"].get("labels", {}).get(label) != "restricted"
    ]
    for document in documents:
        placed = document["metadata"].get("namespace")
        if document["kind"] not in ("Namespace", "PriorityClass") and not placed:
            findings.append(f"{document['kind']} {document['metadata']['name']} lies anywhere")
    return findings if spaces else ["there is no namespace"]


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        *(requests, limits, probes, non_root, read_only_root, restricted, no_token),
        *(pinned_images, gpu_together, gpu_no_surge, drains, companions, no_secrets, namespaces),
    )
}


def judge(documents: Sequence[Document]) -> dict[str, list[str]]:
    """Findings by rule; empty where all is well."""
    found = {name: rule(documents) for name, rule in RULES.items()}
    return {name: findings for name, findings in found.items() if findings}
