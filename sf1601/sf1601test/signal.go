package sf1601test

import "sync"

// signal wakes everybody who waits for the next change. Firing with nobody
// waiting costs a lock.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

// next is closed by the next fire. Take it before looking at the state.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
