"""Lets Python's ``re`` run a pattern where it provably agrees with RE2 in linear time.

Python's engine backtracks.  It is as fast as RE2's, or faster, when there is nothing to
come back to: at each choice the next character must decide.  :func:`translate` accepts

* patterns anchored at the beginning in which every repetition and every choice is
  decided by the next character, except for choices that multiply to a small number and
  at most one unbounded repetition, after which none may follow;
* patterns of bounded length with the same property, anchored or not.

Everything else is for RE2.
"""

from __future__ import annotations

import re
from typing import Final

from adjudge.rego.builtins.regex_syntax import (
    LAST,
    Anchor,
    Boundary,
    Chars,
    Choice,
    Group,
    Node,
    Parser,
    Ranges,
    Repeat,
    Sequence,
    Unsupported,
    complement,
    union,
)

_MAX_WORK: Final = 512
"""Steps per starting position, at most: the length of what is bounded times the choices."""

_MAX_WAYS: Final = 32
"""Choices that the next character does not decide, multiplied."""

_MAX_PATTERN: Final = 2000
_UNBOUNDED: Final = 1 << 30
_ANY: Final = ((0, LAST),)
_NOT_NEWLINE: Final = complement(((0x0A, 0x0A),))


class Translation:
    """A pattern for Python's engine, and the names of its groups by number."""

    __slots__ = ("names", "pattern")

    def __init__(self, pattern: re.Pattern[str], names: tuple[str | None, ...]) -> None:
        self.pattern = pattern
        self.names = names


def translate(pattern: str) -> Translation | None:
    """The pattern for Python's engine, or None when RE2 is needed."""
    if len(pattern) > _MAX_PATTERN:
        return None
    parser = Parser(pattern)
    try:
        tree = parser.parse()
        items, at_start, at_end = _without_anchors(tree)
        _check(items, at_start)
        text = "".join(map(_emit, items))
    except Unsupported:
        return None
    start = r"\A" if at_start else ""
    end = r"\Z" if at_end else ""
    return Translation(re.compile(f"{start}{text}{end}", re.ASCII), tuple(parser.names))


def _without_anchors(tree: Node) -> tuple[list[Node], bool, bool]:
    """The pattern as a sequence, and whether it had anchors at its beginning and end; there
    may be no others."""
    items: list[Node] = list(tree.items) if isinstance(tree, Sequence) else [tree]
    start = bool(items) and isinstance(items[0], Anchor) and not items[0].end
    items = items[start:]
    end = bool(items) and isinstance(items[-1], Anchor) and items[-1].end
    items = items[: len(items) - end]
    return items, start, end


# -- what a node can match -----------------------------------------------------------------


def _nullable(node: Node) -> bool:
    """Whether the node may match nothing."""
    if isinstance(node, Chars):
        return False
    if isinstance(node, Sequence):
        return all(map(_nullable, node.items))
    if isinstance(node, Choice):
        return any(map(_nullable, node.branches))
    if isinstance(node, Group):
        return _nullable(node.inner)
    if isinstance(node, Repeat):
        return node.low == 0 or _nullable(node.inner)
    return True


def _width(node: Node) -> int:
    """The most characters the node may match."""
    if isinstance(node, Chars):
        return 1
    if isinstance(node, Sequence):
        return min(_UNBOUNDED, sum(map(_width, node.items)))
    if isinstance(node, Choice):
        return max(map(_width, node.branches))
    if isinstance(node, Group):
        return _width(node.inner)
    if isinstance(node, Repeat):
        return _UNBOUNDED if node.high is None else min(_UNBOUNDED, node.high * _width(node.inner))
    return 0


def _first(node: Node, follow: Ranges) -> Ranges:
    """The characters that may come first, when ``follow`` may come after the node."""
    if isinstance(node, Chars):
        return node.ranges
    if isinstance(node, Sequence):
        for item in reversed(node.items):
            follow = _first(item, follow)
        return follow
    if isinstance(node, Choice):
        return union([r for branch in node.branches for r in _first(branch, follow)])
    if isinstance(node, Group):
        return _first(node.inner, follow)
    if isinstance(node, Repeat):
        inner = _first(node.inner, follow)
        return inner if node.low else union([*inner, *follow])
    return follow


def _overlap(a: Ranges, b: Ranges) -> bool:
    return any(
        low <= other_high and other_low <= high for low, high in a for other_low, other_high in b
    )


# -- whether backtracking stays cheap --------------------------------------------------------


class _Work:
    """What the checked pattern may cost: the choices to come back to, multiplied."""

    def __init__(self) -> None:
        self.ways = 1
        self.may_open = False
        self.open_repeats = 0

    def multiply(self, ways: int, *, inside: bool) -> None:
        """Account for a choice that the next character does not decide."""
        if inside:
            raise Unsupported
        self.ways *= ways
        if self.ways > _MAX_WAYS:
            raise Unsupported


def _check(items: list[Node], at_start: bool) -> None:
    """Raise ``Unsupported`` unless backtracking over the sequence is cheap."""
    work = _Work()
    follow: Ranges = ()
    tail = 0
    for item in reversed(items):
        work.may_open = tail < _UNBOUNDED and isinstance(_bare(item), Repeat)
        _check_node(item, follow, work, inside=False)
        follow = _first(item, follow)
        tail = min(_UNBOUNDED, tail + _width(item))
    if work.open_repeats > 1 or (tail >= _UNBOUNDED and not at_start):
        raise Unsupported
    bounded = sum(w for w in map(_width, items) if w < _UNBOUNDED)
    if bounded * work.ways > _MAX_WORK:
        raise Unsupported


def _bare(node: Node) -> Node:
    return _bare(node.inner) if isinstance(node, Group) else node


def _check_node(node: Node, follow: Ranges, work: _Work, *, inside: bool) -> None:
    """Check one node before ``follow``; ``inside`` a repetition every choice must be decided."""
    if isinstance(node, Anchor):
        raise Unsupported
    if isinstance(node, Boundary) and inside:
        raise Unsupported
    if isinstance(node, Group):
        _check_node(node.inner, follow, work, inside=inside)
    elif isinstance(node, Sequence):
        for item in reversed(node.items):
            _check_node(item, follow, work, inside=inside)
            follow = _first(item, follow)
    elif isinstance(node, Choice):
        firsts = [_first(branch, follow) for branch in node.branches]
        clear = not any(
            _overlap(firsts[i], other) for i in range(len(firsts)) for other in firsts[:i]
        )
        if not clear or any(map(_nullable, node.branches)):
            work.multiply(len(firsts), inside=inside)
        for branch in node.branches:
            _check_node(branch, follow, work, inside=inside)
    elif isinstance(node, Repeat):
        _check_repeat(node, follow, work, inside=inside)


def _check_repeat(node: Repeat, follow: Ranges, work: _Work, *, inside: bool) -> None:
    if _nullable(node.inner):
        raise Unsupported
    first = _first(node.inner, ())
    if node.high != node.low and _overlap(first, follow):
        if node.high is None:
            if inside or not work.may_open or not isinstance(node.inner, Chars):
                raise Unsupported
            work.open_repeats += 1
        else:
            work.multiply(node.high - node.low + 1, inside=inside)
    again = union([*first, *follow]) if node.high != 1 else follow
    _check_node(node.inner, again, work, inside=inside or node.high != 1)


# -- Python's spelling -------------------------------------------------------------------------


def _emit(node: Node) -> str:
    if isinstance(node, Chars):
        return _emit_chars(node.ranges)
    if isinstance(node, Sequence):
        return "".join(map(_emit, node.items))
    if isinstance(node, Choice):
        return f"(?:{'|'.join(map(_emit, node.branches))})"
    if isinstance(node, Group):
        return f"({_emit(node.inner)})"
    if isinstance(node, Repeat):
        inner = _emit(node.inner)
        if not isinstance(node.inner, Chars | Group):
            inner = f"(?:{inner})"
        high = "" if node.high is None else node.high
        marks = {(0, ""): "*", (1, ""): "+", (0, 1): "?"}
        mark = marks.get((node.low, high), f"{{{node.low},{high}}}")
        return inner + mark + ("?" if node.lazy else "")
    if isinstance(node, Boundary):
        return r"\b"
    raise Unsupported


def _emit_chars(ranges: Ranges) -> str:
    if ranges == _ANY:
        return "(?s:.)"
    if ranges == _NOT_NEWLINE:
        return "."
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return re.escape(chr(ranges[0][0]))
    if not ranges:
        return "(?!)"
    negated = ranges[0][0] == 0 and ranges[-1][1] == LAST
    shown = complement(ranges) if negated else ranges
    body = "".join(
        _code(low) if low == high else f"{_code(low)}-{_code(high)}" for low, high in shown
    )
    return f"[{'^' if negated else ''}{body}]"


def _code(code: int) -> str:
    return f"\\U{code:08x}"
