package release

p { any([true]) }
