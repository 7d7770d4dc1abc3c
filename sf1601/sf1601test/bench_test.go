package sf1601test_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// cpu is what this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sized is the good letter with a PDF of n bytes.
func sized(l letter, n int) string {
	return strings.Replace(l.String(), "VGhpcyBpcyBhIHRlc3Q=", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("%PDF"), n/4)), 1)
}

// BenchmarkLetterEndToEnd sends letters of about 7 KB over mutual TLS with
// keep-alive and takes both pushes, all in this process: cpu-us/letter is
// client, far end and gateway together.
func BenchmarkLetterEndToEnd(b *testing.B) {
	g := newGateway(b)
	g.Config.Handler = beskedfordelerAnswer()
	srv := start(b, sf1601test.Config{PushURL: g.URL, Faults: quick()})
	p := newPeer(b, srv)
	p.token(sf1601test.EntityKombiPostAfsend)
	before := cpu(b)
	var sent atomic.Int64
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if a := p.send(sized(letter{recipient: "2512489996"}, 2048)); a.status != http.StatusOK {
				b.Errorf("answer %d %s", a.status, a.body)
				return
			}
			sent.Add(1)
		}
	})
	if err := srv.WaitSettled(b.Context(), sent.Load()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	n := float64(sent.Load())
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/n, "cpu-us/letter")
	b.ReportMetric(n/b.Elapsed().Seconds(), "letters/s")
}

// beskedfordelerAnswer acknowledges without reading, so that the far end is
// what is measured.
func beskedfordelerAnswer() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprintf(w, "<ModtagBeskedOutput><StandardRetur><StatusKode>%d</StatusKode></StandardRetur></ModtagBeskedOutput>", beskedfordeler.StatusKodeOK)
	})
}

// TestLargestLetter sends a request of just under the limit, and one byte too
// much: 99.5 MB, with the race detector 5 MB.
func TestLargestLetter(t *testing.T) {
	t.Parallel()
	limit := sf1601test.DefaultMaxBytes
	if raceDetector {
		limit = 5_000_000
	}
	srv := start(t, sf1601test.Config{Faults: quick(), MaxBytes: int64(limit)})
	p := newPeer(t, srv)
	uuid := newUUID()
	frame := letter{uuid: uuid}.String()
	const old = "VGhpcyBpcyBhIHRlc3Q="
	room := (limit - len(frame) + len(old)) / 4 * 4
	body := strings.Replace(frame, old, strings.Repeat("QUJD", room/4), 1)
	accepted(t, p.send(body))
	m, ok := srv.Message(uuid)
	if !ok || m.Finding != nil || m.Size != int64(len(body)) || m.Documents[0].Size != int64(room/4*3) {
		t.Errorf("message %+v", m)
	}
	req := p.kombi("")
	setBody(req, body+strings.Repeat(" ", limit+1-len(body)))
	if a, err := p.do(req); err == nil && a.status != http.StatusRequestEntityTooLarge { // or cut while it was sent
		t.Errorf("one byte too much: %d", a.status)
	}
	if st := srv.Stats(); st.Letters != 1 {
		t.Errorf("letters %d", st.Letters)
	}
}
