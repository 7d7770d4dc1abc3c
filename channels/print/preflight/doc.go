// Package preflight says whether a PDF can be printed as a letter, before anybody accepts it.
//
// The job, in the order it happens:
//
//  1. [Checker.Check] looks at the size and the header.
//  2. The cross-reference is followed from the end of the file: tables, streams and hybrids, with every update before it.
//     Nothing is repaired. A file that needs repair is damaged, because what a printer makes of it nobody knows.
//  3. An encrypted file is told and read no further.
//  4. The page tree is walked. For each page its visible area (CropBox, else MediaBox), rotation and UserUnit give its
//     size; its contents must unpack.
//  5. The fonts of each page are looked up, through form XObjects, patterns, Type 3 fonts, graphics states and the
//     appearances of annotations. A font without a program in the file is a finding, one of the standard 14 too.
//
// Everything found is a [Finding] with a code and the numbers of its pages.
//
// # Why a reader of its own
//
// Producers' files are not to be trusted, so time and memory must be bounded by the file's size. General libraries load
// every object of a file: pdfcpu 0.15, the best-kept one in Go, limits each stream, but not their sum, and a file of 7 MiB
// may hold a thousand streams that unpack to a thousandfold. This reader reads only what the questions above ask for, never
// writes, unpacks only what it must, and counts every step and every unpacked byte against one budget ([Config.Limits]).
// [src: ISO-32000-1 §7]
//
// Not looked at: what is painted outside the printable area, images, colours, forms, scripts, and whether a font that is
// listed is used. Nothing is executed and no link is followed.
package preflight
