package beskedfordeler

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
)

// StatusKode values of ModtagBeskedOutput.
// 20 and 41 are in KOMBIT's sample receiver, 40 in a public integration.
// [src: SF1461-SAMPLES StandardRetur; PKO-POSTSTATUS-CLIENTS]
const (
	StatusKodeOK       = 20 // stored
	StatusKodeFailure  = 40 // understood, but not stored; call again
	StatusKodeUnparsed = 41 // could not be parsed
)

// DefaultMaxBytes is the body limit of PushHandler when none is set. A status
// is below 10 KB, its error text has been seen to quote whole schema errors;
// what is far larger cannot be read, but can be kept (PushConfig.Unreadable).
const DefaultMaxBytes = 16 << 20

// Bodies above ordinary bytes are held in memory only so many at a time; the
// others wait for their turn.
const (
	ordinaryBytes = 1 << 20
	largeBodies   = 2
)

// PushConfig is what a push receiver needs.
type PushConfig struct {
	// Deliver stores one message. The answer StatusKode 20 is sent only after
	// it returned nil, so it must have committed by then. It is called more
	// than once with the same b.ID when an answer was lost. b.Status is nil
	// when the Beskedtype is not PKO_PostStatus. raw is the body as received;
	// it is the receiver's to keep, but holds KildesystemAkkreditiver: store
	// MaskCredentials(raw). Required.
	Deliver func(ctx context.Context, raw []byte, b *Besked) error
	// Unreadable keeps a body that is not empty and cannot be read, whole and
	// once. raw is the body without KildesystemAkkreditiver; reason names the
	// field and quotes nothing. The answer StatusKode 41 is sent after it
	// returned nil; after an error it is 40, so that Beskedfordeler calls
	// again. nil: unreadable bodies are answered and forgotten.
	Unreadable func(ctx context.Context, raw []byte, reason string) error
	// MaxBytes caps the request body; zero means DefaultMaxBytes.
	MaxBytes int64
	// Logger receives one line for each refused or failed message, without
	// content; nil discards.
	Logger *slog.Logger
}

// PushHandler serves the callback endpoint PostStatusBeskedModtag.
//
//   - POST with text/xml or application/xml: HTTP 200 and a ModtagBeskedOutput
//     with StatusKode 20 (stored), 41 (could not be parsed) or 40 (Deliver
//     failed; Beskedfordeler calls again). An empty body or a missing BeskedId
//     is HTTP 400 with StatusKode 41, as in KOMBIT's sample receiver. A body
//     over the limit is HTTP 413, another content type 415, both with 41. A
//     body that could not be parsed goes to Unreadable before the answer.
//   - HEAD: 200, Beskedfordeler's probe.
//   - anything else: 405.
//
// A message of another Beskedtype is delivered with a nil Status and
// acknowledged when that succeeds: refusing it would make Beskedfordeler call
// again for ever about a subscription only a person can correct.
func PushHandler(cfg PushConfig) http.Handler {
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = DefaultMaxBytes
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &pushHandler{cfg: cfg, large: make(chan struct{}, largeBodies)}
}

type pushHandler struct {
	cfg   PushConfig
	large chan struct{} // one for every large body in memory
}

func (h *pushHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodHead:
		w.WriteHeader(http.StatusOK)
	case http.MethodPost:
		h.post(w, r)
	default:
		w.Header().Set("Allow", "HEAD, POST")
		http.Error(w, "only POST and HEAD", http.StatusMethodNotAllowed)
	}
}

func (h *pushHandler) post(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	switch media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); {
	case err != nil, media != "text/xml" && media != "application/xml":
		h.refuse(ctx, w, http.StatusUnsupportedMediaType, "the content type is not text/xml or application/xml")
		return
	}
	raw, done, err := h.read(w, r)
	defer done()
	if err != nil {
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			h.refuse(ctx, w, http.StatusRequestEntityTooLarge, "the message is larger than the limit")
			return
		}
		h.refuse(ctx, w, http.StatusBadRequest, "the message could not be read")
		return
	}
	b, err := Decode(raw)
	if err != nil {
		h.unreadable(ctx, w, raw, err)
		return
	}
	if err := h.cfg.Deliver(ctx, raw, b); err != nil {
		h.cfg.Logger.ErrorContext(ctx, "status not stored", "beskedId", b.ID, "err", err)
		answer(w, http.StatusOK, StatusKodeFailure, "the message was not stored")
		return
	}
	answer(w, http.StatusOK, StatusKodeOK, "")
}

// read reads the body. One that is no ordinary status waits for its turn to be
// held in memory, until done is called.
func (h *pushHandler) read(w http.ResponseWriter, r *http.Request) (raw []byte, done func(), err error) {
	done = func() {}
	body := http.MaxBytesReader(w, r.Body, h.cfg.MaxBytes)
	raw, err = io.ReadAll(io.LimitReader(body, ordinaryBytes))
	if err != nil || len(raw) < ordinaryBytes {
		return raw, done, err
	}
	select {
	case h.large <- struct{}{}:
		done = func() { <-h.large }
	case <-r.Context().Done():
		return nil, done, r.Context().Err()
	}
	rest, err := io.ReadAll(body)
	return append(raw, rest...), done, err
}

// unreadable keeps a body that Decode refused, and answers.
func (h *pushHandler) unreadable(ctx context.Context, w http.ResponseWriter, raw []byte, cause error) {
	status, empty := http.StatusOK, errors.Is(cause, ErrEmpty)
	if empty || errors.Is(cause, ErrNoBeskedID) {
		status = http.StatusBadRequest
	}
	if h.cfg.Unreadable != nil && !empty {
		if err := h.cfg.Unreadable(ctx, MaskCredentials(raw), cause.Error()); err != nil {
			h.cfg.Logger.ErrorContext(ctx, "unreadable status not kept", "reason", cause.Error(), "err", err)
			answer(w, http.StatusOK, StatusKodeFailure, "the message was not stored")
			return
		}
	}
	h.refuse(ctx, w, status, cause.Error())
}

func (h *pushHandler) refuse(ctx context.Context, w http.ResponseWriter, status int, reason string) {
	h.cfg.Logger.WarnContext(ctx, "pushed message refused", "reason", reason)
	answer(w, status, StatusKodeUnparsed, reason)
}

// answer writes a ModtagBeskedOutput.
func answer(w http.ResponseWriter, status, kode int, text string) {
	out := &writer{b: make([]byte, 0, 512)}
	out.raw(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n")
	out.raw(`<ns2:ModtagBeskedOutput xmlns="` + nsSagdok + `" xmlns:ns2="` + nsSTS + `"><StandardRetur>`)
	out.leaf("StatusKode", strconv.Itoa(kode))
	if text == "" {
		out.raw("<FejlbeskedTekst/>")
	} else {
		out.leaf("FejlbeskedTekst", text)
	}
	out.raw("</StandardRetur></ns2:ModtagBeskedOutput>")
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(out.b)))
	w.WriteHeader(status)
	_, _ = w.Write(out.b) // a lost answer means another delivery, which Deliver handles
}
