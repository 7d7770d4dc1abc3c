package beskedfordeler

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	b := Backoff{}.orDefault(time.Second, time.Minute)
	for attempt, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		want := want * time.Second //nolint:durationcheck // a count of seconds
		if low, high := b.pause(attempt, 0), b.pause(attempt, 0.999999); low != want/2 || high <= want*9/10 || high > want {
			t.Errorf("attempt %d: %v to %v, want %v to %v", attempt, low, high, want/2, want)
		}
	}
	for _, attempt := range []int{31, 32, 33, 63, 64, 1000} {
		if got := b.pause(attempt, 0); got != 30*time.Second {
			t.Errorf("attempt %d: %v", attempt, got)
		}
	}
	if got := (Backoff{Max: time.Millisecond}).orDefault(time.Second, time.Minute); got != (Backoff{time.Millisecond, time.Millisecond}) {
		t.Errorf("%v", got)
	}
}

// A wait ends with whatever comes first.
func TestWait(t *testing.T) {
	t.Parallel()
	if !wait(t.Context(), nil, time.Nanosecond) {
		t.Error("the time did not pass")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if wait(ended, nil, time.Hour) {
		t.Error("the context had ended")
	}
	broken := make(chan struct{})
	close(broken)
	if wait(t.Context(), broken, time.Hour) {
		t.Error("the connection had")
	}
}

func TestRenewal(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for left, want := range map[time.Duration]time.Duration{
		8 * time.Hour:    8*time.Hour - 10*time.Minute,
		time.Hour:        50 * time.Minute,
		20 * time.Minute: 15 * time.Minute,
		4 * time.Second:  3 * time.Second,
		0:                0,
		-time.Hour:       0,
	} {
		if got := renewal(now, now.Add(left), 10*time.Minute).Sub(now); got != want {
			t.Errorf("%v left: renewed after %v, want %v", left, got, want)
		}
	}
}

func TestParseURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]endpoint{
		"amqps://bf.example":             {"bf.example", "5671", "BF"},
		"amqps://bf.example/":            {"bf.example", "5671", "BF"},
		"amqps://bf.example:15671/BF":    {"bf.example", "15671", "BF"},
		"amqps://[::1]:5671/%2F":         {"::1", "5671", "/"},
		"amqps://bf.example/another%20x": {"bf.example", "5671", "another x"},
	} {
		if got, err := parseURL(url); err != nil || got != want {
			t.Errorf("%s: %+v, %v", url, got, err)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("amqps://bf.example:5671/BF")
	f.Add("amqps://a:hemmelig@bf.example")
	f.Add("amqp://x?y#z")
	f.Fuzz(func(t *testing.T, s string) {
		e, err := parseURL(s)
		if err != nil && strings.Contains(err.Error(), "hemmelig") {
			t.Errorf("%v quotes the URL", err)
		}
		if err == nil && (e.host == "" || e.port == "" || e.vhost == "") {
			t.Errorf("%+v", e)
		}
	})
}

// Whatever lies in a queue is either read or has a reason, and nothing of it
// is in the reason.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`<Haendelsesbesked><BeskedId><UUIDIdentifikator>x</UUIDIdentifikator></BeskedId></Haendelsesbesked>`))
	f.Add([]byte("2512489996"))
	f.Add([]byte{})
	p := &Puller{cfg: PullConfig{MaxBytes: 1 << 16}, decode: Decode}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, reason := p.read(raw)
		if (b == nil) == (reason == "") {
			t.Errorf("%v and %q", b, reason)
		}
		if strings.Contains(reason, "2512489996") {
			t.Errorf("the reason %q quotes", reason)
		}
	})
}

// A decoder that panics makes a message poison, no more.
func TestReadOutlivesThePanicOfTheDecoder(t *testing.T) {
	t.Parallel()
	p := &Puller{cfg: PullConfig{MaxBytes: 10}, decode: func([]byte) (*Besked, error) { panic("2512489996") }}
	if b, reason := p.read([]byte("x")); b != nil || reason != "message made the decoder fail" {
		t.Errorf("%v, %q", b, reason)
	}
	p.decode = func([]byte) (*Besked, error) { return nil, errors.New("2512489996") }
	if b, reason := p.read([]byte("x")); b != nil || reason != "message cannot be read" {
		t.Errorf("%v, %q", b, reason)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	server := func(code int, reason string) error { return &amqp.Error{Code: code, Reason: reason, Server: true} }
	for name, c := range map[string]struct {
		got  *PullError
		want Problem
	}{
		"wrong password":  {loginProblem(amqp.ErrCredentials, io.EOF, 3900), ProblemLogin},
		"frame limit":     {loginProblem(amqp.ErrCredentials, io.EOF, 3901), ProblemFrameLimit},
		"told so":         {loginProblem(server(403, "ACCESS_REFUSED"), nil, 10), ProblemLogin},
		"vhost":           {loginProblem(server(530, "NOT_ALLOWED"), nil, 9000), ProblemVHost},
		"silent vhost":    {loginProblem(amqp.ErrVhost, io.EOF, 9000), ProblemVHost},
		"mechanism":       {loginProblem(amqp.ErrSASL, nil, 10), ProblemMechanism},
		"stopping":        {loginProblem(server(320, "CONNECTION_FORCED"), nil, 10), ProblemForced},
		"odd":             {loginProblem(server(541, "INTERNAL_ERROR"), nil, 10), ProblemProtocol},
		"not AMQP's":      {loginProblem(io.ErrUnexpectedEOF, nil, 10), ProblemLost},
		"no certificate":  {loginProblem(amqp.ErrCredentials, &net.OpError{Op: "remote error", Err: io.EOF}, 10), ProblemClientCert},
		"no queue":        {sessionProblem(server(404, "NOT_FOUND")), ProblemNoQueue},
		"others' queue":   {sessionProblem(server(403, "ACCESS_REFUSED")), ProblemQueue},
		"exclusive queue": {sessionProblem(server(405, "RESOURCE_LOCKED")), ProblemQueue},
		"too slow": {
			sessionProblem(server(406, "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 1800000 ms")),
			ProblemTimeout,
		},
		"another 406": {sessionProblem(server(406, "PRECONDITION_FAILED - unknown delivery tag 7")), ProblemProtocol},
		"forced":      {sessionProblem(server(320, "CONNECTION_FORCED")), ProblemForced},
		"closed":      {sessionProblem(amqp.ErrClosed), ProblemLost},
		"EOF":         {sessionProblem(io.EOF), ProblemLost},
	} {
		if c.got.Problem != c.want {
			t.Errorf("%s: %q, want %q", name, c.got.Problem, c.want)
		}
		if c.got.Err == nil || !errors.Is(c.got, c.got.Err) || !strings.HasSuffix(c.got.Error(), string(c.want)) {
			t.Errorf("%s: %v", name, c.got)
		}
	}
}
