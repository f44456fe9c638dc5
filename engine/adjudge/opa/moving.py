"""A module in, the text of the same module below another root of ``data`` out.

OPA has one ``data`` for all who use it.  What is pushed for one run stands below a root of its
own: packages, imports and references are moved there, and nothing else is changed.  Modules
read as Rego v0, and those made from YAML, are written as the Rego v1 they mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, TypeVar

import yaml

from adjudge.opa.errors import OpaError
from adjudge.rego.errors import RegoError, RegoErrors
from adjudge.rego.format import format_module
from adjudge.rego.parser import parse_module
from adjudge.rego.passes.model import path_text
from adjudge.rego.syntax import (
    Annotations,
    Call,
    Expr,
    Import,
    Module,
    Ref,
    Rule,
    Scalar,
    Term,
    Var,
    With,
    walk,
)
from adjudge.source import Location

Root = tuple[str, ...]
_T = TypeVar("_T")

_DATA: Final = "data"
_PLACES: Final = frozenset({"loc", "package_loc"})
_NO_FOLDING: Final = 10_000


@dataclass(frozen=True, slots=True)
class Copy:
    """A clause of a partial set to be given a second time, alone and under another name.

    ``depth`` is how many steps of its head name the rule.
    """

    name: str
    depth: int


@dataclass(frozen=True)
class Moved:
    """The text of a module for OPA, and which place of the original each place of it is."""

    text: str
    file: str
    places: Mapping[tuple[int, int], Location]

    def original(self, row: int, col: int) -> Location:
        """The place in the original that a place in the text stands for, or the nearest one
        before it."""
        exact = self.places.get((row, col))
        if exact is not None:
            return exact
        before = [place for place in self.places if place <= (row, col)]
        return self.places[max(before)] if before else Location(self.file, 1, 1)


def move(module: Module, root: Root) -> Module:
    """A module below ``root``.  Raises OpaError ``opa_policy_inexpressible``."""
    try:
        return replace(
            module,
            package=(*root, *module.package),
            imports=moved_imports(module.imports, root),
            rules=moved(module.rules, root),
        )
    except RecursionError:
        raise _inexpressible(module, "it nests too deeply") from None


def with_copies(module: Module, copies: Mapping[Location, Copy]) -> Module:
    """A module with copies of the clauses that begin at the places given."""
    found = [
        _renamed(rule, copies[rule.loc])
        for rule in module.rules
        if rule.loc in copies and not rule.default
    ]
    return replace(module, rules=(*module.rules, *found)) if found else module


def write(module: Module) -> Moved:
    """A module that is where it should be, as the text that OPA gets.

    Raises OpaError ``opa_policy_inexpressible``.
    """
    tree = replace(module, comments=(), source="", rego_version=1)
    try:
        text = _text(tree, with_metadata=uses(module.rules, "rego.metadata"))
        again = parse_module(text, module.file, 1)
        new, old = bare(again.rules), bare(tree.rules)
        if new != old or again.package != tree.package:
            raise _inexpressible(module, "as Rego v1 it means something else")
        places = dict(_places(new, old))
    except (RegoError, RegoErrors, RecursionError) as error:
        why = error.message if isinstance(error, RegoError | RegoErrors) else "it nests too deeply"
        raise _inexpressible(module, why) from None
    return Moved(text, module.file, places)


def moved(node: _T, root: Root) -> _T:
    """A part of a tree with every reference to ``data`` moved below ``root``."""
    return _moved(node, tuple(Scalar(step) for step in root))  # type: ignore[no-any-return]


def _moved(node: Any, steps: tuple[Scalar, ...]) -> Any:
    cls = node.__class__
    if cls is tuple:
        return tuple([_moved(item, steps) for item in node])
    if cls is Var:
        return Ref(node, steps, node.loc) if node.name == _DATA else node
    if cls is Ref and node.head.__class__ is Var:
        head = node.head
        operands = _moved(node.operands, steps)
        return replace(node, operands=(*steps, *operands) if head.name == _DATA else operands)
    if not hasattr(cls, "__dataclass_fields__") or cls is Scalar or cls is Annotations:
        return node
    changed = {}
    for each in fields(cls):
        value = getattr(node, each.name)
        if each.name in _PLACES or value.__class__ in (str, bool, int, type(None)):
            continue
        new = _moved(value, steps)
        if new is not value:
            changed[each.name] = new
    return replace(node, **changed) if changed else node


def moved_imports(imports: Iterable[Import], root: Root) -> tuple[Import, ...]:
    """Imports with every reference to ``data`` moved below ``root``."""
    # What is called `data` is there without an import.
    kept = [
        item
        for item in imports
        if not (isinstance(item.path, Var) and item.path.name == _DATA and item.alias is None)
    ]
    return tuple([moved(item, root) for item in kept])


def _renamed(rule: Rule, copy: Copy) -> Rule:
    ref = rule.head.ref
    rest: tuple[Term, ...] = () if isinstance(ref, Var) else ref.operands[copy.depth - 1 :]
    name = Var(copy.name, ref.loc)
    new: Var | Ref = Ref(name, rest, ref.loc) if rest else name
    return replace(rule, head=replace(rule.head, ref=new))


def _places(new: Sequence[Rule], old: Sequence[Rule]) -> Iterator[tuple[tuple[int, int], Location]]:
    """Equal trees are walked in the same order."""
    for there, here in zip(walk(tuple(new)), walk(tuple(old)), strict=True):
        place, origin = getattr(there, "loc", None), getattr(here, "loc", None)
        if isinstance(place, Location) and isinstance(origin, Location) and origin.row:
            yield (place.row, place.col), origin


def bare(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Rules without what may be written or not: annotations, and ``true`` where it is meant."""
    return tuple([_bare_rule(rule) for rule in rules])


def _bare_rule(rule: Rule) -> Rule:
    body = () if rule.body == (Expr(Scalar(True)),) else rule.body
    head = rule.head
    if head.value == Scalar(True) and not rule.default:
        head = replace(head, value=None)
    orelse = None if rule.orelse is None else _bare_rule(rule.orelse)
    return replace(rule, head=head, body=body, orelse=orelse, annotations=())


def _inexpressible(module: Module, why: str) -> OpaError:
    return OpaError(
        "opa_policy_inexpressible",
        f"{module.file} cannot be given to OPA: {why}",
        location=Location(module.file, 1, 1),
        hint="use --engine embedded",
    )


# --- text ---------------------------------------------------------------------------------------


def _text(module: Module, *, with_metadata: bool) -> str:
    """The text of a module; its METADATA only where a rule asks for it."""
    if not with_metadata:
        return format_module(module)
    begin = format_module(replace(module, rules=()))
    outer = [a for a in module.annotations if a.scope in ("package", "subpackages")]
    parts = [_metadata(outer) + begin]
    for rule in module.rules:
        alone = format_module(replace(module, rules=(rule,)))
        parts.append(_metadata(rule.annotations) + alone.removeprefix(begin).lstrip("\n"))
    return "\n".join(parts)


def _metadata(annotations: Iterable[Annotations]) -> str:
    text = ""
    for each in annotations:
        # Schemas are names of files that OPA does not have.
        told = {k: v for k, v in each.fields.items() if k != "schemas"} | {"scope": each.scope}
        block = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=_NO_FOLDING)
        text += "# METADATA\n" + "".join(f"# {line}".rstrip() + "\n" for line in block.splitlines())
    return text


# --- what modules use ---------------------------------------------------------------------------


def uses(node: object, builtin: str) -> bool:
    """Whether a builtin, or one of its family (``rego.metadata``), is called or replaced."""
    wanted = builtin.split(".")
    for each in walk(node):
        operator = each.operator if isinstance(each, Call) else each
        if isinstance(operator, Ref) and _steps(operator)[: len(wanted)] == wanted:
            return True
    return False


def _steps(ref: Ref) -> list[object]:
    head = ref.head.name if isinstance(ref.head, Var) else None
    return [head, *(o.value if isinstance(o, Scalar) else None for o in ref.operands)]


def stubs(modules: Sequence[Module]) -> dict[tuple[str, ...], str]:
    """For each package with functions that other modules call, a module that declares them,
    without any value.

    OPA compiles each policy as it comes, and a call of a function that is not there yet is an
    error: with these there first, the order does not matter, nor do packages that call each
    other.
    """
    called = [_called(module) for module in modules]
    times = Counter(name for names in called for name in names)
    declared: dict[tuple[str, ...], dict[str, None]] = {}
    for module, own in zip(modules, called, strict=True):
        for rule in module.rules:
            head = rule.head
            if head.args is None:
                continue
            path = _steps(head.ref) if isinstance(head.ref, Ref) else [head.ref.name]
            if times[path[-1]] > (path[-1] in own):
                name = path_text(tuple(path[1:]), str(path[0]))  # type: ignore[arg-type]
                blanks = ", ".join("_" for _ in head.args)
                line = f"{name}({blanks}) := input if false"
                declared.setdefault(module.package, {})[line] = None
    return {
        package: f"package {path_text(package).removeprefix('data.')}\n\n"
        + "\n\n".join(lines)
        + "\n"
        for package, lines in declared.items()
    }


def _called(module: Module) -> set[object]:
    """The last steps of the names of functions that a module may call."""
    found: set[object] = set()
    for node in walk(module.rules):
        names = [node.operator] if isinstance(node, Call) else []
        if isinstance(node, With):
            names = [n for n in (node.target, node.value) if isinstance(n, Var | Ref)]
        found.update(_steps(n)[-1] if isinstance(n, Ref) else n.name for n in names)
    return found
