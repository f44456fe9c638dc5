# Five rules over every component of an SBOM.
package sbom

banned_licenses := {"AGPL-3.0-only", "GPL-3.0-only", "SSPL-1.0"}

deny contains msg if {
	some component in input.components
	not component.version
	msg := sprintf("%s has no version", [component.name])
}

deny contains msg if {
	some component in input.components
	some entry in component.licenses
	entry.license.id in banned_licenses
	msg := sprintf("%s is licensed %s", [component.name, entry.license.id])
}

deny contains msg if {
	some component in input.components
	component.type == "library"
	not has_sha256(component)
	msg := sprintf("%s has no SHA-256", [component.name])
}

deny contains msg if {
	some component in input.components
	startswith(component.purl, "pkg:npm/evil")
	msg := sprintf("%s is banned", [component.purl])
}

deny contains msg if {
	some dependency in input.dependencies
	some target in dependency.dependsOn
	not target in known
	msg := sprintf("%s depends on %s, which is not listed", [dependency.ref, target])
}

has_sha256(component) if {
	some hash in component.hashes
	hash.alg == "SHA-256"
}

known := {component["bom-ref"] | some component in input.components}
