"""``rego:`` expressions: text inside a YAML policy in, a body with YAML locations out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adjudge.errors import AdjudgeError
from adjudge.rego.errors import RegoErrors
from adjudge.rego.parser import parse_body
from adjudge.rego.syntax import (
    ArrayCompr,
    Body,
    Call,
    Every,
    ObjectCompr,
    Ref,
    SetCompr,
    SomeDecl,
    SomeIn,
    Term,
    Var,
    With,
    walk,
)
from adjudge.source import Location
from adjudge.yamlpolicy.paths import Paths, Variable, static_steps
from adjudge.yamlpolicy.problems import Problems
from adjudge.yamlpolicy.terms import relocated

_MAX_DEPTH = 30


@dataclass(frozen=True)
class Inline:
    """A parsed ``rego:`` expression.

    ``plain`` means that it can stand among other expressions: it declares nothing.
    """

    body: Body
    plain: bool


def read_inline(
    text: str,
    pointer: str,
    lines: list[str],
    problems: Problems,
    paths: Paths,
    variables: Mapping[str, Variable],
) -> Inline | None:
    """The body that ``text`` means; None after reporting what is wrong with it.

    ``lines`` are those of the whole policy.  Fixed paths below ``input`` are checked like the paths
    of other conditions.
    """
    move = _placement(lines, problems.location(pointer))
    try:
        body = parse_body(text.rstrip(), max_depth=_MAX_DEPTH)
    except RegoErrors as errors:
        for error in errors.errors:
            _report(error, problems, move)
        return None
    body = relocated(body, move)
    _check_references(body, paths, variables)
    return Inline(body, _is_plain(body, variables))


def _report(error: AdjudgeError, problems: Problems, move: Callable[[Location], Location]) -> None:
    where = move(error.location or Location("", 1, 1))
    problems.add("rego", f"not a Rego expression: {error.message}", where, error.hint)


def _is_plain(body: Body, variables: Mapping[str, Variable]) -> bool:
    """Whether the body is one expression over the loop variables, declaring none."""
    if len(body) > 1:
        return False
    nodes = list(walk(body))
    called = {id(head) for n in nodes if isinstance(n, Call) for head in _heads(n)}
    known = {"input", "data", *variables}
    return not any(
        isinstance(n, (SomeDecl, SomeIn, Every, ArrayCompr, SetCompr, ObjectCompr))
        or (isinstance(n, Var) and id(n) not in called and n.name not in known)
        for n in nodes
    )


def _heads(call: Call) -> tuple[Term, ...]:
    operator = call.operator
    return (operator, operator.head) if isinstance(operator, Ref) else (operator,)


def _check_references(body: Body, paths: Paths, variables: Mapping[str, Variable]) -> None:
    nodes: list[Any] = list(walk(body))
    if any(isinstance(n, With) for n in nodes):
        return  # another input, other data
    for node in nodes:
        if isinstance(node, Ref) and isinstance(node.head, Var):
            if node.head.name in ("input", "data"):
                paths.check(node.head.name, list(static_steps(node)), node.loc)


def _placement(lines: list[str], start: Location) -> Callable[[Location], Location]:
    """Where a location inside the scalar at ``start`` stands in the policy.

    Exact for literal blocks (``|``) and for one line without escapes; otherwise the start.
    """
    first = lines[start.row - 1][start.col - 1 :]
    if first.startswith("|"):
        block = (line for line in lines[start.row :] if line.strip())
        line = next(block, "")
        indent = len(line) - len(line.lstrip(" "))
        return lambda at: Location(start.file, start.row + at.row, indent + at.col)
    if first.startswith(">"):
        return lambda at: start
    shift = start.col + (1 if first[:1] in ("'", '"') else 0) - 1
    return lambda at: Location(start.file, start.row, shift + at.col) if at.row == 1 else start
