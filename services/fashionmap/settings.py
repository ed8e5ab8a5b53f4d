"""The settings of a process: read once from the environment, passed down."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that a service reads from the environment, prefix ``FASHIONMAP_``.

    The table in docs/services.md is checked against this class by a test.
    """

    model_config = SettingsConfigDict(env_prefix="FASHIONMAP_", frozen=True, extra="ignore")

    amqp_url: str = Field("amqp://guest:guest@localhost:5672/%2F", description="RabbitMQ.")
    heartbeat: int = Field(30, ge=2, description="AMQP heartbeat in seconds.")
    delivery_limit: int = Field(20, ge=1, description="Deliveries before a message is dead.")
    s3_endpoint: str = Field("localhost:9000", description="Host and port of the object store.")
    s3_access_key: str = Field("", description="Access key of the object store.")
    s3_secret_key: str = Field("", description="Secret key of the object store.", repr=False)
    s3_secure: bool = Field(False, description="Whether the object store speaks TLS.")
    s3_region: str = Field("us-east-1", description="Region of the object store.")
    s3_bucket: str = Field("fashionmap", description="Bucket; made on first use.")
    store_patience: float = Field(
        20.0, ge=0, description="Seconds that one call to the store is tried again."
    )
    grpc_host: str = Field("127.0.0.1", description="Address that gRPC listens on.")
    grpc_port: int = Field(0, ge=0, description="Port of gRPC; 0 chooses one and logs it.")
    segmenter: str = Field("garments-small", description="Segmenter by name or file.")
    embedder: str = Field("garments-embedder", description="Embedder by name or file.")
    threshold: float = Field(0.4, ge=0, le=1, description="Least score of a garment.")
    device: str = Field("auto", description="cpu, cuda or auto.")
    threads: int = Field(0, ge=0, description="Threads of the models; 0 takes all cores.")
    batch: int = Field(8, ge=1, description="Most messages of a micro-batch.")
    batch_wait: float = Field(0.05, ge=0, description="Seconds that a micro-batch waits to fill.")
    model_store: str = Field("", description="Folder of models instead of the object store.")
    model_cache: str = Field("", description="Folder for fetched models; else ~/.cache/fashionmap.")
    model_watch: float = Field(10.0, ge=0, description="Seconds between looks for `name@latest`.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
