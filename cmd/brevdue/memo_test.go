package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The letters are those of the package that reads them.
const memoFolder = "../../sf1601/memo/testdata/"

// command runs one command line.
func command(t *testing.T, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, terminal{in: strings.NewReader(in), out: &o, err: &e})
	return code, o.String(), e.String()
}

func TestMemoCheckNamesFaultsByTheirPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		code int
		out  string
	}{
		"fine":            {[]string{memoFolder + "letter-1.1.xml"}, exitOK, "letter-1.1.xml: MeMo 1.1: 0 errors, 0 warnings, 0 notes\n"},
		"error":           {[]string{memoFolder + "broken/http.xml"}, exitFailed, "broken/http.xml:31:6: error: "},
		"warning":         {[]string{memoFolder + "broken/prefix.xml"}, exitFailed, "(--fix corrects it)"},
		"warning allowed": {[]string{"--fail-on", "error", memoFolder + "broken/prefix.xml"}, exitOK, "0 errors, 2 warnings, 0 notes"},
		"two files":       {[]string{memoFolder + "letter-1.2.xml", memoFolder + "broken/uuid.xml"}, exitFailed, "broken/uuid.xml:5:3: error: "},
		"truncated":       {[]string{memoFolder + "broken/truncated.xml"}, exitFailed, "broken/truncated.xml:25:32: error: "},
		"no file":         {[]string{}, exitUsage, ""},
		"absent file":     {[]string{"absent.xml"}, exitUsage, ""},
		"unknown flag":    {[]string{"--due", "x"}, exitUsage, ""},
		"unknown level":   {[]string{"--fail-on", "due", memoFolder + "letter-1.1.xml"}, exitUsage, ""},
		"fix of two":      {[]string{"--fix", "x.xml", memoFolder + "letter-1.1.xml", memoFolder + "letter-1.2.xml"}, exitUsage, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := command(t, "", append([]string{"memo", "check"}, c.args...)...)
			if code != c.code || !strings.Contains(out, c.out) || (code != exitOK) != (errs != "") {
				t.Errorf("exit %d, want %d\n%s%s", code, c.code, out, errs)
			}
		})
	}
}

func TestNotesFailOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	letter, err := os.ReadFile(memoFolder + "letter-1.1.xml")
	if err != nil {
		t.Fatal(err)
	}
	noted := strings.Replace(string(letter), ">true<", ">1<", 1)
	if code, out, _ := command(t, noted, "memo", "check", "-"); code != exitOK || !strings.Contains(out, "-:9:3: note: ") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out, _ := command(t, noted, "memo", "check", "-", "--fail-on", "note"); code != exitFailed {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestMemoCheckAnswersInJSON(t *testing.T) {
	t.Parallel()
	code, out, _ := command(t, "", "memo", "check", "--json", memoFolder+"broken/nemsms.xml", memoFolder+"letter-1.2.xml")
	var answer struct {
		Files []checkedFile `json:"files"`
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || code != exitFailed || len(answer.Files) != 2 {
		t.Fatalf("exit %d, %v\n%s", code, err, out)
	}
	f := answer.Files[0]
	if f.Version != "1.2" || f.Errors != 2 || len(f.Findings) != 2 || f.Findings[1].Line != 17 || f.Findings[1].Path != "MessageBody" ||
		f.Findings[1].Rule != "forbidden" || f.Findings[1].Severity != "error" || f.Findings[1].Source == "" {
		t.Errorf("got %+v", f)
	}
	if answer.Files[1].Findings == nil || len(answer.Files[1].Findings) != 0 {
		t.Errorf("no findings must be an empty list: %s", out)
	}
}

func TestMemoCheckCorrectsACopy(t *testing.T) {
	t.Parallel()
	fixed := filepath.Join(t.TempDir(), "corrected.xml")
	code, out, errs := command(t, "", "memo", "check", memoFolder+"broken/forms.xml", "--fix", fixed)
	for _, want := range []string{
		"broken/forms.xml:5:3: fixed: ", "broken/forms.xml:9:3: fixed: ", fixed + ":26:5: error: The language must be two letters.",
		fixed + ": MeMo 1.1: 1 errors, 0 warnings, 0 notes\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if code != exitFailed {
		t.Errorf("exit %d", code)
	}
	if t.Failed() {
		t.Log(out, errs)
	}
	if left, err := os.ReadDir(filepath.Dir(fixed)); err != nil || len(left) != 1 {
		t.Errorf("more than the copy is left: %v, %v", left, err)
	}
	if code, _, errs := command(t, "", "memo", "check", memoFolder+"broken/forms.xml", "--fix", fixed); code != exitUsage || !strings.Contains(errs, "exists") {
		t.Errorf("an existing file: exit %d, %s", code, errs)
	}
}

func TestMemoCheckCorrectsStandardInput(t *testing.T) {
	t.Parallel()
	in, err := os.ReadFile(memoFolder + "broken/filename.xml")
	if err != nil {
		t.Fatal(err)
	}
	fixed := filepath.Join(t.TempDir(), "corrected.xml")
	if code, out, errs := command(t, string(in), "memo", "check", "-", "--fix", fixed); code != exitOK {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	want := strings.Replace(string(in), "Indkaldelse: del 1/2 &lt;?&gt;.pdf", "Indkaldelse- del 1-2 -.pdf", 1)
	if got, err := os.ReadFile(fixed); err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestNoCopyOfWhatIsNoXML(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, file string }{
		"a file":         {"", memoFolder + "broken/truncated.xml"},
		"standard input": {"<a", "-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fixed := filepath.Join(t.TempDir(), "corrected.xml")
			code, out, errs := command(t, c.in, "memo", "check", c.file, "--fix", fixed)
			if code != exitFailed || !strings.Contains(out+errs, "truncated") {
				t.Errorf("exit %d\n%s%s", code, out, errs)
			}
			if _, err := os.Stat(fixed); err == nil {
				t.Error("there is a copy")
			}
		})
	}
}

func TestMemoShowMasksPersons(t *testing.T) {
	t.Parallel()
	const cpr, name = "2512489996", "Nancy Ann Berggren"
	for _, args := range [][]string{{"memo", "show"}, {"memo", "show", "--json"}} {
		code, out, errs := command(t, "", append(args, memoFolder+"letter-1.1.xml")...)
		if code != exitOK || strings.Contains(out, cpr) || strings.Contains(out, name) || !strings.Contains(out, "••••••-••••") {
			t.Errorf("masked: exit %d\n%s%s", code, out, errs)
		}
		for _, want := range []string{
			"Testby Kommune", "55133018", "Indkaldelse til jobsamtale", "sag-2026-0417", "15.20.00", "Bilag.pdf", "2026-12-01T10:00:00+01:00",
			"f30673663e40faf7a039e7416910e5e5662b3c9a5914e8633a975d03a87b8065", "AFTALE", "TILMELDING",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("%q is missing in\n%s", want, out)
			}
		}
		code, out, errs = command(t, "", append(args, "--clear", memoFolder+"letter-1.1.xml")...)
		if code != exitOK || !strings.Contains(out, cpr) || !strings.Contains(out, name) {
			t.Errorf("clear: exit %d\n%s%s", code, out, errs)
		}
	}
}

func TestMemoShowTakesWhatIsTooLargeToSend(t *testing.T) {
	t.Parallel()
	letter, err := os.ReadFile(memoFolder + "letter-1.2.xml")
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	in := io.MultiReader(bytes.NewReader(letter), strings.NewReader(strings.Repeat(" ", 100_000_000)))
	if code := run(t.Context(), []string{"memo", "show", "-"}, terminal{in: in, out: &out, err: &errs}); code != exitOK {
		t.Errorf("exit %d\n%s", code, errs.String())
	}
}

func TestMemoShowTellsWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	if code, _, errs := command(t, "", "memo", "show", memoFolder+"broken/truncated.xml"); code != exitFailed || !strings.Contains(errs, "line 25") {
		t.Errorf("truncated: exit %d, %s", code, errs)
	}
	code, out, errs := command(t, "", "memo", "show", memoFolder+"broken/base64.xml")
	if code != exitOK || !strings.Contains(errs, "line 27") || !strings.Contains(out, "not readable") {
		t.Errorf("no base64: exit %d\n%s%s", code, out, errs)
	}
	if code, _, _ := command(t, "", "memo", "show", "absent.xml"); code != exitUsage {
		t.Errorf("absent: exit %d", code)
	}
	if code, out, _ := command(t, "<a/>", "memo", "show", "-"); code != exitFailed {
		t.Errorf("no message: exit %d\n%s", code, out)
	}
}
