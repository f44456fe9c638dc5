"""A law, standard or catalogue as data: its controls, and how rules stand to each of them.

The strength of a mapping: ``implements`` (the rule does what the control asks to be done),
``supports`` (part of it), ``evidence-for`` (something that the control asks for is there; whether
it is good enough, people decide).  A control that no rule is mapped to is assessed by hand.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Strength = Literal["implements", "supports", "evidence-for"]
Filled = Annotated[str, StringConstraints(pattern=r"\S", max_length=1000)]
ControlId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$")]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Control(_Part):
    """One requirement; ``rules`` maps rule ids to the strength with which they stand to it."""

    id: ControlId
    title: Filled
    rules: dict[str, Strength] = Field(default_factory=dict)


class Metadata(_Part):
    """What the framework is called; ``id`` is the part before ``/`` in names of controls."""

    id: ControlId
    title: Filled
    edition: Filled


class Framework(_Part):
    """A framework file, as it is written."""

    apiVersion: Literal["adjudge/v1"]
    kind: Literal["Framework"]
    metadata: Metadata
    controls: Annotated[list[Control], Field(min_length=1, max_length=5000)]

    @property
    def id(self) -> str:
        """The id of the framework."""
        return self.metadata.id
