package smtp_test

import (
	"bufio"
	"net"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway"
)

// BenchmarkSend hands letters over one kept connection to a server on this machine that does nothing with them.
func BenchmarkSend(b *testing.B) {
	for name, size := range map[string]int{"text": 0, "100kB": 100_000, "5MB": 5_000_000} {
		b.Run(name, func(b *testing.B) {
			var documents [][]byte
			if size > 0 {
				documents = append(documents, pdf(size))
			}
			c := smtp.New(smtp.Config{Server: sink(b)})
			defer c.Close()
			l := newLetter(b, "nancy@testby.example", documents...)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if o := c.Send(b.Context(), l); o.Class != gateway.Accept {
					b.Fatal(o.Err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "letters/s")
		})
	}
}

// sink is a server that takes everything.
func sink(b *testing.B) smtp.Server {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a local port
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go swallow(conn)
		}
	}()
	return smtp.Server{Host: "127.0.0.1", Port: portOf(b, l), TLS: smtp.TLSNone, Letters: 1 << 30}
}

func swallow(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	r := bufio.NewReaderSize(conn, 64<<10)
	answer := "220 mx\r\n"
	for content := false; ; {
		if answer != "" {
			if _, err := conn.Write([]byte(answer)); err != nil {
				return
			}
		}
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		switch {
		case content && string(line) != ".\r\n":
			answer = ""
		case strings.HasPrefix(string(line), "DATA"):
			content, answer = true, "354 go\r\n"
		default:
			content, answer = false, "250 ok\r\n"
		}
	}
}
