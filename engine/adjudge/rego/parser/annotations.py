"""Comments to annotations: METADATA blocks, what they mean, and the rules they belong to.

The meaning of a block, the scope it has without saying so, and the rules it is attached
to are OPA's (its documentation, "Annotations").
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from operator import itemgetter
from typing import Any, Final

from adjudge.rego.errors import RegoParseError
from adjudge.rego.parser.cursor import CODE
from adjudge.rego.parser.metadata import MetadataError, read_yaml
from adjudge.rego.syntax import Annotations, Comment, Ref, Rule, Scalar, Term, Var

_SCOPES: Final = ("rule", "document", "package", "subpackages")

_TRUE: Final = (True, "y", "Y", "yes", "Yes", "YES", "on", "On", "ON")
_FALSE: Final = (False, None, "n", "N", "no", "No", "NO", "off", "Off", "OFF")

_MAX_ERRORS: Final = 20

_MAX_ABOVE: Final = 100
"""How many blocks may be about one rule; without a bound, rules times blocks are kept."""

_HINT: Final = "put the METADATA block right above the rule or the package it is about"

ParseTerm = Callable[[str], Term | None]
"""Parses a term, None where the text is not one."""


class _Invalid(Exception):
    """A block says something that it cannot say."""


def read_blocks(
    comments: Iterable[Comment], parse_term: ParseTerm
) -> tuple[list[Annotations], list[RegoParseError]]:
    """The METADATA blocks among the comments, and what is wrong with them.

    The scope is empty where the block says none.
    """
    found, errors = [], []
    for block in _blocks(comments):
        try:
            found.append(_annotations(block, parse_term))
        except RegoParseError as error:
            errors.append(error)
            if len(errors) == _MAX_ERRORS:
                break
    return found, errors


def _blocks(comments: Iterable[Comment]) -> list[list[Comment]]:
    """Runs of comments, each beginning with one that says METADATA."""
    blocks: list[list[Comment]] = []
    current: list[Comment] | None = None
    for comment in comments:
        if comment.loc.col == 1 and comment.text.strip().startswith("METADATA"):
            current = [comment]
            blocks.append(current)
        elif current is not None:
            if comment.loc.col == 1 and comment.loc.row == current[-1].loc.row + 1:
                current.append(comment)
            else:
                current = None
    return blocks


def _annotations(block: list[Comment], parse_term: ParseTerm) -> Annotations:
    loc = block[0].loc
    lines = [comment.text.removeprefix(" ") for comment in block[1:]]
    if not any(line.strip() for line in lines):
        raise RegoParseError(
            CODE,
            "expected METADATA block, found whitespace",
            location=loc,
            hint="write YAML in the comment lines right below, such as `# title: …`",
        )
    try:
        raw = read_yaml("\n".join(lines) + "\n")
        if raw is not None and not isinstance(raw, dict):
            raise MetadataError("expected a mapping of fields", 0)
    except MetadataError as error:
        culprit = block[min(error.line + 1, len(block) - 1)]
        where = f"line {error.shown}: " if error.shown else ""
        raise RegoParseError(
            CODE,
            f"yaml: {where}{error.message}",
            location=culprit.loc,
            hint=_colon_hint(block[1:]),
        ) from None
    try:
        fields = _fields(raw or {}, parse_term)
    except _Invalid as error:
        raise RegoParseError(CODE, str(error), location=loc) from None
    return Annotations(fields, fields.pop("scope"), loc, block[-1].loc.row)


def _colon_hint(comments: list[Comment]) -> str | None:
    """The hint that a colon is followed by a space that is none for YAML."""
    for comment in comments:
        for after in comment.text.split(":")[1:]:
            if after[:1].isspace() and after[0] not in " \t":
                return f"on line {comment.loc.row}, {after[0]!a} after `:` is no YAML space"
    return None


# -- fields ----------------------------------------------------------------------------


def _fields(raw: dict[str, Any], parse_term: ParseTerm) -> dict[str, Any]:
    """The fields that OPA knows, in the form its ``rego.metadata`` built-ins give them."""
    fields: dict[str, Any] = {"scope": _text(raw, "scope")}
    for name in ("title", "description"):
        fields[name] = _text(raw, name)
    entrypoint = raw.get("entrypoint")
    if entrypoint not in (*_TRUE, *_FALSE) or entrypoint.__class__ in (int, float):
        raise _Invalid("`entrypoint` must be true or false")
    fields["entrypoint"] = entrypoint in _TRUE
    fields["organizations"] = [
        _string(item, "organizations") for item in _list(raw, "organizations")
    ]
    fields["related_resources"] = [_resource(item) for item in _list(raw, "related_resources")]
    fields["authors"] = [_author(item) for item in _list(raw, "authors")]
    fields["schemas"] = [_schema(item, parse_term) for item in _list(raw, "schemas")]
    for name in ("custom", "labels"):
        value = raw.get(name)
        if value is not None and not isinstance(value, dict):
            raise _Invalid(f"`{name}` must be a mapping")
        fields[name] = value
    return {name: value for name, value in fields.items() if value or name == "scope"}


def _string(value: Any, name: str) -> str:
    if isinstance(value, (list, dict)):
        raise _Invalid(f"`{name}` must be text")
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(raw: dict[str, Any], name: str) -> str:
    return _string(raw.get(name), name)


def _list(raw: dict[str, Any], name: str) -> list[Any]:
    value = raw.get(name)
    if value is not None and not isinstance(value, list):
        raise _Invalid(f"`{name}` must be a list")
    return value or []


def _resource(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        if not value:
            raise _Invalid("invalid related-resource definition: ref URL may not be empty string")
        return {"ref": value}
    if not isinstance(value, dict):
        raise _Invalid(
            "invalid related-resource definition: invalid value type, must be string or map"
        )
    ref, description = _stripped(value, "ref"), _stripped(value, "description")
    if not ref:
        raise _Invalid("invalid related-resource definition: 'ref' value required in object")
    return {"ref": ref, "description": description} if description else {"ref": ref}


def _author(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        words = value.split()
        if not words:
            raise _Invalid("invalid author definition: author is an empty string")
        last = words[-1]
        email = ""
        if last.startswith("<") and last.endswith(">"):
            email = last[1:-1]
            words.pop()
        author = {"name": " ".join(words), "email": email}
    elif isinstance(value, dict):
        author = {"name": _stripped(value, "name"), "email": _stripped(value, "email")}
        if not any(author.values()):
            raise _Invalid(
                "invalid author definition: 'name' and/or 'email' values required in object"
            )
    else:
        raise _Invalid("invalid author definition: invalid value type, must be string or map")
    return {name: text for name, text in author.items() if text}


def _stripped(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    return text.strip() if isinstance(text, str) else ""


def _schema(value: Any, parse_term: ParseTerm) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) != 1:
        raise _Invalid("`schemas` must be a list of mappings of one path to its schema")
    ((path, schema),) = value.items()
    steps = _steps(parse_term(path))
    if steps is None or (len(steps) == 1 and steps[0] not in ("input", "data")):
        raise _Invalid("invalid document reference")
    if isinstance(schema, dict):
        return {"path": steps, "definition": schema}
    if not isinstance(schema, str):
        raise _Invalid(f'invalid schema declaration for path "{path}"')
    name = _steps(parse_term(schema))
    if name is None or name[0] != "schema":
        raise _Invalid("invalid schema reference")
    return {"path": steps, "schema": name}


def _steps(term: Term | None) -> list[str] | None:
    """The names in a reference; None if it is not one of names only."""
    if isinstance(term, Var):
        return [term.name]
    if not isinstance(term, Ref) or not isinstance(term.head, Var):
        return None
    steps = [term.head.name]
    for operand in term.operands:
        if not isinstance(operand, Scalar) or not isinstance(operand.value, str):
            return None
        steps.append(operand.value)
    return steps


# -- attachment ------------------------------------------------------------------------


class Attachment:
    """Annotations with their scopes, and the rules with the annotations that apply to them.

    ``statements`` are the rows of the package and the imports with what they are.
    ``annotations``, ``rules`` and ``errors`` are the results.
    """

    def __init__(
        self,
        annotations: Iterable[Annotations],
        package: tuple[str, ...],
        statements: Iterable[tuple[int, str]],
        rules: Iterable[Rule],
    ) -> None:
        self.package = package
        self.rules = list(rules)
        below: list[tuple[int, str, int]] = [(row, what, 0) for row, what in statements]
        below += [(rule.loc.row, "rule", i) for i, rule in enumerate(self.rules)]
        self._below = sorted(below, key=itemgetter(0))
        self.errors: list[RegoParseError] = []
        self.annotations: list[Annotations] = []
        # Indexes of the annotations of rules, by path: those of the document; those of
        # one rule that are still to come; and those above that no rule has taken.
        self._document: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._coming: dict[tuple[str, ...], deque[int]] = defaultdict(deque)
        self._above: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for annotation in annotations:
            self._place(annotation)
        if self.annotations and not self.errors:
            self.rules = [self._annotated(rule) for rule in self.rules]

    def _place(self, annotation: Annotations) -> None:
        """Give an annotation its scope, and remember the rule it is about."""
        at = bisect_right(self._below, annotation.loc.row, key=itemgetter(0))
        what, index = self._below[at][1:] if at < len(self._below) else ("", 0)
        entrypoint = "entrypoint" in annotation.fields
        scope = annotation.scope
        if not scope:
            scope = {"rule": "document" if entrypoint else "rule"}.get(what, what)
        wanted = {"rule": "rule", "document": "rule"}.get(scope, "package")
        have = f" (have {what})" if what else ""
        message = None
        if scope not in _SCOPES:
            last, *others = reversed(_SCOPES)
            names = ", ".join(f"'{name}'" for name in reversed(others))
            message = f"invalid annotation scope '{scope}'. Use one of {names}, or '{last}'"
        elif what != wanted:
            message = f"annotation scope '{scope}' must be applied to {wanted}{have}"
        elif entrypoint and scope not in ("document", "package"):
            message = f"annotation entrypoint applied to non-document or package scope '{scope}'"
        if message:
            error = RegoParseError(CODE, message, location=annotation.loc, hint=_HINT)
            self.errors.append(error)
            return
        if what == "rule":
            path = rule_path(self.package, self.rules[index])
            if scope == "document":
                self._document[path].append(len(self.annotations))
            else:
                self._coming[path].append(len(self.annotations))
        fields = {"scope": scope, **annotation.fields}
        self.annotations.append(Annotations(fields, scope, annotation.loc, annotation.end_row))

    def _annotated(self, rule: Rule) -> Rule:
        """The rule with its annotations, in the module's order.

        Those of the document are for every rule of the path.  Of those above the rule
        for one rule, the last is its own: later rules of the path do not have it.
        """
        path = rule_path(self.package, rule)
        coming, above = self._coming[path], self._above[path]
        while coming and self.annotations[coming[0]].loc.row < rule.loc.row:
            above.append(coming.popleft())
        indexes = sorted((*self._document[path], *above))
        if len(indexes) > _MAX_ABOVE:
            message = f"more than {_MAX_ABOVE} METADATA blocks are about this rule"
            self.errors.append(RegoParseError(CODE, message, location=rule.loc))
            return rule
        if above:
            above.pop()
        if not indexes:
            return rule
        return replace(rule, annotations=tuple(self.annotations[i] for i in indexes))


def rule_path(package: tuple[str, ...], rule: Rule) -> tuple[str, ...]:
    """The path below ``data`` that a rule defines, up to the first part not known."""
    ref = rule.head.ref
    if isinstance(ref, Var):
        return (*package, ref.name)
    path = [*package, ref.head.name if isinstance(ref.head, Var) else ""]
    for operand in ref.operands:
        if not isinstance(operand, Scalar):
            break
        path.append(operand.value if isinstance(operand.value, str) else repr(operand.value))
    return tuple(path)
