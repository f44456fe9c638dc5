"""The formatter: a syntax tree to Rego text, in the style of ``opa fmt``.

What is parsed from the text is the tree again (but for the order of imports, which are
sorted), and formatting the text changes nothing.  Comments stay where they were, as far
as lines allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from adjudge.rego.errors import RegoError
from adjudge.rego.format.conditions import ConditionFormatter, leading, leads_with_brace
from adjudge.rego.format.layout import Layout, layout_of
from adjudge.rego.format.terms import (
    Place,
    begins_with_union,
    is_name,
    leading_number,
    quoted,
)
from adjudge.rego.format.writer import Writer
from adjudge.rego.lexer import FUTURE_KEYWORDS, LOGICAL_KEYWORDS
from adjudge.rego.syntax import (
    Body,
    Every,
    Expr,
    Head,
    Import,
    Logical,
    Module,
    Not,
    Ref,
    Rule,
    Scalar,
    Set,
    SomeDecl,
    SomeIn,
    Term,
    Var,
    With,
)

__all__ = ["format_body", "format_module", "format_term"]


def format_module(module: Module) -> str:
    """The text of a module, ending in a line end.

    Line breaks follow ``module.source`` where that is the module's Rego text.
    Raises ``RegoError`` for a tree that is nested too deeply.
    """
    layout = layout_of(module)
    formatter = _Formatter(
        Writer(module.comments), layout, _keywords(module), module.rego_version > 0
    )
    try:
        formatter.module(module)
    except RecursionError:
        raise _too_deep() from None
    return formatter.out.text()


def format_term(term: Term) -> str:
    """The text of a term.  Raises ``RegoError`` for a tree that is nested too deeply."""
    formatter = _Formatter(Writer())
    try:
        formatter.term(term, "alone")
    except RecursionError:
        raise _too_deep() from None
    formatter.out.newline()
    return formatter.out.text().rstrip("\n")


def format_body(body: Body) -> str:
    """The text of a body, one expression a line.  Raises ``RegoError`` for a tree that
    is nested too deeply."""
    formatter = _Formatter(Writer())
    try:
        formatter.lines(body)
    except RecursionError:
        raise _too_deep() from None
    return formatter.out.text().rstrip("\n")


def _too_deep() -> RegoError:
    return RegoError("rego_format_error", "the tree is nested too deeply to be written")


def _keywords(module: Module) -> frozenset[str]:
    """The keywords that a module may use of those that are to be imported in some version."""
    words: set[str] = set()
    if module.rego_version:
        words |= FUTURE_KEYWORDS
    if module.rego_version > 1:
        words |= LOGICAL_KEYWORDS
    for item in module.imports:
        path = _path(item.path)
        if path[:2] == ("future", "keywords"):
            words |= {*path[2:3]} or FUTURE_KEYWORDS | LOGICAL_KEYWORDS
        elif path == ("rego", "v2"):
            words |= LOGICAL_KEYWORDS
    return frozenset(words)


def _wanted(imports: Sequence[Import]) -> list[Import]:
    """The imports without those that ``rego.v1`` or ``rego.v2`` cover."""
    paths = {_path(item.path) for item in imports}
    covered: set[tuple[str, ...]] = set()
    if ("rego", "v2") in paths:
        words = FUTURE_KEYWORDS | LOGICAL_KEYWORDS
        covered = {
            ("rego", "v1"),
            ("future", "keywords"),
            *(("future", "keywords", word) for word in words),
        }
    elif ("rego", "v1") in paths:
        covered = {("future", "keywords", word) for word in FUTURE_KEYWORDS}
    return [item for item in imports if _path(item.path) not in covered]


def _path(ref: Var | Ref) -> tuple[str, ...]:
    if isinstance(ref, Var):
        return (ref.name,)
    head = ref.head.name if isinstance(ref.head, Var) else ""
    return (head, *(str(o.value) for o in ref.operands if isinstance(o, Scalar)))


class _Formatter(ConditionFormatter):
    """Writes modules, rules and bodies."""

    def __init__(
        self,
        writer: Writer,
        layout: Layout | None = None,
        keywords: frozenset[str] = FUTURE_KEYWORDS,
        strict: bool = True,
    ) -> None:
        super().__init__(writer, layout)
        self.keywords = keywords
        self.reserved |= keywords
        # Whether `:=` is written for `=` in heads, as Rego v1 wants it.
        self.strict = strict
        # Whether the head of `p.q := 1` is written `p["q"]`: OPA does so in modules
        # that have no longer references in heads.
        self.short_heads = False

    # -- modules -----------------------------------------------------------------------

    def module(self, module: Module) -> None:
        """Write a whole module."""
        self.out.at(self.row(module.package_loc))
        self.out.write(f"package {self._package(module)}")
        self.out.newline()
        self.out.blank()
        if self.layout is not None:
            self.short_heads = not any(_has_long_ref(rule.head) for rule in module.rules)
        statements: list[Import | Rule] = [*_wanted(module.imports), *module.rules]
        if self.layout is not None:
            statements.sort(key=lambda statement: statement.loc[1:])
        for of_imports, run in groupby(statements, lambda s: isinstance(s, Import)):
            if of_imports:
                self._imports([item for item in run if isinstance(item, Import)])
            else:
                self._rules([rule for rule in run if isinstance(rule, Rule)])
        self.out.rest()

    def _package(self, module: Module) -> str:
        """The path of the package; keywords keep the brackets they have."""
        head, *steps = module.package
        index = self.layout.index(module.package_loc) if self.layout is not None else None
        at = (index or 0) + 2
        text = head
        for step in steps:
            bare = index is None or self.layout is None or self.layout.kinds[at] == "."
            at += 1 if bare else 3  # the lexer takes a dot and a name for one token
            named = is_name(step) and (bare or step not in self.reserved)
            text += f".{step}" if named else f"[{quoted(step)}]"
        return text

    def _imports(self, imports: list[Import]) -> None:
        """Write imports, sorted within the groups that blank lines or comments make."""
        groups: list[list[Import]] = []
        for item in imports:
            if groups and self.row(item.loc) - self.row(groups[-1][-1].loc) <= 1:
                groups[-1].append(item)
            else:
                groups.append([item])
        for group in groups:
            self.out.at(self.row(group[0].loc))
            beside = {id(item): self.out.beside(self.row(item.loc)) for item in group}
            for item in sorted(group, key=lambda item: (_path(item.path), item.alias or "")):
                self.out.write("import ")
                self.term(item.path)
                self.out.write(f" as {item.alias}" if item.alias else "")
                self.out.hold(beside[id(item)])
                self.out.newline()
            self.out.blank()

    def _rules(self, rules: list[Rule]) -> None:
        for i, rule in enumerate(rules):
            self.out.at(self.row(rule.loc))
            self._rule(rule)
            following = rules[i + 1] if i + 1 < len(rules) else None
            if following is None or not self._adjacent(rule, following):
                self.out.blank()

    def _adjacent(self, rule: Rule, following: Rule) -> bool:
        """Whether two rules of one line each stand below each other."""
        return (
            self.layout is not None
            and self._of_one_line(rule)
            and self._of_one_line(following)
            and following.loc.row == rule.loc.row + 1
        )

    def _of_one_line(self, rule: Rule) -> bool:
        partial = rule.head.key is not None and "contains" not in self.keywords
        return (
            "if" in self.keywords
            and not partial
            and not rule.default
            and rule.orelse is None
            and len(rule.body) < 2
            and not (rule.body and _is_set(rule.body[0]))
        )

    # -- rules -------------------------------------------------------------------------

    def _rule(self, rule: Rule) -> None:
        """Write a rule with its ``else`` clauses."""
        rule = self._plainly(rule)
        self.out.write("default " if rule.default else "")
        self._head(rule.head)
        braced = self._clause(rule, in_else=False)
        while rule.orelse is not None:
            rule = self._plainly(rule.orelse)
            braced = self._else(rule, after_brace=braced)
        self.out.newline()

    def _plainly(self, rule: Rule) -> Rule:
        """The same rule without a condition that is ``true`` and a value that goes without
        saying."""
        head, body = rule.head, rule.body
        if rule.default or not body:
            return rule
        # A value at a key that varies is part of an object, and told.
        fixed = isinstance(head.ref, Var) or (
            self.strict and all(isinstance(o, Scalar) for o in head.ref.operands)
        )
        only = body[0]
        always = len(body) == 1 and _is_true(only.term) and not (only.negated or only.withs)
        if rule.orelse is None and always:
            if head.value is None and head.key is None:
                head = replace(head, value=Scalar(True), assign=False)
            return replace(rule, head=head, body=())
        if _is_true(head.value) and head.key is None and fixed:
            return replace(rule, head=replace(head, value=None))
        return rule

    def _head(self, head: Head) -> None:
        if self.short_heads and _is_step(head.ref):
            name, step = _path(head.ref)
            self.out.write(f"{name}[{quoted(step)}]")
        else:
            self.term(head.ref)
        if head.args is not None:
            self._brackets("(", head.args, ")", None, "argument")
        if head.key is not None:
            if "contains" in self.keywords:
                self.out.write(" contains ")
                self.term(head.key)
            else:
                self.out.write("[")
                self.term(head.key)
                self.out.write("]")
        self._value(head)

    def _value(self, head: Head) -> None:
        if head.value is not None:
            self.out.write(" := " if head.assign or self.strict else " = ")
            self.term(head.value)

    def _clause(self, rule: Rule, *, in_else: bool) -> bool:
        """Write the body of a rule, from the space after the head on.

        Whether it ended in a brace.
        """
        body = rule.body
        if not body:
            return False
        with_if = "if" in self.keywords and (rule.head.key is None or "contains" in self.keywords)
        self.out.write(" if" if with_if else "")
        chained = in_else or rule.orelse is not None
        in_line = with_if and self._stays_in_line(body, chained=chained)
        if in_line and not (in_else and leads_with_brace(body[0])):
            self.out.write(" ")
            self.expr(body[0])
            return False
        self.out.write(" {")
        self.out.newline()
        self.out.level += 1
        first = leading(body[0])
        if with_if and not in_else and not first.negated and begins_with_union(first.term):
            # `{ a | b }` after `if` is a comprehension.
            self.united = first
        self.lines(body)
        self.out.at(rule.end_row if self.layout else 0)
        self.out.level -= 1
        self.out.write("}")
        return True

    def _stays_in_line(self, body: Body, *, chained: bool) -> bool:
        """Whether the body is one expression that goes on the line of the head."""
        if len(body) != 1 or _is_set(body[0]):
            return False
        if self.layout is None:
            return not chained and not self.too_long(lambda: self.expr(body[0]))
        before = self.layout.before(body[0].loc)
        while before is not None and self.layout.kinds[before] in ("{", "if", "else"):
            before -= 1
        return before is not None and self.layout.end_row(before) == body[0].loc.row

    def _else(self, orelse: Rule, *, after_brace: bool) -> bool:
        """Write an ``else``: beside the brace before it, or on a line of its own.

        Whether it ended in a brace.
        """
        row = self.row(orelse.loc)
        beside = self.layout is None or self.layout.end_before(orelse.loc) == row
        if beside and after_brace and not self.out.waits(row):
            self.out.write(" ")
        else:
            self.out.newline()
            self.out.blank()
        self.out.at(row)
        self.out.write("else")
        self._value(orelse.head)
        return self._clause(orelse, in_else=True)

    # -- bodies ------------------------------------------------------------------------

    def lines(self, body: Body) -> None:
        """Write expressions, one a line, with the blank lines between them."""
        for i, expr in enumerate(body):
            row = self.row(expr.loc)
            if i and self.layout is not None:
                if row > self.layout.end_before(expr.loc) + 1 or self.out.waits(row):
                    self.out.blank()
            self.out.at(row)
            above = len(self.out.lines)
            first = leading(expr)
            if i and not first.negated:
                self.guarded = leading_number(first.term)
            self.expr(expr)
            self.guarded = None
            self.out.newline()
            if i:
                self.out.set_apart(above)

    def expr(self, expr: Expr) -> None:
        """Write one expression, on the current line."""
        self.out.at(self.row(expr.loc))
        self.out.write("not " if expr.negated else "")
        term = expr.term
        match term:
            case SomeDecl():
                self._names(term)
            case SomeIn():
                self.out.write("some ")
                self._members(term.key, term.value, term.domain, "operand")
            case Every():
                self._every(term)
            case Not():
                self.negation(term)
            case Logical():
                self.logical(term)
            case _ if expr is self.united:
                self.with_united_start(term)
            case _:
                self.term(term, "alone")
        if expr.withs:
            self._withs(expr.withs)

    def _names(self, declared: SomeDecl) -> None:
        row = self.row(declared.loc)
        self.out.write("some")
        for i, name in enumerate(declared.names):
            self.out.write("," if i else "")
            broken = self.row(name.loc) > row
            if broken:
                self.out.newline()
                row = name.loc.row
            self.out.at(row)
            self.out.level += broken
            self.out.write(name.name if broken else f" {name.name}")
            self.out.level -= broken

    def _members(self, key: Term | None, value: Term, domain: Term, place: Place) -> None:
        if key is not None:
            self.term(key, "operand")
            self.out.write(", ")
        self.term(value, "operand")
        self.out.write(" in ")
        self.term(domain, place)

    def _every(self, every: Every) -> None:
        self.out.write("every ")
        self._members(every.key, every.value, every.domain, "domain")
        self.out.write(" {")
        closing = 0
        if self.layout is not None:
            opener = self.layout.before(every.body[0].loc)
            closing = self.layout.closed_in(opener) if opener is not None else 0
        broken = self.block(every.body, self.row(every.loc), closing)
        self.out.write("}" if broken else " }")

    def _withs(self, withs: tuple[With, ...]) -> None:
        """Write modifiers, on the rows the source has them on."""
        rows = [self.row(item.loc) for item in withs]
        last = self.layout.end_before(withs[0].loc) if self.layout else 0
        indented = False
        for item, row in zip(withs, rows, strict=True):
            if row > last and self.layout is not None:
                self.out.level += not indented
                indented = True
                self.out.newline()
                last = row
            else:
                self.out.write(" ")
            self.out.at(row)
            self.out.write("with ")
            self.term(item.target)
            self.out.write(" as ")
            self.term(item.value)
        self.out.level -= indented


def _has_long_ref(head: Head) -> bool:
    operands = head.ref.operands if isinstance(head.ref, Ref) else ()
    return len(operands) > 1 or (len(operands) == 1 and head.key is not None)


def _is_step(ref: Var | Ref) -> bool:
    """Whether a reference is a name and one string after it."""
    if isinstance(ref, Var) or len(ref.operands) != 1:
        return False
    operand = ref.operands[0]
    return isinstance(operand, Scalar) and isinstance(operand.value, str)


def _is_true(term: object) -> bool:
    return isinstance(term, Scalar) and term.value is True


def _is_set(expr: Expr) -> bool:
    return isinstance(expr.term, Set) and not expr.negated
