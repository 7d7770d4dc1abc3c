package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// silent is a recipient of whose letters the simulator never tells: the statuses are ours.
const silent = "2512489987"

// pulling is part i: statuses from a real RabbitMQ into SQLite, one at a time, each acknowledged after its commit.
func pulling(ctx context.Context, b *bench) ([]row, error) {
	w, err := b.world(ctx, "i", harness.Options{Pull: true, DigitalPost: map[string]any{"concurrency": 64}})
	if err != nil {
		return nil, err
	}
	defer w.Close()
	uuids, err := w.submitted(ctx, b.statuses/2)
	if err != nil {
		return nil, err
	}
	if _, err := w.Gateway.Terminate(ctx); err != nil {
		return nil, err
	}
	var bodies [][]byte
	for _, kind := range []beskedfordeler.Kind{beskedfordeler.KindModtaget, beskedfordeler.KindAfleveret} {
		for _, m := range uuids {
			bodies = append(bodies, beskedfordeler.EncodeEvent(status(kind, m)))
		}
	}
	for part := range slices.Chunk(bodies, 1000) {
		if err := w.Broker.Publish(ctx, harness.Dueslag, part...); err != nil {
			return nil, err
		}
	}
	if err := w.Restart(ctx); err != nil {
		return nil, err
	}
	before := w.spent()
	began, left, err := w.drained(ctx, len(bodies)*19/20)
	if err != nil {
		return nil, err
	}
	ended, _, err := w.drained(ctx, 0)
	if err != nil {
		return nil, err
	}
	cost := w.spent().since(before)
	speed := float64(left) / ended.Sub(began).Seconds()
	delivered := 0
	all, err := w.Gateway.Intents(ctx)
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		if i.Status == "delivered" {
			delivered++
		}
	}
	if delivered != len(uuids) {
		return nil, fmt.Errorf("%d of %d letters were delivered", delivered, len(uuids))
	}
	return []row{
		{"i. statuses pulled and settled, real RabbitMQ, SQLite FULL", "≥ 1,000/s",
			verdict(speed >= 1000, fmt.Sprintf("%.0f/s", speed))},
		{"   who had the processors", "", cost.shares()},
	}, nil
}

// drained waits until the queue holds at most so many messages, and tells when that was and how many it held.
func (w world) drained(ctx context.Context, most int) (time.Time, int, error) {
	var left int
	err := harness.Poll(ctx, 5*time.Millisecond, func() (bool, error) {
		var err error
		left, err = w.Broker.Depth(harness.Dueslag)
		return left <= most, err
	})
	return time.Now(), left, err
}

// submitted hands letters over that get no status of the simulator's, and returns their messageUUIDs.
func (w world) submitted(ctx context.Context, count int) ([]string, error) {
	letter := letterOf(bodySize, harness.PDF)
	letter.Recipient.CPR = silent
	if _, err := (&load{address: w.Gateway.API, conns: 16, prefix: "still-", letter: &letter}).run(ctx, count); err != nil {
		return nil, err
	}
	var uuids []string
	err := harness.Poll(ctx, time.Second, func() (bool, error) {
		all, err := w.Gateway.Intents(ctx)
		uuids = uuids[:0]
		for _, i := range all {
			if i.Messages[0].Status == "submitted" {
				uuids = append(uuids, i.Messages[0].MessageUUID)
			}
		}
		return len(uuids) == count, err
	})
	return uuids, err
}

// status is a status of ours.
func status(kind beskedfordeler.Kind, messageUUID string) *beskedfordeler.Besked {
	now := time.Now().UTC()
	return &beskedfordeler.Besked{
		ID: uuid.NewString(), Version: "1.0", Type: beskedfordeler.TypePKOPostStatus, Actor: beskedfordeler.ActorDigitalPost,
		ObjectID: messageUUID, Handling: kind.Handling(), Registered: now,
		Status: &beskedfordeler.PostStatus{
			TransmissionID: uuid.NewString(), MessageUUID: messageUUID, KanalKode: "Digital Post", TransaktionsDatoTid: now,
			TransaktionsStatusKode: kind.StatusKode(),
		},
	}
}

// visible is part j: how long a status takes from the queue of the broker to the API, while 500 letters a second are sent
// and get theirs.
func visible(ctx context.Context, b *bench) ([]row, error) {
	const perSecond = 500
	w, err := b.world(ctx, "j", harness.Options{Pull: true, DigitalPost: map[string]any{"concurrency": 64}})
	if err != nil {
		return nil, err
	}
	defer w.Close()
	if err := w.warmUp(ctx, 64); err != nil {
		return nil, err
	}
	probes := int(b.steady.Seconds() * 20)
	uuids, err := w.submitted(ctx, probes)
	if err != nil {
		return nil, err
	}
	before := w.spent()
	loading, stop := context.WithCancel(ctx)
	defer stop()
	loaded := make(chan error, 1)
	go func() {
		l := &load{address: w.Gateway.API, conns: 8, prefix: "load-", perSecond: perSecond}
		_, err := l.run(loading, int(b.steady.Seconds()*perSecond))
		loaded <- err
	}()
	sent := make(map[string]time.Time, probes) // by message id
	ids, err := w.messageIDs(ctx, uuids)
	if err != nil {
		return nil, err
	}
	published := make(chan probe, probes)
	go func() {
		defer close(published)
		ticker := time.NewTicker(b.steady / time.Duration(probes))
		defer ticker.Stop()
		for _, m := range uuids {
			at := time.Now()
			if w.Broker.Publish(ctx, harness.Dueslag, beskedfordeler.EncodeEvent(status(beskedfordeler.KindAfleveret, m))) != nil {
				return
			}
			published <- probe{ids[m], at}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	delays, err := w.seen(ctx, published, sent, probes)
	if err != nil {
		return nil, err
	}
	cost := w.spent().since(before)
	if err := <-loaded; err != nil {
		return nil, err
	}
	p99 := quantile(delays, 0.99)
	return []row{
		{"j. a status from the queue to the API under 500 letters/s, p99", "≤ 1 s",
			verdict(p99 <= time.Second, milliseconds(p99))},
		{"   the same, p50; longest", "", milliseconds(quantile(delays, 0.50)) + "; " + milliseconds(quantile(delays, 1))},
		{"   who had the processors", "", cost.shares()},
	}, nil
}

// probe is a status that was published.
type probe struct {
	message string
	at      time.Time
}

// messageIDs finds the messages of ours by their messageUUIDs.
func (w world) messageIDs(ctx context.Context, uuids []string) (map[string]string, error) {
	all, err := w.Gateway.Intents(ctx)
	if err != nil {
		return nil, err
	}
	ids := make(map[string]string, len(uuids))
	for _, i := range all {
		ids[i.Messages[0].MessageUUID] = i.Messages[0].ID
	}
	return ids, nil
}

// seen reads the feed until every probe has shown up, and returns how long each took.
func (w world) seen(ctx context.Context, published <-chan probe, sent map[string]time.Time, probes int) ([]time.Duration, error) {
	cursor, delays := int64(0), make([]time.Duration, 0, probes)
	shown := make(map[string]time.Time)
	take := func(p probe) {
		if at, early := shown[p.message]; early {
			delays = append(delays, at.Sub(p.at))
			return
		}
		sent[p.message] = p.at
	}
	for len(delays) < probes {
		page, err := w.Gateway.Client.Events(ctx, cursor, 500)
		if err != nil {
			return nil, err
		}
		now := time.Now()
		for more := true; more; {
			select {
			case p, open := <-published:
				if more = open; open {
					take(p)
				}
			default:
				more = false
			}
		}
		for _, e := range page.Events {
			if e.Status != "delivered" {
				continue
			}
			if at, ours := sent[e.Message]; ours {
				delays = append(delays, now.Sub(at))
				delete(sent, e.Message)
			} else {
				shown[e.Message] = now
			}
		}
		if cursor = page.Next; len(page.Events) < 500 {
			harness.Pause(ctx, 10*time.Millisecond)
		}
	}
	slices.Sort(delays)
	return delays, nil
}

// proof is part k: the memory that the evidence of a large letter takes.
func proof(ctx context.Context, b *bench) ([]row, error) {
	w, err := b.world(ctx, "k", harness.Options{})
	if err != nil {
		return nil, err
	}
	defer w.Close()
	if err := w.warmUp(ctx, 20); err != nil {
		return nil, err
	}
	doc, err := w.Gateway.Client.UploadDocument(ctx, "Bilag.pdf", harness.LargePDF(b.document))
	if err != nil {
		return nil, err
	}
	in := harness.Letter("large", "2512489996")
	in.Content.Documents = []httpapi.DocumentRequest{{Document: doc.ID, Filename: "Bilag.pdf", ContentType: "application/pdf"}}
	answer, err := w.Gateway.Client.PostIntent(ctx, in)
	if err != nil {
		return nil, err
	}
	view, err := w.Gateway.Await(ctx, answer.ID, "delivered")
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, w.Logs(10))
	}
	harness.Pause(ctx, 3*time.Second)
	idle, err := w.Gateway.Memory()
	if err != nil {
		return nil, err
	}
	if err := w.Gateway.ResetPeak(); err != nil {
		return nil, err
	}
	began, size := time.Now(), new(counter)
	if err := w.Gateway.Client.Evidence(ctx, view.Messages[0].ID, size); err != nil {
		return nil, err
	}
	took := time.Since(began)
	after, err := w.Gateway.Memory()
	if err != nil {
		return nil, err
	}
	grown := float64(after.Peak-idle.Now) / (1 << 20)
	return []row{
		{fmt.Sprintf("k. peak memory over idle, evidence of a letter of %d MB", b.document/1_000_000), "≤ 16 MB",
			verdict(grown <= 16, fmt.Sprintf("%.1f MB", grown))},
		{"   its size; time", "", fmt.Sprintf("%.1f MB; %.2f s", float64(*size)/1e6, took.Seconds())},
	}, nil
}

// counter counts what is written to it.
type counter int64

var _ io.Writer = (*counter)(nil)

// Write is io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
