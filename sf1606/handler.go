package sf1606

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Handler serves PostModtag. It fails when the config does not hold.
//
//   - POST of a MeMo as application/xml or text/xml: a receipt, in JSON or XML by Accept. Accepted: COMPLETED without
//     errorCode, after the sink has committed. Refused: INVALID with code and text. Statuses has the HTTP statuses.
//   - HEAD: 200, a probe. Anything else: 405. Another path: 404.
//
// The same messageUUID again is answered the receipt that is stored. A sink that panics refuses the message.
func Handler(cfg Config) (http.Handler, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("sf1606: %w", err)
	}
	return &handler{
		cfg: cfg, all: make(chan struct{}, cfg.MaxUploads), large: make(chan struct{}, cfg.MaxLarge), clock: time.Now,
	}, nil
}

type handler struct {
	cfg   Config
	all   chan struct{} // a place for each upload
	large chan struct{} // a place for each large one
	clock func() time.Time
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != h.cfg.Path {
		http.NotFound(w, r)
		return
	}
	switch r.Method {
	case http.MethodHead:
		w.WriteHeader(http.StatusOK)
	case h.cfg.Method:
		h.post(w, r)
	default:
		w.Header().Set("Allow", "HEAD, "+h.cfg.Method)
		http.Error(w, "only "+h.cfg.Method+" and HEAD", http.StatusMethodNotAllowed)
	}
}

func (h *handler) post(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	body := &upload{
		src: r.Body, deadline: control.SetReadDeadline, clock: h.clock,
		idle: h.cfg.Idle, grace: h.cfg.Grace, minRate: h.cfg.MinRate,
	}
	a := Arrival{Source: SourcePostModtag, TransmissionID: h.transmission(r)}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		a.Peer = SubjectOf(r.TLS.PeerCertificates[0])
	}
	rcpt, refused := h.receive(r, body, a)
	status := h.cfg.Statuses.Accepted
	switch {
	case refused != nil:
		status = h.cfg.Statuses.of(refused)
		h.cfg.Logger.WarnContext(r.Context(), "message refused", "source", a.Source, "peer", a.Peer, "code", refused.Code,
			"transmissionId", a.TransmissionID, "messageUUID", rcpt.MessageUUID, "bytes", body.read, "err", refused.Cause)
		if refused.Temporary {
			w.Header().Set("Retry-After", strconv.Itoa(int(max(h.cfg.RetryAfter, time.Second)/time.Second)))
		}
	case !rcpt.Positive():
		status = h.cfg.Statuses.Refused
	}
	h.drain(r, body)
	if !body.whole() {
		w.Header().Set("Connection", "close")
	}
	h.answer(w, r, control, status, rcpt)
}

func (h *handler) transmission(r *http.Request) string {
	id := ""
	if h.cfg.TransmissionID != nil {
		id = h.cfg.TransmissionID(r)
	}
	if id == "" {
		id = h.cfg.NewUUID()
	}
	return id
}

// receive checks what the request says of itself, waits for a place, and reads the message.
func (h *handler) receive(r *http.Request, body *upload, a Arrival) (Receipt, *Refusal) {
	refuse := func(refused *Refusal) (Receipt, *Refusal) {
		return h.cfg.negative(a, header{}, refused), refused
	}
	if !readable(r.Header) {
		return refuse(Refuse(CodeContentType, nil))
	}
	if r.ContentLength > h.cfg.MaxBytes {
		return refuse(Refuse(CodeTooLarge, nil))
	}
	release, err := h.place(r.Context(), r.ContentLength < 0 || r.ContentLength >= h.cfg.LargeBytes)
	if err != nil {
		return refuse(Refuse(CodeBusy, err))
	}
	defer release()
	return h.cfg.receive(r.Context(), body, a)
}

// memoTypes are the content types of a MeMo. [src: NGDP-OPENAPI memos]
var memoTypes = []string{"application/xml", "text/xml"}

// readable tells whether a body with these headers can be a MeMo that is read here. Without charset, the XML says what it
// is in.
func readable(header http.Header) bool {
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || !slices.Contains(memoTypes, media) {
		return false
	}
	switch strings.ToLower(params["charset"]) {
	case "", "utf-8", "utf8", "us-ascii":
	default:
		return false
	}
	encoding := header.Get("Content-Encoding")
	return encoding == "" || strings.EqualFold(encoding, "identity")
}

var errNoPlace = errors.New("sf1606: no place became free in time")

// place waits until the upload may be read.
func (h *handler) place(ctx context.Context, large bool) (release func(), err error) {
	timer := time.NewTimer(h.cfg.Wait)
	defer timer.Stop()
	take := func(places chan struct{}) error {
		select {
		case places <- struct{}{}:
			return nil
		case <-timer.C:
			return errNoPlace
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if large {
		if err := take(h.large); err != nil {
			return nil, err
		}
	}
	free := func() {
		if large {
			<-h.large
		}
	}
	if err := take(h.all); err != nil {
		free()
		return nil, err
	}
	return func() { <-h.all; free() }, nil
}

// drain reads past what is left of an upload that is answered before its end.
func (h *handler) drain(r *http.Request, body *upload) {
	waits := body.read == 0 && strings.EqualFold(r.Header.Get("Expect"), "100-continue")
	if h.cfg.Drain < 0 || waits || body.err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(body, h.cfg.Drain)) // the answer is known; whether it arrives is seen then
}

// answer writes the receipt. A lost one means that the sender comes again, and gets the same.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, control *http.ResponseController, status int, rcpt Receipt) {
	format := negotiate(r.Header.Values("Accept"), h.cfg.Format)
	b, err := rcpt.Encode(format, h.cfg.Root)
	if err != nil {
		h.cfg.Logger.ErrorContext(r.Context(), "receipt not written", "err", err)
		http.Error(w, "the receipt could not be written", http.StatusInternalServerError)
		return
	}
	if err := control.SetWriteDeadline(h.clock().Add(h.cfg.AnswerTimeout)); err == nil {
		defer func() { _ = control.SetWriteDeadline(time.Time{}) }() // for the next call on the connection
	}
	w.Header().Set("Content-Type", format.MediaType())
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b) //nolint:gosec // JSON or XML, escaped by its encoder
}

// negotiate picks the format that Accept likes best; fallback when it likes both as much, or neither. [src: RFC-9110]
func negotiate(accept []string, fallback Format) Format {
	quality := map[Format]float64{}
	specific := map[Format]int{}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q, err := strconv.ParseFloat(cmp.Or(params["q"], "1"), 64)
		if err != nil {
			continue
		}
		note := func(f Format, rank int) {
			if rank > specific[f] || rank == specific[f] && q > quality[f] {
				quality[f], specific[f] = q, rank
			}
		}
		switch media {
		case "application/json":
			note(FormatJSON, 3)
		case "application/xml", "text/xml":
			note(FormatXML, 3)
		case "text/*":
			note(FormatXML, 2)
		case "application/*":
			note(FormatJSON, 2)
			note(FormatXML, 2)
		case "*/*":
			note(FormatJSON, 1)
			note(FormatXML, 1)
		}
	}
	switch {
	case quality[FormatXML] > quality[FormatJSON]:
		return FormatXML
	case quality[FormatJSON] > quality[FormatXML]:
		return FormatJSON
	default:
		return fallback
	}
}
