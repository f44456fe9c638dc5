"""Rule plans in, the same plans with indexes in place of searches out.

Two searches are worth an index: the inner loop of a join (``some y in ys; y.id == x.id``
inside a loop over ``xs``), and a rule of many clauses that compare one input field, or one
argument, with different strings.
"""

from __future__ import annotations

from collections import Counter

from adjudge.rego.plan import ir, walk

MIN_CLAUSES = 6
"""Clauses below which trying each is as fast as looking one up."""


def optimize(plan: ir.RulePlan) -> None:
    """Put indexes into one rule plan."""
    joins = _Joins()
    for clause in plan.clauses:
        each: ir.ClausePlan | None = clause
        while each is not None:
            if walk.has_loop(each.block):
                joins.block(each.block, 0, {})
            each = each.orelse
    plan.index = _clause_index(plan)


def optimize_query(plan: ir.QueryPlan) -> None:
    """Put indexes into a query."""
    if walk.has_loop(plan.block):
        _Joins().block(plan.block, 0, {})


# -- joins ---------------------------------------------------------------------------------


class _Joins:
    """Replaces loops by probes; ``depth`` counts enclosing loops, ``born`` tells at which
    depth a local's value is settled."""

    def __init__(self) -> None:
        self.count = 0

    def block(self, block: ir.Block, depth: int, born: dict[int, int]) -> None:
        steps: list[ir.Step] = []
        for step in block.steps:
            _note(step, depth, born)
            if isinstance(step, ir.Scan):
                probe = self._probe(step, depth, born)
                if probe is not None:
                    moved, step = probe
                    for dot in moved:
                        _note(dot, depth, born)
                    steps.extend(moved)
            steps.append(step)
            if isinstance(step, ir.Scan | ir.ScanCall | ir.Probe):
                inner = depth + 1
                for found in (step.value, getattr(step, "key", None)):
                    if isinstance(found, ir.Local) and not isinstance(step, ir.Probe):
                        born[found.id] = inner
                born.setdefault(step.value.id if step.value else 0, inner)
                self.block(step.body, inner, born)
            elif isinstance(step, ir.Not | ir.Collect):
                self.block(step.body, depth, born)
        block.steps = steps

    def _probe(
        self, scan: ir.Scan, depth: int, born: dict[int, int]
    ) -> tuple[list[ir.Step], ir.Probe] | None:
        """The probe in place of a loop, and the subscripts its key needs before it."""
        src, value = scan.src, scan.value
        if scan.lazy or value is None or not isinstance(src, ir.Local):
            return None
        # Only what stays the same while an outer loop runs is worth an index.
        if born.get(src.id, 0) >= depth:
            return None
        reads: dict[int, ir.Const] = {}
        moved: list[ir.Step] = []
        outside = set(born)
        for position, step in enumerate(scan.body.steps):
            if isinstance(step, ir.Mark):
                continue
            if isinstance(step, ir.Dot) and step.src == value and isinstance(step.key, ir.Const):
                if isinstance(step.key.value, str) and not step.lazy:
                    reads[step.dst.id] = step.key
                    continue
            if isinstance(step, ir.Dot) and not step.lazy and _from(step, outside):
                moved.append(step)
                outside.add(step.dst.id)
                continue
            if isinstance(step, ir.Compare) and step.op == "eq" and step.dst is None:
                found = self._condition(step, reads, outside)
                if found is not None:
                    field, key = found
                    del scan.body.steps[position]
                    scan.body.steps = [s for s in scan.body.steps if s not in moved]
                    self.count += 1
                    return moved, ir.Probe(
                        src,
                        field,
                        key,
                        scan.key,
                        value,
                        scan.body,
                        scan.ordered,
                        scan.ctx,
                        self.count,
                    )
            return None
        return None

    def _condition(
        self, step: ir.Compare, reads: dict[int, ir.Const], outside: set[int]
    ) -> tuple[ir.Const, ir.Operand] | None:
        for own, other in ((step.left, step.right), (step.right, step.left)):
            if not isinstance(own, ir.Local) or own.id not in reads:
                continue
            if isinstance(other, ir.Local) and other.id not in outside:
                continue
            return reads[own.id], other
        return None


def _from(step: ir.Dot, outside: set[int]) -> bool:
    """Whether a subscript's source and key are known before the loop."""
    return all(isinstance(o, ir.Const) or o.id in outside for o in (step.src, step.key))


def _note(step: ir.Step, depth: int, born: dict[int, int]) -> None:
    """Note at which depth the value of the step's local is settled: that of a subscript
    by a constant with its source, that of input, data and rules once and for all."""
    dst = getattr(step, "dst", None)
    if not isinstance(dst, ir.Local):
        return
    if isinstance(step, ir.Input | ir.Base | ir.RuleValue | ir.Document) and step.ctx == 0:
        born[dst.id] = 0
    elif (
        isinstance(step, ir.Dot)
        and isinstance(step.src, ir.Local)
        and isinstance(step.key, ir.Const)
        and not step.lazy
    ):
        born[dst.id] = born.get(step.src.id, 0)
    else:
        born[dst.id] = depth


# -- clauses -------------------------------------------------------------------------------


def _clause_index(plan: ir.RulePlan) -> ir.ClauseIndex | None:
    if len(plan.clauses) < MIN_CLAUSES:
        return None
    if any(c.orelse is not None for c in plan.clauses):
        return None
    asked = [_questions(c.block, plan.params) for c in plan.clauses]
    common = Counter(place for questions in asked for place in questions)
    if not common:
        return None
    place, count = common.most_common(1)[0]
    if count < MIN_CLAUSES or count * 2 < len(plan.clauses):
        return None
    table: dict[str, list[int]] = {}
    rest: list[int] = []
    for number, questions in enumerate(asked):
        wanted = questions.get(place)
        if wanted is None:
            rest.append(number)
        else:
            table.setdefault(wanted, []).append(number)
    if len(table) < MIN_CLAUSES // 2:
        return None
    merged = {value: sorted([*numbers, *rest]) for value, numbers in table.items()}
    path, param = place
    return ir.ClauseIndex(path, param, merged, rest)


Place = tuple[tuple[str, ...], int]


def _questions(block: ir.Block, params: int) -> dict[Place, str]:
    """The strings a clause wants at places below the input, before it iterates."""
    places: dict[int, Place] = {n: ((), n) for n in range(1, params + 1)}
    wanted: dict[Place, str] = {}
    for step in block.steps:
        if isinstance(step, ir.Input) and step.ctx == 0:
            places[step.dst.id] = ((), 0)
        elif isinstance(step, ir.Dot) and isinstance(step.src, ir.Local):
            origin = places.get(step.src.id)
            key = step.key.value if isinstance(step.key, ir.Const) else None
            if origin is not None and isinstance(key, str) and not step.lazy:
                if origin[1] == 0:
                    places[step.dst.id] = ((*origin[0], key), 0)
        elif isinstance(step, ir.Compare) and step.op == "eq" and step.dst is None:
            for side, other in ((step.left, step.right), (step.right, step.left)):
                if isinstance(side, ir.Local) and isinstance(other, ir.Const):
                    place = places.get(side.id)
                    if place and isinstance(other.value, str) and place != ((), 0):
                        wanted.setdefault(place, other.value)
        elif isinstance(step, ir.Scan | ir.ScanCall | ir.Derive):
            break
    return wanted
