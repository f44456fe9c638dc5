package adjudge.dataset.dt_02_test

import data.adjudge.dataset.dt_02 as rule

record(file) := {"path": "d.json", "facts": {"files": [object.union({"type": "file", "name": "a.csv"}, file)]}}

messages(given) := found if {
	found := {entry.msg | some entry in rule.deny} with input as given
}

test_pinned_files_pass if {
	messages(record({"sha256": "ab"})) == set()
	messages(record({"sha256": "ab", "digest_matches": true})) == set()
	messages(record({"type": "file_set"})) == set()
}

test_a_file_without_digest_is_found if messages(record({})) == {"d.json states no SHA-256 of a.csv"}

test_another_file_is_found if {
	messages(record({"sha256": "ab", "digest_matches": false})) == {"a.csv is not the file that d.json describes: its SHA-256 differs"}
}

test_records_without_files_are_left_out if {
	not rule.applicable with input as {"facts": {"files": []}}
	rule.applicable with input as record({})
}
