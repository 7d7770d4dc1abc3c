package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

// accepting is part a: how many intents a second the API makes durable.
func accepting(ctx context.Context, b *bench) ([]row, error) {
	w, err := b.world(ctx, "a", harness.Options{Roles: "api"})
	if err != nil {
		return nil, err
	}
	defer w.Close()
	warmUp, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if _, err := (&load{address: w.Gateway.API, conns: 24, prefix: "warm-"}).run(warmUp, math.MaxInt32); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, w.Logs(10))
	}
	before := w.spent()
	timed, cancel := context.WithTimeout(ctx, b.accept)
	defer cancel()
	r, err := (&load{address: w.Gateway.API, conns: 24, prefix: "load-"}).run(timed, math.MaxInt32)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, w.Logs(10))
	}
	cost := w.spent().since(before)
	speed := float64(r.Accepted) / r.Took.Seconds()
	return []row{
		{"a. intents accepted through HTTP, " + b.durability(), "≥ 3,000/s", verdict(speed >= 3000, fmt.Sprintf("%.0f/s", speed))},
		{"   answer, 24 connections at full speed, p50", "", milliseconds(quantile(r.Delays, 0.50))},
		{"   the same, p99", "", milliseconds(quantile(r.Delays, 0.99))},
		{"   processor time of one", "", cost.each(r.Accepted)},
		{"   who had the processors", "", cost.shares()},
	}, nil
}

// endToEnd is part b: letters a second from the first one accepted to the last one delivered.
func endToEnd(ctx context.Context, b *bench) ([]row, error) {
	w, err := b.world(ctx, "b", harness.Options{DigitalPost: map[string]any{"concurrency": 64}})
	if err != nil {
		return nil, err
	}
	defer w.Close()
	if err := w.warmUp(ctx, 64); err != nil {
		return nil, err
	}
	before := w.spent()
	posted, err := (&load{address: w.Gateway.API, conns: 16, prefix: "load-"}).run(ctx, b.letters)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, w.Logs(10))
	}
	if err := w.settled(ctx, 64+int64(b.letters)); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, w.Logs(10))
	}
	cost := w.spent().since(before)
	events, err := w.Gateway.Events(ctx)
	if err != nil {
		return nil, err
	}
	first, last, err := span(events, "load-", b.letters)
	if err != nil {
		return nil, err
	}
	speed := float64(b.letters) / last.Sub(first).Seconds()
	w.Gateway.Kill()
	w.Sim.Kill()
	empty, err := emptyTasks(ctx, w.Redis.Address, b.tasks)
	if err != nil {
		return nil, err
	}
	return []row{
		{"b. letters accepted to delivered, real Redis, RSA-3072, mutual TLS", "≥ 600/s",
			verdict(speed >= 600, fmt.Sprintf("%.0f/s", speed))},
		{"   posting them meanwhile", "", fmt.Sprintf("%.0f/s", float64(posted.Accepted)/posted.Took.Seconds())},
		{"   processor time of one", "", cost.each(b.letters)},
		{"   who had the processors", "", cost.shares()},
		{"   asynq alone with empty tasks, same Redis", "", fmt.Sprintf("%.0f/s", empty)},
		{"   ratio of the two", "", fmt.Sprintf("%.3f", speed/empty)},
	}, nil
}

// delay is part c: how long a letter waits before the far end has it, when there is little to do.
func delay(ctx context.Context, b *bench) ([]row, error) {
	const perSecond = 50
	w, err := b.world(ctx, "c", harness.Options{})
	if err != nil {
		return nil, err
	}
	defer w.Close()
	if err := w.warmUp(ctx, 20); err != nil {
		return nil, err
	}
	count, before := int(b.steady.Seconds()*perSecond), w.spent()
	ticker := time.NewTicker(time.Second / perSecond)
	defer ticker.Stop()
	for n := range count {
		if _, err := w.Gateway.Client.PostIntent(ctx, harness.Letter(fmt.Sprintf("load-%d", n), "2512489996")); err != nil {
			return nil, err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err := w.settled(ctx, 20+int64(count)); err != nil {
		return nil, err
	}
	cost := w.spent().since(before)
	handed, err := w.handedOver(ctx)
	if err != nil {
		return nil, err
	}
	if len(handed) != count {
		return nil, fmt.Errorf("%d letters were handed over, %d were posted", len(handed), count)
	}
	p99 := quantile(handed, 0.99)
	return []row{
		{"c. accepted to handed over at 50 intents/s, p99", "≤ 250 ms", verdict(p99 <= 250*time.Millisecond, milliseconds(p99))},
		{"   the same, p50; longest", "", milliseconds(quantile(handed, 0.50)) + "; " + milliseconds(quantile(handed, 1))},
		{"   who had the processors", "", cost.shares()},
	}, nil
}

// memory is part d: what one large letter costs.
func memory(ctx context.Context, b *bench) ([]row, error) {
	w, err := b.world(ctx, "d", harness.Options{})
	if err != nil {
		return nil, err
	}
	defer w.Close()
	started, err := w.Gateway.Memory()
	if err != nil {
		return nil, err
	}
	if err := w.warmUp(ctx, 20); err != nil {
		return nil, err
	}
	harness.Pause(ctx, 3*time.Second)
	idle, err := w.Gateway.Memory()
	if err != nil {
		return nil, err
	}
	if err := w.Gateway.ResetPeak(); err != nil {
		return nil, err
	}
	began := time.Now()
	doc, err := w.Gateway.Client.UploadDocument(ctx, "Bilag.pdf", harness.LargePDF(b.document))
	if err != nil {
		return nil, err
	}
	uploading := time.Since(began)
	uploaded, err := w.Gateway.Memory()
	if err != nil {
		return nil, err
	}
	if err := w.Gateway.ResetPeak(); err != nil {
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
	handed := view.Messages[0].SubmittedAt.Sub(view.CreatedAt)
	sent, err := w.Gateway.Memory()
	if err != nil {
		return nil, err
	}
	const megabyte = 1 << 20
	grown := func(m harness.Memory) float64 { return float64(m.Peak-idle.Now) / megabyte }
	return []row{
		{fmt.Sprintf("d. peak memory over idle, a letter of %d MB built, signed, sent", b.document/1_000_000), "≤ 24 MB",
			verdict(grown(sent) <= 24, fmt.Sprintf("%.1f MB", grown(sent)))},
		{"   idle after 20 small letters; just started", "",
			fmt.Sprintf("%.1f MB; %.1f MB", float64(idle.Now)/megabyte, float64(started.Now)/megabyte)},
		{"   peak over idle while the document was uploaded", "", fmt.Sprintf("%.1f MB", grown(uploaded))},
		{"   upload; accepted to handed over", "", fmt.Sprintf("%.2f s; %.2f s", uploading.Seconds(), handed.Seconds())},
	}, nil
}

// coldDemo is part e: the first thing a newcomer sees.
func coldDemo(ctx context.Context, b *bench) ([]row, error) {
	began := time.Now()
	_, err := harness.Run(ctx, b.binary, b.dir, "demo", "--once", "--dir", filepath.Join(b.dir, "e"))
	took := time.Since(began)
	if err != nil {
		return nil, err
	}
	return []row{
		{"e. brevdue demo --once in a fresh folder", "≤ 20 s, exit 0",
			verdict(took <= 20*time.Second, fmt.Sprintf("%.1f s, exit 0", took.Seconds()))},
	}, nil
}
