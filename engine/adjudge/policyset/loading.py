"""Names, files and folders in, a :class:`PolicySet` out.

Every error of every file is reported together.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from adjudge.documents import registry
from adjudge.errors import AdjudgeError, ErrorList, InputError
from adjudge.policyset.collection import Collection, parse_collection
from adjudge.policyset.data import DataFile, load_data, merge_data, parse_data
from adjudge.policyset.files import (
    PolicyFile,
    digest_of_policy_files,
    find_files,
    parse_configuration,
    read_policy_file,
)
from adjudge.policyset.inputs import input_schemas
from adjudge.policyset.model import PolicySet, RuleSpec
from adjudge.policyset.places import Place, find_place
from adjudge.policyset.references import needed
from adjudge.policyset.rules import PolicySource, RuleReader
from adjudge.policyset.shipped import COLLECTIONS, SHOWN
from adjudge.rego.errors import RegoError, RegoErrors
from adjudge.rego.parser import parse_module
from adjudge.rego.syntax import Module
from adjudge.source import Location
from adjudge.version import __version__
from adjudge.yamlpolicy import DataPath, compile_policy


def load_policy_set(
    sources: Sequence[str | Path],
    *,
    data: Iterable[str | Path] = (),
    v0: bool = False,
    name: str | None = None,
    metadata_errors: Literal["raise", "keep"] = "raise",
) -> PolicySet:
    """The policies called ``sources``, in that order, as one set.

    A source is a folder, a file, or the name of a shipped collection or pack (``baseline``,
    ``pack:sbom``).  ``data`` are files and folders of base documents.  ``v0`` reads modules
    as Rego v0.  With ``metadata_errors`` kept, what is wrong with METADATA is among the lints:
    for looking at policies, not for judging by them.

    Raises InputError ``no_policies``, ``not_a_policy``, ``policies_not_found``,
    ``unknown_policies``; ErrorList (RegoErrors when all of it is about policies) with every
    error of every file.
    """
    if not sources:
        raise InputError("no_policies", "no policies were named", hint="--policies baseline")
    loader = _Loader(v0, keep=metadata_errors == "keep")
    for source in sources:
        loader.add(source)
    loader.raise_errors()
    return loader.finish(data, name)


@dataclass
class _Request:
    """One source: its place, the files found there, and what chooses among their rules."""

    place: Place
    files: list[PolicyFile] = field(default_factory=list)
    collection: Collection | None = None

    @property
    def whole(self) -> bool:
        """Whether everything that was found counts."""
        return self.collection is None and self.place.pack is None

    def choose(self, rules: Sequence[RuleSpec]) -> list[RuleSpec]:
        """The rules of this source that count."""
        mine = {file.shown for file in self.files}
        found = [rule for rule in rules if rule.location.file in mine]
        if self.place.pack is not None:
            found = [rule for rule in found if rule.pack == self.place.pack]
        return found if self.collection is None else self.collection.choose(found)


class _Loader:
    """One call of :func:`load_policy_set`."""

    def __init__(self, v0: bool, *, keep: bool) -> None:
        self.v0 = v0
        self.keep = keep
        self.requests: list[_Request] = []
        self.errors: list[AdjudgeError] = []
        self.lints: list[AdjudgeError] = []
        self.files: dict[str, PolicyFile] = {}
        self.texts: dict[str, str] = {}
        self.policies: dict[str, PolicySource] = {}
        self.tests: dict[str, Module] = {}
        self.data: list[DataFile] = []
        self.data_paths: list[DataPath] = []
        self.revisions: list[str] = []
        self._known: dict[str, PolicyFile] = {}
        self._roots: dict[str, Path] = {}

    # -- finding -----------------------------------------------------------------------------

    def add(self, source: str | Path) -> None:
        """Find, read and parse what one source names."""
        try:
            place = self._apart(_with_collection(find_place(source)))
        except AdjudgeError as error:
            self.errors.extend(error.errors if isinstance(error, ErrorList) else [error])
            return
        request = _Request(place)
        self.requests.append(request)
        if place.collection is not None:
            self._collection(request, place.collection)
        before = len(self.errors)
        found = find_files(place)
        self.errors += found.errors
        self.lints += found.skipped
        for file, text in found.files:
            request.files.append(self._take(place, file, text))
        if len(self.errors) == before:
            self.errors += _no_policies(request, [lint.message for lint in found.skipped])
        if place.shown == SHOWN and __version__ not in self.revisions:
            self.revisions.append(__version__)

    def _apart(self, place: Place) -> Place:
        """The place, called by its whole path when another already has its name."""
        known = self._roots.setdefault(place.shown, place.root)
        return place if known == place.root else replace(place, shown=str(place.root))

    def _collection(self, request: _Request, relative: str) -> None:
        try:
            file, text = read_policy_file(request.place, relative, "collection")
            request.collection = parse_collection(text, file.shown)
        except ErrorList as errors:
            self.errors += errors.errors
        except InputError as error:
            self.errors.append(error)
        else:
            self.files[file.shown] = file
            self.texts[file.shown] = text

    # -- parsing -----------------------------------------------------------------------------

    def _take(self, place: Place, file: PolicyFile, text: str) -> PolicyFile:
        """Parse a file, once however many sources it belongs to."""
        real = os.path.join(place.root, file.path)
        known = self._known.get(real)
        if known is not None:
            return known
        self._known[real] = self.files[file.shown] = file
        self.texts[file.shown] = text
        try:
            self._parse(file, text)
        except ErrorList as errors:
            self.errors += errors.errors
        except InputError as error:
            self.errors.append(error)
        return file

    def _parse(self, file: PolicyFile, text: str) -> None:
        if file.role == "rego":
            module = parse_module(text, file.shown, 0 if self.v0 else 1)
            self.policies[file.shown] = PolicySource(module, file.pack)
        elif file.role == "test":
            self.tests[file.shown] = parse_module(text, file.shown, 0 if self.v0 else 1)
        elif file.role == "yaml":
            compiled = compile_policy(text, file.shown, input_schemas())
            self._check_package(compiled.module)
            self.policies[file.shown] = PolicySource(compiled.module, file.pack)
            self.data_paths += compiled.data_paths
            self.lints += compiled.warnings
        elif file.role == "data":
            self.data.append(parse_data(file, text))
        elif file.role == "manifest":
            revision = _revision(file, text)
            self.revisions += [revision] if revision else []

    def _check_package(self, module: Module) -> None:
        """A YAML policy has its package to itself: helper rules of two would be one rule."""
        for source in self.policies.values():
            if source.module.package == module.package:
                self.errors.append(
                    InputError(
                        "policy_id_twice",
                        f"{source.module.file} has the same id, or one that only differs in"
                        " case or punctuation",
                        location=Location(module.file, 1, 1),
                        hint="give each policy an id of its own",
                    )
                )

    # -- the result --------------------------------------------------------------------------

    def raise_errors(self) -> None:
        """Raise what was found wrong, all of it."""
        if not self.errors:
            return
        if len(self.errors) == 1:
            raise self.errors[0]
        about_policies = all(isinstance(e, RegoError) for e in self.errors)
        raise RegoErrors(self.errors) if about_policies else ErrorList(self.errors)

    def finish(self, data: Iterable[str | Path], name: str | None) -> PolicySet:
        """The policy set, once all sources were added without an error."""
        given = load_data(data, self.errors)
        merged = merge_data([*self.data, *given], self.errors)
        reader = RuleReader(list(self.policies.values()), registry.KINDS)
        rules = reader.read()
        if self.keep:
            self.lints += reader.errors
        else:
            self.errors += reader.errors
        self.lints += reader.lints
        self.raise_errors()
        chosen = self._choose(rules)
        kept = self._kept(chosen)
        files = [f for f in self.files.values() if f.shown in kept or f.role in _ALWAYS]
        modules = [p.module for p in self.policies.values() if p.module.file in kept]
        self._check_data(merged, modules)
        names = [r.collection.name if r.collection else r.place.name for r in self.requests]
        return PolicySet(
            name=name or "+".join(dict.fromkeys(names)),
            digest=digest_of_policy_files(files),
            revision="+".join(self.revisions) or None,
            packs=tuple(sorted({rule.pack for rule in chosen})),
            modules=tuple(modules),
            test_modules=tuple(m for file, m in self.tests.items() if file in kept),
            data=merged,
            rules=tuple(chosen),
            files=tuple(sorted(files, key=lambda f: f.shown)),
            data_files=tuple(item.file for item in given),
            lints=tuple(
                lint
                for lint in self.lints
                if lint.location is None
                or lint.location.file in kept
                or lint.code == "policy_file_skipped"
            ),
            texts={f.shown: self.texts[f.shown] for f in files},
            v0=self.v0,
        )

    def _choose(self, rules: Sequence[RuleSpec]) -> list[RuleSpec]:
        """The rules that count for any source; a later source decides on the severity."""
        chosen: dict[Location, RuleSpec] = {}
        for request in self.requests:
            mine = request.choose(rules)
            if not mine and not request.whole:
                shown = request.place.collection or request.place.name
                raise InputError("no_policies", f"{shown} chooses no rules")
            chosen.update((rule.location, rule) for rule in mine)
        return [chosen[rule.location] for rule in rules if rule.location in chosen]

    def _kept(self, chosen: Sequence[RuleSpec]) -> set[str]:
        """The files that take part: all of a whole source, else those of the chosen rules,
        what they refer to, and the tests beside them."""
        kept: set[str] = set()
        for request in self.requests:
            mine = {file.shown for file in request.files}
            if request.whole:
                kept |= mine
                continue
            modules = [p.module for f, p in self.policies.items() if f in mine]
            wanted = {rule.location.file for rule in chosen} & mine
            part = {m.file for m in needed(modules, [m for m in modules if m.file in wanted])}
            stems = {os.path.splitext(file)[0] + "_test.rego" for file in part}
            kept |= part | (stems & mine)
        return kept

    def _check_data(self, data: object, modules: Sequence[Module]) -> None:
        """Doubts about paths of ``data`` that YAML policies read and nothing provides."""
        packages = [m.package for m in modules]
        for path in self.data_paths:
            steps = tuple(str(s) for s in path.steps)
            if any(p[: len(steps)] == steps or steps[: len(p)] == p for p in packages):
                continue
            if not _provided(data, path.steps):
                name = ".".join(("data", *steps))
                self.lints.append(
                    AdjudgeError(
                        "policy_data_missing",
                        f"the policy reads {name}, which no data file provides",
                        location=path.location,
                        hint="name the file with --data, or put a data.yaml beside the policies",
                    )
                )


_ALWAYS: Final = ("data", "collection", "manifest")
"""Files that take part whichever rules are chosen."""


def _with_collection(place: Place) -> Place:
    """For a single file that is a collection: the folder of policies it chooses from."""
    if place.collection is not None or place.starts == (".",) or place.pack is not None:
        return place
    (relative,) = place.starts
    if not relative.endswith((".yaml", ".yml")) or place.source(relative).type() != "file":
        return place
    file, text = read_policy_file(place, relative, "collection")
    try:
        value = parse_configuration(text, file.shown).value
    except InputError:
        return place  # reported when it is read as a policy
    if not isinstance(value, dict) or value.get("kind") != "Collection":
        return place
    if place.root.name != COLLECTIONS:
        return replace(place, starts=(".",), collection=relative)
    shown = place.shown.rpartition("/")[0]
    above = place.root.parent
    return Place(above, shown, above.name, collection=f"{COLLECTIONS}/{relative}")


def _no_policies(request: _Request, skipped: Sequence[str]) -> list[AdjudgeError]:
    """A source that holds no policies is a mistake, never a pass."""
    if any(f.role in ("rego", "yaml") for f in request.files):
        return []
    place = request.place
    single = place.starts != (".",) and place.pack is None
    shown = (place.shown_as(place.starts[0]) if single else place.shown) or "."
    what = "only tests, " if any(f.role == "test" for f in request.files) else ""
    hint = "policies are .rego files, and YAML or JSON files with kind: Policy"
    return [
        InputError(
            "not_a_policy" if single else "no_policies",
            f"{shown} is not a policy" if single else f"{shown} holds {what}no policies",
            location=Location(shown, 1, 1),
            hint=skipped[0] if skipped else hint,
        )
    ]


def _revision(file: PolicyFile, text: str) -> str | None:
    """The revision in the manifest of an OPA bundle."""
    value = parse_configuration(text, file.shown).value
    revision = value.get("revision", "") if isinstance(value, dict) else None
    if not isinstance(revision, str):
        raise InputError(
            "policy_manifest_invalid",
            f"{file.shown} is not the manifest of a bundle",
            location=Location(file.shown, 1, 1),
            hint='it is an object with a text "revision"',
        )
    return revision or None


def _provided(data: Any, steps: Sequence[str | int]) -> bool:
    try:
        for step in steps:
            data = data[step]
    except (KeyError, IndexError, TypeError):
        return False
    return True
