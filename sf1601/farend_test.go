package sf1601_test

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1601/signature"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

var sharedAuthority = sync.OnceValues(func() (*sf1601test.Authority, error) {
	return sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
})

// strictClient is a client of the strict far end.
func strictClient(t testing.TB, mode signature.Mode) (*sf1601.Client, *sf1601test.Server, *shelf) {
	t.Helper()
	authority, err := sharedAuthority()
	if err != nil {
		t.Fatal(err)
	}
	srv, err := sf1601test.Start(sf1601test.Config{Authority: authority})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	s := &shelf{}
	ids := uuidCounter()
	batcher, err := signature.NewBatcher(signature.BatcherConfig{Certificate: srv.ClientCertificate(), Keep: s.keep, NewUUID: ids})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(batcher.Close)
	c, err := sf1601.New(sf1601.Config{
		Endpoints: sf1601.Endpoints{STS: srv.URL(), Base: srv.URL()}, Certificate: srv.ClientCertificate(), RootCAs: srv.RootCAs(),
		CVR: "55133018", Signature: mode, Signer: batcher,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, srv, s
}

// to addresses the nth letter to somebody.
func to(recipient string, n int, files ...memo.File) sf1601.Kombi {
	k := letter(files...)
	k.Message.Header.Recipient.RecipientID = recipient
	k.Message.Header.MessageUUID = fmt.Sprintf("8c2ea15d-61fb-4ba9-9366-%012d", n)
	k.TransactionID = fmt.Sprintf("5f3c1c1e-0b7e-4a39-8a0e-%012d", n)
	k.Reference = fmt.Sprintf("attempt-%d", n)
	return k
}

func TestTheStrictFarEndAcceptsEveryMode(t *testing.T) {
	t.Parallel()
	for _, mode := range []signature.Mode{signature.Detached, signature.TechnicalDocument, signature.Enveloped} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			c, srv, s := strictClient(t, mode)
			for n, size := range []int64{10, 200_000} {
				k := to(cpr, n, pdf("Brev.pdf", zeros{size: size}))
				got, err := c.KombiPostAfsend(t.Context(), k)
				if err != nil {
					t.Fatalf("%d bytes: %v (%s)", size, err, asError(t, err).Text)
				}
				if got.TransmissionID == "" || got.Unexpected {
					t.Errorf("accepted = %+v", got)
				}
				if m := s.manifests()[n]; !reflect.DeepEqual(m.Entries[0], signature.Entry{Reference: k.Reference, Digest: got.Digest}) {
					t.Errorf("the kept manifest lists %+v", m.Entries)
				}
				if _, ok := srv.Message(k.Message.Header.MessageUUID); !ok {
					t.Error("the far end has no such message")
				}
			}
			sms := to(cpr, 9)
			sms.Valg, sms.Message.Header.MessageType, sms.Message.Header.Notification = sf1601.ValgNemSMS, memo.NemSMS, "Husk din samtale i morgen kl. 10."
			if _, err := c.KombiPostAfsend(t.Context(), sms); err != nil {
				t.Errorf("a NemSMS: %v (%s)", err, asError(t, err).Text)
			}
		})
	}
}

func TestTheRecipientsOfTheFarEnd(t *testing.T) {
	t.Parallel()
	c, srv, _ := strictClient(t, signature.Detached)
	for i, r := range []struct {
		recipient string
		classes   []sf1601.Class // one an attempt; "" is accepted
	}{
		{"2512489996", []sf1601.Class{""}},
		{"2512489993", []sf1601.Class{""}},
		{"2512489992", []sf1601.Class{sf1601.Rejected}},
		{"2512489991", []sf1601.Class{sf1601.Unknown}},
		{"2512489990", []sf1601.Class{sf1601.Temporary, sf1601.Temporary, ""}},
		{"2512489985", []sf1601.Class{""}},
	} {
		for attempt, want := range r.classes {
			k := to(r.recipient, i+1, small())
			k.Reference = fmt.Sprintf("attempt-%d-%d", i, attempt)
			_, err := c.KombiPostAfsend(t.Context(), k)
			got := sf1601.Class("")
			if err != nil {
				got = asError(t, err).Class
			}
			if got != want {
				t.Errorf("%s, attempt %d: %q (%v), want %q", r.recipient[6:], attempt+1, got, err, want)
			}
			if want == sf1601.Temporary && asError(t, err).RetryAfter != time.Second {
				t.Errorf("Retry-After = %s", asError(t, err).RetryAfter)
			}
		}
	}
	for recipient, want := range map[string][2]bool{"2512489996": {true, true}, "2512489995": {false, true}, "2512489994": {true, false}} {
		for i, service := range []sf1601.Service{sf1601.DigitalPost, sf1601.NemSMS} {
			got, err := c.PostForespoerg(t.Context(), service, sf1601.Identifier{Type: memo.CPR, Value: recipient})
			if err != nil || got != want[i] {
				t.Errorf("%s registered for %s: %v, %v", recipient[6:], service, got, err)
			}
		}
	}
	t.Logf("%+v", srv.Stats())
}

func BenchmarkKombi(b *testing.B) {
	for _, size := range []int64{3_000, 1_000_000, 74_000_000} {
		b.Run(fmt.Sprintf("file=%d", size), func(b *testing.B) {
			c, _, _ := strictClient(b, signature.Detached)
			content := xmlstream.Content(zeros{size: size})
			b.SetBytes(size)
			b.SetParallelism(32)
			var mu sync.Mutex
			n := 0
			b.ResetTimer() // the far end has made its keys
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					mu.Lock()
					n++
					k := to(cpr, n, pdf("Brev.pdf", content))
					mu.Unlock()
					if _, err := c.KombiPostAfsend(context.Background(), k); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "letters/s")
		})
	}
}
