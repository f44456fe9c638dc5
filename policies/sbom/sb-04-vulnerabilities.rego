# METADATA
# scope: package
# title: No serious vulnerability is open
# description: >-
#   No vulnerability in the SBOM, or in a VEX file beside it, has a severity that blocks (setting
#   vulnerabilities.block) and is still open. Closed are resolved ones, and those stated not to affect
#   the product or to be false alarms, as long as a reason is given. Who made the statement is not
#   checked here.
# custom:
#   id: SB-04
#   severity: critical
#   controls: [soc2/cc7.1, mitre-atlas/aml.m0016, nist-ai-600-1/mg-3.1-002]
#   applies_to: sbom
#   remediation: >-
#     Update the component. If the product is not affected, say so in the analysis of the
#     vulnerability, with state and justification.
package adjudge.sbom.sb_04

import data.adjudge.settings

deny contains {"msg": msg, "pointer": $"/facts/vulnerabilities/{i}"} if {
	some i, found in input.facts.vulnerabilities
	found.severity in settings.vulnerabilities.block
	not closed(found)
	msg := $"{input.path} lists {label(found)} ({found.severity}), which is {state(found)}"
}

deny contains {"msg": msg, "pointer": $"/facts/vulnerabilities/{i}"} if {
	some i, found in input.facts.vulnerabilities
	found.state in without_effect
	not reasoned(found)
	found.severity in settings.vulnerabilities.block
	msg := $"{input.path} says that {label(found)} ({found.severity}) is {found.state} and not why"
}

warn contains {"msg": msg, "pointer": $"/facts/vulnerabilities/{i}"} if {
	some i, found in input.facts.vulnerabilities
	found.severity in ["critical", "high", "unknown"]
	not found.severity in settings.vulnerabilities.block
	not closed(found)
	msg := $"{input.path} lists {label(found)} (severity {found.severity}), which is {state(found)}"
}

without_effect := ["not_affected", "false_positive"]

closed(found) if found.state in ["resolved", "resolved_with_pedigree", "fixed"]

closed(found) if found.state in without_effect

reasoned(found) if found.justification

reasoned(found) if found.detail

label(found) := object.get(found, "id", "a vulnerability without an id")

default state(_) := "not analysed"

state(found) := found.state
