package policy.release

deny contains msg if {
	some name in input.packages
	some msg in data.policy[name].deny
}

warn contains msg if {
	name := lower(input.name)
	some msg in data.policy[name].warn
}

by_key[k] := v if {
	v := data.policy.release[k].x
}

listed if {
	some name in ["release", "weights"]
	data.policy[name].listed
}

from_rule := data.policy[target].from_rule

target := "release"

fine if {
	some name in ["weights", "sbom"]
	data.policy[name].fine
}
