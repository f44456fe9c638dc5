"""OPA's data API: requests in, the answers OPA gives out (REST API reference, "Data API")."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import yaml
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adjudge.documents.reading import read_json, read_yaml
from adjudge.errors import AdjudgeError
from adjudge.rego import UNDEFINED
from adjudge.rego.runtime.text import from_json, to_indented_json_text, to_json_text
from adjudge.service.point import Answer, DecisionPoint
from adjudge.service.recorder import Recorder

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a request's body."""

_WARNING = {
    "code": "api_usage_warning",
    "message": "'input' key missing from the request",
}


class ApiError(Exception):
    """An error in OPA's shape: a status, a code and a message."""

    def __init__(self, status: int, code: str, message: str, errors: list[Any] | None = None):
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def response(self) -> Response:
        """The HTTP response."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.errors:
            body["errors"] = self.errors
        return Response(
            json.dumps(body, indent=2) + "\n", self.status, media_type="application/json"
        )


class DataApi:
    """The routes below ``/v1/data`` and ``/v0/data``."""

    def __init__(self, point: DecisionPoint, recorder: Recorder | None) -> None:
        self.point = point
        self.recorder = recorder

    async def v1(self, request: Request) -> Response:
        """``GET`` and ``POST /v1/data/{path}``."""
        if request.url.path.endswith("/") and request.path_params.get("path"):
            return RedirectResponse(request.url.path.rstrip("/"), 301)
        try:
            path = _segments(request.path_params.get("path", ""))
            missing = False
            if request.method == "GET":
                input_ = _query_input(request)
            else:
                body = await _body(request)
                missing = "input" not in body
                input_ = UNDEFINED if missing else from_json(body["input"])
            answer = await self._answer(request, path, input_)
        except ApiError as e:
            return e.response()
        except AdjudgeError as e:
            return ApiError(400, "invalid_parameter", e.message).response()
        out: dict[str, Any] = {}
        if self.recorder is not None:
            out["decision_id"] = answer.decision.decision_id
        if _flag(request, "metrics"):
            out["metrics"] = {
                "timer_rego_query_eval_ns": answer.eval_ns,
                "timer_server_handler_ns": answer.eval_ns,
            }
        if answer.value is not UNDEFINED:
            out["result"] = answer.value
        if missing:
            out["warning"] = _WARNING
        return _json(out, request)

    async def v0(self, request: Request) -> Response:
        """``POST /v0/data/{path}``: the body is the input, the answer the bare document."""
        try:
            path = _segments(request.path_params.get("path", ""))
            input_ = from_json(await _parsed(request))
            answer = await self._answer(request, path, input_)
            if answer.value is UNDEFINED:
                shown = "data." + ".".join(map(str, path))
                raise ApiError(404, "undefined_document", f"document missing: {shown}")
        except ApiError as e:
            return e.response()
        except AdjudgeError as e:
            return ApiError(400, "invalid_parameter", e.message).response()
        return _json(answer.value, request)

    async def _answer(self, request: Request, path: list[str | int], input_: Any) -> Answer:
        strict = _flag(request, "strict-builtin-errors")
        answer = await run_in_threadpool(
            self.point.answer, path, input_, strict_builtin_errors=strict
        )
        if self.recorder is not None:
            try:
                await run_in_threadpool(self.recorder.put, answer.decision)
            except AdjudgeError as e:
                # Required, and not stored: there is no answer, so nobody can act on one.
                raise ApiError(500, "ledger_unavailable", f"not answered: {e.message}") from None
        if answer.error is not None:
            error = answer.error
            where = error.location
            entry: dict[str, Any] = {"code": error.code, "message": error.message}
            if where is not None:
                entry["location"] = {"file": where.file, "row": where.row, "col": where.col}
            raise ApiError(
                500, "internal_error", "error(s) occurred while evaluating query", [entry]
            )
        return answer


def _segments(path: str) -> list[str | int]:
    """The keys of a path: integers are indexes, other segments strings."""
    out: list[str | int] = []
    for part in path.split("/") if path else []:
        text = unquote(part)
        if '"' in text:
            raise ApiError(400, "invalid_parameter", f"invalid path: invalid ref term '{text}'")
        out.append(int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text)
    return out


async def _body(request: Request) -> Mapping[str, Any]:
    parsed = await _parsed(request, empty={})
    if not isinstance(parsed, dict):
        raise ApiError(
            400,
            "invalid_parameter",
            "body contains malformed input document: an object with the key input is expected",
        )
    return parsed


async def _parsed(request: Request, empty: Any = UNDEFINED) -> Any:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise ApiError(413, "invalid_parameter", "request body too large")
    text = _decoded(bytes(raw))
    if not text.strip():
        if empty is not UNDEFINED:
            return empty
        raise ApiError(400, "invalid_parameter", "body contains malformed input document: empty")
    try:
        if "yaml" in request.headers.get("content-type", ""):
            return read_yaml(text, "body").value
        return read_json(text, "body").value
    except (AdjudgeError, yaml.YAMLError) as e:
        message = e.message if isinstance(e, AdjudgeError) else "invalid YAML"
        raise ApiError(
            400, "invalid_parameter", f"body contains malformed input document: {message}"
        ) from None


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ApiError(
            400, "invalid_parameter", "body contains malformed input document: not UTF-8"
        ) from None


def _query_input(request: Request) -> Any:
    text = request.query_params.get("input")
    if text is None:
        return UNDEFINED
    try:
        return from_json(read_json(text, "input").value)
    except AdjudgeError as e:
        raise ApiError(
            400, "invalid_parameter", f"parameter contains malformed input document: {e.message}"
        ) from None


def _flag(request: Request, name: str) -> bool:
    value = request.query_params.get(name)
    return value is not None and value.lower() in ("", "true")


def _json(value: Any, request: Request) -> Response:
    pretty = _flag(request, "pretty")
    text = to_indented_json_text(value, "", "  ") if pretty else to_json_text(value)
    return Response(text + ("\n" if pretty else ""), media_type="application/json")
