"""Which variables a term mentions, and which of them an expression binds."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import TypeAlias

from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Body,
    Call,
    Condition,
    Every,
    Expr,
    Logical,
    Not,
    Object,
    ObjectCompr,
    Ref,
    Set,
    SetCompr,
    SomeDecl,
    SomeIn,
    Statement,
    Term,
    Var,
)

ROOTS = frozenset({"input", "data"})
Arity = Callable[[Var | Ref], int]
Closure: TypeAlias = ArrayCompr | SetCompr | ObjectCompr | Every | Condition


def term_vars(term: Term) -> Iterator[str]:
    """Variables of a term, not those inside comprehensions."""
    match term:
        case Var(name):
            if name not in ROOTS:
                yield name
        case Ref(head, operands):
            yield from term_vars(head)
            for operand in operands:
                yield from term_vars(operand)
        case Array(items) | Set(items):
            for item in items:
                yield from term_vars(item)
        case Object(pairs):
            for key, value in pairs:
                yield from term_vars(key)
                yield from term_vars(value)
        case Call(operator, args):
            if isinstance(operator, Ref):
                for operand in operator.operands:
                    yield from term_vars(operand)
            for arg in args:
                yield from term_vars(arg)
        case _:
            return


def expr_terms(expr: Expr) -> tuple[Term, ...]:
    """The terms an expression is made of, `with` values included, closures' insides not."""
    term = expr.term
    withs = tuple(w.value for w in expr.withs)
    if isinstance(term, SomeIn):
        key = () if term.key is None else (term.key,)
        return (*key, term.value, term.domain, *withs)
    if isinstance(term, Every):
        return (term.domain, *withs)
    if isinstance(term, SomeDecl | Not | Logical):
        return withs
    return (term, *withs)


def expr_vars(expr: Expr) -> set[str]:
    """Variables an expression mentions outside its closures.

    A condition without braces is a closure that binds nothing itself, but for what the
    compiler has put there.
    """
    found = {v for term in expr_terms(expr) for v in term_vars(term)}
    for condition in conditions(expr.term):
        if not condition.braced:
            for inner in condition.body:
                found.update(v for v in expr_vars(inner) if not v.startswith("$"))
    return found


def conditions(term: Statement) -> tuple[Condition, ...]:
    """The conditions that a statement is made of."""
    if isinstance(term, Not):
        return (term.condition,)
    return (term.left, term.right) if isinstance(term, Logical) else ()


def closures(term: Statement) -> Iterator[Closure]:
    """Comprehensions, `every` and conditions directly within a term, not those inside others."""
    match term:
        case ArrayCompr() | SetCompr() | ObjectCompr():
            yield term
        case Every(domain=domain):
            yield from closures(domain)
            yield term
        case Not() | Logical():
            yield from conditions(term)
        case SomeIn(key, value, domain):
            if key is not None:
                yield from closures(key)
            yield from closures(value)
            yield from closures(domain)
        case Ref(head, operands):
            yield from closures(head)
            for operand in operands:
                yield from closures(operand)
        case Array(items) | Set(items):
            for item in items:
                yield from closures(item)
        case Object(pairs):
            for key, value in pairs:
                yield from closures(key)
                yield from closures(value)
        case Call(_, args):
            for arg in args:
                yield from closures(arg)
        case _:
            return


def closure_vars(closure: Closure) -> set[str]:
    """Every variable mentioned inside a closure, nested closures included."""
    out: set[str] = set()
    if isinstance(closure, ObjectCompr):
        out.update(all_vars(closure.key), all_vars(closure.value))
    elif isinstance(closure, Every):
        own = set(term_vars(closure.value))
        if closure.key is not None:
            own.update(term_vars(closure.key))
        return body_all_vars(closure.body) - own
    elif not isinstance(closure, Condition):
        out.update(all_vars(closure.term))
    out.update(body_all_vars(closure.body))
    return out


def all_vars(term: Term) -> set[str]:
    """Variables of a term, closures included."""
    out = set(term_vars(term))
    for closure in closures(term):
        out.update(closure_vars(closure))
    return out


def body_all_vars(body: Body) -> set[str]:
    """Variables of a body, closures included."""
    out: set[str] = set()
    for expr in body:
        out |= expr_vars(expr)
        for term in (expr.term, *(w.value for w in expr.withs)):
            for closure in closures(term):
                out |= closure_vars(closure)
    return out


def pattern_vars(term: Term, skipped: Container[str] = ROOTS) -> Iterator[str]:
    """Variables that unifying the term with a known value binds."""
    match term:
        case Var(name):
            if name not in skipped:
                yield name
        case Array(items):
            for item in items:
                yield from pattern_vars(item, skipped)
        case Object(pairs):
            for _, value in pairs:
                yield from pattern_vars(value, skipped)
        case _:
            return


def ref_outputs(term: Term, safe: set[str]) -> set[str]:
    """Variables bound by iterating references inside the term whose head is known."""
    out: set[str] = set()
    _ref_outputs(term, safe, out)
    return out


def _ref_outputs(term: Term, safe: set[str], out: set[str]) -> None:
    match term:
        case Ref(head, operands):
            if isinstance(head, Var):
                known = head.name in ROOTS or head.name in safe or head.name in out
            else:
                _ref_outputs(head, safe, out)
                known = all(v in safe or v in out for v in term_vars(head))
            if not known:
                return
            for operand in operands:
                _ref_outputs(operand, safe, out)
                out.update(term_vars(operand))
        case Array(items):
            for item in items:
                _ref_outputs(item, safe, out)
        case Set(items):
            for item in items:
                _ref_outputs(item, safe, out)
        case Object(pairs):
            for key, value in pairs:
                _ref_outputs(key, safe, out)
                _ref_outputs(value, safe, out)
        case Call(_, args):
            for arg in args:
                _ref_outputs(arg, safe, out)
        case _:
            return


def unify_outputs(left: Term, right: Term, safe: set[str]) -> set[str]:
    """All variables known after ``left = right``, given those in ``safe``."""
    known = set(safe)
    size = -1
    while len(known) != size:
        size = len(known)
        _unify(left, right, known)
    return known


def _unify(a: Term, b: Term, known: set[str]) -> None:
    if isinstance(a, Array) and isinstance(b, Array):
        for x, y in zip(a.items, b.items, strict=False):
            _unify(x, y, known)
        return
    if isinstance(a, Object) and isinstance(b, Object):
        others = dict(b.pairs)
        for key, value in a.pairs:
            if key in others:
                _unify(value, others[key], known)
        return
    if all(v in known for v in term_vars(a)):
        known.update(pattern_vars(b))
    if all(v in known for v in term_vars(b)):
        known.update(pattern_vars(a))


def expr_outputs(expr: Expr, arity: Arity, safe: set[str]) -> set[str]:
    """Variables that evaluating the expression binds, given the known ones (OPA's rules)."""
    if expr.negated:
        return set()
    for w in expr.withs:
        if any(v not in safe for v in term_vars(w.value)):
            return set()
    term = expr.term
    out: set[str] = set()
    if isinstance(term, Not | Logical):
        return out
    if isinstance(term, Every):
        return ref_outputs(term.domain, safe)
    if isinstance(term, SomeIn):
        out = ref_outputs(term.domain, safe)
        if all(v in safe or v in out for v in term_vars(term.domain)):
            out.update(pattern_vars(term.value))
            if term.key is not None:
                out.update(pattern_vars(term.key))
        return out - safe
    out = ref_outputs(term, safe)  # type: ignore[arg-type]
    if not isinstance(term, Call):
        return out - safe
    name = term.operator.name if isinstance(term.operator, Var) else ""
    if name == "eq" and len(term.args) == 2:
        return unify_outputs(term.args[0], term.args[1], safe | out) - safe
    if name == "assign":
        if all(v in safe or v in out for v in term_vars(term.args[1])):
            out.update(pattern_vars(term.args[0]))
        return out - safe
    count = arity(term.operator)
    if count < 0 or count >= len(term.args):
        return out - safe
    for arg in term.args[:count]:
        if any(v not in safe and v not in out for v in term_vars(arg)):
            return set()
    for arg in term.args[count:]:
        out.update(pattern_vars(arg))
    return out - safe
