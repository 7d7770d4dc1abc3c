package serve

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/audit"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/retention"
)

// scrubEvery is how often the log of SQLite is written back and cut off, so that what was erased leaves it.
const scrubEvery = time.Hour

// NewTrail makes the audit trail of a journal. from tells the process and what it does.
func NewTrail(j gateway.Journal, from string) (*audit.Trail, error) {
	return audit.New(audit.Config{
		Journal: j, Now: time.Now, Salt: func() []byte { return []byte(rand.Text()) }, From: from,
	})
}

// NewRetention makes what erases, as the configuration says. docs is nil where no document is to be removed.
func NewRetention(
	cfg *config.Config, j gateway.Journal, docs gateway.Documents, trail *audit.Trail, log *slog.Logger,
) (*retention.Runner, error) {
	c := retention.Config{
		Journal: j, Trail: trail, Policy: cfg.Retention.Policy(), Grace: cfg.Retention.Grace, Rate: cfg.Retention.Rate,
		Now: time.Now, NewID: newID, Worker: worker(), Logger: log,
	}
	if r, is := Remover(docs); is {
		c.Documents = r
	} else if docs != nil && !c.Policy.Empty() {
		log.Warn("this document store cannot remove documents: those that nothing names any more stay in it")
	}
	return retention.New(c)
}

// Remover is the store as what can let go of a document.
func Remover(docs gateway.Documents) (gateway.Remover, bool) {
	if r, is := docs.(gateway.Remover); is {
		return r, true
	}
	if s, is := docs.(interface{ unwrap() gateway.Documents }); is {
		r, is := s.unwrap().(gateway.Remover)
		return r, is
	}
	return nil, false
}

// unwrap is the engine behind a store.
func (s store[S]) unwrap() gateway.Documents { return s.engine }

// openTrail makes the audit trail and what erases, and writes down with which configuration this process begins.
func (a *App) openTrail(ctx context.Context) error {
	var err error
	if a.trail, err = NewTrail(a.journal, strings.Join(a.opts.Roles, "+")+" "+worker()); err != nil {
		return err
	}
	if a.retention, err = NewRetention(a.cfg, a.journal, a.documents, a.trail, a.log.With("part", "retention")); err != nil {
		return config.Errors{{Key: "retention", Text: err.Error()}}
	}
	sum, err := configDigest(a.cfg)
	if err != nil {
		return err
	}
	return a.trail.Write(ctx, &gateway.AuditEntry{
		Who: audit.Itself, How: "start", Action: audit.Started, Object: fmt.Sprintf("config %s version %s", sum, a.opts.Version),
	})
}

// configDigest tells one configuration from another: the SHA-256 of its keys and values as they are in force.
func configDigest(cfg *config.Config) (string, error) {
	b, err := json.Marshal(cfg) //nolint:musttag // it is hashed, never read
	if err != nil {
		return "", fmt.Errorf("digest of the configuration: %w", err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(b)), nil
}

// audit writes down what API and console do, before they do it.
func (a *App) audit(ctx context.Context, e access.Entry) error {
	return a.trail.Write(ctx, &gateway.AuditEntry{
		At: e.At, Who: orNobody(e.Who), How: string(e.How), Action: string(e.Action), Object: e.Object, Reason: e.Reason,
	})
}

// orNobody names whoever did not say who they are: the name that a refused login was tried with is not kept.
func orNobody(who string) string {
	if who == "" {
		return "(nobody)"
	}
	return who
}

// startRetention erases every night, where the configuration has periods.
func (a *App) startRetention(ctx context.Context, group *errgroup.Group) {
	policy := a.cfg.Retention.Policy()
	if policy.Empty() {
		a.log.InfoContext(ctx, "nothing is ever erased: the configuration has no retention")
		return
	}
	hour, minute := a.cfg.Retention.Night()
	group.Go(func() error {
		a.retention.Nightly(ctx, hour, minute, actions.Copenhagen())
		return nil
	})
	group.Go(func() error {
		every(ctx, scrubEvery, func() { scrub(ctx, a.journal, a.log) })
		return nil
	})
}

// scrub takes what was erased out of the files of the journal, if nobody is in the way.
func scrub(ctx context.Context, j *journal.Journal, log *slog.Logger) {
	if err := j.Scrub(ctx); err != nil && ctx.Err() == nil {
		log.DebugContext(ctx, "scrub, it will be repeated", "error", err)
	}
}
