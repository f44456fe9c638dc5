"""The names of ``abi`` and what stands behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from adjudge.rego import abi
from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.runtime import documents, operators
from adjudge.rego.runtime.context import UNSET, Context
from adjudge.rego.runtime.numbers import parse_number
from adjudge.rego.runtime.values import UNDEFINED, RegoSet, Value, box, equal


def add_rules(scope: dict[str, Any], slots: Iterable[int]) -> None:
    """Add ``r_n`` for each ``e_n`` of a generated module: the value of a rule, evaluated
    at most once in a context."""
    for slot in slots:
        evaluate = scope.get(f"{abi.EVAL_PREFIX}{slot}")
        if evaluate is not None:
            scope[f"{abi.RULE_PREFIX}{slot}"] = _remembered(evaluate, slot)


def _remembered(evaluate: Callable[[Context], Value], slot: int) -> Callable[[Context], Value]:
    def rule(c: Context) -> Value:
        value = c.slots[slot]
        if value is UNSET:
            value = c.slots[slot] = evaluate(c)
        return value

    return rule


def namespace() -> dict[str, Any]:
    """The globals of a generated module, without its builtins; nothing else is reachable."""
    return {
        "__builtins__": {},
        abi.UNDEFINED: UNDEFINED,
        abi.UNSET: UNSET,
        abi.LOOKUP_ERRORS: operators.LOOKUP_ERRORS,
        abi.BUILTIN_ERROR: BuiltinError,
        abi.SET_OF: RegoSet.of_boxed,
        abi.NEW_SET: set,
        abi.BOX: box,
        abi.DICT: dict,
        abi.LIST: list,
        abi.STR: str,
        abi.INT: int,
        abi.BOOL: bool,
        abi.LEN: len,
        abi.FROZENSET: frozenset,
        abi.REGO_SET: RegoSet,
        abi.EQUAL: equal,
        abi.LESS: operators.less,
        abi.LESS_EQUAL: operators.less_equal,
        abi.AT: operators.at,
        abi.VALUES: operators.values,
        abi.PAIRS: operators.pairs,
        abi.ORDERED_VALUES: operators.ordered_values,
        abi.ORDERED_PAIRS: operators.ordered_pairs,
        abi.MEMBER: operators.member,
        abi.MEMBER_KEY: operators.member_key,
        abi.MAKE_OBJECT: operators.make_object,
        abi.PUT: operators.put,
        abi.INSERT: operators.insert,
        abi.FINISH: operators.finish,
        abi.INDEX_BY: operators.index_by,
        abi.NO_PAIRS: (),
        abi.BRANCH: operators.Branch,
        abi.IS_COLLECTION: operators.is_collection,
        abi.LAZY_AT: documents.lazy_at,
        abi.LAZY_PAIRS: documents.lazy_pairs,
        abi.FORCE: documents.force,
        abi.NUMBER: parse_number,
        abi.MATCHER: operators.matcher,
        abi.GLOB_MATCHER: operators.glob_matcher,
    }
