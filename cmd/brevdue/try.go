package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/cmd/brevdue/demo"
	"github.com/brevdue/brevdue/cmd/brevdue/serve"
	"github.com/brevdue/brevdue/cmd/brevdue/sim"
	"github.com/brevdue/brevdue/sf1606"
)

func simCommand(t terminal) *cobra.Command {
	var o sim.Options
	cmd := &cobra.Command{
		Use: "sim", Short: "Run the far end: a simulator of Serviceplatformen",
		Long: "Run the far end of SF1601: token services, KombiPostAfsend_1/kombi and /memos, PostForespoerg_1, and the push of\n" +
			"PKO_PostStatus. How a letter fares is decided by the last four digits of its recipient (9996 delivered, 9993 rejected\n" +
			"later, 9992 refused at once, 9991 cut, 9990 busy twice, 9984 delivered and answered, ...). It also sends inbound post\n" +
			"to PostModtag (SF1606): answers of those recipients, and what is asked for with POST /inbound on the admin port, a\n" +
			"MeMo as XML or an order as JSON. Its folder gets ca.pem, client.pem, client-key.pem, and an example configuration\n" +
			"for brevdue serve with distribution rules.",
		Example: "  brevdue sim --listen 127.0.0.1:9443 --admin 127.0.0.1:9444 --dir sim\n" +
			"  curl -d '{\"kind\": \"new\", \"count\": 1000, \"bytes\": 20000, \"rate\": 100}' http://127.0.0.1:9444/inbound\n" +
			"  curl -H 'Content-Type: application/xml' --data-binary @memo.xml http://127.0.0.1:9444/inbound",
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Logger = newLogger(t.err, config.Log{Level: "info", Format: "text"})
			return sim.Run(cmd.Context(), t.out, o)
		},
	}
	cmd.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:9443", "`address` of the services")
	cmd.Flags().StringVar(&o.Admin, "admin", "127.0.0.1:9444", "`address` of the admin port (plain HTTP, loopback)")
	cmd.Flags().StringVar(&o.Dir, "dir", "brevdue-sim", "`folder` for certificates and the example configuration")
	cmd.Flags().StringVar(&o.PushURL, "push", "https://127.0.0.1:8445"+serve.PushPath, "`URL` that statuses are posted to")
	cmd.Flags().StringVar(&o.PostModtag, "postmodtag", "https://127.0.0.1:8444"+sf1606.DefaultPath, "`URL` that inbound post is sent to")
	cmd.Flags().StringVar(&o.AMQP, "amqp", "", "`URL` of a broker (amqps://host:port/vhost) into whose queue statuses are put instead")
	cmd.Flags().StringVar(&o.Queue, "queue", sim.Queue, "`UUID` of the dueslag, the queue of --amqp")
	return cmd
}

func demoCommand(t terminal) *cobra.Command {
	o := demo.Options{Version: version, Patience: 2 * time.Minute}
	cmd := &cobra.Command{
		Use: "demo", Short: "Show the whole way on this machine, without configuration",
		Long: "Start the gateway with an embedded queue and SQLite, and the simulator of Serviceplatformen; send real letters; show\n" +
			"each one's way until its final status; say where API and console are, and go on serving.\n" +
			"With --once it exits instead: 0 when every sample ended as expected.",
		Example: "  brevdue demo\n  brevdue demo --once --dir /tmp/brevdue",
		Args:    arguments(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return demo.Run(cmd.Context(), t.out, o) },
	}
	cmd.Flags().BoolVar(&o.Once, "once", false, "exit when every sample has reached its final status")
	cmd.Flags().StringVar(&o.Dir, "dir", "brevdue-data", "`folder` for the state")
	cmd.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:8080", "`address` of API and console; another port is taken when it is in use")
	cmd.Flags().BoolVar(&o.Verbose, "verbose", false, "write the gateway's log too")
	return cmd
}
