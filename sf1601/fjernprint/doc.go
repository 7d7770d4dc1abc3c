// Package fjernprint writes ForsendelseI, the printed letter of SF1601: what Fjernprint prints, puts into an envelope and
// hands to the post.
//
// The job in the order it happens:
//
//  1. A plain postal address becomes a KontaktOplysning: Normalise gives address form A (structured) where the schema takes
//     it, otherwise form B (label lines), or an *AddressError that names the part that fits neither.
//  2. The caller fills in a ForsendelseI. AfsendelseIdentifikator is its identity: a new UUID per letter, the same on every
//     attempt, and what every status repeats.
//  3. Validate checks all sender rules at once and gives findings with path and rule; CheckContents looks into the files.
//  4. Build writes the letter into a larger document (Element does so as a tree); MeddelelseIndholdData and the attachments
//     are read only while the document is streamed, so memory does not grow with them.
//
// A person's CPR number is never written: the schema's own filler CPRUkendt stands for it (see Person).
//
// Left out on purpose: DigitalPostParametre and MeddelelsesFormatObjekt, which are of the retired SF1600 and which nobody
// sends any more, and empty optional classes. The schema is the one of SF1600; the generated clients of SF1601 confirm
// order, namespaces and enumerations. See docs/divergences.md.
package fjernprint
