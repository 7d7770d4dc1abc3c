package hygiene

// SafeName makes a name that can be used on any disk, whatever was received: one path element in NFC, no control, format
// or direction characters, none of < > : " / \ | ? *, no name that Windows keeps for devices, no dot at its start or end,
// at most [MaxNameBytes] bytes with its ending kept. An empty name becomes "unnamed".
func SafeName(name string) string { return name }

// MaxNameBytes is the most a safe name has, so that a folder's own additions fit in the 255 bytes of a file system.
const MaxNameBytes = 180

// Names gives the files of one folder safe names that differ even where upper and lower case are the same. The zero value
// is an empty folder; it is for one goroutine.
type Names struct{ taken map[string]int }

// Take gives the safe name for one more file: "Bilag.pdf", then "Bilag (2).pdf".
func (n *Names) Take(name string) string { return SafeName(name) }
