// Package letterpdf makes the PDF of a letter from its texts: A4 portrait, the address where the window of the envelope
// is, embedded fonts, tagged for screen readers.
//
// The job, in the order it happens:
//
//  1. [New] reads the two fonts and the layout once.
//  2. [Maker.Make] brings every text into one form (NFC, plain spaces, no invisible characters) and finds every
//     character that the fonts cannot show. Such a character is a [Finding], never an empty box.
//  3. The text is cut into paragraphs and list items ([blocks]), wrapped with the fonts' own widths, and placed on pages.
//  4. The pages are written by codeberg.org/go-pdf/fpdf, each line inside a marked-content sequence.
//  5. An incremental update ([tag]) adds what fpdf cannot write: the structure tree, the parent tree, MarkInfo, XMP
//     metadata with the title, and the file identifier. [src: ISO-32000-1 §7.5.6 and §14.7]
//
// The same [Letter] gives the same bytes: dates come from the letter, the file identifier is a digest of the contents,
// and nothing is random. Every attempt of a message therefore sends the same letter.
//
// Text is plain text. A blank line ends a paragraph, a single line break stays one, and a line that begins with "- ",
// "* ", "• " or a number and a full stop is a list item. Nothing else in a text has a meaning.
//
// # Tagging
//
// The document has a title that viewers show, the language "da", and the elements Document, P, H1, H2, L, LI, Lbl and
// LBody in reading order; page numbers are artifacts. What is missing for PDF/UA: links are text
// and no annotations, fonts have no CIDSet, a word cut because it is longer than a line carries no ActualText, parts in
// another language are not marked, and no validator has confirmed the whole, so the file does not claim PDF/UA.
//
// # The window
//
// No public Danish source gives the print supplier's window. The default address area lies 25 to 110 mm from the left
// and 41 to 66.2 mm from the top: inside the window of GOV.UK Notify's letter specification (24.6 to 120 mm, 39.5 to
// 66.3 mm), and narrow enough for a window of 90 mm that begins 20 mm from the left, a size sold for C5/M65. The
// supplier's annex decides; see [Layout].
//
// # Fonts
//
// The default fonts are Go Regular and Go Bold (golang.org/x/image, BSD licence): they may be embedded, come with a
// maintained module, and cover WGL4, that is Latin with æøå, Greenlandic ĸ, Faroese and Icelandic ð, Greek and Cyrillic.
// An authority that writes to names outside that set gives other TrueType fonts in [Config]. Right-to-left scripts,
// combining marks and characters beyond U+FFFF are refused with any font, because fpdf would set them wrongly.
package letterpdf
