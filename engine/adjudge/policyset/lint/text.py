"""Modules and compiled rules in; doubts about names, builtins and patterns out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from adjudge.policyset.lint.model import Finding, Subject, is_yaml
from adjudge.rego.analysis.origins import BINDING, Origins, operator_of, parts
from adjudge.rego.builtins.patterns import compile_pattern
from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.capabilities import WITHHELD_BY_DEFAULT
from adjudge.rego.passes.model import display_name
from adjudge.rego.syntax import Call, Head, Import, Module, Ref, Rule, Scalar, Term, Var, walk
from adjudge.source import Location

LARGE_PATTERN: Final = 1000
"""Instructions of a compiled pattern over which it counts as costly."""

_SNAKE: Final = re.compile(r"_?[a-z][a-z0-9_]*\Z")
_OPERATORS: Final = frozenset(
    {
        *("and", "assign", "div", "eq", "equal", "gt", "gte", "lt", "lte", "minus", "mul"),
        *("neq", "or", "plus", "rem", "print"),
    }
)
_PATTERN_AT: Final = {
    "re_match": 0,
    "regex.match": 0,
    "regex.find_n": 0,
    "regex.find_all_string_submatch_n": 0,
    "regex.split": 0,
    "regex.replace": 1,
}
"""Which argument of a builtin is the pattern."""


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about ``regex_*``, builtins, ``print_call``, ``naming`` and what is unused or
    shadowed."""
    yield from _calls(subject)
    for module in subject.modules:
        if not is_yaml(module):
            yield from _unused_imports(subject, module)
            yield from _unused_arguments(subject, module)
            yield from _names(subject, module)


# -- calls ---------------------------------------------------------------------------------------


def _calls(subject: Subject) -> Iterator[Finding]:
    builtins = subject.comp.capabilities.builtins
    for group, clause in subject.clauses(tests=True):
        tests = subject.is_test(group)
        origins = subject.origins(clause)
        for node in walk(parts(clause)):
            if not isinstance(node, Call):
                continue
            name = operator_of(node)
            place = node.loc if node.loc.row else clause.loc
            if name == "internal.print" and not tests:
                yield subject.finding(
                    "print_call", "print is left in", place, "remove it once the rule is right"
                )
            if name in WITHHELD_BY_DEFAULT and not tests:
                yield subject.finding(
                    "withheld_builtin",
                    f"{name} is withheld by default: it reaches outside the evaluation",
                    place,
                    "pass what the rule needs as data or input",
                )
            if name in builtins and builtins[name].deprecated:
                yield subject.finding("deprecated_builtin", f"{name} is deprecated", place)
            if name in _PATTERN_AT and len(node.args) > _PATTERN_AT[name]:
                yield from _pattern(subject, origins, name, node.args[_PATTERN_AT[name]], place)


def _pattern(
    subject: Subject, origins: Origins, name: str, term: Term, place: Location
) -> Iterator[Finding]:
    where = term.loc if term.loc.row else place
    constant = origins.scalar(term)
    if constant is None:
        if origins.steps(term) is not None:
            yield subject.finding(
                "regex_from_input",
                f"the pattern of {name} comes from the input",
                where,
                "compare texts with ==, contains or startswith, or take patterns from data",
            )
        return
    if not isinstance(constant.value, str):
        return
    try:
        compile_pattern(constant.value)
    except BuiltinError as error:
        yield subject.finding("regex_invalid", str(error), where, "RE2 knows no look-around")
        return
    size = _size(constant.value)
    if size > LARGE_PATTERN:
        yield subject.finding(
            "regex_costly",
            f"the pattern compiles to {size:,} instructions",
            where,
            "use smaller counts in {n,m}, or several simple tests",
        )


def _size(pattern: str) -> int:
    """How large RE2's program for the pattern is; 0 for one it does not know."""
    # Nothing that repeats little can be large, and loading RE2 takes its time.
    if len(pattern) < 200 and "{" not in pattern and "\\" not in pattern:
        return len(pattern)
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return int(re2.compile(pattern.encode(errors="replace"), options).programsize)
    except re2.error:
        return 0


# -- names ---------------------------------------------------------------------------------------


def _unused_imports(subject: Subject, module: Module) -> Iterator[Finding]:
    used = {node.name for node in walk(module.rules) if isinstance(node, Var)}
    for imported in module.imports:
        name = _import_name(imported)
        if name and name not in used:
            yield subject.finding(
                "unused_import", f"nothing uses the import {name}", imported.loc, "remove it"
            )


def _import_name(imported: Import) -> str:
    """What the rules call it; empty for ``rego.v1`` and the like."""
    path = imported.path
    root = path if isinstance(path, Var) else path.head
    if not isinstance(root, Var) or root.name in ("future", "rego"):
        return ""
    if imported.alias:
        return imported.alias
    last = path.operands[-1] if isinstance(path, Ref) else path
    if isinstance(last, Var):
        return last.name
    return str(last.value) if isinstance(last, Scalar) else ""


def _names(subject: Subject, module: Module) -> Iterator[Finding]:
    bare = {n for n in subject.comp.capabilities.builtins if "." not in n} - _OPERATORS
    for step in module.package:
        if not _SNAKE.match(step):
            yield subject.finding(
                "naming", f"the package name {step} is not in snake_case", module.package_loc
            )
    told: set[tuple[str, int]] = set()
    for rule in module.rules:
        for name, loc, what in _declared(rule):
            if (name, loc.row) in told:
                continue
            told.add((name, loc.row))
            if name in bare:
                yield subject.finding(
                    "shadowed_builtin", f"the {what} {name} hides the builtin {name}", loc
                )
            elif what == "rule" and not _SNAKE.match(name):
                yield subject.finding("naming", f"the rule {name} is not in snake_case", loc)


def _unused_arguments(subject: Subject, module: Module) -> Iterator[Finding]:
    for rule in module.rules:
        if rule.default:
            continue  # its arguments are there to be counted
        used: set[str] = set()
        each: Rule | None = rule
        while each is not None:
            parts_of = (each.body, each.head.value, each.head.key)
            used |= {n.name for n in walk(parts_of) if isinstance(n, Var)}
            each = each.orelse
        # An argument that stands twice asks that both are the same.
        args = [n for n in walk(rule.head.args or ()) if isinstance(n, Var)]
        args = [a for a in args if a.name not in ("_", "input", "data")]
        names = [a.name for a in args]
        for arg in args:
            if arg.name not in used and names.count(arg.name) == 1:
                yield subject.finding(
                    "unused_argument", f"nothing uses the argument {arg.name}", arg.loc, "write _"
                )


def _declared(rule: Rule) -> Iterator[tuple[str, Location, str]]:
    head: Head = rule.head
    name = head.ref if isinstance(head.ref, Var) else head.ref.head
    if isinstance(name, Var):
        yield name.name, name.loc if name.loc.row else rule.loc, "rule"
    for arg in head.args or ():
        if isinstance(arg, Var):
            yield arg.name, arg.loc, "argument"
    for node in walk(rule.body):
        if isinstance(node, Call) and operator_of(node) in BINDING and len(node.args) == 2:
            target = node.args[0]
            if isinstance(target, Var) and target.loc.row:
                yield display_name(target.name), target.loc, "variable"
