package sf1606test_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/memo/memotest"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// Every letter is one that Digital Post would take: of the size asked for, by the rules and by the schema.
func TestLetters(t *testing.T) {
	t.Parallel()
	for _, v := range []memo.Version{memo.V1_1, memo.V1_2} {
		l := sf1606test.NewLetters(sf1606test.LettersConfig{Version: v})
		var documents [][]byte
		for _, size := range []int64{1000, 2000, 20_000, 64 << 10, 1_000_000} {
			m := l.New(size)
			for kind, m := range map[string]*memo.Message{"new": m, "reply": l.Reply(m, size+1000), "forward": l.Forward(m, size+1000)} {
				d, err := m.Encode()
				if err != nil {
					t.Fatalf("%s %s: %v", v, kind, err)
				}
				want := size
				if kind != "new" {
					want += 1000
				}
				if d.Size() > max(want, 3000) || want > 3000 && d.Size() < want-6 {
					t.Errorf("%s %s of %d has %d bytes", v, kind, want, d.Size())
				}
				b, err := io.ReadAll(d.Open(t.Context()))
				if err != nil {
					t.Fatal(err)
				}
				documents = append(documents, b)
			}
		}
		if v == memo.V1_1 {
			memotest.ValidateXSD(t, documents...)
		} else {
			memotest.ValidateXSD12(t, documents...)
		}
	}
	d, err := sf1606test.NewLetters(sf1606test.LettersConfig{}).New(memo.MaxSize).Encode()
	if err != nil || d.Size() < memo.MaxSize-6 {
		t.Errorf("the largest: %v", err)
	}
}

// A reply carries back what the letter gave.
func TestReply(t *testing.T) {
	t.Parallel()
	l := sf1606test.NewLetters(sf1606test.LettersConfig{})
	sent := l.New(2000)
	h := &sent.Header
	h.MessageID = "brev-1"
	h.Label = strings.Repeat("æ", 256)
	h.Sender = memo.Sender{
		SenderID: "55133018", IDType: memo.CVR, Label: "Testby Kommune",
		ContactPoint:  &memo.ContactPoint{ContactPointID: "241d39f6-998e-4929-b198-ccacbbf4b330"},
		AttentionData: &memo.AttentionData{GeneratingSystem: &memo.GeneratingSystem{GeneratingSystemID: "brevdue"}},
	}
	h.Recipient = memo.Recipient{RecipientID: "2512489996", IDType: memo.CPR}
	h.ContentData = &memo.ContentData{CaseID: &memo.CaseID{CaseID: "sag-1", CaseSystem: "system"}}
	answer := l.Reply(sent, 5000)
	want := memo.ReplyData{
		MessageID: "brev-1", MessageUUID: h.MessageUUID, SenderID: "55133018", RecipientID: "2512489996", CaseID: "sag-1",
		ContactPointID: "241d39f6-998e-4929-b198-ccacbbf4b330", GeneratingSystemID: "brevdue",
	}
	if got := answer.Header.ReplyData; len(got) != 1 || !equalReply(got[0], want) {
		t.Errorf("%+v", got)
	}
	if answer.Header.Recipient.RecipientID != "55133018" || answer.Header.Sender.SenderID != "2512489996" || answer.Header.MessageUUID == h.MessageUUID {
		t.Errorf("%+v", answer.Header)
	}
	if err := answer.Validate(); err != nil {
		t.Error(err)
	}
	// A letter that was itself an answer: the thread comes along, and so does its AdditionalReplyData.
	extra := []memo.AdditionalReplyData{{Label: "skranke", Value: "4"}}
	h.ReplyData = []memo.ReplyData{{MessageUUID: "0c2d1a57-3b5e-4d39-8a0a-6f5f1c9d7e21", CaseID: "sag-0", AdditionalReplyData: extra}}
	got := l.Reply(sent, 5000).Header.ReplyData
	if len(got) != 2 || got[1].MessageUUID != h.MessageUUID || got[1].ReplyUUID != h.ReplyData[0].MessageUUID || got[1].CaseID != "sag-0" ||
		!slices.Equal(got[1].AdditionalReplyData, extra) || got[0].MessageUUID != h.ReplyData[0].MessageUUID {
		t.Errorf("%+v", got)
	}
	// A letter that gave ReplyData of itself gets that one back, completed.
	h.ReplyData = []memo.ReplyData{{MessageUUID: h.MessageUUID, CaseID: "sag-2", AdditionalReplyData: extra}}
	got = l.Reply(sent, 5000).Header.ReplyData
	want.CaseID, want.AdditionalReplyData = "sag-2", extra
	if len(got) != 1 || !equalReply(got[0], want) || h.ReplyData[0].MessageID != "" {
		t.Errorf("%+v", got)
	}
}

func equalReply(a, b memo.ReplyData) bool {
	extra := slices.Equal(a.AdditionalReplyData, b.AdditionalReplyData)
	a.AdditionalReplyData, b.AdditionalReplyData = nil, nil
	return extra && a.MessageID == b.MessageID && a.MessageUUID == b.MessageUUID && a.ReplyUUID == b.ReplyUUID && a.SenderID == b.SenderID &&
		a.RecipientID == b.RecipientID && a.CaseID == b.CaseID && a.ContactPointID == b.ContactPointID &&
		a.GeneratingSystemID == b.GeneratingSystemID && a.Comment == b.Comment
}

// A filler keeps its word, and is the same each time, in whatever pieces it is read.
func TestFiller(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{0, 1, 10, 15, 16, 17, 98, 99, 100, 5000} {
		f := sf1606test.Filler(size)
		read := func(small bool) []byte {
			r, err := f.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			src := io.Reader(r)
			if small {
				src = iotest.OneByteReader(r)
			}
			b, err := io.ReadAll(src)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		b := read(false)
		if int64(len(b)) != size || f.Size() != size || !bytes.Equal(b, read(true)) {
			t.Errorf("%d: %d bytes", size, len(b))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := sf1606test.Filler(10).Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := r.Read(make([]byte, 1)); err == nil {
		t.Error("reads on after its context")
	}
}
