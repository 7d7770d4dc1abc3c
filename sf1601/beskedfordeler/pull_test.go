package beskedfordeler_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler/rabbittest"
)

// Assertions as large as real ones pass, and the message comes whole.
func TestPullLogsInWithRealTokens(t *testing.T) {
	t.Parallel()
	n := broker(t)
	for _, size := range []int{100, 6 << 10, 8 << 10, 10 << 10, 60 << 10} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			t.Parallel()
			q := queue(t, n)
			p := pulling(t, n, q, func(c *beskedfordeler.PullConfig) { c.Token = token(size) })
			sent := events(1)
			publish(t, n, q, sent...)
			if got := p.next(); !bytes.Equal(got.raw, sent[0]) || got.besked.Status == nil || got.besked.ID != "0" {
				t.Errorf("got %+v", got)
			}
			s := p.settled(1)
			if !s.Connected || s.Problem != "" || s.Connections != 1 || s.TokenEnds.IsZero() || s.LastMessageAt.IsZero() {
				t.Errorf("state %+v", s)
			}
		})
	}
}

// The Haendelsesbesked of the official example comes out of a queue as it went
// in, and means what it means when it is pushed.
func TestPullOfficialExample(t *testing.T) {
	t.Parallel()
	n := broker(t)
	pushed := official(t)
	from, to := bytes.Index(pushed, []byte("<ns2:Haendelsesbesked>")), bytes.Index(pushed, []byte("</ns4:ModtagBeskedInput>"))
	event := append([]byte(`<ns2:Haendelsesbesked xmlns="urn:oio:sagdok:3.0.0" xmlns:ns2="urn:oio:besked:kuvert:1.0">`),
		pushed[from+len("<ns2:Haendelsesbesked>"):to]...)
	q := queue(t, n)
	p := pulling(t, n, q, nil)
	publish(t, n, q, event)
	got := p.next()
	if !bytes.Equal(got.raw, event) || got.besked == nil {
		t.Fatalf("got %+v", got)
	}
	kind, agree := got.besked.Kind()
	if got.besked.Status.MessageUUID != "8853363b-43ec-4d0a-a54d-65447f9447ed" || kind != beskedfordeler.KindAfleveret || !agree {
		t.Errorf("got %+v", got.besked)
	}
	p.settled(1)
	p.stop()
	empty(t, n, q)
	if strings.Contains(p.log.String(), "U0VSSUFM") {
		t.Error("the log holds the credential of the publishing system")
	}
}

// What is wrong is told in words, and is got over when it is put right.
func TestPullTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	n := broker(t)
	for name, c := range map[string]struct {
		change func(*beskedfordeler.PullConfig)
		want   beskedfordeler.Problem
	}{
		"no client certificate": {func(c *beskedfordeler.PullConfig) { c.TLS.Certificates = nil }, beskedfordeler.ProblemClientCert},
		"untrusted broker":      {func(c *beskedfordeler.PullConfig) { c.TLS.RootCAs = x509.NewCertPool() }, beskedfordeler.ProblemServerCert},
		"another host name":     {func(c *beskedfordeler.PullConfig) { c.TLS.ServerName = "broker.example" }, beskedfordeler.ProblemServerCert},
		"no such vhost": {
			func(c *beskedfordeler.PullConfig) { c.URL = "amqps://" + n.Address() + "/NEJ" }, beskedfordeler.ProblemVHost,
		},
		"a vhost of others": {
			func(c *beskedfordeler.PullConfig) { c.URL = "amqps://" + n.Address() + "/" + rabbittest.ClosedVHost },
			beskedfordeler.ProblemVHost,
		},
		"no such queue": {func(c *beskedfordeler.PullConfig) { c.Queue = "nej" }, beskedfordeler.ProblemNoQueue},
		"a queue of others": {
			func(c *beskedfordeler.PullConfig) { c.Queue = queueOfOthers(t, n) }, beskedfordeler.ProblemQueue,
		},
		"nobody there": {func(c *beskedfordeler.PullConfig) { c.URL = "amqps://127.0.0.1:1" }, beskedfordeler.ProblemUnreachable},
		"no token": {
			func(c *beskedfordeler.PullConfig) {
				c.Token = func(context.Context) ([]byte, time.Time, error) { return nil, time.Time{}, errors.New("STS down") }
			}, beskedfordeler.ProblemToken,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := pulling(t, n, queue(t, n), c.change)
			s := p.has(c.want)
			if s.Connected || s.LastError != s.Problem || s.LastErrorAt.IsZero() || s.Since.IsZero() {
				t.Errorf("state %+v", s)
			}
			if !strings.Contains(p.log.String(), string(c.want)) {
				t.Errorf("log %s", p.log)
			}
		})
	}
}

func queueOfOthers(t *testing.T, n *rabbittest.Node) string {
	t.Helper()
	name := rabbittest.ClosedPrefix + "q"
	if err := n.Declare(name); err != nil {
		t.Fatal(err)
	}
	return name
}

// The misleading 403 of a broker with too small a limit of a login is
// explained. A small token passes there.
func TestPullExplainsTheFrameLimit(t *testing.T) {
	t.Parallel()
	n := roughBroker(t)
	q := queue(t, n)
	var size atomic.Int64
	size.Store(6 << 10)
	p := pulling(t, n, q, func(c *beskedfordeler.PullConfig) {
		c.Token = func(ctx context.Context) ([]byte, time.Time, error) { return token(int(size.Load()))(ctx) }
	})
	if s := p.has(beskedfordeler.ProblemFrameLimit); !strings.Contains(s.Problem, "initial_frame_max") || s.Connected {
		t.Errorf("state %+v", s)
	}
	if !strings.Contains(p.log.String(), "assertion of 6144 bytes") {
		t.Errorf("log %s", p.log)
	}
	size.Store(3900)
	p.until("connected", func(s beskedfordeler.PullState) bool { return s.Connected && s.Problem == "" })
}

// Poison goes whole into quarantine and stands in nobody's way.
func TestPullQuarantinesPoison(t *testing.T) {
	t.Parallel()
	n := broker(t)
	q := queue(t, n)
	p := pulling(t, n, q, func(c *beskedfordeler.PullConfig) {
		deliver := c.Deliver
		c.Deliver = func(ctx context.Context, raw []byte, b *beskedfordeler.Besked) error {
			if b.ID == "bang" {
				panic("2512489996")
			}
			return deliver(ctx, raw, b)
		}
	})
	stranger := fromTest()
	stranger.Type, stranger.Status = "00000000-0000-4000-8000-000000000000", nil
	bang := fromTest()
	bang.ID = "bang"
	good := beskedfordeler.EncodeEvent(fromTest())
	base64 := bytes.Index(good, []byte("<Base64"))
	for i, c := range []struct {
		name   string
		body   []byte
		reason string // empty: delivered
	}{
		{"good", good, ""},
		{"not XML", []byte("hej 2512489996"), "message has text outside its root element"},
		{"cut short", good[:len(good)/2], "message is not well-formed XML"},
		{"empty", nil, "message is empty"},
		{"not Base64", append(append([]byte{}, good[:base64]...), bytes.Replace(good[base64:], []byte(">"), []byte(">%%%"), 1)...), "Beskeddata/Base64 is not Base64"},
		{"no BeskedId", bytes.ReplaceAll(good, []byte("BeskedId"), []byte("Id")), "Haendelsesbesked/BeskedId is missing"},
		{"another type", beskedfordeler.EncodeEvent(stranger), ""},
		{"5 MB", bytes.Repeat([]byte("<a>2512489996</a>"), 5<<20/17), "message is larger than 4194304 bytes"},
		{"panic", beskedfordeler.EncodeEvent(bang), "message made its receiver fail"},
		{"good again", good, ""},
	} {
		publish(t, n, q, c.body)
		got := p.next()
		if !bytes.Equal(got.raw, c.body) || got.reason != c.reason || (got.besked == nil) != (c.reason != "") {
			t.Errorf("%s: got %d bytes, %q, besked %t", c.name, len(got.raw), got.reason, got.besked != nil)
		}
		if c.name == "another type" && got.besked.Status != nil {
			t.Error("a status of another type")
		}
		p.settled(uint64(i) + 1)
	}
	if s := p.State(); s.Received != 10 || s.Settled != 3 || s.Quarantined != 7 || s.Retries != 0 || s.Connections != 1 || s.Problem != "" {
		t.Errorf("state %+v", s)
	}
	p.stop()
	empty(t, n, q)
	if strings.Contains(p.log.String(), "2512489996") {
		t.Errorf("the log quotes a message: %s", p.log)
	}
}

// A message whose storing fails is kept in hand and tried again; it is not
// acknowledged before, and the next one is not given.
func TestPullKeepsWhatCannotBeStored(t *testing.T) {
	t.Parallel()
	n := broker(t)
	for name, first := range map[string][]byte{"message": events(1)[0], "poison": []byte("hej")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := queue(t, n)
			publish(t, n, q, first, events(2)[1])
			down, calls := make(chan struct{}), make(chan struct{}, 1000)
			try := func() error {
				select {
				case calls <- struct{}{}:
				default:
				}
				select {
				case <-down:
					return nil
				default:
					return errors.New("database is locked")
				}
			}
			p := pulling(t, n, q, func(c *beskedfordeler.PullConfig) {
				deliver, quarantine := c.Deliver, c.Quarantine
				c.Deliver = func(ctx context.Context, raw []byte, b *beskedfordeler.Besked) error {
					return errors.Join(try(), deliver(ctx, raw, b))
				}
				c.Quarantine = func(ctx context.Context, raw []byte, reason string) error {
					return errors.Join(try(), quarantine(ctx, raw, reason))
				}
			})
			for range 4 {
				<-calls
				if got := p.next(); !bytes.Equal(got.raw, first) {
					t.Errorf("another message is in hand: %q", got.raw)
				}
			}
			s := p.has(beskedfordeler.ProblemDeliver)
			if s.Received != 1 || s.Settled+s.Quarantined != 0 || s.Retries < 3 || !s.Connected {
				t.Errorf("state %+v", s)
			}
			queues, err := n.Look(deadline(t))
			if want := (rabbittest.Queue{Name: q, Ready: 1, Unacked: 1, Consumers: 1}); err != nil || queues[q] != want {
				t.Errorf("the broker says %+v, want %+v (%v)", queues[q], want, err)
			}
			close(down)
			if s := p.settled(2); s.Received != 2 || s.Redelivered != 0 || s.Problem != "" || s.LastError == "" {
				t.Errorf("state %+v", s)
			}
			p.stop()
			empty(t, n, q)
		})
	}
}

// A broker that is stopped or killed in the middle loses nothing.
func TestPullOutlivesAStop(t *testing.T) {
	t.Parallel()
	n := roughBroker(t)
	outlives(t, n, func() {
		if err := n.Stop(deadline(t)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPullOutlivesAKill(t *testing.T) {
	t.Parallel()
	n := roughBroker(t)
	outlives(t, n, n.Kill)
}

func outlives(t *testing.T, n *rabbittest.Node, breaks func()) {
	t.Helper()
	q := queue(t, n)
	const count = 2000
	publish(t, n, q, events(count)...)
	var mu sync.Mutex
	seen, middle := map[string]int{}, make(chan struct{})
	p := pulling(t, n, q, func(c *beskedfordeler.PullConfig) {
		c.Deliver = func(_ context.Context, _ []byte, b *beskedfordeler.Besked) error {
			mu.Lock()
			defer mu.Unlock()
			if seen[b.ID]++; len(seen) == count/4 && seen[b.ID] == 1 {
				close(middle)
			}
			return nil
		}
	})
	<-middle
	breaks()
	if s := p.until("disconnected", func(s beskedfordeler.PullState) bool { return !s.Connected }); s.Problem == "" {
		t.Errorf("state %+v", s)
	}
	if err := n.Start(deadline(t)); err != nil {
		t.Fatal(err)
	}
	s := p.until("all", func(beskedfordeler.PullState) bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen) == count
	})
	mu.Lock()
	twice := 0
	for _, times := range seen {
		twice += times - 1
	}
	mu.Unlock()
	t.Logf("%d messages came again; state %+v", twice, s)
	if s.Reconnects == 0 {
		t.Errorf("state %+v", s)
	}
	p.until("drained", func(s beskedfordeler.PullState) bool { return s.Received == s.Settled+1 || s.Received == s.Settled })
	waitEmpty(t, n, q)
	p.stop()
	empty(t, n, q)
}

// A broker that is out of memory and takes nothing from publishers still
// gives, and an operator who closes the connection is told from a fault.
func TestPullFromABrokerInTrouble(t *testing.T) {
	t.Parallel()
	n := roughBroker(t)
	q := queue(t, n)
	publish(t, n, q, events(100)...)
	if err := n.Alarm(deadline(t), true); err != nil {
		t.Fatal(err)
	}
	p := pulling(t, n, q, nil)
	if s := p.settled(100); s.Problem != "" || s.LastError != "" {
		t.Errorf("state %+v", s)
	}
	if err := n.Alarm(deadline(t), false); err != nil {
		t.Fatal(err)
	}
	if err := n.Disconnect(deadline(t)); err != nil {
		t.Fatal(err)
	}
	s := p.until("back", func(s beskedfordeler.PullState) bool { return s.Connected && s.Reconnects == 1 })
	if s.LastError != string(beskedfordeler.ProblemForced) {
		t.Errorf("state %+v", s)
	}
}

// waitEmpty waits until a queue gives nothing more.
func waitEmpty(t *testing.T, n *rabbittest.Node, q string) {
	t.Helper()
	ctx := deadline(t)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		depth, err := n.Depth(q)
		if err == nil && depth == 0 {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("depth %d, %v", depth, err)
		}
	}
}

// The connection is renewed before its token ends, every message comes once.
func TestPullRenewsItsToken(t *testing.T) {
	t.Parallel()
	n := broker(t)
	q := queue(t, n)
	const count = 3000
	publish(t, n, q, events(count)...)
	var tokens atomic.Int64
	enough := make(chan struct{})
	p := pulling(t, n, q, func(c *beskedfordeler.PullConfig) {
		c.Token = func(context.Context) ([]byte, time.Time, error) {
			if tokens.Add(1) == 5 {
				close(enough)
			}
			return []byte("token"), time.Now().Add(200 * time.Millisecond), nil
		}
	})
	var ids []string
	for range count {
		ids = append(ids, p.next().besked.ID)
	}
	<-enough
	s := p.until("renewed", func(s beskedfordeler.PullState) bool { return s.Renewals >= 3 && s.Settled >= count })
	if s.Received != count || s.Redelivered != 0 || s.Reconnects != 0 || s.LastError != "" || !s.Connected {
		t.Errorf("state %+v", s)
	}
	for i, id := range ids {
		if id != strconv.Itoa(i) {
			t.Fatalf("message %s came as number %d", id, i)
		}
	}
	p.stop()
	empty(t, n, q)
}

// An STS that is down does not stop the messages.
func TestPullGoesOnWithoutAFreshToken(t *testing.T) {
	t.Parallel()
	n := broker(t)
	q := queue(t, n)
	var asked atomic.Int64
	ends := time.Now().Add(100 * time.Millisecond)
	p := pulling(t, n, q, func(c *beskedfordeler.PullConfig) {
		c.Token = func(context.Context) ([]byte, time.Time, error) {
			if asked.Add(1)%2 == 0 {
				return nil, time.Time{}, errors.New("STS down")
			}
			return []byte("the same token"), ends, nil
		}
	})
	p.has(beskedfordeler.ProblemRenewal)
	publish(t, n, q, events(1)...)
	p.next()
	if s := p.settled(1); !s.Connected || s.Connections != 1 {
		t.Errorf("state %+v", s)
	}
	p.until("asked again", func(beskedfordeler.PullState) bool { return asked.Load() > 4 })
}

// Told to end, the puller finishes what is in hand and leaves nothing behind.
func TestPullDrains(t *testing.T) {
	t.Parallel()
	n := broker(t)
	q := queue(t, n)
	publish(t, n, q, events(3)...)
	inside, leave := make(chan struct{}), make(chan struct{})
	p := pulling(t, n, q, func(c *beskedfordeler.PullConfig) {
		c.Deliver = func(ctx context.Context, _ []byte, _ *beskedfordeler.Besked) error {
			inside <- struct{}{}
			<-leave
			return ctx.Err()
		}
	})
	<-inside
	done := make(chan struct{})
	go func() { p.stop(); close(done) }()
	queues, err := n.Look(deadline(t)) // Run was told to end meanwhile
	if want := (rabbittest.Queue{Name: q, Ready: 2, Unacked: 1, Consumers: 1}); err != nil || queues[q] != want {
		t.Errorf("the broker says %+v, want %+v (%v)", queues[q], want, err)
	}
	close(leave)
	<-done
	if s := p.State(); s.Settled != 1 || s.Connected {
		t.Errorf("state %+v", s)
	}
	if queues, err = n.Look(deadline(t)); err != nil || queues[q] != (rabbittest.Queue{Name: q, Ready: 2}) {
		t.Errorf("the broker says %+v (%v)", queues[q], err)
	}
}

// A message in hand that cannot be stored does not hold up the end: it goes
// back into the queue.
func TestPullEndsWhileStoringFails(t *testing.T) {
	t.Parallel()
	n := broker(t)
	q := queue(t, n)
	publish(t, n, q, events(1)...)
	p := pulling(t, n, q, func(c *beskedfordeler.PullConfig) {
		c.Retry = beskedfordeler.Backoff{Min: time.Hour, Max: time.Hour}
		c.Deliver = func(context.Context, []byte, *beskedfordeler.Besked) error { return errors.New("down") }
	})
	p.has(beskedfordeler.ProblemDeliver)
	p.stop()
	if queues, err := n.Look(deadline(t)); err != nil || queues[q] != (rabbittest.Queue{Name: q, Ready: 1}) {
		t.Errorf("the broker says %+v (%v)", queues[q], err)
	}
}

// A Deliver that hangs gets DrainTimeout to end.
func TestPullBoundsTheEnd(t *testing.T) {
	t.Parallel()
	n := broker(t)
	q := queue(t, n)
	publish(t, n, q, events(1)...)
	inside := make(chan struct{})
	p := pulling(t, n, q, func(c *beskedfordeler.PullConfig) {
		c.DrainTimeout = 10 * time.Millisecond
		c.Deliver = func(ctx context.Context, _ []byte, _ *beskedfordeler.Besked) error {
			close(inside)
			<-ctx.Done()
			return context.Cause(ctx)
		}
	})
	<-inside
	p.stop()
	if depth, err := n.Depth(q); err != nil || depth != 1 {
		t.Errorf("depth %d, %v", depth, err)
	}
}

// A queue that is deleted is told, and pulled again when it is back.
func TestPullIsCancelled(t *testing.T) {
	t.Parallel()
	n := broker(t)
	q := queue(t, n)
	p := pulling(t, n, q, nil)
	p.until("connected", func(s beskedfordeler.PullState) bool { return s.Connected })
	if err := n.Delete(q); err != nil {
		t.Fatal(err)
	}
	p.has(beskedfordeler.ProblemNoQueue)
	if !strings.Contains(p.log.String(), string(beskedfordeler.ProblemCancelled)) {
		t.Errorf("log %s", p.log)
	}
	if err := n.Declare(q); err != nil {
		t.Fatal(err)
	}
	publish(t, n, q, events(1)...)
	p.next()
	if s := p.settled(1); s.Reconnects != 1 {
		t.Errorf("state %+v", s)
	}
}

func TestPullRunsOnce(t *testing.T) {
	t.Parallel()
	n := broker(t)
	p := pulling(t, n, queue(t, n), nil)
	p.until("connected", func(s beskedfordeler.PullState) bool { return s.Connected })
	if err := p.Run(t.Context()); !errors.Is(err, beskedfordeler.ErrRunning) {
		t.Errorf("second Run: %v", err)
	}
}

func TestNewPullerRefuses(t *testing.T) {
	t.Parallel()
	n := []string{"URL", "Queue", "TLS", "Token", "Heartbeat", "Retry"}
	for name, c := range map[string]struct {
		change func(*beskedfordeler.PullConfig)
		field  string
	}{
		"plain":          {func(c *beskedfordeler.PullConfig) { c.URL = "amqp://host" }, "URL"},
		"no host":        {func(c *beskedfordeler.PullConfig) { c.URL = "amqps:///BF" }, "URL"},
		"a user":         {func(c *beskedfordeler.PullConfig) { c.URL = "amqps://a:b@host/BF" }, "URL"},
		"a query":        {func(c *beskedfordeler.PullConfig) { c.URL = "amqps://host/BF?heartbeat=0" }, "URL"},
		"no URL at all":  {func(c *beskedfordeler.PullConfig) { c.URL = "amqps://ho st" }, "URL"},
		"no queue":       {func(c *beskedfordeler.PullConfig) { c.Queue = "" }, "Queue"},
		"long queue":     {func(c *beskedfordeler.PullConfig) { c.Queue = strings.Repeat("q", 256) }, "Queue"},
		"no TLS":         {func(c *beskedfordeler.PullConfig) { c.TLS = nil }, "TLS"},
		"no token":       {func(c *beskedfordeler.PullConfig) { c.Token = nil }, "Token"},
		"no deliver":     {func(c *beskedfordeler.PullConfig) { c.Deliver = nil }, "Token"},
		"no quarantine":  {func(c *beskedfordeler.PullConfig) { c.Quarantine = nil }, "Token"},
		"fast heartbeat": {func(c *beskedfordeler.PullConfig) { c.Heartbeat = time.Millisecond }, "Heartbeat"},
		"backoff":        {func(c *beskedfordeler.PullConfig) { c.Retry = beskedfordeler.Backoff{Min: 2, Max: 1} }, "Retry"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := pullConfig()
			c.change(&cfg)
			_, err := beskedfordeler.NewPuller(cfg)
			if err == nil || !strings.Contains(err.Error(), c.field) || !slices.Contains(n, c.field) {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := beskedfordeler.NewPuller(pullConfig()); err != nil {
		t.Error(err)
	}
}
