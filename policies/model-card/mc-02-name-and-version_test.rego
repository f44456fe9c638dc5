package adjudge.model_card.mc_02_test

import data.adjudge.model_card.mc_02 as rule

card(facts) := {"kind": "model_card", "path": "card.md", "facts": facts}

sbom(models) := {"kind": "sbom", "path": "sbom.json", "facts": {"models": models}}

release(card_facts, models) := {
	"release": {"manifest": "release.yaml", "name": "helper", "version": "1.4.2"},
	"artifacts": [sbom(models), card(card_facts)],
	"model_cards": [card(card_facts)],
	"sboms": [sbom(models)],
}

test_name_and_version_pass if count(rule.deny) == 0 with input as card({"name": "helper", "version": "1.4.2"})

test_missing_name_and_version_are_found if {
	rule.deny == {
		{"msg": "card.md does not name the model", "pointer": "/facts/name"},
		{"msg": "card.md does not state the version of the model", "pointer": "/facts/version"},
	} with input as card({})
}

test_a_version_that_is_none_is_found if {
	rule.deny == {{
		"msg": "card.md states the version 1.4, expected a semantic version such as 1.4.2",
		"pointer": "/facts/version",
	}} with input as card({"name": "helper", "version": "1.4"})
}

test_agreement_passes if {
	count(rule.deny) == 0 with input as release(
		{"name": "acme/Helper", "version": "1.4.2"},
		[{"name": "helper", "version": "1.4.2"}, {"name": "base", "version": "7"}],
	)
}

test_a_card_of_another_version_is_found if {
	rule.deny == {{
		"msg": "card.md is about version 1.4.1, release.yaml releases 1.4.2",
		"pointer": "/artifacts/1/facts/version",
	}} with input as release({"name": "helper", "version": "1.4.1"}, [])
}

test_an_sbom_of_another_version_is_found if {
	rule.deny == {{
		"msg": "sbom.json lists helper 1.4.1, card.md is about version 1.4.2",
		"pointer": "/artifacts/0/facts/models/0/version",
	}} with input as release({"name": "helper", "version": "1.4.2"}, [{"name": "helper", "version": "1.4.1"}])
}

test_another_model_may_have_another_version if {
	count(rule.deny) == 0 with input as release({"name": "other", "version": "3.0.0"}, [])
}
