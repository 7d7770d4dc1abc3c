package callback

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// installNode puts the Standard Webhooks library for Node beside its script, in a folder of the test, and returns how to
// run it. Without node, npm or a registry the test is skipped, and fails where CI=true.
func installNode(t *testing.T) (node, script string) {
	t.Helper()
	lacks := func(what string) {
		t.Helper()
		if os.Getenv("CI") == "true" {
			t.Fatal(what + ", and CI must have it")
		}
		t.Skip("SKIPPED LOUDLY: " + what + "; this test verifies signatures with another language's library")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		lacks("node is not installed")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		lacks("npm is not installed")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "node"))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Logf("%s", out)
		lacks("npm ci does not work: " + err.Error())
	}
	return node, filepath.Join(dir, "verify.js")
}

// TestNodeVerifies hands real calls to the Standard Webhooks library for Node: those signed with one secret, with two while
// they are exchanged, and changed ones.
func TestNodeVerifies(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs a package")
	}
	node, script := installNode(t)
	k := newClock() // the library looks at the time as well
	s := newSite(t, k, nil)
	r := receiverOf(t, s)
	r.SecretFile = secretFile(t, secret("old"), secret("new"))
	h := setup(t, k, r)
	m := h.intents(t, producer, 1, 1)[0]
	h.happen(t, producer, m)
	h.deliver(t, m)
	got := s.next(t)
	changed := got
	changed.Body = bytes.Replace(got.Body, []byte("submitted"), []byte("delivered"), 1)
	renamed := got
	renamed.Header = got.Header.Clone()
	renamed.Header.Set("webhook-id", "evt_1")
	old := got
	old.Header = got.Header.Clone()
	old.Header.Set("webhook-timestamp", "1600000000")
	fine := "ok message.submitted " + m
	cases := []struct {
		call   call
		secret string
		want   string
	}{
		{got, secret("old"), fine}, {got, secret("new"), fine}, {got, secret("other"), "refused"}, {changed, secret("new"), "refused"},
		{renamed, secret("new"), "refused"}, {old, secret("new"), "refused"},
	}
	var in bytes.Buffer
	for _, c := range cases {
		headers := make(map[string]string)
		for name := range c.call.Header {
			headers[strings.ToLower(name)] = c.call.Header.Get(name)
		}
		if err := json.NewEncoder(&in).Encode(map[string]any{"secret": c.secret, "headers": headers, "body": c.call.Body}); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), node, script)
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(strings.Lines(string(out)))
	if len(lines) != len(cases) {
		t.Fatalf("it says %q", out)
	}
	for n, c := range cases {
		if !strings.HasPrefix(lines[n], c.want) {
			t.Errorf("case %d: it says %q, wanted %q", n, lines[n], c.want)
		}
	}
}
