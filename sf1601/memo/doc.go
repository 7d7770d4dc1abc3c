// Package memo models, checks and writes MeMo, the message format of Danish Digital Post, in versions 1.1 and 1.2.
//
// The job in the order it happens:
//
//  1. The caller fills a Message. Every class of the MeMo model is a struct of the same name, its fields in the order of
//     the schema; an optional class is a pointer or a slice, an optional property is written when it is not zero.
//  2. Message.Validate lists what Digital Post would reject, each finding with its place.
//  3. Message.Element builds the XML with etree and leaves placeholders where file contents go; Message.Document adds
//     the contents and gives a stream whose length is known (package xmlstream).
//
// What holds for everything written here:
//
//   - Elements stand in the order of the MeMo 1.1 XSD, with literal prefixes (memo:, grd:, kle: ...): SF1601 is known
//     to have refused a default namespace.
//   - A time is converted to UTC, cut to whole seconds and written with Z (MeMo 1.1 XSD, memoDateTimeType). Callers
//     never format a time.
//   - 1.1 always writes mandatory, legalNotification and memoSchVersion="1.1.0". 1.2 writes no memoSchVersion and no
//     idTypeLabel; its additions (Representative, originalRepresentative) are an error in a 1.1 message.
//
// Sources: MeMo 1.1 XSDs (MeMo_core.xsd and the schemas it imports) for classes, order, cardinality and lengths; the
// official MeMo 1.2 examples for what 1.2 changed, as no 1.2 schema is published (docs/divergences.md); "Øget validering
// i Digital Post" (digitaliser.dk, 15 November 2024) for file names and https.
//
// Not covered yet: reading MeMo.
package memo
