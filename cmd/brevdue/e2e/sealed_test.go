package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/gateway/keys"
)

// secretWord stands in everything that a sealed letter says.
const secretWord = "Hemmeligheden"

// sealing configures keys, and makes them in dir.
func sealing(t *testing.T, dir string) func(settings map[string]any) {
	t.Helper()
	file := filepath.Join(dir, "keyset.json")
	if _, err := keys.Create(keys.Config{File: file}); err != nil {
		t.Fatal(err)
	}
	return func(settings map[string]any) { settings["keys"] = map[string]any{"file": file} }
}

// sealedLetter says nothing but secrets.
func sealedLetter(reference, cpr string) *httpapi.IntentRequest {
	in := harness.Letter(reference, cpr)
	in.Recipient.Name, in.Recipient.Email, in.Recipient.Mobile = secretWord+" Berggren", secretWord+"@example.dk", "+4520212223"
	in.Recipient.Address.Street, in.Recipient.Address.House = secretWord+"svej", "2"
	in.Recipient.Address.Postcode, in.Recipient.Address.City = "8000", "Aarhus C"
	in.Content.Title, in.Content.Text, in.Content.Notification = secretWord, secretWord, secretWord
	in.Content.Documents[0].Filename = secretWord + ".pdf"
	in.Content.Documents[0].Content.Bytes = secretPDF(2 << 10)
	return in
}

func secretPDF(size int) []byte {
	return bytes.ReplaceAll(harness.PDF(size), []byte("% Testby\n"), []byte("% "+secretWord+"\n"))
}

// TestNothingIsStoredOpen sends a thousand letters to a thousand people and looks for every one of them, and for what the
// letters say, in all that a gateway writes: database and its log, documents, Redis and its file, log, metrics.
func TestNothingIsStoredOpen(t *testing.T) {
	t.Parallel()
	letters := 1000
	if testing.Short() {
		letters = 100
	}
	keysDir := t.TempDir()
	ctx, w := setup(t, 5*time.Minute, harness.Options{LogLevel: "debug", Change: sealing(t, keysDir)})
	upload, err := w.Gateway.Client.UploadDocument(ctx, secretWord+".pdf", bytes.NewReader(secretPDF(3<<20)))
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{secretWord, "Berggren", "+4520212223"}
	for offset := range 3 { // in base64, wherever in a group of three bytes it begins
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", offset) + secretWord))
		secrets = append(secrets, encoded[4:len(encoded)-4])
	}
	var lines bytes.Buffer
	for n := range letters {
		cpr := fmt.Sprintf("%02d%02d%02d%04d", 1+n%28, 1+n/28%12, 50+n/336, 3000+n)
		secrets = append(secrets, cpr)
		in := sealedLetter(fmt.Sprintf("lukket-%d", n), cpr)
		if n%100 == 0 { // some with a document that is too large for the journal
			in.Content.Documents = append(in.Content.Documents, httpapi.DocumentRequest{Document: upload.ID, Filename: secretWord + "-2.pdf"})
		}
		if err := json.MarshalWrite(&lines, in); err != nil {
			t.Fatal(err)
		}
		lines.WriteByte('\n')
	}
	summary, err := w.Gateway.Client.PostBatch(ctx, &lines, func(l httpapi.BatchLine) error {
		if l.Problem != nil {
			return fmt.Errorf("line %d: %s", l.Line, l.Problem.Code)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := harness.Poll(ctx, 200*time.Millisecond, func() (bool, error) {
		b, err := w.Gateway.Client.Batch(ctx, summary.Batch)
		return err == nil && b.Statuses["delivered"] == letters, err
	}); err != nil {
		t.Fatal(err)
	}
	look(ctx, t, w, secrets)
}

// look searches all that a gateway has written.
func look(ctx context.Context, t *testing.T, w *harness.World, secrets []string) {
	t.Helper()
	metrics, err := w.Gateway.Get(ctx, "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]string{
		"the log of serve": w.Gateway.Log(), "/metrics": metrics, "Redis": dump(ctx, t, w.Redis), "the file of Redis": appendOnlyFile(t, w.Redis),
	}
	stored := 0
	err = filepath.WalkDir(w.Gateway.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		name, _ := filepath.Rel(w.Gateway.Dir, path)
		for _, secret := range secrets {
			if strings.Contains(name, secret) {
				t.Errorf("a file is called %s", name)
			}
		}
		content, err := os.ReadFile(path)
		places[name] = string(content)
		if strings.HasPrefix(name, "documents") {
			stored++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(places["brevdue.db"]+places["brevdue.db-wal"], "int_") || stored == 0 {
		t.Errorf("the database holds no intent, or there are no documents (%d): nothing was looked through", stored)
	}
	for where, content := range places {
		for _, secret := range secrets {
			if at := strings.Index(content, secret); at >= 0 {
				t.Errorf("%s holds %q: ...%q...", where, secret, content[max(0, at-100):min(len(content), at+50)])
				break
			}
		}
	}
}

// TestKeysRotateUnderTraffic: a new key, everything sealed anew, the old key gone, while letters come and go. Nothing fails,
// and an old letter's evidence is what it was.
func TestKeysRotateUnderTraffic(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("an old key cannot be destroyed before a minute has passed")
	}
	ctx, w := setup(t, 6*time.Minute, harness.Options{Change: sealing(t, t.TempDir())})
	old, err := w.Gateway.Client.PostIntent(ctx, sealedLetter("gammel", "2512489996"))
	if err != nil {
		t.Fatal(err)
	}
	before, err := w.Gateway.Await(ctx, old.ID, "delivered")
	if err != nil {
		t.Fatal(err)
	}
	traffic, stop := context.WithCancel(ctx)
	defer stop()
	var sent atomic.Int64
	var group errgroup.Group
	for lane := range 4 {
		group.Go(func() error {
			for n := 0; traffic.Err() == nil; n++ {
				in := sealedLetter(fmt.Sprintf("trafik-%d-%d", lane, n), "2512489996")
				in.Content.Documents[0].Content.Bytes = append(secretPDF(2<<10), in.Reference...) // another document each time
				answer, err := w.Gateway.Client.PostIntent(ctx, in)
				if err != nil {
					return err
				}
				if _, err := w.Gateway.Await(ctx, answer.ID, "delivered"); err != nil {
					return err
				}
				upload, err := w.Gateway.Client.UploadDocument(ctx, "bilag.pdf", bytes.NewReader(append(secretPDF(300<<10), in.Reference...)))
				if err != nil || upload.ID == "" {
					return fmt.Errorf("upload: %w", err)
				}
				sent.Add(1)
			}
			return nil
		})
	}
	dir := filepath.Dir(w.Gateway.ConfigFile)
	command := func(args ...string) map[string]any {
		t.Helper()
		out, err := harness.Run(ctx, binary, dir, append(args, "--json", "--config", w.Gateway.ConfigFile)...)
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		var answer map[string]any
		if i := strings.Index(out, "{"); i < 0 || json.UnmarshalRead(strings.NewReader(out[i:strings.LastIndex(out, "}")+1]), &answer) != nil {
			t.Fatalf("%v: %s", args, out)
		}
		return answer
	}
	after := func(n int64) {
		t.Helper()
		if err := harness.Poll(ctx, 100*time.Millisecond, func() (bool, error) { return sent.Load() >= n, nil }); err != nil {
			t.Fatal(err)
		}
	}
	after(20)
	rotated := command("keys", "rotate")
	first, second := fmt.Sprint(rotated["previous"]), fmt.Sprint(rotated["key"])
	atRotation := sent.Load()
	resealed := command("keys", "reencrypt")
	for what, least := range map[string]float64{"records": 100, "documents": 20} {
		if n, _ := resealed[what].(float64); n < least {
			t.Errorf("sealed %v %s anew", n, what)
		}
	}
	after(atRotation + 20)
	command("keys", "reencrypt") // what was stored in the second before every process knew
	command("keys", "destroy", first, "--wait")
	stop()
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d letters and as many uploads meanwhile; %v records and documents sealed anew", sent.Load(), resealed)
	if list := fmt.Sprint(command("keys", "list")["keys"]); strings.Contains(list, first) || !strings.Contains(list, second) {
		t.Errorf("the keys are %s", list)
	}
	if err := w.Reconfigure(ctx, func(map[string]any) {}); err != nil { // and again after a restart
		t.Fatal(err)
	}
	intents, err := w.Gateway.Intents(ctx)
	if err != nil || len(intents) != int(sent.Load())+1 {
		t.Errorf("%d intents of %d, %v", len(intents), sent.Load()+1, err)
	}
	for _, i := range intents {
		if i.Status != "delivered" {
			t.Errorf("%s is %s", i.ID, i.Status)
		}
	}
	file := filepath.Join(t.TempDir(), "bevis.asice")
	fetch(ctx, t, w, before.Messages[0].ID, file)
	if _, err := harness.Run(ctx, binary, filepath.Dir(file), "verify", "--ca", filepath.Join(w.Sim.Dir, "ca.pem"), file); err != nil {
		t.Fatal(err)
	}
}
