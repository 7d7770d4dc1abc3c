package inbound

import (
	"context"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// hold extends the lease of a claimed post until stop is called, so that an attempt may take long and a dead worker's post
// is free soon. A lease that is lost to a person or another worker is not taken back. stop returns when nothing writes to p
// any more.
func (s *Service) hold(ctx context.Context, p *gateway.Post) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(s.cfg.Lease / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			held, err := s.extend(ctx, p)
			if err != nil && ctx.Err() == nil {
				s.cfg.Logger.WarnContext(ctx, "a lease was not extended, it will be tried again", "post", p.ID, "error", err)
			}
			if err == nil && !held {
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// extend gives the lease of p another term, from now. held is false when it is not ours any more.
func (s *Service) extend(ctx context.Context, p *gateway.Post) (held bool, err error) {
	// An attempt that ends meanwhile waits: whether the lease was extended must be known when its outcome is recorded.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	ends := s.cfg.Now().Add(s.cfg.Lease)
	err = s.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		now, err := tx.Post(p.ID)
		if err != nil {
			return err
		}
		if held = now.LeasedTo == s.cfg.Worker && now.LeaseEnds.Equal(p.LeaseEnds); !held {
			return nil
		}
		now.LeaseEnds = ends
		return tx.SavePost(now)
	})
	if err == nil && held {
		p.LeaseEnds = ends
	}
	return held, err
}
