package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// Sim is `brevdue sim`.
type Sim struct {
	*Process

	Dir   string // its certificates
	URL   string // of the services
	admin string
	http  *http.Client
}

// startSim starts the far end; statuses are the arguments that say where they go.
func startSim(ctx context.Context, binary, dir, listen, admin string, statuses []string) (*Sim, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of the simulator: %w", err)
	}
	p, err := start("brevdue sim", dir, filepath.Join(dir, "sim.log"), binary,
		append([]string{"sim", "--listen", listen, "--admin", admin, "--dir", dir}, statuses...)...)
	if err != nil {
		return nil, err
	}
	s := &Sim{
		Process: p, Dir: dir, URL: "https://" + listen, admin: "http://" + admin,
		http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}},
	}
	if err := p.waitUp(ctx, func(ctx context.Context) error { _, err := s.Stats(ctx); return err }); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Stats are the simulator's counts.
func (s *Sim) Stats(ctx context.Context) (sf1601test.Stats, error) {
	var stats sf1601test.Stats
	return stats, s.call(ctx, http.MethodGet, "/stats", nil, &stats)
}

// Messages are all letters that arrived, in order.
func (s *Sim) Messages(ctx context.Context) ([]sf1601test.Message, error) {
	var all []sf1601test.Message
	for after := int64(0); ; {
		var page struct {
			Messages []sf1601test.Message `json:"messages"`
			Next     int64                `json:"next"`
		}
		if err := s.call(ctx, http.MethodGet, "/messages?limit=1000&after="+strconv.FormatInt(after, 10), nil, &page); err != nil {
			return nil, err
		}
		if len(page.Messages) == 0 {
			return all, nil
		}
		all, after = append(all, page.Messages...), page.Next
	}
}

// SetFaults changes the fields of sf1601test.Faults that are given, by their JSON names.
func (s *Sim) SetFaults(ctx context.Context, fields map[string]any) error {
	body, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	return s.call(ctx, http.MethodPost, "/faults", body, nil)
}

// Inbound has post sent to the gateway's PostModtag, and returns when all is sent.
func (s *Sim) Inbound(ctx context.Context, o sf1606test.Order) (sf1606test.Outcome, error) {
	var outcome sf1606test.Outcome
	body, err := json.Marshal(o)
	if err != nil {
		return outcome, fmt.Errorf("order: %w", err)
	}
	return outcome, s.call(ctx, http.MethodPost, "/inbound", body, &outcome)
}

func (s *Sim) call(ctx context.Context, method, path string, body []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.admin+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	res, err := s.http.Do(req)
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("simulator: %s %s: %s: %s", method, path, res.Status, raw)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		return fmt.Errorf("simulator: %s: %w", path, err)
	}
	return nil
}

// Close kills it.
func (s *Sim) Close() {
	s.http.CloseIdleConnections()
	s.Kill()
}
