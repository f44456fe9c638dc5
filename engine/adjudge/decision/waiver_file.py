"""The parsed data of a waiver file in, a set of waivers out, malformed ones set aside.

The caller reads the YAML (strictly, with positions); this module knows the format.  A
file that is no waiver file at all is an error.  A single waiver that is malformed or
undated counts as expired: it is kept, with what is wrong with it, and never applies.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from adjudge.decision.model import Source
from adjudge.decision.times import is_date, parse_time
from adjudge.decision.values import spell_surrogates
from adjudge.errors import AdjudgeError, InputError
from adjudge.source import Location

MAX_WAIVERS = 10_000
"""More waivers than this in one file is an error."""

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS

Filled = Annotated[str, StringConstraints(pattern=r"\S", max_length=4000)]
DIGEST_PATTERN = r"^(sha256:)?[0-9a-f]{64}$"


class Place(Protocol):
    """Where something stands in a file, 1-based; any named tuple with these will do."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


Locate = Callable[[str], Place | None]
"""From a JSON pointer into the file to its place, or None when that is not known."""


class _Entry(BaseModel):
    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", use_attribute_docstrings=True
    )


class WaiverSubject(_Entry):
    """What the waiver is for.  At least one of the two; given both, both must match."""

    name: Filled | None = None
    """The exact path of the artifact, or the name of the release for rules about it."""
    digest: Annotated[str, StringConstraints(pattern=DIGEST_PATTERN)] | None = None
    """The SHA-256 of the artifact, with or without ``sha256:`` before it."""


class WaiverEntry(_Entry):
    """One waiver as it is written."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$")]
    """Unique in the file."""
    rule: Filled
    """The id of the rule whose finding is accepted; exact, no patterns."""
    subject: WaiverSubject
    reason: Filled
    """Why the risk is acceptable, in words for an auditor."""
    ticket: Filled
    owner: Filled
    """Who answers for the exception."""
    approved_by: Annotated[list[Filled], Field(min_length=1, max_length=20)]
    """Who agreed; the owner does not count."""
    created: Filled
    """A date or RFC 3339 time, the first at which it holds; a date means midnight UTC."""
    expires: Filled
    """A date or RFC 3339 time, the last at which it holds; a date means its last second in UTC."""


class WaiverFile(_Entry):
    """A waiver file."""

    apiVersion: Literal["adjudge/v1"] = "adjudge/v1"
    kind: Literal["Waivers"] = "Waivers"
    waivers: Annotated[list[WaiverEntry], Field(max_length=MAX_WAIVERS)]


@dataclass(frozen=True, slots=True)
class Waiver:
    """A well-formed waiver.  Times are nanoseconds since 1970; ``expires`` begins the last
    second in which it holds."""

    id: str
    rule: str
    name: str | None
    digest: str | None
    reason: str
    ticket: str
    owner: str
    approved_by: tuple[str, ...]
    created: int
    expires: int
    source: Source | None

    @property
    def approvers(self) -> frozenset[str]:
        """The distinct approvers, as compared: without the owner, ``@`` and letter case."""
        return frozenset(map(_person, self.approved_by)) - {_person(self.owner), ""}


@dataclass(frozen=True, slots=True)
class MalformedWaiver:
    """A waiver that cannot be used; ``code`` is ``malformed``, ``undated`` or ``duplicate_id``."""

    id: str | None
    rule: str | None
    code: str
    message: str
    source: Source | None


@dataclass(frozen=True, slots=True)
class WaiverSet:
    """What a waiver file says."""

    waivers: tuple[Waiver, ...] = ()
    malformed: tuple[MalformedWaiver, ...] = ()


def parse_waivers(data: Any, file: str, locate: Locate | None = None) -> WaiverSet:
    """The waivers in the parsed data of ``file``.

    ``locate`` gives places for JSON pointers such as ``/waivers/3/expires``.  Raises
    :class:`InputError` ``waivers_invalid`` when the data is not a waiver file.
    """
    entries = _entries(data, file, locate)
    good: list[Waiver] = []
    bad: list[MalformedWaiver] = []
    for index, entry in enumerate(entries):
        source = _source(file, locate, f"/waivers/{index}")
        try:
            good.append(_waiver(entry, source))
        except _MalformedError as problem:
            source = _source(file, locate, f"/waivers/{index}{problem.pointer}") or source
            bad.append(
                MalformedWaiver(
                    _text(entry, "id"), _text(entry, "rule"), problem.code, problem.message, source
                )
            )
    counts = Counter(_text(entry, "id") for entry in entries)
    for waiver in good:
        if counts[waiver.id] > 1:
            message = f"{counts[waiver.id]} waivers have this id, so none of them applies"
            bad.append(
                MalformedWaiver(waiver.id, waiver.rule, "duplicate_id", message, waiver.source)
            )
    unique = sorted((w for w in good if counts[w.id] == 1), key=lambda w: w.id)
    return WaiverSet(tuple(unique), tuple(sorted(bad, key=_malformed_order)))


class _MalformedError(Exception):
    def __init__(self, code: str, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.pointer = pointer


def _entries(data: Any, file: str, locate: Locate | None) -> list[Any]:
    found = _file_problem(data)
    if found is None:
        entries: list[Any] = data["waivers"]
        return entries
    problem, pointer = found
    source = _source(file, locate, pointer)
    raise InputError(
        "waivers_invalid",
        problem,
        location=Location(file, source.line, source.column) if source else Location(file, 1, 1),
        hint="write `waivers:` and below it one entry per waiver",
    )


def _file_problem(data: Any) -> tuple[str, str] | None:
    """What is wrong with the file as a whole, and the pointer to it."""
    if not isinstance(data, dict):
        return "a waiver file is a mapping with a list called waivers", ""
    if not isinstance(data.get("waivers"), list):
        return "the list waivers is missing", "/waivers"
    if len(data["waivers"]) > MAX_WAIVERS:
        return f"more than {MAX_WAIVERS} waivers", "/waivers"
    for name, expected in (("apiVersion", "adjudge/v1"), ("kind", "Waivers")):
        if data.get(name, expected) != expected:
            return f"{name} must be {expected}", f"/{name}"
    unknown = sorted(str(name) for name in data if name not in WaiverFile.model_fields)
    if unknown:
        return f"{unknown[0][:100]} is not known here", f"/{unknown[0]}"
    return None


def _waiver(entry: Any, source: Source | None) -> Waiver:
    try:
        written = WaiverEntry.model_validate(_cleaned(entry))
    except ValidationError as error:
        raise _first_problem(error) from None
    subject = written.subject
    if subject.name is None and subject.digest is None:
        raise _MalformedError("malformed", "subject needs a name or a digest", "/subject")
    created = _time(written.created, "created")
    expires = _time(written.expires, "expires")
    if is_date(written.expires):
        expires += DAY_NS - SECOND_NS
    if expires < created:
        raise _MalformedError("undated", "it expires before it was created", "/expires")
    return Waiver(
        id=written.id,
        rule=written.rule,
        name=subject.name,
        digest=subject.digest.removeprefix("sha256:") if subject.digest else None,
        reason=written.reason,
        ticket=written.ticket,
        owner=written.owner,
        approved_by=tuple(written.approved_by),
        created=created,
        expires=expires,
        source=source,
    )


def _time(text: str, name: str) -> int:
    try:
        return parse_time(text)
    except AdjudgeError as error:
        raise _MalformedError("undated", f"{name} is {error.message}", f"/{name}") from None


def _first_problem(error: ValidationError) -> _MalformedError:
    """The first thing wrong; a missing or unreadable date before anything else."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    dates = [p for p in problems if p["loc"] and p["loc"][0] in ("created", "expires")]
    first = (dates or problems)[0]
    path = [str(part) for part in first["loc"]]
    says = _SAYS.get((first["type"], path[-1] if path else "")) or _SAYS.get((first["type"], ""))
    message = f"{'.'.join(path) or 'a waiver'} {says or first['msg']}"
    return _MalformedError(
        "undated" if dates else "malformed", message, "".join(f"/{part}" for part in path)
    )


# What the kinds of pydantic errors that can occur mean, in words for the author of a waiver.
_SAYS = {
    ("missing", ""): "is missing",
    ("extra_forbidden", ""): "is not known here",
    ("model_type", ""): "must be a mapping",
    ("list_type", ""): "must be a list",
    ("too_short", ""): "must not be empty",
    ("too_long", ""): "has too many entries",
    ("string_type", ""): "must be text; put it in quotes",
    ("string_too_long", ""): "is too long",
    ("string_pattern_mismatch", ""): "must not be empty",
    ("string_pattern_mismatch", "digest"): "must be a SHA-256 in lower-case hexadecimal",
    ("string_pattern_mismatch", "id"): "must be letters, digits and ._/- (at most 100)",
}


def _cleaned(value: Any) -> Any:
    """The value with lone surrogates spelled out; pydantic refuses them with an odd message."""
    if isinstance(value, str):
        return spell_surrogates(value)
    if isinstance(value, list):
        return [spell_surrogates(item) if isinstance(item, str) else item for item in value]
    if isinstance(value, dict):
        return {
            spell_surrogates(k) if isinstance(k, str) else k: _cleaned(v) for k, v in value.items()
        }
    return value


def _text(entry: Any, name: str) -> str | None:
    value = entry.get(name) if isinstance(entry, dict) else None
    return spell_surrogates(value)[:200] if isinstance(value, str) else None


def _source(file: str, locate: Locate | None, pointer: str) -> Source | None:
    place = locate(pointer) if locate else None
    return Source(file=file, line=place.line, column=place.column) if place else None


def _person(name: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", name)).strip().lstrip("@").casefold()


def _malformed_order(waiver: MalformedWaiver) -> tuple[int, str, str]:
    return (waiver.source.line if waiver.source else 0, waiver.id or "", waiver.message)
