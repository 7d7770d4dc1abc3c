package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/brevdue/brevdue/gateway"
)

// postColumns are what scanPost reads.
const postColumns = `id, message_uuid, message_id, transmission_id, source, received_at, state, memo_sha256, memo_size,
	producer, intent_id, reference, answered_id, case_id, rule, target, tried, flags, attempts, first_at, due_at, leased_to,
	lease_ends, final_at, version`

func scanPost(r row, p *gateway.Post) error {
	var c gateway.Correlation
	err := r.Scan(&p.ID, &p.MessageUUID, &p.MessageID, &p.TransmissionID, (*string)(&p.Source), (*moment)(&p.ReceivedAt),
		(*string)(&p.State), &p.Memo.SHA256, &p.Memo.Size, &c.Producer, &c.IntentID, &c.Reference, &c.MessageID, &c.CaseID,
		&p.Rule, &p.Target, (*list)(&p.Tried), (*list)(&p.Flags), &p.Attempts, (*moment)(&p.FirstAt), (*moment)(&p.DueAt),
		&p.LeasedTo, (*moment)(&p.LeaseEnds), (*moment)(&p.FinalAt), &p.Version)
	if err == nil && c.Producer != "" {
		p.Answers = &c
	}
	return err
}

// list reads a column that holds a JSON list of texts; an empty one is nil.
type list []string

// Scan implements sql.Scanner.
func (l *list) Scan(src any) error {
	text, ok := src.(string)
	if b, is := src.([]byte); is { // of PostgreSQL
		text, ok = string(b), true
	}
	if !ok {
		return errors.New("a list is not stored as text")
	}
	*l = nil
	if text == "[]" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), (*[]string)(l)); err != nil {
		return fmt.Errorf("read a list: %w", err)
	}
	return nil
}

// listText is the argument that stores a list of texts.
func listText(l []string) (string, error) {
	if len(l) == 0 {
		return "[]", nil
	}
	b, err := json.Marshal(l)
	return string(b), err
}

// In: postColumns, the receipt. Writes nothing when the messageUUID was here before.
const insertPost = `INSERT INTO posts (` + postColumns + `, receipt)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_uuid) DO NOTHING`

// In: post id, facts.
const insertPostContent = `INSERT INTO post_contents (post_id, facts) VALUES (?, ?)`

// In: post id, place, the document.
const insertPostDocument = `INSERT INTO post_documents
	(post_id, n, kind, filename, safe_name, declared_type, real_type, language, flags, sha256, size)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// InsertPost implements gateway.Tx.
func (t *tx) InsertPost(p *gateway.Post, receipt []byte) (bool, error) {
	const op = "insert post"
	tried, errTried := listText(p.Tried)
	flags, errFlags := listText(p.Flags)
	if err := errors.Join(errTried, errFlags); err != nil {
		return false, wrap(op, err)
	}
	var c gateway.Correlation
	if p.Answers != nil {
		c = *p.Answers
	}
	n, err := t.exec(op, insertPost, p.ID, p.MessageUUID, p.MessageID, p.TransmissionID, string(p.Source), micros(p.ReceivedAt),
		string(p.State), p.Memo.SHA256, p.Memo.Size, c.Producer, c.IntentID, c.Reference, c.MessageID, c.CaseID, p.Rule, p.Target,
		tried, flags, p.Attempts, micros(p.FirstAt), micros(p.DueAt), p.LeasedTo, micros(p.LeaseEnds), micros(p.FinalAt), p.Version,
		blob(receipt))
	if err != nil || n == 0 {
		return false, err
	}
	if _, err := t.exec(op, insertPostContent, p.ID, secretBytes(placeOf("post_contents.facts", p.ID), blobOrNull(p.Facts))); err != nil {
		return false, err
	}
	for i := range p.Documents {
		d := &p.Documents[i]
		flags, err := listText(d.Flags)
		if err != nil {
			return false, wrap(op, err)
		}
		if _, err := t.exec(op, insertPostDocument, p.ID, i, d.Kind, secretText(placeOf("post_documents.filename", p.ID, i), d.Filename),
			secretText(placeOf("post_documents.safe_name", p.ID, i), d.SafeName), d.DeclaredType, d.RealType, d.Language,
			flags, d.SHA256, d.Size); err != nil {
			return false, err
		}
	}
	return true, nil
}

// In: id. Out: postColumns.
const selectPost = `SELECT ` + postColumns + ` FROM posts WHERE id = ?`

// In: post id. Out: facts.
const selectPostContent = `SELECT facts FROM post_contents WHERE post_id = ?`

// In: post id. Out: the documents in order.
const selectPostDocuments = `SELECT kind, filename, safe_name, declared_type, real_type, language, flags, sha256, size
FROM post_documents WHERE post_id = ? ORDER BY n`

// openedFacts reads the facts of a post whose id is known.
func openedFacts(p *gateway.Post) *opened {
	return &opened{&p.Facts, func() string { return placeOf("post_contents.facts", p.ID) }}
}

func appendPostDocument(p *gateway.Post) func(row) error {
	return func(r row) error {
		var d gateway.PostDocument
		err := r.Scan(&d.Kind,
			&opened{&d.Filename, func() string { return placeOf("post_documents.filename", p.ID, len(p.Documents)) }},
			&opened{&d.SafeName, func() string { return placeOf("post_documents.safe_name", p.ID, len(p.Documents)) }},
			&d.DeclaredType, &d.RealType, &d.Language, (*list)(&d.Flags), &d.SHA256, &d.Size)
		if err == nil {
			p.Documents = append(p.Documents, d)
		}
		return err
	}
}

// Post implements gateway.Tx.
func (t *tx) Post(id string) (*gateway.Post, error) {
	const op = "post"
	p := new(gateway.Post)
	if err := t.one(op, selectPost, func(r row) error { return scanPost(r, p) }, id); err != nil {
		return nil, err
	}
	if err := t.one(op, selectPostContent, func(r row) error { return r.Scan(openedFacts(p)) }, id); err != nil {
		return nil, err
	}
	if err := t.many(op, selectPostDocuments, appendPostDocument(p), id); err != nil {
		return nil, err
	}
	return p, nil
}

// In: what may change of a post, id, the version it was read at. Writes nothing when the version is another.
const updatePost = `UPDATE posts SET state = ?, rule = ?, target = ?, tried = ?, attempts = ?, first_at = ?, due_at = ?,
	leased_to = ?, lease_ends = ?, final_at = ?, version = version + 1
WHERE id = ? AND version = ?`

// SavePost implements gateway.Tx.
func (t *tx) SavePost(p *gateway.Post) error {
	const op = "save post"
	tried, err := listText(p.Tried)
	if err != nil {
		return wrap(op, err)
	}
	n, err := t.exec(op, updatePost, string(p.State), p.Rule, p.Target, tried, p.Attempts, micros(p.FirstAt), micros(p.DueAt),
		p.LeasedTo, micros(p.LeaseEnds), micros(p.FinalAt), p.ID, p.Version)
	if err != nil {
		return err
	}
	if n == 0 {
		return wrap(op, gateway.ErrStale)
	}
	p.Version++
	t.request.saved = append(t.request.saved, &p.Version)
	return nil
}

// In: the event without its number.
const insertPostEvent = `INSERT INTO post_events (at, post_id, state, target, code, text, decider) VALUES (?, ?, ?, ?, ?, ?, ?)`

// placeOfPostEvent is what the text of an event is bound to.
func placeOfPostEvent(e *gateway.PostEvent) string {
	return placeOf("post_events.text", e.PostID, e.At.UnixMicro())
}

// InsertPostEvent implements gateway.Tx.
func (t *tx) InsertPostEvent(e *gateway.PostEvent) error {
	var err error
	e.Seq, err = t.insert("insert post event", insertPostEvent, micros(e.At), e.PostID, string(e.State), e.Target, e.Code,
		secretText(placeOfPostEvent(e), e.Text), e.By)
	return err
}

// In: messageUUID. Out: id, receipt.
const selectPostReceipt = `SELECT id, receipt FROM posts WHERE message_uuid = ?`

// PostReceipt implements gateway.Reader.
func (r reader) PostReceipt(ctx context.Context, messageUUID string) (string, []byte, error) {
	var id string
	var receipt []byte
	err := r.one(ctx, "receipt of a post", selectPostReceipt, func(r row) error { return r.Scan(&id, &receipt) }, messageUUID)
	return id, receipt, err
}

// In: post id. Out: the events in order.
const selectPostEvents = `SELECT seq, at, post_id, state, target, code, text, decider FROM post_events WHERE post_id = ? ORDER BY seq`

// PostView implements gateway.Reader.
func (r reader) PostView(ctx context.Context, id string) (*gateway.Post, []gateway.PostEvent, error) {
	p := new(gateway.Post)
	var events []gateway.PostEvent
	err := r.snapshot(ctx, "post", func(s snapshot) error {
		if err := s.one(selectPost, func(r row) error { return scanPost(r, p) }, id); err != nil {
			return err
		}
		if err := s.one(selectPostContent, func(r row) error { return r.Scan(openedFacts(p)) }, id); err != nil {
			return err
		}
		if err := s.many(selectPostDocuments, appendPostDocument(p), id); err != nil {
			return err
		}
		return s.many(selectPostEvents, func(r row) error {
			var e gateway.PostEvent
			err := r.Scan(&e.Seq, (*moment)(&e.At), &e.PostID, (*string)(&e.State), &e.Target, &e.Code,
				&opened{&e.Text, func() string { return placeOfPostEvent(&e) }}, &e.By)
			if err == nil {
				events = append(events, e)
			}
			return err
		}, id)
	})
	if err != nil {
		return nil, nil, err
	}
	return p, events, nil
}

// In: last id of the page before, then each filter twice (the value, and the value again to tell whether it is set), page
// size. Out: postColumns, oldest first. A post that was handed to a producer has it as its target, too.
const selectPosts = `SELECT ` + postColumns + ` FROM posts
WHERE id > ? AND (state = ? OR ? = '') AND (target = ? OR ? = '') AND (producer = ? OR ? = '') AND (message_uuid = ? OR ? = '')
ORDER BY id LIMIT ?`

// Posts implements gateway.Reader.
func (r reader) Posts(ctx context.Context, f gateway.PostFilter) ([]gateway.Post, error) {
	var found []gateway.Post
	state := string(f.State)
	err := r.many(ctx, "posts", selectPosts, func(r row) error {
		var p gateway.Post
		err := scanPost(r, &p)
		if err == nil {
			found = append(found, p)
		}
		return err
	}, f.After, state, state, f.Target, f.Target, f.Producer, f.Producer, f.MessageUUID, f.MessageUUID, f.Limit)
	return found, err
}

// In: time, the same again, page size. Out: id and time, oldest first. A lease that has ended is none.
const selectDuePosts = `SELECT id, due_at FROM posts
WHERE due_at IS NOT NULL AND due_at <= ? AND (lease_ends IS NULL OR lease_ends <= ?) ORDER BY due_at, id LIMIT ?`

// DuePosts implements gateway.Reader.
func (r reader) DuePosts(ctx context.Context, before time.Time, limit int) ([]gateway.DuePost, error) {
	var found []gateway.DuePost
	err := r.many(ctx, "due posts", selectDuePosts, func(r row) error {
		var d gateway.DuePost
		err := r.Scan(&d.ID, (*moment)(&d.DueAt))
		if err == nil {
			found = append(found, d)
		}
		return err
	}, microOf(before), microOf(before), limit)
	return found, err
}

// Out: state and how many posts have it, of those that are not final.
const selectPostCounts = `SELECT state, count(*) FROM posts WHERE final_at IS NULL GROUP BY state`

// Out: when the queued post came that has been due for the longest time.
const selectOldestPost = `SELECT received_at FROM posts WHERE due_at IS NOT NULL ORDER BY due_at, id LIMIT 1`

// PostCounts implements gateway.Reader.
func (r reader) PostCounts(ctx context.Context) (map[gateway.PostState]int, time.Time, error) {
	counts := make(map[gateway.PostState]int)
	var oldest time.Time
	err := r.snapshot(ctx, "count posts", func(s snapshot) error {
		err := s.many(selectPostCounts, func(r row) error {
			var state gateway.PostState
			var n int
			err := r.Scan((*string)(&state), &n)
			counts[state] = n
			return err
		})
		if err != nil || counts[gateway.PostQueued] == 0 {
			return err
		}
		return s.one(selectOldestPost, func(r row) error { return r.Scan((*moment)(&oldest)) })
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return counts, oldest, err
}
