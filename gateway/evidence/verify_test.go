package evidence

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/evidence/asice"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

func brokenOpen(err error) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(err)), nil }
}

// Of the structure every byte is changed, of the files one in some: package asice changes every one of a small container.
func TestAChangedByteAnywhereIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	container := write(t, dossier(t), options())
	if r := verify(t, container); !r.OK() {
		t.Fatalf("%+v", r.Failures())
	}
	covered := make([]string, len(container)) // by the file whose content it is
	c, err := asice.Open(bytes.NewReader(container), int64(len(container)))
	if err != nil {
		t.Fatal(err)
	}
	named := append([]string{"mimetype", "META-INF/manifest.xml", "META-INF/signatures.xml"}, c.Names()...)
	for _, name := range named {
		_, start, size := c.Open(name).Outer()
		for at := start; at < start+size; at++ {
			covered[at] = name
		}
	}
	step, seen := 0, map[string]bool{}
	for at, name := range covered {
		want := name
		if name == "" {
			want = asice.Structure
		} else if step++; step%211 != 0 && seen[name] {
			continue
		}
		seen[want] = true
		container[at] ^= 0x01
		r := verify(t, container)
		if r.OK() || !slices.ContainsFunc(r.Failures(), func(c Check) bool { return c.File == want }) {
			t.Fatalf("byte %d of %s: %+v", at, want, r.Failures())
		}
		container[at] ^= 0x01
	}
	if len(seen) != len(named)+1 {
		t.Errorf("only these were changed: %v", seen)
	}
}

// forge signs other files than Write would have, with the right key: what an honest program never says, and a dishonest
// or broken one might.
func forge(t testing.TB, d *gateway.Dossier, change func(b *builder, files []asice.File) []asice.File) []byte {
	t.Helper()
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		t.Fatal(err)
	}
	b := &builder{dossier: d, opts: options(), now: clock.Truncate(time.Second), teller: teller{zone}}
	files, err := b.files()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := asice.Write(t.Context(), &out, change(b, files), asice.Options{Certificate: ours().cert, At: b.now}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// retold writes the timeline again after a change.
func retold(change func(t *timeline)) func(b *builder, files []asice.File) []asice.File {
	return func(b *builder, files []asice.File) []asice.File {
		change(&b.t)
		record, err := encode(b.t)
		if err != nil {
			panic(err)
		}
		files[1] = asice.Bytes(nameTimeline, "application/json", record)
		return files
	}
}

// replaced puts another content into a file.
func replaced(name string, content []byte) func(b *builder, files []asice.File) []asice.File {
	return func(_ *builder, files []asice.File) []asice.File {
		for i := range files {
			if files[i].Name == name {
				files[i] = asice.Bytes(name, "text/xml", content)
			}
		}
		return files
	}
}

func TestStoriesThatDoNotAgreeAreFound(t *testing.T) {
	t.Parallel()
	const (
		request  = "anmodning/kombi_request.xml"
		receipt2 = "kvitteringer/02-b1b1b1b1-0000-4000-8000-000000000002.xml"
	)
	untouched := func(_ *builder, files []asice.File) []asice.File { return files }
	same := func(*gateway.Dossier) {}
	for name, c := range map[string]struct {
		dossier func(d *gateway.Dossier)
		files   func(b *builder, files []asice.File) []asice.File
		rule    Rule
		file    string
		text    string
	}{
		"a receipt of another message": {func(d *gateway.Dossier) {
			d.Receipts[1] = status("b1b1b1b1-0000-4000-8000-000000000002", beskedfordeler.KindAfleveret, delivery, func(b *beskedfordeler.Besked) {
				b.ObjectID, b.Status.MessageUUID = "0f0f0f0f-0000-4000-8000-000000000001", "0f0f0f0f-0000-4000-8000-000000000001"
				b.RegistrationID, b.Status.TransmissionID = "x", "x"
			})
		}, untouched, RuleReceipt, receipt2, "about another message"},
		"another time of delivery": {same, retold(func(t *timeline) {
			t.Delivered.At.UTC = t.Delivered.At.UTC.Add(-24 * time.Hour)
		}), RuleDelivery, nameTimeline, "its time of delivery is not that of"},
		"the receipt of the interim status taken for delivery": {same, retold(func(t *timeline) {
			t.Delivered.Receipt = t.Receipts[0].File
		}), RuleDelivery, nameTimeline, "its time of delivery is not that of"},
		"a delivery that nobody told of": {func(d *gateway.Dossier) { d.Receipts = d.Receipts[:1] }, retold(func(t *timeline) {
			t.Delivered = &deliveryRecord{At: t.Receipts[0].OccurredAt, Kind: "afleveret", Receipt: t.Receipts[0].File}
		}), RuleDelivery, nameTimeline, "no receipt tells of"},
		"a delivery that is kept back": {same, retold(func(t *timeline) { t.Delivered = nil }), RuleDelivery, nameTimeline, "tells of one"},
		"a page with another time": {same, replaced(namePage, []byte("<h1>Afleveret 20. november 2026 kl. 12.32.10</h1>")),
			RuleDelivery, namePage, "heading"},
		"a page that claims a delivery": {func(d *gateway.Dossier) { d.Receipts = nil },
			replaced(namePage, []byte("<h1>Afleveret 20. november 2026 kl. 12.32.10</h1>")), RuleDelivery, namePage, "heading"},
		"a page without a heading": {same, replaced(namePage, []byte("<p>Afleveret 20. november 2026 kl. 12.32.10</p>")),
			RuleDelivery, namePage, "heading"},
		"a delivery without a time": {same, retold(func(t *timeline) { t.Delivered.At = nil }), RuleDelivery, nameTimeline, "time of delivery"},
		"a receipt that happened at another time": {same, retold(func(t *timeline) {
			t.Receipts[1].OccurredAt = t.Receipts[0].OccurredAt
		}), RuleReceipt, receipt2, "something else"},
		"a receipt with another id":   {same, retold(func(t *timeline) { t.Receipts[1].ID = "another" }), RuleReceipt, receipt2, "BeskedId"},
		"a receipt called unreadable": {same, retold(func(t *timeline) { t.Receipts[1].Form = formOther }), RuleReceipt, receipt2, "another form"},
		"a receipt that is broken":    {same, replaced(receipt2, []byte("<x")), RuleReceipt, receipt2, "another form"},
		"a receipt with an XML bomb": {same, replaced(receipt2, []byte(`<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>`)),
			RuleReceipt, receipt2, "another form"},
		"a receipt larger than any": {same, replaced(receipt2, make([]byte, maxReceipt+1)), RuleReceipt, receipt2, "larger"},
		"a letter with another messageUUID": {func(d *gateway.Dossier) {
			d.Message.MessageUUID = "0f0f0f0f-0000-4000-8000-000000000001"
		}, untouched, RuleRequest, request, "messageUUID"},
		"a letter to somebody else": {func(d *gateway.Dossier) {
			d.Intent.Recipient.ID, _ = gateway.ParseCPR("0101010101")
		}, untouched, RuleRequest, request, "another recipient"},
		"another request than the signed one": {same, replaced(request, bytes.Replace(kombi(t), []byte("Nancy"), []byte("Henry"), 1)),
			RuleRequest, request, "another request"},
		"a request of no attempt": {func(d *gateway.Dossier) {
			d.Request = exhibit("kombi_request.xml", bytes.Replace(kombi(t), []byte("Nancy"), []byte("Henry"), 1))
		}, untouched, RuleRequest, request, "not that of the attempts"},
		"the request of the attempt that failed": {func(d *gateway.Dossier) {
			other := exhibit("kombi_request.xml", bytes.Replace(kombi(t), []byte("Nancy"), []byte("Henry"), 1))
			d.Attempts[1].Digest = other.Digest[:]
			d.Evidence[1] = sign(t, ours().cert, d.Attempts[1].ManifestID, other.Digest, attemptTwo)
		}, untouched, RuleRequest, request, "accepted sent something else"},
		"a request that nobody signed": {func(d *gateway.Dossier) {
			d.Evidence = nil
			for i := range d.Attempts {
				d.Attempts[i].ManifestID = ""
			}
		}, untouched, RuleRequest, request, "no manifest lists"},
		"a request that is no XML": {func(d *gateway.Dossier) {
			d.Request = exhibit("kombi_request.xml", []byte("hello"))
		}, untouched, RuleRequest, request, "not a kombi_request"},
		"a request that is neither": {func(d *gateway.Dossier) {
			d.Request = exhibit("kombi_request.xml", []byte("<kombi_request></kombi_request>"))
		}, untouched, RuleRequest, request, "neither a MeMo nor"},
		"a printed letter of another shipment": {func(d *gateway.Dossier) {
			d.Request = exhibit("kombi_request.xml", []byte("<kombi_request><ForsendelseISamling></ForsendelseISamling></kombi_request>"))
		}, untouched, RuleRequest, request, "AfsendelseIdentifikator"},
		"a mail with another id": {func(d *gateway.Dossier) {
			d.Request = exhibit("mail.eml", []byte("Message-ID: <msg_x@b.dk>\r\n\r\nHej"))
		}, untouched, RuleRequest, "anmodning/mail.eml", "Message-ID"},
		"a manifest of other attempts": {func(d *gateway.Dossier) {
			d.Evidence[1] = sign(t, ours().cert, d.Attempts[1].ManifestID, d.Request.Digest, "att_another")
		}, untouched, RuleManifest, "anmodning/manifest-2.xml", "not listed"},
		"a manifest over other bytes": {func(d *gateway.Dossier) {
			d.Evidence[1] = sign(t, ours().cert, d.Attempts[1].ManifestID, [32]byte{1}, attemptTwo)
		}, untouched, RuleManifest, "anmodning/manifest-2.xml", "another digest"},
		"a manifest that somebody else signed": {func(d *gateway.Dossier) {
			d.Evidence[1] = sign(t, others().cert, d.Attempts[1].ManifestID, d.Request.Digest, attemptTwo)
		}, untouched, RuleManifest, "anmodning/manifest-2.xml", "not trusted"},
		"a manifest with another id": {same, retold(func(t *timeline) {
			t.Manifests[1].ID = "other"
			t.Attempts[1].ManifestID = "other"
		}), RuleManifest, "anmodning/manifest-2.xml", "another manifest"},
		"a manifest that no attempt names": {same, retold(func(t *timeline) { t.Attempts[1].ManifestID = "" }),
			RuleManifest, "anmodning/manifest-2.xml", "no digest to compare"},
		"a manifest of tomorrow": {func(d *gateway.Dossier) { d.Evidence[1].SignedAt = clock.AddDate(0, 0, 1) }, untouched,
			RuleManifest, "anmodning/manifest-2.xml", "no time before"},
		"a manifest that is no signature": {func(d *gateway.Dossier) { d.Evidence[1].XML = []byte("<x/>") }, untouched,
			RuleManifest, "anmodning/manifest-2.xml", "certificate"},
		"a manifest left out": {func(d *gateway.Dossier) { d.Evidence = d.Evidence[:1] }, untouched,
			RuleManifest, "svar/forsoeg-2.json", "not in the container"},
		"a certificate that is none": {same, replaced(nameSigner, []byte("hello")), RuleManifest, "anmodning/manifest-1.xml", "not a certificate"},
		"an attempt retold":          {same, retold(func(t *timeline) { t.Attempts[0].Code = "200" }), RuleAnswer, "svar/forsoeg-1.json", "timeline"},
		"an answer left out": {same, func(_ *builder, files []asice.File) []asice.File {
			return slices.DeleteFunc(files, func(f asice.File) bool { return f.Name == "svar/forsoeg-1-svar.xml" })
		}, RuleAnswer, "svar/forsoeg-1-svar.xml", "not in the container"},
		"a file that the timeline does not tell of": {same, func(_ *builder, files []asice.File) []asice.File {
			return append(files, asice.Bytes("svar/forsoeg-9.json", "text/plain", nil))
		}, RuleTimeline, nameTimeline, "not those of the container"},
		"a timeline of another format": {same, retold(func(t *timeline) { t.Format = "brevdue-evidence/2" }), RuleTimeline, nameTimeline, "format"},
		"a timeline that is no JSON":   {same, replaced(nameTimeline, []byte("hello")), RuleTimeline, nameTimeline, "JSON"},
		"a timeline of a million attempts": {same, replaced(nameTimeline, []byte(`{"attempts":[`+strings.Repeat("0,", 1_000_000)+`0]}`)),
			RuleTimeline, nameTimeline, "elements"},
		"a timeline of 9 MB": {same, replaced(nameTimeline, make([]byte, 9<<20)), RuleTimeline, nameTimeline, "larger"},
		"a file name that no container can have": {same, retold(func(t *timeline) { t.Attempts[0].File = "\x1b]0;owned\x07" }),
			RuleAnswer, nameTimeline, "not in the container"},
		"no timeline": {same, func(_ *builder, files []asice.File) []asice.File {
			return slices.Delete(files, 1, 2)
		}, RuleTimeline, nameTimeline, "not in the container"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dossier(t)
			c.dossier(d)
			r := verify(t, forge(t, d, c.files))
			if !slices.ContainsFunc(r.Failures(), func(f Check) bool {
				return f.Rule == c.rule && f.File == c.file && strings.Contains(f.Text, c.text)
			}) {
				t.Errorf("want %s of %s with %q among %+v", c.rule, c.file, c.text, r.Failures())
			}
			if c.rule == RuleDelivery && c.file == nameTimeline && !r.Delivered.IsZero() {
				t.Errorf("the report tells of delivery at %s", r.Delivered)
			}
			for _, check := range r.Checks {
				if strings.Contains(check.Text, letterCPR) || strings.Contains(check.Text, "Nancy") {
					t.Errorf("a check holds personal data: %s", check.Text)
				}
			}
		})
	}
}

// What a stranger signed may be shown on a terminal.
func TestAReportCanBePrinted(t *testing.T) {
	t.Parallel()
	const escape = "\x1b[2J\u202e"
	r := verify(t, forge(t, dossier(t), retold(func(t *timeline) {
		t.Message.ID, t.Message.MessageUUID, t.Attempts[0].File, t.Attempts[1].Answer = escape, strings.Repeat("x", 1000), escape, escape
		t.Manifests[0].File, t.Manifests[1].Certificate, t.Receipts[0].File, t.Request.File = escape, escape, escape, escape
	})))
	if r.OK() || len(r.MessageUUID) > 500 {
		t.Errorf("%+v", r)
	}
	for _, text := range append(strings.Fields(r.MessageID), r.Signer) {
		if strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("%q", text)
		}
	}
	for _, c := range r.Checks {
		if strings.ContainsAny(c.File+c.Text, "\x1b\u202e") {
			t.Errorf("%q %q", c.File, c.Text)
		}
	}
}

func TestNobodyIsTrustedUnlessARootIsGiven(t *testing.T) {
	t.Parallel()
	container := write(t, dossier(t), options())
	for name, trust := range map[string]Trust{"no root": {}, "another root": {Roots: others().pool}} {
		r, err := Verify(t.Context(), bytes.NewReader(container), int64(len(container)), trust)
		if err != nil {
			t.Fatal(err)
		}
		failures := r.Failures()
		if r.OK() || failures[0].Rule != asice.RuleChain {
			t.Errorf("%s: %+v", name, failures)
		}
	}
}

func TestWhatIsNoContainerIsNamedSo(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "hello", strings.Repeat("PK\x05\x06", 100), "<kombi_request/>"} {
		r := verify(t, []byte(content))
		if r.OK() || len(r.Checks) != 1 || r.Checks[0].File != asice.Structure {
			t.Errorf("%.10q: %+v", content, r)
		}
	}
	if new(Report).OK() {
		t.Error("a report of nothing is OK")
	}
}

func TestReadingErrorsAreNoVerdict(t *testing.T) {
	t.Parallel()
	gone := errors.New("the share is gone")
	container := write(t, dossier(t), options())
	reads := 0
	count := readerAt(func(p []byte, at int64) (int, error) { reads++; return bytes.NewReader(container).ReadAt(p, at) })
	if _, err := Verify(t.Context(), count, int64(len(container)), Trust{Roots: ours().pool}); err != nil {
		t.Fatal(err)
	}
	for left := range reads {
		n := 0
		broken := readerAt(func(p []byte, at int64) (int, error) {
			if n++; n > left {
				return 0, gone
			}
			return bytes.NewReader(container).ReadAt(p, at)
		})
		if r, err := Verify(t.Context(), broken, int64(len(container)), Trust{Roots: ours().pool}); !errors.Is(err, gone) {
			t.Errorf("after %d of %d reads: %+v, %v", left, reads, r, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if _, err := Verify(ctx, count, int64(len(container)), Trust{}); !errors.Is(err, gone) {
		t.Errorf("err = %v, want the cause", err)
	}
}

type readerAt func(p []byte, at int64) (int, error)

func (f readerAt) ReadAt(p []byte, at int64) (int, error) { return f(p, at) }

// FuzzTimeline lets a dishonest signer write any timeline.
func FuzzTimeline(f *testing.F) {
	f.Add([]byte(contents(f, write(f, dossier(f), options()))[nameTimeline]))
	f.Add([]byte(`{"format":"brevdue-evidence/1","delivered":{},"receipts":[{}],"attempts":[{}],"manifests":[{}],"request":{}}`))
	d := dossier(f)
	f.Fuzz(func(t *testing.T, record []byte) {
		r := verify(t, forge(t, d, replaced(nameTimeline, record)))
		if len(r.Checks) == 0 {
			t.Fatal("nothing was looked at")
		}
	})
}
