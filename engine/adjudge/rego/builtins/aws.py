"""``providers.aws.sign_req``: consumes a request, AWS credentials and a time; produces the request
with the headers of AWS Signature Version 4."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

from adjudge.rego.builtins import gourl
from adjudge.rego.builtins.golayout import Moment, format_moment
from adjudge.rego.builtins.http_request import checked_request, operand_failure
from adjudge.rego.builtins.registry import (
    BuiltinError,
    builtin,
    operand_error,
    want_number,
    want_object,
)
from adjudge.rego.runtime.arithmetic import exact_integer, number_text
from adjudge.rego.runtime.text import rego_text, to_json_text, utf8_bytes
from adjudge.rego.runtime.values import RegoSet, Value, plain_items

_REQUIRED: Final = ("aws_service", "aws_access_key", "aws_secret_access_key", "aws_region")
# A proxy may change these on the way, so they are not signed.
_UNSIGNED: Final = frozenset(["authorization", "user-agent", "x-amzn-trace-id"])
_UNSIGNED_PAYLOAD: Final = "UNSIGNED-PAYLOAD"


@builtin("providers.aws.sign_req")
def sign_req(request: Value, aws_config: Value, time_ns: Value) -> Value:
    """The request with ``Authorization`` and the other headers that AWS wants."""
    want_object(request, 1)
    config = _checked_config(want_object(aws_config, 1))
    moment = _checked_time(time_ns)
    given = checked_request(request)
    headers = given.get("headers", {})
    if headers.__class__ is not dict:
        raise operand_error(0, "object", headers)
    wrong = RegoSet(name for name in ("method", "url") if not isinstance(given[name], str))
    if len(wrong):
        raise operand_failure(
            1, f"invalid values for required request parameters(s): {rego_text(wrong)}"
        )
    try:
        url = gourl.parse(given["url"])
    except gourl.UrlError as err:
        raise BuiltinError(str(err)) from None
    unsigned = config.get("disable_payload_signing", False)
    if unsigned is not True and unsigned is not False:
        raise operand_failure(2, "invalid value for 'disable_payload_signing' in AWS config")
    digest = _UNSIGNED_PAYLOAD if unsigned else hashlib.sha256(_body(given)).hexdigest()
    texts = {_text(name): _text(value) for name, value in plain_items(headers)}
    added = _aws_headers(config, url, digest, moment)
    added["Authorization"] = _authorization(
        config, given["method"], url, {**added, **_signed_headers(texts)}, digest, moment
    )
    return {**given, "headers": {**texts, **added}}


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""


def _checked_config(config: dict[Any, Value]) -> dict[Any, Value]:
    missing = RegoSet(name for name in _REQUIRED if name not in config)
    if len(missing):
        raise operand_failure(2, f"missing required AWS config parameters(s): {rego_text(missing)}")
    wrong = RegoSet(name for name in _REQUIRED if not isinstance(config[name], str))
    if len(wrong):
        raise operand_failure(
            2, f"invalid values for required AWS config parameters(s): {rego_text(wrong)}"
        )
    return config


def _checked_time(time_ns: Value) -> Moment:
    # OPA does not take integers written with an exponent here.
    number = want_number(time_ns, 1)
    ns = None if "e" in number_text(number) else exact_integer(number)
    if ns is None or not -(1 << 63) <= ns < 1 << 63:
        raise operand_failure(3, "could not convert time_ns value into a unix timestamp")
    return Moment(ns)


def _body(request: dict[Any, Value]) -> bytes:
    if "raw_body" in request:
        return utf8_bytes(_text(request["raw_body"]))
    return utf8_bytes(to_json_text(request["body"])) if "body" in request else b""


def _aws_headers(
    config: dict[Any, Value], url: gourl.Url, digest: str, moment: Moment
) -> dict[str, str]:
    """The headers that AWS wants beside the request's own."""
    headers = {"host": url.as_go()["Host"], "x-amz-date": format_moment(moment, "20060102T150405Z")}
    if config["aws_service"] in ("s3", "glacier"):
        headers["x-amz-content-sha256"] = digest
    token = _text(config.get("aws_session_token", ""))
    if token:
        headers["x-amz-security-token"] = token
    return headers


def _signed_headers(headers: dict[str, str]) -> dict[str, str]:
    lowered = {name.lower(): value for name, value in sorted(headers.items())}
    return {name: value for name, value in lowered.items() if name not in _UNSIGNED}


def _authorization(
    config: dict[Any, Value],
    method: str,
    url: gourl.Url,
    headers: dict[str, str],
    digest: str,
    moment: Moment,
) -> str:
    names = ";".join(sorted(headers))
    lines = [method, url.escaped_path(), url.as_go()["RawQuery"]]
    lines += [f"{name}:{value}" for name, value in sorted(headers.items())]
    canonical = "\n".join([*lines, "", names, digest])
    day = format_moment(moment, "20060102")
    scope = f"{day}/{config['aws_region']}/{config['aws_service']}/aws4_request"
    to_sign = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            format_moment(moment, "20060102T150405Z"),
            scope,
            hashlib.sha256(utf8_bytes(canonical)).hexdigest(),
        ]
    )
    key = utf8_bytes("AWS4" + config["aws_secret_access_key"])
    for part in (*scope.split("/"), to_sign):
        key = hmac.new(key, utf8_bytes(part), hashlib.sha256).digest()
    credential = f"{config['aws_access_key']}/{scope}"
    return f"AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={names},Signature={key.hex()}"
