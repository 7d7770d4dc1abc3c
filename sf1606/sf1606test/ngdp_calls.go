package sf1606test

import (
	"crypto/subtle"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1606"
)

// routes are the calls of a receiver. [src: NGDP-OPENAPI memos]
func (n *NgDP) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /apis/v1/memos/{$}", n.list)
	mux.HandleFunc("GET /apis/v1/memos/{id}", n.fetch)
	mux.HandleFunc("POST /apis/v1/memos/{id}/receipt", n.receipt)
	mux.HandleFunc("DELETE /apis/v1/memos/{id}", n.remove)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status, after := n.gate(r); status != 0 {
			if after > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(after))
			}
			fail(w, status)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// gate says with which status a call is refused, and when to try again; 0 lets it in.
func (n *NgDP) gate(r *http.Request) (status, after int) {
	user, password, _ := r.BasicAuth()
	known := n.cfg.User == "" && n.cfg.Password == "" || equal(user, n.cfg.User) && equal(password, n.cfg.Password)
	n.change(func() {
		n.stats.Requests++
		switch {
		case !known || n.faults.Refuse401:
			status = http.StatusUnauthorized
		case n.hit(n.faults.Rate503):
			status, after = http.StatusServiceUnavailable, n.faults.RetryAfter
		}
	})
	return status, after
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// fail answers an error as NgDP writes it. [src: NGDP-OPENAPI]
func fail(w http.ResponseWriter, status int) {
	writeJSON(w, status, map[string]any{"code": strconv.Itoa(status), "message": http.StatusText(status), "fieldErrors": []any{}})
}

// list answers {"memos": [ids], ...} in pages.
func (n *NgDP) list(w http.ResponseWriter, r *http.Request) {
	page, errPage := strconv.Atoi(r.URL.Query().Get("page"))
	size, errSize := strconv.Atoi(r.URL.Query().Get("size"))
	if errPage != nil || errSize != nil || page < 0 || size < 1 {
		fail(w, http.StatusBadRequest)
		return
	}
	size = min(size, n.cfg.MaxPage)
	ids, garbage := []string{}, false
	n.change(func() {
		garbage = n.hit(n.faults.RateGarbage)
		for _, id := range n.order {
			if !n.memos[id].deleted {
				ids = append(ids, id)
			}
		}
	})
	if garbage {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"memos":[`)
		return
	}
	from := min(page*size, len(ids))
	writeJSON(w, http.StatusOK, map[string]any{
		"memos": ids[from:min(from+size, len(ids))], "currentPage": page, "totalElements": len(ids),
	})
}

// fetch answers the message.
func (n *NgDP) fetch(w http.ResponseWriter, r *http.Request) {
	var (
		m      *memo.Message
		status int
		cutAt  float64
	)
	n.change(func() {
		v := n.memos[r.PathValue("id")]
		once := func(name string, rate float64) bool {
			if v == nil || v.spoilt[name] || !n.hit(rate) {
				return false
			}
			v.spoilt[name] = true
			return true
		}
		switch {
		case v == nil || v.deleted:
			status = http.StatusNotFound
		case once("gone", n.faults.RateGone):
			status = http.StatusNotFound
		case once("locked", n.faults.RateLocked):
			status = http.StatusConflict
		default:
			m = v.message
			if once("cut", n.faults.RateCut) {
				cutAt = 0.6
			}
		}
	})
	if m == nil {
		fail(w, status)
		return
	}
	d, err := m.Document()
	if err != nil {
		fail(w, http.StatusInternalServerError)
		return
	}
	body := d.Open(r.Context())
	defer func() { _ = body.Close() }()
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Content-Length", strconv.FormatInt(d.Size(), 10))
	if cutAt > 0 {
		_, _ = io.CopyN(w, body, int64(float64(d.Size())*cutAt))
		panic(http.ErrAbortHandler) // cuts the connection
	}
	if _, err := io.Copy(w, body); err == nil {
		n.change(func() { n.stats.Fetched++ })
	}
}

// receipt takes a business receipt.
func (n *NgDP) receipt(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	media, _, errMedia := mime.ParseMediaType(r.Header.Get("Content-Type"))
	rcpt, errReceipt := sf1606.ParseReceipt(b)
	if err != nil || errMedia != nil || media != "application/json" && media != "application/xml" {
		fail(w, http.StatusBadRequest)
		return
	}
	status, lost := http.StatusOK, false
	n.change(func() {
		v := n.memos[r.PathValue("id")]
		claims := rcpt.Status == sf1606.StatusCompleted || rcpt.Status == sf1606.StatusReceived
		wrong := errReceipt != nil || claims && hasErrorCode(b) || !claims && rcpt.ErrorCode == ""
		switch {
		case v == nil || v.deleted:
			status = http.StatusNotFound
		case wrong:
			n.violation("a receipt that Digital Post would not take as it is meant")
			status = http.StatusUnprocessableEntity
		case rcpt.MessageUUID != "" && !strings.EqualFold(rcpt.MessageUUID, v.message.Header.MessageUUID):
			n.violation("a receipt of another message")
			status = http.StatusUnprocessableEntity
		case n.faults.Receipt422:
			n.stats.Faults++
			status = http.StatusUnprocessableEntity
		case len(v.receipts) > 0:
			n.stats.Conflicts++
			if v.receipts[0].Positive() != rcpt.Positive() {
				n.violation("a second receipt that contradicts the first")
			}
			status = http.StatusConflict
		default:
			v.receipts = append(v.receipts, rcpt)
			if rcpt.Positive() {
				n.stats.Positive++
			} else {
				n.stats.Negative++
			}
			lost = n.hit(n.faults.RateLost)
		}
	})
	if lost {
		panic(http.ErrAbortHandler) // cuts the connection
	}
	if status != http.StatusOK {
		fail(w, status)
		return
	}
	w.WriteHeader(status)
}

// remove deletes a message that has its receipt.
func (n *NgDP) remove(w http.ResponseWriter, r *http.Request) {
	status, lost := http.StatusNoContent, false
	n.change(func() {
		v := n.memos[r.PathValue("id")]
		switch {
		case v == nil || v.deleted:
			status = http.StatusNotFound
		case len(v.receipts) == 0:
			n.violation("DELETE of a message without receipt")
			status = http.StatusConflict
		default:
			v.deleted = true
			n.stats.Deleted++
			lost = n.hit(n.faults.RateLost)
		}
	})
	if lost {
		panic(http.ErrAbortHandler) // cuts the connection
	}
	if status != http.StatusNoContent {
		fail(w, status)
		return
	}
	w.WriteHeader(status)
}
