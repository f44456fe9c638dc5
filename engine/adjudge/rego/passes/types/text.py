"""References in, their text in messages out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from adjudge.rego.lexer import KEYWORDS
from adjudge.rego.passes.model import FunctionName, display_name
from adjudge.rego.passes.types.keys import key_term
from adjudge.rego.passes.types.model import PropertyKey
from adjudge.rego.runtime.text import go_quote, rego_text
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Body,
    Call,
    Expr,
    Object,
    ObjectCompr,
    Ref,
    Scalar,
    Set,
    SetCompr,
    SomeIn,
    Term,
    Var,
)

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPED: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_INFIX: Final = {
    "neq": "!=",
    "equal": "==",
    "lt": "<",
    "lte": "<=",
    "gt": ">",
    "gte": ">=",
    "plus": "+",
    "minus": "-",
    "mul": "*",
    "div": "/",
    "rem": "%",
    "and": "&",
    "or": "|",
}

Definition = Callable[[str], Term | None]
"""What a variable that the compiler made stands for."""


class TermText:
    """Writes terms; ``definition`` finds what variables made by the compiler stand for."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition

    def ref(self, head: Term, operands: Iterable[Term]) -> str:
        """``data.a["b c"][x]``."""
        return self.term(head) + "".join(map(self._operand, operands))

    def _operand(self, operand: Term) -> str:
        if isinstance(operand, Scalar) and isinstance(operand.value, str):
            name = operand.value
            if _NAME.fullmatch(name) and name not in KEYWORDS:
                return f".{name}"
            return f"[{go_quote(name)}]" if _ESCAPED.search(name) else f'["{name}"]'
        return f"[{self.term(operand)}]"

    def term(self, term: Term) -> str:
        """Any term, in one line."""
        match term:
            case Scalar(value=value):
                return rego_text(value)
            case Var(name=name):
                return self._variable(name)
            case FunctionName(name=name):
                return name
            case Ref(head=head, operands=operands):
                return self.ref(head, operands)
            case Array(items=items):
                return f"[{self._list(items)}]"
            case Set(items=items):
                return f"{{{self._list(items)}}}" if items else "set()"
            case Object(pairs=pairs):
                return f"{{{', '.join(f'{self.term(k)}: {self.term(v)}' for k, v in pairs)}}}"
            case Call(operator=operator, args=args):
                return f"{self.term(operator)}({self._list(args)})"
            case ArrayCompr(term=inner, body=body):
                return f"[{self._result(inner)} | {self._body(body)}]"
            case SetCompr(term=inner, body=body):
                return f"{{{self._result(inner)} | {self._body(body)}}}"
            case ObjectCompr(key=key, value=value, body=body):
                return f"{{{self._result(key)}: {self._result(value)} | {self._body(body)}}}"
        return "..."

    def _variable(self, name: str) -> str:
        if name.startswith("$"):
            meant = self.definition(name)
            return name if meant is None else self.term(meant)
        return display_name(name)

    def _list(self, terms: Iterable[Term]) -> str:
        return ", ".join(map(self.term, terms))

    def _result(self, term: Term) -> str:
        if isinstance(term, Call) and isinstance(term.operator, Var) and len(term.args) == 2:
            symbol = _INFIX.get(term.operator.name)
            if symbol is not None:
                return f"({self._result(term.args[0])} {symbol} {self._result(term.args[1])})"
        return self.term(term)

    def _body(self, body: Body) -> str:
        return "; ".join(map(self._expr, body))

    def _expr(self, expr: Expr) -> str:
        term = expr.term
        if isinstance(term, SomeIn):
            key = Var("_") if term.key is None else term.key
            text = f"{self.term(term.value)} = {self.ref(term.domain, (key,))}"
        elif isinstance(term, Call) and _is_equality(term):
            text = f"{self.term(term.args[0])} = {self.term(term.args[1])}"
        else:
            text = self.term(term)  # type: ignore[arg-type]
        return f"not {text}" if expr.negated else text


def _is_equality(call: Call) -> bool:
    name = call.operator.name if isinstance(call.operator, Var) else ""
    return name in ("eq", "assign", "equal") and len(call.args) == 2


def choices(keys: Iterable[PropertyKey]) -> str:
    """Keys as a list of choices."""
    return f"[{' '.join(map(key_term, keys))}]"
