package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// The acceptance of "once, surely" for inbound post: so many messages, so many kills.
const (
	posts          = 2000
	postsShort     = 200
	postKills      = 20
	postKillsShort = 5
	lateKills      = 2 // more, while what was accepted is brought to its targets
)

// killedRoutes bring the messages of one contact point to an endpoint and those of the other into a folder.
const killedRoutes = `
targets:
  fagsystem: {url: "{{receiver}}", format: memo, secret_file: "{{secret}}", ca_file: "{{ca}}"}
  esdh:      {folder: "{{inbox}}/esdh"}
  desk:      {folder: "{{inbox}}/desk"}
rules:
  - {name: jobcenter, match: {contact_point: "` + toEndpoint + `"}, target: fagsystem}
  - {name: borgerservice, match: {contact_point: "` + toFolder + `"}, target: esdh}
default: desk
`

const (
	toEndpoint = "241d39f6-998e-4929-b198-ccacbbf4b330"
	toFolder   = "7c1b6d0e-3f25-4a8f-9d57-0f4c2b1a9e63"
)

// TestInboundKilled sends post while serve is killed again and again, in a storm with messages sent twice, twice at once,
// cut and spoilt. The sender sends again what got no receipt. Every message is accepted, and delivered to its target once as
// the target counts messageUUIDs.
func TestInboundKilled(t *testing.T) {
	t.Parallel()
	s := &storm{count: posts, kills: postKills, dice: dice(t), letters: sf1606test.NewLetters(sf1606test.LettersConfig{})}
	if testing.Short() {
		s.count, s.kills = postsShort, postKillsShort
	}
	ctx, w := setup(t, 6*time.Minute, harness.Options{
		Inbound: &harness.Inbound{Routes: killedRoutes, Folders: []string{"esdh", "desk"}, Answer: s.answer},
	})
	s.world = w
	sender := senderOf(t, w, sf1606test.SenderConfig{Tries: 400, BackoffMin: 50 * time.Millisecond, BackoffMax: time.Second})
	result := make(chan sf1606test.StormResult, 1)
	go func() {
		book, err := sender.Storm(ctx, sf1606test.StormConfig{
			Total: s.count, Concurrency: 12, Letters: s.letters, Letter: s.letter,
			Duplicates: 0.05, Twins: 0.05, Cuts: 0.03, Spoilt: 0.03,
			Done: func(sf1606test.Sent) { s.sent.Add(1) },
		})
		if err != nil {
			t.Error(err)
		}
		result <- book
	}()
	s.kill(ctx, t)
	book := <-result
	t.Log(book)
	if book.Accepted != s.count || book.Refused+book.Unanswered != 0 || len(book.Messages) != s.count {
		for _, m := range book.Messages {
			if m.Err != nil || !m.Receipt.Positive() {
				t.Errorf("%s: %+v, %v", m.MessageUUID, m.Receipt, m.Err)
			}
		}
	}
	s.judge(ctx, t, book)
}

// storm is a run of the test.
type storm struct {
	world   *harness.World
	dice    *rand.Rand
	letters *sf1606test.Letters
	count   int
	kills   int
	sent    atomic.Int64

	wants  sync.Map     // target by messageUUID
	busy   atomic.Int64 // calls answered 503
	before atomic.Int64 // calls so far
}

// letter is message n: every other one goes to the endpoint.
func (s *storm) letter(n int) *memo.Message {
	m := s.letters.New(2_000 + int64(n%30)*1_000)
	point, target := toEndpoint, "fagsystem"
	if n%2 == 1 {
		point, target = toFolder, "esdh"
	}
	m.Header.Recipient.ContactPoint = &memo.ContactPoint{ContactPointID: point}
	s.wants.Store(strings.ToLower(m.Header.MessageUUID), target)
	return m
}

// answer is the endpoint's: now and then it has no time.
func (s *storm) answer(harness.Call) int {
	if s.before.Add(1)%23 == 0 {
		s.busy.Add(1)
		return 503
	}
	return 200
}

// kill kills and restarts serve: at random points while messages are sent, and then while they are delivered.
func (s *storm) kill(ctx context.Context, t *testing.T) {
	t.Helper()
	sent := func() (int, error) { return int(s.sent.Load()), nil }
	delivered := func() (int, error) {
		folder, err := s.world.Delivered("esdh")
		return s.world.Receiver.Count() + len(folder), err
	}
	s.killAt(ctx, t, s.kills, sent)
	t.Logf("killed %d times, the last time with %d of %d answered", s.kills, s.sent.Load(), s.count)
	s.killAt(ctx, t, lateKills, delivered)
}

// killAt does so at random points of a count that ends near s.count. Points that the count has passed come at once.
func (s *storm) killAt(ctx context.Context, t *testing.T, times int, count func() (int, error)) {
	t.Helper()
	points := make([]int, times)
	for n := range points {
		points[n] = s.count/50 + s.dice.IntN(s.count*9/10)
	}
	slices.Sort(points)
	for _, point := range points {
		at := 0
		err := harness.Poll(ctx, 5*time.Millisecond, func() (bool, error) {
			var err error
			at, err = count()
			return at >= point, err
		})
		if err != nil {
			t.Fatalf("waiting for %d, at %d: %v", point, at, err)
		}
		harness.Pause(ctx, time.Duration(s.dice.IntN(50))*time.Millisecond)
		s.world.Gateway.Kill()
		if err := s.world.Restart(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// judge compares what was accepted with what the targets have.
func (s *storm) judge(ctx context.Context, t *testing.T, book sf1606test.StormResult) {
	t.Helper()
	began := time.Now()
	want := map[string]map[string]bool{"fagsystem": {}, "esdh": {}}
	for _, m := range book.Messages {
		target, ok := s.wants.Load(m.MessageUUID)
		if name, _ := target.(string); ok && m.Err == nil && m.Receipt.Positive() {
			want[name][m.MessageUUID] = true
		}
	}
	if err := s.world.AwaitDelivered(ctx, "esdh", len(want["esdh"])); err != nil {
		t.Error(err)
	}
	var called map[string]int
	err := s.world.Receiver.Await(ctx, func(taken []harness.Call) bool {
		if len(taken) < len(want["fagsystem"]) {
			return false
		}
		called = countUUIDs(ctx, t, taken)
		return len(called) >= len(want["fagsystem"])
	})
	if err != nil {
		t.Error(err)
	}
	waited := time.Since(began)
	for uuid := range want["fagsystem"] {
		if called[uuid] == 0 {
			t.Errorf("%s was accepted and never reached the endpoint", uuid)
		}
	}
	again := 0
	for uuid, times := range called {
		if !want["fagsystem"][uuid] {
			t.Errorf("the endpoint got %s, which was not accepted or not its own", uuid)
		}
		again += times - 1
	}
	s.judgeFolders(t, want["esdh"])
	s.judgeJournal(ctx, t)
	if err := s.world.Receiver.Forged(); err != nil {
		t.Errorf("calls whose signature does not hold: %v", err)
	}
	t.Logf("all delivered %.1f s after the last receipt; the endpoint said 503 %d times and was told %d messages again",
		waited.Seconds(), s.busy.Load(), again)
}

// judgeFolders compares the folders, in which every message is one folder.
func (s *storm) judgeFolders(t *testing.T, want map[string]bool) {
	t.Helper()
	have, err := s.world.Delivered("esdh")
	if err != nil {
		t.Fatal(err)
	}
	for _, uuid := range have {
		if !want[uuid] {
			t.Errorf("the folder has %s, which was not accepted or not its own", uuid)
		}
		delete(want, uuid)
	}
	for uuid := range want {
		t.Errorf("%s was accepted and is not in the folder", uuid)
	}
	if desk, err := s.world.Delivered("desk"); err != nil || len(desk) != 0 {
		t.Errorf("the desk has %v, %v", desk, err)
	}
}

// judgeJournal waits until every post is recorded as delivered, and looks that nothing is left half received.
func (s *storm) judgeJournal(ctx context.Context, t *testing.T) {
	t.Helper()
	err := harness.Poll(ctx, 200*time.Millisecond, func() (bool, error) {
		states, err := postStates(ctx, s.world)
		return states["delivered"] == s.count && len(states) == 1, err
	})
	if err != nil {
		states, _ := postStates(context.WithoutCancel(ctx), s.world)
		t.Errorf("want %d delivered, the journal has %v: %v", s.count, states, err)
	}
	files, err := s.world.Gateway.Files()
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	for name := range files {
		if strings.HasPrefix(name, "tmp") {
			left++
		}
	}
	t.Logf("%d files in the document folder, %d of them what kills left half written", len(files), left)
}

// countUUIDs reads the messageUUID of each call.
func countUUIDs(ctx context.Context, t *testing.T, calls []harness.Call) map[string]int {
	t.Helper()
	found := make(map[string]int, len(calls))
	for _, c := range calls {
		m, err := memo.Read(ctx, bytes.NewReader(c.Body), memo.ReadOptions{})
		if err != nil {
			t.Errorf("the endpoint got something that is no MeMo: %v", err)
			continue
		}
		found[strings.ToLower(m.Header.MessageUUID)]++
	}
	return found
}

// postStates counts the posts in the journal by state. The API shows each producer its own.
func postStates(ctx context.Context, w *harness.World) (map[string]int, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.Gateway.Dir, "brevdue.db")+"?mode=ro")
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(ctx, "SELECT state, count(*) FROM posts GROUP BY state")
	if err != nil {
		return nil, fmt.Errorf("count posts: %w", err)
	}
	defer func() { _ = rows.Close() }()
	states := map[string]int{}
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, fmt.Errorf("count posts: %w", err)
		}
		states[state] = n
	}
	return states, rows.Err()
}
