package sf1606test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1606"
)

// StormConfig says how much post comes. Shares are 0 to 1, rolled for each message.
type StormConfig struct {
	Total       int     // messages; required
	Rate        float64 // messages begun per second; zero means as fast as Concurrency allows
	Concurrency int     // messages under way; zero means 8
	// Letter makes the message with that number, from 0; nil means new ones by Letters of MinBytes to MaxBytes.
	Letter             func(n int) *memo.Message
	Letters            *Letters // nil means NewLetters(LettersConfig{})
	MinBytes, MaxBytes int64    // zero means 20,000 for both

	Duplicates float64 // sent a second time after the first answer; the receipt must be the same
	Cuts       float64 // cut at 60 %, then sent
	Twins      float64 // sent twice at the same time
	Spoilt     float64 // sent spoilt in one of Spoils, which must be refused, under an identity of its own
	// Done is told of each message when it is finished, on its goroutine; nil tells nobody.
	Done func(Sent)
}

// Sent is one message of a storm.
type Sent struct {
	MessageUUID string
	Bytes       int64
	Tries       int // of the first send
	Receipt     sf1606.Receipt
	Elapsed     time.Duration // of the first send, with its tries
	Err         error         // no receipt, or a receipt that differs from the first
}

// StormResult is the book of a storm.
type StormResult struct {
	Messages   []Sent // in order of number
	Accepted   int
	Refused    int
	Unanswered int // those with Err
	Duplicates int // second sends and twins
	Cuts       int
	Spoilt     int
	Resent     int // tries after the first
	Bytes      int64
	Elapsed    time.Duration
}

// Percentile is the time that a share p of the messages took at most.
func (r StormResult) Percentile(p float64) time.Duration {
	if len(r.Messages) == 0 {
		return 0
	}
	all := make([]time.Duration, len(r.Messages))
	for i, m := range r.Messages {
		all[i] = m.Elapsed
	}
	slices.Sort(all)
	return all[min(int(p*float64(len(all))), len(all)-1)]
}

// String is one line for people.
func (r StormResult) String() string {
	seconds := max(r.Elapsed.Seconds(), 1e-9)
	return fmt.Sprintf("%d messages in %.1f s (%.0f/s, %.1f MB/s): %d accepted, %d refused, %d unanswered, %d duplicates, %d cut, "+
		"%d spoilt, %d resent; median %v, 99 %% %v", len(r.Messages), r.Elapsed.Seconds(), float64(len(r.Messages))/seconds,
		float64(r.Bytes)/1e6/seconds, r.Accepted, r.Refused, r.Unanswered, r.Duplicates, r.Cuts, r.Spoilt, r.Resent,
		r.Percentile(0.5).Round(time.Millisecond), r.Percentile(0.99).Round(time.Millisecond))
}

// Storm sends Total messages and waits for their end. When ctx ends, those not begun are left out, and its cause is the
// error; messages without a receipt are no error here, they are in the book.
func (s *Sender) Storm(ctx context.Context, cfg StormConfig) (StormResult, error) {
	if cfg.Total < 1 || cfg.Rate < 0 || cfg.Concurrency < 0 || cfg.MaxBytes < cfg.MinBytes {
		return StormResult{}, errors.New("sf1606test: storm: nothing to send, or a negative limit")
	}
	orDefault(&cfg.Concurrency, 8)
	orDefault(&cfg.MaxBytes, 20_000)
	orDefault(&cfg.MinBytes, min(20_000, cfg.MaxBytes))
	if cfg.Letters == nil {
		cfg.Letters = NewLetters(LettersConfig{Now: s.cfg.Now})
	}
	if cfg.Letter == nil {
		cfg.Letter = func(int) *memo.Message {
			return cfg.Letters.New(cfg.MinBytes + int64(s.roll()*float64(cfg.MaxBytes-cfg.MinBytes)))
		}
	}
	var (
		res     StormResult
		mu      sync.Mutex
		workers sync.WaitGroup
		numbers = make(chan int)
		start   = s.cfg.Now()
		all     = make([]*Sent, cfg.Total)
	)
	for range cfg.Concurrency {
		workers.Go(func() {
			for n := range numbers {
				sent, extra := s.one(ctx, cfg, n)
				mu.Lock()
				all[n] = &sent
				res.Duplicates += extra.duplicates
				res.Cuts += extra.cuts
				res.Spoilt += extra.spoilt
				mu.Unlock()
				if cfg.Done != nil {
					cfg.Done(sent)
				}
			}
		})
	}
	err := pace(ctx, cfg, numbers)
	workers.Wait()
	res.Elapsed = s.cfg.Now().Sub(start)
	for _, sent := range all {
		if sent != nil {
			count(&res, *sent)
		}
	}
	return res, err
}

// count puts one message into the book.
func count(r *StormResult, sent Sent) {
	r.Messages = append(r.Messages, sent)
	r.Bytes += sent.Bytes
	r.Resent += max(sent.Tries-1, 0)
	switch {
	case sent.Err != nil:
		r.Unanswered++
	case sent.Receipt.Positive():
		r.Accepted++
	default:
		r.Refused++
	}
}

// pace hands out numbers at the rate, and closes the channel.
func pace(ctx context.Context, cfg StormConfig, numbers chan<- int) error {
	defer close(numbers)
	var tick <-chan time.Time
	if cfg.Rate > 0 {
		ticker := time.NewTicker(max(time.Duration(float64(time.Second)/cfg.Rate), 1))
		defer ticker.Stop()
		tick = ticker.C
	}
	for n := range cfg.Total {
		if tick != nil && n > 0 {
			select {
			case <-tick:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		select {
		case numbers <- n:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

type extra struct{ duplicates, cuts, spoilt int }

// one sends the message with a number, with what is rolled for it.
func (s *Sender) one(ctx context.Context, cfg StormConfig, n int) (Sent, extra) {
	m := cfg.Letter(n)
	sent, more := Sent{MessageUUID: strings.ToLower(m.Header.MessageUUID), Bytes: sizeOf(m)}, extra{}
	start := s.cfg.Now()
	if s.roll() < cfg.Cuts {
		_ = s.Cut(ctx, m, 0.6) // an upload that could not even begin is as good
		more.cuts++
	}
	if s.roll() < cfg.Spoilt {
		more.spoilt++
		ways := Spoils()
		bad := *m
		bad.Header.MessageUUID = cfg.Letters.uuid() // its refusal is not this message's
		if err := s.spoilt(ctx, &bad, ways[int(s.roll()*float64(len(ways)))]); err != nil {
			sent.Err = err
			return sent, more
		}
	}
	var (
		twin    sf1606.Receipt
		twinErr error
		wait    sync.WaitGroup
	)
	twins := s.roll() < cfg.Twins
	if twins {
		more.duplicates++
		wait.Go(func() { twin, _, twinErr = s.send(ctx, m) })
	}
	sent.Receipt, sent.Tries, sent.Err = s.send(ctx, m)
	sent.Elapsed = s.cfg.Now().Sub(start)
	wait.Wait()
	if twins && sent.Err == nil {
		sent.Err = same(sent.Receipt, twin, twinErr)
	}
	if s.roll() < cfg.Duplicates && sent.Err == nil {
		more.duplicates++
		again, _, err := s.send(ctx, m)
		sent.Err = same(sent.Receipt, again, err)
	}
	return sent, more
}

// same tells whether a message was answered the same twice. Refusals are made anew each time.
func same(first, second sf1606.Receipt, err error) error {
	switch {
	case err != nil:
		return err
	case first.Positive() != second.Positive(), first.Positive() && first != second:
		return errors.New("sf1606test: a message was answered two receipts that differ")
	default:
		return nil
	}
}
