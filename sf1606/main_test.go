package sf1606_test

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1606"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const cvr = "55133018"

// sharedAuthority saves every test two RSA keys; strangers is another one.
var (
	sharedAuthority = sync.OnceValues(newAuthority)
	strangers       = sync.OnceValues(newAuthority)
)

func newAuthority() (*sf1601test.Authority, error) {
	return sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048, CVR: cvr})
}

func authority(t testing.TB) *sf1601test.Authority {
	t.Helper()
	a, err := sharedAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// receiver is a PostModtag endpoint over mutual TLS with a box behind it.
type receiver struct {
	t   testing.TB
	box *sf1606test.Box
	url string
}

// receive starts one that lives as long as the test.
func receive(t testing.TB, cfg sf1606.Config, pins ...sf1606.Pin) *receiver {
	t.Helper()
	box, ok := cfg.Sink.(*sf1606test.Box)
	if cfg.Sink == nil {
		box, ok = &sf1606test.Box{Keep: true}, true
		cfg.Sink = box
	}
	if !ok {
		box = nil
	}
	if len(cfg.Authorities) == 0 {
		cfg.Authorities = []string{cvr}
	}
	h, err := sf1606.Handler(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &receiver{t: t, box: box, url: serve(t, h, pins...) + sf1606.DefaultPath}
}

func serve(t testing.TB, h http.Handler, pins ...sf1606.Pin) string {
	t.Helper()
	config, err := sf1606.TLS{
		Certificate: authority(t).ServerCertificate(), ClientCAs: authority(t).RootCAs(), Pins: pins,
	}.Config()
	if err != nil {
		t.Fatal(err)
	}
	server := sf1606.NewServer(h, config, nil)
	server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(l, "", "") }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "https://" + l.Addr().String()
}

func (r *receiver) sender(cfg sf1606test.SenderConfig) *sf1606test.Sender {
	r.t.Helper()
	cfg.URL = r.url
	cfg.RootCAs = authority(r.t).RootCAs()
	if cfg.Certificate.Certificate == nil {
		cfg.Certificate = authority(r.t).ClientCertificate()
	}
	if cfg.BackoffMin == 0 {
		cfg.BackoffMin, cfg.BackoffMax = time.Millisecond, 20*time.Millisecond
	}
	s, err := sf1606test.NewSender(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(s.Close)
	return s
}

// clean fails when a delivery is left open.
func (r *receiver) clean() {
	r.t.Helper()
	if st := r.box.Stats(); st.Open != 0 || st.Misused != 0 || st.Begun != st.Committed+st.Doubled+st.Aborted {
		r.t.Errorf("deliveries left behind: %+v", st)
	}
}

func letters() *sf1606test.Letters {
	return sf1606test.NewLetters(sf1606test.LettersConfig{CVR: cvr})
}

// raw is the XML of a message.
func raw(t testing.TB, m *memo.Message) []byte {
	t.Helper()
	d, err := m.Document()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, d.Size())
	body := d.Open(t.Context())
	defer func() { _ = body.Close() }()
	for n := 0; n < len(b); {
		k, err := body.Read(b[n:])
		if n += k; err != nil && n < len(b) {
			t.Fatal(err)
		}
	}
	return b
}

func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func noCertificate() tls.Certificate { return tls.Certificate{Certificate: [][]byte{}} }

var receiptName = xml.Name{Local: "Receipt"}
