package sts

import (
	"encoding/xml"
	"errors"
	"net/http"
	"strings"
	"time"
)

// soapFault is what is read of a fault, of SOAP 1.2 and 1.1, by local names. Its
// texts are not read: they are for the far end to say and may hold anything.
type soapFault struct {
	XMLName xml.Name `xml:"Envelope"`
	Fault   *struct {
		Code struct {
			Value   string `xml:"Value"`
			Subcode struct {
				Value string `xml:"Value"`
			} `xml:"Subcode"`
		} `xml:"Code"`
		FaultCode string `xml:"faultcode"`
	} `xml:"Body>Fault"`
}

// sides says what the code of a fault means. [src: SOAP-1.2 part 1, 5.4.6]
func sides(code string) (denied, known bool) {
	switch code {
	case "Sender", "Client", "VersionMismatch", "MustUnderstand", "DataEncodingUnknown":
		return true, true
	case "Receiver", "Server":
		return false, true
	}
	return false, false
}

// subcodeHint is what an operator can do about a subcode of WS-Trust or
// WS-Security; "" for one that is not theirs.
// [src: WS-TRUST section 11] [src: WS-SECURITY section 12]
func subcodeHint(subcode string) string {
	switch subcode {
	case "FailedAuthentication", "SecurityTokenUnavailable", "InvalidSecurityToken", "UnsupportedSecurityToken":
		return refusalHint(OpIssue, http.StatusForbidden)
	case "InvalidScope", "InvalidRequest", "BadRequest", "RequestFailed", "AuthenticationBadElements", "UnsupportedClaimsDialect":
		return refusalHint(OpIssue, http.StatusBadRequest)
	case "ExpiredData", "InvalidTimeRange", "MessageExpired":
		return "The STS finds our request out of its time: is the clock right?"
	case "FailedCheck", "InvalidSecurity", "UnsupportedAlgorithm":
		return "The STS refuses the request's signature: is it the certificate uploaded on the Anvendersystem? " +
			"Otherwise ask it by rest (serviceplatformen.sts)."
	}
	return ""
}

// readFault gives the error a SOAP fault means, nil when the answer is none.
// The sender's fault is a refusal, the receiver's passes; a status that says
// itself to come again passes, too.
func readFault(res *response, now time.Time) *Error {
	var got soapFault
	_ = xml.Unmarshal(res.body, &got) // what is no fault has none; its status speaks
	if got.Fault == nil {
		return nil
	}
	code := localPart(got.Fault.Code.Value)
	if code == "" {
		code = localPart(got.Fault.FaultCode)
	}
	e := &Error{
		Op: OpIssue, HTTPStatus: res.status, RetryAfter: RetryAfter(res.header.Get("Retry-After"), now),
		Err: errors.New("the STS answered with a fault"),
	}
	denied, known := sides(code)
	if !known {
		denied = !passing(res.status)
	} else {
		// Only names that are known are repeated.
		subcode := localPart(got.Fault.Code.Subcode.Value)
		if e.Hint = subcodeHint(subcode); e.Hint != "" {
			code += "/" + subcode
		}
		e.Err = errors.New("the STS answered with a fault: " + code)
	}
	e.Denied = denied && res.status != http.StatusTooManyRequests && res.status != http.StatusServiceUnavailable
	switch {
	case !e.Denied:
		e.Hint = ""
	case e.Hint == "":
		e.Hint = refusalHint(OpIssue, http.StatusBadRequest)
	}
	return e
}

// localPart is a QName without its prefix.
func localPart(qname string) string {
	qname = strings.TrimSpace(qname)
	return qname[strings.LastIndexByte(qname, ':')+1:]
}
