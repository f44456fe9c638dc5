"""The parser: Rego text to :mod:`adjudge.rego.syntax`.

It reads what OPA 1.22 reads, Rego v1 and v0, and builds the same tree.  It never
raises anything but :class:`RegoErrors`, whatever the text.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Final, NoReturn

from adjudge.rego.errors import RegoErrors, RegoParseError
from adjudge.rego.lexer import KEYWORDS_OF, tokenize
from adjudge.rego.parser.annotations import Attachment, read_blocks
from adjudge.rego.parser.cursor import CODE
from adjudge.rego.parser.modules import ModuleParser
from adjudge.rego.syntax import Body, Module, Ref, Term, Var
from adjudge.source import Location

__all__ = ["MAX_CHARACTERS", "MAX_DEPTH", "parse_body", "parse_module", "parse_ref", "parse_term"]

MAX_CHARACTERS: Final = 10_000_000
"""The longest text that is read."""

MAX_ERRORS: Final = 100
"""How many errors of one text are reported."""

MAX_DEPTH: Final = 100
"""How deep brackets nest at most.  Trees stay shallow enough for recursive walks."""


def parse_module(
    text: str,
    file: str = "",
    rego_version: int = 1,
    *,
    builtins: Container[str] = (),
    features: Container[str] | None = None,
    future_keywords: Container[str] | None = None,
    max_characters: int = MAX_CHARACTERS,
    max_depth: int = MAX_DEPTH,
) -> Module:
    """The module a text means.  ``rego_version`` is 0, 1, or 2: v1 with ``import rego.v2``.

    ``builtins`` are the names of built-in functions: a call of one that stands where a
    rule is expected is an error, not the definition of a function.  ``features`` and
    ``future_keywords`` are those of a capabilities file; None: what the version has.

    Raises ``RegoErrors`` with every ``rego_parse_error`` that could be told apart.
    """
    parser = _parser(text, file, rego_version, max_characters, max_depth)
    parser.builtins = builtins
    if features is not None:
        if rego_version == 1 and "rego_v1" not in features:
            message = "illegal capabilities: rego_v1 feature required for parsing v1 Rego"
            _raise([RegoParseError(CODE, message, location=Location(file, 1, 1))], text)
        parser.templates = "template_strings" in features
        parser.features = features
    parser.future_keywords = future_keywords
    try:
        parser.module()
    except RecursionError:
        _raise([_too_deep(file)], text)
    blocks, errors = read_blocks(parser.tokens.comments, _term_or_none)
    if parser.errors or errors:
        _raise([*parser.errors, *errors], text)
    statements = [(parser.package_loc.row, "package")]
    statements += [(item.loc.row, "import") for item in parser.imports]
    attached = Attachment(blocks, parser.package, statements, parser.found)
    if attached.errors:
        _raise(attached.errors, text)
    return Module(
        package=parser.package,
        imports=tuple(parser.imports),
        rules=tuple(attached.rules),
        annotations=tuple(attached.annotations),
        comments=tuple(parser.tokens.comments),
        rego_version=parser.rego_version,
        file=file,
        source=text,
        package_loc=parser.package_loc,
    )


def parse_body(
    text: str,
    file: str = "",
    rego_version: int = 1,
    *,
    max_characters: int = MAX_CHARACTERS,
    max_depth: int = MAX_DEPTH,
) -> Body:
    """The query a text means: expressions, separated by ``;`` or line ends.

    Raises ``RegoErrors``.
    """
    try:
        return _parser(text, file, rego_version, max_characters, max_depth).query()
    except RegoParseError as error:
        _raise([error], text)
    except RecursionError:
        _raise([_too_deep(file)], text)


def parse_term(text: str) -> Term:
    """The one term a text means.  Raises ``RegoErrors``."""
    body = parse_body(text)
    term = body[0].term
    if len(body) > 1 or body[0].negated or body[0].withs or not isinstance(term, Term):
        _raise([RegoParseError(CODE, "expected exactly one term", location=body[-1].loc)], text)
    return term


def parse_ref(text: str) -> Ref | Var:
    """The reference a text means; a ``Var`` for a name alone.  Raises ``RegoErrors``."""
    term = parse_term(text)
    if not isinstance(term, (Ref, Var)):
        _raise([RegoParseError(CODE, "expected a reference", location=term.loc)], text)
    return term


def _term_or_none(text: str) -> Term | None:
    try:
        return parse_term(text)
    except RegoErrors:
        return None


def _parser(
    text: str, file: str, rego_version: int, max_characters: int, max_depth: int
) -> ModuleParser:
    if len(text) > max_characters:
        message = f"the text is longer than {max_characters} characters"
        raise RegoErrors([RegoParseError(CODE, message, location=Location(file, 1, 1))])
    tokens = tokenize(text, file, KEYWORDS_OF[rego_version], max_depth)
    return ModuleParser(tokens, max_depth, rego_version)


def _too_deep(file: str) -> RegoParseError:
    return RegoParseError(CODE, "nested too deeply", location=Location(file, 1, 1))


def _raise(errors: Iterable[RegoParseError], text: str) -> NoReturn:
    """Raise the first of the errors, each with its line of the text."""
    found = RegoErrors(errors).errors[:MAX_ERRORS]
    lines = text.split("\n")
    for error in found:
        if error.location is not None and error.location.row <= len(lines):
            error.source = lines[error.location.row - 1].rstrip("\r")
    raise RegoErrors(found)
