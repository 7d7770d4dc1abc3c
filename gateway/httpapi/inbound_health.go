package httpapi

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/brevdue/brevdue/gateway"
)

// InboundHealth counts the inbound post that has not come to its end.
type InboundHealth struct {
	Queued       int       `json:"queued"`      // to be delivered
	Held         int       `json:"held"`        // every target refused it: a person decides
	Quarantined  int       `json:"quarantined"` // flagged: a person decides
	OldestQueued time.Time `json:"oldestQueued,omitzero"`
}

// count asks for the inbound post; nil when there is none to ask for, or the journal does not answer.
func (p *pulse) count(ctx context.Context) *InboundHealth {
	if p.inbound == nil {
		return nil
	}
	counts, oldest, err := p.inbound.PostCounts(ctx)
	if err != nil {
		p.log.WarnContext(ctx, "the inbound post could not be counted", "error", err)
		return nil
	}
	return &InboundHealth{
		Queued: counts[gateway.PostQueued], Held: counts[gateway.PostHeld], Quarantined: counts[gateway.PostQuarantined],
		OldestQueued: oldest,
	}
}

// inboundView shows the counts; nil: they are all zero, or nobody knows.
func (p *pulse) inboundView(ctx context.Context) *InboundHealth {
	_, posts := p.health(ctx)
	if posts == nil || posts.Queued+posts.Held+posts.Quarantined == 0 {
		return nil
	}
	return posts
}

// inboundMetrics are the same numbers for Prometheus.
type inboundMetrics struct{ posts, oldest *prometheus.Desc }

func newInboundMetrics() inboundMetrics {
	return inboundMetrics{
		posts: prometheus.NewDesc("brevdue_inbound_posts",
			"Inbound post that has not come to its end, by state: queued, held and quarantined.", []string{"state"}, nil),
		oldest: prometheus.NewDesc("brevdue_inbound_oldest_queued_timestamp_seconds",
			"When the queued inbound post came that has been due for the longest time.", nil, nil),
	}
}

// collect gives the numbers; nothing for nil, which is not the same as zero.
func (m inboundMetrics) collect(ch chan<- prometheus.Metric, posts *InboundHealth) {
	if posts == nil {
		return
	}
	for state, n := range map[gateway.PostState]int{
		gateway.PostQueued: posts.Queued, gateway.PostHeld: posts.Held, gateway.PostQuarantined: posts.Quarantined,
	} {
		ch <- prometheus.MustNewConstMetric(m.posts, prometheus.GaugeValue, float64(n), string(state))
	}
	if !posts.OldestQueued.IsZero() {
		ch <- prometheus.MustNewConstMetric(m.oldest, prometheus.GaugeValue, float64(posts.OldestQueued.Unix()))
	}
}
