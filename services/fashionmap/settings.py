"""The settings of a process: read once from the environment, passed down."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fashionmap.errors import UsageError


class Settings(BaseSettings):
    """Everything that a service reads from the environment, prefix ``FASHIONMAP_``.

    The table in docs/services.md is checked against this class by a test.
    """

    model_config = SettingsConfigDict(
        env_prefix="FASHIONMAP_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    amqp_url: str = Field(
        "amqp://guest:guest@localhost:5672/%2F", description="RabbitMQ.", repr=False
    )
    amqp_ca: Path | None = Field(None, description="CA of RabbitMQ's certificate, for `amqps://`.")
    amqp_cert: Path | None = Field(None, description="Own certificate shown to RabbitMQ.")
    amqp_key: Path | None = Field(None, description="Key of the certificate shown to RabbitMQ.")
    heartbeat: int = Field(30, ge=2, description="AMQP heartbeat in seconds.")
    delivery_limit: int = Field(20, ge=1, description="Deliveries before a message is dead.")
    s3_endpoint: str = Field("localhost:9000", description="Host and port of the object store.")
    s3_access_key: str = Field("", description="Access key of the object store.", repr=False)
    s3_secret_key: str = Field("", description="Secret key of the object store.", repr=False)
    s3_secure: bool = Field(False, description="Whether the object store speaks TLS.")
    s3_ca: Path | None = Field(None, description="CA of the object store's certificate.")
    s3_region: str = Field("us-east-1", description="Region of the object store.")
    s3_bucket: str = Field("fashionmap", description="Bucket; made on first use.")
    store_patience: float = Field(
        20.0, ge=0, description="Seconds that one call to the store is tried again."
    )
    grpc_host: str = Field("127.0.0.1", description="Address that gRPC listens on.")
    grpc_port: int = Field(0, ge=0, description="Port of gRPC; 0 chooses one and logs it.")
    grpc_cert: Path | None = Field(None, description="Certificate of gRPC; none means no TLS.")
    grpc_key: Path | None = Field(None, description="Key of gRPC's certificate.")
    grpc_client_ca: Path | None = Field(
        None, description="CA that clients' certificates must come from (mutual TLS)."
    )
    segmenter: str = Field(
        "garments-small+mirror",
        description="Segmenter by name or file; without `+mirror` twice as fast.",
    )
    embedder: str = Field("garments-embedder", description="Embedder by name or file.")
    threshold: float = Field(0.4, ge=0, le=1, description="Least score of a garment.")
    device: str = Field("auto", description="cpu, cuda or auto.")
    threads: int = Field(
        0,
        ge=0,
        description="Photos that a model works on at once, a thread each; 0 takes all cores.",
    )
    batch: int = Field(16, ge=1, description="Most messages of a micro-batch.")
    batch_wait: float = Field(0.05, ge=0, description="Seconds that a micro-batch waits to fill.")
    model_store: str = Field("", description="Folder of models instead of the object store.")
    model_cache: str = Field("", description="Folder for fetched models; else ~/.cache/fashionmap.")
    model_watch: float = Field(10.0, ge=0, description="Seconds between looks for `name@latest`.")
    batch_limit: float = Field(
        3600.0, ge=1, description="Seconds after which a batch counts as stuck (`/healthz`)."
    )
    decode_seconds: float = Field(
        60.0, ge=0, description="Most seconds that ingest decodes one photo; 0 for no limit."
    )
    decode_memory: int = Field(
        4096, ge=0, description="Most MB that ingest decodes one photo in; 0 for no limit."
    )
    ingest_hosts: str = Field(
        "",
        description="Hosts that ingest may fetch photos from by https, with commas; empty: none.",
    )
    metrics_host: str = Field("127.0.0.1", description="Address of metrics and probes.")
    metrics_port: int = Field(0, ge=0, description="Port of metrics and probes; 0 for none.")
    otlp_endpoint: str = Field("", description="OTLP collector of traces (gRPC); empty for none.")
    trace_file: Path | None = Field(None, description="File that traces are added to, as JSON.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR."
    )

    # new maps of streams
    rebuild_share: float = Field(
        0.0,
        ge=0,
        description="Growth after which a new map is requested: 0.1 is 10 %, 0 never.",
    )
    rebuild_photos: int = Field(
        0, ge=0, description="New photos after which it is, whatever their share; 0 never."
    )
    rebuild_quiet: float = Field(
        60.0, ge=1, le=86400, description="Seconds without a new photo before that."
    )
    rebuild_longest: float = Field(
        1800.0, ge=1, description="Most seconds that it waits for such quiet."
    )

    # the explorer
    grpc_ca: Path | None = Field(
        None, description="CA of the services' gRPC certificates; none means no TLS."
    )
    http_host: str = Field("127.0.0.1", description="Address that the explorer listens on.")
    http_port: int = Field(8080, ge=0, description="Port of the explorer; 0 chooses one, logs it.")
    ingest_address: str = Field("localhost:50051", description="Host and port of ingest's gRPC.")
    segmentation_address: str = Field(
        "localhost:50052", description="Host and port of segmentation's gRPC."
    )
    embedding_address: str = Field(
        "localhost:50053", description="Host and port of embedding's gRPC."
    )
    projection_address: str = Field(
        "localhost:50054", description="Host and port of projection's gRPC."
    )
    explorer_token: str = Field(
        "", description="What writing calls must show; empty lets everybody write.", repr=False
    )
    explorer_upload: int = Field(32, ge=1, description="Most MB of an uploaded photo.")


def read_settings() -> Settings:
    """The environment's settings; ``UsageError`` names a variable that makes no sense."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "FASHIONMAP_" + "_".join(str(part) for part in first["loc"]).upper()
        raise UsageError(f"{name} makes no sense: {first['msg']}.") from error
