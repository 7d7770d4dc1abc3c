package inbound

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/hygiene"
	"github.com/brevdue/brevdue/gateway/routing"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1606"
)

// CodeMalware begins the flag of a document in which the scanner found something.
const CodeMalware = "malware"

var _ sf1606.Sink = (*Service)(nil)

// Known implements sf1606.Sink.
func (s *Service) Known(ctx context.Context, messageUUID string) (sf1606.Receipt, bool, error) {
	_, raw, err := s.cfg.Journal.PostReceipt(ctx, messageUUID)
	if errors.Is(err, gateway.ErrNotFound) {
		return sf1606.Receipt{}, false, nil
	}
	if err != nil {
		return sf1606.Receipt{}, false, fmt.Errorf("look for an earlier receipt: %w", err)
	}
	var r sf1606.Receipt
	if err := json.Unmarshal(raw, &r); err != nil {
		return sf1606.Receipt{}, false, fmt.Errorf("read the earlier receipt: %w", err)
	}
	return r, true, nil
}

// Begin implements sf1606.Sink.
func (s *Service) Begin(ctx context.Context, a sf1606.Arrival) (sf1606.Delivery, error) {
	d := &delivery{service: s, arrival: a}
	d.record(ctx)
	return d, nil
}

// delivery is one message on its way in.
type delivery struct {
	service   *Service
	arrival   sf1606.Arrival
	recorder  *io.PipeWriter
	recorded  chan staging // one answer: the XML as it came
	xml       Staged       // once it was taken from recorded
	documents []gateway.PostDocument
	staged    []Staged
	names     hygiene.Names
	found     []string // codes of everything that was found
	flagged   bool     // some of it flags a document
	malware   bool
}

// staging is how the staging of the XML ended.
type staging struct {
	doc Staged
	err error
}

// record begins to stage the XML beside its documents.
func (d *delivery) record(ctx context.Context) {
	r, w := io.Pipe()
	d.recorder, d.recorded = w, make(chan staging, 1)
	go func() {
		doc, err := d.service.cfg.Documents.Stage(ctx, r, 2*memo.MaxSize)
		if err != nil {
			_ = r.CloseWithError(err) // never fails
			d.recorded <- staging{nil, err}
			return
		}
		d.recorded <- staging{doc, nil}
	}()
}

// Record implements sf1606.Recorder.
func (d *delivery) Record() io.Writer { return d.recorder }

// Document implements sf1606.Delivery.
func (d *delivery) Document(ctx context.Context, f memo.FileInfo, content io.Reader) error {
	scan := hygiene.NewScanner(f.Filename, f.EncodingFormat, d.service.cfg.Hygiene)
	doc, err := d.service.cfg.Documents.Stage(ctx, io.TeeReader(content, scan), gateway.MaxDocument)
	if err != nil {
		return fmt.Errorf("stage a document: %w", err)
	}
	d.staged = append(d.staged, doc)
	report, err := inspected(ctx, scan, doc)
	if err != nil {
		return err
	}
	flags := make([]string, 0, len(report.Reasons))
	for _, r := range report.Reasons {
		flags = append(flags, string(r.Code))
	}
	d.documents = append(d.documents, gateway.PostDocument{
		StoredFile: gateway.StoredFile{SHA256: doc.SHA256(), Size: doc.Size()},
		Kind:       kindOf(f), Filename: f.Filename, SafeName: d.names.Take(cmp.Or(f.Filename, "dokument")),
		DeclaredType: f.EncodingFormat, RealType: report.Real, Language: f.Language, Flags: none(flags),
	})
	d.note(flags...)
	d.flagged = d.flagged || report.Verdict() == hygiene.Flagged
	return nil
}

// inspected ends an inspection; the directory of an archive is read where the store can seek.
func inspected(ctx context.Context, scan *hygiene.Scanner, doc Staged) (hygiene.Report, error) {
	file, err := doc.Open(ctx)
	if err != nil {
		return hygiene.Report{}, fmt.Errorf("inspect a document: %w", err)
	}
	defer func() { _ = file.Close() }()
	at, _ := file.(io.ReaderAt)
	return scan.Report(at), nil
}

// kindOf names the document that a file belongs to.
func kindOf(f memo.FileInfo) string {
	switch f.Document {
	case memo.KindAdditional:
		return "additional"
	case memo.KindTechnical:
		return "technical"
	case memo.KindMain:
		return "main"
	default:
		return "main"
	}
}

// none keeps an empty list nil, as the journal gives it back.
func none(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

func (d *delivery) note(codes ...string) {
	for _, c := range codes {
		if !slices.Contains(d.found, c) {
			d.found = append(d.found, c)
		}
	}
}

// quarantined says whether the post must wait for a person.
func (d *delivery) quarantined() bool {
	return d.malware || d.flagged && d.service.cfg.OnFlag != Deliver
}

// Commit implements sf1606.Delivery.
func (d *delivery) Commit(ctx context.Context, m *memo.Message, meta sf1606.Meta) (sf1606.Receipt, error) {
	if err := d.finishRecord(); err != nil {
		return sf1606.Receipt{}, err
	}
	if err := d.scan(ctx); err != nil {
		return sf1606.Receipt{}, err
	}
	p, receipt, err := d.post(ctx, m, meta)
	if err != nil {
		return sf1606.Receipt{}, err
	}
	for _, doc := range append(d.staged, d.xml) {
		if err := doc.Keep(ctx); err != nil {
			return sf1606.Receipt{}, fmt.Errorf("keep a document: %w", err)
		}
	}
	inserted, err := d.service.insert(ctx, p, receipt)
	if err != nil {
		return sf1606.Receipt{}, err
	}
	if !inserted { // the same message came twice at once; the other one was first
		known, _, err := d.service.Known(ctx, p.MessageUUID)
		return known, err
	}
	d.service.enqueue(ctx, p)
	d.service.cfg.Logger.InfoContext(ctx, "post received", "post", p.ID, "source", string(p.Source), "state", string(p.State),
		"rule", p.Rule, "target", p.Target, "bytes", p.Memo.Size, "documents", len(p.Documents))
	return receipt, nil
}

// finishRecord ends the staging of the XML.
func (d *delivery) finishRecord() error {
	_ = d.recorder.Close() // never fails
	s := <-d.recorded
	if s.err != nil {
		d.recorded <- s // for Abort
		return fmt.Errorf("stage the message: %w", s.err)
	}
	d.xml = s.doc
	return nil
}

// scan asks the virus scanner about every document. One that does not answer keeps the message out: its sender will come
// again.
func (d *delivery) scan(ctx context.Context) error {
	if d.service.cfg.Scanner == nil {
		return nil
	}
	for n, doc := range d.staged {
		found, err := d.scanOne(ctx, doc)
		if err != nil {
			return fmt.Errorf("scan a document for malware: %w", err)
		}
		if found != "" {
			d.documents[n].Flags = append(d.documents[n].Flags, CodeMalware)
			d.note(CodeMalware)
			d.malware = true
		}
	}
	return nil
}

func (d *delivery) scanOne(ctx context.Context, doc Staged) (string, error) {
	file, err := doc.Open(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	return d.service.cfg.Scanner.Scan(ctx, file)
}

// post makes the post of a message that was read whole, and its receipt.
func (d *delivery) post(ctx context.Context, m *memo.Message, meta sf1606.Meta) (*gateway.Post, sf1606.Receipt, error) {
	s, receipt := d.service, meta.Receipt
	answers, err := s.correlate(ctx, m)
	if err != nil {
		return nil, receipt, err
	}
	var c routing.Correlation
	if answers != nil {
		c = routing.Correlation{Ours: true, Producer: answers.Producer}
	}
	facts := routing.FactsOf(m, c)
	raw, err := json.Marshal(facts) //nolint:musttag // read back into the same type
	if err != nil {
		return nil, receipt, fmt.Errorf("facts of a post: %w", err)
	}
	decision := s.cfg.Rules.Match(facts)
	now := s.cfg.Now()
	p := &gateway.Post{
		ID: s.cfg.NewID("inb"), MessageUUID: meta.MessageUUID, MessageID: m.Header.MessageID,
		TransmissionID: meta.TransmissionID, Source: source(meta.Source), ReceivedAt: now,
		State: gateway.PostQueued, DueAt: now, Memo: gateway.StoredFile{SHA256: d.xml.SHA256(), Size: d.xml.Size()},
		Documents: d.documents, Facts: raw, Answers: answers, Rule: decision.Rule, Target: decision.Target, Flags: none(d.found),
	}
	if d.quarantined() {
		p.State, p.DueAt = gateway.PostQuarantined, time.Time{}
		if s.cfg.OnFlag == Refuse {
			refused := sf1606.Refuse(sf1606.CodeQuarantine, nil)
			receipt.Status, receipt.ErrorCode, receipt.ErrorMessage = sf1606.StatusInvalid, refused.Code, refused.Text
		}
	}
	return p, receipt, nil
}

func source(s sf1606.Source) gateway.PostSource {
	if s == sf1606.SourceNgDP {
		return gateway.PostPulled
	}
	return gateway.PostPushed
}

// insert writes the post with its receipt. inserted is false when its messageUUID was here before.
func (s *Service) insert(ctx context.Context, p *gateway.Post, receipt sf1606.Receipt) (inserted bool, err error) {
	raw, err := json.Marshal(receipt)
	if err != nil {
		return false, fmt.Errorf("receipt of a post: %w", err)
	}
	err = s.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		var err error
		if inserted, err = tx.InsertPost(p, raw); err != nil || !inserted {
			return err
		}
		code, text := "received", "Goes to "+p.Target+"."
		if p.State == gateway.PostQuarantined {
			code, text = "quarantined", "Found: "+strings.Join(p.Flags, ", ")+"."
		}
		return s.event(tx, p, p.Target, code, text, "")
	})
	if err != nil {
		return false, fmt.Errorf("store a post: %w", err)
	}
	return inserted, nil
}

// correlate finds the letter of ours that a message answers, the latest one that it names. nil: none.
func (s *Service) correlate(ctx context.Context, m *memo.Message) (*gateway.Correlation, error) {
	for _, r := range m.Header.ReplyData {
		c, intent, err := s.find(ctx, strings.ToLower(r.MessageUUID))
		if err != nil {
			return nil, fmt.Errorf("find the letter that is answered: %w", err)
		}
		if c == nil {
			continue
		}
		i, err := s.cfg.Journal.Intent(ctx, intent)
		if err != nil {
			return nil, fmt.Errorf("read the letter that is answered: %w", err)
		}
		c.CaseID = i.Content.CaseID
		return c, nil
	}
	return nil, nil //nolint:nilnil // none is a valid answer
}

func (s *Service) find(ctx context.Context, messageUUID string) (*gateway.Correlation, string, error) {
	var c *gateway.Correlation
	err := s.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		c = nil
		id, err := tx.FindMessage(messageUUID, "", "")
		if err != nil {
			return err
		}
		m, err := tx.Message(id)
		if err != nil {
			return err
		}
		head, err := tx.IntentHead(m.IntentID)
		if err != nil {
			return err
		}
		c = &gateway.Correlation{Producer: head.Producer, IntentID: head.ID, Reference: head.Reference, MessageID: m.ID}
		return nil
	})
	if errors.Is(err, gateway.ErrNotFound) || err == nil && c == nil {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	return c, c.IntentID, nil
}

// Abort implements sf1606.Delivery.
func (d *delivery) Abort(ctx context.Context, cause error) {
	_ = d.recorder.CloseWithError(cmp.Or(cause, errAborted)) // never fails
	if d.xml == nil {
		if s := <-d.recorded; s.doc != nil {
			d.xml = s.doc
		}
	}
	docs := d.staged
	if d.xml != nil {
		docs = append(docs, d.xml)
	}
	for _, doc := range docs {
		if err := doc.Drop(); err != nil {
			d.service.cfg.Logger.ErrorContext(ctx, "a staged document was not removed", "error", err)
		}
	}
}

var errAborted = errors.New("the delivery was given up")
