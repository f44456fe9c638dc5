"""The HTTP application: routes over one decision point."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adjudge.service.data_api import DataApi
from adjudge.service.point import DecisionPoint
from adjudge.service.recorder import Recorder


def create_app(point: DecisionPoint, recorder: Recorder | None = None) -> Starlette:
    """The application; closing it writes the decisions that still wait."""
    api = DataApi(point, recorder)

    async def health(request: Request) -> Response:
        if recorder is not None and recorder.failed:
            return JSONResponse({"error": "the decision log cannot be written"}, 500)
        return JSONResponse({})

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        if recorder is not None:
            recorder.close()

    return Starlette(
        routes=[
            Route("/health", health, methods=["GET"]),
            Route("/v1/data", api.v1, methods=["GET", "POST"]),
            Route("/v1/data/{path:path}", api.v1, methods=["GET", "POST"]),
            Route("/v0/data/{path:path}", api.v0, methods=["POST"]),
        ],
        lifespan=lifespan,
    )
