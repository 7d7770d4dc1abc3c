package sf1601test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Duration is a time.Duration written as text ("250ms") in JSON.
type Duration time.Duration

// MarshalText writes the form time.ParseDuration reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads the form of time.ParseDuration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration: %w", err)
	}
	*d = Duration(v)
	return nil
}

// Faults are the knobs of POST /faults and SetFaults. Rates are shares of the
// kombi calls, 0 to 1, rolled after the request was read and found well;
// behaviour by recipient comes on top. Delays may be negative to mean none
// where zero means the default.
type Faults struct {
	// Rate503 answers 503 with Retry-After: RetryAfter; nothing is accepted.
	Rate503 float64 `json:"rate503"`
	// Rate401 refuses the access token for this call; nothing is accepted.
	Rate401 float64 `json:"rate401"`
	// RateCutBefore cuts the connection before anything is accepted.
	RateCutBefore float64 `json:"rateCutBefore"`
	// RateCutAfter accepts the letter, then cuts the connection.
	RateCutAfter float64 `json:"rateCutAfter"`
	// RatePushTwice sends a status a second time.
	RatePushTwice float64 `json:"ratePushTwice"`
	// RetryAfter is told with every 503, in whole seconds; default 1 s.
	RetryAfter Duration `json:"retryAfter"`
	// Latency is added before every kombi answer; default none.
	Latency Duration `json:"latency"`
	// AssertionLifetime of new SAML assertions; default 8 h, as the STS's.
	AssertionLifetime Duration `json:"assertionLifetime"`
	// TokenLifetime of new access tokens; default 1 h, as AccessTokenService's.
	TokenLifetime Duration `json:"tokenLifetime"`
	// ModtagetDelay is from acceptance to "Modtaget"; default 20 ms.
	ModtagetDelay Duration `json:"modtagetDelay"`
	// AfleveretDelay is from acceptance to the final status; default 200 ms.
	AfleveretDelay Duration `json:"afleveretDelay"`
	// LateDelay is how late recipients ending in 9989 get theirs; default 30 s.
	LateDelay Duration `json:"lateDelay"`
	// FejlKode and FejlTekst are the status of recipients ending in 9993, on
	// every channel; empty means those of Config, which belong together.
	FejlKode  string `json:"fejlKode"`
	FejlTekst string `json:"fejlTekst"`
	// FejlID and KildeID are of the answer to recipients ending in 9992; empty
	// means CodeRefused and KildeID.
	FejlID  string `json:"fejlId"`
	KildeID string `json:"kildeId"`
}

// DefaultFaults are no faults and the delays of the field comments.
func DefaultFaults() Faults { return Faults{}.withDefaults() }

func (f Faults) withDefaults() Faults {
	orDefault(&f.RetryAfter, Duration(time.Second))
	orDefault(&f.AssertionLifetime, Duration(8*time.Hour))
	orDefault(&f.TokenLifetime, Duration(time.Hour))
	orDefault(&f.ModtagetDelay, Duration(20*time.Millisecond))
	orDefault(&f.AfleveretDelay, Duration(200*time.Millisecond))
	orDefault(&f.LateDelay, Duration(30*time.Second))
	return f
}

func (f Faults) validate() error {
	for _, r := range []struct {
		name string
		rate float64
	}{
		{"rate503", f.Rate503}, {"rate401", f.Rate401}, {"rateCutBefore", f.RateCutBefore},
		{"rateCutAfter", f.RateCutAfter}, {"ratePushTwice", f.RatePushTwice},
	} {
		if !(r.rate >= 0 && r.rate <= 1) { // also catches NaN
			return fmt.Errorf("sf1601test: %s must be between 0 and 1", r.name)
		}
	}
	if f.Rate503+f.Rate401+f.RateCutBefore+f.RateCutAfter > 1 {
		return errors.New("sf1601test: the rates of kombi faults add up to more than 1")
	}
	if f.RetryAfter < 0 || f.AssertionLifetime < 0 || f.TokenLifetime < 0 {
		return errors.New("sf1601test: retryAfter, assertionLifetime and tokenLifetime must not be negative")
	}
	return f.validateFejl()
}

// maxFejl is the most characters of a code or text to be told.
const maxFejl = 256

// validateFejl checks what is to be told to 9993 and 9992: it must be possible
// in XML, and a code is one word.
func (f Faults) validateFejl() error {
	for _, v := range []struct {
		name, text string
		word       bool
	}{{"fejlKode", f.FejlKode, true}, {"fejlTekst", f.FejlTekst, false}, {"fejlId", f.FejlID, true}, {"kildeId", f.KildeID, true}} {
		wrong := func(r rune) bool {
			return r == utf8.RuneError || r >= 0xfffe || unicode.IsControl(r) && r != '\n' || v.word && unicode.IsSpace(r)
		}
		if utf8.RuneCountInString(v.text) > maxFejl || strings.ContainsFunc(v.text, wrong) {
			return fmt.Errorf("sf1601test: %s must be at most %d printable characters, a code without spaces", v.name, maxFejl)
		}
	}
	return nil
}

// merge reads strict JSON over f: a field that is present replaces, one that
// is absent stays.
func (f Faults) merge(body []byte) (Faults, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return f, fmt.Errorf("sf1601test: faults: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return f, errors.New("sf1601test: faults: more than one JSON value")
	}
	f = f.withDefaults()
	return f, f.validate()
}
