package adjudge.prompt_bundle.pb_10_test

import data.adjudge.prompt_bundle.pb_10 as rule

bundle(tests) := {"path": "p", "facts": {"tests": tests}}

probe(category) := {"name": category, "category": category, "assertions": [{"type": "contains"}]}

all_kinds := [probe(category) | some category in ["injection", "refusal", "pii", "format"]]

test_tests_of_every_kind_pass if count(rule.deny) == 0 with input as bundle(all_kinds)

test_no_tests_are_found if {
	count(rule.deny) == 5 with input as bundle([])
}

test_a_missing_kind_is_found if {
	rule.deny == {{"msg": "p has no test of the category format", "pointer": "/facts/tests"}} with input as bundle(array.concat(
		array.slice(all_kinds, 0, 3),
		[probe("other")],
	))
}

test_a_test_that_asserts_nothing_does_not_count if {
	{found.pointer | some found in rule.deny} == {"/facts/tests", "/facts/tests/3"} with input as bundle(array.concat(
		array.slice(all_kinds, 0, 3),
		[{"category": "format", "assertions": []}],
	))
}

test_number_and_kinds_are_settings if {
	count(rule.deny) == 0 with input as bundle([probe("tone")])
		with data.adjudge.config as {"prompts": {"min_tests": 1, "test_categories": ["tone"]}}
}
