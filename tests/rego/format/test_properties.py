"""What holds for every module: the tree stays, formatting twice changes nothing, OPA agrees."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adjudge.rego.errors import RegoErrors
from adjudge.rego.format import format_module
from adjudge.rego.parser import parse_module
from adjudge.rego.syntax import Expr, Module, Rule, Scalar

SHARED = Path(__file__).resolve().parents[3].parent / "shared"


@pytest.fixture(scope="module")
def modules() -> list[str]:
    """The module texts of the conformance cases that parse."""
    path = SHARED / "conformance" / "opa-v1.jsonl"
    if not path.exists():
        pytest.skip("the conformance cases are not beside the project")
    cases = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    texts = sorted({text for case in cases for text in case.get("modules") or []})
    return [text for text in texts if _parsed(text)]


def _parsed(text: str) -> Module | None:
    try:
        return parse_module(text)
    except RegoErrors:
        return None


def _plain(rule: Rule) -> Rule:
    """A rule without what goes without saying: conditions and values that are ``true``."""
    head, body = rule.head, rule.body
    if rule.orelse is None and len(body) == 1 and body[0] == Expr(Scalar(True)):
        body = () if isinstance(body[0].term, Scalar) and body[0].term.value is True else body
    if isinstance(head.value, Scalar) and head.value.value is True and head.key is None:
        head = replace(head, value=None)
    orelse = None if rule.orelse is None else _plain(rule.orelse)
    return replace(rule, head=head, body=body, orelse=orelse)


def _plainly(module: Module) -> Module:
    return replace(module, rules=tuple(map(_plain, module.rules)))


def _meaning(module: Module) -> Any:
    """What formatting must not change.  Imports are sorted."""
    tree = _plainly(replace(module, imports=tuple(sorted(module.imports, key=repr))))
    notes = [[note.fields for note in rule.annotations] for rule in module.rules]
    return tree, notes, sorted(comment.text.strip() for comment in module.comments)


def _check(text: str) -> None:
    module = parse_module(text)
    formatted = format_module(module)
    again = parse_module(formatted)
    assert _meaning(again) == _meaning(module), text
    assert format_module(again) == formatted, text


def test_formatting_keeps_the_tree_and_is_stable(modules: list[str]) -> None:
    for text in modules:
        _check(text)


def test_trees_without_a_source_are_written_so_that_they_are_read_back(modules: list[str]) -> None:
    for text in modules:
        module = replace(parse_module(text), source="", comments=())
        formatted = format_module(module)
        again = parse_module(formatted)
        assert _meaning(again)[0] == _meaning(module)[0]
        assert format_module(replace(again, source="")) == formatted


def test_most_modules_come_out_as_opa_writes_them(modules: list[str], tmp_path: Path) -> None:
    opa = shutil.which("opa") or shutil.which("opa", path=str(Path.home() / "go" / "bin"))
    if opa is None:
        pytest.skip("the opa program is not installed")
    paths = [tmp_path / f"{i}.rego" for i in range(len(modules))]
    for path, text in zip(paths, modules, strict=True):
        path.write_bytes(text.encode())
    subprocess.run([opa, "fmt", "--write", str(tmp_path)], check=True, capture_output=True)
    theirs = [path.read_bytes().decode() for path in paths]
    ours = [format_module(parse_module(text)) for text in modules]
    same = sum(a == b for a, b in zip(ours, theirs, strict=True))
    assert same >= 0.99 * len(modules)


WORDS = re.compile(
    r'\$?"(?:[^"\\\n]|\\.)*"|\$?`[^`]*`|#[^\n]*|[A-Za-z_]\w*|[0-9.]+|\s+|:=|[=!<>]=|.', re.DOTALL
)

LAYOUT = ["\n", "\n\n", " # a\n", "\n# b\n", "\n\n# c\n\n", "\t", "\n# METADATA\n# title: d\n"]

SAMPLES = [
    "package a\nimport data.b\nimport data.a as x\np := [1, {2: x}, {3 | x}] if { x == 1; y }\n",
    "package a\n# METADATA\n# title: t\np contains f(x, y) if { some x, y in z; not x }\nq := 1\n",
    "package a\np[x] := y if {\n x := [y | y := z.a[0]; -1 < y]\n every k, v in x { v }\n}\n",
    'package a\nf(x) := $"a{x}b{x + 1}" if x else := `r\n` if { x with input as {"a": 1} }\n',
    "package a\np if {\n -1 == x\n x | y == z\n a.b[c].d in {1, 2}\n some v\n v = 1\n}\n",
]


def test_conditions_are_read_back(
    modules_with_conditions: Callable[[int, int], Iterator[str]],
) -> None:
    rng = random.Random(5)
    checked = 0
    for text in modules_with_conditions(3, 1500):
        head, rule = text.rsplit("\np", 1)
        words = rule.split(" ")
        for _ in range(rng.randrange(3)):
            words[rng.randrange(len(words))] += rng.choice(["\n", "\n # c\n"])
        broken = f"{head}\np{' '.join(words)}"
        module = _parsed(broken)
        if module is not None:
            checked += 1
            _check(broken)
            bare = replace(module, source="", comments=())
            formatted = format_module(bare)
            assert _plainly(parse_module(formatted)) == _plainly(bare), formatted
            assert format_module(replace(parse_module(formatted), source="")) == formatted
    assert checked > 300


def test_line_ends_and_comments_anywhere_are_survived() -> None:
    rng = random.Random(11)
    checked = 0
    while checked < 1200:
        sample = rng.choice(SAMPLES)
        # METADATA in the middle of an import would be about the next statement, which
        # is another one once the imports are sorted.
        layout = LAYOUT[:-1] if "import" in sample else LAYOUT
        words = WORDS.findall(sample)
        for _ in range(rng.choice([1, 2, 4, 8])):
            words.insert(rng.randrange(len(words) + 1), rng.choice(layout))
        text = "".join(words)
        if _parsed(text):
            _check(text)
            checked += 1
