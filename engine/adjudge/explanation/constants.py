"""Values that a rule met and the text of its modules in, constants to try out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from adjudge.explanation.candidates import Pool
from adjudge.explanation.changes import Path
from adjudge.rego.parser.walk import children
from adjudge.rego.syntax import Array, Call, Module, Object, Ref, Scalar, Template, Term, Var, walk

MAX_CONSTANTS: Final = 500

_GET: Final = Ref(Var("object"), (Scalar("get"),))


def pool_of(met: Iterable[Any], own: Sequence[Module], others: Sequence[Module]) -> Pool:
    """What the rule compared, then the constants of its own modules, then those of others."""
    pool = Pool()
    pool.add(islice(met, MAX_CONSTANTS))
    pool.likely = len(pool.texts)
    pool.add(_constants(own))
    pool.add(_constants(others))
    pool.own_paths = tuple(dict.fromkeys(_paths(own)))
    pool.paths = tuple(dict.fromkeys((*pool.own_paths, *_paths(others))))
    return pool


def _paths(modules: Iterable[Module]) -> Iterator[Path]:
    """The paths below the input that the modules name as a whole."""
    for module in modules:
        for node in walk(module.rules):
            if isinstance(node, Ref):
                path = _path(node)
            elif isinstance(node, Call) and node.operator == _GET and len(node.args) == 3:
                path = _got(*node.args[:2])
            else:
                continue
            if path:
                yield path


def _path(term: Term) -> Path | None:
    """The path below the input that a term is; None for anything else."""
    if term == Var("input"):
        return ()
    if not isinstance(term, Ref) or term.head != Var("input"):
        return None
    return _keys(term.operands)


def _got(whole: Term, key: Term) -> Path | None:
    """The path that ``object.get`` looks up."""
    base = _path(whole)
    keys = _keys(key.items if isinstance(key, Array) else (key,))
    return None if base is None or keys is None else (*base, *keys)


def _keys(terms: Sequence[Term]) -> Path | None:
    keys = [t.value for t in terms if isinstance(t, Scalar) and isinstance(t.value, str)]
    return tuple(keys) if len(keys) == len(terms) else None


def _constants(modules: Iterable[Module]) -> list[Any]:
    """The constants in conditions and in the values of helper rules; names of fields and what
    findings say are none to try out."""
    found: dict[Any, None] = {}
    for module in modules:
        for rule in module.rules:
            values = () if rule.head.key is not None else (rule.head.value,)
            for node in _scalars([*rule.body, *values]):
                if isinstance(node.value, str | int | float) and len(found) < MAX_CONSTANTS:
                    found.setdefault(node.value)
    return list(found)


def _scalars(nodes: list[Any]) -> Iterator[Scalar]:
    stack = nodes[::-1]
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar):
            yield node
        elif isinstance(node, Object):
            stack.extend(value for _, value in reversed(node.pairs))
        elif isinstance(node, Ref):
            stack.append(node.head)
        elif isinstance(node, Call):
            # A format is nothing that is compared.
            is_text = isinstance(node.operator, Var) and node.operator.name == "sprintf"
            stack.extend(() if is_text else reversed(node.args))
        elif node is not None and not isinstance(node, Template | str):
            stack.extend(reversed(list(children(node))))
