package signature

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Defaults of BatcherConfig.
const (
	DefaultWindow      = 20 * time.Millisecond
	DefaultMax         = 512
	DefaultKeepTimeout = 30 * time.Second
)

// ErrClosed is what Sign gives after Close.
var ErrClosed = errors.New("signature: the batcher is closed")

// Keep stores a signed manifest durably. It is called once per manifest, before
// Sign returns to any letter of it; when it fails, no letter of it is sent.
type Keep func(ctx context.Context, m Manifest) error

// BatcherConfig says how letters share signatures.
type BatcherConfig struct {
	Certificate tls.Certificate // system certificate with its RSA key; required
	Keep        Keep            // durable store; required
	NewUUID     func() string   // ids of manifests; required

	// Window is the shortest time between the starts of two signatures, so that
	// letters in between share one. 0 means DefaultWindow; negative means none.
	Window time.Duration
	// Max is the most letters in one manifest; 0 means DefaultMax. Letters
	// beyond it wait for the next.
	Max int
	// KeepTimeout bounds one call of Keep; 0 means DefaultKeepTimeout.
	KeepTimeout time.Duration
	// Now stamps manifests; nil means time.Now.
	Now func() time.Time
}

// Batcher signs letters, several with one RSA signature when they come close
// together. A letter that comes alone is signed at once. While a signature is
// made, or within the window after the last one started, letters gather and
// share the next. At most one signature is being made at any time.
type Batcher struct {
	key     *Key
	cfg     BatcherConfig
	base    context.Context //nolint:containedctx // lifetime of the batcher: Keep must not die with one caller
	stop    context.CancelFunc
	full    chan struct{} // one place: Max letters wait
	closing chan struct{} // closed by Close
	workers sync.WaitGroup

	mu      sync.Mutex
	waiting []*letter
	running bool // a worker takes care of waiting
	closed  bool
}

// letter is one call of Sign.
type letter struct {
	entry Entry
	done  chan result // one place: the worker never waits for a caller
}

type result struct {
	manifest *Manifest
	err      error
}

// NewBatcher checks the configuration. Close ends it.
func NewBatcher(cfg BatcherConfig) (*Batcher, error) {
	key, err := NewKey(cfg.Certificate)
	if err != nil {
		return nil, err
	}
	if cfg.Keep == nil || cfg.NewUUID == nil {
		return nil, errors.New("signature: batcher: Keep and NewUUID are required")
	}
	if cfg.Window == 0 {
		cfg.Window = DefaultWindow
	}
	if cfg.Max <= 0 {
		cfg.Max = DefaultMax
	}
	if cfg.KeepTimeout <= 0 {
		cfg.KeepTimeout = DefaultKeepTimeout
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	base, stop := context.WithCancel(context.Background())
	return &Batcher{key: key, cfg: cfg, base: base, stop: stop, full: make(chan struct{}, 1), closing: make(chan struct{})}, nil
}

// Key is the key the batcher signs with.
func (b *Batcher) Key() *Key { return b.key }

// Sign returns the kept manifest that lists e. When ctx ends first the caller
// leaves with ctx's cause; the other letters of the manifest are not disturbed
// (a letter that already is in the manifest then stays listed and unsent). A
// reference that is waiting already is refused.
func (b *Batcher) Sign(ctx context.Context, e Entry) (*Manifest, error) {
	if err := CheckReference(e.Reference); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("signature: %w", context.Cause(ctx))
	}
	l := &letter{entry: e, done: make(chan result, 1)}
	if err := b.enqueue(l); err != nil {
		return nil, err
	}
	select {
	case r := <-l.done:
		return r.manifest, r.err
	case <-ctx.Done():
		b.leave(l)
		return nil, fmt.Errorf("signature: %w", context.Cause(ctx))
	}
}

// Close refuses new letters, signs those that wait, and returns when nothing
// runs any more. It is safe to call more than once.
func (b *Batcher) Close() {
	b.mu.Lock()
	if !b.closed {
		b.closed = true
		close(b.closing)
	}
	b.mu.Unlock()
	b.workers.Wait()
	b.stop()
}

func (b *Batcher) enqueue(l *letter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	for _, other := range b.waiting {
		if other.entry.Reference == l.entry.Reference {
			return fmt.Errorf("signature: reference %s is being signed already", l.entry.Reference)
		}
	}
	b.waiting = append(b.waiting, l)
	if len(b.waiting) >= b.cfg.Max {
		b.hurry()
	}
	if !b.running {
		b.running = true
		b.workers.Go(b.run)
	}
	return nil
}

// leave takes a letter out again if no signature has begun for it.
func (b *Batcher) leave(l *letter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, other := range b.waiting {
		if other == l {
			b.waiting = slices.Delete(b.waiting, i, i+1)
			return
		}
	}
}

// hurry ends the worker's wait for the window.
func (b *Batcher) hurry() {
	select {
	case b.full <- struct{}{}:
	default:
	}
}

// run signs at once, and then batch after batch until nobody has come within
// the window.
func (b *Batcher) run() {
	for {
		batch := b.take()
		if batch == nil {
			return
		}
		window := time.NewTimer(max(0, b.cfg.Window))
		m, err := b.signAndKeep(batch)
		for _, l := range batch {
			l.done <- result{m, err}
		}
		select {
		case <-window.C:
		case <-b.full:
		case <-b.closing:
		}
		window.Stop()
	}
}

// take removes at most Max letters. With none left it ends the worker: nil.
func (b *Batcher) take() []*letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	select { // the mark of letters that are taken now must not hurry the next
	case <-b.full:
	default:
	}
	n := min(len(b.waiting), b.cfg.Max)
	if n == 0 {
		b.running = false
		return nil
	}
	batch := slices.Clone(b.waiting[:n])
	b.waiting = slices.Delete(b.waiting, 0, n)
	if len(b.waiting) >= b.cfg.Max {
		b.hurry()
	}
	return batch
}

func (b *Batcher) signAndKeep(batch []*letter) (*Manifest, error) {
	entries := make([]Entry, len(batch))
	for i, l := range batch {
		entries[i] = l.entry
	}
	m, err := b.key.sign(b.base, b.cfg.NewUUID(), entries, b.cfg.Now())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(b.base, b.cfg.KeepTimeout)
	defer cancel()
	if err := b.cfg.Keep(ctx, *m); err != nil {
		return nil, fmt.Errorf("signature: the manifest could not be kept: %w", err)
	}
	return m, nil
}
