package sts

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"testing"
	"time"
)

var received = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestSAMLLife(t *testing.T) {
	t.Parallel()
	const none = "<Assertion/>"
	conditions := func(until string) string {
		return fmt.Sprintf(`<s:Assertion xmlns:s="urn:oasis:names:tc:SAML:2.0:assertion"><s:Conditions NotBefore="x" NotOnOrAfter=%q/></s:Assertion>`, until)
	}
	for name, c := range map[string]struct {
		lifetime, assertion string
		want                time.Duration
	}{
		"difference, whatever the zone": {`{"Created":"11/21/2026 13:00:00","Expires":"11/21/2026 21:00:00"}`, none, 8 * time.Hour},
		"RFC 3339":                      {`{"Created":"2026-11-21T12:00:00Z","Expires":"2026-11-21T13:30:00Z"}`, none, 90 * time.Minute},
		"the end alone, read as UTC":    {`{"Expires":"11/21/2026 14:00:00"}`, none, 2 * time.Hour},
		"a text":                        {`"11/21/2026 14:00:00"`, none, 2 * time.Hour},
		"other capitals":                {`{"created":"11/21/2026 13:00:00","expires":"11/21/2026 14:00:00"}`, none, time.Hour},
		"the assertion ends earlier":    {`{"Created":"11/21/2026 13:00:00","Expires":"11/21/2026 21:00:00"}`, conditions("2026-11-21T12:20:00.123Z"), 20*time.Minute + 123*time.Millisecond},
		"the assertion alone":           {`null`, conditions("2026-11-21T20:00:00Z"), 8 * time.Hour},
		"nothing":                       {``, none, defaultSAMLLife},
		"nonsense":                      {`{"Created":[],"Expires":7}`, "not xml <", defaultSAMLLife},
		"day before month":              {`{"Created":"21/11/2026 13:00:00","Expires":"21/11/2026 21:00:00"}`, none, defaultSAMLLife},
		"already over is not believed":  {`"11/21/2026 11:00:00"`, none, defaultSAMLLife},
		"a year is not believed either": {`"11/21/2027 11:00:00"`, none, maxSAMLLife},
	} {
		if got := samlLife(received, []byte(c.lifetime), []byte(c.assertion)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 0 ": 0, "-5": 0, "soon": 0, "99999999999999": maxRetryAfter, "1e3": 0,
		"Sat, 21 Nov 2026 12:00:30 GMT": 30 * time.Second, "Sat, 21 Nov 2020 12:00:30 GMT": 0,
	} {
		if got := RetryAfter(value, received); got != want {
			t.Errorf("Retry-After %q: %s, want %s", value, got, want)
		}
	}
}

func FuzzReadIssued(f *testing.F) {
	assertion := base64.StdEncoding.EncodeToString([]byte(`<Assertion><Conditions NotOnOrAfter="2026-11-21T20:00:00Z"/></Assertion>`))
	f.Add([]byte(`{"RequestedSecurityToken":{"Assertion":"` + assertion + `"},"Lifetime":{"Created":"11/21/2026 13:00:00","Expires":"11/21/2026 21:00:00"}}`))
	f.Add([]byte(`{"RequestedSecurityToken":{"Assertion":"` + assertion + `"},"Lifetime":"11/21/2026 13:00:00"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		lifetime, xml, err := readIssued(answer)
		if err != nil {
			return
		}
		source := Source{cfg: Config{Now: func() time.Time { return received }}}
		got, err := source.accept(Audience{}, xml, lifetime, received)
		if err != nil {
			t.Fatalf("an assertion that nobody verifies is refused: %v", err)
		}
		if back, err := got.XML(); err != nil || !bytes.Equal(back, xml) {
			t.Errorf("assertion: %v", err)
		}
		if !got.Expires.After(received) || got.Expires.After(received.Add(maxSAMLLife)) || got.renew.Before(received) || got.renew.After(got.Expires) {
			t.Errorf("renewed %s, expires %s", got.renew, got.Expires)
		}
	})
}

func FuzzReadAccess(f *testing.F) {
	f.Add([]byte(`{"access_token":"abc","token_type":"Holder-of-key","expires_in":3600}`))
	f.Add([]byte(`{"access_token":"abc","expires_in":"12"}`))
	f.Add([]byte(`{"access_token":"a b","expires_in":-1}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		got, err := readAccess(answer, received)
		if err != nil {
			return
		}
		for _, c := range got.Authorization() {
			if c < ' ' || c > '~' {
				t.Errorf("Authorization %q", got.Authorization())
			}
		}
		if got.Expires.Before(received) || got.renew.After(got.Expires) {
			t.Errorf("renewed %s, expires %s", got.renew, got.Expires)
		}
	})
}
