"""A dataset record in, as a document with one form of facts out.

Croissant 1.0 and 1.1 (JSON-LD, with the RAI vocabulary 1.0), and the dataset packages of SPDX 3.
The JSON-LD is read as it is usually written, with or without prefixes; no context is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from adjudge.documents.facts import number_of, text_of, texts_of
from adjudge.documents.json_object import JsonObject, read_object
from adjudge.documents.model import DEFAULT_LIMITS, Document, Limits, Origin, Problem, join
from adjudge.documents.model_card_facts import spdx_of
from adjudge.documents.reading import Source
from adjudge.documents.spdx3 import Graph, is_spdx3
from adjudge.errors import InputError

KIND: Final = "dataset"
MAX_FILES: Final = 10_000
"""Files of one record."""
_MAX_FIELDS: Final = 1000

_CONFORMS: Final = re.compile(r"mlcommons\.org/croissant/(\d+\.\d+)\Z")
_PREFIXES: Final = (
    "",
    "sc:",
    "schema:",
    "cr:",
    "dct:",
    "https://schema.org/",
    "http://schema.org/",
)
_RAI: Final = {
    "collection": "dataCollection",
    "collection_type": "dataCollectionType",
    "collection_missing": "dataCollectionMissingData",
    "collection_raw": "dataCollectionRawData",
    "preprocessing": "dataPreprocessingProtocol",
    "imputation": "dataImputationProtocol",
    "manipulation": "dataManipulationProtocol",
    "annotation": "dataAnnotationProtocol",
    "annotation_platform": "dataAnnotationPlatform",
    "annotation_analysis": "dataAnnotationAnalysis",
    "annotators": "annotatorDemographics",
    "biases": "dataBiases",
    "limitations": "dataLimitations",
    "use_cases": "dataUseCases",
    "social_impact": "dataSocialImpact",
    "sensitive": "personalSensitiveInformation",
    "maintenance": "dataReleaseMaintenancePlan",
}
"""Facts by the terms of the RAI vocabulary that state them."""

Fields = Mapping[str, Any]


def load(source: Source, limits: Limits = DEFAULT_LIMITS) -> Document:
    """The record at ``source``; digests of files that stand beside it are compared.

    Raises InputError ``dataset_unknown_format`` and those of :func:`read_object`.
    """
    found = read_object(source, limits)
    if is_croissant(found.value):
        return _Croissant(found).document()
    if is_spdx3(found.value):
        graph = Graph(found.value)
        package = next(graph.of_type("dataset_DatasetPackage"), None)
        if package is not None:
            facts = _spdx(graph, package.value)
            origins: dict[str, Origin] = {f"/{key}": package.pointer for key in facts}
            return found.document(KIND, facts, origins=origins)
    raise source.error(
        "dataset_unknown_format",
        f"{source.shown} is neither a Croissant record nor SPDX 3 with a dataset package",
        hint="Croissant says conformsTo http://mlcommons.org/croissant/1.0",
    )


def is_croissant(value: Any) -> bool:
    """Whether a JSON value is a Croissant record."""
    if not isinstance(value, Mapping):
        return False
    stated = texts_of(_get(value, "conformsTo"))
    return any(_CONFORMS.search(t.rstrip("/")) for t in stated)


def _get(value: Fields, term: str) -> Any:
    """A term, whatever prefix it is written with; references and values by what they hold."""
    for prefix in _PREFIXES:
        if prefix + term in value:
            return _plain(value[prefix + term])
    return None


def _plain(value: Any) -> Any:
    """JSON-LD's ways to write a value: ``@value``, ``@id``, and lists of them."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping) and "@value" in value:
        return value["@value"]
    if isinstance(value, Mapping) and set(value) == {"@id"}:
        return value["@id"]
    return value


def _empty(name: str) -> dict[str, Any]:
    return {
        "format": name,
        "licenses": [],
        "license_ids": [],
        "creators": [],
        "files": [],
        "record_sets": [],
        "responsible": {},
    }


def _licensed(facts: dict[str, Any], stated: list[str]) -> None:
    """Licences as written, and their SPDX ids; addresses of Creative Commons and SPDX are known."""
    facts["licenses"] = stated
    ids = [_license_id(text) for text in stated]
    facts["license_ids"] = list(dict.fromkeys(i for i in ids if i))


_CC: Final = re.compile(r"creativecommons\.org/(?:licenses/([a-z-]+)|publicdomain/(zero))/(\d\.\d)")


def _license_id(text: str) -> str | None:
    found = _CC.search(text.lower())
    if found:
        return f"CC0-{found[3]}" if found[2] else f"CC-{found[1].upper()}-{found[3]}"
    last = text.rstrip("/").rpartition("/")[2].removesuffix(".html")
    return spdx_of(last) or (last if re.fullmatch(r"[A-Za-z0-9.+-]+-\d[\w.-]*", last) else None)


# --- Croissant ----------------------------------------------------------------------------------


class _Croissant:
    """Reads one record."""

    def __init__(self, found: JsonObject) -> None:
        self.found = found
        self.facts = _empty("croissant")
        self.problems: list[Problem] = []
        self.origins: dict[str, Origin] = {}

    def document(self) -> Document:
        """The record with its facts."""
        value, facts = self.found.value, self.facts
        for fact, term in (
            ("name", "name"),
            ("description", "description"),
            ("url", "url"),
            ("version", "version"),
            ("published", "datePublished"),
            ("cite_as", "citeAs"),
            ("citation", "citation"),
        ):
            self.put(fact, term, text_of(_get(value, term)))
        conforms = [
            m[1]
            for t in texts_of(_get(value, "conformsTo"))
            if (m := _CONFORMS.search(t.rstrip("/")))
        ]
        facts["format_version"] = conforms[0]
        _licensed(facts, _names(_get(value, "license")))
        facts["creators"] = _names(_get(value, "creator"))
        live = _get(value, "isLiveDataset")
        if isinstance(live, bool):
            facts["live"] = live
        self._responsible(value)
        self._distribution(value)
        self._record_sets(value)
        files = facts["files"]
        without = sum("sha256" not in f for f in files if f["type"] == "file")
        facts["counts"] = {
            "files": sum(f["type"] == "file" for f in files),
            "without_sha256": without,
            "checked": sum("digest_matches" in f for f in files),
            "differing": sum(f.get("digest_matches") is False for f in files),
        }
        for key in ("name", "license", "description", "url"):
            if not _get(value, key):
                self.problem("dataset_field_missing", f"the record has no {key}", "", warning=True)
        return self.found.document(KIND, facts, self.problems, self.origins)

    def put(self, fact: str, term: str, text: str) -> None:
        """A fact from a member of the record."""
        if text:
            self.facts[fact] = text
            member = next((p + term for p in _PREFIXES if p + term in self.found.value), term)
            self.origins[f"/{fact}"] = join("", member)

    def problem(self, code: str, message: str, pointer: str, *, warning: bool = False) -> None:
        """Note something wrong, up to a thousand times."""
        if len(self.problems) < 1000:
            severity: Any = "warning" if warning else "error"
            self.problems.append(Problem(code, message, pointer, severity))

    def _responsible(self, value: Fields) -> None:
        """What the RAI vocabulary says."""
        for fact, term in _RAI.items():
            for key in (f"rai:{term}", f"http://mlcommons.org/croissant/RAI/{term}"):
                said = texts_of(_plain(value.get(key)))
                if said:
                    self.facts["responsible"][fact] = said
                    self.origins[f"/responsible/{fact}"] = join("", key)

    def _distribution(self, value: Fields) -> None:
        member = next((p + "distribution" for p in _PREFIXES if p + "distribution" in value), "")
        listed = value.get(member)
        items = listed if isinstance(listed, list) else [listed] if listed else []
        if len(items) > MAX_FILES:
            self.problem("too_many_files", f"the record names {len(items)} files", "")
        for index, item in enumerate(items[:MAX_FILES]):
            if isinstance(item, Mapping):
                at = join("", member, index) if isinstance(listed, list) else join("", member)
                self.origins[f"/files/{len(self.facts['files'])}"] = at
                self.facts["files"].append(self._file(item, at))

    def _file(self, item: Fields, at: str) -> dict[str, Any]:
        kind = text_of(item.get("@type")).rpartition(":")[2].rpartition("/")[2]
        entry: dict[str, Any] = {"type": "file_set" if kind == "FileSet" else "file"}
        for fact, term in (
            ("name", "name"),
            ("url", "contentUrl"),
            ("encoding_format", "encodingFormat"),
            ("content_size", "contentSize"),
            ("includes", "includes"),
        ):
            text = text_of(_get(item, term))
            if text:
                entry[fact] = text
        name = text_of(item.get("@id"))
        entry.setdefault("name", name or text_of(_get(item, "contentUrl")))
        inside = texts_of(_get(item, "containedIn"))
        if inside:
            entry["contained_in"] = inside
        for algorithm, length in (("sha256", 64), ("md5", 32)):
            stated = text_of(_get(item, algorithm)).lower()
            if re.fullmatch(f"[0-9a-f]{{{length}}}", stated):
                entry[algorithm] = stated
            elif stated:
                message = f"the {algorithm} of {entry['name'][:80]} is none"
                self.problem("dataset_digest_invalid", message, "/document" + at)
        if entry["type"] == "file" and "sha256" in entry:
            self._compare(entry, at)
        return entry

    def _compare(self, entry: dict[str, Any], at: str) -> None:
        """Compare the digest of a file that stands beside the record."""
        url = entry.get("url", "")
        if not url or ":" in url or url.startswith("/"):
            return
        source = self.found.source.sibling(url.removeprefix("./"))
        try:
            if source.type() != "file":
                return
            entry["digest_matches"] = source.digest().sha256 == entry["sha256"]
        except InputError as error:
            self.problem(error.code, error.message, "/document" + at)
            return
        if not entry["digest_matches"]:
            message = f"{source.shown} has not the digest that the record states"
            self.problem("dataset_file_differs", message, "/document" + at)

    def _record_sets(self, value: Fields) -> None:
        for item in _objects(_get(value, "recordSet")):
            fields = _names(_get(item, "field"))
            self.facts["record_sets"].append({"name": _label(item), "fields": fields})
            if len(self.facts["record_sets"]) >= _MAX_FIELDS:
                return


def _objects(value: Any) -> Iterator[Fields]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            yield item


def _label(item: Fields) -> str:
    return text_of(_get(item, "name")) or text_of(item.get("@id"))


def _names(value: Any) -> list[str]:
    """People, organisations or licences: texts, or objects with a name or an address."""
    found = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            found.append(_label(item) or text_of(_get(item, "url")))
        else:
            found.append(text_of(item))
    return [name for name in found if name][:_MAX_FIELDS]


# --- SPDX 3 -------------------------------------------------------------------------------------

_SENSITIVE: Final = {"yes": "yes", "no": "no"}


def _spdx(graph: Graph, package: Fields) -> dict[str, Any]:
    facts = _empty("spdx") | {"format_version": "3.0"}
    for fact, key in (
        ("name", "name"),
        ("description", "description"),
        ("version", "software_packageVersion"),
        ("url", "software_downloadLocation"),
        ("published", "releaseTime"),
        ("confidentiality", "dataset_confidentialityLevel"),
        ("availability", "dataset_datasetAvailability"),
    ):
        text = text_of(package.get(key))
        if text:
            facts[fact] = text
    size = number_of(package.get("dataset_datasetSize"))
    if size is not None:
        facts["size"] = size
    _licensed(facts, graph.licenses(package))
    agents = [graph.element(r) for r in texts_of(package.get("originatedBy"))]
    facts["creators"] = [text_of(a.value.get("name")) for a in agents if a is not None]
    for fact, key in (
        ("collection", "dataset_dataCollectionProcess"),
        ("collection_type", "dataset_datasetType"),
        ("preprocessing", "dataset_dataPreprocessing"),
        ("biases", "dataset_knownBias"),
        ("limitations", "dataset_datasetNoise"),
        ("use_cases", "dataset_intendedUse"),
        ("maintenance", "dataset_datasetUpdateMechanism"),
        ("anonymisation", "dataset_anonymizationMethodUsed"),
    ):
        said = texts_of(package.get(key))
        if said:
            facts["responsible"][fact] = said
    stated = text_of(package.get("dataset_hasSensitivePersonalInformation"))
    if stated:
        facts["sensitive_personal_information"] = _SENSITIVE.get(stated, "noAssertion")
    facts["counts"] = {"files": 0, "without_sha256": 0, "checked": 0, "differing": 0}
    return facts
