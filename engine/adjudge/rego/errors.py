"""Errors of the language: parsing, compiling, evaluating."""

from __future__ import annotations

from adjudge.errors import AdjudgeError, ErrorList


class RegoError(AdjudgeError):
    """Any error about a policy text or its evaluation."""


class RegoParseError(RegoError):
    """The text is not Rego (``rego_parse_error``)."""


class RegoCompileError(RegoError):
    """The modules do not make a program (``rego_compile_error``, ``rego_type_error``,
    ``rego_unsafe_var_error``, ``rego_recursion_error``)."""


class RegoErrors(ErrorList, RegoError):
    """All errors of one compilation, sorted by location."""


class RegoEvalError(RegoError):
    """Evaluation failed: ``eval_conflict_error``, ``eval_builtin_error``,
    ``eval_type_error``, ``eval_limit_error``."""
