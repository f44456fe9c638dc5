"""Rules made of goals in, values out: every goal is tried until one can run.

An environment maps variables to values.  A goal that needs a variable without a value
raises :class:`NotReadyError` and is tried again after another goal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.reference.builtins import ARITY, BUILTINS, pairs, walk
from tests.reference.goals import (
    Clause,
    Collect,
    Equal,
    Find,
    Goal,
    Interpolate,
    Invoke,
    Member,
    Negate,
    Pattern,
    Rule,
    Rules,
    Term,
    Truth,
    Unify,
    Within,
    prepare,
    variables,
)
from tests.reference.values import (
    FALSE,
    Value,
    array,
    from_json,
    in_order,
    object_,
    set_,
    shown,
    string,
    to_json,
)

from adjudge.rego.parser import parse_module
from adjudge.rego.syntax import Var

Env = dict[str, Value]
Path = tuple[Value, ...]


class NotReadyError(Exception):
    """A variable that is needed has no value yet."""


class UnsafeError(Exception):
    """No order of the goals gives every variable a value."""


class ConflictError(Exception):
    """A rule or function has two values, or an object two for a key."""


@dataclass
class Context:
    """What goals are evaluated in."""

    rules: Rules
    input: Value | None
    data: Value
    backwards: bool = False
    replaced: tuple[Path, ...] = ()
    mocks: dict[str, Value | str] = field(default_factory=dict)
    documents: dict[Path, Value | None] = field(default_factory=dict)


def evaluate(
    modules: dict[str, str],
    paths: Iterable[tuple[str, ...]],
    input_: Any,
    data: Any,
    backwards: bool = False,
) -> list[Any]:
    """For each path below ``data`` its JSON (numbers are fractions), or ``...`` when undefined.

    ``input_`` is ``...`` when there is none.  ``backwards`` tries the goals of a body from the
    last to the first, which changes nothing but which errors are met.  Raises
    :class:`ConflictError`, :class:`UnsafeError`, and ``NotImplementedError`` for what this
    evaluator does not know.
    """
    rules = prepare([parse_module(text, name) for name, text in modules.items()])
    start = None if input_ is ... else from_json(input_)
    c = Context(rules, start, from_json(data), backwards)
    found = []
    for path in paths:
        try:
            value = document(tuple(map(string, path)), c)
        except NotReadyError:
            raise UnsafeError from None
        found.append(... if value is None else to_json(value))
    return found


# -- goals -------------------------------------------------------------------------------


def solve(goals: Sequence[Goal], env: Env, c: Context) -> list[Env]:
    """All ways to make the goals hold."""
    if not goals:
        return [env]
    for n in reversed(range(len(goals))) if c.backwards else range(len(goals)):
        try:
            found = run(goals[n], env, c)
        except NotReadyError:
            continue
        rest = [*goals[:n], *goals[n + 1 :]]
        return [final for each in found for final in solve(rest, each, c)]
    raise NotReadyError


def run(goal: Goal, env: Env, c: Context) -> list[Env]:
    """All ways to make one goal hold."""
    if isinstance(goal, Unify):
        return unify(goal.left, goal.right, env)
    if isinstance(goal, Equal):
        return [env] if ground(goal.left, env) == ground(goal.right, env) else []
    if isinstance(goal, Truth):
        return [env] if ground(goal.term, env) != FALSE else []
    if isinstance(goal, Find):
        return [
            after
            for value, each in find(goal.head, goal.operands, env, c)
            for after in match(goal.out, value, each)
        ]
    if isinstance(goal, Invoke):
        return invoke(goal, env, c)
    if isinstance(goal, Member):
        return members(goal.key, goal.value, goal.domain, env)
    if isinstance(goal, Negate):
        outputs = {g.out.name for g in goal.goals if isinstance(g, Find) and isinstance(g.out, Var)}
        need(variables(goal.goals) - outputs, env)
        return [] if solve(goal.goals, env, c) else [env]
    if isinstance(goal, Within):
        return solve(goal.goals, env, derived(goal, env, c))
    if isinstance(goal, Interpolate):
        texts = [p if isinstance(p, str) else interpolated(p, env, c) for p in goal.parts]
        return match(goal.out, string("".join(texts)), env)
    need(goal.needs, env)
    if isinstance(goal, Collect):
        return match(goal.out, collect(goal, env, c), env)
    domain = ground(goal.domain, env)
    if domain.kind not in ("array", "object", "set"):
        return []
    for key, value in pairs(domain):
        inner = [e for each in match(goal.key, key, env) for e in match(goal.value, value, each)]
        if not any(solve(goal.goals, each, c) for each in inner):
            return []
    return [env]


def need(names: Iterable[str], env: Env) -> None:
    """All these variables have values."""
    if any(name not in env for name in names):
        raise NotReadyError


def ground(term: Term, env: Env) -> Value:
    """The value of a simple term."""
    if isinstance(term, Value):
        return term
    if isinstance(term, Var):
        need([term.name], env)
        return env[term.name]
    if term.kind == "object":
        found: dict[Value, Value] = {}
        for k, v in term.items:
            key, value = ground(k, env), ground(v, env)
            if found.setdefault(key, value) != value:
                raise NotImplementedError("a literal object with a key twice")
        return object_(found.items())
    items = [ground(item, env) for item in term.items]
    return array(items) if term.kind == "array" else set_(items)


def match(pattern: Term, value: Value, env: Env) -> list[Env]:
    """The environment in which a pattern is a value: one, or none."""
    if isinstance(pattern, Var) and pattern.name not in env:
        return [{**env, pattern.name: value}]
    if not isinstance(pattern, Pattern) or pattern.kind == "set":
        return [env] if ground(pattern, env) == value else []
    if pattern.kind != value.kind or len(pattern.items) != len(value.content):
        return []
    if pattern.kind == "array":
        sides = list(zip(pattern.items, value.content, strict=True))
    else:
        known = dict(value.content)
        keys = [ground(k, env) for k, _ in pattern.items]
        if set(keys) != set(known):
            return []
        sides = [(v, known[k]) for k, (_, v) in zip(keys, pattern.items, strict=True)]
    found = [env]
    for part, content in sides:
        found = [after for each in found for after in match(part, content, each)]
    return found


def unify(left: Term, right: Term, env: Env) -> list[Env]:
    """One side has a value, the other is made to have it."""
    try:
        return match(right, ground(left, env), env)
    except NotReadyError:
        return match(left, ground(right, env), env)


def members(key: Term, value: Term, domain: Term, env: Env) -> list[Env]:
    """The environments for each member of a collection."""
    return [
        final
        for k, v in pairs(ground(domain, env))
        for each in match(key, k, env)
        for final in match(value, v, each)
    ]


def collect(goal: Collect, env: Env, c: Context) -> Value:
    """The value of a comprehension."""
    found = [tuple(ground(t, each) for t in goal.terms) for each in solve(goal.goals, env, c)]
    if goal.kind == "object":
        made: dict[Value, Value] = {}
        for k, v in found:
            if made.setdefault(k, v) != v:
                raise ConflictError
        return object_(made.items())
    items = [item for (item,) in found]
    return array(items) if goal.kind == "array" else set_(items)


def interpolated(part: Collect, env: Env, c: Context) -> str:
    """The text of a term in a template."""
    need(part.needs, env)
    values = in_order(collect(part, env, c).content)
    if len(values) > 1:
        raise ConflictError
    return shown(values[0]) if values else "<undefined>"


def derived(goal: Within, env: Env, c: Context) -> Context:
    """The context that ``with`` makes."""
    inner = replace(c, mocks=dict(c.mocks), documents={})
    for target, replacement in goal.targets:
        value = replacement if isinstance(replacement, str) else ground(replacement, env)
        path = tuple(map(string, target[1:]))
        function = ".".join(target)
        if function in BUILTINS or any(
            rule.kind == "function" and rule.prefix == path for rule in c.rules.rules
        ):
            inner.mocks[function] = value
        elif isinstance(value, str):
            raise NotImplementedError("a function in the place of a value")
        elif target[0] == "input":
            inner.input = put(inner.input, path, value)
        else:
            inner.data = put(inner.data, path, value)
            inner.replaced = (*inner.replaced, path)
    return inner


def put(document_: Value | None, path: Path, value: Value) -> Value:
    """The document with another value at a path."""
    if not path:
        return value
    parts = dict(document_.content) if document_ is not None and document_.kind == "object" else {}
    parts[path[0]] = put(parts.get(path[0]), path[1:], value)
    return object_(parts.items())


# -- calls -------------------------------------------------------------------------------


def invoke(goal: Invoke, env: Env, c: Context) -> list[Env]:
    """A call as a goal."""
    path = tuple(map(string, goal.name.split(".")[1:]))
    own = [r for r in c.rules.rules if r.kind == "function" and r.prefix == path]
    arity = len(own[0].args) if own else 1 if goal.name == "walk" else ARITY.get(goal.name, -1)
    if arity < 0:
        raise NotImplementedError(goal.name)
    args = [ground(arg, env) for arg in goal.args[:arity]]
    out = goal.args[arity] if len(goal.args) > arity else goal.out
    found: list[Env] = []
    for answer in answers(goal.name, own, args, c):
        if out is not None:
            found.extend(match(out, answer, env))
        elif answer != FALSE:
            found.append(env)
    return found


def answers(name: str, own: list[Rule], args: list[Value], c: Context) -> list[Value]:
    """What a call gives: one value, none, and for relations several."""
    if name in c.mocks:
        mock = c.mocks[name]
        if not isinstance(mock, str):
            return [mock]
        plain = replace(c, mocks={}, documents={})
        path = tuple(map(string, mock.split(".")[1:]))
        others = [r for r in c.rules.rules if r.kind == "function" and r.prefix == path]
        return answers(mock, others, args, plain)
    if own:
        return call(own, args, c)
    if name == "walk":
        return walk(args[0])
    answer = BUILTINS[name](*args)
    return [] if answer is None else [answer]


def call(rules: list[Rule], args: list[Value], c: Context) -> list[Value]:
    """The value of a function of the policy."""
    for default in (False, True):
        found: set[Value] = set()
        for rule in rules:
            if rule.default == default:
                pattern = Pattern("array", rule.args)
                for env in match(pattern, array(args), {}):
                    found |= {value for _, value in chain(rule.clauses, env, c)}
        if len(found) > 1:
            raise ConflictError
        if found:
            return list(found)
    return []


def chain(clauses: list[Clause], env: Env, c: Context) -> list[tuple[Path, Value]]:
    """The solutions of the first clause of an ``else`` chain that has any."""
    for clause in clauses:
        found = [
            (tuple(ground(t, each) for t in clause.rest), ground(clause.result, each))
            for each in solve(clause.goals, env, c)
        ]
        if found:
            return found
    return []


# -- documents ---------------------------------------------------------------------------


def find(
    head: Term | str, operands: Sequence[Term], env: Env, c: Context
) -> Iterator[tuple[Value, Env]]:
    """The values that a reference may have, each with what its variables are then."""
    if head == "data":
        path: list[Value] = []
        for n, operand in enumerate(operands):
            inside = any(len(r.prefix) > n and r.prefix[:n] == tuple(path) for r in c.rules.rules)
            if not inside:
                break
            try:
                path.append(ground(operand, env))
            except NotReadyError:
                break
        value = document(tuple(path), c)
        operands = operands[len(path) :]
    elif isinstance(head, str):
        value = c.input
    else:
        value = ground(head, env)
    if value is not None:
        yield from descend(value, operands, env)


def descend(value: Value, operands: Sequence[Term], env: Env) -> Iterator[tuple[Value, Env]]:
    """The values below a value, one operand after the other."""
    if not operands:
        yield value, env
        return
    for key, below in pairs(value):
        for each in match(operands[0], key, env):
            yield from descend(below, operands[1:], each)


def document(path: Path, c: Context) -> Value | None:
    """Rules and base documents at a path below ``data``, merged."""
    if path not in c.documents:
        c.documents[path] = _document(path, c)
    return c.documents[path]


def _document(path: Path, c: Context) -> Value | None:
    tree = Tree.of(next((v for v, _ in descend(c.data, path, {})), None))
    if any(path[: len(p)] == p for p in c.replaced):
        return tree.value()
    active = [
        r
        for r in c.rules.rules
        if r.kind != "function" and not any(r.prefix[: len(p)] == p for p in c.replaced)
    ]
    for each in (*c.rules.packages, *(r.prefix[:-1] for r in active)):
        if each[: len(path)] == path:
            tree.at(each[len(path) :]).children()
    for prefix in {r.prefix for r in active}:
        if prefix[: len(path)] == path or path[: len(prefix)] == prefix:
            whole = Tree()
            for full, kind, value in contributions([r for r in active if r.prefix == prefix], c):
                whole.at(full).add(kind, value)
            _graft(tree, whole, prefix, path)
    return tree.value()


def contributions(rules: list[Rule], c: Context) -> Iterator[tuple[Path, str, Value | None]]:
    """What rules with one prefix say, each for a path below the prefix."""
    ordinary = [r for r in rules if not r.default]
    partial = any(clause.rest for r in ordinary for clause in r.clauses)
    if partial:
        yield (), "object", None
    elif any(r.kind == "set" for r in ordinary):
        yield (), "set", None
    found = False
    for rule in ordinary:
        for rest, value in chain(rule.clauses, {}, c):
            found = True
            yield rest, rule.kind, value
    if not found:
        for rule in rules:
            if rule.default:
                for _, value in chain(rule.clauses, {}, c):
                    yield (), "value", value


def _graft(tree: Tree, whole: Tree, prefix: Path, path: Path) -> None:
    """Put what stands at ``prefix`` into the tree of ``path``."""
    if len(prefix) >= len(path):
        tree.at(prefix[len(path) :]).merge(whole)
        return
    value = whole.value()
    below = (
        None
        if value is None
        else next((v for v, _ in descend(value, path[len(prefix) :], {})), None)
    )
    if below is not None:
        tree.merge(Tree.of(below))


class Tree:
    """A document in the making."""

    def __init__(self) -> None:
        self.leaf: Value | None = None
        self.elements: set[Value] | None = None
        self.below: dict[Value, Tree] | None = None

    @classmethod
    def of(cls, value: Value | None) -> Tree:
        """A tree of a value."""
        tree = cls()
        if value is not None and value.kind == "object":
            tree.below = {k: cls.of(v) for k, v in value.content}
        else:
            tree.leaf = value
        return tree

    def children(self) -> dict[Value, Tree]:
        """What is below; from now on the tree is an object."""
        if self.below is None:
            self.below = {}
        return self.below

    def at(self, path: Path) -> Tree:
        """The tree at a path, made when it is not there."""
        if not path:
            return self
        return self.children().setdefault(path[0], Tree()).at(path[1:])

    def add(self, kind: str, value: Value | None) -> None:
        """Add what a rule says for this place."""
        if kind == "object":
            self.children()
        elif kind == "set":
            self.elements = self.elements or set()
            if value is not None:
                self.elements.add(value)
        elif value is not None:
            if self.value() not in (None, value):
                raise ConflictError
            self.leaf = value

    def merge(self, other: Tree) -> None:
        """Take over what another tree has; it goes before what is here."""
        if other.below is not None and not (other.leaf or other.elements):
            if self.leaf is not None and self.leaf.kind == "object":
                self.below = {**Tree.of(self.leaf).children(), **self.children()}
            self.leaf = None
            self.children()
            for key, tree in other.below.items():
                self.children().setdefault(key, Tree()).merge(tree)
        elif other.value() is not None:
            self.leaf, self.elements, self.below = other.leaf, other.elements, other.below

    def value(self) -> Value | None:
        """The document."""
        if sum(each is not None for each in (self.leaf, self.elements, self.below)) > 1:
            raise NotImplementedError("a document that is two things at once")
        if self.elements is not None:
            return set_(self.elements)
        if self.below is not None:
            found = ((k, tree.value()) for k, tree in self.below.items())
            return object_((k, v) for k, v in found if v is not None)
        return self.leaf
