package keys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzFile: a keyset file is read or refused, and quoted nowhere.
func FuzzFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "keyset.json")
	if _, err := Create(Config{File: path}); err != nil {
		f.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte(`{"format":"brevdue-keyset-1","primary":"00000000","keys":[{"id":"00000000","fields":{},"documents":null,"hashes":1}]}`))
	f.Add([]byte(strings.Replace(string(content), `"value"`, `"SECRET"`, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := parse(b)
		if err == nil {
			var r *ring
			if r, err = file.open(nil); err == nil && (r.primary == nil || r.byID[r.primary.id] != r.primary) {
				t.Fatal("a ring without the key that seals")
			}
		}
		if err != nil && strings.Contains(err.Error(), "SECRET") {
			t.Fatal(err)
		}
	})
}
