package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/brevdue/brevdue/gateway/httpapi"
)

// readyWithin is how long the questions behind /readyz may take together.
const readyWithin = 2 * time.Second

// listenMetrics opens the listener of metrics, health and readiness, which every process may have, whatever its roles.
func (a *App) listenMetrics(ctx context.Context) error {
	registry := prometheus.NewRegistry()
	if err := a.registerMetrics(registry); err != nil {
		return err
	}
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		a.write(w, http.StatusOK, httpapi.Health{Status: "ok", Channels: a.states(), Certificates: a.expiring()})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		roles, ready := a.readiness(r.Context())
		status := http.StatusOK
		if !ready {
			status = http.StatusServiceUnavailable
		}
		a.write(w, status, roles)
	})
	var err error
	server := httpapi.NewHTTPServer(a.cfg.Metrics.Listen, mux, a.log)
	server.WriteTimeout = time.Minute
	a.watch, err = open(ctx, "metrics.listen", a.cfg.Metrics.Listen, server)
	return err
}

func (a *App) write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		a.log.Debug("answer a watcher", "error", err)
	}
}

// readiness says of each role of this process "ready" or what it waits for. Every role needs the journal; the worker needs
// Redis, too, and a puller of statuses its broker. The others go on without: the sweep makes up for a queue that is away.
func (a *App) readiness(ctx context.Context) (map[string]string, bool) {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	const ready = "ready"
	roles, all := make(map[string]string, len(a.opts.Roles)), true
	common := ready
	if err := a.gateway.Ready(ctx); err != nil {
		common = "journal or documents do not answer"
		a.log.WarnContext(ctx, "not ready", "error", err)
	}
	for _, role := range a.opts.Roles {
		state := common
		switch {
		case state != ready:
		case role == RoleWorker:
			if err := a.queue.Ping(ctx); err != nil {
				state = "queue does not answer"
			}
		case role == RoleStatus && !a.pulls():
			state = "no consumer is connected to the dueslag"
		}
		roles[role] = state
		all = all && state == ready
	}
	return roles, all
}

// pulls is true when a consumer is connected, or none is to be.
func (a *App) pulls() bool {
	for _, p := range a.pullers {
		if p.State().Connected {
			return true
		}
	}
	return len(a.pullers) == 0
}
