package e2e

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1606"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// allToDesk are the shortest rules.
const allToDesk = `
targets: {desk: {folder: "{{inbox}}/desk"}}
default: desk
`

// tooLarge is one byte more than 100 MB.
const tooLarge = 100_000_001

// TestInboundRefuses sends a running gateway what it must not take. Each is refused with a receipt or at the TLS handshake,
// and afterwards the document folder and the journal are what they were.
func TestInboundRefuses(t *testing.T) {
	t.Parallel()
	ctx, w := setup(t, 3*time.Minute, harness.Options{Inbound: &harness.Inbound{Routes: allToDesk, Folders: []string{"desk"}}})
	letters := sf1606test.NewLetters(sf1606test.LettersConfig{})
	sender := senderOf(t, w, sf1606test.SenderConfig{Tries: 3})
	if r, err := sender.Send(ctx, letters.New(100_000)); err != nil || !r.Positive() {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := w.AwaitDelivered(ctx, "desk", 1); err != nil {
		t.Fatal(err)
	}
	before, err := w.Gateway.Files()
	if err != nil || len(before) == 0 {
		t.Fatalf("%d files, %v", len(before), err)
	}
	strangers(ctx, t, w, letters)
	contents(ctx, t, sender, letters)
	oversized(ctx, t, sender, letters)
	cut := letters.New(5_000_000)
	if err := sender.Cut(ctx, cut, 0.6); err != nil {
		t.Error(err)
	}
	// A cut upload is noticed and cleaned up after its sender has gone.
	err = harness.Poll(ctx, 20*time.Millisecond, func() (bool, error) {
		after, err := w.Gateway.Files()
		return maps.Equal(before, after), err
	})
	if err != nil {
		after, _ := w.Gateway.Files()
		t.Errorf("the document folder had %v, and has %v: %v", before, after, err)
	}
	if states, err := postStates(ctx, w); err != nil || states["delivered"] != 1 || len(states) != 1 {
		t.Errorf("the journal has %v, %v", states, err)
	}
	if r, err := sender.Send(ctx, cut); err != nil || !r.Positive() { // now whole
		t.Errorf("%+v, %v", r, err)
	}
	if err := w.AwaitDelivered(ctx, "desk", 2); err != nil {
		t.Error(err)
	}
}

// strangers call with a certificate of another authority, and without any.
func strangers(ctx context.Context, t *testing.T, w *harness.World, letters *sf1606test.Letters) {
	t.Helper()
	other, err := sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
	if err != nil {
		t.Fatal(err)
	}
	ours, err := sf1601test.LoadOrCreate(w.Sim.Dir, sf1601test.AuthorityOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, certificate := range map[string]tls.Certificate{"another authority's": other.ClientCertificate(), "none": {}} {
		s, err := sf1606test.NewSender(sf1606test.SenderConfig{URL: w.PostModtag(), Certificate: certificate, RootCAs: ours.RootCAs()})
		if err != nil {
			t.Fatal(err)
		}
		a, err := s.Try(ctx, letters.New(2000))
		s.Close()
		if err == nil || !strings.Contains(err.Error(), "tls: ") {
			t.Errorf("%s: HTTP %d %s, %v", name, a.Status, a.Body, err)
		}
	}
}

// contents is XML that is none, a DTD, another namespace, another authority's message, and half a message.
func contents(ctx context.Context, t *testing.T, sender *sf1606test.Sender, letters *sf1606test.Letters) {
	t.Helper()
	for how, code := range map[sf1606test.Spoil]string{
		sf1606test.SpoilXML: sf1606.CodeMemoInvalid, sf1606test.SpoilDTD: sf1606.CodeMemoInvalid,
		sf1606test.SpoilNamespace: sf1606.CodeMemoInvalid, sf1606test.SpoilTruncated: sf1606.CodeMemoInvalid,
		sf1606test.SpoilRecipient: sf1606.CodeRecipient,
	} {
		a, err := sender.Spoilt(ctx, letters.New(200_000), how)
		refused(t, string(how), a, err, http.StatusBadRequest, code)
	}
}

// oversized is one byte more than 100 MB, announced and not.
func oversized(ctx context.Context, t *testing.T, sender *sf1606test.Sender, letters *sf1606test.Letters) {
	t.Helper()
	for name, announced := range map[string]int64{"announced": tooLarge, "chunked": -1} {
		d, err := letters.New(tooLarge).Document()
		if err != nil {
			t.Fatal(err)
		}
		body := d.Open(ctx)
		a, err := sender.Post(ctx, io.MultiReader(body, strings.NewReader(strings.Repeat("\n", int(tooLarge-d.Size())))), announced)
		_ = body.Close()
		refused(t, name, a, err, http.StatusRequestEntityTooLarge, sf1606.CodeTooLarge)
	}
}

func refused(t *testing.T, name string, a sf1606test.Answer, err error, status int, code string) {
	t.Helper()
	if err != nil || a.Problem != nil || a.Status != status || a.Receipt.ErrorCode != code ||
		a.Receipt.Status != sf1606.StatusInvalid || a.Receipt.ErrorMessage == "" {
		t.Errorf("%s: HTTP %d %s, want %d %s: %v, %v", name, a.Status, a.Body, status, code, a.Problem, err)
	}
}

// smallDisk mounts a file system of a few megabytes at a folder, and returns what makes it larger.
func smallDisk(ctx context.Context, t *testing.T) (dir string, grow func()) {
	t.Helper()
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("NOT TESTED: a disk that is full; mounting a small file system needs root on Linux")
	}
	dir = t.TempDir()
	mount := func(args ...string) error {
		out, err := exec.CommandContext(ctx, "mount", args...).CombinedOutput()
		if err != nil {
			return errors.Join(errors.New(string(out)), err)
		}
		return nil
	}
	if err := mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", dir); err != nil {
		t.Skip("NOT TESTED: a disk that is full; no small file system can be mounted here: " + err.Error())
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if out, err := exec.CommandContext(ctx, "umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir, func() {
		t.Helper()
		if err := mount("-o", "remount,size=64m", dir); err != nil {
			t.Fatal(err)
		}
	}
}

// TestInboundFullDisk fills the disk of the document folder. What does not fit is refused as temporary and leaves nothing
// behind, what fits is still taken, and with space all is accepted when it is sent again.
func TestInboundFullDisk(t *testing.T) {
	t.Parallel()
	disk, grow := smallDisk(t.Context(), t)
	ctx, w := setup(t, 2*time.Minute, harness.Options{
		Inbound: &harness.Inbound{Routes: allToDesk, Folders: []string{"desk"}},
		Change:  func(s map[string]any) { s["documents"] = map[string]any{"url": "file:" + disk} },
	})
	letters := sf1606test.NewLetters(sf1606test.LettersConfig{})
	sender := senderOf(t, w, sf1606test.SenderConfig{Tries: 3})
	if r, err := sender.Send(ctx, letters.New(500_000)); err != nil || !r.Positive() {
		t.Fatalf("%+v, %v", r, err)
	}
	before, err := w.Gateway.Files()
	if err != nil {
		t.Fatal(err)
	}
	large := letters.New(5_000_000)
	for range 2 {
		a, err := sender.Try(ctx, large)
		refused(t, "a message larger than the disk", a, err, http.StatusServiceUnavailable, sf1606.CodeUnavailable)
		if !a.Temporary() || a.Header.Get("Retry-After") == "" {
			t.Errorf("it is not sent again: %v", a.Header)
		}
		if after, err := w.Gateway.Files(); err != nil || !maps.Equal(before, after) {
			t.Errorf("the document folder had %v, and has %v: %v", before, after, err)
		}
	}
	many := make([]*memo.Message, 8)
	for n := range many {
		many[n] = letters.New(1_000_000)
	}
	accepted := tryAll(ctx, t, sender, many)
	if accepted == 0 || accepted == len(many) {
		t.Errorf("%d of %d messages that fill the disk together are accepted", accepted, len(many))
	}
	small := letters.New(3000)
	if a, err := sender.Try(ctx, small); err != nil || !a.Accepted() {
		t.Errorf("a small one: HTTP %d %s, %v", a.Status, a.Body, err)
	}
	if states, err := postStates(ctx, w); err != nil || sum(states) != accepted+2 {
		t.Errorf("the journal has %v, want %d: %v", states, accepted+2, err)
	}
	grow()
	if got := tryAll(ctx, t, sender, slices.Concat(many, []*memo.Message{large, small})); got != len(many)+2 {
		t.Errorf("with space %d of %d are accepted", got, len(many)+2)
	}
	if err := w.AwaitDelivered(ctx, "desk", len(many)+3); err != nil {
		t.Error(err)
	}
	files, err := w.Gateway.Files()
	if names := slices.Collect(maps.Keys(files)); err != nil ||
		slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "tmp") }) {
		t.Errorf("half written: %v, %v", names, err)
	}
	t.Logf("%d of %d fitted", accepted, len(many))
}

// tryAll sends every message once, all at a time. One that is not accepted must be refused as temporary.
func tryAll(ctx context.Context, t *testing.T, sender *sf1606test.Sender, list []*memo.Message) (accepted int) {
	t.Helper()
	answers := make([]sf1606test.Answer, len(list))
	errs := make([]error, len(list))
	var all sync.WaitGroup
	for n, m := range list {
		all.Go(func() { answers[n], errs[n] = sender.Try(ctx, m) })
	}
	all.Wait()
	for n, a := range answers {
		if errs[n] == nil && a.Accepted() {
			accepted++
			continue
		}
		refused(t, "one of many", a, errs[n], http.StatusServiceUnavailable, sf1606.CodeUnavailable)
	}
	return accepted
}

func sum(states map[string]int) int {
	n := 0
	for _, count := range states {
		n += count
	}
	return n
}
