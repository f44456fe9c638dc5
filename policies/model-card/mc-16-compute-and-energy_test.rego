package adjudge.model_card.mc_16_test

import data.adjudge.yaml.mc_16 as rule

card(environmental) := {"path": "card.md", "facts": {"environmental": environmental}}

test_energy_or_emissions_with_hardware_pass if {
	count(rule.deny) == 0 with input as card({"hardware": "L4", "energy_kwh": 0})
	count(rule.deny) == 0 with input as card({"hardware": "L4", "co2_kg": 1.5})
}

test_nothing_reported_is_found if {
	rule.deny == {
		{"msg": "card.md reports neither energy nor emissions as a number", "pointer": "/facts/environmental"},
		{"msg": "card.md does not name the hardware", "pointer": "/facts/environmental"},
	} with input as card({"text": "some"})
}
