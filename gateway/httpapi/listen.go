package httpapi

import (
	"log/slog"
	"net/http"
	"time"
)

// NewHTTPServer returns an http.Server with the limits this API needs; the caller listens and shuts down.
//
// There is no ReadTimeout or WriteTimeout, because a document of 99.5 MB may take long: bodies have a least rate
// (pacedBody) and answers a deadline from their first byte.
func NewHTTPServer(addr string, h http.Handler, log *slog.Logger) *http.Server {
	s := &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	if log != nil {
		s.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug) // handshakes of scanners and the like
	}
	return s
}
