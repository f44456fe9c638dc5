# METADATA
# scope: package
# title: Tools with side effects ask, and none has a scope for everything
# custom:
#   id: EX-07
#   severity: critical
#   applies_to: prompt_bundle
package example.ex_07

applicable if count(input.facts.tools) > 0

deny contains {"msg": $"{tool.name} does not ask", "pointer": $"/facts/tools/{i}"} if {
	some i, tool in input.facts.tools
	not tool.side_effects in ["none", "read"]
	not tool.requires_approval
}

deny contains {"msg": $"{tool.name} may {scope}", "pointer": $"/facts/tools/{i}/scopes/{j}"} if {
	some i, tool in input.facts.tools
	some j, scope in tool.scopes
	regex.match(`:create$|^admin\b`, scope)
}
