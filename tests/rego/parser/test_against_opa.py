"""Our trees are OPA's trees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjudge.rego.errors import RegoErrors
from adjudge.rego.parser import parse_module
from adjudge.rego.syntax import Module


def _tree(text: str, as_opa: Callable[[Module], Any]) -> Any:
    try:
        return as_opa(parse_module(text))
    except RegoErrors:
        return None


def test_every_conformance_module_has_opas_tree(
    conformance_modules: list[str],
    opa_trees: Callable[[list[str]], list[Any]],
    as_opa: Callable[[Module], Any],
    normal: Callable[[Any], Any],
) -> None:
    texts = sorted(set(conformance_modules))
    differing = []
    for text, tree in zip(texts, opa_trees(texts), strict=True):
        theirs = None if tree is None else normal(tree)
        if theirs != _tree(text, as_opa):
            differing.append(text)
    assert differing == []
