package smtp_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway"
)

func accepts(t *testing.T, c *smtp.Channel) {
	t.Helper()
	if o := c.Send(t.Context(), newLetter(t, "nancy@testby.example")); o.Class != gateway.Accept {
		t.Fatalf("%s %s: %v", o.Class, o.Code, o.Err)
	}
}

func TestLettersShareAConnection(t *testing.T) {
	t.Parallel()
	p := newPeer(t, hello+strings.Repeat(letter+taken, 3)+"HANG")
	c := newChannel(t, smtp.Config{Server: p.server()})
	for range 3 {
		accepts(t, c)
	}
	if n := p.connections(); n != 1 || len(p.letters()) != 3 {
		t.Errorf("%d connections for %d letters", n, len(p.letters()))
	}
}

func TestARefusalLeavesTheConnectionClean(t *testing.T) {
	t.Parallel()
	p := newPeer(t, hello+begin+"C: RCPT TO:<unknown@testby.example>\nS: 550 5.1.1 nobody\nC: RSET\nS: 250 ok\n"+letter+taken+"HANG")
	c := newChannel(t, smtp.Config{Server: p.server()})
	if o := c.Send(t.Context(), newLetter(t, "unknown@testby.example")); o.Class != gateway.Next {
		t.Fatalf("%s %s", o.Class, o.Code)
	}
	accepts(t, c)
	if n := p.connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestAConnectionThatWaitedIsAsked moves the clock, so that the session is no longer fresh.
func TestAConnectionThatWaitedIsAsked(t *testing.T) {
	t.Parallel()
	for name, script := range map[string][]string{
		"and answers":     {hello + letter + taken + "C: RSET\nS: 250 ok\n" + letter + taken + "HANG"},
		"and is gone":     {hello + letter + taken, hello + letter + taken + "HANG"},
		"and is sent off": {hello + letter + taken + "C: RSET\nS: 421 4.4.2 too long idle", hello + letter + taken + "HANG"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, script...)
			var mu sync.Mutex
			var ahead time.Duration
			c := newChannel(t, smtp.Config{Server: p.server(), Now: func() time.Time {
				mu.Lock()
				defer mu.Unlock()
				return time.Now().Add(ahead)
			}})
			accepts(t, c)
			mu.Lock()
			ahead = 10 * time.Second
			mu.Unlock()
			accepts(t, c)
			if n := p.connections(); n != len(script) || len(p.letters()) != 2 {
				t.Errorf("%d connections for %d letters", n, len(p.letters()))
			}
		})
	}
}

func TestAFreshConnectionThatWentIsReplacedBeforeAnythingLeaves(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{
		"421":       "C: MAIL\nS: 421 4.7.0 too many letters",
		"cut":       "C: MAIL",
		"cut early": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, hello+letter+taken+end, hello+letter+taken+"HANG")
			c := newChannel(t, smtp.Config{Server: p.server()})
			for range 2 {
				accepts(t, c)
			}
			if n := p.connections(); n != 2 || len(p.letters()) != 2 {
				t.Errorf("%d connections for %d letters", n, len(p.letters()))
			}
		})
	}
}

func TestAConnectionEndsAfterItsLetters(t *testing.T) {
	t.Parallel()
	bye := letter + taken + "C: QUIT\nS: 221 bye"
	p := newPeer(t, hello+bye, hello+bye)
	server := p.server()
	server.Letters = 1
	c := newChannel(t, smtp.Config{Server: server})
	for range 2 {
		accepts(t, c)
	}
	if n := p.connections(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func TestAnIdleConnectionIsClosed(t *testing.T) {
	t.Parallel()
	p := newPeer(t, hello+letter+taken+"HANG")
	server := p.server()
	server.Idle = time.Millisecond
	c := newChannel(t, smtp.Config{Server: server})
	accepts(t, c)
	<-p.hung
	_ = p.listener.Close()
	p.wg.Wait() // returns when the client has said goodbye
}

func TestNoMoreConnectionsThanAllowed(t *testing.T) {
	t.Parallel()
	p := newPeer(t, hello+letter+"HANG")
	server := p.server()
	server.Sessions = 1
	c := newChannel(t, smtp.Config{Server: server})
	first := newLetter(t, "nancy@testby.example")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { c.Send(ctx, first) })
	<-p.hung
	second, stop := context.WithCancel(t.Context())
	stop()
	if o := c.Send(second, newLetter(t, "nancy@testby.example")); o.Class != gateway.Retry || o.Code != "smtp.cancelled" {
		t.Errorf("%s %s", o.Class, o.Code)
	}
	if n := p.connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
	cancel()
	wg.Wait()
}

func TestAClosedChannelStillSends(t *testing.T) {
	t.Parallel()
	p := newPeer(t, hello+letter+taken+"C: QUIT\nS: 221 bye")
	c := newChannel(t, smtp.Config{Server: p.server()})
	c.Close()
	accepts(t, c)
}
