package automatic

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/channels/print"
	"github.com/brevdue/brevdue/channels/print/letterpdf"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/fjernprint"
	"github.com/brevdue/brevdue/sf1601/memo"
)

// Name is the channel's word in an intent's routes.
const Name = "automatic"

// Breve makes the digital half of a letter; *digitalpost.Channel does.
type Breve interface {
	// Check returns everything that would keep the letter from being Digital Post.
	Check(ctx context.Context, l gateway.Letter) []gateway.Problem
	// Message builds the MeMo.
	Message(l gateway.Letter) *memo.Message
}

// Forsendelser makes the printed half of a letter; *print.Channel does.
type Forsendelser interface {
	// Check returns everything that would keep the letter from being printed.
	Check(ctx context.Context, l gateway.Letter) []gateway.Problem
	// Forsendelse builds the ForsendelseI, with the message's AfsendelseID as its identity. The same letter gives the same
	// bytes, whatever the attempt. *fjernprint.AddressError and *letterpdf.Invalid say that it can never be made, which
	// Check has told before; any other error may pass.
	Forsendelse(ctx context.Context, l gateway.Letter) (*fjernprint.ForsendelseI, error)
}

// Config is what a [Channel] is made of. All of it is required.
type Config struct {
	Afsender     digitalpost.Afsender
	Breve        Breve
	Forsendelser Forsendelser
}

// Channel implements gateway.Channel.
type Channel struct{ cfg Config }

var (
	_ gateway.Channel = (*Channel)(nil)
	_ gateway.Witness = (*Channel)(nil)

	_ gateway.StatusWithin = (*Channel)(nil)

	_ Breve = (*digitalpost.Channel)(nil)
)

// New makes the channel.
func New(cfg Config) *Channel { return &Channel{cfg: cfg} }

// Name implements gateway.Channel.
func (*Channel) Name() string { return Name }

// Witnesses implements gateway.Witness: the SF1601 client has every letter signed, and the signature kept, before its
// first byte leaves.
func (*Channel) Witnesses() bool { return true }

// StatusWithin implements gateway.StatusWithin: Postkomponenten may choose paper, so the letter has paper's time.
func (*Channel) StatusWithin() time.Duration { return print.StatusWithin }

// Check implements gateway.Channel: what either half has to say, each thing once.
func (c *Channel) Check(ctx context.Context, l gateway.Letter) []gateway.Problem {
	ps := c.cfg.Breve.Check(ctx, l)
	for _, p := range c.cfg.Forsendelser.Check(ctx, l) {
		told := func(q gateway.Problem) bool { return q.Pointer == p.Pointer && q.Code == p.Code }
		if !slices.ContainsFunc(ps, told) {
			ps = append(ps, p)
		}
	}
	return ps
}

// The codes of outcomes of a letter whose printed half could not be made, so that nothing was sent. They are those of
// channel print.
const (
	CodeNotMade = "forsendelse.not_made" // now: a document cannot be read
	CodeInvalid = "forsendelse.invalid"  // ever: the intent was accepted under other settings
)

// Send implements gateway.Channel.
func (c *Channel) Send(ctx context.Context, letter gateway.Letter) gateway.Outcome {
	forsendelse, err := c.cfg.Forsendelser.Forsendelse(ctx, letter)
	if err != nil {
		return notMade(err)
	}
	return digitalpost.Answer(c.cfg.Afsender.KombiPostAfsend(ctx, sf1601.Kombi{
		Valg: sf1601.ValgAutomatisk, Message: c.cfg.Breve.Message(letter), Forsendelse: forsendelse,
		TransactionID: letter.Message.TransactionID, Reference: letter.Attempt.ID,
	}))
}

// notMade is the outcome of a letter without its printed half: tried again, unless that cannot help.
func notMade(err error) gateway.Outcome {
	_, address := errors.AsType[*fjernprint.AddressError](err)
	_, text := errors.AsType[*letterpdf.Invalid](err)
	if address || text {
		return gateway.Outcome{Class: gateway.Fail, Code: CodeInvalid, Err: err}
	}
	return gateway.Outcome{Class: gateway.Retry, Code: CodeNotMade, Err: err}
}
