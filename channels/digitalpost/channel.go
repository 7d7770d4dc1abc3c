package digitalpost

import (
	"context"
	"errors"
	"fmt"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
)

// Name is the channel's word in an intent's routes.
const Name = "digitalpost"

// Afsender is the part of the SF1601 client that this channel uses.
type Afsender interface {
	KombiPostAfsend(ctx context.Context, k sf1601.Kombi) (*sf1601.Accepted, error)
}

// Config is what a [Channel] is made of. Afsender is required.
type Config struct {
	Afsender    Afsender
	MemoVersion memo.Version // default 1.1
	Language    string       // of the documents, two letters; default "da"
	KLEVersion  string       // KLEdata/version, which an intent does not have; default "-" (docs/divergences.md)
	Registry    Registry     // asked before sending, as AskFirst says; nil: never asked
	AskFirst    AskFirst     // default AskFallback
}

// Channel implements gateway.Channel.
type Channel struct{ cfg Config }

var (
	_ gateway.Channel = (*Channel)(nil)
	_ gateway.Witness = (*Channel)(nil)
)

// New makes the channel.
func New(cfg Config) *Channel {
	if cfg.MemoVersion == "" {
		cfg.MemoVersion = memo.V1_1
	}
	if cfg.Language == "" {
		cfg.Language = "da"
	}
	if cfg.KLEVersion == "" {
		cfg.KLEVersion = "-"
	}
	if cfg.AskFirst == "" {
		cfg.AskFirst = AskFallback
	}
	return &Channel{cfg: cfg}
}

// Name implements gateway.Channel.
func (*Channel) Name() string { return Name }

// Witnesses implements gateway.Witness: the SF1601 client has every letter signed, and the signature kept, before its
// first byte leaves.
func (*Channel) Witnesses() bool { return true }

// Send implements gateway.Channel.
func (c *Channel) Send(ctx context.Context, letter gateway.Letter) gateway.Outcome {
	if c.cfg.Registry != nil && c.cfg.AskFirst.asks(letter) {
		if o, ok := Reachable(ctx, c.cfg.Registry, sf1601.DigitalPost, letter); !ok {
			return o
		}
	}
	accepted, err := c.cfg.Afsender.KombiPostAfsend(ctx, sf1601.Kombi{
		Valg: sf1601.ValgDigitalPost, Message: c.Message(letter),
		TransactionID: letter.Message.TransactionID, Reference: letter.Attempt.ID,
	})
	return Answer(accepted, err)
}

// Answer turns what KombiPostAfsend gave into an outcome, for every channel that is sent with it.
func Answer(accepted *sf1601.Accepted, err error) gateway.Outcome {
	if err != nil {
		return Outcome(err)
	}
	return gateway.Outcome{
		Class: gateway.Accept, Code: accepted.AdvisID, Text: accepted.AdvisTekst,
		HTTPStatus: 200, TransmissionID: accepted.TransmissionID, Answer: accepted.Answer, Subject: accepted.Subject,
	}
}

// Outcome is the one place where the client's classes become the gateway's. What is wrong with us (a certificate, an
// agreement, a token) says nothing about the letter: it is tried again until somebody has put it right.
func Outcome(err error) gateway.Outcome {
	var e *sf1601.Error
	if !errors.As(err, &e) {
		return gateway.Outcome{Class: gateway.Unknown, Code: "error.unclassified", Err: err}
	}
	o := gateway.Outcome{
		Code: e.Code, Text: e.Text, Hint: e.Hint, HTTPStatus: e.HTTPStatus, RetryAfter: e.RetryAfter,
		Answer: e.Answer, Subject: e.Subject, Err: err,
	}
	switch e.Class {
	case sf1601.Temporary, sf1601.Denied:
		o.Class = gateway.Retry
	case sf1601.NotReachable:
		o.Class = gateway.Next
	case sf1601.Unknown:
		o.Class = gateway.Unknown
	case sf1601.Rejected:
		o.Class = gateway.Fail
	default:
		o.Class = gateway.Fail
	}
	if o.Code == "" {
		o.Code = e.Op
		if e.HTTPStatus != 0 {
			o.Code = fmt.Sprintf("%s.http.%d", e.Op, e.HTTPStatus)
		}
	}
	return o
}
