package gateway_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/window"
)

// withWindows gives channel "first" real send windows: the one called "channel" is its own.
func withWindows(t *testing.T, specs map[string]window.Spec, change ...func(*gateway.Config)) *bundle {
	t.Helper()
	windows := make(map[string]window.Window)
	for name, spec := range specs {
		w, err := window.Parse(spec)
		if err != nil {
			t.Fatal(err)
		}
		windows[name] = w
	}
	return setup(t, append([]func(*gateway.Config){func(c *gateway.Config) {
		c.Windows = nil
		for name := range windows {
			c.Windows = append(c.Windows, name)
		}
		c.Policies = map[string]gateway.Policy{"first": {Opens: func(asked string, now time.Time) time.Time {
			if asked == "" {
				asked = "channel"
			}
			return windows[asked].Opens(now)
		}}}
	}}, change...)...)
}

func ramp(d time.Duration, share float64) func(*gateway.Config) {
	return func(c *gateway.Config) {
		p := c.Policies["first"]
		p.Ramp = d
		c.Policies["first"], c.Jitter = p, func() float64 { return share }
	}
}

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func (c *clock) set(at time.Time) { c.advance(at.Sub(c.Now())) }

// leavesAt moves the clock from one due time of the message to the next until it has left, and returns when that was. It
// looks a microsecond before each of them, too: nothing may leave early.
func leavesAt(t *testing.T, b *bundle, id string) time.Time {
	t.Helper()
	for range 5 {
		var later *gateway.Later
		err := b.Dispatch(t.Context(), id)
		if err == nil {
			return b.clock.Now()
		}
		if !errors.As(err, &later) {
			t.Fatal(err)
		}
		b.clock.set(later.At.Add(-time.Microsecond))
		if early := dispatchLater(t, b, id); !early.At.Equal(later.At) {
			t.Fatalf("just before it is due at %s it is postponed to %s", later.At, early.At)
		}
		b.clock.set(later.At)
	}
	t.Fatal("it is postponed for ever")
	return time.Time{}
}

// TestLeavesWhenItShould is acceptance by the clock on the wall in Copenhagen: inclusive at from, exclusive at to.
func TestLeavesWhenItShould(t *testing.T) {
	t.Parallel()
	day := window.Spec{From: "09:00", To: "22:00"}
	office := func(holidays string) window.Spec {
		return window.Spec{From: "09:00", To: "22:00", Days: []string{"mon", "tue", "wed", "thu", "fri"}, Holidays: holidays}
	}
	for name, c := range map[string]struct {
		spec           window.Spec
		posted, leaves string
	}{
		"21:59:59": {day, "2026-11-18T21:59:59+01:00", "2026-11-18T21:59:59+01:00"},
		"22:00:00": {day, "2026-11-18T22:00:00+01:00", "2026-11-19T09:00:00+01:00"},
		"08:59:59": {day, "2026-11-18T08:59:59+01:00", "2026-11-18T09:00:00+01:00"},
		"09:00:00": {day, "2026-11-18T09:00:00+01:00", "2026-11-18T09:00:00+01:00"},

		// 25 October 2026: 03:00+02:00 becomes 02:00+01:00.
		"autumn, eve 21:59:59":  {day, "2026-10-24T21:59:59+02:00", "2026-10-24T21:59:59+02:00"},
		"autumn, eve 22:00:00":  {day, "2026-10-24T22:00:00+02:00", "2026-10-25T09:00:00+01:00"},
		"autumn 08:59:59":       {day, "2026-10-25T08:59:59+01:00", "2026-10-25T09:00:00+01:00"},
		"autumn 09:00:00":       {day, "2026-10-25T09:00:00+01:00", "2026-10-25T09:00:00+01:00"},
		"autumn 21:59:59":       {day, "2026-10-25T21:59:59+01:00", "2026-10-25T21:59:59+01:00"},
		"autumn 22:00:00":       {day, "2026-10-25T22:00:00+01:00", "2026-10-26T09:00:00+01:00"},
		"autumn, first 02:30":   {window.Spec{From: "02:30", To: "04:00"}, "2026-10-25T00:00:00+02:00", "2026-10-25T02:30:00+02:00"},
		"autumn, second 02:30":  {window.Spec{From: "02:30", To: "04:00"}, "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00"},
		"spring, eve 21:59:59":  {day, "2027-03-27T21:59:59+01:00", "2027-03-27T21:59:59+01:00"},
		"spring, eve 22:00:00":  {day, "2027-03-27T22:00:00+01:00", "2027-03-28T09:00:00+02:00"},
		"spring 08:59:59":       {day, "2027-03-28T08:59:59+02:00", "2027-03-28T09:00:00+02:00"},
		"spring 09:00:00":       {day, "2027-03-28T09:00:00+02:00", "2027-03-28T09:00:00+02:00"},
		"spring 21:59:59":       {day, "2027-03-28T21:59:59+02:00", "2027-03-28T21:59:59+02:00"},
		"spring 22:00:00":       {day, "2027-03-28T22:00:00+02:00", "2027-03-29T09:00:00+02:00"},
		"spring, missing 02:30": {window.Spec{From: "02:30", To: "04:00"}, "2027-03-28T00:00:00+01:00", "2027-03-28T03:00:00+02:00"},

		// 25 December 2026 is a Friday, the 26th a holiday as well.
		"eve of a holiday 21:59:59":  {office("skip"), "2026-12-24T21:59:59+01:00", "2026-12-24T21:59:59+01:00"},
		"eve 22:00:00, send":         {office("send"), "2026-12-24T22:00:00+01:00", "2026-12-25T09:00:00+01:00"},
		"eve 22:00:00, skip":         {office("skip"), "2026-12-24T22:00:00+01:00", "2026-12-28T09:00:00+01:00"},
		"eve 22:00:00, next_day":     {office("next_day"), "2026-12-24T22:00:00+01:00", "2026-12-27T09:00:00+01:00"},
		"holiday 08:59:59, send":     {office("send"), "2026-12-25T08:59:59+01:00", "2026-12-25T09:00:00+01:00"},
		"holiday 08:59:59, skip":     {office("skip"), "2026-12-25T08:59:59+01:00", "2026-12-28T09:00:00+01:00"},
		"holiday 08:59:59, next_day": {office("next_day"), "2026-12-25T08:59:59+01:00", "2026-12-27T09:00:00+01:00"},
		"holiday 09:00:00, send":     {office("send"), "2026-12-25T09:00:00+01:00", "2026-12-25T09:00:00+01:00"},
		"holiday 09:00:00, skip":     {office("skip"), "2026-12-25T09:00:00+01:00", "2026-12-28T09:00:00+01:00"},
		"holiday 21:59:59, next_day": {office("next_day"), "2026-12-25T21:59:59+01:00", "2026-12-27T09:00:00+01:00"},
		"holiday 22:00:00, send":     {office("send"), "2026-12-25T22:00:00+01:00", "2026-12-28T09:00:00+01:00"},
		"made up for, 21:59:59":      {office("next_day"), "2026-12-27T21:59:59+01:00", "2026-12-27T21:59:59+01:00"},
		"made up for, 22:00:00":      {office("next_day"), "2026-12-27T22:00:00+01:00", "2026-12-28T09:00:00+01:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := withWindows(t, map[string]window.Spec{"channel": c.spec})
			posted, want := moment(t, c.posted), moment(t, c.leaves)
			b.clock.set(posted)
			i := b.accept(t, draft(t, "r1"))
			state := gateway.Queued
			if want.After(posted) {
				state = gateway.Scheduled
			}
			if m := i.Messages[0]; m.State != state || !m.DueAt.Equal(want) {
				t.Errorf("accepted as %s, due at %s; want %s, %s", m.State, m.DueAt, state, want.UTC())
			}
			if q := b.queue.enqueued; len(q) != 1 || !q[0].DueAt.Equal(want) {
				t.Errorf("the queue was given %+v", q)
			}
			if got := leavesAt(t, b, i.Messages[0].ID); !got.Equal(want) {
				t.Errorf("left at %s, want %s", got, want.UTC())
			}
			if n := len(b.first.letters()); n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// TestIntentThenSenderThenChannel: whose window holds.
func TestIntentThenSenderThenChannel(t *testing.T) {
	t.Parallel()
	specs := map[string]window.Spec{
		"channel": {From: "09:00", To: "10:00"}, "sender": {From: "11:00", To: "12:00"}, "intent": {From: "13:00", To: "14:00"},
	}
	midnight := moment(t, "2026-11-18T00:00:00+01:00")
	for name, c := range map[string]struct {
		sender, intent string
		hour           int
	}{
		"channel": {"", "", 9}, "sender": {"sender", "", 11}, "intent": {"sender", "intent", 13}, "intent alone": {"", "intent", 13},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := withWindows(t, specs, func(g *gateway.Config) {
				s := g.Senders["jobcenter"]
				s.Window = c.sender
				g.Senders["jobcenter"] = s
			})
			b.clock.set(midnight)
			opens := midnight.Add(time.Duration(c.hour) * time.Hour)
			d := draft(t, "too late")
			d.Window, d.Expires = c.intent, opens
			var invalid *gateway.Invalid
			if _, _, err := b.Accept(t.Context(), d); !errors.As(err, &invalid) || invalid.Problems[0].Code != "time.closed" {
				t.Errorf("expiring as it opens: %v, want time.closed", err)
			}
			d = draft(t, "in time")
			d.Window, d.Expires = c.intent, opens.Add(time.Second)
			i := b.accept(t, d)
			if got := leavesAt(t, b, i.Messages[0].ID); !got.Equal(opens) {
				t.Errorf("left at %s, want %s", got, opens.UTC())
			}
		})
	}
}

func TestSenderWithAWindowThatIsNotThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := gateway.New(gateway.Config{
		Journal: b.journal, Documents: noDocuments{}, Queue: b.queue, Now: b.clock.Now, Worker: "w",
		NewID: func(string) string { return "" }, NewUUID: func() string { return "" },
		Windows: []string{"day"}, Senders: map[string]gateway.Sender{"jobcenter": {Window: "night"}},
	})
	if err == nil {
		t.Fatal("it was taken: its letters would leave at any time")
	}
}

// TestRampAfterAnOpening: what waited is spread, within the opening and before it expires, and leaves when it is due.
func TestRampAfterAnOpening(t *testing.T) {
	t.Parallel()
	long, short := window.Spec{From: "09:00", To: "22:00"}, window.Spec{From: "09:00", To: "09:10"}
	night := moment(t, "2026-11-18T03:00:00+01:00")
	opens := moment(t, "2026-11-18T09:00:00+01:00")
	for name, c := range map[string]struct {
		spec     window.Spec
		ramp     time.Duration
		share    float64
		priority gateway.Priority
		expires  time.Duration // after the opening; 0: never
		after    time.Duration // the opening
	}{
		"the first":            {long, 10 * time.Minute, 0, "", 0, 0},
		"in the middle":        {long, 10 * time.Minute, 0.5, "", 0, 5 * time.Minute},
		"the last":             {long, 10 * time.Minute, 0.999, "", 0, 599400 * time.Millisecond},
		"bulk":                 {long, 10 * time.Minute, 0.5, gateway.Bulk, 0, 5 * time.Minute},
		"urgent":               {long, 10 * time.Minute, 0.5, gateway.Urgent, 0, 0},
		"none":                 {long, 0, 0.5, "", 0, 0},
		"a short opening":      {short, 10 * time.Minute, 0.5, "", 0, 75 * time.Second}, // 2m30s: 5m would take its half to the end
		"more than a day":      {short, 48 * time.Hour, 0.5, "", 0, 84375 * time.Millisecond},
		"expires soon":         {long, 10 * time.Minute, 0.5, "", 4 * time.Minute, 37500 * time.Millisecond},
		"expires very soon":    {long, 10 * time.Minute, 0.5, "", time.Second, 0},
		"expires a day later":  {long, 10 * time.Minute, 0.5, "", 24 * time.Hour, 5 * time.Minute},
		"finer than the queue": {long, 999 * time.Millisecond, 0.5, "", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := withWindows(t, map[string]window.Spec{"channel": c.spec}, ramp(c.ramp, c.share))
			b.clock.set(night)
			d := draft(t, "r1")
			d.Priority = c.priority
			if c.expires > 0 {
				d.Expires = opens.Add(c.expires)
			}
			i := b.accept(t, d)
			if got := leavesAt(t, b, i.Messages[0].ID); got.Sub(opens) != c.after {
				t.Errorf("left %s after the opening, want %s", got.Sub(opens), c.after)
			}
			if s := b.states(t, i.ID)[0]; s != gateway.Submitted {
				t.Errorf("it is %s", s)
			}
		})
	}
}

// TestRetriesMeetTheWindow: a letter that is refused just before the end waits for the next opening and its ramp, and is
// not given up for the time that it waited.
func TestRetriesMeetTheWindow(t *testing.T) {
	t.Parallel()
	b := withWindows(t, map[string]window.Spec{"channel": {
		From: "09:00", To: "22:00", Days: []string{"mon", "tue", "wed", "thu", "fri"}, Holidays: "skip",
	}}, ramp(10*time.Minute, 0.5))
	b.first.outcomes = []gateway.Outcome{{Class: gateway.Retry, Code: "busy"}, accepted}
	b.clock.set(moment(t, "2026-12-23T21:59:59+01:00"))
	i := b.accept(t, draft(t, "r1"))
	want := moment(t, "2026-12-24T09:05:00+01:00")
	if got := leavesAt(t, b, i.Messages[0].ID); !got.Equal(want) {
		t.Errorf("left at %s, want %s", got, want.UTC())
	}
	if s := b.states(t, i.ID)[0]; s != gateway.Submitted || len(b.first.letters()) != 2 {
		t.Errorf("%s after %d attempts", s, len(b.first.letters()))
	}

	// Accepted on Thursday night, it is first tried on Monday: 83 hours, more than GiveUpAfter.
	b.first.outcomes, b.first.sent = []gateway.Outcome{{Class: gateway.Retry, Code: "busy"}, accepted}, nil
	b.clock.set(moment(t, "2026-12-24T22:00:00+01:00"))
	i = b.accept(t, draft(t, "r2"))
	b.clock.set(i.Messages[0].DueAt)
	dispatchLater(t, b, i.Messages[0].ID)
	if s := b.states(t, i.ID)[0]; s != gateway.Queued {
		t.Fatalf("after the first attempt on Monday it is %s; waiting is no retrying", s)
	}
	leavesAt(t, b, i.Messages[0].ID)
	if s := b.states(t, i.ID)[0]; s != gateway.Submitted {
		t.Errorf("it is %s", s)
	}
}

// TestNotBeforeInsideClosedHours: the later of the two is met, and what the producer timed inside the window is not spread.
func TestNotBeforeInsideClosedHours(t *testing.T) {
	t.Parallel()
	b := withWindows(t, map[string]window.Spec{"channel": {From: "09:00", To: "22:00"}}, ramp(10*time.Minute, 0.5))
	b.clock.set(moment(t, "2026-11-18T12:00:00+01:00"))
	for n, c := range []struct{ notBefore, leaves string }{
		{"2026-11-18T21:59:59+01:00", "2026-11-18T21:59:59+01:00"},
		{"2026-11-18T22:00:00+01:00", "2026-11-19T09:05:00+01:00"},
		{"2026-11-20T09:00:00+01:00", "2026-11-20T09:00:00+01:00"},
	} {
		d := draft(t, strconv.Itoa(n))
		d.NotBefore = moment(t, c.notBefore)
		i := b.accept(t, d)
		if got := leavesAt(t, b, i.Messages[0].ID); !got.Equal(moment(t, c.leaves)) {
			t.Errorf("not before %s: left at %s, want %s", c.notBefore, got, c.leaves)
		}
	}
}

// TestFarEndDownIsNoWindow: letters come back when it is tried again, not spread, and nothing is refused for it at the door.
func TestFarEndDownIsNoWindow(t *testing.T) {
	t.Parallel()
	resumes := began.Add(30 * time.Second)
	b := setup(t, func(c *gateway.Config) {
		c.Policies = map[string]gateway.Policy{"first": {Ramp: time.Hour, Resumes: func(now time.Time) time.Time {
			if now.Before(resumes) {
				return resumes
			}
			return now
		}}}
		c.Jitter = func() float64 { return 0.5 }
	})
	d := draft(t, "r1")
	d.Expires = began.Add(20 * time.Second)
	short := b.accept(t, d)
	i := b.accept(t, draft(t, "r2"))
	if later := dispatchLater(t, b, i.Messages[0].ID); !later.At.Equal(resumes) || later.Counted {
		t.Errorf("%+v, want it back at %s", later, resumes)
	}
	_, events, err := b.Intent(t.Context(), "huskeservice", i.ID)
	if err != nil {
		t.Fatal(err)
	}
	if last := events[len(events)-1]; last.Status != gateway.Scheduled || last.Code != "far_end.down" {
		t.Errorf("told as %s, %s", last.Status, last.Code)
	}
	if later := dispatchLater(t, b, short.Messages[0].ID); !later.At.Equal(d.Expires) {
		t.Errorf("%+v, want it back when it expires", later)
	}
	if got := leavesAt(t, b, i.Messages[0].ID); !got.Equal(resumes) {
		t.Errorf("left at %s, want %s", got, resumes)
	}
}

// TestAWindowThatIsGoneIsPassedOver: an operator renames a window; letters that name the old one do not leave at any time.
func TestAWindowThatIsGoneIsPassedOver(t *testing.T) {
	t.Parallel()
	var cfg gateway.Config
	b := withWindows(t, map[string]window.Spec{
		"channel": {From: "09:00", To: "10:00"}, "noon": {From: "12:00", To: "13:00"},
	}, func(c *gateway.Config) { cfg = *c })
	b.clock.set(moment(t, "2026-11-18T03:00:00+01:00"))
	d := draft(t, "r1")
	d.Window = "noon"
	i := b.accept(t, d)
	cfg.Windows = []string{"channel"}
	cfg.Policies = map[string]gateway.Policy{"first": {Opens: func(asked string, now time.Time) time.Time {
		if asked == "noon" {
			t.Error("asked for a window that is gone")
			return now
		}
		return cfg.Now().Add(time.Hour)
	}}}
	renamed, err := gateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.clock.set(i.Messages[0].DueAt)
	b.Gateway = renamed
	if later := dispatchLater(t, b, i.Messages[0].ID); later.At.Sub(b.clock.Now()) != time.Hour || len(b.first.letters()) != 0 {
		t.Errorf("%+v after %d letters, want it to wait for the channel's window", later, len(b.first.letters()))
	}
}
