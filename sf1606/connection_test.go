package sf1606_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1606"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// Strangers get a TLS error: another root, no certificate, another system.
func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	own := authority(t).ClientCertificate()
	foreign, err := strangers()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(own.Leaf.RawSubjectPublicKeyInfo)
	key := hex.EncodeToString(sum[:])
	for _, c := range []struct {
		name string
		cert tls.Certificate
		pins []sf1606.Pin
		in   bool
	}{
		{"own root", own, nil, true},
		{"another root", foreign.ClientCertificate(), nil, false},
		{"no certificate", noCertificate(), nil, false},
		{"pinned by serialNumber and organization", own, []sf1606.Pin{{SerialNumber: own.Leaf.Subject.SerialNumber, Organization: "NTRDK-" + cvr}}, true},
		{"pinned by name", own, []sf1606.Pin{{CommonName: own.Leaf.Subject.CommonName}}, true},
		{"pinned by key", own, []sf1606.Pin{{SPKI: strings.ToUpper(key)}}, true},
		{"second pin", own, []sf1606.Pin{{SerialNumber: "UI:DK-O:G:x"}, {SPKI: key[:2] + ":" + key[2:]}}, true},
		{"another system", own, []sf1606.Pin{{SerialNumber: "UI:DK-O:G:x"}}, false},
		{"serialNumber of another company", own, []sf1606.Pin{{SerialNumber: own.Leaf.Subject.SerialNumber, Organization: "NTRDK-12345678"}}, false},
		{"another key", own, []sf1606.Pin{{SPKI: strings.Repeat("00", 32)}}, false},
		{"another name", own, []sf1606.Pin{{CommonName: strings.ToUpper(own.Leaf.Subject.CommonName)}}, false},
		{"right pin, another root", foreign.ClientCertificate(), []sf1606.Pin{{Organization: "NTRDK-" + cvr}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := receive(t, sf1606.Config{}, c.pins...)
			s := r.sender(sf1606test.SenderConfig{Certificate: c.cert})
			a, err := s.Try(t.Context(), letters().New(2000))
			if (err == nil) != c.in || c.in && !a.Accepted() {
				t.Errorf("HTTP %d %s: %v", a.Status, a.Body, err)
			}
			if st := r.box.Stats(); !c.in && st.Begun != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestTLSConfig(t *testing.T) {
	t.Parallel()
	good := sf1606.TLS{Certificate: authority(t).ServerCertificate(), ClientCAs: authority(t).RootCAs()}
	if c, err := good.Config(); err != nil || c.MinVersion != tls.VersionTLS12 || c.ClientAuth != tls.RequireAndVerifyClientCert {
		t.Errorf("%+v %v", c, err)
	}
	for name, bad := range map[string]sf1606.TLS{
		"roots":       {Certificate: good.Certificate},
		"certificate": {ClientCAs: good.ClientCAs},
		"pin 1":       {Certificate: good.Certificate, ClientCAs: good.ClientCAs, Pins: []sf1606.Pin{{}}},
		"SPKI":        {Certificate: good.Certificate, ClientCAs: good.ClientCAs, Pins: []sf1606.Pin{{SPKI: "abc"}}},
	} {
		if _, err := bad.Config(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// dial opens a connection that the test writes by hand.
func (r *receiver) dial() *tls.Conn {
	r.t.Helper()
	host, _, _ := strings.Cut(strings.TrimPrefix(r.url, "https://"), "/")
	d := tls.Dialer{Config: &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: authority(r.t).RootCAs(), Certificates: []tls.Certificate{authority(r.t).ClientCertificate()},
	}}
	c, err := d.DialContext(r.t.Context(), "tcp", host)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	conn, _ := c.(*tls.Conn)
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	return conn
}

// request writes the headers of an upload.
func request(t *testing.T, w io.Writer, length int, more string) {
	t.Helper()
	_, err := fmt.Fprintf(w, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n%s\r\n", sf1606.DefaultPath, length, more)
	if err != nil {
		t.Fatal(err)
	}
}

// answer reads the receipt.
func answer(t *testing.T, c io.Reader) (status int, closed bool, rcpt sf1606.Receipt) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if rcpt, err = sf1606.ParseReceipt(b); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return res.StatusCode, res.Close, rcpt
}

// A sender that stands still inside a document is told so, and its delivery is gone.
func TestSlowLoris(t *testing.T) {
	t.Parallel()
	r := receive(t, sf1606.Config{Idle: 50 * time.Millisecond})
	b := raw(t, letters().New(200_000))
	c := r.dial()
	request(t, c, len(b), "")
	if _, err := c.Write(b[:len(b)*6/10]); err != nil {
		t.Fatal(err)
	}
	status, closed, rcpt := answer(t, c)
	if status != http.StatusRequestTimeout || rcpt.ErrorCode != sf1606.CodeUploadSlow || !closed || rcpt.MessageUUID == "" {
		t.Errorf("HTTP %d %+v", status, rcpt)
	}
	if st := r.box.Stats(); st.Aborted != 1 || st.Committed != 0 {
		t.Errorf("%+v", st)
	}
	r.clean()
}

// An upload cut at 60 %: nothing stays. A sender that only closes its sending half is told.
func TestCutUpload(t *testing.T) {
	t.Parallel()
	r := receive(t, sf1606.Config{})
	b := raw(t, letters().New(200_000))
	c := r.dial()
	request(t, c, len(b), "")
	if _, err := c.Write(b[:len(b)*6/10]); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	status, _, rcpt := answer(t, c)
	if status != http.StatusBadRequest || rcpt.ErrorCode != sf1606.CodeUploadCut {
		t.Errorf("HTTP %d %+v", status, rcpt)
	}
	r.clean()
	m := letters().New(200_000)
	s := r.sender(sf1606test.SenderConfig{})
	if err := s.Cut(t.Context(), m, 0.6); err != nil {
		t.Fatal(err)
	}
	rcpt, err := s.Send(t.Context(), m)
	if err != nil || !rcpt.Positive() {
		t.Errorf("after a cut: %+v %v", rcpt, err)
	}
	if n := len(r.box.Messages()); n != 1 {
		t.Errorf("%d messages", n)
	}
}

// A refusal that is known from the headers comes before 100 Continue, and without the body.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	r := receive(t, sf1606.Config{})
	c := r.dial()
	request(t, c, memo.MaxSize+1, "Expect: 100-continue\r\n")
	status, _, rcpt := answer(t, c)
	if status != http.StatusRequestEntityTooLarge || rcpt.ErrorCode != sf1606.CodeTooLarge {
		t.Errorf("HTTP %d %+v", status, rcpt)
	}
}

// A slow commit is not taken for a sender that went away, after the deadlines of the upload.
func TestSlowCommit(t *testing.T) {
	t.Parallel()
	box := &sf1606test.Box{OnCommit: func(ctx context.Context, _ sf1606.Meta) error {
		timer := time.NewTimer(200 * time.Millisecond) // four times Idle
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	r := receive(t, sf1606.Config{Intake: sf1606.Intake{Sink: box}, Idle: 50 * time.Millisecond})
	s := r.sender(sf1606test.SenderConfig{})
	for range 2 { // and the connection can be used again
		a, err := s.Try(t.Context(), letters().New(20_000))
		if err != nil || !a.Accepted() {
			t.Fatalf("%v HTTP %d %s", err, a.Status, a.Body)
		}
	}
}

// A commit is finished when the sender goes away meanwhile; the receipt is there when it comes again.
func TestSenderLeaves(t *testing.T) {
	t.Parallel()
	entered, left := make(chan struct{}, 1), make(chan struct{})
	box := &sf1606test.Box{}
	box.OnCommit = func(ctx context.Context, _ sf1606.Meta) error {
		entered <- struct{}{}
		<-left
		return ctx.Err()
	}
	r := receive(t, sf1606.Config{Intake: sf1606.Intake{Sink: box}})
	s := r.sender(sf1606test.SenderConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	m := letters().New(2000)
	done := make(chan error, 1)
	go func() {
		_, err := s.Try(ctx, m)
		done <- err
	}()
	<-entered
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	close(left)
	rcpt, err := s.Send(t.Context(), m)
	if err != nil || !rcpt.Positive() {
		t.Fatal(rcpt, err)
	}
	if st := box.Stats(); st.Committed != 1 {
		t.Errorf("%+v", st)
	}
}

// More uploads than there are places wait, and are told to come again when it takes too long. Small ones pass large ones.
func TestBusy(t *testing.T) {
	t.Parallel()
	hold, entered := make(chan struct{}), make(chan struct{}, 8)
	box := &sf1606test.Box{OnCommit: func(_ context.Context, m sf1606.Meta) error {
		if m.Size > 10_000 {
			entered <- struct{}{}
			<-hold
		}
		return nil
	}}
	r := receive(t, sf1606.Config{
		Intake: sf1606.Intake{Sink: box}, MaxUploads: 3, MaxLarge: 1, LargeBytes: 10_000, Wait: 50 * time.Millisecond,
	})
	s := r.sender(sf1606test.SenderConfig{})
	first := make(chan sf1606.Receipt, 1)
	go func() {
		a, err := s.Try(t.Context(), letters().New(20_000))
		if err != nil {
			t.Error(err)
		}
		first <- a.Receipt
	}()
	<-entered
	a, err := s.Try(t.Context(), letters().New(20_000))
	if err != nil || a.Status != 503 || a.Receipt.ErrorCode != sf1606.CodeBusy || a.Header.Get("Retry-After") != "30" {
		t.Errorf("large: %v HTTP %d %s", err, a.Status, a.Body)
	}
	b := raw(t, letters().New(2000))
	a, err = s.Post(t.Context(), strings.NewReader(string(b)), -1)
	if err != nil || a.Receipt.ErrorCode != sf1606.CodeBusy {
		t.Errorf("chunked: %v HTTP %d %s", err, a.Status, a.Body)
	}
	if a, err = s.Try(t.Context(), letters().New(2000)); err != nil || !a.Accepted() {
		t.Errorf("small: %v HTTP %d %s", err, a.Status, a.Body)
	}
	close(hold)
	if rcpt := <-first; !rcpt.Positive() {
		t.Errorf("%+v", rcpt)
	}
	if a, err = s.Try(t.Context(), letters().New(20_000)); err != nil || !a.Accepted() {
		t.Errorf("afterwards: %v HTTP %d %s", err, a.Status, a.Body)
	}
}
