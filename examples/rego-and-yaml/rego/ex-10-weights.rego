# METADATA
# scope: package
# title: Weights are safetensors and signed
# description: Data, and nothing but data, by somebody we know.
# custom:
#   id: EX-10
#   severity: critical
#   applies_to: weights
package example.ex_10

deny contains finding if {
	some i, file in input.facts.files
	file.format != "safetensors"
	finding := {
		"msg": $"{file.path} is {file.format}",
		"pointer": $"/facts/files/{i}",
		"details": {"bytes": file.size, "tensors": object.get(file, "tensors", null)},
	}
}

deny contains {"msg": $"{input.path} has no signature", "pointer": "/signatures"} if {
	count(input.signatures) == 0
}
