"""A Rego code base of any size, with tests, made the same way every time.

Every package holds rules of different shapes and ten tests of different shapes.  Of each
hundred tests a few fail, one has an error, one is still to be done and one prints.
"""

from __future__ import annotations

import json
from pathlib import Path

_POLICY = """\
# METADATA
# title: Workloads of team {n}
# description: What team {n} may run, and where.
package team{n}.workloads

import data.lib.text
import data.limits.team{n} as limits

default allow := false

allow if {{
	count(deny) == 0
	input.request.kind in limits.kinds
}}

deny contains msg if {{
	some container in input.request.containers
	not trusted(container.image)
	msg := sprintf("%s comes from %s", [container.name, registry(container.image)])
}}

deny contains msg if {{
	some container in input.request.containers
	container.memory > limits.memory
	msg := sprintf("%s wants %d MiB", [container.name, container.memory])
}}

deny contains msg if {{
	wanted := {{label | some label in limits.labels}}
	missing := wanted - {{label | some label, _ in input.request.labels}}
	some label in missing
	msg := text.quoted(label)
}}

deny contains "two containers share a name" if {{
	some i, j
	input.request.containers[i].name == input.request.containers[j].name
	i < j
}}

trusted(image) if {{
	some known in limits.registries
	startswith(image, concat("", [known, "/"]))
}}

registry(image) := split(image, "/")[0] if contains(image, "/")

registry(image) := "a default registry" if not contains(image, "/")

level := "high" if {{
	count(deny) > {high}
}} else := "low" if {{
	count(deny) > 0
}} else := "none"

by_name[container.name] := container.memory if {{
	some container in input.request.containers
}}

all_named if {{
	every container in input.request.containers {{
		container.name != ""
		lower(container.name) == container.name
	}}
}}

total := sum([memory | some memory in by_name])
"""

_LIB = """\
package lib.text

quoted(s) := sprintf("%q", [s])

words(s) := [word | some word in split(trim_space(s), " "); word != ""]
"""

_TEST = """\
package team{n}.workloads_test

import data.team{n}.workloads

good := {{"request": {{
	"kind": "Pod",
	"labels": {{"app": "a", "owner": "b"}},
	"containers": [{{"name": "web", "image": "registry.team{n}/web:1", "memory": 64}}],
}}}}

with_image(image) := json.patch(good, [{{
	"op": "replace",
	"path": "/request/containers/0/image",
	"value": image,
}}])

test_good_is_allowed if workloads.allow with input as good

test_unknown_registry if {{
	found := workloads.deny with input as with_image("elsewhere/web")
	found == {{"web comes from elsewhere"}}
}}

test_no_registry if {{
	workloads.deny with input as with_image("web") == {{"web comes from a default registry"}}
}}

test_memory if {{
	path := "/request/containers/0/memory"
	big := json.patch(good, [{{"op": "replace", "path": path, "value": 999}}])
	some msg in workloads.deny with input as big
	contains(msg, "999 MiB")
}}

test_labels if {{
	count(workloads.deny) == 2 with input as json.remove(good, ["request/labels"])
}}

test_level[case.note] if {{
	some case in [
		{{"note": "good", "image": "registry.team{n}/a", "want": "none"}},
		{{"note": "bad", "image": "other/a", "want": "low"}},
	]
	workloads.level == case.want with input as with_image(case.image)
}}

test_total if workloads.total == 64 with input as good

test_all_named if {{
	workloads.all_named with input as good
	not workloads.all_named with input as {{"request": {{"containers": [{{"name": "A"}}]}}}}
}}

test_mocked if {{
	workloads.allow with input as with_image("anything") with workloads.trusted as true
}}
"""

_LAST = {
    0: "test_last if workloads.total == 63 with input as good\n",
    1: 'test_last if {\n\tx := {"k": v | some v in [1, 2]}\n\tx == {}\n}\n',
    2: "todo_test_last if false\n",
    3: 'test_last if {\n\tx := workloads.total with input as good\n\tprint("total", x)\n}\n',
}


def write_corpus(root: Path, packages: int) -> None:
    """Write ``packages`` packages with ten tests each below ``root``."""
    (root / "lib").mkdir(parents=True)
    (root / "lib" / "text.rego").write_text(_LIB)
    for n in range(packages):
        folder = root / f"team{n}"
        folder.mkdir()
        (folder / "workloads.rego").write_text(_POLICY.format(n=n, high=3 + n % 3))
        last = _LAST.get(n % 10, "test_last if count(workloads.by_name) == 1 with input as good\n")
        (folder / "workloads_test.rego").write_text(_TEST.format(n=n) + "\n" + last)
        limits = root / "limits" / f"team{n}"
        limits.mkdir(parents=True)
        (limits / "data.json").write_text(
            json.dumps(
                {
                    "kinds": ["Pod", "Job"],
                    "memory": 128 + n,
                    "labels": ["app", "owner"],
                    "registries": [f"registry.team{n}"],
                }
            )
        )
