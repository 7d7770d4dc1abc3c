package sf1601test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// benchLetter is a letter of about 5 KB with two actions.
func benchLetter(tb testing.TB) string {
	tb.Helper()
	b, err := os.ReadFile("testdata/letter.xml")
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Replace(string(b), "PDF", strings.Repeat("JVBERi0x", 340), 1)
}

func BenchmarkReadRequest(b *testing.B) {
	doc := []byte(benchLetter(b))
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if req, err := readRequest(doc, rules{now: time.Now()}); err != nil || req.Finding != nil {
			b.Fatal(err, req.Finding)
		}
	}
}

// BenchmarkLetter is what one letter costs the far end without TLS and
// sockets: headers, token, reading, checking, booking, answering, and making
// and encoding its two statuses.
func BenchmarkLetter(b *testing.B) {
	a, err := NewAuthority(AuthorityOptions{KeyBits: 2048})
	if err != nil {
		b.Fatal(err)
	}
	s, err := Start(Config{Authority: a, MaxMessages: 10_000, MaxPending: 1 << 30, Faults: Faults{ModtagetDelay: -1, AfleveretDelay: -1}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	cert := a.ClientCertificate().Leaf
	s.tokens.issue(accessKey("t"), grant{audience: EntityKombiPostAfsend, cvr: "55133018", holder: thumbprint(cert), expires: time.Now().Add(time.Hour)})
	doc, routes := benchLetter(b), s.routes()
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		body := strings.Replace(doc, "8C2EA15D-61FB-4BA9-9366-42F8B194C114", s.newUUID(), 1)
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, PathKombi, strings.NewReader(body))
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
		r.Header.Set("Content-Type", "application/xml")
		r.Header.Set("Authorization", "Holder-of-key t")
		r.Header.Set("x-TransaktionsId", "00000000-0000-4000-8000-000000000001")
		r.Header.Set("x-TransaktionsTid", "2026-11-21T10:00:00Z")
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
		j := s.journey(&request{Message: Message{KombiValgKode: ValgDigitalPost}}, nil, "t", behaviour{})
		for len(j.steps) > 0 {
			beskedfordeler.EncodeInput(j.besked(time.Now(), s.newUUID))
			j.steps = j.steps[1:]
		}
	}
}
