"""Errors as answers, headers of every answer, and who may write."""

import hmac
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fashionmap.errors import (
    BlobNotFound,
    CollectionNotFound,
    FashionMapError,
    TransientError,
)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Headers:
    """Puts the security headers on every answer; streams pass through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, with the headers."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, sent if scope["type"] == "http" else send)


def refused(_request: Request, error: Exception) -> JSONResponse:
    """Our errors as JSON with one sentence."""
    if isinstance(error, HTTPException):
        return JSONResponse({"error": error.detail}, error.status_code)
    status = 500
    if isinstance(error, (BlobNotFound, CollectionNotFound)):
        status = 404
    elif isinstance(error, TransientError):
        status = 503
    elif isinstance(error, FashionMapError):
        status = 400
    return JSONResponse({"error": str(error)}, status)


HANDLERS: Any = {FashionMapError: refused, HTTPException: refused}


def check_writer(request: Request, token: str) -> None:
    """Lets a writing call through: from our own page or from no page, with the token if any."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403, "Another site's page may not write here.")
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if token and not hmac.compare_digest(shown.encode(), token.encode()):
        raise HTTPException(401, "Writing needs the token of this explorer.")


async def body_of(request: Request, most: int) -> bytes:
    """The body, refused as soon as it is too large."""
    too_large = HTTPException(413, f"The photo has more than the allowed {most >> 20} MB.")
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > most:
        raise too_large
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > most:
            raise too_large
    if not data:
        raise HTTPException(400, "The file is empty.")
    return bytes(data)
