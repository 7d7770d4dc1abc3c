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
	words, e := c.hand(ctx, m)
	switch {
	case e == nil:
		return gateway.Outcome{Class: gateway.Accept, Code: "250", Text: words, TransmissionID: m.id}
	case errors.Is(e.cause, errNoUTF8):
		return gateway.Outcome{
			Class: gateway.Next, Code: "smtp.utf8.missing", Err: e,
			Hint: "The mail server does not offer SMTPUTF8, though the channel is set up as if it did.",
		}
	default:
		return classify(e, c.cfg.Greylist)
	}
}

// hand gives the mail to a session. A session that waited in the pool may turn out to be gone, or used up in the
// server's eyes, when the next letter begins: then nothing has left, and a new session is tried at once.
func (c *Channel) hand(ctx context.Context, m *mail) (string, *Error) {
	s, reused, e := c.pool.take(ctx, false)
	if e != nil {
		return "", e
	}
	words, e := s.deliver(ctx, m)
	c.pool.put(s)
	if e == nil || !reused || ctx.Err() != nil || e.Phase != PhaseMail || (e.Code != 0 && e.Code != 421) || errors.Is(e.cause, errNoUTF8) {
		return words, e
	}
	if s, _, e = c.pool.take(ctx, true); e != nil {
		return "", e
	}
	defer c.pool.put(s)
	return s.deliver(ctx, m)
}
