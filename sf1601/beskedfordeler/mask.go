package beskedfordeler

import "bytes"

// MaskCredentials returns raw with the content of every
// KildesystemAkkreditiver element replaced by three asterisks, so that the
// rest can be stored or shown. raw is left as it is and need not be
// well-formed: an element that is never closed is masked to the end.
func MaskCredentials(raw []byte) []byte {
	name := []byte("KildesystemAkkreditiver")
	out := make([]byte, 0, len(raw)+8)
	for {
		at := bytes.Index(raw, name)
		if at < 0 {
			return append(out, raw...)
		}
		end := bytes.IndexByte(raw[at:], '>')
		if end < 0 {
			return append(append(out, raw[:at+len(name)]...), "***"...)
		}
		end += at + 1
		out, raw = append(out, raw[:end]...), raw[end:]
		if out[len(out)-2] == '/' {
			continue // an empty element
		}
		out = append(out, "***"...)
		again := bytes.Index(raw, name)
		if again < 0 {
			return out
		}
		from := bytes.LastIndex(raw[:again], []byte("</"))
		if from < 0 || bytes.IndexByte(raw[from:again], '>') >= 0 {
			return out // not its end tag: trust nothing after it
		}
		closing := raw[from:]
		end = bytes.IndexByte(closing, '>')
		if end < 0 {
			return out
		}
		out, raw = append(out, closing[:end+1]...), closing[end+1:]
	}
}
