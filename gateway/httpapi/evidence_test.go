package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway"
)

// proving is a server with an evidence of its own.
func proving(t *testing.T, e func(ctx context.Context, producer, messageID string, w io.Writer) error) *house {
	t.Helper()
	h := &house{log: &logBuffer{}}
	logger := slog.New(slog.NewTextHandler(h.log, nil))
	s, err := New(Config{
		Gateway: broken{}, Producers: testProducers(), Evidence: e, Streams: 1, Version: "1.2.3", Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(s)
	server.Config = NewHTTPServer("", s, logger)
	server.Start()
	t.Cleanup(server.Close)
	h.url, h.http = server.URL, &http.Client{Transport: &watched{t: t, next: server.Client().Transport}}
	h.client = &Client{BaseURL: h.url, Token: tokenHuske, HTTP: h.http}
	return h
}

// owned is the evidence of msg_1, which huskeservice owns.
func owned(content []byte, err error) func(context.Context, string, string, io.Writer) error {
	return func(_ context.Context, producer, messageID string, w io.Writer) error {
		if producer != "huskeservice" || messageID != "msg_1" {
			return fmt.Errorf("message %s: %w", messageID, gateway.ErrNotFound)
		}
		for piece := range slices.Chunk(content, 10_000) {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		return err
	}
}

func TestEvidenceIsStreamed(t *testing.T) {
	t.Parallel()
	container := bytes.Repeat([]byte("PK evidence "), 50_000)
	h := proving(t, owned(container, nil))
	var got bytes.Buffer
	if err := h.client.Evidence(t.Context(), "msg_1", &got); err != nil || !bytes.Equal(got.Bytes(), container) {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	a := h.ask(t, http.MethodGet, "/v1/messages/msg_1/evidence", "")
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/vnd.etsi.asic-e+zip" ||
		a.header.Get("Content-Disposition") != "attachment; filename=msg_1.asice" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := h.ask(t, http.MethodHead, "/v1/messages/msg_1/evidence", ""); a.status != http.StatusOK || a.body != "" {
		t.Errorf("HEAD: %d with %d bytes", a.status, len(a.body))
	}
}

func TestEvidenceIsForItsProducer(t *testing.T) {
	t.Parallel()
	h := proving(t, owned([]byte("PK"), nil))
	wantProblem(t, h.stranger().Evidence(t.Context(), "msg_1", io.Discard), http.StatusNotFound, "not_found")
	wantProblem(t, h.client.Evidence(t.Context(), "msg_2", io.Discard), http.StatusNotFound, "not_found")
	wantProblem(t, h.client.Evidence(t.Context(), "../../x\r\n", io.Discard), http.StatusNotFound, "not_found")
	for path, want := range map[string]int{
		"/v1/messages/msg_1/evidence?format=pdf": http.StatusBadRequest,
		"/v1/messages/msg_1/evidence/":           http.StatusNotFound,
	} {
		if a := h.ask(t, http.MethodGet, path, ""); a.status != want {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if a := h.ask(t, http.MethodGet, "/v1/messages/msg_1/evidence", "", "Accept", "application/json"); a.status != http.StatusNotAcceptable {
		t.Errorf("as JSON: %d", a.status)
	}
	if a := h.ask(t, http.MethodGet, "/v1/messages/msg_1/evidence", "", "Authorization", ""); a.status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", a.status)
	}
	if a := h.ask(t, http.MethodPost, "/v1/messages/msg_1/evidence", ""); a.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", a.status)
	}
	none := proving(t, nil)
	wantProblem(t, none.client.Evidence(t.Context(), "msg_1", io.Discard), http.StatusNotFound, "not_found")
}

func TestEvidenceThatFails(t *testing.T) {
	t.Parallel()
	failed := errors.New("the disk is gone")
	for name, c := range map[string]struct {
		content []byte
		err     error
		status  int // 0: the answer is cut off
	}{
		"before its first byte": {nil, failed, http.StatusInternalServerError},
		"without a byte":        {nil, nil, http.StatusInternalServerError},
		"after its first byte":  {[]byte("PK"), failed, 0},
		"in the middle":         {make([]byte, 100_000), failed, 0},
		"journal not there":     {nil, gateway.ErrUnavailable, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := proving(t, owned(c.content, c.err))
			h.http.Transport = http.DefaultTransport // a cut answer cannot be held against the document
			err := h.client.Evidence(t.Context(), "msg_1", io.Discard)
			if p, is := errors.AsType[*Problem](err); is != (c.status != 0) || is && p.Status != c.status || err == nil {
				t.Errorf("%v, want status %d", err, c.status)
			}
			if cut := strings.Contains(h.log.String(), "evidence was cut off"); cut != (c.status == 0) {
				t.Errorf("the log: %s", h.log)
			}
			// The one place is free again.
			if err := h.client.Evidence(t.Context(), "msg_2", io.Discard); !strings.Contains(err.Error(), "not_found") {
				t.Errorf("after it: %v", err)
			}
		})
	}
}

func TestEvidenceWaitsItsTurn(t *testing.T) {
	t.Parallel()
	began, goOn := make(chan struct{}, 2), make(chan struct{})
	h := proving(t, func(_ context.Context, _, _ string, w io.Writer) error {
		began <- struct{}{}
		<-goOn
		_, err := w.Write([]byte("PK"))
		return err
	})
	done := make(chan error, 2)
	for range 2 {
		go func() { done <- h.client.Evidence(t.Context(), "msg_1", io.Discard) }()
	}
	<-began
	select {
	case <-began:
		t.Error("two at a time")
	default:
	}
	close(goOn)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
