package sf1601test_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// A recipient ending in 9984 answers once, with the MeMo it got, and only after the gateway knows that it was delivered.
func TestRecipientAnswers(t *testing.T) {
	t.Parallel()
	type told struct {
		letter   string
		statuses int
	}
	answered := make(chan told, 9)
	var g *gateway
	srv, p, g := town(t, sf1601test.Config{
		Answers: func(letter []byte) func(context.Context) {
			letter = bytes.Clone(letter) // it is only borrowed
			return func(context.Context) { answered <- told{string(letter), len(g.statuses())} }
		},
	})
	body := letter{recipient: "2512489984"}.String()
	accepted(t, p.send(body))
	accepted(t, p.send(body)) // the same letter: no second answer
	accepted(t, p.send(letter{recipient: "2512489996"}.String()))
	first := <-answered
	if !strings.HasPrefix(first.letter, "<memo:Message ") || !strings.HasSuffix(first.letter, "</memo:Message>") || !strings.Contains(body, first.letter) {
		t.Errorf("the letter is %q", first.letter)
	}
	if first.statuses < 2 {
		t.Errorf("answered after %d statuses", first.statuses)
	}
	if err := srv.WaitSettled(deadline(t), 2); err != nil {
		t.Fatal(err)
	}
	srv.Close() // waits for answers
	if len(answered) != 0 {
		t.Errorf("%d more answers", len(answered))
	}
}

// What cannot be answered is settled all the same, and Close does not wait for an answer that hangs.
func TestRecipientThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	hanging := make(chan struct{})
	calls := 0
	srv, p, _ := town(t, sf1601test.Config{Answers: func([]byte) func(context.Context) {
		if calls++; calls == 1 {
			return nil
		}
		return func(ctx context.Context) {
			close(hanging)
			<-ctx.Done()
		}
	}})
	for range 2 {
		accepted(t, p.send(letter{recipient: "2512489984"}.String()))
	}
	if err := srv.WaitSettled(deadline(t), 2); err != nil {
		t.Fatal(err)
	}
	<-hanging
	srv.Close()
}

func TestAdminInbound(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{Admin: "127.0.0.1:0", Inbound: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.Method + " " + r.URL.Path))
	})})
	for _, method := range []string{"GET", "POST"} {
		if a := admin(t, srv, method, "/inbound", ""); a.status != 200 || a.body != method+" /inbound" {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
}
