package adjudge.model_card.mc_04_test

import data.adjudge.model_card.mc_04 as rule

card(license) := {"path": "card.md", "facts": {"license": license}}

messages(license) := found if {
	found := {entry.msg | some entry in rule.deny} with input as card(license)
}

test_allowed_licences_pass if {
	messages({"ids": ["apache-2.0"], "id": "apache-2.0", "spdx": "Apache-2.0"}) == set()
	messages({"ids": ["MIT", "Apache-2.0"]}) == set()
}

test_no_licence_is_found if messages({"ids": []}) == {"card.md states no licence"}

test_other_licences_are_found if {
	messages({"ids": ["mit", "cc-by-nc-4.0"]}) == {"card.md states the licence cc-by-nc-4.0, which is not among the allowed ones"}
}

test_the_list_can_be_replaced if {
	rule.deny == {{
		"msg": "card.md states the licence mit, which is not among the allowed ones",
		"pointer": "/facts/license",
	}} with input as card({"ids": ["mit"]}) with data.adjudge.config as {"licenses": {"allowed": ["llama3.3"]}}
	count(rule.deny) == 0 with input as card({"ids": ["llama3.3"]}) with data.adjudge.config as {"licenses": {"allowed": ["llama3.3"]}}
}

test_other_needs_name_and_link if {
	messages({"ids": ["other"]}) == {
		"card.md states the licence other and gives no license_name",
		"card.md states the licence other and gives no license_link",
	}
}

test_a_named_licence_must_be_allowed_by_name if {
	messages({"ids": ["other"], "name": "Acme Licence", "link": "https://acme.example"}) == {"card.md states a licence of its own, Acme Licence, which is not among the allowed ones"}
	messages({"ids": [], "name": "Acme Licence"}) == {"card.md states a licence of its own, Acme Licence, which is not among the allowed ones"}
	count(rule.deny) == 0 with input as card({"ids": ["other"], "name": "Acme Licence", "link": "https://acme.example"})
		with data.adjudge.config as {"licenses": {"allowed": ["acme licence"]}}
}
