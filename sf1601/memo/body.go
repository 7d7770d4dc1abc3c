package memo

import (
	"time"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// MessageBody is the class MessageBody: the documents of a Digital Post message. [src: MEMO-1.1-XSD MessageBody]
type MessageBody struct {
	CreatedDateTime     time.Time
	MainDocument        MainDocument
	AdditionalDocuments []AdditionalDocument // shown in this order; at most ten
	TechnicalDocuments  []TechnicalDocument  // for systems, never shown
}

func (x MessageBody) element(f *files) *etree.Element {
	e := class("memo:MessageBody")
	dateTime(e, "createdDateTime", x.CreatedDateTime)
	e.AddChild(x.MainDocument.element(f))
	for _, d := range x.AdditionalDocuments {
		e.AddChild(d.element(f))
	}
	for _, d := range x.TechnicalDocuments {
		e.AddChild(d.element(f))
	}
	return e
}

// MainDocument is the class MainDocument: the letter. Several files are the same letter in several formats.
// [src: MEMO-1.1-XSD MainDocument]
type MainDocument struct {
	MainDocumentID string // optional
	Label          string // optional
	Files          []File // at least one
	Actions        []Action
}

func (x MainDocument) element(f *files) *etree.Element {
	e := class("memo:MainDocument")
	optional(e, "mainDocumentID", x.MainDocumentID)
	optional(e, "label", x.Label)
	addFiles(e, f, x.Files)
	addAll(e, x.Actions)
	return e
}

// AdditionalDocument is the class AdditionalDocument: an attachment. [src: MEMO-1.1-XSD AdditionalDocument]
type AdditionalDocument struct {
	AdditionalDocumentID string // optional
	Label                string // optional
	Files                []File // at least one
	Actions              []Action
}

func (x AdditionalDocument) element(f *files) *etree.Element {
	e := class("memo:AdditionalDocument")
	optional(e, "additionalDocumentID", x.AdditionalDocumentID)
	optional(e, "label", x.Label)
	addFiles(e, f, x.Files)
	addAll(e, x.Actions)
	return e
}

// TechnicalDocument is the class TechnicalDocument: data for the receiving system. It has no actions.
// [src: MEMO-1.1-XSD TechnicalDocument]
type TechnicalDocument struct {
	TechnicalDocumentID string // optional
	Label               string // optional
	Files               []File // at least one
}

func (x TechnicalDocument) element(f *files) *etree.Element {
	e := class("memo:TechnicalDocument")
	optional(e, "technicalDocumentID", x.TechnicalDocumentID)
	optional(e, "label", x.Label)
	addFiles(e, f, x.Files)
	return e
}

// File is the class File: one document in one format. [src: MEMO-1.1-XSD File]
type File struct {
	EncodingFormat string // MIME type
	Filename       string // see ForbiddenFilenameRunes
	Language       string // two letters
	Content        xmlstream.Content
}

func (x File) element(f *files) *etree.Element {
	e := class("memo:File")
	leaf(e, "encodingFormat", x.EncodingFormat)
	leaf(e, "filename", x.Filename)
	leaf(e, "language", x.Language)
	content := etree.NewElement("memo:content")
	content.AddChild(f.placeholder(x.Content))
	e.AddChild(content)
	return e
}

func addFiles(parent *etree.Element, f *files, list []File) {
	for _, file := range list {
		parent.AddChild(file.element(f))
	}
}
