package sf1601test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a running far end.
type Server struct {
	cfg       Config
	authority *Authority
	book      *book
	tokens    *tokens
	pusher    *pusher
	faults    atomic.Pointer[Faults]
	setFaults sync.Mutex
	random    *lockedReader
	dice      *dice
	big       chan struct{} // a place for each large request in memory

	services net.Listener
	admin    net.Listener // nil without admin port
	servers  []*http.Server
	running  sync.WaitGroup // the listeners' goroutines
	conns    sync.WaitGroup // the connections' goroutines
	once     sync.Once
}

// Start listens and serves until Close. It returns when the far end answers.
func Start(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, authority: cfg.Authority, big: make(chan struct{}, 2)}
	if s.authority == nil {
		if s.authority, err = cfg.makeAuthority(); err != nil {
			return nil, err
		}
	}
	s.random = &lockedReader{r: cfg.Random}
	seed := cfg.Seed
	for seed == 0 {
		var b [8]byte
		if _, err := io.ReadFull(s.random, b[:]); err != nil {
			return nil, fmt.Errorf("sf1601test: seed: %w", err)
		}
		seed = binary.LittleEndian.Uint64(b[:])
	}
	s.dice = &dice{rng: rand.New(rand.NewPCG(seed, seed))} //nolint:gosec // dice of a simulation, repeatable by seed
	s.faults.Store(&cfg.Faults)
	s.book = newBook(cfg.MaxMessages, cfg.Now(), seed)
	s.tokens = newTokens(cfg.Now)
	if err := s.listen(); err != nil {
		return nil, err
	}
	s.pusher = newPusher(s)
	s.serve()
	cfg.Logger.Info("far end started", "url", s.URL(), "admin", s.AdminURL(), "seed", seed)
	return s, nil
}

func (c Config) makeAuthority() (*Authority, error) {
	opts := AuthorityOptions{CVR: c.CVR, KeyBits: c.KeyBits, PKCS1: c.Dueslag.URL != "", Now: c.Now}
	if c.Dir == "" {
		return NewAuthority(opts)
	}
	return LoadOrCreate(c.Dir, opts)
}

func (s *Server) listen() error {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("sf1601test: listen: %w", err)
	}
	s.services = tls.NewListener(l, &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{s.authority.ServerCertificate()},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    s.authority.RootCAs(),
		NextProtos:   []string{"http/1.1"},
	})
	if s.cfg.Admin == "" {
		return nil
	}
	if s.admin, err = lc.Listen(context.Background(), "tcp", s.cfg.Admin); err != nil {
		_ = s.services.Close()
		return fmt.Errorf("sf1601test: listen for admin: %w", err)
	}
	return nil
}

func (s *Server) serve() {
	run := func(l net.Listener, h http.Handler) {
		srv := &http.Server{
			Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
			TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1.1 only, as SF1601
			ConnState:    s.count,
			ErrorLog:     slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
		}
		s.servers = append(s.servers, srv)
		s.running.Go(func() {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				s.cfg.Logger.Error("far end stopped serving", "err", err)
			}
		})
	}
	run(s.services, s.routes())
	if s.admin != nil {
		run(s.admin, s.adminRoutes())
	}
}

// count knows which connections are open, so that Close can wait for them.
func (s *Server) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.conns.Done()
	case http.StateActive, http.StateIdle:
	}
}

// Close stops listening, cuts what is under way and ends every goroutine. Work
// that is pending is dropped: state is in memory only.
func (s *Server) Close() {
	s.once.Do(func() {
		s.pusher.close()
		for _, srv := range s.servers {
			_ = srv.Close()
		}
		s.running.Wait()
		s.conns.Wait()
		s.book.changed.fire()
		s.cfg.Logger.Info("far end stopped")
	})
}

// URL is the base of all services, e.g. https://127.0.0.1:9443: both the STS
// and the Serviceplatformen address of a client.
func (s *Server) URL() string { return "https://" + s.services.Addr().String() }

// AdminURL is the base of the admin port, empty when there is none.
func (s *Server) AdminURL() string {
	if s.admin == nil {
		return ""
	}
	return "http://" + s.admin.Addr().String()
}

// Authority is the certificate authority in use.
func (s *Server) Authority() *Authority { return s.authority }

// ClientCertificate is a system certificate the server lets in.
func (s *Server) ClientCertificate() tls.Certificate { return s.authority.ClientCertificate() }

// RootCAs trusts the server, and what it pushes with.
func (s *Server) RootCAs() *x509.CertPool { return s.authority.RootCAs() }

// Stats are the counts so far.
func (s *Server) Stats() Stats {
	st := s.book.copyStats()
	st.Pushes.Pending = s.pusher.pending()
	return st
}

// Messages are up to limit letters in order of arrival, those with a Seq above
// after.
func (s *Server) Messages(after int64, limit int) []Message { return s.book.page(after, limit) }

// Message is the letter with that messageUUID, in any case.
func (s *Server) Message(uuid string) (Message, bool) { return s.book.get(uuid) }

// Shipment is the letter with that AfsendelseIdentifikator, in any case.
func (s *Server) Shipment(afsendelse string) (Message, bool) { return s.book.getShipment(afsendelse) }

// Faults are the setting in force.
func (s *Server) Faults() Faults { return *s.faults.Load() }

// SetFaults replaces the setting; zero delays and lifetimes mean the defaults.
// A setting out of range is an error and changes nothing.
func (s *Server) SetFaults(f Faults) error {
	f = f.withDefaults()
	if err := f.validate(); err != nil {
		return err
	}
	s.setFaults.Lock()
	defer s.setFaults.Unlock()
	s.faults.Store(&f)
	return nil
}

// SetPushURL changes where statuses go from the next attempt on; empty drops
// them. Statuses of before that are still retried go to the new address.
func (s *Server) SetPushURL(url string) error {
	if err := errors.Join(checkPushURL(url), s.cfg.Dueslag.validate(url)); err != nil {
		return err
	}
	s.pusher.setURL(url)
	return nil
}

// WaitFor blocks until ok holds for the counts, or ctx ends. It looks again
// whenever a count changes.
func (s *Server) WaitFor(ctx context.Context, ok func(Stats) bool) error {
	for {
		next := s.book.changed.next()
		if ok(s.Stats()) {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return fmt.Errorf("sf1601test: still waiting: %w", ctx.Err())
		}
	}
}

// WaitSettled blocks until the last status of n letters has been acknowledged.
func (s *Server) WaitSettled(ctx context.Context, n int64) error {
	return s.WaitFor(ctx, func(st Stats) bool { return st.Settled >= n })
}

// newUUID is a UUID of version 4.
func (s *Server) newUUID() string { return newUUID(s.random) }

// lockedReader lets many goroutines share one source of randomness.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return io.ReadFull(l.r, p)
}

// dice roll for fault rates.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
}

// roll is a number in [0,1).
func (d *dice) roll() float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.Float64()
}
