# METADATA
# scope: package
# title: The template is filled in
# custom:
#   id: EX-03
#   applies_to: model_card
package example.ex_03

deny contains {"msg": $"{hole.section}: {hole.text}", "pointer": $"/facts/placeholders/{i}"} if {
	some i, hole in input.facts.placeholders
}
