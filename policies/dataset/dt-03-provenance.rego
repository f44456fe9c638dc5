# METADATA
# scope: package
# title: Where the data comes from is described
# description: The record says how the data was collected, or who made it and where it is found.
# custom:
#   id: DT-03
#   severity: medium
#   controls: [eu-ai-act/10.2.b, iso-42001/a.7.5]
#   applies_to: dataset
#   remediation: Describe the collection (rai:dataCollection), and name the creator and the url.
package adjudge.dataset.dt_03

deny contains {"msg": msg, "pointer": "/facts/responsible"} if {
	not input.facts.responsible.collection
	msg := $"{input.path} does not say how the data was collected"
}

deny contains {"msg": msg, "pointer": "/facts/creators"} if {
	count(input.facts.creators) == 0
	not input.facts.url
	msg := $"{input.path} names neither who made the data nor where it is found"
}
