package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/brevdue/brevdue/gateway"
)

// Health is what /healthz and /readyz answer.
type Health struct {
	Status string `json:"status"` // "ok" or "ready"
	// Channels is the state of each channel's circuit breaker: "closed" (all is well), "open" (its far end is down, letters
	// wait) or "half-open" (letters on trial). Only /healthz tells.
	Channels map[string]string `json:"channels,omitzero"`
	// Statuses are warnings: none keeps the gateway from its work. Only /healthz tells, when there is something to tell and
	// the journal answers.
	Statuses *StatusHealth `json:"statuses,omitzero"`
	// Inbound is the inbound post that has not come to its end. Only /healthz tells, when there is any and the journal answers.
	Inbound *InboundHealth `json:"inbound,omitzero"`
	// Certificates end within 60 days, or have new files that cannot be used: warnings, the first to end first. Only /healthz
	// tells, when there is any.
	Certificates []CertificateHealth `json:"certificates,omitempty"`
}

// CertificateHealth warns of a certificate of this process.
type CertificateHealth struct {
	Role   string    `json:"role"`             // what it is for, such as http
	Until  time.Time `json:"until"`            // when it ends
	Days   int       `json:"days"`             // whole days left; negative when it has ended
	Broken bool      `json:"broken,omitempty"` // its files hold a new one that cannot be used
}

// StatusHealth counts what waits for a status or for a person. Counts but those of overdue messages end at 10,000, which
// means at least that.
type StatusHealth struct {
	Overdue     []OverdueView `json:"overdue"` // channels with overdue messages
	Quarantined Waiting       `json:"quarantined"`
	Unreadable  Waiting       `json:"unreadable"`
	Held        Waiting       `json:"held"`
}

// OverdueView counts the messages of a channel whose expected status did not come in time.
type OverdueView struct {
	Channel string    `json:"channel"`
	Count   int       `json:"count"`
	Oldest  time.Time `json:"oldest"` // when the oldest was submitted
}

// Waiting counts something that waits.
type Waiting struct {
	Count  int       `json:"count"`
	Oldest time.Time `json:"oldest,omitzero"`
}

// pulseTime is how long an answer about the health holds: many may ask, of whom anybody may.
const pulseTime = 5 * time.Second

// pulse asks the gateway for its health, not too often.
type pulse struct {
	gateway Gateway
	inbound Inbound // nil: there is none
	now     func() time.Time
	log     *slog.Logger

	mu    sync.Mutex
	asked time.Time
	last  *gateway.Health // nil: the journal did not answer
	posts *InboundHealth  // nil: the same, or there is no inbound post
}

// health returns what was counted in the last pulseTime; nil when the journal did not answer.
func (p *pulse) health(ctx context.Context) (*gateway.Health, *InboundHealth) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.now(); p.asked.IsZero() || now.Sub(p.asked) >= pulseTime || now.Before(p.asked) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		h, err := p.gateway.Health(ctx)
		if err != nil || h == nil {
			p.log.WarnContext(ctx, "the health could not be asked for", "error", err)
			h = nil // what an error brings along is not to be told
		}
		p.last, p.posts, p.asked = h, p.count(ctx), now
	}
	return p.last, p.posts
}

// view shows the warnings; nil: there is none, or the journal does not answer.
func (p *pulse) view(ctx context.Context) *StatusHealth {
	h, _ := p.health(ctx)
	if h == nil || (len(h.Overdue) == 0 && h.Quarantined == 0 && h.Unreadable == 0 && h.Held == 0) {
		return nil
	}
	v := &StatusHealth{
		Overdue:     make([]OverdueView, len(h.Overdue)),
		Quarantined: Waiting{h.Quarantined, h.OldestQuarantined},
		Unreadable:  Waiting{h.Unreadable, h.OldestUnreadable},
		Held:        Waiting{h.Held, h.OldestHeld},
	}
	for n, o := range h.Overdue {
		v.Overdue[n] = OverdueView(o)
	}
	return v
}

// statusMetrics are the same numbers for Prometheus, and the counters of this process.
type statusMetrics struct {
	pulse                                       *pulse
	overdue, oldest, waiting, receipts, clashes *prometheus.Desc
	inbound                                     inboundMetrics
}

func registerStatusMetrics(registry *prometheus.Registry, p *pulse) error {
	m := &statusMetrics{
		pulse:   p,
		inbound: newInboundMetrics(),
		overdue: prometheus.NewDesc("brevdue_messages_overdue",
			"Messages whose expected status did not come in time, by channel.", []string{"channel"}, nil),
		oldest: prometheus.NewDesc("brevdue_messages_overdue_oldest_timestamp_seconds",
			"When the oldest overdue message was submitted, by channel.", []string{"channel"}, nil),
		waiting: prometheus.NewDesc("brevdue_waiting_for_a_person",
			"What waits for a person (10000: at least): quarantined and unreadable statuses, held messages.", []string{"what"}, nil),
		receipts: prometheus.NewDesc("brevdue_receipts_total",
			"Statuses that this process took, by what became of them.", []string{"result"}, nil),
		clashes: prometheus.NewDesc("brevdue_receipts_conflicting_total",
			"Statuses that this process took whose ObjektHandling and TransaktionsStatusKode disagree.", nil, nil),
	}
	if err := registry.Register(m); err != nil {
		return fmt.Errorf("httpapi: metrics: %w", err)
	}
	return nil
}

// Describe is prometheus.Collector.
func (m *statusMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.overdue, m.oldest, m.waiting, m.receipts, m.clashes, m.inbound.posts, m.inbound.oldest} {
		ch <- d
	}
}

// Collect is prometheus.Collector.
func (m *statusMetrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, label string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, label)
	}
	h, posts := m.pulse.health(context.Background())
	m.inbound.collect(ch, posts)
	if h != nil {
		for _, o := range h.Overdue {
			gauge(m.overdue, float64(o.Count), o.Channel)
			gauge(m.oldest, float64(o.Oldest.Unix()), o.Channel)
		}
		gauge(m.waiting, float64(h.Quarantined), "quarantined")
		gauge(m.waiting, float64(h.Unreadable), "unreadable")
		gauge(m.waiting, float64(h.Held), "held")
	}
	c := m.pulse.gateway.ReceiptCounts()
	for result, n := range map[string]int64{
		"settled": c.Settled, "duplicate": c.Duplicate, "unmatched": c.Unmatched, "foreign": c.Foreign, "unreadable": c.Unreadable,
	} {
		ch <- prometheus.MustNewConstMetric(m.receipts, prometheus.CounterValue, float64(n), result)
	}
	ch <- prometheus.MustNewConstMetric(m.clashes, prometheus.CounterValue, float64(c.Conflicts))
}
