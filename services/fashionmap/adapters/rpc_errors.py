"""Our errors as gRPC status codes, with the sentence as detail."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import structlog

from fashionmap.errors import (
    BlobNotFound,
    CollectionNotFound,
    FashionMapError,
    TransientError,
)

log = structlog.get_logger()


@contextmanager
def translated(context: grpc.ServicerContext) -> Iterator[None]:
    """Ends the call with the status that fits the error; a fault of ours is INTERNAL."""
    try:
        yield
    except (BlobNotFound, CollectionNotFound) as error:
        context.abort(grpc.StatusCode.NOT_FOUND, str(error))
    except TransientError as error:
        context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
    except FashionMapError as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    except grpc.RpcError:
        raise  # the caller went away while it was sending
    except Exception as error:
        log.error("call failed", error=repr(error))
        context.abort(grpc.StatusCode.INTERNAL, "The service stumbled; its log says over what.")
