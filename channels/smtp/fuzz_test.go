package smtp

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	netmail "net/mail"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
)

// FuzzHeader puts any text into every field and reads the header back.
func FuzzHeader(f *testing.F) {
	f.Add("Indkaldelse på Rådhuset", "Testby Kommune, \"Job\"", "Bilag æøå.pdf")
	f.Add("x\r\nBcc: y", "=?utf-8?B?Qg==?=", "a\"; b=\"c")
	f.Add(strings.Repeat("å", 300), "\\", "\x00\xff\u2028")
	f.Fuzz(func(t *testing.T, subject, name, filename string) {
		var h header
		h.add("Subject", unstructured(subject))
		h.add("From", mailbox(name, "a@testby.example"))
		h.add("Content-Disposition", parameters("attachment", "filename", filename))
		h.WriteString("\r\n")
		raw := h.String()
		if strings.ContainsFunc(raw, func(r rune) bool { return r > unicode.MaxASCII || (r < ' ' && r != '\r' && r != '\n') }) {
			t.Fatalf("%q", raw)
		}
		m, err := netmail.ReadMessage(strings.NewReader(raw))
		if err != nil || len(m.Header) != 3 {
			t.Fatalf("%v: %q", err, raw)
		}
		got, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil || got != oneLine(subject) {
			t.Fatalf("subject %q, want %q, %v", got, oneLine(subject), err)
		}
		from, err := netmail.ParseAddress(m.Header.Get("From"))
		if err != nil || from.Address != "a@testby.example" {
			t.Fatalf("%q: %v", raw, err)
		}
		if _, _, err := mime.ParseMediaType(m.Header.Get("Content-Disposition")); err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
	})
}

// FuzzAddress: whatever is let through is one word of the envelope.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"nancy@testby.example", "søren@rødgrød.example", `"a b"@x.example`, "a@[1.2.3.4]", "a@b@c.example", "a@x.example>\r\nDATA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clean, utf8Needed, err := address(s)
		if err != nil {
			if !errors.Is(err, errAddress) || clean != "" {
				t.Fatalf("%q, %v", clean, err)
			}
			return
		}
		if strings.ContainsAny(clean, "<> \r\n\t\"\x00") || strings.Count(clean, "@") != 1 || len(clean) > maxAddress || utf8Needed == isASCII(clean) {
			t.Fatalf("%q became %q, %t", s, clean, utf8Needed)
		}
		if again, _, err := address(clean); err != nil || again != clean {
			t.Fatalf("%q became %q, and then %q, %v", s, clean, again, err)
		}
	})
}

// FuzzReply: a server may say anything.
func FuzzReply(f *testing.F) {
	f.Add(550, "5.1.1 <a@b.example>: nobody\n5.1.1 here")
	f.Add(451, "5.1.1")
	f.Add(250, "\xff 2.0")
	f.Fuzz(func(t *testing.T, code int, text string) {
		enhanced, words := splitReply(code, text)
		if len(words) > maxText+4 || strings.Contains(words, "\n") || (enhanced != "" && !isEnhanced(enhanced)) {
			t.Fatalf("%q %q", enhanced, words)
		}
		for _, phase := range []Phase{PhaseGreeting, PhaseMail, PhaseRcpt, PhaseFinal} {
			if o := classify(&Error{Phase: phase, Code: code, Enhanced: enhanced, Text: words}, 1); o.Class == "" || o.Code == "" {
				t.Fatalf("%+v", o)
			}
		}
	})
}

// FuzzBase64 compares the streaming writer with the standard library's.
func FuzzBase64(f *testing.F) {
	for _, n := range []int{0, 1, 56, 57, 58, blockSize, blockSize + lineBytes, blockSize + lineBytes + 1} {
		f.Add(bytes.Repeat([]byte{0xa5}, n))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, r := range map[string]io.Reader{"whole": bytes.NewReader(b), "halves": iotest.HalfReader(bytes.NewReader(b))} {
			var out bytes.Buffer
			n, err := writeBase64(&out, r, int64(len(b)))
			if err != nil || n != int64(len(b)) || int64(out.Len()) != encodedSize(n) {
				t.Fatalf("%s: %d of %d, %d bytes for %d, %v", name, n, len(b), out.Len(), encodedSize(n), err)
			}
			if got := strings.ReplaceAll(out.String(), "\r\n", ""); got != base64.StdEncoding.EncodeToString(b) {
				t.Fatal(name)
			}
		}
	})
}
