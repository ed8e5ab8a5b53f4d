"""Traces that follow a photo through the messages: W3C trace context in AMQP headers.

Off by default: then spans record nothing, and a context that comes in is still passed on.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_CONTEXT = TraceContextTextMapPropagator()
_KINDS = {"consumer": SpanKind.CONSUMER, "producer": SpanKind.PRODUCER}


def start_tracing(service: str, *, endpoint: str, file: Path | None) -> None:
    """Records traces from now on, where one of the two asks for it.

    Args:
        service: Name of the process.
        endpoint: OTLP collector (gRPC), such as ``http://localhost:4317``; ``""`` for none.
        file: Spans are added to it as JSON, one a line; several processes may share it.
    """
    if not endpoint and file is None:
        return
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import (
        BatchSpanProcessor,
        ConsoleSpanExporter,
        SimpleSpanProcessor,
    )

    provider = TracerProvider(resource=Resource.create({"service.name": f"fashionmap-{service}"}))
    if file is not None:
        out = file.open("a", encoding="utf-8")
        lines = ConsoleSpanExporter(out=out, formatter=lambda s: f"{s.to_json(indent=None)}\n")
        provider.add_span_processor(SimpleSpanProcessor(lines))
    if endpoint:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)


def stop_tracing() -> None:
    """Sends what is recorded and not yet sent."""
    shutdown = getattr(trace.get_tracer_provider(), "shutdown", None)
    if shutdown is not None:
        shutdown()


def begin_span(
    name: str, *, kind: str, headers: Mapping[str, Any], attributes: Mapping[str, str | int]
) -> Span:
    """A span whose parent is the context in a message's headers, if there is one."""
    tracer = trace.get_tracer("fashionmap")
    context = _CONTEXT.extract(trace_of(headers))
    return tracer.start_span(name, context, _KINDS[kind], attributes=dict(attributes))


def trace_of(headers: Mapping[str, Any]) -> dict[str, str]:
    """The trace context of a message's headers, if there is one that can be."""
    value = headers.get("traceparent")
    return {"traceparent": value} if isinstance(value, str) and len(value) < 100 else {}


def end_span(span: Span, error: Exception | None = None) -> None:
    """Ends a span, with the error that it ended by."""
    if error is not None:
        span.set_status(Status(StatusCode.ERROR, str(error)))
    span.end()


def headers_of(span: Span) -> dict[str, str]:
    """Headers that make the next message's spans this one's children."""
    carrier: dict[str, str] = {}
    _CONTEXT.inject(carrier, trace.set_span_in_context(span))
    return carrier


@contextmanager
def published(collection: str, photo_id: str) -> Iterator[dict[str, str]]:
    """The first span of a photo; gives the headers of its message."""
    about = {"fashionmap.collection": collection, "fashionmap.photo": photo_id}
    span = begin_span("publish", kind="producer", headers={}, attributes=about)
    try:
        yield headers_of(span)
    finally:
        span.end()
