# METADATA
# scope: package
# title: Nothing was overridden that may not be
# description: >-
#   What was skipped, overridden or injected stands in the decision as a degradation. Those that setting
#   overrides.denied names are not accepted: files judged as another kind than they are, and signers that the
#   release trusts by itself.
# custom:
#   id: CFG-02
#   severity: high
#   controls: [soc2/cc8.1]
#   remediation: Judge without the override, or take its code out of overrides.denied with --data.
package adjudge.release.cfg_02

import data.adjudge.settings

deny contains {"msg": msg, "pointer": $"/degradations/{index}"} if {
	some index, degradation in input.degradations
	degradation.code in settings.overrides.denied
	msg := $"{degradation.message} ({degradation.code})"
}
