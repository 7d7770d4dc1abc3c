package hygiene

// Verdict is the sum of a [Report].
type Verdict string

// The verdicts.
const (
	Clean   Verdict = "clean"
	Flagged Verdict = "flagged"
)

// Code says what was found. The values are stable.
type Code string

// What can be found. Those marked "note" do not flag a document unless [Options].Flag says so.
const (
	TypeMismatch   Code = "type.mismatch"   // it is not what it is declared to be
	TypeUndeclared Code = "type.undeclared" // note: declared as nothing, or as application/octet-stream
	TypeUnknown    Code = "type.unknown"    // note: its bytes tell no type
	NameUnsafe     Code = "name.unsafe"     // note: the name was changed to be safe on a disk
	NameDeceives   Code = "name.deceives"   // the name hides its ending: direction marks, or a second ending
	NameExecutable Code = "name.executable" // the ending of the name makes a computer run it
	Executable     Code = "content.program" // it is a program, a script or a shortcut
	ActiveScript   Code = "content.script"  // HTML or SVG with a script, an event handler or a javascript: link
	ActiveEmbed    Code = "content.embed"   // HTML with a frame, object, form or automatic redirect
	PDFScript      Code = "pdf.script"      // PDF with JavaScript
	PDFAction      Code = "pdf.action"      // note: PDF that does something when it is opened
	PDFLaunch      Code = "pdf.launch"      // PDF that starts a program or sends data
	PDFEmbedded    Code = "pdf.embedded"    // PDF with other files inside
	PDFCompressed  Code = "pdf.compressed"  // note: PDF with objects in compressed streams that could not be looked into
	Macro          Code = "office.macro"    // office document with macros
	OfficeEmbedded Code = "office.embedded" // office document or RTF with embedded objects
	OfficeExternal Code = "office.external" // note: office document that loads something from elsewhere
	Encrypted      Code = "encrypted"       // note: cannot be looked into without a password
	ArchiveFound   Code = "archive"         // note: it is an archive
	ArchiveNested  Code = "archive.nested"  // an archive inside the archive
	ArchiveProgram Code = "archive.program" // a program, script or shortcut inside the archive
	ArchivePath    Code = "archive.path"    // an entry that would leave the folder it is unpacked to
	ArchiveMany    Code = "archive.many"    // more entries than [Options].MaxEntries
	ArchiveExpands Code = "archive.expands" // unpacks to over [Options].MaxExpanded bytes or a hundredfold
	ArchiveBroken  Code = "archive.broken"  // its directory cannot be read
)

// Reason is one thing that was found.
type Reason struct {
	Code  Code
	Flags bool   // it makes the document flagged
	Text  string // a sentence; it quotes nothing of the document and not its name
}

// Archive is what the directory of an archive says.
type Archive struct {
	Entries   int   // files in it
	Nested    int   // archives among them
	Encrypted int   // files among them that need a password
	Expanded  int64 // bytes when unpacked, as it claims; -1: not known
	Exact     bool  // from the directory; otherwise counted as headers passed by
}

// Report is what was found out about one document.
type Report struct {
	SafeName string   // the name for a disk, see [SafeName]
	Declared string   // the declared type, lower case without parameters; "" when it is none
	Real     string   // the type by its bytes, as a MIME type; application/octet-stream when they tell none
	Size     int64    // bytes read
	Archive  *Archive // nil: no archive
	Reasons  []Reason // in the order of the codes above, each code once
}

// Verdict is Flagged when a reason flags.
func (r Report) Verdict() Verdict {
	for _, x := range r.Reasons {
		if x.Flags {
			return Flagged
		}
	}
	return Clean
}
