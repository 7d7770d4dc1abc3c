package smtp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"encoding/base64"

	"github.com/emersion/go-ical"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway"
)

// leaf is one part of a mail that is no set of parts.
type leaf struct {
	kind, disposition string
	filename          string
	content           []byte
}

// parse reads a mail with the standard library and returns its header and leaves.
func parse(t *testing.T, raw string) (mail.Header, []leaf) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	return m.Header, leaves(t, m.Header.Get("Content-Type"), "", "", m.Body)
}

func leaves(t *testing.T, contentType, disposition, encoding string, body io.Reader) []leaf {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatalf("%q: %v", contentType, err)
	}
	if strings.HasPrefix(kind, "multipart/") {
		var all []leaf
		for r := multipart.NewReader(body, params["boundary"]); ; {
			p, err := r.NextRawPart()
			if errors.Is(err, io.EOF) {
				return all
			}
			if err != nil {
				t.Fatal(err)
			}
			h := p.Header
			all = append(all, leaves(t, h.Get("Content-Type"), h.Get("Content-Disposition"), h.Get("Content-Transfer-Encoding"), p)...)
		}
	}
	l := leaf{kind: contentType}
	if disposition != "" {
		var params map[string]string
		if l.disposition, params, err = mime.ParseMediaType(disposition); err != nil {
			t.Fatal(err)
		}
		l.filename = params["filename"]
	}
	switch encoding {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	default:
		t.Errorf("encoding %q", encoding)
	}
	if l.content, err = io.ReadAll(body); err != nil {
		t.Fatal(err)
	}
	return []leaf{l}
}

// sent sends a letter to a peer that takes it and returns the mail as it came over the wire.
func sent(t *testing.T, cfg smtp.Config, l gateway.Letter) (raw, said string) {
	t.Helper()
	p := newPeer(t, hello+letter+taken+"HANG")
	cfg.Server = p.server()
	if o := newChannel(t, cfg).Send(t.Context(), l); o.Class != gateway.Accept {
		t.Fatalf("%s %s: %v", o.Class, o.Code, o.Err)
	}
	mails := p.letters()
	if len(mails) != 1 {
		t.Fatalf("%d letters", len(mails))
	}
	return mails[0], p.said()
}

func decoded(t *testing.T, s string) string {
	t.Helper()
	out, err := new(mime.WordDecoder).DecodeHeader(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheWholeMail(t *testing.T) {
	t.Parallel()
	documents := [][]byte{pdf(200_001), pdf(57 * 3)}
	l := newLetter(t, "nancy@testby.example", documents...)
	raw, said := sent(t, smtp.Config{}, l)
	if size := fmt.Sprintf("SIZE=%d ", len(raw)); !strings.Contains(said, size) {
		t.Errorf("the announced size is not %s: %s", size, said)
	}
	h, parts := parse(t, raw)
	for name, want := range map[string]string{
		"Date": "Sat, 21 Nov 2026 13:00:00 +0100", "Message-Id": "<" + l.Message.ID + "@testby.example>",
		"Subject": "Indkaldelse til jobsamtale på Rådhuset", "Auto-Submitted": "auto-generated", "Mime-Version": "1.0",
		"From": `"Testby Kommune, Jobcenter" <jobcenter@testby.example>`,
		"To":   "Nancy Ann Bergström-Ødegård <nancy@testby.example>",
	} {
		if got := decoded(t, h.Get(name)); got != want || len(h[name]) != 1 {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if len(parts) != 5 {
		t.Fatalf("%d parts", len(parts))
	}
	plain, html, calendar := string(parts[0].content), string(parts[1].content), parts[2]
	for _, want := range []string{
		strings.ReplaceAll(body, "\n", "\r\n"), "Jobsamtale: tirsdag den 1. december 2026 kl. 10.00-10.45, Værkmestergade 5",
		"Tilmeld dig senest 10. december kl. 23.59:\r\nhttps://testby.example/tilmeld?a=1&b=2",
		"Vedhæftet: Bilag 0 æøå.pdf (200 kB)", "Vedhæftet: Bilag 1 æøå.pdf (171 byte)", "-- \r\nTestby Kommune, Jobcenter",
		"Aftalen er vedhæftet",
	} {
		if !strings.Contains(plain, want) {
			t.Errorf("the plain text lacks %q:\n%s", want, plain)
		}
	}
	for _, want := range []string{
		`<html lang="da">`, "Medbring &lt;CV&gt; &amp; pas.<br>", `href="https://testby.example/tilmeld?a=1&amp;b=2"`,
		"Værkmestergade 5", "Vedhæftet: Bilag 0 æøå.pdf",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the HTML lacks %q:\n%s", want, html)
		}
	}
	kind, params, err := mime.ParseMediaType(calendar.kind)
	if err != nil || kind != "text/calendar" || params["method"] != "PUBLISH" || params["charset"] != "utf-8" || calendar.filename != "aftale.ics" {
		t.Errorf("calendar file: %s %q", calendar.kind, calendar.filename)
	}
	c, err := ical.NewDecoder(bytes.NewReader(calendar.content)).Decode()
	if err != nil {
		t.Fatal(err)
	}
	e := c.Events()[0]
	if start, err := e.DateTimeStart(nil); err != nil || !start.Equal(l.Intent.Content.Actions[0].Reservation.Start) {
		t.Errorf("start %v, %v", start, err)
	}
	for n, d := range documents {
		p := parts[3+n]
		if !bytes.Equal(p.content, d) || p.disposition != "attachment" || p.filename != l.Intent.Content.Documents[n].Filename || p.kind != "application/pdf" {
			t.Errorf("document %d: %d bytes, %s %q %s", n, len(p.content), p.disposition, p.filename, p.kind)
		}
	}
	for line := range strings.SplitSeq(headOf(raw), "\r\n") {
		if len(line) > 76 && !strings.HasPrefix(line, "Message-ID: <") || strings.HasSuffix(line, ":") {
			t.Errorf("header line of %d: %s", len(line), line)
		}
	}
	wireClean(t, raw)
}

func headOf(raw string) string {
	head, _, _ := strings.Cut(raw, "\r\n\r\n")
	return head
}

// wireClean holds a mail to what every server on the way can carry: ASCII, short lines, CRLF.
func wireClean(t *testing.T, raw string) {
	t.Helper()
	for line := range strings.SplitSeq(raw, "\r\n") {
		if len(line) > 998 || strings.ContainsFunc(line, func(r rune) bool { return r > '~' || (r < ' ' && r != '\t') }) {
			t.Errorf("line of %d: %.120q", len(line), line)
		}
	}
}

func TestEveryAttemptSendsTheSameBytes(t *testing.T) {
	t.Parallel()
	l := newLetter(t, "nancy@testby.example", pdf(3000), pdf(9000))
	link := func(id string, n int, from time.Time) (string, time.Time) {
		return "https://post.testby.example/" + id + "/" + strconv.Itoa(n), from.Add(time.Hour)
	}
	first, _ := sent(t, smtp.Config{MaxSize: 5000, Link: link}, l)
	l.Attempt.ID, l.Attempt.N = "att_2", 2
	again, _ := sent(t, smtp.Config{MaxSize: 5000, Link: link}, l)
	if first != again {
		t.Error("another attempt sends other bytes")
	}
	l.Message.ID = "msg_other"
	if other, _ := sent(t, smtp.Config{MaxSize: 5000, Link: link}, l); strings.Contains(other, boundaryOf(t, first)) {
		t.Error("two letters share a boundary")
	}
}

func boundaryOf(t *testing.T, raw string) string {
	t.Helper()
	h, _ := parse(t, raw)
	_, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		t.Fatal(err)
	}
	return params["boundary"]
}

func TestALetterForLaterIsDatedWhenItMayLeave(t *testing.T) {
	t.Parallel()
	l := newLetter(t, "nancy@testby.example")
	l.Intent.NotBefore = accepted.AddDate(0, 8, 0)
	raw, _ := sent(t, smtp.Config{}, l)
	if h, _ := parse(t, raw); h.Get("Date") != "Wed, 21 Jul 2027 14:00:00 +0200" {
		t.Error(h.Get("Date"))
	}
}

func TestLargeDocumentsBecomeLinks(t *testing.T) {
	t.Parallel()
	l := newLetter(t, "nancy@testby.example", pdf(4000), pdf(60_000), pdf(5000))
	link := func(id string, n int, from time.Time) (string, time.Time) {
		if id != l.Message.ID || !from.Equal(accepted) {
			t.Errorf("link for %q from %v", id, from)
		}
		return "https://post.testby.example/hent/x" + strconv.Itoa(n), from.Add(30 * 24 * time.Hour)
	}
	raw, _ := sent(t, smtp.Config{MaxSize: 14_000, Link: link}, l)
	_, parts := parse(t, raw)
	var names []string
	for _, p := range parts {
		if p.kind == "application/pdf" {
			names = append(names, p.filename)
		}
	}
	if !slices.Equal(names, []string{"Bilag 0 æøå.pdf", "Bilag 2 æøå.pdf"}) {
		t.Errorf("attached: %q", names)
	}
	if want := "Hent Bilag 1 æøå.pdf (60 kB) senest 21. december 2026 kl. 13.00:\r\nhttps://post.testby.example/hent/x1\r\n"; !strings.Contains(string(parts[0].content), want) {
		t.Errorf("plain text:\n%s", parts[0].content)
	}
	if want := `<a href="https://post.testby.example/hent/x1"`; !strings.Contains(string(parts[1].content), want) {
		t.Errorf("HTML:\n%s", parts[1].content)
	}
}

func TestADocumentAloneIsALetter(t *testing.T) {
	t.Parallel()
	l := newLetter(t, "nancy@testby.example", pdf(100))
	l.Intent.Content.Text, l.Intent.Content.Actions = "", nil
	raw, _ := sent(t, smtp.Config{}, l)
	_, parts := parse(t, raw)
	if len(parts) != 3 || !strings.HasPrefix(string(parts[0].content), "Du har fået et brev fra Testby Kommune, Jobcenter.\r\n") {
		t.Errorf("%d parts, %q", len(parts), parts[0].content)
	}
}

func TestATextAloneIsALetter(t *testing.T) {
	t.Parallel()
	l := newLetter(t, "nancy@testby.example")
	l.Intent.Content.Actions = nil
	raw, _ := sent(t, smtp.Config{}, l)
	if h, parts := parse(t, raw); len(parts) != 2 || !strings.HasPrefix(h.Get("Content-Type"), "multipart/alternative") {
		t.Errorf("%d parts in %s", len(parts), h.Get("Content-Type"))
	}
}

// TestNothingGetsOutOfItsField puts line ends and more into every text and looks for what they would become.
func TestNothingGetsOutOfItsField(t *testing.T) {
	t.Parallel()
	const evil = "x\r\nBcc: evil@evil.example\r\n\r\n<script>alert(1)</script>\r\n.\r\nQUIT\r\n\x00\u2028=?utf-8?B?Qg==?="
	l := newLetter(t, "nancy@testby.example", pdf(10))
	l.Intent.Content.Title, l.Intent.Content.Text = evil, evil
	l.Intent.Recipient.Name, l.Sender.Label = evil, evil
	l.Intent.Content.Documents[0].Filename, l.Intent.Content.Documents[0].ContentType = evil+`"; x="y`, "text/html; charset=\"x\r\nX-Evil: 1\""
	l.Intent.Content.Actions[0].Label, l.Intent.Content.Actions[0].Reservation.Location = evil, evil
	l.Intent.Content.Actions[1].Label, l.Intent.Content.Actions[1].URL = evil, "javascript:alert(1)"
	raw, said := sent(t, smtp.Config{}, l)
	h, parts := parse(t, raw)
	if len(h["Bcc"]) > 0 || len(h) != 10 || strings.Contains(raw, "\nX-Evil") || strings.Contains(headOf(raw), "\nBcc") {
		t.Errorf("a header got out: %v", h)
	}
	if strings.Contains(said, "evil") {
		t.Errorf("a command got out: %s", said)
	}
	if len(parts) != 4 || parts[3].disposition != "attachment" {
		t.Fatalf("%d parts", len(parts))
	}
	if html := string(parts[1].content); strings.Contains(html, "<script") || strings.Contains(html, `href="javascript`) {
		t.Errorf("markup got out:\n%s", html)
	}
	if want := "x Bcc: evil@evil.example <script>alert(1)</script> . QUIT =?utf-8?B?Qg==?="; decoded(t, h.Get("Subject")) != want {
		t.Errorf("subject %q", decoded(t, h.Get("Subject")))
	}
	if from, err := mail.ParseAddress(h.Get("From")); err != nil || from.Address != "jobcenter@testby.example" {
		t.Errorf("From: %v, %v", from, err)
	}
	wireClean(t, raw)
}

func TestAddressesBeyondASCII(t *testing.T) {
	t.Parallel()
	offers := strings.Replace(hello, "8BITMIME", "SMTPUTF8", 1)
	for name, c := range map[string]struct {
		to, hello, said string
		class           gateway.Class
	}{
		"a Danish domain needs nothing":       {"post@rødgrød.example", hello, "RCPT TO:<post@xn--rdgrd-vuad.example>", gateway.Accept},
		"nor where it is offered":             {"post@rødgrød.example", offers, "RCPT TO:<post@xn--rdgrd-vuad.example>", gateway.Accept},
		"a Danish local part needs SMTPUTF8":  {"søren@testby.example", offers, "RCPT TO:<søren@testby.example>", gateway.Accept},
		"and has no way without it":           {"søren@testby.example", hello, "", gateway.Next},
		"the name of the recipient is no one": {"nancy@testby.example", hello, "RCPT TO:<nancy@testby.example>", gateway.Accept},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := c.hello + letter + taken + "HANG"
			if c.class != gateway.Accept {
				script = c.hello + "C: QUIT"
			}
			p := newPeer(t, script)
			o := newChannel(t, smtp.Config{Server: p.server(), SMTPUTF8: true}).Send(t.Context(), newLetter(t, c.to))
			if o.Class != c.class || !strings.Contains(p.said(), c.said) {
				t.Fatalf("%s %s: %v\n%s", o.Class, o.Code, o.Err, p.said())
			}
			if want := !strings.Contains(c.said, "søren"); c.class == gateway.Accept && want == strings.Contains(p.said(), " SMTPUTF8") {
				t.Errorf("SMTPUTF8 is asked for when it is not needed, or not when it is:\n%s", p.said())
			}
		})
	}
}

func TestADocumentThatChangedIsNotSent(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(context.Context, int) (io.ReadCloser, error){
		"shorter": func(context.Context, int) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(pdf(999))), nil },
		"longer": func(context.Context, int) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(pdf(1001))), nil
		},
		"gone": func(context.Context, int) (io.ReadCloser, error) { return nil, errors.New("no such file") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, hello+letter+taken)
			l := newLetter(t, "nancy@testby.example", pdf(1000))
			l.Open = open
			o := newChannel(t, smtp.Config{Server: p.server()}).Send(t.Context(), l)
			if o.Class != gateway.Retry || o.Code != "document.unreadable" || len(p.letters()) != 0 {
				t.Errorf("%s %s with %d letters", o.Class, o.Code, len(p.letters()))
			}
		})
	}
}

func TestASenderProfileThatBrokeIsForAPerson(t *testing.T) {
	t.Parallel()
	l := newLetter(t, "nancy@testby.example")
	l.Sender.From = "nobody"
	o := newChannel(t, smtp.Config{Server: smtp.Server{Host: "127.0.0.1", Port: 1}}).Send(t.Context(), l)
	if o.Class != gateway.Fail || o.Hint == "" || strings.Contains(fmt.Sprint(o.Err), "nobody") {
		t.Errorf("%s %q: %v", o.Class, o.Hint, o.Err)
	}
}

func TestManyAppointmentsHaveAFileEach(t *testing.T) {
	t.Parallel()
	l := newLetter(t, "nancy@testby.example")
	l.Intent.Content.Actions = []actions.Action{l.Intent.Content.Actions[0], l.Intent.Content.Actions[0]}
	raw, _ := sent(t, smtp.Config{}, l)
	_, parts := parse(t, raw)
	if len(parts) != 4 || parts[2].filename != "aftale.ics" || parts[3].filename != "aftale-2.ics" ||
		!strings.Contains(string(parts[0].content), "Aftalerne er vedhæftet") {
		t.Errorf("%d parts", len(parts))
	}
}
