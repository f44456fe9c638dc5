"""Groups of clauses in, the types of their documents and errors about them out."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from adjudge.rego.passes.model import Clause, Compilation, Group, Path
from adjudge.rego.passes.recursion import reached
from adjudge.rego.passes.types.annotations import SchemaLayers
from adjudge.rego.passes.types.calls import DocumentPath
from adjudge.rego.passes.types.check import Checker
from adjudge.rego.passes.types.env import ROOTS, Env
from adjudge.rego.passes.types.keys import scalar_key
from adjudge.rego.passes.types.model import ANY, Table, Type
from adjudge.rego.passes.types.numbering import module_numbers, query_numbers
from adjudge.rego.passes.types.problems import Problem
from adjudge.rego.passes.types.tree import TypeTree
from adjudge.rego.passes.types.visit import is_computed
from adjudge.rego.syntax import Body, Term, Var, walk
from adjudge.source import Location

MAX_TEXT = 4_000_000
"""How many characters all messages may take; further errors come without their details."""


@dataclass(slots=True)
class Inferred:
    """What is known of documents when all rules have been checked."""

    table: Table = field(default_factory=Table)
    layers: tuple[TypeTree, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Queries are checked one at a time: all make their types in the one table."""


class RuleChecker(Checker):
    """Checks the rules of a compilation, and bodies of queries over it."""

    def __init__(self, comp: Compilation, inferred: Inferred, query: Body | None = None) -> None:
        super().__init__(inferred.table, comp.capabilities, rules=query is None)
        self.comp = comp
        self.inferred = inferred
        modules = comp.modules if query is None else ()
        self.schemas = SchemaLayers(inferred.table, modules, comp.schemas)
        self._query = query
        self._file = ""
        self._text = 0
        self._sources: dict[Path, list[Path]] | None = None
        self._numbers: dict[Location, int] | None = None

    # -- rules -----------------------------------------------------------------------------

    def group(self, group: Group) -> None:
        """Check all clauses of a group, and put its type into the tree."""
        path = tuple(map(scalar_key, group.path))
        tree = self.inferred.layers[0]
        for clause in sorted(group.all_clauses(), key=_place):
            self.scope = (clause.rule, clause.args, clause.tail, clause.body)
            self.locals = clause.types
            self._file = clause.loc.file
            self._replaced.clear()
            try:
                t, problems = self._clause(group, clause)
            except RecursionError:
                problems = [Problem(clause.loc, "rule is too deeply nested")]
            if problems:
                self.report(problems)
                # What refers to the rule is not blamed for its errors.
                if group.kind == "object":
                    tree.reserve(path)
                else:
                    tree.put("data", path, ANY)
            elif t is not None:
                tree.insert(path, t)

    def _clause(self, group: Group, clause: Clause) -> tuple[Type | None, list[Problem]]:
        """The type that one clause gives to the document at the path of its group."""
        env = Env(None, self.inferred.layers)
        module = self.comp.modules[clause.module]
        env, errors = self.schemas.over(env, module, clause.rule)
        self.report(Problem(clause.loc, error) for error in errors)
        problems = self.body(env, clause.body)
        self.mocking = None
        parts = (clause.key, clause.value, *clause.args)
        # What is computed is bound in the body; the rest is looked at when all is known.
        computed = {
            id(part): self.bound(env, part, problems)
            for part in parts
            if part is not None and is_computed(part)
        }
        if problems:
            return None, problems
        if group.kind == "function":
            for name in _variables(clause.args):
                if env.lookup(name) is None:
                    env.vars[name] = ANY

        def type_of(term: Term) -> Type | None:
            return computed[id(term)] if id(term) in computed else self.terms.type_of(env, term)

        out: Type | None
        if group.kind == "function":
            out = self.table.function(tuple(map(type_of, clause.args)), type_of(clause.value))
        elif clause.key is None:
            out = type_of(clause.value)
        else:
            key = type_of(clause.key)
            out = None if key is None else self.table.set(key)
        for operand in reversed(clause.tail):
            kind = self.terms.type_of(env, operand)
            out = None if out is None or kind is None else self.table.object({}, (kind, out))
        self.remember(env)
        return out, []

    # -- the rest --------------------------------------------------------------------------

    def check_query(self, body: Body) -> None:
        """Check the body of a query."""
        self.scope = (body,)
        with self.inferred.lock:
            self.report(self.body(Env(None, self.inferred.layers), body))

    def report(self, problems: Iterable[Problem]) -> None:
        """Record errors."""
        for problem in problems:
            message = problem.message
            self._text += len(message)
            if self._text > MAX_TEXT:
                message = message.split("\n", 1)[0]
            self.comp.error(message, problem.loc, "rego_type_error")

    def unnamed_key(self, name: str) -> Term | None:
        """The variable that stands for the key of a ``some x in xs``."""
        query = self._query
        if self._numbers is None:
            modules = self.comp.modules
            self._numbers = module_numbers(modules) if query is None else query_numbers(query)
        row, col = map(int, name.split("~")[1:])
        number = self._numbers.get(Location(self._file, row, col))
        return None if number is None else Var(f"__local{'' if query is None else 'q'}{number}__")

    def dependents(self, operands: tuple[Term, ...]) -> list[DocumentPath]:
        """The rules that a reference below ``data`` may reach, and all that depend on them."""
        if self._sources is None:
            self._sources = {}
            for path, targets in self.comp.graph.items():
                for target in targets:
                    self._sources.setdefault(target, []).append(path)
        found = dict.fromkeys(reached(self.comp, operands))
        waiting = list(found)
        while waiting:
            for source in self._sources.get(waiting.pop(), ()):
                if source not in found:
                    found[source] = None
                    waiting.append(source)
        return [tuple(map(scalar_key, path)) for path in found]


def _place(clause: Clause) -> Location:
    return clause.loc


def in_order(comp: Compilation) -> Iterator[Group]:
    """The groups, each after those it refers to, otherwise in the order of the text."""
    groups = comp.groups
    places = {path: group.first.loc for path, group in groups.items()}
    done: set[Path] = set()
    for start in sorted(groups, key=places.__getitem__):
        stack: list[tuple[Path, Iterator[Path]]] = []
        if start not in done:
            done.add(start)
            stack.append((start, iter(sorted(comp.graph[start], key=places.__getitem__))))
        while stack:
            path, targets = stack[-1]
            target = next((t for t in targets if t not in done), None)
            if target is None:
                stack.pop()
                yield groups[path]
            else:
                done.add(target)
                stack.append((target, iter(sorted(comp.graph[target], key=places.__getitem__))))


def _variables(terms: Iterable[Term]) -> Iterator[str]:
    for item in walk(tuple(terms)):
        if isinstance(item, Var) and item.name not in ROOTS:
            yield item.name
