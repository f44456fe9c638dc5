package release

a if { x == 1 } b if { y == 1 }
c.d := z if { true } e := 1 if { true }
f if { w == 1 } f if { v == 1 }
