package release

mixed := 1

mixed contains 2

arity(a) := a

arity(a, b) := [a, b]

value := 1

value(x) := x

set_or_object contains "x"

set_or_object[k] := 1 if some k in ["y"]

default twice := 1

default twice := 2

twice := 3

fine["a"] := 1

fine[k] := 2 if some k in ["b"]
