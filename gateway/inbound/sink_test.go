package inbound_test

import (
	"testing"

	"github.com/brevdue/brevdue/sf1606"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// The service keeps what a sink promises, with a real journal and a real document store, and leaves nothing half written.
func TestServiceIsASink(t *testing.T) {
	t.Parallel()
	sf1606test.SinkSuite(t, func(t *testing.T) sf1606.Sink {
		w := newWorld(t)
		t.Cleanup(func() {
			if _, temporary := w.files(); temporary != 0 {
				t.Errorf("%d files are left half written", temporary)
			}
		})
		return w.service
	})
}
