package beskedfordeler

import (
	"context"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// consumerTag names the one subscription of a connection.
const consumerTag = "brevdue"

// session is a subscription at one connection.
type session struct {
	p          *Puller
	link       *link
	channel    *amqp.Channel
	deliveries <-chan amqp.Delivery
	cancelled  chan string   // the broker ended the subscription
	broken     chan struct{} // closed when the channel has ended
	end        endError      // why
	tries      int           // renewals that failed
}

// subscribe opens the one channel and asks for messages, one at a time.
func (p *Puller) subscribe(ctx context.Context, at *link) (*session, error) {
	stop := context.AfterFunc(ctx, at.wire.cut) // the library's calls know no context
	defer stop()
	channel, err := at.conn.Channel()
	if err != nil {
		return nil, sessionProblem(err)
	}
	s := &session{
		p: p, link: at, channel: channel,
		cancelled: channel.NotifyCancel(make(chan string, 1)), broken: make(chan struct{}),
	}
	ended := channel.NotifyClose(make(chan *amqp.Error, 1))
	go func() {
		for err := range ended {
			s.end.set(err)
		}
		close(s.broken)
	}()
	if err := channel.Qos(1, 0, false); err != nil {
		return nil, s.refused(err)
	}
	if s.deliveries, err = channel.Consume(p.cfg.Queue, consumerTag, false, false, false, false, nil); err != nil {
		return nil, s.refused(err)
	}
	return s, nil
}

// refused tells why a call failed; the broker's own words come with the end of
// the channel.
func (s *session) refused(err error) error {
	if s.channel.IsClosed() {
		<-s.broken
		if said := s.end.get(); said != nil {
			err = said
		}
	}
	return sessionProblem(err)
}

// dialed is the outcome of a renewal.
type dialed struct {
	link *link
	err  error
}

// work takes messages until the connection is replaced (the new one is
// returned), it breaks (the reason is), or ctx ends (neither is).
func (s *session) work(ctx, work context.Context) (*link, error) {
	renew := s.renewTimer()
	defer renew.Stop()
	dialing, giveUp := context.WithCancel(ctx)
	var fresh chan dialed // a renewal under way
	defer func() {
		giveUp()
		if fresh != nil {
			if d := <-fresh; d.link != nil {
				d.link.close()
			}
		}
	}()
	for ctx.Err() == nil {
		select {
		case d, ok := <-s.deliveries:
			if !ok {
				return nil, s.ended()
			}
			if err := s.take(ctx, work, &d); err != nil {
				return nil, err
			}
		case <-renew.C:
			fresh = s.renew(dialing)
		case d := <-fresh:
			fresh = nil
			if d.err == nil {
				s.leave(ctx, work)
				return d.link, nil
			}
			renew.Reset(s.notRenewed(ctx, d.err))
		case <-ctx.Done():
		}
	}
	return nil, nil //nolint:nilnil // the third outcome: told to end
}

// renewTimer fires when the connection is to be replaced; never when its token
// has no known end.
func (s *session) renewTimer() *time.Timer {
	if s.link.ends.IsZero() {
		timer := time.NewTimer(time.Hour)
		timer.Stop()
		return timer
	}
	return time.NewTimer(s.link.renew.Sub(s.p.cfg.Now()))
}

// renew logs in beside the connection in use, while messages go on.
func (s *session) renew(ctx context.Context) chan dialed {
	fresh := make(chan dialed, 1)
	go func() {
		next, err := s.p.dial(ctx, s.link.ends)
		fresh <- dialed{next, err}
	}()
	return fresh
}

// notRenewed notes that and gives when to try again.
func (s *session) notRenewed(ctx context.Context, err error) time.Duration {
	cfg := &s.p.cfg
	pause := cfg.Reconnect.pause(s.tries, cfg.Jitter())
	s.tries++
	s.p.state.update(func(st *PullState) { st.trouble(string(ProblemRenewal), cfg.Now()) })
	text, cause := describe(err)
	cfg.Logger.WarnContext(ctx, "connection not renewed", "problem", text, "cause", cause, "again", pause)
	return pause
}

// leave ends the subscription politely: the message that was given meanwhile
// is finished, so that the next connection does not get it again. Whatever
// goes wrong here only means that it does.
func (s *session) leave(ctx, work context.Context) {
	if s.channel.Cancel(consumerTag, false) != nil {
		return
	}
	for d := range s.deliveries {
		if s.take(ctx, work, &d) != nil {
			return
		}
	}
}

// ended tells why there are no more deliveries.
func (s *session) ended() error {
	select {
	case _, told := <-s.cancelled:
		if told {
			return problem(ProblemCancelled, nil)
		}
		<-s.broken // it is closed with the channel
	case <-s.broken:
	}
	if err := s.end.get(); err != nil {
		return sessionProblem(err)
	}
	return problem(ProblemLost, nil)
}

// close logs out; what was acknowledged before is acknowledged then, and what
// was not goes back into the queue.
func (l *link) close() {
	_ = l.conn.CloseDeadline(time.Now().Add(closeTimeout)) //nolint:forbidigo // deadlines of connections are the machine's time
	l.wire.cut()                                           // when the broker did not answer
}

// closeTimeout bounds logging out.
const closeTimeout = 5 * time.Second
