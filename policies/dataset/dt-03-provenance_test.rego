package adjudge.dataset.dt_03_test

import data.adjudge.dataset.dt_03 as rule

record(facts) := {"path": "d.json", "facts": object.union({"creators": [], "responsible": {}}, facts)}

messages(given) := found if {
	found := {entry.msg | some entry in rule.deny} with input as given
}

test_a_described_set_passes if {
	messages(record({"creators": ["Ada"], "responsible": {"collection": ["crawled"]}})) == set()
	messages(record({"url": "https://d", "responsible": {"collection": ["crawled"]}})) == set()
}

test_nothing_said_is_found if {
	messages(record({})) == {
		"d.json does not say how the data was collected",
		"d.json names neither who made the data nor where it is found",
	}
}
