"""A random source in, cases out: a few modules with the documents they are asked about.

Most of what is generated compiles and means something: terms have a kind in mind, and rules
call only rules before them.  Some does not, on purpose: what is no program has to be none
for everybody.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from tests.differential.terms import KINDS, Known, Scope, Terms, without_unused


@dataclass(frozen=True)
class Case:
    """Modules by file name, documents, and the paths below ``data`` that are asked for."""

    modules: dict[str, str]
    input: Any
    data: Any
    paths: tuple[tuple[str, ...], ...]
    strict: bool = False


def case(rng: random.Random) -> Case:
    """One case."""
    return _Generator(rng).case()


class _Generator(Terms):
    """Rules, modules and cases."""

    def case(self) -> Case:
        modules: dict[str, str] = {}
        packages = ["lib", "t", "t.sub"] if self.chance(0.3) else ["t"]
        paths: list[tuple[str, ...]] = []
        for number, package in enumerate(packages):
            text = ""
            for known in self.known:  # rules of other packages go by their whole path
                if not known.ref.startswith("data."):
                    known.ref = f"data.{packages[number - 1]}.{known.ref}"
            for n in range(self.rng.randrange(2, 8)):
                rule, path = self._rule(f"r{number}{n}")
                text += (without_unused(rule) if self.chance(0.97) else rule) + "\n\n"
                if path:
                    paths.append((*package.split("."), *path))
            head = f"package {package}\n\n"
            if "data.lib." in text and self.chance(0.5):
                head += "import data.lib\n\n"
                text = text.replace("data.lib.", "lib.")
            modules[f"{package.replace('.', '_')}.rego"] = head + text
        document = ... if self.chance(0.03) else self.documents.main()
        data = {"conf": self.documents.main()}
        return Case(modules, document, data, tuple(paths), self.chance(0.1))

    def _rule(self, name: str) -> tuple[str, tuple[str, ...]]:
        """A rule with all its clauses, and the path to ask for (of functions none)."""
        shape = self.rng.choice(
            ("value", "value", "boolean", "set", "set", "object", "function", "function", "ref")
        )
        made: tuple[str, Known] = getattr(self, f"_rule_{shape}")(name)
        text, known = made
        self.known.append(known)
        return text, () if known.args is not None else (name,)

    def _braced(self, body: list[str]) -> str:
        return "{\n" + "".join(f"    {line}\n" for line in body) + "}"

    def _if(self, s: Scope, low: int = 0, high: int = 3, iterate: bool = False) -> str:
        body = self.body(s, self.rng.randrange(low, high + 1), iterate)
        return f" if {self._braced(body)}" if body else ""

    def _rule_value(self, name: str) -> tuple[str, Known]:
        kind = self.rng.choice(KINDS)
        s = Scope()
        body = self._if(s, 0, 2)
        text = f"{name} {self.rng.choice((':=', ':=', '='))} {self.term(kind, s, 2)}{body}"
        if body and self.chance(0.35):
            for _ in range(self.rng.randrange(1, 3)):
                s = Scope()
                body = self._if(s, 1, 2)
                text += f" else := {self.term(kind, s, 1)}{body}"
        if self.chance(0.3):
            text = f"default {name} := {self.literal(kind)}\n\n{text}"
        return text, Known(name, kind)

    def _rule_boolean(self, name: str) -> tuple[str, Known]:
        clauses = [f"{name}{self._if(Scope(), 1, 3)}" for _ in range(self.rng.randrange(1, 4))]
        if self.chance(0.5):
            clauses.insert(0, f"default {name} := false")
        return "\n\n".join(clauses), Known(name, "boolean")

    def _rule_set(self, name: str) -> tuple[str, Known]:
        clauses = []
        for _ in range(self.rng.randrange(1, 4)):
            s = Scope()
            body = self._if(s, 0, 3, iterate=self.chance(0.7))
            clauses.append(f"{name} contains {self.term('any', s, 2)}{body}")
        return "\n\n".join(clauses), Known(name, "set")

    def _rule_object(self, name: str) -> tuple[str, Known]:
        s = Scope()
        k, v = self.fresh(), self.fresh()
        domain, element = self._domain(s)
        s.variables += [(k, "any"), (v, element)]
        body = [f"some {k}, {v} in {domain}", *self.body(s, self.rng.randrange(2))]
        key = k if self.chance(0.8) else self.term("any", s, 1)
        value = self.term("any", s, 2)
        text = f"{name}[{key}] := {value} if {self._braced(body)}"
        if self.chance(0.2):
            text += f'\n\n{name}["extra"] := {self.term("any", Scope(), 1)}'
        return text, Known(name, "object")

    def _rule_function(self, name: str) -> tuple[str, Known]:
        kinds = tuple(self.rng.choice(KINDS) for _ in range(self.rng.randrange(1, 3)))
        kind = self.rng.choice(KINDS)
        clauses = []
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            s = Scope()
            args = [self._argument(each, s) for each in kinds]
            value = self.literal(kind) if self.chance(0.3) else ""
            body = self._if(s, 0, 2)
            text = f"{name}({', '.join(args)}) := {value or self.term(kind, s, 2)}{body}"
            if body and self.chance(0.3):
                inner = Scope([v for v in s.variables if v[0] in args])
                more = self._if(inner, 0, 2)
                text += f" else := {self.term(kind, inner, 1)}{more}"
            clauses.append(text)
        if self.chance(0.3):
            args = [self.fresh() for _ in kinds]
            clauses.insert(0, f"default {name}({', '.join(args)}) := {self.literal(kind)}")
        return "\n\n".join(clauses), Known(name, kind, kinds)

    def _argument(self, kind: str, s: Scope) -> str:
        roll = self.rng.random()
        if roll < 0.1:
            return self.literal(self.rng.choice(("number", "string", "boolean")))
        name, other = self.fresh(), self.fresh()
        if roll < 0.2 and kind == "array":
            s.variables += [(name, "any"), (other, "any")]
            return f"[{name}, {other}]"
        if roll < 0.25:
            return "_"
        s.variables.append((name, kind))
        return name

    def _rule_ref(self, name: str) -> tuple[str, Known]:
        """A rule whose head is a longer reference."""
        s = Scope()
        x, y = self.fresh(), self.fresh()
        shape = self.rng.randrange(5)
        if shape == 0:
            one = f"{name}.a.b := {self.term('any', s, 1)}{self._if(Scope(), 0, 2)}"
            return f"{one}\n\n{name}.c := {self.term('any', Scope(), 1)}", Known(name, "object")
        s.variables += [(x, "any"), (y, "any")]
        body = [
            f"some {x}, {y} in {self._domain(Scope())[0]}",
            *self.body(s, self.rng.randrange(2)),
        ]
        value = self.term("any", s, 1)
        head = (
            f"{name}[{x}].v := {value}",
            f"{name}.of[{x}] contains {value}",
            f'{name}[{x}]["k"][{self.term("string", s, 0)}] := {y}',
            f"{name}.p[{x}] := {value}",
        )[shape - 1]
        text = f"{head} if {self._braced(body)}"
        if shape == 1 and self.chance(0.4):
            text += f"\n\n{name}[{x}].w := {y} if some {x}, {y} in input.obj"
        return text, Known(name, "object")
