# METADATA
# scope: package
# title: one
package release

# METADATA
# scope: document
# title: a
p if input.a

# METADATA
# scope: document
# title: b
p if input.b
