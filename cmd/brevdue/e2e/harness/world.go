package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler/rabbittest"
	"github.com/brevdue/brevdue/sf1606"
)

// World is a gateway with everything around it.
type World struct {
	Dir     string
	Redis   *Redis
	Broker  *rabbittest.Node // nil: statuses are pushed
	Sim     *Sim
	Gateway *Gateway

	inbound
	options Options
}

// NewWorld starts redis-server, the simulator and, after migrating its journal, the gateway, with all files in dir.
// ErrNoRedis when there is no redis-server. Close it.
func NewWorld(ctx context.Context, binary, dir string, o Options) (*World, error) {
	const tries = 3
	for try := 1; ; try++ {
		w := &World{Dir: dir, options: o}
		err := w.start(ctx, binary, filepath.Join(dir, fmt.Sprintf("world%d", try)))
		if err == nil {
			return w, nil
		}
		w.Close()
		if try == tries || !errors.Is(err, errPortTaken) {
			return nil, err
		}
	}
}

func (w *World) start(ctx context.Context, binary, dir string) error {
	a, err := freeAddresses(ctx, 6)
	if err != nil {
		return err
	}
	if w.Redis, err = StartRedis(ctx, filepath.Join(dir, "redis"), a[0]); err != nil {
		return err
	}
	sim, statuses := filepath.Join(dir, "sim"), []string{"--push", pushURL(a[4])}
	if w.options.Pull {
		if w.Broker, err = startBroker(ctx, filepath.Join(dir, "rabbitmq"), sim); err != nil {
			return err
		}
		statuses = []string{"--amqp", w.Broker.URL(), "--queue", Dueslag}
	}
	statuses = append(statuses, "--postmodtag", "https://"+a[5]+sf1606.DefaultPath)
	if w.Sim, err = startSim(ctx, binary, sim, a[1], a[2], statuses); err != nil {
		return err
	}
	if w.options.Inbound != nil {
		if err := w.openInbound(dir, a[5]); err != nil {
			return err
		}
	}
	w.Gateway, err = newGateway(ctx, binary, filepath.Join(dir, "gateway"), a[3], a[4], w)
	if err != nil {
		return err
	}
	return w.Gateway.Start(ctx, w.options)
}

// Restart starts a gateway that was killed or stopped.
func (w *World) Restart(ctx context.Context) error { return w.Gateway.Start(ctx, w.options) }

// Close kills every process.
func (w *World) Close() {
	if w.Broker != nil {
		defer w.Broker.Close()
	}
	if w.Gateway != nil {
		w.Gateway.Close()
	}
	if w.Receiver != nil {
		w.Receiver.Close()
	}
	if w.Sim != nil {
		w.Sim.Close()
	}
	if w.Redis != nil {
		w.Redis.Close()
	}
}

// Logs is the end of what each process has printed.
func (w *World) Logs(lines int) string {
	var b strings.Builder
	part := func(name, file string) { fmt.Fprintf(&b, "--- %s (%s)\n%s\n", name, file, tail(file, lines)) }
	if w.Gateway != nil {
		part("brevdue serve", w.Gateway.LogFile)
	}
	if w.Sim != nil {
		part("brevdue sim", w.Sim.logFile)
	}
	if w.Redis != nil {
		part("redis-server", w.Redis.logFile)
	}
	return b.String()
}

// Letter is an intent for a digital letter with a small PDF.
func Letter(reference, cpr string) *httpapi.IntentRequest {
	return &httpapi.IntentRequest{
		Reference: reference, Sender: "jobcenter",
		Recipient: httpapi.RecipientRequest{CPR: cpr, Name: "Nancy Ann Berggren"},
		Routes:    [][]string{{"digitalpost"}},
		Content: httpapi.ContentRequest{
			Title: "Indkaldelse til jobsamtale", Notification: "Ny indkaldelse fra Jobcenter",
			Documents: []httpapi.DocumentRequest{{
				Filename: "Indkaldelse.pdf", ContentType: "application/pdf", Content: httpapi.Base64{Bytes: PDF(2 << 10)},
			}},
		},
	}
}

// PDF is about size bytes that begin and end like a PDF.
func PDF(size int) []byte {
	const head, tail = "%PDF-1.4\n", "\n%%EOF\n"
	return []byte(head + strings.Repeat("% Testby\n", max(0, size-len(head)-len(tail))/9) + tail)
}

// A4 is a PDF of one empty page in A4, whole enough to be printed, of about size bytes.
func A4(size int) []byte {
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>/Contents 4 0 R>>",
		"",
	}
	const rest = 600 // bytes of everything but the padding
	padding := strings.Repeat("% Testby\n", max(0, size-rest)/9)
	objects[3] = fmt.Sprintf("<</Length %d>>stream\n%s\nendstream", len(padding), padding)
	pdf, table := []byte("%PDF-1.4\n"), fmt.Appendf(nil, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for n, object := range objects {
		table = fmt.Appendf(table, "%010d 00000 n \n", len(pdf))
		pdf = fmt.Appendf(pdf, "%d 0 obj\n%s\nendobj\n", n+1, object)
	}
	return fmt.Appendf(pdf, "%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", table, len(objects)+1, len(pdf))
}

// LargePDF is size bytes like PDF, made while they are read.
func LargePDF(size int64) io.Reader {
	const line = "% Testby Kommune, Jobcenter: bilag til indkaldelsen\n"
	return io.LimitReader(io.MultiReader(strings.NewReader("%PDF-1.4\n"), repeat(line)), size)
}

// repeat is a text without end.
type repeat string

func (r repeat) Read(p []byte) (int, error) {
	n := 0
	for n+len(r) <= len(p) {
		n += copy(p[n:], r)
	}
	if n == 0 {
		n = copy(p, r)
	}
	return n, nil
}
