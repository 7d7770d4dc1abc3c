package asice

import (
	"archive/zip"
	"bytes"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program finds a program that checks us by another implementation.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed, and CI must not pass without it", name)
		}
		t.Skipf("SKIPPED: %s is not installed, so another implementation did not check the container", name)
	}
	return path
}

// extract unpacks a container with the ZIP reader of the standard library.
func extract(t *testing.T, container []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(container), int64(len(container)))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// xmlsec1 verifies the signature of an unpacked container, as docs/evidence.md says it is done by hand: in the folder that
// it was unpacked in, since the references are relative to it.
func xmlsec1(t *testing.T, dir string) (string, bool) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ours().root.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program(t, "xmlsec1"), "--verify", "--trusted-pem", root,
		"--verification-gmt-time", clock.Format("2006-01-02 15:04:05"),
		"--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", nameSignatures)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func TestTheSignatureIsVerifiedByXmlsec(t *testing.T) {
	t.Parallel()
	dir := extract(t, signedSample(t))
	out, ok := xmlsec1(t, dir)
	if !ok || !strings.Contains(out, "SignedInfo References (ok/all): 4/4") {
		t.Fatalf("xmlsec1 says ok=%v\n%s", ok, out)
	}
	change := func(name string, from, to string) {
		t.Helper()
		file := filepath.Join(dir, name)
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := bytes.Replace(content, []byte(from), []byte(to), 1)
		if bytes.Equal(changed, content) {
			t.Fatalf("%s does not hold %q", name, from)
		}
		if err := os.WriteFile(file, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, ok := xmlsec1(t, dir); ok {
			t.Errorf("xmlsec1 does not find the change in %s\n%s", name, out)
		}
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	change("anmodning/kombi_request.xml", "kombi", "Kombi")
	change(nameSignatures, "2026-11-21T12:30:45Z", "2026-11-21T12:30:46Z")
	change(nameSignatures, "<xades:MimeType>text/html", "<xades:MimeType>text/plain")
	if out, ok := xmlsec1(t, dir); !ok {
		t.Errorf("xmlsec1 no longer verifies what is as it was\n%s", out)
	}
}

func TestTheContainerIsUnpackedByUnzip(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "x.asice")
	if err := os.WriteFile(file, signedSample(t), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program(t, "unzip"), "-tqq", file).CombinedOutput()
	if err != nil {
		t.Errorf("unzip: %v\n%s", err, out)
	}
}

// There is no schema of XAdES or ASiC here to validate with. What libxml2 can tell is that the canonical form of what is
// signed is the text that stands in the file.
func TestWhatIsSignedIsCanonical(t *testing.T) {
	t.Parallel()
	xmllint := program(t, "xmllint")
	_, contents := unsigned(t, signedSample(t))
	s, err := readSigned(contents[5])
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"SignedInfo": s.info(), "SignedProperties": s.properties()} {
		cmd := exec.CommandContext(t.Context(), xmllint, "--nonet", "--exc-c14n", "-")
		cmd.Stdin = bytes.NewReader(text)
		out, err := cmd.Output()
		if err != nil || !bytes.Equal(out, text) {
			t.Errorf("%s: %v\n%s\nis, in exclusive canonical form,\n%s", name, err, text, out)
		}
	}
}
