package adjudge.agent.ag_02_test

import data.adjudge.yaml.ag_02 as rule

tool(effects, approval) := {"name": effects, "side_effects": effects, "requires_approval": approval}

bundle(tools) := {"path": "p", "facts": {"tools": tools}}

test_without_tools_the_rule_does_not_apply if not rule.applicable with input as bundle([])

test_harmless_and_approved_tools_pass if {
	count(rule.deny) == 0 with input as bundle([tool("none", false), tool("read", false), tool("write", true), tool("exec", true)])
}

test_side_effects_without_approval_are_found if {
	{[found.msg, found.pointer] | some found in rule.deny} == {
		["p lets the model call write (side effects: write) without asking a person", "/facts/tools/1"],
		["p lets the model call unknown (side effects: unknown) without asking a person", "/facts/tools/2"],
	} with input as bundle([tool("read", false), tool("write", false), tool("unknown", false)])
}
