package routing

import (
	"fmt"
	"os"
	"path/filepath"
)

// Load reads the rules file of that name and the lists it names. Files named in it without an absolute path, those of
// targets too, are looked for in its own folder. The error is [Problems] when the content is wrong.
func Load(name string) (*Rules, error) {
	src, err := os.ReadFile(name) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	dir := filepath.Dir(name)
	r, err := Parse(src, func(list string) ([]byte, error) { return os.ReadFile(beside(dir, list)) })
	if err != nil {
		return nil, err
	}
	for _, t := range r.order {
		for _, file := range []*string{&t.Folder, &t.SecretFile, &t.CertificateFile, &t.KeyFile, &t.CAFile, &t.PasswordFile} {
			*file = beside(dir, *file)
		}
	}
	return r, nil
}

// beside finds a file that another one names.
func beside(dir, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}
