package release

import future.keywords.in

p[x] { x := [1, 2][_]; x in [1] }

q = 1 { true } else = 2 { input.a }

default r = false

r { f(1) }

f(x) { x > 0 }
