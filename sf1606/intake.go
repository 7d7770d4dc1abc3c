package sf1606

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
)

// Intake is what both ways in have in common: who is received for, what a message may weigh, and where it goes.
type Intake struct {
	// Sink keeps what is accepted. Required.
	Sink Sink
	// Authorities are the CVR numbers that messages may be addressed to: eight digits each. Required unless AnyRecipient.
	Authorities []string
	// AnyRecipient receives for everybody.
	AnyRecipient bool
	// MaxBytes is the largest message, XML with base64; zero means memo.MaxSize, 99,500,000. [src: SF1601-OVERVIEW]
	MaxBytes int64
	// StoreTimeout bounds Known, and Commit and Abort, each; zero means one minute. They are not ended when the sender
	// goes away: the receipt is then there for its next try.
	StoreTimeout time.Duration
	// Now is the clock of receipts; nil means time.Now.
	Now func() time.Time
	// NewUUID makes transmissionIds; nil means random ones of version 4.
	NewUUID func() string
	// Logger gets a line for every refusal and every failure, without anything of the message; nil discards.
	Logger *slog.Logger
}

// complete checks the settings and puts the defaults in.
func (in *Intake) complete() error {
	if in.Sink == nil {
		return errors.New("no sink")
	}
	if len(in.Authorities) == 0 && !in.AnyRecipient {
		return errors.New("no authorities")
	}
	in.Authorities = slices.Clone(in.Authorities)
	for i, cvr := range in.Authorities {
		if len(cvr) != 8 || strings.Trim(cvr, "0123456789") != "" {
			return fmt.Errorf("authority %d: a CVR has 8 digits", i+1)
		}
	}
	if in.MaxBytes < 0 || in.StoreTimeout < 0 {
		return errors.New("a limit is negative")
	}
	orDefault(&in.MaxBytes, memo.MaxSize)
	orDefault(&in.StoreTimeout, time.Minute)
	if in.Now == nil {
		in.Now = time.Now
	}
	if in.NewUUID == nil {
		in.NewUUID = newUUID
	}
	if in.Logger == nil {
		in.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

func orDefault[T comparable](v *T, fallback T) {
	var zero T
	if *v == zero {
		*v = fallback
	}
}

// newUUID is a random UUID of version 4. [src: RFC-9562]
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// isUUID tells whether s has the form of a UUID, of any version and case: receivers are lenient about both.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if s[i] != '-' {
				return false
			}
		case s[i] >= '0' && s[i] <= '9', c >= 'a' && c <= 'f':
		default:
			return false
		}
	}
	return true
}

// receipt makes a receipt of now.
func (in *Intake) receipt(transmission, uuid, id string) Receipt {
	return Receipt{
		TransmissionID: transmission, MessageUUID: uuid, MessageID: id,
		TimeStamp: in.Now().UTC().Truncate(time.Millisecond), Status: StatusCompleted,
	}
}

// judge says whether a message with this header is received here, and whether it was before.
func (in *Intake) judge(ctx context.Context, h header) (*Receipt, error) {
	if !isUUID(h.uuid) {
		return nil, Refuse(CodeMessageUUID, nil)
	}
	if !in.AnyRecipient && (!strings.EqualFold(h.idType, string(memo.CVR)) || !slices.Contains(in.Authorities, h.recipient)) {
		return nil, Refuse(CodeRecipient, nil)
	}
	ctx, cancel := context.WithTimeout(ctx, in.StoreTimeout)
	defer cancel()
	known, found, err := in.Sink.Known(ctx, strings.ToLower(h.uuid))
	if err != nil || !found {
		return nil, err
	}
	return &known, nil
}

// receive reads one message into the sink. The receipt is what the sink stored, positive or not; an error is a *Refusal
// with the receipt that tells of it. A panic of the sink is an error like others.
func (in *Intake) receive(ctx context.Context, body io.Reader, a Arrival) (rcpt Receipt, refused *Refusal) {
	r := &reception{in: in, arrival: a, sum: sha256.New()}
	defer func() {
		if v := recover(); v != nil {
			refused = Refuse(CodeUnavailable, panicked(v))
		}
		if refused != nil {
			r.abort(ctx, refused)
			rcpt = in.negative(r.arrival, r.head, refused)
		}
	}()
	stored, err := r.run(ctx, body)
	if err != nil {
		return Receipt{}, r.refusal(err)
	}
	return stored, nil
}

// panicked is a panic as an error: with the place it came from, and its text only where that is Go's own.
func panicked(v any) error {
	text := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok {
		text = err.Error()
	}
	return fmt.Errorf("panic: %s\n%s", text, debug.Stack())
}

// negative is the receipt of a refusal.
func (in *Intake) negative(a Arrival, h header, refused *Refusal) Receipt {
	uuid, id := "", ""
	if isUUID(h.uuid) {
		uuid, id = h.uuid, h.id
	}
	rcpt := in.receipt(a.TransmissionID, uuid, id)
	rcpt.Status, rcpt.ErrorCode, rcpt.ErrorMessage = StatusInvalid, refused.Code, refused.Text
	return rcpt
}
