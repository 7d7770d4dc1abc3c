package sf1601test_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sharedAuthority saves every test two RSA keys.
var sharedAuthority = sync.OnceValues(func() (*sf1601test.Authority, error) {
	return sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
})

func authority(t testing.TB) *sf1601test.Authority {
	t.Helper()
	a, err := sharedAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// peer is a raw HTTP client of a Server: it knows nothing of sf1601.
type peer struct {
	t      testing.TB
	srv    *sf1601test.Server
	client *http.Client
	cert   tls.Certificate
	access map[string]string // by audience
	mu     sync.Mutex
}

func newPeer(t testing.TB, srv *sf1601test.Server) *peer {
	t.Helper()
	return newPeerWith(t, srv, srv.ClientCertificate())
}

func newPeerWith(t testing.TB, srv *sf1601test.Server, cert tls.Certificate) *peer {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: srv.RootCAs(), Certificates: []tls.Certificate{cert},
	}, MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	return &peer{t: t, srv: srv, client: &http.Client{Transport: transport, Timeout: 20 * time.Second}, cert: cert, access: map[string]string{}}
}

// start runs a server that lives as long as the test.
func start(t testing.TB, cfg sf1601test.Config) *sf1601test.Server {
	t.Helper()
	if cfg.Authority == nil {
		cfg.Authority = authority(t)
	}
	srv, err := sf1601test.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	return srv
}

// answer is a response read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

func (p *peer) do(req *http.Request) (answer, error) {
	res, err := p.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(body)}, err
}

func (p *peer) must(req *http.Request) answer {
	p.t.Helper()
	a, err := p.do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

func (p *peer) request(method, path, body string) *http.Request {
	p.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, p.srv.URL()+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	return req
}

// issueBody is a good STS call for the peer's certificate.
func (p *peer) issueBody(audience string) map[string]any {
	return map[string]any{
		"TokenType":        "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0",
		"RequestType":      "http://docs.oasis-open.org/ws-sx/ws-trust/200512/Issue",
		"KeyType":          "http://docs.oasis-open.org/ws-sx/ws-trust/200512/PublicKey",
		"AnvenderKontekst": map[string]any{"Cvr": "55133018"},
		"UseKey":           base64.StdEncoding.EncodeToString(p.cert.Certificate[0]),
		"AppliesTo":        map[string]any{"EndpointReference": map[string]any{"Address": audience}},
		"OnBehalfOf":       nil,
	}
}

func (p *peer) issue(body any) answer {
	p.t.Helper()
	raw, ok := body.(string)
	if !ok {
		b, err := json.Marshal(body)
		if err != nil {
			p.t.Fatal(err)
		}
		raw = string(b)
	}
	req := p.request(http.MethodPost, sf1601test.PathIssue, raw)
	req.Header.Set("Content-Type", "application/json")
	return p.must(req)
}

func (p *peer) assertion(audience string) string {
	p.t.Helper()
	var got struct {
		RequestedSecurityToken struct {
			Assertion string `json:"Assertion"`
		} `json:"RequestedSecurityToken"`
	}
	a := p.issue(p.issueBody(audience))
	if err := json.Unmarshal([]byte(a.body), &got); a.status != http.StatusOK || err != nil {
		p.t.Fatalf("issue: %d %s (%v)", a.status, a.body, err)
	}
	return got.RequestedSecurityToken.Assertion
}

func (p *peer) exchange(form string) answer {
	p.t.Helper()
	req := p.request(http.MethodPost, sf1601test.PathToken, form)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.must(req)
}

// login makes a new access token.
func (p *peer) login(audience string) string {
	p.t.Helper()
	a := p.exchange(url.Values{"saml-token": {p.assertion(audience)}}.Encode())
	var got struct {
		Access string `json:"access_token"`
		Type   string `json:"token_type"`
		Expire int    `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != http.StatusOK || got.Type != "Holder-of-key" || got.Expire <= 0 {
		p.t.Fatalf("token: %d %s (%v)", a.status, a.body, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.access[audience] = got.Access
	return got.Access
}

func (p *peer) token(audience string) string {
	p.t.Helper()
	p.mu.Lock()
	token := p.access[audience]
	p.mu.Unlock()
	if token == "" {
		token = p.login(audience)
	}
	return token
}

// kombi is a good call with the given body, for a test to spoil.
func (p *peer) kombi(body string) *http.Request {
	p.t.Helper()
	req := p.request(http.MethodPost, sf1601test.PathKombi, body)
	req.Header.Set("Content-Type", "application/xml")
	req.Header.Set("Accept", "application/xml")
	req.Header.Set("x-TransaktionsId", newUUID())
	req.Header.Set("x-TransaktionsTid", "2026-11-21T10:00:00+01:00")
	req.Header.Set("Authorization", "Holder-of-key "+p.token(sf1601test.EntityKombiPostAfsend))
	return req
}

func (p *peer) send(body string) answer {
	p.t.Helper()
	return p.must(p.kombi(body))
}

var uuids struct {
	sync.Mutex
	n int
}

// newUUID is a UUID of version 4, counted up.
func newUUID() string {
	uuids.Lock()
	defer uuids.Unlock()
	uuids.n++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", uuids.n)
}

// gateway is a push listener that keeps what it is told.
type gateway struct {
	*httptest.Server
	mu      sync.Mutex
	got     []*beskedfordeler.Besked
	more    chan struct{} // one for each status; wide enough never to block
	failing int           // how many deliveries fail first
}

func newGateway(t testing.TB) *gateway {
	t.Helper()
	g := &gateway{more: make(chan struct{}, 1<<16)}
	g.Server = httptest.NewUnstartedServer(beskedfordeler.PushHandler(beskedfordeler.PushConfig{Deliver: g.deliver}))
	g.TLS = &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{authority(t).ClientCertificate()},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority(t).RootCAs(),
	}
	g.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // a far end that closes breaks handshakes
	g.StartTLS()
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) deliver(_ context.Context, _ []byte, b *beskedfordeler.Besked) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failing > 0 {
		g.failing--
		return errors.New("not now")
	}
	g.got = append(g.got, b)
	g.more <- struct{}{}
	return nil
}

func (g *gateway) statuses() []*beskedfordeler.Besked {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*beskedfordeler.Besked(nil), g.got...)
}

// wait blocks until n statuses came in all, or fails the test.
func (g *gateway) wait(t testing.TB, n int) []*beskedfordeler.Besked {
	t.Helper()
	for {
		if got := g.statuses(); len(got) >= n {
			return got
		}
		select {
		case <-g.more:
		case <-t.Context().Done():
			t.Fatal("the test ended before the status came")
		case <-time.After(20 * time.Second):
			t.Fatalf("%d of %d statuses came", len(g.statuses()), n)
		}
	}
}

func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// quick are delays short enough for a test.
func quick() sf1601test.Faults {
	return sf1601test.Faults{
		ModtagetDelay: -1, AfleveretDelay: sf1601test.Duration(time.Millisecond), LateDelay: sf1601test.Duration(30 * time.Millisecond),
	}
}

// letter is a letter of MeMo 1.1 with two actions and two documents.
type letter struct {
	uuid, id, recipient, valg string
}

func (l letter) String() string {
	if l.uuid == "" {
		l.uuid = newUUID()
	}
	if l.recipient == "" {
		l.recipient = "2512489996"
	}
	if l.valg == "" {
		l.valg = sf1601test.ValgDigitalPost
	}
	idType := "CPR"
	if len(l.recipient) == 8 {
		idType = "CVR"
	}
	id := ""
	if l.id != "" {
		id = "<memo:messageID>" + l.id + "</memo:messageID>"
	}
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<kombi_request><KombiValgKode>` + l.valg + `</KombiValgKode>` +
		`<memo:Message xmlns:memo="https://DigitalPost.dk/MeMo-1" xmlns:grd="https://data.gov.dk/model/core/" xmlns:kle="http://kle-online.dk/" memoVersion="1.1" memoSchVersion="1.1.0">` +
		`<memo:MessageHeader><memo:messageType>` + map[bool]string{true: "NEMSMS", false: "DIGITALPOST"}[l.valg == sf1601test.ValgNemSMS] + `</memo:messageType>` +
		`<memo:messageUUID>` + l.uuid + `</memo:messageUUID>` + id + `<memo:label>Indkaldelse til jobsamtale</memo:label>` +
		`<memo:notification>Ny indkaldelse fra Jobcenter</memo:notification><memo:reply>true</memo:reply>` +
		`<memo:doNotDeliverUntilDate>2999-01-01</memo:doNotDeliverUntilDate>` +
		`<memo:mandatory>false</memo:mandatory><memo:legalNotification>false</memo:legalNotification><memo:postType>MYNDIGHEDSPOST</memo:postType>` +
		`<memo:Sender><memo:senderID>55133018</memo:senderID><memo:idType>CVR</memo:idType><memo:label>Testby Kommune</memo:label>` +
		`<memo:ContactPoint><memo:contactGroup>22.33.44.55</memo:contactGroup><memo:contactPointID>241d39f6-998e-4929-b198-ccacbbf4b330</memo:contactPointID><memo:label>Jobcenter</memo:label>` +
		`<memo:ContactInfo><memo:label>Tlf</memo:label><memo:value>70 10 18 00</memo:value></memo:ContactInfo></memo:ContactPoint></memo:Sender>` +
		`<memo:Recipient><memo:recipientID>` + l.recipient + `</memo:recipientID><memo:idType>` + idType + `</memo:idType></memo:Recipient>` +
		`<memo:ContentData><grd:CPRdata><grd:cprNumber>2512489996</grd:cprNumber></grd:CPRdata><memo:CaseID><memo:caseID>1</memo:caseID><memo:caseSystem>ESDH</memo:caseSystem></memo:CaseID>` +
		`<kle:KLEdata><kle:subjectKey>15.20.00</kle:subjectKey><kle:version>1</kle:version><kle:label>Job</kle:label></kle:KLEdata></memo:ContentData></memo:MessageHeader>`)
	if l.valg != sf1601test.ValgNemSMS {
		b.WriteString(messageBody)
	}
	b.WriteString(`</memo:Message>`)
	if l.valg == sf1601test.ValgAutomatisk {
		b.WriteString(samling(newUUID(), "Nancy Ann Berggren"))
	}
	b.WriteString(`</kombi_request>`)
	return b.String()
}

const messageBody = `<memo:MessageBody><memo:createdDateTime>2026-11-21T09:00:00Z</memo:createdDateTime>` +
	`<memo:MainDocument><memo:label>Brev</memo:label><memo:File><memo:encodingFormat>application/pdf</memo:encodingFormat><memo:filename>Indkaldelse.pdf</memo:filename><memo:language>da</memo:language><memo:content>VGhpcyBpcyBhIHRlc3Q=</memo:content></memo:File>` +
	`<memo:Action><memo:label>Jobsamtale</memo:label><memo:actionCode>AFTALE</memo:actionCode><memo:startDateTime>2026-12-01T09:00:00Z</memo:startDateTime><memo:endDateTime>2026-12-01T09:45:00Z</memo:endDateTime>` +
	`<memo:Reservation><memo:description>Medbring CV</memo:description><memo:reservationUUID>8C2EA15D-61FB-4BA9-9366-42F8B194C114</memo:reservationUUID><memo:abstract>Jobsamtale</memo:abstract><memo:location>Rådhuset</memo:location><memo:startDateTime>2026-12-01T09:00:00Z</memo:startDateTime><memo:endDateTime>2026-12-01T09:45:00Z</memo:endDateTime><memo:organizerName>Jobcenter</memo:organizerName></memo:Reservation></memo:Action>` +
	`<memo:Action><memo:label>Tilmeld</memo:label><memo:actionCode>TILMELDING</memo:actionCode><memo:endDateTime>2026-12-10T22:59:00Z</memo:endDateTime><memo:EntryPoint><memo:url>https://testby.example/tilmeld</memo:url></memo:EntryPoint></memo:Action></memo:MainDocument>` +
	`<memo:AdditionalDocument><memo:File><memo:encodingFormat>text/plain</memo:encodingFormat><memo:filename>Bilag.txt</memo:filename><memo:language>da</memo:language><memo:content>QUJD
REVG</memo:content></memo:File></memo:AdditionalDocument></memo:MessageBody>`
