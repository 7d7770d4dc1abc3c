package httpapi

import (
	"errors"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decode reads a T from a body of JSON. Its errors are *Problem: they say where and what was expected, and never repeat
// a value.
func decode[T any](body []byte) (*T, error) {
	if err := fewEnough(body); err != nil {
		return nil, err
	}
	in := new(T)
	if err := json.Unmarshal(body, in, json.RejectUnknownMembers(true)); err != nil {
		return nil, decodeProblem(err)
	}
	return in, nil
}

func decodeProblem(err error) *Problem {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			const detail = "The object has this member twice."
			return newProblem(codeDuplicate, detail, Finding{shortPointer(syntax.JSONPointer), codeDuplicate, detail})
		}
		detail := "It is not valid JSON (RFC 8259, UTF-8) at or after byte " + strconv.FormatInt(syntax.ByteOffset, 10) + "."
		return newProblem(codeJSON, detail, Finding{shortPointer(syntax.JSONPointer), codeJSON, detail})
	}
	semantic, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return newProblem(codeJSON, "It cannot be read.", Finding{"", codeJSON, "It cannot be read."}).because(err)
	}
	pointer := shortPointer(semantic.JSONPointer)
	if errors.Is(semantic.Err, json.ErrUnknownName) {
		detail := "There is no member of the name " + strconv.Quote(lastToken(pointer)) + " here. Names are case-sensitive."
		return newProblem(codeUnknownField, detail, Finding{pointer, codeUnknownField, detail})
	}
	detail := "Expected " + expected(semantic.GoType) + "."
	return newProblem(codeJSONType, detail, Finding{pointer, codeJSONType, detail})
}

// shortPointer bounds what the names in the body can make of an answer.
func shortPointer(p jsontext.Pointer) string {
	s := string(p)
	if len(s) > maxPointerInAnswer {
		s = strings.ToValidUTF8(s[:maxPointerInAnswer], "") + "..."
	}
	return s
}

func lastToken(pointer string) string { return jsontext.Pointer(pointer).LastToken() }

// expected names a Go type as a person who writes JSON would.
func expected(t reflect.Type) string {
	if t == nil {
		return "another type"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Struct:
		if t == reflect.TypeFor[Base64]() {
			return "a string"
		}
		return "an object"
	default:
		return "another type"
	}
}

// isJSON demands application/json. A body without a media type is taken for it.
func isJSON(r *http.Request) error {
	const detail = "Send application/json in UTF-8 without Content-Encoding."
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return newProblem(codeMediaType, detail)
	}
	header := r.Header.Get("Content-Type")
	if header == "application/json" || header == "" {
		return nil
	}
	media, params, err := mime.ParseMediaType(header)
	if err != nil || media != "application/json" || (params["charset"] != "" && !strings.EqualFold(params["charset"], "utf-8")) {
		return newProblem(codeMediaType, detail)
	}
	return nil
}

// accepts reports whether the answer may be of a media type "application/...".
func accepts(r *http.Request, want string) bool {
	values := r.Header["Accept"]
	if len(values) == 0 {
		return true
	}
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			media, params, _ := strings.Cut(part, ";")
			switch strings.ToLower(strings.TrimSpace(media)) {
			case "*/*", "application/*", want, "application/problem+json", "":
				if q := strings.ReplaceAll(params, " ", ""); q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000" {
					return true
				}
			}
		}
	}
	return false
}
