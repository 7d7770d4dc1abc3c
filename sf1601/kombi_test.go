package sf1601_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/signature"
)

func asError(t *testing.T, err error) *sf1601.Error {
	t.Helper()
	var e *sf1601.Error
	if !errors.As(err, &e) {
		t.Fatalf("err = %v, want *sf1601.Error", err)
	}
	return e
}

func TestALetterIsHandedOver(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, always(200, yes))
	s := &shelf{}
	c := newClient(t, f, func(_ *sf1601.Config, b *signature.BatcherConfig) { b.Keep = s.keep })
	f.answer = func(w http.ResponseWriter, r *http.Request, body []byte) {
		if len(s.manifests()) != 1 {
			t.Error("the letter arrived before its signature was kept")
		}
		always(200, yes)(w, r, body)
	}
	got, err := c.KombiPostAfsend(t.Context(), letter(small()))
	if err != nil {
		t.Fatal(err)
	}
	request := f.requests()[0]
	if got.TransmissionID != "t-1" || got.AdvisID != "0" || got.AdvisTekst != "Received" || got.Unexpected {
		t.Errorf("accepted = %+v", got)
	}
	if got.Digest != sha256.Sum256(request.body) || got.Size != int64(len(request.body)) || request.length != got.Size {
		t.Errorf("digest or size is not that of what arrived: %d of Content-Length %d", len(request.body), request.length)
	}
	m := s.manifests()[0]
	if _, err := signature.VerifyManifest(m.XML, signature.Trust{Certificate: certificate().Leaf}, map[string][32]byte{"attempt-1": sha256.Sum256(request.body)}); err != nil {
		t.Errorf("the kept manifest does not prove what arrived: %v", err)
	}
	for name, want := range map[string]string{
		"Authorization": "^Holder-of-key access-1$", "X-Transaktionsid": "^" + transaction + "$", "X-Transaktionstid": "^2026-11-21T12:00:00.000Z$",
		"X-Requestid": "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", "Content-Type": "^application/xml$", "Accept": "^application/xml$",
	} {
		if got := request.header.Get(name); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: %q, want %s", name, got, want)
		}
	}
	if request.proto != "HTTP/1.1" || request.certs != 1 || request.url != "/service/KombiPostAfsend_1/kombi" {
		t.Errorf("request = %s %s with %d certificates", request.proto, request.url, request.certs)
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(request.body); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, el := range doc.Root().ChildElements() {
		names = append(names, el.FullTag())
	}
	if doc.Root().FullTag() != "kombi_request" || doc.Root().NamespaceURI() != "" || strings.Join(names, " ") != "KombiValgKode memo:Message" || doc.Root().SelectElement("KombiValgKode").Text() != "Digital Post" {
		t.Errorf("the body is\n%s", request.body)
	}
}

func fejl(id, kilde, text string) string {
	return `<HovedoplysningerSvarREST><SvarReaktion><Fejl><FejlId>` + id + `</FejlId><FejlTekst>` + text + `</FejlTekst><KildeId>` + kilde + `</KildeId></Fejl></SvarReaktion></HovedoplysningerSvarREST>`
}

func no(reactions ...string) string {
	return "<kombi_response><Result>false</Result>" + strings.Join(reactions, "") + "</kombi_response>"
}

func TestEveryAnswerHasItsClass(t *testing.T) {
	t.Parallel()
	const private = "Nancy Ann Berggren, 2512489996, findes ikke"
	for name, c := range map[string]struct {
		status int
		body   string
		header []string
		want   sf1601.Error // Class, Code, KildeID, Text, RetryAfter
		hint   bool
	}{
		"refused, unlisted code":       {200, no(fejl("4711", "NGDP", private)), nil, sf1601.Error{Class: sf1601.Rejected, Code: "4711", KildeID: "NGDP", Text: private}, false},
		"refused, listed code":         {200, no(fejl("file.empty.not.allowed", "", private)), nil, sf1601.Error{Class: sf1601.Rejected, Code: "file.empty.not.allowed", Text: private}, true},
		"refused without Fejl":         {200, no(), nil, sf1601.Error{Class: sf1601.Rejected}, false},
		"Result true beside a Fejl":    {200, "<r><Result>true</Result>" + fejl("1", "", "") + "</r>", nil, sf1601.Error{Class: sf1601.Rejected, Code: "1"}, false},
		"Fejl without Result":          {200, fejl("1", "", ""), nil, sf1601.Error{Class: sf1601.Rejected, Code: "1"}, false},
		"JSON with a list":             {200, `{"HovedoplysningerSvarREST":[{"SvarReaktion":{"Fejl":{"FejlId":"7","FejlTekst":"x","KildeId":"SF"}}}]}`, nil, sf1601.Error{Class: sf1601.Rejected, Code: "7", KildeID: "SF", Text: "x"}, false},
		"400 with Fejl":                {400, no(fejl("2", "", "")), nil, sf1601.Error{Class: sf1601.Rejected, Code: "2"}, false},
		"500 with Fejl":                {500, no(fejl("3", "", "")), nil, sf1601.Error{Class: sf1601.Rejected, Code: "3"}, false},
		"500 without SvarReaktion":     {500, "<html><body>oops</body></html>", nil, sf1601.Error{Class: sf1601.Unknown, Code: sf1601.CodeBadAnswer}, false},
		"500 that says true":           {500, yes, nil, sf1601.Error{Class: sf1601.Unknown, Code: sf1601.CodeBadAnswer, Text: "Received"}, false},
		"501":                          {501, "", nil, sf1601.Error{Class: sf1601.Unknown, Code: sf1601.CodeBadAnswer}, false},
		"502":                          {502, "", nil, sf1601.Error{Class: sf1601.Unknown}, false},
		"504 with Fejl":                {504, no(fejl("3", "", "")), nil, sf1601.Error{Class: sf1601.Unknown, Code: "3"}, false},
		"200 empty":                    {200, "", nil, sf1601.Error{Class: sf1601.Unknown, Code: sf1601.CodeBadAnswer}, false},
		"200 not XML":                  {200, "OK", nil, sf1601.Error{Class: sf1601.Unknown, Code: sf1601.CodeBadAnswer}, false},
		"200 truncated":                {200, yes[:len(yes)-10], nil, sf1601.Error{Class: sf1601.Unknown, Code: sf1601.CodeBadAnswer}, false},
		"200 with a DTD":               {200, "<!DOCTYPE x>" + yes, nil, sf1601.Error{Class: sf1601.Unknown, Code: sf1601.CodeBadAnswer}, false},
		"200 endless":                  {200, strings.Repeat(" ", 1<<20) + yes, nil, sf1601.Error{Class: sf1601.Unknown, Code: sf1601.CodeBadAnswer}, false},
		"200 without Result":           {200, "<kombi_response><Advis><AdvisTekst>received</AdvisTekst></Advis></kombi_response>", nil, sf1601.Error{Class: sf1601.Unknown, Code: sf1601.CodeBadAnswer, Text: "received"}, false},
		"200 with a Result of neither": {200, "<r><Result>maybe</Result></r>", nil, sf1601.Error{Class: sf1601.Unknown, Code: sf1601.CodeBadAnswer}, false},
		"503, seconds":                 {503, "busy", []string{"Retry-After", "17"}, sf1601.Error{Class: sf1601.Temporary, RetryAfter: 17 * time.Second}, false},
		"503, date":                    {503, "", []string{"Retry-After", "Sat, 21 Nov 2026 12:01:00 GMT"}, sf1601.Error{Class: sf1601.Temporary, RetryAfter: time.Minute}, false},
		"429":                          {429, "", nil, sf1601.Error{Class: sf1601.Temporary}, false},
		"408":                          {408, "", nil, sf1601.Error{Class: sf1601.Temporary}, false},
		"403":                          {403, "", nil, sf1601.Error{Class: sf1601.Denied}, true},
		"403 with Fejl":                {403, no(fejl("9", "", private)), nil, sf1601.Error{Class: sf1601.Denied, Code: "9", Text: private}, true},
		"404":                          {404, "", nil, sf1601.Error{Class: sf1601.Denied}, true},
		"404 with Fejl":                {404, no(fejl("9", "", "")), nil, sf1601.Error{Class: sf1601.Rejected, Code: "9"}, false},
		"302 elsewhere":                {302, "", []string{"Location", "https://example.org/"}, sf1601.Error{Class: sf1601.Denied}, true},
		"400":                          {400, "", nil, sf1601.Error{Class: sf1601.Rejected}, false},
		"413":                          {413, "", nil, sf1601.Error{Class: sf1601.Rejected}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFarEnd(t, always(c.status, c.body, c.header...))
			got, err := newClient(t, f).KombiPostAfsend(t.Context(), letter(small()))
			if got != nil {
				t.Fatalf("accepted: %+v", got)
			}
			e := asError(t, err)
			if e.Class != c.want.Class || e.Code != c.want.Code || e.KildeID != c.want.KildeID || e.Text != c.want.Text || e.RetryAfter != c.want.RetryAfter {
				t.Errorf("error = %+v\nwant %+v", e, c.want)
			}
			if e.Op != sf1601.OpKombi || e.HTTPStatus != c.status || e.TransactionID != transaction || (e.Hint != "") != c.hint {
				t.Errorf("op %q, status %d, transaction %q, hint %q", e.Op, e.HTTPStatus, e.TransactionID, e.Hint)
			}
			if strings.Contains(err.Error()+e.Public(), "Nancy") || strings.Contains(err.Error()+e.Public(), cpr) {
				t.Errorf("the text shows personal data: %v", err)
			}
			if n := len(f.requests()); n != 1 {
				t.Errorf("%d requests were made", n)
			}
		})
	}
}

func TestAnAcceptedAnswerInOtherSpellings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body       string
		unexpected bool
	}{
		"namespace and prefix": {`<?xml version="1.0" encoding="utf8"?><n:kombi_response xmlns:n="http://kombit.dk/xml/schemas/kontekst/2017/01/01/"><n:Result> TRUE </n:Result><n:TransmissionID>t-1</n:TransmissionID><n:Advis><n:AdvisTekst>RECEIVED</n:AdvisTekst></n:Advis></n:kombi_response>`, false},
		"default namespace":    {`<kombi_response xmlns="urn:x"><Result>1</Result><TransmissionId>t-1</TransmissionId><SvarReaktion><Advis><AdvisTekst>received</AdvisTekst></Advis></SvarReaktion></kombi_response>`, false},
		"an empty Fejl":        {`<r><Result>true</Result><TransmissionID>t-1</TransmissionID><SvarReaktion><Advis><AdvisTekst>received</AdvisTekst></Advis><Fejl/></SvarReaktion></r>`, false},
		"byte order mark":      {"\ufeff" + yes, false},
		"latin-1":              {"<?xml version='1.0' encoding='ISO-8859-1'?><r><Result>true</Result><TransmissionID>t-1</TransmissionID><AdvisTekst>\xe6</AdvisTekst><Advis><AdvisTekst>received</AdvisTekst></Advis></r>", false},
		"JSON":                 {`{"kombi_response":{"Result":true,"TransmissionID":"t-1","HovedoplysningerSvarREST":[{"SvarReaktion":{"Advis":[{"AdvisId":1,"AdvisTekst":"Received"}]}}]}}`, false},
		"another AdvisTekst":   {`<r><Result>true</Result><TransmissionID>t-1</TransmissionID><Advis><AdvisTekst>Modtaget</AdvisTekst></Advis></r>`, true},
		"no Advis":             {`<r><Result>true</Result><TransmissionID>t-1</TransmissionID></r>`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := newClient(t, newFarEnd(t, always(200, c.body))).KombiPostAfsend(t.Context(), letter(small()))
			if err != nil {
				t.Fatal(err)
			}
			if got.TransmissionID != "t-1" || got.Unexpected != c.unexpected {
				t.Errorf("accepted = %+v", got)
			}
		})
	}
}

func TestARefusedTokenIsRenewedOnceWithTheSameIdentity(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, nil)
	f.answer = func(w http.ResponseWriter, r *http.Request, body []byte) {
		if r.Header.Get("Authorization") == "Holder-of-key access-1" {
			always(401, "")(w, r, body)
			return
		}
		always(200, yes)(w, r, body)
	}
	s := &shelf{}
	c := newClient(t, f, func(_ *sf1601.Config, b *signature.BatcherConfig) { b.Keep = s.keep })
	if _, err := c.KombiPostAfsend(t.Context(), letter(small())); err != nil {
		t.Fatal(err)
	}
	seen := f.requests()
	if len(seen) != 2 || !bytes.Equal(seen[0].body, seen[1].body) || seen[0].header.Get("x-TransaktionsId") != seen[1].header.Get("x-TransaktionsId") {
		t.Errorf("%d requests; the repeated one must have the same body and identity", len(seen))
	}
	if seen[0].header.Get("x-RequestId") == seen[1].header.Get("x-RequestId") {
		t.Error("x-RequestId must be new for each call")
	}
	if f.issues.Load() != 1 || f.tokens.Load() != 2 || len(s.manifests()) != 1 {
		t.Errorf("%d SAML, %d access tokens, %d signatures", f.issues.Load(), f.tokens.Load(), len(s.manifests()))
	}
}

func TestManyLettersOfARefusedTokenRenewItOnce(t *testing.T) {
	t.Parallel()
	const n = 20
	f := newFarEnd(t, nil)
	var barrier sync.WaitGroup
	barrier.Add(n)
	f.answer = func(w http.ResponseWriter, r *http.Request, body []byte) {
		if r.Header.Get("Authorization") == "Holder-of-key access-1" {
			barrier.Done()
			barrier.Wait()
			always(401, "")(w, r, body)
			return
		}
		always(200, yes)(w, r, body)
	}
	c := newClient(t, f)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			k := letter(small())
			k.Reference = "attempt-" + strconv.Itoa(i)
			if _, err := c.KombiPostAfsend(t.Context(), k); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if f.tokens.Load() != 2 {
		t.Errorf("%d access tokens for %d refusals of one", f.tokens.Load(), n)
	}
	if f.conns.Load() > n+2 {
		t.Errorf("%d connections for %d calls at once: they are not reused", f.conns.Load(), n)
	}
}

func TestASecond401IsAboutUs(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, always(401, no(fejl("token", "", ""))))
	e := asError(t, second(newClient(t, f).KombiPostAfsend(t.Context(), letter(small()))))
	if e.Class != sf1601.Denied || e.HTTPStatus != 401 || e.Hint == "" || len(f.requests()) != 2 {
		t.Errorf("after %d requests: %+v", len(f.requests()), e)
	}
}

func second[T any](_ T, err error) error { return err }

func TestWithoutATokenNothingLeaves(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	f := newFarEnd(t, always(200, yes))
	stop := func(_ *sf1601.Config, b *signature.BatcherConfig) { b.Keep = s.keep }
	down := newClient(t, f, stop, func(cfg *sf1601.Config, _ *signature.BatcherConfig) { cfg.Endpoints.STS = "https://127.0.0.1:1" })
	e := asError(t, second(down.KombiPostAfsend(t.Context(), letter(small()))))
	if e.Class != sf1601.Temporary || e.Op != sf1601.OpIssue {
		t.Errorf("STS down: %+v", e)
	}
	for status, class := range map[int]sf1601.Class{400: sf1601.Denied, 401: sf1601.Denied, 403: sf1601.Denied, 500: sf1601.Temporary, 503: sf1601.Temporary} {
		sts := newFarEnd(t, nil)
		sts.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { always(status, "", "Retry-After", "5")(w, r, nil) })
		c := newClient(t, sts, stop)
		e := asError(t, second(c.KombiPostAfsend(t.Context(), letter(small()))))
		if e.Class != class || e.Op != sf1601.OpIssue || e.HTTPStatus != status || e.RetryAfter != 5*time.Second {
			t.Errorf("STS %d: %+v, want %s", status, e, class)
		}
	}
	if len(f.requests()) != 0 || len(s.manifests()) != 0 {
		t.Errorf("%d requests, %d signatures", len(f.requests()), len(s.manifests()))
	}
}

func TestAnExpiredCertificateSaysSo(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, always(200, yes))
	c := newClient(t, f, func(cfg *sf1601.Config, _ *signature.BatcherConfig) {
		cfg.Now = func() time.Time { return now.AddDate(2, 0, 0) }
	})
	e := asError(t, second(c.KombiPostAfsend(t.Context(), letter(small()))))
	if e.Class != sf1601.Denied || e.Op != sf1601.OpCertificate || !strings.Contains(e.Error(), "expired 2027-11-21") || e.Hint == "" || f.issues.Load() != 0 {
		t.Errorf("%+v", e)
	}
}

func TestASignatureThatIsNotKeptStopsTheLetter(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	f := newFarEnd(t, always(200, yes))
	c := newClient(t, f, func(_ *sf1601.Config, b *signature.BatcherConfig) { b.Keep = (&shelf{err: full}).keep })
	e := asError(t, second(c.KombiPostAfsend(t.Context(), letter(small()))))
	if e.Class != sf1601.Temporary || e.Op != sf1601.OpSign || !errors.Is(e, full) || !errors.Is(e, sf1601.ErrTemporary) || len(f.requests()) != 0 {
		t.Errorf("%+v", e)
	}
}

func TestWhatIsRefusedHere(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, always(200, yes))
	c := newClient(t, f)
	for name, c2 := range map[string]struct {
		change func(*sf1601.Kombi)
		code   string
	}{
		"KombiValgKode":    {func(k *sf1601.Kombi) { k.Valg = "Brevdue" }, sf1601.CodeInvalid},
		"no MeMo":          {func(k *sf1601.Kombi) { k.Message = nil }, sf1601.CodeInvalid},
		"x-TransaktionsId": {func(k *sf1601.Kombi) { k.TransactionID = "5f3c1c1e-0b7e-1a39-8a0e-1234567890ab" }, sf1601.CodeInvalid},
		"reference":        {func(k *sf1601.Kombi) { k.Reference = "a/b" }, sf1601.CodeInvalid},
		"version":          {func(k *sf1601.Kombi) { k.Message.Version = "9.9" }, sf1601.CodeInvalid},
		"too large":        {func(k *sf1601.Kombi) { k.Message = letter(pdf("a.pdf", zeros{size: 75_000_000})).Message }, sf1601.CodeTooLarge},
	} {
		k := letter(small())
		c2.change(&k)
		e := asError(t, second(c.KombiPostAfsend(t.Context(), k)))
		if e.Class != sf1601.Rejected || e.Code != c2.code {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if len(f.requests()) != 0 {
		t.Error("something was sent")
	}
}

// zeros is a large content; it changes or fails where the fields say.
type zeros struct {
	size   int64
	opened *atomic.Int64 // counts Open
	change int64         // the open from which another byte is read
	fail   int64         // the open that fails after half
}

func (z zeros) Size() int64 { return z.size }

var errDisk = errors.New("disk error")

func (z zeros) Open(context.Context) (io.ReadCloser, error) {
	var n int64
	if z.opened != nil {
		n = z.opened.Add(1)
	}
	r := &zeroReader{left: z.size}
	if z.change > 0 && n >= z.change {
		r.value = 1
	}
	if z.fail > 0 && n == z.fail {
		r.stop = z.size / 2
	}
	return r, nil
}

type zeroReader struct {
	left, stop int64
	value      byte
}

func (r *zeroReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	if r.stop > 0 && r.left <= r.stop {
		return 0, errDisk
	}
	p = p[:min(int64(len(p)), r.left)]
	clear(p)
	p[0] = r.value
	r.left -= int64(len(p))
	return len(p), nil
}

func (r *zeroReader) Close() error { return nil }

func TestAChangedFileNeverArrivesWhole(t *testing.T) {
	t.Parallel()
	var arrived atomic.Bool
	f := newFarEnd(t, func(http.ResponseWriter, *http.Request, []byte) { arrived.Store(true) })
	e := asError(t, second(newClient(t, f).KombiPostAfsend(t.Context(), letter(pdf("a.pdf", zeros{size: 300_000, opened: new(atomic.Int64), change: 2})))))
	if e.Class != sf1601.Temporary || e.Code != sf1601.CodeDigestMismatch || e.Hint == "" || arrived.Load() {
		t.Errorf("arrived %v: %+v", arrived.Load(), e)
	}
}

func TestAFailingDocumentStore(t *testing.T) {
	t.Parallel()
	for pass, op := range map[int64]string{1: sf1601.OpSign, 2: sf1601.OpKombi} {
		var arrived atomic.Bool
		f := newFarEnd(t, func(http.ResponseWriter, *http.Request, []byte) { arrived.Store(true) })
		e := asError(t, second(newClient(t, f).KombiPostAfsend(t.Context(), letter(pdf("a.pdf", zeros{size: 300_000, opened: new(atomic.Int64), fail: pass})))))
		if e.Class != sf1601.Temporary || e.Op != op || !errors.Is(e, errDisk) || arrived.Load() {
			t.Errorf("pass %d: arrived %v: %+v", pass, arrived.Load(), e)
		}
	}
}

// hijack takes the connection from the server.
func hijack(t *testing.T, w http.ResponseWriter) net.Conn {
	t.Helper()
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return nil
	}
	return conn
}

func TestACutConnection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cut   func(t *testing.T, w http.ResponseWriter, r *http.Request)
		size  int64
		class sf1601.Class
	}{
		"after the letter, no answer": {func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			t.Helper()
			_, _ = io.Copy(io.Discard, r.Body)
			_ = hijack(t, w).Close()
		}, 10, sf1601.Unknown},
		"within the answer": {func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			t.Helper()
			_, _ = io.Copy(io.Discard, r.Body)
			conn := hijack(t, w)
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(yes), yes[:len(yes)/2])
			_ = conn.Close()
		}, 10, sf1601.Unknown},
		"a whole answer that promises more": {func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			t.Helper()
			_, _ = io.Copy(io.Discard, r.Body)
			conn := hijack(t, w)
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(yes)+1, yes)
			_ = conn.Close()
		}, 10, sf1601.Unknown},
		"within the letter": {func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			t.Helper()
			_, _ = io.CopyN(io.Discard, r.Body, 100_000)
			_ = hijack(t, w).Close()
		}, 16_000_000, sf1601.Temporary},
		"a bad gateway before the letter had arrived": {func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			t.Helper()
			_, _ = io.CopyN(io.Discard, r.Body, 100_000)
			conn := hijack(t, w)
			_, _ = io.WriteString(conn, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
			<-t.Context().Done()
			_ = conn.Close()
		}, 16_000_000, sf1601.Temporary},
		"accepted before the letter had arrived": {func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			t.Helper()
			_, _ = io.CopyN(io.Discard, r.Body, 100_000)
			conn := hijack(t, w)
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(yes), yes)
			<-t.Context().Done() // the rest is not read
			_ = conn.Close()
		}, 16_000_000, sf1601.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFarEnd(t, nil)
			var calls atomic.Int64
			f.raw = func(w http.ResponseWriter, r *http.Request) { calls.Add(1); c.cut(t, w, r) }
			got, err := newClient(t, f).KombiPostAfsend(t.Context(), letter(pdf("a.pdf", zeros{size: c.size})))
			e := asError(t, err)
			if got != nil || e.Class != c.class || calls.Load() != 1 {
				t.Errorf("%d calls: %+v, %+v", calls.Load(), got, e)
			}
		})
	}
}

// The far end never answers; the times are long enough for the letter to have left on a busy machine.
func TestTimeoutsNameThemselves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		timeouts sf1601.Timeouts
		ctx      time.Duration
		text     string
	}{
		"the whole call":    {sf1601.Timeouts{Call: 2 * time.Second, MinRate: 1 << 40}, time.Minute, "kombi took longer than 2s"},
		"the answer":        {sf1601.Timeouts{Answer: 30 * time.Millisecond}, time.Minute, "timeout awaiting response headers"},
		"the caller's time": {sf1601.Timeouts{}, 2 * time.Second, "context deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFarEnd(t, func(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() })
			client := newClient(t, f, func(cfg *sf1601.Config, _ *signature.BatcherConfig) { cfg.Timeouts = c.timeouts })
			ctx, cancel := context.WithTimeout(t.Context(), c.ctx)
			defer cancel()
			e := asError(t, second(client.KombiPostAfsend(ctx, letter(small()))))
			if e.Class != sf1601.Unknown || e.Code != sf1601.CodeNoAnswer || !strings.Contains(e.Error(), c.text) {
				t.Errorf("%v, want %q", e, c.text)
			}
		})
	}
}

func TestACancelledCallerSendsNothing(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, always(200, yes))
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("shutting down")
	cancel(gone)
	e := asError(t, second(newClient(t, f).KombiPostAfsend(ctx, letter(small()))))
	if e.Class != sf1601.Temporary || !errors.Is(e, gone) || len(f.requests()) != 0 {
		t.Errorf("%+v", e)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, always(200, yes))
	c := newClient(t, f, func(cfg *sf1601.Config, _ *signature.BatcherConfig) { cfg.RootCAs = nil })
	e := asError(t, second(c.KombiPostAfsend(t.Context(), letter(small()))))
	if e.Class != sf1601.Temporary || !strings.Contains(e.Error(), "certificate") || !strings.Contains(e.Hint, "ca_file") {
		t.Errorf("an untrusted far end: %v, hint %q", e, e.Hint)
	}
}

// In TLS 1.3 the far end looks at our certificate after the handshake: its alert
// may be lost when it closes the connection while we write. That is Temporary,
// and a later attempt hears the alert.
func TestAFarEndThatRefusesOurCertificate(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, always(200, yes))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		strict := httptest.NewUnstartedServer(f.Config.Handler)
		strict.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool(), MinVersion: version, MaxVersion: version}
		strict.Config.ErrorLog = f.Config.ErrorLog
		strict.StartTLS()
		t.Cleanup(strict.Close)
		c := newClient(t, &farEnd{Server: strict})
		e := asError(t, second(c.KombiPostAfsend(t.Context(), letter(small()))))
		for attempt := 0; e.Class == sf1601.Temporary && version == tls.VersionTLS13 && attempt < 50; attempt++ {
			e = asError(t, second(c.KombiPostAfsend(t.Context(), letter(small()))))
		}
		if e.Class != sf1601.Denied || e.Op != sf1601.OpIssue || !strings.Contains(e.Hint, "system certificate") {
			t.Errorf("%s: %v, hint %q", tls.VersionName(version), e, e.Hint)
		}
	}
}

// TestAHandshakeThatHangs: a listener that accepts and says nothing.
func TestAHandshakeThatHangs(t *testing.T) {
	t.Parallel()
	mute, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mute.Close() })
	c := newClient(t, newFarEnd(t, nil), func(cfg *sf1601.Config, _ *signature.BatcherConfig) {
		cfg.Endpoints.STS = "https://" + mute.Addr().String()
		cfg.Timeouts.TLS = 30 * time.Millisecond
	})
	e := asError(t, second(c.KombiPostAfsend(t.Context(), letter(small()))))
	if e.Class != sf1601.Temporary || e.Op != sf1601.OpIssue || !strings.Contains(e.Error(), "TLS handshake timeout") {
		t.Errorf("%+v", e)
	}
}

// TestAConnectionThatWasClosedMeanwhile is replaced without a word when the
// client could see it. When the close and the letter cross, nobody can tell
// whether the letter arrived: Unknown, or Temporary when a write failed.
func TestAConnectionThatWasClosedMeanwhile(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, always(200, yes))
	c := newClient(t, f)
	arrived := 0
	for n := range 10 {
		k := letter(small())
		k.Reference = "attempt-" + strconv.Itoa(n)
		_, err := c.KombiPostAfsend(t.Context(), k)
		before := arrived
		arrived = len(f.requests())
		switch {
		case err == nil && arrived == before+1:
		case errors.Is(err, sf1601.ErrUnknown):
		case errors.Is(err, sf1601.ErrTemporary) && arrived == before:
		default:
			t.Errorf("letter %d, which arrived %d times: %v", n, arrived-before, err)
		}
		f.CloseClientConnections()
	}
	if arrived == 0 {
		t.Error("no letter arrived at all")
	}
}

func TestSignaturesInsideTheRequest(t *testing.T) {
	t.Parallel()
	for _, mode := range []signature.Mode{signature.Enveloped, signature.TechnicalDocument} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			f := newFarEnd(t, always(200, yes))
			s := &shelf{}
			c := newClient(t, f, func(cfg *sf1601.Config, b *signature.BatcherConfig) { cfg.Signature = mode; b.Keep = s.keep })
			files := []memo.File{small(), pdf("Bilag æ.pdf", zeros{size: 100_000})}
			k := letter(files...)
			got, err := c.KombiPostAfsend(t.Context(), k)
			if err != nil {
				t.Fatal(err)
			}
			body := f.requests()[0].body
			if got.Digest != sha256.Sum256(body) || s.manifests()[0].Entries[0].Digest != got.Digest {
				t.Error("the kept manifest is not over the bytes that arrived, signature included")
			}
			if k.Message.Body.TechnicalDocuments != nil {
				t.Error("the caller's message was changed")
			}
			checkInside(t, mode, body)
		})
	}
}

func checkInside(t *testing.T, mode signature.Mode, body []byte) {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(body); err != nil {
		t.Fatal(err)
	}
	if mode == signature.Enveloped {
		children := doc.Root().ChildElements()
		if last := children[len(children)-1]; last.FullTag() != "ds:Signature" || len(children) != 3 {
			t.Errorf("the last child is %s", last.FullTag())
		}
		xmlsec1(t, body)
		return
	}
	file := doc.FindElement("//TechnicalDocument/File")
	if file == nil || file.SelectElement("filename").Text() != "signatur.xml" || file.SelectElement("encodingFormat").Text() != "text/xml" {
		t.Fatalf("no signatur.xml in\n%.2000s", body)
	}
	xml := decode(t, file.SelectElement("content").Text())
	zero := make([]byte, 100_000)
	v, err := signature.VerifyDocuments(xml, signature.Trust{Certificate: certificate().Leaf}, map[string][32]byte{
		signature.FileURI("Brev.pdf", 1): sha256.Sum256([]byte("%PDF-1.7 a letter")), signature.FileURI("Bilag æ.pdf", 1): sha256.Sum256(zero),
	})
	if err != nil || v.Checked != 2 {
		t.Errorf("VerifyDocuments = %+v, %v", v, err)
	}
}

// TestALargeLetterIsStreamed sends 74 MB and counts what is allocated.
//
//nolint:paralleltest // the count is the whole process's
func TestALargeLetterIsStreamed(t *testing.T) {
	f := newFarEnd(t, nil)
	var arrived atomic.Int64
	f.raw = func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil || n != r.ContentLength {
			t.Errorf("%d of %d bytes: %v", n, r.ContentLength, err)
		}
		arrived.Store(n)
		_, _ = io.WriteString(w, yes)
	}
	c := newClient(t, f)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := c.KombiPostAfsend(t.Context(), letter(pdf("a.pdf", zeros{size: 74_000_000})))
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if got.Size != arrived.Load() || got.Size < 98_000_000 {
		t.Errorf("%d bytes sent, %d arrived", got.Size, arrived.Load())
	}
	grown := after.TotalAlloc - before.TotalAlloc // client and far end together
	t.Logf("%d MB allocated in all for a request of %d MB", grown>>20, got.Size>>20)
	if grown > 24<<20 {
		t.Errorf("%d MB were allocated while sending", grown>>20)
	}
}
