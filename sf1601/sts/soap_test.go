package sts_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1601/sts"
)

func pemBlock(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

var sharedAuthority = sync.OnceValues(func() (*sf1601test.Authority, error) {
	return sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
})

// farEnd runs the strict far end and gives an HTTP client it lets in.
func farEnd(t testing.TB) (*sf1601test.Server, *http.Client) {
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
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: srv.RootCAs(), Certificates: []tls.Certificate{srv.ClientCertificate()},
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return srv, &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// newSource makes a source of the far end; change alters its configuration.
func newSource(t testing.TB, srv *sf1601test.Server, client *http.Client, change func(*sts.Config)) *sts.Source {
	t.Helper()
	cfg := sts.Config{
		STS: srv.URL(), Base: srv.URL(), HTTP: client, CertificateDER: srv.ClientCertificate().Certificate[0],
		Mode: sts.SOAP, Certificate: srv.ClientCertificate(), TrustedSTS: []*x509.Certificate{srv.Authority().STSCertificate().Leaf},
	}
	if change != nil {
		change(&cfg)
	}
	s, err := sts.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestBothModesGiveATokenThatIsVerified(t *testing.T) {
	t.Parallel()
	for _, mode := range []sts.Mode{sts.REST, sts.SOAP} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			srv, client := farEnd(t)
			s := newSource(t, srv, client, func(c *sts.Config) { c.Mode = mode })
			saml, err := s.SAML(t.Context(), jobs)
			if err != nil {
				t.Fatal(err)
			}
			if want := "C=DK,O=55133018,CN=simulator"; saml.Subject != want || saml.Issuer != "https://sts.sim.invalid/" || !saml.Verified {
				t.Errorf("Subject %q, Issuer %q, verified %v", saml.Subject, saml.Issuer, saml.Verified)
			}
			if left := time.Until(saml.Expires); left < 7*time.Hour || left > 8*time.Hour {
				t.Errorf("it lives for another %s", left)
			}
			access, err := s.Access(t.Context(), jobs)
			if err != nil {
				t.Fatal(err)
			}
			if access.Subject != saml.Subject || access.Issuer != saml.Issuer || !access.Verified {
				t.Errorf("access = %+v", access)
			}
			if st := srv.Stats(); st.Requests["issue"]+st.Requests["issue-soap"] != 1 || mode == sts.SOAP && st.Requests["issue"] != 0 {
				t.Errorf("requests: %v", st.Requests)
			}
			xml, err := saml.XML()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			write(t, filepath.Join(dir, "saml.xml"), xml)
			write(t, filepath.Join(dir, "sts.pem"), pemBlock("CERTIFICATE", srv.Authority().STSCertificate().Certificate[0]))
			xmlsec1(t, dir, "--verify", "--pubkey-cert-pem", "sts.pem", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", "saml.xml")
		})
	}
}

func TestAnotherSTSIsNotBelieved(t *testing.T) {
	t.Parallel()
	for _, mode := range []sts.Mode{sts.REST, sts.SOAP} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			srv, client := farEnd(t)
			s := newSource(t, srv, client, func(c *sts.Config) {
				c.Mode, c.TrustedSTS = mode, []*x509.Certificate{otherPair().Leaf}
			})
			_, err := s.Access(t.Context(), jobs)
			var e *sts.Error
			if !errors.As(err, &e) || !e.Denied || e.Hint == "" || !errors.Is(err, sts.ErrUntrusted) {
				t.Fatalf("err = %#v", err)
			}
			if n := srv.Stats().Requests["token"]; n != 0 {
				t.Errorf("the token was used %d times", n)
			}
		})
	}
}

func TestWithoutTheSTSCertificateNothingIsSaidToBeVerified(t *testing.T) {
	t.Parallel()
	srv, client := farEnd(t)
	s := newSource(t, srv, client, func(c *sts.Config) { c.TrustedSTS = nil })
	access, err := s.Access(t.Context(), jobs)
	if err != nil {
		t.Fatal(err)
	}
	if access.Verified || access.Subject != "C=DK,O=55133018,CN=simulator" {
		t.Errorf("verified %v, subject %q", access.Verified, access.Subject)
	}
}

// request is a signed request, as it leaves.
func request(t testing.TB, cert tls.Certificate, now time.Time) string {
	t.Helper()
	body, err := sts.SignedRequest(cert, jobs, "5f3c1c1e-0b7e-4a39-8a0e-1234567890ab", now)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

var signedInfo = regexp.MustCompile(`<ds:SignedInfo.*</ds:SignedInfo>`)

// resign signs a SignedInfo that was changed, with the client's own key: the
// far end must not be content with a signature that holds.
func resign(t *testing.T, envelope string, cert tls.Certificate) string {
	t.Helper()
	key, _ := cert.PrivateKey.(*rsa.PrivateKey)
	sum := sha256.Sum256([]byte(signedInfo.FindString(envelope)))
	value, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`<ds:SignatureValue>[^<]*`).ReplaceAllString(envelope, "<ds:SignatureValue>"+base64.StdEncoding.EncodeToString(value))
}

// The seven parts, and a change of what each says.
var sevenParts = []struct{ name, id, element, old, by string }{
	{"wsu:Timestamp", "timestamp", "wsu:Timestamp", "</wsu:Created>", " </wsu:Created>"},
	{"soap:Body", "body", "soap:Body", "<auth:Value>55133018", "<auth:Value>12345678"},
	{"wsa:To", "to", "wsa:To", ">http://entityid.kombit.dk/service/kombipostafsend/1</wsa:To>", ">http://entityid.kombit.dk/service/postforespoerg/1</wsa:To>"},
	{"wsa:ReplyTo", "reply-to", "wsa:ReplyTo", "addressing/anonymous", "addressing/none"},
	{"wsa:MessageID", "message-id", "wsa:MessageID", "5f3c1c1e", "6f3c1c1e"},
	{"wsa:Action", "action", "wsa:Action", "RST/Issue</wsa:Action>", "RST/Cancel</wsa:Action>"},
	{"wsse:BinarySecurityToken", "token", "wsse:BinarySecurityToken", ` wsu:Id="token">MII`, ` wsu:Id="token">NII`},
}

func TestTheSimulatorRefusesEachBrokenReference(t *testing.T) {
	t.Parallel()
	srv, client := farEnd(t)
	cert := srv.ClientCertificate()
	good := request(t, cert, time.Now())
	if status, answer := post(t, client, srv, good); status != http.StatusOK {
		t.Fatalf("the unbroken one: %d %s", status, answer)
	}
	for _, p := range sevenParts {
		element := regexp.MustCompile(`<` + p.element + `[^>]* wsu:Id="` + p.id + `">.*?</` + p.element + `>`).FindString(good)
		if element == "" {
			t.Fatalf("%s is not in the request", p.name)
		}
		forged := strings.Replace(strings.Replace(element, `wsu:Id="`+p.id+`"`, `wsu:Id="forged"`, 1), p.old, p.by, 1)
		inside := strings.LastIndex(forged, "</")
		reference := regexp.MustCompile(`<ds:Reference URI="#` + p.id + `">.*?</ds:Reference>`)
		for how, c := range map[string]struct{ envelope, want string }{
			"changed after signing":        {strings.Replace(good, element, strings.Replace(element, p.old, p.by, 1), 1), p.name + " was changed"},
			"reference removed":            {reference.ReplaceAllString(good, ""), p.name + " is not signed"},
			"reference removed and signed": {resign(t, reference.ReplaceAllString(good, ""), cert), p.name + " is not signed"},
			"reference to another element": {resign(t, strings.Replace(good, `URI="#`+p.id+`"`, `URI="#elsewhere"`, 1), cert), p.name + " is not signed"},
			"reference twice":              {resign(t, reference.ReplaceAllString(good, "$0$0"), cert), "two references"},
			"digest of nothing":            {resign(t, reference.ReplaceAllStringFunc(good, emptyDigest), cert), p.name + " was changed"},
			"element twice":                {strings.Replace(good, element, element+element, 1), p.name + ": its id stands twice"},
			"element twice, other id":      {strings.Replace(good, element, forged+element, 1), p.name + " stands twice"},
			"element removed":              {strings.Replace(good, element, "", 1), p.name + " is missing"},
			"wrapped by a forged one":      {strings.Replace(good, element, forged[:inside]+element+forged[inside:], 1), p.name + " is not signed"},
		} {
			t.Run(p.name+" "+how, func(t *testing.T) {
				t.Parallel()
				if c.envelope == good {
					t.Fatal("nothing was broken")
				}
				status, answer := post(t, client, srv, c.envelope)
				if status != http.StatusInternalServerError || !strings.Contains(answer, c.want) || strings.Contains(answer, "Assertion") {
					t.Errorf("%d %s\nwant a fault that says %q", status, answer, c.want)
				}
				e := sts.ReadFault(status, []byte(answer), time.Now())
				if e == nil || !e.Denied || e.Hint == "" || !strings.Contains(e.Error(), "Sender/") {
					t.Errorf("the client reads it as %#v", e)
				}
			})
		}
	}
}

func emptyDigest(reference string) string {
	return regexp.MustCompile(`<ds:DigestValue>[^<]*`).ReplaceAllString(reference, "<ds:DigestValue>")
}

func TestTheSimulatorRefusesTheRest(t *testing.T) {
	t.Parallel()
	srv, client := farEnd(t)
	cert := srv.ClientCertificate()
	good := request(t, cert, time.Now())
	for name, c := range map[string]struct{ envelope, want string }{
		"another's key":         {resign(t, good, otherPair()), "SignatureValue does not hold"},
		"another's certificate": {request(t, otherPair(), time.Now()), "not the certificate of the connection"},
		"old":                   {request(t, cert, time.Now().Add(-time.Hour)), "expired"},
		"future":                {request(t, cert, time.Now().Add(time.Hour)), "future"},
		"a comment":             {strings.Replace(good, "<auth:Value>", "<auth:Value><!---->", 1), "comment"},
		"DTD":                   {"<!DOCTYPE x>" + good, "DTD"},
		"HMAC":                  {strings.Replace(good, rsaSHA256, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", 1), "rsa-sha256"},
		"SHA-1":                 {strings.Replace(good, dsSHA256, xmldsig+"sha1", 1), "SHA-256"},
		"an eighth header":      {strings.Replace(good, "</soap:Header>", "<x:Y xmlns:x='urn:x'></x:Y></soap:Header>", 1), "does not belong"},
		"not XML":               {"<soap:Envelope", "not XML"},
	} {
		status, answer := post(t, client, srv, c.envelope)
		if status != http.StatusInternalServerError || !strings.Contains(answer, c.want) {
			t.Errorf("%s: %d %s, want %q", name, status, answer, c.want)
		}
	}
}

// post sends an envelope as it is.
func post(t *testing.T, client *http.Client, srv *sf1601test.Server, envelope string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL()+sf1601test.PathIssueSOAP, strings.NewReader(envelope))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/soap+xml; charset=utf-8")
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(answer)
}

func TestXMLSec1VerifiesTheRequest(t *testing.T) {
	t.Parallel()
	const wsu, wsa, wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd", "http://www.w3.org/2005/08/addressing", "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	dir := t.TempDir()
	for name, a := range map[string]sts.Audience{
		"plain": jobs, "escaped": {CVR: "55133018", EntityID: "http://example.dk/?a=1&b=<2>"},
	} {
		body, err := sts.SignedRequest(ourPair(), a, "5f3c1c1e-0b7e-4a39-8a0e-1234567890ab", start)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name+".xml"), body)
		write(t, filepath.Join(dir, "cert.pem"), pemBlock("CERTIFICATE", ourPair().Certificate[0]))
		args := []string{"--verify", "--pubkey-cert-pem", "cert.pem"}
		for _, el := range []string{
			wsu + ":Timestamp", "http://www.w3.org/2003/05/soap-envelope:Body", wsa + ":To", wsa + ":ReplyTo", wsa + ":MessageID", wsa + ":Action",
			wsse + ":BinarySecurityToken",
		} {
			args = append(args, "--id-attr:Id", el)
		}
		xmlsec1(t, dir, append(args, name+".xml")...)
	}
}

func TestFaultsAreRefusalsOrPass(t *testing.T) {
	t.Parallel()
	const secret = "2512489996 secret"
	soap12 := func(code, sub string) string {
		return `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:` + code +
			`</s:Value><s:Subcode><s:Value>a:` + sub + `</s:Value></s:Subcode></s:Code><s:Reason><s:Text>` + secret + `</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>`
	}
	for name, c := range map[string]struct {
		status int
		body   string
		fault  bool
		denied bool
		text   string
	}{
		"sender":             {500, soap12("Sender", "FailedAuthentication"), true, true, "sts.issue: HTTP 500: the STS answered with a fault: Sender/FailedAuthentication"},
		"sender, 400":        {400, soap12("Sender", "InvalidScope"), true, true, "sts.issue: HTTP 400: the STS answered with a fault: Sender/InvalidScope"},
		"sender, 200":        {200, soap12("Sender", "InvalidRequest"), true, true, "sts.issue: HTTP 200: the STS answered with a fault: Sender/InvalidRequest"},
		"unknown subcode":    {500, soap12("Sender", secret), true, true, "sts.issue: HTTP 500: the STS answered with a fault: Sender"},
		"clock":              {500, soap12("Sender", "MessageExpired"), true, true, "sts.issue: HTTP 500: the STS answered with a fault: Sender/MessageExpired"},
		"receiver":           {500, soap12("Receiver", "InternalServiceFault"), true, false, "sts.issue: HTTP 500: the STS answered with a fault: Receiver"},
		"sender, come again": {503, soap12("Sender", "RequestFailed"), true, false, "sts.issue: HTTP 503: the STS answered with a fault: Sender/RequestFailed"},
		"unknown code":       {500, soap12(secret, ""), true, false, "sts.issue: HTTP 500: the STS answered with a fault"},
		"unknown code, 403":  {403, soap12(secret, ""), true, true, "sts.issue: HTTP 403: the STS answered with a fault"},
		"SOAP 1.1":           {500, `<Envelope><Body><Fault><faultcode>s:Client</faultcode><faultstring>` + secret + `</faultstring></Fault></Body></Envelope>`, true, true, "sts.issue: HTTP 500: the STS answered with a fault: Client"},
		"no fault":           {500, `<html>` + secret, false, false, ""},
		"nothing":            {502, ``, false, false, ""},
	} {
		e := sts.ReadFault(c.status, []byte(c.body), start)
		if (e != nil) != c.fault {
			t.Errorf("%s: %v", name, e)
			continue
		}
		if e != nil && (e.Denied != c.denied || e.Error() != c.text || e.Denied != (e.Hint != "")) {
			t.Errorf("%s: denied %v, %q, hint %q", name, e.Denied, e, e.Hint)
		}
	}
}

func TestTheAssertionIsCutOutAsItStands(t *testing.T) {
	t.Parallel()
	good := signedBy(t, unsigned("_good", genuine, ourPair()), stsPair(), nil)
	odd := strings.Replace(good, "<saml:Subject>", "\r\n<saml:Subject\t >", 1) // other bytes, another signature
	for name, c := range map[string]struct{ answer, want string }{
		"plain":              {string(answerWith(good)), good},
		"white space around": {string(answerWith("\r\n  " + odd + "\n")), odd},
		"byte order mark":    {"\ufeff" + string(answerWith(good)), good},
		"without collection": {strings.NewReplacer("<t:RequestSecurityTokenResponseCollection ", "<t:RequestSecurityTokenResponse ", "<t:RequestSecurityTokenResponse>", "",
			"</t:RequestSecurityTokenResponse></t:RequestSecurityTokenResponseCollection>", "</t:RequestSecurityTokenResponse>").Replace(string(answerWith(good))), good},
		"comments elsewhere": {strings.Replace(string(answerWith(good)), "<s:Body>", "<!-- <saml:Assertion/> --><s:Body>", 1), good},
		"a prefix from outside": {
			strings.NewReplacer(` xmlns:saml="`+samlNS+`"`, "", "<t:RequestedSecurityToken>", `<t:RequestedSecurityToken xmlns:saml="`+samlNS+`" xmlns:other="urn:o">`).
				Replace(string(answerWith(good))),
			strings.Replace(strings.Replace(good, ` xmlns:saml="`+samlNS+`"`, "", 1), "<saml:Assertion", `<saml:Assertion xmlns:saml="`+samlNS+`"`, 1),
		},
	} {
		got, err := sts.ReadIssuedSOAP([]byte(c.answer))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, c.want)
		}
	}
}

// scripted answers every call the same way.
type scripted struct {
	status int
	body   string
	seen   chan *http.Request
}

func (s scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	s.seen <- r
	return &http.Response{
		StatusCode: s.status, Header: http.Header{"Retry-After": {"7"}}, Body: io.NopCloser(strings.NewReader(s.body)), Request: r,
	}, nil
}

func TestAnswersOfTheSOAPIssueThatGiveNoToken(t *testing.T) {
	t.Parallel()
	good := signedBy(t, unsigned("_good", genuine, ourPair()), stsPair(), nil)
	whole := string(answerWith(good))
	for name, c := range map[string]struct {
		status int
		body   string
		denied bool
	}{
		"gateway's page":         {502, "<html>", false},
		"forbidden":              {403, "<html>", true},
		"not found":              {404, "", true},
		"too many":               {429, "", false},
		"not XML":                {200, "<html>", false},
		"empty":                  {200, "", false},
		"cut":                    {200, whole[:len(whole)-20], false},
		"crossed tags":           {200, strings.Replace(whole, "</t:RequestedSecurityToken>", "</t:Other>", 1), false},
		"undeclared prefix":      {200, strings.Replace(whole, "<s:Header/>", "<u:Header/>", 1), false},
		"no assertion":           {200, string(answerWith("")), false},
		"encrypted assertion":    {200, string(answerWith(`<EncryptedAssertion xmlns="` + samlNS + `"/>`)), false},
		"assertion elsewhere":    {200, strings.ReplaceAll(whole, "t:RequestedSecurityToken>", "t:RequestedAttachedReference>"), false},
		"assertion in Header":    {200, strings.NewReplacer("<s:Header/><s:Body>", "<s:Header>", "</s:Body>", "</s:Header>").Replace(whole), false},
		"two assertions":         {200, string(answerWith(good + good)), false},
		"another namespace":      {200, strings.Replace(whole, "ws-trust/200512", "ws-trust/200502", 1), false},
		"another SOAP":           {200, strings.Replace(whole, "http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/", 1), false},
		"too deep":               {200, strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100), false},
		"assertion too large":    {200, string(answerWith(strings.Replace(good, "</saml:Assertion>", strings.Repeat(" ", 256<<10)+"</saml:Assertion>", 1))), false},
		"assertion not verified": {200, string(answerWith(strings.Replace(good, "genuine", "evil", 1))), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rt := scripted{c.status, c.body, make(chan *http.Request, 1)}
			s, err := sts.New(sts.Config{
				STS: "https://sts.invalid", Base: "https://base.invalid", HTTP: &http.Client{Transport: rt}, Mode: sts.SOAP,
				CertificateDER: ourPair().Certificate[0], Certificate: ourPair(), TrustedSTS: []*x509.Certificate{stsPair().Leaf},
				Now: func() time.Time { return start },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			got, err := s.SAML(t.Context(), jobs)
			var e *sts.Error
			if !errors.As(err, &e) || e.Op != sts.OpIssue || e.HTTPStatus != c.status || e.Denied != c.denied || e.Denied != (e.Hint != "") {
				t.Errorf("%v, %#v", got, e)
			}
			if strings.Contains(err.Error(), "<") || strings.Contains(err.Error(), "CN=") || strings.Contains(err.Error(), "invalid") {
				t.Errorf("the text shows what it must not: %v", err)
			}
			r := <-rt.seen
			if got := r.URL.String(); got != "https://sts.invalid/runtime/services/kombittrust/14/certificatemixed" {
				t.Errorf("POST %s", got)
			}
			if got := r.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/soap+xml; charset=utf-8") {
				t.Errorf("Content-Type %q", got)
			}
		})
	}
}

func TestADistrustedAssertionSaysWhatToDo(t *testing.T) {
	t.Parallel()
	good := signedBy(t, unsigned("_good", genuine, ourPair()), stsPair(), nil)
	for name, c := range map[string]struct {
		content string
		now     time.Time
		want    error
		hint    string
	}{
		"late clock":   {good, start.Add(9 * time.Hour), sts.ErrConditions, "clock"},
		"early clock":  {good, start.Add(-time.Hour), sts.ErrConditions, "clock"},
		"wrong key":    {signedBy(t, unsigned("_good", genuine, ourPair()), otherPair(), nil), start, sts.ErrUntrusted, "sts_certificate_file"},
		"no signature": {unsigned("_good", genuine, ourPair()), start, sts.ErrAssertion, "cannot be verified"},
	} {
		rt := scripted{http.StatusOK, string(answerWith(c.content)), make(chan *http.Request, 1)}
		s, err := sts.New(sts.Config{
			STS: "https://sts.invalid", Base: "https://base.invalid", HTTP: &http.Client{Transport: rt}, Mode: sts.SOAP,
			CertificateDER: ourPair().Certificate[0], Certificate: ourPair(), TrustedSTS: []*x509.Certificate{stsPair().Leaf},
			Now: func() time.Time { return c.now },
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.SAML(t.Context(), jobs)
		s.Close()
		var e *sts.Error
		if !errors.As(err, &e) || !errors.Is(err, c.want) || !e.Denied || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%s: %#v", name, err)
		}
	}
}

func TestNewNamesWhatSOAPMisses(t *testing.T) {
	t.Parallel()
	base := sts.Config{STS: "https://sts.invalid", Base: "https://base.invalid", HTTP: http.DefaultClient, CertificateDER: ourPair().Certificate[0]}
	for name, c := range map[string]struct {
		change func(*sts.Config)
		want   string
	}{
		"mode":                {func(c *sts.Config) { c.Mode = "carrier pigeon" }, "unknown mode"},
		"no certificate":      {func(c *sts.Config) { c.Mode = sts.SOAP }, "no certificate"},
		"another certificate": {func(c *sts.Config) { c.Mode, c.Certificate = sts.SOAP, otherPair() }, "another one than CertificateDER"},
		"another key": {func(c *sts.Config) {
			c.Mode, c.Certificate = sts.SOAP, tls.Certificate{Certificate: ourPair().Certificate, PrivateKey: otherPair().PrivateKey}
		}, "does not belong"},
		"a certificate that is nil": {func(c *sts.Config) { c.TrustedSTS = []*x509.Certificate{stsPair().Leaf, nil} }, "certificate 2 of the STS"},
	} {
		cfg := base
		c.change(&cfg)
		if _, err := sts.New(cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// FuzzReadIssuedSOAP looks for panics, and for a cut that is not an assertion.
func FuzzReadIssuedSOAP(f *testing.F) {
	f.Add(answerWith(string(kept(f, "assertion.xml"))))
	f.Add(answerWith(`<Assertion xmlns="` + samlNS + `"/>`))
	f.Add([]byte(strings.Replace(string(answerWith(`<Assertion a="xs:x">t:y<s:z/></Assertion>`)), "<t:RequestedSecurityToken>", `<t:RequestedSecurityToken xmlns="`+samlNS+`">`, 1)))
	f.Fuzz(func(t *testing.T, answer []byte) {
		_ = sts.ReadFault(http.StatusOK, answer, start)
		assertion, err := sts.ReadIssuedSOAP(answer)
		if err != nil {
			return
		}
		again, err := sts.ReadIssuedSOAP(answerWith(string(assertion)))
		if err != nil || !bytes.Equal(again, assertion) {
			t.Errorf("what was cut out does not stand by itself: %v\n%q\n%q", err, assertion, again)
		}
	})
}

func BenchmarkIssueSOAP(b *testing.B) {
	good := signedBy(b, unsigned("_good", genuine, ourPair()), stsPair(), nil)
	rt := scripted{http.StatusOK, string(answerWith(good)), make(chan *http.Request, 1)}
	b.ReportAllocs()
	for b.Loop() {
		s, err := sts.New(sts.Config{
			STS: "https://sts.invalid", Base: "https://base.invalid", HTTP: &http.Client{Transport: rt}, Mode: sts.SOAP,
			CertificateDER: ourPair().Certificate[0], Certificate: ourPair(), TrustedSTS: []*x509.Certificate{stsPair().Leaf},
			Now: func() time.Time { return start },
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.SAML(context.Background(), jobs); err != nil {
			b.Fatal(err)
		}
		<-rt.seen
		s.Close()
	}
}

func BenchmarkVerifyAssertion(b *testing.B) {
	good := []byte(signedBy(b, unsigned("_good", genuine, ourPair()), stsPair(), nil))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sts.VerifyAssertion(good, trust()); err != nil {
			b.Fatal(err)
		}
	}
}
