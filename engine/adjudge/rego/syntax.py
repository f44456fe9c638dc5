"""The Rego syntax tree: frozen nodes, each with the location of its first character.

The parser produces these nodes, the YAML front end produces the same ones, and
the passes read them.  Locations do not take part in equality, so two trees are
equal when they mean the same text.  Infix operators are :class:`Call` nodes
named after OPA's builtins (``plus``, ``equal``, ``assign`` ...), with ``infix``
set; the formatter needs to know, the compiler does not care.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from typing import Any, Literal, TypeAlias

from adjudge.source import NOWHERE, Location

Number: TypeAlias = int | float | Decimal


def _loc() -> Any:
    return field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Scalar:
    """``null``, a boolean, a number or a string (raw strings are plain strings here)."""

    value: None | bool | Number | str
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class Var:
    """A variable or a name; ``_`` is the wildcard (each occurrence its own variable)."""

    name: str
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class Ref:
    """``head.a["b"][i]``: a head term and at least one operand.

    ``x.foo`` and ``x["foo"]`` are the same: operand ``Scalar("foo")``.
    The head is any term (a variable, a call, a composite).
    """

    head: Term
    operands: tuple[Term, ...]
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class Array:
    items: tuple[Term, ...]
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class Object:
    pairs: tuple[tuple[Term, Term], ...]
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class Set:
    """A set literal; ``set()`` is the empty one."""

    items: tuple[Term, ...]
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class ArrayCompr:
    term: Term
    body: Body
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class SetCompr:
    term: Term
    body: Body
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class ObjectCompr:
    key: Term
    value: Term
    body: Body
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class Call:
    """A call.  ``operator`` is a :class:`Var` (``count``) or a :class:`Ref`
    (``json.unmarshal``, ``data.lib.f``).  One argument more than the function
    has means: unify the result with the last argument."""

    operator: Var | Ref
    args: tuple[Term, ...]
    infix: bool = field(default=False, compare=False)
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class Template:
    """An interpolated string ``$"a {x} b"``: text parts (str) and terms in order.

    A term with modifiers (``$"{x with input as y}"``) is an :class:`Expr`.
    """

    parts: tuple[str | Term | Expr, ...]
    raw: bool = field(default=False, compare=False)
    loc: Location = _loc()


Term: TypeAlias = (
    Scalar
    | Var
    | Ref
    | Array
    | Object
    | Set
    | ArrayCompr
    | SetCompr
    | ObjectCompr
    | Call
    | Template
)


@dataclass(frozen=True, slots=True)
class With:
    """``with target as value``; the target is ``input…``, ``data…``, a function or a builtin."""

    target: Var | Ref
    value: Term
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class SomeDecl:
    """``some x, y``: declares local variables."""

    names: tuple[Var, ...]
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class SomeIn:
    """``some v in xs`` and ``some k, v in xs``; key and value are any terms."""

    key: Term | None
    value: Term
    domain: Term
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class Every:
    """``every v in xs { … }`` and ``every k, v in xs { … }``."""

    key: Term | None
    value: Term
    domain: Term
    body: Body
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class Condition:
    """A body that holds or does not, and binds nothing outside of it.

    ``braced`` tells ``{ … }``, which may declare variables, from one expression alone.
    """

    body: Body
    braced: bool = False
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class Not:
    """The negation of a condition, as ``import future.keywords.not`` has it.

    All of the condition is negated, the calls and references in it too.  What stands
    without that import is an :class:`Expr` with ``negated`` set.
    """

    condition: Condition
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class Logical:
    """``left and right``, ``left or right``; the right one is evaluated when it matters."""

    operator: Literal["and", "or"]
    left: Condition
    right: Condition
    loc: Location = _loc()


Statement: TypeAlias = Term | SomeDecl | SomeIn | Every | Not | Logical


@dataclass(frozen=True, slots=True)
class Expr:
    """One expression of a body."""

    term: Statement
    negated: bool = False
    withs: tuple[With, ...] = ()
    loc: Location = _loc()


Body: TypeAlias = tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a rule.

    ``ref`` is the whole reference as written: a :class:`Var` (``p``) or a
    :class:`Ref` (``p.q[x].r``).  ``args`` is not None for functions.
    ``key`` is set for partial sets (``p contains key``, v0 ``p[key]``).
    ``value`` is the value term, or None where none was written (then ``true``;
    for partial sets it is always None).  ``assign`` tells ``:=`` from ``=``.
    """

    ref: Var | Ref
    args: tuple[Term, ...] | None = None
    key: Term | None = None
    value: Term | None = None
    assign: bool = field(default=False, compare=False)
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class Annotations:
    """One ``# METADATA`` block: the YAML mapping, and the scope it was given or implies
    (``rule``, ``document``, ``package``, ``subpackages``)."""

    fields: dict[str, Any]
    scope: str
    loc: Location = _loc()
    end_row: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """One clause of a rule.  ``body`` is empty where none was written (always true).

    ``orelse`` is the next clause of an ``else`` chain (its head repeats ref and args).
    """

    head: Head
    body: Body = ()
    orelse: Rule | None = None
    default: bool = False
    annotations: tuple[Annotations, ...] = field(default=(), compare=False)
    loc: Location = _loc()
    end_row: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Import:
    """``import data.a.b as c``; the path starts with data, input, rego or future."""

    path: Var | Ref
    alias: str | None = None
    loc: Location = _loc()


@dataclass(frozen=True, slots=True)
class Comment:
    text: str
    loc: Location = _loc()


_NOT_CHILDREN = frozenset({"loc", "raw", "infix", "braced"})
_PLAIN = frozenset({"str", "bool", "int", "str | None", "None | bool | Number | str"})
_Children: TypeAlias = Callable[[Any], Iterable[Any]]
_children: dict[type, _Children | None] = {}


def _children_of(cls: type) -> _Children | None:
    """What gives the parts of a node that may hold other nodes; None for other classes."""
    fields: Any = getattr(cls, "__dataclass_fields__", None)
    found: _Children | None = None
    if fields is not None:
        names = [n for n in fields if n not in _NOT_CHILDREN and fields[n].type not in _PLAIN]
        if not names:
            found = _no_children
        elif len(names) > 1 or fields[names[0]].type.startswith(("tuple", "Body")):
            found = attrgetter(*names)
        else:
            only = attrgetter(names[0])
            found = lambda node: (only(node),)  # noqa: E731
    _children[cls] = found
    return found


def _no_children(node: object) -> tuple[Any, ...]:
    return ()


def walk(node: object) -> Iterator[object]:
    """Every node of any part of the tree, tuples looked into, in no particular order."""
    stack = [node]
    while stack:
        item = stack.pop()
        cls = item.__class__
        if cls is tuple:
            stack.extend(item)  # type: ignore[arg-type]
            continue
        children = _children[cls] if cls in _children else _children_of(cls)
        if children is not None:
            yield item
            stack.extend(children(item))


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed file.  ``package`` is the path below ``data``: ``("a", "b")`` for ``a.b``."""

    package: tuple[str, ...]
    imports: tuple[Import, ...]
    rules: tuple[Rule, ...]
    annotations: tuple[Annotations, ...] = field(default=(), compare=False)
    comments: tuple[Comment, ...] = field(default=(), compare=False)
    rego_version: int = 1
    file: str = field(default="", compare=False)
    source: str = field(default="", compare=False, repr=False)
    package_loc: Location = _loc()
