# METADATA
# scope: package
# schemas:
# - input: schema.request
package release

# METADATA
# schemas:
# - data.limits: schema.parts.limits
by_annotation if {
	data.limits.cpus > 1
	input.user.nme == "x"
}

by_input := input.user.name + 1

fine if input.user.age > 3

# METADATA
# schemas:
# - input.extra: {type: string}
inline if input.extra > 3

# METADATA
# schemas:
# - input: schema.nowhere
undefined if input.a
