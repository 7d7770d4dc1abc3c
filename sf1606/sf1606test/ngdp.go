package sf1606test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1606"
)

// NgDPConfig says how the part of Digital Post behaves that is pulled from. The zero value is strict, on a free port.
type NgDPConfig struct {
	Listen    string                // empty means 127.0.0.1:0
	Authority *sf1601test.Authority // of the certificates; nil makes one with keys of 2048 bits
	// User and Password are what HTTP Basic must bring; empty asks for none.
	User, Password string
	// MaxPage is the most ids of one page; zero means 100.
	MaxPage int
	// Faults at the start; SetFaults changes them.
	Faults NgDPFaults
	Seed   uint64           // of the dice; zero means 1
	Now    func() time.Time // nil means time.Now
	Logger *slog.Logger     // nil discards
}

// NgDPFaults are shares of the calls, 0 to 1.
type NgDPFaults struct {
	Rate503     float64 `json:"rate503"`     // any call: 503
	RetryAfter  int     `json:"retryAfter"`  // seconds told with 503; zero tells none
	RateCut     float64 `json:"rateCut"`     // a message is cut at 60 %
	RateLost    float64 `json:"rateLost"`    // a receipt or a DELETE is taken, but the answer is cut
	RateGone    float64 `json:"rateGone"`    // a message is answered 404, once
	Receipt422  bool    `json:"receipt422"`  // every receipt is refused
	Refuse401   bool    `json:"refuse401"`   // every call is refused
	RateLocked  float64 `json:"rateLocked"`  // a message is answered 409, once
	RateGarbage float64 `json:"rateGarbage"` // a page of ids is no JSON
}

func (f NgDPFaults) validate() error {
	for _, r := range []float64{f.Rate503, f.RateCut, f.RateLost, f.RateGone, f.RateLocked, f.RateGarbage} {
		if !(r >= 0 && r <= 1) { // also catches NaN
			return errors.New("sf1606test: a rate must be between 0 and 1")
		}
	}
	if f.RetryAfter < 0 {
		return errors.New("sf1606test: retryAfter must not be negative")
	}
	return nil
}

// NgDPStats count since the start.
type NgDPStats struct {
	Waiting    int      `json:"waiting"`
	Requests   int      `json:"requests"`
	Fetched    int      `json:"fetched"`    // messages given whole
	Positive   int      `json:"positive"`   // receipts taken
	Negative   int      `json:"negative"`   // of refusal
	Conflicts  int      `json:"conflicts"`  // receipts of a message that had one
	Deleted    int      `json:"deleted"`    // after a receipt
	Faults     int      `json:"faults"`     // answers that a fault spoilt
	Violations []string `json:"violations"` // what a client must not do, at most 100
}

// NgDP is a running far end.
type NgDP struct {
	cfg      NgDPConfig
	listener net.Listener
	server   *http.Server
	running  sync.WaitGroup

	mu      sync.Mutex
	rng     *rand.Rand
	faults  NgDPFaults
	memos   map[string]*waiting
	order   []string
	stats   NgDPStats
	changed chan struct{} // closed and replaced by every change
	once    sync.Once
}

// waiting is a message that waits for its receiver.
type waiting struct {
	message  *memo.Message
	receipts []sf1606.Receipt
	spoilt   map[string]bool // faults that happen once
	deleted  bool
}

// StartNgDP listens and serves until Close.
func StartNgDP(cfg NgDPConfig) (*NgDP, error) {
	orDefault(&cfg.Listen, "127.0.0.1:0")
	orDefault(&cfg.MaxPage, 100)
	orDefault(&cfg.Seed, 1)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := cfg.Faults.validate(); err != nil {
		return nil, err
	}
	if cfg.Authority == nil {
		a, err := sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048, Now: cfg.Now})
		if err != nil {
			return nil, err
		}
		cfg.Authority = a
	}
	n := &NgDP{
		cfg: cfg, faults: cfg.Faults, memos: map[string]*waiting{}, changed: make(chan struct{}),
		rng: rand.New(rand.NewPCG(cfg.Seed, cfg.Seed)), //nolint:gosec // dice of a simulation, repeatable by seed
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("sf1606test: listen: %w", err)
	}
	n.listener = tls.NewListener(l, &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cfg.Authority.ServerCertificate()},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: cfg.Authority.RootCAs(), NextProtos: []string{"http/1.1"},
	})
	n.server = &http.Server{
		Handler: n.routes(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelDebug),
	}
	n.running.Go(func() {
		if err := n.server.Serve(n.listener); !errors.Is(err, http.ErrServerClosed) {
			cfg.Logger.Error("far end stopped serving", "err", err)
		}
	})
	return n, nil
}

// Close stops listening and cuts what is under way.
func (n *NgDP) Close() {
	n.once.Do(func() {
		_ = n.server.Close()
		n.running.Wait()
	})
}

// URL is the base of the API.
func (n *NgDP) URL() string { return "https://" + n.listener.Addr().String() + "/apis/v1" }

// Client is an HTTP client with the system certificate that the server lets in. Its CloseIdleConnections is the
// caller's.
func (n *NgDP) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: n.RootCAs(), Certificates: []tls.Certificate{n.cfg.Authority.ClientCertificate()},
	}}}
}

// RootCAs trusts the server.
func (n *NgDP) RootCAs() *x509.CertPool { return n.cfg.Authority.RootCAs() }

// Add puts a message there to be pulled, and returns its id: its messageUUID in lower case.
func (n *NgDP) Add(m *memo.Message) string {
	id := strings.ToLower(m.Header.MessageUUID)
	n.change(func() {
		if n.memos[id] == nil {
			n.order = append(n.order, id)
		}
		n.memos[id] = &waiting{message: m, spoilt: map[string]bool{}}
	})
	return id
}

// Receipts are those that were taken for a message, also after it was deleted.
func (n *NgDP) Receipts(id string) []sf1606.Receipt {
	n.mu.Lock()
	defer n.mu.Unlock()
	if w := n.memos[id]; w != nil {
		return slices.Clone(w.receipts)
	}
	return nil
}

// Stats are the counts so far.
func (n *NgDP) Stats() NgDPStats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.copyStats()
}

func (n *NgDP) copyStats() NgDPStats {
	st := n.stats
	st.Violations = slices.Clone(st.Violations)
	for w := range maps.Values(n.memos) {
		if !w.deleted {
			st.Waiting++
		}
	}
	return st
}

// SetFaults replaces the setting.
func (n *NgDP) SetFaults(f NgDPFaults) error {
	if err := f.validate(); err != nil {
		return err
	}
	n.change(func() { n.faults = f })
	return nil
}

// WaitFor blocks until ok holds for the counts, or ctx ends.
func (n *NgDP) WaitFor(ctx context.Context, ok func(NgDPStats) bool) error {
	for {
		n.mu.Lock()
		st, next := n.copyStats(), n.changed
		n.mu.Unlock()
		if ok(st) {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return fmt.Errorf("sf1606test: still waiting: %w", ctx.Err())
		}
	}
}

func (n *NgDP) change(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
	close(n.changed)
	n.changed = make(chan struct{})
}

// violation notes what a client must not do. mu is held.
func (n *NgDP) violation(text string) {
	if len(n.stats.Violations) < 100 {
		n.stats.Violations = append(n.stats.Violations, text)
	}
}

// hit rolls for a fault. mu is held.
func (n *NgDP) hit(rate float64) bool {
	if rate <= 0 || n.rng.Float64() >= rate {
		return false
	}
	n.stats.Faults++
	return true
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) //nolint:errchkjson // plain values; a client that left cannot be told
}
