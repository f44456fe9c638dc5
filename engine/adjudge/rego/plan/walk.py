"""What the steps of the IR read, bind and contain, so that rewriting need not know each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from adjudge.rego.plan import ir

_BINDERS: Final = (ir.Scan, ir.ScanCall, ir.Probe)
_HOLDERS: Final = frozenset({*_BINDERS, ir.Not, ir.Collect, ir.Fork, ir.Once})
"""The steps with blocks in them."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """The fields of a step class: the locals it binds, the operands it reads (one, several,
    or in pairs), whether it holds a block, and its other fields."""

    binds: tuple[str, ...]
    reads: tuple[str, ...]
    lists: tuple[str, ...]
    block: bool
    others: tuple[str, ...]


_LISTS: Final = frozenset({"args", "items", "path"})
_SINGLE: Final = frozenset({"src", "left", "right", "item", "coll", "key", "value", "field"})
_NO_OPERANDS: Final[dict[Any, tuple[str, ...]]] = {
    ir.Base: ("path",),
    ir.Document: ("path",),
    ir.Lazy: ("path",),
}
_shapes: dict[type, _Shape] = {}


def _shape(cls: type) -> _Shape:
    known = _shapes.get(cls)
    if known is None:
        names = [f.name for f in fields(cls) if f.name not in _NO_OPERANDS.get(cls, ())]
        if cls in _BINDERS:
            binds = [n for n in names if n in ("key", "index", "value")]
            if cls is ir.Probe:
                binds.remove("key")
        else:
            binds = [n for n in names if n == "dst" and cls is not ir.Derive]
        reads = [n for n in names if n in _SINGLE and n not in binds]
        lists = [n for n in names if n in _LISTS]
        asked = {*binds, *reads, *lists, "body"}
        others = [f.name for f in fields(cls) if f.name not in asked]
        known = _shapes[cls] = _Shape(
            tuple(binds), tuple(reads), tuple(lists), "body" in names, tuple(others)
        )
    return known


def binds(step: ir.Step) -> Iterator[ir.Local]:
    """The locals that the step itself gives a value (those bound by steps in it not)."""
    if isinstance(step, ir.Once):
        yield from binds(step.step)
    elif isinstance(step, ir.Prepare):
        return
    else:
        for name in _shape(type(step)).binds:
            found = getattr(step, name)
            if found is not None:
                yield found


def reads(step: ir.Step) -> Iterator[ir.Operand]:
    """The operands that the step itself reads."""
    if isinstance(step, ir.Once):
        yield from reads(step.step)
    elif isinstance(step, ir.MakeObject):
        for pair in step.pairs:
            yield from pair
    elif isinstance(step, ir.Derive):
        yield from (p.value for p in step.patches if p.value is not None)
    else:
        shape = _shape(type(step))
        for name in shape.reads:
            found = getattr(step, name)
            if found is not None:
                yield found
        for name in shape.lists:
            yield from getattr(step, name)


def blocks(step: ir.Step) -> Sequence[ir.Block]:
    """The blocks in the step."""
    cls = step.__class__
    if cls not in _HOLDERS:
        return ()
    if cls is ir.Fork:
        return step.blocks  # type: ignore[union-attr]
    if cls is ir.Once:
        return blocks(step.step)  # type: ignore[union-attr]
    return (step.body,)  # type: ignore[union-attr]


def steps(block: ir.Block) -> list[ir.Step]:
    """All steps of a block, those inside others included."""
    out: list[ir.Step] = []
    _add_steps(block, out)
    return out


def _add_steps(block: ir.Block, out: list[ir.Step]) -> None:
    for step in block.steps:
        out.append(step)
        if step.__class__ in _HOLDERS:
            if isinstance(step, ir.Once):
                out.append(step.step)
            for inner in blocks(step):
                _add_steps(inner, out)


def has_loop(block: ir.Block) -> bool:
    """Whether anything in a block is done more than once."""
    for step in block.steps:
        if isinstance(step, _BINDERS):
            return True
        if any(map(has_loop, blocks(step))):
            return True
    return False


def rewritten(
    step: ir.Step,
    operand: Callable[[ir.Operand], ir.Operand],
    local: Callable[[ir.Local], ir.Local],
    block: Callable[[ir.Block], ir.Block],
) -> ir.Step:
    """A copy of a step with its operands, bound locals and blocks replaced."""
    cls = type(step)
    shape = _shape(cls)
    new: Any = object.__new__(cls)
    for name in shape.others:
        setattr(new, name, getattr(step, name))
    for name in shape.binds:
        found = getattr(step, name)
        setattr(new, name, None if found is None else local(found))
    for name in shape.reads:
        found = getattr(step, name)
        setattr(new, name, None if found is None else operand(found))
    for name in shape.lists:
        setattr(new, name, tuple([operand(o) for o in getattr(step, name)]))
    if shape.block:
        new.body = block(step.body)  # type: ignore[union-attr]
    if isinstance(step, ir.MakeObject):
        new.pairs = tuple([(operand(k), operand(v)) for k, v in step.pairs])
    elif isinstance(step, ir.Derive):
        new.patches = tuple(
            [p if p.value is None else replace(p, value=operand(p.value)) for p in step.patches]
        )
    elif isinstance(step, ir.Fork):
        new.blocks = [block(b) for b in step.blocks]
    return new  # type: ignore[no-any-return]
