package sf1601test

// Codes the simulator puts into FejlKode of a status. They are the NgDP codes
// known from public documents: memo.invalid has been seen in a real status,
// the others are in a supplier's list. More exist and are not published.
// [src: PKO-POSTSTATUS-CLIENTS FejlKode; NGDP-ERRORS-KMD; NGDP-TECHNICAL]
const (
	CodeMemoInvalid       = "memo.invalid"
	CodeContactPoint      = "contact.point.id.format.not.allowed"
	CodeDeliverTooEarly   = "do.not.deliver.until.date.too.early"
	CodeEmptyNotification = "empty.notification.not.allowed"
	CodeEmptyFile         = "file.empty.not.allowed"
	CodeFileExtension     = "file.extension.not.allowed"
	// CodeNotPortrait is of the print supplier OneTooX: the first page is not A4
	// portrait. The codes of print suppliers are numbers.
	// [src: FJERNPRINT-ERRORS-DOC2MAIL 10030]
	CodeNotPortrait = "10030"
)

// Codes of the simulator's own. No official FejlId of SF1601 is published, so
// none is imitated: these say by their prefix that they are not official.
const (
	// CodeRefused is the FejlId of every refusal in an answer.
	CodeRefused = "sim.refused"
	// CodeNotRegistered is the FejlKode of the status of a letter to somebody
	// without Digital Post or NemSMS.
	CodeNotRegistered = "sim.not-registered"
	// CodeForsendelseInvalid is the FejlKode of the status of a printed letter
	// that breaks a rule of ForsendelseI.
	CodeForsendelseInvalid = "sim.forsendelse-invalid"
	// KildeID is the KildeId of every Fejl the simulator makes.
	KildeID = "sf1601test"
)
