package adjudge.model_card.mc_18_test

import data.adjudge.model_card.mc_18 as rule

card(facts) := {"path": "card.md", "facts": object.union({"training": {}}, facts)}

now := time.parse_rfc3339_ns("2026-11-20T12:00:00Z")

messages(facts) := found if {
	found := {entry.msg | some entry in rule.deny} with input as card(facts) with time.now_ns as now
}

test_a_review_of_this_year_passes if {
	messages({"review_date": "2026-11-09"}) == set()
	messages({"review_date": "2025-11-21", "training": {"date": "last summer"}}) == set()
	messages({"review_date": "2026-11-20", "training": {"date": "2026-11-20"}}) == set()
}

test_no_review_is_found if {
	rule.deny == {{"msg": "card.md does not say when it was last reviewed", "pointer": "/facts/review_date"}} with input as card({})
}

test_an_old_review_is_found if {
	messages({"review_date": "2025-11-19"}) == {"card.md was last reviewed on 2025-11-19; expected at most 365 days ago"}
}

test_the_age_is_a_setting if {
	count(rule.deny) == 1 with input as card({"review_date": "2026-10-01"})
		with time.now_ns as now
		with data.adjudge.config as {"model_card": {"max_age_days": 30}}
}

test_a_review_to_come_is_found if {
	messages({"review_date": "2026-11-21"}) == {"card.md gives the review date 2026-11-21, which is yet to come"}
}

test_a_review_of_an_earlier_model_is_found if {
	messages({"review_date": "2026-10-01", "training": {"date": "2026-10-30"}}) == {"card.md was last reviewed on 2026-10-01, before the model was trained (2026-10-30)"}
}
