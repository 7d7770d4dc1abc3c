package evidence

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/brevdue/brevdue/gateway/evidence/asice"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// Trust says whose signatures are believed: roots of the certificates of containers and manifests.
type Trust = asice.Trust

// Verify checks a container of the given length: structure, signature, chain, digests, and then that its files tell one
// story about one letter. A file that is no container, or was changed, gives a report that is not OK; the error is one of
// reading or of ctx alone. Nothing is unpacked, and memory is bounded whatever the file says.
func Verify(ctx context.Context, r io.ReaderAt, size int64, trust Trust) (*Report, error) {
	report := new(Report)
	c, err := asice.Open(r, size)
	switch {
	case errors.Is(err, asice.ErrMalformed):
		report.Checks = []Check{{Rule: asice.RuleStructure, File: asice.Structure, Text: err.Error()}}
		return report, nil
	case err != nil:
		return nil, fmt.Errorf("evidence: %w", err)
	}
	checks, signed, err := c.Verify(ctx, trust)
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	report.Checks = checks
	if signed == nil {
		return report, nil // nobody says anything
	}
	report.SignedAt, report.Signer = signed.At, printable(signed.Chain[0].Subject.String())
	x := examination{ctx: ctx, c: c, signed: signed, trust: trust, report: report}
	if err := x.story(); err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	return report, nil
}

// examination looks at what the files of one container say.
type examination struct {
	ctx    context.Context //nolint:containedctx // of one call of Verify
	c      *asice.Container
	signed *asice.Signed
	trust  Trust
	report *Report
	t      *timeline
}

// note adds a check; wrong is why it does not hold. A file that is there and was changed has failed for that already. A
// file name that only the timeline has, and no container could, is shown as the timeline's.
func (x *examination) note(rule Rule, file string, wrong error, good string) {
	if errors.Is(wrong, errNotThere) && slices.Contains(x.c.Names(), file) {
		return
	}
	if asice.CheckName(file) != nil {
		file = nameTimeline
	}
	check := Check{Rule: rule, File: file, Passed: wrong == nil, Text: good}
	if wrong != nil {
		check.Text = printable(wrong.Error())
	}
	x.report.Checks = append(x.report.Checks, check)
}

// printable keeps what a stranger wrote from doing something to the terminal that shows it.
func printable(text string) string {
	const most = 500
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return unicode.ReplacementChar
	}, text[:min(len(text), most)])
}

var (
	errNotThere = errors.New("the timeline names it, and it is not in the container as it was signed")
	errLarge    = errors.New("it is larger than such a file may be")
)

// read gives a file that is as it was signed. wrong says why there is none; err is one of reading.
func (x *examination) read(name string, limit int64) (content []byte, wrong, err error) {
	if _, good := x.signed.Digests[name]; !good {
		return nil, errNotThere, nil
	}
	content, err = x.c.Read(name, limit)
	if errors.Is(err, asice.ErrTooLarge) {
		return nil, errLarge, nil
	}
	return content, nil, err
}

// story compares the timeline with every file it names.
func (x *examination) story() error {
	record, wrong, err := x.read(nameTimeline, maxTimeline)
	if err != nil {
		return err
	}
	if wrong == nil {
		x.t, wrong = readTimeline(record)
	}
	if wrong == nil {
		wrong = x.names()
	}
	x.note(RuleTimeline, nameTimeline, wrong, "it can be read, and names the files of the container")
	if x.t == nil {
		return nil
	}
	x.report.MessageID, x.report.MessageUUID = printable(x.t.Message.ID), printable(x.t.Message.MessageUUID)
	for _, step := range []func() error{x.attempts, x.manifests, x.request, x.receipts} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// names compares the files that the timeline tells of with those that are there.
func (x *examination) names() error {
	told := make([]string, 0, len(x.t.Files))
	for _, f := range x.t.Files {
		told = append(told, f.Name)
	}
	there := x.c.Names()
	slices.Sort(told)
	slices.Sort(there)
	if !slices.Equal(told, there) {
		return errors.New("the files that it names are not those of the container")
	}
	return nil
}

// receipts reads every receipt again, and finds the availability time in them.
func (x *examination) receipts() error {
	var all []told
	for i := range x.t.Receipts {
		r := &x.t.Receipts[i]
		if r.File == "" {
			continue // it came without bytes
		}
		raw, wrong, err := x.read(r.File, maxReceipt)
		if err != nil {
			return err
		}
		var good string
		if wrong == nil {
			all, good, wrong = x.receipt(all, r, raw)
		}
		x.note(RuleReceipt, r.File, wrong, good)
	}
	found, claimed := delivered(all), x.t.Delivered
	switch {
	case found == nil && claimed == nil:
		x.note(RuleDelivery, nameTimeline, nil, "no receipt tells of delivery, and the timeline claims none")
	case claimed == nil:
		x.note(RuleDelivery, nameTimeline, errors.New("it claims no delivery, and "+found.file+" tells of one"), "")
	case found == nil:
		x.note(RuleDelivery, nameTimeline, errors.New("it claims a delivery that no receipt tells of"), "")
	case found.file != claimed.Receipt || string(found.kind) != claimed.Kind || !found.at.Equal(claimed.At.time()):
		x.note(RuleDelivery, nameTimeline, errors.New("its time of delivery is not that of "+found.file), "")
	default:
		x.report.Delivered, x.report.Posted = found.at, found.kind == beskedfordeler.KindPostDanmark
		x.note(RuleDelivery, found.file, nil, "the time of delivery is the one it tells")
	}
	return x.page(found)
}

// page looks whether the page for people is headed by the same fact.
func (x *examination) page(found *told) error {
	content, wrong, err := x.read(namePage, maxPage)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		return fmt.Errorf("zone of the page: %w", err)
	}
	if wrong == nil {
		_, heading, _ := strings.Cut(string(content), "<h1>")
		heading, _, _ = strings.Cut(heading, "</h1>")
		if found == nil && strings.HasPrefix(heading, headDelivered) ||
			found != nil && !strings.HasSuffix(heading, teller{zone}.danish(found.at)) {
			wrong = errors.New("its heading tells something else of the delivery than the receipts")
		}
	}
	x.note(RuleDelivery, namePage, wrong, "its heading tells of the delivery what the receipts tell")
	return nil
}
