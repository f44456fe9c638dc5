# METADATA
# scope: package
# title: The way back leads to an earlier release
# custom:
#   id: EX-09
#   severity: medium
#   effective_from: "2027-01-01"
package example.ex_09

applicable if input.release.manifest

deny contains {"msg": msg, "pointer": "/release/rollback"} if {
	not earlier
	msg := $"{input.release.name} {input.release.version} goes back to {input.release.rollback.release}"
}

earlier if {
	back := input.release.rollback.release
	back != input.release.version
	semver.is_valid(back)
	semver.compare(back, "1.4.0") >= 0
}
