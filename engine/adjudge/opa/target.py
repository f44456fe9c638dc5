"""The options of a person in, a checked :class:`Target` out: which OPA, and how to talk to it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from adjudge.errors import InputError, UsageError

DEFAULT_TIMEOUT: Final = 10.0
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
MAX_TOKEN: Final = 16 * 1024
"""Bytes of a file that holds a token."""

_VISIBLE: Final = re.compile(r"[!-~]+")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\]")


@dataclass(frozen=True, slots=True)
class Target:
    """A running OPA.

    ``timeout`` is how many seconds one request may take with its retries, from the first byte
    sent to the last one read.  ``ca`` is a file of certificates to trust in place of the usual
    ones.  ``push`` False: the policies and data are there already, as a bundle, and nothing is
    written.
    """

    scheme: str
    host: str
    port: int
    token: str | None = field(default=None, repr=False)
    ca: str | None = None
    timeout: float = DEFAULT_TIMEOUT
    push: bool = True

    @property
    def url(self) -> str:
        """The address as messages and records show it; it holds no secret."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def in_the_clear(self) -> bool:
        """Whether what is sent can be read on a network."""
        if self.scheme == "https" or self.host == "localhost":
            return False
        try:
            return not ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return True


def parse_target(
    url: str,
    *,
    token_file: Path | None = None,
    ca: Path | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    push: bool = True,
) -> Target:
    """The OPA at ``url``, such as ``http://127.0.0.1:8181``.

    Raises UsageError ``opa_url_invalid``; InputError ``opa_token_invalid``,
    ``opa_ca_unreadable``.
    """
    scheme, host, port = _parts(url)
    if ca is not None and not ca.is_file():
        raise InputError("opa_ca_unreadable", f"{ca}: there is no such file of certificates")
    return Target(
        scheme=scheme,
        host=host,
        port=port,
        token=None if token_file is None else read_token(token_file),
        ca=None if ca is None else str(ca),
        timeout=timeout,
        push=push,
    )


def _parts(url: str) -> tuple[str, str, int]:
    if not _VISIBLE.fullmatch(url):
        raise _invalid(repr(url), "it holds a character that no address has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _invalid(url, "it cannot be read as an address") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise _invalid(url, "it begins with neither http:// nor https://")
    if "@" in parts.netloc:
        # Not shown: it is a secret.
        raise _invalid("the address of OPA", "it holds a user name", "use --opa-token-file")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _invalid(url, "it has a path; the OPA must stand at the root of its address")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    if not _HOST.fullmatch(host):
        raise _invalid(url, "it names no host")
    return parts.scheme, host, DEFAULT_PORTS[parts.scheme] if port is None else port


def _invalid(url: str, why: str, hint: str = "such as opa=http://127.0.0.1:8181") -> UsageError:
    return UsageError("opa_url_invalid", f"{url[:200]}: {why}", hint=hint)


def read_token(path: Path) -> str:
    """The bearer token in a file; raises InputError ``opa_token_invalid``.

    Nothing of it is ever part of a message.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_TOKEN + 1)
    except OSError as error:
        raise InputError("opa_token_invalid", f"{path}: {error.strerror or error}") from None
    token = raw.decode("ascii", "replace").strip()
    if len(raw) > MAX_TOKEN or not _VISIBLE.fullmatch(token):
        raise InputError(
            "opa_token_invalid",
            f"{path} does not hold a token",
            hint="one line of visible ASCII characters is expected",
        )
    return token
