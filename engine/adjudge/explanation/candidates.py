"""What a rule read and the constants it may compare with in, changes worth trying out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any, Final

from adjudge.explanation.changes import Change, Path, value_at
from adjudge.explanation.model import Ground
from adjudge.explanation.samples import sample
from adjudge.rego.evidence import Read
from adjudge.rego.runtime.text import to_json
from adjudge.rego.runtime.values import UNDEFINED
from adjudge.yamlpolicy.shapes import Shape, type_name

MAX_TEXTS: Final = 40
MAX_NUMBERS: Final = 20
"""Constants taken from one source: what the rule met, its own module, other modules."""
MAX_MEMBERS: Final = 50
MAX_TEXT: Final = 300
MAX_ELEMENTS: Final = 10
"""Elements of one list, or members of one object, whose removal is tried."""
MAX_ALIKE: Final = 50
"""Elements of one list whose values are tried in one another's places."""
MAX_SMALL: Final = 3
"""Elements of a list that is tried in the place of another."""
MAX_LENGTH: Final = 5_000
"""The longest text that is made up."""

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass
class Pool:
    """Constants to try, the likeliest first."""

    texts: dict[str, None] = field(default_factory=dict)
    numbers: dict[float | int, None] = field(default_factory=dict)
    paths: tuple[Path, ...] = ()
    """The paths below the input that the text of the rules names."""
    own_paths: tuple[Path, ...] = ()
    """Those that the rule's own module names."""
    likely: int = 0
    """How many of the texts the rule has met."""

    def ranked(self) -> Iterator[tuple[str, float]]:
        """The texts, each with a cost."""
        for rank, text in enumerate(self.texts):
            yield text, (1.4 if rank < self.likely else 1.6) + rank / 1000

    def add(self, values: Iterable[Any]) -> None:
        """Take in constants and the members of collections of them, up to a share of what the
        pool holds; the documents themselves would fill it."""
        texts, numbers = len(self.texts) + MAX_TEXTS, len(self.numbers) + MAX_NUMBERS
        late: list[Any] = []
        for value in values:
            if isinstance(value, list):
                flat = [v for v in value[:MAX_MEMBERS] if isinstance(v, str | int | float)]
            elif isinstance(value, dict):
                # Names of fields are the least likely values.
                late += [*list(value.values())[:MAX_MEMBERS], *list(value)[:MAX_MEMBERS]]
                continue
            else:
                flat = [value]
            self._take(flat, texts, numbers)
        self._take(late, texts, numbers)

    def _take(self, values: Iterable[Any], texts: int, numbers: int) -> None:
        for value in values:
            if isinstance(value, str):
                if len(self.texts) < texts and len(value) <= MAX_TEXT:
                    self.texts.setdefault(value)
            elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
                number = float(value) if isinstance(value, Decimal) else value
                if len(self.numbers) < numbers and abs(number) < 1e15:
                    self.numbers.setdefault(number)


def candidates(reads: Iterable[Read], pool: Pool, ground: Ground) -> list[Change]:
    """Changes to what was read, the smallest first."""
    found: dict[str, Change] = {}
    for read in reads:
        if read.root != "input" or not read.path or ground.fixed(read.path):
            continue
        if not all(isinstance(k, str | int) for k in read.path):
            continue
        shape, required = _shape_at(ground.shape, read.path)
        value = read.value if read.value is UNDEFINED else to_json(read.value)
        around = _elements(read.path, ground)
        alike = _alike(read.path, value, ground)
        made = _changes(read.path, value, shape, required, pool, ground.now_ns)
        for change in map(partial(_whole, ground.input), (*around, *alike, *made)):
            if change.op == "remove" or change.new != change.old or isinstance(change.new, bool):
                key = repr((change.op, change.path, change.new))
                if key not in found or change.cost < found[key].cost:
                    found[key] = change
    return sorted(found.values(), key=lambda c: c.cost)


def _whole(input_: Any, change: Change) -> Change:
    """The change with the objects that are missing on its way in its value: a JSON Patch adds
    to what is there only."""
    if change.op != "add":
        return change
    for depth in range(1, len(change.path)):
        if value_at(input_, change.path[:depth]) is None:
            value = change.new
            for step in reversed(change.path[depth:]):
                value = {step: value}
            return replace(change, path=change.path[:depth], new=value)
    return change


def _elements(path: Path, ground: Ground) -> Iterator[Change]:
    """Taking out the element of a list that a value stands in."""
    value = ground.input
    for depth, step in enumerate(path[:-1], 1):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return  # an earlier change put it there
        if isinstance(step, int) and not ground.fixed((*path[:depth], "")):
            yield Change("remove", path[:depth], value, None, 1.5 + depth / 100)


def _alike(path: Path, value: Any, ground: Ground) -> Iterator[Change]:
    """What stands at the same place of the other elements of a list."""
    at = next((n for n, step in enumerate(path) if isinstance(step, int)), None)
    if at is None or at + 1 == len(path) or not isinstance(value, str | int | float | list):
        return
    items = value_at(ground.input, path[:at])
    found: dict[str, Any] = {}
    for item in items[:MAX_ALIKE] if isinstance(items, list) else ():
        other = value_at(item, path[at + 1 :])
        small = not isinstance(other, list) or 0 < len(other) <= MAX_SMALL
        if type(other) is type(value) and other != value and small:
            found.setdefault(repr(other)[:MAX_TEXT], other)
    for rank, other in enumerate(found.values()):
        yield Change("replace", path, value, other, 1.3 + rank / 100)


def _shape_at(shape: Shape | None, path: Path) -> tuple[Shape | None, bool]:
    """What can stand at a path, and whether it must; None when nothing is known."""
    required = False
    for step in path:
        if shape is None:
            return None, False
        required = isinstance(step, str) and shape.requires(step)
        shape = shape.field(step) if isinstance(step, str) else shape.items()
    return shape, required


def _changes(
    path: Path, value: Any, shape: Shape | None, required: bool, pool: Pool, now_ns: int
) -> Iterator[Change]:
    if value is UNDEFINED:
        yield from _deeper(path, pool)
    for new, cost in _values(value, shape, pool, now_ns):
        if shape is None or type_name(new) in shape.types:
            allowed = shape.choices() if shape is not None else None
            if allowed is None or new in allowed:
                op = "add" if value is UNDEFINED else "replace"
                yield Change(op, path, None if op == "add" else value, new, cost)  # type: ignore[arg-type]
    if value is UNDEFINED:
        return
    if isinstance(value, list):
        for index in range(min(len(value), MAX_ELEMENTS)):
            yield Change("remove", (*path, index), value[index], None, 2.0 + index / 100)
    if isinstance(value, dict):
        for key in list(value)[:MAX_ELEMENTS]:
            inner = shape.requires(key) if shape is not None else False
            if not inner:
                yield Change("remove", (*path, key), value[key], None, 3.0 + _size(value[key]))
    # The element of a list is taken out of it; a member that must be there stays.
    if not required:
        yield Change("remove", path, value, None, 3.0 + _size(value))


def _size(value: Any) -> float:
    """What a removal costs besides: all that stands in the value goes, too."""
    return 1.5 * len(value) if isinstance(value, list | dict) else 0.0


def _deeper(path: Path, pool: Pool) -> Iterator[Change]:
    """Where nothing stands, the objects around what the rules look for further down."""
    for whole in pool.paths:
        if len(whole) > len(path) and whole[: len(path)] == path:
            constants = [(t, c + 0.8) for t, c in islice(pool.ranked(), 20)]
            numbers = [(n, 2.4) for n in islice(pool.numbers, 10)]
            for value, cost in [(True, 2.1), ("text", 2.15), *constants, *numbers]:
                made: Any = value
                for step in reversed(whole[len(path) :]):
                    made = {step: made}
                yield Change("add", path, None, made, cost)


def _values(
    value: Any, shape: Shape | None, pool: Pool, now_ns: int
) -> Iterator[tuple[Any, float]]:
    if isinstance(value, bool):
        yield not value, 1.0
    elif isinstance(value, int | float):
        yield from _numbers(value, pool)
    elif isinstance(value, str):
        yield from _texts(value, pool, now_ns)
    elif isinstance(value, list):
        yield from _lists(value, shape, pool)
    elif value is UNDEFINED or value is None:
        yield from _new(shape, pool, now_ns)


def _numbers(value: float | int, pool: Pool) -> Iterator[tuple[Any, float]]:
    for constant in pool.numbers:
        steps = (0, 1, -1) if isinstance(constant, int) else (0.0, 0.01, -0.01)
        for step in steps:
            new = round(constant + step, 6)
            yield new, 1.0 + min(abs(new - value) / (abs(value) + abs(new) + 1), 1) * 0.5


def _texts(value: str, pool: Pool, now_ns: int) -> Iterator[tuple[Any, float]]:
    for text, cost in pool.ranked():
        yield text, cost
        if text and len(text) < 40:
            # What ends in a slash or the like is meant to have something after it.
            yield text + value, cost + (-0.05 if text[-1] in "/:" else 0.6)
            yield value + text, cost + (0.05 if text[0] in "._-@" else 0.6)
        made = sample(text)
        if made is not None:
            yield made, cost + 0.2
    yield from ((t, 1.9) for t in _lengths(pool, value))
    if _DATE.match(value):
        yield from ((t, 1.8) for t in _dates(now_ns, value))
    yield "", 2.8
    yield "text", 2.9


def _lengths(pool: Pool, value: str) -> Iterator[str]:
    """Texts that are as long as some constant says, or one character off."""
    for number in pool.numbers:
        if isinstance(number, int) and 0 < number <= MAX_LENGTH:
            for length in (number, number + 1, number - 1):
                if length < len(value):
                    yield value[:length]
                elif length > len(value):
                    long = (value + " text" * (length // 4 + 1)).strip()[:length]
                    yield long.rstrip().ljust(length, "x")


def _dates(now_ns: int, like: str = "") -> Iterator[str]:
    now = datetime.fromtimestamp(now_ns / 1e9, UTC)
    for days in (0, -1, 1, -400, 400):
        day = now + timedelta(days=days)
        yield f"{day:%Y-%m-%dT%H:%M:%SZ}" if "T" in like else f"{day:%Y-%m-%d}"


def _lists(value: list[Any], shape: Shape | None, pool: Pool) -> Iterator[tuple[Any, float]]:
    yield [], 2.4 + 1.5 * len(value)
    if _of_texts(shape) and all(isinstance(v, str) for v in value):
        for rank, text in enumerate((*pool.texts, "text")):
            yield [*value, text], 2.0 + rank / 100
    items = shape.items() if shape is not None else None
    filler = value[-1] if value else example(items)
    if not _of_texts(shape):
        yield [*value, example(items)], 2.3
    for number in pool.numbers:
        if isinstance(number, int) and len(value) <= number <= 20:
            yield value + [filler] * (number - len(value)), 2.5
            yield value + [filler] * (number + 1 - len(value)), 2.6


def example(shape: Shape | None, depth: int = 0) -> Any:
    """A value of a shape, with what it must have."""
    choices = shape.choices() if shape is not None else None
    if shape is None or choices:
        return choices[0] if choices else "text"
    if "string" in shape.types:
        return "text"
    if "object" in shape.types:
        names = [n for n in shape.names() if shape.requires(n)] if depth < 4 else []
        return {name: example(shape.field(name), depth + 1) for name in names}
    if "array" in shape.types:
        return [example(shape.items(), depth + 1)] if depth < 4 else []
    return 1 if "number" in shape.types else True


def _of_texts(shape: Shape | None) -> bool:
    """Whether the elements of a list may be texts."""
    items = shape.items() if shape is not None else None
    return items is None or "string" in items.types


def _new(shape: Shape | None, pool: Pool, now_ns: int) -> Iterator[tuple[Any, float]]:
    """Values for a place where nothing stands."""
    for value in (shape.choices() if shape is not None else None) or ():
        yield value, 1.8
    yield True, 2.0
    yield False, 2.1
    yield "text", 2.05
    for rank, text in enumerate(pool.texts):
        yield text, 2.1 + rank / 200
        made = sample(text)
        if made is not None:
            yield made, 2.2 + rank / 200
    for text in _lengths(pool, ""):
        yield text, 2.6
    for text in _dates(now_ns):
        yield text, 2.4
    for number in (*pool.numbers, 1, 0):
        yield number, 2.2
        if isinstance(number, int):
            yield number + 1, 2.3
            yield number - 1, 2.3
    for text in ("text", *list(pool.texts)[:20]) if _of_texts(shape) else ():
        yield [text], 2.5
    yield {}, 2.6
    yield [], 2.6
    yield {"text": "text"}, 2.9
