package serve

import (
	"context"
	mathrand "math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway/callback"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/gateway/queue"
)

// callbackSweepEvery is how often lanes that the queue may have lost are looked for.
const callbackSweepEvery = 5 * time.Second

// receivers are the producers that want to be told.
func receivers(producers []config.Producer) []callback.Receiver {
	var list []callback.Receiver
	for _, p := range producers {
		c := p.Callback
		if c.URL == "" {
			continue
		}
		list = append(list, callback.Receiver{
			Producer: p.Name, URL: c.URL, SecretFile: c.SecretFile, AllowPrivate: c.AllowPrivate,
			CAFile: c.CAFile, CertificateFile: c.CertificateFile, KeyFile: c.KeyFile, Concurrency: c.Concurrency,
		})
	}
	return list
}

// openCourier makes what tells producers of their events.
func (a *App) openCourier() error {
	list := receivers(a.cfg.Producers)
	if len(list) == 0 {
		return nil
	}
	var err error
	a.courier, err = callback.New(callback.Config{
		Journal: a.journal, Queue: a.queue, Receivers: list, Event: httpapi.EventJSON(a.gateway),
		Now: time.Now, Jitter: mathrand.Float64, Logger: a.log.With("part", "callback"),
	})
	return err
}

// startCourier runs the callbacks.
func (a *App) startCourier(ctx context.Context, group *errgroup.Group) {
	if a.courier == nil {
		return
	}
	group.Go(func() error {
		return a.queue.RunCallbacks(ctx, queue.CallbackWorkers{Deliverer: a.courier, Concurrency: a.courier.Workers()})
	})
	group.Go(func() error {
		every(ctx, callbackSweepEvery, func() {
			if _, err := a.courier.Sweep(ctx); err != nil && ctx.Err() == nil {
				a.log.ErrorContext(ctx, "sweep of callbacks failed, it will be repeated", "error", err)
			}
		})
		return nil
	})
}
