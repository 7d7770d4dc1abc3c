package journal

import (
	"database/sql"
	"errors"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// In: name. Out: who has it, until when, its number.
const selectLease = `SELECT holder, ends_at, fence FROM leases WHERE name = ?`

// In: name, holder, end.
const insertLease = `INSERT INTO leases (name, holder, ends_at, fence) VALUES (?, ?, ?, 1)`

// In: holder, end, number, name.
const updateLease = `UPDATE leases SET holder = ?, ends_at = ?, fence = ? WHERE name = ?`

// TakeLease implements gateway.Tx.
func (t *tx) TakeLease(name, holder string, now, until time.Time) (int64, error) {
	const op = "take a lease"
	if err := t.lock(op, "lease", name); err != nil {
		return 0, err
	}
	var has string
	var ends time.Time
	var fence int64
	err := t.one(op, selectLease, func(r row) error { return r.Scan(&has, (*moment)(&ends), &fence) }, name)
	switch {
	case errors.Is(err, gateway.ErrNotFound) || errors.Is(err, sql.ErrNoRows):
		_, err := t.exec(op, insertLease, name, holder, microOf(until))
		return 1, err
	case err != nil:
		return 0, err
	case has != holder && ends.After(now):
		return 0, wrap(op, gateway.ErrLeased)
	case has != holder:
		fence++
	}
	_, err = t.exec(op, updateLease, holder, microOf(until), fence, name)
	return fence, err
}

// HoldLease implements gateway.Tx. Nobody can take the lease over before the transaction ends.
func (t *tx) HoldLease(name string, fence int64) error {
	const op = "hold a lease"
	if err := t.lock(op, "lease", name); err != nil {
		return err
	}
	var now int64
	err := t.one(op, selectLease, func(r row) error {
		var holder string
		var ends time.Time
		return r.Scan(&holder, (*moment)(&ends), &now)
	}, name)
	if errors.Is(err, gateway.ErrNotFound) || err == nil && now != fence {
		return wrap(op, gateway.ErrLeased)
	}
	return err
}
