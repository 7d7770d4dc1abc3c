package gateway

import (
	"context"
	"io"
	"time"
)

// Sender is a sender profile: who a letter is from.
type Sender struct {
	Name             string // the key in the configuration
	CVR              Identifier
	Label            string
	Forsendelsestype int    // ForsendelseTypeIdentifikator agreed with the print supplier; 0: none
	From             string // e-mail
	ContactPoint     ContactPoint
	// Window is the name of the send window of its letters, where the intent names none; "": the channel's.
	Window string
}

// ContactPoint is where a reply to a Digital Post letter lands (MeMo class ContactPoint). The zero value is none.
type ContactPoint struct{ ID, Group, Label string }

// Letter is what a [Channel] gets to check or to send.
type Letter struct {
	Intent  *Intent
	Sender  Sender
	Message Message // zero in Check
	Attempt Attempt // zero in Check
	// Open reads document i of the intent from its first byte, any number of times.
	Open func(ctx context.Context, i int) (io.ReadCloser, error)
}

// Channel adapts one protocol. It knows nothing of queues, retries or the journal.
type Channel interface {
	// Name is the word in an intent's routes.
	Name() string
	// Check returns everything that would keep the letter from being sent, with pointers into the request of
	// POST /v1/intents. It runs before an intent is accepted: nothing may be found invalid later.
	Check(ctx context.Context, letter Letter) []Problem
	// Send hands the letter over and classifies what happened. It never panics on bad answers and never returns
	// before it knows, or ctx ends.
	Send(ctx context.Context, letter Letter) Outcome
}

// Witness is a channel that keeps evidence of every letter before its first byte leaves. After a crash, an attempt of
// a Witness without evidence is known not to have left.
type Witness interface{ Witnesses() bool }

// LastWord is a channel whose far end says nothing after it has accepted a letter (a mail server, say): what it accepted
// counts as delivered, since no status will ever tell more.
type LastWord interface{ LastWord() bool }

// OnUnknown is what happens when a letter may have been accepted and no status came in time.
type OnUnknown string

// The settings of OnUnknown.
const (
	Resend OnUnknown = "resend" // the same letter with the same identity
	Hold   OnUnknown = "hold"   // a person decides
)

// Policy is how the gateway uses a channel.
type Policy struct {
	OnUnknown   OnUnknown     // default Resend
	UnknownWait time.Duration // how long a status may take before OnUnknown applies; default 2 minutes
	GiveUpAfter time.Duration // how long retries go on before a person is told; default 72 hours
	RetryFirst  time.Duration // first delay; default 2 seconds
	RetryMax    time.Duration // longest delay; default 15 minutes
	// NextAfter is how long a letter that the far end accepted may stay without a final status before the next channel of
	// its route takes over, once. Default 0: it may for ever. It holds for letters accepted while it is set.
	NextAfter time.Duration
	// OverdueAfter is how long a letter that the far end accepted may stay without a final status before that is noted, once:
	// an event, and a warning of Health. Nothing else changes, for business receipts of Digital Post have taken many hours.
	// Default: what the channel itself asks for (see StatusWithin), else 24 hours. Below zero: never.
	OverdueAfter time.Duration
	// Opens returns the first moment at or after now when the send window is open, now itself when it is. nil: always. It
	// must be a pure function of its arguments. The argument window is one of Config.Windows, that of the intent or else
	// of its sender; "" for the channel's.
	Opens func(window string, now time.Time) time.Time
	// Ramp is the time over which letters that waited for an opening leave after it, each at a random moment of it
	// (Config.Jitter), lest a night's letters arrive at the far end in the same second. Urgent ones leave at the opening. It
	// is shortened to half of a short opening, and to half of the time until a letter expires. Default 0: none; at most
	// LongestRamp.
	Ramp time.Duration
	// Resumes returns the first moment at or after now when the far end, if it is known to be down, is tried again; now
	// itself when it is not. nil: it is never known to be down.
	Resumes func(now time.Time) time.Time
	// Pace blocks until the channel's rate allows one more letter. nil: no limit.
	Pace func(ctx context.Context) error
}

// LongestRamp keeps what waited for an opening from being spread into the next one.
const LongestRamp = 12 * time.Hour

func (p Policy) withDefaults() Policy {
	p.Ramp = min(p.Ramp, LongestRamp)
	if p.OnUnknown == "" {
		p.OnUnknown = Resend
	}
	p.UnknownWait = orDefault(p.UnknownWait, 2*time.Minute)
	p.GiveUpAfter = orDefault(p.GiveUpAfter, 72*time.Hour)
	p.RetryFirst = orDefault(p.RetryFirst, 2*time.Second)
	p.RetryMax = orDefault(p.RetryMax, 15*time.Minute)
	return p
}

func orDefault(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}
