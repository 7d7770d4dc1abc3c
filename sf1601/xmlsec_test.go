package sf1601_test

import (
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func decode(t *testing.T, text string) []byte {
	t.Helper()
	out, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// xmlsec1 verifies the signature inside a request as it arrived.
func xmlsec1(t *testing.T, body []byte) {
	t.Helper()
	if out, err := verifyXMLSec1(t, body); err != nil {
		t.Errorf("xmlsec1: %v\n%s", err, out)
	}
}

// verifyXMLSec1 gives what xmlsec1 says; an error is a bad signature.
func verifyXMLSec1(t *testing.T, body []byte) ([]byte, error) {
	t.Helper()
	program, err := exec.LookPath("xmlsec1")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("xmlsec1 is not installed, and CI must not pass without it")
		}
		t.Skip("SKIPPED: xmlsec1 is not installed, so another implementation did not check our signatures")
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"kombi.xml": body, "cert.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate().Certificate[0]}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "--verify", "--trusted-pem", "cert.pem",
		"--verification-gmt-time", now.Format("2006-01-02 15:04:05"), "kombi.xml")
	cmd.Dir = dir
	return cmd.CombinedOutput()
}
