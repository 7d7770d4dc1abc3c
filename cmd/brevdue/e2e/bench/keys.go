package main

import (
	"fmt"
	"path/filepath"

	"github.com/brevdue/brevdue/gateway/keys"
)

// withKeys has a gateway seal what it stores, under keys of its own in dir.
func withKeys(dir string, change func(map[string]any)) (func(map[string]any), error) {
	file := filepath.Join(dir, "keyset.json")
	if _, err := keys.Create(keys.Config{File: file}); err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	return func(settings map[string]any) {
		settings["keys"] = map[string]any{"file": file}
		if change != nil {
			change(settings)
		}
	}, nil
}
