# METADATA
# scope: package
# title: Components have hashes, and vulnerable ones are few
# custom:
#   id: EX-08
#   severity: low
#   applies_to: sbom
package example.ex_08

deny contains {"msg": $"{part.name} {part.version} has no hash", "pointer": $"/facts/components/{i}"} if {
	some i, part in input.facts.components
	not part.hashes.sha256
	not part.hashes.sha512
}

warn contains {"msg": msg, "pointer": "/facts/vulnerabilities"} if {
	count(input.facts.vulnerabilities) > 1
	msg := $"{input.path} lists {input.facts.counts.vulnerabilities} vulnerabilities"
}
