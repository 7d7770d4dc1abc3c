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
//     to have refused a default namespace. [src: SP-CLIENTS itk-dev/serviceplatformen]
//   - A time is converted to UTC, cut to whole seconds and written with Z. Callers never format a time.
//     [src: MEMO-1.1-XSD memoDateTimeType]
//   - 1.1 always writes mandatory, legalNotification and memoSchVersion="1.1.0". 1.2 writes no memoSchVersion and no
//     idTypeLabel; its additions (Representative, originalRepresentative) are an error in a 1.1 message.
//
// The 1.1 schemas say classes, order, cardinality and lengths; as no 1.2 schema is published, the examples and the notice
// say what 1.2 changed (docs/divergences.md). [src: MEMO-1.1-XSD; MEMO-1.2-EXAMPLES; MEMO-1.2-NEWS; MEMO-VALIDATION-NEWS]
//
// Not covered yet: reading MeMo.
package memo
