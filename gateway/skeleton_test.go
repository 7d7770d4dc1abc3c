package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// store is documents in memory.
type store map[string][]byte

func (s store) Put(_ context.Context, r io.Reader, limit int64) (string, int64, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return "", 0, err
	}
	if int64(len(b)) > limit {
		return "", 0, ErrTooLarge
	}
	sum := sha256.Sum256(b)
	s[hex.EncodeToString(sum[:])] = b
	return hex.EncodeToString(sum[:]), int64(len(b)), nil
}

func (s store) Open(_ context.Context, name string) (io.ReadCloser, error) {
	b, is := s[name]
	if !is {
		return nil, ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// text is a part of literal bytes.
func text(s string) Part { return Part{Text: []byte(s)} }

// content is a part with bytes of its own.
func content(b []byte, lines bool) Part {
	return Part{
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil },
		Size: int64(len(b)), Lines: lines,
	}
}

// document is a part that the store has.
func (s store) document(b []byte, lines bool) Part {
	p := content(b, lines)
	p.SHA256, _, _ = s.Put(context.Background(), bytes.NewReader(b), int64(len(b)))
	return p
}

// plain is what a part stands for, made in another way than the code under test makes it.
func plain(t *testing.T, parts []Part) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, p := range parts {
		if p.Open == nil {
			out.Write(p.Text)
			continue
		}
		r, err := p.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		s := base64.StdEncoding.EncodeToString(b)
		if !p.Lines {
			out.WriteString(s)
			continue
		}
		for line := range slices.Chunk([]byte(s), 76) {
			out.Write(line)
			out.WriteString("\r\n")
		}
	}
	return out.Bytes()
}

// reader puts a stored skeleton together.
func (s store) reader(ctx context.Context, stored []byte, want [sha256.Size]byte) (*exhibitReader, error) {
	k, err := decodeSkeleton(stored)
	if err != nil {
		return nil, err
	}
	g := &Gateway{documents: s}
	return &exhibitReader{ctx: ctx, open: g.kept(&Intent{}), parts: k.parts, left: k.size(), want: want, hash: sha256.New(), attempt: "att_1"}, nil
}

func filled(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 31 >> 3)
	}
	return b
}

func TestWhatASkeletonHolds(t *testing.T) {
	t.Parallel()
	s := store{}
	big, small := filled(MaxInline+1), filled(MaxInline)
	cases := map[string][]Part{
		"nothing": nil,
		"text":    {text("<a>æøå</a>"), text("&amp;\x00\xff")},
		"sizes": {
			text("a"), s.document(nil, false), s.document([]byte("x"), false), s.document(filled(2), false), s.document(filled(3), false),
			content(nil, true), content(filled(56), true), content(filled(57), true), content(filled(58), true),
		},
		"lines":       {s.document(filled(base64Block), true), text("--"), s.document(filled(base64Block+1), true)},
		"twice":       {content(small, false), text("-"), content(small, true), content(filled(9), false), content(filled(9), false)},
		"too large":   {content(big, false), text("-"), content(big, true)},
		"a long text": {text(strings.Repeat("Kære Nancy\n", 100_000))},
	}
	for size := range 20 {
		cases[fmt.Sprintf("size %d", size)] = []Part{content(filled(size), false), text("-"), s.document(filled(1000+size), true)}
	}
	for name, parts := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := store{}
			maps.Copy(own, s)
			stored, err := (&Gateway{documents: own}).Skeleton(t.Context(), "r.xml", "application/xml", parts)
			if err != nil {
				t.Fatal(err)
			}
			if len(stored) > 100_000 {
				t.Errorf("%d bytes", len(stored))
			}
			want := plain(t, parts)
			r, err := own.reader(t.Context(), stored, sha256.Sum256(want))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(io.LimitReader(r, int64(len(want))+1))
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%v; %d bytes that are not the %d wanted", err, len(got), len(want))
			}
			k, err := decodeSkeleton(stored)
			if err != nil || k.name != "r.xml" || k.contentType != "application/xml" || k.size() != int64(len(want)) {
				t.Errorf("%q, %q, %d bytes, %v; want %d", k.name, k.contentType, k.size(), err, len(want))
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAPartThatCannotBeKept(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	fails := func(context.Context) (io.ReadCloser, error) { return nil, broken }
	for name, c := range map[string]struct {
		part Part
		want error
	}{
		"unreadable": {Part{Open: fails, Size: 1}, broken},
		"short":      {Part{Open: content([]byte("x"), false).Open, Size: 2}, io.ErrUnexpectedEOF},
		"no digest":  {Part{Open: fails, Size: 1, SHA256: "abcd"}, nil},
		"not hex":    {Part{Open: fails, Size: 1, SHA256: strings.Repeat("x", 64)}, nil},
		"grown":      {Part{Open: content(filled(MaxInline+9), false).Open, Size: MaxInline + 1}, ErrTooLarge},
	} {
		_, err := (&Gateway{documents: store{}}).Skeleton(t.Context(), "r.xml", "application/xml", []Part{text("a"), c.part})
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), "part 1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// sample is a small skeleton with a part of every kind.
func sample(t testing.TB) (s store, stored []byte, parts []Part) {
	t.Helper()
	s = store{}
	parts = []Part{
		text("<kombi_request><memo:content>"), s.document(filled(200), false), text("</memo:content><b>"), content(filled(30), true),
		content(filled(30), false), text("</b>"),
	}
	stored, err := (&Gateway{documents: s}).Skeleton(t.Context(), "kombi_request.xml", "application/xml", parts)
	if err != nil {
		t.Fatal(err)
	}
	return s, stored, parts
}

func TestADamagedSkeletonIsNeverAnotherLetter(t *testing.T) {
	t.Parallel()
	s, stored, parts := sample(t)
	want := plain(t, parts)
	try := func(what string, damaged []byte) {
		t.Helper()
		r, err := s.reader(t.Context(), damaged, sha256.Sum256(want))
		if err != nil {
			if !errors.Is(err, errSkeleton) {
				t.Errorf("%s: %v", what, err)
			}
			return
		}
		length := r.left
		got, err := io.ReadAll(r)
		if err == nil && !bytes.Equal(got, want) {
			t.Errorf("%s: another letter without an error", what)
		}
		if err != nil && length > 0 && int64(len(got)) >= length {
			t.Errorf("%s: a whole letter before its error", what)
		}
	}
	for n := range stored {
		for bit := range 8 {
			damaged := bytes.Clone(stored)
			damaged[n] ^= 1 << bit
			try(fmt.Sprintf("byte %d bit %d", n, bit), damaged)
		}
		try(fmt.Sprintf("cut at %d", n), stored[:n])
	}
	if _, err := decodeSkeleton(append(bytes.Clone(stored), 0)); !errors.Is(err, errSkeleton) {
		t.Errorf("with a byte behind its end: %v", err)
	}
	if _, err := decodeSkeleton(nil); !errors.Is(err, errSkeleton) {
		t.Errorf("empty: %v", err)
	}
}

func TestADocumentThatIsNoLongerTheSame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		put  []byte // nil: it is gone
		want error
	}{
		"gone":    {nil, ErrNotFound},
		"changed": {make([]byte, 200), ErrExhibit},
		"shorter": {filled(199), io.ErrUnexpectedEOF},
		"longer":  {filled(201), ErrExhibit},
	} {
		s, stored, parts := sample(t)
		for digest := range s {
			delete(s, digest)
			if c.put != nil {
				s[digest] = c.put
			}
		}
		r, err := s.reader(t.Context(), stored, sha256.Sum256(plain(t, parts)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); !errors.Is(err, c.want) || !strings.Contains(err.Error(), "att_1") {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestAnExhibitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s, stored, parts := sample(t)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := s.reader(ctx, stored, sha256.Sum256(plain(t, parts)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 40)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(r); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// The files of testdata are skeletons as version 1 wrote them. They are never written again: a journal holds such ones.
func TestSkeletonsOfEveryVersionAreRead(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"request", "mail"} {
		stored, err := os.ReadFile("testdata/skeleton1." + kind)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile("testdata/skeleton1." + kind + ".want")
		if err != nil {
			t.Fatal(err)
		}
		s := store{}
		s.document(filled(200), false)
		r, err := s.reader(t.Context(), stored, sha256.Sum256(want))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v, %q", kind, err, got)
		}
	}
	for file, want := range map[string]string{
		"request": "b9e71b63f2b3c4ad941bbb4d67e50aae11c2893de08a9127502b490318ffd11d", "mail": "5e73bb4d484451be781578cb44525fb7dbfa20016f16f3cc61b9a1965e50335b",
	} {
		words := requestDictionary
		if file == "mail" {
			words = mailDictionary
		}
		if sum := sha256.Sum256(words); hex.EncodeToString(sum[:]) != want {
			t.Errorf("the dictionary for a %s has changed to %x: journals hold skeletons made with the old one", file, sum)
		}
	}
}

func FuzzDecodeSkeleton(f *testing.F) {
	_, stored, _ := sample(f)
	f.Add(stored)
	f.Add(stored[:20])
	f.Add([]byte{skeletonVersion, mailWords})
	f.Add([]byte{skeletonVersion + 1, 0, 3, 0})
	for _, kind := range []string{"request", "mail"} {
		if b, err := os.ReadFile("testdata/skeleton1." + kind); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		s, err := decodeSkeleton(stored)
		if err != nil {
			if !errors.Is(err, errSkeleton) {
				t.Errorf("error %v", err)
			}
			return
		}
		again, err := s.encode()
		if err != nil {
			t.Fatal(err)
		}
		twice, err := decodeSkeleton(again)
		if err != nil {
			t.Fatal(err)
		}
		if twice.name != s.name || twice.contentType != s.contentType || twice.size() != s.size() || len(twice.parts) != len(s.parts) {
			t.Error("what was read and written again is another skeleton")
		}
	})
}

// FuzzBonesOf skips the compression, which a fuzzer does not get through.
func FuzzBonesOf(f *testing.F) {
	_, stored, _ := sample(f)
	s, err := decodeSkeleton(stored)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.append(nil))
	f.Add([]byte{0, 0, 2, 0})
	f.Add([]byte{0, 0, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := bonesOf(body)
		if err != nil {
			if !errors.Is(err, errSkeleton) {
				t.Errorf("error %v", err)
			}
			return
		}
		if s.size() < 0 {
			t.Error("less than nothing")
		}
		again, err := bonesOf(s.append(nil))
		if err != nil || again.size() != s.size() || len(again.parts) != len(s.parts) {
			t.Errorf("what was read and written again is another skeleton: %v", err)
		}
	})
}

func BenchmarkSkeleton(b *testing.B) {
	want, err := os.ReadFile("testdata/skeleton1.request.want")
	if err != nil {
		b.Fatal(err)
	}
	g, parts := &Gateway{documents: store{}}, []Part{{Text: want}}
	var stored []byte
	b.ReportAllocs()
	for b.Loop() {
		if stored, err = g.Skeleton(b.Context(), "kombi_request.xml", "application/xml", parts); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(want)), "letter-bytes")
	b.ReportMetric(float64(len(stored)), "stored-bytes")
}
