"""A request of ``http.send`` in, the response out: the network, where it was granted.

Proxies are those of the environment; nothing is kept between requests.
"""

from __future__ import annotations

import os
import socket
import ssl
from http.client import HTTPResponse
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    Request,
    build_opener,
)

MAX_BODY: Final = 64 * 1024 * 1024
_TLS: Final = frozenset(
    {
        *("ca_cert", "ca_cert_file", "ca_cert_env_variable", "use_system_certs"),
        *("client_cert_file", "client_key_file", "insecure_skip_verify"),
    }
)
_SCHEMES: Final = ("http://", "https://")


def send(request: dict[str, Any]) -> dict[str, Any]:
    """Send a request and read the answer; shapes as in ``adjudge.rego.builtins.http``.

    Raises OSError when there is no answer.
    """
    if not request["url"].lower().startswith(_SCHEMES):
        raise OSError("unsupported protocol scheme")
    opener = _opener(request["enable_redirect"], request["tls"])
    sent = Request(  # noqa: S310 - the scheme was looked at
        request["url"],
        data=request["body"] or None,
        headers=request["headers"],
        method=request["method"],
    )
    seconds = request["timeout_ns"] / 1e9 or None
    for left in range(request["max_retry_attempts"], -1, -1):
        try:
            return _answer(opener, sent, seconds)
        except OSError:
            if not left:
                raise
    raise AssertionError("the last attempt returns or raises")


def _answer(opener: OpenerDirector, sent: Request, seconds: float | None) -> dict[str, Any]:
    try:
        with opener.open(sent, timeout=seconds) as response:
            return _read(response)
    except HTTPError as error:
        # An answer that is no success is an answer all the same.
        with error:
            return _read(error)
    except URLError as error:
        if isinstance(error.reason, OSError):
            raise error.reason from None
        raise OSError(str(error.reason)) from None


def _read(response: HTTPResponse | HTTPError) -> dict[str, Any]:
    body = response.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise OSError(f"the response is larger than {MAX_BODY} bytes")
    headers: dict[str, list[str]] = {}
    for name, value in response.headers.items():
        headers.setdefault(name, []).append(value)
    code = int(response.status or 0)
    return {
        "status": f"{code} {response.reason}".strip(),
        "status_code": code,
        "headers": headers,
        "body": body,
    }


class _Stay(HTTPRedirectHandler):
    """Leaves redirects to the policy."""

    def redirect_request(self, *args: Any) -> None:
        return None


def _opener(redirects: bool, tls: dict[str, Any]) -> OpenerDirector:
    handlers = [HTTPHandler(), HTTPSHandler(context=_context(tls))]
    return build_opener(*handlers, *([] if redirects else [_Stay()]))


def _context(tls: dict[str, Any]) -> ssl.SSLContext:
    unknown = sorted(set(tls) - _TLS)
    if unknown:
        raise OSError(f"tls_{unknown[0]} is not supported")
    context = ssl.create_default_context(
        cafile=tls.get("ca_cert_file"), cadata=_text(tls, "ca_cert")
    )
    certificate, key = tls.get("client_cert_file"), tls.get("client_key_file")
    if certificate:
        context.load_cert_chain(certificate, key)
    if tls.get("insecure_skip_verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _text(tls: dict[str, Any], name: str) -> str | None:
    """A PEM text, given itself or by the variable that holds it."""
    variable = tls.get(f"{name}_env_variable")
    found = os.environ.get(variable) if variable else None
    return tls.get(name) or found


def lookup(name: str) -> list[str]:
    """The addresses of a host; raises OSError."""
    return sorted({str(found[4][0]) for found in socket.getaddrinfo(name, None)})
