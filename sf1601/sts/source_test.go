package sts_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/brevdue/brevdue/sf1601/sts"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	start    = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	jobs     = sts.Audience{CVR: "55133018", EntityID: "http://entityid.kombit.dk/service/kombipostafsend/1"}
	der      = []byte{0x30, 0x82, 0x01, 0x02, 0xff}
	longLife = 8 * time.Hour
)

// clock is set by tests.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return start.Add(time.Duration(c.offset.Load())) }
func (c *clock) set(after time.Duration) { c.offset.Store(int64(after)) }

// world is the STS and the token service. Tests replace issue or token.
type world struct {
	*httptest.Server
	clock          clock
	issues, tokens atomic.Int64
	mu             sync.Mutex
	requests       []string // bodies, in order of arrival
	issue, token   http.HandlerFunc
}

func newWorld(t *testing.T, change ...func(*world)) (*world, *sts.Source) {
	t.Helper()
	w := &world{}
	w.issue = func(rw http.ResponseWriter, _ *http.Request) { w.giveSAML(rw, longLife) }
	w.token = func(rw http.ResponseWriter, _ *http.Request) { w.giveAccess(rw, "3600") }
	for _, f := range change {
		f(w)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /runtime/api/rest/wstrust/v1/issue", func(rw http.ResponseWriter, r *http.Request) {
		w.issues.Add(1)
		w.record(t, r)
		w.issue(rw, r)
	})
	mux.HandleFunc("POST /service/AccessTokenService_1/token", func(rw http.ResponseWriter, r *http.Request) {
		w.tokens.Add(1)
		w.record(t, r)
		w.token(rw, r)
	})
	w.Server = httptest.NewTLSServer(mux)
	t.Cleanup(w.Close)
	source, err := sts.New(sts.Config{STS: w.URL, Base: w.URL, HTTP: w.Client(), CertificateDER: der, Now: w.clock.now, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	return w, source
}

func (w *world) record(t *testing.T, r *http.Request) {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, r.Header.Get("Content-Type")+"\n"+string(body))
}

func (w *world) giveSAML(rw io.Writer, life time.Duration) {
	const layout = "01/02/2006 15:04:05"
	local := w.clock.now().Add(3 * time.Hour) // a zone the answer does not name
	assertion := fmt.Sprintf(`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_%d"/>`, w.issues.Load())
	answer, _ := json.Marshal(map[string]any{ //nolint:errchkjson // strings only
		"RequestedSecurityToken": map[string]any{"Assertion": base64.StdEncoding.EncodeToString([]byte(assertion))},
		"Lifetime":               map[string]any{"Created": local.Format(layout), "Expires": local.Add(life).Format(layout)},
	})
	_, _ = rw.Write(answer)
}

func (w *world) giveAccess(rw io.Writer, expiresIn string) {
	_, _ = fmt.Fprintf(rw, `{"access_token":"access-%d","token_type":"Holder-of-key","expires_in":%s}`, w.tokens.Load(), expiresIn)
}

func (w *world) counts() string {
	return fmt.Sprintf("%d SAML, %d access", w.issues.Load(), w.tokens.Load())
}

func access(t *testing.T, s *sts.Source, a sts.Audience) sts.Access {
	t.Helper()
	got, err := s.Access(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTheRequestsAreTheProtocols(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	if got := access(t, s, jobs).Authorization(); got != "Holder-of-key access-1" {
		t.Errorf("Authorization = %q", got)
	}
	want := []string{
		"application/json\n" + `{"TokenType":"http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0",` +
			`"RequestType":"http://docs.oasis-open.org/ws-sx/ws-trust/200512/Issue",` +
			`"KeyType":"http://docs.oasis-open.org/ws-sx/ws-trust/200512/PublicKey",` +
			`"AnvenderKontekst":{"Cvr":"55133018"},"UseKey":"MIIBAv8=",` +
			`"AppliesTo":{"EndpointReference":{"Address":"http://entityid.kombit.dk/service/kombipostafsend/1"}},"OnBehalfOf":null}`,
		"application/x-www-form-urlencoded\nsaml-token=" + strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(
			base64.StdEncoding.EncodeToString([]byte(`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1"/>`))),
	}
	for i := range want {
		if w.requests[i] != want[i] {
			t.Errorf("request %d:\n%s\nwant\n%s", i, w.requests[i], want[i])
		}
	}
	saml, err := s.SAML(t.Context(), jobs)
	if err != nil {
		t.Fatal(err)
	}
	if xml, err := saml.XML(); err != nil || !strings.HasPrefix(string(xml), "<saml:Assertion") {
		t.Errorf("XML = %s, %v", xml, err)
	}
}

func TestTokensAreKeptPerAuthorityAndServiceAndRenewedEarly(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	step := func(after time.Duration, want string) {
		t.Helper()
		w.clock.set(after)
		access(t, s, jobs)
		if got := w.counts(); got != want {
			t.Errorf("after %s: %s asked for, want %s", after, got, want)
		}
	}
	step(0, "1 SAML, 1 access")
	step(59*time.Minute-time.Second, "1 SAML, 1 access")
	step(59*time.Minute, "1 SAML, 2 access") // 60 s early
	step(7*time.Hour+45*time.Minute-time.Second, "1 SAML, 3 access")
	step(7*time.Hour+45*time.Minute, "1 SAML, 3 access") // SAML is due, but not needed yet
	step(8*time.Hour+50*time.Minute, "2 SAML, 4 access")
	access(t, s, sts.Audience{CVR: "55133018", EntityID: "urn:other"})
	access(t, s, sts.Audience{CVR: "12345678", EntityID: jobs.EntityID})
	if got := w.counts(); got != "4 SAML, 6 access" {
		t.Errorf("three audiences: %s", got)
	}
}

func TestShortLivesAreRenewedAtHalf(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t, func(w *world) {
		w.issue = func(rw http.ResponseWriter, _ *http.Request) { w.giveSAML(rw, 20*time.Minute) }
		w.token = func(rw http.ResponseWriter, _ *http.Request) { w.giveAccess(rw, `"40"`) }
	})
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{0, "1 SAML, 1 access"}, {19 * time.Second, "1 SAML, 1 access"}, {20 * time.Second, "1 SAML, 2 access"},
		{10*time.Minute - time.Second, "1 SAML, 3 access"}, {10*time.Minute + 30*time.Second, "2 SAML, 4 access"},
	} {
		w.clock.set(c.after)
		access(t, s, jobs)
		if got := w.counts(); got != c.want {
			t.Errorf("after %s: %s, want %s", c.after, got, c.want)
		}
	}
}

func TestATokenWithoutLifeIsUsedOnce(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t, func(w *world) {
		w.token = func(rw http.ResponseWriter, _ *http.Request) { w.giveAccess(rw, "null") }
	})
	access(t, s, jobs)
	access(t, s, jobs)
	if got := w.counts(); got != "1 SAML, 2 access" {
		t.Errorf("%s", got)
	}
}

func TestOneFlightHoweverManyAsk(t *testing.T) {
	t.Parallel()
	arrived, open := make(chan struct{}), make(chan struct{})
	w, s := newWorld(t, func(w *world) {
		w.issue = func(rw http.ResponseWriter, _ *http.Request) {
			close(arrived) // a second flight would panic here
			<-open
			w.giveSAML(rw, longLife)
		}
	})
	// The first caller starts the flight and goes away.
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	first := make(chan error, 1)
	go func() { _, err := s.Access(ctx, jobs); first <- err }()
	<-arrived
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if got, err := s.Access(t.Context(), jobs); err != nil || got.Token != "access-1" {
				t.Errorf("Access = %s, %v", got, err)
			}
		})
	}
	cancel(gone)
	if err := <-first; !errors.Is(err, gone) {
		t.Errorf("the caller who went away got %v", err)
	}
	close(open)
	wg.Wait()
	if got := w.counts(); got != "1 SAML, 1 access" {
		t.Errorf("%s asked for", got)
	}
}

func TestManyRefusalsOfOneTokenRenewItOnce(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	refused := access(t, s, jobs)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			s.Invalidate(jobs, refused)
			if got, err := s.Access(t.Context(), jobs); err != nil || got.Token != "access-2" {
				t.Errorf("Access = %q, %v", got.Token, err)
			}
		})
	}
	wg.Wait()
	if got := w.counts(); got != "1 SAML, 2 access" {
		t.Errorf("%s asked for", got)
	}
}

func TestAKeptSAMLTokenThatIsRefusedIsReplacedOnce(t *testing.T) {
	t.Parallel()
	var refuse atomic.Bool
	w, s := newWorld(t, func(w *world) {
		w.token = func(rw http.ResponseWriter, _ *http.Request) {
			if refuse.Load() && w.issues.Load() == 1 {
				rw.WriteHeader(http.StatusUnauthorized)
				return
			}
			w.giveAccess(rw, "3600")
		}
	})
	s.Invalidate(jobs, access(t, s, jobs))
	refuse.Store(true)
	access(t, s, jobs)
	if got := w.counts(); got != "2 SAML, 3 access" {
		t.Errorf("%s asked for", got)
	}
}

func TestRefusalsAndOutages(t *testing.T) {
	t.Parallel()
	answer := func(status int, body string) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Retry-After", "7")
			rw.WriteHeader(status)
			_, _ = io.WriteString(rw, body)
		}
	}
	const secret = "2512489996 secret"
	for name, c := range map[string]struct {
		issue, token http.HandlerFunc
		op           string
		denied       bool
		retry        time.Duration
	}{
		"STS 400":              {issue: answer(400, secret), op: sts.OpIssue, denied: true, retry: 7 * time.Second},
		"STS 403":              {issue: answer(403, secret), op: sts.OpIssue, denied: true, retry: 7 * time.Second},
		"STS redirect":         {issue: answer(304, ""), op: sts.OpIssue, denied: true, retry: 7 * time.Second},
		"STS 500":              {issue: answer(500, secret), op: sts.OpIssue, retry: 7 * time.Second},
		"STS 503":              {issue: answer(503, secret), op: sts.OpIssue, retry: 7 * time.Second},
		"STS 429":              {issue: answer(429, secret), op: sts.OpIssue, retry: 7 * time.Second},
		"STS not JSON":         {issue: answer(200, "<html>"+secret), op: sts.OpIssue},
		"STS no assertion":     {issue: answer(200, `{"RequestedSecurityToken":{}}`), op: sts.OpIssue},
		"STS not base64":       {issue: answer(200, `{"RequestedSecurityToken":{"Assertion":"<x/>"}}`), op: sts.OpIssue},
		"STS endless":          {issue: answer(200, strings.Repeat(" ", 2<<20)), op: sts.OpIssue},
		"STS cut":              {issue: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, op: sts.OpIssue},
		"token 401":            {token: answer(401, secret), op: sts.OpToken, denied: true, retry: 7 * time.Second},
		"token 502":            {token: answer(502, secret), op: sts.OpToken, retry: 7 * time.Second},
		"token empty":          {token: answer(200, `{"access_token":""}`), op: sts.OpToken},
		"token with line feed": {token: answer(200, `{"access_token":"a\r\nX-Evil: 1","expires_in":3600}`), op: sts.OpToken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := newWorld(t, func(w *world) {
				if c.issue != nil {
					w.issue = c.issue
				}
				if c.token != nil {
					w.token = c.token
				}
			})
			_, err := s.Access(t.Context(), jobs)
			var e *sts.Error
			if !errors.As(err, &e) || e.Op != c.op || e.Denied != c.denied || e.RetryAfter != c.retry {
				t.Fatalf("err = %#v", err)
			}
			if e.Denied != (e.Hint != "") {
				t.Errorf("denied %v with hint %q", e.Denied, e.Hint)
			}
			for _, private := range []string{secret, "2512489996", w.URL, "access-", "<html>"} {
				if strings.Contains(err.Error(), private) {
					t.Errorf("the text shows %q: %v", private, err)
				}
			}
			if w.issues.Load() != 1 || w.tokens.Load() > 1 {
				t.Errorf("%s: a fresh token was asked for again", w.counts())
			}
		})
	}
}

func TestAnOutageWithinTheMarginIsNotNoticed(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	w, s := newWorld(t, func(w *world) {
		w.token = func(rw http.ResponseWriter, _ *http.Request) {
			if down.Load() {
				rw.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			w.giveAccess(rw, "3600")
		}
	})
	access(t, s, jobs)
	down.Store(true)
	for _, c := range []struct {
		after time.Duration
		want  int64 // token requests so far
	}{
		{59 * time.Minute, 2},               // due: one try fails, the old token serves
		{59*time.Minute + 5*time.Second, 2}, // the next try waits a quarter of what is left
		{59*time.Minute + 15*time.Second, 3},
	} {
		w.clock.set(c.after)
		if got := access(t, s, jobs); got.Token != "access-1" || w.tokens.Load() != c.want {
			t.Errorf("after %s: token %q after %d requests, want access-1 after %d", c.after, got.Token, w.tokens.Load(), c.want)
		}
	}
	w.clock.set(time.Hour)
	if _, err := s.Access(t.Context(), jobs); err == nil {
		t.Error("an expired token was given out")
	}
	down.Store(false)
	access(t, s, jobs)
}

func TestTheTimeoutNamesItself(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	w, _ := newWorld(t, func(w *world) { w.issue = func(http.ResponseWriter, *http.Request) { <-release } })
	t.Cleanup(func() { close(release) }) // before the server is closed
	s, err := sts.New(sts.Config{STS: w.URL, Base: w.URL, HTTP: w.Client(), CertificateDER: der, Timeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Access(t.Context(), jobs)
	if err == nil || err.Error() != "sts.issue: no answer within 20ms" {
		t.Errorf("err = %v", err)
	}
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	_, s := newWorld(t, func(w *world) {
		w.issue = func(_ http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-r.Context().Done()
		}
	})
	ended := make(chan error, 1)
	go func() { _, err := s.Access(t.Context(), jobs); ended <- err }()
	<-arrived
	s.Close()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the flight ended with %v", err)
	}
	if _, err := s.Access(t.Context(), jobs); !errors.Is(err, sts.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestTokensMaskThemselves(t *testing.T) {
	t.Parallel()
	_, s := newWorld(t)
	got := access(t, s, jobs)
	saml, err := s.SAML(t.Context(), jobs)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%v %s %v %s %v", got, got, saml, saml, got.LogValue()) + saml.LogValue().String()
	if strings.Contains(text, got.Token) || strings.Contains(text, saml.Assertion) {
		t.Errorf("a token shows: %s", text)
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := sts.New(sts.Config{}); err == nil {
		t.Error("an empty configuration is accepted")
	}
}
