"""Go time layouts: consume a layout with a text or a moment; produce nanoseconds or a text.

A layout shows how the reference time ``Mon Jan 2 15:04:05 MST 2006`` would be
written.  The rules are those of the ``time`` package of Go, which OPA's
``time.format`` and ``time.parse_ns`` expose, down to its error texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from adjudge.rego.runtime.text import utf8_bytes

SECOND: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1)

CONSTANTS: Final = {
    "ANSIC": "Mon Jan _2 15:04:05 2006",
    "UnixDate": "Mon Jan _2 15:04:05 MST 2006",
    "RubyDate": "Mon Jan 02 15:04:05 -0700 2006",
    "RFC822": "02 Jan 06 15:04 MST",
    "RFC822Z": "02 Jan 06 15:04 -0700",
    "RFC850": "Monday, 02-Jan-06 15:04:05 MST",
    "RFC1123": "Mon, 02 Jan 2006 15:04:05 MST",
    "RFC1123Z": "Mon, 02 Jan 2006 15:04:05 -0700",
    "RFC3339": "2006-01-02T15:04:05Z07:00",
    "RFC3339Nano": "2006-01-02T15:04:05.999999999Z07:00",
}
"""The layouts that have a name."""

_MONTHS: Final = [
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
]
_DAYS: Final = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

# Alternatives stand in the order in which Go tries them; "_2006" is "_" and a year.
_ELEMENT: Final = re.compile(
    r"""January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST
      |002|0[1-6]|15|1|2006|2|__2|_2(?!006)|3|4|5|PM|pm
      |[-Z](?:070000|07:00:00|0700|07:00|07)
      |[.,](?:0+|9+)(?![0-9])""",
    re.VERBOSE,
)

# element -> (length of the text, where ":" must stand, hour, minute, second)
_OFFSET_SHAPES: Final[dict[str, tuple[int, tuple[int, ...], slice, slice | None, slice | None]]] = {
    "07:00": (6, (3,), slice(1, 3), slice(4, 6), None),
    "07": (3, (), slice(1, 3), None, None),
    "07:00:00": (9, (3, 6), slice(1, 3), slice(4, 6), slice(7, 9)),
    "070000": (7, (), slice(1, 3), slice(3, 5), slice(5, 7)),
    "0700": (5, (), slice(1, 3), slice(3, 5), None),
}


class LayoutError(Exception):
    """The text does not fit the layout; the message is Go's."""


class _Bad(Exception):
    """The text at hand does not fit the layout element at hand."""


class _OutOfRange(Exception):
    """A number does not fit its element: ``what`` names it, ``rest`` is what follows it."""

    def __init__(self, what: str, rest: str) -> None:
        self.what = what
        self.rest = rest


@lru_cache(maxsize=256)
def _chunks(layout: str) -> tuple[tuple[tuple[str, str], ...], str]:
    """(literal prefix, element) pairs, and the literal that ends the layout."""
    pairs: list[tuple[str, str]] = []
    at = 0
    for found in _ELEMENT.finditer(layout):
        pairs.append((layout[at : found.start()], found.group()))
        at = found.end()
    return tuple(pairs), layout[at:]


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date; ``month`` and ``day`` may lie outside their range."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    if month <= 2:
        year -= 1
    era, of_era = divmod(year, 400)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + day_of_year - 719_468


def days_in_month(year: int, month: int) -> int:
    """28 to 31."""
    return days_from_civil(year, month + 1, 1) - days_from_civil(year, month, 1)


# -- formatting ----------------------------------------------------------------------


@dataclass(frozen=True)
class Moment:
    """Nanoseconds since the epoch, within 64 bits, seen in a time zone."""

    ns: int
    zone: tzinfo = UTC

    def local(self) -> datetime:
        """The wall clock in the zone, to the second; carries offset and zone name."""
        utc = (_EPOCH + timedelta(seconds=self.ns // SECOND)).replace(tzinfo=UTC)
        return utc.astimezone(self.zone)


def format_moment(moment: Moment, layout: str) -> str:
    """The moment written as the layout shows."""
    wall = moment.local()
    pairs, tail = _chunks(layout)
    out: list[str] = []
    for prefix, element in pairs:
        out.append(prefix)
        out.append(_format_element(element, wall, moment.ns % SECOND))
    out.append(tail)
    return "".join(out)


def _format_element(element: str, wall: datetime, nanosecond: int) -> str:
    if element[0] in ".,":
        return _format_fraction(element, nanosecond)
    if element[0] in "-Z" or element == "MST":
        return _format_zone(element, wall)
    return _FORMATS[element](wall)


def _day_of_year(wall: datetime) -> int:
    return wall.timetuple().tm_yday


_FORMATS: Final[dict[str, Callable[[datetime], str]]] = {
    "January": lambda t: _MONTHS[t.month - 1],
    "Jan": lambda t: _MONTHS[t.month - 1][:3],
    "Monday": lambda t: _DAYS[t.weekday()],
    "Mon": lambda t: _DAYS[t.weekday()][:3],
    "002": lambda t: f"{_day_of_year(t):03}",
    "__2": lambda t: f"{_day_of_year(t):3}",
    "01": lambda t: f"{t.month:02}",
    "1": lambda t: str(t.month),
    "02": lambda t: f"{t.day:02}",
    "_2": lambda t: f"{t.day:2}",
    "2": lambda t: str(t.day),
    "15": lambda t: f"{t.hour:02}",
    "03": lambda t: f"{(t.hour + 11) % 12 + 1:02}",
    "3": lambda t: str((t.hour + 11) % 12 + 1),
    "04": lambda t: f"{t.minute:02}",
    "4": lambda t: str(t.minute),
    "05": lambda t: f"{t.second:02}",
    "5": lambda t: str(t.second),
    "2006": lambda t: f"{t.year:04}",
    "06": lambda t: f"{t.year % 100:02}",
    "PM": lambda t: "PM" if t.hour >= 12 else "AM",
    "pm": lambda t: "pm" if t.hour >= 12 else "am",
}


def _format_fraction(element: str, nanosecond: int) -> str:
    digits = f"{nanosecond:09}"[: len(element) - 1]
    if element[1] == "9":
        digits = digits.rstrip("0")
        return element[0] + digits if digits else ""
    return element[0] + digits


def _format_zone(element: str, wall: datetime) -> str:
    if element == "MST":
        return wall.tzname() or ""
    offset = int((wall.utcoffset() or timedelta()).total_seconds())
    if element[0] == "Z" and offset == 0:
        return "Z"
    minutes = int(offset / 60)
    sign = "-" if minutes < 0 else "+"
    minutes = abs(minutes)
    colon = ":" if ":" in element else ""
    text = f"{sign}{minutes // 60:02}"
    shape = element[1:]
    if shape != "07":
        text += f"{colon}{minutes % 60:02}"
    if len(shape.replace(":", "")) == 6:
        text += f"{colon}{abs(offset) % 60:02}"
    return text


# -- parsing -------------------------------------------------------------------------


def quote(text: str) -> str:
    """The text in quotes as Go's ``time`` package quotes: bytes above ASCII as ``\\xNN``."""
    return _quote_bytes(_bytes(text))


def _bytes(text: str) -> str:
    """One character for each byte of the text's UTF-8, because Go slices bytes."""
    return utf8_bytes(text).decode("latin-1")


def _quote_bytes(value: str) -> str:
    out = ['"']
    for char in value:
        if char < " " or char >= "\x80":
            out.append(f"\\x{ord(char):02x}")
        else:
            out.append("\\" + char if char in '"\\' else char)
    out.append('"')
    return "".join(out)


class _Parse:
    """The parts of a time as they are read; -1 and None mean "not seen"."""

    def __init__(self) -> None:
        self.year = 0
        self.month = -1
        self.day = -1
        self.day_of_year = -1
        self.hour = 0
        self.minute = 0
        self.second = 0
        self.nanosecond = 0
        self.half = ""
        self.utc = False
        self.offset: int | None = None


def parse_ns(layout: str, text: str) -> int:
    """Nanoseconds since the epoch, of any size; LayoutError if the text does not fit."""
    value = _bytes(text)
    pairs, tail = _chunks(_bytes(layout))
    seen = _Parse()
    for index, (prefix, element) in enumerate(pairs):
        value = _skip(layout, text, value, prefix)
        following = pairs[index + 1][1] if index + 1 < len(pairs) else ""
        try:
            rest = _read_element(seen, element, value, following)
        except _OutOfRange as err:
            raise _failure(text, f": {err.what} out of range") from None
        except _Bad:
            raise _mismatch(layout, text, value, element) from None
        value = rest
    value = _skip(layout, text, value, tail)
    if value:
        raise _failure(text, f": extra text: {_quote_bytes(value)}")
    return _assemble(seen, text)


def _failure(text: str, message: str) -> LayoutError:
    return LayoutError(f"parsing time {quote(text)}{message}")


def _mismatch(layout: str, text: str, value: str, element: str) -> LayoutError:
    return LayoutError(
        f"parsing time {quote(text)} as {quote(layout)}: "
        f"cannot parse {_quote_bytes(value)} as {_quote_bytes(element)}"
    )


def _skip(layout: str, text: str, value: str, prefix: str) -> str:
    """What follows the literal prefix; a run of spaces stands for any run of spaces."""
    left = prefix
    while left:
        if left[0] == " " and (not value or value[0] == " "):
            left, value = left.lstrip(" "), value.lstrip(" ")
        elif value and value[0] == left[0]:
            left, value = left[1:], value[1:]
        else:
            raise _mismatch(layout, text, value, prefix)
    return value


def _digit(value: str, at: int) -> bool:
    return len(value) > at and "0" <= value[at] <= "9"


def _number(value: str, fixed: bool) -> tuple[int, str]:
    """One or two digits; two if ``fixed``."""
    if not _digit(value, 0):
        raise _Bad
    if not _digit(value, 1):
        if fixed:
            raise _Bad
        return int(value[0]), value[1:]
    return int(value[:2]), value[2:]


def _integer(value: str) -> int:
    body = value[1:] if value[:1] in ("+", "-") else value
    if not all("0" <= c <= "9" for c in body):
        raise _Bad
    number = int(body or "0")
    return -number if value[:1] == "-" else number


def _name(names: list[str], length: int | None, value: str) -> tuple[int, str]:
    lowered = value[:9].lower()
    for index, name in enumerate(names):
        wanted = name[:length].lower()
        if lowered.startswith(wanted):
            return index, value[len(wanted) :]
    raise _Bad


def _read_element(seen: _Parse, element: str, value: str, following: str) -> str:
    """Read one element off the value into ``seen``; what is left of the value."""
    if element[0] in ".,":
        return _read_fraction_element(seen, element, value)
    if element[0] in "-Z":
        return _read_offset(seen, element, value)
    if element in ("2006", "06"):
        return _read_year(seen, element, value)
    if element in ("Jan", "January", "Mon", "Monday"):
        return _read_name(seen, element, value)
    if element in ("PM", "pm"):
        return _read_half(seen, element, value)
    if element == "MST":
        return _read_zone_name(seen, value)
    if element in ("002", "__2"):
        return _read_day_of_year(seen, element, value)
    if element in ("2", "02", "_2"):
        if element == "_2" and value[:1] == " ":
            value = value[1:]
        seen.day, value = _number(value, element == "02")
        return value
    return _read_clock(seen, element, value, following)


def _read_clock(seen: _Parse, element: str, value: str, following: str) -> str:
    number, rest = _number(value, element[0] == "0")
    if element in ("1", "01"):
        seen.month = number
        if not 1 <= number <= 12:
            raise _OutOfRange("month", rest)
    elif element == "15":
        seen.hour = number
        if number >= 24:
            raise _OutOfRange("hour", rest)
    elif element in ("3", "03"):
        seen.hour = number
        if number > 12:
            raise _OutOfRange("hour", rest)
    elif element in ("4", "04"):
        seen.minute = number
        if number >= 60:
            raise _OutOfRange("minute", rest)
    else:
        seen.second = number
        if number >= 60:
            raise _OutOfRange("second", rest)
        # A fraction may follow the seconds though the layout has none.
        if rest[:1] in (".", ",") and _digit(rest, 1) and following[:1] not in (".", ","):
            rest = _read_fraction(seen, rest)
    return rest


def _read_year(seen: _Parse, element: str, value: str) -> str:
    width = len(element)
    if len(value) < width or (width == 4 and not _digit(value, 0)):
        raise _Bad
    year = _integer(value[:width])
    if width == 2:
        year += 1900 if year >= 69 else 2000
    seen.year = year
    return value[width:]


def _read_name(seen: _Parse, element: str, value: str) -> str:
    length = 3 if len(element) == 3 else None
    if element[0] == "M":
        return _name(_DAYS, length, value)[1]
    index, rest = _name(_MONTHS, length, value)
    seen.month = index + 1
    return rest


def _read_half(seen: _Parse, element: str, value: str) -> str:
    allowed = ("AM", "PM") if element == "PM" else ("am", "pm")
    if value[:2] not in allowed:
        raise _Bad
    seen.half = value[:2].lower()
    return value[2:]


def _read_day_of_year(seen: _Parse, element: str, value: str) -> str:
    if element == "__2":
        value = value[min(2, len(value) - len(value.lstrip(" "))) :]
    width = 0
    while width < 3 and _digit(value, width):
        width += 1
    if width == 0 or (element == "002" and width != 3):
        raise _Bad
    seen.day_of_year = int(value[:width])
    return value[width:]


def _read_fraction(seen: _Parse, value: str) -> str:
    """A separator and all digits after it; digits past the ninth are dropped."""
    end = 1
    while _digit(value, end):
        end += 1
    seen.nanosecond = int(value[1 : min(end, 10)].ljust(9, "0"))
    return value[end:]


def _read_fraction_element(seen: _Parse, element: str, value: str) -> str:
    if element[1] == "9":
        if value[:1] not in (".", ",") or not _digit(value, 1):
            return value
        return _read_fraction(seen, value)
    if len(value) < len(element) or value[0] not in ".,":
        raise _Bad
    number = _integer(value[1 : min(len(element), 10)])
    if number < 0:
        raise _OutOfRange("fractional second", value[len(element) :])
    seen.nanosecond = number * 10 ** (10 - min(len(element), 10))
    return value[len(element) :]


def _read_offset(seen: _Parse, element: str, value: str) -> str:
    if element[0] == "Z" and value[:1] == "Z":
        seen.utc = True
        return value[1:]
    length, colons, hour, minute, second = _OFFSET_SHAPES[element[1:]]
    if len(value) < length or any(value[at] != ":" for at in colons):
        raise _Bad
    numbers = []
    bad = value[0] not in "+-"
    for part in (hour, minute, second):
        try:
            numbers.append(0 if part is None else _number(value[part], True)[0])
        except _Bad:
            bad = True
            break
    limits = (("hour", 24), ("minute", 60), ("second", 60))
    for (what, limit), number in zip(limits, numbers, strict=False):
        if number > limit:
            raise _OutOfRange(f"time zone offset {what}", value[length:])
    if bad:
        raise _Bad
    total = (numbers[0] * 60 + numbers[1]) * 60 + numbers[2]
    seen.offset = -total if value[0] == "-" else total
    return value[length:]


def _read_zone_name(seen: _Parse, value: str) -> str:
    if value.startswith("UTC"):
        seen.utc = True
        return value[3:]
    return value[_zone_name_length(value) :]


def _zone_name_length(value: str) -> int:
    if len(value) < 3:
        raise _Bad
    if value[:4] in ("ChST", "MeST"):
        return 4
    if value[:3] == "GMT":
        return 3 + _signed_offset_length(value[3:])
    if value[0] in "+-":
        length = _signed_offset_length(value)
        if not length:
            raise _Bad
        return length
    upper = 0
    while upper < 6 and upper < len(value) and "A" <= value[upper] <= "Z":
        upper += 1
    if upper == 3:
        return 3
    if upper == 4 and (value[3] == "T" or value[:4] == "WITA"):
        return 4
    if upper == 5 and value[4] == "T":
        return 5
    raise _Bad


def _signed_offset_length(value: str) -> int:
    """The length of ``+3``, ``-11``; 0 if there is none or the hours pass 23."""
    if value[:1] not in ("+", "-"):
        return 0
    end = 1
    while _digit(value, end):
        end += 1
    if end == 1 or int(value[1:end][:20]) > 23:
        return 0
    return end


def _assemble(seen: _Parse, text: str) -> int:
    if seen.half == "pm" and seen.hour < 12:
        seen.hour += 12
    elif seen.half == "am" and seen.hour == 12:
        seen.hour = 0
    if seen.day_of_year >= 0:
        _place_day_of_year(seen, text)
    month = seen.month if seen.month >= 0 else 1
    day = seen.day if seen.day >= 0 else 1
    if not 1 <= day <= days_in_month(seen.year, month):
        raise _failure(text, ": day out of range")
    seconds = days_from_civil(seen.year, month, day) * 86_400
    seconds += seen.hour * 3600 + seen.minute * 60 + seen.second
    # The name of a zone does not move the instant: Go only labels it, even GMT+3.
    if seen.offset is not None and not seen.utc:
        seconds -= seen.offset
    return seconds * SECOND + seen.nanosecond


def _place_day_of_year(seen: _Parse, text: str) -> None:
    first = days_from_civil(seen.year, 1, 1)
    length = days_from_civil(seen.year + 1, 1, 1) - first
    if not 1 <= seen.day_of_year <= length:
        raise _failure(text, ": day-of-year out of range")
    month = 1
    day = seen.day_of_year
    while day > days_in_month(seen.year, month):
        day -= days_in_month(seen.year, month)
        month += 1
    if seen.month not in (-1, month):
        raise _failure(text, ": day-of-year does not match month")
    if seen.day not in (-1, day):
        raise _failure(text, ": day-of-year does not match day")
    seen.month, seen.day = month, day
