package serve

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/oklog/ulid/v2"

	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/documents"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/queue"
	"github.com/brevdue/brevdue/gateway/window"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/signature"
)

// defaultConcurrency is how many letters of a channel may be on their way at once.
const defaultConcurrency = 20

// open makes everything that Close will have to close again.
func (a *App) open(ctx context.Context) error {
	var err error
	a.journal, err = journal.Open(ctx, a.cfg.Journal.URL, journal.Options{Create: true, Migrate: a.opts.Migrate, Logger: a.log})
	if errors.Is(err, journal.ErrPendingMigration) {
		return config.Errors{{Key: "journal.url", Text: err.Error(), Hint: "run: brevdue migrate --config FILE"}}
	}
	if err != nil {
		return err
	}
	if a.documents, err = documents.Open(a.cfg.Documents.URL, documents.Options{}); err != nil {
		return err
	}
	a.queue, err = queue.Open(ctx, queue.Config{
		URL: a.cfg.Queue.URL, Secret: rand.Text(), Now: time.Now, Logger: a.log.With("part", "queue"),
	})
	if err != nil {
		return config.Errors{{Key: "queue.url", Text: err.Error(), Hint: "is Redis running, and does it take this user and password?"}}
	}
	if err := a.openClient(); err != nil {
		return err
	}
	a.gateway, err = a.newGateway()
	return err
}

// openClient makes the SF1601 client and its signer, which keeps every signature in the journal before it is used.
func (a *App) openClient() error {
	s := a.cfg.Serviceplatformen
	cert, key, err := a.cfg.Certificate()
	if err != nil {
		return config.Errors{{Key: key, Text: err.Error()}}
	}
	endpoints := sf1601.Endpoints{STS: s.STSURL, Base: s.BaseURL}
	if s.Environment != "custom" {
		if endpoints, err = sf1601.Environment(s.Environment); err != nil {
			return err
		}
	}
	a.signer, err = signature.NewBatcher(signature.BatcherConfig{
		Certificate: cert, NewUUID: uuid.NewString, Now: time.Now, Keep: a.keep,
	})
	if err != nil {
		return err
	}
	cfg := sf1601.Config{
		Endpoints: endpoints, Certificate: cert, CVR: s.CVR, Signature: signature.Mode(s.Signature),
		Signer: a.signer, MemoVersion: memo.Version(s.MemoVersion), Now: time.Now, NewUUID: uuid.NewString,
		MaxConns: max(sf1601.DefaultMaxConns, a.concurrency(digitalpost.Name)),
	}
	if s.CAFile != "" {
		if cfg.RootCAs, err = config.Pool(s.CAFile, true); err != nil {
			return err
		}
	}
	a.client, err = sf1601.New(cfg)
	return err
}

// keep stores a signed manifest in the journal.
func (a *App) keep(ctx context.Context, m signature.Manifest) error {
	e := gateway.Evidence{ID: m.ID, XML: m.XML, SignedAt: m.SignedAt, Letters: make([]gateway.EvidenceLetter, len(m.Entries))}
	for n, entry := range m.Entries {
		e.Letters[n] = gateway.EvidenceLetter{AttemptID: entry.Reference, Digest: entry.Digest}
	}
	return a.gateway.KeepEvidence(ctx, e)
}

func (a *App) newGateway() (*gateway.Gateway, error) {
	s := a.cfg.Serviceplatformen
	windows := make(map[string]window.Window, len(a.cfg.Windows))
	names := make([]string, 0, len(a.cfg.Windows))
	for name, spec := range a.cfg.Windows {
		w, err := spec.Parse()
		if err != nil {
			return nil, fmt.Errorf("windows.%s: %w", name, err)
		}
		windows[name], names = w, append(names, name)
	}
	policy, err := a.policy(digitalpost.Name, windows)
	if err != nil {
		return nil, err
	}
	return gateway.New(gateway.Config{
		Journal: a.journal, Documents: a.documents, Queue: a.queue,
		Channels: []gateway.Channel{digitalpost.New(digitalpost.Config{
			Afsender: a.client, MemoVersion: memo.Version(s.MemoVersion), KLEVersion: s.KLEVersion,
		})},
		Policies: map[string]gateway.Policy{digitalpost.Name: policy},
		Senders:  senders(a.cfg.Senders), Windows: names,
		Now: time.Now, NewID: newID, NewUUID: uuid.NewString, Jitter: mathrand.Float64,
		Worker: worker(), Logger: a.log,
	})
}

// policy turns a channel's settings into the gateway's terms.
func (a *App) policy(name string, windows map[string]window.Window) (gateway.Policy, error) {
	c := a.cfg.Channels[name]
	p := gateway.Policy{
		OnUnknown: gateway.OnUnknown(c.OnUnknown), UnknownWait: c.UnknownWait, GiveUpAfter: c.GiveUpAfter,
		RetryFirst: c.RetryFirst, RetryMax: c.RetryMax,
	}
	perSecond, err := c.PerSecond()
	if err != nil {
		return p, fmt.Errorf("channels.%s.rate: %w", name, err)
	}
	if perSecond > 0 {
		p.Pace = a.queue.Pacer(name, perSecond)
	}
	if len(windows) > 0 {
		p.Opens = func(asked string, now time.Time) time.Time {
			if asked == "" {
				asked = c.Window
			}
			if w, known := windows[asked]; known {
				return w.Opens(now)
			}
			return now
		}
	}
	return p, nil
}

func (a *App) concurrency(channel string) int {
	if n := a.cfg.Channels[channel].Concurrency; n > 0 {
		return n
	}
	return defaultConcurrency
}

func senders(profiles map[string]config.Sender) map[string]gateway.Sender {
	out := make(map[string]gateway.Sender, len(profiles))
	for name, p := range profiles {
		cvr, _ := gateway.ParseCVR(p.CVR) // checked with the configuration
		out[name] = gateway.Sender{
			Name: name, CVR: cvr, Label: p.Label, Forsendelsestype: p.Forsendelsestype, From: p.From,
			ContactPoint: gateway.ContactPoint{ID: p.ContactPoint.ID, Group: p.ContactPoint.Group, Label: p.ContactPoint.Label},
		}
	}
	return out
}

// newID makes a sortable, unguessable id: prefix, underscore, ULID.
func newID(prefix string) string { return prefix + "_" + ulid.Make().String() }

// worker names this process among the others, over restarts too.
func worker() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "." + strconv.Itoa(os.Getpid()) + "." + rand.Text()[:8]
}

// discard is the logger of a process that was given none.
func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
