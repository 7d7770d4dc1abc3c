package sts

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"time"
)

// maxSAMLLife is the longest life believed.
const maxSAMLLife = 24 * time.Hour

// samlLife gives how long a token received at now lives: the earliest end that
// the answer's Lifetime and the assertion's own Conditions/@NotOnOrAfter give.
//
// Lifetime is {"Created": …, "Expires": …}, or only the end as text. Its times
// ("MM/DD/YYYY HH:MM:SS") name no zone. With both given the difference is
// taken, which holds in any zone; an end alone is read as UTC.
func samlLife(now time.Time, lifetime json.RawMessage, assertion []byte) time.Duration {
	life := time.Duration(0)
	consider := func(d time.Duration) {
		if d > 0 && (life == 0 || d < life) {
			life = d
		}
	}
	var period struct {
		Created string `json:"Created"`
		Expires string `json:"Expires"`
	}
	var end string
	switch {
	case json.Unmarshal(lifetime, &end) == nil:
		if t, err := parseTime(end); err == nil {
			consider(t.Sub(now))
		}
	case json.Unmarshal(lifetime, &period) == nil:
		to, err := parseTime(period.Expires)
		if err != nil {
			break
		}
		if from, err := parseTime(period.Created); err == nil {
			consider(to.Sub(from))
		} else {
			consider(to.Sub(now))
		}
	}
	if t, err := notOnOrAfter(assertion); err == nil {
		consider(t.Sub(now))
	}
	if life == 0 {
		life = defaultSAMLLife
	}
	return min(life, maxSAMLLife)
}

// parseTime reads the layouts the STS is known to use, and RFC 3339.
func parseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	layouts := []string{"01/02/2006 15:04:05", time.RFC3339, "2006-01-02T15:04:05", time.DateTime, "1/2/2006 3:04:05 PM"}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("not a time")
}

// notOnOrAfter finds Conditions/@NotOnOrAfter of an assertion. The assertion is
// not verified: it is the far end's to trust, we only pass it on.
func notOnOrAfter(assertion []byte) (time.Time, error) {
	d := xml.NewDecoder(bytes.NewReader(assertion))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return time.Time{}, errors.New("no Conditions")
		}
		if err != nil {
			return time.Time{}, errors.New("not XML")
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "Conditions" {
			continue
		}
		for _, attr := range start.Attr {
			if attr.Name.Local == "NotOnOrAfter" {
				return parseTime(attr.Value)
			}
		}
	}
}
