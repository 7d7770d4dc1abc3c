package access

import (
	"context"
	"log/slog"
	"time"
)

// Action is what somebody did.
type Action string

// The actions. Those of reading are written down before the first byte is given, those of deciding before it is done.
const (
	ReadEvidence Action = "evidence.read"
	ReadReceipt  Action = "receipt.read"  // a status as it came
	ReadPost     Action = "post.read"     // the MeMo of an inbound post, or its facts
	ReadDocument Action = "document.read" // of an inbound post

	LoggedIn     Action = "login"
	LoginRefused Action = "login.refused"
	LoggedOut    Action = "logout"

	ReleaseMessage Action = "message.release"
	CloseMessage   Action = "message.close"
	RematchAll     Action = "receipt.rematch"
	MatchReceipt   Action = "receipt.match"
	RetryReceipt   Action = "receipt.retry"
	RedeliverPost  Action = "post.redeliver"
	ReroutePost    Action = "post.reroute"
	ReleasePost    Action = "post.release"
	ClosePost      Action = "post.close"
)

// Entry is who did or read what, and why. It holds no word of a letter.
type Entry struct {
	At     time.Time
	Who    string // name of the producer or operator
	How    How
	Action Action
	Object string // id of what it was about, and where there are several the number: "inb_01J/2"
	Reason string // that the person gave, or of a Refusal; may be ""
}

// Audit writes an entry down. Where it returns an error, what the entry tells of must not happen.
type Audit func(ctx context.Context, e Entry) error

// LogAudit writes entries to a log: what there is where no audit trail is kept. The reason stays out of it, because a person
// wrote it.
func LogAudit(log *slog.Logger) Audit {
	return func(ctx context.Context, e Entry) error {
		log.InfoContext(ctx, "audit", "who", e.Who, "how", string(e.How), "action", string(e.Action),
			"object", e.Object, "at", e.At.UTC())
		return nil
	}
}
