package hygiene

import (
	"path"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

const unknownType = "application/octet-stream"

// headSize is how much of a document its type is told by; it is the library's own.
const headSize = 3072

// mediaType is a type without its parameters, in lower case; "" when it is none.
func mediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	if s = strings.ToLower(strings.TrimSpace(s)); strings.Count(s, "/") != 1 || len(s) > 127 || strings.ContainsFunc(s, notInType) {
		return ""
	}
	return s
}

func notInType(r rune) bool { return r <= ' ' || r > '~' }

// families are types that senders write for one another. Each is tolerated when the other is found. That rtf is declared
// as application/msword is what Digital Post's own list does. [src: SP-CLIENTS]
var families = [][]string{
	{"text/xml", "application/xml"},
	{"application/msword", "text/rtf", "application/rtf", docx, "application/vnd.ms-word.document.macroenabled.12"},
	{"application/vnd.ms-excel", xlsx, "application/vnd.ms-excel.sheet.macroenabled.12"},
	{"application/vnd.ms-powerpoint", pptx},
	{"image/jpeg", "image/jpg", "image/pjpeg"},
	{"image/tiff", "image/tif"},
	{"image/bmp", "image/x-bmp", "image/x-ms-bmp", "image/x-windows-bmp"},
	{"image/heic", "image/heif"},
	{"audio/mp4", "audio/x-m4a", "video/mp4", "video/quicktime"},
	{"application/zip", "application/x-zip", "application/x-zip-compressed"},
}

const (
	docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	pptx = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
)

// plainTexts are declared types whose bytes look like any text.
var plainTexts = []string{
	"text/plain", "text/csv", "text/tab-separated-values", "text/xml", "application/xml", "text/html", "application/xhtml+xml",
	"application/json", "text/calendar", "text/vcard", "application/edifact",
}

// agrees tells whether what is declared may be what was found.
func agrees(declared string, found *mimetype.MIME) bool {
	name := mediaType(found.String())
	if found.Is(declared) {
		return true
	}
	for _, family := range families {
		if slices.Contains(family, declared) && (slices.Contains(family, name) || slices.ContainsFunc(family, found.Is)) {
			return true
		}
	}
	switch {
	case name == "text/plain":
		return slices.Contains(plainTexts, declared)
	case name == "text/html":
		// XML without a declaration that begins with an element HTML has, too. It is looked into as HTML is.
		return declared == "text/xml" || declared == "application/xml" || declared == "application/xhtml+xml"
	case found.Is("text/xml"), strings.HasSuffix(name, "+xml"):
		// Any kind of XML, but not what a browser runs.
		return declared == "text/xml" || declared == "application/xml" ||
			strings.HasSuffix(declared, "+xml") && declared != "image/svg+xml"
	case name == "application/json", name == "text/csv", name == "text/tab-separated-values", name == "application/x-ndjson":
		return slices.Contains(plainTexts, declared) && declared != "text/html"
	case name == "application/zip":
		// The parts that tell an office document from a mere zip may stand after the head.
		return isZipDocument(declared)
	case name == "application/x-ole-storage":
		return slices.Contains([]string{
			"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/vnd.ms-outlook",
			docx, xlsx, pptx,
		}, declared)
	}
	return declared == "application/zip" && isZipDocument(name)
}

// isZipDocument tells whether a type is a document that is stored as a zip.
func isZipDocument(name string) bool {
	return strings.HasPrefix(name, "application/vnd.openxmlformats-officedocument.") ||
		strings.HasPrefix(name, "application/vnd.oasis.opendocument.") || strings.HasPrefix(name, "application/vnd.ms-") &&
		strings.HasSuffix(name, ".macroenabled.12") || name == "application/epub+zip" || name == "application/vnd.etsi.asic-e+zip"
}

// archiveTypes are containers of files that are no documents themselves.
var archiveTypes = []string{
	"application/zip", "application/x-7z-compressed", "application/vnd.rar", "application/gzip", "application/x-tar",
	"application/x-xz", "application/x-bzip2", "application/zstd", "application/vnd.ms-cab-compressed", "application/lzip",
	"application/x-xar", "application/x-cpio", "application/x-archive",
}

// programTypes are what a computer runs, by its bytes.
var programTypes = []string{
	"application/vnd.microsoft.portable-executable", "application/x-elf", "application/x-object", "application/x-executable",
	"application/x-sharedlib", "application/x-mach-binary", "application/x-ms-shortcut", "application/x-ms-installer",
	"application/java-archive", "application/vnd.android.package-archive", "application/x-java-applet", "application/wasm",
	"application/x-shockwave-flash", "application/x-chrome-extension", "application/vnd.debian.binary-package", "application/x-rpm",
	"application/vnd.ms-htmlhelp", "text/x-php", "text/javascript", "text/x-lua", "text/x-perl", "text/x-python",
	"application/x-bytecode.python", "text/x-ruby", "text/x-shellscript", "text/x-tcl",
}

// programEndings are what a computer runs, by the name. Disk images are among them because a click opens what is inside.
var programEndings = []string{
	"exe", "com", "scr", "pif", "bat", "cmd", "ps1", "psm1", "psd1", "vbs", "vbe", "js", "jse", "mjs", "ws", "wsf", "wsh", "wsc", "hta",
	"msi", "msp", "mst", "jar", "jnlp", "lnk", "url", "scf", "reg", "cpl", "dll", "sys", "drv", "inf", "ocx", "gadget", "application",
	"appref-ms", "appx", "msix", "xll", "command", "sh", "bash", "py", "pyw", "pl", "rb", "php", "apk", "deb", "rpm", "dmg", "pkg",
	"iso", "img", "vhd", "vhdx", "chm", "hlp", "library-ms", "search-ms", "settingcontent-ms", "website", "workflow", "action",
}

// archiveEndings are archives by the name.
var archiveEndings = []string{
	"zip", "7z", "rar", "gz", "tgz", "tar", "bz2", "tbz2", "xz", "txz", "zst", "cab", "lz", "lzh", "arj", "ace", "z", "xar", "cpio", "zipx",
}

// ending is what stands after the last dot, in lower case.
func ending(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(strings.TrimRight(name, ". \x00")), "."))
}
