//go:build !linux

package main

import "errors"

func (*place) mount(bool) error { return nil }

func (*place) unmount() {}

func (*place) fill() (func() error, error) { return nil, errors.New("disk: only on Linux") }
