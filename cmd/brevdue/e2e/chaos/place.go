package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/gateway/journal/pgtest"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler/rabbittest"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// The engines that a run can stand on.
const (
	engineEmbedded = "embedded" // SQLite and the embedded queue: one process
	engineSQLite   = "sqlite"   // SQLite and Redis: three processes on one file
	enginePostgres = "postgres" // PostgreSQL and Redis: three processes, two of which do everything that the others do
)

func engines() []string { return []string{engineEmbedded, engineSQLite, enginePostgres} }

// layouts are the roles of the processes of an engine.
func layout(engine string) []string {
	switch engine {
	case engineEmbedded:
		return []string{"api,worker,status"}
	case engineSQLite:
		return []string{"api", "worker", "status"}
	default:
		return []string{"api,status", "api,worker", "worker"}
	}
}

// place is a running world.
type place struct {
	world

	dir     string
	opening time.Time // when windowSoon opens and windowTill closes
	nodes   []*node
	sim     *harness.Sim
	box     *mailbox
	calls   *harness.Receiver
	broker  *rabbittest.Node
	pg      *pgtest.Server
	disk    string // mount point, "" when there is none

	refuseCalls, loseCalls atomic.Bool

	redisMu sync.Mutex
	redis   *harness.Redis
	address string // of redis

	stopNodes context.CancelFunc
	heard     *hearing
}

// options say what world to build.
type options struct {
	engine   string
	binary   string
	dir      string
	pull     bool
	disk     bool
	clock    bool
	duration time.Duration
	seed     uint64
}

// open builds a world and starts it.
func open(ctx context.Context, o options) (*place, error) {
	p := &place{dir: o.dir, heard: newHearing()}
	p.world.nodes = len(layout(o.engine))
	p.world.redis, p.postgres = o.engine != engineEmbedded, o.engine == enginePostgres
	p.long, p.clock = o.duration >= time.Minute, o.clock
	if err := p.build(ctx, o); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *place) build(ctx context.Context, o options) error {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	if err := p.mount(o.disk); err != nil {
		return err
	}
	addresses, err := harness.FreeAddresses(ctx, 4+len(layout(o.engine)))
	if err != nil {
		return err
	}
	p.address = addresses[0]
	if p.world.redis {
		if p.redis, err = harness.StartRedis(ctx, filepath.Join(p.data(), "redis"), p.address); err != nil {
			return err
		}
	}
	if p.postgres {
		if p.pg, err = pgtest.Start(ctx); err != nil {
			return err
		}
	}
	if err := p.farEnds(ctx, o, addresses); err != nil {
		return err
	}
	return p.gateways(ctx, o, addresses)
}

// data is where the gateways and Redis keep what they know: the disk that can be full.
func (p *place) data() string {
	if p.disk != "" {
		return p.disk
	}
	return p.dir
}

// farEnds starts everything outside: simulator, broker, mail server and callback receiver.
func (p *place) farEnds(ctx context.Context, o options, addresses []string) error {
	sim := filepath.Join(p.dir, "sim")
	if err := os.MkdirAll(sim, 0o700); err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	statuses := []string{"--push", harness.PushURL(addresses[3])}
	var err error
	if o.pull {
		if p.broker, err = harness.StartBroker(ctx, filepath.Join(p.dir, "rabbitmq"), sim); err != nil {
			return err
		}
		p.world.broker = true
		statuses = []string{"--amqp", p.broker.URL(), "--queue", harness.Dueslag}
	}
	if p.sim, err = harness.StartSim(ctx, o.binary, sim, addresses[1], addresses[2], statuses...); err != nil {
		return err
	}
	if err := p.sim.SetFaults(ctx, map[string]any{"lateDelay": "3s"}); err != nil {
		return err
	}
	if p.box, err = openMailbox(ctx); err != nil {
		return err
	}
	p.calls, err = harness.NewReceiver(p.dir, sim, o.pull, p.answer)
	return err
}

// answer is what the callback receiver says. Besides what the schedule asks for, one call in thirty fails.
func (p *place) answer(c harness.Call) int {
	if p.refuseCalls.Load() || rand.IntN(30) == 0 { //nolint:gosec // any call will do
		return http.StatusInternalServerError
	}
	p.heard.take(c)
	if p.loseCalls.Load() {
		return http.StatusInternalServerError
	}
	return http.StatusNoContent
}

// gateways migrates the journal and starts the processes.
func (p *place) gateways(ctx context.Context, o options, addresses []string) error {
	journal := "sqlite:" + filepath.Join(p.data(), "journal", "brevdue.db")
	if p.pg != nil {
		var err error
		if journal, err = p.pg.Database(ctx, ""); err != nil {
			return err
		}
	}
	p.opening = openingAt(time.Now(), o.duration)
	for n, roles := range layout(o.engine) {
		dir := filepath.Join(p.data(), fmt.Sprintf("node%d", n+1))
		settings := p.settings(dir, addresses[4+n], addresses[3], journal, o)
		g, err := harness.NewNode(o.binary, dir, addresses[4+n], settings)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("node %d (%s)", n+1, roles)
		p.nodes = append(p.nodes, &node{name: name, roles: roles, gateway: g, ended: make(chan struct{})})
	}
	if _, err := harness.Run(ctx, o.binary, p.dir, "migrate", "--config", p.nodes[0].gateway.ConfigFile); err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.stopNodes = cancel
	for _, n := range p.nodes {
		go n.run(running)
	}
	for _, n := range p.nodes {
		if err := n.ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// openingAt is the first full minute that is a fifth of the way ahead.
func openingAt(now time.Time, d time.Duration) time.Time {
	return now.UTC().Add(d / 5).Truncate(time.Minute).Add(time.Minute)
}

// settings are those of one process.
func (p *place) settings(dir, api, push, journal string, o options) map[string]any {
	w := &harness.World{Sim: p.sim, Redis: &harness.Redis{Address: p.address}, Broker: p.broker}
	type section = map[string]any
	s := w.Configuration(dir, api, push, harness.Options{Pull: o.pull, Print: 4711})
	s["journal"] = section{"url": journal}
	if o.engine == engineEmbedded {
		s["queue"] = section{"url": "embedded"}
	}
	s["documents"] = section{"url": "file:" + filepath.Join(p.data(), "documents")}
	minute := p.opening.Format("15:04")
	hour := func(h int) string { return p.opening.Add(time.Duration(h) * time.Hour).Format("15:04") }
	s["windows"] = section{
		windowSoon: section{"from": minute, "to": hour(6), "zone": "UTC"},
		windowTill: section{"from": hour(-6), "to": minute, "zone": "UTC"},
		windowShut: section{"from": hour(8), "to": hour(9), "zone": "UTC"},
	}
	quick := func(more section) section {
		c := section{"unknown_wait": "4s", "retry_first": "300ms", "retry_max": "4s", "ramp": "2s"}
		maps.Copy(c, more)
		return c
	}
	s["channels"] = section{
		"digitalpost": quick(nil), "nemsms": quick(nil), "print": quick(nil), "automatic": quick(nil),
		"smtp": quick(section{"url": "smtp://" + p.box.address + "?starttls=none"}),
	}
	if producers, ok := s["producers"].([]section); ok {
		producers[0]["callback"] = section{
			"url": p.calls.URL, "secret_file": p.calls.SecretFile, "allow_private": true,
			"ca_file": filepath.Join(p.sim.Dir, sf1601test.FileCA),
		}
	}
	return s
}

// client is that of a process that serves the API, another one at every call.
func (p *place) client(turn int) *httpapi.Client {
	var open []*node
	for _, n := range p.nodes {
		if n.api() {
			open = append(open, n)
		}
	}
	return open[turn%len(open)].gateway.Client
}

// close ends everything that runs and frees the disk.
func (p *place) close() {
	if p.stopNodes != nil {
		p.stopNodes()
		for _, n := range p.nodes {
			<-n.ended
		}
	}
	if p.sim != nil {
		_ = p.sim.Resume()
		p.sim.Close()
	}
	if p.box != nil {
		p.box.Close()
	}
	if p.calls != nil {
		p.calls.Close()
	}
	if p.broker != nil {
		p.broker.Close()
	}
	if p.redis != nil {
		p.redis.Close()
	}
	if p.pg != nil {
		_ = p.pg.Resume()
		_ = p.pg.Close()
	}
	p.unmount()
}

// missing reports whether err says that a program is not installed.
func missing(err error) bool {
	return errors.Is(err, harness.ErrNoRedis) || errors.Is(err, pgtest.ErrMissing) || errors.Is(err, rabbittest.ErrNoRabbit)
}
