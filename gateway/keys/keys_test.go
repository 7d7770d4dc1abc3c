package keys_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/keys"
)

const secret = "Din ansøgning er afslået"

// clock is a time that the test moves.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.at.Store(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time       { return time.Unix(0, c.at.Load()) }
func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }
func must[T any](t *testing.T) func(v T, err error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// setup makes a keyset file, with a master key when master is not "".
func setup(t *testing.T, master string) (*keys.Keys, keys.Config, *clock) {
	t.Helper()
	c := newClock()
	cfg := keys.Config{File: filepath.Join(t.TempDir(), "state", "keyset.json"), Now: c.now}
	if master != "" {
		cfg.MasterFile = write(t, master)
	}
	return must[*keys.Keys](t)(keys.Create(cfg)), cfg, c
}

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	k, _, _ := setup(t, "")
	for _, plain := range []string{"", "x", secret, strings.Repeat("x", 1<<20)} {
		sealed := must[[]byte](t)(k.Seal("a place", []byte(plain)))
		again := must[[]byte](t)(k.Seal("a place", []byte(plain)))
		if bytes.Equal(sealed, again) {
			t.Error("the same twice is sealed alike")
		}
		if len(plain) > 1 && bytes.Contains(sealed, []byte(plain)) {
			t.Error("what is sealed can be read")
		}
		if id, is := gateway.SealedUnder(sealed); !is || id != k.List()[0].ID {
			t.Errorf("sealed under %q, %v", id, is)
		}
		if got := must[[]byte](t)(k.Open("a place", sealed)); string(got) != plain {
			t.Errorf("opened %d bytes of %d", len(got), len(plain))
		}
		if _, err := k.Open("another place", sealed); !errors.Is(err, gateway.ErrSealed) {
			t.Errorf("opened in another place: %v", err)
		}
		for at := range min(len(sealed), 60) {
			changed := bytes.Clone(sealed)
			changed[at] ^= 1
			if _, err := k.Open("a place", changed); !errors.Is(err, gateway.ErrSealed) || strings.Contains(err.Error(), secret) {
				t.Fatalf("byte %d changed: %v", at, err)
			}
			if _, err := k.Open("a place", sealed[:at]); !errors.Is(err, gateway.ErrSealed) {
				t.Fatalf("cut at %d: %v", at, err)
			}
		}
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	k, _, _ := setup(t, "")
	for _, size := range []int{0, 1, 65_000, 64 << 10, 64<<10 - 16, 200_000} {
		plain := bytes.Repeat([]byte{7}, size)
		var sealed bytes.Buffer
		w := must[io.WriteCloser](t)(k.SealTo(&sealed, "document"))
		if _, err := io.Copy(w, iotest.HalfReader(bytes.NewReader(plain))); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		read := func(content []byte, place string) ([]byte, error) {
			r, err := k.OpenFrom(bytes.NewReader(content), place)
			if err != nil {
				return nil, err
			}
			return io.ReadAll(iotest.OneByteReader(r))
		}
		if got, err := read(sealed.Bytes(), "document"); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d bytes: %d, %v", size, len(got), err)
		}
		if _, err := read(sealed.Bytes(), "other"); !errors.Is(err, gateway.ErrSealed) {
			t.Errorf("%d bytes in another place: %v", size, err)
		}
		for _, cut := range []int{0, 3, 8, 20, sealed.Len() / 2, sealed.Len() - 1} {
			if _, err := read(sealed.Bytes()[:cut], "document"); !errors.Is(err, gateway.ErrSealed) {
				t.Errorf("%d bytes, cut at %d: %v", size, cut, err)
			}
			changed := bytes.Clone(sealed.Bytes())
			changed[cut] ^= 1
			if _, err := read(changed, "document"); !errors.Is(err, gateway.ErrSealed) {
				t.Errorf("%d bytes, %d changed: %v", size, cut, err)
			}
		}
		broken := errors.New("the disk is gone")
		r, err := k.OpenFrom(io.MultiReader(bytes.NewReader(sealed.Bytes()[:9]), iotest.ErrReader(broken)), "document")
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if !errors.Is(err, broken) || errors.Is(err, gateway.ErrSealed) {
			t.Errorf("a broken disk is told as %v", err)
		}
	}
}

func TestHashes(t *testing.T) {
	t.Parallel()
	k, _, _ := setup(t, "")
	other, _, _ := setup(t, "")
	hash := func(k *keys.Keys, kind, value string) string {
		t.Helper()
		return hex.EncodeToString(must[[][]byte](t)(k.Hashes(kind, []byte(value)))[0])
	}
	one := hash(k, "CPR", "2512489996")
	for name, two := range map[string]string{
		"another number": hash(k, "CPR", "2512489995"), "another kind": hash(k, "CVR", "2512489996"),
		"another file": hash(other, "CPR", "2512489996"), "kind and value shifted": hash(k, "CPR2", "512489996"),
	} {
		if one == two {
			t.Errorf("%s has the same hash", name)
		}
	}
	if one != hash(k, "CPR", "2512489996") || len(one) != 64 {
		t.Error("the same number has another hash")
	}
	must[string](t)(k.Rotate())
	all := must[[][]byte](t)(k.Hashes("CPR", []byte("2512489996")))
	if len(all) != 2 || hex.EncodeToString(all[1]) != one || hex.EncodeToString(all[0]) == one {
		t.Error("the present key's hash is not first, or the old key's is missing")
	}
}

// TestTheFile is made once, for its owner alone, and says nothing with a master.
func TestTheFile(t *testing.T) {
	t.Parallel()
	_, cfg, _ := setup(t, "")
	info := must[os.FileInfo](t)(os.Stat(cfg.File))
	if info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	before := must[[]byte](t)(os.ReadFile(cfg.File))
	if _, err := keys.Create(cfg); !errors.Is(err, keys.ErrExists) {
		t.Errorf("made again: %v", err)
	}
	if after := must[[]byte](t)(os.ReadFile(cfg.File)); !bytes.Equal(before, after) {
		t.Error("the file was written over")
	}
	if _, err := os.Stat(cfg.File + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Error("something is left beside the file")
	}
	if err := os.Chmod(cfg.File, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Open(cfg); err == nil || !strings.Contains(err.Error(), "0600") {
		t.Errorf("a file that the group reads: %v", err)
	}
	missing := cfg
	missing.File += "x"
	if _, err := keys.Open(missing); !errors.Is(err, keys.ErrNoFile) {
		t.Errorf("no file: %v", err)
	}
}

const (
	master      = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
	otherMaster = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
)

func TestMaster(t *testing.T) {
	t.Parallel()
	k, cfg, _ := setup(t, master)
	sealed := must[[]byte](t)(k.Seal("p", []byte(secret)))
	content := must[[]byte](t)(os.ReadFile(cfg.File))
	if !bytes.Contains(content, []byte(`"encryptedKeyset"`)) || bytes.Contains(content, []byte(`"keyData"`)) {
		t.Errorf("the file shows its secrets")
	}
	again := must[*keys.Keys](t)(keys.Open(cfg))
	if got := must[[]byte](t)(again.Open("p", sealed)); string(got) != secret {
		t.Error("opened as something else")
	}
	for name, with := range map[string]string{"another": write(t, otherMaster), "none": ""} {
		wrong := cfg
		wrong.MasterFile = with
		_, err := keys.Open(wrong)
		if !errors.Is(err, keys.ErrMaster) || !strings.Contains(err.Error(), k.Master()) || strings.Contains(err.Error(), "0102") {
			t.Errorf("%s master: %v", name, err)
		}
	}
	for name, with := range map[string]string{"short": write(t, "0001"), "not hex": write(t, strings.Repeat("x", 64)), "missing": "/nowhere"} {
		wrong := cfg
		wrong.MasterFile = with
		if _, err := keys.Open(wrong); err == nil {
			t.Errorf("a %s master was taken", name)
		}
	}
	// A keyset of one key in the place of another's, or of another purpose's, is not one.
	must[string](t)(k.Rotate())
	content = must[[]byte](t)(os.ReadFile(cfg.File))
	swapped := strings.NewReplacer(`"fields"`, `"documents"`, `"documents"`, `"fields"`).Replace(string(content))
	if err := os.WriteFile(cfg.File, []byte(swapped), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Open(cfg); err == nil || !strings.Contains(err.Error(), k.List()[0].ID) {
		t.Errorf("keysets exchanged: %v", err)
	}
}

func TestRotateAndDestroy(t *testing.T) {
	t.Parallel()
	for name, with := range map[string]string{"open": "", "with a master": master} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, cfg, c := setup(t, with)
			first := k.List()[0].ID
			sealed := must[[]byte](t)(k.Seal("p", []byte(secret)))
			if err := k.Destroy(first); !errors.Is(err, keys.ErrInUse) {
				t.Errorf("the only key destroyed: %v", err)
			}
			second := must[string](t)(k.Rotate())
			list := k.List()
			if len(list) != 2 || list[0].ID != first || list[0].Primary || list[0].Retired.IsZero() || list[1].ID != second || !list[1].Primary {
				t.Errorf("%+v", list)
			}
			if got := must[[]byte](t)(k.Open("p", sealed)); string(got) != secret {
				t.Error("the old key does not open")
			}
			if id, _ := gateway.SealedUnder(must[[]byte](t)(k.Seal("p", nil))); id != second {
				t.Errorf("sealed under %s", id)
			}
			if err := k.Destroy(first); !errors.Is(err, keys.ErrInUse) || k.Idle(first) == nil {
				t.Errorf("destroyed at once: %v", err)
			}
			if err := k.Destroy("00000000"); !errors.Is(err, keys.ErrUnknown) || !errors.Is(k.Idle("00000000"), keys.ErrUnknown) {
				t.Errorf("an unknown key: %v", err)
			}
			c.pass(keys.Grace)
			if err := errors.Join(k.Idle(first), k.Destroy(first)); err != nil {
				t.Fatal(err)
			}
			for _, k := range []*keys.Keys{k, must[*keys.Keys](t)(keys.Open(cfg))} {
				if _, err := k.Open("p", sealed); !errors.Is(err, gateway.ErrNoKey) || !strings.Contains(err.Error(), first) {
					t.Errorf("opened under a destroyed key: %v", err)
				}
			}
		})
	}
}

// TestAnotherProcessRotates: who has the file open follows it, and opens at once what is sealed under a key it has not seen.
func TestAnotherProcessRotates(t *testing.T) {
	t.Parallel()
	one, cfg, c := setup(t, "")
	two := must[*keys.Keys](t)(keys.Open(cfg))
	second := must[string](t)(two.Rotate())
	sealed := must[[]byte](t)(two.Seal("p", []byte(secret)))
	if got := must[[]byte](t)(one.Open("p", sealed)); string(got) != secret {
		t.Error("opened as something else")
	}
	third := must[string](t)(two.Rotate())
	if got := must[string](t)(one.Current()); got != second {
		t.Errorf("looked before a second had passed: %s", got)
	}
	c.pass(time.Second)
	if got := must[string](t)(one.Current()); got != third {
		t.Errorf("a second later %s seals, not %s", got, third)
	}
	back := must[string](t)(two.Rotate())
	c.pass(-time.Hour)
	if got := must[string](t)(one.Current()); got != back {
		t.Errorf("when the clock was set back %s seals, not %s", got, back)
	}
	fourth := must[string](t)(two.Rotate())
	hash := must[[][]byte](t)(two.Hashes("document", []byte("x")))[0]
	if got := must[[][]byte](t)(one.Hashes("document", []byte("x")))[0]; !bytes.Equal(hash, got) {
		t.Error("what was just stored under a new key cannot be found")
	}
	if got := must[string](t)(one.Current()); got != fourth {
		t.Errorf("%s", got)
	}
}

// TestTheFileIsGone: nothing is sealed under a key that may be lost, what is here is opened, and all is well when it is back.
func TestTheFileIsGone(t *testing.T) {
	t.Parallel()
	k, cfg, c := setup(t, "")
	sealed := must[[]byte](t)(k.Seal("p", []byte(secret)))
	if err := os.Rename(cfg.File, cfg.File+".away"); err != nil {
		t.Fatal(err)
	}
	c.pass(5 * time.Second)
	must[[]byte](t)(k.Seal("p", nil)) // a moment's trouble with the disk harms nobody
	c.pass(5 * time.Second)
	_, err := k.Seal("p", []byte(secret))
	_, errStream := k.SealTo(io.Discard, "p")
	_, errHash := k.Hashes("CPR", nil)
	_, errCurrent := k.Current()
	for _, err := range []error{err, errStream, errHash, errCurrent} {
		if !errors.Is(err, gateway.ErrUnavailable) || strings.Contains(err.Error(), secret) {
			t.Errorf("sealed without the file: %v", err)
		}
	}
	if got := must[[]byte](t)(k.Open("p", sealed)); string(got) != secret {
		t.Error("opened as something else")
	}
	if err := os.Rename(cfg.File+".away", cfg.File); err != nil {
		t.Fatal(err)
	}
	must[[]byte](t)(k.Seal("p", nil))
}

// TestOneAtATime: of many that change the file at once, each does it or is told that somebody else does; no key is lost.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	k, cfg, _ := setup(t, "")
	var wg sync.WaitGroup
	var made atomic.Int64
	for range 8 {
		own := must[*keys.Keys](t)(keys.Open(cfg))
		wg.Go(func() {
			for range 5 {
				_, err := own.Rotate()
				if err == nil {
					made.Add(1)
				} else if !errors.Is(err, keys.ErrBusy) {
					t.Error(err)
				}
				if _, err := k.Seal("p", []byte(secret)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	again := must[*keys.Keys](t)(keys.Open(cfg))
	if got := int64(len(again.List())); got != made.Load()+1 || made.Load() == 0 {
		t.Errorf("%d keys, %d were made", got, made.Load()+1)
	}
	if err := os.WriteFile(cfg.File+".new", nil, 0o600); err != nil { // somebody was cut short
		t.Fatal(err)
	}
	if _, err := k.Rotate(); !errors.Is(err, keys.ErrBusy) || !strings.Contains(err.Error(), "keyset.json.new") {
		t.Errorf("changed beside another: %v", err)
	}
}

// FuzzOpen: whatever is handed in is refused, without a panic.
func FuzzOpen(f *testing.F) {
	k, err := keys.Create(keys.Config{File: filepath.Join(f.TempDir(), "keyset.json")})
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := k.Seal("p", []byte(secret))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte(gateway.SealedStream + "abcdefgh"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if plain, err := k.Open("p", b); err == nil && string(plain) != secret {
			t.Fatal("opened what nobody sealed")
		}
		if r, err := k.OpenFrom(bytes.NewReader(b), "p"); err == nil {
			if _, err = io.Copy(io.Discard, r); err == nil {
				t.Fatal("read what nobody sealed")
			}
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	k, err := keys.Create(keys.Config{File: filepath.Join(b.TempDir(), "keyset.json")})
	if err != nil {
		b.Fatal(err)
	}
	plain := make([]byte, 2000)
	b.ReportAllocs()
	for b.Loop() {
		sealed, err := k.Seal("intent_contents.content/int_1", plain)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := k.Open("intent_contents.content/int_1", sealed); err != nil {
			b.Fatal(err)
		}
	}
}
