package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

// batches is part g: a large batch in one request, first of letters that must wait for days, then of letters that leave
// while the batch is still coming in.
func batches(ctx context.Context, b *bench) ([]row, error) {
	waiting, err := b.batch(ctx, "g-waiting", time.Now().AddDate(0, 0, 30))
	if err != nil {
		return nil, err
	}
	leaving, err := b.batch(ctx, "g-leaving", time.Time{})
	if err != nil {
		return nil, err
	}
	const most = 200
	resident := func(r batchResult) string {
		return verdict(r.peak <= most<<20, fmt.Sprintf("%.0f MB", float64(r.peak)/(1<<20)))
	}
	return []row{
		{fmt.Sprintf("g. a batch of %d, for later, accepted", b.lines), "≥ 4,000/s",
			verdict(waiting.speed >= 4000, fmt.Sprintf("%.0f/s", waiting.speed))},
		{"   most resident memory of serve meanwhile", fmt.Sprintf("≤ %d MB", most), resident(waiting)},
		{"   resident memory just before; half a minute later", "", waiting.around()},
		{"   processor time of one", "", waiting.cost.each(b.lines)},
		{"   who had the processors", "", waiting.cost.shares()},
		{"   the same batch, delivering it meanwhile", "", fmt.Sprintf("%.0f/s", leaving.speed)},
		{"   most resident memory of serve, and half a minute on", fmt.Sprintf("≤ %d MB", most), resident(leaving)},
		{"   resident memory just before; half a minute later", "", leaving.around()},
		{"   delivered by then; who had the processors", "", fmt.Sprintf("%d; %s", leaving.delivered, leaving.cost.shares())},
	}, nil
}

// batchResult is what came of a batch.
type batchResult struct {
	speed               float64 // accepted a second, from the first byte sent to the last one answered
	before, after, peak int64   // resident bytes of serve
	delivered           int64
	cost                cost // of accepting
}

func (r batchResult) around() string {
	return fmt.Sprintf("%.0f MB; %.0f MB", float64(r.before)/(1<<20), float64(r.after)/(1<<20))
}

// batch posts one to a gateway of its own, and watches it for half a minute more.
func (b *bench) batch(ctx context.Context, part string, notBefore time.Time) (batchResult, error) {
	var r batchResult
	w, err := b.world(ctx, part, harness.Options{DigitalPost: map[string]any{"concurrency": 64}})
	if err != nil {
		return r, err
	}
	defer w.Close()
	if err := w.warmUp(ctx, 64); err != nil {
		return r, err
	}
	harness.Pause(ctx, 3*time.Second)
	idle, err := w.Gateway.Memory()
	if err != nil {
		return r, err
	}
	if err := w.Gateway.ResetPeak(); err != nil {
		return r, err
	}
	before, began := w.spent(), time.Now()
	if err := w.postBatch(ctx, b.lines, notBefore); err != nil {
		return r, fmt.Errorf("%w\n%s", err, w.Logs(10))
	}
	r.speed, r.cost = float64(b.lines)/time.Since(began).Seconds(), w.spent().since(before)
	harness.Pause(ctx, 30*time.Second)
	later, err := w.Gateway.Memory()
	if err != nil {
		return r, err
	}
	stats, err := w.Sim.Stats(ctx)
	r.before, r.after, r.peak, r.delivered = idle.Now, later.Now, later.Peak, stats.Settled
	return r, err
}

// postBatch posts a batch of so many text letters. Every line must be accepted.
func (w world) postBatch(ctx context.Context, lines int, notBefore time.Time) error {
	in := harness.Letter("", somebody)
	in.Content.Documents, in.Content.Text = nil, "Du indkaldes til en samtale i Jobcenter Testby."
	if !notBefore.IsZero() {
		in.Send.NotBefore = notBefore.Format(time.RFC3339)
	}
	letter, err := newTemplate(*in, "load-", true)
	if err != nil {
		return err
	}
	letter.bytes = append(letter.bytes, '\n')
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.Gateway.API+"/v1/batches",
		&batchLines{letter: letter, most: int64(lines)})
	if err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+harness.Token)
	req.Header.Set("Content-Type", "application/x-ndjson")
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	summary, err := lastLine(res.Body)
	if err != nil {
		return err
	}
	if summary.Accepted != lines {
		return fmt.Errorf("%d lines were accepted, %d were posted", summary.Accepted, lines)
	}
	if notBefore.IsZero() {
		return nil
	}
	view, err := w.Gateway.Client.Batch(ctx, summary.Batch)
	if err == nil && view.Statuses["scheduled"] != lines {
		err = fmt.Errorf("%d letters are scheduled, %d were posted", view.Statuses["scheduled"], lines)
	}
	return err
}

// lastLine reads all answers and returns the summary.
func lastLine(body io.Reader) (httpapi.BatchSummary, error) {
	var last []byte
	in := bufio.NewScanner(body)
	in.Buffer(make([]byte, 64<<10), 1<<20)
	for in.Scan() {
		if bytes.Contains(in.Bytes(), []byte(`"problem"`)) {
			return httpapi.BatchSummary{}, fmt.Errorf("a line was answered %s", in.Bytes())
		}
		last = append(last[:0], in.Bytes()...)
	}
	var summary httpapi.BatchSummary
	if err := in.Err(); err != nil {
		return summary, fmt.Errorf("read the answers: %w", err)
	}
	if err := json.Unmarshal(last, &summary); err != nil {
		return summary, fmt.Errorf("read the summary: %w", err)
	}
	return summary, nil
}

// batchLines is a batch that is made while it is read.
type batchLines struct {
	letter template
	next   int64
	most   int64
	rest   []byte // of the present line
}

// Read is io.Reader.
func (l *batchLines) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(l.rest) == 0 {
			if l.next == l.most {
				return n, io.EOF
			}
			l.next++
			l.rest = l.letter.number(l.next)
		}
		copied := copy(p[n:], l.rest)
		n, l.rest = n+copied, l.rest[copied:]
	}
	return n, nil
}
