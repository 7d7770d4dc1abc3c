//go:build unix

package target

import (
	"os"
	"syscall"
)

// mapFile maps a file of the document store, which nobody changes, into memory.
func mapFile(f *os.File, size int64) ([]byte, func(), error) {
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.Size() != size {
		return nil, nil, errChanged
	}
	content, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return nil, nil, os.NewSyscallError("mmap", err)
	}
	return content, func() { _ = syscall.Munmap(content) }, nil
}
