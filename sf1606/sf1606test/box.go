package sf1606test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1606"
)

// Box is a sink in memory that keeps count. The hooks, which may be nil, are set before it is used; an error of one is
// what the sink answers, a panic is its own.
type Box struct {
	Keep       bool // keep contents and the XML, not only their sizes and hashes
	OnKnown    func(ctx context.Context, messageUUID string) error
	OnBegin    func(ctx context.Context, a sf1606.Arrival) error
	OnDocument func(ctx context.Context, f memo.FileInfo) error
	OnCommit   func(ctx context.Context, meta sf1606.Meta) error
	OnRecord   func(p []byte) error

	mu       sync.Mutex
	messages []Boxed
	byUUID   map[string]int
	stats    BoxStats
}

// Boxed is one message that was committed.
type Boxed struct {
	Message   *memo.Message
	Meta      sf1606.Meta
	Documents []BoxedDocument
	XMLSize   int64  // as it was recorded
	XML       []byte // with Box.Keep
}

// BoxedDocument is one file as it came.
type BoxedDocument struct {
	File    memo.FileInfo
	Size    int64
	SHA256  [sha256.Size]byte
	Content []byte // with Box.Keep
}

// BoxStats count deliveries. Begun is Committed + Doubled + Aborted + Open.
type BoxStats struct {
	Known     int // asked, and there
	Begun     int
	Committed int // stored
	Doubled   int // Commit of a messageUUID that was stored meanwhile
	Aborted   int
	Open      int // neither committed nor aborted
	Misused   int // calls that the contract of Delivery forbids
}

var _ sf1606.Sink = (*Box)(nil)

// Known is sf1606.Sink's.
func (b *Box) Known(ctx context.Context, messageUUID string) (sf1606.Receipt, bool, error) {
	if b.OnKnown != nil {
		if err := b.OnKnown(ctx, messageUUID); err != nil {
			return sf1606.Receipt{}, false, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	i, found := b.byUUID[messageUUID]
	if !found {
		return sf1606.Receipt{}, false, nil
	}
	b.stats.Known++
	return b.messages[i].Meta.Receipt, true, nil
}

// Begin is sf1606.Sink's.
func (b *Box) Begin(ctx context.Context, a sf1606.Arrival) (sf1606.Delivery, error) {
	if b.OnBegin != nil {
		if err := b.OnBegin(ctx, a); err != nil {
			return nil, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.Begun++
	b.stats.Open++
	return &boxDelivery{box: b}, nil
}

// Messages are those that were committed, in order.
func (b *Box) Messages() []Boxed {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.messages)
}

// Message is the one with that messageUUID, in lower case.
func (b *Box) Message(messageUUID string) (Boxed, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, found := b.byUUID[messageUUID]
	if !found {
		return Boxed{}, false
	}
	return b.messages[i], true
}

// Stats are the counts so far.
func (b *Box) Stats() BoxStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stats
}

type boxDelivery struct {
	box       *Box
	documents []BoxedDocument
	xml       bytes.Buffer
	xmlSize   int64
	ended     bool
}

var _ sf1606.Recorder = (*boxDelivery)(nil)

// Record is sf1606.Recorder's.
func (d *boxDelivery) Record() io.Writer { return boxRecord{d} }

type boxRecord struct{ d *boxDelivery }

// Write keeps a piece of the XML.
func (r boxRecord) Write(p []byte) (int, error) {
	if r.d.box.OnRecord != nil {
		if err := r.d.box.OnRecord(p); err != nil {
			return 0, err
		}
	}
	r.d.xmlSize += int64(len(p))
	if !r.d.box.Keep {
		return len(p), nil
	}
	return r.d.xml.Write(p)
}

var errMisused = errors.New("sf1606test: a delivery is used after its end")

func (d *boxDelivery) misused() error {
	if !d.ended {
		return nil
	}
	d.box.mu.Lock()
	defer d.box.mu.Unlock()
	d.box.stats.Misused++
	return errMisused
}

// Document is sf1606.Delivery's.
func (d *boxDelivery) Document(ctx context.Context, f memo.FileInfo, content io.Reader) error {
	if err := d.misused(); err != nil {
		return err
	}
	if d.box.OnDocument != nil {
		if err := d.box.OnDocument(ctx, f); err != nil {
			return err
		}
	}
	doc, sum := BoxedDocument{File: f}, sha256.New()
	var err error
	if d.box.Keep {
		doc.Content, err = io.ReadAll(io.TeeReader(content, sum))
		doc.Size = int64(len(doc.Content))
	} else {
		doc.Size, err = io.Copy(sum, content)
	}
	if err != nil {
		return err
	}
	sum.Sum(doc.SHA256[:0])
	d.documents = append(d.documents, doc)
	return nil
}

// Commit is sf1606.Delivery's.
func (d *boxDelivery) Commit(ctx context.Context, m *memo.Message, meta sf1606.Meta) (sf1606.Receipt, error) {
	if err := d.misused(); err != nil {
		return sf1606.Receipt{}, err
	}
	b := d.box
	if b.OnCommit != nil {
		if err := b.OnCommit(ctx, meta); err != nil {
			return sf1606.Receipt{}, fmt.Errorf("sf1606test: commit: %w", err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	d.ended = true
	b.stats.Open--
	if i, found := b.byUUID[meta.MessageUUID]; found {
		b.stats.Doubled++
		return b.messages[i].Meta.Receipt, nil
	}
	if b.byUUID == nil {
		b.byUUID = map[string]int{}
	}
	b.byUUID[meta.MessageUUID] = len(b.messages)
	b.messages = append(b.messages, Boxed{Message: m, Meta: meta, Documents: d.documents, XMLSize: d.xmlSize, XML: d.xml.Bytes()})
	b.stats.Committed++
	return meta.Receipt, nil
}

// Abort is sf1606.Delivery's.
func (d *boxDelivery) Abort(context.Context, error) {
	if d.misused() != nil {
		return
	}
	d.ended = true
	d.box.mu.Lock()
	defer d.box.mu.Unlock()
	d.box.stats.Open--
	d.box.stats.Aborted++
}
