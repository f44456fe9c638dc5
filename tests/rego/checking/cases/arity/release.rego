package release

two(a, b) := a + b

none := two()

one := two(1)

three := two(1, 2, 3)

fits if two(1, 2, 3)

builtin_few := concat(",")

builtin_many := upper("a", "b")

statement if startswith("a")

clock := time.now_ns(1)

infix := plus(1, 2, 3)
