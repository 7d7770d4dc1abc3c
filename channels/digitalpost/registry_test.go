package digitalpost_test

import (
	"context"
	"errors"
	"testing"

	"github.com/brevdue/brevdue/channels/channeltest"
	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/signature"
)

// told is a registry that answers as told and remembers what it was asked.
type told struct {
	registered bool
	err        error
	asked      int
	service    sf1601.Service
	id         gateway.Identifier
	fresh      bool
}

func (r *told) Registered(_ context.Context, service sf1601.Service, id gateway.Identifier, fresh bool) (bool, error) {
	r.asked++
	r.service, r.id, r.fresh = service, id, fresh
	return r.registered, r.err
}

// sent counts what reaches the far end.
type sent struct{ letters int }

func (s *sent) KombiPostAfsend(context.Context, sf1601.Kombi) (*sf1601.Accepted, error) {
	s.letters++
	return &sf1601.Accepted{TransmissionID: "t"}, nil
}

func TestAskFirst(t *testing.T) {
	t.Parallel()
	alone := []gateway.Route{{"digitalpost"}}
	first := []gateway.Route{{"digitalpost", "print"}}
	for name, tc := range map[string]struct {
		ask       digitalpost.AskFirst
		routes    []gateway.Route
		leg, step int
		uncertain bool
		asks      bool
	}{
		"default, no next channel":             {"", alone, 0, 0, false, false},
		"default, a next channel":              {"", first, 0, 0, false, true},
		"fallback, no next channel":            {digitalpost.AskFallback, alone, 0, 0, false, false},
		"fallback, a next channel":             {digitalpost.AskFallback, first, 0, 0, false, true},
		"fallback, the last of its route":      {digitalpost.AskFallback, []gateway.Route{{"nemsms", "digitalpost"}}, 0, 1, false, false},
		"fallback, the middle of its route":    {digitalpost.AskFallback, []gateway.Route{{"nemsms", "digitalpost", "print"}}, 0, 1, false, true},
		"fallback, another leg has a next one": {digitalpost.AskFallback, []gateway.Route{{"nemsms", "smtp"}, {"digitalpost"}}, 1, 0, false, false},
		"fallback, its own leg has a next one": {digitalpost.AskFallback, []gateway.Route{{"nemsms"}, {"digitalpost", "print"}}, 1, 0, false, true},
		"fallback, a letter without routes":    {digitalpost.AskFallback, nil, 0, 0, false, false},
		"never, a next channel":                {digitalpost.AskNever, first, 0, 0, false, false},
		"always, no next channel":              {digitalpost.AskAlways, alone, 0, 0, false, true},
		"always, may have been handed over":    {digitalpost.AskAlways, first, 0, 0, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := letter(t, "2512489995")
			l.Intent.Routes, l.Message.Leg, l.Message.Step, l.Message.Uncertain = tc.routes, tc.leg, tc.step, tc.uncertain
			registry, far := &told{}, &sent{}
			o := digitalpost.New(digitalpost.Config{Afsender: far, Registry: registry, AskFirst: tc.ask}).Send(t.Context(), l)
			if !tc.asks {
				if registry.asked != 0 || far.letters != 1 || o.Class != gateway.Accept {
					t.Fatalf("asked %d times, sent %d: %s", registry.asked, far.letters, o.Class)
				}
				return
			}
			if registry.asked != 1 || far.letters != 0 || o.Class != gateway.Next || o.Code != digitalpost.CodeNotRegistered || o.Text == "" {
				t.Fatalf("asked %d times, sent %d: %s, code %s", registry.asked, far.letters, o.Class, o.Code)
			}
			if registry.service != sf1601.DigitalPost || registry.id != l.Intent.Recipient.ID || registry.fresh {
				t.Errorf("asked about %s, fresh %t", registry.service, registry.fresh)
			}
		})
	}
}

func TestALegalNotificationIsDecidedOnAFreshAnswer(t *testing.T) {
	t.Parallel()
	l := letter(t, "2512489996")
	l.Intent.Content.LegalNotification = true
	registry, far := &told{registered: true}, &sent{}
	c := digitalpost.New(digitalpost.Config{Afsender: far, Registry: registry, AskFirst: digitalpost.AskAlways})
	if o := c.Send(t.Context(), l); o.Class != gateway.Accept || far.letters != 1 || !registry.fresh {
		t.Fatalf("%s, fresh %t", o.Class, registry.fresh)
	}
}

// TestATechnicalErrorIsNeverNotRegistered: whatever goes wrong with the question, the letter waits.
func TestATechnicalErrorIsNeverNotRegistered(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		code string
		hint bool
	}{
		"busy":       {&sf1601.Error{Class: sf1601.Temporary, Op: sf1601.OpForespoerg, HTTPStatus: 503, RetryAfter: 7e9}, "forespoerg.http.503", false},
		"denied":     {&sf1601.Error{Class: sf1601.Denied, Op: sf1601.OpForespoerg, HTTPStatus: 403}, "forespoerg.http.403", true},
		"rejected":   {&sf1601.Error{Class: sf1601.Rejected, Op: sf1601.OpForespoerg, Code: "x.y"}, "x.y", true},
		"next":       {&sf1601.Error{Class: sf1601.NotReachable, Op: sf1601.OpForespoerg, Code: "x.y"}, "x.y", true},
		"shutdown":   {context.Canceled, "forespoerg", false},
		"unexpected": {errors.New("the look-up broke"), "forespoerg", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			far := &sent{}
			c := digitalpost.New(digitalpost.Config{Afsender: far, Registry: &told{registered: true, err: tc.err}, AskFirst: digitalpost.AskAlways})
			o := c.Send(t.Context(), letter(t, "2512489996"))
			if o.Class != gateway.Retry || o.Code != tc.code || !errors.Is(o.Err, tc.err) || (o.Hint != "") != tc.hint || far.letters != 0 {
				t.Fatalf("%s, code %q, hint %q, %v, sent %d", o.Class, o.Code, o.Hint, o.Err, far.letters)
			}
			if name == "busy" && o.RetryAfter != 7e9 {
				t.Error("the far end's wish is lost")
			}
		})
	}
}

// TestConformanceWhenAsking runs the suite with a look-up before every letter, answered by the far end itself.
func TestConformanceWhenAsking(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T) channeltest.Harness {
		t.Helper()
		return harnessWith(t, signature.Detached, digitalpost.AskAlways)
	})
}

// asking asks PostForespoerg each time.
type asking struct{ client *sf1601.Client }

func (a asking) Registered(ctx context.Context, service sf1601.Service, id gateway.Identifier, _ bool) (bool, error) {
	return a.client.PostForespoerg(ctx, service, sf1601.Identifier{Type: "CPR", Value: id.Reveal()})
}

func TestNotRegisteredAtTheFarEnd(t *testing.T) {
	t.Parallel()
	far := startFar(t)
	client := newClient(t, far, signature.Detached)
	c := digitalpost.New(digitalpost.Config{Afsender: client, Registry: asking{client}})
	for ending, want := range map[string]gateway.Class{"9995": gateway.Next, "9994": gateway.Accept} {
		l := letter(t, "251248"+ending)
		l.Intent.Routes = []gateway.Route{{"digitalpost", "print"}}
		o := c.Send(t.Context(), l)
		if m, _ := far.Message(l.Message.MessageUUID); o.Class != want || m.Accepted != (want == gateway.Accept) {
			t.Errorf("%s: %s, %v; accepted %t", ending, o.Class, o.Err, m.Accepted)
		}
	}
}

func TestAskFirstValid(t *testing.T) {
	t.Parallel()
	for a, want := range map[digitalpost.AskFirst]bool{"never": true, "fallback": true, "always": true, "": false, "Always": false} {
		if a.Valid() != want {
			t.Errorf("%q", a)
		}
	}
}
