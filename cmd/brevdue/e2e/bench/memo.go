package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// memoFigure is one line of the table that a Go benchmark of sf1601/memo measures. Each runs on one core.
type memoFigure struct {
	benchmark, figure, target string
	show                      func(r measured) (text string, met bool)
}

// measured is a benchmark's line of output.
type measured struct {
	perOp     time.Duration
	megabytes float64 // a second
	allocated int64   // bytes a run
}

func perSecond(least float64) func(measured) (string, bool) {
	return func(r measured) (string, bool) {
		n := float64(time.Second) / float64(r.perOp)
		return fmt.Sprintf("%.0f/s", n), n >= least
	}
}

func throughput(least float64) func(measured) (string, bool) {
	return func(r measured) (string, bool) {
		const most = 4 << 20 // bytes allocated
		text := fmt.Sprintf("%.0f MB/s, %d KB allocated", r.megabytes, r.allocated>>10)
		return text, r.megabytes >= least && (r.allocated <= most || least == 0)
	}
}

func hostile(r measured) (string, bool) {
	text := fmt.Sprintf("%.2f ms, %d KB allocated", float64(r.perOp)/float64(time.Millisecond), r.allocated>>10)
	return text, r.perOp <= 50*time.Millisecond && r.allocated <= 8<<20
}

func memoFigures() []memoFigure {
	return []memoFigure{
		{"Letter4KB", "f. MeMo: write a letter (4 KB, two actions), one core", "≥ 20,000/s", perSecond(20_000)},
		{"ReadLetter4KB", "   read it", "≥ 10,000/s", perSecond(10_000)},
		{"Write99MB", "   write 99.5 MB", "≥ 150 MB/s, ≤ 4 MB", throughput(150)},
		{"Write99MBEtree", "   an etree DOM writing it", "≤ half of ours", throughput(0)},
		{"Read99MB", "   read 99.5 MB", "≥ 150 MB/s, ≤ 4 MB", throughput(150)},
		{"Read99MBEtree", "   an etree DOM reading it", "≤ half of ours", throughput(0)},
		{"Hostile10MB/nested", "   10 MB of nested elements refused", "≤ 50 ms, ≤ 8 MB", hostile},
		{"Hostile10MB/attributes", "   10 MB of attributes refused", "≤ 50 ms, ≤ 8 MB", hostile},
		{"Hostile10MB/entities", "   10 MB of entities refused", "≤ 50 ms, ≤ 8 MB", hostile},
		{"Check99MB", "   check 99.5 MB", "", throughput(0)},
	}
}

// memoLibrary runs the benchmarks of the MeMo library and reads their output.
func memoLibrary(ctx context.Context, _ *bench) ([]row, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-benchmem", "-cpu", "1", "-benchtime", "1s",
		"-bench", "^Benchmark(Letter4KB|ReadLetter4KB|(Read|Write)99MB(Etree)?|Check99MB|Hostile10MB)$", "./sf1601/memo")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go test -bench: %w\n%s", err, out)
	}
	found := parseBenchmarks(out)
	rows := make([]row, 0, len(memoFigures()))
	for _, f := range memoFigures() {
		r, ok := found[f.benchmark]
		if !ok {
			return nil, fmt.Errorf("%w: %s", errNoBenchmark, f.benchmark)
		}
		text, met := f.show(r)
		rows = append(rows, row{f.figure, f.target, verdict(met, text)})
	}
	return rows, nil
}

var errNoBenchmark = errors.New("a benchmark is missing from the output")

var benchmarkLine = regexp.MustCompile(`^Benchmark(\S+)\s+\d+\s+([\d.]+) ns/op(?:\s+([\d.]+) MB/s)?.*?\s(\d+) B/op`)

// parseBenchmarks reads what go test -bench -benchmem prints.
func parseBenchmarks(out []byte) map[string]measured {
	found := make(map[string]measured)
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		m := benchmarkLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		nanoseconds, errTime := strconv.ParseFloat(m[2], 64)
		megabytes, errRate := strconv.ParseFloat("0"+m[3], 64)
		allocated, errBytes := strconv.ParseInt(m[4], 10, 64)
		if errTime == nil && errRate == nil && errBytes == nil {
			found[m[1]] = measured{perOp: time.Duration(nanoseconds), megabytes: megabytes, allocated: allocated}
		}
	}
	return found
}
