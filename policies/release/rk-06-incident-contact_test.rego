package adjudge.release.rk_06_test

import data.adjudge.yaml.rk_06 as rule

release(incident) := {"release": {"manifest": "release.yaml", "contacts": {"incident": incident}}}

test_a_contact_passes if {
	every way in [{"email": "a@example.com"}, {"url": "https://example.com"}, {"phone": "+1 555 0100"}] {
		count(rule.deny) == 0 with input as release(object.union(way, {"response_hours": 4}))
	}
}

test_no_way_and_no_time_are_found if {
	rule.deny == {
		{"msg": "release.yaml gives no way to report an incident", "pointer": "/release/contacts"},
		{
			"msg": "release.yaml does not say within how many hours a report of an incident is answered",
			"pointer": "/release/contacts/incident",
		},
	} with input as release({"name": "ops"})
}

test_single_files_have_no_contact if not rule.applicable with input as {"release": {}}
