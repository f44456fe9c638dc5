package adjudge.sbom.sb_06_test

import data.adjudge.yaml.sb_06 as rule

sbom(model) := {"path": "sbom.json", "facts": {"format": "cyclonedx", "models": [object.union({"name": "m"}, model)]}}

test_a_full_card_passes if {
	count(rule.deny) == 0 with input as sbom({"has_model_card": true, "task": "t", "datasets": [{}], "metrics": [{}]})
}

test_no_card_is_found if {
	rule.deny == {{"msg": "sbom.json lists the model m without a model card", "pointer": "/facts/models/0"}} with input as sbom({"has_model_card": false, "datasets": [], "metrics": []})
}

test_an_empty_card_is_found if {
	{found.msg | some found in rule.deny} == {
		"sbom.json: the model card of m states no task",
		"sbom.json: the model card of m names no data set",
		"sbom.json: the model card of m states no metric",
	} with input as sbom({"has_model_card": true, "datasets": [], "metrics": []})
}

test_spdx_has_no_cards if not rule.applicable with input as {"path": "sbom.json", "facts": {"format": "spdx", "models": []}}
