package beskedfordeler

import (
	"sync"
	"time"
)

// PullState is how a Puller is doing, for health and metrics. Texts are fixed
// sentences; they quote no message.
type PullState struct {
	Connected bool      // subscribed to the queue
	Since     time.Time // of Connected; zero before the first Run
	// Problem is what is wrong now, empty when nothing is: why there is no
	// connection, or why the message in hand is not taken.
	Problem string
	// LastError is the last problem, also when it is over.
	LastError   string
	LastErrorAt time.Time
	TokenEnds   time.Time // of the token in use
	// LastMessageAt is when the last message was acknowledged.
	LastMessageAt time.Time

	Received    uint64 // messages the broker gave
	Redelivered uint64 // of these, given before and not acknowledged
	Settled     uint64 // delivered and acknowledged
	Quarantined uint64 // quarantined and acknowledged
	Retries     uint64 // calls of Deliver and Quarantine that failed
	Connections uint64 // logins that led to a subscription
	Reconnects  uint64 // of these, after a connection was lost
	Renewals    uint64 // of these, for a fresh token
}

// pullState guards a PullState.
type pullState struct {
	mu  sync.Mutex
	now PullState
}

func (s *pullState) copy() PullState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *pullState) update(f func(*PullState)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.now)
}
