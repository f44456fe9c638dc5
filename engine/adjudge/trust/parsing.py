"""Bytes of signature files to JSON values and checked fields; every failure is a :class:`Refused`.

Signature files are read twice, by this package and by the libraries that verify them.  The
strictness here (no duplicate keys, no NaN, bounded size and depth) makes both see the same thing.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, TypeVar

from adjudge.trust.reasons import Refused

MAX_SIGNATURE_BYTES = 16 * 1024 * 1024
"""The largest signature file read: a manifest of 100,000 signed files fits."""

_MAX_DEPTH = 100
_T = TypeVar("_T")


def parse_json(raw: bytes) -> Any:
    """The JSON value in ``raw`` (UTF-8, with or without a byte order mark).

    Raises :class:`Refused` (``malformed``, ``too_large``).
    """
    if len(raw) > MAX_SIGNATURE_BYTES:
        raise Refused("too_large", f"{len(raw)} bytes")
    try:
        value = json.loads(
            raw.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
        _check_depth(value)
        if b"\\ud" in raw.lower():  # half a surrogate pair has no UTF-8 form, hence no digest
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError:
        raise Refused("malformed", "it is not UTF-8 text") from None
    except RecursionError:
        raise Refused("malformed", "it is nested too deeply") from None
    except ValueError as error:  # JSONDecodeError, and integers of more than 4,300 digits
        raise Refused("malformed", f"it is not JSON ({error})") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Refused("malformed", "an object states a key twice")
    return result


def _no_constant(text: str) -> Any:
    raise Refused("malformed", f"{text} is not JSON")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_MAX_DEPTH):
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
        if not deeper:
            return
        level = deeper
    raise Refused("malformed", "it is nested too deeply")


def field(value: Any, kind: type[_T], *path: str | int, code: str = "malformed") -> _T:
    """The member of ``value`` at ``path``, which must be there and be a ``kind``."""
    found = optional(value, kind, *path, code=code)
    if found is None:
        raise Refused(code, f"{_shown(path)} is missing")
    return found


def optional(value: Any, kind: type[_T], *path: str | int, code: str = "malformed") -> _T | None:
    """The member of ``value`` at ``path``; None when it is absent or null on the way there."""
    for index, step in enumerate(path):
        if value is None:
            return None
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list):
            value = value[step] if step < len(value) else None
        else:
            raise Refused(code, f"{_shown(path[:index]) or 'the file'} has the wrong type")
    if value is None:
        return None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Refused(code, f"{_shown(path) or 'the file'} has the wrong type")
    return value


def _shown(path: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in path)


_URL_SAFE = str.maketrans("-_", "+/")


def decode_base64(text: str, what: str) -> bytes:
    """The bytes that ``text`` encodes in base64, padded, without foreign characters.

    Both alphabets of RFC 4648 are read, as DSSE 1.0 asks.  The bits that padding leaves over must
    be zero (RFC 4648, 3.5), so that there is one text for the bytes.
    """
    plain = text.translate(_URL_SAFE)
    try:
        found = base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("malformed", f"{what} is not base64") from None
    if base64.b64encode(found).decode("ascii") != plain:
        raise Refused("malformed", f"{what} is not base64 as it is written")
    return found
