package smtp

import (
	"context"
	"errors"
	"time"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/gateway"
)

// Name is the channel's word in an intent's routes.
const Name = "smtp"

// What a mail is called when it is shown.
const (
	RequestName        = "mail.eml"
	RequestContentType = "message/rfc822"
)

// Config is what a [Channel] is made of. Server is required.
type Config struct {
	Server Server
	// MaxSize is how large the attachments of a mail may be together, in bytes of base64 as mailboxes count them;
	// default 10,000,000.
	MaxSize int64
	// Link returns a link to document index of a message and when it expires, counted from a time that is the same on every
	// attempt. With it, documents that exceed MaxSize become links; without it they are refused at the door.
	Link func(messageID string, index int, from time.Time) (url string, expires time.Time)
	// SMTPUTF8 says that the server, and whatever it hands mail on to, takes addresses whose part before the @ is not
	// ASCII. Default false: such an address is refused at the door.
	SMTPUTF8 bool
	// Keep stores what is about to leave in an attempt, before anything of it does: the SHA-256 of the mail, dots not doubled,
	// and its parts ([gateway.Gateway.Skeleton]). When it fails, nothing is sent, and the letter is tried again. nil: nothing
	// is kept.
	//
	// The channel is no [gateway.Witness] by it: an attempt in which nothing was kept may be of a time without Keep, so that
	// the letter may have left all the same, and a person decides.
	Keep func(ctx context.Context, attemptID string, digest [32]byte, parts []gateway.Part) error
	// Greylist is how long to wait after the server has said "not now" about a recipient or a letter; default 5 minutes.
	Greylist time.Duration
	Zone     *time.Location   // of the times that people read; default Europe/Copenhagen
	Now      func() time.Time // for deadlines; default time.Now
}

// DefaultMaxSize is what nearly every mailbox takes, in bytes of base64.
const DefaultMaxSize = 10_000_000

// Channel implements gateway.Channel. Close it when it is no longer used.
type Channel struct {
	cfg  Config
	pool *pool
}

var (
	_ gateway.Channel  = (*Channel)(nil)
	_ gateway.LastWord = (*Channel)(nil)
)

// LastWord implements gateway.LastWord: a mail server that has accepted a letter says no more. A bounce, if any, goes to
// the sender's own mailbox.
func (*Channel) LastWord() bool { return true }

// New makes the channel. It connects when the first letter is sent.
func New(cfg Config) *Channel {
	if cfg.MaxSize <= 0 {
		cfg.MaxSize = DefaultMaxSize
	}
	if cfg.Greylist <= 0 {
		cfg.Greylist = 5 * time.Minute
	}
	if cfg.Zone == nil {
		cfg.Zone = actions.Copenhagen()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Channel{cfg: cfg, pool: newPool(cfg.Server, cfg.Now)}
}

// Name implements gateway.Channel.
func (*Channel) Name() string { return Name }

// Close says goodbye on every connection that waits; those in use end with their letter.
func (c *Channel) Close() { c.pool.close() }

// Send implements gateway.Channel. Accept means that the server took the mail; what becomes of it after that comes, if at
// all, as mail to the sender's address. TransmissionID is the Message-ID, by which every server on the way logs it.
func (c *Channel) Send(ctx context.Context, l gateway.Letter) gateway.Outcome {
	m, err := c.compose(l)
	if err != nil {
		return gateway.Outcome{
			Class: gateway.Fail, Code: "smtp.compose", Err: err,
			Hint: "The mail cannot be written any more. Has the sender profile changed since the intent was accepted?",
		}
	}
	if c.cfg.Keep != nil {
		if o, ok := c.keep(ctx, l, m); !ok {
			return o
		}
	}
	reply, e := c.pool.hand(ctx, m)
	switch {
	case e == nil:
		_, words := splitReply(accepted, reply)
		return gateway.Outcome{
			Class: gateway.Accept, Code: "250", Text: words, TransmissionID: m.id, Answer: rawReply(accepted, reply),
		}
	case errors.Is(e.cause, errNoUTF8):
		return gateway.Outcome{
			Class: gateway.Next, Code: "smtp.utf8.missing", Err: e,
			Hint: "The mail server does not offer SMTPUTF8, though the channel is set up as if it did.",
		}
	default:
		return classify(e, c.cfg.Greylist)
	}
}

// CodeNotKept is a mail that could not be kept, so that nothing was sent.
const CodeNotKept = "mail.not_kept"

// keep has the mail stored; it has an outcome when that is not ok.
func (c *Channel) keep(ctx context.Context, l gateway.Letter, m *mail) (o gateway.Outcome, ok bool) {
	if err := m.seal(ctx); err != nil {
		return classify(newError(PhaseContent, err), c.cfg.Greylist), false
	}
	if err := c.cfg.Keep(ctx, l.Attempt.ID, *m.digest, m.parts(l.Intent.Content.Documents)); err != nil {
		return gateway.Outcome{
			Class: gateway.Retry, Code: CodeNotKept, Err: err,
			Hint: "The mail could not be kept in the journal, and nothing was sent. Is there room on its disk?",
		}, false
	}
	return o, true
}
