package gateway

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Accept checks a draft, gives each of its messages an identity, and stores everything in one transaction. When it
// returns without error the intent is durable and will be sent.
//
// existing is true when the producer has posted the same reference with the same body before; the earlier intent is
// returned. Errors: *Invalid with every problem found, ErrConflict for the same reference with another body.
func (g *Gateway) Accept(ctx context.Context, d Draft) (intent *Intent, existing bool, err error) {
	now := g.now()
	i := &Intent{
		ID: g.newID("int"), Producer: d.Producer, Reference: d.Reference, Fingerprint: d.Fingerprint,
		Sender: d.Sender, Recipient: d.Recipient, Routes: d.Routes, Content: d.Content,
		NotBefore: d.NotBefore.UTC(), Expires: d.Expires.UTC(), Window: d.Window, Dedupe: d.Dedupe,
		Priority: cmp.Or(d.Priority, Normal), Batch: d.Batch,
		Status: IntentAccepted, CreatedAt: now,
	}
	problems, err := g.takeDocuments(ctx, i, d.Documents)
	if err != nil {
		return nil, false, err
	}
	g.mintReservations(i)
	problems = append(problems, g.check(ctx, i, now)...)
	if problems = slices.Concat(d.Problems, problems); len(problems) > 0 {
		return g.repeated(ctx, d, &Invalid{Problems: problems})
	}
	if err := g.storeLarge(ctx, i, d.Documents); err != nil {
		return nil, false, err
	}
	g.mintMessages(i, now)
	if existing, err = g.insert(ctx, i); err != nil {
		return nil, false, err
	}
	if existing {
		earlier, err := g.journal.IntentView(ctx, d.Producer, i.ID)
		return earlier, true, err
	}
	for n := range i.Messages {
		g.enqueue(ctx, &i.Messages[n]) // the journal has it; a queue that does not is filled by Sweep
	}
	return i, false, nil
}

// repeated answers a draft that would be refused now but was accepted before: its deadline may have passed since, or the
// configuration changed. A repeated post is always answered with the intent that it made.
func (g *Gateway) repeated(ctx context.Context, d Draft, refusal *Invalid) (*Intent, bool, error) {
	var id string
	err := g.journal.Update(ctx, func(tx Tx) error {
		earlier, err := tx.IntentByReference(d.Producer, d.Reference)
		if err == nil && earlier.Fingerprint == d.Fingerprint {
			id = earlier.ID
		}
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, false, err
	}
	if id == "" {
		return nil, false, refusal
	}
	intent, err := g.journal.IntentView(ctx, d.Producer, id)
	return intent, true, err
}

// insert stores i and its messages, or finds the earlier intent with the same reference and puts its id into i.
func (g *Gateway) insert(ctx context.Context, i *Intent) (existing bool, err error) {
	id, messages := i.ID, i.Messages
	err = g.journal.Update(ctx, func(tx Tx) error {
		existing = false
		i.ID, i.Status, i.DiscardedBy, i.FinalAt, i.Messages = id, IntentAccepted, "", time.Time{}, messages
		if i.Dedupe != "" {
			waiting, err := tx.WaitingDuplicate(i.Producer, i.Dedupe)
			if err != nil {
				return err
			}
			if waiting != "" {
				i.Status, i.DiscardedBy, i.FinalAt, i.Messages = IntentDiscarded, waiting, i.CreatedAt, nil
			}
		}
		if i.Status != IntentDiscarded {
			i.Status = DeriveStatus(i.Messages)
		}
		inserted, err := tx.InsertIntent(i)
		if err != nil {
			return err
		}
		if !inserted {
			earlier, err := tx.IntentByReference(i.Producer, i.Reference)
			if err != nil {
				return notFound(err, "reference", "given")
			}
			if !bytes.Equal(earlier.Fingerprint[:], i.Fingerprint[:]) {
				return ErrConflict
			}
			existing, i.ID = true, earlier.ID
			return nil
		}
		return g.insertMessages(tx, i)
	})
	return existing, err
}

func (g *Gateway) insertMessages(tx Tx, i *Intent) error {
	for n := range i.Messages {
		m := &i.Messages[n]
		if err := tx.InsertMessage(m); err != nil {
			return err
		}
		if err := tx.InsertEvent(&Event{
			At: i.CreatedAt, Producer: i.Producer, IntentID: i.ID, Reference: i.Reference,
			MessageID: m.ID, Channel: m.Channel, Status: m.State, IntentStatus: i.Status,
		}); err != nil {
			return err
		}
	}
	if i.Status != IntentDiscarded {
		return nil
	}
	return tx.InsertEvent(&Event{
		At: i.CreatedAt, Producer: i.Producer, IntentID: i.ID, Reference: i.Reference,
		Status: MessageState(IntentDiscarded), IntentStatus: IntentDiscarded,
		Code: "dedupe.waiting", Text: i.DiscardedBy,
	})
}

// mintMessages makes the first message of every leg, with the identity it keeps on every attempt.
func (g *Gateway) mintMessages(i *Intent, now time.Time) {
	i.Messages = make([]Message, 0, len(i.Routes))
	for leg := range i.Routes {
		i.Messages = append(i.Messages, g.mint(i, leg, 0, i.NotBefore, now))
	}
}

// mint makes a message of the intent with a fresh identity, for a step of a leg. It is due now, or at
// notBefore, or when its window opens after that.
func (g *Gateway) mint(i *Intent, leg, step int, notBefore, now time.Time) Message {
	m := Message{
		ID: g.newID("msg"), IntentID: i.ID, Leg: leg, Step: step, Channel: i.Routes[leg][step], Priority: i.Priority, State: Queued,
		MessageUUID: g.newUUID(), AfsendelseID: g.newUUID(), TransactionID: g.newUUID(),
		DueAt: now, CreatedAt: now,
	}
	if at := g.leaves(i, &m, latest(now, notBefore)); at.After(now) {
		m.State, m.DueAt = Scheduled, at
	}
	return m
}

// earliest returns the earlier of two moments, where zero is never.
func earliest(a, b time.Time) time.Time {
	if b.IsZero() || (!a.IsZero() && a.Before(b)) {
		return a
	}
	return b
}

// mintReservations gives every AFTALE without one its reservationUUID, so that it is the same on every attempt.
func (g *Gateway) mintReservations(i *Intent) {
	for n := range i.Content.Actions {
		if r := i.Content.Actions[n].Reservation; r != nil && r.UUID == "" {
			r.UUID = g.newUUID()
		}
		i.Content.Actions[n] = i.Content.Actions[n].UTC()
	}
}

// takeDocuments describes the draft's documents in i without storing any: inline ones by their bytes, earlier uploads
// by what the journal knows of them.
func (g *Gateway) takeDocuments(ctx context.Context, i *Intent, drafts []DraftDocument) ([]Problem, error) {
	var problems []Problem
	i.Content.Documents = make([]Document, 0, len(drafts))
	for n, d := range drafts {
		doc := Document{Filename: d.Filename, ContentType: d.ContentType, Size: int64(len(d.Content)), Inline: d.Content}
		switch {
		case d.Upload != "" && len(d.Content) > 0:
			problems = append(problems, Problem{
				Pointer: pointer("/content/documents", n, "/document"), Code: "document.both",
				Detail: "A document is either content or the id of an uploaded document, not both.",
			})
		case d.Upload != "":
			u, err := g.journal.Upload(ctx, i.Producer, d.Upload)
			if errors.Is(err, ErrNotFound) {
				problems = append(problems, Problem{
					Pointer: pointer("/content/documents", n, "/document"), Code: "document.unknown",
					Detail: "There is no uploaded document with this id.",
				})
				doc.Filename, doc.Size = cmp.Or(d.Filename, "x.pdf"), 1 // its absence is told once, not as empty, too
				break
			}
			if err != nil {
				return nil, fmt.Errorf("look up document %d: %w", n, err)
			}
			doc.Size, doc.SHA256, doc.Filename = u.Size, u.SHA256, cmp.Or(d.Filename, u.Filename)
		}
		i.Content.Documents = append(i.Content.Documents, doc)
	}
	return problems, nil
}

// storeLarge moves inline documents over MaxInline into the document store and names the rest by their digest.
func (g *Gateway) storeLarge(ctx context.Context, i *Intent, drafts []DraftDocument) error {
	for n := range i.Content.Documents {
		doc := &i.Content.Documents[n]
		if drafts[n].Upload != "" {
			continue
		}
		if doc.Size <= MaxInline {
			doc.SetDigest(digest(doc.Inline))
			continue
		}
		sha, _, err := g.documents.Put(ctx, bytes.NewReader(doc.Inline), MaxDocument)
		if err != nil {
			return fmt.Errorf("store document %d: %w", n, err)
		}
		doc.SHA256, doc.Inline = sha, nil
	}
	return nil
}

// open reads document n of i, wherever it lives.
func (g *Gateway) open(i *Intent) func(ctx context.Context, n int) (io.ReadCloser, error) {
	return func(ctx context.Context, n int) (io.ReadCloser, error) {
		if n < 0 || n >= len(i.Content.Documents) {
			return nil, fmt.Errorf("document %d: %w", n, ErrNotFound)
		}
		d := i.Content.Documents[n]
		if d.Inline != nil || d.Size == 0 {
			return io.NopCloser(bytes.NewReader(d.Inline)), nil
		}
		return g.documents.Open(ctx, d.SHA256)
	}
}
