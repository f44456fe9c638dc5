# METADATA
# scope: package
# title: Known bias of the data is documented
# description: The record says what bias the data has, or that none was found and how it was looked for.
# custom:
#   id: DT-05
#   severity: medium
#   controls: [eu-ai-act/10.2.f, iso-42001/a.7.4, nist-ai-600-1/ms-2.11-004]
#   applies_to: dataset
#   remediation: Describe known biases (rai:dataBiases, or dataset_knownBias in SPDX).
package adjudge.dataset.dt_05

deny contains {"msg": msg, "pointer": "/facts/responsible"} if {
	not input.facts.responsible.biases
	msg := $"{input.path} does not say what bias the data has"
}
