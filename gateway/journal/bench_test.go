package journal_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
)

// benchCallers is how many hand in updates at the same time.
const benchCallers = 64

// engines runs a benchmark on each engine, on an empty journal.
func engines(b *testing.B, run func(b *testing.B, url string)) {
	b.Helper()
	b.Run("sqlite", func(b *testing.B) { run(b, "sqlite:"+b.TempDir()+"/journal.db") })
	b.Run("postgres", func(b *testing.B) { run(b, database(b)) })
}

// letters runs one letter's work b.N times, from many callers at once, and reports letters a second.
func letters(b *testing.B, url string, callers int, work func(j gateway.Journal, n int) error) {
	b.Helper()
	j, err := journal.Open(b.Context(), url, journal.Options{Migrate: true})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var next atomic.Int64
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for n := int(next.Add(1)); n <= b.N; n = int(next.Add(1)) {
				if err := work(j, n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "letters/s")
	b.StopTimer()
	if err := j.Close(); err != nil {
		b.Error(err)
	}
}

// BenchmarkAccept is intent, content, one inline document, message and event: 4 KB in all.
func BenchmarkAccept(b *testing.B) {
	engines(b, func(b *testing.B, url string) { b.Helper(); letters(b, url, benchCallers, accept) })
}

// BenchmarkAcceptAlone is the same for one caller, who pays a flush each time.
func BenchmarkAcceptAlone(b *testing.B) {
	engines(b, func(b *testing.B, url string) { b.Helper(); letters(b, url, 1, accept) })
}

// sample is intent n with 4 KB: 1.6 KB of text and a document of 2.4 KB.
func sample(n int) (*gateway.Intent, *gateway.Message) {
	i, m := journaltest.Sample(n)
	i.Content.Text = benchText
	i.Content.Documents = []gateway.Document{journaltest.SampleDocument(2400)}
	return i, m
}

var benchText = strings.Repeat("Kaere borger. ", 114)

func accept(j gateway.Journal, n int) error {
	i, m := sample(n)
	return j.Update(context.Background(), func(tx gateway.Tx) error {
		inserted, err := tx.InsertIntent(i)
		if err != nil || !inserted {
			return fmt.Errorf("inserted %v: %w", inserted, err)
		}
		if err := tx.InsertMessage(m); err != nil {
			return err
		}
		return tx.InsertEvent(event(i, m, "accepted"))
	})
}

func event(i *gateway.Intent, m *gateway.Message, code string) *gateway.Event {
	return &gateway.Event{
		At: time.Now(), Producer: i.Producer, IntentID: i.ID, Reference: i.Reference, MessageID: m.ID, Channel: m.Channel,
		Status: m.State, IntentStatus: i.Status, Attempt: m.Attempts, Code: code,
	}
}

// BenchmarkLife is a letter's whole life as the gateway writes it: accept, read, book, evidence shared by ten and 500 bytes
// of the request, record, two receipts.
func BenchmarkLife(b *testing.B) {
	engines(b, func(b *testing.B, url string) { b.Helper(); life(b, url, 500) })
}

// BenchmarkPostgresTogether is BenchmarkLife by three processes' journals on one database, with the waits for locks that a
// look every five milliseconds finds.
func BenchmarkPostgresTogether(b *testing.B) {
	url := database(b)
	others := []gateway.Journal{}
	for range processes - 1 {
		others = append(others, openPostgres(b, url, journal.Options{}))
	}
	stop, waits := make(chan struct{}), make(chan []float64)
	go func() { waits <- lockWaits(url, stop) }()
	b.ResetTimer()
	lifeOn(b, url, 500, others...)
	close(stop)
	found := <-waits
	slices.Sort(found)
	if len(found) > 0 {
		b.ReportMetric(found[len(found)*99/100], "p99-lock-wait-ms")
		b.ReportMetric(found[len(found)-1], "max-lock-wait-ms")
	}
}

// lockWaits looks how long those wait that wait for a lock, in milliseconds.
func lockWaits(url string, stop chan struct{}) []float64 {
	var found []float64
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil
	}
	defer func() { _ = conn.Close(ctx) }()
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case <-stop:
			tick.Stop()
			return found
		case <-tick.C:
		}
		rows, err := conn.Query(ctx, `SELECT 1000 * extract(epoch FROM clock_timestamp() - waitstart)::float8
			FROM pg_locks WHERE NOT granted AND waitstart IS NOT NULL`)
		if err != nil {
			return found
		}
		page, err := pgx.CollectRows(rows, pgx.RowTo[float64])
		if err != nil {
			return found
		}
		found = append(found, page...)
	}
}

func life(b *testing.B, url string, skeleton int) {
	b.Helper()
	lifeOn(b, url, skeleton)
}

// lifeOn has the journals on one database share the letters.
func lifeOn(b *testing.B, url string, skeleton int, others ...gateway.Journal) {
	b.Helper()
	e := evidence{skeleton: skeleton}
	letters(b, url, benchCallers, func(j gateway.Journal, n int) error {
		last := b.N-n < benchCallers // the end: nobody may be left waiting for a tenth
		if which := n % (len(others) + 1); which > 0 {
			j = others[which-1]
		}
		if err := accept(j, n); err != nil {
			return err
		}
		_, m := sample(n)
		if _, err := j.Intent(context.Background(), fmt.Sprintf("int_%026d", n)); err != nil {
			return err
		}
		a := &gateway.Attempt{ID: fmt.Sprintf("att_%026d", n), MessageID: m.ID, N: 1, Worker: "bench", StartedAt: time.Now()}
		if err := change(j, m.ID, gateway.Sending, func(tx gateway.Tx, m *gateway.Message) error {
			m.Attempts++
			m.DueAt = time.Time{}
			return tx.InsertAttempt(a)
		}); err != nil {
			return err
		}
		if err := e.keep(j, n, a.ID, last); err != nil {
			return err
		}
		if err := change(j, m.ID, gateway.Submitted, func(tx gateway.Tx, m *gateway.Message) error {
			open, err := tx.OpenAttempt(m.ID)
			if err != nil {
				return err
			}
			open.EndedAt, open.Class, open.HTTPStatus = time.Now(), gateway.Accept, 200
			open.Answer, open.Subject = []byte(benchText)[:370], "C=DK,O=55133018,CN=system"
			m.TransmissionID, m.SubmittedAt = m.TransactionID, time.Now()
			return tx.CloseAttempt(open)
		}); err != nil {
			return err
		}
		for k, state := range []gateway.MessageState{gateway.Received, gateway.Delivered} {
			if err := receive(j, fmt.Sprintf("%d-%d", n, k), m.MessageUUID, state); err != nil {
				return err
			}
		}
		return nil
	})
}

// receive stores a status and moves its message, as Settle does.
func receive(j gateway.Journal, id, uuid string, state gateway.MessageState) error {
	p := &gateway.Receipt{
		ID: id, Kind: gateway.ReceiptReceived, Status: "Modtaget Digital Post", MessageUUID: uuid,
		ReceivedAt: time.Now(), Raw: []byte(benchText),
	}
	return j.Update(context.Background(), func(tx gateway.Tx) error {
		found, err := tx.FindMessage(uuid, "", "")
		if err != nil {
			return err
		}
		p.MessageID = found
		if _, err := tx.InsertReceipt(p); err != nil {
			return err
		}
		return move(tx, found, state, func(gateway.Tx, *gateway.Message) error { return nil })
	})
}

func change(j gateway.Journal, id string, to gateway.MessageState, also func(gateway.Tx, *gateway.Message) error) error {
	return j.Update(context.Background(), func(tx gateway.Tx) error { return move(tx, id, to, also) })
}

// move changes a message and writes the event, reading what the gateway reads.
func move(tx gateway.Tx, id string, to gateway.MessageState, also func(gateway.Tx, *gateway.Message) error) error {
	m, err := tx.Message(id)
	if err != nil {
		return err
	}
	head, err := tx.IntentHead(m.IntentID)
	if err != nil {
		return err
	}
	if err := also(tx, m); err != nil {
		return err
	}
	m.State = to
	if to.Final() {
		m.FinalAt = time.Now()
	}
	if err := tx.SaveMessage(m); err != nil {
		return err
	}
	all, err := tx.MessagesOf(head.ID)
	if err != nil {
		return err
	}
	if status := gateway.DeriveStatus(all); status != head.Status {
		if err := tx.SetIntentStatus(head.ID, status, m.FinalAt); err != nil {
			return err
		}
	}
	return tx.InsertEvent(event(head, m, string(to)))
}

// evidence puts every ten attempts under one manifest: the tenth caller stores it for all.
type evidence struct {
	skeleton int // bytes that are kept of each letter

	mu      sync.Mutex
	letters []gateway.EvidenceLetter
	round   *round
}

// round is one manifest that its letters wait for.
type round struct {
	done chan struct{}
	err  error
}

// keep returns when the attempt's manifest is stored. benchCallers is more than ten, so a round fills unless the
// benchmark is about to end; last stores what is left.
func (e *evidence) keep(j gateway.Journal, n int, attempt string, last bool) error {
	e.mu.Lock()
	if e.round == nil {
		e.round = &round{done: make(chan struct{})}
	}
	mine := e.round
	e.letters = append(e.letters, gateway.EvidenceLetter{
		AttemptID: attempt, Digest: sha256.Sum256([]byte(attempt)), Skeleton: []byte(benchText)[:e.skeleton],
	})
	if len(e.letters) < 10 && !last {
		e.mu.Unlock()
		<-mine.done
		return mine.err
	}
	m := gateway.Evidence{ID: fmt.Sprintf("manifest-%d", n), XML: []byte(benchText), SignedAt: time.Now(), Letters: e.letters}
	e.letters, e.round = nil, nil
	e.mu.Unlock()
	mine.err = j.Update(context.Background(), func(tx gateway.Tx) error { return tx.KeepEvidence(&m) })
	close(mine.done)
	return mine.err
}
