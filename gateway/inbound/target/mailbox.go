package target

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"strconv"
	"time"

	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/routing"
)

// mailbox sends a post to a desk as a mail.
type mailbox struct {
	mailer   Mailer
	from, to string
	max      int64
	zone     *time.Location
}

func newMailbox(t routing.Target, o Options) (*mailbox, error) {
	if o.Mailer == nil {
		return nil, errors.New("mail: no mail server is configured")
	}
	for name, address := range map[string]string{"mail": t.Address, "the address that mail is from": o.MailFrom} {
		if a, err := netmail.ParseAddress(address); err != nil || a.Address != address || !ascii(address) {
			return nil, fmt.Errorf("%s: it is no mailbox", name)
		}
	}
	return &mailbox{mailer: o.Mailer, from: o.MailFrom, to: t.Address, max: o.MailMax, zone: o.Zone}, nil
}

// Deliver implements inbound.Target. Every attempt at a post sends the same bytes with the same Message-ID, so that a
// mailbox can tell that two of them are one.
func (b *mailbox) Deliver(ctx context.Context, p *inbound.Parcel) inbound.Outcome {
	m, taken := b.compose(p)
	if m == nil {
		return outcome(codeMailLarge, nil)
	}
	reply, err := b.mailer.Hand(ctx, b.from, b.to, m.size, m.copyTo)
	if err == nil {
		return outcome(taken, nil)
	}
	if o, is := early(ctx, err); is {
		return o
	}
	cause := fmt.Errorf("smtp: reply %d", reply)
	switch {
	case reply == 530, reply == 534, reply == 535, reply == 538, reply >= 400 && reply < 500:
		return numbered("smtp", reply, inbound.Later, "The mail server does not take it now.", cause)
	case reply >= 500 && reply < 600:
		return numbered("smtp", reply, inbound.Refused, "The mail server will not take this mail.", cause)
	default:
		return outcome(codeMailServer, bare("mail", err))
	}
}

// compose makes the mail: with everything; without memo.xml, which holds the documents a second time; with links. nil: none
// of it is small enough, or there is no place to link to.
func (b *mailbox) compose(p *inbound.Parcel) (m *mail, taken string) {
	for _, form := range []form{{documents: true, memo: true}, {documents: true}} {
		if m := b.mail(p, form); m.size <= b.max {
			return m, codeMailTaken
		}
	}
	for n := range p.Post.Documents {
		if p.DocumentURL(n) == "" {
			return nil, ""
		}
	}
	if m := b.mail(p, form{}); m.size <= b.max {
		return m, codeMailLinks
	}
	return nil, ""
}

func ascii(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// size in words, as people in Denmark read it.
func sizeOf(bytes int64) string {
	switch {
	case bytes < 1000:
		return strconv.FormatInt(bytes, 10) + " byte"
	case bytes < 1_000_000:
		return strconv.FormatInt((bytes+500)/1000, 10) + " kB"
	default:
		tenths := (bytes + 50_000) / 100_000
		return strconv.FormatInt(tenths/10, 10) + "," + strconv.FormatInt(tenths%10, 10) + " MB"
	}
}
