"""``http.send``: consumes a request object; produces the response object.

Policies have no network of their own: the request goes through the host's ``http``
service, and where the host provides none the evaluation ends.  What is wrong with a
request is reported even then.

The service is a callable.  It is given a dictionary of ``method``, ``url``, ``headers``
(name to value), ``body`` (bytes), ``timeout_ns``, ``enable_redirect``,
``max_retry_attempts`` and ``tls`` (the ``tls_…`` parameters without that prefix), and
returns one of ``status`` (``200 OK``), ``status_code``, ``headers`` (name to list of
values) and ``body`` (bytes).  It raises OSError when there is no answer.

Within an evaluation the same request is sent once.  ``cache``, ``force_cache`` and the
other caching parameters are checked and otherwise ignored: nothing is kept between
evaluations.
"""

from __future__ import annotations

from typing import Any, Final

from adjudge.rego.builtins.godurations import parse_duration
from adjudge.rego.builtins.golayout import LayoutError
from adjudge.rego.builtins.http_request import checked_request, operand_failure
from adjudge.rego.builtins.json_text import parse_json
from adjudge.rego.builtins.registry import BuiltinContext, BuiltinError, builtin, want_object
from adjudge.rego.builtins.yaml_text import parse_yaml
from adjudge.rego.runtime.text import (
    go_quote,
    key_text,
    rego_text,
    to_json_text,
    utf8_bytes,
    utf8_text,
)
from adjudge.rego.runtime.values import Value, is_number, plain_items, type_name

_TIMEOUT_NS: Final = 5_000_000_000
_TEXTS: Final = (
    *("method", "url", "raw_body", "tls_ca_cert", "tls_ca_cert_file", "tls_ca_cert_env_variable"),
    *("tls_client_cert", "tls_client_cert_file", "tls_client_cert_env_variable"),
    *("tls_client_key", "tls_client_key_file", "tls_client_key_env_variable", "tls_server_name"),
)
_SWITCHES: Final = ("enable_redirect", "tls_use_system_certs", "tls_insecure_skip_verify")
_FIELDS: Final = ("cache", "force_cache", "force_json_decode", "force_yaml_decode")


@builtin("http.send", context=True, nondeterministic=True)
def send(ctx: BuiltinContext, request: Value) -> Value:
    """The response, or with ``raise_error`` false an object with ``error`` if there is none."""
    raising = want_object(request, 1).get("raise_error", True)
    if raising is not True and raising is not False:
        raise BuiltinError("invalid value for raise_error field")
    try:
        return _answer(ctx, checked_request(request))
    except BuiltinError as err:
        if raising or err.halt:
            raise
        return _error_object(
            "eval_http_send_internal_error", f"{err.code}: http.send: {err.message}"
        )
    except OSError as err:
        if raising:
            what = "request timed out" if isinstance(err, TimeoutError) else str(err)
            raise BuiltinError(f"{_label(request)}: {what}") from None
        return _error_object("eval_http_send_network_error", f"{_label(request)}: {err}")


def _label(request: dict[Any, Value]) -> str:
    """``Get "http://…"``, as Go's client begins its errors."""
    return f"{request['method'].capitalize()} {rego_text(request['url'])}"


def _error_object(code: str, message: str) -> Value:
    return {"status_code": 0, "error": {"code": code, "message": message}}


def _answer(ctx: BuiltinContext, request: dict[Any, Value]) -> Value:
    _check_caching(request)
    prepared = _prepared(request)
    transport: Any = ctx.service("http")
    if transport is None:
        raise BuiltinError("withheld: policies may not send requests here", halt=True)
    response = transport(prepared)
    body: bytes = response["body"]
    if len(body) > ctx.max_size:
        raise BuiltinError(f"the response is larger than {ctx.max_size} bytes", halt=True)
    ctx.charge(len(body) // 100)
    headers = {
        name.lower(): [str(value) for value in values]
        for name, values in response["headers"].items()
    }
    return {
        "status": response["status"],
        "status_code": response["status_code"],
        "headers": headers,
        "body": _decoded_body(ctx, request, headers, body),
        "raw_body": utf8_text(body),
    }


def _decoded_body(
    ctx: BuiltinContext, request: dict[Any, Value], headers: dict[str, list[str]], body: bytes
) -> Value:
    """The body as a value if it is JSON or YAML, or said to be; null if it is not."""
    kind = (headers.get("content-type") or [""])[0]
    media = kind.partition(";")[0].strip().lower()
    main, _, sub = media.partition("/")
    is_json = main == "application" and (sub == "json" or sub.endswith("+json"))
    is_yaml = "application/yaml" in kind or "application/x-yaml" in kind
    try:
        if request.get("force_json_decode") or is_json:
            return parse_json(utf8_text(body))
        if request.get("force_yaml_decode") or is_yaml:
            return parse_yaml(ctx, utf8_text(body))
    except BuiltinError as err:
        if err.halt:
            raise
    return None


# -- the request ---------------------------------------------------------------------


def _check_caching(request: dict[Any, Value]) -> None:
    for name in _FIELDS:
        if not isinstance(request.get(name, False), bool):
            raise BuiltinError(f'invalid value for "{name}" field')
    if request.get("force_cache") and "force_cache_duration_seconds" not in request:
        raise BuiltinError(
            "'force_cache' set but 'force_cache_duration_seconds' parameter is missing"
        )
    ignored = request.get("cache_ignored_headers", [])
    if ignored.__class__ is not list or not all(isinstance(name, str) for name in ignored):
        raise BuiltinError("cache_ignored_headers must be an array of strings")


def _prepared(request: dict[Any, Value]) -> dict[str, Any]:
    texts = {name: _trimmed(request, name) for name in _TEXTS if name in request}
    switches = {name: _switch(request, name) for name in _SWITCHES}
    tls = {
        name.removeprefix("tls_"): value
        for name, value in (texts | switches).items()
        if name.startswith("tls_") and value
    }
    body = b""
    if "raw_body" in texts:
        body = utf8_bytes(texts["raw_body"])
    elif "body" in request:
        body = utf8_bytes(to_json_text(request["body"]))
    return {
        "method": texts["method"].upper(),
        "url": texts["url"],
        "headers": _headers(request),
        "body": body,
        "timeout_ns": _timeout_ns(request.get("timeout", _TIMEOUT_NS)),
        "enable_redirect": switches["enable_redirect"],
        "max_retry_attempts": _retries(request.get("max_retry_attempts", 0)),
        "tls": tls,
    }


def _trimmed(request: dict[Any, Value], name: str) -> str:
    value = request[name]
    if not isinstance(value, str):
        raise BuiltinError(f'"{name}" must be a string')
    return value.strip('"')


def _switch(request: dict[Any, Value], name: str) -> bool:
    text = rego_text(request.get(name, False))
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    raise BuiltinError(f"strconv.ParseBool: parsing {go_quote(text)}: invalid syntax")


def _headers(request: dict[Any, Value]) -> dict[str, str]:
    given = request.get("headers", {})
    if given.__class__ is not dict:
        raise BuiltinError("invalid type for headers key")
    headers: dict[str, str] = {}
    for name, value in plain_items(given):
        if not isinstance(value, str):
            raise BuiltinError(f"invalid type for headers value {go_quote(rego_text(value))}")
        headers["-".join(part.capitalize() for part in key_text(name).split("-"))] = value
    return headers


def _timeout_ns(value: Value) -> int:
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) < 19:
            return int(value)
        try:
            return parse_duration(value)
        except LayoutError as err:
            raise BuiltinError(f"invalid timeout value {rego_text(value)}: {err}") from None
    if not is_number(value):
        raise operand_failure(
            1, f"'timeout' must be one of {{string, number}} but got {type_name(value)}"
        )
    if value.__class__ is not int or abs(value) >= 1 << 63:
        raise BuiltinError(f"invalid timeout number value {rego_text(value)}, must be int64")
    return int(value)


def _retries(value: Value) -> int:
    if value.__class__ is not int or value < 0:
        raise BuiltinError(f'invalid value {rego_text(value)} for field "max_retry_attempts"')
    return int(value)
