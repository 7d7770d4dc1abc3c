package hygiene_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/brevdue/brevdue/gateway/hygiene"
)

func TestSafeName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Ansøgning om plads.pdf":           "Ansøgning om plads.pdf",
		"A\u030arsopgørelse.pdf":           "Årsopgørelse.pdf",
		"":                                 "unnamed",
		"...":                              "unnamed",
		" . ":                              "unnamed",
		"../../etc/passwd":                 "_.._etc_passwd",
		`..\..\windows\system.ini`:         `_.._windows_system.ini`,
		"/etc/passwd":                      "_etc_passwd",
		`C:\x.txt`:                         "C__x.txt",
		".bashrc":                          "bashrc",
		"-rf":                              "_-rf",
		"brev.pdf.":                        "brev.pdf",
		"brev.pdf ":                        "brev.pdf",
		"CON":                              "_CON",
		"con.txt":                          "_con.txt",
		"Com1 .pdf":                        "_Com1 .pdf",
		"LPT\u00b9.pdf":                    "_LPT\u00b9.pdf",
		"COM10.pdf":                        "COM10.pdf",
		"console.txt":                      "console.txt",
		"a\x00b\x07c\r\n.pdf":              "abc .pdf",
		"faktura\u202efdp.exe":             "fakturafdp.exe",
		"nul\u200b.pdf":                    "_nul.pdf",
		"a\u00a0b\u3000c.pdf":              "a b c.pdf",
		"hvad? <nej> \"jo\" *|*.pdf":       "hvad_ _nej_ _jo_ ___.pdf",
		"\xff\xfe.pdf":                     "_.pdf",
		"\ufeffbrev.pdf":                   "brev.pdf",
		strings.Repeat("æ", 200) + ".pdf":  strings.Repeat("æ", 88) + ".pdf",
		strings.Repeat("a", 5000):          strings.Repeat("a", 180),
		"x." + strings.Repeat("b", 300):    "x." + strings.Repeat("b", 178),
		strings.Repeat("a", 90000) + ".md": strings.Repeat("a", 177) + ".md",
	} {
		if got := hygiene.SafeName(name); got != want {
			t.Errorf("%.80q is %q, want %q", name, got, want)
		}
	}
}

// holdSafe says what must be true of every safe name.
func holdSafe(t *testing.T, from, name string) {
	t.Helper()
	switch {
	case name == "", len(name) > hygiene.MaxNameBytes:
		t.Errorf("%q -> %q: %d bytes", from, name, len(name))
	case !utf8.ValidString(name), !norm.NFC.IsNormalString(name):
		t.Errorf("%q -> %q: not in NFC", from, name)
	case strings.ContainsAny(name, "<>:\"/\\|?*\u00a0\u2028"):
		t.Errorf("%q -> %q: a forbidden character", from, name)
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }):
		t.Errorf("%q -> %q: an invisible character", from, name)
	case strings.HasPrefix(name, "."), strings.HasPrefix(name, "-"), strings.HasPrefix(name, " "),
		strings.HasSuffix(name, "."), strings.HasSuffix(name, " "):
		t.Errorf("%q -> %q: bad at an end", from, name)
	}
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	if slices.Contains([]string{"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}, strings.TrimSpace(stem)) {
		t.Errorf("%q -> %q: a device", from, name)
	}
	if again := hygiene.SafeName(name); again != name {
		t.Errorf("%q -> %q -> %q: not safe yet", from, name, again)
	}
}

func FuzzSafeName(f *testing.F) {
	for _, s := range []string{
		"brev.pdf", "../x", "CON.txt", "-", ". .", "a\u0301\u202e", "\u1100\u200d\u1161", "\xff", strings.Repeat("å", 300) + ".pdf",
		"a" + strings.Repeat("\u0301", 400), strings.Repeat("e", 175) + "\u0301.pdf", "nul .pdf", "\u0344", "x. .y",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { holdSafe(t, s, hygiene.SafeName(s)) })
}

func TestNamesDiffer(t *testing.T) {
	t.Parallel()
	var n hygiene.Names
	for _, pair := range [][2]string{
		{"Bilag.pdf", "Bilag.pdf"}, {"bilag.PDF", "bilag (2).PDF"}, {"Bilag (2).pdf", "Bilag (2) (2).pdf"}, {"Bilag.pdf", "Bilag (3).pdf"},
		{"", "unnamed"}, {"", "unnamed (2)"}, {"A\u030a.txt", "Å.txt"}, {"å.txt", "å (2).txt"},
	} {
		if got := n.Take(pair[0]); got != pair[1] {
			t.Errorf("%q is %q, want %q", pair[0], got, pair[1])
		}
	}
}

// However many there are and however long they are, no two are the same on a disk without upper and lower case.
func TestNamesDifferWhenTheyAreMany(t *testing.T) {
	t.Parallel()
	var n hygiene.Names
	seen := make(map[string]bool)
	for i := range 5000 {
		name := []string{strings.Repeat("æ", 200) + ".pdf", "A.PDF", "a.pdf", "x." + strings.Repeat("y", 300), "CON"}[i%5]
		got := n.Take(name)
		if key := strings.ToLower(got); seen[key] {
			t.Fatalf("%q comes twice", got)
		} else {
			seen[key] = true
		}
		holdSafe(t, name, got)
	}
}
