package httpapi

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestBodiesOfNothing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body string
		ok   bool
	}{
		"a large text":         {`{"content": "` + strings.Repeat("QUJD", 1<<20) + `"}`, true},
		"a text with commas":   {`{"content": "` + strings.Repeat("ord, ", 30_000) + `"}`, true},
		"elements":             {`[` + strings.Repeat("0,", maxValues) + `0]`, false},
		"containers":           {`[` + strings.Repeat("[],", maxContainers) + `[]]`, false},
		"nested":               {strings.Repeat("[", maxContainers+1) + strings.Repeat("]", maxContainers+1), false},
		"nested objects":       {strings.Repeat(`{"a":`, maxContainers+1), false},
		"small, however empty": {`[[],[],[]]`, true},
	} {
		err := fewEnough([]byte(tc.body))
		if p := (*Problem)(nil); tc.ok != (err == nil) || err != nil && (!errors.As(err, &p) || p.Status != 400) {
			t.Errorf("%s: %v, want it taken: %t", name, err, tc.ok)
		}
	}
	if _, err := decode[IntentRequest](bytes.Repeat([]byte("["), 1<<20)); err == nil || !strings.Contains(err.Error(), codeTooMany) {
		t.Errorf("decode: %v", err)
	}
}

func TestOverTheRate(t *testing.T) {
	t.Parallel()
	s := &Server{rate: func(_ context.Context, producer string) (time.Duration, bool) {
		return 1500 * time.Millisecond, producer == "calm"
	}}
	if err := s.paced(t.Context(), "calm"); err != nil {
		t.Error(err)
	}
	p := problemOf(s.paced(t.Context(), "hasty"))
	if p.Status != 429 || p.Code != codeRate || p.RetryAfter != 1500*time.Millisecond {
		t.Errorf("%+v", p)
	}
}
