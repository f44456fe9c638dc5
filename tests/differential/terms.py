"""A random source in, documents, terms and statements out, over known rules and variables."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

KINDS = ("number", "string", "boolean", "array", "set", "object")
COLLECTIONS = ("array", "set", "object")


@dataclass
class Known:
    """A rule that may be used: how it is written, what it is, and of functions the arguments."""

    ref: str
    kind: str
    args: tuple[str, ...] | None = None
    element: str = "any"


@dataclass
class Scope:
    """The variables of a body by kind, and how deep bodies are nested."""

    variables: list[tuple[str, str]] = field(default_factory=list)
    depth: int = 0

    def inner(self) -> Scope:
        """The scope of a nested body."""
        return Scope(list(self.variables), self.depth + 1)


# -- documents -----------------------------------------------------------------------------

STRINGS = ("", "a", "b", "ab", "c", "A b", "é", "x/y", "10", '"', "%", "{", "a\nb")
NUMBERS = (0, 1, 2, 3, -1, 10, 0.5, 2.25, 1.1, -0.1, 10**20, 2**63, 0.3, 7)
RARE_NUMBERS = (123456.75, 0.0625, 2**64 + 1, -(10**30), 0.1234567890123, 99999.5, 10**25)


class Documents:
    """Makes documents of the shape that the generated rules expect, mostly."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def scalar(self) -> Any:
        """Any scalar."""
        if self.rng.random() < 0.05:
            return self.rng.choice(RARE_NUMBERS)
        return self.rng.choice((*STRINGS, *NUMBERS, None, True, False))

    def anything(self, depth: int = 0) -> Any:
        """Any JSON value."""
        if depth > 2 or self.rng.random() < 0.6:
            return self.scalar()
        size = self.rng.randrange(4)
        if self.rng.random() < 0.5:
            return [self.anything(depth + 1) for _ in range(size)]
        return {self.rng.choice(STRINGS): self.anything(depth + 1) for _ in range(size)}

    def _several(self, make: Callable[[], Any]) -> list[Any]:
        return [make() for _ in range(self.rng.randrange(5))]

    def _number(self) -> Any:
        return self.rng.choice(NUMBERS)

    def _string(self) -> str:
        return self.rng.choice(STRINGS)

    def _user(self) -> dict[str, Any]:
        user = {
            "name": self._string(),
            "age": self._number(),
            "tags": self._several(self._string),
            "on": self.rng.random() < 0.5,
        }
        return {k: v for k, v in user.items() if self.rng.random() < 0.9}

    def main(self) -> dict[str, Any]:
        """The input, or what stands below ``data.conf``."""
        whole = {
            "n": self._number(),
            "m": self._number(),
            "s": self._string(),
            "w": self._string(),
            "flag": self.rng.random() < 0.5,
            "xs": self._several(self._number),
            "names": self._several(self._string),
            "mixed": self._several(self.anything),
            "pair": [self.scalar(), self.scalar()],
            "users": self._several(self._user),
            "obj": {self._string(): self._number() for _ in range(self.rng.randrange(4))},
            "deep": {k: {"v": self._number(), "ws": self._several(self._string)} for k in "ab"},
        }
        for key in list(whole):
            roll = self.rng.random()
            if roll < 0.06:
                del whole[key]
            elif roll < 0.1:
                whole[key] = self.anything()
        return whole


DOCUMENT_REFS = {
    "number": ("n", "m", "obj.a", "users[0].age", "deep.a.v", "xs[0]", "xs[1]"),
    "string": ("s", "w", "users[0].name", "names[0]", "deep.b.ws[0]", "names[1]"),
    "boolean": ("flag", "users[0].on", "users[1].on"),
    "array": ("xs", "names", "mixed", "pair", "users", "deep.a.ws", "users[0].tags"),
    "object": ("obj", "deep", "users[0]", "deep.a"),
    "set": (),
}
ITERATED = (
    ("xs", "number"),
    ("names", "string"),
    ("mixed", "any"),
    ("users", "object"),
    ("obj", "number"),
    ("deep", "object"),
)


ANY_OF = {
    "array": ("input.xs", "input.names", "[x | some x in input.mixed]", "data.conf.deep.a.ws"),
    "object": ("input.obj", "input.deep.a", "{k: v | some k, v in input.users}"),
    "set": ("{x | some x in input.xs}", "{x | some x in data.conf.names}", "{input.n, input.s}"),
}

_NAME = re.compile(r"\b[u-z]\d+\b")


def _names(text: str) -> set[str]:
    return set(_NAME.findall(text))


def without_unused(text: str) -> str:
    """A rule with ``_`` for every variable that stands in it once: OPA's server is strict."""
    counts = Counter(_NAME.findall(text))
    return _NAME.sub(lambda m: "_" if counts[m[0]] == 1 else m[0], text)


class Terms:
    """Terms and statements over known rules and a scope of variables."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.documents = Documents(rng)
        self.known: list[Known] = []
        self.counter = 0

    def chance(self, probability: float) -> bool:
        """Whether something of that probability happens."""
        return self.rng.random() < probability

    def fresh(self) -> str:
        """A variable's name, new in this case."""
        self.counter += 1
        return f"{self.rng.choice('xyzuvw')}{self.counter}"

    # -- terms -------------------------------------------------------------------------

    def term(self, kind: str, s: Scope, size: int = 2) -> str:
        """A term that probably has a value of the kind."""
        if kind == "any":
            kind = self.rng.choice(KINDS)
        if self.chance(0.02):
            kind = self.rng.choice(KINDS)
        roll = self.rng.random()
        fitting = [name for name, k in s.variables if k in (kind, "any")]
        if fitting and roll < 0.4:
            return self.rng.choice(fitting)
        rules = [r for r in self.known if r.kind == kind and (size > 0 or r.args is None)]
        if rules and roll < 0.6:
            return self.rule_use(self.rng.choice(rules), s, size)
        if size <= 0 or roll < 0.75:
            return self.leaf(kind, s)
        made: str = getattr(self, f"_{kind}")(s, size - 1)
        return made

    def leaf(self, kind: str, s: Scope) -> str:
        """A literal, or a reference to a document."""
        refs = DOCUMENT_REFS[kind]
        if refs and self.chance(0.6):
            root = self.rng.choice(("input", "input", "data.conf"))
            ref = self.rng.choice(refs)
            return f"{root}.{ref}" if self.chance(0.9) else f'{root}["{ref}"]'
        return self.literal(kind)

    def literal(self, kind: str) -> str:
        """A literal of a kind."""
        rng = self.rng
        if kind == "number":
            return str(rng.choice(NUMBERS))
        if kind == "string":
            return _quoted(rng.choice(STRINGS))
        if kind == "boolean":
            return rng.choice(("true", "false"))
        items = [
            self.literal(rng.choice(("number", "string", "boolean")))
            if self.chance(0.8)
            else "null"
            for _ in range(rng.randrange(4))
        ]
        if kind == "array":
            return f"[{', '.join(items)}]"
        if kind == "set":
            return f"{{{', '.join(items)}}}" if items else "set()"
        keys = [_quoted(each) for each in rng.sample(STRINGS, len(items))]
        if items and self.chance(0.15):
            keys[0] = rng.choice(("1", "true", "[1]", "null", "1.5", "{2}"))
        return "{" + ", ".join(f"{k}: {v}" for k, v in zip(keys, items, strict=True)) + "}"

    def rule_use(self, rule: Known, s: Scope, size: int) -> str:
        """A reference to a rule, or a call of a function."""
        if rule.args is None:
            return rule.ref
        return f"{rule.ref}({', '.join(self.term(k, s, size - 1) for k in rule.args)})"

    def _number(self, s: Scope, n: int) -> str:
        roll = self.rng.randrange(9)
        if roll < 4:
            op = self.rng.choice("+-*/%" if self.chance(0.5) else "+-*")
            return f"({self.term('number', s, n)} {op} {self.term('number', s, n)})"
        if roll == 4:
            return f"count({self.term(self.rng.choice((*COLLECTIONS, 'string')), s, n)})"
        if roll == 5:
            f = self.rng.choice(("sum", "max", "min", "product"))
            return f"{f}([{', '.join(self.term('number', s, 0) for _ in range(3))}])"
        if roll == 6:
            text = self.rng.choice(('"10"', '"7"', "true", "null", '"a"'))
            return f"to_number({text})"
        if roll == 7:
            return f"indexof({self.term('string', s, n)}, {self.term('string', s, 0)})"
        return f"abs({self.term('number', s, n)})"

    def _string(self, s: Scope, n: int) -> str:
        one = self.term("string", s, n)
        two = self.term("string", s, n)
        return self.rng.choice(
            (
                lambda: f"lower({one})",
                lambda: f"upper({one})",
                lambda: f'concat("-", [{one}, {two}])',
                lambda: f"concat({one}, {self.leaf('array', s)})",
                lambda: f'sprintf("%v:%v", [{one}, {self.term("any", s, n)}])',
                lambda: f'replace({one}, "a", {two})',
                lambda: f"substring({one}, {self.rng.randrange(3)}, {self.rng.randrange(-1, 3)})",
                lambda: f"trim_prefix({one}, {two})",
                lambda: f"trim_suffix({one}, {two})",
                lambda: f"strings.reverse({one})",
                lambda: f"type_name({self.term('any', s, n)})",
                lambda: f"json.marshal({self.term('any', s, n)})",
                lambda: f"format_int({self.term('number', s, n)}, {self.rng.choice((2, 10, 16))})",
                lambda: f'$"<{{{self._plain(s)}}}|{{{self._plain(s)}}}>"',
            )
        )()

    def _plain(self, s: Scope) -> str:
        """A term for a template: of one line, without quotes in it."""
        term = self.term(self.rng.choice(("number", "string", "boolean")), s, 0)
        return "input.n" if '"' in term or "\n" in term else term

    def _boolean(self, s: Scope, n: int) -> str:
        roll = self.rng.randrange(6)
        if roll < 2:
            return f"({self.comparison(s, n)})"
        if roll == 2:
            f = self.rng.choice(("startswith", "endswith", "contains"))
            return f"{f}({self.term('string', s, n)}, {self.term('string', s, n)})"
        if roll == 3:
            return f"is_{self.rng.choice(KINDS)}({self.term('any', s, n)})"
        collection = self.term(self.rng.choice(COLLECTIONS), s, n)
        if roll == 4:
            return f"({self._member(s)} in {collection})"
        return f"({self._member(s)}, {self._member(s)} in {collection})"

    def _member(self, s: Scope) -> str:
        """Something to look for in a collection; mostly nothing is known of its type."""
        if self.chance(0.8):
            return self.rng.choice(("input.n", "input.s", "data.conf.m", "input.xs", "input.w"))
        return self.term("any", s, 0)

    def comparison(self, s: Scope, n: int) -> str:
        """``a < b`` and its like."""
        op = self.rng.choice(("==", "==", "!=", "<", "<=", ">", ">="))
        kind = self.rng.choice((*KINDS, "number", "number", "string"))
        left = self.term(kind, s, n)
        if kind in COLLECTIONS and self.chance(0.9):
            # What is known of two literals may make them incomparable; of documents nothing is.
            right = self.rng.choice(ANY_OF[kind])
        else:
            right = self.term(kind if self.chance(0.98) else "any", s, n)
        return f"{left} {op} {right}"

    def _array(self, s: Scope, n: int) -> str:
        roll = self.rng.randrange(7)
        if roll < 2:
            return f"[{', '.join(self.term('any', s, n) for _ in range(self.rng.randrange(4)))}]"
        if roll < 4 and s.depth < 3:
            inner = s.inner()
            body = self.body(inner, self.rng.randrange(1, 3), iterate=True)
            return f"[{self.term('any', inner, n)} | {'; '.join(body)}]"
        if roll == 4:
            return f"array.concat({self.term('array', s, n)}, {self.term('array', s, n)})"
        if roll == 5:
            low = self.rng.randrange(-1, 3)
            return f"array.slice({self.term('array', s, n)}, {low}, {self.rng.randrange(4)})"
        return self.rng.choice(
            (
                lambda: f"sort({self.term(self.rng.choice(('array', 'set')), s, n)})",
                lambda: f"split({self.term('string', s, n)}, {self.term('string', s, 0)})",
                lambda: f"numbers.range({self.rng.randrange(-2, 3)}, {self.rng.randrange(4)})",
                lambda: f"array.reverse({self.term('array', s, n)})",
            )
        )()

    def _set(self, s: Scope, n: int) -> str:
        roll = self.rng.randrange(6)
        if roll == 0:
            return (
                f"{{{', '.join(self.term('any', s, n) for _ in range(self.rng.randrange(1, 4)))}}}"
            )
        if roll < 3 and s.depth < 3:
            inner = s.inner()
            body = self.body(inner, self.rng.randrange(1, 3), iterate=True)
            return f"{{{self.term('any', inner, n)} | {'; '.join(body)}}}"
        if roll == 3:
            return f"object.keys({self.term('object', s, n)})"
        if roll == 4:
            f = self.rng.choice(("union", "intersection"))
            return f"{f}({{{self.term('set', s, n)}, {self.term('set', s, n)}}})"
        return f"({self.term('set', s, n)} {self.rng.choice('|&-')} {self.term('set', s, n)})"

    def _object(self, s: Scope, n: int) -> str:
        roll = self.rng.randrange(6)
        if roll < 2:
            keys = self.rng.sample(("a", "b", "c"), self.rng.randrange(1, 3))
            pairs = [f'"{key}": {self.term("any", s, n)}' for key in keys]
            if self.chance(0.2):
                pairs = [f"{self.term('any', s, 0)}: {self.term('any', s, n)}"]
            return "{" + ", ".join(pairs) + "}"
        if roll < 4 and s.depth < 3:
            inner = s.inner()
            k, v = self.fresh(), self.fresh()
            domain = self.term(self.rng.choice(("array", "object")), s, n)
            inner.variables += [(k, "any"), (v, "any")]
            body = [f"some {k}, {v} in {domain}", *self.body(inner, self.rng.randrange(2))]
            value = v if self.chance(0.5) else self.term("any", inner, n)
            return f"{{{k}: {value} | {'; '.join(body)}}}"
        if roll == 4:
            return f"object.union({self.term('object', s, n)}, {self.term('object', s, n)})"
        f = self.rng.choice(("remove", "filter"))
        return f"object.{f}({self.term('object', s, n)}, {self.leaf('array', s)})"

    # -- statements --------------------------------------------------------------------

    def body(self, s: Scope, count: int, iterate: bool = False) -> list[str]:
        """Statements; the variables they bind are added to the scope."""
        statements = [self._some(s)] if iterate else []
        statements += [self.statement(s) for _ in range(count)]
        if len(statements) > 1 and self.chance(0.15):  # the order is the compiler's business
            at = self.rng.randrange(len(statements))
            declared = [x for x in statements if x.startswith("some ") or ":=" in x]
            known = _names(" ".join(declared))
            # OPA wants some variables in the body of an `every` to be known before it.
            if not statements[at].startswith("every ") and not _names(statements[at]) & known:
                statements.insert(0, statements.pop(at))
        return statements

    def statement(self, s: Scope) -> str:
        """One statement."""
        before = Scope(list(s.variables), s.depth)
        roll = self.rng.random()
        if roll < 0.2:
            text = self._assign(s)
        elif roll < 0.35:
            text = self._some(s)
        elif roll < 0.45:
            text = self._reference(s)
        elif roll < 0.52:
            text = self._unify(s)
        elif roll < 0.58 and s.depth < 3:
            text = self._every(s)
        elif roll < 0.7:
            text = "not " + self._test(s.inner())
            if text == "not true":  # OPA takes such a body for an empty one
                text = "not input.flag"
        else:
            text = self._test(s)
        return self._with(text, before) if self.chance(0.1) else text

    def _test(self, s: Scope) -> str:
        roll = self.rng.random()
        if roll < 0.5:
            return self.comparison(s, 1)
        if roll < 0.75:
            return self.term("boolean", s, 2)
        if roll < 0.85:
            return f"{self._member(s)} in {self.term(self.rng.choice(COLLECTIONS), s, 1)}"
        collections = [r for r in self.known if r.kind in COLLECTIONS and r.args is None]
        if collections and roll < 0.95:
            return f"{self.rng.choice(collections).ref}[{self._member(s)}]"
        return self.term("any", s, 1)

    def _assign(self, s: Scope) -> str:
        kind = self.rng.choice(KINDS)
        term = self.term(kind, s, 2)
        name = self.fresh()
        s.variables.append((name, kind))
        return f"{name} {':=' if self.chance(0.8) else '='} {term}"

    def _domain(self, s: Scope) -> tuple[str, str]:
        """A collection and the kind of its elements."""
        if self.chance(0.6):
            name, element = self.rng.choice(ITERATED)
            return f"{self.rng.choice(('input', 'input', 'data.conf'))}.{name}", element
        domain = self.term(self.rng.choice(COLLECTIONS), s, 1)
        return ("input.mixed" if domain in ("[]", "{}", "set()") else domain), "any"

    def _some(self, s: Scope) -> str:
        domain, element = self._domain(s)
        name = self.fresh()
        roll = self.rng.random()
        if roll < 0.6:
            s.variables.append((name, element))
            return f"some {name} in {domain}"
        other = self.fresh()
        if roll < 0.9:
            s.variables += [(name, "any"), (other, element)]
            return f"some {name}, {other} in {domain}"
        s.variables += [(name, "any"), (other, "any")]
        pattern = self.rng.choice((f"[{name}, {other}]", f'{{"name": {name}, "age": {other}}}'))
        return f"some {pattern} in {domain}"

    def _reference(self, s: Scope) -> str:
        """A reference that binds the variables in it."""
        domain, element = self._domain(s)
        if not domain[0].isalpha() or "(" in domain or " " in domain:
            domain, element = "input.users", "object"
        i, v = self.fresh(), self.fresh()
        roll = self.rng.random()
        if roll < 0.3:
            text = f"{v} := {domain}[_]"
        elif roll < 0.6:
            text = f"{v} = {domain}[{i}]"
            s.variables.append((i, "any"))
        elif roll < 0.75:
            text = f"walk({domain}, [{i}, {v}])"
            s.variables.append((i, "array"))
            element = "any"
        elif roll < 0.9:
            text = f"{domain}[{i}] == {self.term(element, s, 1)}"
            s.variables.append((i, "any"))
            return text
        else:
            text = f"{v} = input.users[{i}].tags[_]"
            s.variables.append((i, "number"))
            element = "string"
        s.variables.append((v, element))
        return text

    def _unify(self, s: Scope) -> str:
        a, b = self.fresh(), self.fresh()
        roll = self.rng.randrange(6)
        text = (
            f"[{a}, {b}] = input.pair",
            f"[{a}, {self.term('any', s, 1)}] = [{self.term('any', s, 1)}, {b}]",
            f'{{"v": {a}, "ws": {b}}} = input.deep[_]',
            f"[{a}, {b}] := [{self.term('any', s, 1)}, {self.term('any', s, 1)}]",
            f"{self.term('array', s, 1)} = [{a}, {b}]",
            f'[{{"k": {a}}}, {b}] = [{{"k": {self.term("any", s, 1)}}}, {self.leaf("number", s)}]',
        )[roll]
        s.variables += [(a, "any"), (b, "any")]
        return text

    def _every(self, s: Scope) -> str:
        inner = s.inner()
        domain, element = self._domain(s)
        name = self.fresh()
        head = name
        if self.chance(0.3):
            key = self.fresh()
            inner.variables.append((key, "any"))
            head = f"{key}, {name}"
        inner.variables.append((name, element))
        body = self.body(inner, self.rng.randrange(1, 3))
        return f"every {head} in {domain} {{ {'; '.join(body)} }}"

    def _with(self, text: str, s: Scope) -> str:
        if text.startswith("some "):
            return text
        for _ in range(self.rng.randrange(1, 3)):
            text += f" with {self._replacement(s, text.startswith('every '))}"
        return text

    def _replacement(self, s: Scope, every: bool) -> str:
        roll = self.rng.random()
        root = "input" if roll < 0.4 else "data.conf"
        if roll < 0.1:
            return f"input as {self.term('object', s, 1)}"
        if roll < 0.6:
            name, kind = self.rng.choice((("n", "number"), ("s", "string"), ("xs", "array")))
            return f"{root}.{name} as {self.term(kind, s, 1)}"
        if every:  # OPA does not take functions here
            return f"input.n as {self.term('number', s, 1)}"
        functions = [r for r in self.known if r.args is not None]
        values = [r for r in self.known if r.args is None and "[" not in r.ref]
        if roll < 0.8 and values:
            rule = self.rng.choice(values)
            return f"{rule.ref} as {self.term(rule.kind, s, 1)}"
        if functions and roll < 0.95:
            rule = self.rng.choice(functions)
            same = [r.ref for r in functions if len(r.args or ()) == len(rule.args or ())]
            value = self.rng.choice(same) if self.chance(0.5) else self.term(rule.kind, s, 0)
            return f"{rule.ref} as {value}"
        return f"{self.rng.choice(('count', 'lower', 'abs'))} as {self.leaf('number', s)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
