package evidence

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/signature"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var clock = time.Date(2026, 11, 21, 12, 30, 45, 987_000_000, time.UTC)

// authority is a root and a certificate that it issued.
type authority struct {
	pool *x509.CertPool
	root *x509.Certificate
	cert tls.Certificate
	// earlier is another certificate of the same root, over another key: that of last year.
	earlier tls.Certificate
}

var (
	ours   = sync.OnceValue(func() authority { return newAuthority("Testby Kommune - brevdue") })
	others = sync.OnceValue(func() authority { return newAuthority("somebody else") })
)

func newAuthority(name string) authority {
	issue := func(cn string, parent *x509.Certificate, signer *rsa.PrivateKey) (*x509.Certificate, *rsa.PrivateKey) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(len(cn))), Subject: pkix.Name{CommonName: cn}, NotBefore: clock.AddDate(-1, 0, 0),
			NotAfter: clock.AddDate(1, 0, 0), SignatureAlgorithm: x509.SHA256WithRSAPSS, BasicConstraintsValid: true,
			IsCA: signer == nil, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		if parent == nil {
			parent, signer = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
		if err != nil {
			panic(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			panic(err)
		}
		return cert, key
	}
	root, rootKey := issue(name+" root", nil, nil)
	leaf, key := issue(name, root, rootKey)
	old, oldKey := issue(name+" 2025", root, rootKey)
	pool := x509.NewCertPool()
	pool.AddCert(root)
	pair := func(cert *x509.Certificate, key *rsa.PrivateKey) tls.Certificate {
		return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
	}
	return authority{pool, root, pair(leaf, key), pair(old, oldKey)}
}

// The identity of the letter in ../../sf1601/memo/testdata/letter-1.1.xml.
const (
	letterUUID   = "5b2e9f54-5c0e-4d27-9d5a-0d9c5a0c1f11"
	letterCPR    = "2512489996"
	messageID    = "msg_01JDPZ5X9V1N6K8T4Q2W3E7R5Y"
	transmission = "3f1f7a52-7f9e-4b0a-9d0e-6f9a2d9f6a10"
	attemptOne   = "att_01JDPZ5X9V1N6K8T4Q2W3E7R61"
	attemptTwo   = "att_01JDPZ5X9V1N6K8T4Q2W3E7R62"
)

// kombi is the letter as it was handed over.
func kombi(t testing.TB) []byte {
	t.Helper()
	letter, err := os.ReadFile("../../sf1601/memo/testdata/letter-1.1.xml")
	if err != nil {
		t.Fatal(err)
	}
	_, message, _ := strings.Cut(string(letter), "?>\n")
	return []byte("<kombi_request><KombiValgKode>Digital Post</KombiValgKode>" + message + "</kombi_request>")
}

// exhibit is a request in memory.
func exhibit(name string, content []byte) *gateway.Exhibit {
	return &gateway.Exhibit{
		Name: name, ContentType: "text/xml; charset=utf-8", Size: int64(len(content)), Digest: sha256.Sum256(content),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
	}
}

// sign makes the manifest of attempts over one request.
func sign(t testing.TB, cert tls.Certificate, id string, digest [32]byte, attempts ...string) gateway.Evidence {
	t.Helper()
	var kept signature.Manifest
	b, err := signature.NewBatcher(signature.BatcherConfig{
		Certificate: cert, NewUUID: func() string { return id }, Now: func() time.Time { return clock.Add(-time.Hour) },
		Keep: func(_ context.Context, m signature.Manifest) error { kept = m; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, attempt := range attempts {
		if _, err := b.Sign(t.Context(), signature.Entry{Reference: attempt, Digest: digest}); err != nil {
			t.Fatal(err)
		}
	}
	return gateway.Evidence{ID: kept.ID, XML: kept.XML, SignedAt: kept.SignedAt}
}

// status is a receipt of Beskedfordeler, as the gateway keeps it.
func status(id string, kind beskedfordeler.Kind, at time.Time, change ...func(*beskedfordeler.Besked)) gateway.Receipt {
	b := &beskedfordeler.Besked{
		ID: id, Version: "1.0", Type: beskedfordeler.TypePKOPostStatus, Actor: beskedfordeler.ActorDigitalPost,
		ObjectID: letterUUID, RegistrationID: transmission, Registered: at, Handling: kind.Handling(),
		Status: &beskedfordeler.PostStatus{
			MessageUUID: letterUUID, TransmissionID: transmission, KanalKode: "Digital Post", TransaktionsDatoTid: at,
			TransaktionsStatusKode: kind.StatusKode(),
		},
	}
	for _, f := range change {
		f(b)
	}
	r := gateway.Receipt{
		ID: b.ID, Kind: gateway.ReceiptNote, Status: b.Status.TransaktionsStatusKode, Code: b.Status.FejlKode, Text: b.Status.FejlTekst,
		OccurredAt: at, ReceivedAt: at.Add(3 * time.Second), MessageUUID: letterUUID, Raw: beskedfordeler.EncodeInput(b),
	}
	if kind == beskedfordeler.KindAfleveret {
		r.Kind = gateway.ReceiptDelivered
	}
	return r
}

// delivery is when the letter of dossier was available.
var delivery = time.Date(2026, 11, 21, 11, 32, 10, 120_000_000, time.UTC)

// dossier is a letter that failed once, was accepted and delivered.
func dossier(t testing.TB) *gateway.Dossier {
	t.Helper()
	cpr, err := gateway.ParseCPR(letterCPR)
	if err != nil {
		t.Fatal(err)
	}
	cvr, err := gateway.ParseCVR("55133018")
	if err != nil {
		t.Fatal(err)
	}
	request := exhibit("kombi_request.xml", kombi(t))
	start := clock.Add(-time.Hour)
	const first, second = "5f3c1c1e-0b7e-4a39-8a0e-000000000001", "5f3c1c1e-0b7e-4a39-8a0e-000000000002"
	d := &gateway.Dossier{
		Intent: &gateway.Intent{
			ID: "int_01JDPZ5X9V1N6K8T4Q2W3E7R5X", Producer: "jobcenter", Reference: "sag-2026-0417/1",
			Recipient: gateway.Recipient{ID: cpr, Name: "Nancy Ann Berggren"}, Content: gateway.Content{Title: "Indkaldelse til <jobsamtale> & møde"},
		},
		Sender: gateway.Sender{Name: "jobcenter", CVR: cvr, Label: "Testby Kommune"},
		Message: gateway.Message{
			ID: messageID, IntentID: "int_01JDPZ5X9V1N6K8T4Q2W3E7R5X", Channel: "digitalpost", State: gateway.Delivered,
			MessageUUID: letterUUID, AfsendelseID: "brevdue-01JDPZ5X9V1N6K8T4Q2W3E7R5Y", TransactionID: "0c0d2e6e-6f7e-4a52-8f2a-1c2d3e4f5a6b",
			TransmissionID: transmission, Attempts: 2, CreatedAt: start.Add(-time.Minute), SubmittedAt: start.Add(4 * time.Second), FinalAt: delivery,
		},
		Events: []gateway.Event{
			{Seq: 1, At: start.Add(-time.Minute), Status: gateway.Queued, IntentStatus: gateway.IntentAccepted},
			{Seq: 4, At: start.Add(4 * time.Second), MessageID: messageID, Status: gateway.Submitted, Attempt: 2},
			{Seq: 9, At: delivery.Add(3 * time.Second), MessageID: messageID, Status: gateway.Delivered, Text: "Afleveret Digital Post"},
		},
		Attempts: []gateway.Attempt{
			{
				ID: attemptOne, MessageID: messageID, N: 1, StartedAt: start, EndedAt: start.Add(time.Second), Class: gateway.Retry,
				Code: "kombi.http.503", Text: "Service Unavailable", HTTPStatus: 503, Digest: request.Digest[:], ManifestID: first,
				Answer: []byte("<html>Service Unavailable</html>"), Subject: "UI:DK-O:G:0b1c",
			},
			{
				ID: attemptTwo, MessageID: messageID, N: 2, StartedAt: start.Add(3 * time.Second), EndedAt: start.Add(4 * time.Second),
				Class: gateway.Accept, Text: "received", HTTPStatus: 200, Digest: request.Digest[:], ManifestID: second,
				Answer: []byte(`{"Result":true}`), Subject: "UI:DK-O:G:0b1c",
			},
		},
		Evidence: []gateway.Evidence{
			sign(t, ours().cert, first, request.Digest, attemptOne), sign(t, ours().cert, second, request.Digest, attemptTwo),
		},
		Receipts: []gateway.Receipt{
			status("b1b1b1b1-0000-4000-8000-000000000001", beskedfordeler.KindModtaget, delivery.Add(-time.Minute)),
			status("b1b1b1b1-0000-4000-8000-000000000002", beskedfordeler.KindAfleveret, delivery),
		},
		Request: request,
	}
	return d
}

func options() Options {
	return Options{Certificate: ours().cert, Now: func() time.Time { return clock }, Explain: func(code string) string {
		if code == "kombi.http.503" {
			return "Serviceplatformen var nede."
		}
		return ""
	}}
}

func write(t testing.TB, d *gateway.Dossier, opts Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, d, opts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func verify(t testing.TB, container []byte) *Report {
	t.Helper()
	r, err := Verify(t.Context(), bytes.NewReader(container), int64(len(container)), Trust{Roots: ours().pool})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
