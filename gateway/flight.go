package gateway

import "sync"

// flights are the attempts of this process that are being sent: booked, and their outcome not recorded. An open attempt of
// this process that is not among them is nobody's: its booking was told of as failed although it held, or its outcome could
// not be recorded. Sweep takes it over.
type flights struct {
	mu  sync.Mutex
	ids map[string]bool
}

// begin notes an attempt before its booking can be seen by anybody.
func (f *flights) begin(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ids == nil {
		f.ids = make(map[string]bool)
	}
	f.ids[id] = true
}

// end forgets an attempt.
func (f *flights) end(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.ids, id)
}

// has reports whether an attempt is being sent.
func (f *flights) has(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ids[id]
}
