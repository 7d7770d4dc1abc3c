package targettest

import (
	"testing"

	"github.com/brevdue/brevdue/gateway/inbound"
)

// Mood is how a far end behaves.
type Mood string

// The moods.
const (
	Takes   Mood = "takes"
	Refuses Mood = "refuses" // this message, for good
	Busy    Mood = "busy"    // it says: not now
	Gone    Mood = "gone"    // nobody is there
)

// World is a target and its far end.
type World struct {
	Target inbound.Target
	// Set puts the far end in a mood; false: it does not know this mood.
	Set func(t *testing.T, m Mood) bool
	// Got tells what the far end has of a message, as often as it has it.
	Got func(t *testing.T, p *inbound.Parcel) []Copy
	// Traces names what is left of attempts that failed.
	Traces func(t *testing.T) []string
	// Tells says that the target can tell that it has a message.
	Tells bool
}

// Copy is what a far end has of one message, as SHA-256 in hexadecimal.
type Copy struct {
	Memo      string            // "": it did not get the MeMo
	Documents map[string]string // by safe name; nil: it did not get documents
	Links     []string          // to the documents
}
