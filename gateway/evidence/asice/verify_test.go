package asice

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// part says what a byte of a container belongs to: the name of a file for its content, else Structure.
func part(t testing.TB, container []byte) func(at int) string {
	t.Helper()
	c, err := Open(bytes.NewReader(container), int64(len(container)))
	if err != nil {
		t.Fatal(err)
	}
	return func(at int) string {
		for _, e := range c.entries {
			if int64(at) >= e.data() && int64(at) < e.end() {
				return e.name
			}
		}
		return Structure
	}
}

// Every byte of a small container is changed in turn, by one bit of it.
func TestAChangedByteAnywhereIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	container := signedSample(t)
	of := part(t, container)
	seen := map[string]int{}
	for at := range container {
		want := of(at)
		seen[want]++
		flip := byte(1) << (at % 8)
		container[at] ^= flip
		failed, _ := verify(t, container)
		if !slices.ContainsFunc(failed, func(c Check) bool { return c.File == want }) {
			t.Fatalf("byte %d (%s) xor %#x: %+v", at, want, flip, failed)
		}
		container[at] ^= flip
	}
	if len(seen) != 6 { // five of the files have content
		t.Errorf("parts that were changed: %v", seen)
	}
	if failed, _ := verify(t, container); len(failed) > 0 {
		t.Errorf("the container itself: %+v", failed)
	}
}

func TestACutOrLengthenedContainerIsRefused(t *testing.T) {
	t.Parallel()
	container := signedSample(t)
	for n := range container {
		if failed, _ := verify(t, container[:n]); len(failed) == 0 {
			t.Fatalf("the first %d bytes verify", n)
		}
		if failed, _ := verify(t, container[n+1:]); len(failed) == 0 && n+1 < len(container) {
			t.Fatalf("the bytes from %d on verify", n+1)
		}
	}
	for _, extra := range []string{"\x00", "PK\x05\x06", string(container[len(container)-lenEnd:])} {
		if failed, _ := verify(t, append(slices.Clone(container), extra...)); len(failed) == 0 {
			t.Errorf("%q at the end is not found", extra)
		}
		if failed, _ := verify(t, append([]byte(extra), container...)); len(failed) == 0 {
			t.Errorf("%q at the beginning is not found", extra)
		}
	}
}

// forge makes a container whose ZIP file is good and whose content is what the forger likes.
func forge(t testing.TB, names []string, contents [][]byte, at time.Time) []byte {
	t.Helper()
	when, err := newStamp(at)
	if err != nil {
		t.Fatal(err)
	}
	entries := make([]entry, len(names))
	for i := range names {
		sum, err := copySums(t.Context(), bytes.NewBuffer(nil), bytes.NewReader(contents[i]), make([]byte, 4096))
		if err != nil {
			t.Fatal(err)
		}
		entries[i] = entry{name: names[i], size: sum.size, crc: sum.crc}
	}
	if err := layout(entries); err != nil {
		t.Fatal(err)
	}
	var b []byte
	for i := range entries {
		b = append(append(b, entries[i].local(when)...), contents[i]...)
	}
	return append(b, directory(entries, when)...)
}

// unsigned takes a container apart.
func unsigned(t testing.TB, container []byte) (names []string, contents [][]byte) {
	t.Helper()
	c, err := Open(bytes.NewReader(container), int64(len(container)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.entries {
		b, err := c.Read(c.entries[i].name, maxOwn)
		if err != nil {
			t.Fatal(err)
		}
		names, contents = append(names, c.entries[i].name), append(contents, b)
	}
	return names, contents
}

func TestForgeriesAreRefused(t *testing.T) {
	t.Parallel()
	// sign makes what an honest signer with another idea of the files would have signed.
	sign := func(t *testing.T, change func(s *signed), cert tls.Certificate) []byte {
		t.Helper()
		s := &signed{at: clock.Truncate(time.Second)}
		for _, f := range sample() {
			s.files = append(s.files, signedFile{name: f.Name, mediaType: f.MediaType, digest: sha256.Sum256(nil)})
		}
		change(s)
		if err := s.sign(cert); err != nil {
			t.Fatal(err)
		}
		return s.document()
	}
	for name, c := range map[string]struct {
		forge func(t *testing.T, names []string, contents [][]byte) ([]string, [][]byte, time.Time)
		part  string
		rule  Rule
	}{
		"an unsigned file beside the signed ones": {func(_ *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			return slices.Insert(n, 1, "bevis.html"), slices.Insert(b, 1, []byte("Afleveret")), clock
		}, "bevis.html", RuleListed},
		"a signed file left out": {func(_ *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			return slices.Delete(n, 2, 3), slices.Delete(b, 2, 3), clock
		}, "anmodning/kombi_request.xml", RuleListed},
		"two files in each other's place": {func(_ *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			n[1], n[2], b[1], b[2] = n[2], n[1], b[2], b[1]
			return n, b, clock
		}, Structure, RuleStructure},
		"another time of the files": {func(_ *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			return n, b, clock.Add(time.Minute)
		}, Structure, RuleStructure},
		"a file with another content": {func(_ *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			b[1] = []byte("<!DOCTYPE html><title>Kvittering?</title>")
			return n, b, clock
		}, "kvittering.html", RuleDigest},
		"a list with a media type more": {func(_ *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			b[4] = bytes.Replace(b[4], []byte("text/html"), []byte("text/plain"), 1)
			return n, b, clock
		}, nameManifest, RuleContainer},
		"a mimetype with a line end": {func(_ *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			b[0] = append(b[0], '\n')
			return n, b, clock
		}, nameMimetype, RuleContainer},
		"a comment in the signature": {func(_ *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			b[5] = bytes.Replace(b[5], []byte("<ds:KeyInfo>"), []byte("<!-- --><ds:KeyInfo>"), 1)
			return n, b, clock
		}, nameSignatures, RuleSignature},
		"another's signature over another time": {func(_ *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			b[5] = bytes.Replace(b[5], []byte("2026-11-21T12:30:45Z"), []byte("2026-11-20T12:30:45Z"), 1)
			return n, b, clock
		}, nameSignatures, RuleSignature},
		"a signature of somebody who is not trusted": {func(t *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			b[5] = sign(t, func(*signed) {}, others().cert)
			return n, b, clock
		}, nameSignatures, RuleChain},
		"a signature without a chain": {func(t *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			alone := ours().cert
			alone.Certificate = alone.Certificate[:1]
			b[5] = sign(t, func(*signed) {}, alone)
			return n, b, clock
		}, nameSignatures, RuleChain},
		"a signature after the certificate's end": {func(t *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			b[5] = sign(t, func(s *signed) { s.at = s.at.AddDate(3, 0, 0) }, ours().cert)
			return n, b, clock.AddDate(3, 0, 0)
		}, nameSignatures, RuleChain},
		"a signature over names that climb": {func(t *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			b[5] = sign(t, func(s *signed) { s.files[0].name = "../kvittering.html" }, ours().cert)
			return n, b, clock
		}, nameSignatures, RuleSignature},
		"a signature over one name twice": {func(t *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			b[5] = sign(t, func(s *signed) { s.files[1].name = s.files[0].name }, ours().cert)
			return n, b, clock
		}, nameSignatures, RuleSignature},
		"a certificate that is none": {func(t *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			s, err := readSigned(b[5])
			if err != nil {
				t.Fatal(err)
			}
			s.chain[0] = []byte{1, 2, 3}
			b[5] = s.document()
			return n, b, clock
		}, nameSignatures, RuleSignature},
		"an enormous certificate": {func(t *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			s, err := readSigned(b[5])
			if err != nil {
				t.Fatal(err)
			}
			s.chain[0] = make([]byte, maxDER+1)
			b[5] = s.document()
			return n, b, clock
		}, nameSignatures, RuleSignature},
		"a short key": {func(t *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			b[5] = sign(t, func(*signed) {}, shortKey())
			return n, b, clock
		}, nameSignatures, RuleSignature},
		"an entity in the signature": {func(_ *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			bomb := `<!DOCTYPE x [<!ENTITY a "` + strings.Repeat("a", 1000) + `"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`
			b[5] = bytes.Replace(b[5], []byte("\n"), []byte("\n"+bomb), 1)
			return n, b, clock
		}, nameSignatures, RuleSignature},
		"a name that climbs": {func(_ *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			n[1] = "../../.ssh/authorized_keys"
			return n, b, clock
		}, Structure, RuleStructure},
		"one name twice": {func(_ *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			n[2] = n[1]
			return n, b, clock
		}, Structure, RuleStructure},
		"mimetype in the second place": {func(_ *testing.T, n []string, b [][]byte) ([]string, [][]byte, time.Time) {
			n[0], n[1], b[0], b[1] = n[1], n[0], b[1], b[0]
			return n, b, clock
		}, Structure, RuleStructure},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			names, contents := unsigned(t, signedSample(t))
			names, contents, at := c.forge(t, names, contents)
			failed, _ := verify(t, forge(t, names, contents, at))
			if !slices.ContainsFunc(failed, func(f Check) bool { return f.File == c.part && f.Rule == c.rule }) {
				t.Errorf("want %s of %s among %+v", c.rule, c.part, failed)
			}
		})
	}
}

// A CRC that both headers agree on, and that is not the file's, is found by reading the file.
func TestAWrongCRCIsFound(t *testing.T) {
	t.Parallel()
	b := signedSample(t)
	c, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	start := c.entries[len(c.entries)-1].end()
	central := start + lenCentral + int64(len(nameMimetype)) // of the second file
	b[central+16] ^= 1
	b[c.entries[1].offset+14] ^= 1
	failed, _ := verify(t, b)
	if len(failed) != 1 || failed[0].File != Structure || !strings.Contains(failed[0].Text, "CRC-32 of kvittering.html") {
		t.Errorf("failed: %+v", failed)
	}
}

// Structures that a ZIP reader may follow somewhere else are refused before anything is read.
func TestTricksOfTheZIPFormatAreRefused(t *testing.T) {
	t.Parallel()
	le := binary.LittleEndian
	for name, change := range map[string]func(b []byte) []byte{
		"empty":               func([]byte) []byte { return nil },
		"end record only":     func(b []byte) []byte { return b[len(b)-lenEnd:] },
		"65535 files (ZIP64)": func(b []byte) []byte { le.PutUint16(b[len(b)-12:], 0xffff); return b },
		"a place at 4 GiB (ZIP64)": func(b []byte) []byte {
			le.PutUint32(b[len(b)-6:], 0xffffffff)
			return b
		},
		"a directory of 4 GiB": func(b []byte) []byte { le.PutUint32(b[len(b)-10:], 0xffffffff); return b },
		"a comment":            func(b []byte) []byte { le.PutUint16(b[len(b)-2:], 1); return append(b, 'x') },
		"a second disk":        func(b []byte) []byte { le.PutUint16(b[len(b)-18:], 1); return b },
		"a gap before the directory": func(b []byte) []byte {
			start := le.Uint32(b[len(b)-6:])
			le.PutUint32(b[len(b)-6:], start+1)
			return slices.Insert(b, int(start), 0)
		},
		"a file with a length of 4 GiB": func(b []byte) []byte {
			start := le.Uint32(b[len(b)-6:])
			le.PutUint32(b[start+24:], 0xffffffff)
			return b
		},
		"two files at one place": func(b []byte) []byte {
			start := le.Uint32(b[len(b)-6:])
			le.PutUint32(b[start+lenCentral+8+42:], 0)
			return b
		},
		"a compressed file": func(b []byte) []byte {
			start := le.Uint32(b[len(b)-6:])
			le.PutUint16(b[start+10:], 8)
			le.PutUint16(b[8:], 8)
			return b
		},
		"an encrypted file": func(b []byte) []byte {
			start := le.Uint32(b[len(b)-6:])
			le.PutUint16(b[start+8:], 1)
			le.PutUint16(b[6:], 1)
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := change(signedSample(t))
			_, err := Open(bytes.NewReader(b), int64(len(b)))
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestNobodyIsTrustedUnlessARootIsGiven(t *testing.T) {
	t.Parallel()
	b := signedSample(t)
	c, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	checks, _, err := c.Verify(t.Context(), Trust{})
	if err != nil {
		t.Fatal(err)
	}
	var failed []string
	for _, check := range checks {
		if !check.Passed {
			failed = append(failed, fmt.Sprint(check.Rule, " ", check.Text))
		}
	}
	if len(failed) != 1 || !strings.Contains(failed[0], "chain the signer's chain was not checked") {
		t.Errorf("failed %q", failed)
	}
}

func TestReadingErrorsAreNoVerdict(t *testing.T) {
	t.Parallel()
	gone := errors.New("the share is gone")
	b := signedSample(t)
	reader := &brokenReader{r: bytes.NewReader(b), left: 3, err: gone}
	if _, err := Open(reader, int64(len(b))); !errors.Is(err, gone) || errors.Is(err, ErrMalformed) {
		t.Errorf("err = %v", err)
	}
	reader.left = 1000
	c, err := Open(reader, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for left := range 8 {
		reader.left = left
		if _, _, err := c.Verify(t.Context(), Trust{}); !errors.Is(err, gone) {
			t.Errorf("after %d reads: err = %v", left, err)
		}
	}
	reader.left = 1000
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if _, _, err := c.Verify(ctx, Trust{}); !errors.Is(err, gone) {
		t.Errorf("err = %v, want the cause", err)
	}
}

// brokenReader fails after so many reads.
type brokenReader struct {
	r    *bytes.Reader
	left int
	err  error
}

func (b *brokenReader) ReadAt(p []byte, at int64) (int, error) {
	if b.left--; b.left < 0 {
		return 0, b.err
	}
	return b.r.ReadAt(p, at)
}

func FuzzOpen(f *testing.F) {
	b := signedSample(f)
	f.Add(b)
	f.Add(b[len(b)-lenEnd:])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("err = %v", err)
			}
			return
		}
		for _, name := range c.Names() {
			if err := CheckName(name); err != nil {
				t.Fatalf("%q: %v", name, err)
			}
		}
		if _, _, err := c.Verify(t.Context(), Trust{}); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzReadSigned(f *testing.F) {
	_, contents := unsigned(f, signedSample(f))
	f.Add(contents[5])
	f.Add([]byte(textHead))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := readSigned(b)
		if err != nil {
			return
		}
		if !bytes.Equal(s.document(), b) {
			t.Fatal("what was read is not what is written")
		}
	})
}
