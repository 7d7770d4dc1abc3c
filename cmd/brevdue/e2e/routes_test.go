package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// The codes the operator of these tests has learnt: they are in no table that comes with brevdue.
const (
	codeBoxClosed = "box.closed" // in the status of a letter
	codeNoBox     = "no.box"     // in an answer, when NGDP says it
	learnt        = "code,source,outcome,hint,hint_da,origin,date\n" +
		codeBoxClosed + ",,next,The box is closed: paper reaches them.,Postkassen er lukket: papir når frem.,own experience,2026-11-21\n" +
		codeNoBox + ",NGDP,next,There is no box.,Der er ingen postkasse.,own experience,2026-11-21\n"
)

// everyChannel is a world whose sender can print, whose codes are learnt, and whose retries are quick.
func everyChannel(t *testing.T) (context.Context, *harness.World) {
	t.Helper()
	ctx, w := setup(t, 3*time.Minute, harness.Options{})
	codes := filepath.Join(w.Dir, "codes.csv")
	if err := os.WriteFile(codes, []byte(learnt), 0o600); err != nil {
		t.Fatal(err)
	}
	err := w.Reconfigure(ctx, func(settings map[string]any) {
		settings["codes_file"] = codes
		channels := map[string]any{}
		for _, name := range []string{"digitalpost", "nemsms", "print", "automatic"} {
			channels[name] = map[string]any{"unknown_wait": "10s", "retry_first": "1s"}
		}
		settings["channels"] = channels
		settings["senders"] = map[string]any{"jobcenter": map[string]any{
			"cvr": "55133018", "label": "Testby Kommune, Jobcenter", "forsendelsestype": 4711,
		}}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ctx, w
}

// onRoute is a letter that every channel of SF1601 can carry. On paper the end of the name decides its fate.
func onRoute(reference, cpr, name string, route ...string) *httpapi.IntentRequest {
	in := harness.Letter(reference, cpr)
	in.Routes, in.Recipient.Name = [][]string{route}, name
	in.Recipient.Address = httpapi.AddressRequest{Street: "Skovvej", House: "7", Postcode: "8000", City: "Aarhus C"}
	in.Content.Documents = nil
	in.Content.Text, in.Content.SMS = "Du er indkaldt til samtale i Jobcentret.", "Du har fået et brev fra Jobcentret."
	return in
}

func post(ctx context.Context, t *testing.T, w *harness.World, in *httpapi.IntentRequest) string {
	t.Helper()
	answer, err := w.Gateway.Client.PostIntent(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	return answer.ID
}

// become waits until an intent has the status, which may come after another final one: a letter on paper that is delivered
// and returns has failed.
func become(ctx context.Context, t *testing.T, w *harness.World, id, status string) *httpapi.IntentView {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var view *httpapi.IntentView
	err := harness.Poll(ctx, 50*time.Millisecond, func() (bool, error) {
		current, err := w.Gateway.Client.Intent(ctx, id)
		if err != nil {
			return false, err
		}
		view = current
		return view.Status == status, nil
	})
	if err != nil {
		t.Fatalf("%v; want %s, it is %+v", err, status, view)
	}
	return view
}

// road is the way an intent took: channels and statuses of its messages, and how often each reached the far end. A letter
// that is only printed has no messageUUID there, so a refused one is not found and counts as none.
func road(ctx context.Context, t *testing.T, w *harness.World, v *httpapi.IntentView) []string {
	t.Helper()
	letters, err := w.Sim.Messages(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range v.Messages {
		calls := 0
		for _, l := range letters {
			if l.MessageUUID == m.MessageUUID || m.TransmissionID != "" && l.TransmissionID == m.TransmissionID {
				calls += l.Attempts
			}
		}
		out = append(out, fmt.Sprintf("%s %s %d", m.Channel, m.Status, calls))
	}
	return out
}

// settled waits until the far end has told every status of that many letters.
func settled(ctx context.Context, t *testing.T, w *harness.World, letters int64) {
	t.Helper()
	err := harness.Poll(ctx, 50*time.Millisecond, func() (bool, error) {
		stats, err := w.Sim.Stats(ctx)
		return stats.Settled == letters && stats.Pushes.Pending == 0, err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFallBack: a road closed at the door, in the answer or hours later in a status leads to print, once.
func TestFallBack(t *testing.T) {
	t.Parallel()
	ctx, w := everyChannel(t)
	// Every status comes twice, too.
	faults := map[string]any{"fejlKode": codeBoxClosed, "fejlTekst": "closed", "fejlId": codeNoBox, "kildeId": "NGDP", "ratePushTwice": 1}
	if err := w.Sim.SetFaults(ctx, faults); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, cpr string
		road      []string
		code      string // of the event that closed the first road
	}{
		{"not registered", "2512489995", []string{"digitalpost superseded 0", "print delivered 1"}, "recipient.not_registered"},
		{"by the status", "2512489993", []string{"digitalpost superseded 1", "print delivered 1"}, codeBoxClosed},
		{"by the answer", "2512489992", []string{"digitalpost superseded 1", "print delivered 1"}, codeNoBox},
	}
	views := make([]*httpapi.IntentView, len(cases))
	for n, tc := range cases {
		id := post(ctx, t, w, onRoute(tc.name, tc.cpr, "Nancy Ann Berggren", "digitalpost", "print"))
		views[n] = become(ctx, t, w, id, "delivered")
	}
	settled(ctx, t, w, 4) // three on paper, and the one that Digital Post took
	b := rejection(views[1].Messages[0])
	for range 2 { // told anew under another id, and that again
		if err := w.Push(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	for n, tc := range cases {
		v := become(ctx, t, w, views[n].ID, "delivered")
		if got := road(ctx, t, w, v); !slices.Equal(got, tc.road) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.road)
		}
		closed := slices.IndexFunc(v.Messages[0].Events, func(e httpapi.EventView) bool { return e.Status == "superseded" })
		if closed < 0 || v.Messages[0].Events[closed].Code != tc.code {
			t.Errorf("%s: events %+v, want superseded by %s", tc.name, v.Messages[0].Events, tc.code)
		}
	}
	superseded := become(ctx, t, w, views[1].ID, "delivered").Messages[0]
	told := slices.DeleteFunc(superseded.Events, func(e httpapi.EventView) bool { return e.Code != codeBoxClosed })
	if len(told) != 2 || told[0].HintDA == "" { // once by the simulator, once by the push; repetitions are no news
		t.Errorf("the rejection was told as %+v, want twice, with the learnt hint", told)
	}
	stats, err := w.Sim.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Channels["Fysisk Post"] != 3 || stats.Letters != 4 || stats.TwoIdentities != 0 || stats.Duplicates != 0 {
		t.Errorf("the far end knows %+v, want three letters on paper and one in Digital Post", stats)
	}
	codesAreListed(ctx, t, w)
}

// rejection is what Digital Post says of a message it will not deliver.
func rejection(m httpapi.MessageView) *beskedfordeler.Besked {
	now := time.Now().UTC()
	return &beskedfordeler.Besked{
		ID: "0d3c1c52-7a45-4b42-8f5a-3f6d1c6f2b7e", Version: "1.0", Type: beskedfordeler.TypePKOPostStatus,
		Actor: beskedfordeler.ActorDigitalPost, Registered: now, Created: now, RegistrationID: m.TransmissionID,
		ObjectID: m.MessageUUID, Handling: beskedfordeler.HandlingFejlet,
		Status: &beskedfordeler.PostStatus{
			MessageUUID: m.MessageUUID, TransmissionID: m.TransmissionID, TransaktionsDatoTid: now,
			TransaktionsStatusKode: beskedfordeler.KindFejlet.StatusKode(), FejlKode: codeBoxClosed, FejlTekst: "closed",
		},
	}
}

func codesAreListed(ctx context.Context, t *testing.T, w *harness.World) {
	t.Helper()
	list, err := w.Gateway.Client.Errors(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for code, farEnd := range map[string]string{codeBoxClosed: "Digital Post", codeNoBox: "Digital Post, NGDP", "memo.invalid": "Digital Post"} {
		if !slices.ContainsFunc(list.Errors, func(e httpapi.ErrorView) bool { return e.Code == code && e.FarEnd == farEnd }) {
			t.Errorf("GET /v1/errors does not list %s of %s", code, farEnd)
		}
	}
}

// TestUnlistedCode: a code nobody knows needs a person, in a status and in an answer; no other road is taken.
func TestUnlistedCode(t *testing.T) {
	t.Parallel()
	ctx, w := everyChannel(t)
	// no.box is learnt of NGDP only.
	if err := w.Sim.SetFaults(ctx, map[string]any{"fejlKode": "never.heard.of", "fejlId": codeNoBox, "kildeId": "KMD"}); err != nil {
		t.Fatal(err)
	}
	for cpr, code := range map[string]string{"2512489993": "never.heard.of", "2512489992": codeNoBox} {
		v := become(ctx, t, w, post(ctx, t, w, onRoute("to-"+cpr, cpr, "Nancy Ann Berggren", "digitalpost", "print")), "failed")
		if got := road(ctx, t, w, v); !slices.Equal(got, []string{"digitalpost failed 1"}) {
			t.Errorf("%s: %q, want digitalpost failed", code, got)
		}
		if last := v.Events[len(v.Events)-1]; last.Code != code {
			t.Errorf("the last event is %+v, want code %s", last, code)
		}
	}
}

// fate is what becomes of a letter: its status, and how often it reaches the far end.
type fate struct {
	status string
	calls  int
}

// fates are those of the simulator's recipients, by their last four digits.
func fates(except map[string]fate) map[string]fate {
	all := map[string]fate{
		"9996": {"delivered", 1}, "9995": {"delivered", 1}, "9994": {"delivered", 1}, "9993": {"failed", 1}, "9992": {"failed", 1},
		"9991": {"delivered", 1}, "9990": {"delivered", 3}, "9989": {"delivered", 1}, "9988": {"delivered", 1},
		"9987": {"submitted", 1}, "9986": {"delivered", 1}, "9985": {"delivered", 2}, "1234": {"delivered", 1},
	}
	maps.Copy(all, except)
	return all
}

// TestRecipientsOfEveryChannel sends to each of the simulator's recipients on the channels beside Digital Post.
func TestRecipientsOfEveryChannel(t *testing.T) {
	t.Parallel()
	ctx, w := everyChannel(t)
	if err := w.Sim.SetFaults(ctx, map[string]any{"lateDelay": "3s"}); err != nil {
		t.Fatal(err)
	}
	type posted struct {
		channel, digits, id string
		want                fate
	}
	var all []posted
	for channel, want := range map[string]map[string]fate{
		"nemsms":    fates(map[string]fate{"9994": {"failed", 0}}),
		"print":     fates(map[string]fate{"9992": {"failed", 0}, "9986": {"returned", 1}}),
		"automatic": fates(nil),
	} {
		for digits, f := range want {
			id := post(ctx, t, w, onRoute(channel+" "+digits, "251248"+digits, "Nancy Ann Berggren "+digits, channel))
			all = append(all, posted{channel, digits, id, f})
		}
	}
	next := post(ctx, t, w, onRoute("next", "2512489994", "Nancy Ann Berggren", "nemsms", "print"))
	for _, p := range all {
		ends := p.want.status
		if ends == "returned" {
			ends = "failed"
		}
		v := become(ctx, t, w, p.id, ends)
		if got, want := road(ctx, t, w, v), fmt.Sprintf("%s %s %d", p.channel, p.want.status, p.want.calls); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q", p.digits, got, want)
		}
	}
	for _, p := range all { // silence changes nothing
		if p.digits == "9987" {
			become(ctx, t, w, p.id, "submitted")
		}
	}
	v := become(ctx, t, w, next, "delivered")
	if got := road(ctx, t, w, v); !slices.Equal(got, []string{"nemsms superseded 0", "print delivered 1"}) {
		t.Errorf("not registered for NemSMS, route goes on: %q", got)
	}
}
