package sf1601test_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

func admin(t *testing.T, srv *sf1601test.Server, method, path, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.AdminURL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	return v
}

func TestAdminStatsAndMessages(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{Admin: "127.0.0.1:0", Seed: 7, MaxMessages: 3, Faults: quick()})
	p := newPeer(t, srv)
	for _, r := range []string{"2512489996", "2512489992", "2512489996", "2512489996"} {
		p.send(letter{recipient: r, id: "ref-" + newUUID()}.String())
	}
	if err := srv.WaitFor(deadline(t), func(st sf1601test.Stats) bool {
		return st.Outcomes[sf1601test.OutcomeAccepted] == 3 && st.Settled == 3
	}); err != nil {
		t.Fatal(err)
	}
	st := decode[sf1601test.Stats](t, admin(t, srv, "GET", "/stats", ""))
	if st.Requests["kombi"] != 4 || st.Requests["issue"] != 1 || st.Requests["token"] != 1 || st.Letters != 3 || st.Outcomes["refused"] != 1 || st.Seed != 7 {
		t.Errorf("stats %+v", st)
	}
	type page struct {
		Messages []sf1601test.Message
		Next     int64
	}
	got := decode[page](t, admin(t, srv, "GET", "/messages?limit=2", ""))
	if len(got.Messages) != 2 || got.Messages[0].Seq != 2 || got.Next != 3 {
		t.Errorf("page %+v: the first of four is forgotten", got)
	}
	rest := decode[page](t, admin(t, srv, "GET", "/messages?after=3", ""))
	if len(rest.Messages) != 1 || rest.Messages[0].Seq != 4 {
		t.Fatalf("page %+v", rest)
	}
	m := rest.Messages[0]
	want := []sf1601test.Document{
		{Kind: "MainDocument", Filename: "Indkaldelse.pdf", Format: "application/pdf", Size: 14},
		{Kind: "AdditionalDocument", Filename: "Bilag.txt", Format: "text/plain", Size: 6},
	}
	if len(m.Documents) != 2 || m.Documents[0] != want[0] || m.Documents[1] != want[1] || strings.Join(m.Actions, " ") != "AFTALE TILMELDING" ||
		m.Recipient != "******9996" || m.KombiValgKode != "Digital Post" || m.MessageType != "DIGITALPOST" || m.Size == 0 {
		t.Errorf("message %+v", m)
	}
	if end := decode[page](t, admin(t, srv, "GET", "/messages?after=4", "")); len(end.Messages) != 0 || end.Next != 4 {
		t.Errorf("end %+v", end)
	}
	for _, q := range []string{"after=-1", "after=x", "limit=0", "limit=1001"} {
		if a := admin(t, srv, "GET", "/messages?"+q, ""); a.status != 400 || !strings.Contains(a.body, "query.invalid") {
			t.Errorf("%s: %d %s", q, a.status, a.body)
		}
	}
}

func TestAdminFaults(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{Admin: "127.0.0.1:0"})
	a := admin(t, srv, "POST", "/faults", `{"rate503": 0.25, "latency": "5ms"}`)
	if f := decode[sf1601test.Faults](t, a); a.status != 200 || f.Rate503 != 0.25 || f.Latency != sf1601test.Duration(5*time.Millisecond) || f != srv.Faults() {
		t.Errorf("%d %+v", a.status, f)
	}
	admin(t, srv, "POST", "/faults", `{"tokenLifetime": "90s"}`)
	if f := decode[sf1601test.Faults](t, admin(t, srv, "GET", "/faults", "")); f.Rate503 != 0.25 || f.TokenLifetime != sf1601test.Duration(90*time.Second) {
		t.Errorf("what is not given stays: %+v", f)
	}
	before := srv.Faults()
	for name, body := range map[string]string{
		"unknown field": `{"rate504": 1}`, "not JSON": `{`, "two values": `{}{}`, "out of range": `{"rate503": 2}`, "not a duration": `{"latency": 5}`, "empty": ``,
		"code with a space": `{"fejlKode": "a b"}`, "code too long": `{"fejlId": "` + strings.Repeat("x", 257) + `"}`, "not in XML": `{"fejlKode": "a", "fejlTekst": "\u0007"}`,
		"not text": `{"fejlKode": 7}`,
	} {
		if a := admin(t, srv, "POST", "/faults", body); a.status != 400 || !strings.Contains(a.body, "faults.invalid") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if srv.Faults() != before {
		t.Error("a refused setting changed something")
	}
	if a := admin(t, srv, "POST", "/inbound", "<memo/>"); a.status != 501 || !strings.Contains(a.body, "inbound.not.simulated") || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("inbound: %d %s", a.status, a.body)
	}
}

func TestStartRejects(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]sf1601test.Config{
		"address":  {Listen: "256.0.0.1:x"},
		"admin":    {Admin: "256.0.0.1:x"},
		"push URL": {PushURL: "http://127.0.0.1/"},
		"rates":    {Faults: sf1601test.Faults{Rate503: 2}},
		"limit":    {MaxPending: -1},
		"backoff":  {PushBackoffMin: time.Hour},
	} {
		cfg.Authority = authority(t)
		if srv, err := sf1601test.Start(cfg); err == nil {
			srv.Close()
			t.Errorf("%s: started", name)
		}
	}
	if _, err := sf1601test.NewAuthority(sf1601test.AuthorityOptions{CVR: "123"}); err == nil {
		t.Error("a CVR of three digits was taken")
	}
}

func TestCertificatesSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sim")
	opts := sf1601test.AuthorityOptions{KeyBits: 1024, CVR: "12345678"}
	first, err := sf1601test.LoadOrCreate(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, sf1601test.FileClientKey))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v %v", info, err)
	}
	same := func(a *sf1601test.Authority) bool {
		return bytes.Equal(a.ClientCertificate().Certificate[0], first.ClientCertificate().Certificate[0])
	}
	again, err := sf1601test.LoadOrCreate(dir, opts)
	if err != nil || !same(again) {
		t.Fatalf("not kept: %v", err)
	}
	// A client of before reaches a server of after.
	srv := start(t, sf1601test.Config{Authority: again})
	p := newPeerWith(t, srv, first.ClientCertificate())
	accepted(t, p.send(letter{}.String()))
	old := opts
	old.Now = func() time.Time { return time.Now().Add(4 * 365 * 24 * time.Hour) }
	for name, o := range map[string]sf1601test.AuthorityOptions{"another CVR": {KeyBits: 1024, CVR: "87654321"}, "expired": old} {
		fresh, err := sf1601test.LoadOrCreate(dir, o)
		if err != nil || same(fresh) {
			t.Errorf("%s: kept (%v)", name, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, sf1601test.FileCA), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sf1601test.LoadOrCreate(dir, opts); err != nil {
		t.Errorf("broken file: %v", err)
	}
}

func TestCertificatesLookLikeOCES3(t *testing.T) {
	t.Parallel()
	leaf := authority(t).ClientCertificate().Leaf
	organisation := ""
	for _, n := range leaf.Subject.Names {
		if n.Type.String() == "2.5.4.97" {
			organisation, _ = n.Value.(string)
		}
	}
	if leaf.SignatureAlgorithm.String() != "SHA256-RSAPSS" || organisation != "NTRDK-55133018" || !strings.HasPrefix(leaf.Subject.SerialNumber, "UI:DK-O:G:") ||
		len(leaf.ExtKeyUsage) != 2 || leaf.VerifyHostname("127.0.0.1") != nil || leaf.VerifyHostname("::1") != nil || leaf.VerifyHostname("localhost") != nil {
		t.Errorf("%v %v %v", leaf.SignatureAlgorithm, leaf.Subject, leaf.ExtKeyUsage)
	}
}
