package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// diskSize is enough for the journal, documents, logs and append-only file of a run.
const diskSize = "256m"

// mount puts the data on a file system of its own that can be filled without harm. Without the right to, there is none.
func (p *place) mount(wanted bool) error {
	if !wanted {
		return nil
	}
	dir := filepath.Join(p.dir, "disk")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=0755,size="+diskSize); err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
			return nil // run tells that no disk was filled
		}
		return fmt.Errorf("disk: %w", err)
	}
	p.disk, p.world.disk = dir, true
	return nil
}

func (p *place) unmount() {
	if p.disk == "" {
		return
	}
	_ = syscall.Unmount(p.disk, syscall.MNT_DETACH)
	p.disk = ""
}

// fill writes until nothing more fits, and returns what makes room again.
func (p *place) fill() (func() error, error) {
	path := filepath.Join(p.disk, "filler")
	f, err := os.Create(path) //nolint:gosec // a file of ours
	if err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	defer func() { _ = f.Close() }()
	for _, size := range []int{1 << 20, 4 << 10, 1} {
		block := make([]byte, size)
		for {
			if _, err := f.Write(block); err != nil {
				if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, io.ErrShortWrite) {
					return nil, fmt.Errorf("disk: %w", err)
				}
				break
			}
		}
	}
	return func() error { return os.Remove(path) }, nil
}
