package adjudge.prompt_bundle.pb_01_test

import data.adjudge.yaml.pb_01 as rule

bundle(facts) := {"path": "prompts/a/1.4.2", "facts": facts}

good := {"name": "a", "version": "1.4.2", "version_valid": true, "version_matches": true, "name_matches": true}

test_a_versioned_prompt_passes if {
	count(rule.deny) == 0 with input as bundle(good)
	count(rule.deny) == 0 with input as bundle(object.remove(good, ["version_matches", "name_matches"]))
}

test_no_name_and_no_version_are_found if {
	rule.deny == {
		{"msg": "prompts/a/1.4.2 has no name", "pointer": "/facts/name"},
		{"msg": "prompts/a/1.4.2 has no version", "pointer": "/facts/version"},
	} with input as bundle({"version_valid": false})
}

test_a_version_that_is_none_is_found if {
	rule.deny == {{
		"msg": "prompts/a/1.4.2 has the version 2, expected a semantic version such as 1.4.2",
		"pointer": "/facts/version",
	}} with input as bundle({"name": "a", "version": "2", "version_valid": false})
}

test_the_directory_must_agree if {
	rule.deny == {
		{"msg": "prompts/a/1.4.2 says version 1.4.3, its directory says 1.4.2", "pointer": "/facts/version"},
		{"msg": "prompts/a/1.4.2 says it is b, its directory says a", "pointer": "/facts/name"},
	} with input as bundle({
		"name": "b",
		"directory_name": "a",
		"version": "1.4.3",
		"directory_version": "1.4.2",
		"version_valid": true,
		"version_matches": false,
		"name_matches": false,
	})
}
