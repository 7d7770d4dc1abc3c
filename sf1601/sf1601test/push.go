package sf1601test

type pusher struct{}

func newPusher(*Server) *pusher  { return &pusher{} }
func (p *pusher) close()         {}
func (p *pusher) pending() int64 { return 0 }
func (p *pusher) setURL(string)  {}
