package adjudge.model_card.mc_20_test

import data.adjudge.model_card.mc_20 as rule

release(facts) := {"release": object.union({"manifest": "release.yaml", "use_case_tags": []}, facts)}

test_ordinary_uses_pass if {
	count(rule.deny) == 0 with input as {"path": "card.md", "facts": {"use_case_tags": ["customer-support"]}}
	count(rule.deny) == 0 with input as release({"use_case_tags": ["recruitment"], "risk_tier": "high"})
}

test_a_prohibited_use_of_the_card_is_found if {
	rule.deny == {{
		"msg": "card.md names the use social-scoring, which is prohibited",
		"pointer": "/facts/use_case_tags/1",
	}} with input as {"path": "card.md", "facts": {"use_case_tags": ["x", "social-scoring"]}}
}

test_a_prohibited_use_of_the_release_is_found if {
	rule.deny == {{
		"msg": "release.yaml names the use social-scoring, which is prohibited",
		"pointer": "/release/use_case_tags/0",
	}} with input as release({"use_case_tags": ["social-scoring"]})
}

test_the_prohibited_tier_is_found if {
	rule.deny == {{"msg": "release.yaml declares the risk tier prohibited", "pointer": "/release/risk_tier"}} with input as release({"risk_tier": "prohibited"})
}

test_the_list_is_a_setting if {
	count(rule.deny) == 1 with input as release({"use_case_tags": ["gambling"]})
		with data.adjudge.config as {"risk": {"prohibited_uses": ["gambling"]}}
}
