"""What OPA's JSON Schema library checks in texts: consumes a format's name and a value, produces a
verdict.

Unknown formats and values that are no strings always pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Final

import re2

from adjudge.rego.builtins import gourl
from adjudge.rego.builtins.golayout import CONSTANTS, LayoutError, parse_ns
from adjudge.rego.runtime.text import utf8_bytes

_LABEL: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9\-]{0,61}[a-zA-Z0-9])?"
_HOSTNAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_UUID: Final = re.compile(r"[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}", re.IGNORECASE)
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~0|~1)*)*")
_RELATIVE_POINTER: Final = re.compile(r"(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~0|~1)*)*)")

# An address as in a mail header (RFC 5322): ``a@b``, ``<a@b>`` or ``Some Name <a@b>``.
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\U0010ffff]+"
_QUOTED: Final = r'"(?:[^"\\\r\n]|\\[^\r\n])*"'
_ADDRESS: Final = re.compile(
    rf"(?:{_ATOM}(?:\.{_ATOM})*|{_QUOTED})@(?:{_ATOM}(?:\.{_ATOM})*|\[[^\[\]\\\r\n]*\])"
)
_PHRASE: Final = re.compile(rf"\s*(?:(?:{_ATOM}|{_QUOTED}|\.)\s*)*")

_RE2_OPTIONS: Final = re2.Options()
_RE2_OPTIONS.log_errors = False


def compile_pattern(pattern: str) -> Any:
    """A regular expression in the syntax of RE2, or None if it is not one."""
    try:
        return re2.compile(utf8_bytes(pattern), _RE2_OPTIONS)
    except re2.error:
        return None


def matches(compiled: Any, text: str) -> bool:
    """Whether a compiled pattern is found anywhere in the text."""
    return compiled.search(utf8_bytes(text)) is not None


def has_format(name: str, value: Any) -> bool:
    """Whether the value has the format."""
    check = _CHECKS.get(name)
    return check is None or not isinstance(value, str) or check(value)


def _time(*layouts: str) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        for layout in layouts:
            try:
                parse_ns(layout, text)
            except LayoutError:
                continue
            return True
        return False

    return check


def _ip(separator: str) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            ip_address(text)
        except ValueError:
            return False
        return separator in text and "%" not in text

    return check


def _hostname(text: str) -> bool:
    return len(utf8_bytes(text)) < 256 and _HOSTNAME.fullmatch(text) is not None


def _email(text: str) -> bool:
    text = text.strip(" \t\r\n")
    if text.endswith(">"):
        phrase, opening, text = text[:-1].rpartition("<")
        if not opening or not _PHRASE.fullmatch(phrase):
            return False
    return _ADDRESS.fullmatch(text.strip(" \t")) is not None


def _url(text: str) -> gourl.Url | None:
    try:
        return None if "\\" in text else gourl.parse(text)
    except gourl.UrlError:
        return None


def _uri(text: str) -> bool:
    url = _url(text)
    return url is not None and bool(url.scheme)


def _uri_reference(text: str) -> bool:
    return _url(text) is not None


def _uri_template(text: str) -> bool:
    url = _url(text)
    if url is None:
        return False
    rest = url.path
    while "{" in rest:
        _, closing, rest = rest.partition("{")[2].partition("}")
        if not closing:
            return False
    return True


def _regex(text: str) -> bool:
    return compile_pattern(text) is not None


def _full(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


_CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "date": _time("2006-01-02"),
    "time": _time("15:04:05Z07:00", "15:04:05"),
    "date-time": _time(
        "15:04:05", "15:04:05Z07:00", "2006-01-02", CONSTANTS["RFC3339"], CONSTANTS["RFC3339Nano"]
    ),
    "hostname": _hostname,
    "email": _email,
    "idn-email": _email,
    "ipv4": _ip("."),
    "ipv6": _ip(":"),
    "uri": _uri,
    "uri-reference": _uri_reference,
    "iri": _uri,
    "iri-reference": _uri_reference,
    "uri-template": _uri_template,
    "uuid": _full(_UUID),
    "regex": _regex,
    "json-pointer": _full(_POINTER),
    "relative-json-pointer": _full(_RELATIVE_POINTER),
}
