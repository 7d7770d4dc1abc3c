package memo

import (
	"crypto/sha256"
	"time"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// MessageBody is the class MessageBody: the documents of a Digital Post message. [src: MEMO-1.1-XSD MessageBody]
type MessageBody struct {
	CreatedDateTime     time.Time
	MainDocument        MainDocument
	AdditionalDocuments []AdditionalDocument // shown in this order; at most ten
	TechnicalDocuments  []TechnicalDocument  // for systems, never shown
}

func (x MessageBody) write(w *writer) {
	w.open("memo:MessageBody")
	w.dateTime("createdDateTime", x.CreatedDateTime)
	x.MainDocument.write(w)
	writeAll(w, x.AdditionalDocuments)
	writeAll(w, x.TechnicalDocuments)
	w.close()
}

func readMessageBody(r *reader, x *MessageBody) bool {
	return r.dateTime("createdDateTime", &x.CreatedDateTime) ||
		value(r, "MainDocument", &x.MainDocument, readMainDocument) ||
		many(r, "AdditionalDocument", &x.AdditionalDocuments, readAdditionalDocument) ||
		many(r, "TechnicalDocument", &x.TechnicalDocuments, readTechnicalDocument)
}

// MainDocument is the class MainDocument: the letter. Several files are the same letter in several formats.
// [src: MEMO-1.1-XSD MainDocument]
type MainDocument struct {
	MainDocumentID string // optional
	Label          string // optional
	Files          []File // at least one
	Actions        []Action
}

func (x MainDocument) write(w *writer) {
	w.open("memo:MainDocument")
	w.optional("mainDocumentID", x.MainDocumentID)
	w.optional("label", x.Label)
	writeAll(w, x.Files)
	writeAll(w, x.Actions)
	w.close()
}

func readMainDocument(r *reader, x *MainDocument) bool {
	return r.text("mainDocumentID", &x.MainDocumentID) ||
		r.text("label", &x.Label) ||
		many(r, "File", &x.Files, readFile) ||
		many(r, "Action", &x.Actions, readAction)
}

// AdditionalDocument is the class AdditionalDocument: an attachment. [src: MEMO-1.1-XSD AdditionalDocument]
type AdditionalDocument struct {
	AdditionalDocumentID string // optional
	Label                string // optional
	Files                []File // at least one
	Actions              []Action
}

func (x AdditionalDocument) write(w *writer) {
	w.open("memo:AdditionalDocument")
	w.optional("additionalDocumentID", x.AdditionalDocumentID)
	w.optional("label", x.Label)
	writeAll(w, x.Files)
	writeAll(w, x.Actions)
	w.close()
}

func readAdditionalDocument(r *reader, x *AdditionalDocument) bool {
	return r.text("additionalDocumentID", &x.AdditionalDocumentID) ||
		r.text("label", &x.Label) ||
		many(r, "File", &x.Files, readFile) ||
		many(r, "Action", &x.Actions, readAction)
}

// TechnicalDocument is the class TechnicalDocument: data for the receiving system. It has no actions.
// [src: MEMO-1.1-XSD TechnicalDocument]
type TechnicalDocument struct {
	TechnicalDocumentID string // optional
	Label               string // optional
	Files               []File // at least one
}

func (x TechnicalDocument) write(w *writer) {
	w.open("memo:TechnicalDocument")
	w.optional("technicalDocumentID", x.TechnicalDocumentID)
	w.optional("label", x.Label)
	writeAll(w, x.Files)
	w.close()
}

func readTechnicalDocument(r *reader, x *TechnicalDocument) bool {
	return r.text("technicalDocumentID", &x.TechnicalDocumentID) ||
		r.text("label", &x.Label) ||
		many(r, "File", &x.Files, readFile)
}

// File is the class File: one document in one format. [src: MEMO-1.1-XSD File]
type File struct {
	EncodingFormat string // MIME type
	Filename       string // see ForbiddenFilenameRunes
	Language       string // two letters
	Content        xmlstream.Content

	// Set by Read and not looked at by a writer: the content as it was found.
	Size   int64 // raw bytes, before base64
	SHA256 [sha256.Size]byte
}

func (x File) write(w *writer) {
	w.open("memo:File")
	w.leaf("encodingFormat", x.EncodingFormat)
	w.leaf("filename", x.Filename)
	w.leaf("language", x.Language)
	w.content("content", x.Content)
	w.close()
}

func readFile(r *reader, x *File) bool {
	return r.text("encodingFormat", &x.EncodingFormat) ||
		r.text("filename", &x.Filename) ||
		r.token("language", &x.Language) ||
		r.content("content", x)
}
