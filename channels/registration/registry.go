package registration

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
)

// Forespoerg is the part of the SF1601 client that is asked: PostForespoerg.
type Forespoerg interface {
	PostForespoerg(ctx context.Context, service sf1601.Service, id sf1601.Identifier) (registered bool, err error)
}

// The defaults of [Config].
const (
	DefaultLife       = 10 * time.Minute
	DefaultMaxEntries = 1 << 16 // about 10 MB when full
	DefaultTimeout    = 30 * time.Second
)

// minKey is the least length of Config.Key in bytes: that of the hash.
const minKey = sha256.Size

// ErrQuestion says that nothing was asked, because the question names no service or no identifier.
var ErrQuestion = errors.New("a look-up needs a service and a CPR or CVR number")

// Config is what a [Registry] is made of. Forespoerg is required.
type Config struct {
	Forespoerg Forespoerg
	// Life is how long an answer is given again; 0: DefaultLife, negative: no answer is kept.
	Life time.Duration
	// MaxEntries is how many answers are kept at most; the oldest goes first. 0: DefaultMaxEntries.
	MaxEntries int
	// Timeout bounds one question to the far end, which no single caller's context can do; 0: DefaultTimeout.
	Timeout time.Duration
	// Key is the secret of the hash under which answers are kept, at least 32 bytes. nil: a random one, so that nothing
	// outside this process can tell whom an answer is about.
	Key []byte
	Now func() time.Time // nil: time.Now
}

func (c Config) withDefaults() (Config, error) {
	if c.Forespoerg == nil {
		return c, errors.New("registration: Forespoerg is missing")
	}
	if c.Life == 0 {
		c.Life = DefaultLife
	}
	if c.MaxEntries == 0 {
		c.MaxEntries = DefaultMaxEntries
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.MaxEntries < 0 || c.Timeout < 0 {
		return c, errors.New("registration: MaxEntries and Timeout may not be negative")
	}
	if c.Key == nil {
		c.Key = make([]byte, minKey)
		if _, err := io.ReadFull(rand.Reader, c.Key); err != nil {
			return c, fmt.Errorf("registration: key: %w", err)
		}
	}
	if len(c.Key) < minKey {
		return c, fmt.Errorf("registration: Key has %d bytes, at least %d are needed", len(c.Key), minKey)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// Registry looks registrations up. It is safe for use by many at once.
type Registry struct {
	cfg Config

	mu      sync.Mutex
	answers answers
	flights map[key]*flight
}

// New makes a registry. It starts nothing: there is nothing to close.
func New(cfg Config) (*Registry, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &Registry{cfg: cfg, flights: make(map[key]*flight)}
	r.answers.max = cfg.MaxEntries
	return r, nil
}

// key is a keyed hash of service and identifier, cut to 128 bits.
type key [16]byte

func (r *Registry) key(service sf1601.Service, id gateway.Identifier) key {
	h := hmac.New(sha256.New, r.cfg.Key)
	// Neither a service nor a scheme holds a NUL, so no two questions are the same text. A hash never fails to write.
	_, _ = io.WriteString(h, string(service)+"\x00"+string(id.Scheme())+"\x00"+id.Reveal())
	var k key
	copy(k[:], h.Sum(nil))
	return k
}

// Registered reports whether id can be reached on service. With fresh, no kept answer is given: the far end is asked,
// or a question to it that is already under way is waited for.
//
// It fails with ErrQuestion when there is nothing to ask, with the error of ctx when the caller leaves, and with the
// far end's *sf1601.Error otherwise; none of them means "not registered". An error text holds no identifier.
func (r *Registry) Registered(ctx context.Context, service sf1601.Service, id gateway.Identifier, fresh bool) (bool, error) {
	if id.IsZero() || service != sf1601.DigitalPost && service != sf1601.NemSMS {
		return false, ErrQuestion
	}
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("registration: %w", err)
	}
	k := r.key(service, id)
	r.mu.Lock()
	if !fresh {
		if registered, found := r.answers.get(k, r.cfg.Now()); found {
			r.mu.Unlock()
			return registered, nil
		}
	}
	f, underWay := r.flights[k]
	if !underWay {
		f = r.start(ctx, k, service, id)
	}
	f.waiting++
	r.mu.Unlock()
	return r.wait(ctx, k, f)
}

// flight is one question under way. Its waiting is guarded by the registry's mu; registered and err are set before
// done is closed.
type flight struct {
	done       chan struct{}
	cancel     context.CancelFunc
	waiting    int // callers who want the answer
	registered bool
	err        error
}

// start asks the far end. The question is nobody's alone, so it has the first caller's values but not their deadline.
// The caller holds mu.
func (r *Registry) start(ctx context.Context, k key, service sf1601.Service, id gateway.Identifier) *flight {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Timeout)
	f := &flight{done: make(chan struct{}), cancel: cancel}
	r.flights[k] = f
	go func() {
		defer cancel()
		registered, err := r.cfg.Forespoerg.PostForespoerg(ctx, service,
			sf1601.Identifier{Type: memo.IDType(id.Scheme()), Value: id.Reveal()})
		r.land(k, f, registered, err)
	}()
	return f
}

// land keeps the answer and tells those who wait. The answer to a question called off is not kept: a later one may be
// there already.
func (r *Registry) land(k key, f *flight, registered bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flights[k] == f {
		delete(r.flights, k)
		if err == nil && r.cfg.Life > 0 {
			now := r.cfg.Now()
			r.answers.put(k, registered, now, now.Add(r.cfg.Life))
		}
	}
	f.registered, f.err = registered && err == nil, err
	close(f.done)
}

// wait waits for the answer. The last caller to leave calls the question off.
func (r *Registry) wait(ctx context.Context, k key, f *flight) (bool, error) {
	select {
	case <-f.done:
		return f.registered, f.err
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		if r.flights[k] == f {
			delete(r.flights, k) // who comes now starts anew instead of sharing a question called off
		}
	}
	return false, fmt.Errorf("registration: %w", ctx.Err())
}
