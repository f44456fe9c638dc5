"""The policies that come with adjudge: their folder, and the names of packs and collections."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from adjudge.errors import InputError

COLLECTIONS: Final = "collections"
"""The folder of collections in a folder of policies."""

FRAMEWORKS: Final = "frameworks"
"""The folder of frameworks of controls in a folder of policies."""

LIBRARY: Final = "lib"
"""The folder of modules that packs share; not a pack itself."""

SHOWN: Final = "adjudge/policies"
"""How the folder is called in messages and records, wherever it stands."""

_PACKAGE: Final = Path(__file__).resolve().parents[1]


def shipped_policies() -> Path:
    """The folder of the shipped policies: in a wheel beside the code, else in the checkout.

    Raises InputError ``shipped_policies_missing`` when there is neither.
    """
    folders = [_PACKAGE / "_policies"]
    checkout = _PACKAGE.parents[1]
    if _PACKAGE.parent.name == "engine" and (checkout / "pyproject.toml").is_file():
        folders.append(checkout / "policies")
    for folder in folders:
        if folder.is_dir():
            return folder
    raise InputError(
        "shipped_policies_missing",
        "the policies that come with adjudge are not installed",
        hint="install adjudge again, or name your own policies with --policies",
    )


def pack_names(root: Path | None = None) -> list[str]:
    """The packs in a folder of policies (the shipped one), sorted: its folders, without
    collections, frameworks and library."""
    root = root or shipped_policies()
    left_out = {COLLECTIONS, FRAMEWORKS, LIBRARY}
    return sorted(
        entry.name
        for entry in root.iterdir()
        if entry.is_dir() and entry.name not in left_out and not entry.name.startswith(".")
    )


def collection_names(root: Path | None = None) -> list[str]:
    """The collections in a folder of policies (the shipped one), sorted."""
    root = root or shipped_policies()
    return sorted(file.stem for file in (root / COLLECTIONS).glob("*.yaml"))
