"""What compiling a YAML policy gives: the Rego module, and what the policy says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from adjudge.errors import AdjudgeError
from adjudge.rego.syntax import Module
from adjudge.source import Location


@dataclass(frozen=True, slots=True)
class PolicyMetadata:
    """The ``metadata`` of a policy and what it applies to.

    ``severity`` is ``low``, ``medium``, ``high``, ``critical`` or None where none is given;
    ``effective_from`` is a date or an RFC 3339 time.
    """

    id: str
    title: str
    applies_to: str
    description: str | None = None
    severity: str | None = None
    controls: tuple[str, ...] = ()
    remediation: str | None = None
    effective_from: str | None = None
    owner: str | None = None
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataPath:
    """A path below ``data`` that the policy reads, and where it says so.

    ``steps`` are object keys and list positions.
    """

    steps: tuple[str | int, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class PolicyModule:
    """A YAML policy as a Rego module.

    The module's rules are ``deny`` and ``warn``, partial sets of objects with ``msg`` and
    optional ``pointer`` (a JSON pointer into the input), ``remediation`` and ``details``;
    one rule for each entry, annotated with its ``severity`` where the entry has one.  With
    ``conditional``, a rule ``applicable`` says whether the policy applies at all; where it
    is undefined, so is everything else.

    ``data_paths`` is what has to be there for the policy to mean what it says: an entry that
    is missing makes comparisons with it fail.  ``warnings`` are doubts that did not stop
    compilation, with codes and locations like errors.
    """

    module: Module
    metadata: PolicyMetadata
    conditional: bool
    data_paths: tuple[DataPath, ...]
    warnings: tuple[AdjudgeError, ...]
