package sf1606

// Codes of refusals. The first is Digital Post's own; those that begin with brevdue are ours, because the standard
// publishes none for a receiver (docs/divergences.md). Digital Post's codes are an open set of words with dots.
const (
	CodeMemoInvalid = "memo.invalid"           // the XML is not a MeMo that can be read
	CodeContentType = "brevdue.content.type"   // the content type, charset or encoding of the request
	CodeTooLarge    = "brevdue.too.large"      // more bytes than Intake.MaxBytes
	CodeUploadCut   = "brevdue.upload.cut"     // the upload ended before its end
	CodeUploadSlow  = "brevdue.upload.slow"    // the upload stood still, or was slower than Config.MinRate
	CodeRecipient   = "brevdue.recipient"      // the recipient is none of Intake.Authorities
	CodeMessageUUID = "brevdue.message.uuid"   // no messageUUID, or one that is no UUID
	CodeBusy        = "brevdue.busy"           // too many uploads at a time
	CodeUnavailable = "brevdue.unavailable"    // the message could not be stored now
	CodeQuarantine  = "brevdue.quarantine"     // for sinks: kept, but not delivered
	CodeNotAllowed  = "brevdue.policy.refused" // for sinks: refused by a rule of the receiver
)

// CodeInfo is one row of the table of codes.
type CodeInfo struct {
	Code      string
	Text      string // the public sentence; a place in the XML may follow it
	Temporary bool   // the same message may be accepted later
	Source    string // id of docs/sources.txt, or "brevdue" for a code of ours
}

// Codes is the table of codes that this package answers.
func Codes() []CodeInfo {
	return []CodeInfo{
		{CodeMemoInvalid, "The message is not a MeMo that can be read.", false, "PKO-POSTSTATUS-CLIENTS"},
		{CodeContentType, "The content type must be application/xml or text/xml in UTF-8, without content encoding.", false, ours},
		{CodeTooLarge, "The message is larger than the limit.", false, ours},
		{CodeUploadCut, "The upload ended before its end.", true, ours},
		{CodeUploadSlow, "The upload was too slow.", true, ours},
		{CodeRecipient, "The recipient is not an authority that is received for here.", false, ours},
		{CodeMessageUUID, "The message has no messageUUID that is a UUID.", false, ours},
		{CodeBusy, "Too many messages are being received; try again.", true, ours},
		{CodeUnavailable, "The message could not be stored; try again.", true, ours},
		{CodeQuarantine, "The message is kept in quarantine and not delivered.", false, ours},
		{CodeNotAllowed, "The message is refused by a rule of the receiver.", false, ours},
	}
}

const ours = "brevdue"

// Refusal is why a message is not accepted. It is an error; a [Sink] may return one.
type Refusal struct {
	Code      string // of Codes, or of the sink
	Text      string // one public sentence; never anything of the message
	Temporary bool   // the same message may be accepted later
	Cause     error  // private; for the log, never answered; may be nil
}

// Refuse makes a refusal with the text of the table. cause may be nil.
func Refuse(code string, cause error) *Refusal {
	for _, c := range Codes() {
		if c.Code == code {
			return &Refusal{Code: code, Text: c.Text, Temporary: c.Temporary, Cause: cause}
		}
	}
	return &Refusal{Code: code, Text: "The message is refused.", Cause: cause}
}

// Error names the code and the cause.
func (r *Refusal) Error() string {
	if r.Cause != nil {
		return "sf1606: " + r.Code + ": " + r.Cause.Error()
	}
	return "sf1606: " + r.Code
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Cause }
