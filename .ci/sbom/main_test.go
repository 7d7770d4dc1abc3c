package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestOfThisBinary writes the bill of the test's own binary, which is a Go binary as any other.
func TestOfThisBinary(t *testing.T) {
	t.Parallel()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := run([]string{path}, out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same binary gave two bills")
	}
	var b bom
	if err := json.Unmarshal(first.Bytes(), &b); err != nil {
		t.Fatal(err)
	}
	if b.SpecVersion != "1.6" || len(b.Components) == 0 || b.Components[0].Name != "std" || b.Components[0].Version == "" {
		t.Errorf("%+v", b)
	}
	for _, c := range append(b.Components, b.Metadata.Component) {
		if !strings.HasPrefix(c.PURL, "pkg:golang/"+c.Name+"@") || c.Ref != c.PURL {
			t.Errorf("%+v", c)
		}
	}
	if err := run([]string{"main.go"}, &first); err == nil {
		t.Error("a file that is no binary has a bill")
	}
}
