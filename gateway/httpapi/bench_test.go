package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
)

// accepting takes every intent at no cost, so that a benchmark measures the door alone.
type accepting struct{ Gateway }

func (accepting) Accept(_ context.Context, d gateway.Draft) (*gateway.Intent, bool, error) {
	return &gateway.Intent{
		ID: "int_01JDZX4T8Q0000000000000001", Reference: d.Reference, Status: gateway.IntentAccepted,
		Messages: []gateway.Message{{ID: "msg_01JDZX4T8Q0000000000000001", Channel: "digitalpost", State: gateway.Queued}},
	}, false, nil
}

func (accepting) Health(context.Context) (*gateway.Health, error) { return &gateway.Health{}, nil }
func (accepting) ReceiptCounts() gateway.ReceiptCounts            { return gateway.ReceiptCounts{} }

// fourKB is a letter whose JSON has about 4 KB.
func fourKB(b *testing.B) string {
	b.Helper()
	in := letter("sag-2026-0417/indkaldelse-1")
	in.Content.Documents[0].Content.Bytes = bytes.Repeat([]byte("%PDF-1.7"), 260)
	return text(b, in)
}

func benchServer(b *testing.B) *Server {
	b.Helper()
	s, err := New(Config{Gateway: accepting{}, Producers: testProducers()})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// sink is a response that costs nothing.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }

// BenchmarkPostIntent is the handler alone, one core: no network, no gateway.
func BenchmarkPostIntent(b *testing.B) {
	s, body := benchServer(b), fourKB(b)
	w := &sink{header: make(http.Header)}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "/v1/intents", strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+tokenHuske)
		r.Header.Set("Content-Type", "application/json")
		clear(w.header)
		s.ServeHTTP(w, r)
		if w.status != http.StatusAccepted {
			b.Fatal(w.status)
		}
	}
}

// BenchmarkPostIntentLoopback has the network and the client in it, on all cores.
func BenchmarkPostIntentLoopback(b *testing.B) {
	s, body := benchServer(b), fourKB(b)
	postAll(b, s, func() string { return body })
}

// postAll posts bodies over loopback, 256 at a time on two cores.
func postAll(b *testing.B, s *Server, body func() string) {
	b.Helper()
	server := httptest.NewUnstartedServer(s)
	server.Config = NewHTTPServer("", s, nil)
	server.Start()
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	b.SetParallelism(128)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL+"/v1/intents", strings.NewReader(body()))
			if err != nil {
				b.Error(err)
				return
			}
			r.Header.Set("Authorization", "Bearer "+tokenHuske)
			r.Header.Set("Content-Type", "application/json")
			resp, err := client.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			if resp.StatusCode != http.StatusAccepted {
				b.Error(resp.Status)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "intents/s")
}

// BenchmarkAcceptOverHTTP has everything in it that a producer waits for: network, gateway, and SQLite with durable
// commits. The queue is none.
func BenchmarkAcceptOverHTTP(b *testing.B) {
	s, ids := benchHouse(b)
	before, after, _ := strings.Cut(fourKB(b), "sag-2026-0417/indkaldelse-1")
	postAll(b, s, func() string { return before + strconv.FormatInt(ids.Add(1), 10) + after })
}

// benchHouse is a server over a real gateway and journal, with a counter for ids. The queue is none.
func benchHouse(b *testing.B) (*Server, *atomic.Int64) {
	b.Helper()
	j, err := journal.Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "journal.db"), journal.Options{Migrate: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	ids := &atomic.Int64{}
	g, err := gateway.New(gateway.Config{
		Journal: j, Documents: &documentsFake{}, Queue: &queueFake{}, Channels: []gateway.Channel{letterbox{"digitalpost"}, letterbox{"print"}},
		Senders: map[string]gateway.Sender{"jobcenter": {}}, Windows: []string{"day"}, Now: clock, NewUUID: uuid.NewString, Worker: "bench",
		NewID: func(prefix string) string { return fmt.Sprintf("%s_%026d", prefix, ids.Add(1)) },
	})
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(Config{Gateway: g, Producers: testProducers()})
	if err != nil {
		b.Fatal(err)
	}
	return s, ids
}

// BenchmarkBatch is one batch over loopback, with everything in it that a producer waits for, for a plain letter of 1 KB:
// intents a second, and the most heap that was in use at any 1000th line.
func BenchmarkBatch(b *testing.B) {
	s, _ := benchHouse(b)
	server := httptest.NewUnstartedServer(s)
	server.Config = NewHTTPServer("", s, nil)
	server.Start()
	defer server.Close()
	c := &Client{BaseURL: server.URL, Token: tokenHuske}
	in := letter("REFERENCE")
	in.Content.Actions, in.Content.Documents = nil, nil
	before, after, _ := strings.Cut(text(b, in), "REFERENCE")
	r, w := io.Pipe()
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		out := bufio.NewWriterSize(w, 64<<10)
		for n := range b.N {
			_, _ = out.WriteString(before + "sag-" + strconv.Itoa(n) + after + "\n")
		}
		_ = out.Flush()
		_ = w.Close()
	}()
	var heap uint64
	summary, err := c.PostBatch(b.Context(), r, func(a BatchLine) error {
		if a.Line%1000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			heap = max(heap, m.HeapInuse)
		}
		return nil
	})
	if err != nil || summary.Accepted != b.N {
		b.Fatal(summary, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "intents/s")
	b.ReportMetric(float64(heap)/(1<<20), "MB-heap")
}
