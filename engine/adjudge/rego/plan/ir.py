"""The intermediate representation: what a body does, step by step, with locals for values.

A :class:`Block` is a list of steps.  A step that cannot answer *fails*: control goes
on with the next iteration of the innermost enclosing :class:`Scan`, or leaves the
block.  The last step of the innermost block is a *sink*: it says what a solution of
the body is good for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from adjudge.rego.passes.model import Group, Path
from adjudge.rego.runtime.values import Value
from adjudge.source import NOWHERE, Location


@dataclass(frozen=True, slots=True)
class Local:
    """A numbered local variable."""

    id: int


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    """A value known at compile time."""

    value: Value


Operand: TypeAlias = Local | Const
Comparison = Literal["eq", "neq", "lt", "lte", "gt", "gte"]


@dataclass(slots=True)
class Block:
    steps: list[Step] = field(default_factory=list)


@dataclass(slots=True)
class Input:
    """``dst := input``; fails when there is no input.

    ``ctx`` numbers the context, 0 is the caller's.
    """

    dst: Local
    ctx: int


@dataclass(slots=True)
class Base:
    """``dst :=`` the base document at ``path`` below ``data``."""

    dst: Local
    path: Path
    ctx: int


@dataclass(slots=True)
class RuleValue:
    """``dst :=`` the value of a rule; fails when undefined.

    ``replaceable`` tells whether some ``with`` may put any other value there.
    """

    dst: Local
    group: Group
    ctx: int
    replaceable: bool


@dataclass(slots=True)
class Document:
    """``dst :=`` base and virtual documents below ``path`` merged; fails when undefined."""

    dst: Local
    path: Path
    ctx: int


@dataclass(slots=True)
class Lazy:
    """``dst :=`` a handle on the documents below ``path``; only lazy steps may read it."""

    dst: Local
    path: Path
    ctx: int


@dataclass(slots=True)
class Force:
    """``dst :=`` the value behind a lazy handle."""

    dst: Local
    src: Local
    ctx: int


@dataclass(slots=True)
class Dot:
    """``dst := src[key]``; ``lazy`` when ``src`` may be a lazy handle."""

    dst: Local
    src: Operand
    key: Operand
    lazy: bool = False
    ctx: int = 0
    loc: Location = NOWHERE


@dataclass(slots=True)
class Scan:
    """Runs ``body`` for each key and value of ``src``; in Rego's order when ``ordered``."""

    src: Operand
    key: Local | None
    value: Local | None
    body: Block
    ordered: bool
    lazy: bool = False
    ctx: int = 0


@dataclass(slots=True)
class ScanCall:
    """Runs ``body`` for each answer of a relation builtin."""

    name: str
    args: tuple[Operand, ...]
    value: Local
    body: Block
    ctx: int
    loc: Location


@dataclass(slots=True)
class Probe:
    """Runs ``body`` for each element of ``src`` whose ``[field]`` equals ``key``.

    The same as a :class:`Scan` with that condition; the elements are found through an
    index that is built when ``src`` is first probed.  ``name`` numbers the index.
    """

    src: Operand
    field: Const
    key: Operand
    index: Local | None
    value: Local
    body: Block
    ordered: bool
    ctx: int
    name: int


@dataclass(slots=True)
class Move:
    dst: Local
    src: Operand


@dataclass(slots=True)
class Compare:
    """Fails unless the comparison holds; with ``dst`` it stores the boolean instead."""

    op: Comparison
    left: Operand
    right: Operand
    dst: Local | None = None


@dataclass(slots=True)
class Member:
    """``item in coll`` (``key, item in coll`` with ``key``); as :class:`Compare` otherwise."""

    key: Operand | None
    item: Operand
    coll: Operand
    dst: Local | None = None


@dataclass(slots=True)
class Truthy:
    """Fails when ``src`` is ``false``."""

    src: Operand


@dataclass(slots=True)
class Fail:
    """Always fails."""


@dataclass(slots=True)
class IsArray:
    """Fails unless ``src`` is an array of ``length`` elements."""

    src: Operand
    length: int


@dataclass(slots=True)
class IsObject:
    """Fails unless ``src`` is an object of ``length`` pairs."""

    src: Operand
    length: int


@dataclass(slots=True)
class IsCollection:
    """Fails unless ``src`` can be iterated."""

    src: Operand


@dataclass(slots=True)
class MakeArray:
    dst: Local
    items: tuple[Operand, ...]


@dataclass(slots=True)
class MakeSet:
    dst: Local
    items: tuple[Operand, ...]


@dataclass(slots=True)
class MakeObject:
    dst: Local
    pairs: tuple[tuple[Operand, Operand], ...]


@dataclass(slots=True)
class CallBuiltin:
    """``dst := name(args)``; fails when the builtin does (or raises, when strict)."""

    dst: Local
    name: str
    args: tuple[Operand, ...]
    ctx: int
    loc: Location
    mocked: bool = False


@dataclass(slots=True)
class CallFunction:
    """``dst := function(args)``; fails when undefined."""

    dst: Local
    group: Group
    args: tuple[Operand, ...]
    ctx: int
    loc: Location
    mocked: bool = False


@dataclass(slots=True)
class Not:
    """Fails when ``body`` has a solution."""

    body: Block


@dataclass(slots=True)
class Collect:
    """``dst :=`` the array, set or object of what ``body`` adds."""

    dst: Local
    kind: Literal["array", "set", "object"]
    body: Block


@dataclass(slots=True)
class Patch:
    """One ``with``: the target's root, the path below it, and what replaces it.

    ``function`` names a builtin or a group's path text that replaces a function.
    """

    root: Literal["input", "data", "function"]
    path: Path
    name: str
    value: Operand | None
    function: str | Group | None = None


@dataclass(slots=True)
class Derive:
    """Context number ``dst`` is context ``ctx`` with the patches applied."""

    dst: int
    ctx: int
    patches: tuple[Patch, ...]


@dataclass(slots=True)
class Mark:
    """Expression ``index`` of the clause begins here (used by the evidence variant only)."""

    index: int
    loc: Location


# -- steps that optimizing makes ---------------------------------------------------------


@dataclass(slots=True)
class Format:
    """``dst := sprintf(template, items)`` where the template has only texts and plain verbs.

    ``texts`` are what stands around the verbs: one more than ``verbs``, each ``s`` or ``v``.
    """

    dst: Local
    template: str
    texts: tuple[str, ...]
    verbs: str
    items: tuple[Operand, ...]
    ctx: int
    loc: Location


@dataclass(slots=True)
class Fork:
    """Runs each block in turn, whatever becomes of the ones before."""

    blocks: list[Block]


@dataclass(slots=True)
class Prepare:
    """Makes ready, ahead of a loop, what the :class:`Once` steps of its body need."""

    steps: list[Step]


@dataclass(slots=True)
class Once:
    """A step of a loop's body that does not depend on the loop: it runs when it is first
    reached, and fails at each later time if it failed then.

    An ``eager`` one has no effect and cannot be costly: it runs in :class:`Prepare`.
    """

    step: Step
    eager: bool


# -- sinks ---------------------------------------------------------------------------


@dataclass(slots=True)
class Succeed:
    """The block has a solution; nothing more is asked."""


@dataclass(slots=True)
class Return:
    """The rule's value is ``src``, finally."""

    src: Operand


@dataclass(slots=True)
class Merge:
    """The rule's value is ``src``, unless another solution differs (a conflict)."""

    src: Operand


@dataclass(slots=True)
class Add:
    """Add to the collection of the enclosing :class:`Collect`, or of the rule."""

    items: tuple[Operand, ...]


@dataclass(slots=True)
class AddPath:
    """Add ``value`` (None: it is an element of a set) under ``path`` of a partial object."""

    path: tuple[Operand, ...]
    value: Operand
    multi: bool


@dataclass(slots=True)
class Yield:
    """One answer of a query: the values of its variables and expressions."""

    items: tuple[Operand, ...]


Step: TypeAlias = (
    Input
    | Base
    | RuleValue
    | Document
    | Lazy
    | Force
    | Dot
    | Scan
    | ScanCall
    | Probe
    | Move
    | Compare
    | Member
    | Truthy
    | Fail
    | IsArray
    | IsObject
    | IsCollection
    | MakeArray
    | MakeSet
    | MakeObject
    | CallBuiltin
    | CallFunction
    | Not
    | Collect
    | Derive
    | Mark
    | Format
    | Fork
    | Prepare
    | Once
    | Succeed
    | Return
    | Merge
    | Add
    | AddPath
    | Yield
)


@dataclass(slots=True)
class ClausePlan:
    """One clause: its block, the plan of its else branch, and where it stands.

    ``exprs`` are the locations of the body's expressions, by :class:`Mark` index.
    """

    block: Block
    orelse: ClausePlan | None
    loc: Location
    exprs: tuple[Location, ...]


@dataclass(slots=True)
class RulePlan:
    """Everything needed to emit the Python function of one group."""

    group: Group
    clauses: list[ClausePlan]
    default: ClausePlan | None
    constant: Const | None
    """The one value that all clauses give, when it is known at compile time."""
    params: int = 0
    index: ClauseIndex | None = None


@dataclass(slots=True)
class ClauseIndex:
    """Which clauses can succeed for each string at ``path`` below the input, or in a
    parameter (``param``, from 1); ``rest`` are those that do not ask for it.

    Both list clause numbers in source order; the lists of ``table`` include ``rest``.
    """

    path: tuple[str, ...]
    param: int
    table: dict[str, list[int]]
    rest: list[int]


@dataclass(slots=True)
class QueryPlan:
    """A query: its block yields one tuple an answer."""

    block: Block
    variables: tuple[str, ...]
    expressions: tuple[Location, ...]


@dataclass(slots=True)
class ProgramPlan:
    rules: list[RulePlan]
    builtins: set[str] = field(default_factory=set)
