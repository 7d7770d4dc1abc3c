package sf1601test_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// samling is a good ForsendelseISamling, written here by hand.
func samling(id, name string) string {
	return `<ForsendelseISamling xmlns="urn:oio:fjernprint:1.0.0" xmlns:dkal="urn:oio:dkal:1.0.0" xmlns:adir="urn:oio:adir:dagpenge:2009.07.01"` +
		` xmlns:itst="http://rep.oio.dk/itst.dk/xml/schemas/2006/01/17/" xmlns:d03="http://rep.oio.dk/ebxml/xml/schemas/dkcc/2003/02/13/"` +
		` xmlns:d0315="http://rep.oio.dk/ebxml/xml/schemas/dkcc/2005/03/15/" xmlns:sd="urn:oio:sagdok:3.0.0"><ForsendelseI>` +
		`<AfsendelseIdentifikator>` + id + `</AfsendelseIdentifikator><ForsendelseTypeIdentifikator>4711</ForsendelseTypeIdentifikator>` +
		`<ForsendelseModtager><dkal:AfsendelseModtager><adir:CPRnummerIdentifikator>0000000000</adir:CPRnummerIdentifikator></dkal:AfsendelseModtager>` +
		`<ModtagerAdresse><itst:PersonName>` + name + `</itst:PersonName><d0315:StreetName>Rådhuspladsen</d0315:StreetName>` +
		`<d03:StreetBuildingIdentifier>2</d03:StreetBuildingIdentifier><d0315:PostCodeIdentifier>8000</d0315:PostCodeIdentifier>` +
		`<d03:CountryIdentificationCode scheme="iso3166-alpha2">DK</d03:CountryIdentificationCode></ModtagerAdresse></ForsendelseModtager>` +
		`<dkal:FilformatNavn>PDF</dkal:FilformatNavn><dkal:MeddelelseIndholdData>JVBERi0xLjQKJSVFT0YK</dkal:MeddelelseIndholdData>` +
		`<DokumentParametre><sd:TitelTekst>Indkaldelse</sd:TitelTekst></DokumentParametre>` +
		`<KanalUafhaengigeParametreI><EnhedTekst>Jobcenter</EnhedTekst><BrugerNavn>brevdue</BrugerNavn></KanalUafhaengigeParametreI>` +
		`</ForsendelseI></ForsendelseISamling>`
}

func fysiskPost(id, name string) string {
	return `<kombi_request><KombiValgKode>Fysisk Post</KombiValgKode>` + samling(id, name) + `</kombi_request>`
}

var printed = []beskedfordeler.Kind{"afsendt", "fjernprint-modtaget", "klar", "til-print", "post-danmark"}

func TestFysiskPost(t *testing.T) {
	t.Parallel()
	for name, extra := range map[string][]beskedfordeler.Kind{
		"Nancy 9996": nil, "Nancy": nil, // by the post code
		"Nancy 9995": nil, "Nancy 9994": nil, // who is registered does not matter
		"Nancy 9986": {"opdatering"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, p, g := town(t, sf1601test.Config{})
			id := newUUID()
			accepted(t, p.send(fysiskPost(id, name)))
			want := slices.Concat(printed, extra)
			got := g.wait(t, len(want))
			if !slices.Equal(kinds(got), want) {
				t.Errorf("statuses %v, want %v", kinds(got), want)
			}
			m, ok := srv.Shipment(strings.ToUpper(id))
			if !ok || m.Channel != sf1601test.ChannelFysiskPost || m.AfsendelseIdentifikator != id || m.MessageUUID != "" || m.Finding != nil {
				t.Errorf("message %+v", m)
			}
			for _, b := range got {
				st := b.Status
				if st.AfsendelseIdentifikator != id || st.MessageUUID != "" || st.KanalKode != "Fysisk Post" || st.TransmissionID != m.TransmissionID ||
					st.ForsendelseTypeIdentifikator != "4711" || st.BrugerNavn != "brevdue" || st.EnhedTekst != "Jobcenter" {
					t.Errorf("status %+v", st)
				}
				if b.Actor != beskedfordeler.ActorStraalfors || b.ObjectID != id {
					t.Errorf("envelope %+v", b)
				}
			}
			if last := got[len(got)-1].Status; extra != nil && (last.FejlKode != "" || last.FejlTekst != "sim: returpost" || last.Haendelser != nil) {
				t.Errorf("returned: %+v", last)
			}
			if err := srv.WaitSettled(deadline(t), 1); err != nil {
				t.Fatal(err)
			}
			if st := srv.Stats(); !maps.Equal(st.Channels, map[string]int64{"Fysisk Post": 1}) || st.Shipments != 1 || st.Letters != 1 || st.TwoIdentities != 0 {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

func TestPrintSettings(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	_, p, g := town(t, sf1601test.Config{
		KanalFysiskPost: "Fjernprint", PrintActor: beskedfordeler.ActorEdora, PrintFejlKode: "1234", PrintFejlTekst: "text",
		Returpost: sf1601test.Returpost{FejlKode: "7", Haendelser: []beskedfordeler.Haendelse{{TypeKode: "3", DatoTid: when, Beloeb: "0"}}},
	})
	accepted(t, p.send(fysiskPost(newUUID(), "Nancy 9986")))
	got := g.wait(t, 6)
	if st := got[5].Status; st.KanalKode != "Fjernprint" || st.FejlKode != "7" || st.FejlTekst != "" || len(st.Haendelser) != 1 ||
		st.Haendelser[0] != (beskedfordeler.Haendelse{TypeKode: "3", DatoTid: when, Beloeb: "0"}) || got[5].Actor != beskedfordeler.ActorEdora {
		t.Errorf("status %+v", st)
	}
	accepted(t, p.send(fysiskPost(newUUID(), "Nancy 9993")))
	got = g.wait(t, 8)[6:]
	if st := got[1].Status; !slices.Equal(kinds(got), []beskedfordeler.Kind{"afsendt", "fejlet"}) || st.FejlKode != "1234" || st.FejlTekst != "text" {
		t.Errorf("statuses %v, %+v", kinds(got), st)
	}
}

// The recipients of the table that have to do with the call, on paper.
func TestFysiskPostRecipients(t *testing.T) {
	t.Parallel()
	srv, p, g := town(t, sf1601test.Config{})
	if a := p.send(fysiskPost(newUUID(), "Nancy 9992")); !strings.Contains(a.body, "<Result>false</Result>") {
		t.Errorf("9992: %s", a.body)
	}
	id := newUUID()
	req := p.kombi(fysiskPost(id, "Nancy 9991"))
	req.GetBody = nil
	if _, err := p.do(req); err == nil {
		t.Error("9991: the connection was not cut")
	}
	accepted(t, p.send(fysiskPost(id, "Nancy 9991"))) // the same identity again
	id = newUUID()
	for i, want := range []int{503, 503, 200, 200} {
		if a := p.send(fysiskPost(id, "Nancy 9990")); a.status != want {
			t.Errorf("9990, call %d: %d", i+1, a.status)
		}
	}
	accepted(t, p.send(fysiskPost(newUUID(), "Nancy 9987")))
	got := kinds(g.wait(t, 10))
	slices.Sort(got)
	want := slices.Repeat(printed, 2)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("statuses %v", got)
	}
	if st := srv.Stats(); st.Letters != 3 || st.Duplicates != 2 || st.TwoIdentities != 0 {
		t.Errorf("stats %+v", st)
	}
	_, p2, g2 := town(t, sf1601test.Config{})
	accepted(t, p2.send(fysiskPost(newUUID(), "Nancy 9988")))
	if got := kinds(g2.wait(t, 4)); !slices.Equal(got, []beskedfordeler.Kind{"post-danmark", "post-danmark", "afsendt", "afsendt"}) {
		t.Errorf("9988: %v", got)
	}
}

func TestACompanyByItsCVR(t *testing.T) {
	t.Parallel()
	srv, p, g := town(t, sf1601test.Config{})
	id := newUUID()
	accepted(t, p.send(strings.ReplaceAll(fysiskPost(id, "Brevdue ApS"), "CPRnummerIdentifikator>0000000000</adir:CPR", "CVRnummerIdentifikator>12349986</adir:CVR")))
	if got := kinds(g.wait(t, 6)); got[5] != beskedfordeler.KindOpdatering {
		t.Errorf("statuses %v", got)
	}
	if m, _ := srv.Shipment(id); m.Recipient != "****9986" {
		t.Errorf("recipient %s", m.Recipient)
	}
}

func TestAutomatiskValg(t *testing.T) {
	t.Parallel()
	srv, p, g := town(t, sf1601test.Config{})
	digital, paper := newUUID(), newUUID()
	accepted(t, p.send(letter{uuid: digital, recipient: "2512489986", valg: sf1601test.ValgAutomatisk}.String()))
	got := g.wait(t, 2)
	if !slices.Equal(kinds(got), []beskedfordeler.Kind{"modtaget", "afleveret"}) || got[0].Status.MessageUUID != digital || got[0].Status.AfsendelseIdentifikator != "" {
		t.Errorf("registered: %v, %+v", kinds(got), got[0].Status)
	}
	accepted(t, p.send(letter{uuid: paper, id: "ref", recipient: "2512489995", valg: sf1601test.ValgAutomatisk}.String()))
	got = g.wait(t, 7)[2:]
	m, ok := srv.Message(paper)
	if !ok || m.Channel != sf1601test.ChannelFysiskPost || m.AfsendelseIdentifikator == "" || m.KombiValgKode != sf1601test.ValgAutomatisk {
		t.Errorf("message %+v", m)
	}
	if st := got[0].Status; !slices.Equal(kinds(got), printed) || st.AfsendelseIdentifikator != m.AfsendelseIdentifikator || st.MessageUUID != "" || st.MessageID != "" {
		t.Errorf("not registered: %v, %+v", kinds(got), st)
	}
	if same, ok := srv.Shipment(m.AfsendelseIdentifikator); !ok || same.MessageUUID != paper {
		t.Errorf("shipment %+v", same)
	}
	if st := srv.Stats(); !maps.Equal(st.Channels, map[string]int64{"Digital Post": 1, "Fysisk Post": 1}) || st.Shipments != 2 {
		t.Errorf("stats %+v", st)
	}
}

// A letter that got a second AfsendelseIdentifikator is what must never happen.
func TestTwoIdentitiesOnPaper(t *testing.T) {
	t.Parallel()
	const document = "</sd:TitelTekst><sd:UUIDIdentifikator>msg-1</sd:UUIDIdentifikator>"
	with := func(id string) string { return strings.Replace(fysiskPost(id, "x"), "</sd:TitelTekst>", document, 1) }
	automatic := func(uuid, id string) string {
		s := strings.Replace(letter{uuid: uuid}.String(), "Digital Post", "Automatisk Valg", 1)
		return strings.Replace(s, "</kombi_request>", samling(id, "x")+"</kombi_request>", 1)
	}
	a, b, m, n := newUUID(), newUUID(), newUUID(), newUUID()
	for name, c := range map[string]struct {
		first, second string
		transaction   bool // the same one
		want          int64
	}{
		"the same":                 {fysiskPost(a, "x"), fysiskPost(a, "x"), true, 0},
		"two letters":              {fysiskPost(a, "x"), fysiskPost(b, "x"), false, 0},
		"one transaction, two ids": {fysiskPost(a, "x"), fysiskPost(b, "x"), true, 1},
		"one document, two ids":    {with(a), with(b), false, 1},
		"one MeMo, two ids":        {automatic(m, a), automatic(m, b), false, 1},
		"one id, two MeMos":        {automatic(m, a), automatic(n, a), false, 1},
		"one MeMo again":           {automatic(m, a), automatic(m, a), true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := start(t, sf1601test.Config{})
			p := newPeer(t, srv)
			first, second := p.kombi(c.first), p.kombi(c.second)
			if c.transaction {
				second.Header.Set("x-TransaktionsId", first.Header.Get("x-TransaktionsId")+".2")
			}
			accepted(t, p.must(first))
			accepted(t, p.must(second))
			if st := srv.Stats(); st.TwoIdentities != c.want {
				t.Errorf("twoIdentities %d, want %d", st.TwoIdentities, c.want)
			}
		})
	}
}

func TestForgottenShipments(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{MaxMessages: 1})
	p := newPeer(t, srv)
	a := newUUID()
	accepted(t, p.send(fysiskPost(a, "x")))
	accepted(t, p.send(fysiskPost(newUUID(), "x")))
	if _, ok := srv.Shipment(a); ok {
		t.Error("the first is still remembered")
	}
	accepted(t, p.send(fysiskPost(a, "x")))
	if st := srv.Stats(); st.Duplicates != 0 || st.TwoIdentities != 0 || st.Letters != 3 {
		t.Errorf("stats %+v", st)
	}
}

func TestPrintEnvelopeRejects(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{})
	p := newPeer(t, srv)
	for name, c := range map[string]struct{ from, to, says string }{
		"no id":     {"<AfsendelseIdentifikator>ID</AfsendelseIdentifikator>", "", "AfsendelseIdentifikator is missing"},
		"empty id":  {">ID<", "><", "AfsendelseIdentifikator is missing"},
		"stranger":  {"<ForsendelseI>", "<x/><ForsendelseI>", "something else than one ForsendelseI"},
		"two":       {"</ForsendelseI>", "</ForsendelseI><ForsendelseI/>", "something else than one ForsendelseI"},
		"text":      {"<ForsendelseI>", "x<ForsendelseI>", "holds text"},
		"attribute": {"<ForsendelseISamling ", `<ForsendelseISamling a="b" `, "attribute"},
		"namespace": {`xmlns="urn:oio:fjernprint:1.0.0"`, `xmlns="urn:x"`, "does not belong"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fysiskPost("ID", "x")
			if !strings.Contains(s, c.from) {
				t.Fatalf("no %q", c.from)
			}
			a := p.send(strings.Replace(s, c.from, c.to, 1))
			if a.status != http.StatusBadRequest || !strings.Contains(a.body, c.says) {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	s := fysiskPost("ID", "x")
	from, to := strings.Index(s, "<ForsendelseI>"), strings.Index(s, "</ForsendelseISamling>")
	if a := p.send(s[:from] + s[to:]); a.status != 400 || !strings.Contains(a.body, "no ForsendelseI") {
		t.Errorf("empty: %d %s", a.status, a.body)
	}
}

// A broken rule of the printed part fails Automatisk Valg, whatever the channel.
func TestABrokenPrintPartIsTold(t *testing.T) {
	t.Parallel()
	_, p, g := town(t, sf1601test.Config{})
	body := letter{valg: sf1601test.ValgAutomatisk}.String()
	accepted(t, p.send(strings.Replace(body, ">8000<", ">80<", 1)))
	if st := g.wait(t, 1)[0].Status; st.TransaktionsStatusKode != "Fejlet" || st.FejlKode != sf1601test.CodeForsendelseInvalid {
		t.Errorf("status %+v", st)
	}
}

func TestPrintSize(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{MaxPrintBytes: 3000})
	p := newPeer(t, srv)
	for size, fits := range map[int]bool{3000: true, 3001: false} {
		id := newUUID()
		pdf := base64.StdEncoding.EncodeToString([]byte("%PDF-" + strings.Repeat("x", size-5)))
		accepted(t, p.send(strings.Replace(fysiskPost(id, "x"), "JVBERi0xLjQKJSVFT0YK", pdf, 1)))
		if m, _ := srv.Shipment(id); (m.Finding == nil) != fits || m.Documents[0] != (sf1601test.Document{Kind: "ForsendelseI", Format: "PDF", Size: int64(size)}) {
			t.Errorf("%d bytes: %+v, %+v", size, m.Finding, m.Documents)
		}
	}
}

func TestAdminShowsPrint(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{Admin: "127.0.0.1:0"})
	p := newPeer(t, srv)
	id := newUUID()
	accepted(t, p.send(fysiskPost(id, "Nancy Secret")))
	get := func(path string, into any) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.AdminURL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		a := p.must(req)
		if err := json.Unmarshal([]byte(a.body), into); err != nil {
			t.Fatal(err)
		}
		return a.body
	}
	var list struct {
		Messages []map[string]any `json:"messages"`
	}
	body := get("/messages", &list)
	if m := list.Messages[0]; m["channel"] != "Fysisk Post" || m["afsendelseIdentifikator"] != id || strings.Contains(body, "Secret") {
		t.Errorf("%s", body)
	}
	var stats struct {
		Channels  map[string]int `json:"channels"`
		Shipments int            `json:"shipments"`
	}
	if body := get("/stats", &stats); stats.Channels["Fysisk Post"] != 1 || stats.Shipments != 1 {
		t.Errorf("%s", body)
	}
}
