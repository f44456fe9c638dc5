"""Compiled rules in; rules that cannot hold, that nothing uses, and references to nothing out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adjudge.policyset.lint.model import Finding, Subject, is_yaml
from adjudge.rego.analysis.contradictions import (
    asks_empty,
    contradictions,
    empty_rules,
    ground_path,
    never_true,
)
from adjudge.rego.analysis.origins import parts
from adjudge.rego.passes.model import Clause, Group, Path, path_text
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Expr,
    Object,
    ObjectCompr,
    Ref,
    Scalar,
    Set,
    SetCompr,
    With,
    walk,
)
from adjudge.yamlpolicy.problems import suggestion

_FINDINGS: Final = ("deny", "warn", "violation")
_ASKED: Final = ("allow", "obligations", "applicable")
"""Rules that something outside the policies asks, besides those that make findings."""


def check(subject: Subject) -> Iterator[Finding]:
    """Findings ``deny_cannot_fire``, ``never_true``, ``finding_invalid``, ``dead_rule`` and
    ``unknown_data_path``."""
    yield from _cannot_hold(subject)
    yield from _invalid(subject)
    yield from _dead(subject)
    yield from _unknown_data(subject)


def is_finding(name: object) -> bool:
    """Whether the gate reads findings from rules of this name."""
    return str(name).partition("_")[0] in _FINDINGS


# -- conditions ----------------------------------------------------------------------------------


def _cannot_hold(subject: Subject) -> Iterator[Finding]:
    empty = empty_rules(subject.comp.groups.values())
    for group in subject.comp.groups.values():
        name = group.path[-1]
        for clause, found in () if subject.is_test(group) else never_true(group):
            code = "deny_cannot_fire" if clause.loc in subject.entries else "never_true"
            yield subject.finding(
                code,
                f"{name} can never hold here: {found.reason}",
                found.loc if found.loc.row else clause.loc,
                "correct the condition, or remove the rule",
            )
        if group.kind == "function" and is_finding(name):
            clause = group.first
            if not subject.is_test(group) and len(group.path) > 1:
                yield subject.finding(
                    "deny_cannot_fire",
                    f"{name} is a function: the gate asks rules without arguments only",
                    clause.loc,
                    f"write {name} contains message if …, or give the function another name",
                )
    for group, clause in subject.clauses():
        if clause.loc not in subject.entries:
            continue
        asked = asks_empty(clause.body, empty)
        if asked is not None:
            path, expr = asked
            yield subject.finding(
                "deny_cannot_fire",
                f"{group.path[-1]} can never hold here: {path_text(path)} never does",
                expr.loc,
                "correct that rule, or remove this one",
            )
    for _, clause in subject.clauses():
        yield from _empty_closures(subject, clause)


def _empty_closures(subject: Subject, clause: Clause) -> Iterator[Finding]:
    """Comprehensions that are always empty."""
    for node in walk(parts(clause)):
        if isinstance(node, ArrayCompr | SetCompr | ObjectCompr):
            found = next(contradictions(node.body), None)
            if found is not None:
                place = found.loc if found.loc.row else clause.loc
                yield subject.finding(
                    "never_true",
                    f"the comprehension is always empty: {found.reason}",
                    place,
                    "correct the condition",
                )


def _invalid(subject: Subject) -> Iterator[Finding]:
    for group, clause in subject.clauses():
        if clause.loc not in subject.entries or group.kind != "set":
            continue
        problem = _problem_of(clause)
        if problem:
            assert clause.key is not None
            yield subject.finding(
                "finding_invalid",
                f"an element of {group.path[-1]} must be a text, or an object with msg; {problem}",
                clause.key.loc if clause.key.loc.row else clause.loc,
                'write contains "…", or contains {"msg": …}',
            )


def _problem_of(clause: Clause) -> str:
    key = clause.key
    if isinstance(key, Scalar) and not isinstance(key.value, str):
        return "this is neither"
    if isinstance(key, Array | Set):
        return "this is a list or a set"
    if isinstance(key, Object):
        names = [k.value for k, _ in key.pairs if isinstance(k, Scalar)]
        if len(names) == len(key.pairs) and not {"msg", "message"} & set(names):
            return "this object has none"
    return ""


# -- references ----------------------------------------------------------------------------------


def _dead(subject: Subject) -> Iterator[Finding]:
    """Rules of packages that are asked something, and that play no part in any answer."""
    comp = subject.comp
    asked = {p for p, g in comp.groups.items() if _is_asked(subject, g)}
    packages = {g.first.rule.loc.file for p, g in comp.groups.items() if p in asked}
    tests = {p for p, g in comp.groups.items() if subject.is_test(g)}
    used = _reachable(subject, asked)
    tested = _reachable(subject, tests)
    for path, group in comp.groups.items():
        module = subject.module_of(group.first)
        if path in used or path in tests or is_yaml(module) or module.file not in packages:
            continue
        only = "only tests use it" if path in tested else "nothing uses it"
        yield subject.finding(
            "dead_rule",
            f"{path_text(path)} plays no part in any finding: {only}",
            group.first.loc,
            "remove it; if it is queried from outside, say so with entrypoint: true in its "
            "METADATA",
        )


def _is_asked(subject: Subject, group: Group) -> bool:
    if subject.is_test(group):
        return False
    if any(str(step) in _ASKED or is_finding(step) for step in group.path[-1:]):
        return True
    return any(
        a.fields.get("entrypoint") is True or a.scope == "document"
        for clause in group.all_clauses()
        for a in clause.rule.annotations
    )


def _reachable(subject: Subject, start: set[Path]) -> set[Path]:
    found = set(start)
    queue = list(start)
    while queue:
        for target in subject.comp.graph.get(queue.pop(), ()):
            if target not in found:
                found.add(target)
                queue.append(target)
    return found


def _unknown_data(subject: Subject) -> Iterator[Finding]:
    packages = {m.package for m in subject.modules}
    for _, clause in subject.clauses():
        replaced = {ground_path(w.target) for w in _withs(clause) if isinstance(w.target, Ref)}
        for ref in walk(parts(clause)):
            path = ground_path(ref) if isinstance(ref, Ref) else ()
            package = max((p for p in packages if path[: len(p)] == p), key=len, default=None)
            if package is None or len(path) == len(package) or not isinstance(ref, Ref):
                continue
            name = path[len(package)]
            node = subject.comp.tree.find(package)
            known = list(node.children) if node is not None else []
            if name in known or _in_data(subject, (*package, name)):
                continue
            if any(path[: len(r)] == r or r[: len(path)] == path for r in replaced):
                continue
            yield subject.finding(
                "unknown_data_path",
                f"{path_text(package)} has no rule {name}",
                ref.loc,
                suggestion(str(name), [str(k) for k in known]) or "nothing of that name is loaded",
            )


def _withs(clause: Clause) -> Iterator[With]:
    for node in walk(clause.body):
        if isinstance(node, Expr):
            yield from node.withs


def _in_data(subject: Subject, path: Path) -> bool:
    value: object = subject.policies.data
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True
