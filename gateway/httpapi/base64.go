package httpapi

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Base64 is a document's bytes, a string of standard base64 with padding (RFC 4648, section 4) in JSON.
//
// A string that is no base64 is kept as Invalid instead of failing the whole body, so that it can be told together with
// everything else that is wrong.
type Base64 struct { //nolint:recvcheck // reading needs a pointer, writing a value
	Bytes   []byte
	Invalid bool
}

// IsZero reports whether there is neither content nor a mistake.
func (b Base64) IsZero() bool { return len(b.Bytes) == 0 && !b.Invalid }

// MarshalJSONTo writes the bytes as base64.
func (b Base64) MarshalJSONTo(enc *jsontext.Encoder) error {
	buf := make([]byte, 0, base64.StdEncoding.EncodedLen(len(b.Bytes))+2)
	buf = append(buf, '"')
	buf = base64.StdEncoding.AppendEncode(buf, b.Bytes)
	if err := enc.WriteValue(append(buf, '"')); err != nil {
		return fmt.Errorf("write base64: %w", err)
	}
	return nil
}

// UnmarshalJSONFrom reads a string (or null) of base64.
func (b *Base64) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*b = Base64{}
	value, err := dec.ReadValue()
	if err != nil {
		return err //nolint:wrapcheck // the caller needs the *jsontext.SyntacticError as it is
	}
	switch value.Kind() {
	case 'n':
		return nil
	case '"':
	default:
		return &json.SemanticError{JSONKind: value.Kind(), GoType: reflect.TypeFor[string]()}
	}
	text := []byte(value[1 : len(value)-1])
	if bytes.IndexByte(text, '\\') >= 0 { // PHP writes "/" as "\/"
		if text, err = jsontext.AppendUnquote(nil, value); err != nil {
			return err //nolint:wrapcheck // as above
		}
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(out, text)
	if b.Invalid = err != nil; !b.Invalid {
		b.Bytes = out[:n]
	}
	return nil
}
