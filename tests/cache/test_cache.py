"""The cache folder: what it takes to be believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adjudge import cache
from adjudge.cache import Cache
from adjudge.errors import InputError


@pytest.fixture
def kept(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache" / "adjudge", tmp_path / "state" / "adjudge")


def other(kept: Cache, tmp_path: Path) -> Cache:
    """A cache in the same folder, with another user's key."""
    return Cache(kept.folder, tmp_path / "elsewhere")


def test_what_is_written_is_read_in_another_process(kept: Cache) -> None:
    assert kept.read("a") is None
    assert kept.write("a", b"first")
    assert kept.write("a", b"second")
    assert Cache(kept.folder, kept._keys).read("a") == b"second"
    assert kept.read("b") is None


def test_folders_and_files_are_the_users_alone(kept: Cache) -> None:
    kept.write("a", b"x")
    for path in (kept.folder, kept._keys):
        assert path.stat().st_mode & 0o777 == 0o700
        for file in path.iterdir():
            assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o755, 0o770, 0o777, 0o1777])
@pytest.mark.parametrize("which", ["folder", "keys", "entry", "key"])
def test_what_others_can_look_into_is_not_believed(kept: Cache, which: str, mode: int) -> None:
    kept.write("a", b"x")
    path = {
        "folder": kept.folder,
        "keys": kept._keys,
        "entry": kept.folder / "a",
        "key": kept._keys / "cache.key",
    }[which]
    path.chmod(mode)
    fresh = Cache(kept.folder, kept._keys)
    assert fresh.read("a") is None
    if which != "entry":
        assert not fresh.write("a", b"y")


def test_links_are_not_followed(kept: Cache, tmp_path: Path) -> None:
    kept.write("a", b"x")
    link = tmp_path / "link"
    link.symlink_to(kept.folder)
    assert Cache(link, kept._keys).read("a") is None
    assert not Cache(link, kept._keys).usable()
    (kept.folder / "b").symlink_to(kept.folder / "a")
    assert kept.read("b") is None
    # Writing replaces a link, and leaves alone what it points to.
    target = tmp_path / "precious"
    target.write_bytes(b"mine")
    (kept.folder / "c").symlink_to(target)
    assert kept.write("c", b"y")
    assert target.read_bytes() == b"mine"
    assert kept.read("c") == b"y"


def test_somebody_elses_folder_is_not_believed(
    kept: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.write("a", b"x")
    monkeypatch.setattr(os, "geteuid", lambda: 123_456)
    assert Cache(kept.folder, kept._keys).read("a") is None
    assert not kept.write("a", b"y")


def test_an_entry_without_the_key_is_nothing(kept: Cache, tmp_path: Path) -> None:
    other(kept, tmp_path).write("a", b"forged")
    assert kept.read("a") is None
    assert kept.write("a", b"mine")
    assert kept.read("a") == b"mine"


def test_an_entry_under_another_name_is_nothing(kept: Cache) -> None:
    kept.write("a", b"x")
    os.rename(kept.folder / "a", kept.folder / "b")
    assert kept.read("b") is None


@pytest.mark.parametrize("change", ["cut", "flip", "empty", "longer", "head"])
def test_damaged_entries_are_nothing(kept: Cache, change: str) -> None:
    kept.write("a", b"x" * 100)
    path = kept.folder / "a"
    data = path.read_bytes()
    path.write_bytes(
        {
            "cut": data[:-1],
            "flip": data[:-1] + b"y",
            "empty": b"",
            "longer": data + b"x",
            "head": b"x" + data[1:],
        }[change]
    )
    assert kept.read("a") is None


def test_special_files_are_nothing(kept: Cache) -> None:
    kept.write("b", b"x")
    os.mkfifo(kept.folder / "a", 0o600)
    (kept.folder / "c").mkdir(mode=0o700)
    assert kept.read("a") is None
    assert kept.read("c") is None
    assert not kept.write("c", b"x")
    assert sorted(p.name for p in kept.folder.iterdir()) == ["a", "b", "c"]


def test_a_damaged_key_keeps_nothing(kept: Cache) -> None:
    kept.write("a", b"x")
    (kept._keys / "cache.key").write_bytes(b"short")
    fresh = Cache(kept.folder, kept._keys)
    assert fresh.read("a") is None
    assert not fresh.write("a", b"y")


def test_the_least_used_go_first(kept: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_ENTRIES", 3)
    for age, name in enumerate("abcd"):
        kept.write(name, b"x")
        os.utime(kept.folder / name, ns=(age, age))
    os.utime(kept.folder / "b", ns=(0, 0))
    assert kept.read("b") == b"x"  # and so was used last
    kept.write("e", b"x")
    assert sorted(p.name for p in kept.folder.iterdir()) == ["b", "d", "e"]


def test_the_folder_stays_within_its_size(kept: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_BYTES", 1000)
    for age, name in enumerate("abcd"):
        kept.write(name, b"x" * 300)
        os.utime(kept.folder / name, ns=(age, age))
    assert sum(p.stat().st_size for p in kept.folder.iterdir()) <= 1000
    assert kept.read("d") is not None


def test_too_large_an_entry_is_not_kept(kept: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_ENTRY", 2000)
    assert not kept.write("a", b"x" * 2000)
    assert kept.write("a", b"x" * 900)


# -- where -----------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    environ = {"HOME": str(tmp_path)}
    monkeypatch.setattr(cache, "_environ", environ)
    return environ


def test_a_library_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_environ", None)
    assert cache.current() is None


def test_where_things_are_kept(home: dict[str, str], tmp_path: Path) -> None:
    found = cache.current()
    assert found is not None
    assert found.folder == tmp_path / ".cache" / "adjudge"
    assert found._keys == tmp_path / ".local" / "state" / "adjudge"
    home["XDG_CACHE_HOME"] = str(tmp_path / "c")
    home["XDG_STATE_HOME"] = "relative"
    found = cache.current()
    assert found is not None
    assert found.folder == tmp_path / "c" / "adjudge"
    assert found._keys == tmp_path / ".local" / "state" / "adjudge"
    home["ADJUDGE_CACHE_DIR"] = str(tmp_path / "mine")
    found = cache.current()
    assert found is not None
    assert found.folder == tmp_path / "mine"


@pytest.mark.parametrize(
    "environ",
    [
        {"ADJUDGE_CACHE_DIR": "off"},
        {"CI": "true"},
        {"CI": "1"},
        {"HOME": ""},
        {"HOME": "/no/such/home"},
    ],
)
def test_when_nothing_is_kept(home: dict[str, str], environ: dict[str, str]) -> None:
    home.update(environ)
    assert cache.current() is None


def test_a_named_folder_counts_in_a_pipeline_too(home: dict[str, str], tmp_path: Path) -> None:
    home.update({"CI": "true", "ADJUDGE_CACHE_DIR": str(tmp_path / "mine")})
    assert cache.current() is not None


def test_a_named_folder_that_cannot_be_used_is_an_error(
    home: dict[str, str], tmp_path: Path
) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir(mode=0o755)
    file = tmp_path / "file"
    file.touch()
    for named in ("relative/folder", str(open_to_all), str(file)):
        home["ADJUDGE_CACHE_DIR"] = named
        with pytest.raises(InputError) as e:
            cache.current()
        assert e.value.code == "cache_dir_invalid"
