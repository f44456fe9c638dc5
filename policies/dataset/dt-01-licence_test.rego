package adjudge.dataset.dt_01_test

import data.adjudge.dataset.dt_01 as rule

record(licenses, ids) := {"path": "d.json", "facts": {"licenses": licenses, "license_ids": ids}}

messages(given) := found if {
	found := {entry.msg | some entry in rule.deny} with input as given
}

test_an_allowed_licence_passes if {
	messages(record(["https://creativecommons.org/licenses/by/4.0/"], ["CC-BY-4.0"])) == set()
}

test_no_licence_is_found if messages(record([], [])) == {"d.json names no licence"}

test_another_licence_is_found if {
	messages(record(["x"], ["CC-BY-NC-4.0"])) == {"d.json is under CC-BY-NC-4.0, which is not among the allowed licences"}
	messages(record(["our terms"], [])) == {"d.json is under our terms, which is not among the allowed licences"}
}

test_the_list_is_a_setting if {
	count(rule.deny) == 0 with input as record(["our terms"], [])
		with data.adjudge.config as {"licenses": {"allowed": ["our terms"]}}
}
