package harness

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// pollFolder is how often a folder is looked into.
const pollFolder = 100 * time.Millisecond

// maxCall bounds the body of a call.
const maxCall = 8 << 20

// Call is one call that a receiver got and whose signature holds.
type Call struct {
	ID   string // webhook-id
	Type string // Content-Type
	Body []byte
}

// Answer is the HTTP status that a receiver gives to a call.
type Answer func(c Call) int

// Receiver is an HTTPS endpoint of a producer or of a municipal system. It verifies each call's Standard Webhooks signature
// with the library of that project, and remembers what it took.
type Receiver struct {
	URL        string
	SecretFile string

	server *httptest.Server
	hook   *standardwebhooks.Webhook
	answer Answer

	mu     sync.Mutex
	calls  []Call
	forged []error
	came   chan struct{} // closed and replaced at each call
}

// newReceiver starts one with a certificate of a, and writes its secret into dir.
func newReceiver(dir string, a *sf1601test.Authority, answer Answer) (*Receiver, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	secret := "whsec_" + base64.StdEncoding.EncodeToString(key)
	hook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	if answer == nil {
		answer = func(Call) int { return http.StatusNoContent }
	}
	r := &Receiver{SecretFile: filepath.Join(dir, "secret.txt"), hook: hook, answer: answer, came: make(chan struct{})}
	if err := os.WriteFile(r.SecretFile, []byte(secret+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	r.server = httptest.NewUnstartedServer(r)
	r.server.TLS = &tls.Config{Certificates: []tls.Certificate{a.ServerCertificate()}, MinVersion: tls.VersionTLS12}
	r.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // a gateway that is killed cuts connections
	r.server.StartTLS()
	r.URL = r.server.URL + "/post"
	return r, nil
}

// ServeHTTP takes a call.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxCall))
	if err != nil {
		return // a call that was cut was never made
	}
	c := Call{ID: req.Header.Get("Webhook-Id"), Type: req.Header.Get("Content-Type"), Body: bytes.Clone(body)}
	status := http.StatusUnauthorized
	err = r.hook.Verify(body, req.Header)
	if err == nil {
		status = r.answer(c)
	}
	r.mu.Lock()
	switch {
	case err != nil:
		r.forged = append(r.forged, err)
	case status/100 == 2:
		r.calls = append(r.calls, c)
	}
	close(r.came)
	r.came = make(chan struct{})
	r.mu.Unlock()
	w.WriteHeader(status)
}

// Calls are those that were taken, in order.
func (r *Receiver) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// Count is how many calls were taken.
func (r *Receiver) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.calls)
}

// Forged is why calls were refused whose signature does not hold; nil when all of them do.
func (r *Receiver) Forged() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.forged...)
}

// Await waits for calls until ok says that it has seen enough.
func (r *Receiver) Await(ctx context.Context, ok func(taken []Call) bool) error {
	for {
		r.mu.Lock()
		enough, next := ok(r.calls), r.came
		r.mu.Unlock()
		if enough {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return fmt.Errorf("wait for calls: %w", ctx.Err())
		}
	}
}

// Close ends it.
func (r *Receiver) Close() {
	r.server.CloseClientConnections()
	r.server.Close()
}
