package retention

import (
	"cmp"
	"slices"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// Inbound is the sender that a report names for inbound post.
const Inbound = "(inbound)"

// Line counts one stage of one sender.
type Line struct {
	Sender string // name of the profile, or Inbound
	Stage  gateway.Stage
	Erased int       // intents or posts that were erased, or would be
	Held   int       // that are due and under a legal hold
	Oldest time.Time // earliest final status among them
}

// Report is what a run did, or would do.
type Report struct {
	Lines   []Line // by sender and stage; those without anything are left out
	Uploads int    // that were forgotten
	// Removed is how many documents left the store. Of a plan: how many are looked at; those that something names stay.
	Removed int
	// Failed is how many things could not be erased; the log says why.
	Failed int
}

// Same reports whether two reports count the same, but for documents, which follow later.
func (r *Report) Same(other *Report) bool {
	return slices.Equal(r.Lines, other.Lines) && r.Uploads == other.Uploads
}

// add counts one thing.
func (r *Report) add(sender string, stage gateway.Stage, finalAt time.Time, held bool) {
	n, found := slices.BinarySearchFunc(r.Lines, Line{Sender: sender, Stage: stage}, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Sender, b.Sender), cmp.Compare(a.Stage, b.Stage))
	})
	if !found {
		r.Lines = slices.Insert(r.Lines, n, Line{Sender: sender, Stage: stage, Oldest: finalAt})
	}
	l := &r.Lines[n]
	if finalAt.Before(l.Oldest) {
		l.Oldest = finalAt
	}
	if held {
		l.Held++
	} else {
		l.Erased++
	}
}
