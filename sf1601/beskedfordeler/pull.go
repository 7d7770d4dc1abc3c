package beskedfordeler

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Where Beskedfordeler's pull stands and who it is to the STS.
// [src: SF1461-SAMPLES AfhentBesked]
const (
	// PullVHost is the virtual host of the queues.
	PullVHost = "BF"
	// PullPort is the port of AMQP over TLS.
	PullPort = "5671"
	// PullEntityID is the audience of the SAML assertion a puller logs in with.
	PullEntityID = "http://entityid.kombit.dk/service/bfo_modtag/2"
)

// Defaults of PullConfig.
const (
	// DefaultPullMaxBytes is the most the decoder takes.
	DefaultPullMaxBytes = maxBytes
	// DefaultRenewBefore leaves an STS client that renews fifteen minutes early
	// time to have a fresh token ready.
	DefaultRenewBefore  = 10 * time.Minute
	DefaultHeartbeat    = 10 * time.Second
	DefaultDialTimeout  = 30 * time.Second
	DefaultDrainTimeout = 15 * time.Second
)

// Backoff bounds a doubling pause. Each pause is spread over its upper half by
// PullConfig.Jitter.
type Backoff struct {
	Min, Max time.Duration
}

// PullConfig is what a Puller needs.
type PullConfig struct {
	// URL is amqps://host[:port][/vhost]; the port is PullPort and the vhost
	// PullVHost when not told. Required.
	URL string
	// Queue is the UUID of the dueslag. Required.
	Queue string
	// TLS holds the system certificate and the roots the broker is trusted
	// by. ServerName is the host of URL when empty. It is not changed.
	// Required.
	TLS *tls.Config
	// Token gives the decoded SAML assertion for PullEntityID and when it
	// ends. It is asked before every login. Required.
	Token func(ctx context.Context) (assertion []byte, expires time.Time, err error)
	// Deliver stores one message. It is acknowledged only after Deliver
	// returned nil, so it must have committed by then. An error keeps the
	// message: Deliver is called again after a pause, until it succeeds. It is
	// called more than once with the same b.ID also when an acknowledgement
	// was lost. b.Status is nil when the Beskedtype is not PKO_PostStatus. raw
	// is the receiver's to keep, but holds KildesystemAkkreditiver: store
	// MaskCredentials(raw). Required.
	Deliver func(ctx context.Context, raw []byte, b *Besked) error
	// Quarantine stores what cannot be read, whole, with a reason that never
	// quotes it. The rules of Deliver hold. A message that makes Deliver panic
	// is handed here too. Required.
	Quarantine func(ctx context.Context, raw []byte, reason string) error

	// MaxBytes is the largest message that is read; larger ones go to
	// Quarantine. Zero means DefaultPullMaxBytes.
	MaxBytes int
	// Reconnect bounds the pauses between connections; zero means 1 s to 1 min.
	Reconnect Backoff
	// Retry bounds the pauses between calls of Deliver and Quarantine for one
	// message; zero means 0.1 s to 10 s.
	Retry Backoff
	// RenewBefore is how long before its token ends a connection is replaced;
	// never more than a quarter of what was left at login. Zero means
	// DefaultRenewBefore.
	RenewBefore time.Duration
	// Heartbeat is AMQP's; a broker that is silent for one and a half of it is
	// given up. At least 1 s; zero means DefaultHeartbeat.
	Heartbeat time.Duration
	// DialTimeout bounds connecting and logging in; zero means
	// DefaultDialTimeout.
	DialTimeout time.Duration
	// DrainTimeout bounds how long the message in hand may take after Run was
	// told to end; zero means DefaultDrainTimeout.
	DrainTimeout time.Duration
	// Now is the clock the life of tokens is measured with; nil means time.Now.
	Now func() time.Time
	// Jitter gives numbers in [0,1) that spread pauses; nil means chance.
	Jitter func() float64
	// Logger gets connections, failures and quarantined messages, without
	// content; nil discards.
	Logger *slog.Logger
}

func (c PullConfig) withDefaults() PullConfig {
	if c.MaxBytes <= 0 || c.MaxBytes > maxBytes {
		c.MaxBytes = DefaultPullMaxBytes
	}
	c.Reconnect = c.Reconnect.orDefault(time.Second, time.Minute)
	c.Retry = c.Retry.orDefault(100*time.Millisecond, 10*time.Second)
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&c.RenewBefore, DefaultRenewBefore}, {&c.Heartbeat, DefaultHeartbeat},
		{&c.DialTimeout, DefaultDialTimeout}, {&c.DrainTimeout, DefaultDrainTimeout},
	} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Jitter == nil {
		c.Jitter = rand.Float64
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// endpoint is where a URL points.
type endpoint struct{ host, port, vhost string }

func (e endpoint) address() string { return net.JoinHostPort(e.host, e.port) }

// parseURL reads PullConfig.URL.
func parseURL(s string) (endpoint, error) {
	u, err := url.Parse(s)
	if err != nil {
		return endpoint{}, errors.New("beskedfordeler: URL cannot be read")
	}
	switch {
	case u.Scheme != "amqps":
		return endpoint{}, errors.New("beskedfordeler: URL must begin with amqps://")
	case u.Hostname() == "":
		return endpoint{}, errors.New("beskedfordeler: URL names no host")
	case u.User != nil:
		return endpoint{}, errors.New("beskedfordeler: URL holds a user; the login is the certificate and the SAML assertion")
	case u.RawQuery != "" || u.Fragment != "":
		return endpoint{}, errors.New("beskedfordeler: URL has a query or a fragment, which mean nothing here")
	}
	e := endpoint{host: u.Hostname(), port: u.Port(), vhost: strings.TrimPrefix(u.Path, "/")}
	if e.port == "" {
		e.port = PullPort
	}
	if e.vhost == "" {
		e.vhost = PullVHost
	}
	return e, nil
}

// Puller fetches messages from the queue of one dueslag.
//
// In the order it happens: [Puller.Run] asks for a token, connects, logs in
// (SASL EXTERNAL, the assertion as response) and subscribes with a prefetch of
// one, so that the broker gives the next message when the one before it was
// acknowledged. Each message is decoded and handed to Deliver until it is
// taken, or whole to Quarantine when it cannot be read, and then acknowledged.
// A connection that is lost is made again after a growing pause; what was not
// acknowledged comes again. Before the token ends a second connection is
// opened with a fresh one, the first is left after its last message, and the
// subscription goes on at the second. When the context ends, the message in
// hand is finished and acknowledged first.
type Puller struct {
	cfg     PullConfig
	at      endpoint
	decode  func([]byte) (*Besked, error)
	running atomic.Bool
	state   pullState
}

// NewPuller checks the configuration. Nothing is connected before Run.
func NewPuller(cfg PullConfig) (*Puller, error) {
	at, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	switch {
	case cfg.Queue == "" || len(cfg.Queue) > 255:
		return nil, errors.New("beskedfordeler: Queue, the UUID of the dueslag, is required")
	case cfg.TLS == nil:
		return nil, errors.New("beskedfordeler: TLS is required")
	case cfg.Token == nil || cfg.Deliver == nil || cfg.Quarantine == nil:
		return nil, errors.New("beskedfordeler: Token, Deliver and Quarantine are required")
	case cfg.Heartbeat != 0 && cfg.Heartbeat < time.Second:
		return nil, errors.New("beskedfordeler: Heartbeat is below a second")
	}
	for name, b := range map[string]Backoff{"Reconnect": cfg.Reconnect, "Retry": cfg.Retry} {
		if b.Min < 0 || b.Max < b.Min {
			return nil, fmt.Errorf("beskedfordeler: %s.Max is below %s.Min", name, name)
		}
	}
	return &Puller{cfg: cfg.withDefaults(), at: at, decode: Decode}, nil
}

// ErrRunning is returned by a second Run beside the first.
var ErrRunning = errors.New("beskedfordeler: the puller is running already")

// Run pulls until ctx ends and returns nil then. Trouble of any kind is
// logged, shown by State and tried again: a queue that is missing today may be
// made by a person tomorrow.
func (p *Puller) Run(ctx context.Context) error {
	if !p.running.CompareAndSwap(false, true) {
		return ErrRunning
	}
	defer p.running.Store(false)
	return p.run(ctx)
}

// State is how the puller is doing. It is safe to call at any time.
func (p *Puller) State() PullState { return p.state.copy() }
