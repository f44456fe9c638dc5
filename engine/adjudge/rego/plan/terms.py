"""Terms, references and unification of one function: syntax in, IR steps out.

The planner keeps the innermost open block; a step that iterates opens a new one, and
all that follows goes into it.  ``env`` maps variables to operands; a variable that is
not in it is unbound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from adjudge.rego.passes.model import Compilation, Group, Key, Node, Path, path_text
from adjudge.rego.plan import ir
from adjudge.rego.plan.constants import constant_of
from adjudge.rego.runtime.values import UNDEFINED, equal
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Body,
    Call,
    Object,
    ObjectCompr,
    Ref,
    Scalar,
    Set,
    SetCompr,
    Template,
    Term,
    Var,
)
from adjudge.source import Location

if TYPE_CHECKING:
    from adjudge.rego.plan.ir import Local, Operand


class PlanError(Exception):
    """A body that the passes let through cannot be planned; carries the location."""

    def __init__(self, message: str, loc: Location) -> None:
        super().__init__(message)
        self.message = message
        self.loc = loc


class TermPlanner:
    """Plans terms into the current block; the statement planner builds on it."""

    def __init__(self, comp: Compilation) -> None:
        self.comp = comp
        self.block = ir.Block()
        self.env: dict[str, Operand] = {}
        self.avail: dict[tuple[object, ...], Operand] = {}
        self.locals = 0
        self.contexts = 0
        self.ctx = 0
        self.ordered = False
        self.scans = 0

    # -- plumbing ------------------------------------------------------------------

    def new(self) -> Local:
        """A fresh local."""
        self.locals += 1
        return ir.Local(self.locals)

    def emit(self, step: ir.Step) -> None:
        """Append a step to the innermost block."""
        self.block.steps.append(step)

    @contextmanager
    def nested(self, block: ir.Block) -> Iterator[None]:
        """Plan into ``block``; what is bound in there is forgotten afterwards."""
        saved = (self.block, self.env, self.avail, self.ctx, self.ordered, self.scans)
        self.block = block
        self.env = dict(self.env)
        self.avail = dict(self.avail)
        yield
        self.block, self.env, self.avail, self.ctx, self.ordered, self.scans = saved

    def body(self, body: Body, sink: Callable[[], None]) -> None:
        """Plan a body and what to do with each of its solutions (the statement planner's job)."""
        raise NotImplementedError  # pragma: no cover - abstract

    # -- what can be evaluated now ---------------------------------------------------

    def bound(self, term: Term) -> bool:
        """Whether a term can be evaluated (iterating references if need be)."""
        if isinstance(term, Scalar):
            return True
        if isinstance(term, Var):
            return term.name in self.env or term.name in ("input", "data")
        match term:
            case Ref(head, operands):
                return self.bound(head) and all(
                    self.bound(o) or isinstance(o, Var | Array | Object) for o in operands
                )
            case Array(items) | Set(items):
                return all(map(self.bound, items))
            case Object(pairs):
                return all(self.bound(k) and self.bound(v) for k, v in pairs)
            case Call(_, args):
                return all(map(self.bound, args))
            case _:
                return True

    # -- terms -----------------------------------------------------------------------

    def term(self, term: Term) -> Operand:
        """The operand that holds the term's value."""
        # Most terms are one of these three.
        if isinstance(term, Scalar):
            return ir.Const(term.value)
        if isinstance(term, Var):
            return self._var(term.name, term.loc)
        if isinstance(term, Ref):
            return self.ref(term)
        known = constant_of(term)
        if known is not UNDEFINED:
            return ir.Const(known)
        match term:
            case Array(items):
                operands = self.terms(items)
                dst = self.new()
                self.emit(ir.MakeArray(dst, operands))
                return dst
            case Set(items):
                operands = self.terms(items)
                dst = self.new()
                self.emit(ir.MakeSet(dst, operands))
                return dst
            case Object(pairs):
                flat = self.terms(tuple(t for pair in pairs for t in pair))
                both = tuple(zip(flat[::2], flat[1::2], strict=True))
                dst = self.new()
                self.emit(ir.MakeObject(dst, both))
                return dst
            case ArrayCompr(inner, body):
                return self._collect("array", body, (inner,))
            case SetCompr(inner, body):
                return self._collect("set", body, (inner,))
            case ObjectCompr(key, value, body):
                return self._collect("object", body, (key, value))
            case Call(loc=loc):
                raise PlanError("a call in an unexpected place", loc)
            case Template(loc=loc):
                raise PlanError("a template in an unexpected place", loc)

    def terms(self, terms: tuple[Term, ...]) -> tuple[Operand, ...]:
        """Several terms; one that binds a variable another needs comes first."""
        found: dict[int, Operand] = {}
        waiting = list(enumerate(terms))
        while waiting:
            later = []
            for index, term in waiting:
                if self.bound(term):
                    found[index] = self.term(term)
                else:
                    later.append((index, term))
            if len(later) == len(waiting):
                # Reports the unsafe variable.
                self.term(later[0][1])
            waiting = later
        return tuple(found[i] for i in range(len(terms)))

    def _var(self, name: str, loc: Location) -> Operand:
        operand = self.env.get(name)
        if operand is not None:
            return operand
        if name == "input":
            return self._input()
        if name == "data":
            return self.data_ref(())
        raise PlanError(f"var {name.split('~')[0]} is unsafe", loc)

    def _input(self) -> Operand:
        key = ("input", self.ctx)
        found = self.avail.get(key)
        if found is None:
            dst = self.new()
            self.emit(ir.Input(dst, self.ctx))
            found = self.avail[key] = dst
        return found

    def _collect(self, kind: str, body: Body, terms: tuple[Term, ...]) -> Operand:
        block = ir.Block()
        with self.nested(block):
            # Order can be seen in arrays only; in a set within an array it cannot.
            self.ordered = kind == "array"
            self.body(body, lambda: self.emit(ir.Add(tuple(self.term(t) for t in terms))))
        dst = self.new()
        self.emit(ir.Collect(dst, kind, block))  # type: ignore[arg-type]
        return dst

    # -- references --------------------------------------------------------------------

    def ref(self, ref: Ref) -> Operand:
        """The operand that holds a reference's value; unbound operands iterate."""
        head = ref.head
        if isinstance(head, Var) and head.name == "data" and "data" not in self.env:
            return self.data_ref(ref.operands)
        src = self.term(head)
        return self._walk(src, ref.operands, lazy=False)

    def _walk(self, src: Operand, operands: tuple[Term, ...], *, lazy: bool) -> Operand:
        for operand in operands:
            src = self._step(src, operand, lazy)
        if lazy:
            dst = self.new()
            assert isinstance(src, ir.Local)
            self.emit(ir.Force(dst, src, self.ctx))
            return dst
        return src

    def _step(self, src: Operand, operand: Term, lazy: bool) -> Operand:
        if not self.bound(operand):
            return self._scan_operand(src, operand, lazy)
        key = self.term(operand)
        return self.dot(src, key, lazy=lazy)

    def dot(self, src: Operand, key: Operand, *, lazy: bool = False) -> Operand:
        """``src[key]``; a subscript already made in an enclosing block is used again."""
        if isinstance(src, ir.Const) and isinstance(key, ir.Const) and not lazy:
            return self._constant_dot(src, key)
        mark = (
            self.ctx if lazy else 0,
            src.id if isinstance(src, ir.Local) else id(src),
            ("k", type(key.value), key.value)
            if isinstance(key, ir.Const) and isinstance(key.value, str | int | float | bool | None)
            else key,
        )
        found = self.avail.get(mark)
        if found is None:
            dst = self.new()
            self.emit(ir.Dot(dst, src, key, lazy, self.ctx))
            found = self.avail[mark] = dst
        return found

    def _constant_dot(self, src: ir.Const, key: ir.Const) -> Operand:
        dst = self.new()
        self.emit(ir.Dot(dst, src, key))
        return dst

    def scan(self, src: Operand, key: Local | None, value: Local | None, lazy: bool) -> None:
        """Open a loop over ``src``; what follows is planned into it."""
        block = ir.Block()
        self.emit(ir.Scan(src, key, value, block, self.ordered, lazy, self.ctx))
        self.block = block
        self.scans += 1

    def _scan_operand(self, src: Operand, operand: Term, lazy: bool) -> Operand:
        wildcard = isinstance(operand, Var) and operand.name.startswith("_~")
        key = None if wildcard else self.new()
        value = self.new()
        self.scan(src, key, value, lazy)
        if key is not None:
            self.match(operand, key)
        return value

    # -- data ----------------------------------------------------------------------------

    def data_ref(self, operands: tuple[Term, ...]) -> Operand:
        """A reference below ``data``: rules, base documents, or both merged."""
        node = self.comp.tree
        path: list[Key] = []
        for at, operand in enumerate(operands):
            rest = operands[at:]
            if not isinstance(operand, Scalar):
                return self._walk(self._lazy(tuple(path)), rest, lazy=True)
            key: Key = operand.value  # type: ignore[assignment]
            child = node.children.get(key)
            if child is None:
                return self._base(tuple(path), rest)
            path.append(key)
            node = child
            if node.group is not None:
                return self._walk(self._group_value(node), operands[at + 1 :], lazy=False)
        return self._document(tuple(path))

    def _group_value(self, node: Node) -> Operand:
        group = node.group
        assert group is not None
        if node.children:
            return self._document(node.path)
        return self.rule_value(group)

    def rule_value(self, group: Group) -> Operand:
        """The value of a rule (a partial rule: all of it)."""
        key = ("rule", self.ctx, group.path)
        found = self.avail.get(key)
        if found is None:
            dst = self.new()
            self.emit(ir.RuleValue(dst, group, self.ctx, self.is_replaced(group.path)))
            found = self.avail[key] = dst
        return found

    def is_replaced(self, path: Path) -> bool:
        """Whether some ``with`` may put another value in the place of the rule at ``path``."""
        mocked = self.comp.mocked
        return bool(mocked) and any(path_text(path[:n]) in mocked for n in range(len(path) + 1))

    def _base(self, path: Path, rest: tuple[Term, ...]) -> Operand:
        keys: list[Key] = list(path)
        at = 0
        while at < len(rest):
            operand = rest[at]
            if not isinstance(operand, Scalar) or operand.value.__class__ not in (str, int):
                break
            keys.append(operand.value)
            at += 1
        # One load for the longest prefix seen so far, then shared subscripts.
        key = ("base", self.ctx, tuple(keys))
        found = self.avail.get(key)
        if found is None:
            dst = self.new()
            self.emit(ir.Base(dst, tuple(keys), self.ctx))
            found = self.avail[key] = dst
        return self._walk(found, rest[at:], lazy=False)

    def _lazy(self, path: Path) -> Operand:
        dst = self.new()
        self.emit(ir.Lazy(dst, path, self.ctx))
        return dst

    def _document(self, path: Path) -> Operand:
        key = ("doc", self.ctx, path)
        found = self.avail.get(key)
        if found is None:
            dst = self.new()
            self.emit(ir.Document(dst, path, self.ctx))
            found = self.avail[key] = dst
        return found

    # -- unification -----------------------------------------------------------------------

    def unify(self, left: Term, right: Term, loc: Location) -> None:
        """``left = right``: binds what is unbound, compares the rest."""
        waiting = [(left, right)]
        while waiting:
            again: list[tuple[Term, Term]] = []
            for a, b in waiting:
                self._unify_once(a, b, again)
            if len(again) == len(waiting) and again == waiting:
                raise PlanError("expression is unsafe", loc)
            waiting = again

    def _unify_once(self, a: Term, b: Term, again: list[tuple[Term, Term]]) -> None:
        if isinstance(a, Array) and isinstance(b, Array):
            if len(a.items) != len(b.items):
                self.emit(ir.Fail())
                return
            again.extend(zip(a.items, b.items, strict=True))
        elif isinstance(a, Object) and isinstance(b, Object) and _same_constant_keys(a, b):
            others = dict(b.pairs)
            again.extend((v, others[k]) for k, v in a.pairs)
        elif self.bound(a):
            if self.bound(b) and not isinstance(b, Array | Object):
                self._equal(a, b)
            else:
                self._match_or_wait(b, a, again)
        elif self.bound(b):
            self._match_or_wait(a, b, again)
        else:
            again.append((a, b))

    def _match_or_wait(self, pattern: Term, source: Term, again: list[tuple[Term, Term]]) -> None:
        if self.matchable(pattern):
            self.match(pattern, self.term(source))
        else:
            again.append((pattern, source))

    def _equal(self, a: Term, b: Term) -> None:
        left = self.term(a)
        self.compare("eq", left, self.term(b))

    def compare(self, op: ir.Comparison, left: Operand, right: Operand) -> None:
        """A comparison as a condition; decided at once when both sides are constants."""
        if isinstance(left, ir.Const) and isinstance(right, ir.Const) and op in ("eq", "neq"):
            if equal(left.value, right.value) != (op == "eq"):
                self.emit(ir.Fail())
            return
        self.emit(ir.Compare(op, left, right))

    def matchable(self, pattern: Term) -> bool:
        """Whether a known value can be matched against the pattern now."""
        match pattern:
            case Var():
                return True
            case Array(items):
                return all(map(self.matchable, items))
            case Object(pairs):
                return all(self.bound(k) and self.matchable(v) for k, v in pairs)
            case _:
                return self.bound(pattern)

    def match(self, pattern: Term, value: Operand) -> None:
        """Match a known value against a pattern, binding its unbound variables."""
        match pattern:
            case Var(name):
                known = self.env.get(name)
                if known is None and name not in ("input", "data"):
                    self.env[name] = value
                else:
                    self.compare("eq", self.term(pattern), value)
            case Array(items):
                self.emit(ir.IsArray(value, len(items)))
                for index, item in enumerate(items):
                    if not _is_wildcard(item):
                        self.match(item, self.dot(value, ir.Const(index)))
            case Object(pairs):
                self.emit(ir.IsObject(value, len(pairs)))
                for key, item in pairs:
                    found = self.dot(value, self.term(key))
                    if not _is_wildcard(item):
                        self.match(item, found)
            case _:
                self.compare("eq", self.term(pattern), value)


def _is_wildcard(term: Term) -> bool:
    return isinstance(term, Var) and term.name.startswith("_~")


def _same_constant_keys(a: Object, b: Object) -> bool:
    keys = {k for k, _ in a.pairs}
    return keys == {k for k, _ in b.pairs} and all(isinstance(k, Scalar) for k in keys)
