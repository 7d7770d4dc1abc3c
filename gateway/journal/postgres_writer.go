package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// postgresGroup is how many updates go into one transaction. What they lock stays locked until its end.
const postgresGroup = 64

// stubborn is how long an update is tried again while others are in its way.
const stubborn = 20 * time.Second

// alone runs the group again, each update in a transaction of its own in which nothing is put off, and answers each. One that
// others were in the way of runs again after a pause.
func (w *writer) alone(s *postgresSession) error {
	s.careful = true
	defer func() { s.careful = false }()
	for i, r := range w.group {
		if err := w.persist(s, r); err != nil {
			r.forget()
			r.err = err
		}
		r.done <- r.err
		w.group[i] = nil
	}
	return nil
}

// persist runs one update until it is stored or cannot be. The error is the answer when it was not the update's own.
func (w *writer) persist(s *postgresSession, r *request) error {
	began, reconnected := w.now(), false
	s.tries = 0
	defer func() { s.tries = 0 }()
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		err := w.try(s, r)
		s.tries++
		switch {
		case err == nil:
			return nil
		case passing(err) && w.now().Sub(began) < stubborn:
		case errors.Is(err, errDirty) && (state(err) == "" || unreachable(err)) && !reconnected:
			reconnected = true // the connection had died; there may be another
		case state(err) != "" && !unreachable(err) && !passing(err):
			if r.err != nil {
				return r.err
			}
			return fmt.Errorf("journal: an update hid its failure: %w", err)
		default:
			return fmt.Errorf("journal: %w: %w", gateway.ErrUnavailable, err)
		}
		r.forget()
		time.Sleep(pause + rand.N(pause)) //nolint:forbidigo,gosec // others are in the way; chance parts them
	}
}

// try runs one update in its own transaction. An error is of the transaction; that of the update is in r.
func (w *writer) try(s *postgresSession, r *request) error {
	if err := s.begin(); err != nil {
		return err
	}
	s.next()
	r.run(w)
	if err := s.broken(); err != nil {
		_ = s.rollback() // the cause says more
		return err
	}
	if r.err != nil {
		r.forget()
		if err := s.rollback(); err != nil {
			w.log.Debug("journal: rollback of an update", "error", err)
		}
		return nil
	}
	if err := s.commit(); err != nil {
		_ = s.rollback() // the cause says more
		return err
	}
	return nil
}
