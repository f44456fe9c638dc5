package release

p[x] { x in [1, 2] }

q if { true }

r { every y in [1] { y > 0 } }
