package modern

import rego.v1

p if any([true])
