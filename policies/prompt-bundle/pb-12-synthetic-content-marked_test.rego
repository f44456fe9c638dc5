package adjudge.prompt_bundle.pb_12_test

import data.adjudge.yaml.pb_12 as rule

release(transparency) := {"release": {"manifest": "release.yaml", "transparency": transparency}}

test_marked_and_unpublished_content_pass if {
	count(rule.deny) == 0 with input as release({"generates": ["image"], "public": true, "marking": "C2PA"})
	count(rule.deny) == 0 with input as release({"generates": ["text"], "public": false})
}

test_a_system_that_generates_nothing_is_left_alone if {
	not rule.applicable with input as release({"generates": []})
	not rule.applicable with input as {"release": {"manifest": "release.yaml"}}
}

test_unmarked_content_is_found if {
	rule.deny == {{
		"msg": "release.yaml publishes generated content and names no marking",
		"pointer": "/release/transparency",
	}} with input as release({"generates": ["video"], "public": true})
}

test_it_must_be_said if {
	rule.deny == {{
		"msg": "release.yaml does not say whether generated content is published (transparency.public)",
		"pointer": "/release/transparency",
	}} with input as release({"generates": ["text"]})
}
