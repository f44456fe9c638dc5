package adjudge.sbom.sb_01_test

import data.adjudge.sbom.sb_01 as rule

good := {
	"format": "cyclonedx",
	"spec_version": "1.6",
	"supported": true,
	"schema_valid": true,
	"schema_errors": [],
	"components": [{"name": "a"}],
	"vulnerabilities": [],
}

sbom(facts) := {"path": "sbom.json", "facts": facts}

test_a_valid_sbom_passes if {
	count(rule.deny) == 0 with input as sbom(good)
	count(rule.warn) == 0 with input as sbom(good)
}

test_an_old_version_is_found if {
	rule.deny == {{"msg": "sbom.json is cyclonedx 1.0, which is not read in full", "pointer": "/facts/spec_version"}} with input as sbom(object.union(good, {"spec_version": "1.0", "supported": false}))
	rule.deny == {{"msg": "sbom.json is unknown of no version, which is not read in full", "pointer": "/facts/spec_version"}} with input as sbom(object.union(
		object.remove(good, ["spec_version"]),
		{"format": "unknown", "supported": false},
	))
}

test_every_disagreement_with_the_schema_is_found if {
	rule.deny == {{
		"msg": "sbom.json is no valid cyclonedx 1.6: 7 is not a string",
		"pointer": "/document/components/0/name",
	}} with input as sbom(object.union(good, {
		"schema_valid": false,
		"schema_errors": [{"pointer": "/components/0/name", "message": "7 is not a string", "keyword": "type"}],
	}))
}

test_an_unchecked_sbom_is_worth_a_warning if {
	rule.warn == {{"msg": "sbom.json could not be checked against a schema", "pointer": "/facts/spec_version"}} with input as sbom(object.remove(good, ["schema_valid"]))
}

test_an_sbom_of_nothing_is_found if {
	rule.deny == {{"msg": "sbom.json lists nothing", "pointer": "/facts/components"}} with input as sbom(object.union(good, {"components": []}))
	count(rule.deny) == 0 with input as sbom(object.union(good, {"components": [], "described": {"name": "a"}}))
	count(rule.deny) == 0 with input as sbom(object.union(good, {"components": [], "vulnerabilities": [{"id": "CVE-1"}]}))
}

test_a_release_without_sbom_is_found if {
	rule.deny == {{"msg": "release.yaml lists no SBOM", "pointer": "/release/artifacts"}} with input as {"release": {"manifest": "release.yaml"}, "sboms": []}
	count(rule.deny) == 0 with input as {"release": {"manifest": "release.yaml"}, "sboms": [sbom(good)]}
}

test_a_single_file_is_no_release if {
	not rule.applicable with input as {"release": {}, "sboms": []}
	rule.applicable with input as {"release": {"manifest": "release.yaml"}, "sboms": []}
	rule.applicable with input as sbom(good)
}
