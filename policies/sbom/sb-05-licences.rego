# METADATA
# scope: package
# title: Licences of components are allowed
# description: >-
#   Each component can be used under licences of the list in setting licenses.allowed: where its
#   licence expression offers a choice, one allowed choice is enough. Components without a licence are
#   counted in one finding.
# custom:
#   id: SB-05
#   severity: medium
#   controls: [soc2/cc9.2, iso-42001/a.10.3]
#   applies_to: sbom
#   remediation: >-
#     Replace the component, or have its licence accepted and add it to licenses.allowed. A licence
#     the SBOM does not know is found in the component's own files.
package adjudge.sbom.sb_05

import data.adjudge.settings

deny contains {"msg": msg, "pointer": $"/facts/components/{i}/license"} if {
	some i, component in input.facts.components
	count(component.license_options) > 0
	not acceptable(component)
	msg := $"{input.path} lists {label(component)} under {component.license}, which is not among the allowed licences"
}

deny contains {"msg": msg, "pointer": $"/facts/components/{first}"} if {
	unknown := [i | some i, component in input.facts.components; count(component.license_options) == 0]
	first := unknown[0]
	names := [label(input.facts.components[i]) | some i in array.slice(unknown, 0, 5)]
	more := {true: " and others", false: ""}[count(unknown) > count(names)]
	msg := $"{input.path} gives no licence for {count(unknown)} of {count(input.facts.components)} components: {concat(", ", names)}{more}"
}

acceptable(component) if {
	some option in component.license_options
	every id in option {
		id in allowed
	}
}

allowed := {id | some id in settings.licenses.allowed}

label(component) := trim_right($"{object.get(component, "name", "a component")} {object.get(component, "version", "")}", " ")
