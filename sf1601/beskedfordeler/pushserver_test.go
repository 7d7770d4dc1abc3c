package beskedfordeler_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// authority issues certificates for a test.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{certificate, key}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.certificate)
	return p
}

func (a *authority) issue(t *testing.T, subject pkix.Name, expired bool) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ends := time.Unix(1<<33, 0)
	if expired {
		ends = time.Unix(1, 0)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: subject, NotBefore: time.Unix(0, 0), NotAfter: ends, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// pushServer serves a PushHandler as in production. change may adjust the server.
func pushServer(
	t *testing.T, root *authority, subjects []string, cfg beskedfordeler.PushConfig, change ...func(*http.Server),
) (address string) {
	t.Helper()
	s, err := beskedfordeler.PushServer(beskedfordeler.PushHandler(cfg), root.issue(t, pkix.Name{CommonName: "localhost"}, false), root.pool(), subjects)
	if err != nil {
		t.Fatal(err)
	}
	s.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	for _, c := range change {
		c(s)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.ServeTLS(l, "", "") }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func pushClient(root *authority, certificates ...tls.Certificate) *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: root.pool(), Certificates: certificates, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true,
	}}
}

// post posts a body and returns the HTTP status and the answer.
func post(t *testing.T, client *http.Client, address, method string, body []byte) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://"+address+"/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "text/xml")
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(answer), err
}

func TestPushOverMutualTLS(t *testing.T) {
	t.Parallel()
	root, stranger := newAuthority(t, "OCES3 test"), newAuthority(t, "stranger")
	broker := pkix.Name{CommonName: "BFO_TEST_Beskedfordeler_1", Organization: []string{"KOMBIT"}, Country: []string{"DK"}}
	other := pkix.Name{CommonName: "Kombit-SPF-test", Organization: []string{"KOMBIT"}, Country: []string{"DK"}}
	for name, c := range map[string]struct {
		subjects []string
		with     []tls.Certificate
		in       bool
	}{
		"right root":                       {with: []tls.Certificate{root.issue(t, broker, false)}, in: true},
		"right root, any subject":          {with: []tls.Certificate{root.issue(t, other, false)}, in: true},
		"no certificate":                   {},
		"a stranger's":                     {with: []tls.Certificate{stranger.issue(t, broker, false)}},
		"expired":                          {with: []tls.Certificate{root.issue(t, broker, true)}},
		"pinned name":                      {subjects: []string{"x", broker.CommonName}, with: []tls.Certificate{root.issue(t, broker, false)}, in: true},
		"pinned distinguished name":        {subjects: []string{broker.String()}, with: []tls.Certificate{root.issue(t, broker, false)}, in: true},
		"right root, another subject":      {subjects: []string{broker.CommonName}, with: []tls.Certificate{root.issue(t, other, false)}},
		"right name, stranger's root":      {subjects: []string{broker.CommonName}, with: []tls.Certificate{stranger.issue(t, broker, false)}},
		"another distinguished name":       {subjects: []string{broker.String()}, with: []tls.Certificate{root.issue(t, pkix.Name{CommonName: broker.CommonName}, false)}},
		"a part of the pinned name":        {subjects: []string{broker.CommonName}, with: []tls.Certificate{root.issue(t, pkix.Name{CommonName: "BFO_TEST"}, false)}},
		"pinned, and no certificate shown": {subjects: []string{broker.CommonName}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			delivered := 0
			address := pushServer(t, root, c.subjects, beskedfordeler.PushConfig{
				Deliver: func(context.Context, []byte, *beskedfordeler.Besked) error {
					mu.Lock()
					defer mu.Unlock()
					delivered++
					return nil
				},
			})
			client := pushClient(root, c.with...)
			for _, method := range []string{http.MethodHead, http.MethodPost, http.MethodPost} { // a probe, a status, its replay
				status, answer, err := post(t, client, address, method, beskedfordeler.EncodeInput(fromTest()))
				if (err == nil) != c.in {
					t.Fatalf("%s: HTTP %d, %v", method, status, err)
				}
				if method == http.MethodPost && c.in && !strings.Contains(answer, "<StatusKode>20</StatusKode>") {
					t.Errorf("HTTP %d %s", status, answer)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if want := map[bool]int{true: 2, false: 0}[c.in]; delivered != want {
				t.Errorf("%d deliveries, want %d", delivered, want)
			}
		})
	}
}

func TestPushServerRefusesToTrustEverybody(t *testing.T) {
	t.Parallel()
	root := newAuthority(t, "root")
	own := root.issue(t, pkix.Name{CommonName: "localhost"}, false)
	handler := http.NotFoundHandler()
	for name, err := range map[string]error{
		"no roots":         second(beskedfordeler.PushServer(handler, own, nil, nil)),
		"no certificate":   second(beskedfordeler.PushServer(handler, tls.Certificate{}, root.pool(), nil)),
		"an empty subject": second(beskedfordeler.PushServer(handler, own, root.pool(), []string{"a", " "})),
		"nothing pinned":   second(beskedfordeler.PinnedSubjects(nil)),
	} {
		if err == nil {
			t.Errorf("%s: made", name)
		}
	}
	verify, err := beskedfordeler.PinnedSubjects([]string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	if verify(tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Subject: pkix.Name{CommonName: "a"}}}}) == nil {
		t.Error("a certificate that nobody verified was let in")
	}
}

func second[T any](_ T, err error) error { return err }

// TestPushDropsASlowClient: a body that never ends holds its connection no longer than the server's time for a request.
func TestPushDropsASlowClient(t *testing.T) {
	t.Parallel()
	root := newAuthority(t, "root")
	address := pushServer(t, root, nil, beskedfordeler.PushConfig{
		Deliver: func(context.Context, []byte, *beskedfordeler.Besked) error {
			t.Error("half a body was delivered")
			return nil
		},
	}, func(s *http.Server) {
		if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.ReadTimeout > time.Minute {
			t.Error("a timeout is missing")
		}
		s.ReadHeaderTimeout, s.ReadTimeout = 100*time.Millisecond, 100*time.Millisecond
	})
	body, feed := io.Pipe()
	defer func() { _ = feed.Close() }()
	go func() { _, _ = feed.Write([]byte("<ModtagBeskedInput>")) }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+address+"/", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "text/xml")
	resp, err := pushClient(root, root.issue(t, pkix.Name{CommonName: "slow"}, false)).Do(req)
	if err != nil {
		return // the connection is gone
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("HTTP %d", resp.StatusCode)
	}
}

func TestPushKeepsWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	good := string(beskedfordeler.EncodeInput(fromTest()))
	from, to := strings.Index(good, "<Base64"), strings.Index(good, "</Base64>")
	if from < 0 {
		from, to = strings.Index(good, ":Base64"), strings.LastIndex(good, "</")
	}
	if from < 0 || to < from {
		t.Fatal(good)
	}
	start := from + strings.Index(good[from:], ">") + 1
	huge := "<ModtagBeskedInput>" + strings.Repeat("æøå ", 5<<20/7) + "</ModtagBeskedInput>"
	for name, c := range map[string]struct {
		body   string
		fails  error
		status int
		kode   string
		kept   bool
		reason string
	}{
		"not XML":           {body: "hej", status: 200, kode: "41", kept: true, reason: "text outside"},
		"not XML, not kept": {body: "hej", fails: errors.New("disk full"), status: 200, kode: "40", kept: true, reason: "text outside"},
		"no Base64":         {body: good[:start] + "!ikke base64!" + good[to:], status: 200, kode: "41", kept: true, reason: "is not Base64"},
		"no BeskedId":       {body: strings.ReplaceAll(good, "BeskedId", "Id"), status: 400, kode: "41", kept: true, reason: "is missing"},
		"5 MB":              {body: huge, status: 200, kode: "41", kept: true, reason: "larger than the limit"},
		"over the limit":    {body: strings.Repeat(huge, 4), status: 413, kode: "41"},
		"empty":             {body: " \n", status: 400, kode: "41"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept := false
			h := beskedfordeler.PushHandler(beskedfordeler.PushConfig{
				Deliver: func(context.Context, []byte, *beskedfordeler.Besked) error {
					t.Error("delivered")
					return nil
				},
				Unreadable: func(_ context.Context, raw []byte, reason string) error {
					kept = true
					if !bytes.Equal(raw, beskedfordeler.MaskCredentials([]byte(c.body))) || !strings.Contains(reason, c.reason) {
						t.Errorf("%d bytes because %q", len(raw), reason)
					}
					return c.fails
				},
			})
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(c.body))
			req.Header.Set("Content-Type", "application/xml")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if w.Code != c.status || kept != c.kept || !strings.Contains(w.Body.String(), "<StatusKode>"+c.kode+"</StatusKode>") {
				t.Errorf("HTTP %d, kept %t: %s", w.Code, kept, w.Body)
			}
		})
	}
}

// TestPushHoldsFewLargeBodies: large bodies wait for their turn in memory, small ones do not wait for them, and a client that
// leaves is not waited for.
func TestPushHoldsFewLargeBodies(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	h := beskedfordeler.PushHandler(beskedfordeler.PushConfig{
		Deliver: func(context.Context, []byte, *beskedfordeler.Besked) error { return nil },
		Unreadable: func(context.Context, []byte, string) error {
			entered <- struct{}{}
			<-leave
			return nil
		},
	})
	serve := func(ctx context.Context, body string) *httptest.ResponseRecorder {
		req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(body))
		req.Header.Set("Content-Type", "text/xml")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w
	}
	large := strings.Repeat("x", 2<<20)
	answers := make(chan int, 3)
	for range 2 {
		go func() { answers <- serve(t.Context(), large).Code }()
	}
	<-entered
	<-entered
	if w := serve(t.Context(), string(beskedfordeler.EncodeInput(fromTest()))); !strings.Contains(w.Body.String(), ">20<") {
		t.Errorf("an ordinary status waits behind large ones: %s", w.Body)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if w := serve(gone, large); w.Code != http.StatusBadRequest {
		t.Errorf("a third large one was read: %d", w.Code)
	}
	close(leave)
	for range 2 {
		if code := <-answers; code != http.StatusOK {
			t.Errorf("HTTP %d", code)
		}
	}
}

// TestEveryHandlingIsKnown: the list of ObjektHandling that two public integrations agree on, with what each means.
// [src: PKO-POSTSTATUS-CLIENTS ObjektHandling]
func TestEveryHandlingIsKnown(t *testing.T) {
	t.Parallel()
	list := map[string]beskedfordeler.Kind{
		"e225a75c-4b63-46c4-9423-77f5c8762445": beskedfordeler.KindFejlet,
		"f7161a89-5068-4023-bc80-d7f4daad2a2e": beskedfordeler.KindAfleveret,
		"eb866ca2-b871-4387-b501-12cde577bd58": beskedfordeler.KindModtaget,
		"db5a6025-caa3-45c3-8e02-4e6fa8142ade": beskedfordeler.KindAfsendt,
		"dd98e71c-41ac-4305-a47b-8f86b00e639b": beskedfordeler.KindFjernprintModtaget,
		"e2b30d57-504a-4e2e-ae2d-a1394a9cb0b8": beskedfordeler.KindKlar,
		"e3c0a021-2070-40d4-b7b7-754aeba762e9": beskedfordeler.KindTilPrint,
		"e94a0a8b-60a0-42ad-8b83-52c9e15d0fb3": beskedfordeler.KindPostDanmark,
		"f03904aa-df6e-417f-bd74-6a01a61adbcf": beskedfordeler.KindTilbagekaldt,
		"f4e6eb11-0261-4198-8b5d-be92a9b1a35d": beskedfordeler.KindOpdatering,
	}
	if kinds := beskedfordeler.Kinds(); len(kinds) != len(list) {
		t.Errorf("%d kinds, the list has %d", len(kinds), len(list))
	}
	for handling, want := range list {
		b := &beskedfordeler.Besked{Handling: strings.ToUpper(handling)}
		if got, agreed := b.Kind(); got != want || !agreed {
			t.Errorf("%s is %s, want %s", handling, got, want)
		}
		b.Status = &beskedfordeler.PostStatus{TransaktionsStatusKode: want.StatusKode()}
		if got, agreed := b.Kind(); got != want || !agreed {
			t.Errorf("%s with its own text is %s, %t", handling, got, agreed)
		}
	}
	for name, uuid := range map[string]string{
		"d2bed63c-4853-4008-b6e0-a74c15b15fbf": beskedfordeler.TypePKOPostStatus, "96514e13-afdd-44d6-95a8-adc2ca19b127": beskedfordeler.ActorDigitalPost,
		"afd21f3d-11c7-4f51-b2a6-f31d6480a9fb": beskedfordeler.ActorStraalfors, "ae5b9a93-c923-40d7-a41a-1eec18374e27": beskedfordeler.ActorEdora,
		"6b12182a-4268-4130-bd3e-159f8862c0a1": beskedfordeler.ActorCharlieTango, "1d81c472-0808-44cc-963d-f5ef0170ae1d": beskedfordeler.SensitivityNone,
	} {
		if name != uuid {
			t.Errorf("%s is written %s", name, uuid)
		}
	}
}
