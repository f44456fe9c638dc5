"""``time.*``: consume nanoseconds, zones and texts; produce nanoseconds, texts and parts.

Instants are exact integers of nanoseconds since the epoch, within 64 bits.  Time
zones come from the system's or the ``tzdata`` package's database.  ``Local`` means
UTC: a decision must not depend on where it is made.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adjudge.rego.builtins.godurations import parse_duration
from adjudge.rego.builtins.golayout import (
    CONSTANTS,
    SECOND,
    LayoutError,
    Moment,
    days_from_civil,
    days_in_month,
    format_moment,
    parse_ns,
)
from adjudge.rego.builtins.operands import bounded, want_int
from adjudge.rego.builtins.registry import (
    BuiltinContext,
    BuiltinError,
    builtin,
    operand_error,
    want_number,
    want_string,
)
from adjudge.rego.runtime.arithmetic import exact_integer
from adjudge.rego.runtime.values import Value, is_number

_MIN_NS: Final = -(1 << 63)
_MAX_NS: Final = (1 << 63) - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER_OR_PAIR: Final = "either number (ns) or [number (ns), string (tz)]"


def _in_range(ns: int) -> int:
    if _MIN_NS <= ns <= _MAX_NS:
        return ns
    raise BuiltinError("time outside of valid range")


def _zone(name: str) -> tzinfo:
    if name in ("", "UTC", "Local"):
        return UTC
    if ".." in name or name[0] in "/\\":
        raise BuiltinError("time: invalid location name")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BuiltinError(f"unknown time zone {name}") from None


def _exact_ns(value: Value) -> int:
    ns = exact_integer(value) if _MIN_NS <= value <= _MAX_NS else None
    if ns is None or not _MIN_NS <= ns <= _MAX_NS:
        raise BuiltinError("timestamp too big")
    return ns


def _operand(value: Value) -> tuple[Moment, str]:
    """The moment and the layout of ``ns``, ``[ns]``, ``[ns, zone]`` or ``[ns, zone, layout]``."""
    if is_number(value):
        return Moment(_exact_ns(value)), ""
    if value.__class__ is not list or not value:
        raise operand_error(1, _NUMBER_OR_PAIR, value)
    want_number(value[0], 1)
    zone = _zone(want_string(value[1], 1)) if len(value) > 1 else UTC
    layout = want_string(value[2], 1) if len(value) > 2 else ""
    return Moment(_exact_ns(value[0]), zone), layout


_MAX_TEXT: Final = 10_000
"""Characters of a layout, and of a text that is read by it; reading takes their product."""


@builtin("time.now_ns", context=True, nondeterministic=True)
def now_ns(ctx: BuiltinContext) -> Value:
    """The time of the evaluation: the same for the whole of it."""
    return ctx.now_ns


@builtin("time.parse_ns")
def parse(layout: Value, value: Value) -> Value:
    """The instant a text names, read by a Go layout or the name of one."""
    named = want_string(layout, 1)
    text = want_string(value, 2)
    if len(named) > _MAX_TEXT or len(text) > _MAX_TEXT:
        raise BuiltinError(f"the layout or the text is longer than {_MAX_TEXT} characters")
    try:
        return _in_range(parse_ns(CONSTANTS.get(named, named), text))
    except LayoutError as err:
        raise BuiltinError(str(err)) from None


@builtin("time.parse_rfc3339_ns")
def parse_rfc3339(value: Value) -> Value:
    """The instant an RFC 3339 text names."""
    try:
        return _in_range(parse_ns(CONSTANTS["RFC3339"], want_string(value, 1)))
    except LayoutError as err:
        raise BuiltinError(str(err)) from None


@builtin("time.parse_duration_ns")
def duration(value: Value) -> Value:
    """The nanoseconds of ``1h30m``, ``7d``; units ns, us, ms, s, m, h, d, w, y."""
    try:
        return parse_duration(want_string(value, 1))
    except LayoutError as err:
        raise BuiltinError(str(err)) from None


@builtin("time.format", context=True)
def time_format(context: BuiltinContext, value: Value) -> Value:
    """The moment as RFC 3339 with nanoseconds, or by the layout given."""
    moment, layout = _operand(value)
    return bounded(context, format_moment(moment, CONSTANTS.get(layout or "RFC3339Nano", layout)))


@builtin("time.date")
def date(value: Value) -> Value:
    """``[year, month, day]``."""
    wall = _operand(value)[0].local()
    return [wall.year, wall.month, wall.day]


@builtin("time.clock")
def clock(value: Value) -> Value:
    """``[hour, minute, second]``."""
    wall = _operand(value)[0].local()
    return [wall.hour, wall.minute, wall.second]


@builtin("time.weekday")
def weekday(value: Value) -> Value:
    """The English name of the day of the week."""
    return format_moment(_operand(value)[0], "Monday")


@builtin("time.add_date")
def add_date(value: Value, years: Value, months: Value, days: Value) -> Value:
    """The moment moved in the calendar: the wall clock stays, days overflow into months."""
    moment = _operand(value)[0]
    year = want_int(years, 2)
    month = want_int(months, 3)
    day = want_int(days, 4)
    wall = moment.local()
    seconds = days_from_civil(wall.year + year, wall.month + month, wall.day + day) * 86_400
    seconds += wall.hour * 3600 + wall.minute * 60 + wall.second
    # Only near the limits may the zone decide; beyond them the calendar ends.
    if not _MIN_NS - 86_400 * SECOND <= seconds * SECOND <= _MAX_NS + 86_400 * SECOND:
        raise BuiltinError("time outside of valid range")
    # Go takes the offset in force at the wall clock read as UTC, then checks it there.
    offset = _offset(seconds - _offset(seconds, moment.zone), moment.zone)
    return _in_range((seconds - offset) * SECOND + moment.ns % SECOND)


def _offset(seconds: int, zone: tzinfo) -> int:
    moment = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone)
    return int((moment.utcoffset() or timedelta()).total_seconds())


@builtin("time.diff")
def diff(value1: Value, value2: Value) -> Value:
    """``[years, months, days, hours, minutes, seconds]`` between two moments, in the
    zone of the first."""
    first = _operand(value1)[0]
    second = Moment(_operand(value2)[0].ns, first.zone)
    if first.ns > second.ns:
        first, second = second, first
    a, b = first.local(), second.local()
    parts = [
        b.year - a.year,
        b.month - a.month,
        b.day - a.day,
        b.hour - a.hour,
        b.minute - a.minute,
        b.second - a.second,
    ]
    limits = [0, 12, days_in_month(a.year, a.month), 24, 60, 60]
    for index in range(5, 0, -1):
        if parts[index] < 0:
            parts[index] += limits[index]
            parts[index - 1] -= 1
    return parts
