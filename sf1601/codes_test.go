package sf1601

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const goodRow = ",,failed,h,d,o,2026-01-01\n"

func TestCodes(t *testing.T) {
	t.Parallel()
	read, err := readCodes(codesCSV)
	if err != nil {
		t.Fatal(err)
	}
	table := DefaultTable()
	codes := table.Codes()
	if len(codes) < 7 || len(codes) != len(read.rows) {
		t.Errorf("%d codes of %d", len(codes), len(read.rows))
	}
	for _, c := range codes {
		if c.Hint == "" || c.HintDA == "" || c.Origin == "" || c.Date.IsZero() {
			t.Errorf("%s lacks hint, origin or date", c.Code)
		}
		if got, ok := table.From("NGDP", " "+c.Code+"\n"); c.Source == "" && (!ok || got != c) {
			t.Errorf("From(%s) = %+v, %v", c.Code, got, ok)
		}
	}
	if _, ok := table.Lookup("never.heard.of"); ok {
		t.Error("an unlisted code is found")
	}
	var none *Table
	if c, ok := none.Lookup("memo.invalid"); !ok || c.Outcome != OutcomeFailed || !slices.Equal(none.Codes(), codes) {
		t.Errorf("nil is not the default table: %+v", c)
	}
}

func TestLoadTable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "codes.csv")
	text := "\ufeff" + codesHeader + "\r\n" +
		"memo.invalid,,next,\"two\nlines\",d,o,2026-01-01\r\n" +
		"box.closed,,next,h,d,o,2026-01-01\r\n" +
		" box.closed , KMD ,retry,h,d,o,2026-01-01\r\n" +
		"box.*,,retry,h,d,o,2026-01-01\r\n" +
		"box.of.*,,failed,h,d,o,2026-01-01\r\n" +
		"box.of.*,KMD,next,h,d,o,2026-01-01\r\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	table, err := LoadTable(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		source, code string
		want         Outcome // "" when it is not listed
	}{
		{"", "memo.invalid", OutcomeNext}, {"KMD", "memo.invalid", OutcomeNext},
		{"", "box.closed", OutcomeNext}, {"NGDP", "box.closed", OutcomeNext}, {"KMD", "box.closed", OutcomeRetry},
		{"", "file.extension.not.allowed", OutcomeFailed}, {"KMD", "closed.box", ""},
		{"", "box.", OutcomeRetry}, {"KMD", "box.open", OutcomeRetry}, {"", "box", ""}, {"", "box.of.chocolates", OutcomeFailed},
		{"NGDP", "box.of.x", OutcomeFailed}, {"KMD", "box.of.x", OutcomeNext},
	} {
		if got, ok := table.From(c.source, c.code); got.Outcome != c.want || ok != (c.want != "") {
			t.Errorf("%s of %q is %q (%t), want %q", c.code, c.source, got.Outcome, ok, c.want)
		}
	}
	if got, want := len(table.Codes()), len(DefaultTable().Codes())+5; got != want {
		t.Errorf("%d rows, want %d", got, want)
	}
	if c, _ := DefaultTable().Lookup("memo.invalid"); c.Outcome != OutcomeFailed {
		t.Error("the default table was changed")
	}
	if _, err := LoadTable(path + ".none"); err == nil {
		t.Error("a missing file is no error")
	}
}

func TestReadCodesRefuses(t *testing.T) {
	t.Parallel()
	const head = codesHeader + "\n"
	if _, err := readCodes([]byte(head + "a" + goodRow)); err != nil {
		t.Fatalf("a good table is refused: %v", err)
	}
	for name, c := range map[string]struct{ table, want string }{
		"empty file":   {"", "line 1: the header"},
		"header":       {"code;outcome\n", "line 1"},
		"other header": {"a,b,c,d,e,f,g\n", "line 1: the header"},
		"outcome":      {head + "a" + goodRow + "b,,maybe,h,d,o,2026-01-01\n", `line 3: unknown outcome "maybe"`},
		"date":         {head + "a,,failed,h,d,o,soon\n", "line 2: the date"},
		"columns":      {head + "a" + goodRow + "b,,failed\n", "line 3: wrong number of fields"},
		"twice":        {head + "a,,failed,\"h\nh\",d,o,2026-01-01\na,,retry,h,d,o,2026-01-01\n", `line 4: code "a" of source "" is listed twice`},
		"empty code":   {head + " " + goodRow, "line 2: the code is empty"},
		"any code":     {head + "*" + goodRow, "line 2: a * may"},
		"star inside":  {head + "a*b" + goodRow, "line 2: a * may"},
		"two stars":    {head + "a**" + goodRow, "line 2: a * may"},
		"open quote":   {head + "\"a" + goodRow, "line"},
	} {
		if _, err := readCodes([]byte(c.table)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func FuzzReadCodes(f *testing.F) {
	f.Add(codesCSV)
	f.Add([]byte(codesHeader + "\na" + goodRow))
	f.Add([]byte("\ufeff" + codesHeader + "\r\n\"a\nb\",x,next,,,,2026-01-01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := readCodes(data)
		if err != nil {
			return
		}
		if !bytes.Contains(data, []byte("date")) {
			t.Error("read without a header")
		}
		for _, c := range table.Codes() {
			if got, ok := table.From(c.Source, c.Code); !ok || got != c {
				t.Errorf("%+v is found as %+v", c, got)
			}
			if classOf(c.Outcome) == Rejected && c.Outcome != OutcomeFailed {
				t.Errorf("outcome %q", c.Outcome)
			}
		}
	})
}
