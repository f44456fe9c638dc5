"""Times and identifiers against RFC 3339 and RFC 9562."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.decision.ids import time_of, uuid7
from adjudge.decision.times import format_time, is_date, parse_time
from adjudge.errors import InputError


def test_the_example_of_rfc_9562_appendix_a_6() -> None:
    # unix_ts_ms 0x017F22E279B0, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F
    entropy = ((0xCC3 << 68) | 0x18C4DC0C0C07398F).to_bytes(10, "big")
    made = uuid7(0x017F22E279B0 * 1_000_000, entropy)
    assert made == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def test_without_entropy_ids_differ_but_keep_the_time() -> None:
    first, second = uuid7(1_700_000_000_123_456_789), uuid7(1_700_000_000_123_456_789)
    assert first != second
    assert uuid.UUID(first).version == 7
    assert uuid.UUID(first).variant == uuid.RFC_4122
    assert time_of(first) == time_of(second) == 1_700_000_000_123_000_000


@pytest.mark.parametrize("unix_ns", [-1, (1 << 48) * 1_000_000])
def test_times_that_do_not_fit(unix_ns: int) -> None:
    with pytest.raises(InputError) as caught:
        uuid7(unix_ns)
    assert caught.value.code == "time_out_of_range"


def test_entropy_of_the_wrong_length() -> None:
    with pytest.raises(ValueError, match="10 bytes"):
        uuid7(0, b"short")


@given(st.integers(min_value=-62_135_596_800 * 10**9, max_value=253_402_300_799 * 10**9))
def test_times_come_back(unix_ns: int) -> None:
    assert parse_time(format_time(unix_ns)) == unix_ns


@pytest.mark.parametrize(
    ("text", "unix_ns"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:30:00+01:30", 0),
        ("1969-12-31t23:59:59.5z", -500_000_000),
        ("2026-11-20T09:30:00.000000001Z", 1_795_167_000_000_000_001),
    ],
)
def test_parsing(text: str, unix_ns: int) -> None:
    assert parse_time(text) == unix_ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-13-01",
        "2026-02-30",
        "2026-11-20T25:00:00Z",
        "2026-11-20T09:30:00",
        "2026-11-20 09:30:00Z",
        "2026-11-20T09:30:00+99:00",
        "2026-11-20T09:30:00.1234567890Z",
        "0001-01-01T00:00:00+10:00",
        "2026-11-20\n",
        "２０２６-11-20",
    ],
)
def test_not_a_time(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_time(text)
    assert caught.value.code == "time_invalid"


def test_out_of_range() -> None:
    with pytest.raises(InputError) as caught:
        format_time(10**30)
    assert caught.value.code == "time_out_of_range"


def test_dates_and_times_are_told_apart() -> None:
    assert is_date("2026-11-20")
    assert not is_date("2026-11-20T00:00:00Z")
