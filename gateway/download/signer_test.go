package download_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/download"
)

const messageID = "msg_01JD8Z4Y2M3N4P5Q6R7S8T9V0W"

var from = time.Date(2026, time.November, 21, 12, 0, 0, 500, time.UTC)

func key(b byte) []byte { return bytes.Repeat([]byte{b}, download.KeySize) }

// at is a signer whose clock stands still.
func at(now time.Time) *download.Signer {
	return &download.Signer{
		Key: key(7), BaseURL: "https://post.testby.example/hent/", Life: 24 * time.Hour, Now: func() time.Time { return now },
	}
}

func tokenOf(t testing.TB, s *download.Signer) string {
	t.Helper()
	link, _ := s.Link(messageID, 3, from)
	token, ok := strings.CutPrefix(link, "https://post.testby.example/hent/")
	if !ok || strings.ContainsAny(token, "/?#.=+") {
		t.Fatalf("link %s", link)
	}
	return token
}

func TestALinkIsReadBack(t *testing.T) {
	t.Parallel()
	s := at(from)
	link, expires := s.Link(messageID, 3, from)
	if again, _ := s.Link(messageID, 3, from); again != link {
		t.Error("the same document has two links")
	}
	if want := from.Add(24 * time.Hour).Truncate(time.Second); !expires.Equal(want) {
		t.Errorf("expires %v, want %v", expires, want)
	}
	got, err := s.Open(tokenOf(t, s))
	if err != nil || got != (download.Ticket{MessageID: messageID, Index: 3, Expires: expires}) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := at(expires.Add(-time.Second)).Open(tokenOf(t, s)); err != nil {
		t.Errorf("a second before it expires: %v", err)
	}
	if _, err := at(expires).Open(tokenOf(t, s)); !errors.Is(err, download.ErrExpired) {
		t.Errorf("when it expires: %v", err)
	}
	s.Life = 0
	if _, expires := s.Link(messageID, 3, from); expires.Sub(from.Truncate(time.Second)) != download.DefaultLife {
		t.Errorf("default life: %v", expires)
	}
}

// TestNoBitOfATokenCanBeTurned turns every one.
func TestNoBitOfATokenCanBeTurned(t *testing.T) {
	t.Parallel()
	s := at(from)
	raw, err := base64.RawURLEncoding.DecodeString(tokenOf(t, s))
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(raw) * 8 {
		turned := bytes.Clone(raw)
		turned[n/8] ^= 1 << (n % 8)
		if _, err := s.Open(base64.RawURLEncoding.EncodeToString(turned)); !errors.Is(err, download.ErrToken) {
			t.Fatalf("bit %d: %v", n, err)
		}
	}
	token := tokenOf(t, s)
	for _, bad := range []string{"", "x", token[:len(token)-1], token + "A", token + "=", " " + token, strings.Repeat("A", 4000), strings.ToUpper(token), token[1:]} {
		if _, err := s.Open(bad); !errors.Is(err, download.ErrToken) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	other := at(from)
	other.Key = key(8)
	if _, err := other.Open(token); !errors.Is(err, download.ErrToken) {
		t.Errorf("another key: %v", err)
	}
	other.Key = nil
	if _, err := other.Open(token); !errors.Is(err, download.ErrToken) {
		t.Errorf("no key: %v", err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key  []byte
		url  string
		want error
	}{
		{key(1), "https://post.testby.example/hent", nil},
		{key(1), "http://127.0.0.1:8080/hent/", nil},
		{key(1)[1:], "https://post.testby.example", download.ErrKey},
		{nil, "https://post.testby.example", download.ErrKey},
		{key(1), "", download.ErrBaseURL},
		{key(1), "/hent", download.ErrBaseURL},
		{key(1), "ftp://post.testby.example", download.ErrBaseURL},
		{key(1), "https://user@post.testby.example", download.ErrBaseURL},
		{key(1), "https://post.testby.example?x=1", download.ErrBaseURL},
		{key(1), "https://post.testby.example#x", download.ErrBaseURL},
		{key(1), "https://", download.ErrBaseURL},
		{key(1), "https://%zz", download.ErrBaseURL},
	} {
		if err := (&download.Signer{Key: c.key, BaseURL: c.url}).Validate(); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%q: %v, want %v", c.url, err, c.want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s := at(from)
	f.Add(tokenOf(f, s))
	f.Add("")
	f.Add("AAAA")
	good := tokenOf(f, s)
	f.Fuzz(func(t *testing.T, token string) {
		if ticket, err := s.Open(token); (err == nil) != (token == good) {
			t.Fatalf("%+v, %v", ticket, err)
		}
	})
}
