package sf1601test_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

func TestAnAuthorityOfAnEarlierVersionGetsTheCertificateOfItsSTS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := authority(t).WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	opts := sf1601test.AuthorityOptions{KeyBits: 2048}
	file := filepath.Join(dir, sf1601test.FileSTS)
	load := func() (sts []byte) {
		t.Helper()
		a, err := sf1601test.LoadOrCreate(dir, opts)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.ClientCertificate().Certificate[0], authority(t).ClientCertificate().Certificate[0]) {
			t.Fatal("a new authority was made")
		}
		return a.STSCertificate().Certificate[0]
	}
	first := load()
	if !bytes.Equal(first, authority(t).STSCertificate().Certificate[0]) {
		t.Error("the certificate written is not the one read")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	made := load()
	if bytes.Equal(made, first) {
		t.Error("the certificate that was removed is still there")
	}
	if again := load(); !bytes.Equal(again, made) {
		t.Error("the certificate made was not kept")
	}
}
