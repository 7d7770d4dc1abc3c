package access

import (
	"context"
	"sync"
	"time"
)

// Once remembers ids for a while: sessions that were ended, forms that were sent, logins that were finished. Ids are random
// or hashes and tell nothing. Processes that serve the same console share one.
type Once interface {
	// Mark remembers an id until a time. first is true for one caller only.
	Mark(ctx context.Context, id string, until time.Time) (first bool, err error)
	// Marked reports whether it is remembered.
	Marked(ctx context.Context, id string) (bool, error)
}

// Memory is a [Once] for one process.
type Memory struct {
	now func() time.Time

	mu    sync.Mutex
	ids   map[string]time.Time // when each is forgotten
	sweep int                  // how many there may be before old ones are looked for
}

var _ Once = (*Memory)(nil)

// NewMemory makes one; now nil: time.Now.
func NewMemory(now func() time.Time) *Memory {
	if now == nil {
		now = time.Now
	}
	return &Memory{now: now, ids: make(map[string]time.Time), sweep: 1024}
}

// Mark is Once.
func (m *Memory) Mark(_ context.Context, id string, until time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if old, known := m.ids[id]; known && now.Before(old) {
		return false, nil
	}
	if len(m.ids) >= m.sweep {
		for id, until := range m.ids {
			if !now.Before(until) {
				delete(m.ids, id)
			}
		}
		m.sweep = max(1024, 2*len(m.ids))
	}
	m.ids[id] = until
	return true, nil
}

// Marked is Once.
func (m *Memory) Marked(_ context.Context, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	until, known := m.ids[id]
	return known && m.now().Before(until), nil
}
