package sf1606

import (
	"sync"
	"time"
)

// later remembers which messages are left alone until when. It forgets those that are not listed any more.
type later struct {
	now            func() time.Time
	shortest       time.Duration
	longest, alone time.Duration

	mu    sync.Mutex
	until map[string]pause
}

type pause struct {
	failures int
	until    time.Time
}

func newLater(cfg NgDPConfig) *later {
	return &later{
		now: cfg.Now, shortest: cfg.BackoffMin, longest: cfg.BackoffMax, alone: cfg.RefusedPause, until: map[string]pause{},
	}
}

// backoff doubles from shortest to longest.
func (l *later) backoff(failures int) time.Duration {
	d := l.shortest << min(failures-1, 30)
	if d <= 0 || d > l.longest {
		d = l.longest
	}
	return d
}

// due are those of ids that are not left for later.
func (l *later) due(ids []string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, kept, due := l.now(), make(map[string]pause, len(l.until)), make([]string, 0, len(ids))
	for _, id := range ids {
		p, found := l.until[id]
		if found {
			kept[id] = p
		}
		if !found || !now.Before(p.until) {
			due = append(due, id)
		}
	}
	l.until = kept
	return due
}

// next is how long it is until a message that failed is due again.
func (l *later) next() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, first := l.now(), l.longest
	for _, p := range l.until {
		first = min(first, max(p.until.Sub(now), 0))
	}
	return first
}

func (l *later) failed(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.until[id]
	p.failures++
	p.until = l.now().Add(l.backoff(p.failures))
	l.until[id] = p
}

// rest leaves a message alone for long: its receipt was taken, and yet it stays.
func (l *later) rest(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until[id] = pause{until: l.now().Add(l.alone)}
}

func (l *later) done(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.until, id)
}
