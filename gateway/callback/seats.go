package callback

import "sync"

// seats bound the calls to one receiver. Nobody waits for one: who sits looks for more to do before he leaves, and once
// more when somebody was turned away meanwhile.
type seats struct {
	all int

	mu         sync.Mutex
	taken      int
	turnedAway bool
}

// take reports whether there was a seat.
func (s *seats) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken == s.all {
		s.turnedAway = true
		return false
	}
	s.taken++
	return true
}

// leave gives the seat back and reports whether somebody was turned away since the last one who left.
func (s *seats) leave() (again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	again, s.turnedAway = s.turnedAway, false
	return again
}

func (s *seats) inUse() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}
