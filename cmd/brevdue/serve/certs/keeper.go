// Package certs keeps the certificates of a process: it takes new ones from their files without a restart, and warns in
// time before one expires.
//
// The job, in the order it happens:
//
//  1. Each certificate, and each file of roots, gets a role when the process starts ([Keeper.Pair], [Keeper.Roots],
//     [Keeper.Watch]). One that cannot be read then is an error.
//  2. [Keeper.Server] makes a listener's TLS configuration of them, which every new connection asks anew.
//  3. [Keeper.Run] looks at the files again and again. What has changed is loaded; a new file that is broken, expired or
//     not valid yet leaves the old one in use, is warned of once and tried again.
//  4. [Keeper.Warnings] are those that expire within 60 days, and the metrics tell all of them, by role. No path and no
//     name leaves this package but in the log.
package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The days before a certificate's end at which is warned.
func levels() []int { return []int{7, 30, 60} }

const day = 24 * time.Hour

// Config is what a [Keeper] is made of.
type Config struct {
	Now    func() time.Time // required
	Logger *slog.Logger     // nil: none
}

// Keeper is safe for concurrent use.
type Keeper struct {
	now func() time.Time
	log *slog.Logger

	mu      sync.Mutex // of what follows, and of a check
	entries []*Entry
}

// New makes a keeper of nothing.
func New(cfg Config) *Keeper {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Keeper{now: cfg.Now, log: cfg.Logger}
}

// content is what the files of a role hold.
type content struct {
	certificate *tls.Certificate
	roots       *x509.CertPool
	leaf        *x509.Certificate // the one whose end counts
}

// Entry is one role. It is safe for concurrent use.
type Entry struct {
	role  string
	files []string
	load  func() (content, error)
	fixed bool // a new file is seen and told, and taken at the next start

	current atomic.Pointer[content]

	// Of the keeper's lock:
	seen     []os.FileInfo // when the files were last read
	broken   bool
	reloads  int
	failures int
	warned   int // the level that was warned of; 0: none
}

// Certificate is the one in use now.
func (e *Entry) Certificate() *tls.Certificate { return e.current.Load().certificate }

// Pair keeps a certificate and its key in PEM files.
func (k *Keeper) Pair(role, certificateFile, keyFile string) (*Entry, error) {
	return k.add(&Entry{role: role, files: []string{certificateFile, keyFile}, load: func() (content, error) {
		cert, err := tls.LoadX509KeyPair(certificateFile, keyFile)
		if err != nil {
			return content{}, fmt.Errorf("certificate and key: %w", err)
		}
		return content{certificate: &cert, leaf: cert.Leaf}, nil
	}})
}

// Roots keeps a PEM file of roots that callers' certificates must be of. The first to end counts.
func (k *Keeper) Roots(role, file string) (*Entry, error) {
	return k.add(&Entry{role: role, files: []string{file}, load: func() (content, error) {
		raw, err := os.ReadFile(file) //nolint:gosec // the operator names the file
		if err != nil {
			return content{}, err
		}
		all, err := parse(raw)
		if err != nil {
			return content{}, err
		}
		c := content{roots: x509.NewCertPool(), leaf: all[0]}
		for _, cert := range all {
			c.roots.AddCert(cert)
			if cert.NotAfter.Before(c.leaf.NotAfter) {
				c.leaf = cert
			}
		}
		return c, nil
	}})
}

// Watch warns of a certificate that somebody else uses and that is taken from its files at the next start only.
func (k *Keeper) Watch(role string, files []string, load func() (tls.Certificate, error)) error {
	_, err := k.add(&Entry{role: role, files: files, fixed: true, load: func() (content, error) {
		cert, err := load()
		if err != nil {
			return content{}, err
		}
		if cert.Leaf == nil {
			return content{}, errors.New("the certificate was not parsed")
		}
		return content{certificate: &cert, leaf: cert.Leaf}, nil
	}})
	return err
}

// add loads an entry for the first time. An expired certificate is taken: a process that must restart should.
func (k *Keeper) add(e *Entry) (*Entry, error) {
	seen, err := stat(e.files)
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", e.role, err)
	}
	c, err := e.load()
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", e.role, err)
	}
	e.seen = seen
	e.current.Store(&c)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entries = append(k.entries, e)
	return e, nil
}

// Run checks until ctx ends.
func (k *Keeper) Run(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		k.Check(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Check looks at every file once, takes what is new, and warns of what ends soon.
func (k *Keeper) Check(ctx context.Context) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.entries {
		k.renew(ctx, e)
		k.warn(ctx, e)
	}
}

// renew loads an entry whose files have changed, or whose new files were broken.
func (k *Keeper) renew(ctx context.Context, e *Entry) {
	seen, err := stat(e.files)
	changed := err != nil || !slices.EqualFunc(seen, e.seen, same)
	if !changed && !e.broken {
		return
	}
	var c content
	if err == nil {
		c, err = e.load()
	}
	old := e.current.Load()
	if err == nil {
		err = k.usable(c.leaf, old.leaf)
	}
	told := e.broken && slices.EqualFunc(seen, e.seen, same)
	e.seen = seen
	if err != nil {
		if !told {
			e.failures++
			k.log.ErrorContext(ctx, "a new certificate cannot be used, the old one stays", "role", e.role,
				"files", e.files, "until", old.leaf.NotAfter, "error", err)
		}
		e.broken = true
		return
	}
	e.broken = false
	if e.fixed {
		k.log.WarnContext(ctx, "a new certificate is there, it is taken at the next start", "role", e.role, "until", c.leaf.NotAfter)
		return
	}
	e.current.Store(&c)
	e.reloads++
	e.warned = 0
	k.log.InfoContext(ctx, "took a new certificate", "role", e.role, "until", c.leaf.NotAfter)
}

// usable refuses a new certificate that is worse than the old one.
func (k *Keeper) usable(leaf, old *x509.Certificate) error {
	now := k.now()
	switch {
	case leaf == nil:
		return errors.New("the certificate was not parsed")
	case now.After(leaf.NotAfter) && !now.After(old.NotAfter):
		return errors.New("it has expired")
	case now.Before(leaf.NotBefore) && !now.After(old.NotAfter):
		return errors.New("it is not valid yet")
	}
	return nil
}

// warn tells once at each level.
func (k *Keeper) warn(ctx context.Context, e *Entry) {
	leaf := e.current.Load().leaf
	level := k.level(leaf)
	if level == 0 || e.warned != 0 && level >= e.warned {
		return
	}
	e.warned = level
	k.log.WarnContext(ctx, "a certificate expires", "role", e.role, "until", leaf.NotAfter, "days", k.days(leaf))
}

// level is the least number of days to warn at that leaf has left at most; 0: it has more than any.
func (k *Keeper) level(leaf *x509.Certificate) int {
	for _, level := range levels() {
		if leaf.NotAfter.Sub(k.now()) <= time.Duration(level)*day {
			return level
		}
	}
	return 0
}

// days is how many whole days are left, negative when it is over.
func (k *Keeper) days(leaf *x509.Certificate) int {
	left := leaf.NotAfter.Sub(k.now())
	if left < 0 {
		return int(left/day) - 1
	}
	return int(left / day)
}

// Warning is a certificate that ends soon, or has ended.
type Warning struct {
	Role   string    `json:"role"`
	Until  time.Time `json:"until"`
	Days   int       `json:"days"`             // whole days left; negative when it has ended
	Broken bool      `json:"broken,omitempty"` // its files hold a new one that cannot be used
}

// Warnings are the certificates with 60 days left or fewer, and those whose new files are broken; the first to end first.
func (k *Keeper) Warnings() []Warning {
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []Warning
	for _, e := range k.entries {
		leaf := e.current.Load().leaf
		if k.level(leaf) > 0 || e.broken {
			list = append(list, Warning{Role: e.role, Until: leaf.NotAfter.UTC(), Days: k.days(leaf), Broken: e.broken})
		}
	}
	slices.SortStableFunc(list, func(a, b Warning) int { return a.Until.Compare(b.Until) })
	return list
}

// Server is base with the certificate of pair and, where roots is not nil, the callers' roots, as they are at each new
// connection. What base says about callers' names is kept.
func (k *Keeper) Server(base *tls.Config, pair, roots *Entry) *tls.Config {
	made := &server{base: Modern(base), pair: pair, roots: roots}
	cfg := made.base.Clone()
	cfg.Certificates = nil
	cfg.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.Certificate(), nil }
	cfg.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return made.config(), nil }
	return cfg
}

// server makes one configuration for each state of the files, so that connections of the same state share tickets.
type server struct {
	base        *tls.Config
	pair, roots *Entry

	mu        sync.Mutex
	of        *content // pair's
	trusts    *content // roots'
	generated *tls.Config
}

func (s *server) config() *tls.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	own, trusts := s.pair.current.Load(), (*content)(nil)
	if s.roots != nil {
		trusts = s.roots.current.Load()
	}
	if s.generated == nil || s.of != own || s.trusts != trusts {
		cfg := s.base.Clone()
		cfg.Certificates = []tls.Certificate{*own.certificate}
		if trusts != nil {
			cfg.ClientCAs = trusts.roots
		}
		s.of, s.trusts, s.generated = own, trusts, cfg
	}
	return s.generated
}
