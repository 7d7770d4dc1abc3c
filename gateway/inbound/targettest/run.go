package targettest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/brevdue/brevdue/gateway/inbound"
)

// Run runs the suite; build makes a world for each test.
func Run(t *testing.T, build func(t *testing.T) World) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, w World){
		"once":          once,
		"again":         again,
		"moods":         moods,
		"ended":         ended,
		"endedHalfWay":  endedHalfWay,
		"storeFails":    storeFails,
		"storeChanged":  storeChanged,
		"manyAtOnce":    manyAtOnce,
		"noDocuments":   noDocuments,
		"comesBackLate": comesBackLate,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := build(t)
			test(t, w)
			if t.Failed() || w.Traces == nil {
				return
			}
			if left := w.Traces(t); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// deliver is one attempt, of which no word may show anything of the post.
func deliver(ctx context.Context, t *testing.T, w World, p *inbound.Parcel) inbound.Outcome {
	t.Helper()
	o := w.Target.Deliver(ctx, p)
	said := fmt.Sprintf("%s %s %v", o.Code, o.Text, o.Err)
	for _, secret := range []string{CPR, Name, Subject, CaseID, "Nancy", "æøå", p.Post.MessageUUID, Remote} {
		if strings.Contains(said, secret) {
			t.Errorf("the outcome shows %q: %s", secret, said)
		}
	}
	if o.Code == "" || o.Text == "" {
		t.Errorf("an outcome without a word: %+v", o)
	}
	return o
}

// Remote is what far ends say in the tests, and no outcome may repeat.
const Remote = "far-end-words"

// taken demands that a parcel is taken and that its bytes are there as often as said.
func taken(t *testing.T, w World, p *inbound.Parcel, copies int) {
	t.Helper()
	if o := deliver(t.Context(), t, w, p); o.Verdict != inbound.Taken {
		t.Fatalf("%s %s: %v", o.Verdict, o.Code, o.Err)
	}
	whole(t, w, p, copies)
}

func whole(t *testing.T, w World, p *inbound.Parcel, copies int) {
	t.Helper()
	got := w.Got(t, p)
	if len(got) != copies {
		t.Fatalf("the far end has it %d times, not %d", len(got), copies)
	}
	for _, c := range got {
		if c.Memo != "" && c.Memo != p.Post.Memo.SHA256 {
			t.Error("the MeMo is not what came")
		}
		if c.Memo == "" && c.Documents == nil && len(c.Links) != len(p.Post.Documents) {
			t.Errorf("neither MeMo nor documents, and %d links", len(c.Links))
		}
		if c.Documents == nil {
			continue
		}
		if len(c.Documents) != len(p.Post.Documents) {
			t.Errorf("%d documents, not %d", len(c.Documents), len(p.Post.Documents))
		}
		for _, d := range p.Post.Documents {
			if c.Documents[d.SafeName] != d.SHA256 {
				t.Errorf("document %s is not what came", d.SafeName)
			}
		}
	}
}

func once(t *testing.T, w World) {
	for _, sizes := range [][]int64{{0}, {1}, {57, 58, 114}, {200_000, 3_000_000}} {
		taken(t, w, Parcel(t, sizes...), 1)
	}
}

func noDocuments(t *testing.T, w World) {
	p := Parcel(t, 10)
	p.DocumentURL = func(int) string { return "" }
	if o := deliver(t.Context(), t, w, p); o.Verdict == inbound.Taken {
		whole(t, w, p, 1)
	} else if o.Verdict != inbound.Later {
		t.Errorf("%s %s", o.Verdict, o.Code)
	}
}

func again(t *testing.T, w World) {
	p := Parcel(t, 1000)
	taken(t, w, p, 1)
	copies := 2
	if w.Tells {
		copies = 1
	}
	taken(t, w, p, copies)
}

func moods(t *testing.T, w World) {
	for _, c := range []struct {
		mood    Mood
		verdict inbound.Verdict
	}{{Refuses, inbound.Refused}, {Busy, inbound.Later}, {Gone, inbound.Later}} {
		if !w.Set(t, c.mood) {
			continue
		}
		p := Parcel(t, 100_000)
		o := deliver(t.Context(), t, w, p)
		if o.Verdict != c.verdict || o.Verdict != inbound.Taken && o.Code == "" {
			t.Errorf("%s: %s %s: %v", c.mood, o.Verdict, o.Code, o.Err)
		}
		if w.Set(t, Takes) {
			if n := len(w.Got(t, p)); n != 0 {
				t.Errorf("%s: the far end has it %d times", c.mood, n)
			}
			taken(t, w, p, 1)
		}
	}
}

// comesBackLate: one post is refused and the next one is taken, over and over.
func comesBackLate(t *testing.T, w World) {
	for range 3 {
		if w.Set(t, Busy) {
			if o := deliver(t.Context(), t, w, Parcel(t, 10)); o.Verdict != inbound.Later {
				t.Errorf("%s %s", o.Verdict, o.Code)
			}
		}
		w.Set(t, Takes)
		taken(t, w, Parcel(t, 10), 1)
	}
}

func ended(t *testing.T, w World) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := Parcel(t, 1000)
	if o := deliver(ctx, t, w, p); o.Verdict != inbound.Later {
		t.Errorf("%s %s", o.Verdict, o.Code)
	}
	if n := len(w.Got(t, p)); n != 0 {
		t.Errorf("the far end has it %d times", n)
	}
	taken(t, w, p, 1)
}

// endedHalfWay: the process stops while the first bytes are read.
func endedHalfWay(t *testing.T, w World) {
	ctx, cancel := context.WithCancel(t.Context())
	p := Parcel(t, 3_000_000)
	broken := faulty(p, func(int64) error {
		cancel()
		return nil
	})
	if o := deliver(ctx, t, w, broken); o.Verdict != inbound.Later && ctx.Err() != nil {
		t.Errorf("%s %s", o.Verdict, o.Code)
	}
	if n := len(w.Got(t, p)); n != 0 {
		t.Errorf("the far end has it %d times", n)
	}
	taken(t, w, p, 1)
}

var errDisk = errors.New("the letter of " + Name) // what an error of a store might hold

// storeFails: the files cannot be read to their end.
func storeFails(t *testing.T, w World) {
	p := Parcel(t, 3_000_000)
	var asked atomic.Int64
	broken := faulty(p, func(n int64) error {
		asked.Add(1)
		if n > 1_000_000 {
			return errDisk
		}
		return nil
	})
	o := deliver(t.Context(), t, w, broken)
	if o.Verdict != inbound.Later || asked.Load() == 0 {
		t.Errorf("%s %s after %d reads", o.Verdict, o.Code, asked.Load())
	}
	if n := len(w.Got(t, p)); n != 0 {
		t.Errorf("the far end has it %d times", n)
	}
	taken(t, w, p, 1)
}

// storeChanged: the files are shorter than they were.
func storeChanged(t *testing.T, w World) {
	p := Parcel(t, 300_000)
	broken := faulty(p, func(n int64) error {
		if n > 100_000 {
			return io.EOF
		}
		return nil
	})
	if o := deliver(t.Context(), t, w, broken); o.Verdict != inbound.Later {
		t.Errorf("%s %s: %v", o.Verdict, o.Code, o.Err)
	}
	if n := len(w.Got(t, p)); n != 0 {
		t.Errorf("the far end has it %d times", n)
	}
	taken(t, w, p, 1)
}

func manyAtOnce(t *testing.T, w World) {
	const many = 12
	parcels := make([]*inbound.Parcel, many)
	outcomes := make(chan inbound.Outcome, many)
	for n := range parcels {
		parcels[n] = Parcel(t, int64(n*1000))
		go func() { outcomes <- w.Target.Deliver(t.Context(), parcels[n]) }()
	}
	for range many {
		if o := <-outcomes; o.Verdict != inbound.Taken {
			t.Errorf("%s %s: %v", o.Verdict, o.Code, o.Err)
		}
	}
	for _, p := range parcels {
		whole(t, w, p, 1)
	}
}

// faulty is a parcel whose files ask at every read, with the bytes read so far.
func faulty(p *inbound.Parcel, at func(n int64) error) *inbound.Parcel {
	broken := *p
	broken.Memo = func(ctx context.Context) (io.ReadCloser, error) {
		r, err := p.Memo(ctx)
		return &faultyReader{r: r, at: at}, err
	}
	broken.Document = func(ctx context.Context, n int) (io.ReadCloser, error) {
		r, err := p.Document(ctx, n)
		return &faultyReader{r: r, at: at}, err
	}
	return &broken
}

type faultyReader struct {
	r  io.ReadCloser
	at func(n int64) error
	n  int64
}

func (f *faultyReader) Read(p []byte) (int, error) {
	if err := f.at(f.n); err != nil {
		return 0, err
	}
	n, err := f.r.Read(p[:min(len(p), 16<<10)])
	f.n += int64(n)
	return n, err
}

func (f *faultyReader) Close() error { return f.r.Close() }
