package documents_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/documents"
)

func open(t testing.TB) (*documents.Folder, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "documents")
	f, err := documents.Open("file:"+dir, documents.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f, dir
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// files returns every file under dir, relative to it, and fails on one that others may read.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if !d.IsDir() {
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			found = append(found, rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestPutAndOpen(t *testing.T) {
	t.Parallel()
	for name, content := range map[string][]byte{
		"empty":               {},
		"small":               []byte("%PDF-1.7 hej"),
		"one buffer":          bytes.Repeat([]byte{7}, 64<<10),
		"more than a buffer":  bytes.Repeat([]byte("abc"), 100_000),
		"exactly the maximum": bytes.Repeat([]byte{1}, 400_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, dir := open(t)
			sum, size, err := f.Put(t.Context(), iotest.HalfReader(bytes.NewReader(content)), 400_000)
			if err != nil {
				t.Fatal(err)
			}
			if sum != digest(content) || size != int64(len(content)) {
				t.Errorf("%s of %d bytes", sum, size)
			}
			want := filepath.Join(sum[:2], sum[2:4], sum)
			if got := files(t, dir); len(got) != 1 || got[0] != want {
				t.Errorf("the folder holds %v, want %s", got, want)
			}
			r, err := f.Open(t.Context(), sum)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			if _, ok := r.(*os.File); !ok {
				t.Errorf("the reader is a %T", r)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes came back, %v", len(got), err)
			}
		})
	}
}

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	broken := errors.New("the producer hung up")
	full := errors.New("no space left on device")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		r    io.Reader
		want error
	}{
		"one byte too many":       {t.Context(), bytes.NewReader(make([]byte, 100_001)), gateway.ErrTooLarge},
		"far too many":            {t.Context(), endless{}, gateway.ErrTooLarge},
		"a reader that fails":     {t.Context(), io.MultiReader(bytes.NewReader(make([]byte, 70_000)), iotest.ErrReader(broken)), broken},
		"a reader that times out": {t.Context(), iotest.TimeoutReader(bytes.NewReader(make([]byte, 90_000))), iotest.ErrTimeout},
		"a full disk":             {t.Context(), iotest.ErrReader(full), full},
		"an ended context":        {cancelled, endless{}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, dir := open(t)
			sum, size, err := f.Put(c.ctx, c.r, 100_000)
			if !errors.Is(err, c.want) || sum != "" || size != 0 {
				t.Errorf("%q, %d, %v; want %v", sum, size, err, c.want)
			}
			if got := files(t, dir); len(got) != 0 {
				t.Errorf("%v was left behind", got)
			}
		})
	}
}

// TestPutCancelledMidway ends the context while the document is being read.
func TestPutCancelledMidway(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	reads := 0
	r := readerFunc(func(p []byte) (int, error) {
		if reads++; reads == 3 {
			cancel()
		}
		return len(p), nil
	})
	_, _, err := f.Put(ctx, r, gateway.MaxDocument)
	if !errors.Is(err, context.Canceled) || reads != 3 {
		t.Errorf("%v after %d reads", err, reads)
	}
	if got := files(t, dir); len(got) != 0 {
		t.Errorf("%v was left behind", got)
	}
}

// TestPutUnwritable takes the place away that a document needs.
func TestPutUnwritable(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	content := []byte("brev")
	sum := digest(content)
	if err := os.WriteFile(filepath.Join(dir, sum[:2]), nil, 0o600); err != nil { // a file where a folder must be
		t.Fatal(err)
	}
	if _, _, err := f.Put(t.Context(), bytes.NewReader(content), 100); err == nil {
		t.Error("a document without a place was answered for")
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("the folder holds %v", got)
	}
	if err := os.RemoveAll(filepath.Join(dir, "tmp")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Put(t.Context(), bytes.NewReader(content), 100); err == nil {
		t.Error("a document without a temporary file was answered for")
	}
}

func TestPutSameContentAtOnce(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	content := bytes.Repeat([]byte("brev "), 50_000)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			sum, size, err := f.Put(t.Context(), bytes.NewReader(content), gateway.MaxDocument)
			if err != nil || sum != digest(content) || size != int64(len(content)) {
				t.Errorf("%s, %d, %v", sum, size, err)
				return
			}
			r, err := f.Open(t.Context(), sum)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = r.Close() }()
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes came back, %v", len(got), err)
			}
		})
	}
	group.Wait()
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("the folder holds %v", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	outside := digest([]byte("outside"))
	if err := os.WriteFile(filepath.Join(filepath.Dir(dir), outside), []byte("hemmeligt"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, sum := range map[string]string{
		"not here":        digest([]byte("x")),
		"empty":           "",
		"short":           "abc",
		"upper case":      strings.ToUpper(digest([]byte("x"))),
		"a path":          "../" + outside,
		"a path of 64":    "../../" + strings.Repeat("a", 58),
		"an absolute one": "/etc/passwd",
		"a letter":        strings.Repeat("g", 64),
		"a zero byte":     strings.Repeat("a", 63) + "\x00",
		"one too long":    strings.Repeat("a", 65),
	} {
		r, err := f.Open(t.Context(), sum)
		if !errors.Is(err, gateway.ErrNotFound) || r != nil {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Open(cancelled, digest(nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gave %v", err)
	}
}

func TestOpenCleansOldTemporaryFiles(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	sum, _, err := f.Put(t.Context(), strings.NewReader("brev"), 100)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	for name, age := range map[string]time.Duration{"put-old": time.Hour + time.Second, "put-new": time.Hour - time.Second} {
		path := filepath.Join(dir, "tmp", name)
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := documents.Open("file:"+dir, documents.Options{Now: func() time.Time { return now }}); err != nil {
		t.Fatal(err)
	}
	got := files(t, dir)
	want := map[string]bool{filepath.Join("tmp", "put-new"): true, filepath.Join(sum[:2], sum[2:4], sum): true}
	if len(got) != len(want) || !want[got[0]] || !want[got[1]] {
		t.Errorf("the folder holds %v", got)
	}
}

func TestOpenURL(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"", "file:", "s3://bucket", "https://user:secret@host", "file:" + file} {
		_, err := documents.Open(url, documents.Options{})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q gave %v", url, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	folder, _ := open(f)
	sum, _, err := folder.Put(context.Background(), strings.NewReader("brev"), 100)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", sum, "../x", strings.ToUpper(sum), sum + "/", strings.Repeat("../", 30)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := folder.Open(context.Background(), s)
		if s == sum {
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Close()
			return
		}
		if !errors.Is(err, gateway.ErrNotFound) {
			t.Errorf("%q gave %v, %v", s, r, err)
		}
	})
}

// BenchmarkPut74MB is the largest letter that is tested end to end. B/op must not grow with the document.
func BenchmarkPut74MB(b *testing.B) {
	f, _ := open(b)
	const size = 74_000_000
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		if _, n, err := f.Put(b.Context(), io.LimitReader(endless{}, size), gateway.MaxDocument); err != nil || n != size {
			b.Fatal(n, err)
		}
	}
}

// endless is a document without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
