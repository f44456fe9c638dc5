"""Random conditions on random documents mean what the naive evaluator says they mean."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.yamlpolicy.naive import holds
from tests.yamlpolicy.support import compiled, findings, policy

SCALARS = st.sampled_from(["", " ", "a", "ab", "b", "1", 0, 1, 2, 1.0, -1.5, True, False])
VALUES = st.recursive(
    st.one_of(SCALARS, st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    ),
    max_leaves=6,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3)
DATA: dict[str, Any] = {"list": ["a", 1, True], "number": 1, "map": {"k": "ab"}, "text": "a"}
TEXTS = st.sampled_from(["a", "b", "ab", "1"])
PATTERNS = st.sampled_from(["^a", "b$", "a|1", "."])
DATA_PATHS = st.sampled_from(["list", "number", "map", "text", "typo", "map.k"])


def paths(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Paths into the document, and from loop variables."""
    tails = st.sampled_from(["", ".a", ".b", ".a.b", "[0]", "[1].a", '["c"]'])
    return st.builds(str.__add__, st.sampled_from(["document.a", "document.b", *names]), tails)


def references(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, str]]:
    """``{path: …}`` and ``{data: …}``."""
    return st.one_of(
        st.fixed_dictionaries({"path": paths(names)}), st.fixed_dictionaries({"data": DATA_PATHS})
    )


def comparisons(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Conditions with a path."""
    other = references(names)
    sizes = st.integers(0, 2)
    numbers = st.one_of(st.sampled_from([0, 1, 1.5, -2]), other)
    bounds = st.dictionaries(st.sampled_from(["gt", "lte", "equals"]), sizes, min_size=1)
    lists = st.lists(SCALARS, min_size=1, max_size=3, unique_by=lambda v: (isinstance(v, bool), v))
    operands: dict[str, st.SearchStrategy[Any]] = {
        "equals": st.one_of(SCALARS, other, st.just(["a", 1])),
        "in": st.one_of(lists, other),
        "contains": st.one_of(SCALARS, other),
        "matches": PATTERNS,
        "is": st.sampled_from(["missing", "present", "empty", "not_empty"]),
        "starts_with": st.one_of(TEXTS, other),
        "ends_with": st.one_of(TEXTS, other),
        "count": st.one_of(sizes, bounds),
        "length": st.one_of(sizes, bounds),
        **dict.fromkeys(("gt", "gte", "lt", "lte"), numbers),
    }
    for name in ("equals", "in", "contains", "matches"):
        operands[f"not_{name}"] = operands[name]
    one_test = [
        st.fixed_dictionaries({"path": paths(names), name: operand})
        for name, operand in operands.items()
    ]
    return st.one_of(one_test)


def conditions(depth: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[Any]:
    """Conditions that nest at most ``depth`` deep."""
    if depth == 0:
        return comparisons(names)
    inner = conditions(depth - 1, names)
    name = f"v{len(names)}"
    loop = {"path": paths(names), "as": st.just(name)}
    body = conditions(depth - 1, (*names, name))
    loops = st.fixed_dictionaries(loop, optional={"when": body})
    return st.one_of(
        comparisons(names),
        *(
            st.fixed_dictionaries({form: st.lists(inner, min_size=1, max_size=3)})
            for form in ("any", "none")
        ),
        # Loops beside each other need names of their own, so here is at most one.
        st.fixed_dictionaries({"all": st.tuples(comparisons(names), inner).map(list)}),
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"for_each": loops}),
    )


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(conditions(3), DOCUMENTS)
def test_compiled_conditions_agree_with_the_naive_evaluator(condition: Any, document: Any) -> None:
    input_ = {"kind": "card", "path": "p", "document": document, "facts": {}}
    found = findings(compiled(policy(condition, pointer="/document")), input_, DATA)
    assert bool(found) is holds(condition, {**input_, "data": DATA})
