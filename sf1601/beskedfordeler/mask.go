package beskedfordeler

import "bytes"

// MaskCredentials returns raw with the content of every
// KildesystemAkkreditiver element replaced by three asterisks, so that the
// rest can be stored or shown. raw is left as it is and need not be
// well-formed: a start tag that is never closed masks to the end.
func MaskCredentials(raw []byte) []byte {
	const name = "KildesystemAkkreditiver"
	var out []byte
	for {
		at := bytes.Index(raw, []byte(name))
		if at < 0 {
			return append(out, raw...)
		}
		end := bytes.IndexByte(raw[at:], '>')
		if end < 0 {
			return append(append(out, raw[:at+len(name)]...), "***"...)
		}
		end += at + 1
		out = append(out, raw[:end]...)
		raw = raw[end:]
		if out[len(out)-2] == '/' {
			continue // an empty element
		}
		closing := bytes.Index(raw, []byte("</"))
		if closing < 0 {
			return append(out, "***"...)
		}
		out = append(out, "***"...)
		raw = raw[closing:]
		after := bytes.IndexByte(raw, '>')
		if after < 0 {
			return append(out, "***"...)
		}
		out = append(out, raw[:after+1]...)
		raw = raw[after+1:]
	}
}
