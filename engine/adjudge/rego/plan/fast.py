"""Rule plans in, plans of the fast variant out: the same answers with less work.

The evidence variant needs each clause, each read and each expression apart.  The fast one
does not, so here

- what is known when compiling is put in its place: rules that are a constant, parts of
  constants, texts made from a literal template;
- the clauses of a rule that begin alike are joined: four clauses that iterate over the same
  components become one loop;
- what does not change in a loop moves out of it (:class:`~adjudge.rego.plan.ir.Once`).

None of it evaluates anything that would not be evaluated otherwise: a loop without elements
runs no builtin, a rule that is not reached reports no error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from adjudge.rego.passes.model import Group, Path
from adjudge.rego.plan import ir, walk
from adjudge.rego.plan.constants import constant_of
from adjudge.rego.plan.hoist import hoist
from adjudge.rego.plan.merge import merge
from adjudge.rego.runtime.values import UNDEFINED, RegoSet, Value, box, equal

_PLAIN_VERB: Final = re.compile(r"%([sv%])")


class Faster:
    """Rewrites the plans of one module."""

    def __init__(self) -> None:
        self._constants: dict[Path, ir.Const | None] = {}

    def rule(self, plan: ir.RulePlan) -> ir.RulePlan:
        """The plan of one rule; the given one is left as it is."""
        clauses = plan.clauses
        plain = not any(has_effects(c.block) for c in clauses)
        joined = (
            len(clauses) > 1
            and plain
            and plan.index is None
            and (plan.group.kind == "set" or plan.constant is not None)
            and all(c.orelse is None for c in clauses)
        )
        if joined:
            block = merge(self._apart(clauses, plan.params))
            clauses = [replace(clauses[0], block=block)]
        else:
            clauses = [self._clause(c) for c in clauses]
        if plain:
            for clause in clauses:
                each: ir.ClausePlan | None = clause
                while each is not None:
                    if walk.has_loop(each.block):
                        hoist(each.block)
                    each = each.orelse
        return replace(plan, clauses=clauses)

    def _clause(self, clause: ir.ClausePlan) -> ir.ClausePlan:
        orelse = self._clause(clause.orelse) if clause.orelse is not None else None
        block = _Rewriter(self, 0, 0).block(clause.block)
        _drop_unused_contexts(block)
        return replace(clause, block=block, orelse=orelse)

    def _apart(self, clauses: Iterable[ir.ClausePlan], params: int) -> list[ir.Block]:
        """The clauses' blocks, each with locals of its own but for the parameters."""
        blocks: list[ir.Block] = []
        offset = 0
        for clause in clauses:
            rewriter = _Rewriter(self, offset, params)
            blocks.append(rewriter.block(clause.block))
            offset = rewriter.highest
        return blocks

    def constant(self, group: Group) -> ir.Const | None:
        """The value of a rule that always has the same one."""
        path = group.path
        if path not in self._constants:
            self._constants[path] = _constant(group)
        return self._constants[path]


def _constant(group: Group) -> ir.Const | None:
    if group.kind != "complete" or len(group.clauses) != 1:
        return None
    only = group.clauses[0]
    if only.body or only.orelse is not None:
        return None
    value = constant_of(only.value)
    return None if value is UNDEFINED else ir.Const(value)


def has_effects(block: ir.Block) -> bool:
    """Whether it can be seen how often, or in which order, a block's steps run."""
    return any(
        isinstance(step, ir.CallBuiltin)
        and (step.name in _EFFECTS or (step.name.startswith("internal.") and step.name != _TEXT))
        for step in walk.steps(block)
    )


_EFFECTS = frozenset({"print", "trace"})
_TEXT = "internal.template_string"


def _drop_unused_contexts(block: ir.Block) -> None:
    """Take out what makes contexts that no step is evaluated in."""
    steps = list(walk.steps(block))
    made = {s.dst for s in steps if isinstance(s, ir.Derive)}
    unused = made - {getattr(s, "ctx", 0) for s in steps} if made else made
    if unused:
        _drop_contexts(block, unused)


def _drop_contexts(block: ir.Block, unused: set[int]) -> None:
    block.steps = [s for s in block.steps if not (isinstance(s, ir.Derive) and s.dst in unused)]
    for step in block.steps:
        for inner in walk.blocks(step):
            _drop_contexts(inner, unused)


class _Rewriter:
    """Copies the block of one clause, with its locals renumbered and constants in place."""

    def __init__(self, rules: Faster, offset: int, params: int) -> None:
        self.rules = rules
        self.offset = offset
        self.params = params
        self.highest = offset
        self.known: dict[int, ir.Const] = {}

    def local(self, local: ir.Local) -> ir.Local:
        if not self.offset or local.id <= self.params:
            self.highest = max(self.highest, local.id)
            return local
        number = local.id + self.offset
        self.highest = max(self.highest, number)
        return ir.Local(number)

    def operand(self, operand: ir.Operand) -> ir.Operand:
        if isinstance(operand, ir.Const):
            return operand
        known = self.known.get(operand.id)
        return self.local(operand) if known is None else known

    def block(self, block: ir.Block) -> ir.Block:
        """A copy of a block, up to where it is certain to fail."""
        out: list[ir.Step] = []
        steps = block.steps
        at = 0
        while at < len(steps):
            step = steps[at]
            at += 1
            if isinstance(step, ir.Mark):
                continue
            if isinstance(step, ir.MakeArray) and at < len(steps):
                text = self._format(step, steps[at], steps[at + 1 :])
                if text is not None:
                    out.append(text)
                    at += 1
                    continue
            value = self._value(step)
            if value is not UNDEFINED:
                bound = next(walk.binds(step))
                self.known[bound.id] = value if isinstance(value, ir.Const) else ir.Const(value)
                continue
            new = walk.rewritten(step, self.operand, self.local, self.block)
            verdict = _verdict(new)
            if verdict is True:
                continue
            out.append(ir.Fail() if verdict is False else new)
            if isinstance(out[-1], ir.Fail):
                break
        return ir.Block(out)

    def _value(self, step: ir.Step) -> Value:
        """The value of a step's local where it is known, ``UNDEFINED`` otherwise."""
        if isinstance(step, ir.RuleValue):
            found = None if step.replaceable else self.rules.constant(step.group)
            return UNDEFINED if found is None else found
        if isinstance(step, ir.Dot):
            src, key = self.operand(step.src), self.operand(step.key)
            if step.lazy or not isinstance(src, ir.Const) or not isinstance(key, ir.Const):
                return UNDEFINED
            return _at(src.value, key.value)
        if isinstance(step, ir.MakeArray | ir.MakeSet):
            items = [self.operand(i) for i in step.items]
            if all(isinstance(i, ir.Const) for i in items):
                values = [i.value for i in items if isinstance(i, ir.Const)]
                return ir.Const(values if isinstance(step, ir.MakeArray) else RegoSet(values))
        return UNDEFINED

    def _format(self, array: ir.MakeArray, call: ir.Step, after: list[ir.Step]) -> ir.Format | None:
        """``sprintf`` of a literal template and an array made for it alone."""
        if not isinstance(call, ir.CallBuiltin) or call.name != "sprintf" or call.mocked:
            return None
        template, values = call.args
        if values != array.dst or not isinstance(template, ir.Const):
            return None
        pieces = _plain_pieces(template.value)
        if pieces is None or len(pieces[1]) != len(array.items):
            return None
        if any(array.dst in set(walk.reads(s)) for s in walk.steps(ir.Block(after))):
            return None
        texts, verbs = pieces
        items = tuple([self.operand(i) for i in array.items])
        dst = self.local(call.dst)
        return ir.Format(dst, template.value, texts, verbs, items, call.ctx, call.loc)


def _plain_pieces(template: Value) -> tuple[tuple[str, ...], str] | None:
    """The texts and the verbs of a template that has only ``%s``, ``%v`` and ``%%``."""
    if not isinstance(template, str) or "%" in _PLAIN_VERB.sub("", template):
        return None
    texts, verbs = [""], ""
    for number, piece in enumerate(_PLAIN_VERB.split(template)):
        if number % 2 == 0:
            texts[-1] += piece
        elif piece == "%":
            texts[-1] += "%"
        else:
            verbs += piece
            texts.append("")
    return tuple(texts), verbs


def _at(value: Value, key: Value) -> Value:
    """A part of a constant; ``UNDEFINED`` where there is none, or it is better asked later."""
    if value.__class__ is dict:
        return value.get(box(key), UNDEFINED)
    if value.__class__ is list and key.__class__ is int:
        return value[key] if 0 <= key < len(value) else UNDEFINED
    return UNDEFINED


def _verdict(step: ir.Step) -> bool | None:
    """Whether a condition holds, where that is known; None where it is not, or for any
    other step."""
    if isinstance(step, ir.Truthy) and isinstance(step.src, ir.Const):
        return step.src.value is not False
    if isinstance(step, ir.Compare) and step.dst is None and step.op in ("eq", "neq"):
        if isinstance(step.left, ir.Const) and isinstance(step.right, ir.Const):
            return equal(step.left.value, step.right.value) == (step.op == "eq")
    return None
