package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
)

// TestNoPersonalData looks for what is about the recipient where nobody should find it, keys or none: in logs, in Redis, in
// metrics. TestNothingIsStoredOpen looks in the journal and the documents, too.
func TestNoPersonalData(t *testing.T) {
	t.Parallel()
	const (
		cpr, wrongCPR = "2512489996", "251248999"
		name          = "Nancy Ann Berggren"
		street        = "Hemmelighedsvej"
		email, mobile = "nancy@berggren.example", "+4520212223"
		title         = "Afgørelse om kontanthjælp"
		text          = "Din ansøgning er afslået, fordi formuen er for stor."
		label         = "Klag over afgørelsen"
	)
	secrets := []string{cpr, wrongCPR, "251248-9996", name, "Berggren", street, email, mobile, title, text, "afslået", label, "Klageguide"}
	ctx, w := setup(t, 3*time.Minute, harness.Options{LogLevel: "debug", DigitalPost: map[string]any{"unknown_wait": "2s", "retry_first": "1s"}})
	for _, last := range []string{"9996", "9993", "9992", "9991", "9990", "9988", "9985"} {
		in := harness.Letter("privacy-"+last, "251248"+last)
		secrets = append(secrets, "251248"+last)
		in.Recipient.Name, in.Recipient.Email, in.Recipient.Mobile = name, email, mobile
		in.Recipient.Address.Street, in.Recipient.Address.Postcode, in.Recipient.Address.City = street, "8000", "Aarhus C"
		in.Content.Title, in.Content.Text, in.Content.Notification = title, text, title
		in.Content.Documents[0].Filename = "Klageguide.pdf"
		answer, err := w.Gateway.Client.PostIntent(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Gateway.Await(ctx, answer.ID, "delivered", "failed"); err != nil {
			t.Fatal(err)
		}
	}
	// One that is refused at the door, and one that waits in Redis.
	bad := harness.Letter("privacy-refused", wrongCPR)
	bad.Recipient.Name = name
	if _, err := w.Gateway.Client.PostIntent(ctx, bad); err == nil {
		t.Error("a CPR number of nine digits was accepted")
	}
	waiting := harness.Letter("privacy-waiting", cpr)
	waiting.Recipient.Name, waiting.Send.NotBefore = name, time.Now().Add(time.Hour).Format(time.RFC3339)
	if _, err := w.Gateway.Client.PostIntent(ctx, waiting); err != nil {
		t.Fatal(err)
	}
	// Tasks are handed to Redis behind the answer.
	if err := harness.Poll(ctx, 50*time.Millisecond, func() (bool, error) { return strings.Contains(dump(ctx, t, w.Redis), "msg_"), nil }); err != nil {
		t.Fatal("the waiting letter never came to Redis")
	}
	metrics, err := w.Gateway.Get(ctx, "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for where, found := range map[string]struct{ content, proof string }{
		"the log of serve":  {w.Gateway.Log(), "msg_"},
		"/metrics":          {metrics, "brevdue_"},
		"Redis":             {dump(ctx, t, w.Redis), "msg_"},
		"the file of Redis": {appendOnlyFile(t, w.Redis), "msg_"},
	} {
		content := found.content
		if !strings.Contains(content, found.proof) {
			t.Errorf("%s holds no %q: nothing was looked through", where, found.proof)
		}
		for _, secret := range secrets {
			if at := strings.Index(content, secret); at >= 0 {
				t.Errorf("%s holds %q: ...%s...", where, secret, content[max(0, at-200):min(len(content), at+100)])
			}
		}
	}
}

// dump is every key of Redis with its value.
func dump(ctx context.Context, t *testing.T, r *harness.Redis) string {
	t.Helper()
	var b strings.Builder
	keys := r.Client.Scan(ctx, 0, "*", 1000).Iterator()
	for keys.Next(ctx) {
		key := keys.Val()
		kind, err := r.Client.Type(ctx, key).Result()
		if err != nil {
			t.Fatal(err)
		}
		var value any
		switch kind {
		case "string":
			value, err = r.Client.Get(ctx, key).Result()
		case "hash":
			value, err = r.Client.HGetAll(ctx, key).Result()
		case "list":
			value, err = r.Client.LRange(ctx, key, 0, -1).Result()
		case "set":
			value, err = r.Client.SMembers(ctx, key).Result()
		case "zset":
			value, err = r.Client.ZRangeWithScores(ctx, key, 0, -1).Result()
		default:
			t.Fatalf("key %s is a %s, which this test does not know", key, kind)
		}
		if err != nil && err.Error() != "redis: nil" { // a key may end while we look
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s %v\n", key, kind, value)
	}
	if err := keys.Err(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// appendOnlyFile is all that was ever written to Redis.
func appendOnlyFile(t *testing.T, r *harness.Redis) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(r.Dir, "appendonlydir", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(content)
	}
	return b.String()
}
