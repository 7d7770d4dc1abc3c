// Package memo models, checks, writes and reads MeMo, the message format of Danish Digital Post, in versions 1.1 and 1.2.
//
// The way of a message that is sent, in the order it happens:
//
//  1. The caller fills a Message. Every class of the MeMo model is a struct of the same name, its fields in the order of
//     the schema; an optional class is a pointer or a slice, an optional property is written when it is not zero.
//  2. Message.Validate lists what Digital Post would reject, each finding with its place.
//  3. Message.Encode does that, counts the bytes, and gives a stream whose length is known (package xmlstream).
//     Message.Document is the same without judging; Message.Build and Message.Element put the message into a larger
//     document.
//
// The way of a message that is received:
//
//  1. Read takes the XML from a reader and fills a Message. File contents go to a Sink while they are read: decoded,
//     counted and hashed. ReadKombi does so for a whole kombi_request.
//
// And for a file that anyone wrote: Check names every fault with its place and source, Fix writes a copy corrected where
// that is certain, NewSummary says what is in it.
//  2. Check judges a file of anyone's, place by place; Fix writes a corrected copy.
//
// # What holds for everything written
//
//   - Elements stand in the order of the MeMo 1.1 XSD, with literal prefixes (memo:, grd:, kle: ...): SF1601 is known
//     to have refused a default namespace. [src: SP-CLIENTS itk-dev/serviceplatformen]
//   - A time is converted to UTC, cut to whole seconds and written with Z. Callers never format a time.
//     [src: MEMO-1.1-XSD memoDateTimeType]
//   - 1.1 always writes mandatory, legalNotification and memoSchVersion="1.1.0". 1.2 writes no memoSchVersion and no
//     idTypeLabel; its additions (Representative, originalRepresentative) are an error in a 1.1 message.
//
// # What reading tolerates
//
// Received and stored messages come from many senders, some older than today's rules. Read therefore takes:
//
//   - any prefix or a default namespace, declarations on any ancestor, declarations that nobody uses;
//   - a byte order mark, no XML declaration, the encoding labels UTF-8, utf-8 and utf8;
//   - comments, processing instructions, CDATA, white space between elements;
//   - elements in another order than the schema's, absent mandatory properties (they stay zero), empty optional ones
//     (they are absent), empty optional classes (they are kept);
//   - memoVersion as any decimal of the same value, memoSchVersion and idTypeLabel in 1.2, Representative in 1.1;
//   - true, false, 1, 0 and nothing as booleans; fractions of seconds, offsets instead of Z, 24:00:00, zones on dates;
//   - UUIDs of any version and case, unknown codes and types, leading zeros, an end before its start, both forms of
//     address, any number of files, documents and other repeated classes, http links, forbidden file names;
//   - PropertyNumber and GlobalLocationNumber as plain text without their child element;
//   - white space, line breaks and comments anywhere in base64.
//
// Unknown elements, unknown attributes and text between elements are left out and told to ReadOptions.Notice. They are
// not in the Message: a message with them does not come back whole, and whoever must know asks for notices.
//
// # What reading refuses
//
// A *ReadError says why and where, and repeats nothing of the message: XML that is not well-formed, other encodings, a DTD
// (and so every entity but the five predefined ones), more than ReadLimits, a document that ends early, two roots,
// anything behind the root, another root. Four faults of MeMo are refused too unless ReadOptions.Fault reads past them:
// another version, a value that is no boolean, time or date, a content that is not base64, and a second one of what a
// class has once, because two readers might choose differently.
//
// # Round trip
//
// A valid message that is read and written again keeps every value and every document byte. Its canonical XML is the same
// but for these normalisations:
//
//   - namespaces are declared where first used, with the literal prefixes; unused declarations are gone;
//   - comments, processing instructions, white space between elements and attributes of XMLSchema-instance are gone;
//   - an XML declaration says UTF-8; there is no byte order mark; CDATA and references become text;
//   - optional properties that are empty, and reply, mandatory or legalNotification where they say the default and the
//     version lets them be absent, are gone; in 1.1 mandatory and legalNotification are always there;
//   - booleans are true or false; times are UTC with Z in whole seconds (Read keeps the fraction, writing drops it);
//     dates have no zone;
//   - memoVersion is 1.1 or 1.2; memoSchVersion is 1.1.0 in 1.1 and absent in 1.2, as is idTypeLabel;
//   - white space around language, url, productionUnitNumber and globalLocationNumber is gone, as their types say; all
//     other texts, and the case of UUIDs, are kept as they are;
//   - base64 has no white space.
//
// # Cost
//
// Reading and writing hold one buffer of 64 KiB and one of 48 KiB, whatever the message weighs, besides the Message
// itself: a message of 99.5 MB costs less than 4 MB, and what an attacker may make a reader allocate is below 8 MB with
// the default limits.
//
// The 1.1 schemas say classes, order, cardinality and lengths; as no 1.2 schema is published, the examples and the notice
// say what 1.2 changed (docs/divergences.md). [src: MEMO-1.1-XSD; MEMO-1.2-EXAMPLES; MEMO-1.2-NEWS; MEMO-VALIDATION-NEWS]
package memo
