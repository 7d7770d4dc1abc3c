package gateway

import (
	"context"
	"time"
)

// Post is one message of Digital Post that came in (SF1606, or fetched from NgDP), on its way to the one system that owns
// it. Package gateway/inbound moves it.
type Post struct {
	ID             string // inb_ + ULID
	MessageUUID    string // of the MeMo, lower case: the same again is the same post
	MessageID      string // of the MeMo, the sender's own id; may be empty
	TransmissionID string // ours, told to the sender in the receipt
	Source         PostSource
	ReceivedAt     time.Time
	State          PostState

	Memo      StoredFile     // the MeMo as it came, in the document store
	Documents []PostDocument // its files, decoded, in document order
	Facts     []byte         // JSON of what rules may look at; personal data
	Answers   *Correlation   // the letter of ours that it answers; nil: none

	Rule   string // name of the rule that took it; "" for the default, or for a decision by hand
	Target string // name of the target that it goes, or went, to
	Tried  []string
	Flags  []string // codes of what hygiene found, e.g. "pdf.javascript"; nil: nothing

	Attempts  int       // at delivering it, to whatever target
	FirstAt   time.Time // of the first attempt at the present target; zero: none yet
	DueAt     time.Time // when a worker should next deliver it; zero: nothing is to be done
	LeasedTo  string    // the worker that delivers it just now; "": none
	LeaseEnds time.Time
	FinalAt   time.Time // delivered or closed
	Version   int64     // grows with every change; the journal refuses a stale write
}

// PostSource is the road a post took.
type PostSource string

// The sources.
const (
	PostPushed PostSource = "sf1606" // PostModtag
	PostPulled PostSource = "ngdp"   // fetched from Digital Post itself
)

// PostState is where a post stands.
type PostState string

// The states of a post.
const (
	PostQueued      PostState = "queued"      // a worker delivers it, again and again until its target takes it
	PostDelivered   PostState = "delivered"   // its target has it
	PostQuarantined PostState = "quarantined" // flagged before delivery: a person releases or closes it
	PostHeld        PostState = "held"        // every target of its rule refused it: a person re-routes or closes it
	PostClosed      PostState = "closed"      // a person decided that it goes nowhere
)

// PostStates lists every state.
func PostStates() []PostState {
	return []PostState{PostQueued, PostDelivered, PostQuarantined, PostHeld, PostClosed}
}

// Final reports whether nothing more is to be done. A final post may still be delivered again by hand.
func (s PostState) Final() bool { return s == PostDelivered || s == PostClosed }

// StoredFile is a file in the document store.
type StoredFile struct {
	SHA256 string // hex; its name there
	Size   int64
}

// PostDocument is a file of a post.
type PostDocument struct {
	StoredFile

	Kind         string // main, additional, technical
	Filename     string // as the sender wrote it: never a path
	SafeName     string // what it may be called on a disk; unique in its post
	DeclaredType string // as the sender wrote it
	RealType     string // by its bytes
	Language     string
	Flags        []string
}

// Correlation says which letter of ours a post answers.
type Correlation struct {
	Producer  string
	IntentID  string
	Reference string
	MessageID string
	CaseID    string // of the letter that was sent
}

// PostEvent is one line in the story of a post.
type PostEvent struct {
	Seq    int64
	At     time.Time
	PostID string
	State  PostState // after it
	Target string
	Code   string // ours, e.g. "received", "target.refused", "rerouted"
	Text   string // a sentence without personal data, or a person's reason
	By     string // the person or producer who decided; "": the gateway
}

// Decision is what a person or a system decided about a post, and why.
type Decision struct {
	By     string // who: a name of the configuration
	Reason string // 1 to MaxReason characters on one line
}

// PostFilter says which posts to list. Empty fields do not filter.
type PostFilter struct {
	State       PostState
	Target      string
	Producer    string // only posts that answer a letter of this producer, or that were delivered to it
	MessageUUID string
	After       string // id of the last post of the page before
	Limit       int
}

// DuePost is a post that a worker should deliver.
type DuePost struct {
	ID    string
	DueAt time.Time
}

// PostTx is the part of [Tx] about inbound post.
type PostTx interface {
	// InsertPost stores a post with its documents and the receipt that its sender was answered. inserted is false, and
	// nothing stored, when the messageUUID has been here before.
	InsertPost(p *Post, receipt []byte) (inserted bool, err error)
	// Post returns a post with its documents. ErrNotFound.
	Post(id string) (*Post, error)
	// SavePost stores what may change of p (everything from Rule on, and State) and adds one to its Version. ErrStale when
	// the stored Version is another.
	SavePost(p *Post) error
	InsertPostEvent(e *PostEvent) error
}

// PostReader is the part of [Reader] about inbound post.
type PostReader interface {
	// PostReceipt returns the id of the post of that messageUUID and the receipt its sender was answered. ErrNotFound.
	PostReceipt(ctx context.Context, messageUUID string) (id string, receipt []byte, err error)
	// PostView returns a post with its documents and its events in order. ErrNotFound.
	PostView(ctx context.Context, id string) (*Post, []PostEvent, error)
	// Posts lists posts without documents and facts, oldest first.
	Posts(ctx context.Context, f PostFilter) ([]Post, error)
	// DuePosts returns up to limit posts whose DueAt is at or before the given time and that nobody holds a lease on,
	// oldest first.
	DuePosts(ctx context.Context, before time.Time, limit int) ([]DuePost, error)
	// PostCounts tells how many posts are in each state that is not final, and when the oldest queued one came.
	PostCounts(ctx context.Context) (counts map[PostState]int, oldestQueued time.Time, err error)
}
