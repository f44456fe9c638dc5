# METADATA
# title: Components have hashes
# custom:
#   id: SB-03
#   applies_to: card
package adjudge.yaml.sb_03

applicable if input.facts.tier == "high"

deny contains finding if {
	applicable
	some component_index, component in input.facts.components
	count(component.hashes) == 0
	not name_starts_with(component)
	not version_semver(component)
	not component.scope == "optional"
	finding := {
		"msg": $"{component.name} has no hash",
		"pointer": $"/facts/components/{component_index}",
	}
}

name_starts_with(component) if startswith(component.name, "internal-")

version_semver(component) if {
	semver.is_valid(component.version)
	semver.compare(component.version, "1.2.0") >= 0
	semver.compare(component.version, "2.0.0") < 0
}

deny contains finding if {
	applicable
	some component in input.facts.components
	some i, part in component.parts
	object.get(part, "version", null) == null
	finding := {
		"msg": $"{component.name} has a part without a version: {part.name}",
		"pointer": $"/facts/components/{pointer_step(component.name)}/parts/{i}",
	}
}

deny contains finding if {
	applicable
	not any_element
	finding := {"msg": "no component carries the model", "pointer": "/facts/components"}
}

any_element if {
	some component in input.facts.components
	endswith(component.name, ".safetensors")
}

pointer_step(key) := replace(replace($"{key}", "~", "~0"), "/", "~1")
