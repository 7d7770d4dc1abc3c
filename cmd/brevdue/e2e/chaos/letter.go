package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

// The windows of the configuration.
const (
	windowShut = "shut" // closed for as long as a run can take
	windowSoon = "soon" // opens at a full minute during a long run
	windowTill = "till" // closes at that minute
)

// letter is an intent that producers hand in, and what is known of it.
type letter struct {
	reference string
	ending    string // of the recipient: what the far end does with it
	request   *httpapi.IntentRequest
	cancel    time.Duration // after it was accepted; 0: never

	earliest, latest time.Time // it may arrive at the far end between them; zero: no limit

	id        string    // of the intent, once it was accepted
	refused   bool      // it was not accepted
	again     int       // answers that said that it had been here
	cancelled time.Time // when the gateway confirmed that it is cancelled
	withdrawn []string  // messages that the confirmation called cancelled
}

// silent reports whether the far end never tells what became of it.
func (l *letter) silent() bool { return l.ending == "9987" }

// endings are the simulator's recipients, the ordinary one as often as all others together.
func endings() []string {
	return []string{"9995", "9994", "9993", "9992", "9991", "9991", "9990", "9989", "9988", "9987", "9986", "9985"}
}

func routes() [][][]string {
	return [][][]string{
		{{"digitalpost"}}, {{"digitalpost"}}, {{"digitalpost"}}, {{"digitalpost"}},
		{{"digitalpost", "print"}}, {{"digitalpost", "print"}},
		{{"digitalpost", "nemsms", "print"}}, {{"nemsms", "digitalpost"}},
		{{"print"}}, {{"automatic"}}, {{"smtp"}}, {{"smtp", "digitalpost"}},
		{{"digitalpost"}, {"nemsms"}}, {{"digitalpost", "print"}, {"smtp"}},
	}
}

// letters writes letter n of a seed. Its times are counted from now; opening is the minute of the windows.
func newLetter(seed uint64, n int, run string, now, opening time.Time) *letter {
	dice := rand.New(rand.NewPCG(seed, uint64(n)+1000)) //nolint:gosec // repeatable
	l := &letter{reference: fmt.Sprintf("%s-%d", run, n), ending: "9996"}
	if list := endings(); dice.IntN(2) == 0 {
		l.ending = list[dice.IntN(len(list))]
	}
	list := routes()
	in := harness.Letter(l.reference, "251248"+l.ending)
	in.Routes = list[dice.IntN(len(list))]
	in.Recipient.Name = "Nancy Berggren " + l.ending
	in.Recipient.Email = "nancy.berggren@testby.example"
	in.Recipient.Address = httpapi.AddressRequest{Street: "Skovvej", House: "7", Postcode: "8000", City: "Aarhus C"}
	in.Content.SMS = "Du har fået et brev fra Jobcentret."
	if dice.IntN(3) > 0 {
		in.Content.Documents[0].Content = httpapi.Base64{Bytes: harness.A4(2 << 10)}
	} else {
		in.Content.Documents, in.Content.Text = nil, "Du er indkaldt til samtale i Jobcentret."
	}
	in.Send.Priority = []string{"", "", "", "urgent", "bulk"}[dice.IntN(5)]
	l.request = in
	l.timing(dice, now, opening)
	return l
}

// timing gives one letter in three a time: a delay, a last moment, a window or a cancellation.
func (l *letter) timing(dice *rand.Rand, now, opening time.Time) {
	in := l.request
	after := func(most int) time.Time {
		return now.Add(time.Duration(1+dice.IntN(most)) * time.Second).UTC().Truncate(time.Second)
	}
	text := func(t time.Time) string { return t.Format(time.RFC3339) }
	switch dice.IntN(24) {
	case 0, 1: // later
		l.earliest = after(10)
		in.Send.NotBefore = text(l.earliest)
	case 2: // later, and cancelled around then
		l.earliest = after(4)
		in.Send.NotBefore = text(l.earliest)
		l.cancel = time.Duration(1+dice.IntN(5000)) * time.Millisecond
	case 3: // soon or never
		l.latest = after(8)
		in.Send.Expires = text(l.latest)
	case 4: // around a time, or never
		l.earliest = after(4)
		in.Send.NotBefore = text(l.earliest)
		l.latest = l.earliest.Add(time.Duration(1+dice.IntN(3)) * time.Second)
		in.Send.Expires = text(l.latest)
	case 5: // waits for its opening
		in.Send.Window = windowSoon
		l.earliest = opening
	case 6: // until the closing
		if now.Before(opening) {
			in.Send.Window = windowTill
			l.latest = opening
			in.Send.Expires = text(opening.Add(5 * time.Second))
		}
	case 7, 8: // cancelled at once
		l.cancel = time.Duration(1+dice.IntN(300)) * time.Millisecond
	case 9, 10: // waits for a closed window, and is cancelled
		in.Send.Window = windowShut
		l.earliest = now.Add(time.Hour)
		l.cancel = time.Duration(1+dice.IntN(3000)) * time.Millisecond
	}
}
