"""Where ports meet the world: file systems, MinIO, RabbitMQ, memory."""
