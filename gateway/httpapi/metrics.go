package httpapi

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts requests. Its labels are closed lists: route is a pattern of the server, status an HTTP status.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(registry *prometheus.Registry) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "brevdue_http_requests_total",
			Help: "Requests answered, by route and status (499: the client was gone).",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "brevdue_http_request_seconds",
			Help:    "Time from the header of a request to the end of its answer, by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60},
		}, []string{"route"}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.seconds} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("httpapi: metrics: %w", err)
		}
	}
	return m, nil
}

// route returns the function that counts one request of a route.
func (m *metrics) route(pattern string) func(status int, took time.Duration) {
	seconds := m.seconds.WithLabelValues(pattern)
	return func(status int, took time.Duration) {
		m.requests.WithLabelValues(pattern, strconv.Itoa(status)).Inc()
		seconds.Observe(took.Seconds())
	}
}
