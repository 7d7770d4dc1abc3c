package sf1606

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/brevdue/brevdue/sf1601/memo"
)

// reception is one message being read.
type reception struct {
	in       *Intake
	arrival  Arrival
	head     header
	known    *Receipt // what an earlier delivery of the same message was answered
	judged   bool
	delivery Delivery
	document *document // the last one
	sum      hash.Hash
	begun    []byte    // what was read before the delivery began: the header
	recorder io.Writer // nil: before that, and for a delivery that records nothing
	recorded error     // why recording failed
	size     int64
	notices  int
}

// maxBegun bounds what may stand before the first document, comments and white space included.
const maxBegun = 1 << 20

// errKnown ends the reading of a message that was received before.
var errKnown = errors.New("sf1606: received before")

func (r *reception) run(ctx context.Context, body io.Reader) (Receipt, error) {
	m, err := memo.Read(ctx, io.TeeReader(body, r), memo.ReadOptions{
		Sink: r, Limits: memo.ReadLimits{Size: r.in.MaxBytes},
		Notice: func(memo.Notice) { r.notices++ }, Observe: r.head.observe,
	})
	if r.known != nil {
		return *r.known, nil
	}
	if err != nil {
		return Receipt{}, err
	}
	h := m.Header
	r.head.uuid, r.head.id = h.MessageUUID, h.MessageID
	r.head.idType, r.head.recipient = string(h.Recipient.IDType), h.Recipient.RecipientID
	if err := r.open(ctx); err != nil {
		if r.known != nil {
			return *r.known, nil
		}
		return Receipt{}, err
	}
	return r.commit(ctx, m)
}

// commit makes the message durable, also when the sender has gone.
func (r *reception) commit(ctx context.Context, m *memo.Message) (Receipt, error) {
	meta := Meta{
		Arrival: r.arrival, MessageUUID: strings.ToLower(m.Header.MessageUUID), Size: r.size, Notices: r.notices,
		Receipt: r.in.receipt(r.arrival.TransmissionID, m.Header.MessageUUID, m.Header.MessageID),
	}
	r.sum.Sum(meta.SHA256[:0])
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.in.StoreTimeout)
	defer cancel()
	stored, err := r.delivery.Commit(ctx, m, meta)
	if err != nil {
		return Receipt{}, fmt.Errorf("commit: %w", err)
	}
	r.delivery = nil
	return stored, nil
}

// abort ends a delivery that was not committed.
func (r *reception) abort(ctx context.Context, cause error) {
	if r.document != nil { // ended already, but after a panic
		_ = r.document.CloseWithError(cause) // never fails
	}
	d := r.delivery
	if d == nil {
		return
	}
	r.delivery = nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.in.StoreTimeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			r.in.Logger.ErrorContext(ctx, "abort of a delivery failed", "source", r.arrival.Source, "err", panicked(v))
		}
	}()
	d.Abort(ctx, cause)
}

// Write counts, hashes and records what is read.
func (r *reception) Write(p []byte) (int, error) {
	r.size += int64(len(p))
	switch {
	case r.recorder != nil:
		if _, err := r.recorder.Write(p); err != nil {
			r.recorded = err
			return 0, err
		}
	case r.delivery == nil:
		if len(r.begun)+len(p) > maxBegun {
			return 0, &Refusal{Code: CodeMemoInvalid, Text: "Too much stands before the first document."}
		}
		r.begun = append(r.begun, p...)
	}
	return r.sum.Write(p)
}

// record begins to record, with what was read so far.
func (r *reception) record() error {
	begun := r.begun
	r.begun = nil
	d, ok := r.delivery.(Recorder)
	if !ok {
		return nil
	}
	w := d.Record()
	if w == nil {
		return nil
	}
	if _, err := w.Write(begun); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	r.recorder = w
	return nil
}

// open judges the message, once its header is known, and begins the delivery, once.
func (r *reception) open(ctx context.Context) error {
	if !r.judged {
		known, err := r.in.judge(ctx, r.head)
		if err != nil {
			return err
		}
		if r.judged = true; known != nil {
			r.known = known
			return errKnown
		}
	}
	if r.delivery != nil {
		return nil
	}
	d, err := r.in.Sink.Begin(ctx, r.arrival)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	r.delivery = d
	return r.record()
}

// File is memo.Sink: a document begins.
func (r *reception) File(ctx context.Context, f memo.FileInfo) (io.WriteCloser, error) {
	if !r.head.complete {
		// The order of the schema is enforced by Digital Post; a message in another could be judged only after its
		// documents. [src: MEMO-1.1-XSD Message]
		return nil, &Refusal{Code: CodeMemoInvalid, Text: "The MessageHeader must stand before the documents."}
	}
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	r.document = newDocument(ctx, r.delivery, f)
	return r.document, nil
}

// refusal says what an error means to the sender.
func (r *reception) refusal(err error) *Refusal {
	if refused, ok := errors.AsType[*Refusal](err); ok {
		return refused
	}
	read, ok := errors.AsType[*memo.ReadError](err)
	if !ok || r.recorded != nil {
		return Refuse(CodeUnavailable, err)
	}
	switch read.Reason {
	case memo.ReasonSize:
		return Refuse(CodeTooLarge, nil)
	case memo.ReasonRead:
		return Refuse(CodeUploadCut, read.Err)
	case memo.ReasonSink:
		return Refuse(CodeUnavailable, read.Err)
	case memo.ReasonTruncated:
		if r.arrival.Source == SourceNgDP { // an answer without a length ends where the connection does
			return Refuse(CodeUploadCut, nil)
		}
		return invalid(read)
	default:
		return invalid(read)
	}
}

// invalid says what is wrong with the XML, and where. The path is left out: unknown elements have names of the sender's.
func invalid(read *memo.ReadError) *Refusal {
	refused := Refuse(CodeMemoInvalid, nil)
	refused.Text = fmt.Sprintf("%s (%s, line %d, column %d)", sentence(read.Reason), read.Reason, read.Line, read.Column)
	return refused
}

// sentence is what a reason means, in public words.
func sentence(reason memo.ReadReason) string {
	switch reason {
	case memo.ReasonDTD:
		return "A document type declaration is not allowed."
	case memo.ReasonRoot:
		return "The root element is not Message in the namespace of MeMo."
	case memo.ReasonVersion:
		return "memoVersion must be 1.1 or 1.2."
	case memo.ReasonTruncated:
		return "The XML ends before its end."
	case memo.ReasonEncoding:
		return "The XML is not UTF-8."
	case memo.ReasonBase64:
		return "The content of a file is not base64."
	case memo.ReasonValue:
		return "A value is no boolean, time or date where one must be."
	case memo.ReasonDuplicate:
		return "An element stands twice where there is only one."
	case memo.ReasonDepth, memo.ReasonCount, memo.ReasonTag, memo.ReasonText:
		return "The XML exceeds a limit of what is read."
	case memo.ReasonSyntax, memo.ReasonTagMismatch, memo.ReasonCharacter, memo.ReasonPrefix, memo.ReasonAttribute,
		memo.ReasonEntity, memo.ReasonTrailing, memo.ReasonSecondRoot:
		return "The message is not well-formed XML."
	default:
		return "The message is not a MeMo that can be read."
	}
}

// header is what must be known before the documents are taken.
type header struct {
	uuid, id, idType, recipient string
	complete                    bool

	into *string // the leaf being read
}

// observe picks the leaves from the events of memo.Read.
func (h *header) observe(e memo.Event) {
	switch e.Kind {
	case memo.EventStart:
		h.into = nil
		if e.Ordinal == 0 || e.Depth > 4 {
			return
		}
		switch e.Path {
		case "MessageHeader/messageUUID":
			h.into = &h.uuid
		case "MessageHeader/messageID":
			h.into = &h.id
		case "MessageHeader/Recipient/idType":
			h.into = &h.idType
		case "MessageHeader/Recipient/recipientID":
			h.into = &h.recipient
		}
	case memo.EventText:
		if h.into != nil {
			*h.into += e.Text
		}
	case memo.EventEnd:
		h.into = nil
		if e.Depth == 2 && e.Path == "MessageHeader" {
			h.complete = true
		}
	case memo.EventDeclaration, memo.EventComment, memo.EventInstruction:
	}
}
