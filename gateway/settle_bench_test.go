package gateway_test

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/brevdue/brevdue/gateway"
)

// submittedLetters makes n letters that the far end has accepted, and a receipt of "Afleveret" for each, as large as real
// ones are.
func submittedLetters(b *testing.B, g *bundle, n int) []gateway.Receipt {
	b.Helper()
	raw := bytes.Repeat([]byte("x"), 6000)
	receipts := make([]gateway.Receipt, n)
	for from := 0; from < n; from += 500 {
		if err := g.journal.Update(b.Context(), func(tx gateway.Tx) error {
			for k := from; k < min(from+500, n); k++ {
				id := fmt.Sprintf("%06d", k)
				if _, err := tx.InsertIntent(&gateway.Intent{
					ID: "int_" + id, Producer: "huskeservice", Reference: id, Sender: "jobcenter", Routes: []gateway.Route{{"first"}},
					Status: gateway.IntentSubmitted, CreatedAt: began,
				}); err != nil {
					return err
				}
				if err := tx.InsertMessage(&gateway.Message{
					ID: "msg_" + id, IntentID: "int_" + id, Channel: "first", State: gateway.Submitted, MessageUUID: "u-" + id,
					AfsendelseID: "a-" + id, TransmissionID: "t-" + id, SubmittedAt: began, CreatedAt: began,
				}); err != nil {
					return err
				}
				receipts[k] = gateway.Receipt{
					ID: "b-" + id, Kind: gateway.ReceiptDelivered, Status: "Afleveret Digital Post", MessageUUID: "u-" + id,
					AfsendelseID: "a-" + id, Transmission: "t-" + id, OccurredAt: began, Raw: raw,
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	return receipts
}

// BenchmarkSettleSequential is one caller that acknowledges each status after its commit, as the pull of Beskedfordeler does.
func BenchmarkSettleSequential(b *testing.B) {
	g := setup(b)
	receipts := submittedLetters(b, g, b.N)
	b.ResetTimer()
	for n := range receipts {
		if got, err := g.Settle(b.Context(), receipts[n]); err != nil || !got.Changed {
			b.Fatalf("%+v, %v", got, err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "receipts/s")
}

// BenchmarkSettleConcurrent is many callers whose statuses share commits, as the push endpoint has them.
func BenchmarkSettleConcurrent(b *testing.B) {
	g := setup(b)
	receipts := submittedLetters(b, g, b.N)
	var next atomic.Int64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if got, err := g.Settle(b.Context(), receipts[next.Add(1)-1]); err != nil || !got.Changed {
				b.Errorf("%+v, %v", got, err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "receipts/s")
}
