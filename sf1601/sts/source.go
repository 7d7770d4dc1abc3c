package sts

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-resty/resty/v2"
	"golang.org/x/sync/singleflight"
)

// DefaultTimeout bounds one call of the STS or the token service.
const DefaultTimeout = 30 * time.Second

// Mode is the protocol in which the STS is asked for a SAML token.
type Mode string

// The modes. The token is the same; only the way of asking differs.
const (
	REST Mode = "rest" // JSON over mutual TLS (the default)
	SOAP Mode = "soap" // WS-Trust 1.3 over SOAP 1.2, signed (OIO IDWS)
)

// Valid says whether m is one of the modes.
func (m Mode) Valid() bool { return m == REST || m == SOAP }

// Config says where the tokens come from.
type Config struct {
	STS  string // scheme://host[:port] of the STS
	Base string // scheme://host[:port] of Serviceplatformen
	// HTTP carries the calls. Its transport must present the certificate of
	// CertificateDER and should keep connections alive. Required.
	HTTP *http.Client
	// CertificateDER is the system certificate, which the STS binds the token
	// to (UseKey). Required.
	CertificateDER []byte
	// Mode is how the STS is asked; "" means REST.
	Mode Mode
	// Certificate is the system certificate with its RSA key, which signs the
	// requests of SOAP; required there, not looked at with REST.
	Certificate tls.Certificate
	// TrustedSTS are the certificates the STS signs assertions with, the current
	// one and, around a change, the next. With none an assertion is passed on
	// unverified: its reader, the token service, verifies it anyhow.
	TrustedSTS []*x509.Certificate
	// NewUUID gives the ids of SOAP messages; nil means random ones (version 4).
	NewUUID func() string
	// Timeout bounds one call; 0 means DefaultTimeout.
	Timeout time.Duration
	// Now is the clock the lives of tokens are measured with; nil means time.Now.
	Now func() time.Time
}

// Source gives out tokens and keeps them as long as they are good. It is safe
// for concurrent use.
type Source struct {
	cfg     Config
	http    *resty.Client
	signer  *signer // nil with REST
	flights singleflight.Group
	base    context.Context //nolint:containedctx // lifetime of the source: a flight belongs to no single caller
	stop    context.CancelFunc
	work    sync.WaitGroup

	mu     sync.Mutex
	closed bool
	saml   map[Audience]SAML
	access map[Audience]Access
}

// ErrClosed is the cause of errors after Close.
var ErrClosed = errors.New("the token source is closed")

// New checks the configuration. Close ends the requests under way.
func New(cfg Config) (*Source, error) {
	if cfg.STS == "" || cfg.Base == "" || cfg.HTTP == nil || len(cfg.CertificateDER) == 0 {
		return nil, errors.New("sts: STS, Base, HTTP and CertificateDER are required")
	}
	if cfg.Mode == "" {
		cfg.Mode = REST
	}
	if !cfg.Mode.Valid() {
		return nil, fmt.Errorf("sts: unknown mode %q: want rest or soap", cfg.Mode)
	}
	for i, c := range cfg.TrustedSTS {
		if err := usableSTS(c); err != nil {
			return nil, fmt.Errorf("sts: certificate %d of the STS: %w", i+1, err)
		}
	}
	if cfg.NewUUID == nil {
		cfg.NewUUID = randomUUID
	}
	var key *signer
	if cfg.Mode == SOAP {
		var err error
		if key, err = newSigner(cfg.Certificate, cfg.CertificateDER); err != nil {
			return nil, fmt.Errorf("sts: the certificate that signs: %w", err)
		}
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	base, stop := context.WithCancel(context.Background())
	return &Source{
		cfg: cfg, base: base, stop: stop, signer: key,
		http:   resty.NewWithClient(cfg.HTTP).SetDisableWarn(true).SetLogger(silent{}),
		saml:   map[Audience]SAML{},
		access: map[Audience]Access{},
	}, nil
}

// Close cancels what is under way and waits for it. The source gives ErrClosed
// afterwards.
func (s *Source) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.work.Wait()
}

// SAML gives a SAML token for the audience. Errors are *Error, or the cause of
// ctx when the caller gave up first.
func (s *Source) SAML(ctx context.Context, a Audience) (SAML, error) {
	now := s.cfg.Now()
	s.mu.Lock()
	held, ok := s.saml[a]
	s.mu.Unlock()
	if ok && now.Before(held.renew) {
		return held, nil
	}
	got, err := share(ctx, s, OpIssue, a, func(ctx context.Context) (SAML, error) { return s.renewSAML(ctx, a) })
	if err != nil && ctx.Err() == nil && ok && s.cfg.Now().Before(held.Expires) {
		return held, nil // still good: an STS that is down within the margin is not noticed
	}
	return got, err
}

// Access gives an access token for the audience, and gets a SAML token first
// when it must. Errors are *Error, or the cause of ctx when the caller gave up
// first.
func (s *Source) Access(ctx context.Context, a Audience) (Access, error) {
	now := s.cfg.Now()
	s.mu.Lock()
	held, ok := s.access[a]
	s.mu.Unlock()
	if ok && now.Before(held.renew) {
		return held, nil
	}
	got, err := share(ctx, s, OpToken, a, func(ctx context.Context) (Access, error) { return s.renewAccess(ctx, a) })
	if err != nil && ctx.Err() == nil && ok && s.cfg.Now().Before(held.Expires) && s.holds(a, held) {
		return held, nil
	}
	return got, err
}

// Invalidate forgets an access token that the service refused. A token that
// has been replaced already is left alone, so that many refusals of one token
// renew it once.
func (s *Source) Invalidate(a Audience, refused Access) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.access[a].Token == refused.Token {
		delete(s.access, a)
	}
}

func (s *Source) holds(a Audience, t Access) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.access[a].Token == t.Token
}

// renewSAML asks the STS and keeps the answer. It first looks again: a flight
// that ended just before this one may have left a fresh token.
func (s *Source) renewSAML(ctx context.Context, a Audience) (SAML, error) {
	s.mu.Lock()
	held, ok := s.saml[a]
	s.mu.Unlock()
	if ok && s.cfg.Now().Before(held.renew) {
		return held, nil
	}
	got, err := s.issue(ctx, a)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.saml[a] = got
	case ok && s.saml[a].Assertion == held.Assertion:
		held.renew = s.later(held.Expires)
		s.saml[a] = held
	}
	return got, err
}

// renewAccess is renewSAML for the access token. A kept SAML token
// the token service refuses is replaced once.
func (s *Source) renewAccess(ctx context.Context, a Audience) (Access, error) {
	s.mu.Lock()
	held, ok := s.access[a]
	s.mu.Unlock()
	if ok && s.cfg.Now().Before(held.renew) {
		return held, nil
	}
	got, err := s.exchangeTwice(ctx, a)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.access[a] = got
	case ok && s.access[a].Token == held.Token:
		held.renew = s.later(held.Expires)
		s.access[a] = held
	}
	return got, err
}

func (s *Source) exchangeTwice(ctx context.Context, a Audience) (Access, error) {
	s.mu.Lock()
	held := s.saml[a]
	s.mu.Unlock()
	for {
		saml, err := s.SAML(ctx, a)
		if err != nil {
			return Access{}, err
		}
		got, err := s.exchange(ctx, saml)
		var refused *Error
		if errors.As(err, &refused) && refused.Denied && saml.Assertion == held.Assertion {
			s.forget(a, saml)
			held = SAML{} // the next one is new, its refusal is final
			continue
		}
		return got, err
	}
}

func (s *Source) forget(a Audience, refused SAML) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.saml[a].Assertion == refused.Assertion {
		delete(s.saml, a)
	}
}

// later gives when a renewal that failed is tried again while the old token is
// good: after a quarter of what is left of it, at most a minute.
func (s *Source) later(expires time.Time) time.Time {
	now := s.cfg.Now()
	return now.Add(max(0, min(expires.Sub(now)/4, time.Minute)))
}

// share joins the flight of op and audience or starts it. The flight runs on
// the source's own context; ctx only ends the waiting.
func share[T any](ctx context.Context, s *Source, op string, a Audience, fly func(context.Context) (T, error)) (T, error) {
	var none T
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return none, &Error{Op: op, Err: ErrClosed}
	}
	s.work.Add(1)
	s.mu.Unlock()
	done := s.flights.DoChan(op+" "+a.CVR+" "+a.EntityID, func() (any, error) { return fly(s.base) })
	release := func() { s.work.Done() }
	select {
	case r := <-done:
		release()
		if r.Err != nil {
			return none, r.Err
		}
		got, _ := r.Val.(T) // fly gave it
		return got, nil
	case <-ctx.Done():
		go func() { <-done; release() }()
		return none, &Error{Op: op, Err: context.Cause(ctx)}
	}
}

// randomUUID gives a UUID version 4 (RFC 9562, section 5.4).
func randomUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// silent keeps resty from writing to the log on its own.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}
