package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/evidence"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

const evidenceMessage = "msg_01JDPZ5X9V1N6K8T4Q2W3E7R5Y"

// sampleEvidence is the evidence of a small letter, signed now with the certificate of a simulator.
func sampleEvidence(authority *sf1601test.Authority) ([]byte, error) {
	const uuid = "5b2e9f54-5c0e-4d27-9d5a-0d9c5a0c1f11"
	at := time.Date(2026, 11, 21, 11, 32, 10, 0, time.UTC)
	status := beskedfordeler.EncodeInput(&beskedfordeler.Besked{
		ID: "b1b1b1b1-0000-4000-8000-000000000001", Version: "1.0", Type: beskedfordeler.TypePKOPostStatus, ObjectID: uuid,
		Handling: beskedfordeler.HandlingAfleveret, Registered: at, Status: &beskedfordeler.PostStatus{
			MessageUUID: uuid, TransaktionsDatoTid: at, TransaktionsStatusKode: "Afleveret Digital Post",
		},
	})
	d := &gateway.Dossier{
		Intent:  &gateway.Intent{ID: "int_1", Content: gateway.Content{Title: "Indkaldelse"}},
		Message: gateway.Message{ID: evidenceMessage, IntentID: "int_1", Channel: "digitalpost", State: gateway.Delivered, MessageUUID: uuid},
		Receipts: []gateway.Receipt{{
			ID: "b1b1b1b1-0000-4000-8000-000000000001", Kind: gateway.ReceiptDelivered, Status: "Afleveret Digital Post",
			OccurredAt: at, ReceivedAt: at, Raw: status,
		}},
	}
	var b bytes.Buffer
	err := evidence.Write(context.Background(), &b, d, evidence.Options{Certificate: authority.ClientCertificate(), Now: time.Now})
	return b.Bytes(), err
}

// writeEvidence puts the evidence of a letter into a script's folder: whole, and with one byte of its page and one of its
// receipt changed.
func writeEvidence(dir string, authority *sf1601test.Authority) error {
	whole, err := sampleEvidence(authority)
	if err != nil {
		return err
	}
	page, receipt := bytes.Clone(whole), bytes.Clone(whole)
	page[bytes.Index(page, []byte("<h1>Afleveret 21."))+len("<h1>Afleveret 2")] = '0'
	receipt[bytes.Index(receipt, []byte("<ns2:BeskedVersion>"))] = ' '
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "letter.asice"), whole, 0o600),
		os.WriteFile(filepath.Join(dir, "page.asice"), page, 0o600),
		os.WriteFile(filepath.Join(dir, "receipt.asice"), receipt, 0o600),
	)
}

// TestEvidenceIsFetchedAndVerified gets a container over HTTP, and verifies what lies on the disk then.
func TestEvidenceIsFetchedAndVerified(t *testing.T) {
	t.Parallel()
	authority, err := sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
	if err != nil {
		t.Fatal(err)
	}
	container, err := sampleEvidence(authority)
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/messages/" + evidenceMessage + "/evidence":
			w.Header().Set("Content-Type", evidence.MediaType)
			_, _ = w.Write(container)
		case "/v1/messages/msg_cut/evidence":
			w.Header().Set("Content-Type", evidence.MediaType)
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write(container[:100])
			panic(http.ErrAbortHandler)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(api.Close)
	dir := t.TempDir()
	if err := authority.WriteFiles(filepath.Join(dir, "sim")); err != nil {
		t.Fatal(err)
	}
	brevdue := func(args ...string) (code int, out, errs string) {
		var o, e bytes.Buffer
		code = run(t.Context(), args, terminal{in: strings.NewReader(""), out: &o, err: &e, environ: []string{"BREVDUE_TOKEN=t", "BREVDUE_URL=" + api.URL}})
		return code, o.String(), e.String()
	}
	file := filepath.Join(dir, "letter.asice")
	if code, out, errs := brevdue("evidence", evidenceMessage, "-o", file); code != exitOK || !strings.HasPrefix(out, file+" ") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	code, out, errs := brevdue("verify", file, "--json", "--ca", filepath.Join(dir, "sim", "ca.pem"))
	var answer verified
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Fatal(err)
	}
	if code != exitOK || !answer.Verified || answer.Message != evidenceMessage || !answer.Delivered.Equal(time.Date(2026, 11, 21, 11, 32, 10, 0, time.UTC)) {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, out, _ := brevdue("evidence", evidenceMessage, "-o", "-"); code != exitOK || out != string(container) {
		t.Errorf("exit %d, %d bytes to standard output", code, len(out))
	}
	if code, _, errs := brevdue("evidence", evidenceMessage, "-o", file); code != exitUsage || !strings.Contains(errs, "exists") {
		t.Errorf("over a file that exists: exit %d: %s", code, errs)
	}
	for _, id := range []string{"msg_cut", "msg_absent"} {
		other := filepath.Join(dir, id)
		if code, _, errs := brevdue("evidence", id, "-o", other); code != exitFailed || errs == "" {
			t.Errorf("%s: exit %d: %s", id, code, errs)
		}
		if _, err := os.Stat(other); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: a file was left behind", id)
		}
	}
}
