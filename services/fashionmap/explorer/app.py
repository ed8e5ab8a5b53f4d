"""The explorer's HTTP routes."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from fashionmap.domain.keys import check_collection
from fashionmap.errors import CollectionNotFound, UsageError
from fashionmap.explorer.backend import Backend
from fashionmap.explorer.guests import Guests
from fashionmap.explorer.http import HANDLERS, Headers, body_of, check_writer
from fashionmap.explorer.maps import collections, map_file, maps_of
from fashionmap.explorer.measure import Clock, counted
from fashionmap.explorer.search import find_in_map

FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
MOST_FAILURES = 200
CENSUS_HOLDS = 4.0
"""Least seconds that a count of a whole collection is told again."""


def create_app(backend: Backend) -> Starlette:
    """The application; ``backend`` is all that it knows of the world."""
    routes = _Routes(backend)
    api = "/api/collections/{collection}"

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        backend.hub.start(asyncio.get_running_loop())
        yield

    table: list[BaseRoute] = [
        Route("/", routes.page),
        Route("/healthz", routes.alive),
        Route("/readyz", routes.ready),
        Route("/api/collections", routes.collections),
        Route(api, routes.maps),
        Route(api + "/events", routes.events),
        Route(api + "/operations", routes.operations),
        Route(api + "/retry", routes.retry, methods=["POST"]),
        Route(api + "/maps", routes.request_map, methods=["POST"]),
        Route(api + "/photos", routes.put_photo, methods=["POST"]),
        Route(api + "/photos/{photo}/preview", routes.preview),
        Route(api + "/maps/{version}/placed", routes.placed),
        Route(api + "/maps/{version}/photos/{photo}/{unit}", routes.unit),
        Route(api + "/maps/{version}/search", routes.search, methods=["POST"]),
        Route("/maps/{collection}/{version}/{path:path}", routes.file),
    ]
    if backend.page.is_dir():  # else the page says that it is not built
        table.append(Mount("/", StaticFiles(directory=backend.page)))
    return Starlette(
        routes=table,
        middleware=[Middleware(Clock, routes=table), Middleware(Headers)],
        exception_handlers=HANDLERS,
        lifespan=lifespan,
    )


class _Routes:
    """One method a route; plain functions run on threads, since store and peers block."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._guests = Guests(backend.store, backend.peers)
        self._counted: dict[str, tuple[float, dict[str, int]]] = {}
        self._counting = threading.Lock()

    def page(self, _request: Request) -> Response:
        """The page, told that it is the live form."""
        index = self._backend.page / "index.html"
        if not index.exists():
            raise HTTPException(503, "The page is not built: make page.")
        text = index.read_text("utf-8")
        live = text.replace('name="fashionmap-form" content="static"', _form(self._backend))
        return HTMLResponse(live, headers={"Cache-Control": "no-cache"})

    def alive(self, _request: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    def ready(self, _request: Request) -> Response:
        """Broker and store answer."""
        ready = self._backend.ready()
        return JSONResponse({"ready": ready}, 200 if ready else 503)

    def collections(self, _request: Request) -> Response:
        """All collections."""
        return JSONResponse({"collections": collections(self._backend.store)})

    def maps(self, request: Request) -> Response:
        """A collection's maps."""
        return JSONResponse(maps_of(self._backend.store, _collection(request)))

    def file(self, request: Request) -> Response:
        """A file of a map; maps never change."""
        path, version = request.path_params["path"], request.path_params["version"]
        data, kind = map_file(self._backend.store, _collection(request), version, path)
        return Response(data, media_type=kind, headers=FOREVER)

    async def events(self, request: Request) -> Response:
        """What happens, as server-sent events."""
        news = self._backend.hub.listen(_collection(request))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(news, media_type="text/event-stream", headers=headers)

    def operations(self, request: Request) -> Response:
        """Stages, rates, queues, failures."""
        collection, backend = _collection(request), self._backend
        told = {
            "stages": self._census(collection),
            "rates": backend.hub.rates(collection),
            "queues": list(backend.queues()),
            "failures": list(islice(backend.failures(collection), MOST_FAILURES)),
            "ready": backend.ready(),
        }
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    async def retry(self, request: Request) -> Response:
        """Sends refused photos again."""
        check_writer(request, self._backend.token)
        stage = request.query_params.get("stage", "")
        count = await run_in_threadpool(self._backend.replay, _collection(request), stage)
        return JSONResponse({"sent": count})

    async def request_map(self, request: Request) -> Response:
        """Asks for a new map."""
        check_writer(request, self._backend.token)
        unit = request.query_params.get("unit", "both")
        version = await run_in_threadpool(
            self._backend.peers.request_map, _collection(request), unit
        )
        return JSONResponse({"version": version})

    async def put_photo(self, request: Request) -> Response:
        """Takes a photo into the collection; what becomes of it is told by the events."""
        check_writer(request, self._backend.token)
        name = unquote(request.headers.get("X-File-Name", "")).strip()[:200] or "photo"
        with counted("collection"):
            data = await body_of(request, self._backend.most_bytes)
            photo = await run_in_threadpool(
                self._backend.peers.put_photo, _collection(request), name, data
            )
        return JSONResponse({"photo": photo})

    async def search(self, request: Request) -> Response:
        """A photo on a map, kept nowhere."""
        check_writer(request, self._backend.token)
        data = await body_of(request, self._backend.most_bytes)
        lines = find_in_map(
            data,
            collection=_collection(request),
            version=request.path_params["version"],
            peers=self._backend.peers,
        )
        return StreamingResponse(lines, media_type="application/x-ndjson")

    def placed(self, request: Request) -> Response:
        """Units that were placed since the map was built."""
        photos = request.query_params.getlist("photo")
        data = self._guests.placed(_collection(request), request.path_params["version"], photos)
        headers = {"Cache-Control": "no-store"}
        return Response(data, media_type="application/vnd.apache.arrow.file", headers=headers)

    def preview(self, request: Request) -> Response:
        """A photo as a small picture."""
        data = self._guests.preview(_collection(request), request.path_params["photo"])
        return Response(data, media_type="image/webp", headers=FOREVER)

    def unit(self, request: Request) -> Response:
        """Details of a unit that is not in the map's files."""
        photo, unit = request.path_params["photo"], request.path_params["unit"]
        version = request.path_params["version"]
        return JSONResponse(self._guests.unit(_collection(request), version, photo, unit))

    def _census(self, collection: str) -> dict[str, int]:
        """The counts, told again for a while: counting takes a fifth of the time at most."""
        with self._counting:
            until, census = self._counted.get(collection, (0.0, {}))
            began = time.monotonic()
            if began > until:
                census = self._backend.census(collection)
                now = time.monotonic()
                self._counted[collection] = (now + max(CENSUS_HOLDS, 4 * (now - began)), census)
            return census


def _collection(request: Request) -> str:
    try:
        return check_collection(request.path_params["collection"])
    except UsageError as error:
        raise CollectionNotFound(str(error)) from error


def _form(backend: Backend) -> str:
    """What the page reads from its own head, without asking."""
    asks = "yes" if backend.token else "no"
    return (
        f'name="fashionmap-form" content="live" data-token="{asks}" '
        f'data-most="{backend.most_bytes}"'
    )
