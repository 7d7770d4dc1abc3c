package print

import (
	"context"
	"errors"
	"fmt"

	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/channels/print/letterpdf"
	"github.com/brevdue/brevdue/channels/print/preflight"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/fjernprint"
)

// Name is the channel's word in an intent's routes.
const Name = "print"

// The codes of outcomes that this package makes itself.
const (
	// CodeNotMade is a letter that could not be made now (a document that cannot be read), so that nothing was sent.
	CodeNotMade = "forsendelse.not_made"
	// CodeInvalid is a letter that can never be made: an intent that was accepted under other settings.
	CodeInvalid = "forsendelse.invalid"
)

// Config is what a [Channel] is made of. Afsender is required to send; Check and Forsendelse do without.
type Config struct {
	Afsender digitalpost.Afsender
	Options  Options            // of every letter
	Senders  map[string]Options // instead of Options for the letters of a sender profile, by its name
	// OptionsFor decides per letter, given what Options and Senders say. nil: those decide. It must give the same answer
	// for the same letter every time.
	OptionsFor func(l gateway.Letter, o Options) Options
	// City says where the name of a Danish city goes in ForsendelseI; default CityOmitted: the post code decides.
	City fjernprint.CityPlacement
	// WithoutRecipient leaves ForsendelseModtager out: the address printed in the letter shows in the window. Default:
	// it is told.
	WithoutRecipient bool
	PDF              letterpdf.Config // of letters made from an intent's text
	Preflight        preflight.Config // of producers' PDFs
	// MaxSize limits all PDFs of a letter together, in bytes; default fjernprint.MaxContent.
	MaxSize int64
}

// Channel implements gateway.Channel.
type Channel struct {
	cfg     Config
	maker   *letterpdf.Maker
	checker *preflight.Checker
}

var (
	_ gateway.Channel = (*Channel)(nil)
	_ gateway.Witness = (*Channel)(nil)
)

// New makes the channel. It fails for a font or a layout that no letter can be made with, and for options that
// ForsendelseI does not know.
func New(cfg Config) (*Channel, error) {
	if cfg.MaxSize <= 0 {
		cfg.MaxSize = fjernprint.MaxContent
	}
	if cfg.Preflight.MaxSize <= 0 {
		cfg.Preflight.MaxSize = cfg.MaxSize
	}
	maker, err := letterpdf.New(cfg.PDF)
	if err != nil {
		return nil, fmt.Errorf("print: %w", err)
	}
	c := &Channel{cfg: cfg, maker: maker, checker: preflight.New(cfg.Preflight)}
	if err := c.checkOptions("", cfg.Options); err != nil {
		return nil, err
	}
	for name, o := range cfg.Senders {
		if err := c.checkOptions(name, o); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Name implements gateway.Channel.
func (*Channel) Name() string { return Name }

// Witnesses implements gateway.Witness: the SF1601 client has every letter signed, and the signature kept, before its
// first byte leaves.
func (*Channel) Witnesses() bool { return true }

// Send implements gateway.Channel.
func (c *Channel) Send(ctx context.Context, letter gateway.Letter) gateway.Outcome {
	forsendelse, err := c.Forsendelse(ctx, letter)
	if err != nil {
		o := gateway.Outcome{Class: gateway.Retry, Code: CodeNotMade, Err: err}
		if never(err) {
			o.Class, o.Code = gateway.Fail, CodeInvalid
		}
		return o
	}
	return digitalpost.Answer(c.cfg.Afsender.KombiPostAfsend(ctx, sf1601.Kombi{
		Valg: sf1601.ValgFysiskPost, Forsendelse: forsendelse,
		TransactionID: letter.Message.TransactionID, Reference: letter.Attempt.ID,
	}))
}

// never says that a letter that was not made will not be made later either.
func never(err error) bool {
	if _, is := errors.AsType[*letterpdf.Invalid](err); is {
		return true
	}
	_, is := errors.AsType[*fjernprint.AddressError](err)
	return is
}

// options are the letter's own.
func (c *Channel) options(l gateway.Letter) Options {
	o := c.cfg.Options
	if own, has := c.cfg.Senders[l.Sender.Name]; has {
		o = own
	}
	if c.cfg.OptionsFor != nil {
		o = c.cfg.OptionsFor(l, o)
	}
	return o
}
