package httpapi

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// TestBodiesOfEverySize come whole, announced or not, in one piece or byte by byte.
func TestBodiesOfEverySize(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Gateway: accepting{}, MaxBody: 2 * maxPooled, Large: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 8<<10 - 1, 8 << 10, 8<<10 + 1, maxPooled - 1, maxPooled, maxPooled + 1, 2 * maxPooled} {
		want := bytes.Repeat([]byte{'x'}, size)
		for name, body := range map[string]io.Reader{
			"whole": bytes.NewReader(want), "halves": iotest.HalfReader(bytes.NewReader(want)), "data with EOF": iotest.DataErrReader(bytes.NewReader(want)),
		} {
			for _, length := range []int64{-1, int64(size)} {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", io.NopCloser(body))
				r.ContentLength = length
				if length < 0 {
					r.Body = io.NopCloser(bytes.NewReader(want))
				}
				err := s.withBody(httptest.NewRecorder(), r, func(got []byte) error {
					if !bytes.Equal(got, want) {
						t.Errorf("%d bytes, %s: got %d", size, name, len(got))
					}
					return nil
				})
				if err != nil {
					t.Errorf("%d bytes, %s: %v", size, name, err)
				}
			}
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", io.NopCloser(bytes.NewReader(make([]byte, 2*maxPooled+1))))
	r.ContentLength = -1
	err = s.withBody(httptest.NewRecorder(), r, func([]byte) error { return nil })
	if p := problemOf(err); p.Code != "body.too_large" {
		t.Errorf("one byte too many: %v", err)
	}
}

// TestLargeBodiesWaitForEachOther: with room for one, the second is told to try again, and small ones do not wait.
func TestLargeBodiesWaitForEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{Gateway: accepting{}, Large: 1, Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		post := func(size int, use func([]byte) error) error {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(make([]byte, size)))
			return s.withBody(httptest.NewRecorder(), r, use)
		}
		nothing := func([]byte) error { return nil }
		err = post(maxPooled+1, func([]byte) error {
			if err := post(maxPooled, nothing); err != nil {
				t.Errorf("a small body waited: %v", err)
			}
			start := time.Now()
			if p := problemOf(post(maxPooled+1, nothing)); p.Code != "unavailable" || p.RetryAfter == 0 {
				t.Errorf("the second large body: %v", p)
			}
			if waited := time.Since(start); waited != time.Minute {
				t.Errorf("it waited %v", waited)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if err := post(maxPooled+1, nothing); err != nil {
			t.Errorf("after the first: %v", err)
		}
	})
}

// TestFingerprintStaysTheSame: it is compared with what earlier versions of this program stored.
func TestFingerprintStaysTheSame(t *testing.T) {
	t.Parallel()
	sum, err := fingerprint(letter("sag-1"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(sum[:]), "887d799383c11d551ed4be4da76e1ec9ce021f56ab3f670ab5f6013ccb2f93c8"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
