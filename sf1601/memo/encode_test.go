package memo_test

import (
	"errors"
	"testing"

	"github.com/brevdue/brevdue/sf1601/memo"
)

// fitting is a letter whose document has exactly size bytes, or up to three more.
func fitting(t *testing.T, size int64) *memo.Message {
	t.Helper()
	m := letter(memo.V1_1)
	f := &m.Body.MainDocument.Files[0]
	f.Content = zeroes(0)
	d, err := m.Document()
	if err != nil {
		t.Fatal(err)
	}
	f.Content = zeroes((size - d.Size()) / 4 * 3)
	f.Filename += "aaa"[:(size-d.Size())%4] // base64 grows by four, the name by one
	return m
}

func TestEncodeCountsTheSizeToTheByte(t *testing.T) {
	t.Parallel()
	d, err := fitting(t, memo.MaxSize).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if d.Size() != 99_500_000 {
		t.Errorf("the message has %d bytes", d.Size())
	}
	d, err = fitting(t, memo.MaxSize+1).Encode()
	var invalid *memo.Invalid
	if d != nil || !errors.As(err, &invalid) || len(invalid.Findings) != 1 || invalid.Findings[0].Rule != memo.RuleSize {
		t.Errorf("one byte more: %v", err)
	}
}

func TestEncodeGivesTheFindings(t *testing.T) {
	t.Parallel()
	m := letter(memo.V1_2)
	m.Header.Label = ""
	m.Body.MainDocument.Files[0].Filename = "a/b.pdf"
	m.Body.MainDocument.Files[0].Content = zeroes(memo.MaxSize)
	d, err := m.Encode()
	var invalid *memo.Invalid
	if d != nil || !errors.As(err, &invalid) || len(invalid.Findings) != 2 || invalid.Findings[1].Rule != memo.RuleFilename {
		t.Errorf("got %v", err)
	}
}
