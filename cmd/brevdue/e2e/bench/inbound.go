package main

import (
	"context"
	"fmt"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// toFolder are the rules of both parts: everything into one folder.
const toFolder = `
targets: {desk: {folder: "{{inbox}}/desk"}}
default: desk
`

// receiver starts a gateway that receives, and the sender it is asked by.
func (b *bench) receiver(ctx context.Context, part string) (world, *sf1606test.Sender, error) {
	w, err := b.world(ctx, part, harness.Options{Inbound: &harness.Inbound{Routes: toFolder, Folders: []string{"desk"}}})
	if err != nil {
		return w, nil, err
	}
	sender, err := w.Sender(sf1606test.SenderConfig{})
	if err != nil {
		w.Close()
	}
	return w, sender, err
}

// take sends messages of a size, all of which must be accepted, and waits until the folder has as many as there were in all.
func (w world) take(
	ctx context.Context, s *sf1606test.Sender, total, concurrency int, size int64, inAll int,
) (sf1606test.StormResult, time.Duration, error) {
	began := time.Now()
	book, err := s.Storm(ctx, sf1606test.StormConfig{Total: total, Concurrency: concurrency, MinBytes: size, MaxBytes: size})
	if err == nil && book.Accepted != total {
		err = fmt.Errorf("not everything was accepted: %s", book)
	}
	if err == nil {
		err = w.AwaitDelivered(ctx, "desk", inAll)
	}
	if err != nil {
		return book, 0, fmt.Errorf("%w\n%s", err, w.Logs(10))
	}
	return book, time.Since(began), nil
}

// receiving is part l: how many inbound messages a second are made durable, and brought to a folder meanwhile.
func receiving(ctx context.Context, b *bench) ([]row, error) {
	const size, warm = 20_000, 200
	w, sender, err := b.receiver(ctx, "l")
	if err != nil {
		return nil, err
	}
	defer w.Close()
	defer sender.Close()
	if _, _, err := w.take(ctx, sender, warm, 8, size, warm); err != nil {
		return nil, err
	}
	before := w.spent()
	book, all, err := w.take(ctx, sender, b.posts, 16, size, warm+b.posts)
	if err != nil {
		return nil, err
	}
	cost := w.spent().since(before)
	speed := float64(b.posts) / book.Elapsed.Seconds()
	return []row{
		{"l. inbound messages of 20 KB accepted, mutual TLS, SQLite FULL", "≥ 200/s", verdict(speed >= 200, fmt.Sprintf("%.0f/s", speed))},
		{"   receipt, 16 senders at full speed, p50; p99", "",
			milliseconds(book.Percentile(0.5)) + "; " + milliseconds(book.Percentile(0.99))},
		{"   accepted and in the folder of their target", "", fmt.Sprintf("%.0f/s", float64(b.posts)/all.Seconds())},
		{"   processor time of one", "", cost.each(b.posts)},
		{"   who had the processors", "", cost.shares()},
	}, nil
}

// largePosts is part m: what the largest messages cost, from the first byte to the folder of their target.
func largePosts(ctx context.Context, b *bench) ([]row, error) {
	// Few small messages before: a process that has worked hard has a heap in which the largest ones cost nothing more.
	const warm, many = 3, 10
	w, sender, err := b.receiver(ctx, "m")
	if err != nil {
		return nil, err
	}
	defer w.Close()
	defer sender.Close()
	if _, _, err := w.take(ctx, sender, warm, 1, 20_000, warm); err != nil {
		return nil, err
	}
	var rows []row
	inAll := warm
	for _, c := range []struct {
		count  int
		most   float64
		figure string
	}{
		{1, 24, "m. peak memory over idle, one message of 99.5 MB received and brought to a folder"},
		{many, 120, "   the same, ten at once"},
	} {
		harness.Pause(ctx, 3*time.Second)
		idle, err := w.Gateway.Memory()
		if err != nil {
			return nil, err
		}
		if err := w.Gateway.ResetPeak(); err != nil {
			return nil, err
		}
		inAll += c.count
		book, all, err := w.take(ctx, sender, c.count, c.count, memo.MaxSize, inAll)
		if err != nil {
			return nil, err
		}
		after, err := w.Gateway.Memory()
		if err != nil {
			return nil, err
		}
		grown := float64(after.Peak-idle.Now) / (1 << 20)
		rows = append(rows,
			row{c.figure, fmt.Sprintf("≤ %.0f MB", c.most), verdict(grown <= c.most, fmt.Sprintf("%.1f MB", grown))},
			row{"   idle before; to the receipt; to the folder", "", fmt.Sprintf("%.1f MB; %.2f s; %.2f s",
				float64(idle.Now)/(1<<20), book.Elapsed.Seconds(), all.Seconds())})
	}
	return rows, nil
}
