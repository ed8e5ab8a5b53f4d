"""Our errors as gRPC status codes, with the sentence as detail."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from fashionmap.errors import (
    BlobNotFound,
    CollectionNotFound,
    FashionMapError,
    TransientError,
)


@contextmanager
def translated(context: grpc.ServicerContext) -> Iterator[None]:
    """Ends the call with the status that fits the error."""
    try:
        yield
    except (BlobNotFound, CollectionNotFound) as error:
        context.abort(grpc.StatusCode.NOT_FOUND, str(error))
    except TransientError as error:
        context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
    except FashionMapError as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
