package smtp

import (
	"context"
	"errors"
	"sync"
	"time"
)

// freshFor is how long a session that waited is trusted without being asked whether it is still there.
const freshFor = time.Second

// pool keeps sessions for the next letter.
type pool struct {
	server Server
	now    func() time.Time
	slots  chan struct{} // one per session in use

	mu     sync.Mutex
	idle   []*session // the last one waited least
	closed bool
}

func newPool(server Server, now func() time.Time) *pool {
	server = server.withDefaults()
	return &pool{server: server, now: now, slots: make(chan struct{}, server.Sessions)}
}

// take returns a session; reused tells whether it waited in the pool. With fresh it never did. The caller gives it back
// with put.
func (p *pool) take(ctx context.Context, fresh bool) (s *session, reused bool, e *Error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, false, newError(PhaseConnect, ctx.Err())
	}
	for !fresh {
		s := p.waiting()
		if s == nil {
			break
		}
		if !s.dirty && p.now().Sub(s.since) < freshFor {
			return s, true, nil
		}
		if s.reuse(ctx) == nil {
			return s, true, nil
		}
		s.close()
	}
	if s, e = dial(ctx, p.server, p.now); e != nil {
		<-p.slots
		return nil, false, e
	}
	return s, false, nil
}

// waiting takes the session out of the pool that waited least, or nil.
func (p *pool) waiting() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	s := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	s.expire.Stop()
	return s
}

// put gives a session back: to the pool while it is good for another letter.
func (p *pool) put(s *session) {
	defer func() { <-p.slots }()
	if s.wire.broken() {
		return
	}
	p.mu.Lock()
	if p.closed || s.letters >= p.server.Letters {
		p.mu.Unlock()
		s.quit()
		return
	}
	defer p.mu.Unlock()
	s.since = p.now()
	s.expire = time.AfterFunc(p.server.Idle, func() { p.drop(s) })
	p.idle = append(p.idle, s)
}

// drop ends a session that waited too long, if it still waits.
func (p *pool) drop(s *session) {
	p.mu.Lock()
	found := false
	for n, other := range p.idle {
		if other == s {
			p.idle, found = append(p.idle[:n], p.idle[n+1:]...), true
			break
		}
	}
	p.mu.Unlock()
	if found {
		s.quit()
	}
}

// close ends the sessions that wait; those in use end when they are put back.
func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, s := range idle {
		s.expire.Stop()
		s.quit()
	}
}

// hand gives the mail to a session and returns the server's reply, without its code. A session that waited in the pool may
// turn out to be gone, or used up in the server's eyes, when the next letter begins: then nothing has left, and a new session
// is tried at once.
func (p *pool) hand(ctx context.Context, m *mail) (string, *Error) {
	s, reused, e := p.take(ctx, false)
	if e != nil {
		return "", e
	}
	reply, e := s.deliver(ctx, m)
	p.put(s)
	if e == nil || !reused || ctx.Err() != nil || e.Phase != PhaseMail || (e.Code != 0 && e.Code != 421) || errors.Is(e.cause, errNoUTF8) {
		return reply, e
	}
	if s, _, e = p.take(ctx, true); e != nil {
		return "", e
	}
	defer p.put(s)
	return s.deliver(ctx, m)
}
