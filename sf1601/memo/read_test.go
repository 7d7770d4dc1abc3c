package memo_test

import (
	"bytes"
	"testing"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/memo/memotest"
)

// read reads a message with its contents in memory.
func read(t testing.TB, document []byte) *memo.Message {
	t.Helper()
	m, err := memo.Read(t.Context(), bytes.NewReader(document), memo.ReadOptions{Sink: memo.InMemory()})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWhatIsWrittenIsReadAndWrittenAlike(t *testing.T) {
	t.Parallel()
	forEachSample(t, func(t *testing.T, _ string, m *memo.Message) {
		t.Helper()
		want := render(t, m)
		if got := render(t, read(t, want)); !bytes.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func TestOfficialExamplesAreReadAndWrittenAlike(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"minimum-1.1.xml", "minimum-1.2.xml", "nemsms-1.1.xml", "attachment-1.2.xml"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			example := memotest.Example(t, name)
			if got, want := outline(t, render(t, read(t, example))), outline(t, example); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
