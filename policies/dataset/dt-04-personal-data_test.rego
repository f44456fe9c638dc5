package adjudge.dataset.dt_04_test

import data.adjudge.dataset.dt_04 as rule

record(facts) := {"path": "d.json", "facts": object.union({"responsible": {}}, facts), "release": {}}

messages(given) := found if {
	found := {entry.msg | some entry in rule.deny} with input as given
}

test_none_declared_passes if {
	messages(record({"responsible": {"sensitive": ["None"]}})) == set()
	messages(record({"sensitive_personal_information": "no"})) == set()
}

test_nothing_said_is_found if {
	every facts in [{}, {"sensitive_personal_information": "noAssertion"}] {
		messages(record(facts)) == {"d.json does not say whether the data is personal or sensitive"}
	}
}

test_personal_data_needs_an_assessment if {
	every facts in [{"responsible": {"sensitive": ["names"]}}, {"sensitive_personal_information": "yes"}] {
		messages(record(facts)) == {"d.json has personal or sensitive data, and the release has no data protection assessment"}
		assessed := {"release": {"assessments": {"data_protection": {"path": "dpia.md"}}}}
		messages(object.union(record(facts), assessed)) == set()
	}
}
