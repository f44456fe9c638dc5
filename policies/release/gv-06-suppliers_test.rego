package adjudge.release.gv_06_test

import data.adjudge.release.gv_06 as rule

now := time.parse_rfc3339_ns("2026-11-20T12:00:00Z")

bundle := {"kind": "prompt_bundle", "path": "p", "facts": {"model": {"id": "vendor-model-1", "provider": "vendor"}}}

card := {"kind": "model_card", "path": "card.md", "facts": {"base_models": [{"name": "Org/base"}]}}

vendor := {"name": "Vendor", "review_expires": "2027-06-30"}

org := {"name": "org", "provides": "org/base", "review_expires": "2027-06-30"}

messages(suppliers) := found if {
	found := {entry.msg | some entry in rule.deny} with input as {
		"release": {"manifest": "release.yaml", "suppliers": suppliers},
		"artifacts": [bundle, card],
	}
		with time.now_ns as now
}

test_reviewed_suppliers_pass if {
	messages([vendor, org]) == set()
	messages([{"provides": "vendor-model-1", "review_expires": "2027-06-30"}, org]) == set()
}

test_unlisted_suppliers_are_found if {
	messages([]) == {
		"p uses vendor-model-1 of vendor, which is not among the suppliers in release.yaml",
		"card.md is based on Org/base, which is of none of the suppliers in release.yaml",
	}
}

test_a_review_without_end_is_found if {
	messages([object.remove(vendor, ["review_expires"]), org]) == {"release.yaml does not say until when the review of Vendor holds"}
}

test_an_ended_review_is_found if {
	rule.deny == {{"msg": "the review of Vendor ended on 2026-11-19", "pointer": "/release/suppliers/0/review_expires"}} with input as {
		"release": {"manifest": "release.yaml", "suppliers": [object.union(vendor, {"review_expires": "2026-11-19"})]},
		"artifacts": [],
	}
		with time.now_ns as now
}

test_only_releases_have_suppliers if {
	rule.applicable with input as {"release": {"manifest": "release.yaml"}}
	not rule.applicable with input as {"release": {}}
}

test_what_names_no_provider_must_be_listed_itself if {
	{found.msg | some found in rule.deny} == {
		"p uses m-1 of an unknown provider, which is not among the suppliers in release.yaml",
		"card.md is based on base, which is of none of the suppliers in release.yaml",
	} with input as {
		"release": {"manifest": "release.yaml", "suppliers": [vendor]},
		"artifacts": [
			{"kind": "prompt_bundle", "path": "p", "facts": {"model": {"id": "m-1"}}},
			{"kind": "model_card", "path": "card.md", "facts": {"base_models": [{"name": "base"}]}},
		],
	}
		with time.now_ns as now
}
