"""Modules: tokens to a package, imports and rules, with every error that can be told."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Final

from adjudge.rego.errors import RegoParseError
from adjudge.rego.lexer import (
    ALL_KEYWORDS,
    FUTURE_KEYWORDS,
    KEYWORD_NAME,
    KEYWORDS_OF,
    LOGICAL_KEYWORDS,
    Tokens,
)
from adjudge.rego.parser.cursor import CODE, REFERS
from adjudge.rego.parser.rules import RuleParser
from adjudge.rego.parser.terms import value_name
from adjudge.rego.parser.walk import deeper_than
from adjudge.rego.syntax import Body, Head, Import, Ref, Rule, Scalar, Var

MAX_RESUMED: Final = 20
"""After how many statements that are wrong parsing stops."""

_ROOTS: Final = ("data", "future", "input", "rego")

_STATEMENT_STARTS: Final = frozenset({"ident", KEYWORD_NAME, *ALL_KEYWORDS})

_ASSIGNS: Final = frozenset({":=", "=", "(", " ("})

_IMPORTED: Final = frozenset({"not", *FUTURE_KEYWORDS, *LOGICAL_KEYWORDS})
"""The keywords of ``future.keywords``."""


class ModuleParser(RuleParser):
    """Parses a whole module.  The results are the attributes."""

    def __init__(self, tokens: Tokens, max_depth: int, rego_version: int) -> None:
        super().__init__(tokens, max_depth)
        self.rego_version = rego_version
        self.keywords = frozenset(KEYWORDS_OF[rego_version])
        self.templates = rego_version > 0
        self.not_bodies = self.logical = rego_version > 1
        self.errors: list[RegoParseError] = []
        self.v1_errors = []
        self.builtins = ()
        self.features: Container[str] = ("rego_v1",)
        self.future_keywords: Container[str] | None = None
        self.package: tuple[str, ...] = ()
        self.package_loc = tokens.locs[0]
        self.imports: list[Import] = []
        self.found: list[Rule] = []

    def module(self) -> None:
        """Parse everything; collect errors, going on at what looks like the next statement."""
        if self.kinds[0] == "eof":
            self.errors.append(self.error("empty module"))
            return
        headed = self.kinds[0] == "package" and not self.named_by_keyword()
        while self.kinds[self.i] != "eof" and len(self.errors) < MAX_RESUMED:
            self._guard(self._statement_here)
        if self.rego_version:
            self.errors += self.v1_errors
        if not headed and self.kinds[0] != "illegal":
            if self.errors and self.errors[0].location == self.locs[0]:
                del self.errors[0]
            hint = "a module begins with its package, such as `package policy.release`"
            self.errors.append(self.error("package expected", 0, hint))

    def query(self) -> Body:
        """The whole text as a query: one body."""
        if self.kinds[0] == "eof":
            raise self.error("empty query")
        found = []
        while self.kinds[self.i] != "eof":
            found.append(self.literal())
            if self.kinds[self.i] == ";":
                self.i += 1
                if self.kinds[self.i] == "eof":
                    raise self.unexpected()
        body = tuple(found)
        self._check_depth(Rule(Head(Var("query")), body), 0)
        return body

    # -- statements --------------------------------------------------------------------

    def _guard(self, statement: Callable[[], None]) -> None:
        """Parse one statement; after an error, go to where the next one seems to begin."""
        start = self.i
        self.links = 0
        try:
            statement()
        except RegoParseError as error:
            self.errors.append(error)
            self._recover(start)

    def _recover(self, start: int) -> None:
        """Go to the start of the line that failed, or of the next that begins a statement."""
        kinds, locs = self.kinds, self.locs
        self.i = max(self.i, start + 1)
        if self.i >= len(kinds):
            self.i = len(kinds) - 1
        at = self.i
        while at > start + 1 and at not in self.newlines:
            at -= 1
        while kinds[at] != "eof" and not (
            at in self.newlines and locs[at].col == 1 and (kinds[at] in _STATEMENT_STARTS)
        ):
            at += 1
        self.i = at

    def _statement_here(self) -> None:
        start = self.i
        kind = self.kinds[start]
        if kind == "default" and not self.named_by_keyword():
            self.found.append(self.default())
            return
        path_follows = kind in ("package", "import") and not self.named_by_keyword()
        if path_follows and self.kinds[start + 1] not in _ASSIGNS:
            if kind == "package":
                self._package()
                return
            self.imports.append(self._import())
            return
        rules = self.rules()
        self._check_depth(rules[0], start)
        self.found += rules

    def _check_depth(self, rule: Rule, start: int) -> None:
        """Refuse chains (``1 + 1 + …``, ``else`` …) that make the tree too deep to walk."""
        if self.links > self.max_depth and deeper_than(rule, 3 * self.max_depth):
            raise self.error("nested too deeply", start, "split the rule into several")

    def _path(self) -> tuple[Var, tuple[Scalar, ...]]:
        """``a.b["c"]`` after ``package`` or ``import``; keywords are names here."""
        kind = self.kinds[self.i]
        if kind != "ident" and kind != KEYWORD_NAME and kind not in ALL_KEYWORDS:
            raise self.unexpected()
        head = Var(self.texts[self.i], self.locs[self.i])
        self.i += 1
        path = self.reference(head)
        operands = path.operands if isinstance(path, Ref) else ()
        if not isinstance(path, (Var, Ref)) or (
            isinstance(path, Ref) and not isinstance(path.head, Var)
        ):
            raise self.error("expected path", self.i - 1)
        steps = []
        for operand in operands:
            if not isinstance(operand, Scalar) or not isinstance(operand.value, str):
                message = f"unexpected {value_name(operand)} token: expecting string"
                raise RegoParseError(CODE, message, location=operand.loc)
            steps.append(operand)
        return head, tuple(steps)

    def _package(self) -> None:
        start = self.i
        if self.package:
            raise self.error("unexpected package")
        self.i += 1
        head, steps = self._path()
        if self.kinds[self.i] == "-":
            raise self.unexpected()
        self.package_loc = self.locs[start]
        self.package = (head.name, *(str(step.value) for step in steps))

    # -- imports -----------------------------------------------------------------------

    def _import(self) -> Import:
        loc = self.locs[self.i]
        self.i += 1
        head, steps = self._path()
        if head.name not in _ROOTS:
            roots = ", ".join(_ROOTS)
            raise RegoParseError(
                CODE,
                f"unexpected import path, must begin with one of: {{{roots}}}, got: {head.name}",
                location=head.loc,
            )
        path = Ref(head, steps, head.loc) if steps else head
        alias, alias_at = None, self.i + 1
        if self.kinds[self.i] == "as" or (
            # Here it is no name, even with a dot after it.
            self.kinds[self.i] == KEYWORD_NAME and self.texts[self.i] == "as"
        ):
            self.i += 1
            alias = self._alias()
        elif self.kinds[self.i] == "-":
            raise self.unexpected()
        if head.name in ("future", "rego"):
            if alias:
                raise self.error(f"`{head.name}` imports cannot be aliased", alias_at)
            names = tuple(str(step.value) for step in steps)
            keywords = (
                self._future(names, head) if head.name == "future" else self._rego(names, head)
            )
            self._add_keywords(keywords)
        elif alias is None and steps and steps[-1].value in self.keywords:
            raise RegoParseError(
                CODE,
                f"unexpected import path, must not end with a keyword, got: {steps[-1].value}",
                location=steps[-1].loc,
                hint="import a different path or use an alias",
            )
        return Import(path, alias, loc)

    def _alias(self) -> str:
        name = self.texts[self.i]
        if self.kinds[self.i] != "ident":
            raise self.unexpected("expected var")
        if name in ("input", "data"):
            message = f"unexpected import alias, must not be a reserved name, got: {name}"
            raise self.error(message)
        self.i += 1
        if self.kinds[self.i] in REFERS:
            raise self.unexpected("expected var")
        return name

    def _future(self, names: tuple[str, ...], head: Var) -> frozenset[str]:
        """The keywords of ``import future.keywords`` and ``import future.keywords.in``."""
        if not names or names[0] != "keywords" or len(names) > 2:
            raise RegoParseError(
                CODE, "invalid import, must be `future.keywords`", location=head.loc
            )
        if len(names) == 1:
            return _IMPORTED
        word = names[1]
        granted = self.future_keywords
        usable = [w for w in _IMPORTED if granted is None or w in granted]
        if word not in usable:
            known = " ".join(sorted(usable))
            message = f"unexpected keyword, must be one of [{known}]"
            raise RegoParseError(CODE, message, location=head.loc)
        return frozenset({word, "in"}) if word == "every" else frozenset({word})

    def _rego(self, names: tuple[str, ...], head: Var) -> frozenset[str]:
        """The keywords of ``import rego.v1`` and ``import rego.v2``."""
        if names not in (("v1",), ("v2",)):
            path = ".".join(("rego", *names))
            message = f"invalid import `{path}`, must be one of: `rego.v1`, `rego.v2`"
            raise RegoParseError(CODE, message, location=head.loc)
        if "rego_v1" not in self.features and "rego_v1_import" not in self.features:
            path = ".".join(("rego", *names))
            message = f"invalid import, `{path}` is not supported by current capabilities"
            raise RegoParseError(CODE, message, location=head.loc)
        self.rego_version = max(self.rego_version, 1)
        return FUTURE_KEYWORDS if names == ("v1",) else _IMPORTED

    def _add_keywords(self, words: frozenset[str]) -> None:
        """Make words keywords from here on."""
        self.not_bodies = self.not_bodies or "not" in words
        self.logical = self.logical or not words.isdisjoint(LOGICAL_KEYWORDS)
        words = words - self.keywords
        if not words:
            return
        self.keywords |= words
        kinds, texts = self.kinds, self.texts
        for i in range(self.i, len(kinds)):
            if kinds[i] == "ident" and texts[i] in words:
                kinds[i] = KEYWORD_NAME if kinds[i + 1] == "." else texts[i]
