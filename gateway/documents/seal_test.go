package documents_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/documents"
	"github.com/brevdue/brevdue/gateway/keys"
)

// sealer makes keys whose clock the test moves.
func sealer(t testing.TB) (*keys.Keys, *atomic.Int64) {
	t.Helper()
	clock := new(atomic.Int64)
	clock.Store(time.Now().UnixNano())
	k, err := keys.Create(keys.Config{
		File: filepath.Join(t.TempDir(), "keyset.json"), Now: func() time.Time { return time.Unix(0, clock.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return k, clock
}

func openSealed(t testing.TB, dir string, k *keys.Keys) *documents.Folder {
	t.Helper()
	f, err := documents.Open("file:"+dir, documents.Options{Sealer: k})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func put(t testing.TB, f *documents.Folder, content string) string {
	t.Helper()
	sum, size, err := f.Put(t.Context(), strings.NewReader(content), 1<<30)
	if err != nil || size != int64(len(content)) || sum != digest([]byte(content)) {
		t.Fatalf("%s, %d, %v", sum, size, err)
	}
	return sum
}

func get(t testing.TB, f *documents.Folder, sum string) (string, error) {
	t.Helper()
	r, err := f.Open(t.Context(), sum)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }()
	content, err := io.ReadAll(r)
	return string(content), err
}

func holds(t testing.TB, f *documents.Folder, content string) {
	t.Helper()
	if got, err := get(t, f, digest([]byte(content))); err != nil || got != content {
		t.Fatalf("%d bytes of %d, %v", len(got), len(content), err)
	}
}

const letter = "%PDF-1.7 Afgørelse om kontanthjælp"

func TestSealedDocuments(t *testing.T) {
	t.Parallel()
	k, _ := sealer(t)
	dir := filepath.Join(t.TempDir(), "documents")
	f := openSealed(t, dir, k)
	contents := []string{"", letter, strings.Repeat("abc", 100_000), strings.Repeat("x", 64<<10)}
	for _, content := range contents {
		put(t, f, content)
		put(t, f, content) // the same again is the same document
		holds(t, f, content)
	}
	staged, err := f.Stage(t.Context(), strings.NewReader(letter+"2"), 1000)
	if err != nil || staged.SHA256() != digest([]byte(letter+"2")) || staged.Size() != int64(len(letter))+1 {
		t.Fatal(staged, err)
	}
	look := func() {
		t.Helper()
		r, err := staged.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		if got, err := io.ReadAll(r); err != nil || string(got) != letter+"2" {
			t.Errorf("%q, %v", got, err)
		}
	}
	look()
	found := files(t, dir)
	if len(found) != len(contents)+1 {
		t.Errorf("%d files: %q", len(found), found)
	}
	for _, name := range found {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || bytes.Contains(content, []byte("kontanthj")) {
			t.Errorf("%s can be read, %v", name, err)
		}
		for _, content := range contents {
			if strings.Contains(name, digest([]byte(content))) {
				t.Errorf("%s tells which document it is", name)
			}
		}
	}
	if err := staged.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	look()
	holds(t, f, letter+"2")
	if _, _, err := f.Put(t.Context(), strings.NewReader(letter), 5); !errors.Is(err, gateway.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if _, err := get(t, f, digest([]byte("nothing"))); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("none: %v", err)
	}
	if _, err := documents.Open("file:"+dir, documents.Options{}); !errors.Is(err, gateway.ErrNoKey) {
		t.Errorf("opened without keys: %v", err)
	}
	other, _ := sealer(t)
	if _, err := get(t, openSealed(t, dir, other), digest([]byte(letter))); err == nil {
		t.Error("read with other keys")
	}
}

// TestDocumentsAreSealedAnew: open ones are sealed, sealed ones sealed under the next key, and the first key is not needed.
func TestDocumentsAreSealedAnew(t *testing.T) {
	t.Parallel()
	k, clock := sealer(t)
	dir := filepath.Join(t.TempDir(), "documents")
	before, err := documents.Open("file:"+dir, documents.Options{})
	if err != nil {
		t.Fatal(err)
	}
	contents := []string{"", letter, strings.Repeat("abc", 100_000), gateway.SealedStream + "deadbeef looks sealed"}
	for _, content := range contents {
		put(t, before, content)
	}
	for _, name := range files(t, dir) {
		if err := os.Chtimes(filepath.Join(dir, name), time.Time{}, time.Unix(1_700_000_000, 0)); err != nil {
			t.Fatal(err)
		}
	}
	f := openSealed(t, dir, k)
	check := func(key string, total int) {
		t.Helper()
		for _, content := range contents {
			holds(t, f, content)
		}
		count, err := f.SealedUnder(t.Context())
		if err != nil || len(count) != 1 || count[key] != total {
			t.Errorf("sealed under %v, want %d under %q: %v", count, total, key, err)
		}
	}
	reseal := func(want int) {
		t.Helper()
		if n, err := f.Reseal(t.Context()); err != nil || n != want {
			t.Errorf("sealed %d of %d, %v", n, want, err)
		}
	}
	check("", len(contents))
	reseal(len(contents))
	first := k.List()[0].ID
	check(first, len(contents))
	reseal(0)
	second, err := k.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	check(first, len(contents))
	reseal(len(contents))
	check(second, len(contents))
	for _, name := range files(t, dir) {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.ModTime().Equal(time.Unix(1_700_000_000, 0)) {
			t.Errorf("%s has another time than it was put at: %v", name, err)
		}
	}
	clock.Add(int64(2 * keys.Grace))
	if err := k.Destroy(first); err != nil {
		t.Fatal(err)
	}
	check(second, len(contents))
	if found := files(t, dir); len(found) != len(contents) {
		t.Errorf("left behind: %q", found)
	}
}

// TestAnUploadKeepsItsKey: what a slow sender began under a key counts for it, though it has no name yet.
func TestAnUploadKeepsItsKey(t *testing.T) {
	t.Parallel()
	k, _ := sealer(t)
	f := openSealed(t, filepath.Join(t.TempDir(), "documents"), k)
	first := k.List()[0].ID
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, _, err := f.Put(t.Context(), r, 1<<20)
		done <- err
	}()
	for range 3 { // three reads have begun: more than a segment is in the file
		if _, err := w.Write(make([]byte, 64<<10)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Rotate(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Reseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if count, err := f.SealedUnder(t.Context()); err != nil || count[first] != 1 {
		t.Errorf("%v, %v", count, err)
	}
	_ = w.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	holds(t, f, strings.Repeat("\x00", 3*64<<10))
	if n, err := f.Reseal(t.Context()); n != 1 || err != nil {
		t.Errorf("sealed %d, %v", n, err)
	}
	holds(t, f, strings.Repeat("\x00", 3*64<<10))
	if count, err := f.SealedUnder(t.Context()); err != nil || len(count) != 1 || count[first] != 0 {
		t.Errorf("then %v, %v", count, err)
	}
}

// TestSealedDocumentsHold: what was changed, shortened or exchanged does not read to its end.
func TestSealedDocumentsHold(t *testing.T) {
	t.Parallel()
	spoil := map[string]func(t *testing.T, path, other string){
		"changed": func(t *testing.T, path, _ string) {
			t.Helper()
			edit(t, path, func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		},
		"shortened": func(t *testing.T, path, _ string) {
			t.Helper()
			edit(t, path, func(b []byte) []byte { return b[:70_000] })
		},
		"empty": func(t *testing.T, path, _ string) {
			t.Helper()
			edit(t, path, func([]byte) []byte { return nil })
		},
		"open": func(t *testing.T, path, _ string) {
			t.Helper()
			edit(t, path, func([]byte) []byte { return []byte(letter) })
		},
		"exchanged": func(t *testing.T, path, other string) {
			t.Helper()
			content, err := os.ReadFile(other)
			if err != nil {
				t.Fatal(err)
			}
			edit(t, path, func([]byte) []byte { return content })
		},
	}
	for name, do := range spoil {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, _ := sealer(t)
			dir := filepath.Join(t.TempDir(), "documents")
			f := openSealed(t, dir, k)
			content := letter + strings.Repeat("x", 100_000)
			sum := put(t, f, content)
			path := filepath.Join(dir, files(t, dir)[0])
			put(t, f, letter)
			var other string
			for _, name := range files(t, dir) {
				if full := filepath.Join(dir, name); full != path {
					other = full
				}
			}
			do(t, path, other)
			got, err := get(t, f, sum)
			if !errors.Is(err, gateway.ErrSealed) || !strings.Contains(err.Error(), sum) || strings.Contains(err.Error(), "kontanthj") {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if _, err := k.Rotate(); err != nil {
				t.Fatal(err)
			}
			if _, err := f.Reseal(t.Context()); !errors.Is(err, gateway.ErrSealed) {
				t.Errorf("sealed anew: %v", err)
			}
		})
	}
}

func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestMemoryOfSealed puts and reads the largest document: it costs buffers, not its size.
func TestMemoryOfSealed(t *testing.T) { //nolint:paralleltest // it measures the memory of the process
	k, _ := sealer(t)
	f := openSealed(t, filepath.Join(t.TempDir(), "documents"), k)
	const size = 99_500_000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sum, n, err := f.Put(t.Context(), io.LimitReader(zeros{}, size), size)
	if err != nil || n != size {
		t.Fatal(n, err)
	}
	r, err := f.Open(t.Context(), sum)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if n, err := io.Copy(io.Discard, r); err != nil || n != size {
		t.Fatal(n, err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20 {
		t.Errorf("%d bytes were allocated", got)
	}
}

type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// BenchmarkSealed puts and reads 10 MB, sealed and open.
func BenchmarkSealed(b *testing.B) {
	content := bytes.Repeat([]byte{7}, 10<<20)
	for _, sealed := range []bool{false, true} {
		b.Run(map[bool]string{true: "sealed", false: "open"}[sealed], func(b *testing.B) {
			var opts documents.Options
			if sealed {
				opts.Sealer, _ = sealer(b)
			}
			f, err := documents.Open("file:"+b.TempDir(), opts)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(2 * int64(len(content)))
			for b.Loop() {
				sum, _, err := f.Put(b.Context(), bytes.NewReader(content), 1<<30)
				if err != nil {
					b.Fatal(err)
				}
				r, err := f.Open(b.Context(), sum)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r); err != nil {
					b.Fatal(err)
				}
				_ = r.Close()
			}
		})
	}
}
