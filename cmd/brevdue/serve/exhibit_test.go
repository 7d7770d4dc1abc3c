package serve

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/channels/automatic"
	"github.com/brevdue/brevdue/channels/breaker"
	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/channels/nemsms"
	"github.com/brevdue/brevdue/channels/print"
	"github.com/brevdue/brevdue/channels/print/letterpdf"
	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/documents"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/fjernprint"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1601/signature"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// authority is made once: RSA keys take their time.
var authority = sync.OnceValues(func() (*sf1601test.Authority, error) {
	return sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
})

// wire stands before the far end and remembers what went over: the last kombi_request with its answer, or the last mail.
type wire struct {
	mu              sync.Mutex
	request, answer []byte
	sum             [sha256.Size]byte // of the last request, also of one that is not remembered
	whole           bool              // remember the request itself
	all             map[[sha256.Size]byte]bool
}

func (w *wire) last() (request, answer []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.request, w.answer
}

// proxy puts a wire before an HTTPS far end.
func (w *wire) proxy(t testing.TB, far *sf1601test.Server) *httptest.Server {
	t.Helper()
	target, err := url.Parse(far.URL())
	if err != nil {
		t.Fatal(err)
	}
	p := httputil.NewSingleHostReverseProxy(target)
	p.Transport = &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: far.RootCAs(), Certificates: []tls.Certificate{far.ClientCertificate()}, MinVersion: tls.VersionTLS12,
	}}
	p.ModifyResponse = func(r *http.Response) error {
		if !kombi(r.Request) {
			return nil
		}
		b, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(b))
		w.mu.Lock()
		defer w.mu.Unlock()
		w.answer = b
		return err
	}
	s := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if kombi(r) {
			h := sha256.New()
			var kept bytes.Buffer
			sink := io.Writer(h)
			if w.whole {
				sink = io.MultiWriter(h, &kept)
			}
			r.Body = io.NopCloser(io.TeeReader(r.Body, sink))
			defer func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.request, w.sum = kept.Bytes(), [sha256.Size]byte(h.Sum(nil))
				w.all[w.sum] = true
			}()
		}
		p.ServeHTTP(rw, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func kombi(r *http.Request) bool { return strings.Contains(r.URL.Path, "KombiPostAfsend") }

// mails is a mail server that takes everything.
func (w *wire) mails(t testing.TB) smtp.Server {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { w.mail(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	at, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("no TCP")
	}
	return smtp.Server{Host: "127.0.0.1", Port: at.Port, TLS: smtp.TLSNone, LocalName: "gw.testby.example"}
}

func (w *wire) mail(c net.Conn) {
	defer func() { _ = c.Close() }()
	say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
	say("220 mx ESMTP")
	for r := bufio.NewReader(c); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch word, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.ToUpper(word) {
		case "DATA":
			say("354 go on")
			var b bytes.Buffer
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(line, "."))
			}
			w.mu.Lock()
			w.request, w.answer, w.sum = b.Bytes(), []byte("250-2.0.0 queued\r\n250 2.0.0 as 4711\r\n"), sha256.Sum256(b.Bytes())
			w.mu.Unlock()
			say("250-2.0.0 queued\r\n250 2.0.0 as 4711")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// office is a gateway with every channel over recorded far ends.
type office struct {
	*App
	wire  *wire
	far   *sf1601test.Server
	store gateway.Config
}

type idle struct{}

func (idle) Enqueue(context.Context, gateway.DueMessage) error { return nil }
func (idle) Ensure(context.Context, gateway.DueMessage) error  { return nil }
func (idle) Forgot(context.Context) (bool, error)              { return false, nil }

func newOffice(t testing.TB, mode signature.Mode) *office {
	t.Helper()
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	far, err := sf1601test.Start(sf1601test.Config{Authority: ca})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(far.Close)
	dir := t.TempDir()
	j, err := journal.Open(t.Context(), "sqlite:"+filepath.Join(dir, "j.db"), journal.Options{Create: true, Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	files, err := documents.Open("file:"+filepath.Join(dir, "documents"), documents.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{App: &App{}, far: far, wire: &wire{whole: true, all: make(map[[sha256.Size]byte]bool)}}
	proxy := o.wire.proxy(t, far)
	signer, err := signature.NewBatcher(signature.BatcherConfig{Certificate: far.ClientCertificate(), NewUUID: uuid.NewString, Keep: o.keep})
	if err != nil {
		t.Fatal(err)
	}
	roots := far.RootCAs().Clone()
	roots.AddCert(proxy.Certificate())
	client, err := sf1601.New(sf1601.Config{
		Endpoints: sf1601.Endpoints{STS: far.URL(), Base: proxy.URL}, Certificate: far.ClientCertificate(), RootCAs: roots,
		CVR: "55133018", Signer: signer, Signature: mode,
		Skeleton: func(ctx context.Context, request *xmlstream.Document) ([]byte, error) {
			return digitalpost.Skeleton(ctx, o.gateway, request)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		signer.Close()
	})
	var ids atomic.Int64
	o.store = gateway.Config{
		Journal: j, Documents: files, Queue: idle{}, Now: time.Now, NewUUID: uuid.NewString, Worker: "test",
		NewID: func(prefix string) string { return fmt.Sprintf("%s_%026d", prefix, ids.Add(1)) },
	}
	o.open(t, o.channels(t, client, memo.V1_1, fjernprint.SH), "Testby Kommune, Jobcenter")
	return o
}

// channels are all there are.
func (o *office) channels(t testing.TB, client *sf1601.Client, version memo.Version, farve fjernprint.FarveSHKode) []gateway.Channel {
	t.Helper()
	letters := digitalpost.New(digitalpost.Config{Afsender: client, MemoVersion: version})
	paper, err := print.New(print.Config{Afsender: client, Options: print.Options{Farve: farve}})
	if err != nil {
		t.Fatal(err)
	}
	mail := smtp.New(smtp.Config{
		Server: o.wire.mails(t), Keep: o.keepMail, MaxSize: 100_000,
		Link: func(id string, n int, from time.Time) (string, time.Time) {
			return fmt.Sprintf("https://gw.testby.example/d/%s/%d", id, n), from.AddDate(0, 1, 0)
		},
	})
	t.Cleanup(mail.Close)
	return []gateway.Channel{
		breaker.Wrap(letters, breaker.Config{Now: time.Now}), nemsms.New(nemsms.Config{Afsender: client}), paper,
		automatic.New(automatic.Config{Afsender: client, Breve: letters, Forsendelser: paper}), mail,
	}
}

// open makes the gateway, with one sender of that label.
func (o *office) open(t testing.TB, channels []gateway.Channel, label string) {
	t.Helper()
	cvr, err := gateway.ParseCVR("55133018")
	if err != nil {
		t.Fatal(err)
	}
	cfg := o.store
	cfg.Channels = channels
	cfg.Senders = map[string]gateway.Sender{"jobcenter": {
		Name: "jobcenter", CVR: cvr, Label: label, Forsendelsestype: 1, From: "jobcenter@testby.example",
		ContactPoint: gateway.ContactPoint{ID: "241d39f6-998e-4929-b198-ccacbbf4b330", Group: "22.33.44.55", Label: "Jobcenter"},
	}}
	if o.gateway, err = gateway.New(cfg); err != nil {
		t.Fatal(err)
	}
}

// send hands a letter over and returns its message.
func (o *office) send(t testing.TB, channel string, d gateway.Draft) string {
	t.Helper()
	return o.sendTo(t, citizen, channel, d)
}

// citizen takes every letter.
const citizen = "2512489996"

func (o *office) sendTo(t testing.TB, number, channel string, d gateway.Draft) string {
	t.Helper()
	id := o.accept(t, number, channel, d)
	if err := o.gateway.Dispatch(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	return id
}

// accept returns the message of a letter that is about to be sent.
func (o *office) accept(t testing.TB, number, channel string, d gateway.Draft) string {
	t.Helper()
	cpr, err := gateway.ParseCPR(number)
	if err != nil {
		t.Fatal(err)
	}
	d.Producer, d.Reference, d.Sender, d.Routes = "fagsystem", uuid.NewString(), "jobcenter", []gateway.Route{{channel}}
	d.Recipient = gateway.Recipient{
		ID: cpr, Name: "Nancy Ann Berggren", Email: "nancy@example.dk", Mobile: "22334455",
		Address: gateway.Address{Street: "Rådhuspladsen", House: "1", Postcode: "8000", City: "Aarhus C", Country: "DK"},
	}
	i, _, err := o.gateway.Accept(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return i.Messages[0].ID
}

// document is a PDF that passes every check, padded to a size.
func document(t testing.TB, name string, size int) gateway.DraftDocument {
	t.Helper()
	m, err := letterpdf.New(letterpdf.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := m.Make(letterpdf.Letter{Title: "Du er indkaldt", Date: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	content := d.PDF
	if pad := size - len(content); pad > 0 {
		content = append(append(bytes.Clone(content), '\n', '%'), bytes.Repeat([]byte{'x'}, pad)...)
		content = append(content, content[bytes.LastIndex(d.PDF, []byte("\nstartxref")):len(d.PDF)]...)
	}
	return gateway.DraftDocument{Filename: name, ContentType: "application/pdf", Content: content}
}

func aftale() actions.Action {
	start := time.Date(2026, time.December, 1, 9, 0, 0, 0, time.UTC)
	return actions.NewAftale("Jobsamtale", actions.Reservation{
		Description: "Medbring CV", UUID: "0c2d1a57-3b5e-4d39-8a0a-6f5f1c9d7e21", Abstract: "Jobsamtale", Location: "Værkmestergade 5",
		Start: start, End: start.Add(45 * time.Minute), Organizer: actions.Organizer{Name: "Jobcenter", Mail: "jobcenter@testby.example"},
	})
}

// letters are drafts of every kind that a channel puts together in its own way.
func letters(t testing.TB, channel string) map[string]gateway.Draft {
	t.Helper()
	text := gateway.Content{
		Title: "Indkaldelse til jobsamtale <æøå> & \"mere\"", Text: "Kære Nancy\n\nDu er indkaldt.\n.\n.. Medbring CV & pas.",
		SMS: "Husk din samtale i morgen kl. 10.", Actions: []actions.Action{aftale()},
	}
	papers := text
	papers.Text = ""
	drafts := map[string]gateway.Draft{"of text": {Content: text}}
	if channel == nemsms.Name {
		return drafts
	}
	drafts["with documents"] = gateway.Draft{Content: papers, Documents: []gateway.DraftDocument{
		document(t, "Brev.pdf", 0), document(t, "Bilag 1.pdf", 90_000), document(t, "Bilag 2.pdf", 90_001),
	}}
	if channel == smtp.Name {
		both := drafts["with documents"]
		both.Content.Text = text.Text
		drafts["with documents and links"] = both
		small := both
		small.Documents = both.Documents[:1]
		drafts["with a small document"] = small
	}
	return drafts
}

func TestTheRequestIsPutTogetherAgain(t *testing.T) {
	t.Parallel()
	for _, mode := range []signature.Mode{signature.Detached, signature.TechnicalDocument, signature.Enveloped} {
		for _, channel := range []string{digitalpost.Name, nemsms.Name, print.Name, automatic.Name, smtp.Name} {
			if channel == smtp.Name && mode != signature.Detached {
				continue
			}
			t.Run(string(mode)+" "+channel, func(t *testing.T) {
				t.Parallel()
				o := newOffice(t, mode)
				for kind, d := range letters(t, channel) {
					id := o.send(t, channel, d)
					sent, answer := o.wire.last()
					o.reopened(t, func() { o.compare(t, kind, id, sent, answer) })
				}
			})
		}
	}
}

// Letters that share a signature keep each their own request.
func TestManyLettersAtOnceKeepTheirOwn(t *testing.T) {
	t.Parallel()
	o := newOffice(t, signature.Detached)
	ids := make([]string, 40)
	for n := range ids {
		d := gateway.Draft{Content: gateway.Content{Title: "Indkaldelse", Text: fmt.Sprintf("Brev %d", n)}}
		ids[n] = o.accept(t, citizen, digitalpost.Name, d)
	}
	var workers sync.WaitGroup
	for _, id := range ids {
		workers.Go(func() {
			if err := o.gateway.Dispatch(t.Context(), id); err != nil {
				t.Error(err)
			}
		})
	}
	workers.Wait()
	manifests := map[string]bool{}
	for _, id := range ids {
		d, err := o.gateway.Dossier(t.Context(), "fagsystem", id)
		if err != nil {
			t.Fatal(err)
		}
		r, err := d.Request.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Contains(got, []byte(d.Message.MessageUUID)) || !o.wire.all[sha256.Sum256(got)] {
			t.Errorf("%s: another letter: %v", id, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		for _, e := range d.Evidence {
			manifests[e.ID] = true
		}
	}
	if len(manifests) == 0 || len(manifests) == len(ids) {
		t.Errorf("%d letters with %d manifests: no signature was shared", len(ids), len(manifests))
	}
}

// What was refused is kept, too, with what the far end said.
func TestARefusedLetterIsKept(t *testing.T) {
	t.Parallel()
	o := newOffice(t, signature.Detached)
	d := gateway.Draft{Content: gateway.Content{Title: "Indkaldelse", Text: "Du er indkaldt."}}
	id := o.sendTo(t, "2512489992", digitalpost.Name, d)
	sent, answer := o.wire.last()
	found, err := o.gateway.Dossier(t.Context(), "fagsystem", id)
	if err != nil {
		t.Fatal(err)
	}
	a := found.Attempts[0]
	if a.Class != gateway.Fail || !bytes.Equal(a.Answer, answer) || len(answer) == 0 || a.Subject == "" {
		t.Errorf("%s %q, subject %q; want %q", a.Class, a.Answer, a.Subject, answer)
	}
	if found.Request == nil || found.Request.Digest != sha256.Sum256(sent) {
		t.Error("the refused request was not kept")
	}
}

// reopened runs check while the gateway has no channels any more and another sender profile.
func (o *office) reopened(t testing.TB, check func()) {
	t.Helper()
	before := o.gateway
	defer func() { o.gateway = before }()
	o.open(t, nil, "Et helt andet navn")
	check()
}

func (o *office) compare(t testing.TB, kind, id string, sent, answer []byte) {
	t.Helper()
	d, err := o.gateway.Dossier(t.Context(), "fagsystem", id)
	if err != nil {
		t.Fatal(err)
	}
	a := d.Attempts[len(d.Attempts)-1]
	if a.Class != gateway.Accept {
		t.Fatalf("%s: %s %s %s", kind, a.Class, a.Code, a.Text)
	}
	if d.Request == nil {
		t.Fatalf("%s: nothing was kept", kind)
	}
	if !bytes.Equal(a.Answer, answer) || len(answer) == 0 {
		t.Errorf("%s: the answer %q, want %q", kind, a.Answer, answer)
	}
	if mail := d.Message.Channel == smtp.Name; mail != (a.Subject == "") || mail != (len(d.Evidence) == 0) {
		t.Errorf("%s: subject %q, %d manifests", kind, a.Subject, len(d.Evidence))
	}
	r, err := d.Request.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(got, sent) {
		t.Errorf("%s: %d bytes that are not the %d sent", kind, len(got), len(sent))
	}
	if int64(len(got)) != d.Request.Size || sha256.Sum256(sent) != d.Request.Digest || !bytes.Equal(a.Digest, d.Request.Digest[:]) {
		t.Errorf("%s: size %d or digest of the exhibit is wrong", kind, d.Request.Size)
	}
	if _, err := o.gateway.Dossier(t.Context(), "another", id); err == nil {
		t.Errorf("%s: another producer has it", kind)
	}
}
