package main

import (
	"syscall"
	"unsafe"
)

const threadClock = 3 // CLOCK_THREAD_CPUTIME_ID

// nanoseconds of the processor that this thread has had; what else the machine does is not
// counted, nor are other threads of the process.
func nanoseconds() int64 {
	var now syscall.Timespec
	_, _, failed := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadClock, uintptr(unsafe.Pointer(&now)), 0)
	if failed != 0 {
		fail(failed)
	}
	return now.Nano()
}
