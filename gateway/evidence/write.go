package evidence

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"time"

	_ "time/tzdata" // a container image without zone files must still tell Danish time

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/evidence/asice"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// MediaType is that of a container. [src: ASIC A.1]
const MediaType = "application/vnd.etsi.asic-e+zip"

// Filename is the name to save the evidence of a message under.
func Filename(messageID string) string { return safe(messageID, "message") + ".asice" }

// Options say who signs the evidence, and when.
type Options struct {
	// Certificate is the system certificate that signs, with its RSA key and what its chain needs below the root; required.
	Certificate tls.Certificate
	// Now tells the SigningTime; required.
	Now func() time.Time
	// Explain gives the Danish explanation of a raw code of the far end, "" for none. nil: none is known.
	Explain func(code string) string
}

// The names of the files that every container has, and the folders of the others.
const (
	namePage      = "kvittering.html"
	nameTimeline  = "tidslinje.json"
	folderRequest = "anmodning/"
	folderAnswer  = "svar/"
	folderReceipt = "kvitteringer/"
	folderCert    = "certifikater/"
	nameSigner    = folderCert + "underskrift.pem"
)

// Write writes the evidence of one message: everything in the dossier, signed. It reads the request twice, the first time
// before anything is written, so that a request which cannot be put together again is an error and not half a container;
// memory does not grow with it. The same dossier at the same second gives the same bytes.
func Write(ctx context.Context, w io.Writer, d *gateway.Dossier, opts Options) error {
	if d == nil || d.Intent == nil || opts.Now == nil {
		return errors.New("evidence: a dossier with its intent and a clock are required")
	}
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	b := builder{dossier: d, opts: opts, now: opts.Now().UTC().Truncate(time.Second), teller: teller{zone}}
	files, err := b.files()
	if err != nil {
		return err
	}
	if err := asice.Write(ctx, w, files, asice.Options{Certificate: opts.Certificate, At: b.now}); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return nil
}

// builder collects the files of one container.
type builder struct {
	teller
	dossier *gateway.Dossier
	opts    Options
	now     time.Time
	t       timeline
	rest    []asice.File // all but page and timeline
	about   []fileRecord
	told    []told
}

// files gives every file in its order: page and timeline first, though they are made last.
func (b *builder) files() ([]asice.File, error) {
	d := b.dossier
	b.t = timeline{
		Format: timelineFormat, Message: b.message(d), CreatedAt: b.moment(b.now),
		Sender:    party(d.Sender.CVR, d.Sender.Label),
		Recipient: party(d.Intent.Recipient.ID, d.Intent.Recipient.Name.Reveal()),
		Attempts:  []attemptRecord{}, Manifests: []manifestRecord{}, Receipts: []receiptRecord{}, Events: []eventRecord{},
	}
	b.request()
	manifests := b.manifests()
	if err := b.attempts(manifests); err != nil {
		return nil, err
	}
	b.receipts()
	for i := range d.Events {
		b.t.Events = append(b.t.Events, b.event(&d.Events[i]))
	}
	b.certificate(nameSigner, b.opts.Certificate.Certificate,
		"Certifikatet, som denne samling er underskrevet med, og dem det er udstedt under (uden rodcertifikatet).")
	if found := delivered(b.told); found != nil {
		b.t.Delivered = &deliveryRecord{At: b.moment(found.at), Kind: string(found.kind), Receipt: found.file}
	}
	b.t.Files = append([]fileRecord{
		{namePage, "Denne side: hvornår brevet var til rådighed for modtageren, og alt hvad der skete med det."},
		{nameTimeline, "Det samme som denne side, til programmer. Tider i UTC og i dansk tid."},
	}, b.about...)
	page, err := b.page()
	if err != nil {
		return nil, err
	}
	record, err := encode(b.t)
	if err != nil {
		return nil, err
	}
	if err := bounded(record); err != nil {
		return nil, err
	}
	return append([]asice.File{
		asice.Bytes(namePage, "text/html", page),
		asice.Bytes(nameTimeline, "application/json", record),
	}, b.rest...), nil
}

func (b *builder) add(f asice.File, about string) {
	b.rest = append(b.rest, f)
	b.about = append(b.about, fileRecord{f.Name, about})
}

// request takes in what was handed over.
func (b *builder) request() {
	r := b.dossier.Request
	if r == nil {
		return
	}
	media, _, err := mime.ParseMediaType(r.ContentType)
	if err != nil {
		media = "application/octet-stream"
	}
	name := folderRequest + safe(r.Name, "anmodning.bin")
	record := &requestRecord{File: name, Size: r.Size, SHA256: hex.EncodeToString(r.Digest[:]), Attempts: []string{}}
	for i := range b.dossier.Attempts {
		if a := &b.dossier.Attempts[i]; bytes.Equal(a.Digest, r.Digest[:]) {
			record.Attempts = append(record.Attempts, a.ID)
		}
	}
	b.t.Request = record
	b.add(asice.File{Name: name, MediaType: media, Open: r.Open},
		"Det, der blev sendt, byte for byte. Brevets filer står i det som base64.")
}

// manifests takes in the signatures that were made before anything left, and gives their files by id.
func (b *builder) manifests() map[string]string {
	files := map[string]string{}
	certificates := map[string]string{}
	for i, e := range b.dossier.Evidence {
		record := manifestRecord{ID: e.ID, File: fmt.Sprintf("%smanifest-%d.xml", folderRequest, i+1), SignedAt: b.moment(e.SignedAt)}
		files[e.ID] = record.File
		b.add(asice.Bytes(record.File, "text/xml", e.XML),
			"Underskrift på det, der blev sendt (og på breve, der blev underskrevet sammen med det), lavet før det blev sendt.")
		der := signer(e.XML)
		if der == nil {
			b.t.Manifests = append(b.t.Manifests, record)
			continue
		}
		if len(b.opts.Certificate.Certificate) > 0 && bytes.Equal(der, b.opts.Certificate.Certificate[0]) {
			certificates[string(der)] = nameSigner
		}
		if certificates[string(der)] == "" {
			name := fmt.Sprintf("%smanifest-%d.pem", folderCert, i+1)
			certificates[string(der)] = name
			b.certificate(name, [][]byte{der}, "Certifikatet, som "+record.File+" er underskrevet med.")
		}
		record.Certificate = certificates[string(der)]
		b.t.Manifests = append(b.t.Manifests, record)
	}
	return files
}

// attempts takes in each attempt, and the answer to it as it came.
func (b *builder) attempts(manifests map[string]string) error {
	for i := range b.dossier.Attempts {
		a := &b.dossier.Attempts[i]
		record := b.attempt(a)
		record.Manifest = manifests[a.ManifestID]
		if len(a.Answer) > 0 {
			ending, media := kindOf(a.Answer)
			record.Answer = fmt.Sprintf("%sforsoeg-%d-svar%s", folderAnswer, a.N, ending)
			b.add(asice.Bytes(record.Answer, media, a.Answer), fmt.Sprintf("Svaret på forsøg %d, som det kom.", a.N))
		}
		alone, err := encode(record)
		if err != nil {
			return err
		}
		b.add(asice.Bytes(record.File, "application/json", alone), fmt.Sprintf("Forsøg %d på at sende: tider, svar og koder.", a.N))
		b.t.Attempts = append(b.t.Attempts, record)
	}
	return nil
}

// receipts takes in each receipt as it was received.
func (b *builder) receipts() {
	for i := range b.dossier.Receipts {
		r := &b.dossier.Receipts[i]
		record := b.receipt(r)
		if len(r.Raw) > 0 {
			ending, media := kindOf(r.Raw)
			record.File = fmt.Sprintf("%s%02d-%s%s", folderReceipt, i+1, safe(r.ID, "kvittering"), ending)
			b.add(asice.Bytes(record.File, media, r.Raw), "Kvittering, som den blev modtaget: "+orDash(r.Status)+".")
			if besked, err := beskedfordeler.Decode(r.Raw); err == nil {
				record.Form = formBeskedfordeler
				b.told = append(b.told, newTold(record.File, besked))
			}
		}
		b.t.Receipts = append(b.t.Receipts, record)
	}
}

func (b *builder) certificate(name string, chain [][]byte, about string) {
	var text []byte
	for _, der := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	b.add(asice.Bytes(name, "application/x-pem-file", text), about)
}

// kindOf tells the ending and the media type of bytes that came from outside, as far as their beginning shows it.
func kindOf(b []byte) (ending, media string) {
	start := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\ufeff")), " \t\r\n")
	switch {
	case bytes.HasPrefix(start, []byte("<")):
		return ".xml", "text/xml"
	case bytes.HasPrefix(start, []byte("{")), bytes.HasPrefix(start, []byte("[")):
		return ".json", "application/json"
	default:
		return ".txt", "text/plain"
	}
}

// safe makes a file name of a name from outside: what cannot stand in one becomes an underscore.
func safe(name, instead string) string {
	name = strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
			return c
		default:
			return '_'
		}
	}, name)
	if name = strings.Trim(name[:min(len(name), 100)], ".-"); name == "" {
		return instead
	}
	return name
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
