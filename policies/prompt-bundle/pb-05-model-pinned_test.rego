package adjudge.prompt_bundle.pb_05_test

import data.adjudge.prompt_bundle.pb_05 as rule

bundle(model) := {"path": "p", "facts": {"model": model}}

pinned := {"id": "some-model-2025-09-29", "pinned": true, "pin": "date"}

test_a_pinned_model_passes if count(rule.deny) == 0 with input as bundle(pinned)

test_no_model_is_found if {
	rule.deny == {{"msg": "p names no model", "pointer": "/facts/model"}} with input as bundle({"pinned": false})
}

test_a_moving_model_is_found if {
	rule.deny == {{
		"msg": "p uses the model some-model-latest, which may change at any time; expected a date, revision or digest",
		"pointer": "/facts/model/id",
	}} with input as bundle({"id": "some-model-latest", "pinned": false})
}

test_a_list_of_models_holds_ids_and_patterns if {
	count(rule.deny) == 0 with input as bundle(pinned) with data.adjudge.config as {"models": {"approved": ["x", "some-model-*"]}}
	count(rule.deny) == 0 with input as bundle({"id": "eu.vendor.model-v1.2", "pinned": true})
		with data.adjudge.config as {"models": {"approved": ["eu.*"]}}
	rule.deny == {{
		"msg": "p uses the model some-model-2025-09-29, which is not among the approved ones",
		"pointer": "/facts/model/id",
	}} with input as bundle(pinned) with data.adjudge.config as {"models": {"approved": []}}
}
