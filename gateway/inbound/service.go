package inbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/hygiene"
	"github.com/brevdue/brevdue/gateway/routing"
)

// The pace of delivery where [Config] is silent.
const (
	// DefaultRetryFirst and DefaultRetryMax bound the pauses between attempts at a target that does not answer.
	DefaultRetryFirst = 5 * time.Second
	DefaultRetryMax   = 15 * time.Minute
	// DefaultAttempt is how long one attempt at a target may take.
	DefaultAttempt = 10 * time.Minute
	// DefaultLease is how long a worker may be silent before another one takes its posts. It is extended during an attempt.
	DefaultLease = 20 * time.Second
	// sweepGrace is how long a due post may wait for a worker before the sweep looks whether the queue has it.
	sweepGrace = 5 * time.Second
	sweepPage  = 500
)

// Documents is what is needed of the document store.
type Documents interface {
	Open(ctx context.Context, sha256 string) (io.ReadCloser, error)
	// Stage writes a document without giving it its name.
	Stage(ctx context.Context, r io.Reader, limit int64) (Staged, error)
}

// Staged is a document that is in the store and not yet there for anybody.
type Staged interface {
	SHA256() string
	Size() int64
	// Open reads it from its first byte.
	Open(ctx context.Context) (io.ReadCloser, error)
	// Keep gives it its name, durably. Drop removes it; after Keep it does nothing.
	Keep(ctx context.Context) error
	Drop() error
}

// Queue brings post ids to workers. It may lose everything; Sweep fills it again.
type Queue interface {
	EnqueuePost(ctx context.Context, p gateway.DuePost) error
	EnsurePost(ctx context.Context, p gateway.DuePost) error
}

// VirusScanner looks for malware. Package hygiene/clamd has one.
type VirusScanner interface {
	// Scan reads a document to its end. found is the name of what is in it, "" when it is clean.
	Scan(ctx context.Context, r io.Reader) (found string, err error)
}

// OnFlag says what becomes of a post with a flagged document.
type OnFlag string

// The settings of OnFlag. Malware is never delivered: with Deliver it goes to quarantine.
const (
	Quarantine OnFlag = "quarantine" // accepted, and kept until a person releases or closes it
	Refuse     OnFlag = "refuse"     // the same, and its sender is answered with a refusal
	Deliver    OnFlag = "deliver"    // delivered with the findings noted
)

// Config is what a [Service] is made of. Journal, Documents, Queue, Rules, Now, NewID, NewUUID and Worker are required.
type Config struct {
	Journal   gateway.Journal
	Documents Documents
	Queue     Queue
	Rules     *routing.Rules
	Targets   map[string]Target // by name, one for every target of Rules
	Scanner   VirusScanner      // nil: nothing is scanned for malware

	Hygiene hygiene.Options // what flags a document
	OnFlag  OnFlag          // what becomes of a post with a flagged document; default Quarantine
	// DocumentURL is where a document can be fetched over the API; nil: nowhere.
	DocumentURL func(postID string, n int) string

	RetryFirst, RetryMax, Lease, Attempt time.Duration

	Now     func() time.Time
	NewID   func(prefix string) string
	NewUUID func() string
	Jitter  func() float64 // in [0,1): spreads retries; nil: none
	Worker  string
	Logger  *slog.Logger // nil: none
}

// Service is the use cases of inbound post. It is safe for concurrent use and holds no state of its own.
type Service struct{ cfg Config }

// New checks the configuration and makes a Service.
func New(cfg Config) (*Service, error) {
	for name, missing := range map[string]bool{
		"Journal": cfg.Journal == nil, "Documents": cfg.Documents == nil, "Queue": cfg.Queue == nil, "Rules": cfg.Rules == nil,
		"Now": cfg.Now == nil, "NewID": cfg.NewID == nil, "NewUUID": cfg.NewUUID == nil, "Worker": cfg.Worker == "",
	} {
		if missing {
			return nil, fmt.Errorf("inbound: config %s is missing", name)
		}
	}
	for _, t := range cfg.Rules.Targets() {
		if cfg.Targets[t.Name] == nil {
			return nil, fmt.Errorf("inbound: target %s of the rules is missing", t.Name)
		}
	}
	now := cfg.Now
	cfg.Now = func() time.Time { return now().UTC().Truncate(time.Microsecond) }
	if cfg.Jitter == nil {
		cfg.Jitter = func() float64 { return 0 }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&cfg.RetryFirst, DefaultRetryFirst}, {&cfg.RetryMax, DefaultRetryMax},
		{&cfg.Lease, DefaultLease}, {&cfg.Attempt, DefaultAttempt},
	} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	if cfg.OnFlag == "" {
		cfg.OnFlag = Quarantine
	}
	return &Service{cfg: cfg}, nil
}

// Sweep offers due posts that nobody works on to the queue again.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	due, err := s.cfg.Journal.DuePosts(ctx, s.cfg.Now().Add(-sweepGrace), sweepPage)
	if err != nil {
		return 0, fmt.Errorf("find due posts: %w", err)
	}
	for n, p := range due {
		if err := s.cfg.Queue.EnsurePost(ctx, p); err != nil {
			return n, fmt.Errorf("requeue posts: %w", err)
		}
	}
	return len(due), nil
}

// event writes a line of the story of p.
func (s *Service) event(tx gateway.Tx, p *gateway.Post, target, code, text, by string) error {
	return tx.InsertPostEvent(&gateway.PostEvent{
		At: s.cfg.Now(), PostID: p.ID, State: p.State, Target: target, Code: code, Text: text, By: by,
	})
}

// enqueue hands a post to the queue. A queue that refuses is no error: the sweep brings the post back.
func (s *Service) enqueue(ctx context.Context, p *gateway.Post) {
	if p.State != gateway.PostQueued {
		return
	}
	if err := s.cfg.Queue.EnqueuePost(ctx, gateway.DuePost{ID: p.ID, DueAt: p.DueAt}); err != nil {
		s.cfg.Logger.WarnContext(ctx, "enqueue failed, the sweep will repeat it", "post", p.ID, "error", err)
	}
}

// load reads a post and what its parcel needs.
func (s *Service) parcel(ctx context.Context, p *gateway.Post) (*Parcel, error) {
	_, receipt, err := s.cfg.Journal.PostReceipt(ctx, p.MessageUUID)
	if err != nil {
		return nil, fmt.Errorf("receipt of %s: %w", p.ID, err)
	}
	return &Parcel{
		Post: p, Receipt: receipt,
		Memo: func(ctx context.Context) (io.ReadCloser, error) { return s.cfg.Documents.Open(ctx, p.Memo.SHA256) },
		Document: func(ctx context.Context, n int) (io.ReadCloser, error) {
			if n < 0 || n >= len(p.Documents) {
				return nil, errDocument
			}
			return s.cfg.Documents.Open(ctx, p.Documents[n].SHA256)
		},
		DocumentURL: func(n int) string {
			if s.cfg.DocumentURL == nil {
				return ""
			}
			return s.cfg.DocumentURL(p.ID, n)
		},
	}, nil
}

var errDocument = errors.New("the post has no such document")
