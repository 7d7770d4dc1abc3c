package sf1606test

import (
	crand "crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// LettersConfig says whom inbound post is for.
type LettersConfig struct {
	CVR           string // of the authority; empty means 55133018
	Name          string // of the authority; empty means Testby Kommune
	ContactPoints []memo.ContactPoint
	Version       memo.Version     // empty means 1.2
	Now           func() time.Time // nil means time.Now
	Random        io.Reader        // of UUIDs; nil means crypto/rand
	Seed          uint64           // of what is picked; zero means 1
}

// Letters makes inbound post. It is safe for concurrent use.
type Letters struct {
	cfg LettersConfig
	mu  sync.Mutex
	rng *rand.Rand
}

// NewLetters makes a maker of letters.
func NewLetters(cfg LettersConfig) *Letters {
	orDefault(&cfg.CVR, "55133018")
	orDefault(&cfg.Name, "Testby Kommune")
	orDefault(&cfg.Version, memo.V1_2)
	orDefault(&cfg.Seed, 1)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = crand.Reader
	}
	if len(cfg.ContactPoints) == 0 {
		cfg.ContactPoints = contactPoints()
	}
	return &Letters{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, cfg.Seed))} //nolint:gosec // a simulation, repeatable by seed
}

func orDefault[T comparable](v *T, fallback T) {
	var zero T
	if *v == zero {
		*v = fallback
	}
}

// New is a letter that a citizen wrote, of about size bytes of XML: never more unless size is below the smallest letter,
// about 1.5 KB, and less by at most six.
func (l *Letters) New(size int64) *memo.Message {
	m := l.blank()
	s := pick(l, subjects)
	m.Header.Label = s.label
	if s.kle != "" {
		m.Header.ContentData = &memo.ContentData{KLEdata: &memo.KLEdata{SubjectKey: s.kle, Version: "Maj 2018", Label: s.label}}
	}
	l.fill(m, size)
	return m
}

// Reply is the answer of the recipient of m: ReplyData has one entry for m behind those of m itself, with messageID, case,
// contact point, generating system and AdditionalReplyData as m gave them. [src: MEMO-1.1-XSD ReplyData]
func (l *Letters) Reply(m *memo.Message, size int64) *memo.Message {
	answer := l.blank()
	h, of := &answer.Header, m.Header
	h.Label = "SV: " + cut(of.Label, 250)
	h.Sender = l.sender(of.Recipient)
	h.Recipient = memo.Recipient{
		RecipientID: of.Sender.SenderID, IDType: of.Sender.IDType, Label: of.Sender.Label, ContactPoint: of.Sender.ContactPoint,
	}
	h.ContentData = of.ContentData
	h.ReplyData = slices.Clone(of.ReplyData)
	at := slices.IndexFunc(h.ReplyData, func(r memo.ReplyData) bool { return r.MessageUUID == of.MessageUUID })
	if at < 0 {
		r := memo.ReplyData{MessageUUID: of.MessageUUID}
		if n := len(h.ReplyData); n > 0 {
			last := h.ReplyData[n-1]
			r.ReplyUUID, r.CaseID, r.AdditionalReplyData = last.MessageUUID, last.CaseID, last.AdditionalReplyData
		}
		at, h.ReplyData = len(h.ReplyData), append(h.ReplyData, r)
	}
	complete(&h.ReplyData[at], of)
	l.fill(answer, size)
	return answer
}

// sender is who received a message, as one who writes now.
func (l *Letters) sender(r memo.Recipient) memo.Sender {
	return memo.Sender{SenderID: r.RecipientID, IDType: r.IDType, Label: orElse(r.Label, pick(l, names))}
}

// complete puts into r what m says of itself and r does not yet.
func complete(r *memo.ReplyData, of memo.MessageHeader) {
	orDefault(&r.MessageID, of.MessageID)
	orDefault(&r.SenderID, of.Sender.SenderID)
	orDefault(&r.RecipientID, of.Recipient.RecipientID)
	if c := of.ContentData; c != nil && c.CaseID != nil {
		orDefault(&r.CaseID, c.CaseID.CaseID)
	}
	if p := of.Sender.ContactPoint; p != nil {
		orDefault(&r.ContactPointID, p.ContactPointID)
	}
	if a := of.Sender.AttentionData; a != nil && a.GeneratingSystem != nil {
		orDefault(&r.GeneratingSystemID, a.GeneratingSystem.GeneratingSystemID)
	}
}

// Forward is m, forwarded by its recipient to the authority with a comment. [src: MEMO-1.1-XSD ForwardData]
func (l *Letters) Forward(m *memo.Message, size int64) *memo.Message {
	f := l.blank()
	f.Header.Label = "VS: " + cut(m.Header.Label, 250)
	f.Header.Sender = l.sender(m.Header.Recipient)
	created := l.cfg.Now()
	if m.Body != nil {
		created = m.Body.CreatedDateTime
	}
	f.Header.ForwardData = &memo.ForwardData{
		MessageUUID: m.Header.MessageUUID, OriginalMessageDateTime: created, OriginalSender: m.Header.Sender.Label,
		Comment: "Hermed videresendt. Venlig hilsen",
	}
	l.fill(f, size)
	return f
}

// blank is a letter from somebody to a contact point of the authority, without label and documents.
func (l *Letters) blank() *memo.Message {
	point := pick(l, l.cfg.ContactPoints)
	return &memo.Message{
		Version: l.cfg.Version,
		Header: memo.MessageHeader{
			MessageType: memo.DigitalPost, MessageUUID: l.uuid(), Reply: true, PostType: "MYNDIGHEDSPOST",
			Sender:    memo.Sender{SenderID: pick(l, persons), IDType: memo.CPR, Label: pick(l, names)},
			Recipient: memo.Recipient{RecipientID: l.cfg.CVR, IDType: memo.CVR, Label: l.cfg.Name, ContactPoint: &point},
		},
	}
}

const shareOfMain = 3 // from 64 KB a letter has an attachment, and a third of it is the letter itself

// fill gives the letter documents, so that its XML has size bytes.
func (l *Letters) fill(m *memo.Message, size int64) {
	file := func(name string) memo.File {
		return memo.File{EncodingFormat: "application/pdf", Filename: name, Language: "da", Content: Filler(0)}
	}
	m.Body = &memo.MessageBody{
		CreatedDateTime: l.cfg.Now(),
		MainDocument:    memo.MainDocument{Label: "Brev", Files: []memo.File{file("Brev.pdf")}},
	}
	if size >= 64<<10 {
		m.Body.AdditionalDocuments = []memo.AdditionalDocument{{Label: "Bilag", Files: []memo.File{file("Bilag til brev.pdf")}}}
	}
	raw := max((size-sizeOf(m))/4*3, 30)
	if len(m.Body.AdditionalDocuments) == 0 {
		m.Body.MainDocument.Files[0].Content = Filler(raw)
		return
	}
	first := raw / shareOfMain / 3 * 3
	m.Body.MainDocument.Files[0].Content = Filler(first)
	m.Body.AdditionalDocuments[0].Files[0].Content = Filler(raw - first)
}

// sizeOf is the length of the XML.
func sizeOf(m *memo.Message) int64 {
	d, err := m.Document()
	if err != nil {
		panic("sf1606test: a letter that cannot be written: " + err.Error()) // of our own making
	}
	return d.Size()
}

// uuid is a UUID of version 4. Running out of randomness is not survivable for a simulator.
func (l *Letters) uuid() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b [16]byte
	if _, err := io.ReadFull(l.cfg.Random, b[:]); err != nil {
		panic("sf1606test: no randomness: " + err.Error())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return fmt.Sprintf("%s-%s-%s-%s-%s", s[:8], s[8:12], s[12:16], s[16:20], s[20:])
}

func pick[T any](l *Letters, list []T) T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return list[l.rng.IntN(len(list))]
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// cut keeps at most n characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

var _ xmlstream.Content = filler(0)
