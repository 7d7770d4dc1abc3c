package sf1601_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/signature"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

func TestTheRequestIsKeptBeforeItLeaves(t *testing.T) {
	t.Parallel()
	f, s := newFarEnd(t, always(200, yes)), &shelf{}
	var request bytes.Buffer
	c := newClient(t, f, func(cfg *sf1601.Config, b *signature.BatcherConfig) {
		b.Keep = s.keep
		cfg.Skeleton = func(ctx context.Context, d *xmlstream.Document) ([]byte, error) {
			r := d.Open(ctx)
			defer func() { _ = r.Close() }()
			_, err := io.Copy(&request, r)
			return []byte("bones"), err
		}
	})
	f.answer = func(w http.ResponseWriter, r *http.Request, body []byte) {
		if m := s.manifests(); len(m) != 1 || string(m[0].Entries[0].Skeleton) != "bones" {
			t.Error("the letter arrived before it was kept")
		}
		always(200, yes)(w, r, body)
	}
	got, err := c.KombiPostAfsend(t.Context(), letter(small()))
	if err != nil {
		t.Fatal(err)
	}
	if sent := f.requests()[0].body; !bytes.Equal(request.Bytes(), sent) {
		t.Error("what was kept is not what arrived")
	}
	if string(got.Answer) != yes {
		t.Errorf("the answer %q", got.Answer)
	}
	if bytes.Contains(s.manifests()[0].XML, []byte("bones")) {
		t.Error("the skeleton is in the manifest")
	}
}

func TestALetterThatCannotBeKeptDoesNotLeave(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is full")
	f, s := newFarEnd(t, always(200, yes)), &shelf{}
	c := newClient(t, f, func(cfg *sf1601.Config, b *signature.BatcherConfig) {
		b.Keep = s.keep
		cfg.Skeleton = func(context.Context, *xmlstream.Document) ([]byte, error) { return nil, broken }
	})
	_, err := c.KombiPostAfsend(t.Context(), letter(small()))
	e := asError(t, err)
	if e.Class != sf1601.Temporary || e.Op != sf1601.OpSign || !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if len(f.requests()) != 0 || len(s.manifests()) != 0 {
		t.Error("something left, or was signed")
	}
}

func TestTheAnswerIsHandedOnAsItCame(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(" ", sf1601.MaxKept) + "<r/>"
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"refused":    {200, no(fejl("4711", "NGDP", "Nancy findes ikke\r\n")), no(fejl("4711", "NGDP", "Nancy findes ikke\r\n"))},
		"unreadable": {500, "\x00\xff oops", "\x00\xff oops"},
		"busy":       {503, "busy", "busy"},
		"nothing":    {502, "", ""},
		"long":       {400, long, long[:sf1601.MaxKept]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, newFarEnd(t, always(c.status, c.body))).KombiPostAfsend(t.Context(), letter(small()))
			e := asError(t, err)
			if string(e.Answer) != c.want {
				t.Errorf("%d bytes %.40q, want %d", len(e.Answer), e.Answer, len(c.want))
			}
			if strings.Contains(e.Error(), "Nancy") {
				t.Error("the answer is in the error's text")
			}
		})
	}
}
