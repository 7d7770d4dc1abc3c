package beskedfordeler_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// BenchmarkPull takes statuses one at a time out of a real broker, decodes
// them and acknowledges each; storing costs nothing.
func BenchmarkPull(b *testing.B) {
	n := broker(b)
	q := queue(b, n)
	bodies := events(b.N)
	for len(bodies) > 0 {
		some := min(len(bodies), 5000)
		publish(b, n, q, bodies[:some]...)
		bodies = bodies[some:]
	}
	var got atomic.Int64
	all := make(chan struct{})
	b.ResetTimer()
	p := pulling(b, n, q, func(c *beskedfordeler.PullConfig) {
		c.Deliver = func(context.Context, []byte, *beskedfordeler.Besked) error {
			if got.Add(1) == int64(b.N) {
				close(all)
			}
			return nil
		}
	})
	<-all
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	p.stop()
}
