# METADATA
# scope: package
# title: Settings are ones that policies know
# description: >-
#   A misspelt setting changes nothing and looks as if it did. Every name below data.adjudge.config is
#   one that the shipped policies read, and its value is of the right type.
# custom:
#   id: CFG-01
#   severity: high
#   controls: [soc2/cc8.1]
#   remediation: Correct the file given with --data; docs/reference/controls.md lists the settings.
package adjudge.release.cfg_01

import data.adjudge.settings

applicable if data.adjudge.config == data.adjudge.config

deny contains {"msg": "data.adjudge.config is not an object"} if not is_object(data.adjudge.config)

deny contains {"msg": msg} if {
	some section, _ in data.adjudge.config
	not known[section]
	msg := $"data.adjudge.config.{section} is not a group of settings"
}

deny contains {"msg": msg} if {
	some section, values in data.adjudge.config
	known[section]
	not is_object(values)
	msg := $"data.adjudge.config.{section} is {type_name(values)}, expected an object"
}

deny contains {"msg": msg} if {
	some section, values in data.adjudge.config
	some name, _ in values
	known[section]
	not known[section][name]
	msg := $"data.adjudge.config.{section}.{name} is no setting"
}

deny contains {"msg": msg} if {
	some section, values in data.adjudge.config
	some name, value in values
	expected := known[section][name]
	type_name(value) != expected
	msg := $"data.adjudge.config.{section}.{name} is {type_name(value)}, expected {expected}"
}

# The type of every setting there is.
known[section][name] := type_name(value) if {
	some section, values in settings.defaults
	some name, value in values
}

known[section][name] := type if {
	some section, values in settings.optional
	some name, type in values
}
