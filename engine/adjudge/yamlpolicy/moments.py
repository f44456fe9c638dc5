"""Times and version ranges as authors write them: text in, checked operands out."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final, NamedTuple

from adjudge.rego.syntax import Call, Scalar, Term, Var
from adjudge.source import Location
from adjudge.yamlpolicy.terms import call

DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_STAMP: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)
_NOW: Final = re.compile(
    r"now(?:\s*(?P<sign>[+-])\s*(?P<count>[0-9]{1,5})\s*(?P<unit>y|mo|w|d|h))?"
)

# A century, so that no offset leaves the years Rego has.
_FARTHEST: Final = {"y": 100, "mo": 1200, "w": 5200, "d": 36500, "h": 99999}

TIME_HINT: Final = (
    "write 2026-01-31, 2026-01-31T12:00:00Z, now, or now - 90d (units y, mo, w, d, h)"
)


def is_timestamp(text: str) -> bool:
    """Whether ``text`` is a date ``YYYY-MM-DD`` or an RFC 3339 time of the years 1700 to 2199.

    Rego's times are nanoseconds in 64 bits, which reach from 1677 to 2262.
    """
    try:
        if DATE.fullmatch(text):
            year = date.fromisoformat(text).year
        elif _STAMP.fullmatch(text):
            year = datetime.fromisoformat(re.sub(r"\.[0-9]+", "", text)).year
        else:
            return False
    except ValueError:
        return False
    return 1700 <= year < 2200


def moment(text: str, loc: Location) -> Term | None:
    """Nanoseconds since 1970 for a fixed time or one relative to now; None when malformed.

    ``now`` is the clock of the evaluation.
    """
    if is_timestamp(text):
        return call("timestamp", Scalar(text, loc), loc=loc)
    match = _NOW.fullmatch(text)
    if match is None:
        return None
    now = call("time.now_ns", loc=loc)
    if match["unit"] is None:
        return now
    count = int(match["count"])
    if count > _FARTHEST[match["unit"]]:
        return None
    if match["unit"] == "h":
        hours = call("time.parse_duration_ns", Scalar(f"{count}h", loc), loc=loc)
        operator = "minus" if match["sign"] == "-" else "plus"
        return Call(Var(operator, loc), (now, hours), True, loc)
    count = -count if match["sign"] == "-" else count
    years, months, days = {
        "y": (count, 0, 0),
        "mo": (0, count, 0),
        "w": (0, 0, 7 * count),
        "d": (0, 0, count),
    }[match["unit"]]
    parts = (Scalar(n, loc) for n in (years, months, days))
    return call("time.add_date", now, *parts, loc=loc)


class Bound(NamedTuple):
    """One part of a version range: ``symbol`` is a Rego comparison."""

    symbol: str
    version: str


_NUMBER: Final = r"(?:0|[1-9][0-9]{0,15})"
_WORD: Final = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_BOUND: Final = re.compile(
    rf"(?P<symbol>>=|<=|!=|==|=|>|<)?\s*(?P<major>{_NUMBER})(?:\.(?P<minor>{_NUMBER})"
    rf"(?:\.(?P<patch>{_NUMBER})(?P<rest>(?:-{_WORD})?(?:\+{_WORD})?))?)?(?:\s+|\s*,\s*|$)"
)

SEMVER_HINT: Final = "write comparisons with spaces between them, such as >=1.2.0 <2"


def version_range(text: str) -> list[Bound] | None:
    """The bounds of a range such as ``>=1.2.0 <2``; None when malformed.

    A version alone means exactly that version; parts left out are 0.
    """
    bounds: list[Bound] = []
    text = text.strip()
    at = 0
    while at < len(text):
        match = _BOUND.match(text, at)
        if match is None:
            return None
        at = match.end()
        symbol = match["symbol"] or "="
        version = f"{match['major']}.{match['minor'] or 0}.{match['patch'] or 0}"
        bounds.append(Bound("==" if symbol == "=" else symbol, version + (match["rest"] or "")))
    return bounds or None
