package sf1601test_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

func kinds(bs []*beskedfordeler.Besked) []beskedfordeler.Kind {
	var out []beskedfordeler.Kind
	for _, b := range bs {
		k, agreed := b.Kind()
		if !agreed {
			k = "disagreement"
		}
		out = append(out, k)
	}
	return out
}

// town is a far end and a gateway that listens to it.
func town(t *testing.T, cfg sf1601test.Config) (*sf1601test.Server, *peer, *gateway) {
	t.Helper()
	g := newGateway(t)
	cfg.PushURL = g.URL + "/beskedfordeler/PostStatusBeskedModtag"
	if cfg.Faults == (sf1601test.Faults{}) {
		cfg.Faults = quick()
	}
	srv := start(t, cfg)
	return srv, newPeer(t, srv), g
}

func accepted(t *testing.T, a answer) {
	t.Helper()
	if a.status != http.StatusOK || !strings.Contains(a.body, "<Result>true</Result>") || !strings.Contains(a.body, "<AdvisTekst>Received</AdvisTekst>") {
		t.Fatalf("not accepted: %d %s", a.status, a.body)
	}
}

func TestRecipientDelivered(t *testing.T) {
	t.Parallel()
	for _, recipient := range []string{"2512489996", "2512489986", "0101010000", "12349996"} {
		t.Run(recipient, func(t *testing.T) {
			t.Parallel()
			srv, p, g := town(t, sf1601test.Config{})
			uuid := newUUID()
			a := p.send(letter{uuid: uuid, id: "ref-1", recipient: recipient}.String())
			accepted(t, a)
			got := g.wait(t, 2)
			if want := []beskedfordeler.Kind{"modtaget", "afleveret"}; !slices.Equal(kinds(got), want) {
				t.Errorf("statuses %v, want %v", kinds(got), want)
			}
			for _, b := range got {
				st := b.Status
				if st.MessageUUID != uuid || st.MessageID != "ref-1" || st.KanalKode != "Digital Post" || b.ObjectID != uuid ||
					!strings.Contains(a.body, "<TransmissionID>"+st.TransmissionID+"</TransmissionID>") || st.FejlKode != "" {
					t.Errorf("status %+v does not fit the letter", st)
				}
				if !slices.Equal(b.Recipients, []string{"55133018"}) || b.Route.Attempts != 1 {
					t.Errorf("envelope %+v", b)
				}
			}
			if err := srv.WaitSettled(deadline(t), 1); err != nil {
				t.Fatal(err)
			}
			m, ok := srv.Message(strings.ToUpper(uuid))
			if !ok || m.SettledAt.IsZero() || m.Attempts != 1 || strings.Contains(m.Recipient, recipient[:4]) {
				t.Errorf("message %+v", m)
			}
		})
	}
}

func TestRecipientNotRegistered(t *testing.T) {
	t.Parallel()
	_, p, g := town(t, sf1601test.Config{})
	accepted(t, p.send(letter{recipient: "2512489995"}.String()))
	accepted(t, p.send(letter{recipient: "2512489995", valg: sf1601test.ValgNemSMS}.String()))
	accepted(t, p.send(letter{recipient: "2512489994", valg: sf1601test.ValgNemSMS}.String()))
	accepted(t, p.send(letter{recipient: "2512489994"}.String()))
	fejl := map[string]int{}
	for _, b := range g.wait(t, 8) {
		if k, _ := b.Kind(); k == beskedfordeler.KindFejlet {
			fejl[b.Status.KanalKode+" "+b.Status.FejlKode]++
		}
	}
	if len(fejl) != 2 || fejl["Digital Post sim.not-registered"] != 1 || fejl["NemSMS sim.not-registered"] != 1 {
		t.Errorf("failures %v", fejl)
	}
}

func TestRecipientFails(t *testing.T) {
	t.Parallel()
	_, p, g := town(t, sf1601test.Config{})
	accepted(t, p.send(letter{recipient: "2512489993"}.String()))
	got := g.wait(t, 2)
	st := got[1].Status
	if k, _ := got[1].Kind(); k != beskedfordeler.KindFejlet || st.FejlKode != sf1601test.CodeFileExtension || !strings.Contains(st.FejlTekst, "\n<File>") {
		t.Errorf("status %v %+v", kinds(got), st)
	}
}

func TestRecipientRefused(t *testing.T) {
	t.Parallel()
	srv, p, _ := town(t, sf1601test.Config{})
	a := p.send(letter{recipient: "2512489992"}.String())
	if a.status != http.StatusOK || !strings.Contains(a.body, "<Result>false</Result>") || !strings.Contains(a.body, "<Fejl><FejlId>sim.refused</FejlId>") {
		t.Errorf("answer %d %s", a.status, a.body)
	}
	if st := srv.Stats(); st.Letters != 0 || st.Pushes.Pending != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestRecipientCut(t *testing.T) {
	t.Parallel()
	srv, p, g := town(t, sf1601test.Config{})
	body := letter{recipient: "2512489991", id: "ref"}.String()
	req := p.kombi(body)
	req.GetBody = nil
	_, err := p.do(req)
	if err == nil || !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
		t.Fatalf("the connection was not cut: %v", err)
	}
	if got := kinds(g.wait(t, 2)); got[1] != beskedfordeler.KindAfleveret {
		t.Errorf("statuses %v", got)
	}
	// The same identity again is a duplicate with an answer, no second letter.
	accepted(t, p.send(body))
	if err := srv.WaitFor(deadline(t), func(st sf1601test.Stats) bool { return st.Outcomes[sf1601test.OutcomeDuplicate] == 1 }); err != nil {
		t.Fatal(err)
	}
	if st := srv.Stats(); st.Letters != 1 || st.Duplicates != 1 || st.TwoIdentities != 0 || st.Outcomes[sf1601test.OutcomeCutAfter] != 1 {
		t.Errorf("stats %+v", st)
	}
	// A second identity for the same messageID is what must never happen.
	accepted(t, p.send(letter{id: "ref"}.String()))
	if st := srv.Stats(); st.TwoIdentities != 1 {
		t.Errorf("twoIdentities %d, want 1", st.TwoIdentities)
	}
}

func TestRecipientUnavailable(t *testing.T) {
	t.Parallel()
	srv, p, g := town(t, sf1601test.Config{})
	body := letter{recipient: "2512489990"}.String()
	for range 2 {
		if a := p.send(body); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") != "1" {
			t.Fatalf("answer %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
		}
	}
	accepted(t, p.send(body))
	g.wait(t, 2)
	if m := srv.Messages(0, 10); len(m) != 1 || m[0].Attempts != 3 || len(m[0].TransactionIDs) != 3 {
		t.Errorf("messages %+v", m)
	}
}

func TestRecipientLate(t *testing.T) {
	t.Parallel()
	f := quick()
	f.LateDelay = sf1601test.Duration(time.Hour)
	srv, p, g := town(t, sf1601test.Config{Faults: f})
	accepted(t, p.send(letter{recipient: "2512489989"}.String()))
	accepted(t, p.send(letter{}.String()))
	g.wait(t, 2) // of the other letter
	if err := srv.WaitSettled(deadline(t), 1); err != nil {
		t.Fatal(err)
	}
	if st := srv.Stats(); st.Pushes.Pending != 1 {
		t.Errorf("pending %d, want the late one", st.Pushes.Pending)
	}
	srv2, p2, g2 := town(t, sf1601test.Config{}) // 30 ms late
	accepted(t, p2.send(letter{recipient: "2512489989"}.String()))
	g2.wait(t, 2)
	if err := srv2.WaitSettled(deadline(t), 1); err != nil {
		t.Fatal(err)
	}
	if m := srv2.Messages(0, 1)[0]; m.SettledAt.Sub(m.AcceptedAt) < 30*time.Millisecond {
		t.Errorf("settled %v after acceptance", m.SettledAt.Sub(m.AcceptedAt))
	}
}

func TestRecipientJumbled(t *testing.T) {
	t.Parallel()
	_, p, g := town(t, sf1601test.Config{})
	accepted(t, p.send(letter{recipient: "2512489988"}.String()))
	got := g.wait(t, 4)
	if want := []beskedfordeler.Kind{"afleveret", "afleveret", "modtaget", "modtaget"}; !slices.Equal(kinds(got), want) {
		t.Errorf("statuses %v, want %v", kinds(got), want)
	}
	if got[0].ID != got[1].ID || got[2].ID == got[3].ID {
		t.Error("the first pair shares its BeskedId, the second does not")
	}
}

func TestRecipientSilent(t *testing.T) {
	t.Parallel()
	srv, p, g := town(t, sf1601test.Config{})
	accepted(t, p.send(letter{recipient: "2512489987"}.String()))
	accepted(t, p.send(letter{}.String()))
	g.wait(t, 2)
	if err := srv.WaitSettled(deadline(t), 1); err != nil {
		t.Fatal(err)
	}
	if st := srv.Stats(); st.Letters != 2 || st.Pushes.Pending != 0 || st.Settled != 1 {
		t.Errorf("stats %+v", st)
	}
}

func TestRecipientUnauthorized(t *testing.T) {
	t.Parallel()
	_, p, g := town(t, sf1601test.Config{})
	body := letter{recipient: "2512489985"}.String()
	for range 2 { // the same token is refused again
		if a := p.send(body); a.status != http.StatusUnauthorized {
			t.Fatalf("answer %d", a.status)
		}
	}
	p.login(sf1601test.EntityKombiPostAfsend)
	accepted(t, p.send(body))
	g.wait(t, 2)
}

func TestRegistration(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{})
	p := newPeer(t, srv)
	good := func(path string) *http.Request {
		req := p.request(http.MethodGet, path, "")
		req.Header.Set("x-TransaktionsId", newUUID()+".1.2")
		req.Header.Set("x-TransaktionsTid", "2026-11-21T10:00:00Z")
		req.Header.Set("Authorization", "Holder-of-key "+p.token(sf1601test.EntityPostForespoerg))
		return req
	}
	for query, want := range map[string]string{
		sf1601test.PathDigitalPost + "?cprNumber=2512489996": `{"result":true}`,
		sf1601test.PathDigitalPost + "?cprNumber=2512489995": `{"result":false}`,
		sf1601test.PathDigitalPost + "?cprNumber=2512489994": `{"result":true}`,
		sf1601test.PathNemSMS + "?cprNumber=2512489995":      `{"result":true}`,
		sf1601test.PathNemSMS + "?cprNumber=2512489994":      `{"result":false}`,
		sf1601test.PathDigitalPost + "?cvrNumber=12349995":   `{"result":false}`,
	} {
		if a := p.must(good(query)); a.status != http.StatusOK || strings.TrimSpace(a.body) != want {
			t.Errorf("%s: %d %s, want %s", query, a.status, a.body, want)
		}
	}
	for name, query := range map[string]string{
		"no number": "", "nine digits": "?cprNumber=251248999", "letters": "?cvrNumber=1234567x",
		"both": "?cprNumber=2512489996&cvrNumber=12345678", "twice": "?cprNumber=2512489996&cprNumber=2512489996", "stranger": "?cprNumber=2512489996&x=1",
	} {
		if a := p.must(good(sf1601test.PathNemSMS + query)); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	req := good(sf1601test.PathNemSMS + "?cprNumber=2512489996")
	req.Header.Del("x-TransaktionsTid")
	if a := p.must(req); a.status != http.StatusBadRequest {
		t.Errorf("no x-TransaktionsTid: %d", a.status)
	}
	req = good(sf1601test.PathNemSMS + "?cprNumber=2512489996")
	req.Header.Set("Authorization", "Holder-of-key "+p.token(sf1601test.EntityKombiPostAfsend))
	if a := p.must(req); a.status != http.StatusUnauthorized {
		t.Errorf("token of another service: %d", a.status)
	}
}

// TestFejlIsToldByFaults: a running simulator is told what code 9993 and 9992 get, and forgets it again.
func TestFejlIsToldByFaults(t *testing.T) {
	t.Parallel()
	srv, p, g := town(t, sf1601test.Config{})
	usual := srv.Faults()
	told := usual
	told.FejlKode, told.FejlTekst, told.FejlID, told.KildeID = "box.closed", "the box\nis <closed>", "no.box&", "NGDP"
	if err := srv.SetFaults(told); err != nil {
		t.Fatal(err)
	}
	accepted(t, p.send(letter{recipient: "2512489993"}.String()))
	if st := g.wait(t, 2)[1].Status; st.FejlKode != told.FejlKode || st.FejlTekst != told.FejlTekst {
		t.Errorf("status %+v", st)
	}
	accepted(t, p.send(fysiskPost(newUUID(), "Nancy 9993")))
	if st := g.wait(t, 4)[3].Status; st.FejlKode != told.FejlKode || st.FejlTekst != told.FejlTekst {
		t.Errorf("status of print %+v", st)
	}
	if a := p.send(letter{recipient: "2512489992"}.String()); !strings.Contains(a.body, "<FejlId>no.box&amp;</FejlId>") ||
		!strings.Contains(a.body, "<KildeId>NGDP</KildeId>") {
		t.Errorf("9992: %s", a.body)
	}
	if err := srv.SetFaults(usual); err != nil {
		t.Fatal(err)
	}
	accepted(t, p.send(letter{recipient: "2512489993"}.String()))
	if st := g.wait(t, 6)[5].Status; st.FejlKode != sf1601test.CodeFileExtension || !strings.Contains(st.FejlTekst, "bilag.exe") {
		t.Errorf("status afterwards %+v", st)
	}
	if a := p.send(letter{recipient: "2512489992"}.String()); !strings.Contains(a.body, "<FejlId>sim.refused</FejlId>") {
		t.Errorf("9992 afterwards: %s", a.body)
	}
}
