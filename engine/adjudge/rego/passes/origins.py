"""A variable in a body in, where its value comes from out, in words."""

from __future__ import annotations

from adjudge.rego.passes.constants import values_of
from adjudge.rego.passes.model import Clause, Compilation, display_name
from adjudge.rego.passes.types.text import TermText
from adjudge.rego.syntax import Array, Call, Object, Ref, Scalar, Set, SomeIn, Term, Var, walk

MAX_MEMBERS = 5
"""Of a longer collection only the size is told."""

_KINDS = {str: "string", bool: "boolean", type(None): "null"}


class Origins:
    """What the expressions ahead of one place in a clause say of its variables."""

    def __init__(self, comp: Compilation, clause: Clause, at: int, text: TermText) -> None:
        self.comp = comp
        self.clause = clause
        self.text = text
        self.bindings: dict[str, Term] = {}
        self.outputs: dict[str, str] = {}
        for expr in clause.body[:at]:
            if not expr.negated and not expr.withs:
                self._read(expr.term)

    def _read(self, term: object) -> None:
        if isinstance(term, SomeIn) and isinstance(term.value, Var):
            key = Var("$key") if term.key is None else term.key
            domain = term.domain
            ref = Ref(domain, (key,))
            if isinstance(domain, Ref):
                ref = Ref(domain.head, (*domain.operands, key))
            self.bindings.setdefault(term.value.name, ref)
        elif isinstance(term, Call) and isinstance(term.operator, Var):
            name = term.operator.name
            if name in ("eq", "assign") and len(term.args) == 2:
                for left, right in (term.args, term.args[::-1]):
                    if isinstance(left, Var):
                        self.bindings.setdefault(left.name, right)
                return
            decl = self.comp.capabilities.builtins.get(name)
            last = term.args[-1] if term.args else None
            if decl and len(term.args) == decl.arity + 1 and isinstance(last, Var):
                self.outputs[last.name] = name

    def note(self, term: Term, wanted: Term, rule: str) -> str | None:
        """A remark in parentheses on what a term of a reference may be, or nothing.

        None when it can not be ``wanted`` as far as is known.
        """
        if isinstance(term, Ref) and isinstance(term.head, Var) and term.head.name == "data":
            return " (rule values aren't known at compile time)"
        if not isinstance(term, Var):
            return ""
        found = self._origin(term, wanted, rule)
        return f" ({display_name(term.name)} {found})" if found else found

    def _origin(self, var: Var, wanted: Term, rule: str) -> str | None:
        shown: Term = var
        for _ in range(len(self.clause.body) + 1):
            if not isinstance(shown, Var):
                break
            if shown.name in self.outputs:
                return self._computed(self.outputs[shown.name], wanted)
            if shown.name not in self.bindings:
                return self._of_head(shown, rule)
            shown = self.bindings[shown.name]
        return self._read_from(shown, wanted) if isinstance(shown, Ref) else ""

    def _computed(self, builtin: str, wanted: Term) -> str | None:
        decl = self.comp.capabilities.builtins[builtin]
        result = str((decl.result or {}).get("type"))
        value = wanted.value if isinstance(wanted, Scalar) else None
        kind = _KINDS.get(type(value), "number")
        if result in ("string", "number", "boolean", "null", "array", "set", "object"):
            if result != kind:
                return None
        return f"is computed by {builtin}"

    def _of_head(self, var: Var, rule: str) -> str:
        clause = self.clause
        names = [n.name for n in walk((clause.tail, clause.key)) if isinstance(n, Var)]
        if var.name in names:
            return f"is a key of {rule}"
        if var in clause.args:
            return f"is an argument of {rule}"
        return ""

    def _read_from(self, ref: Ref, wanted: Term) -> str | None:
        head = ref.head
        if isinstance(head, Var) and head.name in ("input", "data"):
            keys = []
            for operand in ref.operands:
                if not isinstance(operand, Scalar):
                    break
                keys.append(operand)
            shown = self.text.ref(head, keys)
            if head.name == "input":
                return f"comes from {shown}"
            return f"comes from rule {shown}, whose value isn't known at compile time"
        if len(ref.operands) == 1 and not isinstance(ref.operands[0], Scalar):
            return self._one_of(head, wanted)
        return ""

    def _one_of(self, collection: Term, wanted: Term) -> str | None:
        for _ in range(len(self.bindings) + 1):
            if not isinstance(collection, Var):
                break
            if collection.name not in self.bindings:
                return ""
            collection = self.bindings[collection.name]
        if not isinstance(collection, Array | Set | Object) or not values_of(collection, {}):
            return ""
        members: list[Term] = (
            [v for _, v in collection.pairs]
            if isinstance(collection, Object)
            else list(collection.items)
        )
        if wanted not in members:
            return None
        if len(members) > MAX_MEMBERS:
            return f"is one of {len(members)} values"
        return f"is one of {self.text.term(collection)}"
