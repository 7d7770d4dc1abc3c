package sf1601test

import (
	"cmp"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// transaction checks the headers of Serviceplatformen's REST profile and says
// in words what is wrong.
// [src: SP-REST-PROFILE x-TransaktionsId, x-TransaktionsTid, x-RequestId]
func transaction(h http.Header) string {
	switch {
	case !transactionID(h.Get("x-TransaktionsId")):
		return "x-TransaktionsId is missing or not a UUID of version 4 with optional .n"
	case !dateTime(h.Get("x-TransaktionsTid")):
		return "x-TransaktionsTid is missing or not an xs:dateTime"
	case h.Get("x-RequestId") != "" && !uuid4(h.Get("x-RequestId")):
		return "x-RequestId is not a UUID of version 4"
	}
	return ""
}

func transactionID(s string) bool {
	parts := strings.Split(s, ".")
	for _, n := range parts[1:] {
		if n == "" || !digits(n, len(n)) {
			return false
		}
	}
	return uuid4(parts[0])
}

func dateTime(s string) bool {
	_, errZone := time.Parse(time.RFC3339Nano, s)
	_, errLocal := time.Parse("2006-01-02T15:04:05.999999999", s)
	return errZone == nil || errLocal == nil
}

// headers checks what of a kombi call can be checked before its body. status
// is 0 when all is well.
func (s *Server) headers(r *http.Request) (status int, wrong string) {
	if r.ContentLength < 0 || len(r.TransferEncoding) > 0 {
		return http.StatusLengthRequired, "Content-Length is missing"
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	switch {
	case err != nil || media != "application/xml" || charset != "" && !strings.EqualFold(charset, "utf-8"):
		return http.StatusUnsupportedMediaType, "Content-Type is not application/xml in UTF-8"
	case !accepts(r.Header.Values("Accept")):
		return http.StatusNotAcceptable, "Accept does not include application/xml"
	case r.ContentLength > s.cfg.MaxBytes:
		return http.StatusRequestEntityTooLarge, "the request is larger than " + strconv.FormatInt(s.cfg.MaxBytes, 10) + " bytes"
	}
	if wrong := transaction(r.Header); wrong != "" {
		return http.StatusBadRequest, wrong
	}
	return 0, ""
}

// accepts says whether an answer in application/xml is welcome.
func accepts(values []string) bool {
	if len(values) == 0 {
		return true
	}
	for v := range strings.SplitSeq(strings.Join(values, ","), ",") {
		switch media, _, _ := strings.Cut(v, ";"); strings.ToLower(strings.TrimSpace(media)) {
		case "application/xml", "application/*", "*/*":
			return true
		}
	}
	return false
}

// kombi is KombiPostAfsend: POST kombi_request, kombi_response back.
func (s *Server) kombi(w http.ResponseWriter, r *http.Request) {
	outcome := s.answerKombi(w, r)
	s.book.update(func(st *Stats) { st.Outcomes[outcome]++ })
}

// answerKombi answers one call and returns its outcome.
func (s *Server) answerKombi(w http.ResponseWriter, r *http.Request) string {
	token, session, wrong := s.authorize(r, EntityKombiPostAfsend)
	if wrong != "" {
		return s.refuse(w, r, http.StatusUnauthorized, wrong)
	}
	if status, wrong := s.headers(r); wrong != "" {
		return s.refuse(w, r, status, wrong)
	}
	req, err := s.body(r)
	if err != nil {
		return s.refuse(w, r, http.StatusBadRequest, err.Error())
	}
	now := s.cfg.Now().UTC()
	req.FirstSeen = now
	does := behaves(req.recipient)
	req.Channel = channel(req.KombiValgKode, does)
	l := s.book.arrived(req, r.Header.Get("x-TransaktionsId"))
	cut, outcome := s.disturb(w, r, l, does, token)
	if outcome != "" {
		return outcome
	}
	req.authority = session.cvr
	return s.accept(w, r, req, l, does, cut)
}

// body reads and checks the request body.
func (s *Server) body(r *http.Request) (*request, error) {
	small := r.ContentLength <= 256<<10
	var buf []byte
	if small {
		kept := buffers.Get().(*[]byte) //nolint:errcheck,forcetypeassert // only *[]byte goes in
		defer buffers.Put(kept)
		buf = (*kept)[:r.ContentLength]
	} else {
		select {
		case s.big <- struct{}{}:
		case <-r.Context().Done():
			return nil, &refusal{"the request ended before it was read"}
		}
		defer func() { <-s.big }()
		buf = make([]byte, r.ContentLength)
	}
	if _, err := io.ReadFull(r.Body, buf); err != nil {
		return nil, &refusal{"the request ended before Content-Length"}
	}
	req, err := readRequest(buf, rules{now: s.cfg.Now(), files: s.cfg.FileExtensions, paper: s.cfg.MaxPrintBytes})
	if err != nil {
		return nil, err
	}
	if s.cfg.Answers != nil && behaves(req.recipient).answers && req.Finding == nil {
		req.answer = s.cfg.Answers(req.memo)
	}
	req.memo = nil // the buffer is used again
	return req, nil
}

// buffers hold request bodies of ordinary letters.
var buffers = sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}

// disturb applies the recipient's behaviour and the faults that come before
// acceptance. outcome is empty when the letter goes on; cut says that the
// connection is to be cut after acceptance.
func (s *Server) disturb(w http.ResponseWriter, r *http.Request, l *letter, does behaviour, token string) (cut bool, outcome string) {
	f := s.Faults()
	if f.Latency > 0 {
		timer := time.NewTimer(time.Duration(f.Latency))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return false, s.cut(w, OutcomeCutBefore)
		}
	}
	if does.unauthorized && s.book.refuseToken(l, token) {
		return false, s.refuse(w, r, http.StatusUnauthorized, "the access token is refused once for this recipient")
	}
	if does.unavailable > 0 && s.book.unavailable(l, does.unavailable) {
		return false, s.unavailable(w, r, f)
	}
	if does.refused {
		return false, s.refuseAs(w, r, http.StatusOK, "this recipient is refused",
			cmp.Or(f.FejlID, CodeRefused), cmp.Or(f.KildeID, KildeID))
	}
	roll := s.dice.roll()
	for _, fault := range []struct {
		rate float64
		do   func() string
	}{
		{f.Rate503, func() string { return s.unavailable(w, r, f) }},
		{f.Rate401, func() string { return s.refuse(w, r, http.StatusUnauthorized, "the access token is refused by chance") }},
		{f.RateCutBefore, func() string { return s.cut(w, OutcomeCutBefore) }},
		{f.RateCutAfter, func() string { cut = true; return "" }},
	} {
		if roll < fault.rate {
			return cut, fault.do()
		}
		roll -= fault.rate
	}
	return cut || does.cut, ""
}

// refuseToken says whether 9985 refuses token for l: the first token it is
// sent with, as long as the client keeps sending that one.
func (b *book) refuseToken(l *letter, token string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l.refusedWith == "" {
		l.refusedWith = token
	}
	return l.refusedWith == token
}

// unavailable counts a 503 for l and says whether it is due.
func (b *book) unavailable(l *letter, times int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l.unavailable >= times {
		return false
	}
	l.unavailable++
	return true
}

// accept books the letter, schedules its statuses and answers.
func (s *Server) accept(w http.ResponseWriter, r *http.Request, req *request, l *letter, does behaviour, cut bool) string {
	id, first, ok := s.book.accept(l, s.newUUID(), s.cfg.Now().UTC(), s.pusher.reserve)
	outcome := OutcomeAccepted
	switch {
	case !ok:
		return s.unavailable(w, r, s.Faults())
	case first:
		s.pusher.schedule(s.journey(req, l, id, does))
	default:
		outcome = OutcomeDuplicate
		if s.cfg.RefuseDuplicates {
			_ = s.refuse(w, r, http.StatusOK, "this letter was accepted before")
			return outcome
		}
	}
	if cut && first {
		return s.cut(w, OutcomeCutAfter)
	}
	writeXML(w, http.StatusOK, kombiResponse(true, id, "<Advis><AdvisId>1</AdvisId><AdvisTekst>Received</AdvisTekst></Advis>"))
	return outcome
}

// refuse answers Result=false with a Fejl of the simulator's own.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) string {
	return s.refuseAs(w, r, status, reason, CodeRefused, KildeID)
}

// refuseAs answers Result=false with Fejl. Serviceplatformen's REST profile says
// that 200 is a call that worked, whose SvarReaktion is to be read, and that
// every other status has SvarReaktion in its body, too.
// [src: SP-REST-PROFILE HovedoplysningerSvarREST, Fejl]
func (s *Server) refuseAs(w http.ResponseWriter, r *http.Request, status int, reason, code, source string) string {
	s.cfg.Logger.Warn("kombi call refused", "path", r.URL.Path, "status", status, "reason", reason)
	fejl := "<Fejl><FejlId>" + escaper.Replace(code) + "</FejlId><FejlTekst>" + escaper.Replace(reason) +
		"</FejlTekst><KildeId>" + escaper.Replace(source) + "</KildeId><status>" + strconv.Itoa(status) + "</status></Fejl>"
	writeXML(w, status, kombiResponse(false, "", fejl))
	if status == http.StatusUnauthorized {
		return OutcomeUnauthorized
	}
	return OutcomeRefused
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func (s *Server) unavailable(w http.ResponseWriter, r *http.Request, f Faults) string {
	seconds := (time.Duration(f.RetryAfter) + time.Second - 1) / time.Second
	w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	_ = s.refuse(w, r, http.StatusServiceUnavailable, "try later")
	return OutcomeUnavailable
}

// cut ends the TCP connection without an answer.
func (s *Server) cut(w http.ResponseWriter, outcome string) string {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // not reached with HTTP/1.1; ends the connection, too
	}
	if inner, ok := conn.(interface{ NetConn() net.Conn }); ok {
		_ = inner.NetConn().Close() // below TLS: no close_notify, as when a line breaks
	}
	if err := conn.Close(); err != nil && !errors.Is(err, io.EOF) {
		s.cfg.Logger.Debug("connection cut", "err", err)
	}
	return outcome
}

func kombiResponse(result bool, transmission, reaction string) string {
	id := ""
	if transmission != "" {
		id = "<TransmissionID>" + transmission + "</TransmissionID>"
	}
	return `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<kombi_response><Result>` + strconv.FormatBool(result) + `</Result>` + id +
		`<HovedoplysningerSvarREST xmlns="http://kombit.dk/xml/schemas/kontekst/2017/01/01/"><SvarReaktion>` + reaction +
		`</SvarReaktion></HovedoplysningerSvarREST></kombi_response>`
}

func writeXML(w http.ResponseWriter, status int, body string) {
	h := w.Header()
	h.Set("Content-Type", "application/xml")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // the client left; nothing to tell it
}
