"""Dataset records: Croissant and SPDX 3 in one form, digests compared, odd files read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adjudge.documents import registry
from adjudge.documents.detect import kind_of_file
from adjudge.documents.model import Document
from adjudge.documents.reading import Source
from adjudge.errors import InputError

ROWS = b"a,b\n1,2\n"
RECORD: dict[str, Any] = {
    "@context": {"@language": "en", "@vocab": "https://schema.org/"},
    "@type": "sc:Dataset",
    "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
    "name": "reviews",
    "description": "Product reviews",
    "license": "https://creativecommons.org/licenses/by-sa/4.0/",
    "url": "https://data.example/reviews",
    "creator": [{"@type": "Person", "name": "Ada"}, "Acme"],
    "datePublished": "2026-01-01",
    "version": "1.0.0",
    "citeAs": "@misc{x}",
    "isLiveDataset": False,
    "distribution": [
        {
            "@type": "cr:FileObject",
            "@id": "rows",
            "name": "rows.csv",
            "contentUrl": "rows.csv",
            "encodingFormat": "text/csv",
            "sha256": hashlib.sha256(ROWS).hexdigest(),
        },
        {"@type": "cr:FileObject", "@id": "zip", "contentUrl": "https://d.example/a.zip"},
        {"@type": "cr:FileSet", "@id": "set", "containedIn": {"@id": "zip"}, "includes": "*.jpg"},
    ],
    "recordSet": [{"@type": "cr:RecordSet", "name": "r", "field": [{"name": "a"}, {"@id": "r/b"}]}],
    "rai:dataCollection": "Crawled from shops",
    "rai:dataBiases": ["English only", "few old people"],
    "rai:personalSensitiveInformation": "none",
}

Write = Callable[[Mapping[str, "str | bytes"]], Path]


def load(root: Path, name: str = "d.json") -> Document:
    document = registry.load("dataset", Source(root, name))
    jsonschema.validate(document.facts, registry.kind_of("dataset").schema())
    return document


def test_croissant(tree: Write) -> None:
    root = tree({"d.json": json.dumps(RECORD, indent=1), "rows.csv": ROWS})
    document = load(root)
    facts = document.facts
    assert document.problems == []
    assert facts["format"] == "croissant"
    assert facts["format_version"] == "1.0"
    assert (facts["name"], facts["version"], facts["published"]) == (
        "reviews",
        "1.0.0",
        "2026-01-01",
    )
    assert facts["license_ids"] == ["CC-BY-SA-4.0"]
    assert facts["creators"] == ["Ada", "Acme"]
    assert facts["live"] is False
    assert facts["files"][0]["digest_matches"]
    assert facts["files"][1] == {"type": "file", "name": "zip", "url": "https://d.example/a.zip"}
    assert facts["files"][2]["contained_in"] == ["zip"]
    assert facts["counts"] == {"files": 2, "without_sha256": 1, "checked": 1, "differing": 0}
    assert facts["record_sets"] == [{"name": "r", "fields": ["a", "r/b"]}]
    assert facts["responsible"]["biases"] == ["English only", "few old people"]
    assert facts["responsible"]["collection"] == ["Crawled from shops"]
    place = document.locate("/facts/files/1/url")
    assert place is not None
    assert place.line > document.locate("/facts/name").line  # type: ignore[union-attr]


def test_croissant_with_prefixes(tree: Write) -> None:
    record = {
        "@type": "https://schema.org/Dataset",
        "dct:conformsTo": {"@id": "http://mlcommons.org/croissant/1.1"},
        "sc:name": {"@value": "x", "@language": "en"},
        "sc:license": [{"@type": "CreativeWork", "url": "https://spdx.org/licenses/MIT.html"}],
        "schema:distribution": {"@type": "cr:FileObject", "sc:contentUrl": "a", "sc:md5": "0" * 32},
    }
    facts = load(tree({"d.json": json.dumps(record)})).facts
    assert facts["format_version"] == "1.1"
    assert facts["name"] == "x"
    assert facts["license_ids"] == ["MIT"]
    assert facts["files"][0]["md5"] == "0" * 32


def test_file_that_differs(tree: Write) -> None:
    document = load(tree({"d.json": json.dumps(RECORD), "rows.csv": b"other"}))
    assert [p.code for p in document.problems] == ["dataset_file_differs"]
    assert document.facts["files"][0]["digest_matches"] is False
    assert document.facts["counts"]["differing"] == 1


@pytest.mark.parametrize("url", ["../rows.csv", "a/../../rows.csv", "link", "/etc/passwd", "sub"])
def test_files_elsewhere_are_not_read(url: str, tree: Write, tmp_path: Path) -> None:
    record = json.loads(json.dumps(RECORD))
    record["distribution"][0]["contentUrl"] = url
    root = tree({"release/d.json": json.dumps(record), "rows.csv": ROWS, "release/sub/x": ""})
    (root / "release/link").symlink_to("../rows.csv")
    facts = load(root / "release").facts
    assert "digest_matches" not in facts["files"][0]


def test_digest_that_is_none_and_missing_fields(tree: Write) -> None:
    record = {
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "distribution": [{"@type": "cr:FileObject", "sha256": "zz"}],
    }
    document = load(tree({"d.json": json.dumps(record)}))
    codes = [p.code for p in document.problems]
    assert codes.count("dataset_digest_invalid") == 1
    assert codes.count("dataset_field_missing") == 4


def test_spdx(shared_data: Path) -> None:
    facts = load(shared_data, "spdx3/ai-example02.spdx3.json").facts
    assert facts["format"] == "spdx"
    assert facts["name"] == "Data after preprocessing"
    assert facts["license_ids"] == ["CC0-1.0"]
    assert facts["size"] == 117553
    assert facts["availability"] == "directDownload"


def test_spdx_on_people(tree: Write) -> None:
    package = {
        "type": "dataset_DatasetPackage",
        "spdxId": "d",
        "name": "n",
        "dataset_hasSensitivePersonalInformation": "yes",
        "dataset_knownBias": ["b"],
        "dataset_dataCollectionProcess": "p",
    }
    record = {"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [package, 5]}
    facts = load(tree({"d.json": json.dumps(record)})).facts
    assert facts["sensitive_personal_information"] == "yes"
    assert facts["responsible"] == {"biases": ["b"], "collection": ["p"]}


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[]",
        '{"conformsTo": "http://x/croissant/1.0"}',
        '{"@context": "spdx.org/rdf/3", "@graph": []}',
    ],
)
def test_other_files(content: str, tree: Write) -> None:
    with pytest.raises(InputError) as caught:
        load(tree({"d.json": content}))
    assert caught.value.code in ("dataset_unknown_format", "not_an_object")


def test_detected(tree: Write) -> None:
    sbom = {"bomFormat": "CycloneDX", "x": "see http://mlcommons.org/croissant/1.0"}
    root = tree(
        {
            "d.json": json.dumps(RECORD),
            "croissant.jsonld": json.dumps(RECORD),
            "b.json": json.dumps(sbom),
        }
    )
    kinds = {n: kind_of_file(Source(root, n)) for n in ("d.json", "croissant.jsonld", "b.json")}
    assert {n: k.kind for n, k in kinds.items() if k} == {
        "d.json": "dataset",
        "croissant.jsonld": "dataset",
        "b.json": "sbom",
    }


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["@type", "@id", "@value", "name", "contentUrl", "sha256", "field"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(values=st.lists(VALUES, min_size=len(RECORD), max_size=len(RECORD)))
def test_any_record_is_read(values: list[Any], tmp_path: Path) -> None:
    record = dict(zip(RECORD, values, strict=True)) | {"conformsTo": RECORD["conformsTo"]}
    (tmp_path / "d.json").write_text(json.dumps(record))
    load(tmp_path)


def test_the_page_names_every_fact() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/reference/documents/dataset.md").read_text()
    schema = registry.kind_of("dataset").schema()
    responsible = schema["properties"]["responsible"]["properties"]
    assert {f for f in [*schema["properties"], *responsible] if f"`{f}`" not in page} == set()
