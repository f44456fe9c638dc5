"""The blocks of several clauses in, one block that does the work of all out.

Blocks that begin with the same steps share them; where they part, a
:class:`~adjudge.rego.plan.ir.Fork` runs the rest of each.  The order of clauses is not
kept: this is for rules where it cannot be seen.
"""

from __future__ import annotations

from collections.abc import Hashable

from adjudge.rego.plan import ir, walk

MAX_LOOPS = 6
"""Loops within one another up to which blocks are joined; Python nests no more than 20."""


def merge(blocks: list[ir.Block]) -> ir.Block:
    """One block for all; no local is bound in two of them."""
    if any(_loops(b) > MAX_LOOPS for b in blocks):
        return ir.Block([ir.Fork(blocks)])
    merger = _Merger()
    steps = merger.merge([b.steps for b in blocks])
    return merger.renamed(ir.Block(steps)) if merger.same else ir.Block(steps)


def _loops(block: ir.Block) -> int:
    inner = [
        _loops(b) + isinstance(step, ir.Scan | ir.ScanCall | ir.Probe | ir.Not | ir.Collect)
        for step in block.steps
        for b in walk.blocks(step)
    ]
    return max(inner, default=0)


class _Merger:
    """``same`` maps the locals of shared steps to those of the one that is kept."""

    def __init__(self) -> None:
        self.same: dict[int, ir.Local] = {}

    def merge(self, bodies: list[list[ir.Step]]) -> list[ir.Step]:
        """The steps that do the work of all bodies."""
        out: list[ir.Step] = []
        while len(bodies) > 1:
            groups = self._grouped(bodies)
            if len(groups) > 1:
                blocks = [ir.Block(self.merge(group)) for group in groups]
                out.append(ir.Fork(blocks))
                return out
            first, *others = [body[0] for body in bodies]
            for other in others:
                self._identify(first, other)
            out.append(first)
            if isinstance(first, ir.Scan):
                # A loop is the last step of its block.
                inner = [body[0].body.steps for body in bodies]  # type: ignore[union-attr]
                first.body = ir.Block(self.merge(inner))
                return out
            bodies = [body[1:] for body in bodies]
        return out + bodies[0]

    def _grouped(self, bodies: list[list[ir.Step]]) -> list[list[list[ir.Step]]]:
        groups: dict[Hashable, list[list[ir.Step]]] = {}
        for number, body in enumerate(bodies):
            key = self._key(body[0]) if body else None
            groups.setdefault(("alone", number) if key is None else key, []).append(body)
        return list(groups.values())

    def _identify(self, first: ir.Step, other: ir.Step) -> None:
        for kept, local in zip(walk.binds(first), walk.binds(other), strict=True):
            self.same[local.id] = kept

    def _key(self, step: ir.Step) -> Hashable | None:
        """Equal for steps that do the same; None for those that are not shared."""
        if getattr(step, "ctx", 0) != 0 or getattr(step, "lazy", False):
            return None
        if isinstance(step, ir.Input):
            return ("input",)
        if isinstance(step, ir.Base | ir.Document):
            return type(step).__name__, tuple((type(k), k) for k in step.path)
        if isinstance(step, ir.RuleValue):
            return "rule", step.group.path
        if isinstance(step, ir.Dot | ir.Truthy):
            return type(step).__name__, *self._operands(step)
        if isinstance(step, ir.Scan):
            return "scan", step.ordered, step.key is None, *self._operands(step)
        if isinstance(step, ir.Compare | ir.Member) and step.dst is None:
            op = step.op if isinstance(step, ir.Compare) else ("in", step.key is None)
            return type(step).__name__, op, *self._operands(step)
        return None

    def _operands(self, step: ir.Step) -> list[Hashable]:
        return [self._operand(o) for o in walk.reads(step)]

    def _operand(self, operand: ir.Operand) -> Hashable:
        if isinstance(operand, ir.Local):
            return self.same.get(operand.id, operand).id
        value = operand.value
        if value is None or isinstance(value, str | int | float):
            return type(value), value
        return "constant", id(operand)

    def renamed(self, block: ir.Block) -> ir.Block:
        """A copy in which the shared steps' locals are those that were kept."""

        def local(found: ir.Local) -> ir.Local:
            return self.same.get(found.id, found)

        def operand(found: ir.Operand) -> ir.Operand:
            return local(found) if isinstance(found, ir.Local) else found

        return ir.Block([walk.rewritten(s, operand, local, self.renamed) for s in block.steps])
