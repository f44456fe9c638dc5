"""Rego, compiled to Python: text in, a Program out.  No I/O."""

from adjudge.rego.errors import (
    RegoCompileError,
    RegoError,
    RegoErrors,
    RegoEvalError,
    RegoParseError,
)
from adjudge.rego.program import Program, compile_modules
from adjudge.rego.query import Query, Result
from adjudge.rego.runtime.limits import Options
from adjudge.rego.runtime.values import UNDEFINED

__all__ = [
    "UNDEFINED",
    "Options",
    "Program",
    "Query",
    "RegoCompileError",
    "RegoError",
    "RegoErrors",
    "RegoEvalError",
    "RegoParseError",
    "Result",
    "compile_modules",
]
