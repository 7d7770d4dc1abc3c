package demo

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// routesFile has the distribution rules, in the demo's folder.
const routesFile = "routes.yaml"

const routes = `# Distribution rules of the demo: answers go home to the producer that sent the letter, everything else to a folder.
targets:
  desk: {folder: "{{dir}}/inbox"} # one folder per message: memo.xml, receipt.json, post.json, documents/
rules:
  - {name: svar, match: {reply_to: ours}, target: producer, else: desk}
default: desk
`

// writeRoutes writes the distribution rules of a demo, and makes the folder of their target.
func writeRoutes(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "inbox"), 0o700); err != nil {
		return fmt.Errorf("folder of inbound post: %w", err)
	}
	text := strings.ReplaceAll(routes, "{{dir}}", dir)
	if err := os.WriteFile(filepath.Join(dir, routesFile), []byte(text), 0o600); err != nil {
		return fmt.Errorf("distribution rules: %w", err)
	}
	return nil
}

// post is the part of the far end that sends to PostModtag. Its address is known only when the gateway listens.
type post struct {
	sender  *sf1606test.Sender
	citizen atomic.Pointer[sf1606test.Citizen]
	orders  atomic.Pointer[http.Handler]
}

// open makes everything that sends to an address.
func (p *post) open(address string, far *sf1601test.Server) error {
	authority := far.Authority()
	var err error
	p.sender, err = sf1606test.NewSender(sf1606test.SenderConfig{
		URL: address, Certificate: authority.ServerCertificate(), RootCAs: authority.RootCAs(),
	})
	if err != nil {
		return fmt.Errorf("route inbound post: %w", err)
	}
	letters := sf1606test.NewLetters(sf1606test.LettersConfig{})
	orders := sf1606test.Admin(p.sender, letters)
	p.orders.Store(&orders)
	p.citizen.Store(sf1606test.NewCitizen(p.sender, letters))
	return nil
}

// answer lets a recipient answer a letter.
func (p *post) answer(letter []byte) func(ctx context.Context) {
	if citizen := p.citizen.Load(); citizen != nil {
		return citizen.Answer(letter)
	}
	return nil
}

// order sends what is asked for on the admin port.
func (p *post) order(w http.ResponseWriter, r *http.Request) {
	if orders := p.orders.Load(); orders != nil {
		(*orders).ServeHTTP(w, r)
		return
	}
	http.Error(w, "the gateway does not listen yet", http.StatusServiceUnavailable)
}

func (p *post) close() {
	if p.sender != nil {
		p.sender.Close()
	}
}
