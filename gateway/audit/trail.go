package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// Itself is who acts when nobody asked for it.
const Itself = "brevdue"

// The actions that the gateway itself and its commands write down. Those of API and console are listed in gateway/access.
const (
	Started       = "process.started" // Object: SHA-256 of the configuration
	KeysRotated   = "keys.rotate"
	RetentionRun  = "retention.run"
	RetentionPage = "retention.erase"
	HoldSet       = "hold.set"
	HoldReleased  = "hold.release"
)

// The bounds of an entry's texts, in bytes. What is longer is cut.
const (
	maxName   = 200
	maxObject = 500
	maxReason = 4 * gateway.MaxReason
)

// Config is what a trail needs.
type Config struct {
	Journal gateway.Journal
	Now     func() time.Time
	Salt    func() []byte // random bytes, at least 16
	From    string        // role and process
}

// Trail writes entries. It is safe for concurrent use.
type Trail struct{ cfg Config }

// New checks the configuration and makes a Trail.
func New(cfg Config) (*Trail, error) {
	if cfg.Journal == nil || cfg.Now == nil || cfg.Salt == nil || cfg.From == "" {
		return nil, errors.New("audit: config Journal, Now, Salt or From is missing")
	}
	return &Trail{cfg: cfg}, nil
}

// Write appends an entry durably. A zero At is now, an empty From the trail's own. Seq and Hash are set.
func (t *Trail) Write(ctx context.Context, e *gateway.AuditEntry) error {
	if err := t.complete(e); err != nil {
		return err
	}
	err := t.cfg.Journal.Update(ctx, func(tx gateway.Tx) error { return tx.InsertAudit(e) })
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// In appends an entry in a transaction, as the last thing that is done in it.
func (t *Trail) In(tx gateway.Tx, e *gateway.AuditEntry) error {
	if err := t.complete(e); err != nil {
		return err
	}
	return tx.InsertAudit(e)
}

func (t *Trail) complete(e *gateway.AuditEntry) error {
	if e.Who == "" || e.Action == "" {
		return errors.New("audit: an entry without who or what")
	}
	if e.At.IsZero() {
		e.At = t.cfg.Now()
	}
	e.At = e.At.UTC().Truncate(time.Microsecond)
	if e.From == "" {
		e.From = t.cfg.From
	}
	for _, s := range []*string{&e.Who, &e.How, &e.Action, &e.From} {
		*s = text(*s, maxName)
	}
	e.Object, e.Reason = text(e.Object, maxObject), text(e.Reason, maxReason)
	if e.Reason != "" && e.Salt == nil {
		e.Salt = t.cfg.Salt()
	}
	return nil
}

// text is s as every database stores it: UTF-8 without NUL, at most so many bytes.
func text(s string, limit int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return s
}
