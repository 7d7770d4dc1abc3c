package retention

import (
	"context"
	"errors"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// Nightly runs every night at an hour and minute of the zone, until ctx ends. Of several processes one does; whichever takes
// the lease first. A failed run is repeated an hour later.
func (r *Runner) Nightly(ctx context.Context, hour, minute int, zone *time.Location) {
	at := nextNight(r.cfg.Now(), hour, minute, zone)
	for {
		timer := time.NewTimer(at.Sub(r.cfg.Now()))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		report, err := r.Run(ctx, Actor{Who: "brevdue", How: "schedule"})
		at = nextNight(r.cfg.Now(), hour, minute, zone)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, gateway.ErrLeased): // another process does it
		case err != nil:
			r.log.ErrorContext(ctx, "retention failed, it is repeated in an hour", "error", err)
			at = r.cfg.Now().Add(time.Hour)
		default:
			r.log.InfoContext(ctx, "retention", "lines", len(report.Lines), "uploads", report.Uploads, "documents", report.Removed,
				"failed", report.Failed)
		}
	}
}

// nextNight is the next time after now that a clock in the zone shows the hour and minute.
func nextNight(now time.Time, hour, minute int, zone *time.Location) time.Time {
	local := now.In(zone)
	at := time.Date(local.Year(), local.Month(), local.Day(), hour, minute, 0, 0, zone)
	if !at.After(now) {
		at = time.Date(local.Year(), local.Month(), local.Day()+1, hour, minute, 0, 0, zone)
	}
	return at
}
