package e2e

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

// TestRecipients sends a letter to each of the simulator's recipients that concern Digital Post.
func TestRecipients(t *testing.T) {
	t.Parallel()
	// Its subtests wait for their turn among all others.
	ctx, w := setup(t, 15*time.Minute, harness.Options{DigitalPost: map[string]any{"unknown_wait": "10s", "retry_first": "1s"}})
	// Statuses far enough apart that even a busy machine tells the answer before the first one.
	faults := map[string]any{"modtagetDelay": "500ms", "afleveretDelay": "1s", "lateDelay": "3s"}
	if err := w.Sim.SetFaults(ctx, faults); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, cpr string
		ends      string   // status of the intent
		story     []string // statuses of the events, in order
		code      string   // raw code and text of the last event, for what the far end refuses
		text      string
		calls     int // attempts that reached the far end as well-formed letters
		check     func(t *testing.T, v *httpapi.IntentView)
	}{
		{
			name: "delivered", cpr: "2512489996", ends: "delivered", calls: 1,
			story: []string{"queued", "submitted", "received", "delivered"},
		},
		{
			name: "accepted then Fejlet", cpr: "2512489993", ends: "failed", calls: 1,
			story: []string{"queued", "submitted", "received", "failed"},
			code:  "file.extension.not.allowed", text: "The file extension is not allowed\n<File>bilag.exe</File>",
		},
		{
			name: "refused in the answer", cpr: "2512489992", ends: "failed", calls: 1,
			story: []string{"queued", "failed"}, check: hasCodeAndText,
		},
		{
			name: "cut before the answer", cpr: "2512489991", ends: "delivered", calls: 1, check: sendingIsUnsure,
		},
		{
			name: "503 twice", cpr: "2512489990", ends: "delivered", calls: 3,
			story: []string{"queued", "queued", "queued", "submitted", "received", "delivered"},
		},
		{
			name: "status late", cpr: "2512489989", ends: "delivered", calls: 1, check: late,
			story: []string{"queued", "submitted", "received", "delivered"},
		},
		{
			name: "statuses twice and in the wrong order", cpr: "2512489988", ends: "delivered", calls: 1, check: staysDelivered,
		},
		{
			name: "access token refused once", cpr: "2512489985", ends: "delivered", calls: 2,
			story: []string{"queued", "submitted", "received", "delivered"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			v := deliver(ctx, t, w, tc.cpr, tc.ends)
			if got := statuses(v); tc.story != nil && !slices.Equal(got, tc.story) {
				t.Errorf("events %v, want %v", got, tc.story)
			}
			last := v.Events[len(v.Events)-1]
			if tc.code != "" && (last.Code != tc.code || last.Text != tc.text) {
				t.Errorf("last event has code %q and text %q, want %q and %q", last.Code, last.Text, tc.code, tc.text)
			}
			if n := calls(ctx, t, w, v); n != tc.calls {
				t.Errorf("the far end saw the letter %d times, want %d", n, tc.calls)
			}
			if tc.check != nil {
				tc.check(t, v)
			}
		})
	}
	t.Run("no status ever", func(t *testing.T) {
		t.Parallel()
		v := deliver(ctx, t, w, "2512489987", "submitted")
		harness.Pause(ctx, 12*time.Second) // longer than unknown_wait: silence is no reason to send again
		again, err := w.Gateway.Client.Intent(ctx, v.ID)
		if err != nil {
			t.Fatal(err)
		}
		if again.Status != "submitted" || calls(ctx, t, w, again) != 1 {
			t.Errorf("after a while it is %s, sent %d times; want submitted, once", again.Status, calls(ctx, t, w, again))
		}
	})
}

// deliver posts a letter and waits until its intent has the status.
func deliver(ctx context.Context, t *testing.T, w *harness.World, cpr, status string) *httpapi.IntentView {
	t.Helper()
	answer, err := w.Gateway.Client.PostIntent(ctx, harness.Letter("to-"+cpr, cpr))
	if err != nil {
		t.Fatal(err)
	}
	view, err := w.Gateway.Await(ctx, answer.ID, status)
	if err != nil {
		t.Fatal(err)
	}
	return view
}

func statuses(v *httpapi.IntentView) []string {
	out := make([]string, len(v.Events))
	for n, e := range v.Events {
		out[n] = e.Status
	}
	return out
}

// calls is how often the letter of an intent reached the far end.
func calls(ctx context.Context, t *testing.T, w *harness.World, v *httpapi.IntentView) int {
	t.Helper()
	all, err := w.Sim.Messages(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.MessageUUID == v.Messages[0].MessageUUID {
			return m.Attempts
		}
	}
	return 0
}

func hasCodeAndText(t *testing.T, v *httpapi.IntentView) {
	t.Helper()
	if last := v.Events[len(v.Events)-1]; last.Code == "" || last.Text == "" {
		t.Errorf("the refusal has code %q and text %q, want both as the far end said them", last.Code, last.Text)
	}
}

// sendingIsUnsure checks that a lost answer is told as such and settled by the status, without a second call.
func sendingIsUnsure(t *testing.T, v *httpapi.IntentView) {
	t.Helper()
	if got := statuses(v); !slices.Contains(got, "sending") && !slices.Contains(got, "received") {
		t.Errorf("events %v, want the lost answer or the status that overtook it", got)
	}
	if v.Messages[0].Attempts != 1 {
		t.Errorf("%d attempts, want 1", v.Messages[0].Attempts)
	}
}

func late(t *testing.T, v *httpapi.IntentView) {
	t.Helper()
	m := v.Messages[0]
	if waited := m.FinalAt.Sub(m.SubmittedAt); waited < 2500*time.Millisecond {
		t.Errorf("the status came after %s, want it 3 s late", waited)
	}
}

// staysDelivered checks that what came after the final status changed nothing.
func staysDelivered(t *testing.T, v *httpapi.IntentView) {
	t.Helper()
	got := statuses(v)
	if first := slices.Index(got, "delivered"); slices.Contains(got[first:], "received") {
		t.Errorf("events %v: delivered was taken back", got)
	}
}
