package fjernprint_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1601/signature"
)

// TestRandomLettersAreTakenByTheFarEnd sends random letters through the client
// to the simulator, whose table of ForsendelseI is its own.
func TestRandomLettersAreTakenByTheFarEnd(t *testing.T) {
	t.Parallel()
	authority, err := sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := sf1601test.Start(sf1601test.Config{Authority: authority})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	var ids atomic.Int64
	signer, err := signature.NewBatcher(signature.BatcherConfig{
		Certificate: srv.ClientCertificate(), Keep: func(context.Context, signature.Manifest) error { return nil },
		NewUUID: func() string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", ids.Add(1)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(signer.Close)
	client, err := sf1601.New(sf1601.Config{
		Endpoints: sf1601.Endpoints{STS: srv.URL(), Base: srv.URL()}, Certificate: srv.ClientCertificate(), RootCAs: srv.RootCAs(),
		CVR: "55133018", Signer: signer,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	seed := rand.Uint64()
	d := dice{rand.New(rand.NewPCG(seed, 2))}
	for i := range 200 {
		f := d.random(t)
		f.Dokument.UUIDIdentifikator = "" // one of its own for each letter, or none
		if f.Modtager != nil && f.Modtager.Slutbruger.CVR != "" {
			f.Modtager.Slutbruger.CVR = "12345678" // nobody the simulator treats in a special way
		}
		if f.Modtager != nil {
			f.Modtager.Adresse.PersonName = "Nancy 9996"
		}
		k := sf1601.Kombi{
			Valg: sf1601.ValgFysiskPost, Forsendelse: f,
			TransactionID: fmt.Sprintf("5f3c1c1e-0b7e-4a39-8a0e-%012d", i), Reference: fmt.Sprintf("attempt-%d", i),
		}
		if _, err := client.KombiPostAfsend(t.Context(), k); err != nil {
			t.Fatalf("seed %d, letter %d: %v", seed, i, err)
		}
		if m, ok := srv.Shipment(f.AfsendelseIdentifikator); !ok || m.Finding != nil {
			t.Fatalf("seed %d, letter %d: finding %+v in\n%s", seed, i, m.Finding, xml(t, f))
		}
	}
	if st := srv.Stats(); st.Letters != 200 || st.TwoIdentities != 0 {
		t.Errorf("seed %d: stats %+v", seed, st)
	}
}
