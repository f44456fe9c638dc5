package adjudge.release.gv_01_test

import data.adjudge.release.gv_01 as rule

approval(signer, more) := {"facts": {"statements": [object.union(
	{
		"type": "approval",
		"assurance": "signed",
		"artifacts": ["w"],
		"signer": signer,
		"approval": {"decision": "approved", "approved": true, "expired": false, "roles": []},
	},
	more,
)]}}

ada := {"identity": "ada@acme.example"}

key := {"key_id": "ab"}

release(approvals) := {"approvals": approvals, "attestations": []}

two := {"approvals": {"required": 2}}

messages(given, config) := found if {
	found := {entry.msg | some entry in rule.deny} with input as given with data.adjudge.config as config
}

test_nothing_is_asked_for_by_itself if {
	not rule.applicable with input as release([])
	rule.applicable with input as release([]) with data.adjudge.config as two
}

test_two_people_pass if {
	messages(release([approval(ada, {}), approval(key, {})]), two) == set()
	messages({"approvals": [approval(ada, {})], "attestations": [approval(key, {})]}, two) == set()
}

test_too_few_are_found if {
	every second in [
		approval(ada, {}),
		approval(key, {"assurance": "self_declared"}),
		approval(key, {"artifacts": []}),
		approval(key, {"approval": {"expired": true}}),
		approval(key, {"type": "other"}),
		approval(key, {"approval": {"approved": false, "decision": "unsure"}}),
	] {
		messages(release([approval(ada, {}), second]), two) == {"1 of 2 approvals are there"}
	}
}

test_roles_are_needed if {
	config := {"approvals": {"required": 1, "roles": ["model-risk"]}}
	messages(release([approval(ada, {})]), config) == {"nobody with the role model-risk approved the release"}
	messages(release([approval(ada, {"approval": {"roles": ["model-risk"]}})]), config) == set()
}

test_a_rejection_is_found if {
	no := approval(key, {"approval": {"approved": false, "decision": "rejected"}})
	messages(release([approval(ada, {}), no]), {"approvals": {"required": 1}}) == {"ab rejected the release"}
}
