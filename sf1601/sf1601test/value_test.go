package sf1601test

import (
	"encoding/base64"
	"testing"
)

func TestValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, text string
		ok         bool
	}{
		{"UUID", "8C2EA15D-61FB-4BA9-9366-42F8B194C114", true}, {"UUID", "8C2EA15D-61FB-1BA9-9366-42F8B194C114", false},
		{"UUID", "8C2EA15D-61FB-4BA9-C366-42F8B194C114", false}, {"UUID", "8C2EA15D61FB4BA9936642F8B194C114", false}, {"UUID", "gC2EA15D-61FB-4BA9-9366-42F8B194C114", false},
		{"POINT", "8C2EA15D-61FB-1BA9-C366-42F8B194C114", true}, {"POINT", "8C2EA15D-61FB-xBA9-C366-42F8B194C114", false}, {"POINT", "", false},
		{"DTZ", "2026-11-21T09:00:00Z", true}, {"DTZ", "2026-11-21T09:00:00.5Z", true}, {"DTZ", "2026-11-21T09:00:00", false}, {"DTZ", "2026-11-21T9:00:00Z", false},
		{"DTZ", "2026-02-30T09:00:00Z", false}, {"DTZ", "2026-11-21T09:00:00+00:00", false}, {"DTZ", "2026-11-21T09:00:00,5Z", false},
		{"LATER", "2026-11-21", true}, {"LATER", "2026-11-21Z", true}, {"LATER", "2026-11-22+01:00", true}, {"LATER", "2026-11-20", false}, {"LATER", "21-11-2026", false},
		{"P10", "1234567890", true}, {"P10", "0000000000001", true}, {"P10", "12345678901", false}, {"P10", "", false}, {"P10", "-1", false},
		{"GLN13", "5790000000000", true}, {"GLN13", "57900000000001", false}, {"LP7", "AB12345", true}, {"LP7", "AB123456", false},
		{"LANG", "da", true}, {"LANG", "d", true}, {"LANG", "", false}, {"LANG", "d1", false}, {"BOOL", "1", true}, {"BOOL", "TRUE", false},
		{"B64", "QUJD", true}, {"B64", "QU\nI=", true}, {"B64", "QQ==", true}, {"B64", "Q===", false}, {"B64", "QQ=Q", false}, {"B64", "", false},
		{"URL", "https://a.dk/", true}, {"URL", "HTTPS://a.dk/", true}, {"URL", "https:/a", false}, {"URL", "https://", false}, {"URL", "javascript:x", false}, {"URL", "https://a b/", false},
		{"FILE", "Brev æøå.pdf", true}, {"FILE", "a/b", false}, {"FILE", "a\u2060b", false}, {"FILE", "a\u3000b", false}, {"FILE", "a\u200bb", true}, {"FILE", "a\u200ab", false},
	} {
		if code, text := checks[c.kind](&value{text: []byte(c.text), today: "2026-11-21"}); (code == "") != c.ok {
			t.Errorf("%s %q: %q %q, want ok %v", c.kind, c.text, code, text, c.ok)
		}
	}
}

func FuzzDecodedSize(f *testing.F) {
	f.Add([]byte("QUJD"))
	f.Add([]byte("QQ=="))
	f.Add([]byte("QQ = =\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, ok := decodedSize(b)
		want, wantOK := decodeBase64(b)
		if ok != wantOK || ok && n != want {
			t.Fatalf("%d %v, want %d %v", n, ok, want, wantOK)
		}
	})
}

// decodeBase64 is what the standard library says; it knows no blanks and tabs.
func decodeBase64(b []byte) (int64, bool) {
	var packed []byte
	for _, c := range b {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			packed = append(packed, c)
		}
	}
	out, err := base64.StdEncoding.DecodeString(string(packed))
	return int64(len(out)), err == nil
}
