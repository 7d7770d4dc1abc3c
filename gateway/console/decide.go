package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
)

// decision is something that an operator can do, as a form and as what it does.
type decision struct {
	path   string // below Root
	action access.Action
	title  string // of the form
	say    string // what it does, for a person
	done   string // what was done
	back   string // the page to go back to, below Root
	fields []field
	do     func(ctx context.Context, o access.Operator, f url.Values) error
}

// field is one beside the reason, which every form has.
type field struct {
	Name, Label string
	Options     []string // nil: a text
}

// decisionTime is the most time that one may take.
const decisionTime = 20 * time.Second

// decisions is the table of them.
func (c *Console) decisions() []decision {
	var list []decision
	if g := c.cfg.Statuses; g != nil {
		list = append(list,
			decision{
				"messages/release", access.ReleaseMessage, "Send it again",
				"With the identity that it had: a far end that knows it will say so.",
				"The message will be sent again.", "statuses", nil,
				func(ctx context.Context, _ access.Operator, f url.Values) error {
					_, err := g.Release(ctx, "", f.Get("id"), f.Get("reason"))
					return err
				},
			},
			decision{
				"messages/close", access.CloseMessage, "Close it", "Without sending it again.", "The message was closed.", "statuses",
				[]field{{"outcome", "As", []string{string(gateway.Failed), string(gateway.Delivered)}}},
				func(ctx context.Context, _ access.Operator, f url.Values) error {
					_, err := g.Close(ctx, "", f.Get("id"), f.Get("reason"), gateway.MessageState(f.Get("outcome")))
					return err
				},
			},
			decision{
				"receipts/match", access.MatchReceipt, "Match it by hand", "The status is settled as that message's.",
				"The status was matched.", "statuses", []field{{"message", "Message (msg_...)", nil}},
				func(ctx context.Context, _ access.Operator, f url.Values) error {
					_, err := g.MatchByHand(ctx, f.Get("id"), f.Get("message"), f.Get("reason"))
					return err
				},
			},
			decision{
				"receipts/retry", access.RetryReceipt, "Read it again",
				"A newer brevdue may be able to.", "The status was read.", "statuses", nil,
				func(ctx context.Context, _ access.Operator, f url.Values) error {
					_, err := g.RetryUnreadable(ctx, f.Get("id"))
					return err
				},
			},
			decision{
				"receipts/rematch", access.RematchAll, "Try all again",
				"Every status in quarantine is held against every message once more.",
				"Every status in quarantine was tried again.", "statuses", nil,
				func(ctx context.Context, _ access.Operator, _ url.Values) error {
					_, err := g.Rematch(ctx)
					return err
				},
			})
	}
	return append(list, c.postDecisions()...)
}

func (c *Console) postDecisions() []decision {
	in := c.cfg.Inbound
	if in == nil {
		return nil
	}
	because := func(o access.Operator, f url.Values) gateway.Decision {
		return gateway.Decision{By: o.Name, Reason: f.Get("reason")}
	}
	return []decision{
		{
			"inbound/redeliver", access.RedeliverPost, "Deliver it again",
			"To its target.", "The post will be delivered again.", "inbound", nil,
			func(ctx context.Context, o access.Operator, f url.Values) error {
				_, err := in.Redeliver(ctx, f.Get("id"), because(o, f))
				return err
			},
		},
		{
			"inbound/reroute", access.ReroutePost, "Send it to another target", "One of the distribution rules.",
			"The post will be delivered to the other target.", "inbound", []field{{"target", "Target", nil}},
			func(ctx context.Context, o access.Operator, f url.Values) error {
				_, err := in.Reroute(ctx, f.Get("id"), f.Get("target"), because(o, f))
				return err
			},
		},
		{
			"inbound/release", access.ReleasePost, "Let it out of quarantine", "Only when somebody looked at what was flagged.",
			"The post was let out.", "inbound", nil,
			func(ctx context.Context, o access.Operator, f url.Values) error {
				_, err := in.Release(ctx, f.Get("id"), because(o, f))
				return err
			},
		},
		{
			"inbound/close", access.ClosePost, "Close it", "It goes nowhere. The sender has a receipt that says it was received.",
			"The post was closed.", "inbound", nil,
			func(ctx context.Context, o access.Operator, f url.Values) error {
				_, err := in.Close(ctx, f.Get("id"), because(o, f))
				return err
			},
		},
	}
}

// done is the sentence about what was done; the page is told only which, so that nobody can make it say something else.
func (c *Console) done(action string) string {
	for _, d := range c.decisions() {
		if string(d.action) == action {
			return d.done
		}
	}
	return ""
}

// decide takes a form. It is written down before anything is done, and done once; then the browser is sent to a page, so that
// reloading it sends nothing again.
func (c *Console) decide(d decision) handler {
	return func(w http.ResponseWriter, v visit) error {
		f := v.PostForm
		if err := c.cfg.Sessions.Spend(v.Context(), v.session, d.path+" "+f.Get("id"), f.Get("token")); err != nil {
			return err
		}
		problem := d.check(f)
		if problem == "" {
			if err := c.note(v.Context(), v.session.Operator, d.action, f.Get("id"), f.Get("reason")); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(v.Context(), decisionTime)
			defer cancel()
			err := d.do(ctx, v.session.Operator, f)
			if err == nil {
				http.Redirect(w, v.Request, Root+d.back+"?done="+url.QueryEscape(string(d.action)), http.StatusSeeOther)
				return nil
			}
			if problem = sentence(err); problem == "" {
				return err
			}
		}
		return c.refusedDecision(w, v, problem, d.back)
	}
}

// refusedDecision says why nothing was changed.
func (c *Console) refusedDecision(w http.ResponseWriter, v visit, problem, back string) error {
	f, err := c.frame(v)
	if err != nil {
		return err
	}
	return c.pages.show(w, http.StatusUnprocessableEntity, "refused.html", struct {
		Frame         frame
		Problem, Back string
	}{f, problem, Root + back})
}

// check looks at the reason and at what has to be chosen.
func (d *decision) check(f url.Values) string {
	reason := f.Get("reason")
	if n := utf8.RuneCountInString(reason); strings.TrimSpace(reason) == "" || n > gateway.MaxReason || !utf8.ValidString(reason) ||
		strings.ContainsFunc(reason, unicode.IsControl) {
		return "Say why, on one line of at most 500 characters."
	}
	for _, field := range d.fields {
		if field.Options != nil && !slices.Contains(field.Options, f.Get(field.Name)) {
			return "Choose one of what is offered."
		}
	}
	return ""
}

// sentence says in fixed words why a decision was refused; "" when it was not refused but failed.
func sentence(err error) string {
	invalid, isInvalid := errors.AsType[*gateway.Invalid](err)
	switch {
	case isInvalid && len(invalid.Problems) > 0:
		switch invalid.Problems[0].Pointer {
		case "/reason":
			return "Say why, on one line of at most 500 characters."
		case "/message":
			return "There is no such message."
		case "/target":
			return "The distribution rules have no such target."
		default:
			return "It is in a state that this decision is not about."
		}
	case errors.Is(err, gateway.ErrNotFound):
		return "There is nothing with this id."
	case errors.Is(err, gateway.ErrNotHeld):
		return "The message does not wait for a decision; somebody may have decided already."
	case errors.Is(err, gateway.ErrExpired):
		return "The last time to send the message has gone by: close it."
	case errors.Is(err, gateway.ErrNotQuarantined):
		return "The status is not in quarantine any longer."
	case errors.Is(err, gateway.ErrNoReader):
		return "This gateway has no reader of statuses."
	case errors.Is(err, gateway.ErrStillUnreadable):
		return "It still cannot be read. It is kept."
	case errors.Is(err, gateway.ErrStale):
		return "It changed at the same moment. Look again."
	default:
		return ""
	}
}
