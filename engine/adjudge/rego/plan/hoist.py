"""A block in, the same block with what does not change in its loops moved out of them.

A step in a loop that depends on nothing of the loop becomes
:class:`~adjudge.rego.plan.ir.Once`: it still runs where it stands, when it is first
reached, so that no rule, builtin or error appears that would not appear otherwise; later
iterations take its value from the local.  Reads, which are free of effects, are made
ahead of the loop.
"""

from __future__ import annotations

from adjudge.rego.plan import ir, walk

_CALLS = (
    *(ir.CallBuiltin, ir.CallFunction, ir.Document, ir.Format),
    *(ir.MakeArray, ir.MakeSet, ir.MakeObject),
)


def hoist(block: ir.Block) -> None:
    """Change a block in place."""
    _Hoist().block(block, [])


class _Hoist:
    """``level`` tells in which loop (0: none) a local changes, ``made`` in which it is
    computed; parameters are in neither."""

    def __init__(self) -> None:
        self.level: dict[int, int] = {}
        self.made: dict[int, int] = {}

    def block(self, block: ir.Block, ahead: list[list[ir.Step]]) -> None:
        """Go through a block inside ``len(ahead)`` loops; ``ahead`` collects what is to be
        made ready before each of them."""
        depth = len(ahead)
        out: list[ir.Step] = []
        for step in block.steps:
            if isinstance(step, ir.Scan | ir.ScanCall | ir.Probe):
                for local in walk.binds(step):
                    self.level[local.id] = self.made[local.id] = depth + 1
                ready: list[ir.Step] = []
                self.block(step.body, [*ahead, ready])
                if ready:
                    out.append(ir.Prepare(ready))
                out.append(step)
                continue
            for inner in walk.blocks(step):
                self.block(inner, ahead)
            out.append(self._step(step, ahead, depth))
        block.steps = out

    def _step(self, step: ir.Step, ahead: list[list[ir.Step]], depth: int) -> ir.Step:
        level = self._level(step)
        bound = [n.id for n in walk.binds(step)]
        once = self._once(step, level, depth) if level < depth and len(bound) == 1 else None
        settled = isinstance(step, ir.Dot | ir.Input | ir.Base)
        for number in bound:
            self.level[number] = level if once is not None or settled else depth
            # What stands ahead of the loop for a rule is its slot, which may still be empty.
            early = once is not None and once.eager and not isinstance(step, ir.RuleValue)
            self.made[number] = level if early else depth
        if once is None:
            return step
        ahead[level].append(once)
        return once

    def _level(self, step: ir.Step) -> int:
        """The innermost loop that something the step reads changes in."""
        level = 0
        if not walk.blocks(step):
            for operand in walk.reads(step):
                if operand.__class__ is ir.Local:
                    level = max(level, self.level.get(operand.id, 0))
            return level
        own: set[int] = set()
        for each in _with_inner(step):
            level = max(
                [level, *(self._of(o) for o in walk.reads(each) if _is_free(o, own))], default=0
            )
            own.update(n.id for n in walk.binds(each))
        return level

    def _of(self, operand: ir.Operand) -> int:
        return self.level.get(operand.id, 0) if isinstance(operand, ir.Local) else 0

    def _once(self, step: ir.Step, level: int, depth: int) -> ir.Once | None:
        if any(getattr(each, "ctx", 0) != 0 for each in _with_inner(step)):
            return None
        if isinstance(step, ir.RuleValue):
            return ir.Once(step, eager=True) if level == 0 else None
        if isinstance(step, ir.Input | ir.Base | ir.Dot):
            # A read costs as much as what would save it, unless it leaves all loops.
            cheap = not isinstance(step, ir.Dot) or (
                isinstance(step.key, ir.Const) and isinstance(step.key.value, str)
            )
            ready = all(
                self.made.get(o.id, 0) == 0 for o in walk.reads(step) if isinstance(o, ir.Local)
            )
            plain = not getattr(step, "lazy", False)
            return ir.Once(step, eager=True) if level == 0 and cheap and ready and plain else None
        if isinstance(step, _CALLS) and not getattr(step, "mocked", False):
            return ir.Once(step, eager=False)
        if isinstance(step, ir.Collect) and not any(
            isinstance(each, ir.Derive) for each in walk.steps(step.body)
        ):
            return ir.Once(step, eager=False)
        return None


def _with_inner(step: ir.Step) -> list[ir.Step]:
    return [step, *(s for b in walk.blocks(step) for s in walk.steps(b))]


def _is_free(operand: ir.Operand, own: set[int]) -> bool:
    """Whether an operand comes from outside of the step."""
    return isinstance(operand, ir.Local) and operand.id not in own
