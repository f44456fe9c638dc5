package adjudge.model_card.mc_03_test

import data.adjudge.yaml.mc_03 as rule

card(facts) := {"path": "card.md", "facts": facts}

test_provider_and_contact_pass if {
	count(rule.deny) == 0 with input as card({"owners": ["Acme"], "contact": "ml@acme.example"})
	count(rule.deny) == 0 with input as card({"owners": ["Acme"], "contact": "https://acme.example/ml"})
}

test_nobody_to_be_found if {
	rule.deny == {
		{"msg": "card.md does not say who provides the model", "pointer": "/facts/owners"},
		{"msg": "card.md gives no contact", "pointer": "/facts/contact"},
	} with input as card({"owners": []})
}

test_a_contact_must_be_reachable if {
	rule.deny == {{
		"msg": "card.md gives the contact ask around, expected an e-mail address or a URL",
		"pointer": "/facts/contact",
	}} with input as card({"owners": ["Acme"], "contact": "ask around"})
}
