package letterpdf_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/channels/print/letterpdf"
)

func maker(t testing.TB, cfg letterpdf.Config) *letterpdf.Maker {
	t.Helper()
	m, err := letterpdf.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const text = `Kære Åse

Du er indkaldt til jobsamtale. Vi taler om, hvad der er sket siden sidst, og hvad der skal ske nu. Rødgrød med fløde – ærligt talt: "blåbærgrød" er også godt.

Medbring:
- dit CV, så vi kan se, hvad du har lavet før, og hvad du gerne vil, også selv om det er en lang liste
- billedlegitimation
1. en blyant
2. en kop

21. november 2026 er sidste frist for at melde afbud.

Med venlig hilsen
Testby Kommune`

func letter() letterpdf.Letter {
	return letterpdf.Letter{
		Sender: "Testby Kommune, Jobcenter", Recipient: []string{"Åse Ærøskøbing Østergård", "c/o Sørensen", "Værkmestergade 15B, 3. tv.", "8000 Aarhus C"},
		Date: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC), CaseID: "2026-0417", Title: "Indkaldelse til jobsamtale", Text: text,
		Sections: []letterpdf.Section{
			{Title: "Jobsamtale", Lines: []string{"Onsdag den 25. november 2026 kl. 10.00-10.45", "Værkmestergade 5"}},
			{Title: "Tilmeld dig", Lines: []string{"https://testby.example/tilmeld", "Senest 30. november 2026 kl. 12.00"}},
		},
	}
}

func mustMake(t testing.TB, l letterpdf.Letter) *letterpdf.Document {
	t.Helper()
	d, err := maker(t, letterpdf.Config{}).Make(l)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// poppler runs one of poppler's programs on a PDF.
func poppler(t *testing.T, pdf []byte, program string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s (Debian package poppler-utils) is missing", program)
		}
		t.Skipf("SKIPPED: %s (Debian package poppler-utils) is missing", program)
	}
	file := filepath.Join(t.TempDir(), "letter.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	for k, a := range args {
		if a == "FILE" {
			args[k] = file
		}
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v: %s", program, err, stderr.String())
	}
	return string(out)
}

func TestTheTextCanBeReadBack(t *testing.T) {
	t.Parallel()
	out := poppler(t, mustMake(t, letter()).PDF, "pdftotext", "-layout", "FILE", "-")
	for _, want := range []string{
		"Testby Kommune, Jobcenter", "Åse Ærøskøbing Østergård", "Værkmestergade 15B, 3. tv.", "21. november 2026", "Sagsnr.: 2026-0417",
		"Rødgrød med fløde – ærligt talt:", "•", "billedlegitimation", "1.", "https://testby.example/tilmeld", "Side 1 af 1",
		"21. november 2026 er sidste frist",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in the text:\n%s", want, out)
		}
	}
}

func TestTheFileIsA4WithEmbeddedFontsAndATitle(t *testing.T) {
	t.Parallel()
	d := mustMake(t, letter())
	info := poppler(t, d.PDF, "pdfinfo", "FILE")
	for _, want := range []string{"(A4)", "Tagged:          yes", "Title:           Indkaldelse til jobsamtale", "Pages:           1\n", "Encrypted:       no"} {
		if !strings.Contains(info, want) {
			t.Errorf("%q is missing:\n%s", want, info)
		}
	}
	fonts := strings.Split(strings.TrimSpace(poppler(t, d.PDF, "pdffonts", "FILE")), "\n")[2:]
	if len(fonts) != 2 {
		t.Errorf("%d fonts, want 2", len(fonts))
	}
	for _, f := range fonts {
		if !strings.Contains(f, "Identity-H       yes no  yes") {
			t.Errorf("a font is not embedded or cannot be turned back into text: %s", f)
		}
	}
	if !bytes.Contains(d.PDF, []byte("/Lang (da)")) || !bytes.Contains(d.PDF, []byte("/DisplayDocTitle true")) {
		t.Error("the catalog names neither language nor title")
	}
}

func TestTheStructureIsInReadingOrder(t *testing.T) {
	t.Parallel()
	out := poppler(t, mustMake(t, letter()).PDF, "pdfinfo", "-struct-text", "FILE")
	at := 0
	for _, want := range []string{
		"Document", "P (block)", "Testby Kommune", "P (block)", "Åse", "P (block)", "Sagsnr.", "H1 (block)", "Indkaldelse", "P (block)", "Kære",
		"L (block)", "LI (block)", "Lbl (block)", "•", "LBody (block)", "dit CV", "LI (block)", "H2 (block)", "Tilmeld dig",
	} {
		k := strings.Index(out[at:], want)
		if k < 0 {
			t.Fatalf("%q does not come next in:\n%s", want, out)
		}
		at += k + len(want)
	}
	if strings.Contains(out, "Side 1 af 1") {
		t.Error("the page number is read aloud")
	}
}

// TestTheAddressStandsInTheWindow asks poppler where the words of the address are.
func TestTheAddressStandsInTheWindow(t *testing.T) {
	t.Parallel()
	l := letter()
	l.Recipient = []string{"Ægirsdottir WWWWWWWWWWWWWWWWWWWW", "c/o MMMM", "Modtagergade 117B, 12. th.", "8000", "Modtagerby"}
	pdf := mustMake(t, l).PDF
	const mm = 72 / 25.4
	window := poppler(t, pdf, "pdftotext", "-r", "72", "-x", px(24*mm), "-y", px(40*mm), "-W", px(87*mm), "-H", px(27*mm), "FILE", "-")
	if got := strings.Fields(window); len(got) != 10 || got[0] != "Ægirsdottir" || got[len(got)-1] != "Modtagerby" {
		t.Errorf("the window shows %q", window)
	}
	around := poppler(t, pdf, "pdftotext", "-r", "72", "-x", "0", "-y", px(67*mm), "-W", px(210*mm), "-H", px(27*mm), "FILE", "-")
	if strings.TrimSpace(around) != "" {
		t.Errorf("between window and text stands %q", around)
	}
}

func px(points float64) string { return strconv.Itoa(int(points + 0.5)) }

func TestLongTextsFlowOverPages(t *testing.T) {
	t.Parallel()
	l := letter()
	l.Text = ""
	for n := range 150 {
		l.Text += fmt.Sprintf("Afsnit %d. %s\n\n", n, strings.Repeat("Ord der fylder en linje og lidt mere. ", 4))
	}
	d := mustMake(t, l)
	if d.Pages < 5 {
		t.Fatalf("%d pages", d.Pages)
	}
	out := poppler(t, d.PDF, "pdftotext", "-layout", "FILE", "-")
	for n := range 150 {
		if !strings.Contains(out, fmt.Sprintf("Afsnit %d. ", n)) {
			t.Errorf("paragraph %d is lost", n)
		}
	}
	for n := 1; n <= d.Pages; n++ {
		if !strings.Contains(out, fmt.Sprintf("Side %d af %d", n, d.Pages)) {
			t.Errorf("page %d has no number", n)
		}
	}
	if got := poppler(t, d.PDF, "pdfinfo", "FILE"); !strings.Contains(got, fmt.Sprintf("Pages:           %d\n", d.Pages)) {
		t.Errorf("poppler counts other pages than %d:\n%s", d.Pages, got)
	}
	if got := strings.Count(poppler(t, d.PDF, "pdfinfo", "-struct-text", "FILE"), "Afsnit"); got != 150 {
		t.Errorf("%d of 150 paragraphs are in the structure", got)
	}
}

func TestTheSameLetterIsTheSameFile(t *testing.T) {
	t.Parallel()
	m := maker(t, letterpdf.Config{})
	want := mustMake(t, letter()).PDF
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			got, err := m.Make(letter())
			if err != nil || !bytes.Equal(got.PDF, want) {
				t.Errorf("another file (%v)", err)
			}
		})
	}
	wg.Wait()
	other := letter()
	other.Date = other.Date.Add(24 * time.Hour)
	if bytes.Equal(mustMake(t, other).PDF, want) {
		t.Error("another letter is the same file")
	}
}

func TestWhatCannotBePrintedIsNamed(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Ord ", 200)
	for name, c := range map[string]struct {
		change func(*letterpdf.Letter)
		field  letterpdf.Field
		index  int
		code   string
		detail string
	}{
		"emoji":            {func(l *letterpdf.Letter) { l.Text = "Hej 😀" }, letterpdf.FieldText, 0, letterpdf.CodeCharacter, "U+1F600"},
		"chinese":          {func(l *letterpdf.Letter) { l.Recipient[1] = "\u674e" }, letterpdf.FieldRecipient, 1, letterpdf.CodeCharacter, "U+674E"},
		"hebrew":           {func(l *letterpdf.Letter) { l.Title = "שלום" }, letterpdf.FieldTitle, 0, letterpdf.CodeCharacter, "U+05E9"},
		"combining":        {func(l *letterpdf.Letter) { l.Sender = "x\u0301" }, letterpdf.FieldSender, 0, letterpdf.CodeCharacter, "U+0301"},
		"control":          {func(l *letterpdf.Letter) { l.CaseID = "a\x00b" }, letterpdf.FieldCaseID, 0, letterpdf.CodeCharacter, "U+0000"},
		"not utf-8":        {func(l *letterpdf.Letter) { l.Text = "a\xffb" }, letterpdf.FieldText, 0, letterpdf.CodeCharacter, "U+FFFD"},
		"section":          {func(l *letterpdf.Letter) { l.Sections[1].Lines[0] = "\u6f22" }, letterpdf.FieldSections, 1, letterpdf.CodeCharacter, "U+6F22"},
		"no title":         {func(l *letterpdf.Letter) { l.Title = " \n" }, letterpdf.FieldTitle, 0, letterpdf.CodeRequired, ""},
		"tall address":     {func(l *letterpdf.Letter) { l.Recipient = strings.Fields(long)[:7] }, letterpdf.FieldRecipient, 0, letterpdf.CodeTooLong, "6 lines"},
		"long name":        {func(l *letterpdf.Letter) { l.Recipient[0] = long }, letterpdf.FieldRecipient, 0, letterpdf.CodeTooLong, "window"},
		"long sender":      {func(l *letterpdf.Letter) { l.Sender = long }, letterpdf.FieldSender, 0, letterpdf.CodeTooLong, ""},
		"long case":        {func(l *letterpdf.Letter) { l.CaseID = long }, letterpdf.FieldCaseID, 0, letterpdf.CodeTooLong, ""},
		"too many pages":   {func(l *letterpdf.Letter) { l.Text = strings.Repeat("x\n\n", 3000) }, letterpdf.FieldText, 0, letterpdf.CodeManyPages, "at most 50"},
		"many of the same": {func(l *letterpdf.Letter) { l.Text = "😀😀😀" }, letterpdf.FieldText, 0, letterpdf.CodeCharacter, ": U+1F600."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := letter()
			c.change(&l)
			_, err := maker(t, letterpdf.Config{}).Make(l)
			var invalid *letterpdf.Invalid
			if !errors.As(err, &invalid) {
				t.Fatalf("%v", err)
			}
			f := invalid.Findings[0]
			if len(invalid.Findings) != 1 || f.Field != c.field || f.Index != c.index || f.Code != c.code || !strings.Contains(f.Detail, c.detail) {
				t.Errorf("%+v", invalid.Findings)
			}
			for _, private := range []string{"Hej", "Åse", "Ord", "a\x00"} {
				if strings.Contains(err.Error()+f.Detail, private) {
					t.Errorf("the finding repeats the letter: %v %s", err, f.Detail)
				}
			}
		})
	}
}

// TestTextIsOnlyText: what has a meaning in PDF or XML is printed as it was written.
func TestTextIsOnlyText(t *testing.T) {
	t.Parallel()
	l := letter()
	l.Title = `<b>) Tj ET EMC & (titel\`
	l.Sender = "</rdf:li> ]]> & Co"
	l.Text = "a) Tj ET endstream endobj\n\n{nb} \\r \\( %PDF <</JS>>\n\nSpatie\u0308ring a\u030a\r\nblød\u00adhed"
	d := mustMake(t, l)
	out := poppler(t, d.PDF, "pdftotext", "-layout", "FILE", "-")
	for _, want := range []string{l.Title, l.Sender, "a) Tj ET endstream endobj", `{nb} \r \( %PDF <</JS>>`, "Spatiëring å\n", "blødhed"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in the text:\n%s", want, out)
		}
	}
	if got := poppler(t, d.PDF, "pdfinfo", "-meta", "FILE"); !strings.Contains(got, "&lt;b&gt;) Tj ET EMC &amp; (titel") {
		t.Errorf("metadata: %s", got)
	}
}

func TestALayoutThatIsNoLetterIsRefused(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]letterpdf.Layout{
		"address off the page":  {Address: letterpdf.Box{Left: 180, Top: 41, Width: 85, Height: 25}},
		"text over the address": {Body: letterpdf.Box{Left: 25, Top: 50, Width: 165, Height: 200}},
		"flat address":          {Address: letterpdf.Box{Left: 25, Top: 41, Width: 85, Height: 8}},
		"negative size":         {Size: -1},
		"number in the text":    {FootTop: 200},
		"late next page":        {NextTop: 270},
	} {
		if _, err := letterpdf.New(letterpdf.Config{Layout: l}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := letterpdf.New(letterpdf.Config{Regular: []byte("no font"), Bold: []byte("no font")}); err == nil {
		t.Error("a file that is no font is accepted")
	}
	if _, err := letterpdf.New(letterpdf.Config{Regular: []byte("x")}); err == nil {
		t.Error("one font alone is accepted")
	}
}

func FuzzMake(f *testing.F) {
	f.Add("Titel", text, "Navn\nVej 1")
	f.Add("x", "- a\n  b\n1) c\n\n\n2. maj", "")
	f.Add("\x00", strings.Repeat("W", 500), "\u0301")
	m := maker(f, letterpdf.Config{MaxPages: 10})
	f.Fuzz(func(t *testing.T, title, text, recipient string) {
		l := letterpdf.Letter{Title: title, Text: text, Recipient: strings.Split(recipient, "\n"), Date: time.Unix(0, 0).UTC()}
		d, err := m.Make(l)
		var invalid *letterpdf.Invalid
		if err != nil && (!errors.As(err, &invalid) || len(invalid.Findings) == 0) {
			t.Fatalf("an error that is no finding: %v", err)
		}
		if err == nil && (!bytes.HasPrefix(d.PDF, []byte("%PDF-1.7\n")) || d.Pages < 1) {
			t.Fatal("no letter")
		}
	})
}

func BenchmarkMake(b *testing.B) {
	m := maker(b, letterpdf.Config{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Make(letter()); err != nil {
			b.Fatal(err)
		}
	}
}
