package sf1606

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// receiptRoot is the root of receipts posted as XML.
var receiptRoot = xml.Name{Local: "Receipt"} //nolint:gochecknoglobals // a constant that Go cannot spell

// maxList is the most bytes of a page of ids, and maxID the longest id.
const (
	maxList = 4 << 20
	maxID   = 256
)

// ReadIDs reads a page of ids as JSON. How Digital Post writes it is not known to us (docs/divergences.md); read are a
// list, or an object with one list as memos, ids, content, elements or items, of texts or of objects with their id as
// id, memoId or messageUUID.
func ReadIDs(body io.Reader) ([]string, error) {
	b, err := io.ReadAll(io.LimitReader(body, maxList+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("page of ids: %w", err)
	case len(b) > maxList:
		return nil, errors.New("page of ids: too large")
	}
	list, err := listOf(b)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(list))
	for _, item := range list {
		var id string
		if json.Unmarshal(item, &id) != nil {
			var object struct {
				ID          string `json:"id"`
				MemoID      string `json:"memoId"`
				MessageUUID string `json:"messageUUID"`
			}
			if json.Unmarshal(item, &object) != nil {
				return nil, errors.New("page of ids: an element is neither text nor object")
			}
			id = firstOf(object.ID, object.MemoID, object.MessageUUID)
		}
		if id == "" || len(id) > maxID || id == "." || id == ".." {
			return nil, errors.New("page of ids: an element without an id")
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// listOf finds the list of a page.
func listOf(b []byte) ([]json.RawMessage, error) {
	var list []json.RawMessage
	if json.Unmarshal(b, &list) == nil {
		return list, nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(b, &object) != nil {
		return nil, errors.New("page of ids: not a JSON list or object")
	}
	found := false
	for _, name := range []string{"memos", "ids", "content", "elements", "items"} {
		value, ok := object[name]
		if !ok {
			continue
		}
		if found || json.Unmarshal(value, &list) != nil {
			return nil, errors.New("page of ids: not one list")
		}
		found = true
	}
	if !found {
		return nil, errors.New("page of ids: no list")
	}
	return list, nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
