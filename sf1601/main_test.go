package sf1601_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/signature"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	now         = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	certificate = sync.OnceValue(func() tls.Certificate { return newCertificate(now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)) })
)

const (
	transaction = "5f3c1c1e-0b7e-4a39-8a0e-1234567890ab"
	yes         = `<kombi_response><Result>true</Result><TransmissionID>t-1</TransmissionID><HovedoplysningerSvarREST><SvarReaktion><Advis><AdvisId>0</AdvisId><AdvisTekst>Received</AdvisTekst></Advis></SvarReaktion></HovedoplysningerSvarREST></kombi_response>`
	cpr         = "2512489996"
)

func newCertificate(from, to time.Time) tls.Certificate {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "brevdue test system"}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// farEnd is a small Serviceplatformen: it gives tokens, and tests say how it
// answers a letter or a look-up.
type farEnd struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request, body []byte)
	raw    http.HandlerFunc // instead of answer: the body is not read before

	issues, tokens, conns atomic.Int64
	mu                    sync.Mutex
	seen                  []seen
}

type seen struct {
	header http.Header
	length int64
	proto  string
	url    string
	certs  int
	body   []byte
}

func newFarEnd(t testing.TB, answer func(w http.ResponseWriter, r *http.Request, body []byte)) *farEnd {
	t.Helper()
	f := &farEnd{answer: answer}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /runtime/api/rest/wstrust/v1/issue", func(w http.ResponseWriter, _ *http.Request) {
		n := f.issues.Add(1)
		_, _ = fmt.Fprintf(w, `{"RequestedSecurityToken":{"Assertion":"%s"}}`, base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "<Assertion ID='_%d'/>", n)))
	})
	mux.HandleFunc("POST /service/AccessTokenService_1/token", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"access_token":"access-%d","token_type":"Holder-of-key","expires_in":3600}`, f.tokens.Add(1))
	})
	mux.HandleFunc("/service/", func(w http.ResponseWriter, r *http.Request) {
		if f.raw != nil {
			f.raw(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		f.note(r, body)
		if err != nil {
			return // the client went away
		}
		f.answer(w, r, body)
	})
	f.Server = httptest.NewUnstartedServer(mux)
	f.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // cut connections are the point of some tests
	f.EnableHTTP2 = true                                                        // offered, and not to be taken
	f.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	f.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			f.conns.Add(1)
		}
	}
	f.StartTLS()
	t.Cleanup(f.Close)
	return f
}

func (f *farEnd) note(r *http.Request, body []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, seen{r.Header.Clone(), r.ContentLength, r.Proto, r.URL.String(), len(r.TLS.PeerCertificates), body})
}

func (f *farEnd) requests() []seen {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]seen(nil), f.seen...)
}

// always answers every letter the same way.
func always(status int, body string, header ...string) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// shelf keeps manifests in memory.
type shelf struct {
	mu   sync.Mutex
	kept []signature.Manifest
	err  error
}

func (s *shelf) keep(_ context.Context, m signature.Manifest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.kept = append(s.kept, m)
	return nil
}

func (s *shelf) manifests() []signature.Manifest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]signature.Manifest(nil), s.kept...)
}

// newClient makes a client of f; change may alter its configuration.
func newClient(t testing.TB, f *farEnd, change ...func(*sf1601.Config, *signature.BatcherConfig)) *sf1601.Client {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(f.Certificate())
	fixed := func() time.Time { return now }
	cfg := sf1601.Config{
		Endpoints: sf1601.Endpoints{STS: f.URL, Base: f.URL}, Certificate: certificate(), RootCAs: roots, CVR: "55133018",
		Now: fixed,
	}
	signer := signature.BatcherConfig{Certificate: certificate(), Keep: (&shelf{}).keep, NewUUID: uuidCounter(), Now: fixed}
	for _, c := range change {
		c(&cfg, &signer)
	}
	batcher, err := signature.NewBatcher(signer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(batcher.Close)
	cfg.Signer = batcher
	c, err := sf1601.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// uuidCounter gives UUIDs v4 that count.
func uuidCounter() func() string {
	var n atomic.Int64
	return func() string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n.Add(1)) }
}

// letter is a letter with the files given.
func letter(files ...memo.File) sf1601.Kombi {
	m := &memo.Message{
		Header: memo.MessageHeader{
			MessageType: memo.DigitalPost, MessageUUID: "8c2ea15d-61fb-4ba9-9366-42f8b194c114", Label: "Indkaldelse til jobsamtale på rådhuset",
			Sender:    memo.Sender{SenderID: "55133018", IDType: memo.CVR, Label: "Testby Kommune"},
			Recipient: memo.Recipient{RecipientID: cpr, IDType: memo.CPR, Label: "Nancy Ann Berggren"},
		},
	}
	if len(files) > 0 {
		m.Body = &memo.MessageBody{CreatedDateTime: now, MainDocument: memo.MainDocument{Files: files[:1]}}
		for _, f := range files[1:] {
			m.Body.AdditionalDocuments = append(m.Body.AdditionalDocuments, memo.AdditionalDocument{Files: []memo.File{f}})
		}
	}
	return sf1601.Kombi{Valg: sf1601.ValgDigitalPost, Message: m, TransactionID: transaction, Reference: "attempt-1"}
}

func pdf(name string, content xmlstream.Content) memo.File {
	return memo.File{EncodingFormat: "application/pdf", Filename: name, Language: "da", Content: content}
}

func small() memo.File { return pdf("Brev.pdf", xmlstream.Bytes([]byte("%PDF-1.7 a letter"))) }
