package evidence

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestEvidenceIsVerifiedByHand follows docs/evidence.md: unpack, verify the signature over all files, then a manifest over
// the request.
func TestEvidenceIsVerifiedByHand(t *testing.T) {
	t.Parallel()
	xmlsec1, err := exec.LookPath("xmlsec1")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("xmlsec1 is not installed, and CI must not pass without it")
		}
		t.Skip("SKIPPED: xmlsec1 is not installed, so another implementation did not check the evidence")
	}
	dir := t.TempDir()
	put := func(name string, content []byte) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := dossier(t)
	files := contents(t, write(t, d, options()))
	for name, content := range files {
		put(name, []byte(content))
	}
	put("root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ours().root.Raw}))
	verify := func(id, file string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), xmlsec1, "--verify", "--trusted-pem", "root.pem", "--id-attr:Id", id,
			"--verification-gmt-time", clock.Format("2006-01-02 15:04:05"), file)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput() // what it says is looked at
		return string(out)
	}
	const props = "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"
	if out := verify(props, "META-INF/signatures.xml"); !strings.HasPrefix(out, "OK") || !strings.Contains(out, "(ok/all): 13/13") {
		t.Errorf("the container: %s", out)
	}
	put(attemptTwo, []byte(files["anmodning/kombi_request.xml"])) // the manifest names it by the attempt's id
	if out := verify("Manifest", "anmodning/manifest-2.xml"); !strings.HasPrefix(out, "OK") || !strings.Contains(out, "Manifests References (ok/all): 1/1") {
		t.Errorf("the manifest: %s", out)
	}
	put("svar/forsoeg-1.json", []byte(files["svar/forsoeg-1.json"]+" "))
	if out := verify(props, "META-INF/signatures.xml"); strings.HasPrefix(out, "OK") {
		t.Errorf("a changed file: %s", out)
	}
}
