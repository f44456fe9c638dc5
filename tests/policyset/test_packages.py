"""Two YAML policies must not share a package: their helper rules would be one rule."""

from __future__ import annotations

import pytest

from adjudge.errors import AdjudgeError
from adjudge.policyset import load_policy_set

from .conftest import MC_05, Tree


@pytest.mark.parametrize("other", ["MC-05", "mc_05", "Mc.05"])
def test_ids_that_differ_in_case_or_punctuation_are_refused(tree: Tree, other: str) -> None:
    folder = tree({"a.yaml": MC_05, "b.yaml": MC_05.replace("id: MC-05", f"id: {other}")})
    with pytest.raises(AdjudgeError) as e:
        load_policy_set([folder])
    assert "policy_id_twice" in str(e.value)


def test_other_ids_are_fine(tree: Tree) -> None:
    folder = tree({"a.yaml": MC_05, "b.yaml": MC_05.replace("id: MC-05", "id: MC-06")})
    assert {r.id for r in load_policy_set([folder]).rules} == {"MC-05", "MC-06"}
