"""Which variables a term mentions, and which of them an expression binds."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any, TypeAlias

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
    Scalar,
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


def term_vars(term: Term) -> list[str]:
    """Variables of a term, not those inside comprehensions."""
    out: list[str] = []
    _term_vars(term, out)
    return out


# The compiler asks these questions of every term many times: they tell classes apart by
# identity, which takes a fraction of the time that matching patterns does.


def _term_vars(term: Any, out: list[str]) -> None:
    cls = term.__class__
    if cls is Scalar:
        return
    if cls is Var:
        if term.name not in ROOTS:
            out.append(term.name)
    elif cls is Ref:
        _term_vars(term.head, out)
        for operand in term.operands:
            _term_vars(operand, out)
    elif cls is Call:
        if term.operator.__class__ is Ref:
            for operand in term.operator.operands:
                _term_vars(operand, out)
        for arg in term.args:
            _term_vars(arg, out)
    elif cls is Array or cls is Set:
        for item in term.items:
            _term_vars(item, out)
    elif cls is Object:
        for key, value in term.pairs:
            _term_vars(key, out)
            _term_vars(value, out)


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


def closures(term: Statement) -> list[Closure]:
    """Comprehensions, `every` and conditions directly within a term, not those inside others."""
    out: list[Closure] = []
    _closures(term, out)
    return out


def _closures(term: Any, out: list[Closure]) -> None:
    cls = term.__class__
    if cls is Scalar or cls is Var:
        return
    if cls is Ref:
        _closures(term.head, out)
        for operand in term.operands:
            _closures(operand, out)
    elif cls is Call:
        for arg in term.args:
            _closures(arg, out)
    elif cls is Array or cls is Set:
        for item in term.items:
            _closures(item, out)
    elif cls is Object:
        for key, value in term.pairs:
            _closures(key, out)
            _closures(value, out)
    elif cls is ArrayCompr or cls is SetCompr or cls is ObjectCompr:
        out.append(term)
    elif cls is Every:
        _closures(term.domain, out)
        out.append(term)
    elif cls is SomeIn:
        if term.key is not None:
            _closures(term.key, out)
        _closures(term.value, out)
        _closures(term.domain, out)
    elif cls is Not or cls is Logical:
        out.extend(conditions(term))


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


def _ref_outputs(term: Any, safe: set[str], out: set[str]) -> None:
    cls = term.__class__
    if cls is Scalar or cls is Var:
        return
    if cls is Ref:
        head = term.head
        if head.__class__ is Var:
            known = head.name in ROOTS or head.name in safe or head.name in out
        else:
            _ref_outputs(head, safe, out)
            known = all(v in safe or v in out for v in term_vars(head))
        if not known:
            return
        for operand in term.operands:
            if operand.__class__ is not Scalar:
                _ref_outputs(operand, safe, out)
                out.update(_enumerated(operand))
    elif cls is Call:
        for arg in term.args:
            _ref_outputs(arg, safe, out)
    elif cls is Array or cls is Set:
        for item in term.items:
            _ref_outputs(item, safe, out)
    elif cls is Object:
        for key, value in term.pairs:
            _ref_outputs(key, safe, out)
            _ref_outputs(value, safe, out)


def _enumerated(operand: Term) -> Iterator[str]:
    """The variables that an operand of a reference binds: not what it is read from itself."""
    if isinstance(operand, Ref):
        for inner in operand.operands:
            yield from _enumerated(inner)
    else:
        yield from term_vars(operand)


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
        if len(a.items) == len(b.items):
            for x, y in zip(a.items, b.items, strict=True):
                _unify(x, y, known)
        return
    if isinstance(a, Object) and isinstance(b, Object):
        others = dict(b.pairs)
        if len(a.pairs) == len(b.pairs):
            for key, value in a.pairs:
                if key in others:
                    _unify(value, others[key], known)
        return
    if len({_KINDS[type(t)] for t in (a, b) if type(t) in _KINDS}) > 1:
        if not (isinstance(a, Array) and isinstance(b, ArrayCompr | SetCompr | ObjectCompr)):
            return  # terms of different kinds are never equal: nothing is bound
    if all(v in known for v in term_vars(a)):
        known.update(pattern_vars(b))
    if all(v in known for v in term_vars(b)):
        known.update(pattern_vars(a))


_KINDS: dict[type, type] = {
    Scalar: Scalar,
    Array: Array,
    ArrayCompr: Array,
    Object: Object,
    ObjectCompr: Object,
    Set: Set,
    SetCompr: Set,
}


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
    name = ""
    if isinstance(term, Call) and isinstance(term.operator, Var):
        name = term.operator.name
        bound = term.args[0] if name == "eq" else None
        if isinstance(bound, Var) and bound.name.startswith("$not"):
            # Taken out of a negation, see flatten.NEGATED.
            return {bound.name}
    out = ref_outputs(term, safe)  # type: ignore[arg-type]
    if not isinstance(term, Call):
        return out - safe
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
