package e2e

import (
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

// TestLargeLetter uploads and sends a document that is near the limit of a letter, and watches the memory of serve. The
// bound here is generous; the target is the bench's.
func TestLargeLetter(t *testing.T) {
	t.Parallel()
	const size, bound = 74_000_000, 64 << 20
	ctx, w := setup(t, 3*time.Minute, harness.Options{})
	deliver(ctx, t, w, "2512489996", "delivered") // tokens fetched, connections open
	idle, err := w.Gateway.Memory()
	if err != nil {
		t.Skip("NOT TESTED: " + err.Error())
	}
	if err := w.Gateway.ResetPeak(); err != nil {
		t.Fatal(err)
	}
	doc, err := w.Gateway.Client.UploadDocument(ctx, "Bilag.pdf", harness.LargePDF(size))
	if err != nil {
		t.Fatal(err)
	}
	if doc.Size != size {
		t.Fatalf("%d bytes were stored, want %d", doc.Size, size)
	}
	in := harness.Letter("large", "2512489996")
	in.Content.Documents = append(in.Content.Documents, httpapi.DocumentRequest{Document: doc.ID, Filename: "Bilag.pdf"})
	answer, err := w.Gateway.Client.PostIntent(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Gateway.Await(ctx, answer.ID, "delivered"); err != nil {
		t.Fatal(err)
	}
	peak, err := w.Gateway.Memory()
	if err != nil {
		t.Fatal(err)
	}
	grown := peak.Peak - idle.Now
	t.Logf("idle %.1f MB, peak %.1f MB over it", float64(idle.Now)/(1<<20), float64(grown)/(1<<20))
	if grown > bound {
		t.Errorf("serve grew by %d bytes while it took and sent %d, want at most %d", grown, size, bound)
	}
	letters, err := w.Sim.Messages(ctx)
	if err != nil {
		t.Fatal(err)
	}
	last := letters[len(letters)-1]
	if len(last.Documents) != 2 || last.Documents[1].Size != size {
		t.Errorf("the far end has the documents %+v, want the second with %d bytes", last.Documents, size)
	}
}
