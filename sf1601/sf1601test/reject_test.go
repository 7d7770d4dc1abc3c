package sf1601test_test

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

func TestIssueRejects(t *testing.T) {
	t.Parallel()
	p := newPeer(t, start(t, sf1601test.Config{}))
	other, err := sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spoil func(map[string]any)
		says  string
	}{
		"TokenType":       {func(b map[string]any) { b["TokenType"] = "SAMLV1.1" }, "TokenType"},
		"RequestType":     {func(b map[string]any) { b["RequestType"] = "Renew" }, "RequestType"},
		"KeyType":         {func(b map[string]any) { b["KeyType"] = "SymmetricKey" }, "KeyType"},
		"no context":      {func(b map[string]any) { delete(b, "AnvenderKontekst") }, "AnvenderKontekst.Cvr"},
		"CVR of 7 digits": {func(b map[string]any) { b["AnvenderKontekst"] = map[string]any{"Cvr": "5513301"} }, "AnvenderKontekst.Cvr"},
		"no UseKey":       {func(b map[string]any) { delete(b, "UseKey") }, "UseKey is missing"},
		"UseKey in PEM":   {func(b map[string]any) { b["UseKey"] = "-----BEGIN CERTIFICATE-----" }, "UseKey"},
		"UseKey of another": {func(b map[string]any) {
			b["UseKey"] = base64.StdEncoding.EncodeToString(other.ClientCertificate().Certificate[0])
		}, "UseKey"},
		"no AppliesTo": {func(b map[string]any) { delete(b, "AppliesTo") }, "AppliesTo"},
		"no reference": {func(b map[string]any) { b["AppliesTo"] = map[string]any{} }, "AppliesTo"},
		"unknown service": {func(b map[string]any) {
			b["AppliesTo"] = map[string]any{"EndpointReference": map[string]any{"Address": "http://x"}}
		}, "AppliesTo"},
		"no OnBehalfOf":  {func(b map[string]any) { delete(b, "OnBehalfOf") }, "OnBehalfOf is missing"},
		"OnBehalfOf set": {func(b map[string]any) { b["OnBehalfOf"] = "me" }, "OnBehalfOf is not null"},
		"unknown field":  {func(b map[string]any) { b["Extra"] = 1 }, "JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := p.issueBody(sf1601test.EntityKombiPostAfsend)
			c.spoil(body)
			if a := p.issue(body); a.status != http.StatusBadRequest || !strings.Contains(a.body, c.says) {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	if a := p.issue("{}{}"); a.status != http.StatusBadRequest {
		t.Errorf("two values: %d", a.status)
	}
	req := p.request(http.MethodPost, sf1601test.PathIssue, "{}")
	if a := p.must(req); a.status != http.StatusUnsupportedMediaType {
		t.Errorf("no content type: %d", a.status)
	}
}

// clock is a time a test moves.
type clock struct{ ch chan time.Time }

func newClock(t time.Time) *clock {
	c := &clock{make(chan time.Time, 1)}
	c.ch <- t
	return c
}
func (c *clock) now() time.Time { t := <-c.ch; c.ch <- t; return t }
func (c *clock) add(d time.Duration) {
	t := <-c.ch
	c.ch <- t.Add(d)
}

func TestTokenRejects(t *testing.T) {
	t.Parallel()
	clk := newClock(time.Now())
	srv := start(t, sf1601test.Config{Now: clk.now})
	p := newPeer(t, srv)
	assertion := p.assertion(sf1601test.EntityKombiPostAfsend)
	stranger := newPeerWith(t, srv, srv.Authority().ServerCertificate())
	good := url.Values{"saml-token": {assertion}}.Encode()
	reject := func(name, says string, status int, a answer) {
		t.Helper()
		if a.status != status || !strings.Contains(a.body, says) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	reject("no saml-token", "one saml-token", 400, p.exchange("x=1"))
	reject("two saml-tokens", "one saml-token", 400, p.exchange(good+"&"+good))
	reject("not issued here", "not issued here", 401, p.exchange("saml-token=eA%3D%3D"))
	reject("another certificate", "another certificate", 401, stranger.exchange(good))
	reject("not a form", "form", 400, p.exchange("%zz"))
	req := p.request(http.MethodPost, sf1601test.PathToken, good)
	req.Header.Set("Content-Type", "application/json")
	reject("content type", "Content-Type", 415, p.must(req))
	if a := p.exchange(good); a.status != 200 {
		t.Fatalf("the good one: %d %s", a.status, a.body)
	}
	clk.add(8*time.Hour + time.Second)
	reject("expired", "expired", 401, p.exchange(good))
}

func TestAssertionIsReadable(t *testing.T) {
	t.Parallel()
	p := newPeer(t, start(t, sf1601test.Config{Faults: sf1601test.Faults{AssertionLifetime: sf1601test.Duration(time.Minute)}}))
	saml, err := base64.StdEncoding.DecodeString(p.assertion(sf1601test.EntityPostForespoerg))
	if err != nil || !strings.Contains(string(saml), "NotOnOrAfter=") || !strings.Contains(string(saml), sf1601test.EntityPostForespoerg) {
		t.Errorf("%s (%v)", saml, err)
	}
}

func TestTLSRejects(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{})
	other, err := sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
	if err != nil {
		t.Fatal(err)
	}
	for name, certs := range map[string][]tls.Certificate{"no certificate": nil, "certificate of another authority": {other.ClientCertificate()}} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: srv.RootCAs(), Certificates: certs}}
		t.Cleanup(transport.CloseIdleConnections)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL()+sf1601test.PathNemSMS, nil)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := transport.RoundTrip(req); err == nil {
			_ = res.Body.Close()
			t.Errorf("%s: let in", name)
		}
	}
	dialer := tls.Dialer{Config: &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: srv.RootCAs(), Certificates: []tls.Certificate{srv.ClientCertificate()},
		NextProtos: []string{"h2", "http/1.1"},
	}}
	raw, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(srv.URL(), "https://"))
	if err != nil {
		t.Fatal(err)
	}
	conn, ok := raw.(*tls.Conn)
	if !ok {
		t.Fatalf("%T", raw)
	}
	defer func() { _ = conn.Close() }()
	if got := conn.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("negotiated %q, SF1601 speaks http/1.1", got)
	}
}

func TestKombiHeaderRejects(t *testing.T) {
	t.Parallel()
	clk := newClock(time.Now())
	srv := start(t, sf1601test.Config{MaxBytes: 20_000, Now: clk.now})
	p := newPeer(t, srv)
	for name, c := range map[string]struct {
		spoil  func(*http.Request)
		status int
		says   string
	}{
		"no Authorization": {func(r *http.Request) { r.Header.Del("Authorization") }, 401, "no Authorization"},
		"Bearer":           {func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, 401, "Holder-of-key"},
		"unknown token":    {func(r *http.Request) { r.Header.Set("Authorization", "Holder-of-key x") }, 401, "not issued here"},
		"token of forespoerg": {func(r *http.Request) {
			r.Header.Set("Authorization", "Holder-of-key "+p.token(sf1601test.EntityPostForespoerg))
		}, 401, "another service"},
		"chunked":               {func(r *http.Request) { r.ContentLength = -1; r.Body = io.NopCloser(r.Body) }, 411, "Content-Length"},
		"text/xml":              {func(r *http.Request) { r.Header.Set("Content-Type", "text/xml") }, 415, "Content-Type"},
		"latin-1":               {func(r *http.Request) { r.Header.Set("Content-Type", "application/xml; charset=iso-8859-1") }, 415, "Content-Type"},
		"no Content-Type":       {func(r *http.Request) { r.Header.Del("Content-Type") }, 415, "Content-Type"},
		"Accept JSON":           {func(r *http.Request) { r.Header.Set("Accept", "application/json") }, 406, "Accept"},
		"no x-TransaktionsId":   {func(r *http.Request) { r.Header.Del("x-TransaktionsId") }, 400, "x-TransaktionsId"},
		"UUID version 1":        {func(r *http.Request) { r.Header.Set("x-TransaktionsId", "00000000-0000-1000-8000-000000000001") }, 400, "x-TransaktionsId"},
		"suffix not a number":   {func(r *http.Request) { r.Header.Set("x-TransaktionsId", newUUID()+".a") }, 400, "x-TransaktionsId"},
		"no x-TransaktionsTid":  {func(r *http.Request) { r.Header.Del("x-TransaktionsTid") }, 400, "x-TransaktionsTid"},
		"x-TransaktionsTid":     {func(r *http.Request) { r.Header.Set("x-TransaktionsTid", "21-11-2026 10:00") }, 400, "x-TransaktionsTid"},
		"x-RequestId":           {func(r *http.Request) { r.Header.Set("x-RequestId", "1") }, 400, "x-RequestId"},
		"larger than the limit": {func(r *http.Request) { setBody(r, strings.Repeat("x", 20_001)) }, 413, "larger"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := p.kombi(letter{}.String())
			c.spoil(req)
			a := p.must(req)
			if a.status != c.status || !strings.Contains(a.body, c.says) || !strings.Contains(a.body, "<FejlId>sim.refused</FejlId>") {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	t.Run("expired token", func(t *testing.T) { //nolint:paralleltest // moves the clock the others share, after them
		clk2 := newClock(time.Now())
		p := newPeer(t, start(t, sf1601test.Config{Now: clk2.now}))
		req := p.kombi(letter{}.String())
		clk2.add(time.Hour + time.Second)
		if a := p.must(req); a.status != 401 || !strings.Contains(a.body, "expired") {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("token of another certificate", func(t *testing.T) {
		t.Parallel()
		stranger := newPeerWith(t, srv, srv.Authority().ServerCertificate())
		req := p.kombi(letter{}.String())
		if a := stranger.must(req); a.status != 401 || !strings.Contains(a.body, "another certificate") {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

func setBody(r *http.Request, body string) {
	r.Body, r.ContentLength, r.GetBody = io.NopCloser(strings.NewReader(body)), int64(len(body)), nil
}

// replaced spoils the good letter in one place, which must be there.
func replaced(t *testing.T, l letter, from, to string) string {
	t.Helper()
	s := l.String()
	if !strings.Contains(s, from) {
		t.Fatalf("the letter has no %q", from)
	}
	return strings.Replace(s, from, to, 1)
}

func TestEnvelopeRejects(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{})
	p := newPeer(t, srv)
	const message = `<memo:Message xmlns:memo="https://DigitalPost.dk/MeMo-1"`
	for name, c := range map[string]struct{ from, to, says string }{
		"DTD":                     {"<kombi_request>", `<!DOCTYPE x [<!ENTITY a "b">]><kombi_request>`, "ill-formed XML"},
		"entity":                  {"Indkaldelse til", "&a;", "ill-formed XML"},
		"not closed":              {"</kombi_request>", "", "ill-formed XML"},
		"two roots":               {"</kombi_request>", "</kombi_request><a/>", "ill-formed XML"},
		"declared latin-1":        {"UTF-8", "ISO-8859-1", "ill-formed XML"},
		"not UTF-8":               {"Rådhuset", "R\xe5dhuset", "ill-formed XML"},
		"undeclared prefix":       {"<memo:reply>true</memo:reply>", "<x:reply/>", "ill-formed XML"},
		"control character":       {"Rådhuset", "R\x01", "ill-formed XML"},
		"another root":            {"<kombi_request>", `<kombi_request xmlns="urn:x">`, "root element"},
		"root attribute":          {"<kombi_request>", `<kombi_request a="b">`, "attribute"},
		"text in root":            {"</kombi_request>", "x</kombi_request>", "holds text"},
		"KombiValgKode unknown":   {">Digital Post<", ">Email<", "KombiValgKode"},
		"KombiValgKode case":      {">Digital Post<", ">digital post<", "KombiValgKode"},
		"no KombiValgKode":        {"<KombiValgKode>Digital Post</KombiValgKode>", "", "KombiValgKode"},
		"KombiValgKode twice":     {"<KombiValgKode>Digital Post</KombiValgKode>", "<KombiValgKode>Digital Post</KombiValgKode><KombiValgKode>Digital Post</KombiValgKode>", "KombiValgKode"},
		"KombiValgKode last":      {"</kombi_request>", "<KombiValgKode>Digital Post</KombiValgKode></kombi_request>", "KombiValgKode"},
		"element in the code":     {">Digital Post<", "><a/>Digital Post<", "KombiValgKode"},
		"print without print":     {">Digital Post<", ">Fysisk Post<", "ForsendelseISamling is missing"},
		"automatic without print": {">Digital Post<", ">Automatisk Valg<", "ForsendelseISamling"},
		"stranger":                {"</kombi_request>", "<x/></kombi_request>", "does not belong"},
		"after signature":         {"</kombi_request>", `<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/><ForsendelseISamling xmlns="urn:oio:fjernprint:1.0.0"/></kombi_request>`, "ds:Signature"},
		"print twice":             {"</kombi_request>", strings.Repeat(`<ForsendelseISamling xmlns="urn:oio:fjernprint:1.0.0"/>`, 2) + "</kombi_request>", "ForsendelseISamling"},
		"default namespace":       {"<memo:reply>true</memo:reply>", `<reply xmlns="https://DigitalPost.dk/MeMo-1">true</reply>`, "prefix memo"},
		"another prefix":          {"<memo:reply>true</memo:reply>", `<m:reply xmlns:m="https://DigitalPost.dk/MeMo-1">true</m:reply>`, "prefix memo"},
		"message prefix":          {message, `<memo:Message xmlns:memo="urn:x"`, "does not belong"},
		"no messageUUID":          {"<memo:messageUUID>", "<memo:messageUUID>x", "messageUUID"},
		"SMS as letter":           {">DIGITALPOST<", ">NEMSMS<", "messageType"},
		"empty":                   {"", "", "no root"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := ""
			if name != "empty" {
				body = replaced(t, letter{}, c.from, c.to)
			}
			a := p.send(body)
			if a.status != http.StatusBadRequest || !strings.Contains(a.body, c.says) || !strings.Contains(a.body, "<Result>false</Result>") {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	t.Run("message twice", func(t *testing.T) {
		t.Parallel()
		s := letter{}.String()
		from, to := strings.Index(s, "<memo:Message "), strings.Index(s, "</kombi_request>")
		if a := p.send(s[:to] + s[from:to] + s[to:]); a.status != 400 || !strings.Contains(a.body, "twice") {
			t.Errorf("%d %s", a.status, a.body)
		}
		if a := p.send(s[:from] + s[to:]); a.status != 400 || !strings.Contains(a.body, "memo:Message is missing") {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

func TestEnvelopeTolerates(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{})
	p := newPeer(t, srv)
	const ns = ` xmlns:memo="https://DigitalPost.dk/MeMo-1"`
	for name, spoil := range map[string]func(string) string{
		"utf8":           func(s string) string { return strings.Replace(s, `encoding="UTF-8"`, `encoding='utf8'`, 1) },
		"no declaration": func(s string) string { _, body, _ := strings.Cut(s, "?>\n"); return body },
		"BOM":            func(s string) string { return "\ufeff" + s },
		"prefix on ancestor": func(s string) string {
			return strings.Replace(strings.Replace(s, ns, "", 1), "<kombi_request>", "<kombi_request"+ns+">", 1)
		},
		"comments":  func(s string) string { return strings.ReplaceAll(s, "<memo:label>", "<!-- label --><memo:label>") },
		"CDATA":     func(s string) string { return strings.Replace(s, "Indkaldelse til", "<![CDATA[Indkaldelse]]> til", 1) },
		"line ends": func(s string) string { return strings.ReplaceAll(s, "><", ">\r\n  <") },
		"upper-case UUID": func(s string) string {
			return strings.Replace(s, "00000000-0000-4000-8000", "ABCDEF00-0000-4000-A000", 1)
		},
		"action end first": func(s string) string { return strings.Replace(s, "2026-12-01T09:45:00Z", "2026-11-01T09:45:00Z", 1) },
		"fractions": func(s string) string {
			return strings.Replace(s, "2026-11-21T09:00:00Z", "2026-11-21T09:00:00.123Z", 1)
		},
		"signature": func(s string) string {
			return strings.Replace(s, "</kombi_request>", `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/></ds:Signature></kombi_request>`, 1)
		},
		"print beside": func(s string) string {
			return strings.Replace(s, "</kombi_request>", samling(newUUID(), "Nancy")+"</kombi_request>", 1)
		},
		"MeMo 1.2":      version12,
		"empty boolean": func(s string) string { return strings.Replace(s, ">false</memo:mandatory>", "></memo:mandatory>", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			uuid := newUUID()
			body := spoil(letter{uuid: uuid}.String())
			if name == "upper-case UUID" {
				uuid = strings.Replace(uuid, "00000000-0000-4000-8000", "abcdef00-0000-4000-a000", 1)
			}
			accepted(t, p.send(body))
			if m, ok := srv.Message(uuid); !ok || m.Finding != nil {
				t.Errorf("message %+v, finding %+v", m, m.Finding)
			}
		})
	}
	t.Run("/memos", func(t *testing.T) {
		t.Parallel()
		req := p.kombi(letter{}.String())
		req.URL.Path = sf1601test.PathMemos
		accepted(t, p.must(req))
	})
	t.Run("automatic", func(t *testing.T) {
		t.Parallel()
		accepted(t, p.send(letter{valg: sf1601test.ValgAutomatisk}.String()))
	})
}

func version12(s string) string {
	s = strings.Replace(s, `memoVersion="1.1" memoSchVersion="1.1.0"`, `memoVersion="1.2"`, 1)
	s = strings.Replace(s, "<memo:mandatory>false</memo:mandatory><memo:legalNotification>false</memo:legalNotification>", "", 1)
	return strings.Replace(s, "</memo:ContactPoint></memo:Sender>",
		"</memo:ContactPoint><memo:Representative><memo:representativeID>12345678</memo:representativeID><memo:idType>CVR</memo:idType><memo:label>x</memo:label></memo:Representative></memo:Sender>", 1)
}

// Each rule of MeMo and of Digital Post: the letter is accepted, and its
// status tells what is wrong.
func TestMemoRules(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{FileExtensions: []string{"pdf", "txt"}, Faults: sf1601test.Faults{AfleveretDelay: sf1601test.Duration(time.Hour)}})
	p := newPeer(t, srv)
	long := strings.Repeat("æ", 257)
	const sms = sf1601test.ValgNemSMS
	for name, c := range map[string]struct {
		l                    letter
		from, to, code, says string
	}{
		"order":                   {letter{}, "<memo:messageUUID>", "<memo:label>x</memo:label><memo:messageUUID>", "", "'messageUUID'"},
		"version":                 {letter{}, `memoVersion="1.1"`, `memoVersion="1.3"`, "", "memoVersion"},
		"no schema version":       {letter{}, ` memoSchVersion="1.1.0"`, "", "", "memoSchVersion"},
		"schema version in 1.2":   {letter{}, `memoVersion="1.1"`, `memoVersion="1.2"`, "", "memoSchVersion"},
		"message attribute":       {letter{}, ` memoSchVersion`, ` x="y" memoSchVersion`, "", "attribute"},
		"attribute":               {letter{}, `<memo:reply>`, `<memo:reply x="y">`, "", "attribute"},
		"text between":            {letter{}, `<memo:reply>`, `x<memo:reply>`, "", "text between"},
		"element in a leaf":       {letter{}, `<memo:reply>`, `<memo:reply><memo:x/>`, "", "'reply' holds"},
		"unknown element":         {letter{}, `<memo:reply>`, `<memo:x/><memo:reply>`, "", "not known in 'MessageHeader'"},
		"foreign element":         {letter{}, `<memo:reply>`, `<x xmlns="urn:x"/><memo:reply>`, "", "not known in 'MessageHeader'"},
		"label missing":           {letter{}, `<memo:label>Indkaldelse til jobsamtale</memo:label>`, "", "", "'label' is missing in 'MessageHeader'"},
		"label blank":             {letter{}, `Indkaldelse til jobsamtale`, " ", "", "'label' is empty"},
		"label long":              {letter{}, `Indkaldelse til jobsamtale`, long, "", "'label' is too long"},
		"notification long":       {letter{}, `Ny indkaldelse fra Jobcenter`, strings.Repeat("x", 151), "", "'notification' is too long"},
		"mandatory missing":       {letter{}, `<memo:mandatory>false</memo:mandatory>`, "", "", "'mandatory' is missing"},
		"boolean":                 {letter{}, `<memo:reply>true`, "<memo:reply>yes", "", "'reply' is not an xs:boolean"},
		"in the past":             {letter{}, `2999-01-01`, "2020-01-01", sf1601test.CodeDeliverTooEarly, "in the past"},
		"date":                    {letter{}, `2999-01-01`, "2999-02-30", "", "xs:date"},
		"date time":               {letter{}, `2999-01-01`, "2999-01-01T00:00:00Z", "", "xs:date"},
		"sender label":            {letter{}, `<memo:label>Testby Kommune</memo:label>`, "", "", "'label' is missing in 'Sender'"},
		"sender CVR":              {letter{}, `<memo:senderID>55133018`, "<memo:senderID>5513301", "", "'Sender'"},
		"MyndighedsID":            {letter{}, `<memo:idType>CVR`, "<memo:idType>MyndighedsID", "", "'Sender'"},
		"CPR of nine":             {letter{}, `<memo:recipientID>2512489996`, "<memo:recipientID>251248999", "", "'Recipient'"},
		"CPR with hyphen":         {letter{}, `<memo:recipientID>2512489996`, "<memo:recipientID>251248-9996", "", "'Recipient'"},
		"contact point":           {letter{}, `241d39f6-998e-4929-b198-ccacbbf4b330`, "1", sf1601test.CodeContactPoint, "'contactPointID'"},
		"three contact infos":     {letter{}, `</memo:ContactInfo>`, `</memo:ContactInfo>` + strings.Repeat(`<memo:ContactInfo><memo:label>a</memo:label><memo:value>b</memo:value></memo:ContactInfo>`, 2), "", "'ContactInfo' occurs too often"},
		"representative in 1.1":   {letter{}, `</memo:ContactPoint>`, `</memo:ContactPoint><memo:Representative><memo:representativeID>1</memo:representativeID><memo:idType>CVR</memo:idType><memo:label>x</memo:label></memo:Representative>`, "", "'Representative' occurs too often"},
		"wrong namespace":         {letter{}, `<grd:cprNumber>2512489996</grd:cprNumber>`, `<memo:cprNumber>2512489996</memo:cprNumber>`, "", "'CPRdata'"},
		"KLE without version":     {letter{}, `<kle:version>1</kle:version>`, "", "", "'version' is missing in 'KLEdata'"},
		"no recipient":            {letter{}, `<memo:Recipient><memo:recipientID>2512489996</memo:recipientID><memo:idType>CPR</memo:idType></memo:Recipient>`, "", "", "'Recipient' is missing"},
		"no body":                 {letter{}, messageBody, "", "", "'MessageBody' is missing"},
		"created with offset":     {letter{}, `2026-11-21T09:00:00Z`, "2026-11-21T10:00:00+01:00", "", "'createdDateTime' is not a dateTime that ends in Z"},
		"no file":                 {letter{}, fileOf("Indkaldelse.pdf", "application/pdf", "VGhpcyBpcyBhIHRlc3Q="), "", "", "'File' is missing"},
		"eleven attachments":      {letter{}, `<memo:AdditionalDocument>`, strings.Repeat("<memo:AdditionalDocument>"+fileOf("a.txt", "text/plain", "QUJD")+"</memo:AdditionalDocument>", 10) + `<memo:AdditionalDocument>`, "", "'AdditionalDocument' occurs too often"},
		"filename colon":          {letter{}, `Indkaldelse.pdf`, "Ind:kaldelse.pdf", "", "'filename' holds a character"},
		"filename U+00A0":         {letter{}, `Indkaldelse.pdf`, "Ind\u00a0kaldelse.pdf", "", "'filename' holds a character"},
		"filename line break":     {letter{}, `Indkaldelse.pdf`, "Ind&#13;kaldelse.pdf", "", "'filename' holds a character"},
		"filename thin space":     {letter{}, `Indkaldelse.pdf`, "Ind\u2009kaldelse.pdf", "", "'filename' holds a character"},
		"filename blank":          {letter{}, `Indkaldelse.pdf`, " ", "", "'filename' is empty"},
		"extension":               {letter{}, `Indkaldelse.pdf`, "Indkaldelse.exe", sf1601test.CodeFileExtension, "file extension"},
		"language":                {letter{}, `<memo:language>da<`, `<memo:language>da-DK<`, "", "'language'"},
		"empty file":              {letter{}, `VGhpcyBpcyBhIHRlc3Q=`, ` `, sf1601test.CodeEmptyFile, "'content' is empty"},
		"not base64":              {letter{}, `VGhpcyBpcyBhIHRlc3Q=`, `VGhp!`, "", "'content' is not Base64"},
		"base64 padding":          {letter{}, `VGhpcyBpcyBhIHRlc3Q=`, `VGhpcyBpcyBhIHRlc3Q`, "", "'content' is not Base64"},
		"http url":                {letter{}, `https://testby.example/`, `http://testby.example/`, "", "'url' is not an absolute https URL"},
		"relative url":            {letter{}, `https://testby.example/`, `/`, "", "'url' is not an absolute https URL"},
		"unknown action":          {letter{}, `>TILMELDING<`, `>KOEB<`, "", "'actionCode'"},
		"AFTALE with link":        {letter{}, `>TILMELDING<`, `>AFTALE<`, "", "AFTALE has no Reservation"},
		"both":                    {letter{}, `</memo:Reservation>`, `</memo:Reservation><memo:EntryPoint><memo:url>https://a.b/</memo:url></memo:EntryPoint>`, "", "both Reservation and EntryPoint"},
		"neither":                 {letter{}, `<memo:EntryPoint><memo:url>https://testby.example/tilmeld</memo:url></memo:EntryPoint>`, "", "", "neither Reservation nor EntryPoint"},
		"reservation UUID":        {letter{}, `8C2EA15D-61FB-4BA9-9366`, `8C2EA15D-61FB-1BA9-9366`, "", "'reservationUUID' is not a UUID of version 4"},
		"reservation location":    {letter{}, `<memo:location>Rådhuset</memo:location>`, "", "", "'location' is missing in 'Reservation'"},
		"action offset":           {letter{}, `2026-12-10T22:59:00Z`, "2026-12-10T23:59:00+01:00", "", "'endDateTime' is not a dateTime"},
		"SMS without text":        {letter{valg: sms}, `Ny indkaldelse fra Jobcenter`, " ", sf1601test.CodeEmptyNotification, "no notification"},
		"SMS with body":           {letter{valg: sms}, `</memo:Message>`, messageBody + `</memo:Message>`, "", "NEMSMS has a MessageBody"},
		"action in technical doc": {letter{}, `</memo:MessageBody>`, `<memo:TechnicalDocument>` + fileOf("a.txt", "text/xml", "QUJD") + `<memo:Action/></memo:TechnicalDocument></memo:MessageBody>`, "", "not known in 'TechnicalDocument'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.l.uuid = newUUID()
			accepted(t, p.send(replaced(t, c.l, c.from, c.to)))
			m, ok := srv.Message(c.l.uuid)
			if !ok || m.Finding == nil {
				t.Fatalf("no finding in %+v", m)
			}
			if c.code == "" {
				c.code = sf1601test.CodeMemoInvalid
			}
			if m.Finding.Code != c.code || !strings.Contains(m.Finding.Text, c.says) || !strings.Contains(m.Finding.Text, "lineNumber: ") {
				t.Errorf("finding %+v", *m.Finding)
			}
		})
	}
}

func fileOf(name, format, content string) string {
	return fmt.Sprintf(`<memo:File><memo:encodingFormat>%s</memo:encodingFormat><memo:filename>%s</memo:filename><memo:language>da</memo:language><memo:content>%s</memo:content></memo:File>`, format, name, content)
}

// A broken rule ends as status Fejlet with the code of the rule, and without
// Modtaget before it.
func TestInvalidLetterIsToldByStatus(t *testing.T) {
	t.Parallel()
	srv, p, g := town(t, sf1601test.Config{})
	accepted(t, p.send(replaced(t, letter{}, "https://testby", "http://testby")))
	st := g.wait(t, 1)[0].Status
	if st.TransaktionsStatusKode != "Fejlet" || st.FejlKode != sf1601test.CodeMemoInvalid || !strings.Contains(st.FejlTekst, "'url'") {
		t.Errorf("status %+v", st)
	}
	if err := srv.WaitSettled(deadline(t), 1); err != nil {
		t.Fatal(err)
	}
	if st := srv.Stats(); st.Invalid != 1 || st.Pushes.Acknowledged != 1 {
		t.Errorf("stats %+v", st)
	}
}
