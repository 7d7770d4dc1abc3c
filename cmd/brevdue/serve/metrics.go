package serve

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// gauges shows the state of the parts that keep count themselves. Its labels are closed lists.
type gauges struct {
	app *App

	connected, messages, connections, told, failed, givenUp *prometheus.Desc
}

var _ prometheus.Collector = (*gauges)(nil)

func (a *App) gauges() *gauges {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("brevdue_"+name, help, labels, nil)
	}
	return &gauges{
		app:         a,
		connected:   desc("pull_connected", "Consumers that pull statuses from the dueslag."),
		messages:    desc("pull_messages_total", "Messages from the dueslag, by what became of them.", "result"),
		connections: desc("pull_connections_total", "Logins at the broker, by why they were made.", "reason"),
		told:        desc("callbacks_delivered_total", "Events that their producer confirmed.", "producer"),
		failed:      desc("callbacks_failed_total", "Calls that failed, by why.", "producer", "failure"),
		givenUp:     desc("callbacks_given_up_total", "Events that were given up and wait for a replay.", "producer"),
	}
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{g.connected, g.messages, g.connections, g.told, g.failed, g.givenUp} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(to chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, n uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	if len(g.app.pullers) > 0 {
		connected, s := 0, beskedfordeler.PullState{}
		for _, p := range g.app.pullers {
			one := p.State()
			if one.Connected {
				connected++
			}
			s.Settled += one.Settled
			s.Quarantined += one.Quarantined
			s.Redelivered += one.Redelivered
			s.Reconnects += one.Reconnects
			s.Renewals += one.Renewals
		}
		to <- prometheus.MustNewConstMetric(g.connected, prometheus.GaugeValue, float64(connected))
		counter(g.messages, s.Settled, "settled")
		counter(g.messages, s.Quarantined, "quarantined")
		counter(g.messages, s.Redelivered, "redelivered")
		counter(g.connections, s.Reconnects, "lost")
		counter(g.connections, s.Renewals, "token")
	}
	if g.app.courier == nil {
		return
	}
	for _, s := range g.app.courier.Stats() {
		counter(g.told, s.Delivered, s.Producer)
		counter(g.givenUp, s.GivenUp, s.Producer)
		for word, n := range s.Failed {
			counter(g.failed, n, s.Producer, word)
		}
	}
}
