package sf1606

import (
	"encoding/xml"
	"errors"
	"net/http"
	"strings"
	"time"
)

// DefaultPath is where PostModtag is served when Config.Path is empty. The standard's path is not published.
const DefaultPath = "/sf1606/postmodtag"

// Config says how PostModtag is served. Everything below Intake is what the published text of SF1606 leaves open; the
// defaults are ours (docs/divergences.md). [src: SF1606]
type Config struct {
	Intake

	// Path is the one path that is served; empty means DefaultPath. Others get 404.
	Path string
	// Method is that of the call; empty means POST.
	Method string
	// Format is that of receipts when Accept names neither JSON nor XML, or is absent; empty means JSON.
	Format Format
	// Root is the root element of receipts in XML; empty means Receipt without a namespace.
	Root xml.Name
	// Statuses are the HTTP statuses of receipts.
	Statuses Statuses
	// TransmissionID gives the transmissionId of the receipt for a call; nil, or an empty answer, means Intake.NewUUID.
	TransmissionID func(*http.Request) string
	// RetryAfter is told with temporary refusals, in whole seconds; zero means 30 s.
	RetryAfter time.Duration

	// Idle is the longest pause inside an upload; zero means 30 s.
	Idle time.Duration
	// MinRate is the slowest upload in bytes per second over the whole of it, after Grace; zero means 16,384.
	MinRate int64
	// Grace is what every upload may take before MinRate counts; zero means 30 s.
	Grace time.Duration
	// AnswerTimeout bounds the writing of the answer; zero means 30 s.
	AnswerTimeout time.Duration

	// MaxUploads is how many uploads are read at once; zero means 128. One costs at most 300 KB beside its sink.
	MaxUploads int
	// MaxLarge is how many of them may be large; zero means 10.
	MaxLarge int
	// LargeBytes is the Content-Length from which an upload is large, as is one without; zero means 1 MiB.
	LargeBytes int64
	// Wait is how long an upload waits for its turn before it is refused with CodeBusy; zero means 20 s.
	Wait time.Duration
	// Drain is how much of a refused upload is read and thrown away, so that a sender that looks at the answer only
	// after its last byte sees the receipt; zero means 128 MiB, negative none. A sender that waits for 100 Continue is
	// answered without.
	Drain int64
}

// Statuses are HTTP statuses. Zero fields mean the defaults. A refusal is not 200 by default: a sender that looks at the
// status alone must not take it for an acceptance.
type Statuses struct {
	Accepted    int // a positive receipt; default 200
	Refused     int // a refusal that has no status of its own here; default 400
	ContentType int // CodeContentType; default 415
	TooLarge    int // CodeTooLarge; default 413
	Slow        int // CodeUploadSlow; default 408
	Unavailable int // CodeBusy, CodeUnavailable; default 503
}

// of is the status of a receipt that was refused.
func (s Statuses) of(refused *Refusal) int {
	switch refused.Code {
	case CodeContentType:
		return s.ContentType
	case CodeTooLarge:
		return s.TooLarge
	case CodeUploadSlow:
		return s.Slow
	case CodeBusy, CodeUnavailable:
		return s.Unavailable
	default:
		if refused.Temporary && refused.Code != CodeUploadCut {
			return s.Unavailable
		}
		return s.Refused
	}
}

func (c Config) withDefaults() (Config, error) {
	if err := c.complete(); err != nil {
		return c, err
	}
	orDefault(&c.Path, DefaultPath)
	orDefault(&c.Method, http.MethodPost)
	orDefault(&c.Format, FormatJSON)
	orDefault(&c.Statuses.Accepted, http.StatusOK)
	orDefault(&c.Statuses.Refused, http.StatusBadRequest)
	orDefault(&c.Statuses.ContentType, http.StatusUnsupportedMediaType)
	orDefault(&c.Statuses.TooLarge, http.StatusRequestEntityTooLarge)
	orDefault(&c.Statuses.Slow, http.StatusRequestTimeout)
	orDefault(&c.Statuses.Unavailable, http.StatusServiceUnavailable)
	orDefault(&c.RetryAfter, 30*time.Second)
	orDefault(&c.Idle, 30*time.Second)
	orDefault(&c.MinRate, 16<<10)
	orDefault(&c.Grace, 30*time.Second)
	orDefault(&c.AnswerTimeout, 30*time.Second)
	orDefault(&c.MaxUploads, 128)
	orDefault(&c.MaxLarge, 10)
	orDefault(&c.LargeBytes, 1<<20)
	orDefault(&c.Wait, 20*time.Second)
	orDefault(&c.Drain, 128<<20)
	return c, c.check()
}

func (c Config) check() error {
	if !strings.HasPrefix(c.Path, "/") {
		return errors.New("the path must begin with /")
	}
	if c.Method != http.MethodPost && c.Method != http.MethodPut {
		return errors.New("the method must be POST or PUT")
	}
	if c.Format != FormatJSON && c.Format != FormatXML {
		return errors.New("the format must be json or xml")
	}
	for _, s := range []int{
		c.Statuses.Accepted, c.Statuses.Refused, c.Statuses.ContentType, c.Statuses.TooLarge, c.Statuses.Slow, c.Statuses.Unavailable,
	} {
		if s < 200 || s > 599 || s == http.StatusNoContent || s == http.StatusNotModified {
			return errors.New("a status must be one from 200 to 599 that can carry a receipt")
		}
	}
	if min(c.RetryAfter, c.Idle, c.Grace, c.AnswerTimeout, c.Wait) < 0 || min(c.MinRate, c.LargeBytes) < 0 ||
		min(c.MaxUploads, c.MaxLarge) < 0 {
		return errors.New("a limit is negative")
	}
	return nil
}
