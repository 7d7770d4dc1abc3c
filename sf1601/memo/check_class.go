package memo

import (
	"regexp"
	"strings"
)

// messageAttributes reads the version, by which everything below is judged, and checks the attributes of the Message.
// [src: MEMO-1.1-XSD Message; MEMO-1.2-NEWS]
func (i *inspector) messageAttributes(n *node) {
	var version, schema *attribute
	for _, a := range i.s.Attrs {
		x := &attribute{value: string(trimSpace(a.Value)), at: i.here(a.Offset)}
		switch {
		case a.Space == "" && string(a.Local) == "memoVersion":
			version = x
		case a.Space == "" && string(a.Local) == "memoSchVersion":
			schema = x
		case !allowedAttribute(a.Space, a.Local):
			i.find(SeverityError, RuleAttribute, "", x.at, "The element has no such attribute.", sourceXSD+"Message")
		}
	}
	i.version = V1_1
	switch {
	case version == nil:
		i.find(SeverityError, RuleRequired, "memoVersion", n.at, "The version must be given; it is checked as 1.1.", sourceXSD+"Message")
		return
	case !decimal.MatchString(version.value):
		i.find(SeverityError, RuleVersion, "memoVersion", version.at, "The version must be a decimal number; it is checked as 1.1.",
			sourceXSD+"Message")
		return
	}
	i.report.Version = parseVersion(version.value)
	if i.report.Version == "" {
		i.find(SeverityError, RuleVersion, "memoVersion", version.at, "The version must be 1.1 or 1.2; it is checked as 1.1.", source12)
		return
	}
	i.version = i.report.Version
	i.schemaAttribute(n, schema)
}

// attribute is one of the Message.
type attribute struct {
	value string
	at    place
}

// decimal is xs:decimal.
var decimal = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$`)

// schemaAttribute: memoSchVersion is asked for in 1.1 and gone in 1.2.
func (i *inspector) schemaAttribute(n *node, schema *attribute) {
	const name = "memoSchVersion"
	switch {
	case i.version == V1_1 && schema == nil:
		const detail = "A 1.1 message must have the attribute memoSchVersion."
		i.insert += ` memoSchVersion="` + schemaVersion + `"`
		i.fixable(SeverityError, RuleRequired, name, n.at, detail, sourceXSD+"Message", "The attribute was added.")
	case i.version == V1_1 && schema.value != schemaVersion:
		i.find(SeverityNote, RuleVersion, name, schema.at, "A 1.1 message usually has 1.1.0 here.", "MEMO-1.1-EXAMPLES")
	case i.version == V1_2 && schema != nil:
		e := edit{}
		if i.fixer != nil {
			e = i.fixer.attribute(schema.at.offset, i.s.Limit)
		}
		i.fixable(SeverityError, RuleVersion, name, schema.at, "A 1.2 message has no attribute memoSchVersion.", source12,
			"The attribute was removed.", e)
	}
}

// headerRules keeps what the Message is judged by.
func (i *inspector) headerRules(n *node) {
	i.header.messageType, _ = n.hold("messageType")
	i.header.notification, _ = n.hold("notification")
}

// messageRules: a letter has a body, a NemSMS has none and has a notification, which is its text.
func (i *inspector) messageRules(n *node) {
	switch bodies := n.count("MessageBody"); MessageType(i.header.messageType.value) {
	case DigitalPost:
		if bodies == 0 {
			i.find(SeverityError, RuleRequired, "MessageBody", n.at, "A message of type DIGITALPOST must have a body.", sourceClients)
		}
	case NemSMS:
		if bodies > 0 {
			i.find(SeverityError, RuleForbidden, "MessageBody", i.body, "A message of type NEMSMS has no body.", sourceClients)
		}
		if strings.TrimSpace(i.header.notification.value) == "" {
			i.find(SeverityError, RuleRequired, "MessageHeader/notification", i.header.messageType.at,
				"The notification is the text of a NEMSMS and must not be empty.", sourceClients)
		}
	}
}

// partyRules: CPR has 10 digits, CVR 8; a sender uses no other type. [src: NGDP-OPENAPI Recipient]
func (i *inspector) partyRules(n *node) {
	idType, ok := n.hold("idType")
	if !ok || strings.TrimSpace(idType.value) == "" {
		return
	}
	for _, name := range []string{"senderID", "recipientID", "representativeID"} {
		id, ok := n.hold(name)
		if !ok || strings.TrimSpace(id.value) == "" {
			continue
		}
		switch IDType(idType.value) {
		case CPR:
			i.digits(id.at, id.value, name, 10)
		case CVR:
			i.digits(id.at, id.value, name, 8)
		}
	}
	if t := IDType(idType.value); t != CPR && t != CVR {
		i.find(SeverityWarning, RuleCode, "idType", idType.at, "The type must be CPR or CVR.", sourceParty)
	}
}

// addressRules: one form of address is enough, as a comment in the official 1.1 example says.
func (i *inspector) addressRules(n *node) {
	if n.count("Address") > 0 && n.count("UnstructuredAddress") > 0 {
		i.find(SeverityWarning, RuleOneAddress, "", n.at, "Either Address or UnstructuredAddress may be given, not both.", sourceFull)
	}
}

// actionRules: Reservation or EntryPoint, never both; a known code; AFTALE has a Reservation, every other an EntryPoint.
// [src: MEMO-1.1-XSD Action; SP-CLIENTS os2forms]
func (i *inspector) actionRules(n *node) {
	i.timeOrderRule(n)
	reservation, entry := n.count("Reservation") > 0, n.count("EntryPoint") > 0
	code, given := n.hold("actionCode")
	given = given && strings.TrimSpace(code.value) != ""
	switch action := ActionCode(code.value); {
	case reservation && entry:
		i.find(SeverityError, RuleActionTarget, "", n.at, "An action has a Reservation or an EntryPoint, never both.", sourceXSD+"Action")
	case !given:
	case !action.known():
		i.find(SeverityWarning, RuleCode, "actionCode", code.at, "The code is none of the eight that Digital Post is known to have.",
			sourceITK)
	case action == ActionAftale && !reservation:
		i.find(SeverityWarning, RuleActionTarget, "", n.at, "An AFTALE must have a Reservation.", sourceOS2Forms)
	case action != ActionAftale && !entry:
		i.find(SeverityWarning, RuleActionTarget, "", n.at, "Every action but AFTALE must have an EntryPoint.", sourceOS2Forms)
	}
}

// timeOrderRule: an end before its start is a warning only, because the official full example has one.
func (i *inspector) timeOrderRule(n *node) {
	var c checker
	c.order(n.timeOf("startDateTime"), n.timeOf("endDateTime"))
	for _, f := range c.findings {
		v, _ := n.hold(f.Path)
		i.find(SeverityWarning, RuleTimeOrder, f.Path, v.at, f.Detail, sourceFull)
	}
}

// kombiRules: what KombiValgKode asks for must be there. [src: SP-CLIENTS]
func (i *inspector) kombiRules(n *node) {
	valg, ok := n.hold("KombiValgKode")
	if !ok || strings.TrimSpace(valg.value) == "" {
		return
	}
	sms := MessageType(i.header.messageType.value) == NemSMS
	switch code := strings.TrimSpace(valg.value); {
	case code != "Digital Post" && code != "NemSMS" && code != "Fysisk Post" && code != "Automatisk Valg":
		i.find(SeverityWarning, RuleCode, "KombiValgKode", valg.at, "The code is none of the four that are known.", sourceClients)
	case code != "Fysisk Post" && n.count("Message") == 0:
		i.find(SeverityWarning, RuleRequired, "", n.at, "The request must have a Message, as KombiValgKode is not Fysisk Post.",
			sourceClients)
	case n.count("Message") > 0 && sms != (code == "NemSMS"):
		i.find(SeverityWarning, RuleCode, "KombiValgKode", valg.at, "The code and the type of the message do not fit.", sourceClients)
	}
}

// ended checks the file as a whole.
func (i *inspector) ended() {
	if i.report.Size > MaxSize {
		i.find(SeverityError, RuleSize, "", i.message, "Digital Post takes at most 99,500,000 bytes.", sourceSize)
	}
}
