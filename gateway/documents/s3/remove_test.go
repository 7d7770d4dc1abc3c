package s3_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/documents/s3"
	"github.com/brevdue/brevdue/gateway/documents/s3/s3test"
)

// bucket is as much of the service as a small document needs, one request after the other, as the service promises it for each
// object. The server of the other tests keeps objects in several files, and does not while one is written and removed at once.
type bucket struct {
	mu      sync.Mutex
	objects map[string]string
	written map[string]time.Time
}

// ServeHTTP implements http.Handler.
func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := r.URL.Path
	content, there := b.objects[key]
	switch {
	case r.URL.Query().Has("list-type"):
		_, _ = io.WriteString(w, `<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>`)
	case r.URL.Query().Has("uploads"):
		_, _ = io.WriteString(w, `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>`)
	case r.Method == http.MethodPut:
		body, _ := io.ReadAll(r.Body) // one that is cut is a failure of the test elsewhere
		b.objects[key], b.written[key] = string(body), time.Now()
		w.Header().Set("ETag", `"1"`)
	case r.Method == http.MethodDelete:
		delete(b.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case !there:
		w.WriteHeader(http.StatusNotFound)
	default:
		w.Header().Set("Last-Modified", b.written[key].UTC().Format(http.TimeFormat))
		w.Header().Set("ETag", `"1"`)
		_, _ = io.WriteString(w, content)
	}
}

// age makes everything an hour old.
func (b *bucket) age() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range b.written {
		b.written[key] = time.Now().Add(-time.Hour)
	}
}

func (b *bucket) has(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range b.objects {
		if strings.HasSuffix(key, "/"+name) && !strings.Contains(key, "/removing/") {
			return true
		}
	}
	return false
}

// TestRemovePutMeanwhile begins a Put before every step of a removal, and lets it make so many steps of its own before the removal
// goes on. Whoever comes first, the document is there afterwards.
func TestRemovePutMeanwhile(t *testing.T) {
	t.Parallel()
	const steps = 5 // HEAD, the note, HEAD, DELETE, and the note's end
	for before := range steps {
		for ahead := range 5 {
			t.Run(fmt.Sprintf("%d steps ahead before step %d", ahead, before+1), func(t *testing.T) {
				t.Parallel()
				removeWhilePut(t, before, ahead)
			})
		}
	}
}

func removeWhilePut(t *testing.T, before, ahead int) {
	t.Helper()
	b := &bucket{objects: make(map[string]string), written: make(map[string]time.Time)}
	made := make(chan struct{}, 1000) // one for every request of the Put
	ours := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.ServeHTTP(w, r)
		made <- struct{}{}
	}))
	const content = "brev"
	sum, _, err := ours.Put(t.Context(), strings.NewReader(content), 100)
	if err != nil {
		t.Fatal(err)
	}
	b.age()
	for len(made) > 0 {
		<-made
	}
	put := make(chan error, 1)
	done := make(chan struct{})
	begin := func() {
		go func() {
			_, _, err := ours.Put(t.Context(), strings.NewReader(content), 100)
			put <- err
			close(done)
		}()
		for range ahead {
			select {
			case <-made:
			case <-done:
			}
		}
	}
	var step atomic.Int32
	step.Store(-100) // the store is opened
	theirs := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if step.Add(1) == int32(before+1) {
			begin()
		}
		b.ServeHTTP(w, r)
	}))
	step.Store(0)
	gone, err := theirs.Remove(t.Context(), sum, time.Now().Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if n := step.Load(); n <= int32(before) {
		t.Fatalf("the removal ended after %d steps", n)
	}
	if err := <-put; err != nil {
		t.Fatal(err)
	}
	if !b.has(sum) {
		t.Errorf("the document is lost; removed %t", gone)
	}
}

func connect(t *testing.T, h http.Handler) *s3.Store {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	s, err := s3.Open(t.Context(), "s3://brevdue?path_style=true&endpoint="+server.URL,
		s3.Options{Credentials: (&s3test.Server{}).Credentials()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
