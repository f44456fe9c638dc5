"""No builtin answers hostile arguments with anything but a value or a BuiltinError."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from tests.rego.builtins.golden import Context
from tests.rego.builtins.test_golden import MODULES

from adjudge.rego.builtins.registry import BuiltinError, declared
from adjudge.rego.runtime.text import rego_text, to_json, to_json_text
from adjudge.rego.runtime.values import UNDEFINED, LiteralFloat, RegoSet, make_object

SCALARS: list[Any] = [
    *(None, True, False, 0, 1, -1, 7, 10**18, 2**63, 10**400, -(10**30), 0.1, -2.5, 1e300, 5e-324),
    *(LiteralFloat("1.50"), LiteralFloat("-0"), LiteralFloat("1e22"), Decimal("1e400")),
    *(Decimal("0.12345678901234567890123"), Decimal("1e-400"), "", "a", "\udcff", "\ud800x", "\0"),
    *(
        "é😀",
        "[",
        "(",
        "*",
        "\\",
        "{{",
        "%",
        "%*d",
        "%[9]d",
        "{a",
        "a{1000}",
        "1e999999999",
        "&a *a",
    ),
    *("- &a [*a]", "x" * 500, '{"a":' * 50, "[" * 3000, "{" * 3000, "((((" * 400, "%999999999d"),
    *("1e99999999k", "{{range 999999999}}x{{end}}", '{{define "t"}}{{template "t"}}{{end}}'),
    *('{{define "t"}}{{template "t"}}{{end}}{{template "t"}}', "{{if 1}}" * 200, "{{(" * 300),
    *("?" * 300, "9" * 5000, "[^\\D", "a**", "\\pZZ", "(?i)ß", "//", "http://[", "\x7f", "a;b"),
]
ARITY = {
    builtin["name"]: len(builtin["decl"].get("args", ()))
    for builtin in json.loads(
        files("adjudge.rego").joinpath("capabilities.json").read_text(encoding="utf-8")
    )["builtins"]
}
NAMES = sorted(
    name
    for name, builtin in declared().items()
    if builtin.function.__module__.rsplit(".", 1)[-1] in {*MODULES, "sprintf"} and name in ARITY
)


def anything(rng: random.Random, depth: int = 0) -> Any:
    """A value of any kind."""
    kind = rng.randrange(10 if depth < 3 else 6)
    if kind < 6:
        return rng.choice(SCALARS)
    items = [anything(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind < 8:
        return items
    if kind == 8:
        return RegoSet(items)
    return make_object((anything(rng, depth + 1), item) for item in items)


@pytest.mark.parametrize("name", NAMES)
def test_only_builtin_errors(name: str) -> None:
    rng = random.Random(name)
    builtin = declared()[name]
    function: Callable[..., Any] = builtin.function
    for _ in range(150):
        args = [anything(rng) for _ in range(ARITY[name])]
        before = rego_text(args)
        context = Context(max_size=10_000, steps=100_000)
        try:
            value = function(context, *args) if builtin.context else function(*args)
            if builtin.relation:
                value = list(value)
        except (BuiltinError, TimeoutError):
            continue
        if value is not UNDEFINED:
            rego_text(value)
            to_json_text(value)
            to_json(value)
        assert rego_text(args) == before, "an argument was changed"


TEXTS = [
    *(s for s in SCALARS if isinstance(s, str)),
    *("{{if 1}}a" + "{{else if 1}}a" * 200 + "{{end}}", "{{$x := 1}}{{range 9}}{{$x}}{{end}}"),
    *("{{.a.b.c}}", "{{index . 1}}", '{{printf "%999999d" 1}}', "{{range $a, $b := .}}{{end}}"),
    *(
        "a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]",
        "? [1]\n: 2",
        "!!int x",
        "<<: 1",
        "{" + "a: {" * 300,
    ),
    *("a{0,1000}" * 9, "(?:" * 900 + ")" * 900, "{{" * 500, "[a-\\d]", "{a,{b,{c,[!d]}}}", "[]-a]"),
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_only_builtin_errors_for_texts(text: str) -> None:
    calls: list[tuple[str, list[Any]]] = [
        ("strings.render_template", [text, {"a": {"b": 1}}]),
        ("sprintf", [text, [1, "a", 2.5]]),
        ("regex.find_all_string_submatch_n", [text, "aab", -1]),
        ("regex.replace", ["aab", text, "$1"]),
        ("regex.replace", ["aab", "(a)", text]),
        ("regex.template_match", [text, "aab", "{", "}"]),
        ("regex.globs_match", [text, "a+b"]),
        ("glob.match", [text, [], "aab"]),
        ("yaml.unmarshal", [text]),
        ("json.unmarshal", [text]),
        ("yaml.marshal", [[text, {text: text}]]),
        ("urlquery.decode_object", [text]),
        ("uri.parse", [text]),
        ("to_number", [text]),
        ("lower", [text]),
        ("strings.replace_n", [{text: "b", "a": text}, text]),
    ]
    for name, args in calls:
        builtin = declared()[name]
        context = Context(max_size=100_000, steps=100_000)
        try:
            builtin.function(*([context, *args] if builtin.context else args))
        except (BuiltinError, TimeoutError):
            pass


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("array.concat", [[1] * 60, [1] * 60]),
        ("array.flatten", [[[1] * 60, [2] * 60]]),
        ("concat", ["x" * 60, ["a", "b", "c"]]),
        ("replace", ["a" * 60, "a", "bb"]),
        ("replace", ["a" * 60, "", "b"]),
        ("strings.replace_n", [{"a": "bbb"}, "a" * 60]),
        ("strings.replace_n", [{"": "bbb"}, "a" * 60]),
        ("sprintf", ["%200d", [1]]),
        ("sprintf", ["%s%s", ["a" * 60, "b" * 60]]),
        ("regex.replace", ["a" * 60, "a", "bbb"]),
        ("numbers.range", [1, 101]),
        ("numbers.range", [1, 10**30]),
        ("numbers.range_step", [1, 1000, 2]),
        ("json.marshal", ["a" * 120]),
        ("json.marshal_with_options", [[1] * 60, {"pretty": True}]),
        ("yaml.marshal", ["a" * 120]),
        ("yaml.unmarshal", ["[" + "1," * 120 + "]"]),
        ("strings.render_template", ["{{range 60}}ab{{end}}", {}]),
        ("strings.render_template", ["{{range 101}}{{end}}", {}]),
        ("internal.template_string", [["a" * 60, "b" * 60]]),
        ("union", [RegoSet([RegoSet(range(60)), RegoSet(range(60, 120))])]),
        ("graph.reachable_paths", [{"a": [str(i) for i in range(120)]}, ["a"]]),
    ],
)
def test_results_are_bounded(name: str, args: list[Any], small_context: Context) -> None:
    with pytest.raises(BuiltinError, match="would exceed 100") as raised:
        declared()[name].function(small_context, *args)
    assert raised.value.halt


def exhausted(name: str, args: list[Any]) -> None:
    """Call a builtin with few steps to spend, and take all its answers."""
    answer = declared()[name].function(Context(steps=500), *args)
    if declared()[name].relation:
        list(answer)


def test_work_is_charged() -> None:
    graph = {str(i): [str((i + 1) % 900), str((i * 7) % 900)] for i in range(900)}
    calls: list[tuple[str, list[Any]]] = [
        ("graph.reachable", [graph, ["0"]]),
        ("graph.reachable_paths", [graph, ["0"]]),
        ("walk", [[[1] * 30] * 30]),
        ("json.patch", [[0] * 300, [{"op": "add", "path": "0", "value": 1}] * 9]),
        ("regex.find_n", ["a", "a" * 900, -1]),
        ("regex.split", ["a", "a" * 900]),
        ("object.subset", [[0] * 900, [1] * 20]),
        ("yaml.unmarshal", ["[" + "1," * 900 + "]"]),
    ]
    for name, args in calls:
        with pytest.raises(TimeoutError):
            exhausted(name, args)


def test_the_same_pattern_of_aliases_is_refused() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(8)
    )
    with pytest.raises(BuiltinError, match="excessive aliasing"):
        declared()["yaml.unmarshal"].function(Context(), bomb)


def test_parts_of_an_interpolated_string() -> None:
    interpolate = declared()["internal.template_string"].function
    parts = ["a", 1, LiteralFloat("1.50"), True, None, RegoSet(), RegoSet([{"k": [1]}]), "z"]
    assert interpolate(Context(), parts) == 'a11.50truenull<undefined>{"k": [1]}z'
    with pytest.raises(BuiltinError) as raised:
        interpolate(Context(), [RegoSet([1, 2])])
    assert raised.value.code == "eval_conflict_error"
