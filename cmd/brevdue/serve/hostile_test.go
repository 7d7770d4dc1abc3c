package serve

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestHostileRequests sends what nobody sends by accident; nothing is let in, answered with a letter, or logged.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	owner := person{token: "owner-word"}
	operator := w.login(t, "operator")
	before := w.state(t)
	var bomb bytes.Buffer
	packed := gzip.NewWriter(&bomb)
	for range 16 { // 16 MiB in 16 KiB
		if _, err := packed.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	raw := func(request string) int {
		t.Helper()
		conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(t.Context(), "tcp", w.web.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		// The server may answer and hang up before it has read all.
		go func() { _, _ = io.WriteString(conn, request) }()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		return resp.StatusCode
	}
	head := "GET /v1/intents HTTP/1.1\r\nHost: localhost\r\n"
	bearer := "Authorization: Bearer owner-word\r\n"
	var many strings.Builder
	for n := range 10_000 {
		fmt.Fprintf(&many, "X-%d: y\r\n", n)
	}
	for name, c := range map[string]struct {
		got, want int
	}{
		"ten thousand headers":  {raw(head + bearer + many.String() + "\r\n"), 431},
		"a token of a megabyte": {raw(head + "Authorization: Bearer " + strings.Repeat("x", 1<<20) + "\r\n\r\n"), 431},
		"a token of 9 KiB":      {raw(head + "Authorization: Bearer " + strings.Repeat("x", 9<<10) + "\r\n\r\n"), 401},
		"two tokens":            {raw(head + bearer + "Authorization: Bearer stranger-word\r\n\r\n"), 401},
		"a gzip bomb as an intent": {raw("POST /v1/intents HTTP/1.1\r\nHost: localhost\r\n" + bearer + "Content-Type: application/json\r\nContent-Encoding: gzip\r\n" +
			fmt.Sprintf("Content-Length: %d\r\n\r\n", bomb.Len()) + bomb.String()), 415},
		"a gzip bomb as a document": {raw("POST /v1/documents?filename=a.txt HTTP/1.1\r\nHost: localhost\r\n" + bearer + "Content-Encoding: gzip\r\n" +
			fmt.Sprintf("Content-Length: %d\r\n\r\n", bomb.Len()) + bomb.String()), 415},
		"a gzip bomb as a batch": {raw("POST /v1/batches HTTP/1.1\r\nHost: localhost\r\n" + bearer + "Content-Type: application/x-ndjson\r\nContent-Encoding: gzip\r\n" +
			fmt.Sprintf("Content-Length: %d\r\n\r\n", bomb.Len()) + bomb.String()), 415},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", name, c.got, c.want)
		}
	}
	for _, p := range []person{{name: "stranger", token: "stranger-word"}, owner, operator} {
		for _, path := range []string{
			"/v1/inbound/" + w.ids["inbound"] + "/documents/..%2f..%2fmemo", "/v1/inbound/..%2f..%2fetc%2fpasswd/memo",
			"/v1/inbound/" + w.ids["inbound"] + "/documents/-1", "/v1/inbound/" + w.ids["inbound"] + "/documents/00",
			"/v1/intents/..%2f" + w.ids["intents"], "/v1/messages/%2e%2e%2f" + w.ids["messages"] + "/evidence", "/v1/intents/%00",
			"/console/inbound/..%2f..%2fetc/memo", "/console/assets/..%2f..%2fconsole.go", "/console/messages/evidence?id=..%2f..%2fetc%2fpasswd",
			"/v1/receipts/" + strings.Repeat("a", 8<<10) + "/raw",
		} {
			if got := w.ask(t, p, http.MethodGet, path, "", ""); got.status/100 != 4 || strings.Contains(got.body, marker) {
				t.Errorf("%s as %s%s: %d %.200s", path, p.name, p.token, got.status, got.body)
			}
		}
	}
	// Somebody who has the console's cookie cannot use it as a token, nor a token as a cookie.
	_, value, _ := strings.Cut(operator.cookie, "=")
	for name, p := range map[string]person{"cookie as token": {token: value}, "token as cookie": {cookie: "brevdue=owner-word"}} {
		for _, path := range []string{"/v1/intents", "/console/"} {
			if got := w.ask(t, p, http.MethodGet, path, "", ""); got.status != http.StatusUnauthorized {
				t.Errorf("%s at %s: %d", name, path, got.status)
			}
		}
	}
	if w.state(t) != before {
		t.Error("something was changed")
	}
	if log := w.log.String(); strings.Contains(log, "-word") || strings.Contains(log, "passwd") || strings.Contains(log, value) || strings.Contains(log, marker) {
		t.Error("the log holds what was presented")
	}
}

// TestNobodyMayListenWithoutALogin: a console without a login is refused wherever others could reach it.
func TestNobodyMayListenWithoutALogin(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.app.opts.LoginLess = true
	w.app.cfg.HTTP.Listen = "0.0.0.0:8080"
	if _, err := w.app.openDoors(); err == nil || !strings.Contains(err.Error(), "http.listen") {
		t.Errorf("%v", err)
	}
}
