package sf1601test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// letter is what is remembered of one messageUUID, or of one
// AfsendelseIdentifikator for Fysisk Post.
type letter struct {
	Message
	outer       []string // its keys in book.shipments
	unavailable int      // times 9990 was answered 503
	refusedWith string   // the access token 9985 was refused with
}

// book remembers the letters that arrived, in order and bounded, and counts.
type book struct {
	mu      sync.Mutex
	max     int
	letters map[string]*letter // by key
	byID    map[string]string  // messageID -> the first messageUUID that had it
	// shipments is what has one AfsendelseIdentifikator for life, see outer, and
	// the AfsendelseIdentifikator itself with the key of its letter.
	shipments map[string]string
	order     []*letter // by Seq, without gaps
	seq       int64
	stats     Stats
	changed   signal
}

func newBook(maxLetters int, started time.Time, seed uint64) *book {
	return &book{
		max: maxLetters, letters: map[string]*letter{}, byID: map[string]string{}, shipments: map[string]string{},
		stats: Stats{
			Started: started, Seed: seed, Requests: map[string]int64{}, Outcomes: map[string]int64{}, Channels: map[string]int64{},
		},
	}
}

// update runs f under the lock and wakes who waits.
func (b *book) update(f func(*Stats)) {
	b.mu.Lock()
	f(&b.stats)
	b.mu.Unlock()
	b.changed.fire()
}

// arrived notes a call that brought a well-formed letter and returns its
// record. The record's fields are guarded by b.mu.
func (b *book) arrived(req *request, transaction string) *letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := req.Message
	key := m.key()
	l := b.letters[key]
	if l == nil {
		b.seq++
		m.Seq = b.seq
		l = &letter{Message: m}
		b.letters[key] = l
		b.order = append(b.order, l)
		if m.MessageID != "" {
			if first, seen := b.byID[m.MessageID]; !seen {
				b.byID[m.MessageID] = key
			} else if first != key {
				b.stats.TwoIdentities++
			}
		}
		b.forget()
	}
	if req.printable() {
		b.shipment(l, req, transaction)
	}
	l.Attempts++
	if len(l.TransactionIDs) < 8 && !slices.Contains(l.TransactionIDs, transaction) {
		l.TransactionIDs = append(l.TransactionIDs, transaction)
	}
	return l
}

// key is what a letter is known by.
func (m *Message) key() string {
	if m.KombiValgKode == ValgFysiskPost {
		return shipmentKey(m.AfsendelseIdentifikator)
	}
	return strings.ToLower(m.MessageUUID)
}

// shipmentKey is an AfsendelseIdentifikator as a key, which no messageUUID is.
func shipmentKey(afsendelse string) string { return "shipment " + strings.ToLower(afsendelse) }

// shipment notes what belongs to one AfsendelseIdentifikator for life, and
// counts a letter for which it changed: the AfsendelseIdentifikator of a
// transaction, of a document and of a MeMo, and the letter of an
// AfsendelseIdentifikator.
func (b *book) shipment(l *letter, req *request, transaction string) {
	id := shipmentKey(req.AfsendelseIdentifikator)
	transaction, _, _ = strings.Cut(strings.ToLower(transaction), ".")
	outer := map[string]string{id: req.key(), "transaction " + transaction: id}
	if req.shipment.documentID != "" {
		outer["document "+req.shipment.documentID] = id
	}
	if req.MessageUUID != "" {
		outer["message "+strings.ToLower(req.MessageUUID)] = id
	}
	lost := false
	for key, identity := range outer {
		first, seen := b.shipments[key]
		if !seen {
			b.shipments[key] = identity
			l.outer = append(l.outer, key)
		}
		lost = lost || seen && first != identity
	}
	if lost {
		b.stats.TwoIdentities++
	}
}

// forget drops the oldest letter when there is one too many.
func (b *book) forget() {
	if len(b.order) <= b.max {
		return
	}
	old := b.order[0]
	b.order[0] = nil
	b.order = b.order[1:] // append moves the slice now and then, so the head is freed
	key := old.key()
	delete(b.letters, key)
	for _, outer := range old.outer {
		delete(b.shipments, outer)
	}
	if b.byID[old.MessageID] == key {
		delete(b.byID, old.MessageID)
	}
}

// accept books l as accepted unless it was before; first says which. A new
// letter needs room; ok is false when there is none.
func (b *book) accept(l *letter, transmission string, now time.Time, room func() bool) (id string, first, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l.Accepted {
		b.stats.Duplicates++
		return l.TransmissionID, false, true
	}
	if !room() {
		return "", false, false
	}
	l.Accepted, l.TransmissionID, l.AcceptedAt = true, transmission, now
	b.stats.Letters++
	b.stats.Channels[l.Channel]++
	if l.AfsendelseIdentifikator != "" {
		b.stats.Shipments++
	}
	if l.Finding != nil {
		b.stats.Invalid++
	}
	return transmission, true, true
}

// settled notes that the last status of a letter was acknowledged.
func (b *book) settled(l *letter, now time.Time) {
	b.mu.Lock()
	l.SettledAt = now
	b.stats.Settled++
	b.mu.Unlock()
	b.changed.fire()
}

// copyStats is a snapshot that shares nothing.
func (b *book) copyStats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stats
	s.Requests, s.Outcomes, s.Channels = maps.Clone(s.Requests), maps.Clone(s.Outcomes), maps.Clone(s.Channels)
	return s
}

// page is up to limit letters with a Seq above after.
func (b *book) page(after int64, limit int) []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.order) == 0 || limit <= 0 {
		return nil
	}
	from := max(after+1-b.order[0].Seq, 0)
	if from >= int64(len(b.order)) {
		return nil
	}
	part := b.order[from:min(from+int64(limit), int64(len(b.order)))]
	out := make([]Message, len(part))
	for i, l := range part {
		out[i] = l.Message
		out[i].TransactionIDs = slices.Clone(l.TransactionIDs)
	}
	return out
}

// get is the letter with messageUUID uuid.
func (b *book) get(uuid string) (Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.copy(strings.ToLower(uuid))
}

// getShipment is the letter with that AfsendelseIdentifikator.
func (b *book) getShipment(afsendelse string) (Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.copy(b.shipments[shipmentKey(afsendelse)])
}

// copy is the letter with that key, sharing nothing.
func (b *book) copy(key string) (Message, bool) {
	l, ok := b.letters[key]
	if !ok {
		return Message{}, false
	}
	m := l.Message
	m.TransactionIDs = slices.Clone(l.TransactionIDs)
	return m, true
}
