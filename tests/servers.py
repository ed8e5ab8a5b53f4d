"""Real servers for tests: a throwaway RabbitMQ node and a throwaway MinIO, each on free ports."""

import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pika
import urllib3

logging.getLogger("pika").setLevel(logging.CRITICAL)

ROOT = Path(__file__).parent.parent
RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"


def free_port() -> int:
    """A port that nobody listens on just now.

    It lies below those that Linux gives to outgoing connections (32768 and up): a client that
    knocks while a server is away must not come to hold the server's own port.
    """
    while True:
        port = secrets.choice(range(15_000, 32_000))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def minio_binary() -> str | None:
    """MinIO from FASHIONMAP_MINIO, from .tools or from the PATH."""
    own = ROOT / ".tools" / "bin" / "minio"
    for candidate in (
        os.environ.get("FASHIONMAP_MINIO", ""),
        str(own),
        shutil.which("minio") or "",
    ):
        if candidate and Path(candidate).is_file():
            return candidate
    return None


def kustomize_command() -> list[str] | None:
    """Kustomize from .tools or from the PATH, or the one in kubectl."""
    own = ROOT / ".tools" / "bin" / "kustomize"
    for candidate in (str(own), shutil.which("kustomize") or ""):
        if candidate and Path(candidate).is_file():
            return [candidate, "build"]
    kubectl = shutil.which("kubectl")
    return [kubectl, "kustomize"] if kubectl else None


def promtool_binary() -> str | None:
    """Prometheus' checker of rules, from .tools or from the PATH."""
    own = ROOT / ".tools" / "bin" / "promtool"
    return str(own) if own.is_file() else shutil.which("promtool")


def missing() -> list[str]:
    """What the tests need and this machine has not."""
    found = []
    if not Path(RABBITMQ).exists():
        found.append("RabbitMQ (Debian package rabbitmq-server)")
    if minio_binary() is None:
        found.append("MinIO (build it with Go by `make tools`, or put it on the PATH)")
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser")):
        found.append("Chromium (Debian package chromium)")
    if kustomize_command() is None:
        found.append("Kustomize (build it with Go by `make tools`, or put it on the PATH)")
    if promtool_binary() is None:
        found.append("promtool (Debian package prometheus, or `make tools`)")
    return found


@dataclass
class Server:
    """A server process that can be stopped, killed and started again with its data."""

    command: list[str]
    environment: dict[str, str]
    ready: Callable[[], bool]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 240
        while not self.ready():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(
                    f"{self.command[0]} does not start: {self.log.read_text()[-2000:]}"
                )
            time.sleep(0.2)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends the whole process group that we started."""
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, number)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)


@dataclass
class Servers:
    """Both servers, and settings for processes that use them."""

    rabbitmq: Server
    minio: Server
    amqp_port: int
    s3_port: int
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def amqp_url(self) -> str:
        """Of the default virtual host."""
        return f"amqp://guest:guest@127.0.0.1:{self.amqp_port}/%2F"

    def fresh(self) -> dict[str, str]:
        """Settings with a virtual host and a bucket of their own, for one test."""
        name = uuid.uuid4().hex[:12]
        subprocess.run(
            ["/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", "add_vhost", name],
            env={**os.environ, **self.rabbitmq.environment},
            check=True,
            capture_output=True,
            timeout=60,
        )
        subprocess.run(
            [
                "/usr/lib/rabbitmq/bin/rabbitmqctl",
                "-q",
                "set_permissions",
                "-p",
                name,
                "guest",
                ".*",
                ".*",
                ".*",
            ],
            env={**os.environ, **self.rabbitmq.environment},
            check=True,
            capture_output=True,
            timeout=60,
        )
        return {
            "FASHIONMAP_AMQP_URL": f"amqp://guest:guest@127.0.0.1:{self.amqp_port}/{name}",
            "FASHIONMAP_S3_ENDPOINT": f"127.0.0.1:{self.s3_port}",
            "FASHIONMAP_S3_ACCESS_KEY": "testaccess",
            "FASHIONMAP_S3_SECRET_KEY": "testsecret123",
            "FASHIONMAP_S3_BUCKET": f"b{name}",
        }


def start_servers(folder: Path, *, papers: tuple[Path, Path, Path] | None = None) -> Servers:
    """Both servers with data under ``folder``; with CA, certificate and key, over TLS alone."""
    amqp_port, dist_port, s3_port = free_port(), free_port(), free_port()
    rabbitmq = Server(
        [RABBITMQ],
        _rabbitmq_environment(folder / "rabbitmq", amqp_port, dist_port, papers=papers),
        lambda: _amqp_answers(amqp_port) if papers is None else _listens(amqp_port),
        folder / "rabbitmq.log",
    )
    minio = Server(
        [
            str(minio_binary()),
            "server",
            "--address",
            f"127.0.0.1:{s3_port}",
            "--quiet",
            *(["--certs-dir", str(_minio_papers(folder / "certs", papers))] if papers else []),
            str(folder / "minio"),
        ],
        {
            "MINIO_ROOT_USER": "testaccess",
            "MINIO_ROOT_PASSWORD": "testsecret123",
            "MINIO_BROWSER": "off",
        },
        lambda: (
            _http_answers(f"http://127.0.0.1:{s3_port}/minio/health/ready")
            if papers is None
            else _listens(s3_port)
        ),
        folder / "minio.log",
    )
    try:
        minio.start()
        rabbitmq.start()
    except RuntimeError:
        rabbitmq.stop()
        minio.stop()
        raise
    return Servers(rabbitmq, minio, amqp_port, s3_port)


def _minio_papers(folder: Path, papers: tuple[Path, Path, Path]) -> Path:
    """MinIO's folder of certificates."""
    folder.mkdir(parents=True)
    shutil.copy(papers[1], folder / "public.crt")
    shutil.copy(papers[2], folder / "private.key")
    return folder


def _rabbitmq_papers(folder: Path, port: int, papers: tuple[Path, Path, Path]) -> dict[str, str]:
    """RabbitMQ's settings for TLS alone, with certificates asked of clients."""
    ca, cert, key = papers
    lines = (
        "listeners.tcp = none",
        f"listeners.ssl.default = {port}",
        f"ssl_options.cacertfile = {ca}",
        f"ssl_options.certfile = {cert}",
        f"ssl_options.keyfile = {key}",
        "ssl_options.verify = verify_peer",
        "ssl_options.fail_if_no_peer_cert = true",
    )
    (folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
    return {"RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf")}


def _rabbitmq_environment(
    folder: Path, port: int, dist_port: int, *, papers: tuple[Path, Path, Path] | None
) -> dict[str, str]:
    folder.mkdir(parents=True)
    (folder / "plugins").write_text("[].\n")
    plain = {"RABBITMQ_NODE_PORT": str(port)}
    return {
        **(plain if papers is None else _rabbitmq_papers(folder, port, papers)),
        "RABBITMQ_NODENAME": f"test{port}@localhost",
        "RABBITMQ_DIST_PORT": str(dist_port),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_SERVER_START_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "HOME": str(folder),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }


def _amqp_answers(port: int) -> bool:
    try:
        pika.BlockingConnection(
            pika.ConnectionParameters(
                "127.0.0.1", port, socket_timeout=2, blocked_connection_timeout=5
            )
        ).close()
    except (pika.exceptions.AMQPError, OSError):
        return False
    return True


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _http_answers(address: str) -> bool:
    try:
        return urllib3.request("GET", address, timeout=1.0, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False
