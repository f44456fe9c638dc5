"""A failed test in, the expression at which it failed and the values in it out.

The rule is evaluated once more with probes that report values.  Of a body that iterates
the expression that got furthest is shown, with the last values it had; of an ``every``
the expression inside that did not hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adjudge.policyset.testing import TestCase, test_options
from adjudge.rego import UNDEFINED, Program, RegoEvalError
from adjudge.rego.extents import Extents
from adjudge.rego.probes import Probe, Probed, probe_values
from adjudge.rego.runtime.text import key_text, rego_text
from adjudge.rego.runtime.values import Value, plain_items
from adjudge.rego.syntax import Every, Expr, Module, walk
from adjudge.source import Location, line_of

MAX_VALUE = 300
"""Characters shown of one value."""

Case = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a test, or a case of it (``case`` is not empty), came to its end.

    ``text`` is the expression as written, ``values`` its parts, as written, with their
    values; None for what is undefined.
    """

    case: Case
    location: Location
    text: str
    values: tuple[tuple[str, str | None], ...]


@dataclass(slots=True)
class _Furthest:
    """How far the evaluation of one case got."""

    probe: Probe | None = None
    values: list[Value] | None = None
    inner: Probe | None = None
    inner_values: list[Value] | None = None

    def note(self, probe: Probe, values: list[Value]) -> None:
        best = self.probe
        if probe.parent is None:
            further = best is None or probe.clause is not best.clause or probe.index >= best.index
            if further and (probe.expr is None or probe.loc.row):
                self.probe, self.values = probe, list(values)
                self.inner = self.inner_values = None
        elif best is not None and probe.parent is best and probe.expr is not None:
            if isinstance(probe.parent.expr and probe.parent.expr.term, Every):
                self.inner, self.inner_values = probe, list(values)


class Explainer:
    """Explains failed tests; ``modules`` are the sources, by file name."""

    def __init__(self, modules: Mapping[str, Module], seconds: float) -> None:
        self._modules = modules
        self._seconds = seconds
        self._extents: dict[str, Extents] = {}

    def explain(self, program: Program, test: TestCase, cases: list[Case]) -> list[Failure]:
        """Why a test of a program failed, or why each of some cases of it did; nothing
        where that cannot be told."""
        if test.rule != test.path and not test.parametrised:
            context = program.context(UNDEFINED, test_options(self._seconds, {}), None)
            return [self._whole(test, (), context.document(test.path))]
        probed = probe_values(program, {test.rule})
        reached, value = self._run(probed, test)
        found = []
        for case in cases or [()]:
            furthest = reached.get(case)
            if furthest is None or furthest.probe is None:
                continue
            if furthest.probe.expr is None:
                found.append(self._whole(test, case, value))
            else:
                found.append(self._failure(case, furthest))
        return found

    def _run(self, probed: Probed, test: TestCase) -> tuple[dict[Case, _Furthest], Value]:
        reached: dict[Case, _Furthest] = {(): _Furthest()}
        current = [reached[()]]

        def at_case(path: list[Value]) -> None:
            name = tuple(map(key_text, path))
            current[0] = reached.setdefault(name, _Furthest())

        def at_probe(number: int, values: list[Value]) -> None:
            current[0].note(probed.probes[number], values)

        services = {"probe": at_probe, "test_case": at_case}
        context = probed.program.context(UNDEFINED, test_options(self._seconds, services), None)
        value: Value = UNDEFINED
        try:
            value = probed.rule(test.rule)(context)
        except (RegoEvalError, RecursionError):
            # What was reached until then is what can be told.
            pass
        return reached, value

    # -- text ----------------------------------------------------------------------------------

    def _failure(self, case: Case, furthest: _Furthest) -> Failure:
        probe, values = furthest.probe, furthest.values
        if furthest.inner is not None:
            probe, values = furthest.inner, furthest.inner_values
        assert probe is not None
        assert probe.expr is not None
        extents = self._extents_of(probe.clause.rule.loc.file)
        location = probe.loc
        text = line_of(self._source(probe), location.row).strip()
        shown: dict[str, str | None] = {}
        if extents is not None:
            written = _written(probe)
            if written is not None:
                location, text = written.loc, extents.text(extents.expr(written))
            if probe.hoisted:
                # The part itself has no value, or evaluation would have gone on.
                shown[extents.text(extents.operation(probe.expr.term))] = None  # type: ignore[arg-type]
            for part, value in zip(probe.parts, values or (), strict=True):
                made = part.call
                place = extents.operation(made) if made else extents.chain(part.loc)
                assert isinstance(value, list)
                shown.setdefault(extents.text(place), _short(value[0]) if value else None)
        return Failure(case, location, text, tuple(shown.items()))

    def _whole(self, test: TestCase, case: Case, value: Value) -> Failure:
        """The rule has a value: one that is not ``true``."""
        for key in case:
            found = [v for k, v in _pairs(value) if key_text(k) == key]
            value = found[0] if found else UNDEFINED
        shown = None if value is UNDEFINED else _short(value)
        return Failure(case, test.location, f"{test.name} is not true", ((test.name, shown),))

    def _source(self, probe: Probe) -> str:
        module = self._modules.get(probe.clause.rule.loc.file)
        return "" if module is None else module.source

    def _extents_of(self, file: str) -> Extents | None:
        module = self._modules.get(file)
        if module is None or not module.source:
            return None
        if file not in self._extents:
            self._extents[file] = Extents(module)
        return self._extents[file]


def _written(probe: Probe) -> Expr | None:
    """The expression, as written, that the probe's one was made from."""
    exprs = [
        node
        for node in walk(probe.clause.rule.body)
        if isinstance(node, Expr) and node.loc.row and node.loc <= probe.loc
    ]
    return max(exprs, key=lambda e: (e.loc.row, e.loc.col), default=None)


def _pairs(value: Value) -> list[tuple[Value, Value]]:
    return list(plain_items(value)) if isinstance(value, dict) else []


def _short(value: Value) -> str:
    text = rego_text(value)
    return text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "…"
