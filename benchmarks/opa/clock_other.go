//go:build !linux

package main

import "time"

var began = time.Now()

// nanoseconds since the program began, where a thread's own time is not known.
func nanoseconds() int64 {
	return time.Since(began).Nanoseconds()
}
