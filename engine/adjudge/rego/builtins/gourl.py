"""URLs by the rules of Go's ``net/url``: consumes a text, produces its parts and the text again.

Where a URL comes from a certificate or a request, OPA shows or signs what Go made of
it, so its exact escaping matters.  Inside this module a string holds one byte of UTF-8
in each character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any, Final

from adjudge.rego.runtime.text import go_quote, utf8_bytes, utf8_text

_UNRESERVED: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
_HOST: Final = frozenset(_UNRESERVED + "!$&'()*+,;=:[]<>\"")
_PATH: Final = frozenset(_UNRESERVED + "$&+,/:;=@")
_FRAGMENT: Final = frozenset(_UNRESERVED + "$&+,/:;=?@!()*")
_USER: Final = frozenset(_UNRESERVED + "$&+,;=")
_VALID_EXTRA: Final = frozenset("!$&'()*+,;=:@[]%")
_USERINFO: Final = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")
_PERCENT: Final = re.compile(r"%([0-9A-Fa-f]{2})?")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_PORT: Final = re.compile(r"(?::[0-9]*)?")


class UrlError(Exception):
    """The text is no URL; the message is Go's."""


def _escape(text: str, allowed: frozenset[str]) -> str:
    return "".join(c if c in allowed else f"%{ord(c):02X}" for c in text)


def _unescape(text: str, allowed: frozenset[str] | None = None) -> str:
    """The text with ``%XX`` replaced; in a host (``allowed``) only bytes above ASCII and ``%``."""

    def replace(found: re.Match[str]) -> str:
        if not found[1]:
            raise UrlError(f"invalid URL escape {_shown(text[found.start() : found.start() + 3])}")
        byte = int(found[1], 16)
        if allowed is not None and byte < 0x80 and byte != 0x25:
            raise UrlError(f"invalid URL escape {_shown(found[0])}")
        return chr(byte)

    if allowed is not None:
        for char in text:
            if char < "\x80" and char != "%" and char not in allowed:
                raise UrlError(f"invalid character {_shown(char)} in host name")
    return _PERCENT.sub(replace, text)


def _text(value: str) -> str:
    return utf8_text(value.encode("latin-1"))


def _shown(value: str) -> str:
    return go_quote(_text(value))


@dataclass(frozen=True)
class Url:
    """The parts of a URL, named as Go names them.  ``user`` is user and password, or None."""

    scheme: str = ""
    opaque: str = ""
    user: tuple[str, str | None] | None = None
    host: str = ""
    path: str = ""
    raw_path: str = ""
    force_query: bool = False
    raw_query: str = ""
    fragment: str = ""
    raw_fragment: str = ""
    omit_host: bool = False

    def as_go(self) -> dict[str, Any]:
        """The struct as Go writes it in JSON."""
        return {
            "Scheme": _text(self.scheme),
            "Opaque": _text(self.opaque),
            "User": None if self.user is None else {},
            "Host": _text(self.host),
            "Path": _text(self.path),
            "RawPath": _text(self.raw_path),
            "OmitHost": self.omit_host,
            "ForceQuery": self.force_query,
            "RawQuery": _text(self.raw_query),
            "Fragment": _text(self.fragment),
            "RawFragment": _text(self.raw_fragment),
        }

    def escaped_path(self) -> str:
        """The path as it goes over the wire."""
        if self.raw_path and _is_escaped(self.raw_path, _PATH):
            return self.raw_path
        return "*" if self.path == "*" else _escape(self.path, _PATH)

    def _authority(self) -> str:
        if not (self.scheme or self.host or self.user is not None):
            return ""
        if self.omit_host and not self.host and self.user is None:
            return ""
        out = "//" if self.host or self.path or self.user is not None else ""
        if self.user is not None:
            name, password = self.user
            out += _escape(name, _USER)
            out += "" if password is None else ":" + _escape(password, _USER)
            out += "@"
        return out + _escape(self.host, _HOST)

    def __str__(self) -> str:
        out = f"{self.scheme}:" if self.scheme else ""
        if self.opaque:
            out += self.opaque
        else:
            out += self._authority()
            path = self.escaped_path()
            if path and path[0] != "/" and self.host:
                out += "/"
            if not out and ":" in path.partition("/")[0]:
                out = "./"
            out += path
        if self.force_query or self.raw_query:
            out += "?" + self.raw_query
        if self.fragment:
            if self.raw_fragment and _is_escaped(self.raw_fragment, _FRAGMENT):
                out += "#" + self.raw_fragment
            else:
                out += "#" + _escape(self.fragment, _FRAGMENT)
        return _text(out)


def _is_escaped(text: str, allowed: frozenset[str]) -> bool:
    return all(c in allowed or c in _VALID_EXTRA for c in text)


def parse(raw: str) -> Url:
    """The parts of a URL or a reference to one; UrlError if the text is neither."""
    text = utf8_bytes(raw).decode("latin-1")
    head, _, fragment = text.partition("#")
    try:
        parts = _parse(head)
    except UrlError as err:
        raise UrlError(f"parse {_shown(head)}: {err}") from None
    try:
        parts["fragment"] = _unescape(fragment)
    except UrlError as err:
        raise UrlError(f"parse {_shown(text)}: {err}") from None
    if fragment != _escape(parts["fragment"], _FRAGMENT):
        parts["raw_fragment"] = fragment
    return Url(**parts)


def _parse(text: str) -> dict[str, Any]:
    if any(c < " " or c == "\x7f" for c in text):
        raise UrlError("net/url: invalid control character in URL")
    if text == "*":
        return {"path": "*"}
    if text[:1] == ":":
        raise UrlError("missing protocol scheme")
    parts: dict[str, Any] = {}
    rest = text
    scheme = _SCHEME.match(text)
    if scheme:
        parts["scheme"] = scheme[1].lower()
        rest = text[scheme.end() :]
    if rest.endswith("?") and rest.count("?") == 1:
        parts["force_query"] = True
        rest = rest[:-1]
    else:
        rest, _, parts["raw_query"] = rest.partition("?")
    if not rest.startswith("/"):
        if scheme:
            return {**parts, "opaque": rest}
        if ":" in rest.partition("/")[0]:
            raise UrlError("first path segment in URL cannot contain colon")
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, tail = rest[2:].partition("/")
        rest = slash + tail
        parts["user"], parts["host"] = _parse_authority(parts.get("scheme", ""), authority)
    elif scheme and rest.startswith("/"):
        parts["omit_host"] = True
    parts["path"], parts["raw_path"] = _split_path(rest)
    return parts


def _parse_authority(scheme: str, authority: str) -> tuple[tuple[str, str | None] | None, str]:
    userinfo, at, host = authority.rpartition("@")
    host = _parse_host(scheme, host)
    if not at:
        return None, host
    if not _USERINFO.fullmatch(userinfo):
        raise UrlError("net/url: invalid userinfo")
    name, colon, password = userinfo.partition(":")
    return (_unescape(name), _unescape(password) if colon else None), host


def _check_port(port: str) -> None:
    if not _PORT.fullmatch(port):
        raise UrlError(f"invalid port {_shown(port)} after host")


def _parse_host(scheme: str, host: str) -> str:
    bracket = host.rfind("[")
    if bracket > 0:
        raise UrlError("invalid IP-literal")
    if bracket == 0:
        return _parse_ip_literal(host)
    if ":" in host:
        strict = scheme in ("http", "https")
        _check_port(host[host.index(":") if strict else host.rindex(":") :])
    return _unescape(host, _HOST)


def _parse_ip_literal(host: str) -> str:
    end = host.rfind("]")
    if end < 0:
        raise UrlError("missing ']' in host")
    _check_port(host[end + 1 :])
    name, marker, zone = host[1:end].partition("%25")
    name = _unescape(name, _HOST)
    if marker:
        name += _unescape(marker + zone)
    try:
        address = ip_address(name)
    except ValueError:
        raise UrlError(f"invalid host: ParseAddr({_shown(name)}): unable to parse IP") from None
    if address.version == 4:
        raise UrlError("invalid IP-literal")
    return f"[{name}]{host[end + 1 :]}"


# -- references ----------------------------------------------------------------------


def without_fragment(url: Url) -> Url:
    """The URL of the whole document."""
    return replace(url, fragment="", raw_fragment="")


def resolve(base: Url, reference: Url) -> Url:
    """What a reference means at a base (RFC 3986 §5.2)."""
    scheme = reference.scheme or base.scheme
    if reference.scheme or reference.host or reference.user is not None:
        path, raw = _split_path(_merged(reference.escaped_path(), ""))
        return replace(reference, scheme=scheme, path=path, raw_path=raw)
    if reference.opaque:
        return replace(reference, scheme=scheme)
    found = replace(reference, scheme=scheme)
    if not reference.path and not reference.force_query and not reference.raw_query:
        found = replace(found, raw_query=base.raw_query)
        if not reference.fragment:
            found = replace(found, fragment=base.fragment, raw_fragment=base.raw_fragment)
    if not reference.path and base.opaque:
        return replace(found, opaque=base.opaque)
    path, raw = _split_path(_merged(base.escaped_path(), reference.escaped_path()))
    return replace(found, host=base.host, user=base.user, path=path, raw_path=raw)


def _split_path(path: str) -> tuple[str, str]:
    """The path decoded, and as it is written where that cannot be told from the former."""
    decoded = _unescape(path)
    return decoded, "" if path == _escape(decoded, _PATH) else path


def _merged(base: str, reference: str) -> str:
    """The reference's path put in place of the last segment of the base, without dots."""
    if reference.startswith("/"):
        full = reference
    else:
        full = base[: base.rfind("/") + 1] + reference if reference else base
    if not full:
        return ""
    path, first = "/", True
    segment = ""
    for segment in full.split("/"):
        if segment == ".":
            first = False
        elif segment == "..":
            first = "/" not in path[1:]
            path = "/" + path[1:].rpartition("/")[0]
        else:
            path += segment if first else "/" + segment
            first = False
    if segment in (".", ".."):
        path += "/"
    # The slash that a path starts with was counted twice: as its start and as a segment.
    return path[1:] if path.startswith("//") else path
