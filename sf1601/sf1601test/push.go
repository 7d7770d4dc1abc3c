package sf1601test

import (
	"bytes"
	"container/heap"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// pusher tells statuses to the gateway when they are due: one goroutine keeps
// a heap by time, a fixed number of workers make the calls. A call that is not
// acknowledged is made again, later each time, until it is.
type pusher struct {
	srv    *Server
	client *http.Client
	slot   *dueslag // instead of client and url; nil when statuses are pushed
	url    atomic.Pointer[string]
	held   atomic.Int64 // journeys under way or reserved

	mu    sync.Mutex
	queue journeys
	wake  chan struct{} // something earlier is in the queue
	ready chan *journey // due now

	ctx     context.Context //nolint:containedctx // ends every call of the workers in close
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func newPusher(s *Server) *pusher {
	ctx, cancel := context.WithCancel(context.Background())
	p := &pusher{
		srv: s, wake: make(chan struct{}, 1), ready: make(chan *journey), ctx: ctx, cancel: cancel,
		client: &http.Client{
			Timeout: s.cfg.PushTimeout,
			Transport: &http.Transport{
				TLSClientConfig: &tls.Config{
					MinVersion:   tls.VersionTLS12,
					RootCAs:      s.authority.RootCAs(),
					Certificates: []tls.Certificate{s.authority.ServerCertificate()},
				},
				MaxIdleConnsPerHost: s.cfg.PushWorkers,
				IdleConnTimeout:     90 * time.Second,
				TLSHandshakeTimeout: 10 * time.Second,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if s.cfg.Dueslag.URL != "" {
		p.slot = newDueslag(s.cfg.Dueslag, s.authority, s.cfg.PushWorkers)
	}
	p.setURL(s.cfg.PushURL)
	p.running.Go(p.dispatch)
	for range s.cfg.PushWorkers {
		p.running.Go(p.work)
	}
	return p
}

func (p *pusher) close() {
	p.cancel()
	p.running.Wait()
	if p.slot != nil {
		p.slot.close()
	}
	p.client.CloseIdleConnections()
}

func (p *pusher) setURL(url string) { p.url.Store(&url) }

// pending is how many letters wait for a status or a push.
func (p *pusher) pending() int64 { return p.held.Load() }

// reserve takes a place for a journey; false when there is none.
func (p *pusher) reserve() bool {
	if p.held.Add(1) > int64(p.srv.cfg.MaxPending) {
		p.held.Add(-1)
		return false
	}
	return true
}

// release gives a reserved place back.
func (p *pusher) release() { p.held.Add(-1) }

// schedule starts a journey in a reserved place.
func (p *pusher) schedule(j *journey) {
	if len(j.steps) == 0 {
		p.release()
		return
	}
	p.add(j)
}

func (p *pusher) add(j *journey) {
	p.mu.Lock()
	heap.Push(&p.queue, j)
	first := p.queue[0] == j
	p.mu.Unlock()
	if !first {
		return
	}
	select {
	case p.wake <- struct{}{}:
	default: // it is awake already
	}
}

// due takes the first journey if its time has come, else tells how long that
// is, an hour when there is none.
func (p *pusher) due() (*journey, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		return nil, time.Hour
	}
	if wait := time.Until(p.queue[0].steps[0].due); wait > 0 {
		return nil, wait
	}
	j, _ := heap.Pop(&p.queue).(*journey)
	return j, 0
}

func (p *pusher) dispatch() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		j, wait := p.due()
		if j != nil {
			select {
			case p.ready <- j:
			case <-p.ctx.Done():
				return
			}
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-p.wake:
		case <-p.ctx.Done():
			return
		}
	}
}

func (p *pusher) work() {
	for {
		select {
		case j := <-p.ready:
			p.tell(j)
		case <-p.ctx.Done():
			return
		}
	}
}

// tell pushes the current step of j and puts j back for the next one, or for
// another try.
func (p *pusher) tell(j *journey) {
	url := *p.url.Load()
	book := p.srv.book
	if url == "" && p.slot == nil {
		book.update(func(st *Stats) { st.Pushes.Unrouted++ })
		p.advance(j)
		return
	}
	err := p.send(url, j)
	if p.ctx.Err() != nil {
		return
	}
	j.attempt++
	if err != nil {
		book.update(func(st *Stats) {
			st.Pushes.Sent++
			st.Pushes.Retried++
			st.Pushes.LastError = err.Error()
		})
		p.srv.cfg.Logger.Debug("status not acknowledged", "beskedId", j.steps[0].beskedID, "attempt", j.attempt, "err", err)
		j.steps[0].due = time.Now().Add(p.backoff(j.attempt))
		p.add(j)
		return
	}
	book.update(func(st *Stats) {
		st.Pushes.Sent++
		st.Pushes.Acknowledged++
	})
	p.advance(j)
}

// advance leaves the current step behind.
func (p *pusher) advance(j *journey) {
	j.steps, j.attempt = j.steps[1:], 0
	if len(j.steps) > 0 {
		p.add(j)
		return
	}
	p.release()
	p.srv.book.settled(j.letter, p.srv.cfg.Now().UTC())
	if j.answer != nil {
		p.running.Go(func() { j.answer(p.ctx) })
	}
}

// backoff doubles from PushBackoffMin to PushBackoffMax and is spread over
// half of itself.
func (p *pusher) backoff(attempt int) time.Duration {
	cfg := &p.srv.cfg
	d := cfg.PushBackoffMin << min(attempt-1, 20)
	if d > cfg.PushBackoffMax || d <= 0 {
		d = cfg.PushBackoffMax
	}
	return d/2 + time.Duration(p.srv.dice.roll()*float64(d)/2)
}

// send tells one status; nil means the gateway, or the broker, has it.
func (p *pusher) send(url string, j *journey) error {
	besked := j.besked(p.srv.cfg.Now().UTC(), p.srv.newUUID)
	if p.slot != nil {
		return p.slot.put(p.ctx, besked)
	}
	return p.post(url, besked)
}

// post makes one push; nil means it was acknowledged.
func (p *pusher) post(url string, besked *beskedfordeler.Besked) error {
	body := beskedfordeler.EncodeInput(besked)
	req, err := http.NewRequestWithContext(p.ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("push: %w", err)
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	res, err := p.client.Do(req)
	if err != nil {
		return fmt.Errorf("push: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("push: read answer: %w", err)
	}
	kode, err := statusKode(answer)
	if err != nil {
		return fmt.Errorf("push: HTTP %d: %w", res.StatusCode, err)
	}
	if res.StatusCode != http.StatusOK || kode != beskedfordeler.StatusKodeOK {
		return fmt.Errorf("push: HTTP %d, StatusKode %d", res.StatusCode, kode)
	}
	return nil
}

// statusKode reads the StatusKode of a ModtagBeskedOutput.
func statusKode(answer []byte) (int, error) {
	scan, err := newScanner(answer)
	if err != nil {
		return 0, err
	}
	for in := false; ; {
		ev, err := scan.next()
		switch {
		case err != nil:
			return 0, err
		case ev == eventEOF:
			return 0, errors.New("no StatusKode in the answer")
		case ev == eventText && in:
			kode, err := strconv.Atoi(string(bytes.TrimSpace(scan.text)))
			if err != nil {
				return 0, errors.New("StatusKode is not a number")
			}
			return kode, nil
		}
		in = ev == eventStart && string(scan.local) == "StatusKode"
	}
}

// journeys is a heap by the time of the current step.
type journeys []*journey

func (q *journeys) Len() int           { return len(*q) }
func (q *journeys) Less(i, k int) bool { return (*q)[i].steps[0].due.Before((*q)[k].steps[0].due) }
func (q *journeys) Swap(i, k int)      { (*q)[i], (*q)[k] = (*q)[k], (*q)[i] }

// Push is heap.Interface's.
func (q *journeys) Push(x any) {
	if j, ok := x.(*journey); ok {
		*q = append(*q, j)
	}
}

// Pop is heap.Interface's.
func (q *journeys) Pop() any {
	old := *q
	j := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return j
}
