package release

rule := 1

nothing := missing(1)

dotted := some_lib.check(input.x)

called_rule := rule(1)

in_package := data.release.lost(2)

computed := data.release[input.name](1)

shadowed if {
	f := 1
	f(2)
}

nested if {
	g := 1
	x := [y | y := g(2)]
	x == x
}
