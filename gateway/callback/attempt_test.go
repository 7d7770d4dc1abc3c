package callback

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/webhook"
)

// TestWhatIsSent looks at one call: a POST of JSON in its envelope, signed, with a name that tells nothing of anybody.
func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	k := newClock()
	var request *http.Request
	s := newSite(t, k, func(_ http.ResponseWriter, r *http.Request, _ call) { request = r })
	h := setup(t, k, receiverOf(t, s))
	m := h.intents(t, producer, 1, 1)[0]
	h.happen(t, producer, m)
	happened := k.Now()
	k.advance(time.Minute)
	h.deliver(t, m)
	c := s.next(t)
	if request.Method != http.MethodPost || request.Header.Get("Content-Type") != "application/json" || request.URL.Path != "/" {
		t.Errorf("%s %s %v", request.Method, request.URL, request.Header)
	}
	if !strings.HasPrefix(c.ID, "evt_"+strconv.FormatInt(c.Seq, 10)+"_") || c.Header.Get("webhook-timestamp") != strconv.FormatInt(k.Now().Unix(), 10) {
		t.Errorf("headers %v", c.Header)
	}
	var body struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      struct {
			Message string `json:"message"`
			Status  string `json:"status"`
		} `json:"data"`
	}
	if err := json.Unmarshal(c.Body, &body); err != nil {
		t.Fatal(err)
	}
	if body.Type != "message.submitted" || !body.Timestamp.Equal(happened) || body.Data.Message != m || body.Data.Status != "submitted" {
		t.Errorf("body %s", c.Body)
	}
	if err := verify(t, c, secret("one")); err != nil {
		t.Error(err)
	}
	if verify(t, c, secret("another")) == nil {
		t.Error("another secret verifies it as well")
	}
	c.Body[len(c.Body)-3] ^= 1
	if verify(t, c, secret("one")) == nil {
		t.Error("a changed body verifies")
	}
}

func TestTypeAndNameOfEvents(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 8, 30, 0, 123456000, time.UTC)
	message := gateway.Event{Seq: 7, At: at, IntentID: "int_1", MessageID: "msg_1", Status: gateway.Returned}
	intent := gateway.Event{Seq: 7, At: at.Add(time.Microsecond), IntentID: "int_1", Status: "discarded"}
	if a, b := eventType(&message), eventType(&intent); a != "message.returned" || b != "intent.discarded" {
		t.Error(a, b)
	}
	message.Code = gateway.CodeReply
	if a := eventType(&message); a != "message.replied" {
		t.Error(a)
	}
	if a, b := webhookID(&message), webhookID(&intent); a == b || a != "evt_7_"+strconv.FormatInt(at.UnixMicro(), 36) {
		t.Error(a, b)
	}
}

// TestAnswers holds every kind of answer, and of none, to its word.
func TestAnswers(t *testing.T) {
	t.Parallel()
	status := func(code int) func(http.ResponseWriter, *http.Request, call) {
		return func(w http.ResponseWriter, _ *http.Request, _ call) { w.WriteHeader(code) }
	}
	for name, c := range map[string]struct {
		answer  func(http.ResponseWriter, *http.Request, call)
		failure string
		status  int
	}{
		"200": {status(200), "", 200}, "202": {status(202), "", 202}, "204": {status(204), "", 204}, "299": {status(299), "", 299},
		"400": {status(400), failRefused, 400}, "401": {status(401), failRefused, 401}, "404": {status(404), failRefused, 404},
		"410": {status(410), failGone, 410}, "429": {status(429), failRefused, 429}, "500": {status(500), failServer, 500},
		"503": {status(503), failServer, 503}, "599": {status(599), failServer, 599}, "600": {status(600), failAnswer, 600},
		"cut off": {func(http.ResponseWriter, *http.Request, call) { panic(http.ErrAbortHandler) }, failConnect, 0},
		"header too large": {func(w http.ResponseWriter, _ *http.Request, _ call) {
			for n := range 40 {
				w.Header().Set("X-"+strconv.Itoa(n), strings.Repeat("x", 1000))
			}
		}, failAnswer, 0},
		"says nothing": {func(_ http.ResponseWriter, r *http.Request, _ call) { <-r.Context().Done() }, failTimeout, 0},
		"body trickles": {func(w http.ResponseWriter, r *http.Request, _ call) { // the status is the answer
			w.WriteHeader(http.StatusOK)
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte("x")); err != nil || http.NewResponseController(w).Flush() != nil {
					return
				}
			}
		}, "", 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newClock()
			s := newSite(t, k, c.answer)
			r := receiverOf(t, s)
			r.Timeout = 700 * time.Millisecond
			if c.failure != failTimeout {
				r.Timeout = 20 * time.Second
			}
			h := setup(t, k, r)
			m := h.intents(t, producer, 1, 1)[0]
			h.happen(t, producer, m)
			h.deliver(t, m)
			stats := h.stats(t, producer)
			if stats.Failure != c.failure || stats.Failure != "" && stats.HTTPStatus != c.status || (stats.Delivered == 1) != (c.failure == "") {
				t.Errorf("%+v, wanted %q and %d", stats, c.failure, c.status)
			}
		})
	}
}

// TestAHugeAnswerIsNotRead: the receiver notices that nobody reads on.
func TestAHugeAnswerIsNotRead(t *testing.T) {
	t.Parallel()
	const huge = 256 << 20
	k := newClock()
	wrote := make(chan int, 1)
	s := newSite(t, k, func(w http.ResponseWriter, _ *http.Request, _ call) {
		n, block := 0, make([]byte, 64<<10)
		for n < huge {
			k, err := w.Write(block)
			if n += k; err != nil {
				break
			}
		}
		wrote <- n
	})
	h := setup(t, k, receiverOf(t, s))
	m := h.intents(t, producer, 1, 1)[0]
	h.happen(t, producer, m)
	h.deliver(t, m)
	if n := <-wrote; n >= huge/4 {
		t.Errorf("the receiver got rid of %d bytes", n)
	}
	if stats := h.stats(t, producer); stats.Delivered != 1 {
		t.Errorf("%+v", stats)
	}
}

// rawSite answers every connection with what the test does to it.
func rawSite(t *testing.T, serve func(c net.Conn)) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				serve(c)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// TestAnswersThatAreNone: a header that trickles in, something that is not HTTP, and nobody who listens.
func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ url, failure string }{
		"header trickles": {rawSite(t, func(c net.Conn) {
			r, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX: ")
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for range tick.C {
				if _, err := io.WriteString(c, "x"); err != nil {
					return
				}
			}
		}), failTimeout},
		"no HTTP": {rawSite(t, func(c net.Conn) {
			_, _ = bufio.NewReader(c).ReadString('\n')
			_, _ = io.WriteString(c, "220 smtp.testby.example ESMTP\r\n")
		}), failAnswer},
		"nobody listens": {"http://" + closed.Addr().String(), failConnect},
		"no such name":   {"https://no-such-name.invalid/", failName},
		"TLS to HTTP": {strings.Replace(rawSite(t, func(c net.Conn) {
			_, _ = bufio.NewReader(c).ReadByte()
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		}), "http:", "https:", 1), failTLS},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := setup(t, newClock(), Receiver{
				Producer: producer, URL: c.url, SecretFile: secretFile(t, secret("one")), AllowPrivate: true, AllowHTTP: true,
				Timeout: time.Second,
			})
			m := h.intents(t, producer, 1, 1)[0]
			h.happen(t, producer, m)
			h.deliver(t, m)
			stats := h.stats(t, producer)
			if stats.Failure != c.failure && (name != "no such name" || stats.Failure != failTimeout) {
				t.Errorf("%+v, wanted %q", stats, c.failure)
			}
		})
	}
}

// TestCertificates: a receiver that is not trusted, one that speaks TLS 1.1, and one that wants to see ours.
func TestCertificates(t *testing.T) {
	t.Parallel()
	k := newClock()
	certificate, key := selfSigned(t)
	for name, c := range map[string]struct {
		change  func(r *Receiver)
		config  *tls.Config
		failure string
	}{
		"not trusted": {func(r *Receiver) { r.CAFile = "" }, &tls.Config{}, failTLS},
		"TLS 1.1":     {func(*Receiver) {}, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, failTLS},
		"wants a certificate, has none": {
			func(*Receiver) {},
			&tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}, failTLS,
		},
		"wants a certificate": {
			func(r *Receiver) { r.CertificateFile, r.KeyFile = certificate, key },
			&tls.Config{ClientAuth: tls.RequireAnyClientCert}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &site{clock: k, came: make(chan call, 10), answer: func(http.ResponseWriter, *http.Request, call) {}}
			s.Server = httptest.NewUnstartedServer(s)
			s.TLS = c.config
			s.Config.ErrorLog = quiet()
			s.StartTLS()
			t.Cleanup(s.Close)
			r := receiverOf(t, s)
			c.change(&r)
			h := setup(t, k, r)
			m := h.intents(t, producer, 1, 1)[0]
			h.happen(t, producer, m)
			h.deliver(t, m)
			if stats := h.stats(t, producer); stats.Failure != c.failure || (stats.Delivered == 1) != (c.failure == "") {
				t.Errorf("%+v, wanted %q", stats, c.failure)
			}
		})
	}
}

// selfSigned writes a certificate and its key.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "brevdue"}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "client.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

// TestRetryAfterIsHonoured in both its forms.
func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"120": 2 * time.Minute, "0": 0, "-5": 0, "": 0, "soon": 0, "99999999999999999999": 0,
		"Mon, 02 Nov 2026 08:31:30 GMT": 90 * time.Second, "Mon, 02 Nov 2026 08:00:00 GMT": 0,
	} {
		if got := webhook.RetryAfter(value, now); got != want {
			t.Errorf("%q: %s, wanted %s", value, got, want)
		}
	}
	k := newClock()
	s := newSite(t, k, func(w http.ResponseWriter, _ *http.Request, _ call) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	h := setup(t, k, receiverOf(t, s))
	m := h.intents(t, producer, 1, 1)[0]
	h.happen(t, producer, m)
	if at := h.deliver(t, m); !at.Equal(k.Now().Add(10 * time.Minute)) {
		t.Errorf("it comes back after %s", at.Sub(k.Now()))
	}
}

// TestAStopLetsACallFinish: the call under way when the process stops is answered and recorded, and no other begins.
func TestAStopLetsACallFinish(t *testing.T) {
	t.Parallel()
	k := newClock()
	ctx, stop := context.WithCancel(t.Context())
	s := newSite(t, k, func(http.ResponseWriter, *http.Request, call) { stop() })
	h := setup(t, k, receiverOf(t, s))
	messages := h.intents(t, producer, 1, 2)
	h.happen(t, producer, messages...)
	if err := h.courier.Deliver(ctx, messages[0]); err == nil {
		t.Error("it does not come back for the rest")
	}
	if stats := h.stats(t, producer); stats.Delivered != 1 || stats.Pending != 1 {
		t.Errorf("%+v", stats)
	}
}

// TestAnEventThatCannotBeWritten is tried again like any other, and said to be our fault.
func TestAnEventThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	k := newClock()
	s := newSite(t, k, nil)
	h := setup(t, k, receiverOf(t, s))
	h.courier.event = func(*gateway.Event) ([]byte, error) { return nil, fmt.Errorf("a defect") } //nolint:perfsprint // a test
	m := h.intents(t, producer, 1, 1)[0]
	h.happen(t, producer, m)
	h.deliver(t, m)
	if stats := h.stats(t, producer); stats.Failure != failInternal || stats.Pending != 1 {
		t.Errorf("%+v", stats)
	}
}
