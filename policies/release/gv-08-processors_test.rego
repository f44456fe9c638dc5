package adjudge.release.gv_08_test

import data.adjudge.yaml.gv_08 as rule

release(processors) := {
	"release": {"manifest": "release.yaml", "processing": {"processors": processors}},
	"prompt_bundles": [{}],
}

good := {"name": "Vendor", "dpa": "DPA-7", "regions": ["eu-west-1"]}

config := {"processing": {"regions": ["eu-west-1"]}}

test_terms_and_region_pass if {
	count(rule.deny) == 0 with input as release([good]) with data.adjudge.config as config
	count(rule.deny) == 0 with input as release([object.union(good, {"regions": ["us-east-1"], "transfer_basis": "SCC"})])
		with data.adjudge.config as config
}

test_a_release_without_prompts_sends_nothing if {
	not rule.applicable with input as object.union(release([]), {"prompt_bundles": []})
}

test_nobody_named_is_found if {
	rule.deny == {{
		"msg": "release.yaml names nobody who processes what prompts send",
		"pointer": "/release/processing",
	}} with input as release([])
}

test_missing_terms_are_found if {
	{[found.msg, found.pointer] | some found in rule.deny} == {
		["release.yaml names no data processing agreement with Vendor", "/release/processing/processors/0"],
		["release.yaml does not say in which region Vendor processes data", "/release/processing/processors/0"],
	} with input as release([{"name": "Vendor"}])
}

test_another_region_is_found if {
	rule.deny == {{
		"msg": "Vendor processes data in us-east-1, which is not an allowed region, and no ground for the transfer is given",
		"pointer": "/release/processing/processors/0/regions/1",
	}} with input as release([object.union(good, {"regions": ["eu-west-1", "us-east-1"]})]) with data.adjudge.config as config
}
