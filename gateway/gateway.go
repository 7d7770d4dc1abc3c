package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Limits of what an intent may carry.
const (
	// MaxDocument is the most bytes of one document: what SF1601 takes as a whole letter.
	MaxDocument = 99_500_000
	// MaxInline is the most bytes of a document that lives in the journal row instead of the document store.
	MaxInline = 64 << 10
	// MaxText is the most characters of a title and of any other single-line text (MeMo 1.1 XSD, text of 256).
	MaxText = 256
	// MaxReference is the most characters of a producer's reference or dedupe key.
	MaxReference = 200
)

// Config is what a [Gateway] is made of. Journal, Documents, Queue, Now, NewID, NewUUID and Worker are required.
type Config struct {
	Journal   Journal
	Documents Documents
	Queue     Queue
	Channels  []Channel
	Policies  map[string]Policy // by channel name; a missing one has all defaults
	Senders   map[string]Sender // by name
	Windows   []string          // names an intent or a sender may ask for
	// ErrorCodes are what the far ends of the channels say, with what a person can do about it.
	ErrorCodes []ErrorCode
	// Registry knows who is registered for what. nil: nobody can be asked.
	Registry Registry
	// Callbacks says whose events are put out for telling; see package callback.
	Callbacks CallbackConfig
	// Systems are the ids that the far end uses for this user system, e.g. the RelateretObjekt of Beskedfordeler. A status
	// that matches no message and names other systems only is not ours: it is counted and not kept. None: every status is
	// taken for ours.
	Systems []string
	// ReadReceipt reads a status that is kept as it came, for those that could not be read when they came. nil: none is
	// read again. Its errors quote nothing of what it reads.
	ReadReceipt func(raw []byte) (Receipt, error)

	Now     func() time.Time
	NewID   func(prefix string) string // sortable, unguessable: prefix + ULID
	NewUUID func() string              // UUID v4
	Jitter  func() float64             // in [0,1): spreads retries; nil: none
	Worker  string                     // this process among others

	Logger *slog.Logger // nil: slog.DiscardHandler
}

// Gateway is the use cases. It is safe for concurrent use and holds no state of its own but counters, the pace of its
// watches and which attempts it is sending: the journal does.
type Gateway struct {
	journal   Journal
	documents Documents
	queue     Queue
	channels  map[string]Channel
	policies  map[string]Policy
	senders   map[string]Sender
	windows   map[string]bool
	codes     []ErrorCode
	hints     map[string]*ErrorCode // by code, into codes; not changed after New
	registry  Registry
	callbacks CallbackConfig
	now       func() time.Time
	newID     func(string) string
	newUUID   func() string
	jitter    func() float64
	worker    string
	log       *slog.Logger

	systems     []string
	readReceipt func([]byte) (Receipt, error)
	counts      counts
	watch       watch
	flights     flights
}

// New checks the configuration and makes a Gateway.
func New(cfg Config) (*Gateway, error) {
	for name, missing := range map[string]bool{
		"Journal": cfg.Journal == nil, "Documents": cfg.Documents == nil, "Queue": cfg.Queue == nil,
		"Now": cfg.Now == nil, "NewID": cfg.NewID == nil, "NewUUID": cfg.NewUUID == nil, "Worker": cfg.Worker == "",
	} {
		if missing {
			return nil, fmt.Errorf("gateway: config %s is missing", name)
		}
	}
	g := &Gateway{
		journal: cfg.Journal, documents: cfg.Documents, queue: cfg.Queue,
		channels: make(map[string]Channel), policies: make(map[string]Policy),
		senders: cfg.Senders, windows: make(map[string]bool),
		now:   func() time.Time { return cfg.Now().UTC().Truncate(time.Microsecond) },
		newID: cfg.NewID, newUUID: cfg.NewUUID, jitter: cfg.Jitter, worker: cfg.Worker, log: cfg.Logger,
		registry: cfg.Registry, systems: cfg.Systems, readReceipt: cfg.ReadReceipt,
	}
	if err := g.addCodes(cfg.ErrorCodes); err != nil {
		return nil, err
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if err := g.withOutbox(cfg.Callbacks); err != nil {
		return nil, err
	}
	if g.jitter == nil {
		g.jitter = func() float64 { return 0 }
	}
	for _, c := range cfg.Channels {
		if _, twice := g.channels[c.Name()]; twice {
			return nil, fmt.Errorf("gateway: channel %s is there twice", c.Name())
		}
		g.channels[c.Name()] = c
		g.policies[c.Name()] = cfg.Policies[c.Name()].withDefaults()
		g.setOverdue(c)
	}
	for _, w := range cfg.Windows {
		g.windows[w] = true
	}
	for name, s := range cfg.Senders {
		if s.Window != "" && !g.windows[s.Window] {
			return nil, fmt.Errorf("gateway: sender %s: there is no window %s", name, s.Window)
		}
	}
	return g, nil
}

// Intent returns an intent of the producer ("" for any) with its messages, and its events in order. ErrNotFound.
func (g *Gateway) Intent(ctx context.Context, producer, id string) (*Intent, []Event, error) {
	i, err := g.journal.IntentView(ctx, producer, id)
	if err != nil {
		return nil, nil, err
	}
	events, err := g.journal.MessageEvents(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	return i, events, nil
}

// Intents lists a producer's intents.
func (g *Gateway) Intents(ctx context.Context, f IntentFilter) ([]Intent, error) {
	return g.journal.Intents(ctx, f)
}

// Events returns up to limit events of the producer after the cursor.
func (g *Gateway) Events(ctx context.Context, producer string, after int64, limit int) ([]Event, error) {
	return g.journal.Events(ctx, producer, after, limit)
}

// Upload stores a document for a later intent of the producer. ErrTooLarge, and nothing stored, over MaxDocument; an
// empty document or a bad filename is *Invalid.
func (g *Gateway) Upload(ctx context.Context, producer, filename string, r io.Reader) (*Upload, error) {
	if ps := checkFilename("/filename", filename); len(ps) > 0 {
		return nil, &Invalid{Problems: ps}
	}
	sha, size, err := g.documents.Put(ctx, r, MaxDocument)
	if err != nil {
		return nil, err
	}
	if size == 0 {
		return nil, &Invalid{Problems: []Problem{{Pointer: "", Code: "document.empty", Detail: "The document has no bytes."}}}
	}
	u := &Upload{
		ID: g.newID("doc"), Producer: producer, Filename: filename,
		Size: size, SHA256: sha, CreatedAt: g.now(),
	}
	if err := g.journal.Update(ctx, func(tx Tx) error { return tx.InsertUpload(u) }); err != nil {
		return nil, err
	}
	return u, nil
}

// Ready reports whether the gateway can do its work: the journal answers.
func (g *Gateway) Ready(ctx context.Context) error {
	if err := g.journal.Ping(ctx); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// KeepEvidence stores a signed manifest before any of its letters leaves. Channels that are a [Witness] call it.
func (g *Gateway) KeepEvidence(ctx context.Context, e Evidence) error {
	return g.journal.Update(ctx, func(tx Tx) error { return tx.KeepEvidence(&e) })
}

// settleStatus recomputes an intent's status from its messages, stores it when it changed, and returns it.
func settleStatus(tx Tx, head *Intent, now time.Time) (IntentStatus, error) {
	messages, err := tx.MessagesOf(head.ID)
	if err != nil {
		return "", err
	}
	status, finalAt := DeriveStatus(messages), now
	for _, m := range messages {
		if !m.State.Final() {
			finalAt = time.Time{}
		}
	}
	if status == head.Status && finalAt.IsZero() == head.FinalAt.IsZero() {
		return status, nil
	}
	return status, tx.SetIntentStatus(head.ID, status, finalAt)
}

// note writes the event that tells of m's present state.
func (g *Gateway) note(tx Tx, head *Intent, m *Message, attempt int, code, text string) error {
	status, err := settleStatus(tx, head, g.now())
	if err != nil {
		return err
	}
	return tx.InsertEvent(&Event{
		At: g.now(), Producer: head.Producer, IntentID: head.ID, Reference: head.Reference,
		MessageID: m.ID, Channel: m.Channel, Status: m.State, IntentStatus: status,
		Attempt: attempt, Code: code, Text: text,
	})
}

// notFound makes a clear error of a missing row where it means a defect rather than a wrong question.
func notFound(err error, what, id string) error {
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%s %s is not in the journal: %w", what, id, err)
	}
	return err
}
