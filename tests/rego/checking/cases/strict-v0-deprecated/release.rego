package release

p { any([true]) }

q = x { x := all([true]) }

r { re_match("a", "b") }
