// Package memotest helps tests to check MeMo XML against the official schema.
package memotest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// ValidateXSD fails the test unless document, a memo:Message of version 1.1 as root, is valid by the official MeMo 1.1
// XSD. It runs `xmllint` over the schema found at `../shared/conformance/memo-1.1-xsd` beside the module root.
//
// Where xmllint or the schema is missing the test is skipped with a message, except that it fails while the environment
// has CI=true.
func ValidateXSD(t testing.TB, document []byte) {
	t.Helper()
	schema := conformanceFile(t, "memo-1.1-xsd", "MeMo_core.xsd")
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		missing(t, "xmllint (apt-get install libxml2-utils)")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	//nolint:gosec // the program and its arguments are the test's own
	cmd := exec.CommandContext(ctx, xmllint, "--huge", "--nonet", "--noout", "--schema", schema, "-")
	cmd.Stdin = bytes.NewReader(document)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("not valid by MeMo_core.xsd: %v\n%s", err, out)
	}
}

// Example returns an official example message by its file name, such as "minimum-1.2.xml", and skips or fails like
// ValidateXSD when it is not there.
func Example(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(conformanceFile(t, "memo", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// conformanceFile finds a file of the conformance folder beside the module root.
func conformanceFile(t testing.TB, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{moduleRoot(t), "..", "shared", "conformance"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		missing(t, filepath.Join(append([]string{"../shared/conformance"}, elem...)...))
	}
	return path
}

func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("MISSING: %s; required while CI=true", what)
	}
	t.Skipf("SKIPPED, NOT CHECKED: %s is missing", what)
}
