"""How builtins are declared, and the errors they raise.

A builtin is a plain function over Rego values (see ``runtime.values``).  It
returns a value, or ``UNDEFINED``; it raises :class:`BuiltinError` and nothing
else.  It never changes its arguments and never returns an object whose keys are
not boxed (use ``make_object`` unless all keys are strings).

Without strict builtin errors a :class:`BuiltinError` makes the call undefined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from adjudge.rego.runtime.values import Value, is_number, type_name

F = TypeVar("F", bound=Callable[..., Any])


class BuiltinError(Exception):
    """A builtin cannot answer.  ``code`` is ``eval_builtin_error`` or ``eval_type_error``.

    ``message`` is without the builtin's name; the caller puts ``name: `` before it.
    ``halt`` ends the evaluation even without strict builtin errors.
    """

    def __init__(self, message: str, code: str = "eval_builtin_error", *, halt: bool = False):
        super().__init__(message)
        self.message = message
        self.code = code
        self.halt = halt


class BuiltinContext(Protocol):
    """What a builtin that asked for a context may use."""

    @property
    def now_ns(self) -> int:
        """The evaluation time, nanoseconds since the epoch."""

    @property
    def seed(self) -> bytes:
        """Seeds uuid.rfc4122 and rand.intn; the same seed gives the same answers."""

    @property
    def cache(self) -> dict[Any, Any]:
        """Lives as long as the evaluation; builtins key it by their own name."""

    @property
    def max_size(self) -> int:
        """The most characters or elements a single builtin may produce."""

    def charge(self, steps: int) -> None:
        """Account for ``steps`` units of work; raises when a limit is passed."""

    def service(self, name: str) -> Any:
        """Something the host provides (``parse_module``, ``runtime``, ``environ``,
        ``http``, ``resolver``, ``print``), or None where it is withheld."""


class Builtin:
    """A declared builtin: the function and how it is called."""

    __slots__ = ("context", "function", "name", "nondeterministic", "relation")

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        *,
        context: bool,
        relation: bool,
        nondeterministic: bool,
    ) -> None:
        self.name = name
        self.function = function
        self.context = context
        self.relation = relation
        self.nondeterministic = nondeterministic


_REGISTRY: dict[str, Builtin] = {}


def builtin(
    name: str, *, context: bool = False, relation: bool = False, nondeterministic: bool = False
) -> Callable[[F], F]:
    """Declare the decorated function as the builtin ``name``.

    ``context``: the first argument is the :class:`BuiltinContext`.
    ``relation``: it returns an iterable of values, each of them an answer.
    ``nondeterministic``: the caller records the answer and repeats it within a query.
    """

    def declare(function: F) -> F:
        if name in _REGISTRY:
            raise ValueError(f"builtin declared twice: {name}")
        _REGISTRY[name] = Builtin(
            name, function, context=context, relation=relation, nondeterministic=nondeterministic
        )
        return function

    return declare


def declared() -> Mapping[str, Builtin]:
    """The builtins declared by the family modules imported so far."""
    return _REGISTRY


# -- operand checks, worded as OPA words them ---------------------------------------


def operand_error(position: int, want: str, got: Value) -> BuiltinError:
    """``operand 1 must be string but got number``, ``position`` from 1."""
    return BuiltinError(
        f"operand {position} must be {want} but got {type_name(got)}", "eval_type_error"
    )


def one_of_error(position: int, wants: str, got: Value) -> BuiltinError:
    """``operand 1 must be one of {set, array} but got null``; ``wants`` is ``"set, array"``."""
    return BuiltinError(
        f"operand {position} must be one of {{{wants}}} but got {type_name(got)}", "eval_type_error"
    )


def want_string(value: Value, position: int) -> str:
    """The operand as a string, or a type error."""
    if isinstance(value, str):
        return value
    raise operand_error(position, "string", value)


def want_number(value: Value, position: int) -> Any:
    """The operand as a number, or a type error."""
    if is_number(value):
        return value
    raise operand_error(position, "number", value)


def want_integer(value: Value, position: int) -> int:
    """The operand as an integer (``2.0`` counts), or a type error."""
    if value.__class__ is int:
        return value
    if not is_number(value):
        raise operand_error(position, "number", value)
    if value == int(value):
        return int(value)
    raise BuiltinError(
        f"operand {position} must be integer number but got floating-point number",
        "eval_type_error",
    )


def want_array(value: Value, position: int) -> list[Value]:
    """The operand as an array, or a type error."""
    if value.__class__ is list:
        return value
    raise operand_error(position, "array", value)


def want_object(value: Value, position: int) -> dict[Any, Value]:
    """The operand as an object, or a type error."""
    if value.__class__ is dict:
        return value
    raise operand_error(position, "object", value)


def want_set(value: Value, position: int) -> Any:
    """The operand as a set, or a type error."""
    if type_name(value) == "set":
        return value
    raise operand_error(position, "set", value)


def want_boolean(value: Value, position: int) -> bool:
    """The operand as a boolean, or a type error."""
    if value is True or value is False:
        return bool(value)
    raise operand_error(position, "boolean", value)
