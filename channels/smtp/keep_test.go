package smtp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway"
)

func TestTheMailIsKeptBeforeItLeaves(t *testing.T) {
	t.Parallel()
	l := newLetter(t, "nancy@testby.example", pdf(1000), pdf(60_000))
	for n := range l.Intent.Content.Documents {
		l.Intent.Content.Documents[n].SHA256 = strings.Repeat(string(rune('a'+n)), 64)
	}
	p := newPeer(t, hello+letter+"S: 250-2.0.0 queued\nS: 250 2.0.0 as 4711\nHANG")
	var attempt string
	var digest [32]byte
	var names []string
	cfg := smtp.Config{Server: p.server(), Keep: func(_ context.Context, id string, sum [32]byte, parts []gateway.Part) error {
		if len(p.letters()) != 0 {
			t.Error("the mail left before it was kept")
		}
		attempt, digest = id, sum
		for _, part := range parts {
			if (part.Open == nil) == (part.SHA256 != "") || part.Open != nil && !part.Lines {
				t.Errorf("a part %+v", part)
			}
			if part.SHA256 != "" {
				names = append(names, part.SHA256[:1])
			}
		}
		return nil
	}}
	o := newChannel(t, cfg).Send(t.Context(), l)
	if o.Class != gateway.Accept || string(o.Answer) != "250-2.0.0 queued\r\n250 2.0.0 as 4711\r\n" || o.Text != "queued as 4711" {
		t.Errorf("%s %q %q: %v", o.Class, o.Text, o.Answer, o.Err)
	}
	if attempt != l.Attempt.ID || strings.Join(names, "") != "ab" {
		t.Errorf("attempt %q, documents %q", attempt, names)
	}
	if mails := p.letters(); len(mails) != 1 || sha256.Sum256([]byte(mails[0])) != digest {
		t.Error("what was kept is not what arrived")
	}
}

func TestAMailThatCannotBeKeptDoesNotLeave(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is full")
	p := newPeer(t, hello+letter+taken)
	cfg := smtp.Config{Server: p.server(), Keep: func(context.Context, string, [32]byte, []gateway.Part) error { return broken }}
	o := newChannel(t, cfg).Send(t.Context(), newLetter(t, "nancy@testby.example"))
	if o.Class != gateway.Retry || o.Code != smtp.CodeNotKept || !errors.Is(o.Err, broken) || o.Answer != nil {
		t.Errorf("%s %s: %v", o.Class, o.Code, o.Err)
	}
	if p.said() != "" {
		t.Errorf("the server heard %q", p.said())
	}
}

func TestAMailThatChangedAfterItWasKeptIsNotSent(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]int32{"between": 2, "before": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, hello+letter+taken)
			l := newLetter(t, "nancy@testby.example", pdf(1000))
			var opened atomic.Int32
			l.Open = func(context.Context, int) (io.ReadCloser, error) {
				switch {
				case opened.Add(1) < from:
					return io.NopCloser(bytes.NewReader(pdf(1000))), nil
				case from == 1:
					return nil, errors.New("no such file")
				default:
					return io.NopCloser(bytes.NewReader(make([]byte, 1000))), nil
				}
			}
			keep := func(context.Context, string, [32]byte, []gateway.Part) error { return nil }
			o := newChannel(t, smtp.Config{Server: p.server(), Keep: keep}).Send(t.Context(), l)
			if o.Class != gateway.Retry || o.Code != "document.unreadable" || len(p.letters()) != 0 {
				t.Errorf("%s %s with %d letters", o.Class, o.Code, len(p.letters()))
			}
		})
	}
}

// An attempt without a kept mail may be of a time when none were kept: its letter may have left.
func TestAChannelThatKeepsIsNoWitness(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	var c gateway.Channel = newChannel(t, smtp.Config{
		Server: p.server(), Keep: func(context.Context, string, [32]byte, []gateway.Part) error { return nil },
	})
	if w, is := c.(gateway.Witness); is && w.Witnesses() {
		t.Error("after a crash, a mail that may have left would be sent again")
	}
}

func TestARefusalIsHandedOnAsItCame(t *testing.T) {
	t.Parallel()
	p := newPeer(t, hello+begin+"C: RCPT TO:<\nS: 550-5.1.1 no such\nS: 550 5.1.1 user Nancy\nHANG")
	o := newChannel(t, smtp.Config{Server: p.server()}).Send(t.Context(), newLetter(t, "nancy@testby.example"))
	if want := "550-5.1.1 no such\r\n550 5.1.1 user Nancy\r\n"; o.Class != gateway.Next || string(o.Answer) != want {
		t.Errorf("%s %q", o.Class, o.Answer)
	}
	if strings.Contains(o.Err.Error(), "Nancy") {
		t.Error("the answer is in the error's text")
	}
}
