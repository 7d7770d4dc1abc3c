package main

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// open begins a citation; written this way, the tests' own examples are not taken for citations of this file.
const open = "[" + "src:"

const row = "SF1601 | KombiPostAfsend | 1 | 2024-02-29 | official | followed | https://example.org/\n"

func TestReadSources(t *testing.T) {
	t.Parallel()

	known, err := readSources(strings.NewReader("# heading\n\n" + row + "MeMo-1.1-XSD | Schema | 1.1 | - | schema | followed | -\n"))
	if err != nil {
		t.Fatal(err)
	}

	for _, id := range []string{"SF1601", "MeMo-1.1-XSD"} {
		if !known[id] {
			t.Errorf("%s is not known", id)
		}
	}

	if len(known) != 2 {
		t.Errorf("%d sources, want 2", len(known))
	}
}

func TestReadSourcesRefuses(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ list, want string }{
		"too few columns": {"SF1601 | Title | 1\n", "docs/sources.txt:1: 3 columns, want 7"},
		"id twice":        {row + row, "docs/sources.txt:2: id SF1601 stands twice"},
		"id with a space": {strings.Replace(row, "SF1601", "SF 1601", 1), `id "SF 1601"`},
		"no title":        {strings.Replace(row, "KombiPostAfsend", "", 1), "SF1601: no title"},
		"no version":      {strings.Replace(row, "| 1 |", "|  |", 1), "SF1601: no version"},
		"Danish date":     {strings.Replace(row, "2024-02-29", "29-02-2024", 1), `SF1601: date "29-02-2024"`},
		"unknown trust":   {strings.Replace(row, "official", "hearsay", 1), `SF1601: trust "hearsay"`},
		"unknown support": {strings.Replace(row, "followed", "maybe", 1), `SF1601: support "maybe"`},
		"no url":          {strings.Replace(row, "https://example.org/", "", 1), "SF1601: no url"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := readSources(strings.NewReader(test.list))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestCitations(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		text string
		want []citation
	}{
		"none":                     {"// A [Reader] reads; see [the docs]: text.\n", nil},
		"with a place":             {"package x\n\n// " + open + " SF1601 Response, SvarReaktion]\n", []citation{{3, "SF1601"}}},
		"without a place":          {"# " + open + " SF1601]\n", []citation{{1, "SF1601"}}},
		"two in one":               {open + " A-1 Action; B-2 §3]", []citation{{1, "A-1"}, {1, "B-2"}}},
		"over two lines of Go":     {"// " + open + "\n\t// SF1601 Response]\n", []citation{{1, "SF1601"}}},
		"place over lines of SQL":  {"-- " + open + " SF1601 the\n-- Response]\n", []citation{{1, "SF1601"}}},
		"over lines of a comment":  {" * " + open + "\n * SF1601 Response]\n", []citation{{1, "SF1601"}}},
		"two citations in a line ": {open + " A-1] and " + open + " B-2]", []citation{{1, "A-1"}, {1, "B-2"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := citations([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}

			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestCitationsRefuses(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ text, want string }{
		"not closed":        {"\n" + open + " SF1601 Response\n", "line 2: citation is not closed"},
		"closed far below":  {open + " SF1601" + strings.Repeat("\n// text", maxCitation) + "]", "line 1: citation is not closed"},
		"empty":             {open + "]", "line 1: citation without a source"},
		"empty second part": {open + " SF1601; ]", "line 1: citation without a source"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := citations([]byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()

	known := map[string]bool{"SF1601": true, "OCES3": true}
	root := fstest.MapFS{
		"good.go":    {Data: []byte("// " + open + " SF1601 Response; OCES3]\n")},
		"again.md":   {Data: []byte(open + " SF1601]\n")},
		"bad.go":     {Data: []byte("package bad\n// " + open + " SF9999 Response]\n")},
		"open.sql":   {Data: []byte("-- " + open + " SF1601\n")},
		"binary.png": {Data: []byte("\x00" + open + " SF9999]")},
	}

	cited, err := check(root, []string{"good.go", "again.md", "binary.png", "deleted.go"}, known)
	if err != nil {
		t.Fatal(err)
	}

	if cited.files != 2 || cited.citations != 3 || len(cited.sources) != 2 {
		t.Errorf("tally is %+v, want 2 files, 3 citations, 2 sources", cited)
	}

	_, err = check(root, []string{"good.go", "bad.go", "open.sql"}, known)

	findings, ok := errors.AsType[findingsError](err)
	if !ok {
		t.Fatalf("error is %v, want findings", err)
	}

	want := findingsError{
		`bad.go:2: unknown source "SF9999" (add it to docs/sources.txt)`,
		"open.sql: line 1: citation is not closed by ]",
	}
	if !slices.Equal(findings, want) {
		t.Errorf("findings are\n%v\nwant\n%v", findings, want)
	}
}

func FuzzCitations(f *testing.F) {
	f.Add([]byte(open + " SF1601 Response; OCES3]"))
	f.Add([]byte("// " + open + "\n// SF1601]"))
	f.Add([]byte(open))
	f.Fuzz(func(t *testing.T, text []byte) {
		found, err := citations(text)
		if err == nil && len(found) < strings.Count(string(text), open) {
			t.Errorf("%d citations found where %d begin", len(found), strings.Count(string(text), open))
		}
	})
}

// TestTheList holds the list in the tree to its own rules.
func TestTheList(t *testing.T) {
	t.Parallel()

	list, err := os.Open("../../" + sourcesFile)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = list.Close() }()

	if _, err := readSources(list); err != nil {
		t.Error(err)
	}
}
