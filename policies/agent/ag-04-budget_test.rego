package adjudge.agent.ag_04_test

import data.adjudge.yaml.ag_04 as rule

bundle(agent) := {"path": "p", "facts": {"tools": [{"name": "t"}], "agent": agent}}

test_a_bounded_agent_passes if {
	count(rule.deny) == 0 with input as bundle({"max_steps": 5, "max_cost": 0.1, "rate_per_minute": 60})
	count(rule.deny) == 0 with input as bundle({"max_steps": 5, "max_tokens": 9000, "rate_per_minute": 60})
}

test_a_prompt_without_tools_is_no_agent if {
	not rule.applicable with input as {"path": "p", "facts": {"tools": [], "agent": {}}}
}

test_every_missing_limit_is_found if {
	{found.msg | some found in rule.deny} == {
		"p sets no limit on steps (agent.max_steps)",
		"p sets no limit on calls per minute (agent.rate_per_minute)",
		"p sets no limit on cost or tokens (agent.max_cost, agent.max_tokens)",
	} with input as bundle({})
	count(rule.deny) == 3 with input as bundle({"max_steps": 0, "max_cost": 0, "rate_per_minute": 0})
}
