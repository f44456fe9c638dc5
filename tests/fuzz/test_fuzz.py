"""Any bytes end in a RegoError or a Program."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fuzz import target
from tests.fuzz.__main__ import attempt, run
from tests.fuzz.mutations import PIECES, module

QUICK = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@QUICK
@given(st.binary(max_size=200))
def test_bytes(data: bytes) -> None:
    target.one(data)


@QUICK
@given(st.lists(st.sampled_from(PIECES), max_size=40), st.integers(0, 3))
def test_tokens(pieces: list[str], flags: int) -> None:
    text = "package t\n\n" + " ".join(pieces)
    target.one(bytes([flags]) + text.encode(errors="surrogatepass"))


@QUICK
@given(st.randoms(use_true_random=False))
def test_mutated_policies(rng: random.Random) -> None:
    target.one(module(rng))


def test_mutated_policies_by_the_hundred() -> None:
    rng = random.Random(7)
    for _ in range(1500):
        assert attempt(module(rng)) == ""


def test_a_leaked_exception_is_found(monkeypatch: Any, tmp_path: Any, capsys: Any) -> None:
    def broken(_data: bytes) -> None:
        raise KeyError("leaked")

    monkeypatch.setattr("tests.fuzz.__main__.one", broken)
    assert attempt(b"\0package t").startswith("KeyError at test_fuzz.py")
    assert run(0.01, 1, tmp_path) > 0
    assert "problems" in capsys.readouterr().out
    assert list(tmp_path.glob("*.input"))
