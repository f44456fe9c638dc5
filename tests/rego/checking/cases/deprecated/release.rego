package release

p if any([true])

q := [x | x := all([true])]

r if not re_match("a", input.b)
