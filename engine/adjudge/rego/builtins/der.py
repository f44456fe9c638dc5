"""DER, the strict binary form of ASN.1: consumes bytes, produces elements and their values.

Only what certificates and keys need.  Everything that is not DER ends in DerError;
tags above 30 and lengths above four bytes count as that too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

from adjudge.rego.builtins.registry import BuiltinError

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
UTF8_STRING: Final = 0x0C
NUMERIC_STRING: Final = 0x12
PRINTABLE_STRING: Final = 0x13
T61_STRING: Final = 0x14
IA5_STRING: Final = 0x16
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
BMP_STRING: Final = 0x1E
SEQUENCE: Final = 0x30
SET: Final = 0x31

_PRINTABLE: Final = re.compile(rb"[A-Za-z0-9 '()+,\-./:=?*&]*")
_TIME: Final = re.compile(rb"([0-9]{10}|[0-9]{12}|[0-9]{14})(?:Z|([+-])([0-9]{2})([0-9]{2}))")


class DerError(Exception):
    """The bytes are not what they should be."""


@contextmanager
def saying(message: str) -> Iterator[None]:
    """Turn a DerError into a BuiltinError with the message."""
    try:
        yield
    except DerError as err:
        raise BuiltinError(f"{message}: {err}" if str(err) else message) from None


class Element(NamedTuple):
    """A tag (class and form included), the content, and both with the length as they stood."""

    tag: int
    content: bytes
    raw: bytes


def context(number: int, *, constructed: bool = False) -> int:
    """The tag of ``[number]``."""
    return 0x80 | number | (0x20 if constructed else 0)


class Reader:
    """Takes elements off the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    @property
    def tag(self) -> int:
        """The tag of the next element; -1 at the end."""
        return self._data[self._at] if self else -1

    def take(self, tag: int | None = None) -> Element:
        """The next element, which must have the tag if one is given."""
        start = self._at
        head = self._data[start : start + 6]
        if len(head) < 2 or head[0] & 0x1F == 0x1F or (tag is not None and head[0] != tag):
            raise DerError
        length, at = head[1], start + 2
        if length >= 0x80:
            size = length & 0x7F
            octets = head[2 : 2 + size]
            length = int.from_bytes(octets)
            # The shortest form only: no leading zero, no long form for a short length.
            if not 1 <= size <= 4 or len(octets) < size or octets[0] == 0 or length < 0x80:
                raise DerError
            at += size
        end = at + length
        if end > len(self._data):
            raise DerError
        self._at = end
        return Element(head[0], self._data[at:end], self._data[start:end])

    def into(self, tag: int = SEQUENCE) -> Reader:
        """A reader of the content of the next element."""
        return Reader(self.take(tag).content)

    def optional(self, tag: int) -> Element | None:
        """The next element if it has the tag."""
        return self.take(tag) if self.tag == tag else None

    def integer(self, tag: int = INTEGER) -> int:
        """The next element as an integer."""
        return integer(self.take(tag).content)

    def oid(self) -> tuple[int, ...]:
        """The next element as an object identifier."""
        return oid(self.take(OBJECT_IDENTIFIER).content)

    def boolean(self) -> bool:
        """The next element as a boolean."""
        content = self.take(BOOLEAN).content
        if content not in (b"\x00", b"\xff"):
            raise DerError
        return content == b"\xff"

    def bits(self) -> tuple[bytes, int]:
        """The next element as a bit string: its bytes and how many last bits do not count."""
        content = self.take(BIT_STRING).content
        if not content or content[0] > 7 or (content[0] and len(content) == 1):
            raise DerError
        if content[-1] & ((1 << content[0]) - 1) and len(content) > 1:
            raise DerError
        return content[1:], content[0]

    def aligned_bits(self) -> bytes:
        """The next element as a bit string moved so that its last bit is the last bit."""
        octets, unused = self.bits()
        if not unused:
            return octets
        return (int.from_bytes(octets) >> unused).to_bytes(len(octets))


def integer(content: bytes) -> int:
    """The integer with this content, in the fewest bytes."""
    if not content:
        raise DerError
    if len(content) > 1 and content[0] in (0x00, 0xFF):
        if (content[0] == 0) == (content[1] < 0x80):
            raise DerError
    return int.from_bytes(content, signed=True)


def oid(content: bytes) -> tuple[int, ...]:
    """The arcs of the object identifier with this content."""
    if not content or content[-1] & 0x80:
        raise DerError
    arcs: list[int] = []
    arc, size = 0, 0
    for octet in content:
        if size == 0 and octet == 0x80:
            raise DerError
        arc, size = arc << 7 | octet & 0x7F, size + 1
        if arc > 0x7FFFFFFF:
            raise DerError
        if not octet & 0x80:
            arcs.append(arc)
            arc, size = 0, 0
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - first * 40, *arcs[1:])


def dotted(arcs: tuple[int, ...]) -> str:
    """``1.2.840.113549``."""
    return ".".join(map(str, arcs))


def time(element: Element) -> datetime:
    """The moment of a UTCTime or GeneralizedTime."""
    found = _TIME.fullmatch(element.content)
    if found is None:
        raise DerError
    digits = found[1].decode()
    if element.tag == UTC_TIME and len(digits) <= 12:
        digits = ("19" if digits[:2] >= "50" else "20") + digits.ljust(12, "0")
    elif element.tag != GENERALIZED_TIME or len(digits) != 14:
        raise DerError
    zone: timezone = UTC
    if found[2]:
        offset = timedelta(hours=int(found[3]), minutes=int(found[4]))
        zone = timezone(-offset if found[2] == b"-" else offset)
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=zone)
    except ValueError:
        raise DerError from None


def string(element: Element) -> str:
    """The text of a character string; DerError says which kind was malformed."""
    tag, content = element.tag, element.content
    if tag == UTF8_STRING:
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise DerError("invalid UTF-8 string") from None
    if tag == T61_STRING:
        return content.decode("latin-1")
    if tag == BMP_STRING:
        return _bmp_string(content)
    if tag == PRINTABLE_STRING:
        if not _PRINTABLE.fullmatch(content):
            raise DerError("invalid PrintableString")
    elif tag == IA5_STRING:
        if not content.isascii():
            raise DerError("invalid IA5String")
    elif tag == NUMERIC_STRING:
        if not all(b in b"0123456789 " for b in content):
            raise DerError("invalid NumericString")
    else:
        raise DerError(f"unsupported string type: {tag}")
    return content.decode("ascii")


def _bmp_string(content: bytes) -> str:
    if len(content) % 2:
        raise DerError("invalid BMPString")
    try:
        text = content.removesuffix(b"\0\0").decode("utf-16-be")
    except UnicodeDecodeError:
        raise DerError("invalid BMPString") from None
    # A pair of surrogates decodes to one character above what the string may have.
    if any(c > "\ufffd" or "\ufdd0" <= c <= "\ufdef" for c in text):
        raise DerError("invalid BMPString")
    return text
