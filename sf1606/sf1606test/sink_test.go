package sf1606test_test

import (
	"testing"

	"github.com/brevdue/brevdue/sf1606"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

func TestBoxIsASink(t *testing.T) {
	t.Parallel()
	sf1606test.SinkSuite(t, func(t *testing.T) sf1606.Sink {
		box := &sf1606test.Box{}
		t.Cleanup(func() {
			if st := box.Stats(); st.Open != 0 || st.Misused != 0 {
				t.Errorf("%+v", st)
			}
		})
		return box
	})
}
