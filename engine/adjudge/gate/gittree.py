"""A commit and a path in, a copy of what stood there out.

For policies and waivers that must not come from the change under judgement.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from adjudge.errors import InputError, UsageError
from adjudge.gate.gitcontext import GitError, Repository, find_work_tree

MAX_FILES = 5_000
MAX_FILE_BYTES = 64 * 1024 * 1024
_FETCH_TIMEOUT_S = 120
_REGULAR = ("100644", "100755")


def export_tree(folder: Path, ref: str, path: str, target: Path) -> None:
    """Write the files at ``path`` (relative to ``folder``) of commit ``ref`` below ``target``.

    Raises UsageError ``git_ref_unknown``, InputError ``trusted_path_missing``,
    ``trusted_path_unsafe`` (links, submodules), ``trusted_tree_too_large``, ``git_failed``.
    """
    try:
        repository = Repository(find_work_tree(folder))
        repository.open()
        commit = repository.commit(ref)
        if commit is None:
            _fetch(repository.work_tree, ref)
            commit = repository.commit(ref) or repository.commit("FETCH_HEAD")
        if commit is None:
            raise UsageError(
                "git_ref_unknown",
                f"there is no commit {ref[:100]!r} here, and fetching it failed",
                hint="check out with fetch-depth: 0",
            )
        _export(repository, commit, folder, path, target)
    except GitError as error:
        raise InputError("git_failed", error.message) from None


def _fetch(work_tree: str, ref: str) -> None:
    """Ask the remote for one commit; checkouts in CI are shallow.

    The runner's own configuration counts here: it made the checkout and holds the token.
    """
    if ref.startswith("-"):
        return
    try:
        subprocess.run(  # noqa: S603 - git, with a ref that cannot be an option
            ["git", "fetch", "--quiet", "--no-tags", "--depth=1", "origin", "--", ref],  # noqa: S607
            cwd=work_tree,
            capture_output=True,
            timeout=_FETCH_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        pass


def _export(
    repository: Repository, commit: str, folder: Path, path: str, target: Path
) -> None:
    prefix = os.path.relpath(os.path.realpath(folder), os.path.realpath(repository.work_tree))
    inside = os.path.normpath(os.path.join(prefix, path))
    listing = repository.run("ls-tree", "-r", "-z", "-l", commit, "--", inside)
    entries = [e for e in listing.split("\0") if e]
    if not entries:
        raise InputError(
            "trusted_path_missing",
            f"{path} does not exist at {commit[:12]}",
            hint="policies that judge a change must be on its base; merge them first",
        )
    if len(entries) > MAX_FILES:
        raise InputError("trusted_tree_too_large", f"{path} holds {len(entries)} files")
    for entry in entries:
        meta, _, name = entry.partition("\t")
        mode, kind, blob, size = meta.split()
        if kind != "blob" or mode not in _REGULAR:
            raise InputError(
                "trusted_path_unsafe",
                f"{name} is no regular file at {commit[:12]}",
                hint="policies and waivers must be regular files",
            )
        if int(size) > MAX_FILE_BYTES:
            raise InputError("trusted_tree_too_large", f"{name} is {size} bytes")
        relative = os.path.relpath(name, prefix)
        place = target / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        content = repository.run("cat-file", "blob", blob)
        place.write_bytes(content.encode("utf-8", "surrogateescape"))
