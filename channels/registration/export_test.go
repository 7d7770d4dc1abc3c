package registration

import (
	"fmt"
	"strings"
)

// Waiting is how many callers wait for an answer.
func Waiting(r *Registry) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, f := range r.flights {
		n += f.waiting
	}
	return n
}

// Entries is how many answers are kept, and no less than what is kept about them.
func Entries(r *Registry) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(len(r.answers.byKey), len(r.answers.order))
}

// Held prints all that the registry keeps between calls, as text and as bytes.
func Held(r *Registry) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var text strings.Builder
	fmt.Fprintf(&text, "%+v %+v", r.answers, r.flights)
	for k := range r.answers.byKey {
		text.Write(k[:])
	}
	return text.String()
}
