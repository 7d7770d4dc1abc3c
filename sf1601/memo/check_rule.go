package memo

import "github.com/brevdue/brevdue/sf1601/memo/internal/xmlscan"

// The rules that only Check and Fix have; they share the others with Validate.
const (
	// RuleXML starts the rules about XML itself; a reason follows as in ReadReason, such as xml.truncated.
	RuleXML Rule = "xml."

	RuleRoot         Rule = "root"          // the root is neither memo:Message nor kombi_request
	RuleOrder        Rule = "order"         // an element stands behind one that must follow it
	RuleUnknown      Rule = "unknown"       // an element that its class or property does not have
	RuleAttribute    Rule = "attribute"     // an attribute that its class or property does not have
	RuleStrayText    Rule = "text"          // text between the elements of a class
	RuleNamespace    Rule = "namespace"     // an element of the model in another namespace, or in none
	RulePrefix       Rule = "prefix"        // not the literal prefix of the namespace
	RuleBoolean      Rule = "boolean"       // not true or false
	RuleTime         Rule = "time"          // no date and time, or one without a zone
	RuleTimeUTC      Rule = "time.utc"      // a time with an offset instead of Z
	RuleTimeFraction Rule = "time.fraction" // parts of a second
	RuleBase64       Rule = "base64"        // not base64
	RuleEmpty        Rule = "empty"         // an element with nothing in it
	RuleUUIDCase     Rule = "uuid4.case"    // capital letters in a UUID
	RuleEncoding     Rule = "encoding"      // an encoding label that not every parser knows
	RuleBOM          Rule = "bom"           // a byte order mark
	RuleSignature    Rule = "signature"     // a signature that no longer fits
)

// Where the rules of a check come from, as docs/sources.txt names them.
const (
	sourceXSD        = "MEMO-1.1-XSD "
	sourceXSDTypes   = "MEMO-1.1-XSD dataTypes, "
	source12         = "MEMO-1.2-NEWS"
	sourceXML        = "XML-1.0"
	sourceValidation = "MEMO-VALIDATION-NEWS"
	sourceSize       = "SF1601-OVERVIEW"
	sourceFull       = "MEMO-1.1-EXAMPLES full"
	sourceClients    = "SP-CLIENTS"
	sourceITK        = "SP-CLIENTS itk-dev/serviceplatformen"
	sourcePython     = "SP-CLIENTS python-serviceplatformen"
	sourceOS2Forms   = "SP-CLIENTS os2forms"
	sourceAPI        = "NGDP-OPENAPI Document"
	sourceParty      = "NGDP-OPENAPI Recipient"
)

// xmlDetail says what ends reading.
func xmlDetail(reason xmlscan.Reason) string {
	switch reason {
	case xmlscan.Syntax:
		return "The file is not well-formed XML from here on."
	case xmlscan.TagMismatch:
		return "The end tag does not match the start tag of the element that is open."
	case xmlscan.Character:
		return "XML does not allow this character."
	case xmlscan.Encoding:
		return "The file is not in UTF-8, or declares another encoding."
	case xmlscan.Prefix:
		return "The prefix is not declared, or its declaration is not allowed."
	case xmlscan.Attribute:
		return "The attribute stands twice."
	case xmlscan.DTD:
		return "A document type declaration is refused."
	case xmlscan.Entity:
		return "The reference is to no character and to no entity that XML predefines."
	case xmlscan.Truncated:
		return "The file ends before its elements do."
	case xmlscan.Trailing:
		return "Text stands after the root element."
	case xmlscan.SecondRoot:
		return "A second root element begins here."
	case xmlscan.TooLarge, xmlscan.TooDeep, xmlscan.TooMany, xmlscan.TagTooLong:
		return "The file is larger, deeper or longer than can be checked; what follows was not read."
	case xmlscan.Unreadable:
		return "The file cannot be read."
	default:
		return "The file cannot be read from here on."
	}
}
