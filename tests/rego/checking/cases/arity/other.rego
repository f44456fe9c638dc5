package other

import data.release

few := release.two("x")
