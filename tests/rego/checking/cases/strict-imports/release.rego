package release

import data.lib.a
import data.lib.b as c
import data.lib.unused
import data.other as a
import input.user
import rego.v1
import rego.v1

p if {
	a.x
	c.y
}
