package release

contains_x { in == 1 }

q if { true }
