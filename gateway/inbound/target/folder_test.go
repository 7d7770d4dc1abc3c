package target_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/inbound/target"
	"github.com/brevdue/brevdue/gateway/inbound/targettest"
	"github.com/brevdue/brevdue/gateway/routing"
)

func newFolder(t *testing.T, dir string, o target.Options) inbound.Target {
	t.Helper()
	made, err := target.New(routing.Target{Name: "esdh", Kind: routing.Folder, Folder: dir}, o)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func folderWorld(t *testing.T) targettest.World {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "esdh [*]")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return targettest.World{
		Target: newFolder(t, dir, target.Options{}), Tells: true,
		Set: func(t *testing.T, m targettest.Mood) bool {
			t.Helper()
			away := dir + " away"
			switch m {
			case targettest.Gone:
				if err := os.Rename(dir, away); err != nil {
					t.Fatal(err)
				}
				return true
			case targettest.Takes:
				_ = os.Rename(away, dir) // it may be there
				return true
			case targettest.Refuses, targettest.Busy:
			}
			return false
		},
		Got: func(t *testing.T, p *inbound.Parcel) []targettest.Copy {
			t.Helper()
			home := filepath.Join(dir, p.Post.MessageUUID)
			if _, err := os.Stat(home); err != nil {
				return nil
			}
			c := targettest.Copy{Memo: digest(t, filepath.Join(home, "memo.xml")), Documents: map[string]string{}}
			for _, path := range entries(t, filepath.Join(home, "documents")) {
				c.Documents[path] = digest(t, filepath.Join(home, "documents", path))
			}
			return []targettest.Copy{c}
		},
		Traces: func(t *testing.T) []string {
			t.Helper()
			var left []string
			for _, name := range entries(t, dir) {
				if strings.HasPrefix(name, ".") {
					left = append(left, name)
				}
			}
			return left
		},
	}
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(list))
	for n, e := range list {
		names[n] = e.Name()
	}
	return names
}

func digest(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer func() { _ = f.Close() }()
	return digestOf(t, f)
}

func digestOf(t testing.TB, r io.Reader) string {
	t.Helper()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		t.Error(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestFolderConformance(t *testing.T) {
	t.Parallel()
	targettest.Run(t, folderWorld)
}

func TestFolderLarge(t *testing.T) { targettest.RunLarge(t, folderWorld(t)) } //nolint:paralleltest // measures memory

func code(t *testing.T, o inbound.Outcome, verdict inbound.Verdict, word string) {
	t.Helper()
	if o.Verdict != verdict || o.Code != word {
		t.Errorf("%s %s: %v, wanted %s %s", o.Verdict, o.Code, o.Err, verdict, word)
	}
}

// TestFolderLooksAsTheDocsSay: the names, what post.json holds and what it does not, and who may read.
func TestFolderLooksAsTheDocsSay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := targettest.Parcel(t, 10, 20)
	code(t, newFolder(t, dir, target.Options{}).Deliver(t.Context(), p), inbound.Taken, "folder.stored")
	home := filepath.Join(dir, p.Post.MessageUUID)
	if got := strings.Join(entries(t, home), " "); got != "documents memo.xml post.json receipt.json" {
		t.Error(got)
	}
	if b, err := os.ReadFile(filepath.Join(home, "receipt.json")); err != nil || !bytes.Equal(b, p.Receipt) {
		t.Errorf("%s, %v", b, err)
	}
	for name, mode := range map[string]os.FileMode{".": 0o750, "memo.xml": 0o640, "documents": 0o750, "post.json": 0o640} {
		if info, err := os.Stat(filepath.Join(home, name)); err != nil || info.Mode().Perm()&^0o027 != mode&^0o027 || info.Mode().Perm()&0o007 != 0 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	raw, err := os.ReadFile(filepath.Join(home, "post.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{targettest.CPR, targettest.Name, targettest.Subject} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("post.json holds %q", secret)
		}
	}
	var got struct {
		ID          string    `json:"id"`
		MessageUUID string    `json:"messageUUID"`
		SenderType  string    `json:"senderType"`
		CaseID      string    `json:"caseID"`
		Received    time.Time `json:"received"`
		Flags       []string  `json:"flags"`
		Documents   []struct {
			File string `json:"file"`
		} `json:"documents"`
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != p.Post.ID || got.MessageUUID != p.Post.MessageUUID || got.SenderType != "CPR" || got.CaseID != targettest.CaseID ||
		!got.Received.Equal(p.Post.ReceivedAt) || len(got.Flags) != 1 || len(got.Documents) != 2 || got.Documents[1].File != "æøå 1.bin" {
		t.Errorf("%s", raw)
	}
}

func TestFolderTellsWhatIsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x, p := newFolder(t, dir, target.Options{}), targettest.Parcel(t, 10)
	home := filepath.Join(dir, p.Post.MessageUUID)
	code(t, x.Deliver(t.Context(), p), inbound.Taken, "folder.stored")
	code(t, x.Deliver(t.Context(), p), inbound.Taken, "folder.there")
	other := targettest.Parcel(t, 11)
	other.Post.MessageUUID = p.Post.MessageUUID
	code(t, x.Deliver(t.Context(), other), inbound.Refused, "folder.other")
	if digest(t, filepath.Join(home, "memo.xml")) != p.Post.Memo.SHA256 {
		t.Error("what was there has changed")
	}
	if err := os.Remove(filepath.Join(home, "memo.xml")); err != nil {
		t.Fatal(err)
	}
	code(t, x.Deliver(t.Context(), p), inbound.Later, "folder.busy")
	if err := os.RemoveAll(home); err != nil { // the system has fetched it
		t.Fatal(err)
	}
	code(t, x.Deliver(t.Context(), p), inbound.Taken, "folder.stored")
}

// TestFolderMakesNoPathOfAMessage: neither of its UUID nor of the name of a document.
func TestFolderMakesNoPathOfAMessage(t *testing.T) {
	t.Parallel()
	outer := t.TempDir()
	dir := filepath.Join(outer, "inner")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	x := newFolder(t, dir, target.Options{})
	for _, name := range []string{"", "..", "../x", "/etc", strings.Repeat("a", 36), "00000000-0000-4000-8000-00000000000/", "00000000-0000-4000-8000-00000000000\x00"} {
		p := targettest.Parcel(t, 1)
		p.Post.MessageUUID = name
		code(t, x.Deliver(t.Context(), p), inbound.Refused, "folder.name")
	}
	for _, name := range []string{"", ".", "..", "../../x", "a/b", `a\b`, "a\x00"} {
		p := targettest.Parcel(t, 1)
		p.Post.Documents[0].SafeName = name
		code(t, x.Deliver(t.Context(), p), inbound.Later, "store")
	}
	if len(entries(t, dir)) != 0 || len(entries(t, outer)) != 1 {
		t.Errorf("%v %v", entries(t, dir), entries(t, outer))
	}
}

// TestFolderClearsUp what a crash left, and not what another process is writing.
func TestFolderClearsUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Now()
	for name, age := range map[string]time.Duration{".brevdue-old": 2 * time.Hour, ".brevdue-new": time.Minute, "other": 9 * time.Hour} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Join(path, "documents"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	x := newFolder(t, dir, target.Options{Now: func() time.Time { return now }})
	p := targettest.Parcel(t, 1)
	code(t, x.Deliver(t.Context(), p), inbound.Taken, "folder.stored")
	if got := strings.Join(entries(t, dir), " "); strings.Contains(got, "old") || !strings.Contains(got, ".brevdue-new") || !strings.Contains(got, "other") {
		t.Error(got)
	}
	now = now.Add(2 * time.Hour)
	code(t, x.Deliver(t.Context(), p), inbound.Taken, "folder.there")
	if got := strings.Join(entries(t, dir), " "); strings.Contains(got, "new") {
		t.Error(got)
	}
}

// TestFolderOnASmallDisk: a full one and a read-only one are real file systems.
func TestFolderOnASmallDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED, NOT TESTED: only root can mount a small file system")
	}
	dir := t.TempDir()
	mount := func(args ...string) error {
		return exec.CommandContext(context.WithoutCancel(t.Context()), "mount", append(args, dir)...).Run()
	}
	if err := mount("-t", "tmpfs", "-o", "size=2m", "tmpfs"); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: no small file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := exec.CommandContext(context.WithoutCancel(t.Context()), "umount", dir).Run(); err != nil {
			t.Error(err)
		}
	})
	x, p := newFolder(t, dir, target.Options{}), targettest.Parcel(t, 3_000_000)
	code(t, x.Deliver(t.Context(), p), inbound.Later, "folder.full")
	if left := entries(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	code(t, x.Deliver(t.Context(), targettest.Parcel(t, 1000)), inbound.Taken, "folder.stored")
	if err := mount("-o", "remount,ro"); err != nil {
		t.Fatal(err)
	}
	code(t, x.Deliver(t.Context(), targettest.Parcel(t, 1000)), inbound.Later, "folder.denied")
}

func TestFolderIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code(t, newFolder(t, filepath.Join(dir, "none"), target.Options{}).Deliver(t.Context(), targettest.Parcel(t, 1)), inbound.Later, "folder.missing")
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code(t, newFolder(t, file, target.Options{}).Deliver(t.Context(), targettest.Parcel(t, 1)), inbound.Later, "folder.missing")
	for _, bad := range []string{"", "relative/path"} {
		if _, err := target.New(routing.Target{Name: "esdh", Kind: routing.Folder, Folder: bad}, target.Options{}); err == nil ||
			!strings.Contains(err.Error(), "target esdh: folder: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
