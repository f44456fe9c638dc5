"""Times as the record writes them: RFC 3339 in UTC, to the nanosecond when needed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from adjudge.errors import InputError

_SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)\Z",
    re.ASCII,
)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)\Z", re.ASCII)


def format_time(unix_ns: int) -> str:
    """Nanoseconds since 1970 as ``2026-11-20T09:30:00Z``, with a fraction only if there is one.

    Raises :class:`InputError` ``time_out_of_range`` outside the years 1 to 9999.
    """
    seconds, fraction = divmod(unix_ns, _SECOND)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise InputError("time_out_of_range", f"no year for {unix_ns} ns since 1970") from None
    tail = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{moment.replace(tzinfo=None).isoformat()}{tail}Z"


def parse_time(text: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 time, or of midnight UTC of a date.

    Raises :class:`InputError` ``time_invalid``.
    """
    found = _TIMESTAMP.match(text)
    day = _DATE.match(text)
    try:
        if day:
            midnight = date(*map(int, day.groups()))
            return (midnight - _EPOCH.date()).days * 86_400 * _SECOND
        if found:
            year, month, dom, hour, minute, second = map(int, found.groups()[:6])
            moment = datetime(year, month, dom, hour, minute, second, tzinfo=UTC)
            moment -= _offset(found.group(8))
            whole = moment - _EPOCH
            fraction = int((found.group(7) or "").ljust(9, "0"))
            return (whole.days * 86_400 + whole.seconds) * _SECOND + fraction
    except (ValueError, OverflowError):
        pass
    raise InputError(
        "time_invalid",
        f"not a date or time: {text[:40]!r}",
        hint="write 2026-11-20 or 2026-11-20T09:30:00Z",
    )


def is_date(text: str) -> bool:
    """Whether ``text`` is a date without a time of day."""
    return _DATE.match(text) is not None


def _offset(zone: str) -> timedelta:
    if zone in "Zz":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 23 or minutes > 59:
        raise ValueError(zone)
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset
