"""Reads templates of Go's ``text/template``: consumes tokens, produces trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from adjudge.rego.builtins.template_tokens import (
    TemplateError,
    Token,
    number_of,
    tokens,
    unquoted,
)
from adjudge.rego.runtime.text import go_quote

FUNCTIONS: Final = frozenset(
    (
        *("and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice"),
        *("print", "printf", "println", "html", "js", "urlquery", "call"),
    )
)
_MAX_DEPTH: Final = 60


# -- the tree ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dot:
    """``.``"""

    at: int

    def __str__(self) -> str:
        return "."


@dataclass(frozen=True, slots=True)
class Nil:
    """``nil``"""

    at: int

    def __str__(self) -> str:
        return "nil"


@dataclass(frozen=True, slots=True)
class Constant:
    """A boolean, number or string; ``text`` is how it was written."""

    at: int
    text: str
    value: Any

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Field:
    """``.a.b``"""

    at: int
    names: tuple[str, ...]

    def __str__(self) -> str:
        return "".join("." + name for name in self.names)


@dataclass(frozen=True, slots=True)
class Variable:
    """``$x.a.b``; the name includes the dollar sign."""

    at: int
    name: str
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join((self.name, *self.fields))


@dataclass(frozen=True, slots=True)
class Function:
    """The name of a function."""

    at: int
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Chain:
    """``(pipeline).a.b``"""

    at: int
    node: Operand
    fields: tuple[str, ...]

    def __str__(self) -> str:
        inner = f"({self.node})" if isinstance(self.node, Pipe) else str(self.node)
        return ".".join((inner, *self.fields))


@dataclass(frozen=True, slots=True)
class Command:
    """Operands, of which the first may be a function."""

    at: int
    args: tuple[Operand, ...]

    def __str__(self) -> str:
        return " ".join(f"({a})" if isinstance(a, Pipe) else str(a) for a in self.args)


@dataclass(frozen=True, slots=True)
class Pipe:
    """Commands, each of which is given what the one before made, and the variables to set."""

    at: int
    variables: tuple[str, ...]
    assigns: bool
    commands: tuple[Command, ...]

    def __str__(self) -> str:
        text = " | ".join(map(str, self.commands))
        if not self.variables:
            return text
        return f"{', '.join(self.variables)} {'=' if self.assigns else ':='} {text}"


Operand = Dot | Nil | Constant | Field | Variable | Function | Chain | Pipe


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text."""

    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """A pipeline whose value is printed, unless it sets variables."""

    pipe: Pipe


@dataclass(frozen=True, slots=True)
class Branch:
    """``if``, ``with`` or ``range``."""

    kind: str
    at: int
    pipe: Pipe
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...] | None


@dataclass(frozen=True, slots=True)
class Include:
    """``{{template "name" pipeline}}``"""

    at: int
    name: str
    pipe: Pipe | None

    def __str__(self) -> str:
        pipe = "" if self.pipe is None else f" {self.pipe}"
        return f"{{{{template {go_quote(self.name)}{pipe}}}}}"


@dataclass(frozen=True, slots=True)
class Jump:
    """``break`` or ``continue``."""

    kind: str


Node = Text | Action | Branch | Include | Jump


# -- the parser ----------------------------------------------------------------------------


class Parser:
    """Reads one text; ``templates`` are the trees by name."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.tokens = list(tokens(text))
        self.place = 0
        self.variables = ["$"]
        self.ranges = 0
        self.depth = 0
        self.action_line = 0
        self.templates: dict[str, tuple[Node, ...]] = {}

    def parse(self) -> dict[str, tuple[Node, ...]]:
        """All templates of the text, itself included."""
        nodes: list[Node] = []
        while self._peek().kind != "eof":
            if self._peek().kind == "left" and self._after_left().kind == "define":
                self._definition()
                continue
            node = self._text_or_action()
            if isinstance(node, str):
                raise self._error(f"unexpected {{{{{node}}}}}")
            nodes.append(node)
        self._add(self.name, tuple(nodes))
        return self.templates

    def _error(self, message: str) -> TemplateError:
        line = self.tokens[min(self.place, len(self.tokens) - 1)].line
        return TemplateError(f"template: {self.name}:{line}: {message}")

    def _unexpected(self, token: Token, context: str) -> TemplateError:
        if token.kind != "error":
            return self._error(f"unexpected {token.shown()} in {context}")
        extra = ""
        if self.action_line and self.action_line != token.line:
            extra = f" in action started at {self.name}:{self.action_line}"
            if token.text.endswith(" action"):
                extra = extra.removeprefix(" in action")
        return self._error(token.text + extra)

    def _add(self, name: str, nodes: tuple[Node, ...]) -> None:
        def empty(tree: tuple[Node, ...]) -> bool:
            return all(isinstance(n, Text) and not n.text.strip() for n in tree)

        known = self.templates.get(name)
        if known is None or empty(known):
            self.templates[name] = nodes
        elif not empty(nodes):
            raise self._error(f"template: multiple definition of template {go_quote(name)}")

    def _peek(self) -> Token:
        return self.tokens[self.place]

    def _skip_space(self) -> Token:
        while self._peek().kind == "space":
            self.place += 1
        return self._peek()

    def _next(self) -> Token:
        """The next token that is no space, and past it."""
        token = self._skip_space()
        if token.kind not in ("eof", "error"):
            self.place += 1
        return token

    def _expect(self, kinds: tuple[str, ...], context: str) -> Token:
        token = self._next()
        if token.kind not in kinds:
            raise self._unexpected(token, context)
        return token

    def _after_left(self) -> Token:
        place = self.place + 1
        while self.tokens[place].kind == "space":
            place += 1
        return self.tokens[place]

    def _definition(self) -> None:
        self.place += 1
        self._next()
        name = self._string(self._expect(("string", "raw"), "define clause"))
        self._expect(("right",), "define clause")
        self._add(name, self._separate("define clause"))

    def _separate(self, context: str) -> tuple[Node, ...]:
        """The body of a definition, which sees no variables from around it."""
        kept = self.variables, self.ranges
        self.variables, self.ranges = ["$"], 0
        nodes, end = self._items()
        self.variables, self.ranges = kept
        if end != "end":
            raise self._error(f"unexpected {{{{{end}}}}} in {context}")
        return nodes

    def _string(self, token: Token) -> str:
        try:
            return unquoted(token.text)
        except TemplateError as error:
            raise self._error(str(error)) from None

    def _items(self) -> tuple[tuple[Node, ...], str]:
        """Nodes up to ``{{end}}`` or ``{{else}}``, and which of them it was."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self._error("max expression depth exceeded")
        nodes: list[Node] = []
        while self._skip_space().kind != "eof":
            node = self._text_or_action()
            if isinstance(node, str):
                self.depth -= 1
                return tuple(nodes), node
            nodes.append(node)
        raise self._error("unexpected EOF")

    def _text_or_action(self) -> Node | str:
        """A node, or ``end`` or ``else``."""
        token = self._next()
        if token.kind == "text":
            return Text(token.text)
        if token.kind != "left":
            raise self._unexpected(token, "input")
        self.action_line = token.line
        node = self._action()
        self.action_line = 0
        return node

    def _action(self) -> Node | str:
        token = self._skip_space()
        kind = token.kind
        if kind in ("if", "with", "range"):
            self.place += 1
            return self._branch(kind)
        if kind in ("break", "continue"):
            self.place += 1
            self._expect(("right",), f"{{{{{kind}}}}}")
            if not self.ranges:
                raise self._error(f"{{{{{kind}}}}} outside {{{{range}}}}")
            return Jump(kind)
        if kind == "end":
            self.place += 1
            self._expect(("right",), "end")
            return "end"
        if kind == "else":
            self.place += 1
            if self._skip_space().kind not in ("if", "with"):
                self._expect(("right",), "else")
            return "else"
        if kind in ("template", "block"):
            self.place += 1
            return self._include(kind)
        return Action(self._pipeline("command", "right"))

    def _branch(self, kind: str) -> Branch:
        declared = len(self.variables)
        pipe = self._pipeline(kind, "right")
        self.ranges += kind == "range"
        body, end = self._items()
        self.ranges -= kind == "range"
        otherwise: tuple[Node, ...] | None = None
        if end == "else":
            if kind != "range" and self._peek().kind == kind:
                self.place += 1
                self.depth += 1
                if self.depth > _MAX_DEPTH:
                    raise self._error("max expression depth exceeded")
                otherwise = (self._branch(kind),)
                self.depth -= 1
            else:
                otherwise, end = self._items()
                if end != "end":
                    raise self._error(f"expected end; found {{{{{end}}}}}")
        del self.variables[declared:]
        return Branch(kind, pipe.at, pipe, body, otherwise)

    def _include(self, kind: str) -> Include:
        context = f"{kind} clause"
        token = self._expect(("string", "raw"), context)
        name = self._string(token)
        pipe = None
        if kind == "block" or self._skip_space().kind != "right":
            pipe = self._pipeline(context, "right")
        else:
            self.place += 1
        if kind == "block":
            self._add(name, self._separate(context))
        return Include(token.at, name, pipe)

    def _pipeline(self, context: str, end: str) -> Pipe:
        at = self._skip_space().at
        names, assigns = self._declarations(context)
        commands: list[Command] = []
        while True:
            token = self._skip_space()
            if token.kind == end:
                self.place += 1
                break
            commands.append(self._command(context))
        if not commands:
            raise self._error(f"missing value for {context}")
        for stage, command in enumerate(commands[1:], 2):
            if isinstance(command.args[0], Constant | Dot | Nil):
                raise self._error(f"non executable command in pipeline stage {stage}")
        return Pipe(at, names, assigns, tuple(commands))

    def _declarations(self, context: str) -> tuple[tuple[str, ...], bool]:
        """The variables that a pipeline sets, and whether they exist already."""
        names: list[str] = []
        while self._peek().kind == "variable":
            start, name = self.place, self._next().text
            token = self._skip_space()
            if token.kind in ("assign", "declare"):
                self.place += 1
                names.append(name)
                self.variables.append(name)
                return tuple(names), token.kind == "assign"
            if token.text != ",":
                self.place = start
                break
            self.place += 1
            names.append(name)
            self.variables.append(name)
            if context != "range" or len(names) > 1:
                raise self._error(f"too many declarations in {context}")
            if self._skip_space().kind not in ("variable", "right", "close"):
                raise self._error("range can only initialize variables")
        return tuple(names), False

    def _command(self, context: str) -> Command:
        at = self._peek().at
        args: list[Operand] = []
        while True:
            operand = self._operand()
            if operand is not None:
                args.append(operand)
            elif not args:
                raise self._unexpected(self._peek(), context)
            token = self._peek()
            if token.kind == "space":
                if self._skip_space().kind in ("right", "close"):
                    break
                if self._peek().kind == "pipe":
                    self.place += 1
                    break
                continue
            if token.kind == "pipe":
                self.place += 1
            elif token.kind not in ("right", "close"):
                raise self._unexpected(token, "operand")
            break
        return Command(at, tuple(args))

    def _operand(self) -> Operand | None:
        node = self._term()
        if node is None or self._peek().kind != "field":
            return node
        at, fields = self._peek().at, []
        while self._peek().kind == "field":
            fields.append(self._next().text[1:])
        if isinstance(node, Field):
            return Field(at, (*node.names, *fields))
        if isinstance(node, Variable):
            return Variable(at, node.name, (*node.fields, *fields))
        if isinstance(node, Constant | Nil | Dot):
            raise self._error(f"unexpected . after term {go_quote(str(node))}")
        return Chain(at, node, tuple(fields))

    def _term(self) -> Operand | None:
        token = self._skip_space()
        kind, text, at = token.kind, token.text, token.at
        if kind == "open":
            return self._parenthesized()
        if kind == "word":
            if text not in FUNCTIONS:
                raise self._error(f"function {go_quote(text)} not defined")
            node: Operand = Function(at, text)
        elif kind == "dot":
            node = Dot(at)
        elif kind == "nil":
            node = Nil(at)
        elif kind == "field":
            node = Field(at, (text[1:],))
        elif kind == "variable":
            if text not in self.variables:
                raise self._error(f"undefined variable {go_quote(text)}")
            node = Variable(at, text)
        elif kind == "bool":
            node = Constant(at, text, text == "true")
        elif kind == "number":
            node = Constant(at, text, number_of(text)[0])
        elif kind in ("string", "raw"):
            node = Constant(at, text, self._string(token))
        elif kind == "char":
            char = self._string(token)
            if len(char) != 1:
                raise self._error(f"malformed character constant: {text}")
            node = Constant(at, text, ord(char))
        else:
            return None
        self.place += 1
        return node

    def _parenthesized(self) -> Pipe:
        self.place += 1
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self._error("max expression depth exceeded")
        pipe = self._pipeline("parenthesized pipeline", "close")
        self.depth -= 1
        return pipe
