package sf1606

import (
	"errors"
	"io"
	"net/http"
	"os"
	"testing"
	"time"
)

// slowSource gives step bytes after each pause of its clock, and respects a deadline like a socket.
type slowSource struct {
	now      time.Time
	pause    time.Duration
	step     int
	left     int
	deadline time.Time
	resets   int
}

func (s *slowSource) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	if next := s.now.Add(s.pause); !s.deadline.IsZero() && next.After(s.deadline) {
		s.now = s.deadline
		return 0, os.ErrDeadlineExceeded
	}
	s.now = s.now.Add(s.pause)
	n := min(s.step, s.left, len(p))
	s.left -= n
	return n, nil
}

func (s *slowSource) set(t time.Time) error {
	if t.IsZero() {
		s.resets++
	}
	s.deadline = t
	return nil
}

func TestUploadLimits(t *testing.T) {
	t.Parallel()
	const idle, grace, rate = 10 * time.Second, 20 * time.Second, 1000
	for _, c := range []struct {
		name        string
		pause       time.Duration
		step, total int
		code        string // "" comes whole
		read        int64
	}{
		{"quick", time.Millisecond, 1000, 100_000, "", 100_000},
		{"just fast enough", time.Second, 1000, 500_000, "", 500_000},
		{"drips within every pause", 9 * time.Second, 1, 100, CodeUploadSlow, 2},
		{"stands still", 11 * time.Second, 1000, 1000, CodeUploadSlow, 0},
		{"half the rate", time.Second, 500, 500_000, CodeUploadSlow, 20_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &slowSource{now: time.Unix(0, 0), pause: c.pause, step: c.step, left: c.total}
			u := &upload{src: s, deadline: s.set, clock: func() time.Time { return s.now }, idle: idle, grace: grace, minRate: rate}
			_, err := io.Copy(io.Discard, u)
			refused, _ := errors.AsType[*Refusal](err)
			if (c.code == "") != (err == nil) || refused != nil && refused.Code != c.code {
				t.Errorf("ended with %v", err)
			}
			if c.code == "" != u.whole() || c.code == "" && u.read != c.read || u.read > c.read+u.read/10 || u.read < c.read-c.read/10 {
				t.Errorf("%d bytes read, whole %v", u.read, u.whole())
			}
			if s.resets != 1 || !s.deadline.IsZero() {
				t.Error("a deadline is left on the connection")
			}
			if _, again := u.Read(make([]byte, 1)); !errors.Is(again, u.err) {
				t.Errorf("after the end: %v", again)
			}
		})
	}
}

// What the sink takes does not count against the sender.
func TestUploadCountsOnlyWaiting(t *testing.T) {
	t.Parallel()
	s := &slowSource{now: time.Unix(0, 0), step: 10, left: 100}
	u := &upload{src: s, deadline: s.set, clock: func() time.Time { return s.now }, idle: time.Second, grace: time.Second, minRate: 1000}
	for !u.whole() {
		if _, err := u.Read(make([]byte, 10)); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		s.now = s.now.Add(time.Hour)
	}
}

// A connection without deadlines is read all the same, and a broken one is a cut upload.
func TestUploadDeadlineErrors(t *testing.T) {
	t.Parallel()
	for deadline, code := range map[error]string{http.ErrNotSupported: "", errors.New("gone"): CodeUploadCut} {
		u := &upload{
			src: &slowSource{step: 1, left: 1}, deadline: func(time.Time) error { return deadline }, clock: time.Now,
			idle: time.Second, grace: time.Second, minRate: 1,
		}
		_, err := io.Copy(io.Discard, u)
		if refused, _ := errors.AsType[*Refusal](err); (refused == nil) != (code == "") || refused != nil && refused.Code != code {
			t.Errorf("%v: %v", deadline, err)
		}
	}
}

func TestNegotiate(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]Format{
		"": FormatJSON, "application/json": FormatJSON, "application/xml": FormatXML, "text/xml": FormatXML, "*/*": FormatJSON,
		"text/html, application/xml;q=0.9, */*;q=0.8": FormatXML,
		"application/json;q=0.5, text/xml":            FormatXML,
		"application/json, application/xml":           FormatJSON,
		"application/xml;q=0, */*":                    FormatJSON,
		"application/json;q=0, */*":                   FormatXML,
		"image/png":                                   FormatJSON,
		"application/*;q=0.3, application/xml;q=0.2":  FormatJSON,
		"text/*": FormatXML,
		";;;, application/xml; q=x, application/json; q=0.1": FormatJSON,
	} {
		if got := negotiate([]string{accept}, FormatJSON); got != want {
			t.Errorf("%q: %s", accept, got)
		}
	}
	if got := negotiate(nil, FormatXML); got != FormatXML {
		t.Errorf("nothing: %s", got)
	}
}
