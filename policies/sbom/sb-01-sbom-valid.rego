# METADATA
# scope: package
# title: An SBOM is there and valid
# description: >-
#   The release has a software bill of materials, in a version that is read in full, that agrees with
#   the published schema of its version.
# custom:
#   id: SB-01
#   severity: high
#   controls: [iso-42001/a.4.2, mitre-atlas/aml.m0023]
#   remediation: >-
#     Make an SBOM in CycloneDX 1.4 to 1.7 or SPDX 2.3 JSON with each build, list it in release.yaml, and
#     correct what does not agree with the schema.
package adjudge.sbom.sb_01

applicable if input.facts

applicable if input.release.manifest

# METADATA
# custom: {applies_to: release}
deny contains {"msg": msg, "pointer": "/release/artifacts"} if {
	count(input.sboms) == 0
	msg := $"{input.release.manifest} lists no SBOM"
}

# METADATA
# custom: {applies_to: sbom}
deny contains {"msg": msg, "pointer": "/facts/spec_version"} if {
	input.facts
	not input.facts.supported
	version := object.get(input.facts, "spec_version", "of no version")
	msg := $"{input.path} is {input.facts.format} {version}, which is not read in full"
}

# METADATA
# custom: {applies_to: sbom}
deny contains {"msg": msg, "pointer": concat("", ["/document", error.pointer])} if {
	some error in input.facts.schema_errors
	msg := $"{input.path} is no valid {input.facts.format} {input.facts.spec_version}: {error.message}"
}

# METADATA
# custom: {applies_to: sbom}
warn contains {"msg": msg, "pointer": "/facts/spec_version"} if {
	input.facts.supported
	not "schema_valid" in object.keys(input.facts)
	msg := $"{input.path} could not be checked against a schema"
}

# METADATA
# custom: {applies_to: sbom}
deny contains {"msg": msg, "pointer": "/facts/components"} if {
	count(input.facts.components) == 0
	not input.facts.described
	count(input.facts.vulnerabilities) == 0
	msg := $"{input.path} lists nothing"
}
