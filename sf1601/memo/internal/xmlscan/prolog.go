package xmlscan

import (
	"bytes"
	"strings"
)

// begin reads the byte order mark and the XML declaration; true means that there was a declaration.
func (s *Scanner) begin() (bool, error) {
	if err := s.need(len("<?xml ")); err != nil {
		return false, err
	}
	b := s.buf[:s.n]
	switch {
	case bytes.HasPrefix(b, []byte("\xEF\xBB\xBF")):
		s.BOM = true
		s.pos = 3
		s.mark.offset = 3
	case bytes.HasPrefix(b, []byte("\xFE\xFF")), bytes.HasPrefix(b, []byte("\xFF\xFE")), len(b) > 1 && (b[0] == 0 || b[1] == 0):
		return false, s.fail(0, Encoding) // UTF-16 or UTF-32
	}
	s.Offset = s.base + int64(s.pos)
	const opening = "<?xml"
	if err := s.need(len(opening) + 1); err != nil {
		return false, err
	}
	b = s.buf[s.pos:s.n]
	if len(b) <= len(opening) || string(b[:len(opening)]) != opening || !isSpace(b[len(opening)]) {
		return false, nil
	}
	end := bytes.Index(b, []byte("?>"))
	for ; end < 0 && len(b) <= s.limits.Tag; end = bytes.Index(b, []byte("?>")) {
		if s.srcErr != nil {
			return false, s.fail(s.pos, Truncated)
		}
		if err := s.need(len(b) + 1); err != nil {
			return false, err
		}
		b = s.buf[s.pos:s.n]
	}
	if end < 0 || end > s.limits.Tag {
		return false, s.fail(s.pos, TagTooLong)
	}
	encoding, reason := parseDeclaration(b[len(opening):end])
	if reason != "" {
		return false, s.fail(s.pos, reason)
	}
	s.Data = encoding
	s.pos += end + len("?>")
	s.Limit = s.base + int64(s.pos)
	return true, nil
}

// parseDeclaration reads ` version="1.0" encoding="..." standalone="..."`, of which only the first is mandatory.
func parseDeclaration(b []byte) (encoding []byte, reason Reason) {
	for i, want := range []string{"version", "encoding", "standalone"} {
		rest := bytes.TrimLeft(b, " \t\r\n")
		after, found := bytes.CutPrefix(rest, []byte(want))
		if !found || len(rest) == len(b) {
			if i == 0 {
				return nil, Syntax
			}
			continue
		}
		value, left, ok := quoted(after)
		if !ok {
			return nil, Syntax
		}
		switch want {
		case "version":
			if string(value) != "1.0" {
				return nil, Syntax
			}
		case "encoding":
			if !strings.EqualFold(string(value), "utf-8") && !strings.EqualFold(string(value), "utf8") {
				return nil, Encoding
			}
			encoding = value
		default:
			if string(value) != "yes" && string(value) != "no" {
				return nil, Syntax
			}
		}
		b = left
	}
	if len(bytes.TrimLeft(b, " \t\r\n")) > 0 {
		return nil, Syntax
	}
	return encoding, ""
}

// quoted splits ="value" from what follows.
func quoted(b []byte) (value, rest []byte, ok bool) {
	i := skipSpace(b, 0)
	if i == len(b) || b[i] != '=' {
		return nil, nil, false
	}
	if i = skipSpace(b, i+1); i == len(b) || b[i] != '"' && b[i] != '\'' {
		return nil, nil, false
	}
	value, rest, ok = bytes.Cut(b[i+1:], b[i:i+1])
	return value, rest, ok
}

// comment skips a comment of any length.
func (s *Scanner) comment() error {
	if err := s.start(); err != nil {
		return err
	}
	s.pos += len("<!--")
	if err := s.skipTo("--"); err != nil {
		return err
	}
	if err := s.need(1); err != nil {
		return err
	}
	switch {
	case s.pos == s.n:
		return s.fail(s.pos, Truncated)
	case s.buf[s.pos] != '>':
		return s.fail(s.pos, Syntax)
	}
	s.pos++
	s.Limit = s.base + int64(s.pos)
	return nil
}

// instruction skips a processing instruction of any length.
func (s *Scanner) instruction() error {
	if err := s.start(); err != nil {
		return err
	}
	if err := s.need(s.limits.Tag); err != nil {
		return err
	}
	b := s.buf[s.pos+2 : s.n]
	length := nameLength(b)
	target := b[:length]
	switch {
	case length >= s.limits.Tag, length == len(b) && s.srcErr == nil:
		return s.fail(s.pos, TagTooLong)
	case length == len(b):
		return s.fail(s.pos, Truncated)
	case length == 0, bytes.IndexByte(target, ':') >= 0, bytes.EqualFold(target, []byte("xml")),
		!isSpace(b[length]) && !bytes.HasPrefix(b[length:], []byte("?>")):
		return s.fail(s.pos, Syntax)
	}
	s.pos += 2 + length
	if err := s.skipTo("?>"); err != nil {
		return err
	}
	s.Limit = s.base + int64(s.pos)
	return nil
}

// start notes where an event begins whose end may be more than a buffer away.
func (s *Scanner) start() error {
	s.Offset = s.base + int64(s.pos)
	s.advance(s.pos)
	return s.countMore(1)
}

// countMore counts towards Limits.Elements.
func (s *Scanner) countMore(n int) error {
	if s.elements += n; s.elements > s.limits.Elements {
		return s.fail(s.pos, TooMany)
	}
	return nil
}

// skipTo skips behind the next stop, checking the characters before it.
func (s *Scanner) skipTo(stop string) error {
	for {
		b := s.buf[s.pos:s.n]
		at := bytes.Index(b, []byte(stop))
		end := at
		if at < 0 {
			if s.srcErr == nil && len(b) <= lookahead {
				if err := s.need(len(b) + 1); err != nil {
					return err
				}
				continue
			}
			if end = len(b); s.srcErr == nil {
				end -= lookahead
			}
		}
		n, err := s.legal(b, end)
		if err != nil {
			return err
		}
		if at >= 0 {
			s.pos += at + len(stop)
			return nil
		}
		s.pos += n
		if s.srcErr != nil {
			if err := s.readError(); err != nil {
				return err
			}
			return s.fail(s.n, Truncated)
		}
	}
}

// legal checks the characters of b up to end, or a little more where end cuts one; n is how far it came.
func (s *Scanner) legal(b []byte, end int) (n int, err error) {
	for {
		if n += plainLength(b[n:max(n, end)]); n >= end {
			return n, nil
		}
		k, _, reason := s.special(b[n:], false)
		if reason != "" {
			return n, s.fail(s.pos+n, reason)
		}
		n += k
	}
}
