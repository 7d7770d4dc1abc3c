package evidence

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

func contents(t testing.TB, container []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(container), int64(len(container)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(b)
	}
	return out
}

func TestEvidenceVerifies(t *testing.T) {
	t.Parallel()
	d := dossier(t)
	container := write(t, d, options())
	if !bytes.Equal(container, write(t, d, options())) {
		t.Error("the same dossier gives other bytes")
	}
	r := verify(t, container)
	if !r.OK() {
		t.Fatalf("failures: %+v", r.Failures())
	}
	if r.MessageID != messageID || r.MessageUUID != letterUUID || !r.Delivered.Equal(delivery) || !r.SignedAt.Equal(clock.Truncate(time.Second)) ||
		r.Signer != "CN=Testby Kommune - brevdue" {
		t.Errorf("report = %+v", r)
	}
	files := contents(t, container)
	for _, name := range []string{
		"mimetype", "kvittering.html", "tidslinje.json", "anmodning/kombi_request.xml", "anmodning/manifest-1.xml", "anmodning/manifest-2.xml",
		"svar/forsoeg-1.json", "svar/forsoeg-1-svar.xml", "svar/forsoeg-2.json", "svar/forsoeg-2-svar.json",
		"kvitteringer/01-b1b1b1b1-0000-4000-8000-000000000001.xml", "kvitteringer/02-b1b1b1b1-0000-4000-8000-000000000002.xml",
		"certifikater/underskrift.pem", "META-INF/manifest.xml", "META-INF/signatures.xml",
	} {
		if _, there := files[name]; !there {
			t.Errorf("there is no %s", name)
		}
		delete(files, name)
	}
	for name := range files {
		t.Errorf("there is a file %s", name)
	}
	files = contents(t, container)
	if files["kvitteringer/02-b1b1b1b1-0000-4000-8000-000000000002.xml"] != string(d.Receipts[1].Raw) ||
		files["svar/forsoeg-1-svar.xml"] != string(d.Attempts[0].Answer) || files["anmodning/manifest-2.xml"] != string(d.Evidence[1].XML) {
		t.Error("a file is not what it was as it came")
	}
	if !strings.HasPrefix(files["tidslinje.json"], `{
  "format": "brevdue-evidence/1",
  "delivered": {
    "at": {
      "utc": "2026-11-21T11:32:10.12Z",
      "copenhagen": "2026-11-21T12:32:10.12+01:00"
    },
    "kind": "afleveret",
    "receipt": "kvitteringer/02-b1b1b1b1-0000-4000-8000-000000000002.xml"
  },`) {
		t.Errorf("the timeline does not begin with the legal fact:\n%.500s", files["tidslinje.json"])
	}
}

// A letter that has only been accepted, sent by mail, not sent at all: each has its evidence, and each verifies.
func TestEvidenceOfOtherStories(t *testing.T) {
	t.Parallel()
	paper := func(d *gateway.Dossier) {
		d.Message.Channel = "print"
		request := exhibit("kombi_request.xml", []byte(`<kombi_request><KombiValgKode>Fysisk Post</KombiValgKode><ForsendelseISamling><ns:ForsendelseI xmlns:ns="x">`+
			`<ns:AfsendelseIdentifikator>`+d.Message.AfsendelseID+`</ns:AfsendelseIdentifikator></ns:ForsendelseI></ForsendelseISamling></kombi_request>`))
		d.Request, d.Attempts = request, d.Attempts[1:]
		d.Attempts[0].Digest = request.Digest[:]
		d.Evidence = []gateway.Evidence{sign(t, ours().cert, d.Attempts[0].ManifestID, request.Digest, attemptTwo)}
		d.Receipts = []gateway.Receipt{status("b1", beskedfordeler.KindPostDanmark, delivery, func(b *beskedfordeler.Besked) {
			b.ObjectID, b.RegistrationID, b.Status.MessageUUID, b.Status.TransmissionID = "", "", "", ""
			b.Status.AfsendelseIdentifikator = d.Message.AfsendelseID
		})}
	}
	for name, c := range map[string]struct {
		change   func(d *gateway.Dossier)
		headline string
		at       time.Time
	}{
		"delivered": {func(*gateway.Dossier) {}, "Afleveret 21. november 2026 kl. 12.32.10", delivery},
		"delivered in summer time": {func(d *gateway.Dossier) {
			d.Receipts[1] = status("b2", beskedfordeler.KindAfleveret, time.Date(2026, 6, 30, 22, 59, 59, 0, time.UTC))
		}, "Afleveret 1. juli 2026 kl. 00.59.59", time.Date(2026, 6, 30, 22, 59, 59, 0, time.UTC)},
		"delivered twice": {func(d *gateway.Dossier) {
			d.Receipts = append(d.Receipts, status("b3", beskedfordeler.KindAfleveret, delivery.Add(-time.Second)))
		}, "Afleveret 21. november 2026 kl. 12.32.09", delivery.Add(-time.Second)},
		"accepted": {func(d *gateway.Dossier) {
			d.Receipts, d.Message.State, d.Message.FinalAt = nil, gateway.Submitted, time.Time{}
		}, "Ingen kvittering for aflevering endnu", time.Time{}},
		"received": {func(d *gateway.Dossier) {
			d.Receipts, d.Message.State = d.Receipts[:1], gateway.Received
		}, "Ingen kvittering for aflevering endnu", time.Time{}},
		"rejected": {func(d *gateway.Dossier) {
			d.Message.State = gateway.Failed
			d.Receipts = []gateway.Receipt{status("b4", beskedfordeler.KindFejlet, delivery, func(b *beskedfordeler.Besked) {
				b.Status.FejlKode, b.Status.FejlTekst = "memo.invalid", "line 1\n<x>"
			})}
		}, "Ikke afleveret", time.Time{}},
		"on paper": {paper, "Overgivet til postvæsenet 21. november 2026 kl. 12.32.10", delivery},
		"returned": {func(d *gateway.Dossier) { paper(d); d.Message.State = gateway.Returned },
			"Kommet retur – overgivet til postvæsenet 21. november 2026 kl. 12.32.10", delivery},
		"by mail": {func(d *gateway.Dossier) {
			request := exhibit("mail.eml", []byte("From: a@b.dk\r\nMessage-ID:\r\n <"+messageID+"@b.dk>\r\n\r\nHej"))
			request.ContentType = "message/rfc822"
			d.Message.Channel, d.Request, d.Receipts, d.Evidence, d.Attempts = "smtp", request, nil, nil, d.Attempts[1:]
			d.Attempts[0].ManifestID, d.Attempts[0].Digest, d.Attempts[0].Answer = "", request.Digest[:], []byte("250 2.0.0 OK")
		}, "Taget imod 21. november 2026 kl. 12.32.10", time.Time{}},
		"not sent": {func(d *gateway.Dossier) {
			d.Message.State, d.Message.SubmittedAt = gateway.Cancelled, time.Time{}
			d.Request, d.Attempts, d.Receipts, d.Evidence, d.Events = nil, nil, nil, nil, nil
		}, "Ikke sendt", time.Time{}},
		"an attempt that a crash left open": {func(d *gateway.Dossier) {
			d.Message.State, d.Receipts = gateway.Sending, nil
			d.Attempts[1].EndedAt, d.Attempts[1].Class, d.Attempts[1].Answer = time.Time{}, "", nil
		}, "Ingen kvittering for aflevering endnu", time.Time{}},
		"the request is erased": {func(d *gateway.Dossier) { d.Request = nil }, "Afleveret", delivery},
		"a manifest signed with an earlier certificate": {func(d *gateway.Dossier) {
			d.Evidence[0] = sign(t, ours().earlier, d.Attempts[0].ManifestID, d.Request.Digest, attemptOne)
		}, "Afleveret", delivery},
		"a receipt of another road": {func(d *gateway.Dossier) {
			d.Receipts = append(d.Receipts, gateway.Receipt{ID: "../x y", Kind: gateway.ReceiptNote, ReceivedAt: clock, Raw: []byte("hello")},
				gateway.Receipt{ID: "by hand", Kind: gateway.ReceiptNote, ReceivedAt: clock})
		}, "Afleveret", delivery},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dossier(t)
			c.change(d)
			container := write(t, d, options())
			r := verify(t, container)
			if !r.OK() || !r.Delivered.Equal(c.at) || r.Posted != (d.Message.Channel == "print") {
				t.Fatalf("delivered %s, failures %+v", r.Delivered, r.Failures())
			}
			page := contents(t, container)["kvittering.html"]
			_, headline, _ := strings.Cut(page, "<h1>")
			if !strings.HasPrefix(headline, c.headline) {
				t.Errorf("the page begins with %.120s", headline)
			}
			wellFormed(t, page)
		})
	}
}

// wellFormed reads the page as XML: what is tagged is closed, whoever reads it.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Entity = xml.HTMLEntity
	headings, tables, captions := 0, 0, 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, page)
		}
		start, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "h1":
			headings++
		case "table":
			tables++
		case "caption":
			captions++
		case "script", "link", "img", "iframe", "object", "form", "a":
			t.Errorf("the page has a %s", start.Name.Local)
		}
		for _, a := range start.Attr {
			if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "src" || a.Name.Local == "href" {
				t.Errorf("the page has an attribute %s", a.Name.Local)
			}
		}
	}
	if headings != 1 || tables < 2 || tables != captions || !strings.Contains(page, `<html lang="da">`) {
		t.Errorf("%d h1, %d tables, %d captions", headings, tables, captions)
	}
}

func TestThePageTellsWhoWhatAndWhen(t *testing.T) {
	t.Parallel()
	page := contents(t, write(t, dossier(t), options()))["kvittering.html"]
	for _, want := range []string{
		"Nancy Ann Berggren, CPR 251248-9996", "Testby Kommune, CVR 55133018", "Indkaldelse til &lt;jobsamtale&gt; &amp; møde", letterUUID,
		"2026-11-21T11:32:10.12Z", "Forsøg 1 på at sende begyndte", "kombi.http.503", "Serviceplatformen var nede.", "svar/forsoeg-1-svar.xml",
		"Kvittering: Afleveret Digital Post", "Brevet er til rådighed for modtageren i Digital Post.", "Testby Kommune - brevdue",
		"anmodning/manifest-2.xml", "brevdue verify",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	if strings.Contains(page, "<jobsamtale>") {
		t.Error("a title becomes markup")
	}
}

func TestWriteFailsBeforeItsFirstByte(t *testing.T) {
	t.Parallel()
	gone := errors.New("the document was erased")
	broken := dossier(t)
	broken.Request.Open = brokenOpen(gone)
	for name, c := range map[string]struct {
		d    *gateway.Dossier
		opts Options
		want string
	}{
		"a request that cannot be put together": {broken, options(), "the document was erased"},
		"no intent":                             {&gateway.Dossier{}, options(), "a dossier with its intent"},
		"no dossier":                            {nil, options(), "a dossier with its intent"},
		"no clock":                              {dossier(t), Options{Certificate: ours().cert}, "a clock"},
		"no certificate":                        {dossier(t), Options{Now: func() time.Time { return clock }}, "chain of 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			err := Write(t.Context(), &b, c.d, c.opts)
			if err == nil || !strings.Contains(err.Error(), c.want) || b.Len() > 0 {
				t.Errorf("err = %v, %d bytes written", err, b.Len())
			}
			if err != nil && (strings.Contains(err.Error(), letterCPR) || strings.Contains(err.Error(), "Nancy")) {
				t.Errorf("the error holds personal data: %v", err)
			}
		})
	}
}

// The timeline can be read by a program that knows JSON only, and names each file once.
func TestTheTimelineNamesEveryFile(t *testing.T) {
	t.Parallel()
	files := contents(t, write(t, dossier(t), options()))
	var line struct {
		Files []struct {
			Name  string `json:"name"`
			About string `json:"about"`
		} `json:"files"`
	}
	if err := json.Unmarshal([]byte(files["tidslinje.json"]), &line); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range line.Files {
		names = append(names, f.Name)
		if len(f.About) < 20 {
			t.Errorf("%s: %q", f.Name, f.About)
		}
	}
	for name := range files {
		own := name == "mimetype" || strings.HasPrefix(name, "META-INF/")
		if slices.Contains(names, name) == own {
			t.Errorf("%s is named: %v", name, own)
		}
	}
}
