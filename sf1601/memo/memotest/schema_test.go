package memotest_test

import (
	"strings"
	"testing"

	"github.com/brevdue/brevdue/sf1601/memo/memotest"
)

// recorder is a testing.TB that notes failures instead of failing.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Errorf(format string, _ ...any) { r.failures = append(r.failures, format) }

func TestValidatorsAcceptTheirVersionOnly(t *testing.T) {
	t.Parallel()
	v11 := memotest.Example(t, "minimum-1.1.xml")
	v12 := memotest.Example(t, "minimum-1.2.xml")
	wrongOrder := []byte(strings.NewReplacer("memo:filename", "memo:language", "memo:language", "memo:filename").Replace(string(v11)))
	for _, tt := range []struct {
		name     string
		validate func(testing.TB, ...[]byte)
		document []byte
		valid    bool
	}{
		{"1.1 by 1.1", memotest.ValidateXSD, v11, true},
		{"1.2 by 1.1", memotest.ValidateXSD, v12, false},
		{"wrong order by 1.1", memotest.ValidateXSD, wrongOrder, false},
		{"not XML by 1.1", memotest.ValidateXSD, []byte("x"), false},
		{"1.2 by 1.2", memotest.ValidateXSD12, v12, true},
		{"1.1 by 1.2", memotest.ValidateXSD12, v11, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			tt.validate(r, tt.document)
			if valid := len(r.failures) == 0; valid != tt.valid {
				t.Errorf("valid = %t, want %t", valid, tt.valid)
			}
		})
	}
}
