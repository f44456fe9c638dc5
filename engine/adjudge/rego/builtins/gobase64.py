"""Base64 as Go reads it: consumes a text, produces bytes or the place of the first mistake."""

from __future__ import annotations

import base64
import re
from typing import Final

from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.runtime.text import utf8_bytes

_NEWLINES: Final = bytes.maketrans(b"", b""), b"\r\n"
_STANDARD: Final = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
_URL: Final = re.compile(rb"[A-Za-z0-9_-]*={0,2}")


def decode(text: str | bytes, *, url: bool = False) -> bytes:
    """The bytes of padded base64, line ends ignored; ``url`` takes the URL-safe alphabet.

    Raises BuiltinError ``illegal base64 data at input byte N``.
    """
    data = utf8_bytes(text) if isinstance(text, str) else text
    compact = data.translate(*_NEWLINES)
    if len(compact) % 4 or not (_URL if url else _STANDARD).fullmatch(compact):
        raise BuiltinError(f"illegal base64 data at input byte {_mistake(data, url)}")
    return base64.b64decode(compact, b"-_" if url else None)


def decode_url_unpadded(text: str) -> bytes:
    """The bytes of URL-safe base64 whose padding may be missing, as in a JSON web token."""
    size = len(utf8_bytes(text)) % 4
    if not text.endswith("=") and size:
        if size == 1:
            raise BuiltinError(f"illegal base64url string: {text}")
        text += "=" * (4 - size)
    return decode(text, url=True)


def encode_url(data: bytes) -> str:
    """URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _mistake(data: bytes, url: bool) -> int:
    """The offset Go reports: of the bad byte, or of the group of four that is cut short."""
    alphabet = b"-_" if url else b"+/"
    group: list[int] = []
    for at, byte in enumerate(data):
        if byte in b"\r\n":
            continue
        if (byte < 0x80 and chr(byte).isalnum()) or byte in alphabet:
            group = [*group, at] if len(group) < 4 else [at]
            continue
        if byte != 0x3D or len(group) not in (2, 3):
            return at
        return _mistake_in_padding(data, at, len(group) == 2)
    # The text ends within a group: Go steps back over what it had read of it.
    return len(data) - len(group) % 4


def _mistake_in_padding(data: bytes, at: int, second: bool) -> int:
    """The mistake at or after the first padding character, which is at ``at``."""

    def after_newlines(place: int) -> int:
        while data[place : place + 1] in (b"\r", b"\n"):
            place += 1
        return place

    place = after_newlines(at + 1) if second else at + 1
    if second:
        if place == len(data):
            return place
        if data[place] != 0x3D:
            return place - 1
        place += 1
    return after_newlines(place)
