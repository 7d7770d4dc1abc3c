package preflight_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"github.com/brevdue/brevdue/channels/print/letterpdf"
	"github.com/brevdue/brevdue/channels/print/preflight"
)

func check(t testing.TB, cfg preflight.Config, pdf []byte) preflight.Report {
	t.Helper()
	report, err := preflight.New(cfg).Check(t.Context(), pdf)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// codes holds a report to the codes it should have, and nothing else.
func codes(t testing.TB, r preflight.Report, want ...string) {
	t.Helper()
	var got []string
	for _, f := range r.Findings {
		got = append(got, f.Code)
		if !strings.HasSuffix(f.Detail, ".") {
			t.Errorf("%q is no sentence", f.Detail)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("findings %+v, want %v", r.Findings, want)
	}
}

func ourLetter(t testing.TB, paragraphs int) []byte {
	t.Helper()
	m, err := letterpdf.New(letterpdf.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := m.Make(letterpdf.Letter{
		Title: "Brev", Recipient: []string{"Åse", "Vej 1", "8000 Aarhus C"}, Date: time.Unix(0, 0),
		Text: strings.Repeat("Rødgrød med fløde.\n\n", paragraphs),
	})
	if err != nil {
		t.Fatal(err)
	}
	return d.PDF
}

func TestLettersOfDifferentMakersPass(t *testing.T) {
	t.Parallel()
	t.Run("letterpdf", func(t *testing.T) {
		t.Parallel()
		r := check(t, preflight.Config{}, ourLetter(t, 60))
		codes(t, r)
		if r.Pages != 3 {
			t.Errorf("%d pages", r.Pages)
		}
	})
	for name, pages := range map[string]int{"object-streams.pdf": 2, "linearized.pdf": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := check(t, preflight.Config{}, read(t, name))
			codes(t, r)
			if r.Pages != pages {
				t.Errorf("%d pages", r.Pages)
			}
		})
	}
	t.Run("chromium", func(t *testing.T) {
		t.Parallel()
		codes(t, check(t, preflight.Config{}, chromium(t, "size: 210mm 297mm", "<p>Rødgrød <b>med</b> fløde</p>")))
	})
	t.Run("chromium landscape", func(t *testing.T) {
		t.Parallel()
		codes(t, check(t, preflight.Config{}, chromium(t, "size: A4 landscape", "x")), preflight.CodePageSize)
	})
	t.Run("bytes before the header", func(t *testing.T) {
		t.Parallel()
		codes(t, check(t, preflight.Config{}, append([]byte("\xef\xbb\xbf\n"), ourLetter(t, 1)...)))
	})
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// chromium prints a page with the browser.
func chromium(t *testing.T, style, body string) []byte {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is missing")
		}
		t.Skip("SKIPPED: chromium is missing")
	}
	dir := t.TempDir()
	html, out := filepath.Join(dir, "a.html"), filepath.Join(dir, "a.pdf")
	doc := `<!doctype html><html lang=da><meta charset=utf-8><style>@page{` + style + `}</style>` + body
	if err := os.WriteFile(html, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--no-pdf-header-footer", "--print-to-pdf="+out, "file://"+html)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("chromium: %v: %s", err, b)
	}
	pdf, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

func TestEncrypted(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"aes128.pdf", "aes256.pdf"} {
		codes(t, check(t, preflight.Config{}, read(t, name)), preflight.CodeEncrypted)
	}
	rc4 := fpdf.New("P", "mm", "A4", "")
	rc4.SetProtection(fpdf.CnProtectPrint, "", "hemmelig")
	rc4.AddPage()
	var b bytes.Buffer
	if err := rc4.Output(&b); err != nil {
		t.Fatal(err)
	}
	codes(t, check(t, preflight.Config{}, b.Bytes()), preflight.CodeEncrypted)
	codes(t, check(t, preflight.Config{}, file{objects: []string{"<<>>"}, trailer: "/Encrypt 9 0 R"}.bytes()), preflight.CodeEncrypted)
}

func TestPageSizes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		page string
		fits bool
	}{
		"a4":                        {"/MediaBox [0 0 595.28 841.89]", true},
		"whole points":              {"/MediaBox [0 0 595 842]", true},
		"not from zero":             {"/MediaBox [-100 100 495 942]", true},
		"corners the other way":     {"/MediaBox [595 842 0 0]", true},
		"2 mm more":                 {"/MediaBox [0 0 600.9 847.5]", true},
		"3 mm more":                 {"/MediaBox [0 0 603.8 841.89]", false},
		"letter":                    {"/MediaBox [0 0 612 792]", false},
		"a3":                        {"/MediaBox [0 0 841.89 1190.55]", false},
		"a5":                        {"/MediaBox [0 0 420 595]", false},
		"landscape":                 {"/MediaBox [0 0 842 595]", false},
		"landscape turned":          {"/MediaBox [0 0 842 595] /Rotate 90", true},
		"landscape turned back":     {"/MediaBox [0 0 842 595] /Rotate -90", true},
		"landscape turned twice":    {"/MediaBox [0 0 842 595] /Rotate 450", true},
		"portrait turned":           {"/MediaBox [0 0 595 842] /Rotate 270", false},
		"portrait upside down":      {"/MediaBox [0 0 595 842] /Rotate 180", true},
		"a4 cut from a3":            {"/MediaBox [0 0 841 1190] /CropBox [0 0 595 842]", true},
		"a5 cut from a4":            {"/MediaBox [0 0 595 842] /CropBox [0 0 420 595]", false},
		"half the size, double":     {"/MediaBox [0 0 297.6 421] /UserUnit 2", true},
		"a reference":               {"/MediaBox 5 0 R", true},
		"three numbers":             {"/MediaBox [0 0 595]", false},
		"words":                     {"/MediaBox [/a /b /c /d]", false},
		"nothing":                   {"/TrimBox [0 0 595 842]", false},
		"a number without an end":   {"/MediaBox [0 0 1e999 842]", false},
		"a size that cannot be":     {"/MediaBox [0 0 99999999999999999999999 842]", false},
		"rotation that is no angle": {"/MediaBox [0 0 595 842] /Rotate /x", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := check(t, preflight.Config{}, page(c.page, "[0 0 595 842]"))
			if c.fits {
				codes(t, r)
				return
			}
			if len(r.Findings) == 1 && r.Findings[0].Code == preflight.CodeDamaged && strings.Contains(c.page, "1e999") {
				return // a number that cannot be read at all
			}
			codes(t, r, preflight.CodePageSize)
			if !slices.Equal(r.Findings[0].Pages, []int{1}) || !strings.Contains(r.Findings[0].Detail, "page 1: ") {
				t.Errorf("%+v", r.Findings[0])
			}
		})
	}
}

func TestTheSizeIsInheritedAndThePagesAreNamed(t *testing.T) {
	t.Parallel()
	r := check(t, preflight.Config{}, file{objects: []string{
		"<</Type /Catalog /Pages 2 0 R>>",
		"<</Type /Pages /Kids [3 0 R 4 0 R 5 0 R] /Count 5 /MediaBox [0 0 842 595] /Rotate 90>>",
		"<</Type /Page /Parent 2 0 R>>",
		"<</Type /Pages /Parent 2 0 R /Kids [6 0 R 7 0 R 8 0 R] /Rotate 0>>",
		"<</Type /Pages /Kids [] /Count 0>>",
		"<</Type /Page>>", "<</Type /Page>>", "<</Type /Page /MediaBox [0 0 595 842]>>",
	}}.bytes())
	codes(t, r, preflight.CodePageSize)
	if f := r.Findings[0]; !slices.Equal(f.Pages, []int{2, 3}) || !strings.Contains(f.Detail, "pages 2-3: 297 x 210 mm") || r.Pages != 4 {
		t.Errorf("%d pages, %+v", r.Pages, f)
	}
}

func TestFonts(t *testing.T) {
	t.Parallel()
	program := stream("", "font")
	const embedded = "<</Type /Font /Subtype /TrueType /BaseFont /A /FontDescriptor <</FontFile2 5 0 R>>>>"
	for name, c := range map[string]struct {
		page    string
		more    []string
		missing string
	}{
		"embedded":                 {"/Resources <</Font <</F1 6 0 R>>>>", []string{program, embedded}, ""},
		"standard 14":              {"/Resources <</Font <</F1 <</Subtype /Type1 /BaseFont /Helvetica>>>>>>", nil, "Helvetica"},
		"descriptor alone":         {"/Resources <</Font <</F1 <</Subtype /TrueType /BaseFont /Arial#20MT /FontDescriptor <<>>>>>>>>", nil, "Arial_MT"},
		"program missing":          {"/Resources <</Font <</F1 <</Subtype /TrueType /BaseFont /B /FontDescriptor <</FontFile2 99 0 R>>>>>>>>", nil, "B"},
		"program empty":            {"/Resources <</Font <</F1 6 0 R>>>>", []string{stream("", ""), embedded}, "A"},
		"type 0 embedded":          {"/Resources <</Font <</F1 <</Subtype /Type0 /BaseFont /C /DescendantFonts [6 0 R]>>>>>>", []string{program, embedded}, ""},
		"type 0 without":           {"/Resources <</Font <</F1 <</Subtype /Type0 /BaseFont /C /DescendantFonts [<<>>]>>>>>>", nil, "C"},
		"type 0 without any":       {"/Resources <</Font <</F1 <</Subtype /Type0 /BaseFont /C>>>>>>", nil, "C"},
		"type 3":                   {"/Resources <</Font <</F1 <</Subtype /Type3>>>>>>", nil, ""},
		"inside type 3":            {"/Resources <</Font <</F1 <</Subtype /Type3 /Resources <</Font <</X <</BaseFont /D>>>>>>>>>>>>", nil, "D"},
		"inside a form":            {"/Resources <</XObject <</X 5 0 R>>>>", []string{stream("/Subtype /Form /Resources <</Font <</X <</BaseFont /E>>>>>>", "")}, "E"},
		"inside a pattern":         {"/Resources <</Pattern <</X 5 0 R>>>>", []string{stream("/Resources <</Font <</X <</BaseFont /F>>>>>>", "")}, "F"},
		"in a graphics state":      {"/Resources <</ExtGState <</X <</Font [<</BaseFont /G>> 12]>>>>>>", nil, "G"},
		"in a stamp":               {"/Annots [<</AP <</N 5 0 R>>>>]", []string{stream("/Resources <</Font <</X <</BaseFont /H>>>>>>", "")}, "H"},
		"in a checkbox":            {"/Annots [<</AP <</N <</Off 5 0 R>>>>>>]", []string{stream("/Resources <</Font <</X <</BaseFont /I>>>>>>", "")}, "I"},
		"forms inside each other":  {"/Resources <</XObject <</X 5 0 R>>>>", []string{stream("/Resources <</XObject <</X 5 0 R>>>>", "")}, ""},
		"resources in each other":  {"/Resources 5 0 R", []string{"<</XObject <</X <</Resources 5 0 R>>>>>>"}, ""},
		"without a name":           {"/Resources <</Font <</F1 <<>>>>>>", nil, "a font without a name"},
		"a font that is missing":   {"/Resources <</Font <</F1 77 0 R>>>>", nil, ""},
		"resources that are words": {"/Resources /None", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := check(t, preflight.Config{}, page(c.page, c.more...))
			if c.missing == "" {
				codes(t, r)
				return
			}
			codes(t, r, preflight.CodeFontNotEmbedded)
			if f := r.Findings[0]; !strings.HasSuffix(f.Detail, "page 1: "+c.missing+".") || !slices.Equal(f.Pages, []int{1}) {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	codes(t, check(t, preflight.Config{MaxSize: 100}, page("")), preflight.CodeTooLarge)
	codes(t, check(t, preflight.Config{}, make([]byte, preflight.MaxSize+1)), preflight.CodeTooLarge)
	codes(t, check(t, preflight.Config{}, make([]byte, preflight.MaxSize)), preflight.CodeNotPDF)
	r := check(t, preflight.Config{MaxPages: 2}, ourLetter(t, 60))
	codes(t, r, preflight.CodeTooManyPages)
	if r.Pages != 3 || !strings.Contains(r.Findings[0].Detail, "3 pages, at most 2") {
		t.Errorf("%+v", r)
	}
	codes(t, check(t, preflight.Config{Limits: preflight.Limits{Steps: 10}}, page("")), preflight.CodeTooComplex)
	codes(t, check(t, preflight.Config{Limits: preflight.Limits{Unpacked: 10}}, ourLetter(t, 1)), preflight.CodeTooComplex)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := preflight.New(preflight.Config{}).Check(ctx, ourLetter(t, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestBroken(t *testing.T) {
	t.Parallel()
	good := ourLetter(t, 1)
	replace := func(old, with string) []byte {
		out := bytes.Replace(page("/Resources <</Font <<>>>>"), []byte(old), []byte(with), 1)
		return out
	}
	for name, c := range map[string]struct {
		pdf  []byte
		code string
	}{
		"empty":                     {nil, preflight.CodeNotPDF},
		"word processor":            {[]byte("PK\x03\x04"), preflight.CodeNotPDF},
		"header alone":              {[]byte("%PDF-1.7\n"), preflight.CodeDamaged},
		"cut in half":               {good[:len(good)/2], preflight.CodeDamaged},
		"last bytes missing":        {good[:len(good)-20], preflight.CodeDamaged},
		"bytes lost in the middle":  {slices.Delete(slices.Clone(good), 400, 500), preflight.CodeDamaged},
		"no catalog":                {replace("/Root 1 0 R", "/Toor 1 0 R"), preflight.CodeDamaged},
		"catalog missing":           {replace("/Root 1 0 R", "/Root 9 0 R"), preflight.CodeDamaged},
		"no pages":                  {replace("/Pages 2 0 R", "/Pagez 2 0 R"), preflight.CodeDamaged},
		"pages missing":             {replace("/Pages 2 0 R", "/Pages 8 0 R"), preflight.CodeDamaged},
		"kid missing":               {replace("[3 0 R]", "[9 0 R]"), preflight.CodeDamaged},
		"page tree in a circle":     {replace("[3 0 R]", "[2 0 R]"), preflight.CodeDamaged},
		"same page twice":           {replace("/Kids [3 0 R] /Count 1", "/Kids [3 0 R 3 0 R]   "), preflight.CodeDamaged},
		"zero pages":                {replace("[3 0 R]", "[     ]"), preflight.CodeNoPages},
		"table leads to itself":     {circle(), preflight.CodeDamaged},
		"reference to itself":       {page("/Resources 5 0 R", "5 0 R"), preflight.CodeDamaged},
		"length of itself":          {page("/Resources 5 0 R", "<</Length 5 0 R>>\nstream\nx\nendstream"), preflight.CodeDamaged},
		"wrong length":              {replace("/Length 5", "/Length 9"), preflight.CodeDamaged},
		"contents not packed":       {page("/Contents 5 0 R", stream("/Filter /FlateDecode", "nothing of the kind")), preflight.CodeDamaged},
		"contents are no stream":    {page("/Contents [5 0 R]", "(x)"), preflight.CodeDamaged},
		"deep array":                {page("/X " + strings.Repeat("[", 1000)), preflight.CodeTooComplex},
		"string without an end":     {page("/X (((("), preflight.CodeDamaged},
		"string ends in an escape":  {[]byte("%PDF-1.7\nstartxref (\\"), preflight.CodeDamaged},
		"table beyond the end":      {[]byte("%PDF-1.7\nstartxref 99999999999999"), preflight.CodeDamaged},
		"table before the start":    {[]byte("%PDF-1.7\nstartxref -1"), preflight.CodeDamaged},
		"table of a million":        {[]byte("%PDF-1.7\nxref 0 99999999999\nstartxref 9"), preflight.CodeDamaged},
		"object stream in a circle": {streams(t, "<</Type /ObjStm /N 1 /First 4", true), preflight.CodeDamaged},
		"object stream without N":   {streams(t, "<</Type /ObjStm /First 4", false), preflight.CodeDamaged},
		"object stream of lies":     {streams(t, "<</Type /ObjStm /N 99999 /First 4", false), preflight.CodeDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			codes(t, check(t, preflight.Config{}, c.pdf), c.code)
		})
	}
}

func circle() []byte {
	b := page("")
	at := bytes.LastIndex(b, []byte("xref\n0"))
	return bytes.Replace(b, []byte("/Root"), fmt.Appendf(nil, "/Prev %d /Root", at), 1)
}

// streams is a file whose catalog is object 1 in object stream 2, and whose table is a cross-reference stream.
func streams(t *testing.T, head string, inside bool) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	at := b.Len()
	body := "1 0 <</Pages 3 0 R>>"
	fmt.Fprintf(&b, "2 0 obj\n%s /Length %d>>\nstream\n%s\nendstream\nendobj\n", head, len(body), body)
	table := b.Len()
	second := []byte{1, byte(at), 0}
	if inside {
		second = []byte{2, 2, 0} // the object stream says it lies in itself
	}
	rows := slices.Concat([]byte{0, 0, 0, 2, 2, 0}, second)
	fmt.Fprintf(&b, "9 0 obj\n<</Type /XRef /W [1 1 1] /Size 3 /Root 1 0 R /Length %d>>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF",
		len(rows), rows, table)
	return b.Bytes()
}

// TestABombCostsLittle: what unpacks to far more than the limit is not unpacked whole. The file has 64 KiB and would be 64 MiB.
func TestABombCostsLittle(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	chunk := make([]byte, 1<<20)
	for range 64 {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	bomb := page("/Contents 5 0 R", stream("/Filter /FlateDecode", packed.String()))
	cfg := preflight.Config{Limits: preflight.Limits{Unpacked: 8 << 20}}
	codes(t, check(t, cfg, bomb), preflight.CodeTooComplex)
}

// TestReadingTheSameBytesAgainAndAgainIsCounted: many objects that all begin in one long run of blanks, and a chain of
// tables, each of which is the rest of the one before it.
func TestReadingTheSameBytesAgainAndAgainIsCounted(t *testing.T) {
	t.Parallel()
	var many bytes.Buffer
	many.WriteString("%PDF-1.7\n" + strings.Repeat(" ", 2<<20))
	table := many.Len()
	const n = 20_000
	fmt.Fprintf(&many, "xref\n1 %d\n", n)
	for k := range n {
		fmt.Fprintf(&many, "%010d 00000 n \n", 20+k)
	}
	many.WriteString("trailer <</Root 1 0 R>>\nstartxref\n")
	fmt.Fprintf(&many, "%d\n%%%%EOF", table)
	codes(t, check(t, preflight.Config{}, many.Bytes()), preflight.CodeDamaged)

	var chain bytes.Buffer
	chain.WriteString("%PDF-1.7\n")
	for k := range 20_000 { // every xref reads on to the trailer at the end, or fails on its way
		fmt.Fprintf(&chain, "xref 0 0 trailer <</Prev %d>>          \n", chain.Len()+k%2)
	}
	fmt.Fprintf(&chain, "startxref\n9\n%%%%EOF")
	if r := check(t, preflight.Config{}, chain.Bytes()); len(r.Findings) != 1 {
		t.Errorf("%+v", r)
	}

	kids := "[" + strings.Repeat("5 0 R ", 1000) + "]"
	blanks := page("/Contents " + kids + strings.Repeat(" ", 1<<20))
	codes(t, check(t, preflight.Config{Limits: preflight.Limits{Scanned: 1 << 10}}, blanks), preflight.CodeTooComplex)
}

func FuzzCheck(f *testing.F) {
	f.Add(page("/Resources <</Font <</F1 <</BaseFont /Helvetica>>>>>>"))
	f.Add(page("/Annots [<</AP <</N 5 0 R>>>>]", stream("/Filter [/FlateDecode]", "x\x9c\x03\x00\x00\x00\x00\x01")))
	f.Add(circle())
	f.Add(read(f, "object-streams.pdf"))
	f.Add(read(f, "aes128.pdf"))
	c := preflight.New(preflight.Config{Limits: preflight.Limits{Steps: 100_000, Unpacked: 4 << 20}})
	f.Fuzz(func(t *testing.T, pdf []byte) {
		first, err := c.Check(t.Context(), pdf)
		if err != nil {
			t.Fatalf("an error that is no report: %v", err)
		}
		if len(first.Findings) == 0 && first.Pages == 0 {
			t.Fatal("a file without pages passes")
		}
		again, err := c.Check(t.Context(), pdf)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(first) {
			t.Fatalf("the same file, two reports: %v %v", first, again)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	pdf := ourLetter(b, 60)
	c := preflight.New(preflight.Config{})
	b.ReportAllocs()
	b.SetBytes(int64(len(pdf)))
	for b.Loop() {
		if _, err := c.Check(b.Context(), pdf); err != nil {
			b.Fatal(err)
		}
	}
}
