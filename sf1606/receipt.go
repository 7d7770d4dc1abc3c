package sf1606

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// ReceiptStatus is the receiptStatus of a receipt. [src: NGDP-OPENAPI Receipt]
type ReceiptStatus string

// The four statuses. This package answers COMPLETED and INVALID.
const (
	StatusReceived   ReceiptStatus = "RECEIVED"
	StatusCompleted  ReceiptStatus = "COMPLETED"
	StatusInvalid    ReceiptStatus = "INVALID"
	StatusNotAllowed ReceiptStatus = "NOT_ALLOWED"
)

// Receipt is the answer to a message, in the shape of Digital Post's own. An empty text is null in JSON and an absent
// element in XML: a positive receipt has no errorCode at all, never "0". [src: NGDP-OPENAPI Receipt; NGDP-ERRORCODE-NEWS]
type Receipt struct {
	TransmissionID string
	MessageUUID    string // as the message wrote it; empty when it could not be read
	MessageID      string
	ErrorCode      string // empty in a positive receipt
	ErrorMessage   string
	TimeStamp      time.Time // UTC, in whole milliseconds
	Status         ReceiptStatus
}

// Positive tells whether the message was accepted: no errorCode, and received or completed.
func (r Receipt) Positive() bool {
	return strings.TrimSpace(r.ErrorCode) == "" && (r.Status == StatusCompleted || r.Status == StatusReceived)
}

// Format is how a receipt is written.
type Format string

// The two formats.
const (
	FormatJSON Format = "json"
	FormatXML  Format = "xml"
)

// MediaType is the Content-Type of a receipt in the format.
func (f Format) MediaType() string {
	if f == FormatXML {
		return "application/xml; charset=utf-8"
	}
	return "application/json"
}

// timeLayout is the timeStamp: UTC with Z, in milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

// wireReceipt is a receipt as it is written and read; nil is null or absent.
type wireReceipt struct {
	TransmissionID *string `json:"transmissionId" xml:"transmissionId,omitempty"`
	MessageUUID    *string `json:"messageUUID" xml:"messageUUID,omitempty"`
	MessageID      *string `json:"messageId" xml:"messageId,omitempty"`
	ErrorCode      *string `json:"errorCode" xml:"errorCode,omitempty"`
	ErrorMessage   *string `json:"errorMessage" xml:"errorMessage,omitempty"`
	TimeStamp      *string `json:"timeStamp" xml:"timeStamp,omitempty"`
	ReceiptStatus  *string `json:"receiptStatus" xml:"receiptStatus,omitempty"`
}

func (r Receipt) wire() wireReceipt {
	text := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	w := wireReceipt{
		TransmissionID: text(r.TransmissionID), MessageUUID: text(r.MessageUUID), MessageID: text(r.MessageID),
		ErrorCode: text(r.ErrorCode), ErrorMessage: text(r.ErrorMessage), ReceiptStatus: text(string(r.Status)),
	}
	if !r.TimeStamp.IsZero() {
		w.TimeStamp = text(r.TimeStamp.UTC().Format(timeLayout))
	}
	return w
}

// MarshalJSON writes the seven properties; empty ones are null.
func (r Receipt) MarshalJSON() ([]byte, error) {
	b, err := json.Marshal(r.wire())
	if err != nil {
		return nil, fmt.Errorf("sf1606: receipt: %w", err)
	}
	return b, nil
}

// UnmarshalJSON reads what MarshalJSON and Digital Post write.
func (r *Receipt) UnmarshalJSON(b []byte) error {
	var w wireReceipt
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("sf1606: receipt: %w", err)
	}
	read, err := w.receipt()
	*r = read
	return err
}

// Encode writes the receipt in a format. root names the root element of XML; empty means Receipt.
func (r Receipt) Encode(f Format, root xml.Name) ([]byte, error) {
	if f != FormatXML {
		return r.MarshalJSON()
	}
	if root.Local == "" {
		root.Local = "Receipt"
	}
	b := bytes.NewBufferString(xml.Header)
	if err := xml.NewEncoder(b).EncodeElement(r.wire(), xml.StartElement{Name: root}); err != nil {
		return nil, fmt.Errorf("sf1606: receipt: %w", err)
	}
	return b.Bytes(), nil
}

// maxReceipt is the most bytes of a receipt that are read.
const maxReceipt = 64 << 10

// ParseReceipt reads a receipt in JSON or XML, whichever it is. Any root name and namespace will do, properties in any
// order; a blank text counts as none. Without a receiptStatus, or with one of another name, it is an error.
func ParseReceipt(b []byte) (Receipt, error) {
	var r Receipt
	if len(b) > maxReceipt {
		return r, errors.New("sf1606: receipt: larger than 64 KiB")
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return r, errors.New("sf1606: receipt: empty")
	}
	if b[0] != '<' {
		err := r.UnmarshalJSON(b)
		return r, err
	}
	w, err := parseXML(b)
	if err != nil {
		return r, fmt.Errorf("sf1606: receipt: %w", err)
	}
	return w.receipt()
}

// parseXML reads the children of the root by their local names.
func parseXML(b []byte) (wireReceipt, error) {
	var w wireReceipt
	d := xml.NewDecoder(bytes.NewReader(b))
	places := map[string]**string{
		"transmissionId": &w.TransmissionID, "messageUUID": &w.MessageUUID, "messageId": &w.MessageID,
		"errorCode": &w.ErrorCode, "errorMessage": &w.ErrorMessage, "timeStamp": &w.TimeStamp, "receiptStatus": &w.ReceiptStatus,
	}
	depth, roots := 0, 0
	for {
		token, err := d.Token()
		switch t := token.(type) {
		case xml.Directive:
			return w, errors.New("a document type declaration")
		case xml.StartElement:
			place := places[t.Name.Local]
			if depth == 0 {
				roots++
			}
			if depth != 1 || place == nil {
				depth++
				continue
			}
			var text string
			if err := d.DecodeElement(&text, &t); err != nil {
				return w, fmt.Errorf("not well-formed: %w", err)
			}
			if *place != nil {
				return w, errors.New("a property twice")
			}
			*place = &text
		case xml.EndElement:
			depth--
		}
		switch {
		case errors.Is(err, io.EOF) && roots == 1:
			return w, nil
		case err != nil || roots > 1:
			return w, errors.New("not one well-formed XML document")
		}
	}
}

// receipt checks and converts what was read.
func (w wireReceipt) receipt() (Receipt, error) {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return strings.TrimSpace(*s)
	}
	r := Receipt{
		TransmissionID: text(w.TransmissionID), MessageUUID: text(w.MessageUUID), MessageID: text(w.MessageID),
		ErrorCode: text(w.ErrorCode), ErrorMessage: text(w.ErrorMessage), Status: ReceiptStatus(text(w.ReceiptStatus)),
	}
	switch r.Status {
	case StatusReceived, StatusCompleted, StatusInvalid, StatusNotAllowed:
	default:
		return r, errors.New("sf1606: receipt: no known receiptStatus")
	}
	if s := text(w.TimeStamp); s != "" {
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return r, errors.New("sf1606: receipt: timeStamp is no time")
		}
		r.TimeStamp = t.UTC().Truncate(time.Millisecond)
	}
	return r, nil
}
