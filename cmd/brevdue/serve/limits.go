package serve

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The limits of every listener, whatever it serves. Each has its own on bodies and on how slowly they may come.
const (
	maxConnections = 2048 // at a time; further ones wait until one ends
	maxHeaders     = 100  // lines in the header of a request
	maxURL         = 8 << 10
)

// guard refuses requests that no honest caller makes before anything else looks at them.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lines := 0
		for _, values := range r.Header {
			lines += len(values)
		}
		switch {
		case lines > maxHeaders:
			refuse(w, http.StatusRequestHeaderFieldsTooLarge, "too many lines in the header")
		case len(r.RequestURI) > maxURL:
			refuse(w, http.StatusRequestURITooLong, "the address is too long")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// plain refuses bodies that would have to be unpacked: a small one may become any size.
func plain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
			w.Header().Set("Accept-Encoding", "identity")
			refuse(w, http.StatusUnsupportedMediaType, "send the body without Content-Encoding")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse answers and ends the connection, so that the body need not be read.
func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Connection", "close")
	http.Error(w, text, status)
}

// narrow is a listener with so many connections at a time.
type narrow struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newNarrow(l net.Listener, most int) *narrow {
	return &narrow{Listener: l, places: make(chan struct{}, most), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (n *narrow) Accept() (net.Conn, error) {
	select {
	case n.places <- struct{}{}:
	case <-n.closed:
		return nil, net.ErrClosed
	}
	conn, err := n.Listener.Accept()
	if err != nil {
		<-n.places
		return nil, err //nolint:wrapcheck // net/http looks at it
	}
	return &place{Conn: conn, leave: sync.OnceFunc(func() { <-n.places })}, nil
}

// Close implements net.Listener.
func (n *narrow) Close() error {
	n.once.Do(func() { close(n.closed) })
	return n.Listener.Close() //nolint:wrapcheck // a listener hands on what it got
}

// place is a connection that gives its place back.
type place struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (p *place) Close() error {
	defer p.leave()
	return p.Conn.Close() //nolint:wrapcheck // a connection hands on what it got
}

// rates are the rates of the producers that have one, over all processes.
func (a *App) rates() func(ctx context.Context, producer string) (time.Duration, bool) {
	limits := make(map[string]func(context.Context) (time.Duration, bool))
	for _, p := range a.cfg.Producers {
		if perSecond, err := p.PerSecond(); err == nil && perSecond > 0 { // checked with the configuration
			limits[p.Name] = a.queue.Limiter("producer:"+p.Name, perSecond)
		}
	}
	return func(ctx context.Context, producer string) (time.Duration, bool) {
		limit, ok := limits[producer]
		if !ok {
			return 0, true
		}
		return limit(ctx)
	}
}
