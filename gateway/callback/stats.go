package callback

import (
	"maps"
	"sync"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// Stats counts what this process did for one producer since it started. What waits in the journal is told by
// gateway.CallbackStats.
type Stats struct {
	Producer  string
	Delivered uint64            // attempts that were taken
	Failed    map[string]uint64 // attempts that failed, by word; see Failures
	GivenUp   uint64            // events given up
	Stale     uint64            // attempts that took longer than their claim
	InFlight  int               // calls under way now
	Calls     uint64            // calls that ended
	Took      time.Duration     // in all those calls
}

// Stats counts for every producer, in the order of their names.
func (c *Courier) Stats() []Stats {
	all := make([]Stats, 0, len(c.receivers))
	for _, name := range c.names() {
		r := c.receivers[name]
		s := r.counts.read()
		s.Producer = name
		all = append(all, s)
	}
	return all
}

// counts are the Stats of a receiver.
type counts struct {
	mu sync.Mutex
	s  Stats
}

func (c *counts) began() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.InFlight++
}

func (c *counts) took(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.InFlight--
	c.s.Calls++
	c.s.Took += d
}

func (c *counts) ended(cb *gateway.Callback, stale bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stale {
		c.s.Stale++
		return
	}
	if cb.State == gateway.CallbackDelivered {
		c.s.Delivered++
		return
	}
	if c.s.Failed == nil {
		c.s.Failed = make(map[string]uint64)
	}
	c.s.Failed[cb.Failure]++
	if cb.State == gateway.CallbackGivenUp {
		c.s.GivenUp++
	}
}

func (c *counts) read() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.s
	s.Failed = maps.Clone(s.Failed)
	return s
}
