package hygiene

import "slices"

// code is what a [Code] means when nothing else is chosen.
type code struct {
	code  Code
	flags bool
	text  string
}

// codes are all codes in the order of a report, with their sentences.
var codes = []code{
	{TypeMismatch, true, "The document is not of the type it is declared to be."},
	{TypeUndeclared, false, "The document is declared to be of no particular type."},
	{TypeUnknown, false, "The bytes of the document tell no type."},
	{NameUnsafe, false, "The name of the document was changed to be safe on a disk."},
	{NameDeceives, true, "The name of the document hides what its ending is."},
	{NameExecutable, true, "The ending of the name makes a computer run the document."},
	{Executable, true, "The document is a program, a script or a shortcut."},
	{ActiveScript, true, "The document has a script, an event handler or a link that runs one."},
	{ActiveEmbed, true, "The document has a frame, a form, an object or an automatic redirect."},
	{PDFScript, true, "The PDF has JavaScript."},
	{PDFAction, false, "The PDF does something when it is opened."},
	{PDFLaunch, true, "The PDF can start a program or send data."},
	{PDFEmbedded, true, "The PDF has other files inside."},
	{PDFCompressed, false, "The PDF has objects in compressed streams that could not be looked into."},
	{Macro, true, "The document has macros."},
	{OfficeEmbedded, true, "The document has embedded objects."},
	{OfficeExternal, false, "The document refers to data outside of it."},
	{Encrypted, false, "The document cannot be looked into without a password."},
	{ArchiveFound, false, "The document is an archive."},
	{ArchiveNested, true, "The archive has an archive inside."},
	{ArchiveProgram, true, "The archive has a program, a script or a shortcut inside."},
	{ArchivePath, true, "The archive has an entry that would leave the folder it is unpacked to."},
	{ArchiveMany, true, "The archive has more entries than are taken."},
	{ArchiveExpands, true, "The archive is far larger when it is unpacked."},
	{ArchiveBroken, true, "The directory of the archive cannot be read."},
}

// Codes lists every code, in the order of a report.
func Codes() []Code {
	list := make([]Code, len(codes))
	for n, c := range codes {
		list[n] = c.code
	}
	return list
}

// reasons makes the sentences of what was found.
func (o Options) reasons(found map[Code]bool) []Reason {
	var list []Reason
	for _, c := range codes {
		if !found[c.code] {
			continue
		}
		flags := (c.flags || slices.Contains(o.Flag, c.code)) && !slices.Contains(o.Tolerate, c.code)
		list = append(list, Reason{Code: c.code, Flags: flags, Text: c.text})
	}
	return list
}
