package release

lost if print(z, input.a)

in_template := $"{xs[i]}" if xs := [1]

late if {
	print(y)
	y = 1
}
