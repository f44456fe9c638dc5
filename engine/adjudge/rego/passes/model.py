"""What the passes hand on: rules with their names resolved, grouped by path.

Terms in here are :mod:`adjudge.rego.syntax` nodes in which every name is settled:
a :class:`~adjudge.rego.syntax.Var` is a local variable (unique within its rule; the
part before ``~`` is how it was written), or one of the roots ``input`` and ``data``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from adjudge.rego.capabilities import Capabilities
from adjudge.rego.errors import RegoCompileError
from adjudge.rego.lexer import KEYWORDS
from adjudge.rego.syntax import Body, Module, Rule, Term
from adjudge.source import NOWHERE, Location, line_of

if TYPE_CHECKING:
    # The types pass reads this module.
    from adjudge.rego.passes.types.model import Type

Key: TypeAlias = str | int | float | bool | None
Path: TypeAlias = tuple[Key, ...]
Kind = Literal["complete", "function", "set", "object"]


_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Stage(IntEnum):
    """What OPA's compiler does, in its order.

    An error of one stage hides those of the next ones, unless it is *minor*: one after
    which the next stages still have something sensible to say.
    """

    REFERENCES = auto()
    UNUSED_IMPORTS = auto()
    OVERRIDES = auto()
    IMPORTS = auto()
    VARIABLES = auto()
    TEMPLATES = auto()
    VOID_CALLS = auto()
    PRINTS = auto()
    ANNOTATIONS = auto()
    MODIFIERS = auto()
    CONFLICTS = auto()
    FUNCTIONS = auto()
    HEAD_SAFETY = auto()
    SAFETY = auto()
    RECURSION = auto()
    TYPES = auto()
    DEPRECATED = auto()
    PLAN = auto()


@dataclass(frozen=True, slots=True)
class FunctionName:
    """The bare name of a builtin, as the value of a `with` that replaces a function."""

    name: str
    loc: Location


@dataclass(slots=True)
class Clause:
    """One body with its head terms; ``orelse`` continues an else chain.

    ``key`` is the element of a partial set.  ``tail`` are the head reference's
    operands after the group's ground path.
    """

    rule: Rule
    args: tuple[Term, ...]
    tail: tuple[Term, ...]
    key: Term | None
    value: Term
    body: Body
    orelse: Clause | None
    loc: Location
    module: int
    types: dict[str, Type] = field(default_factory=dict)
    """The types of the clause's variables, of those in its closures too."""


@dataclass(slots=True)
class Group:
    """All clauses that define one path: a complete rule, function, partial set or object."""

    path: Path
    kind: Kind
    arity: int = 0
    clauses: list[Clause] = field(default_factory=list)
    default: Clause | None = None
    loc: Location = NOWHERE
    """Where the first rule of the group stands."""
    defaults: list[Location] = field(default_factory=list)
    """Where its default rules stand; there should be one at most."""
    mixed: bool = False
    """Whether its rules are of different kinds, which is an error."""

    @property
    def name(self) -> str:
        return path_text(self.path)

    @property
    def first(self) -> Clause:
        """The first clause, or the default where there is no other."""
        found = self.clauses[0] if self.clauses else self.default
        assert found is not None
        return found

    def heads(self) -> Iterator[Clause]:
        """The clauses and the default, without else branches."""
        yield from self.clauses
        if self.default is not None:
            yield self.default

    def all_clauses(self) -> Iterator[Clause]:
        """Every clause, else branches and the default included."""
        for clause in self.heads():
            each: Clause | None = clause
            while each is not None:
                yield each
                each = each.orelse


@dataclass(slots=True)
class Node:
    """A node of the rule tree; the root stands for ``data``."""

    path: Path
    children: dict[Key, Node] = field(default_factory=dict)
    packages: list[Module] = field(default_factory=list)
    """The modules of the package at this path."""
    group: Group | None = None

    def find(self, path: Path) -> Node | None:
        """The node at ``path``, or None."""
        node: Node | None = self
        for key in path:
            node = node.children.get(key) if node else None
        return node


@dataclass(slots=True)
class Compilation:
    """The state the passes share; each pass fills in what the next ones read."""

    modules: list[Module]
    capabilities: Capabilities
    strict: bool = False
    groups: dict[Path, Group] = field(default_factory=dict)
    tree: Node = field(default_factory=lambda: Node(()))
    replaced: list[tuple[Path, Location]] = field(default_factory=list)
    """Where documents below ``data`` are the target of some ``with``, up to what is constant."""
    mocked: set[str] = field(default_factory=set)
    """Builtins (by name) and functions (``data.a.f``) that are the target of some ``with``."""
    capturing: set[int] = field(default_factory=set)
    """The identities of the rules in which ``print`` or a template string captures values."""
    graph: dict[Path, list[Path]] = field(default_factory=dict)
    """Which groups each group refers to, directly."""
    schemas: Mapping[str, Any] | None = None
    """JSON schemas by name, that of all input under the empty name."""
    types: dict[Path, Type] = field(default_factory=dict)
    """The types of the documents that groups define."""
    inferred: Any = None
    """What the types pass knows when it is done, an ``Inferred``; queries are checked with it."""
    sources: dict[str, str] = field(default_factory=dict)
    stage: Stage = Stage.REFERENCES
    """The stage that errors are of where nothing else is said."""
    found: list[tuple[Stage, RegoCompileError]] = field(default_factory=list)
    """Every error, in the order of finding."""
    major: Stage | None = None
    """The first stage that found an error that is not minor."""

    def error(
        self,
        message: str,
        loc: Location,
        code: str = "rego_compile_error",
        hint: str | None = None,
        *,
        stage: Stage | None = None,
        minor: bool = False,
    ) -> None:
        """Record a compile error; compilation goes on to find more."""
        text = self.sources.get(loc.file)
        source = line_of(text, loc.row) if text is not None and loc.row else None
        at = self.stage if stage is None else stage
        error = RegoCompileError(code, message, location=loc, source=source, hint=hint)
        self.found.append((at, error))
        if not minor and (self.major is None or at < self.major):
            self.major = at

    @property
    def errors(self) -> list[RegoCompileError]:
        """The errors that are worth showing: those no error of an earlier stage explains."""
        last = max(Stage) if self.major is None else self.major
        ordered = sorted(self.found, key=lambda entry: entry[0])
        return [error for stage, error in ordered if stage <= last]


def path_text(path: Path, root: str = "data") -> str:
    """``data.a.b``, with brackets where a key is no name."""
    out = root
    for key in path:
        if isinstance(key, str) and _NAME.fullmatch(key) and key not in KEYWORDS:
            out += "." + key
        else:
            out += f"[{json.dumps(key, ensure_ascii=False, default=str)}]"
    return out


def display_name(name: str) -> str:
    """A variable's name as written."""
    return name.split("~", 1)[0]
