package httpapi

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
)

// ReceiptAPI is what an operator can ask about statuses that fit nothing. It is not bound to a producer: it needs the scope
// [AdminReceipts].
type ReceiptAPI interface {
	// Receipts lists statuses that match no message, or bodies that nobody could read, oldest first and without their text.
	Receipts(ctx context.Context, q ReceiptQuery) (*ReceiptPage, error)
	// RawReceipt writes a status or an unreadable body as it came. It may hold personal data.
	RawReceipt(ctx context.Context, id string, w io.Writer) error
	// RematchReceipts tries every status in quarantine once more.
	RematchReceipts(ctx context.Context) (*RematchAnswer, error)
	// MatchReceipt takes a status out of quarantine for a message that a person names.
	MatchReceipt(ctx context.Context, id string, in *MatchRequest) (*ReceiptAnswer, error)
	// RetryReceipt reads an unreadable body again.
	RetryReceipt(ctx context.Context, id string) (*ReceiptAnswer, error)
}

// The states of a ReceiptQuery and a ReceiptView.
const (
	receiptUnmatched  = "unmatched"
	receiptUnreadable = "unreadable"
)

// ReceiptQuery says which to list.
type ReceiptQuery struct {
	State string // "unmatched" or "unreadable"
	After string // Next of the page before
	Limit int    // 1 to 500; 0: 100
}

// ReceiptPage is a page of them. Next is the value of "after" for the page that follows, "" on the last one.
type ReceiptPage struct {
	Receipts []ReceiptView `json:"receipts"`
	Next     string        `json:"next"`
}

// ReceiptView is a status without its text.
type ReceiptView struct {
	ID             string    `json:"id"` // the far end's own; of an unreadable body the SHA-256 of it, in hex
	State          string    `json:"state"`
	Kind           string    `json:"kind,omitzero"`   // received, delivered, rejected, returned or note
	Status         string    `json:"status,omitzero"` // the far end's name of it
	Code           string    `json:"code,omitzero"`
	Conflict       bool      `json:"conflict,omitzero"` // its two words for what happened disagree
	MessageUUID    string    `json:"messageUUID,omitzero"`
	AfsendelseID   string    `json:"afsendelseIdentifikator,omitzero"`
	TransmissionID string    `json:"transmissionId,omitzero"`
	OccurredAt     time.Time `json:"occurredAt,omitzero"`
	ReceivedAt     time.Time `json:"receivedAt"`
	Reason         string    `json:"reason,omitzero"` // why it could not be read
}

// RematchAnswer is what POST /v1/receipts/rematch answers.
type RematchAnswer struct {
	Matched int `json:"matched"`
}

// MatchRequest is the body of POST /v1/receipts/{id}/match. The reason is at most 500 characters on one line; it becomes an
// event of the message.
type MatchRequest struct {
	Message string `json:"message"`
	Reason  string `json:"reason"`
}

// ReceiptAnswer is what became of one status.
type ReceiptAnswer struct {
	Message   string `json:"message,omitzero"`   // that it was matched to
	Changed   bool   `json:"changed"`            // the message moved
	Duplicate bool   `json:"duplicate,omitzero"` // it had been here before
	Foreign   bool   `json:"foreign,omitzero"`   // it belongs to another system and was not kept
}

// Receipts is ReceiptAPI.
func (s service) Receipts(ctx context.Context, q ReceiptQuery) (*ReceiptPage, error) {
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	after, err := receiptCursor(q.After)
	if err != nil {
		return nil, err
	}
	f := gateway.ReceiptFilter{After: after, Limit: q.Limit}
	page := &ReceiptPage{Receipts: []ReceiptView{}}
	if q.State == receiptUnreadable {
		bodies, err := s.gateway.UnreadableBodies(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("list unreadable bodies: %w", err)
		}
		for _, u := range bodies {
			page.Receipts = append(page.Receipts, ReceiptView{
				ID: u.ID, State: receiptUnreadable, ReceivedAt: u.ReceivedAt, Reason: u.Reason,
			})
		}
	} else {
		receipts, err := s.gateway.Quarantine(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("list the quarantine: %w", err)
		}
		for n := range receipts {
			page.Receipts = append(page.Receipts, receiptView(&receipts[n]))
		}
	}
	if n := len(page.Receipts); n == q.Limit {
		last := &page.Receipts[n-1]
		page.Next = base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(last.ReceivedAt.UnixMicro(), 10) + " " + last.ID))
	}
	return page, nil
}

func receiptView(r *gateway.Receipt) ReceiptView {
	return ReceiptView{
		ID: r.ID, State: receiptUnmatched, Kind: string(r.Kind), Status: r.Status, Code: r.Code, Conflict: r.Conflict,
		MessageUUID: r.MessageUUID, AfsendelseID: r.AfsendelseID, TransmissionID: r.Transmission,
		OccurredAt: r.OccurredAt, ReceivedAt: r.ReceivedAt,
	}
}

// receiptCursor reads what Next of a ReceiptPage said.
func receiptCursor(after string) (gateway.ReceiptCursor, error) {
	if after == "" {
		return gateway.ReceiptCursor{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(after)
	at, id, found := strings.Cut(string(raw), " ")
	micros, errTime := strconv.ParseInt(at, 10, 64)
	if err != nil || errTime != nil || !found {
		return gateway.ReceiptCursor{}, queryProblem("after", "Expected the value of next of the page before.")
	}
	return gateway.ReceiptCursor{ReceivedAt: time.UnixMicro(micros).UTC(), ID: id}, nil
}

// RawReceipt is ReceiptAPI.
func (s service) RawReceipt(ctx context.Context, id string, w io.Writer) error {
	raw, err := s.rawReceipt(ctx, id)
	if err != nil {
		return fmt.Errorf("read a status: %w", err)
	}
	if err := s.noted(ctx, access.ReadReceipt, id); err != nil {
		return err
	}
	_, err = w.Write(raw)
	return err
}

func (s service) rawReceipt(ctx context.Context, id string) ([]byte, error) {
	r, err := s.gateway.Receipt(ctx, id)
	if err == nil {
		return r.Raw, nil
	}
	if !errors.Is(err, gateway.ErrNotFound) {
		return nil, err
	}
	u, err := s.gateway.UnreadableBody(ctx, id)
	if err != nil {
		return nil, err
	}
	return u.Raw, nil
}

// RematchReceipts is ReceiptAPI.
func (s service) RematchReceipts(ctx context.Context) (*RematchAnswer, error) {
	n, err := s.gateway.Rematch(ctx)
	if err != nil {
		return nil, fmt.Errorf("match the quarantine: %w", err)
	}
	return &RematchAnswer{Matched: n}, nil
}

// MatchReceipt is ReceiptAPI.
func (s service) MatchReceipt(ctx context.Context, id string, in *MatchRequest) (*ReceiptAnswer, error) {
	result, err := s.gateway.MatchByHand(ctx, id, in.Message, in.Reason)
	if invalid, ok := errors.AsType[*gateway.Invalid](err); ok {
		return nil, newProblem(codeDecision, "", findings(invalid.Problems)...).because(err)
	}
	return receiptAnswer(result, err)
}

// RetryReceipt is ReceiptAPI.
func (s service) RetryReceipt(ctx context.Context, id string) (*ReceiptAnswer, error) {
	return receiptAnswer(s.gateway.RetryUnreadable(ctx, id))
}

func receiptAnswer(r gateway.SettleResult, err error) (*ReceiptAnswer, error) {
	if err != nil {
		return nil, fmt.Errorf("settle a status: %w", err)
	}
	return &ReceiptAnswer{Message: r.MessageID, Changed: r.Changed, Duplicate: r.Duplicate, Foreign: r.Foreign}, nil
}

func listReceipts(s *Server, api API, _ http.ResponseWriter, r *http.Request) (int, any, error) {
	values, err := query(r, "state", "after", "limit")
	if err != nil {
		return 0, nil, err
	}
	q := ReceiptQuery{State: values.Get("state"), After: values.Get("after")}
	if q.State != receiptUnmatched && q.State != receiptUnreadable {
		return 0, nil, queryProblem("state", "Expected unmatched or unreadable.")
	}
	limit, err := number(values, "limit", 1, maxPage, defaultPage)
	if err != nil {
		return 0, nil, err
	}
	q.Limit = int(limit)
	ctx, cancel := s.timeout(r)
	defer cancel()
	page, err := api.Receipts(ctx, q)
	return http.StatusOK, page, err
}

// mediaRaw is the media type of what came, whatever it is: a browser is not to show it.
const mediaRaw = "application/octet-stream"

// getRawReceipt gives a status as it came: it may hold personal data.
func getRawReceipt(s *Server, api service, w http.ResponseWriter, r *http.Request) error {
	if !accepts(r, mediaRaw) {
		return newProblem(codeAcceptable, "Accept "+mediaRaw+" here.")
	}
	if _, err := query(r); err != nil {
		return err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	id := r.PathValue("id")
	out := &fileOut{w: w, media: mediaRaw, filename: "status.xml"}
	return api.RawReceipt(ctx, id, out)
}

func rematchReceipts(s *Server, api API, _ http.ResponseWriter, r *http.Request) (int, any, error) {
	if _, err := query(r); err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	answer, err := api.RematchReceipts(ctx)
	return http.StatusOK, answer, err
}

func matchReceipt(s *Server, api API, w http.ResponseWriter, r *http.Request) (int, any, error) {
	in, err := readJSON(s, w, r, decode[MatchRequest])
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	answer, err := api.MatchReceipt(ctx, r.PathValue("id"), in)
	return http.StatusOK, answer, err
}

func retryReceipt(s *Server, api API, _ http.ResponseWriter, r *http.Request) (int, any, error) {
	if _, err := query(r); err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	answer, err := api.RetryReceipt(ctx, r.PathValue("id"))
	return http.StatusOK, answer, err
}

// Receipts is ReceiptAPI.
func (c *Client) Receipts(ctx context.Context, q ReceiptQuery) (*ReceiptPage, error) {
	values := url.Values{"state": {q.State}}
	if q.After != "" {
		values.Set("after", q.After)
	}
	setNumber(values, "limit", int64(q.Limit))
	answer, _, err := call[ReceiptPage](ctx, c, http.MethodGet, "/v1/receipts", values, nil, "")
	return answer, err
}

// RawReceipt is ReceiptAPI.
func (c *Client) RawReceipt(ctx context.Context, id string, w io.Writer) error {
	path := "/v1/receipts/" + url.PathEscape(id) + "/raw"
	resp, err := c.send(ctx, http.MethodGet, path, nil, nil, "", mediaRaw)
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		content, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return fmt.Errorf("GET %s: read the answer: %w", path, err)
		}
		return problemFrom(resp, content)
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}

// RematchReceipts is ReceiptAPI.
func (c *Client) RematchReceipts(ctx context.Context) (*RematchAnswer, error) {
	answer, _, err := call[RematchAnswer](ctx, c, http.MethodPost, "/v1/receipts/rematch", nil, nil, "")
	return answer, err
}

// MatchReceipt is ReceiptAPI.
func (c *Client) MatchReceipt(ctx context.Context, id string, in *MatchRequest) (*ReceiptAnswer, error) {
	return post[ReceiptAnswer](ctx, c, "/v1/receipts/"+url.PathEscape(id)+"/match", in)
}

// RetryReceipt is ReceiptAPI.
func (c *Client) RetryReceipt(ctx context.Context, id string) (*ReceiptAnswer, error) {
	path := "/v1/receipts/" + url.PathEscape(id) + "/retry"
	answer, _, err := call[ReceiptAnswer](ctx, c, http.MethodPost, path, nil, nil, "")
	return answer, err
}
