package beskedfordeler_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

func TestPushHandler(t *testing.T) {
	t.Parallel()
	good := beskedfordeler.EncodeInput(fromTest())
	stranger := fromTest()
	stranger.Type, stranger.Status = "00000000-0000-4000-8000-000000000000", nil
	for name, c := range map[string]struct {
		method, content string
		body            io.Reader
		fails           error
		status          int
		kode            string
		delivered       int
	}{
		"text/xml":            {"POST", "text/xml; charset=UTF-8", bytes.NewReader(good), nil, 200, "20", 1},
		"application/xml":     {"POST", "application/xml", bytes.NewReader(good), nil, 200, "20", 1},
		"another type":        {"POST", "text/xml", bytes.NewReader(beskedfordeler.EncodeInput(stranger)), nil, 200, "20", 1},
		"not stored":          {"POST", "text/xml", bytes.NewReader(good), errors.New("disk full 2512489996"), 200, "40", 1},
		"not XML":             {"POST", "text/xml", strings.NewReader("x"), nil, 200, "41", 0},
		"empty":               {"POST", "text/xml", strings.NewReader(""), nil, 400, "41", 0},
		"no BeskedId":         {"POST", "text/xml", bytes.NewReader(bytes.ReplaceAll(good, []byte("BeskedId"), []byte("Id"))), nil, 400, "41", 0},
		"too large":           {"POST", "text/xml", strings.NewReader(strings.Repeat(" ", 10_001)), nil, 413, "41", 0},
		"JSON":                {"POST", "application/json", bytes.NewReader(good), nil, 415, "41", 0},
		"no content type":     {"POST", "", bytes.NewReader(good), nil, 415, "41", 0},
		"the body breaks off": {"POST", "text/xml", iotest.ErrReader(io.ErrUnexpectedEOF), nil, 400, "41", 0},
		"probe":               {"HEAD", "", nil, nil, 200, "", 0},
		"GET":                 {"GET", "", nil, nil, 405, "", 0},
		"PUT":                 {"PUT", "text/xml", bytes.NewReader(good), nil, 405, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			delivered := 0
			var log bytes.Buffer
			h := beskedfordeler.PushHandler(beskedfordeler.PushConfig{
				MaxBytes: 10_000, Logger: slog.New(slog.NewTextHandler(&log, nil)),
				Deliver: func(_ context.Context, raw []byte, b *beskedfordeler.Besked) error {
					delivered++
					if len(raw) == 0 || b.ID != fromTest().ID || name == "another type" && b.Status != nil {
						t.Errorf("delivered %q %+v", raw, b)
					}
					return c.fails
				},
			})
			req := httptest.NewRequestWithContext(t.Context(), c.method, "/", c.body)
			if c.content != "" {
				req.Header.Set("Content-Type", c.content)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if w.Code != c.status || delivered != c.delivered {
				t.Errorf("HTTP %d after %d deliveries: %s", w.Code, delivered, w.Body)
			}
			if c.kode != "" {
				want := `<ns2:ModtagBeskedOutput xmlns="urn:oio:sagdok:3.0.0" xmlns:ns2="urn:oio:sts:1.0.0"><StandardRetur><StatusKode>` + c.kode + `</StatusKode>`
				if !strings.Contains(w.Body.String(), want) || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/xml") {
					t.Errorf("answer %s %s", w.Header(), w.Body)
				}
			}
			if c.kode == "20" && !strings.Contains(w.Body.String(), "<FejlbeskedTekst/>") {
				t.Errorf("answer %s", w.Body)
			}
			if (c.kode == "40" || c.kode == "41") == (log.Len() == 0) {
				t.Errorf("log %q", log.String())
			}
			if strings.Contains(w.Body.String(), "2512489996") {
				t.Error("the answer tells the private cause")
			}
			if c.status == 405 && w.Header().Get("Allow") != "HEAD, POST" {
				t.Errorf("Allow %q", w.Header().Get("Allow"))
			}
		})
	}
}

// The answer is made after Deliver returned, and no log line holds the
// credential of the publishing system.
func TestPushHandlerAnswersAfterDeliver(t *testing.T) {
	t.Parallel()
	raw := official(t)
	var log bytes.Buffer
	inside, leave := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(beskedfordeler.PushHandler(beskedfordeler.PushConfig{
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Deliver: func(context.Context, []byte, *beskedfordeler.Besked) error {
			close(inside)
			<-leave
			return errors.New("rolled back")
		},
	}))
	defer srv.Close()
	answer := make(chan string, 1)
	go func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, bytes.NewReader(raw))
		if err != nil {
			answer <- err.Error()
			return
		}
		req.Header.Set("Content-Type", "text/xml")
		res, err := srv.Client().Do(req)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			answer <- err.Error()
			return
		}
		answer <- string(b)
	}()
	<-inside
	select {
	case a := <-answer:
		t.Errorf("answered before Deliver returned: %s", a)
	default:
	}
	close(leave)
	if a := <-answer; !strings.Contains(a, "<StatusKode>40</StatusKode>") {
		t.Errorf("answer %s", a)
	}
	if srv.Close(); strings.Contains(log.String(), "U0VSSUFM") || !strings.Contains(log.String(), "bd12c645") {
		t.Errorf("log %s", log.String())
	}
}
