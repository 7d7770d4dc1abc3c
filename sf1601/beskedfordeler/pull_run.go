package beskedfordeler

import (
	"context"
	"errors"
	"time"
)

// run connects, subscribes and works until ctx ends.
func (p *Puller) run(ctx context.Context) error {
	work, cancel := p.workContext(ctx)
	defer cancel()
	p.state.update(func(s *PullState) { s.Connected, s.Since, s.Problem = false, p.cfg.Now(), "" })
	defer p.state.update(func(s *PullState) {
		if s.Connected {
			s.Connected, s.Since = false, p.cfg.Now()
		}
	})
	var next *link // logged in already, when a connection was renewed
	for tries := 0; ctx.Err() == nil; tries++ {
		settled := p.progress()
		renewed, err := p.once(ctx, work, next)
		next = renewed
		if err == nil {
			tries = -1
			continue
		}
		if ctx.Err() != nil {
			break
		}
		if p.progress() > settled || p.stood() > p.cfg.Reconnect.Max {
			tries = 0
		}
		pause := p.cfg.Reconnect.pause(tries, p.cfg.Jitter())
		p.failed(ctx, err, pause)
		wait(ctx, nil, pause)
	}
	if next != nil {
		next.close()
	}
	return nil
}

// workContext is the context of Deliver and Quarantine: it outlives ctx by
// DrainTimeout, so that the message in hand can be finished.
func (p *Puller) workContext(ctx context.Context) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(p.cfg.DrainTimeout)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(errors.New("beskedfordeler: the time to finish the message in hand is over"))
		case <-work.Done():
		}
	})
	return work, func() { stop(); cancel(context.Canceled) }
}

// once works one connection off: at, or a new one when there is none. It
// returns the connection to go on with when this one was renewed, or why it
// ended; neither when ctx did.
func (p *Puller) once(ctx, work context.Context, at *link) (*link, error) {
	renewed := at != nil
	if at == nil {
		var err error
		if at, err = p.dial(ctx, time.Time{}); err != nil {
			return nil, err
		}
	}
	defer at.close()
	s, err := p.subscribe(ctx, at)
	if err != nil {
		return nil, err
	}
	p.connected(ctx, at, renewed)
	return s.work(ctx, work)
}

func (p *Puller) connected(ctx context.Context, at *link, renewed bool) {
	p.state.update(func(s *PullState) {
		if !s.Connected {
			s.Connected, s.Since = true, p.cfg.Now()
		}
		s.Problem, s.TokenEnds = "", at.ends
		switch {
		case renewed:
			s.Renewals++
		case s.Connections > 0:
			s.Reconnects++
		}
		s.Connections++
	})
	p.cfg.Logger.InfoContext(ctx, "pulling statuses", "queue", p.cfg.Queue, "renewed", renewed, "tokenEnds", at.ends)
}

// failed notes why there is no connection.
func (p *Puller) failed(ctx context.Context, err error, pause time.Duration) {
	text, cause := describe(err)
	p.state.update(func(s *PullState) {
		if s.Connected {
			s.Connected, s.Since = false, p.cfg.Now()
		}
		s.trouble(text, p.cfg.Now())
	})
	p.cfg.Logger.WarnContext(ctx, "not pulling statuses", "queue", p.cfg.Queue, "problem", text, "cause", cause, "again", pause)
}

// describe splits an error into its fixed sentence and its private cause.
func describe(err error) (string, error) {
	if known, ok := errors.AsType[*PullError](err); ok {
		return string(known.Problem), known.Err
	}
	return string(ProblemLost), err
}

// progress counts what was acknowledged.
func (p *Puller) progress() uint64 {
	s := p.State()
	return s.Settled + s.Quarantined
}

// stood is how long the connection that just ended had stood.
func (p *Puller) stood() time.Duration {
	s := p.State()
	if !s.Connected {
		return 0
	}
	return p.cfg.Now().Sub(s.Since)
}

func (s *PullState) trouble(text string, now time.Time) {
	s.Problem, s.LastError, s.LastErrorAt = text, text, now
}
