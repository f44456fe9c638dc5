"""A query, modules, data and an input in, the answers of a running OPA out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final

from adjudge.opa.client import EvaluationFailed, Opa
from adjudge.opa.moving import Moved, moved, moved_imports, write
from adjudge.opa.workspace import Warn, Workspace
from adjudge.rego.capabilities import all_capabilities
from adjudge.rego.parser import parse_body, parse_module
from adjudge.rego.passes.model import path_text
from adjudge.rego.query import ExpressionValue, Result
from adjudge.rego.runtime.values import UNDEFINED
from adjudge.rego.syntax import (
    ArrayCompr,
    Call,
    Every,
    Expr,
    Head,
    Import,
    Logical,
    Module,
    Not,
    Object,
    ObjectCompr,
    Ref,
    Rule,
    Scalar,
    SetCompr,
    SomeDecl,
    SomeIn,
    Var,
)
from adjudge.source import Location

ROWS: Final = "adjudge_rows"
_VALUE: Final = "adjudge_value_"
_CLOSED: Final = (ArrayCompr, SetCompr, ObjectCompr, Not, Logical)
_BINDING: Final = frozenset({"assign", "eq"})


@dataclass(frozen=True)
class Question:
    """A query and how to evaluate it.

    ``package`` and ``imports`` are what its names are looked up in, ``rego_version`` how it is
    read.  ``now_ns`` is what the clock says (None: the time).  ``strict``: a builtin that
    fails is an error.
    """

    query: str
    package: tuple[str, ...] = ()
    imports: tuple[Import, ...] = ()
    rego_version: int = 1
    strict: bool = False
    now_ns: int | None = None


def evaluate_query(
    client: Opa,
    modules: Iterable[Module] | Mapping[str, str | Module],
    data: Mapping[str, Any],
    input: Any,
    query: str | Question,
    warn: Warn = lambda text: None,
) -> list[Result]:
    """All answers of OPA to a query over modules and data of their own, with bindings and the
    value of each expression, as :meth:`adjudge.rego.query.Query.eval` gives them.

    ``modules`` by name may be texts of Rego v1.  ``input`` may be ``UNDEFINED``.  What is
    pushed is taken away again; ``warn`` is told when it cannot be.  Raises OpaError,
    RegoEvalError, and RegoErrors for what cannot be read.
    """
    question = Question(query) if isinstance(query, str) else query
    if isinstance(modules, Mapping):
        modules = [
            parse_module(m, name) if isinstance(m, str) else m for name, m in modules.items()
        ]
    modules = list(modules)
    form = _Form(question, modules)
    workspace = Workspace(client)
    given = input is not UNDEFINED
    try:
        pieces = workspace.prepare(modules, apart=bool(question.package))
        workspace.push(pieces, data, form.asking(workspace, given))
        path, strict = f"{workspace.ask_path}/answer", question.strict
        found = client.document(path, {"document": input} if given else UNDEFINED, strict=strict)
    except EvaluationFailed as error:
        raise workspace.error(error.failure, Location("", 1, 1)) from None
    finally:
        workspace.clear(warn)
    if not isinstance(found, dict) or found.get("marker") != workspace.marker:
        raise workspace.gone()
    return list(form.results(found["rows"]))


class _Form:
    """A query made into a rule: its value is an array with an object for each answer."""

    def __init__(self, question: Question, modules: Sequence[Module]) -> None:
        self.question = question
        self.body = parse_body(question.query, "", question.rego_version)
        self._arities = {
            f"data.{'.'.join(m.package)}.{rule.head.ref.name}": len(rule.head.args)
            for m in modules
            for rule in m.rules
            if rule.head.args is not None and isinstance(rule.head.ref, Var)
        }
        self._captured = {n for n, expr in enumerate(self.body) if self._has_value(expr)}
        known = {"input", "data", *_imported(question.imports)}
        known |= {
            rule.head.ref.name
            for m in modules
            if m.package == question.package
            for rule in m.rules
            if isinstance(rule.head.ref, Var)
        }
        self._variables = [v for v in dict.fromkeys(_variables(self.body)) if v not in known]

    def _has_value(self, expr: Expr) -> bool:
        """Whether an expression has a value of its own; others hold or do not."""
        term = expr.term
        if expr.negated or isinstance(term, SomeDecl | SomeIn | Every | Not | Logical):
            return False
        if not isinstance(term, Call):
            return True
        name = _name(term.operator)
        decl = all_capabilities().builtins.get(name)
        arity = decl.arity if decl is not None else self._arities.get(name)
        # With one argument more, the result is unified with the last.
        return name not in _BINDING and (arity is None or len(term.args) <= arity)

    def asking(self, workspace: Workspace, given: bool) -> list[Moved]:
        """The rules that OPA is asked for."""
        question, root = self.question, workspace.root
        package = (*root, *question.package) if question.package else workspace.ask
        rows = Module(
            package,
            moved_imports(question.imports, root),
            (moved(self._rule(), root),),
        )
        now = time.time_ns() if question.now_ns is None else question.now_ns
        withs = f" with time.now_ns as {now}" + (" with input as input.document" if given else "")
        answer = f"""answer := {{"marker": {workspace.marker_text}, "rows": rows}} if {{
	rows := {path_text((*package, ROWS))}{withs}
}}
"""
        return [write(rows), workspace.asking(answer)]

    def _rule(self) -> Rule:
        body = tuple([self._capture(n, expr) for n, expr in enumerate(self.body)])
        bindings = Object(tuple((Scalar(v), Var(v)) for v in self._variables))
        values = Object(
            tuple((Scalar(str(n)), Var(f"{_VALUE}{n}")) for n in sorted(self._captured))
        )
        row = Object(((Scalar("bindings"), bindings), (Scalar("values"), values)))
        return Rule(Head(Var(ROWS), value=ArrayCompr(row, body), assign=True))

    def _capture(self, number: int, expr: Expr) -> Expr:
        if number not in self._captured:
            return expr
        term: Any = expr.term
        call = Call(Var("assign"), (Var(f"{_VALUE}{number}"), term), True, expr.loc)
        return replace(expr, term=call)

    def results(self, rows: Any) -> Iterator[Result]:
        """What OPA answered.  A false expression ends an answer, unless it is alone and cannot
        be true some other way."""
        written = [n for n, expr in enumerate(self.body) if not isinstance(expr.term, SomeDecl)]
        places = {n: self.body[n].loc for n in written}
        texts = _texts(self.question.query, places)
        condition = len(self.body) > 1 or _looks_for(self.body)
        for row in rows:
            values = {int(n): value for n, value in row["values"].items()}
            if condition and any(value is False for value in values.values()):
                continue
            expressions = [
                ExpressionValue(values.get(n, True), texts[n], places[n]) for n in written
            ]
            yield Result(row["bindings"], expressions)


def _name(operator: Var | Ref) -> str:
    if isinstance(operator, Var):
        return operator.name
    head = operator.head.name if isinstance(operator.head, Var) else ""
    steps = [str(o.value) if isinstance(o, Scalar) else "" for o in operator.operands]
    return ".".join([head, *steps])


def _imported(imports: Iterable[Import]) -> Iterator[str]:
    for item in imports:
        yield item.alias or _name(item.path).rpartition(".")[2]


def _variables(node: object) -> Iterator[str]:
    """The variables that stand in a part of a query itself, not in what it encloses."""
    if isinstance(node, Var):
        if node.name != "_" and not node.name.startswith("$"):
            yield node.name
    elif isinstance(node, Every):
        yield from _variables(node.domain)
    elif isinstance(node, Expr) and node.negated:
        return
    elif isinstance(node, Call):
        yield from _variables(node.args)
    elif isinstance(node, tuple):
        for item in node:
            yield from _variables(item)
    elif is_dataclass(node) and not isinstance(node, _CLOSED):
        for each in fields(node):
            yield from _variables(getattr(node, each.name))


def _looks_for(node: object) -> bool:
    """Whether a query looks for keys or uses a builtin with several answers."""
    if isinstance(node, tuple):
        return any(_looks_for(item) for item in node)
    if not is_dataclass(node) or isinstance(node, ArrayCompr | SetCompr | ObjectCompr):
        return False
    if isinstance(node, Ref) and any(isinstance(o, Var) for o in node.operands):
        return True
    if isinstance(node, Call) and isinstance(node.operator, Var):
        decl = all_capabilities().builtins.get(node.operator.name)
        if decl is not None and decl.relation:
            return True
    return any(_looks_for(getattr(node, each.name)) for each in fields(node))


def _texts(query: str, places: Mapping[int, Location]) -> dict[int, str]:
    """The texts of expressions: each ends where the next begins."""
    lines = [0]
    for line in query.split("\n"):
        lines.append(lines[-1] + len(line) + 1)
    starts = {n: lines[place.row - 1] + place.col - 1 for n, place in places.items()}
    ends = [*sorted(starts.values()), len(query)]
    return {
        n: query[at : ends[ends.index(at) + 1]].rstrip().rstrip(";").rstrip()
        for n, at in starts.items()
    }
