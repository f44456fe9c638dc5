package release

# METADATA
# title: [unclosed
a := 1

# METADATA
# scope: nowhere
b := 2

# METADATA
# severity: high
c := 3
