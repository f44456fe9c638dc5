"""What an explanation says: clauses, their expressions, what they read, and what would change
the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from adjudge.explanation.changes import Change, Path
from adjudge.source import Location
from adjudge.yamlpolicy.shapes import ANY, Shape

Status: TypeAlias = Literal["held", "failed", "not_reached"]


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression of a clause as written, with the values of its parts.

    A value is None where there is none.  ``because`` tells about the rule that the expression
    is the name of, when that decided.
    """

    text: str
    location: Location
    status: Status
    values: tuple[tuple[str, str | None], ...] = ()
    because: tuple[Clause, ...] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause: ``solutions`` counts how often its body held.  Of a body that goes over
    elements, the one is shown that got furthest."""

    rule: str
    location: Location
    solutions: int
    expressions: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A value that was read; ``shown`` is it in short, None where there is none.

    ``pointer`` is a JSON pointer into the input (or ``/data/…``); ``place`` where that stands in
    a file.
    """

    pointer: str
    shown: str | None
    place: Location | None = None


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """Changes that flip the result, each verified by evaluating again; none were found when
    ``changes`` is None.  ``stopped`` tells why the search ended without: ``tries``, ``time`` or
    ``exhausted``."""

    changes: tuple[Change, ...] | None
    tries: int
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a rule found something over one input, or did not.

    ``subject`` is what was judged: the path of an artifact, ``release``, or the input file.
    ``findings`` are the messages; ``outcome`` is that of the decision record, or ``true``,
    ``false`` and ``undefined`` for a rule that is no finding.
    """

    subject: str
    kind: str
    outcome: str
    findings: tuple[str, ...]
    clauses: tuple[Clause, ...]
    readings: tuple[Reading, ...]
    counterfactual: Counterfactual | None = None


@dataclass(frozen=True)
class Ground:
    """An input, and what is known of it.

    ``shape`` is what the input can be; ``place`` tells a path's pointer for people and where it
    stands; ``fixed`` which paths a change must leave alone; ``now_ns`` the evaluation time;
    ``conceal`` gives a value at a path as it may be shown.
    """

    input: Any
    place: Callable[[Path], tuple[str, Location | None]]
    fixed: Callable[[Path], bool] = field(default=lambda path: False)
    shape: Shape = field(default=ANY)
    now_ns: int = 0
    conceal: Callable[[Path, Any], Any] = field(default=lambda path, value: value)
