"""Compiled policies on disk: a second start compiles nothing, and never another policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adjudge import cache
from adjudge.policyset import programs
from adjudge.rego import Program, RegoErrors
from adjudge.rego.capabilities import Capabilities, gate_capabilities
from adjudge.rego.parser import parse_module

POLICY = """package t

import data.known

deny contains msg if {
\tsome role in input.roles
\tnot role in known
\tmsg := sprintf("unknown role %v", [role])
}

double(x) := x * 2
"""
INPUT = {"roles": ["x", "dev"]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(cache, "_environ", {"HOME": str(tmp_path)})
    yield tmp_path / ".cache" / "adjudge"
    programs._open.clear()


def compiled(text: str = POLICY, name: str = "t.rego", **more: Any) -> Program:
    return programs.compiled({name: text}, data={"known": ["dev"]}, **more)


def fresh(program: Program) -> bool:
    """Whether the front end of the compiler was run."""
    return "_made" in program._front.__dict__


def used(program: Program) -> list[Any]:
    return [
        program.rule("data.t.deny").eval(INPUT),
        [r.bindings for r in program.prepare("x := data.t.double(2)").eval()],
    ]


def test_a_second_start_compiles_nothing(folder: Path) -> None:
    first = compiled()
    assert fresh(first)
    answers = used(first)
    assert not folder.exists()
    programs.keep()
    second = compiled()
    assert used(second) == answers == [["unknown role x"], [{"x": 4}]]
    assert not fresh(second)
    assert not second.grown


def test_what_was_not_needed_then_is_compiled_now_and_kept() -> None:
    compiled().rule("data.t.deny")
    programs.keep()
    second = compiled()
    assert second.prepare("data.t.double(3)").eval()[0].expressions[0].value == 6
    assert fresh(second)
    programs.keep()
    third = compiled()
    assert third.prepare("data.t.double(3)").eval()[0].expressions[0].value == 6
    assert not fresh(third)
    assert third.rule("data.t.deny").eval(INPUT) == ["unknown role x"]


def test_other_data_needs_no_compilation() -> None:
    used(compiled())
    programs.keep()
    other = programs.compiled({"t.rego": POLICY}, data={"known": ["dev", "x"]})
    assert other.rule("data.t.deny").eval(INPUT) == []
    assert not fresh(other)


def _other_capabilities() -> Capabilities:
    granted = gate_capabilities()
    return Capabilities(dict(list(granted.builtins.items())[1:]), granted.withheld)


@pytest.mark.parametrize(
    "change",
    [
        {"text": POLICY + "\n"},
        {"text": POLICY.replace("unknown role", "unknown  role")},
        {"name": "u.rego"},
        {"capabilities": gate_capabilities()},
        {"capabilities": _other_capabilities()},
        {"rego_version": 0, "text": "package t\n\ndeny[x] { x := 1 }\n\ndouble(x) = x { true }\n"},
        {"schemas": {"": {"type": "object"}}},
        {"rewritten": "tests"},
        {"strict": True},
        {"text": parse_module(POLICY, "t.rego")},
    ],
)
def test_whatever_changes_the_program_is_another_entry(change: dict[str, Any]) -> None:
    compiled().link()
    programs.keep()
    assert fresh(compiled(**change))


def test_names_and_texts_do_not_run_into_each_other() -> None:
    programs.compiled({"a": "package a\n", "b": "package b\n"}).link()
    programs.keep()
    assert fresh(programs.compiled({"b": "package a\n", "a": "package b\n"}))
    assert fresh(programs.compiled({"b": "package b\n", "a": "package a\n"}))


def test_another_engine_is_another_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled().link()
    programs.keep()
    monkeypatch.setattr(programs, "_engine", lambda: (b"other",))
    assert fresh(compiled())


def test_errors_are_found_every_time(folder: Path) -> None:
    for _ in range(2):
        with pytest.raises(RegoErrors):
            compiled("package t\n\np if x\n")
        programs.keep()
    assert not folder.exists()


def test_a_damaged_entry_is_compiled_anew_and_replaced(folder: Path) -> None:
    used(compiled())
    programs.keep()
    (entry,) = folder.iterdir()
    data = entry.read_bytes()
    entry.write_bytes(data[:-10])
    assert used(compiled())[0] == ["unknown role x"]
    programs.keep()
    assert not fresh(compiled())


def test_an_entry_from_elsewhere_does_not_run(folder: Path, tmp_path: Path) -> None:
    used(compiled())
    programs.keep()
    (entry,) = folder.iterdir()
    # Somebody else's process wrote an entry of that name: a key of its own does not fit.
    cache.Cache(folder, tmp_path / "other").write(entry.name, b"code")
    assert fresh(compiled())


def test_nothing_is_kept_unless_allowed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_environ", None)
    used(compiled())
    programs.keep()
    assert not folder.exists()
