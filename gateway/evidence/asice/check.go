package asice

// Structure is the File of a check of everything between the files: headers, directory, order, length.
const Structure = "container structure"

// Rule says what a check looked at. The values are stable.
type Rule string

// The rules of a container.
const (
	RuleStructure Rule = "structure" // the ZIP file has no byte that does not belong there
	RuleContainer Rule = "container" // mimetype and META-INF/manifest.xml say what they must
	RuleSignature Rule = "signature" // the signature over the list of digests holds
	RuleChain     Rule = "chain"     // the signer's certificate was issued under a root that is trusted
	RuleListed    Rule = "listed"    // the file is signed, and there
	RuleDigest    Rule = "digest"    // the file has the digest that was signed
)

// Check is one thing that was looked at.
type Check struct {
	Rule   Rule   `json:"rule"`
	File   string `json:"file"` // its name in the container, or Structure
	Passed bool   `json:"passed"`
	Text   string `json:"text"` // a plain sentence, without content of the file
}
