// Package hygiene looks at a received document before anybody opens it: whether it is what it says it is, what is hidden
// in it, and under which name it may be put on a disk. It unpacks no archive,
// runs nothing and keeps nothing.
//
// The job, in the order it happens:
//
//  1. [Inspect] reads a document to its end, or a [Scanner] is written to while it is stored. Type, active content and
//     encryption are seen in passing; memory does not grow with the document.
//  2. Where the bytes can be read at will ([io.ReaderAt]) the directory of an archive is read: how many entries, archives
//     inside archives, macros, programs. Without it, entries are counted as their headers pass by. The compressed streams
//     of objects of a PDF are looked into, within bounds.
//  3. The [Report] has every finding with a code and a sentence; [Report.Verdict] is Flagged when one of them flags.
//     What happens to a flagged message (quarantine, receipt) is decided by the gateway.
//  4. [SafeName] or, for the files of one folder, [Names] makes the name that is used on disk.
//  5. A virus scanner is asked by package clamd beside this one.
//
// A clean report means that nothing was found by these means, not that a document is harmless: what stands in an archive
// or in the attachments of a document is not looked at.
package hygiene
