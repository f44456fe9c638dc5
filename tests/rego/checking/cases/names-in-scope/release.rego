package release

# What is declared around may be used until it is declared again.
doubled := y if {
	x := 2
	y := [x | x := 2 * x]
}

in_order if {
	x := 1
	z := [x | some x in [1, 2]]
	z == [x]
}
