package inbound_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1606"
)

func TestAnAcceptedMessageIsThereWithEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := letter(func(m *memo.Message) {
		m.Body.AdditionalDocuments = []memo.AdditionalDocument{{Files: []memo.File{
			{EncodingFormat: "application/pdf", Filename: "Bilag.pdf", Language: "da", Content: text("%PDF-1.7\n%%EOF")},
			{EncodingFormat: "application/pdf", Filename: "Bilag.pdf", Language: "da", Content: text("%PDF-1.4\n%%EOF")},
		}}}
	})
	xml := bytesOf(t, m)
	p := w.accept(m)
	sum := sha256.Sum256(xml)
	if p.State != gateway.PostQueued || p.Target != "desk" || p.Rule != "" || p.Memo.SHA256 != hex.EncodeToString(sum[:]) ||
		p.Memo.Size != int64(len(xml)) || len(p.Documents) != 3 || p.Answers != nil {
		t.Errorf("%+v", p)
	}
	names := []string{p.Documents[0].SafeName, p.Documents[1].SafeName, p.Documents[2].SafeName}
	if names[0] != "besked.txt" || names[1] != "Bilag.pdf" || names[2] == names[1] {
		t.Errorf("names on a disk: %q", names)
	}
	if p.Documents[0].Kind != "main" || p.Documents[1].Kind != "additional" || p.Documents[1].RealType != "application/pdf" {
		t.Errorf("%+v", p.Documents)
	}
	f, err := w.documents.Open(t.Context(), p.Memo.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if stored, err := io.ReadAll(f); err != nil || !bytes.Equal(stored, xml) {
		t.Errorf("the MeMo is stored as %d bytes of %d: %v", len(stored), len(xml), err)
	}
	if _, events := w.view(p.ID); codes(events) != "received" {
		t.Errorf("events %s", codes(events))
	}
	if len(w.queue.posts) != 1 || w.queue.posts[0] != p.ID {
		t.Errorf("queued %v", w.queue.posts)
	}
}

func TestTheSameMessageAgainGetsTheSameReceipt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := letter()
	first, _ := w.send(bytesOf(t, m))
	w.clock.advance(time.Hour)
	m.Header.MessageUUID = strings.ToUpper(m.Header.MessageUUID)
	second, status := w.send(bytesOf(t, m))
	if status != http.StatusOK || first != second {
		t.Errorf("%d\n%+v\n%+v", status, first, second)
	}
	if posts, err := w.journal.Posts(t.Context(), gateway.PostFilter{Limit: 9}); err != nil || len(posts) != 1 {
		t.Errorf("%d posts, %v", len(posts), err)
	}
}

func TestTheSameMessageTwiceAtOnceIsOnePost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	xml := bytesOf(t, letter())
	var group sync.WaitGroup
	receipts := make([]sf1606.Receipt, 8)
	for n := range receipts {
		group.Go(func() { receipts[n], _ = w.send(xml) })
	}
	group.Wait()
	for _, r := range receipts {
		if !r.Positive() || r.TransmissionID != receipts[0].TransmissionID {
			t.Errorf("%+v", r)
		}
	}
	if posts, err := w.journal.Posts(t.Context(), gateway.PostFilter{Limit: 9}); err != nil || len(posts) != 1 {
		t.Errorf("%d posts, %v", len(posts), err)
	}
	if _, temporary := w.files(); temporary != 0 {
		t.Errorf("%d files are left half written", temporary)
	}
}

func TestAReplyKnowsTheLetterItAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, m := journaltest.Sample(1)
	i.Content.CaseID = "2026-0417"
	id, err := gateway.ParseCPR("2512489996")
	if err != nil {
		t.Fatal(err)
	}
	i.Recipient.ID = id
	err = w.journal.Update(t.Context(), func(tx gateway.Tx) error {
		if _, err := tx.InsertIntent(i); err != nil {
			return err
		}
		return tx.InsertMessage(m)
	})
	if err != nil {
		t.Fatal(err)
	}
	p := w.accept(letter(func(x *memo.Message) {
		x.Header.ReplyData = []memo.ReplyData{{MessageUUID: strings.ToUpper(m.MessageUUID)}}
	}))
	want := gateway.Correlation{Producer: i.Producer, IntentID: i.ID, Reference: i.Reference, MessageID: m.ID, CaseID: "2026-0417"}
	if p.Answers == nil || *p.Answers != want || p.Rule != "svar" || p.Target != "producer" {
		t.Fatalf("%+v, rule %q, target %q", p.Answers, p.Rule, p.Target)
	}
	if again := w.deliver(p.ID); again != 0 {
		t.Fatal("the producer was not told")
	}
	events, err := w.journal.Events(t.Context(), i.Producer, 0, 10)
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if e := events[0]; e.Code != gateway.CodeReply || e.PostID != p.ID || e.CaseID != "2026-0417" || e.MessageID != m.ID || e.IntentID != i.ID {
		t.Errorf("%+v", e)
	}
	if p, _ = w.view(p.ID); p.State != gateway.PostDelivered {
		t.Errorf("the post is %s", p.State)
	}

	other := w.accept(letter(func(x *memo.Message) {
		x.Header.ReplyData = []memo.ReplyData{{MessageUUID: "b54bcb9a-9a3c-44e7-8f22-3c0a1c35b001"}}
	}))
	if other.Answers != nil || other.Target != "desk" {
		t.Errorf("an answer to somebody else: %+v", other)
	}
}

func TestAFlaggedMessageWaitsForAPerson(t *testing.T) {
	t.Parallel()
	virus := func(c *inbound.Config) {
		c.Scanner = scanner(func([]byte) (string, error) { return "Eicar-Test-Signature", nil })
	}
	t.Run("accepted", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, virus)
		p := w.accept(letter())
		if p.State != gateway.PostQuarantined || len(p.Flags) != 1 || p.Flags[0] != inbound.CodeMalware || len(w.queue.posts) != 0 {
			t.Fatalf("%+v, queued %v", p, w.queue.posts)
		}
		if again := w.deliver(p.ID); again != 0 || len(w.targets["desk"].memos) != 0 {
			t.Error("it was delivered")
		}
		if _, events := w.view(p.ID); codes(events) != "quarantined" {
			t.Error(codes(events))
		}
	})
	t.Run("delivered with what was found", func(t *testing.T) {
		t.Parallel()
		program := letter(func(m *memo.Message) {
			m.Body.MainDocument.Files[0].Filename, m.Body.MainDocument.Files[0].Content = "møde.bat", text("@echo off")
		})
		w := newWorld(t)
		if p := w.accept(program); p.State != gateway.PostQuarantined || len(p.Flags) == 0 || len(p.Documents[0].Flags) == 0 {
			t.Errorf("%s, found %v", p.State, p.Flags)
		}
		w = newWorld(t, func(c *inbound.Config) { c.OnFlag = inbound.Deliver })
		if p := w.accept(program); p.State != gateway.PostQueued || len(p.Flags) == 0 {
			t.Errorf("%s, found %v", p.State, p.Flags)
		}
		w = newWorld(t, virus, func(c *inbound.Config) { c.OnFlag = inbound.Deliver })
		if p := w.accept(program); p.State != gateway.PostQuarantined {
			t.Errorf("malware is %s", p.State)
		}
	})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, virus, func(c *inbound.Config) { c.OnFlag = inbound.Refuse })
		xml := bytesOf(t, letter())
		for range 2 {
			if r, _ := w.send(xml); r.Positive() || r.ErrorCode != sf1606.CodeQuarantine || r.Status != sf1606.StatusInvalid {
				t.Errorf("%+v", r)
			}
		}
	})
}

func TestAScannerThatDoesNotAnswerKeepsTheMessageOut(t *testing.T) {
	t.Parallel()
	down := true
	w := newWorld(t, func(c *inbound.Config) {
		c.Scanner = scanner(func([]byte) (string, error) {
			if down {
				return "", errors.New("connection refused")
			}
			return "", nil
		})
	})
	xml := bytesOf(t, letter())
	r, status := w.send(xml)
	if r.Positive() || status != http.StatusServiceUnavailable || strings.Contains(r.ErrorMessage, "connection") {
		t.Errorf("%d %+v", status, r)
	}
	if kept, temporary := w.files(); kept+temporary != 0 {
		t.Errorf("%d and %d files are left", kept, temporary)
	}
	down = false
	if r, _ := w.send(xml); !r.Positive() {
		t.Errorf("%+v", r)
	}
}

type scanner func(b []byte) (string, error)

func (s scanner) Scan(_ context.Context, r io.Reader) (string, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return "", err
	}
	return s(b)
}

func TestWhatIsRefusedLeavesNothing(t *testing.T) {
	t.Parallel()
	good := string(bytesOf(t, letter()))
	for name, xml := range map[string]string{
		"cut":                good[:len(good)*6/10],
		"not XML":            "hello",
		"a DTD":              `<!DOCTYPE a [<!ENTITY b "c">]>` + good,
		"another namespace":  strings.ReplaceAll(good, "https://DigitalPost.dk/MeMo-1", "https://example.org/MeMo-1"),
		"another authority":  strings.ReplaceAll(good, ">"+authority+"<", ">12345678<"),
		"bad base64":         strings.Replace(good, "SHZvcm7DpXI", "!!!!!!!!!!!", 1),
		"trailing bytes":     good + "<x/>",
		"too much in front":  "<!--" + strings.Repeat("x", 5<<20) + "-->" + good,
		"header after files": strings.Replace(good, "MessageHeader", "MessageFooter", 2),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r, _ := w.send([]byte(xml))
			if r.Positive() || r.ErrorCode == "" {
				t.Errorf("%+v", r)
			}
			if kept, temporary := w.files(); kept+temporary != 0 {
				t.Errorf("%d and %d files are left", kept, temporary)
			}
			if posts, err := w.journal.Posts(t.Context(), gateway.PostFilter{Limit: 9}); err != nil || len(posts) != 0 {
				t.Errorf("%d posts, %v", len(posts), err)
			}
		})
	}
}

func TestAStoreThatCannotWriteIsTemporary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := os.RemoveAll(filepath.Join(w.dir, "documents")); err != nil {
		t.Fatal(err)
	}
	r, status := w.send(bytesOf(t, letter()))
	if status != http.StatusServiceUnavailable || r.ErrorCode != sf1606.CodeUnavailable || strings.Contains(r.ErrorMessage, w.dir) {
		t.Errorf("%d %+v", status, r)
	}
}
