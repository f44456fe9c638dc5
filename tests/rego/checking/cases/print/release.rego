package release

value := print("x")

inner := [1 | x := print("y")]

late if {
	print(y)
	y = 1
}

lost if print(z, input.a)

closed if {
	some w
	count([1 | print(w)]) > 0
}

fine if {
	print("any", input.nothing)
	true
}
