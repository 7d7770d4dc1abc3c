package nemsms

import (
	"context"
	"errors"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/memo"
)

// checkUUID stands in for the identity that an intent gets when it is accepted.
const checkUUID = "00000000-0000-4000-8000-000000000000"

// Check implements gateway.Channel. First come the mistakes a producer can make, then MeMo's own rules.
func (c *Channel) Check(_ context.Context, l gateway.Letter) []gateway.Problem {
	var ps []gateway.Problem
	switch id := l.Intent.Recipient.ID; {
	case id.IsZero():
		ps = append(ps, gateway.Problem{
			Pointer: "/recipient", Code: "recipient.identifier", Detail: "NemSMS needs a CPR number.",
		})
	case id.Scheme() != gateway.CPR:
		// NemSMS is what a person signs up to; public clients send to CPR only. [src: NEMSMS-FAQ; SP-CLIENTS NEMSMS]
		ps = append(ps, gateway.Problem{
			Pointer: "/recipient/cvr", Code: "recipient.person",
			Detail: "NemSMS reaches persons: the recipient needs a CPR number.",
		})
	}
	text, problem := Text(l.Intent.Content)
	if problem != nil {
		return append(ps, *problem)
	}
	if len(ps) > 0 {
		return ps
	}
	return c.validate(l, text)
}

// validate runs MeMo's rules over what would be sent.
func (c *Channel) validate(l gateway.Letter, text string) []gateway.Problem {
	l.Message.MessageUUID = checkUUID
	var invalid *memo.Invalid
	err := c.message(l, text).Validate()
	if err == nil {
		return nil
	}
	if !errors.As(err, &invalid) {
		return []gateway.Problem{{Pointer: "/content/sms", Code: "memo.invalid", Detail: "The message cannot be written as MeMo."}}
	}
	var ps []gateway.Problem
	for _, f := range invalid.Findings {
		ps = append(ps, gateway.Problem{Pointer: place(f.Path), Code: "memo." + string(f.Rule), Detail: f.Detail})
	}
	return ps
}

// place turns the path of a MeMo finding into a pointer into the producer's request.
func place(path string) string {
	switch path {
	case "MessageHeader/notification":
		return "/content/sms"
	case "MessageHeader/Recipient/recipientID", "MessageHeader/Recipient/idType":
		return "/recipient"
	default:
		return "/sender" // all the rest of a NEMSMS comes from the sender profile and the configuration
	}
}
