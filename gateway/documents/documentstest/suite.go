// Package documentstest is what every store of documents must do, whatever it stands on: one suite that all of them pass.
//
// Run opens a fresh, empty store for each case with the function it is given. It uses the store's methods alone; how a store
// keeps its files is tested beside that one.
package documentstest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/brevdue/brevdue/gateway"
)

// Staged is a document that is in the store and not yet there for anybody.
type Staged interface {
	SHA256() string
	Size() int64
	Open(ctx context.Context) (io.ReadCloser, error)
	Keep(ctx context.Context) error
	Drop() error
}

// Store is a store of documents whose staged ones are of type S.
type Store[S Staged] interface {
	gateway.Documents
	Stage(ctx context.Context, r io.Reader, limit int64) (S, error)
}

// Config says what is tested.
type Config[S Staged] struct {
	// Open returns an empty store of its own for every call. When the test ends it fails if anything lies there but documents
	// that have their names.
	Open func(t *testing.T) Store[S]
	// Memory is how much more memory a document of 99.5 MB may need than the store has, in bytes.
	Memory uint64
}

// Run runs the suite.
func Run[S Staged](t *testing.T, cfg Config[S]) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, *world[S]){
		"put and open":                   putAndOpen[S],
		"put refuses":                    putRefuses[S],
		"put cancelled":                  putCancelled[S],
		"put the same":                   putTheSame[S],
		"put the same at once":           putTheSameAtOnce[S],
		"put many at once":               putManyAtOnce[S],
		"open refuses":                   openRefuses[S],
		"open reads at will":             openReadsAtWill[S],
		"stage and keep":                 stageAndKeep[S],
		"stage and drop":                 stageAndDrop[S],
		"stage what is there":            stageWhatIsThere[S],
		"stage refuses":                  stageRefuses[S],
		"staged twice, dropped and kept": stagedTwice[S],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, &world[S]{cfg.Open(t)})
		})
	}
	// Alone, since it measures the memory of the process.
	t.Run("large", func(t *testing.T) {
		large(t, &world[S]{cfg.Open(t)}, cfg.Memory)
	})
}

type world[S Staged] struct{ Store[S] }

// read returns a document's content.
func (w *world[S]) read(t *testing.T, sum string) []byte {
	t.Helper()
	r, err := w.Open(t.Context(), sum)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer func() { _ = r.Close() }()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return content
}

// absent fails when a document can be opened.
func (w *world[S]) absent(t *testing.T, sum string) {
	t.Helper()
	r, err := w.Open(t.Context(), sum)
	if err == nil {
		_ = r.Close()
	}
	if !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("%s is there, %v", sum, err)
	}
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// noise is content that is the same for a seed.
func noise(seed byte, size int) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{seed, 1}).Read(content) // never fails
	return content
}

func putAndOpen[S Staged](t *testing.T, w *world[S]) {
	for n, size := range []int{0, 1, 64<<10 - 1, 64 << 10, 300_000, 8<<20 - 1, 8 << 20, 8<<20 + 1, 17 << 20} {
		content := noise(byte(n), size)
		sum, got, err := w.Put(t.Context(), iotest.HalfReader(bytes.NewReader(content)), int64(size))
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if sum != digest(content) || got != int64(size) {
			t.Errorf("%d bytes: %s of %d", size, sum, got)
		}
		if !bytes.Equal(w.read(t, sum), content) {
			t.Errorf("%d bytes: others came back", size)
		}
	}
}

// bad is a document that cannot be stored.
type bad struct {
	r     io.Reader
	limit int64
	want  error
}

var errHangup = errors.New("the producer hung up")

func refused() map[string]bad {
	cut := func(after int) io.Reader {
		return io.MultiReader(bytes.NewReader(make([]byte, after)), iotest.ErrReader(errHangup))
	}
	return map[string]bad{
		"one byte too many":         {bytes.NewReader(make([]byte, 100_001)), 100_000, gateway.ErrTooLarge},
		"one byte when none may be": {strings.NewReader("x"), 0, gateway.ErrTooLarge},
		"far too many":              {endless{}, 100_000, gateway.ErrTooLarge},
		"too many after some parts": {endless{}, 20 << 20, gateway.ErrTooLarge},
		"cut at once":               {cut(0), 1 << 30, errHangup},
		"cut":                       {cut(70_000), 1 << 30, errHangup},
		"cut after some parts":      {cut(20 << 20), 1 << 30, errHangup},
		"cut at a part's end":       {cut(16 << 20), 1 << 30, errHangup},
		"a reader that times out":   {iotest.TimeoutReader(bytes.NewReader(make([]byte, 90_000))), 1 << 30, iotest.ErrTimeout},
	}
}

func putRefuses[S Staged](t *testing.T, w *world[S]) {
	for name, c := range refused() {
		sum, size, err := w.Put(t.Context(), c.r, c.limit)
		if !errors.Is(err, c.want) || sum != "" || size != 0 {
			t.Errorf("%s: %q, %d, %v; want %v", name, sum, size, err, c.want)
		}
	}
	w.absent(t, digest(make([]byte, 100_000)))
	w.absent(t, digest(make([]byte, 70_000)))
	w.absent(t, digest(nil))
}

func putCancelled[S Staged](t *testing.T, w *world[S]) {
	for _, after := range []int{0, 3, 400} { // reads of 64 KiB: before, in the first part, in a later one
		ctx, cancel := context.WithCancel(t.Context())
		reads := 0
		if after == 0 {
			cancel()
		}
		r := readerFunc(func(p []byte) (int, error) {
			if reads++; reads == after {
				cancel()
			}
			return min(len(p), 64<<10), nil
		})
		_, _, err := w.Put(ctx, r, gateway.MaxDocument)
		if !errors.Is(err, context.Canceled) || reads > after {
			t.Errorf("%v after %d reads", err, reads)
		}
		cancel()
	}
}

func putTheSame[S Staged](t *testing.T, w *world[S]) {
	for _, size := range []int{100, 9 << 20} {
		content := noise(7, size)
		for range 3 {
			sum, got, err := w.Put(t.Context(), bytes.NewReader(content), gateway.MaxDocument)
			if err != nil || sum != digest(content) || got != int64(size) {
				t.Errorf("%s, %d, %v", sum, got, err)
			}
		}
		if !bytes.Equal(w.read(t, digest(content)), content) {
			t.Error("other bytes came back")
		}
	}
}

func putTheSameAtOnce[S Staged](t *testing.T, w *world[S]) {
	for _, size := range []int{250_000, 9 << 20} {
		content := noise(8, size)
		var group sync.WaitGroup
		for range 6 {
			group.Go(func() {
				sum, got, err := w.Put(t.Context(), bytes.NewReader(content), gateway.MaxDocument)
				if err != nil || sum != digest(content) || got != int64(size) {
					t.Errorf("%s, %d, %v", sum, got, err)
					return
				}
				if !bytes.Equal(w.read(t, sum), content) {
					t.Error("other bytes came back")
				}
			})
		}
		group.Wait()
	}
}

func putManyAtOnce[S Staged](t *testing.T, w *world[S]) {
	var group sync.WaitGroup
	for n := range byte(40) {
		group.Go(func() {
			content := noise(100+n, 1000*int(n))
			sum, _, err := w.Put(t.Context(), bytes.NewReader(content), gateway.MaxDocument)
			if err != nil {
				t.Error(err)
			} else if !bytes.Equal(w.read(t, sum), content) {
				t.Errorf("document %d: other bytes came back", n)
			}
		})
	}
	group.Wait()
}

func openRefuses[S Staged](t *testing.T, w *world[S]) {
	sum, _, err := w.Put(t.Context(), strings.NewReader("brev"), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"", "abc", digest([]byte("x")), strings.ToUpper(sum), " " + sum, sum + "/", sum + "\n", "/" + sum,
		sum[:2] + "/" + sum[2:4] + "/" + sum,
		"../" + sum, "../../" + strings.Repeat("a", 58), "/etc/passwd", strings.Repeat("g", 64), strings.Repeat("a", 63) + "\x00",
		strings.Repeat("a", 65), strings.Repeat("../", 30), "tmp/", "sealed/", strings.Repeat("%2e", 21) + "a", strings.Repeat("æ", 32),
		sum[:63] + "?", "?versions", sum + "?uploads", strings.Repeat("*", 64),
	} {
		r, err := w.Open(t.Context(), name)
		if !errors.Is(err, gateway.ErrNotFound) || r != nil {
			t.Errorf("%q: %v, %v", name, r, err)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Open(cancelled, sum); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gave %v", err)
	}
}

// openReadsAtWill is for readers that can; the test engine looks at how they do.
func openReadsAtWill[S Staged](t *testing.T, w *world[S]) {
	content := noise(9, 1_000_000)
	sum, _, err := w.Put(t.Context(), bytes.NewReader(content), gateway.MaxDocument)
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.Open(t.Context(), sum)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if _, seeks := r.(io.Seeker); !seeks { // as a sealed one
		return
	}
	if err := iotest.TestReader(readerAt{r}, content); err != nil {
		t.Error(err)
	}
}

// readerAt is a reader with what the test engine looks for.
type readerAt struct{ io.Reader }

// Seek implements io.Seeker.
func (r readerAt) Seek(offset int64, whence int) (int64, error) {
	s, ok := r.Reader.(io.Seeker)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	return s.Seek(offset, whence)
}

// ReadAt implements io.ReaderAt.
func (r readerAt) ReadAt(p []byte, off int64) (int, error) {
	at, ok := r.Reader.(io.ReaderAt)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	return at.ReadAt(p, off)
}

func stageAndKeep[S Staged](t *testing.T, w *world[S]) {
	for n, size := range []int{0, 5000, 8 << 20, 17<<20 + 3} {
		content := noise(byte(20+n), size)
		s, err := w.Stage(t.Context(), bytes.NewReader(content), int64(size))
		if err != nil {
			t.Fatal(err)
		}
		if s.SHA256() != digest(content) || s.Size() != int64(size) {
			t.Errorf("%s of %d bytes", s.SHA256(), s.Size())
		}
		w.absent(t, s.SHA256())
		for _, keep := range []bool{false, true, true} {
			if keep {
				if err := s.Keep(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := staged(t, s); !bytes.Equal(got, content) {
				t.Errorf("%d bytes of %d came back", len(got), size)
			}
		}
		if err := s.Drop(); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(w.read(t, digest(content)), content) {
			t.Error("other bytes came back")
		}
	}
}

func staged[S Staged](t *testing.T, s S) []byte {
	t.Helper()
	r, err := s.Open(t.Context())
	if err != nil {
		t.Error(err)
		return nil
	}
	defer func() { _ = r.Close() }()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return content
}

func stageAndDrop[S Staged](t *testing.T, w *world[S]) {
	for n, size := range []int{0, 5000, 17 << 20} {
		content := noise(byte(30+n), size)
		ctx, cancel := context.WithCancel(t.Context())
		s, err := w.Stage(ctx, bytes.NewReader(content), int64(size))
		if err != nil {
			t.Fatal(err)
		}
		cancel() // what a request staged is dropped when the request is over
		for range 2 {
			if err := s.Drop(); err != nil {
				t.Error(err)
			}
		}
		w.absent(t, digest(content))
		if r, err := s.Open(t.Context()); err == nil {
			_ = r.Close()
			t.Error("what was dropped can be opened")
		}
		if err := s.Keep(t.Context()); err == nil {
			t.Error("what was dropped can be kept")
		}
		w.absent(t, digest(content))
	}
}

func stageWhatIsThere[S Staged](t *testing.T, w *world[S]) {
	content := noise(40, 9<<20)
	sum, _, err := w.Put(t.Context(), bytes.NewReader(content), gateway.MaxDocument)
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(S) error{func(s S) error { return s.Drop() }, func(s S) error { return s.Keep(t.Context()) }} {
		s, err := w.Stage(t.Context(), bytes.NewReader(content), gateway.MaxDocument)
		if err != nil {
			t.Fatal(err)
		}
		if err := end(s); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(w.read(t, sum), content) {
			t.Error("other bytes came back")
		}
	}
}

func stageRefuses[S Staged](t *testing.T, w *world[S]) {
	for name, c := range refused() {
		if _, err := w.Stage(t.Context(), c.r, c.limit); !errors.Is(err, c.want) {
			t.Errorf("%s: %v; want %v", name, err, c.want)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Stage(cancelled, strings.NewReader("brev"), 100); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gave %v", err)
	}
}

func stagedTwice[S Staged](t *testing.T, w *world[S]) {
	content := noise(41, 5000)
	one, err := w.Stage(t.Context(), bytes.NewReader(content), gateway.MaxDocument)
	if err != nil {
		t.Fatal(err)
	}
	two, err := w.Stage(t.Context(), bytes.NewReader(content), gateway.MaxDocument)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(one.Keep(t.Context()), two.Drop()); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(w.read(t, digest(content)), content) {
		t.Error("other bytes came back")
	}
}

// large is the largest document that there is. It is made and compared piece by piece, so that the test itself needs no memory.
func large[S Staged](t *testing.T, w *world[S], memory uint64) {
	source := func() io.Reader {
		return io.LimitReader(rand.NewChaCha8([32]byte{50}), gateway.MaxDocument)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, source()); err != nil {
		t.Fatal(err)
	}
	want := hex.EncodeToString(hash.Sum(nil))
	peak := watch()
	sum, size, err := w.Put(t.Context(), source(), gateway.MaxDocument)
	if err != nil || sum != want || size != gateway.MaxDocument {
		t.Fatalf("%s, %d, %v", sum, size, err)
	}
	r, err := w.Open(t.Context(), sum)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	hash.Reset()
	n, err := io.Copy(hash, r)
	if err != nil || n != gateway.MaxDocument || hex.EncodeToString(hash.Sum(nil)) != want {
		t.Errorf("%d bytes came back, %v", n, err)
	}
	used := peak()
	t.Logf("a document of %d bytes needed %.1f MB of memory", size, float64(used)/1e6)
	if used > memory {
		t.Errorf("that is more than %.1f MB", float64(memory)/1e6)
	}
}

// watch measures how much the heap grows until the returned function is called.
func watch() func() uint64 {
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	stop, top := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapInuse)
			select {
			case <-stop:
				top <- most
				return
			default:
				runtime.Gosched()
			}
		}
	}()
	return func() uint64 {
		close(stop)
		most := <-top
		return most - min(most, before.HeapInuse)
	}
}

// endless is a document without end.
type endless struct{}

// Read implements io.Reader.
func (endless) Read(p []byte) (int, error) { return len(p), nil }

type readerFunc func([]byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
