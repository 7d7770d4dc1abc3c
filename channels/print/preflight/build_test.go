package preflight_test

import (
	"bytes"
	"fmt"
	"strings"
)

// file builds a PDF by hand: object n is objects[n-1].
type file struct {
	objects []string
	trailer string // more entries, e.g. /Encrypt
}

func (f file) bytes() []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(f.objects))
	for k, o := range f.objects {
		offsets[k] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", k+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(f.objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d /Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF\n", len(f.objects)+1, f.trailer, start)
	return b.Bytes()
}

// page is a one-page file whose page has these entries, and whose objects 5, 6, ... are more.
func page(entries string, more ...string) []byte {
	if !strings.Contains(entries, "Box") {
		entries += " /MediaBox [0 0 595.28 841.89]"
	}
	return file{objects: append([]string{
		"<</Type /Catalog /Pages 2 0 R>>",
		"<</Type /Pages /Kids [3 0 R] /Count 1>>",
		"<</Type /Page /Parent 2 0 R /Contents 4 0 R " + entries + ">>",
		stream("", "BT ET"),
	}, more...)}.bytes()
}

func stream(entries, data string) string {
	return fmt.Sprintf("<</Length %d %s>>\nstream\n%s\nendstream", len(data), entries, data)
}
