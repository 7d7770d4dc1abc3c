package journal

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEverySecretIsInAVault: a column that is sealed and not listed would be left behind under a key that is then destroyed.
func TestEverySecretIsInAVault(t *testing.T) {
	t.Parallel()
	listed := make(map[string]bool)
	for _, v := range vaults() {
		for _, secret := range v.secrets {
			listed[v.table+"."+secret.name] = true
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	place := regexp.MustCompile(`placeOf\("([^"]*)"`)
	found := make(map[string]bool)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range place.FindAllStringSubmatch(string(source), -1) {
			if found[match[1]] = true; !listed[match[1]] {
				t.Errorf("%s seals %s, which no vault lists", file, match[1])
			}
		}
	}
	for name := range listed {
		if !found[name] {
			t.Errorf("a vault lists %s, which nobody seals", name)
		}
	}
}
