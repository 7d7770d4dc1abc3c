package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

// road is one configuration of part h, with a gateway and far end of its own.
type road struct {
	name    string
	routes  []string
	options harness.Options

	w      world
	load   *load
	posted int
	cursor int64 // in the event feed
	speeds []float64
	costs  cost
}

// routes is part h: what a send window and a second step of the route cost, by the machinery of part b. The configurations
// are measured in turns, so that the machine treats all alike. The look-up, another call to the far end, is told apart.
func routes(ctx context.Context, b *bench) ([]row, error) {
	const letters = 1000 // of a round
	twoSteps := []string{"digitalpost", "print"}
	roads := []*road{
		{name: "h-plain", routes: twoSteps[:1], options: channel("never", "")},
		{name: "h-routes", routes: twoSteps, options: channel("never", "now")},
		{name: "h-asking", routes: twoSteps, options: channel("fallback", "now")},
	}
	defer func() {
		for _, r := range roads {
			if r.w.World != nil {
				r.w.Close()
			}
		}
	}()
	for _, r := range roads {
		if err := r.open(ctx, b); err != nil {
			return nil, err
		}
	}
	for n := range b.rounds {
		for k := range roads { // each is the first one as often
			if err := roads[(n+k)%len(roads)].round(ctx, n+1, letters); err != nil {
				return nil, err
			}
		}
	}
	plain, both, asking := roads[0], roads[1], roads[2]
	ratio := median(both.speeds) / median(plain.speeds)
	return []row{
		{"h. throughput with window and two-step route, of the plain", "≥ 0.95", verdict(ratio >= 0.95, fmt.Sprintf("%.3f", ratio))},
		{"   the same by processor time", "", fmt.Sprintf("%.3f", float64(plain.costs.ours())/float64(both.costs.ours()))},
		{"   plain, median of the rounds (slowest to fastest)", "", plain.speed()},
		{"   with window and route", "", both.speed()},
		{"   with a look-up of everybody, too", "", asking.speed()},
		{"   throughput with the look-up, of the plain", "", fmt.Sprintf("%.3f", median(asking.speeds)/median(plain.speeds))},
		{"   processor time of one, plain", "", plain.costs.each(b.rounds * letters)},
		{"   with window and route", "", both.costs.each(b.rounds * letters)},
		{"   with the look-up, too", "", asking.costs.each(b.rounds * letters)},
		{"   who had the processors", "", plain.costs.plus(both.costs).plus(asking.costs).shares()},
	}, nil
}

// open starts the gateway of the road and sends letters until it is warm.
func (r *road) open(ctx context.Context, b *bench) error {
	now := time.Now().UTC()
	r.options.Print, r.options.Windows = 1, map[string]any{"now": map[string]any{ // not around the clock: it must be computed
		"from": now.Add(-6 * time.Hour).Format("15:04"), "to": now.Add(6 * time.Hour).Format("15:04"), "zone": "UTC",
	}}
	w, err := b.world(ctx, r.name, r.options)
	if err != nil {
		return err
	}
	r.w = w
	letter := letterOf(bodySize, harness.A4)
	letter.Routes = [][]string{r.routes}
	letter.Recipient.Address = httpapi.AddressRequest{Street: "Testvej", House: "1", Postcode: "8000", City: "Aarhus C", Country: "DK"}
	r.load = &load{address: w.Gateway.API, conns: 16, letter: &letter, citizens: true}
	if err := r.round(ctx, 0, 500); err != nil {
		return err
	}
	r.speeds, r.costs = nil, cost{}
	return nil
}

// channel is the set-up of a road.
func channel(askFirst, window string) harness.Options {
	return harness.Options{DigitalPost: map[string]any{"concurrency": 64, "ask_first": askFirst, "window": window}}
}

// round posts letters, waits for their delivery and notes how many a second there were.
func (r *road) round(ctx context.Context, n, letters int) error {
	before := r.w.spent()
	r.load.prefix = fmt.Sprintf("r%03d-", n)
	r.load.next.Store(int64(r.posted))
	r.posted += letters
	if _, err := r.load.run(ctx, r.posted); err != nil {
		return fmt.Errorf("%w\n%s", err, r.w.Logs(10))
	}
	if err := r.w.settled(ctx, int64(r.posted)); err != nil {
		return err
	}
	r.costs = r.costs.plus(r.w.spent().since(before))
	events, cursor, err := r.w.Gateway.EventsAfter(ctx, r.cursor)
	if err != nil {
		return err
	}
	r.cursor = cursor
	first, last, err := span(events, r.load.prefix, letters)
	if err != nil {
		return err
	}
	r.speeds = append(r.speeds, float64(letters)/last.Sub(first).Seconds())
	return nil
}

// speed is letters a second.
func (r *road) speed() string {
	return fmt.Sprintf("%.0f/s (%.0f to %.0f)", median(r.speeds), slices.Min(r.speeds), slices.Max(r.speeds))
}

func median(speeds []float64) float64 {
	sorted := slices.Sorted(slices.Values(speeds))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
