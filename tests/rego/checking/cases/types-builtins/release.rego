package release

# Arguments that a builtin does not take.
total := sum("ten")

name := upper(12)

joined := concat(["a"], ",")

starts if startswith(input.path, 7)

short if count(5) < 3

parts := split({"a"}, ",")

found := [i | some i in numbers.range("1", 3)]

text := sprintf("%d", 4)

nested := upper(sum([1, 2]))

result := x if {
	count(input.xs, x)
	lower(x)
}

negative := abs("-1")

deep if {
	some c in input.containers
	every p in c.ports { to_number([p]) > 1024 }
}
