package fjernprint_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// conformance is a file of the official material.
func conformance(t testing.TB, parts ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "..", "shared", "conformance"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		missing(t, "the official material is not here: "+err.Error())
	}
	return path
}

func missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("required in CI: " + why)
	}
	t.Skip("SKIPPED, NOT TESTED: " + why)
}

// schema asks the official schema about documents, in one call; it gives xmllint's words.
func schema(t testing.TB, documents ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath("xmllint"); err != nil {
		missing(t, "xmllint is not installed (libxml2-utils)")
	}
	dir := t.TempDir()
	args := []string{conformance(t, "validate-forsendelse.sh"), conformance(t, "fjernprint-xsd")}
	for i, d := range documents {
		path := filepath.Join(dir, fmt.Sprintf("%04d.xml", i))
		if err := os.WriteFile(path, []byte(d), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	out, err := exec.CommandContext(t.Context(), "sh", args...).CombinedOutput()
	return string(out), err
}

func TestRandomLettersFitTheSchema(t *testing.T) {
	t.Parallel()
	const letters = 500
	seed := rand.Uint64()
	d := dice{rand.New(rand.NewPCG(seed, 1))}
	documents := []string{xml(t, full()), xml(t, letter())}
	formA, formB := 0, 0
	for i := range letters {
		f := d.random(t)
		if err := f.Validate(); err != nil {
			t.Fatalf("seed %d, letter %d: %v", seed, i, err)
		}
		switch {
		case f.Modtager == nil:
		case f.Modtager.Adresse.Adresse != nil:
			formA++
		default:
			formB++
		}
		documents = append(documents, xml(t, f))
	}
	out, err := schema(t, documents...)
	if err != nil {
		t.Fatalf("seed %d: %v\n%.4000s", seed, err, out)
	}
	if n := strings.Count(out, " validates"); n != len(documents) || formA < 50 || formB < 50 {
		t.Errorf("seed %d: %d of %d validate, %d in form A, %d in form B", seed, n, len(documents), formA, formB)
	}
}
