package registration

import (
	"context"
	"iter"
	"sync"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
)

// Question is one line of a list to be washed.
type Question struct {
	Service sf1601.Service
	ID      gateway.Identifier
	Fresh   bool  // as in Registered
	Err     error // why the line could not be read: nothing is asked, and the answer carries it
}

// Answer is what became of one Question.
type Answer struct {
	N int // position in the list, from 0
	Question
	Registered bool // false when Err is set
}

// Wash looks a list up, at most concurrency questions at a time (less than 1: one), and yields one answer per question
// in the order of the list. A question that fails carries its error in Answer.Err and stops no other. However long the
// list is, no more than concurrency questions and the one being read are held at any time.
//
// The sequence ends with the list, early when ctx ends (what was under way still gets its answer), or when the loop
// over it is left. In every case it returns only after the questions sequence has returned, which runs in a goroutine
// of its own: a sequence that reads from a connection must end when that does.
func (r *Registry) Wash(ctx context.Context, questions iter.Seq[Question], concurrency int) iter.Seq[Answer] {
	return func(yield func(Answer) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		// The line of questions under way, each with the place for its answer. What waits in it, and the one taken out
		// by the loop below, are all there is.
		line := make(chan chan Answer, max(concurrency, 1)-1)
		running.Go(func() {
			defer close(line)
			n := 0
			for q := range questions {
				if ctx.Err() != nil {
					return
				}
				place := make(chan Answer, 1)
				select {
				case line <- place:
				case <-ctx.Done():
					return
				}
				a := Answer{N: n, Question: q}
				running.Go(func() { place <- r.answer(ctx, a) })
				n++
			}
		})
		for place := range line {
			if !yield(<-place) {
				return
			}
		}
	}
}

func (r *Registry) answer(ctx context.Context, a Answer) Answer {
	if a.Err == nil {
		a.Registered, a.Err = r.Registered(ctx, a.Service, a.ID, a.Fresh)
	}
	return a
}
