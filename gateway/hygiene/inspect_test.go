package hygiene_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf16"

	"github.com/brevdue/brevdue/gateway/hygiene"
)

const (
	pdfType  = "application/pdf"
	docxType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
)

// pdf is a PDF with these objects in it.
func pdf(objects ...string) string {
	return "%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R " + strings.Join(objects, "\n") + " >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
}

// objectStream is a compressed stream of objects.
func objectStream(objects string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := io.WriteString(w, objects); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return "7 0 obj << /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode >>\nstream\r\n" + b.String() + "\nendstream endobj\n"
}

// cut leaves out the last bytes.
func cut(s string, n int) string { return s[:len(s)-n] }

// archive is a zip of these entries, all with the same text.
func archive(names ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err != nil {
			panic(err)
		}
		if strings.HasSuffix(name, "/") {
			continue
		}
		if _, err := io.WriteString(f, strings.Repeat("indhold ", 20)); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// word is a docx with more parts.
func word(more ...string) string {
	return archive(append([]string{"[Content_Types].xml", "_rels/.rels", "word/document.xml"}, more...)...)
}

func utf16le(s string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

// ole is the beginning of an old office document, with names as its directory has them.
func ole(names ...string) string {
	var b strings.Builder
	b.WriteString("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 4000))
	for _, name := range names {
		b.WriteString(utf16le(name)[2:] + strings.Repeat("\x00", 64))
	}
	return b.String()
}

func codes(r hygiene.Report) string {
	var list []string
	for _, x := range r.Reasons {
		mark := ""
		if x.Flags {
			mark = "!"
		}
		list = append(list, mark+string(x.Code))
	}
	return strings.Join(list, " ")
}

// TestFindings holds every code to documents that have it and to near misses; ! marks what flags.
func TestFindings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, name, declared, content, want string }{
		{"a plain PDF", "brev.pdf", pdfType, pdf(), ""},
		{"a type with parameters, in capitals", "brev.txt", "TEXT/PLAIN; charset=utf-8", "Kære borger", ""},
		{"xml under its other name", "a.xml", "application/xml", "<?xml version='1.0'?><a/>", ""},
		{"xml as text", "a.xml", "text/xml", "<a><b>on = 1</b></a>", ""},
		{"csv is text", "a.csv", "text/csv", "navn;alder\nA;1\n", ""},
		{"rtf as Digital Post wants it", "a.rtf", "application/msword", `{\rtf1 hej}`, ""},
		{"a docx", "a.docx", docxType, word(), ""},
		{"a docx by its older type", "a.docx", "application/msword", word(), ""},
		{"a docx declared zip", "a.docx", "application/zip", word(), ""},
		{"an empty document", "a.txt", "text/plain", "", "type.unknown"},
		{"a jpeg declared jpg", "a.jpg", "image/jpg", "\xff\xd8\xff\xe0\x00\x10JFIF\x00", ""},

		{"html declared pdf", "brev.pdf", pdfType, "<html><body>Hej</body></html>", "!type.mismatch"},
		{"pdf declared html", "brev.pdf", "text/html", pdf(), "!type.mismatch"},
		{"html declared text", "brev.txt", "text/plain", "<!DOCTYPE html><html><script>x</script>", "!type.mismatch !content.script"},
		{"zip declared pdf", "brev.pdf", pdfType, archive("a.txt"), "!type.mismatch archive"},
		{"noise declared pdf", "brev.pdf", pdfType, "\x01\x02\x03\x04\x80\x81", "!type.mismatch type.unknown"},
		{"png declared jpeg", "a.jpg", "image/jpeg", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "!type.mismatch"},
		{"declared as nothing", "a.pdf", "", pdf(), "type.undeclared"},
		{"declared as bytes", "a.pdf", "application/octet-stream", pdf(), "type.undeclared"},
		{"declared as no type", "a.pdf", "pdf", pdf(), "type.undeclared"},

		{"a dirty name", "a/b.pdf", pdfType, pdf(), "name.unsafe"},
		{"a name that turns round", "faktura\u202efdp.docx", docxType, word(), "name.unsafe !name.deceives"},
		{"two endings", "faktura.pdf.exe", pdfType, pdf(), "!name.deceives !name.executable"},
		{"two endings and a dot", "faktura.pdf.exe. ", pdfType, pdf(), "name.unsafe !name.deceives !name.executable"},
		{"a program by name", "se-her.JS", "text/plain", "var a", "!name.executable"},
		{"a dotted name", "1. brev til far.docx", docxType, word(), ""},

		{"a Windows program", "a.pdf", pdfType, "MZ\x90\x00" + strings.Repeat("\x00", 100), "!type.mismatch !content.program"},
		{"a Linux program", "a", "application/octet-stream", "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 57), "type.undeclared !content.program"},
		{"a shell script", "a.txt", "text/plain", "#!/bin/sh\nrm -rf /\n", "!type.mismatch !content.program"},
		{"a shortcut", "a.lnk", "application/octet-stream", "L\x00\x00\x00\x01\x14\x02\x00" + strings.Repeat("\x00", 90), "type.undeclared !name.executable !content.program"},

		{"html with a script", "a.html", "text/html", "<html><SCRIPT src=x></script></html>", "!content.script"},
		{"html with a handler", "a.html", "text/html", "<html><img src=x\nonerror = 'x()'></html>", "!content.script"},
		{"html with a handler after a slash", "a.html", "text/html", "<html><svg/onload=x()></html>", "!content.script"},
		{"html with a handler behind a value", "a.html", "text/html", `<html><a b="c"onclick="x">`, "!content.script"},
		{"html with a link that runs", "a.html", "text/html", `<html><a href="JavaScript:x">`, "!content.script"},
		{"html with a hidden link that runs", "a.html", "text/html", "<html><a href='java\nscr&#105;pt&#x3A;x'>", "!content.script"},
		{"html with a named colon", "a.html", "text/html", "<html><a href='javascript&colon;x'>", "!content.script"},
		{"html in UTF-16", "a.html", "text/html", utf16le("<html><script>x</script></html>"), "!content.script"},
		{"html with a frame", "a.html", "text/html", "<html><iframe src=x></iframe></html>", "!content.embed"},
		{"html that leads on", "a.html", "text/html", "<html><meta http-equiv=refresh content='0;url=x'></html>", "!content.embed"},
		{"harmless html", "a.html", "text/html", "<html><body class=one><p>Klik på onload = 1 &amp; script: form</p></body></html>", ""},
		{"html by its name only", "a.html", "text/plain", "Hej <script>x</script>", "!content.script"},
		{"svg with a script", "a.svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>`, "!content.script"},
		{"svg with a prefix", "a.svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><s:script>x</s:script></svg>`, "!content.script"},
		{"xml with a script", "a.xml", "text/xml", `<?xml version="1.0"?><a><h:script>x</h:script></a>`, "!content.script"},
		{"xml with such attributes", "a.xml", "text/xml", `<?xml version="1.0"?><a only="1" form="x"><form/></a>`, ""},

		{"pdf with a script", "a.pdf", pdfType, pdf("/OpenAction << /S /JavaScript /JS (x) >>"), "!pdf.script pdf.action"},
		{"pdf with a spelt script", "a.pdf", pdfType, pdf("/Names << /J#61va#53cript 5 0 R >>"), "!pdf.script"},
		{"pdf that opens at a page", "a.pdf", pdfType, pdf("/OpenAction [3 0 R /Fit]"), "pdf.action"},
		{"pdf that starts a program", "a.pdf", pdfType, pdf("/A<</S/Launch/F(cmd.exe)>>"), "!pdf.launch"},
		{"pdf that sends", "a.pdf", pdfType, pdf("/A<</S/SubmitForm>>"), "!pdf.launch"},
		{"pdf with a file", "a.pdf", pdfType, pdf("/Type/EmbeddedFile"), "!pdf.embedded"},
		{"pdf that is locked", "a.pdf", pdfType, pdf("/Encrypt 9 0 R"), "encrypted"},
		{"pdf with compressed objects", "a.pdf", pdfType, pdf("/Type /ObjStm"), "pdf.compressed"},
		{"pdf with a compressed script", "a.pdf", pdfType, pdf() + objectStream("/S /JavaScript"), "!pdf.script"},
		{"pdf with compressed objects that do nothing", "a.pdf", pdfType, pdf() + objectStream("/Type /Font") + objectStream("/A 1"), ""},
		{"pdf with a second one that acts", "a.pdf", pdfType, pdf() + objectStream("/A 1") + objectStream("/S /Launch"), "!pdf.launch"},
		{"pdf with objects cut", "a.pdf", pdfType, cut(pdf()+objectStream("/A 1 /B 2"), 25), "pdf.compressed"},
		{"pdf with a bomb", "a.pdf", pdfType, pdf() + objectStream(strings.Repeat(" ", 9<<20)+"/S /Launch"), "pdf.compressed"},
		{"pdf with near misses", "a.pdf", pdfType, pdf("/JavaScripts /Launcher (Launch) /LaunchLaunchLaunchLaunch /J#6 /#zz"), ""},
		{"pdf behind something", "a.bin", "application/octet-stream", strings.Repeat("\x01", 500) + pdf("/S/Launch"), "type.undeclared !pdf.launch"},
		{"pdf name at the end", "a.pdf", pdfType, "%PDF-1.7 /Launch", "!pdf.launch"},

		{"docx with macros", "a.docx", docxType, word("word/vbaProject.bin"), "!office.macro"},
		{"docx with an object", "a.docx", docxType, word("word/embeddings/oleObject1.bin"), "!office.embedded"},
		{"xlsx with links", "a.docx", docxType, word("xl/externalLinks/externalLink1.xml"), "office.external"},
		{"doc with macros", "a.doc", "application/msword", ole("WordDocument", "_VBA_PROJECT"), "!office.macro"},
		{"docx that is locked", "a.docx", docxType, ole("EncryptionInfo", "EncryptedPackage"), "encrypted"},
		{"rtf with an object", "a.rtf", "text/rtf", `{\rtf1{\object{\*\objdata 0105}}}`, "!office.embedded"},

		{"a zip", "a.zip", "application/zip", archive("a.txt", "b/", "b/c.pdf"), "archive"},
		{"a zip in a zip", "a.zip", "application/zip", archive("a.txt", "b.ZIP"), "archive !archive.nested"},
		{"a program in a zip", "a.zip", "application/zip", archive("faktura.pdf.exe"), "archive !archive.program"},
		{"a zip that climbs", "a.zip", "application/zip", archive("../../x.txt"), "archive !archive.path"},
		{"a zip that climbs in Windows", "a.zip", "application/zip", archive(`..\x.txt`), "archive !archive.path"},
		{"a zip to a disk", "a.zip", "application/zip", archive("C:x.txt"), "archive !archive.path"},
		{"a zip that is cut", "a.zip", "application/zip", archive("a.txt", "b.txt")[:60], "archive !archive.broken"},
		{"a gzip", "a.gz", "application/gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00", "archive"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			r, err := hygiene.Inspect(t.Context(), hygiene.Document{
				Filename: c.name, Declared: c.declared, Content: strings.NewReader(c.content),
			}, hygiene.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := codes(r); got != c.want {
				t.Errorf("%s\n got %s\nwant %s", r.Real, got, c.want)
			}
			if r.Size != int64(len(c.content)) || (r.Verdict() == hygiene.Flagged) != strings.Contains(c.want, "!") {
				t.Errorf("%d bytes, %s", r.Size, r.Verdict())
			}
			// Nothing depends on the sizes in which the bytes come.
			s := hygiene.NewScanner(c.name, c.declared, hygiene.Options{})
			if _, err := io.Copy(s, iotest.OneByteReader(strings.NewReader(c.content))); err != nil {
				t.Fatal(err)
			}
			if got := codes(s.Report(strings.NewReader(c.content))); got != c.want {
				t.Errorf("byte by byte: %s", got)
			}
		})
	}
}

func TestArchiveIsCounted(t *testing.T) {
	t.Parallel()
	content := archive("a.txt", "b/", "b/c.pdf", "d.zip")
	at, err := hygiene.Inspect(t.Context(), hygiene.Document{Filename: "a.zip", Declared: "application/zip", Content: strings.NewReader(content)}, hygiene.Options{})
	if err != nil || at.Archive == nil || *at.Archive != (hygiene.Archive{Entries: 3, Nested: 1, Expanded: 480, Exact: true}) {
		t.Errorf("%+v, %v", at.Archive, err)
	}
	streamed, err := hygiene.Inspect(t.Context(), hygiene.Document{Filename: "a.zip", Content: io.MultiReader(strings.NewReader(content))}, hygiene.Options{})
	if err != nil || streamed.Archive == nil || *streamed.Archive != (hygiene.Archive{Entries: 3, Nested: 1, Expanded: -1}) {
		t.Errorf("%+v, %v", streamed.Archive, err)
	}
}

// bomb is a zip whose directory says whatever is wanted of one entry, many times.
func bomb(entries int, expanded uint32, flags uint16) string {
	var b bytes.Buffer
	name := "a.txt"
	local := make([]byte, 30)
	copy(local, "PK\x03\x04")
	binary.LittleEndian.PutUint16(local[26:], uint16(len(name)))
	b.Write(local)
	b.WriteString(name)
	start := b.Len()
	for range entries {
		h := make([]byte, 46)
		copy(h, "PK\x01\x02")
		binary.LittleEndian.PutUint16(h[8:], flags)
		binary.LittleEndian.PutUint32(h[24:], expanded)
		binary.LittleEndian.PutUint16(h[28:], uint16(len(name)))
		b.Write(h)
		b.WriteString(name)
	}
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[10:], uint16(min(entries, 65534)))
	binary.LittleEndian.PutUint32(end[12:], uint32(b.Len()-start))
	binary.LittleEndian.PutUint32(end[16:], uint32(start))
	b.Write(end)
	return b.String()
}

func TestHostileArchives(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, content, want string
		opts                hygiene.Options
	}{
		{"many entries", bomb(10_001, 1, 0), "archive !archive.many", hygiene.Options{}},
		{"as many as are taken", bomb(10_000, 1, 0), "archive", hygiene.Options{}},
		{"many by choice", bomb(4, 1, 0), "archive !archive.many", hygiene.Options{MaxEntries: 3}},
		{"4 GB from nothing", bomb(1, 0xfffffffe, 0), "archive !archive.expands", hygiene.Options{}},
		{"a hundredfold", bomb(1, 11<<20, 0), "archive !archive.expands", hygiene.Options{}},
		{"a little", bomb(1, 9<<20, 0), "archive", hygiene.Options{}},
		{"the sum", bomb(300, 4<<20, 0), "archive !archive.expands", hygiene.Options{}},
		{"locked", bomb(2, 1, 1), "encrypted archive", hygiene.Options{}},
		{"locked, by choice", bomb(2, 1, 1), "!encrypted archive", hygiene.Options{Flag: []hygiene.Code{hygiene.Encrypted}}},
		{"many, tolerated", bomb(4, 1, 0), "archive archive.many", hygiene.Options{MaxEntries: 3, Tolerate: []hygiene.Code{hygiene.ArchiveMany}}},
		{"something before it", "MZ" + bomb(2, 1, 0), "!content.program", hygiene.Options{}},
		{"something behind it", bomb(2, 1, 0) + "tail", "archive", hygiene.Options{}},
	} {
		c.want = strings.TrimSpace(c.want)
		r, err := hygiene.Inspect(t.Context(), hygiene.Document{
			Filename: "a.zip", Declared: "application/zip", Content: strings.NewReader(c.content),
		}, c.opts)
		if got := strings.TrimSpace(strings.ReplaceAll(codes(r), "!type.mismatch", "")); err != nil || got != c.want {
			t.Errorf("%s: %s, want %s, %v", c.what, got, c.want, err)
		}
	}
}

// What the old way of an archive's comment allows: the end record is found before a comment of full length.
func TestArchiveWithAComment(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	if err := errors.Join(w.SetComment(strings.Repeat("x", 65535)), w.Close()); err != nil {
		t.Fatal(err)
	}
	content := archive("a.txt")
	end := strings.LastIndex(content, "PK\x05\x06")
	content = content[:end+20] + "\xff\xff" + strings.Repeat("x", 65535)
	r, err := hygiene.Inspect(t.Context(), hygiene.Document{Filename: "a.zip", Declared: "application/zip", Content: strings.NewReader(content)}, hygiene.Options{})
	if err != nil || r.Archive == nil || r.Archive.Entries != 1 || !r.Archive.Exact {
		t.Errorf("%+v %v", r, err)
	}
}

var errDisk = errors.New("disk")

func TestInspectFailsAsItsReaderDoes(t *testing.T) {
	t.Parallel()
	_, err := hygiene.Inspect(t.Context(), hygiene.Document{Content: iotest.ErrReader(errDisk)}, hygiene.Options{})
	if !errors.Is(err, errDisk) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := hygiene.Inspect(ctx, hygiene.Document{Content: strings.NewReader("x")}, hygiene.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestEveryCodeHasASentence also holds the order: a report lists codes as Codes does.
func TestEveryCodeHasASentence(t *testing.T) {
	t.Parallel()
	list := hygiene.Codes()
	if n := len(slices.Compact(slices.Sorted(slices.Values(list)))); n != len(list) {
		t.Errorf("%d codes, %d different ones", len(list), n)
	}
	r, err := hygiene.Inspect(t.Context(), hygiene.Document{
		Filename: "a\u202e.pdf.exe", Declared: "image/png", Content: strings.NewReader(pdf("/OpenAction 1 0 R /S /JavaScript /Encrypt 1 0 R")),
	}, hygiene.Options{})
	if err != nil || len(r.Reasons) != 7 {
		t.Fatalf("%s, %v", codes(r), err)
	}
	last := -1
	for _, x := range r.Reasons {
		at := slices.Index(list, x.Code)
		if at <= last || !strings.HasSuffix(x.Text, ".") || strings.Contains(x.Text, "pdf.exe") {
			t.Errorf("%+v", x)
		}
		last = at
	}
}

// FuzzInspect holds that no bytes make it fail, that the verdict does not depend on how they are cut, and that the name is safe.
func FuzzInspect(f *testing.F) {
	for _, s := range []string{
		pdf("/OpenAction << /S /JavaScript >>"), pdf() + objectStream("/S /Launch"), word("word/vbaProject.bin"), archive("a.zip", "../x"), bomb(3, 0xffffffff, 1), ole("_VBA_PROJECT"),
		"<html><a href='java&#115;cript:x' onclick=x><script>", utf16le("<svg/onload=x>"), `{\rtf1\objdata`, "\x1f\x8b", "MZ", "",
		"PK\x05\x06" + strings.Repeat("\xff", 18), strings.Repeat("PK\x03\x04", 50), "PK\x03\x04" + strings.Repeat("PK\x06\x07\xff\xff\xff\xff\xff\xff\xff\x7f", 9) + "PK\x05\x06" + strings.Repeat("\xff", 18),
	} {
		f.Add("brev.pdf", "application/pdf", []byte(s), uint64(1))
	}
	f.Fuzz(func(t *testing.T, name, declared string, content []byte, seed uint64) {
		whole, err := hygiene.Inspect(t.Context(), hygiene.Document{Filename: name, Declared: declared, Content: bytes.NewReader(content)}, hygiene.Options{})
		if err != nil {
			t.Fatal(err)
		}
		holdSafe(t, name, whole.SafeName)
		random := rand.New(rand.NewPCG(seed, 1))
		s := hygiene.NewScanner(name, declared, hygiene.Options{})
		for rest := content; len(rest) > 0; {
			n := min(len(rest), 1+random.IntN(40))
			if _, err := s.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if pieces := s.Report(bytes.NewReader(content)); codes(pieces) != codes(whole) {
			t.Errorf("whole %s, in pieces %s", codes(whole), codes(pieces))
		}
	})
}

// TestMemoryDoesNotGrow holds each costly kind to a few allocations for 64 KiB, so that memory does not follow the size.
//
//nolint:paralleltest // AllocsPerRun counts what other tests allocate, too
func TestMemoryDoesNotGrow(t *testing.T) {
	for _, kind := range []string{pdf("/S/Launch"), "<html>", ole("x"), archive("a.txt") + "PK\x03\x04"} {
		s := hygiene.NewScanner("a", "application/pdf", hygiene.Options{})
		noise := make([]byte, 64<<10)
		random := rand.NewChaCha8([32]byte{1})
		_, _ = random.Read(noise)
		_, _ = s.Write([]byte(kind))
		allocated := testing.AllocsPerRun(100, func() { _, _ = s.Write(noise) })
		if allocated > 4 {
			t.Errorf("%.10q: %v allocations for 64 KiB", kind, allocated)
		}
	}
}

// TestHostileDocumentsEndSoon inspects documents made to be slow: much work for each byte. Each took minutes or gigabytes
// if it were done naively; the deadline is generous for a busy machine.
func TestHostileDocumentsEndSoon(t *testing.T) {
	t.Parallel()
	const length = 2 << 20
	emptyBlocks := "\x78\x9c" + strings.Repeat("\x00\x00\x00\xff\xff", length/5)
	for what, content := range map[string]string{
		"headers of a zip":             archive("a") + strings.Repeat("PK\x03\x04", length/4),
		"streams of a PDF in a stream": pdf() + strings.Repeat("/ObjStm stream\n", 5000) + emptyBlocks,
		"streams of a PDF":             pdf() + strings.Repeat("/ObjStm stream\n\x78\x9c", length/16),
		"names of a PDF":               pdf() + strings.Repeat("/", length),
		"tags":                         "<html>" + strings.Repeat("<a ", length/3),
		"colons":                       "<html>" + strings.Repeat(":", length),
		"references":                   "<html>" + strings.Repeat("&#9", length/3),
		"entries of a zip":             bomb(length/51, 1, 0),
		"words":                        ole() + strings.Repeat("_vba_projec", length/11),
	} {
		start := time.Now()
		if _, err := hygiene.Inspect(t.Context(), hygiene.Document{Filename: "a", Content: strings.NewReader(content)}, hygiene.Options{}); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%s: %v for %d MB", what, took, len(content)>>20)
		} else {
			t.Logf("%s: %v", what, took.Round(time.Millisecond))
		}
	}
}

func BenchmarkInspect(b *testing.B) {
	noise := make([]byte, 10<<20)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(noise)
	for name, start := range map[string]string{"pdf": pdf(), "html": "<html>", "ole": ole("x"), "zip": archive("a.txt"), "jpeg": "\xff\xd8\xff\xe0\x00\x10JFIF"} {
		b.Run(name, func(b *testing.B) {
			content := append([]byte(start), noise...)
			b.SetBytes(int64(len(content)))
			for b.Loop() {
				if _, err := hygiene.Inspect(b.Context(), hygiene.Document{Filename: "a." + name, Content: io.MultiReader(bytes.NewReader(content))}, hygiene.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
