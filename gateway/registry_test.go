package gateway_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway"
)

// directory is a registry that answers as the test says and remembers how it was asked.
type directory struct {
	registered bool
	err        error
	asked      []string
	fresh      bool
}

func (d *directory) Registered(_ context.Context, service string, _ gateway.Identifier, fresh bool) (bool, error) {
	d.asked, d.fresh = append(d.asked, service), fresh
	return d.registered, d.err
}

func TestRegistered(t *testing.T) {
	t.Parallel()
	cpr, err := gateway.ParseCPR("2512489996")
	if err != nil {
		t.Fatal(err)
	}
	d := &directory{registered: true}
	b := setup(t, func(c *gateway.Config) { c.Registry = d })
	if got, err := b.Registered(t.Context(), "nemsms", cpr, true); err != nil || !got || !d.fresh || d.asked[0] != "nemsms" {
		t.Errorf("%t, %v, %+v", got, err, d)
	}
	// A look-up that failed is not "not registered", whatever the registry says beside its error.
	d.err = errors.New("timeout")
	if got, err := b.Registered(t.Context(), "digitalpost", cpr, false); got || !errors.Is(err, gateway.ErrUnavailable) || !errors.Is(err, d.err) {
		t.Errorf("%t, %v", got, err)
	}
	d.asked = nil
	for pointer, ask := range map[string]func() (bool, error){
		"/service": func() (bool, error) { return b.Registered(t.Context(), "eboks", cpr, false) },
		"":         func() (bool, error) { return b.Registered(t.Context(), "nemsms", gateway.Identifier{}, false) },
	} {
		_, err := ask()
		var invalid *gateway.Invalid
		if !errors.As(err, &invalid) || invalid.Problems[0].Pointer != pointer || len(d.asked) != 0 || strings.Contains(err.Error(), "2512") {
			t.Errorf("%q: %v", pointer, err)
		}
	}
	if _, err := setup(t).Registered(t.Context(), "nemsms", cpr, false); !errors.Is(err, gateway.ErrNoRegistry) {
		t.Error(err)
	}
}
