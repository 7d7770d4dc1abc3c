package digitalpost

import (
	"context"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// What the request of every SF1601 channel is called when it is shown.
const (
	RequestName        = "kombi_request.xml"
	RequestContentType = "application/xml"
)

// Keeper makes skeletons; *gateway.Gateway does.
type Keeper interface {
	Skeleton(ctx context.Context, name, contentType string, parts []gateway.Part) ([]byte, error)
}

// Skeleton makes of a kombi_request what it is put together from again: sf1601.Config.Skeleton, for every channel that is
// sent with KombiPostAfsend.
func Skeleton(ctx context.Context, k Keeper, request *xmlstream.Document) ([]byte, error) {
	return k.Skeleton(ctx, RequestName, RequestContentType, parts(request))
}

// parts are the request's own texts, and its contents as far as they are documents of the intent by their names.
func parts(request *xmlstream.Document) []gateway.Part {
	all := request.Parts()
	out := make([]gateway.Part, len(all))
	for i, p := range all {
		if p.Content == nil {
			out[i].Text = p.Text
			continue
		}
		out[i] = gateway.Part{Open: p.Content.Open, Size: p.Size}
		if named, is := p.Content.(xmlstream.Named); is {
			out[i].SHA256 = named.Name()
		}
	}
	return out
}
