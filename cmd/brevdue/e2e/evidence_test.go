package e2e

import (
	"archive/zip"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
)

// TestEvidence fetches the evidence of a delivered letter from a running gateway, verifies it with `brevdue verify` and with
// xmlsec1, and finds a changed byte in every part by its name.
func TestEvidence(t *testing.T) {
	t.Parallel()
	ctx, w := setup(t, 3*time.Minute, harness.Options{})
	answer, err := w.Gateway.Client.PostIntent(ctx, harness.Letter("sag-bevis", "2512489996"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := w.Gateway.Await(ctx, answer.ID, "delivered")
	if err != nil {
		t.Fatal(err)
	}
	// The sender calls itself otherwise by now: what was sent stays what it was.
	if err := w.Reconfigure(ctx, func(settings map[string]any) {
		sender, _ := settings["senders"].(map[string]any)["jobcenter"].(map[string]any)
		sender["label"] = "Testby Kommune, Job og Borgerservice"
	}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "bevis.asice")
	fetch(ctx, t, w, v.Messages[0].ID, file)
	ca := filepath.Join(w.Sim.Dir, "ca.pem")
	out, err := harness.Run(ctx, binary, dir, "verify", "--ca", ca, file)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"kombi_request.xml", "kvitteringer/", "manifest-1.xml", "kvittering.html", "tidslinje.json"} {
		if !strings.Contains(out, part) {
			t.Errorf("the report says nothing of %s:\n%s", part, out)
		}
	}
	if _, err := harness.Run(ctx, binary, dir, "verify", file); err == nil {
		t.Error("evidence was verified without anybody to trust")
	}
	judgedByXMLSec(ctx, t, file, ca)
	flips(ctx, t, file, ca)
}

// fetch gets the evidence over the command line, as a case worker would.
func fetch(ctx context.Context, t *testing.T, w *harness.World, message, file string) {
	t.Helper()
	if _, err := w.Gateway.Command(ctx, filepath.Dir(file), "evidence", "-o", file, message); err != nil {
		t.Fatal(err)
	}
}

// judgedByXMLSec lets another implementation verify the signature over the extracted files.
func judgedByXMLSec(ctx context.Context, t *testing.T, file, ca string) {
	t.Helper()
	xmlsec, err := exec.LookPath("xmlsec1")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Log("NOT TESTED: xmlsec1 is not installed (apt-get install xmlsec1)")
		return
	}
	dir := t.TempDir()
	r, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for _, f := range r.File {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		content, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verify := func() error {
		cmd := exec.CommandContext(ctx, xmlsec, "--verify", "--trusted-pem", ca, "--id-attr:Id",
			"http://uri.etsi.org/01903/v1.3.2#:SignedProperties", "META-INF/signatures.xml")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Logf("%s", out)
		}
		return err
	}
	if err := verify(); err != nil {
		t.Errorf("xmlsec1: %v", err)
	}
	request := filepath.Join(dir, "anmodning", "kombi_request.xml")
	raw, err := os.ReadFile(request)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(request, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if verify() == nil {
		t.Error("xmlsec1 did not see the changed request")
	}
}

// flips changes one byte in the middle of every file of the container, and one of its structure.
func flips(ctx context.Context, t *testing.T, file, ca string) {
	t.Helper()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	changed := filepath.Join(t.TempDir(), "changed.asice")
	verify := func(at int64, name string) {
		t.Helper()
		raw := slices.Clone(whole)
		raw[at] ^= 0x20
		if err := os.WriteFile(changed, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := harness.Run(ctx, binary, filepath.Dir(changed), "verify", "--ca", ca, changed)
		if err == nil || !strings.Contains(out, name) {
			t.Errorf("byte %d of %s was changed: %v\n%s", at, name, err, out)
		}
	}
	for _, f := range r.File {
		start, err := f.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		size := int64(f.CompressedSize64)
		verify(start+size/2, f.Name)
	}
	verify(int64(len(whole))-3, "container")
}
