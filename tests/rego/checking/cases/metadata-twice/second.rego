# METADATA
# scope: package
# title: two
package release
