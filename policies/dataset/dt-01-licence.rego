# METADATA
# scope: package
# title: The data set's licence is allowed
# description: >-
#   The record names a licence, and each of its licences is on the list in setting licenses.allowed. A
#   licence that is no known SPDX id is not on it, unless the list has it as it is written.
# custom:
#   id: DT-01
#   severity: medium
#   controls: [nist-ai-600-1/mp-4.1-010, iso-42001/a.7.3]
#   applies_to: dataset
#   remediation: Name the licence in the record; replace the data, or have the licence accepted and add it to licenses.allowed.
package adjudge.dataset.dt_01

import data.adjudge.settings

deny contains {"msg": msg, "pointer": "/facts/licenses"} if {
	count(input.facts.licenses) == 0
	msg := $"{input.path} names no licence"
}

deny contains {"msg": msg, "pointer": "/facts/licenses"} if {
	stated := array.concat(input.facts.license_ids, unknown)
	refused := [license | some license in stated; not license in settings.licenses.allowed]
	count(refused) > 0
	msg := $"{input.path} is under {concat(", ", refused)}, which is not among the allowed licences"
}

# Of one licence that is known, the id stands for what is written.
unknown := [] if count(input.facts.license_ids) == count(input.facts.licenses)

unknown := input.facts.licenses if count(input.facts.license_ids) != count(input.facts.licenses)
