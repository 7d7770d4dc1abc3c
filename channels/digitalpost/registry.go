package digitalpost

import (
	"context"
	"errors"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
)

// CodeNotRegistered is the Outcome.Code of a letter that was not sent because PostForespoerg said no.
const CodeNotRegistered = "recipient.not_registered"

// Registry answers whether somebody can be reached on a service; *registration.Registry does. fresh asks for an answer
// of now instead of a kept one.
type Registry interface {
	Registered(ctx context.Context, service sf1601.Service, id gateway.Identifier, fresh bool) (bool, error)
}

// AskFirst says when PostForespoerg is asked before a letter is sent.
type AskFirst string

// The settings of AskFirst.
const (
	// AskNever sends without asking: Digital Post itself refuses who is not registered, hours later perhaps.
	AskNever AskFirst = "never"
	// AskFallback asks when the route has a next channel, which is when the answer changes anything.
	AskFallback AskFirst = "fallback"
	// AskAlways asks for every letter, so that one who cannot be reached is known at once.
	AskAlways AskFirst = "always"
)

// Valid says whether a is one of the settings.
func (a AskFirst) Valid() bool { return a == AskNever || a == AskFallback || a == AskAlways }

// asks decides whether the registry is asked for this letter.
func (a AskFirst) asks(l gateway.Letter) bool {
	switch a {
	case AskAlways:
		return true
	case AskFallback:
		return hasNext(l)
	case AskNever:
		return false
	default:
		return false
	}
}

// hasNext reports whether the letter's route goes on after this message.
func hasNext(l gateway.Letter) bool {
	m := l.Message
	return m.Leg >= 0 && m.Leg < len(l.Intent.Routes) && m.Step+1 < len(l.Intent.Routes[m.Leg])
}

// Reachable asks the registry about the letter's recipient, for every channel that goes by a registration. ok tells that
// the letter may be sent; otherwise the outcome says why it was not: Next when the recipient is not registered, Retry
// when the question failed, because a technical error is never "not registered". Nothing has left in either case.
//
// A legal notification (forkyndelse) is decided on a fresh answer. A letter that an earlier attempt may have handed over
// already is not asked about: whatever has changed since, it must not start a second road.
func Reachable(ctx context.Context, registry Registry, service sf1601.Service, l gateway.Letter) (o gateway.Outcome, ok bool) {
	if l.Message.Uncertain {
		return gateway.Outcome{}, true
	}
	registered, err := registry.Registered(ctx, service, l.Intent.Recipient.ID, l.Intent.Content.LegalNotification)
	switch {
	case err != nil:
		return unanswered(err), false
	case !registered:
		return gateway.Outcome{
			Class: gateway.Next, Code: CodeNotRegistered,
			Text: "PostForespoerg: the recipient is not registered for " + string(service) + ".",
		}, false
	}
	return gateway.Outcome{}, true
}

// unanswered is the outcome of a look-up that gave no answer: tried again, whatever the reason, since the letter itself
// was not at fault.
func unanswered(err error) gateway.Outcome {
	o := gateway.Outcome{Code: sf1601.OpForespoerg, Err: err}
	if e, known := errors.AsType[*sf1601.Error](err); known {
		o = Outcome(err)
		if o.Hint == "" && e.Class != sf1601.Temporary {
			o.Hint = "Until PostForespoerg can be asked again, ask_first: never sends without asking."
		}
	}
	o.Class = gateway.Retry
	return o
}
