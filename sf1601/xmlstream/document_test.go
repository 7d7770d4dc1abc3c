package xmlstream_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// pattern is n bytes that repeat nowhere near a buffer's length.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i/251)
	}
	return b
}

// letter is <letter><file>content 0</file><file>content 1</file>...</letter>.
func letter(n int) *etree.Element {
	root := etree.NewElement("letter")
	for i := range n {
		root.CreateElement("file").AddChild(xmlstream.Placeholder(i))
	}
	return root
}

func mustNew(t testing.TB, root *etree.Element, contents ...xmlstream.Content) *xmlstream.Document {
	t.Helper()
	d, err := xmlstream.New(root, contents)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func readAll(t testing.TB, d *xmlstream.Document) []byte {
	t.Helper()
	r := d.Open(t.Context())
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOpenStreamsWhatSizePromised(t *testing.T) {
	t.Parallel()
	const buffer = 48 << 10
	for _, n := range []int{0, 1, 2, 3, 4, 5, 6, 100, 32<<10 - 1, buffer - 1, buffer, buffer + 1, buffer + 2, 3*buffer + 7} {
		t.Run(fmt.Sprintf("%d bytes", n), func(t *testing.T) {
			t.Parallel()
			raw := pattern(n)
			d := mustNew(t, letter(2), xmlstream.Bytes(raw), xmlstream.Bytes([]byte("bilag")))
			want := xmlstream.Declaration + "<letter><file>" + base64.StdEncoding.EncodeToString(raw) +
				"</file><file>" + base64.StdEncoding.EncodeToString([]byte("bilag")) + "</file></letter>"
			got := readAll(t, d)
			if string(got) != want {
				t.Errorf("streamed %d bytes, want %d, or they differ", len(got), len(want))
			}
			if d.Size() != int64(len(want)) {
				t.Errorf("Size = %d, want %d", d.Size(), len(want))
			}
			if n <= buffer+2 {
				if err := iotest.TestReader(d.Open(t.Context()), []byte(want)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestOpenServesSlicesOfAnyLength(t *testing.T) {
	t.Parallel()
	d := mustNew(t, letter(1), xmlstream.Bytes(pattern(1000)))
	want := readAll(t, d)
	for _, size := range []int{1, 2, 3, 4, 5, 6, 7, 64, 1 << 20} {
		r := d.Open(t.Context())
		var got []byte
		p := make([]byte, size)
		for {
			n, err := r.Read(p)
			got = append(got, p[:n]...)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("with slices of %d bytes the stream differs", size)
		}
	}
}

func TestPlaceholdersMayStandInAnyOrder(t *testing.T) {
	t.Parallel()
	root := etree.NewElement("a")
	root.AddChild(xmlstream.Placeholder(1))
	root.CreateText("-")
	root.AddChild(xmlstream.Placeholder(0))
	d := mustNew(t, root, xmlstream.Bytes([]byte("nul")), xmlstream.Bytes([]byte("een")))
	if got, want := string(readAll(t, d.Canonical())), "<a>ZWVu-bnVs</a>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTextCannotForgeAPlaceholder(t *testing.T) {
	t.Parallel()
	root := etree.NewElement("a")
	root.CreateAttr("b", "<?content 0?>")
	root.CreateText("<?content 0?>")
	root.CreateCData("<?content 0?>")
	got := string(readAll(t, mustNew(t, root).Canonical()))
	want := `<a b="&lt;?content 0?>">&lt;?content 0?&gt;&lt;?content 0?&gt;</a>`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCanonicalDigestAndLastChild(t *testing.T) {
	t.Parallel()
	root := letter(1)
	root.CreateElement("slut")
	d := mustNew(t, root, xmlstream.Bytes([]byte("brev")))
	const canonical = "<letter><file>YnJldg==</file><slut></slut></letter>"

	c := d.Canonical()
	if got := string(readAll(t, c)); got != canonical || c.Size() != int64(len(canonical)) {
		t.Errorf("Canonical streams %q and promises %d bytes", got, c.Size())
	}
	sum, err := c.Digest(t.Context())
	if err != nil || sum != sha256.Sum256([]byte(canonical)) {
		t.Errorf("Digest is not the SHA-256 of the canonical bytes (%v)", err)
	}
	sum, err = d.Digest(t.Context())
	if err != nil || sum != sha256.Sum256([]byte(xmlstream.Declaration+canonical)) {
		t.Errorf("Digest is not the SHA-256 of the bytes with declaration (%v)", err)
	}

	signed := d.WithLastChild([]byte("<s></s>"))
	want := xmlstream.Declaration + "<letter><file>YnJldg==</file><slut></slut><s></s></letter>"
	if got := string(readAll(t, signed)); got != want || signed.Size() != int64(len(want)) {
		t.Errorf("WithLastChild streams %q and promises %d bytes", got, signed.Size())
	}
	if got := string(readAll(t, c)); got != canonical {
		t.Errorf("WithLastChild changed the original: %q", got)
	}
}

func TestLastChildStandsAfterAContentAtTheEnd(t *testing.T) {
	t.Parallel()
	root := etree.NewElement("a")
	root.AddChild(xmlstream.Placeholder(0))
	d := mustNew(t, root, xmlstream.Bytes([]byte("brev"))).WithLastChild([]byte("<s></s>")).Canonical()
	if got, want := string(readAll(t, d)), "<a>YnJldg==<s></s></a>"; got != want || d.Size() != int64(len(want)) {
		t.Errorf("got %s of %d bytes, want %s", got, d.Size(), want)
	}
}

func TestDocumentIsStreamedByManyAtOnce(t *testing.T) {
	t.Parallel()
	d := mustNew(t, letter(1), xmlstream.Bytes(pattern(200_000)))
	want, err := d.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			if got, err := d.Digest(t.Context()); err != nil || got != want {
				t.Errorf("digest differs (%v)", err)
			}
		})
	}
}

// content is a Content that can lie and fail.
type content struct {
	size   int64
	data   io.Reader
	err    error // of Open
	closed *int
	fail   error // of Close
}

func (c content) Size() int64 { return c.size }

func (c content) Open(context.Context) (io.ReadCloser, error) {
	if c.err != nil {
		return nil, c.err
	}
	return c, nil
}

func (c content) Read(p []byte) (int, error) { return c.data.Read(p) }

func (c content) Close() error {
	if c.closed != nil {
		*c.closed++
	}
	return c.fail
}

func TestOpenNamesTheContentThatFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, tt := range []struct {
		name    string
		content content
		want    error
	}{
		{"shorter", content{size: 5, data: strings.NewReader("brev")}, xmlstream.ErrShort},
		{"empty", content{size: 5, data: strings.NewReader("")}, xmlstream.ErrShort},
		{"longer", content{size: 3, data: strings.NewReader("brev")}, xmlstream.ErrLong},
		{"not empty", content{size: 0, data: strings.NewReader("brev")}, xmlstream.ErrLong},
		{"open fails", content{size: 4, err: broken}, broken},
		{"read fails", content{size: 4, data: io.MultiReader(strings.NewReader("br"), iotest.ErrReader(broken))}, broken},
		{"read fails at the end", content{size: 4, data: io.MultiReader(strings.NewReader("brev"), iotest.ErrReader(broken))}, broken},
		{"close fails", content{size: 4, data: strings.NewReader("brev"), fail: broken}, broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			closed := 0
			tt.content.closed = &closed
			d := mustNew(t, letter(3), xmlstream.Bytes(nil), tt.content, xmlstream.Bytes(nil))
			r := d.Open(t.Context())
			_, err := io.ReadAll(r)
			var contentErr *xmlstream.ContentError
			if !errors.As(err, &contentErr) || contentErr.Index != 1 || !errors.Is(err, tt.want) {
				t.Errorf("error is %v, want content 1: %v", err, tt.want)
			}
			if want := fmt.Sprintf("xmlstream: content 1: %v", tt.want); err == nil || err.Error() != want {
				t.Errorf("error reads %v, want %s", err, want)
			}
			if _, again := r.Read(make([]byte, 1)); !errors.Is(again, err) {
				t.Errorf("the next Read says %v", again)
			}
			_ = r.Close()
			if want := 1; tt.content.err == nil && closed != want {
				t.Errorf("content was closed %d times, want %d", closed, want)
			}
		})
	}
}

func TestCloseClosesTheOpenContent(t *testing.T) {
	t.Parallel()
	closed := 0
	broken := errors.New("broken")
	d := mustNew(t, letter(1), content{size: 1 << 20, data: bytes.NewReader(pattern(1 << 20)), closed: &closed, fail: broken})
	r := d.Open(t.Context())
	if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); !errors.Is(err, broken) {
		t.Errorf("Close says %v", err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("the second Close says %v", err)
	}
	if closed != 1 {
		t.Errorf("content was closed %d times", closed)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Read after Close says %v", err)
	}
}

func TestReadEndsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := mustNew(t, letter(1), xmlstream.Bytes(pattern(1<<20))).Open(ctx)
	defer func() { _ = r.Close() }()
	if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if n, err := r.Read(make([]byte, 1000)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("Read says %d, %v", n, err)
	}
}

// hanging is a Content whose Read waits for the end of its context.
type hanging struct{ reading chan struct{} }

func (h hanging) Size() int64 { return 10 }

func (h hanging) Open(ctx context.Context) (io.ReadCloser, error) {
	return io.NopCloser(hangingReader{ctx, h.reading}), nil
}

type hangingReader struct {
	ctx     context.Context
	reading chan struct{}
}

func (h hangingReader) Read([]byte) (int, error) {
	close(h.reading)
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}

// A transport closes the request body while its own goroutine still reads it.
func TestCloseEndsARunningRead(t *testing.T) {
	t.Parallel()
	h := hanging{reading: make(chan struct{})}
	r := mustNew(t, letter(1), h).Open(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, r)
		result <- err
	}()
	<-h.reading
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("the running Read says %v", err)
	}
}

func TestBytesOpensOnlyWhileTheContextLasts(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := xmlstream.Bytes(nil).Open(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Open says %v", err)
	}
}

// A letter's size must not show in memory: 30 MB are streamed within 100 KB.
//
//nolint:paralleltest // it measures what the whole process allocates
func TestStreamingAllocatesNextToNothing(t *testing.T) {
	d := mustNew(t, letter(1), content{size: 30_000_000, data: &zeroes{left: 30_000_000}})
	buf := make([]byte, 32<<10)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := d.Open(t.Context())
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, buf)
	if closeErr := r.Close(); err != nil || closeErr != nil || n != d.Size() {
		t.Fatalf("streamed %d of %d bytes: %v, %v", n, d.Size(), err, closeErr)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 100<<10 {
		t.Errorf("allocated %d bytes", allocated)
	}
}

// zeroes is a long content that costs no memory.
type zeroes struct{ left int }

func (z *zeroes) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), z.left)
	clear(p[:n])
	z.left -= n
	return n, nil
}

func TestDigestFailsWithTheContent(t *testing.T) {
	t.Parallel()
	d := mustNew(t, letter(1), content{size: 5, data: strings.NewReader("brev")})
	if _, err := d.Digest(t.Context()); !errors.Is(err, xmlstream.ErrShort) {
		t.Errorf("Digest says %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mustNew(t, letter(0)).Digest(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Digest with an ended context says %v", err)
	}
}

func BenchmarkOpen74MB(b *testing.B) {
	benchmarkStream(b, 74_000_000)
}

func BenchmarkOpen4KB(b *testing.B) {
	benchmarkStream(b, 4096)
}

func benchmarkStream(b *testing.B, n int) {
	b.Helper()
	d := mustNew(b, letter(1), xmlstream.Bytes(pattern(n)))
	buf := make([]byte, 32<<10)
	b.SetBytes(d.Size())
	b.ReportAllocs()
	for b.Loop() {
		r := d.Open(b.Context())
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, buf); err != nil {
			b.Fatal(err)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDigest74MB(b *testing.B) {
	d := mustNew(b, letter(1), xmlstream.Bytes(pattern(74_000_000)))
	b.SetBytes(d.Size())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Digest(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
