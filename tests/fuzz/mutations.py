"""A random source in, module texts out: shipped and generated policies, mutated, and texts made
of tokens."""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path

from tests.differential.generate import case

ROOT = Path(__file__).resolve().parents[2]

_TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`]*`|#[^\n]*|\w+|:=|[<>!=]=|\s+|.', re.DOTALL)

PIECES = [
    *("{", "}", "[", "]", "(", ")", '$"{', "}", '"', "$`", "`", "\\", "#", "\n", "\n", "$", ";"),
    *("|", ",", ":", ":=", "=", "==", "!=", "<", ">=", "-", "+", "*", "/", "%", "&", ".", "!"),
    *("1", "0", "-0", "1e5", "1e999999", "1e-9", "0x1", "01", ".5", "1.50", "9" * 60),
    *(
        '"s"',
        '"\\u0000"',
        '"\\ud800"',
        '"\\x"',
        "`r\\`",
        '"%d"',
        "\ud800",
        "\0",
        "\u00e9",
        "\ufeff",
    ),
    *(
        "null",
        "true",
        "false",
        "set()",
        "{}",
        "[]",
        "_",
        "x",
        "y",
        "x",
        "p",
        "q",
        "f",
        "__local0__",
    ),
    *("p if", "p contains", "not", "some", "every", "in", "with", "as", "else", "default", "if"),
    *("import", "package", "rego.v1", "future.keywords", "future.keywords.not", "data.d"),
    *("data", "data.t.p", "input.a", "input.a[_]", "rego", "import rego.v1\n", "else := 1 if"),
    *(
        "[x | x := ",
        "{x | some x in ",
        "{x: y | some x, y in ",
        "f(",
        "count(",
        "sprintf(",
        "walk(",
    ),
    *("json.marshal(", "regex.match(", "numbers.range(", "concat(", "strings.repeat(", "print("),
    *("time.now_ns()", "object.get(", "rego.metadata.rule()", "rego.metadata.chain()", "union("),
    *("# METADATA\n", "# title: x\n", "# scope: document\n", "# schemas:\n", "# - input: {}\n"),
    *("p[x] := y if", "p.q[x].r contains", "f(x) := x if", 'f([x, y], {"a": z}) := z'),
    *("some x in input.a\n", "every x in input.a { x }\n", "with input as ", "with data.t.p as "),
    *("lambda", "None", "__import__", "class", "self", "c", "import os\n", "def", "and", "or"),
]


@cache
def seeds() -> tuple[str, ...]:
    """Module texts to begin with."""
    shipped = sorted((ROOT / "policies").rglob("*.rego"))
    own = sorted((ROOT / "benchmarks" / "policies").rglob("*.rego"))
    return tuple(path.read_text(encoding="utf-8") for path in [*shipped, *own])


@cache
def _tokens(number: int) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(seeds()[number]))


@cache
def _vocabulary() -> tuple[str, ...]:
    return tuple({t for n in range(len(seeds())) for t in _tokens(n) if not t.isspace()})


def module(rng: random.Random) -> bytes:
    """One module text, with the byte of flags before it."""
    flags = rng.choice((0, 0, 0, 2, 1))
    text = _from_tokens(rng) if rng.random() < 0.4 else _mutated(rng)
    data = text.encode(errors="surrogatepass")
    if rng.random() < 0.05 and data:
        at = rng.randrange(len(data))
        data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    return bytes([flags]) + data


def _from_tokens(rng: random.Random) -> str:
    lines = [
        " ".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 14)))
        for _ in range(rng.randrange(1, 6))
    ]
    return "package t\n\n" + "\n".join(lines)


def _mutated(rng: random.Random) -> str:
    """Some paragraphs of a seed or of a generated module, changed in a few places, mostly so
    that they stay readable."""
    if rng.random() < 0.5:
        text = rng.choice(sorted(case(rng).modules.values()))
    else:
        text = seeds()[rng.randrange(len(seeds()))]
    head, *paragraphs = text.split("\n\n")
    count = rng.randrange(1, 6)
    start = rng.randrange(len(paragraphs))
    imports = [each for each in paragraphs if each.startswith("import")]
    chosen = paragraphs[start : start + count]
    tokens = _TOKEN.findall("\n\n".join([head, *imports, *chosen]))
    change = _replace_alike if rng.random() < 0.75 else _break
    for _ in range(rng.randrange(1, 6)):
        change(rng, tokens)
    return "".join(tokens)


def _class(token: str) -> str:
    """What kind of token it is: one of a kind may stand for another."""
    if token[0] in '"`':
        return "string"
    if token.isdigit():
        return "number"
    if token in _KEYWORDS or token in _BRACKETS:
        return token
    return "name" if token[0].isalpha() else "operator" if token in _OPERATORS else token[0]


_KEYWORDS = frozenset(
    {
        *("if", "contains", "some", "every", "in", "with", "as", "not", "else", "default"),
        *("import", "package", "null", "true", "false"),
    }
)
_BRACKETS = frozenset("{}[]()")
_OPERATORS = frozenset(("==", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "%", "|", "&", "="))


@cache
def _alike(kind: str) -> tuple[str, ...]:
    own = {
        "string": (
            '""',
            '"\\u0000"',
            '"%d %s"',
            "`\\d+(a|b)*`",
            '"/a/0"',
            '"2020-01-01T00:00:00Z"',
        ),
        "number": ("0", "1", "1e5", "-3", "0.1", "9" * 40, "1e300", "18446744073709551616"),
        "name": ("input", "data", "_", "count", "walk", "sum", "sprintf", "x", "lambda", "p", "f"),
        "operator": tuple(sorted(_OPERATORS)),
    }.get(kind, ())
    return (*own, *sorted(t for t in _vocabulary() if _class(t) == kind)) or (kind,)


def _replace_alike(rng: random.Random, tokens: list[str]) -> None:
    """Put another token of its kind in the place of one, or drop, double or move a line."""
    if rng.random() < 0.7:
        at = rng.randrange(len(tokens))
        if not tokens[at].isspace():
            tokens[at] = rng.choice(_alike(_class(tokens[at])))
        return
    lines = "".join(tokens).split("\n")
    at = rng.randrange(len(lines))
    line = lines.pop(at) if rng.random() < 0.5 else lines[at]
    if rng.random() < 0.7:
        lines.insert(rng.randrange(len(lines) + 1), line)
    tokens[:] = _TOKEN.findall("\n".join(lines)) or [" "]


def _break(rng: random.Random, tokens: list[str]) -> None:
    """Change one place in any way."""
    at = rng.randrange(len(tokens) + 1)
    kind = rng.randrange(7)
    span = rng.randrange(1, 12)
    if kind == 0:
        del tokens[at : at + span]
    elif kind == 1:
        tokens[at:at] = [rng.choice(PIECES), " "]
    elif kind == 2:
        tokens[at : at + 1] = [rng.choice(_vocabulary())]
    elif kind == 3:
        tokens[at:at] = tokens[at : at + span] * rng.choice((1, 1, 2, 3, 300))
    elif kind == 4:
        other = _tokens(rng.randrange(len(seeds())))
        start = rng.randrange(len(other))
        tokens[at:at] = other[start : start + span * 3]
    elif kind == 5 and at < len(tokens) and tokens[at]:
        text = tokens[at]
        cut = rng.randrange(len(text))
        tokens[at] = text[:cut] + rng.choice("\\\"`'{}[]#\n\0\ud800%1e.") + text[cut + 1 :]
    elif len(tokens) > 2:
        first, second = rng.randrange(len(tokens)), rng.randrange(len(tokens))
        tokens[first], tokens[second] = tokens[second], tokens[first]
