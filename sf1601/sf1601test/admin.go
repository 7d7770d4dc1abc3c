package sf1601test

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

// Limits of GET /messages.
const (
	defaultPage = 100
	maxPage     = 1000
)

// adminRoutes is the admin port:
//
//	GET  /stats                    Stats
//	GET  /messages?after=&limit=   {"messages": [Message], "next": cursor}
//	GET  /faults                   Faults in force
//	POST /faults                   fields given replace; answers Faults in force
//	POST, GET /inbound             Config.Inbound; 501 without one
func (s *Server) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, s.Stats())
	})
	mux.HandleFunc("GET /messages", s.adminMessages)
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, s.Faults())
	})
	mux.HandleFunc("POST /faults", s.adminFaults)
	if s.cfg.Inbound != nil {
		mux.Handle("/inbound", s.cfg.Inbound)
	} else {
		mux.HandleFunc("POST /inbound", func(w http.ResponseWriter, _ *http.Request) {
			problem(w, http.StatusNotImplemented, "inbound.not.simulated",
				"This simulator does not send inbound Digital Post (SF1606).")
		})
	}
	return mux
}

func (s *Server) adminMessages(w http.ResponseWriter, r *http.Request) {
	after, okAfter := queryNumber(r, "after", 0)
	limit, okLimit := queryNumber(r, "limit", defaultPage)
	if !okAfter || !okLimit || limit < 1 || limit > maxPage {
		problem(w, http.StatusBadRequest, "query.invalid",
			"after is a number from 0, limit is a number from 1 to "+strconv.Itoa(maxPage)+".")
		return
	}
	page := s.Messages(after, int(limit))
	next := after
	if len(page) > 0 {
		next = page[len(page)-1].Seq
	} else {
		page = []Message{}
	}
	writeJSON(w, http.StatusOK, map[string]any{"messages": page, "next": next})
}

// queryNumber is a number from 0 in the query, fallback when it is not given.
func queryNumber(r *http.Request, name string, fallback int64) (int64, bool) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return fallback, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0
}

func (s *Server) adminFaults(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		problem(w, http.StatusBadRequest, "body.unreadable", "The body could not be read.")
		return
	}
	s.setFaults.Lock()
	f, err := s.Faults().merge(body)
	if err == nil {
		s.faults.Store(&f)
	}
	s.setFaults.Unlock()
	if err != nil {
		problem(w, http.StatusBadRequest, "faults.invalid", err.Error())
		return
	}
	writeJSON(w, http.StatusOK, f)
}

// problem answers problem+json. [src: RFC-9457]
func problem(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ //nolint:errchkjson // plain values; a client that left cannot be told
		"status": status, "title": http.StatusText(status), "code": code, "detail": detail,
	})
}
