"""Whether the fields of a GraphQL selection can be merged: consumes selections that were walked
over; produces the conflicts between fields that answer under one name.

Two fields conflict if they are different fields, have different arguments, return types that
cannot be one value, or if what is selected of them conflicts (GraphQL specification, section
5.3.2).  Fragments are compared with fields, and with each other, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from adjudge.rego.builtins.graphql_schema import Schema
from adjudge.rego.builtins.graphql_tree import (
    OBJECT,
    Argument,
    Field,
    FragmentSpread,
    InlineFragment,
    Selection,
    Type,
    Value,
)

_Fields: TypeAlias = dict[str, list[Field]]


class Conflict(NamedTuple):
    """A conflict: its reason, or the conflicts ``inside``; ``field`` is the later one."""

    name: str
    reason: str
    inside: list[Conflict]
    field: Field

    @property
    def message(self) -> str:
        """The whole sentence."""
        return (
            f'Fields "{self.name}" conflict because {self._because()}. Use different aliases on '
            "the fields to fetch both if this was intentional."
        )

    def _because(self) -> str:
        if not self.inside:
            return self.reason
        return " and ".join(
            f'subfields "{part.name}" conflict because {part._because()}' for part in self.inside
        )


class Overlaps:
    """Finds conflicts; made once for a document, as it remembers what was compared.

    ``charge`` accounts for each comparison.
    """

    def __init__(self, schema: Schema, charge: Callable[[int], None]) -> None:
        self._schema = schema
        self._charge = charge
        self._compared_pairs: dict[tuple[str, str], bool] = {}
        """Pairs of fragments, and whether they were compared as excluding each other."""
        self._compared: set[str] = set()

    def within(self, selections: Sequence[Selection]) -> list[Conflict]:
        """The conflicts in one selection set, fragments included."""
        conflicts: list[Conflict] = []
        fields, spreads = self._collect(selections)
        for same in fields.values():
            for index, first in enumerate(same):
                for second in same[index + 1 :]:
                    self._compare(conflicts, False, first, second)
        self._compared = set()
        for index, spread in enumerate(spreads):
            self._with_fragment(conflicts, False, fields, spread)
            for other in spreads[index + 1 :]:
                self._fragments(conflicts, False, spread, other)
        return conflicts

    def _collect(self, selections: Iterable[Selection]) -> tuple[_Fields, list[FragmentSpread]]:
        """The fields by the names they answer under, and the spreads."""
        fields: _Fields = {}
        spreads: list[FragmentSpread] = []
        self._gather(selections, fields, spreads)
        return fields, spreads

    def _gather(
        self, selections: Iterable[Selection], fields: _Fields, spreads: list[FragmentSpread]
    ) -> None:
        for selection in selections:
            self._charge(1)
            if isinstance(selection, Field):
                fields.setdefault(selection.alias or selection.name, []).append(selection)
            elif isinstance(selection, InlineFragment):
                self._gather(selection.selection_set, fields, spreads)
            else:
                spreads.append(selection)

    def _with_fragment(
        self, conflicts: list[Conflict], exclusive: bool, fields: _Fields, spread: FragmentSpread
    ) -> None:
        """Compare fields with those of a fragment and of the fragments it spreads."""
        if spread.name in self._compared:
            return
        self._compared.add(spread.name)
        if spread.definition is None:
            return
        others, spreads = self._collect(spread.definition.selection_set)
        if fields == others:
            return
        self._between(conflicts, exclusive, fields, others)
        for inner in spreads:
            if inner.name != spread.name:
                self._with_fragment(conflicts, exclusive, fields, inner)

    def _fragments(
        self,
        conflicts: list[Conflict],
        exclusive: bool,
        first: FragmentSpread,
        second: FragmentSpread,
    ) -> None:
        """Compare two fragments, and each with what the other spreads."""
        if first.name == second.name:
            return
        pair = (min(first.name, second.name), max(first.name, second.name))
        known = self._compared_pairs.get(pair)
        # Compared as not excluding each other, they were compared for everything.
        if known is False or (known is True and exclusive):
            return
        self._compared_pairs[pair] = exclusive
        if first.definition is None or second.definition is None:
            return
        fields, spreads = self._collect(first.definition.selection_set)
        others, other_spreads = self._collect(second.definition.selection_set)
        self._between(conflicts, exclusive, fields, others)
        for inner in other_spreads:
            self._fragments(conflicts, exclusive, first, inner)
        for inner in spreads:
            self._fragments(conflicts, exclusive, inner, second)

    def _between(
        self, conflicts: list[Conflict], exclusive: bool, fields: _Fields, others: _Fields
    ) -> None:
        for name, same in fields.items():
            for first in same:
                for second in others.get(name, ()):
                    self._compare(conflicts, exclusive, first, second)

    def _inside(
        self, exclusive: bool, first: Sequence[Selection], second: Sequence[Selection]
    ) -> list[Conflict]:
        """The conflicts between what is selected of one field and of another."""
        conflicts: list[Conflict] = []
        fields, spreads = self._collect(first)
        others, other_spreads = self._collect(second)
        self._between(conflicts, exclusive, fields, others)
        for spread in other_spreads:
            self._compared = set()
            self._with_fragment(conflicts, exclusive, fields, spread)
        for spread in spreads:
            self._compared = set()
            self._with_fragment(conflicts, exclusive, others, spread)
        for spread in spreads:
            for other in other_spreads:
                self._fragments(conflicts, exclusive, spread, other)
        return conflicts

    def _compare(
        self, conflicts: list[Conflict], exclusive: bool, first: Field, second: Field
    ) -> None:
        self._charge(1)
        if first.parent is None or second.parent is None:
            return
        # Of two object types only one applies, so that their fields never meet.
        exclusive = exclusive or (
            first.parent.name != second.parent.name
            and first.parent.kind == second.parent.kind == "OBJECT"
            and first.definition is not None
            and second.definition is not None
        )
        reason = self._reason(exclusive, first, second)
        inside: list[Conflict] = []
        if not reason:
            inside = self._inside(exclusive, first.selection_set, second.selection_set)
        if reason or inside:
            conflicts.append(Conflict(first.alias or first.name, reason, inside, second))

    def _reason(self, exclusive: bool, first: Field, second: Field) -> str:
        if not exclusive:
            if first.name != second.name:
                return f'"{first.name}" and "{second.name}" are different fields'
            if not self._same_arguments(first.arguments, second.arguments):
                return "they have differing arguments"
        if first.definition is not None and second.definition is not None:
            one, other = first.definition.type, second.definition.type
            if self._types_conflict(one, other):
                return f'they return conflicting types "{one}" and "{other}"'
        return ""

    def _same_arguments(self, first: Sequence[Argument], second: Sequence[Argument]) -> bool:
        return len(first) == len(second) and all(
            any(
                argument.name == other.name and self._same_value(argument.value, other.value)
                for other in second
            )
            for argument in first
        )

    def _same_value(self, first: Value, second: Value) -> bool:
        self._charge(1)
        if first.kind != second.kind or first.raw != second.raw:
            return False
        if len(first.children) != len(second.children):
            return False
        children, others = first.children, second.children
        if first.kind == OBJECT:
            children = sorted(children, key=lambda child: child.name)
            others = sorted(others, key=lambda child: child.name)
        return all(
            child.name == other.name and self._same_value(child.value, other.value)
            for child, other in zip(children, others, strict=True)
        )

    def _types_conflict(self, first: Type, second: Type) -> bool:
        if first.elem is not None or second.elem is not None:
            if first.elem is None or second.elem is None:
                return True
            return self._types_conflict(first.elem, second.elem)
        if first.non_null != second.non_null:
            return True
        one, other = self._schema.types[first.name], self._schema.types[second.name]
        return one.is_leaf and other.is_leaf and one.name != other.name
