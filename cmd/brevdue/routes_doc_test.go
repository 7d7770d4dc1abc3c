package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRoutingDocument runs every command of docs/routing.md on the files it shows, and holds it to the output it shows. A
// command fails, with exit code 1, exactly when the document shows its complaint. The test changes its folder, as a person
// does who follows the document.
func TestRoutingDocument(t *testing.T) {
	raw, err := os.ReadFile("../../docs/routing.md")
	if err != nil {
		t.Fatal(err)
	}
	letters, err := filepath.Glob("testdata/routes/*.xml")
	if err != nil || len(letters) == 0 {
		t.Fatal("there are no letters", err)
	}
	dir := t.TempDir()
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range letters {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		write(filepath.Base(name), content)
	}
	document := string(raw)
	for _, file := range regexp.MustCompile("(?s)<!-- file: ([a-z.]+) -->\n```[a-z]+\n(.*?)```").FindAllStringSubmatch(document, -1) {
		write(file[1], []byte(file[2]))
	}
	t.Chdir(dir)
	ran := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(document, -1) {
		for _, part := range strings.Split("\n"+block[1], "\n$ brevdue ")[1:] {
			line, want, _ := strings.Cut(strings.TrimSuffix(part, "\n"), "\n")
			var out strings.Builder
			code := run(t.Context(), strings.Fields(line), terminal{in: strings.NewReader(""), out: &out, err: &out})
			if got := strings.TrimSuffix(out.String(), "\n"); got != want {
				t.Errorf("brevdue %s\n got %s\nwant %s", line, got, want)
			}
			if failed := strings.Contains(want, "\nbrevdue: "); failed != (code == exitFailed) || !failed && code != exitOK {
				t.Errorf("brevdue %s: exit code %d", line, code)
			}
			ran++
		}
	}
	if ran < 10 {
		t.Errorf("only %d commands were found", ran)
	}
}
