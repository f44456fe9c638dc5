package adjudge.release.rk_05_test

import data.adjudge.yaml.rk_05 as rule

release(rollback) := {"release": {"manifest": "release.yaml", "version": "1.4.2", "rollback": rollback}}

test_a_way_back_passes if {
	count(rule.deny) == 0 with input as release({"release": "1.4.1", "procedure": "see runbook", "kill_switch": {"owner": "ops"}})
}

test_every_missing_part_is_found if {
	rule.deny == {
		{"msg": "release.yaml does not name the release to go back to", "pointer": "/release/rollback"},
		{"msg": "release.yaml does not say how the release is taken back", "pointer": "/release/rollback"},
		{"msg": "release.yaml does not say who can switch the system off", "pointer": "/release/rollback"},
	} with input as {"release": {"manifest": "release.yaml", "version": "1.4.2"}}
}

test_a_release_is_no_way_back_to_itself if {
	rule.deny == {{
		"msg": "release.yaml names its own version 1.4.2 as the release to go back to",
		"pointer": "/release/rollback/release",
	}} with input as release({"release": "1.4.2", "procedure": "p", "kill_switch": {"owner": "ops"}})
}

test_single_files_have_no_way_back if not rule.applicable with input as {"release": {}}
