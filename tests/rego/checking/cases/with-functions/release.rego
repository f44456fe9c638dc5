package release

f(x) := x

g(x, y) := x + y

wide := f(1) with f as g

narrow := concat(",", ["a"]) with concat as f

fine := f(1) with f as h

h(x) := x * 2

value := f(1) with f as 3
