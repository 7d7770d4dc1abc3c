package backup_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/backup"
	"github.com/brevdue/brevdue/gateway/documents"
	"github.com/brevdue/brevdue/gateway/journal"
)

// gateway makes a journal, which stays open as it does while one serves, and a document.
func gateway(t *testing.T) (place backup.Place, document string) {
	t.Helper()
	dir := t.TempDir()
	p, err := backup.PlaceOf("sqlite:"+filepath.Join(dir, "brevdue.db"), "file:"+filepath.Join(dir, "documents"))
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(t.Context(), "sqlite:"+p.Journal, journal.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	f, err := documents.Open("file:"+p.Documents, documents.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sum, _, err := f.Put(t.Context(), strings.NewReader("Indkaldelse"), 100)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(p.Documents, "tmp", "put-half"), "half")
	return p, filepath.Join(sum[:2], sum[2:4], sum)
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsWrittenIsPutBack(t *testing.T) {
	t.Parallel()
	from, document := gateway(t)
	dir, now := filepath.Join(t.TempDir(), "new", "backup"), time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	a, err := backup.Write(t.Context(), from, dir, "v1", now)
	if err != nil || a.Documents != 1 || !a.At.Equal(now) {
		t.Fatalf("%+v, %v", a, err)
	}
	err = filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others may read %s: %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	target := t.TempDir()
	to := backup.Place{Journal: filepath.Join(target, "data", "brevdue.db"), Documents: filepath.Join(target, "data", "documents")}
	r, err := backup.Restore(t.Context(), dir, to)
	if err != nil || r.About != a || r.Missing != 0 {
		t.Fatalf("%+v, %v, want %+v", r, err, a)
	}
	if got, err := os.ReadFile(filepath.Join(to.Documents, document)); err != nil || string(got) != "Indkaldelse" {
		t.Errorf("%q, %v", got, err)
	}
	j, err := journal.Open(t.Context(), "sqlite:"+to.Journal, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if _, err := backup.Restore(t.Context(), dir, to); err == nil {
		t.Error("a journal was written over")
	}
	if _, err := backup.Write(t.Context(), from, dir, "v1", now); err == nil {
		t.Error("a backup was written over")
	}
}

func TestDamagedBackups(t *testing.T) {
	t.Parallel()
	from, document := gateway(t)
	for name, tc := range map[string]struct {
		damage func(t *testing.T, dir string)
		want   string
	}{
		"not finished": {func(t *testing.T, dir string) { remove(t, dir, backup.Sums) }, "not finished"},
		"a document changed": {func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "documents", document), "Indkaldelsf")
		}, "SHA-256 differs"},
		"a document gone": {func(t *testing.T, dir string) { remove(t, dir, filepath.Join("documents", document)) }, "no such file"},
		"the journal cut": {func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, "journal.db"), 4096); err != nil {
				t.Fatal(err)
			}
		}, "SHA-256 differs"},
		"a path out of the folder": {func(t *testing.T, dir string) { add(t, dir, "documents/../../evil") }, "line 4"},
		"an absolute path":         {func(t *testing.T, dir string) { add(t, dir, "/etc/evil") }, "line 4"},
		"a file twice":             {func(t *testing.T, dir string) { add(t, dir, "journal.db") }, "line 4"},
		"no digest": {func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, backup.Sums), "abc  journal.db\n")
		}, "line 1"},
		"no journal": {func(t *testing.T, dir string) { write(t, filepath.Join(dir, backup.Sums), "") }, "journal.db"},
		"a link out of the folder": {func(t *testing.T, dir string) {
			remove(t, dir, "journal.db")
			if err := os.Symlink(from.Journal, filepath.Join(dir, "journal.db")); err != nil {
				t.Fatal(err)
			}
		}, "escapes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "backup")
			if _, err := backup.Write(t.Context(), from, dir, "v1", time.Now()); err != nil {
				t.Fatal(err)
			}
			tc.damage(t, dir)
			target := t.TempDir()
			to := backup.Place{Journal: filepath.Join(target, "brevdue.db"), Documents: filepath.Join(target, "documents")}
			if _, err := backup.Restore(t.Context(), dir, to); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// add names one more file.
func add(t *testing.T, dir, name string) {
	t.Helper()
	sums, err := os.ReadFile(filepath.Join(dir, backup.Sums))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, backup.Sums), string(sums)+strings.Repeat("0", 64)+"  "+name+"\n")
}

func TestOtherEngines(t *testing.T) {
	t.Parallel()
	for _, urls := range [][2]string{{"postgres://h/db", "file:x"}, {"sqlite:x", "s3://bucket"}} {
		if _, err := backup.PlaceOf(urls[0], urls[1]); !errors.Is(err, backup.ErrEngine) {
			t.Errorf("%v: %v", urls, err)
		}
	}
	if _, err := backup.Write(t.Context(), backup.Place{Journal: filepath.Join(t.TempDir(), "none")}, t.TempDir(), "", time.Now()); err == nil {
		t.Error("a journal that is not there was backed up")
	}
}

func FuzzSums(f *testing.F) {
	f.Add([]byte(strings.Repeat("0", 64) + "  journal.db\n"))
	f.Add([]byte(strings.Repeat("0", 64) + "  documents/../x\n"))
	f.Fuzz(func(t *testing.T, sums []byte) {
		for _, name := range backup.Names(bytes.NewReader(sums)) {
			if !filepath.IsLocal(name) {
				t.Fatalf("%q leaves the folder", name)
			}
		}
	})
}
