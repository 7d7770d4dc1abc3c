package nemsms

import (
	"context"

	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
)

// Name is the channel's word in an intent's routes.
const Name = "nemsms"

// Config is what a [Channel] is made of. Afsender is required.
type Config struct {
	Afsender digitalpost.Afsender
	// Registry is asked before every message. nil: never, so that one who has no NemSMS is known only by the status.
	Registry    digitalpost.Registry
	MemoVersion memo.Version // default 1.1
	// Label is MessageHeader/label, which MeMo demands and a text message does not show. Default: the label of the
	// sender profile, which says nothing about the matter (docs/divergences.md).
	Label string
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
	return &Channel{cfg: cfg}
}

// Name implements gateway.Channel.
func (*Channel) Name() string { return Name }

// Witnesses implements gateway.Witness: the SF1601 client has every message signed, and the signature kept, before its
// first byte leaves.
func (*Channel) Witnesses() bool { return true }

// Send implements gateway.Channel.
func (c *Channel) Send(ctx context.Context, letter gateway.Letter) gateway.Outcome {
	if c.cfg.Registry != nil {
		if o, ok := digitalpost.Reachable(ctx, c.cfg.Registry, sf1601.NemSMS, letter); !ok {
			return o
		}
	}
	text, problem := Text(letter.Intent.Content)
	if problem != nil { // Check lets none through; an intent that an earlier version accepted may still have one
		return gateway.Outcome{Class: gateway.Fail, Code: problem.Code, Text: problem.Detail}
	}
	return digitalpost.Answer(c.cfg.Afsender.KombiPostAfsend(ctx, sf1601.Kombi{
		Valg: sf1601.ValgNemSMS, Message: c.message(letter, text),
		TransactionID: letter.Message.TransactionID, Reference: letter.Attempt.ID,
	}))
}

// message builds the MeMo of a text. [src: MEMO-1.1-XSD MessageHeader; SP-CLIENTS NEMSMS]
func (c *Channel) message(l gateway.Letter, text string) *memo.Message {
	label := c.cfg.Label
	if label == "" {
		label = l.Sender.Label
	}
	id := l.Intent.Recipient.ID
	return &memo.Message{
		Version: c.cfg.MemoVersion,
		Header: memo.MessageHeader{
			MessageType: memo.NemSMS, MessageUUID: l.Message.MessageUUID, MessageID: l.Message.ID,
			Label: label, Notification: text,
			Sender:    memo.Sender{SenderID: l.Sender.CVR.Reveal(), IDType: memo.CVR, Label: l.Sender.Label},
			Recipient: memo.Recipient{RecipientID: id.Reveal(), IDType: memo.IDType(id.Scheme())},
		},
	}
}
