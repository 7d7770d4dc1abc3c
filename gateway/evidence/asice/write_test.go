package asice

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestAContainerVerifies(t *testing.T) {
	t.Parallel()
	container := signedSample(t)
	failed, s := verify(t, container)
	if len(failed) > 0 || s == nil {
		t.Fatalf("failed: %+v", failed)
	}
	if !s.At.Equal(clock.Truncate(time.Second)) || len(s.Chain) != 2 || s.Chain[0].Subject.CommonName != "ours leaf" || len(s.Digests) != 3 {
		t.Errorf("signed = %+v", s)
	}
	if again := signedSample(t); !bytes.Equal(again, container) {
		t.Error("the same input gives other bytes")
	}
}

// Another reader of ZIP files sees what Write wrote, and the first file is found at its fixed place.
func TestTheContainerIsAZIPFile(t *testing.T) {
	t.Parallel()
	container := signedSample(t)
	if string(container[30:38]) != "mimetype" || string(container[38:38+len(typeMimetype)]) != typeMimetype {
		t.Error("mimetype is not where file(1) looks for it")
	}
	z, err := zip.NewReader(bytes.NewReader(container), int64(len(container)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil { // compares the CRC
			t.Errorf("%s: %v", f.Name, err)
		}
		if f.Method != zip.Store || len(f.Extra) > 0 || f.Flags != 0 {
			t.Errorf("%s: method %d, extra %x, flags %x", f.Name, f.Method, f.Extra, f.Flags)
		}
		if !f.Modified.Equal(time.Date(2026, 11, 21, 12, 30, 44, 0, time.UTC)) {
			t.Errorf("%s: time %s", f.Name, f.Modified)
		}
	}
	const want = "mimetype kvittering.html anmodning/kombi_request.xml kvitteringer/01.xml META-INF/manifest.xml META-INF/signatures.xml"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("files %s\nwant  %s", got, want)
	}
}

func TestNothingIsWrittenBeforeAllIsKnownToBeGood(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := Options{Certificate: ours().cert, At: clock}
	otherKey := ours().cert
	otherKey.PrivateKey = others().cert.PrivateKey
	notRSA := ours().cert
	notRSA.PrivateKey = key
	text := func(name string) []File { return []File{Bytes(name, "text/plain", nil)} }
	for name, c := range map[string]struct {
		files []File
		opts  Options
		want  string
	}{
		"a file that breaks":      {[]File{opener("x.xml", func() io.Reader { return iotest.ErrReader(broken) })}, good, "x.xml: the disk is gone"},
		"no certificate":          {sample(), Options{At: clock}, "chain of 0"},
		"the key of another":      {sample(), Options{Certificate: otherKey, At: clock}, "does not belong"},
		"a key of another kind":   {sample(), Options{Certificate: notRSA, At: clock}, "does not belong"},
		"no certificate in it":    {sample(), Options{Certificate: tls.Certificate{Certificate: [][]byte{{1}}}, At: clock}, "certificate"},
		"no time":                 {sample(), Options{Certificate: ours().cert}, "1980"},
		"an absolute name":        {text("/etc/passwd"), good, "name"},
		"a name that climbs":      {text("a/../../b"), good, "name"},
		"a name of another disk":  {text(`c:\x`), good, "characters"},
		"a name in Danish":        {text("kvittering-på-brev.xml"), good, "characters"},
		"an empty name":           {text(""), good, "1 to 200"},
		"a long name":             {text(strings.Repeat("x", 201)), good, "1 to 200"},
		"a hidden file":           {text(".ssh/x"), good, "begins with"},
		"an option":               {text("-rf"), good, "begins with"},
		"a second mimetype":       {text("mimetype"), good, "same name"},
		"a mimetype in capitals":  {text("MimeType"), good, "same name"},
		"a file in META-INF":      {text("meta-inf/x.xml"), good, "META-INF"},
		"META-INF as a file":      {text("META-INF"), good, "same name"},
		"two of one name":         {append(sample(), sample()[0]), good, "same name"},
		"two but for their case":  {append(text("a.xml"), text("A.XML")...), good, "same name"},
		"a file and a folder":     {append(text("a/b"), text("a")...), good, "same name"},
		"no media type":           {[]File{Bytes("a", "", nil)}, good, "media type"},
		"markup in a media type":  {[]File{Bytes("a", `text/"><x`, nil)}, good, "media type"},
		"a media type's charset":  {[]File{Bytes("a", "text/xml; charset=utf-8", nil)}, good, "media type"},
		"more files than may be":  {make([]File, MaxFiles+1), good, "media type"},
		"more certificates so on": {sample(), Options{Certificate: tls.Certificate{Certificate: make([][]byte, maxChain+1)}, At: clock}, "chain of 9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			err := Write(t.Context(), &b, c.files, c.opts)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("err = %v, want %q in it", err, c.want)
			}
			if b.Len() > 0 {
				t.Errorf("%d bytes were written", b.Len())
			}
		})
	}
}

func TestAFileThatChangesIsFound(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]string{"other bytes": "twofold", "fewer": "two", "more": "two and more"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next := "another"
			f := opener("x.xml", func() io.Reader {
				now := next
				next = second
				return strings.NewReader(now)
			})
			err := Write(t.Context(), io.Discard, []File{f}, Options{Certificate: ours().cert, At: clock})
			if err == nil || !strings.Contains(err.Error(), "x.xml was another one") {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestWriteEndsWithItsContextAndItsWriter(t *testing.T) {
	t.Parallel()
	gone := errors.New("the operator pressed stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	opts := Options{Certificate: ours().cert, At: clock}
	if err := Write(ctx, io.Discard, sample(), opts); !errors.Is(err, gone) {
		t.Errorf("err = %v, want the cause", err)
	}
	full := len(signedSample(t))
	for _, room := range []int{0, 40, 100, full - 200, full - 1} {
		w := &shortWriter{room: room}
		if err := Write(t.Context(), w, sample(), opts); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("room %d: err = %v", room, err)
		}
	}
}

// shortWriter takes so many bytes and no more.
type shortWriter struct{ room int }

func (w *shortWriter) Write(p []byte) (int, error) {
	if len(p) > w.room {
		return 0, io.ErrShortWrite
	}
	w.room -= len(p)
	return len(p), nil
}
