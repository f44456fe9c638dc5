# METADATA
# scope: package
# title: No reported serious vulnerability is open
# description: >-
#   Nothing that a scanner's report names has a severity that blocks (setting vulnerabilities.block),
#   unless the latest VEX statement says not_affected or fixed. With vulnerabilities.signed_vex only
#   signed statements count. What SBOMs list themselves, SB-04 looks at.
# custom:
#   id: SB-07
#   severity: critical
#   controls: [soc2/cc7.1, mitre-atlas/aml.m0016, nist-ai-600-1/mg-3.1-002]
#   applies_to: release
#   remediation: Update the package. If the product is not affected, say so in a VEX statement with its justification, and sign it.
package adjudge.sbom.sb_07

import data.adjudge.settings

applicable if count(input.vulnerability_reports) > 0

deny contains {"msg": msg} if {
	some found in input.vulnerabilities
	found.severity in settings.vulnerabilities.block
	some report in input.vulnerability_reports
	report.path in found.sources
	not status(found) in ["not_affected", "fixed"]
	msg := $"{report.path} reports {label(found)} ({found.severity}) in {package_of(found)}, which is {status(found)}"
}

status(found) := found.signed_status if settings.vulnerabilities.signed_vex

status(found) := found.status if not settings.vulnerabilities.signed_vex

label(found) := object.get(found, "id", "a vulnerability without an id")

package_of(found) := object.get(found.package, "purl", object.get(found.package, "name", "a package"))
